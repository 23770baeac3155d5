"""Where the course lives on disk: the repository and the cache."""

from __future__ import annotations

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
"""Root of the repository: the package is installed in place (``pip install -e``)."""


def cache_dir() -> Path:
    """Return the folder where downloads, rendered data and the progress record are kept.

    Returns
    -------
    pathlib.Path
        ``$COURSE_CACHE`` if it is set, else the operating system's cache folder for ``course-utils``.
        The folder is not created here: a room that writes creates what it needs.
    """
    chosen = os.environ.get("COURSE_CACHE")
    if chosen:
        return Path(chosen).expanduser()
    import pooch

    return Path(pooch.os_cache("course-utils"))


def course_data() -> Path | None:
    """Return the folder of real data sets named by ``$COURSE_DATA``, or None when the variable is not set."""
    chosen = os.environ.get("COURSE_DATA")
    return Path(chosen).expanduser() if chosen else None
