"""One call to make a training reproducible."""

from __future__ import annotations

import random
import sys

import numpy as np


def set_seed(seed: int) -> None:
    """Seed Python's ``random``, NumPy's global generator and, once it is imported, Keras with its backend.

    Import Keras *before* calling: a Keras imported later keeps its own random state. The package's own functions take
    ``seed=`` and never read the global generators.

    Parameters
    ----------
    seed : int
        Between 0 and 2³² − 1.

    Raises
    ------
    TypeError
        If ``seed`` is not an integer.
    ValueError
        If ``seed`` is out of range.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise TypeError(f"seed vaut {seed!r} : on attend un entier, par exemple set_seed(0).")
    if not 0 <= seed < 2**32:
        raise ValueError(f"seed vaut {seed} : on attend un entier entre 0 et 2**32 - 1.")
    keras = sys.modules.get("keras")
    if keras is not None and hasattr(keras, "utils"):
        keras.utils.set_random_seed(int(seed))  # seeds Python, NumPy and the backend
        return
    random.seed(int(seed))
    np.random.seed(int(seed))  # noqa: NPY002 — the global generator is the subject here
