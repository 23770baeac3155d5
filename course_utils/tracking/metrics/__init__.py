"""How good is a tracking? Three families of scores, each looking at another way of being wrong.

- `clear_mot`: CLEAR MOT (Bernardin and Stiefelhagen, 2008) follows each object frame by frame and counts the accidents:
  misses, false alarms, identity switches. ``MOTA`` adds them up; it is mostly a score of detection.
- `identity_f1`: identity scores (Ristani et al., 2016) pair each object with one track for the whole video: ``IDF1``
  says how long each object bears the same name.
- `hota_curves`: ``HOTA`` (Luiten et al., 2020) is the geometric mean of a score of detection, ``DetA``, and of a score
  of association, ``AssA``, averaged over 19 demands on the overlap.

`evaluate` gives them all; `align`, `clear`, `identity` and `hota` are its four steps. A quotient whose denominator is 0
is 0 (``LocA``: 1), as in TrackEval: a video without truth, or without track, has scores. `read_mot` reads the files of
MOTChallenge.
"""

from __future__ import annotations

from course_utils.tracking.metrics.alignment import Alignment, align
from course_utils.tracking.metrics.clear_mot import clear
from course_utils.tracking.metrics.hota_curves import ALPHAS, hota
from course_utils.tracking.metrics.identity_f1 import identity
from course_utils.tracking.metrics.mot import MotFrame, read_mot
from course_utils.tracking.metrics.scores import Scores, evaluate

__all__ = [
    "ALPHAS",
    "Alignment",
    "MotFrame",
    "Scores",
    "align",
    "clear",
    "evaluate",
    "hota",
    "identity",
    "read_mot",
]
