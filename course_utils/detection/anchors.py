"""Anchors: the few typical sizes of box from which a YOLO starts, found by k-means with IoU as the measure.

Two boxes of the same centre are compared by their widths and heights only. The distance is 1 − IoU, as in YOLOv2
(Redmon and Farhadi, 2016): with the Euclidean distance large boxes would count for nearly everything.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

TRIALS = 5
"""Runs of k-means from different starts, the best of which is kept."""


def size_iou(sizes: ArrayLike, others: ArrayLike) -> NDArray[np.float64]:
    """IoU of boxes that share their centre.

    Parameters
    ----------
    sizes : array (n, 2)
        Widths and heights, positive.
    others : array (m, 2)

    Returns
    -------
    ndarray (n, m) of float64
        In [0, 1].
    """
    a, b = np.asarray(sizes, np.float64)[:, None], np.asarray(others, np.float64)[None]
    shared = np.minimum(a, b).prod(axis=-1)
    return shared / (a.prod(axis=-1) + b.prod(axis=-1) - shared)


def mean_best_iou(sizes: ArrayLike, anchors: ArrayLike) -> float:
    """Mean, over the boxes, of the IoU with the anchor that suits each best: 1 would be perfect.

    Parameters
    ----------
    sizes : array (n, 2)
        Widths and heights of the boxes.
    anchors : array (k, 2)

    Raises
    ------
    ValueError
        If the sizes are not positive pairs.
    """
    return float(size_iou(_checked(sizes), _checked(anchors, "anchors")).max(axis=1).mean())


def kmeans_anchors(sizes: ArrayLike, k: int, *, seed: int = 0, steps: int = 100) -> NDArray[np.float32]:
    """Choose k anchors for boxes by k-means, the distance being 1 − IoU.

    Starts are spread as k-means++ does (Arthur and Vassilvitskii, 2007); each step moves an anchor to the mean of its
    boxes. Of a few runs, and of all their steps, the anchors of the best `mean_best_iou` are kept.

    Parameters
    ----------
    sizes : array (n, 2)
        Widths and heights of the boxes, in pixels of the network's input.
    k : int
        Number of anchors, at most the number of different sizes.
    seed : int
    steps : int, default 100
        Most steps of a run.

    Returns
    -------
    ndarray (k, 2) of float32
        By growing area.

    Raises
    ------
    ValueError
        If the sizes are not positive pairs, or if there are fewer than k different ones.
    """
    points = _checked(sizes)
    different = len(np.unique(points, axis=0))
    if not 1 <= k <= different:
        raise ValueError(f"k = {k} ancres pour {different} tailles différentes : on attend k entre 1 et {different}.")
    rng = np.random.default_rng(seed)
    best, score = points[:k], -1.0
    for _ in range(TRIALS):
        anchors = _spread(points, k, rng)
        for _ in range(steps):
            overlap = size_iou(points, anchors)
            if (quality := overlap.max(axis=1).mean()) > score:
                best, score = anchors, quality
            moved = _means(points, overlap.argmax(axis=1), anchors)
            if np.allclose(moved, anchors, rtol=1e-9):
                break
            anchors = moved
    return best[np.argsort(best.prod(axis=1), kind="stable")].astype(np.float32)


def _spread(points: NDArray[Any], k: int, rng: np.random.Generator) -> NDArray[Any]:
    """Draw k starts among the points, each with a chance that grows with its distance to those already drawn."""
    starts = points[rng.integers(len(points))][None]
    while len(starts) < k:
        distance = np.maximum(1 - size_iou(points, starts).max(axis=1), 0) ** 2
        starts = np.concatenate([starts, points[rng.choice(len(points), p=distance / distance.sum())][None]])
    return starts


def _means(points: NDArray[Any], owner: NDArray[Any], anchors: NDArray[Any]) -> NDArray[Any]:
    """Move each anchor to the mean of its points; one that has none stays."""
    count = np.bincount(owner, minlength=len(anchors))[:, None]
    total = np.stack([np.bincount(owner, points[:, axis], minlength=len(anchors)) for axis in (0, 1)], axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), anchors)


def _checked(sizes: ArrayLike, name: str = "sizes") -> NDArray[np.float64]:
    array = np.asarray(sizes, np.float64)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array) or not (np.isfinite(array) & (array > 0)).all():
        raise ValueError(
            f"{name} : on attend un tableau (n, 2) de largeurs et de hauteurs strictement positives ; reçu la forme "
            f"{array.shape}{'' if array.ndim != 2 else ', avec une valeur nulle, négative ou infinie'}."
        )
    return array
