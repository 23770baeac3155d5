"""Digits that look written by many hands, drawn by code: the offline stand-in of MNIST.

Nothing here comes from a data set: the shapes are those of ``strokes``, the hands those of ``pen``, and ``ink`` lays
them on 28 × 28 pixels as MNIST does. ``benchmarks/handwriting_to_mnist.py`` measures how well a network that has seen
these digits only reads real ones.
"""

from __future__ import annotations

import operator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.data.errors import RequestError
from course_utils.data.handwriting import ink, pen

__all__ = ["digits"]

CHUNK = 1000
"""Digits drawn at a time, to bound the memory."""


def digits(n: int, *, seed: int = 0, labels: ArrayLike | None = None) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Write digits, each by another hand.

    Parameters
    ----------
    n : int
        Number of images, 0 or more.
    seed : int
        Same seed, same images. They are drawn in order: the first ones do not depend on `n`.
    labels : (n,) array-like of int, optional
        The digits to write, 0 to 9. By default each run of ten holds the ten digits, in random order.

    Returns
    -------
    images : (n, 28, 28, 1) float32 array
        White ink on black, in [0, 1], framed as in MNIST: a box of 20 × 20 pixels, centre of mass at the centre.
    labels : (n,) int64 array
        The digits written.

    Raises
    ------
    RequestError
        If `n` or `seed` is not a natural number, or `labels` are not n digits.
    """
    n, seed = _natural("n", n), _natural("seed", seed)
    written = _balanced(n, seed) if labels is None else _digits_asked(labels, n)
    chance = pen.Chance(seed)
    images = np.empty((n, ink.SIDE, ink.SIDE, 1), np.float32)
    for start in range(0, n, CHUNK):
        part = slice(start, min(start + CHUNK, n))
        images[part, ..., 0] = _write(written[part], chance.rows(part.stop - start))
    return images, written


def _write(labels: np.ndarray, chance: dict[str, np.ndarray]) -> np.ndarray:
    """Write one digit for each label (m,), with m rows of chance: (m, 28, 28) float32."""
    images = np.empty((len(labels), ink.BOX, ink.BOX), np.uint8)
    radius = pen.radius(chance)
    for digit in np.unique(labels):
        ranks = pen.choose(digit, chance["allograph"])
        for rank in np.unique(ranks[labels == digit]):
            mine = np.flatnonzero((labels == digit) & (ranks == rank))
            paths = pen.write(digit, rank, {name: values[mine] for name, values in chance.items()})
            images[mine] = ink.draw(paths, radius[mine])
    return ink.centre(ink.expose(images, chance["blur"]))


def _balanced(n: int, seed: int) -> NDArray[np.int64]:
    order = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(10,))).random((-(-n // 10), 10))
    return np.argsort(order, axis=1).reshape(-1)[:n].astype(np.int64)


def _natural(name: str, value: object) -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        number = -1
    if number < 0 or isinstance(value, bool):
        raise RequestError(f"{name} doit être un entier positif ou nul ; vous avez donné {value!r}.")
    return number


def _digits_asked(labels: ArrayLike, n: int) -> NDArray[np.int64]:
    asked = np.asarray(labels)
    if asked.shape != (n,):
        raise RequestError(
            f"labels doit contenir une étiquette par image : forme attendue ({n},), reçue {asked.shape}."
            " Donnez n = len(labels)."
        )
    if n and not np.issubdtype(asked.dtype, np.integer):
        raise RequestError(f"labels doit contenir des entiers de 0 à 9 ; reçu le type {asked.dtype}.")
    if n and (asked.min() < 0 or asked.max() > 9):
        raise RequestError(
            f"labels doit contenir des entiers de 0 à 9 ; reçu des valeurs de {asked.min()} à {asked.max()}."
        )
    return asked.astype(np.int64)
