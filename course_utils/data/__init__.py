"""The data room: real and drawn images, by name.

``load("mnist", split="train", n=2000, seed=0)`` gives a :class:`Dataset`: images float32 in [0, 1], channels last,
labels, class names, and where they come from. :func:`names` lists the sets. Some are carried by installed packages
("digits", "faces"), some are drawn by the program ("street", "handwriting"), the others are looked for in
``$COURSE_DATA``, in the cache, then on the network, each file checked by its sha256; where there is nothing, a stand-in
of the same shape takes their place and a visible line says so. ``COURSE_OFFLINE=1`` forbids downloads,
``COURSE_CACHE`` moves the cache. :func:`photo` gives single photos; ``data.handwriting`` and ``data.street`` are the
generators. What can go wrong is a :class:`DataError`, in French, that says what to do.

How it is done: ``loading`` (load), ``fetch`` and ``transfer`` (files), ``readers`` (formats), ``embedded``,
``generated``, ``catalogue`` (``data/sources.toml``).
"""

from __future__ import annotations

import importlib
from types import ModuleType

from course_utils.data.dataset import Dataset, stratified
from course_utils.data.embedded import photo, photo_names
from course_utils.data.errors import CorruptFileError, DataError, RequestError, StorageError
from course_utils.data.loading import load, names

__all__ = [
    "CorruptFileError",
    "DataError",
    "Dataset",
    "RequestError",
    "StorageError",
    "handwriting",
    "load",
    "names",
    "photo",
    "photo_names",
    "stratified",
    "street",
]


def __getattr__(name: str) -> ModuleType:
    """Import the generators when they are first used: they load OpenCV and textures."""
    if name in ("handwriting", "street"):
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
