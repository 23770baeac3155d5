"""Companion package of the course « Traitement d'image par Deep Learning from scratch ».

Rooms, each named by the field's own word: ``data`` (data sets, street world, handwriting), ``plots`` (one visual
style), ``training`` (callbacks for a class), ``scratch`` (the NumPy network of Day 1), ``exercises`` (check, hint,
solution, progress). Importing this package is light: TensorFlow is loaded only by the rooms that need it, when they
are first used, and then without its start-up log.
"""

from course_utils import quiet

__version__ = "0.1.0"

quiet.install()
