"""Targets: which cell, with which anchor, must answer for each box of the truth.

A box belongs to the cell that holds its centre. Among the anchors of all heads, the one whose shape suits it best
answers for it; YOLOv4 adds every anchor whose shape has an IoU above a threshold with the box (``iou_thresh``, 0.213 in
its files), which gives small objects several chances. When two boxes claim the same place, the better shape wins.

Everything is NumPy: targets are prepared while the network computes the batch before.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.detection.anchors import size_iou
from course_utils.detection.yolo.heads import Head

IOU_THRESHOLD = 0.213
"""Shape IoU above which an anchor that is not the best answers too: ``iou_thresh`` of yolov4.cfg."""

FIELDS = 6
"""Numbers of a target: x1, y1, x2, y2, class, and 1 where an anchor must answer."""


def assign(
    boxes: Sequence[ArrayLike],
    classes: Sequence[ArrayLike],
    heads: Sequence[Head],
    input_shape: Sequence[int],
    *,
    iou_threshold: float = IOU_THRESHOLD,
) -> tuple[NDArray[np.float32], ...]:
    """Lay the truth of a batch of images on the grids of a network.

    Parameters
    ----------
    boxes : sequence of N arrays (n, 4)
        (x1, y1, x2, y2) in pixels of the network's input. Boxes without area, or whose centre is out of the image, are
        left out.
    classes : sequence of N arrays (n,) of int
    heads : sequence of Head
    input_shape : (H, W) or (H, W, C)
        Of the network's input.
    iou_threshold : float, default 0.213
        See above; 1 keeps the best anchor only.

    Returns
    -------
    tuple of ndarray (N, rows, columns, A, 6) of float32
        One array for each head: x1, y1, x2, y2, class, and 1 where the anchor must answer (else all is 0).

    Raises
    ------
    ValueError
        If a class is out of range, or if there are not as many boxes as classes.
    """
    shape = input_shape[0], input_shape[1]
    image, truth, kinds = _joined(boxes, classes, heads[0].classes, shape)
    grids = tuple(
        np.zeros((len(boxes), shape[0] // h.stride, shape[1] // h.stride, len(h.anchors), FIELDS), np.float32)
        for h in heads
    )
    if not len(truth):
        return grids
    overlap = size_iou(truth[:, 2:] - truth[:, :2], np.concatenate([head.anchors for head in heads]))
    best = overlap == overlap.max(axis=1, keepdims=True)
    values = np.concatenate([truth, kinds[:, None], np.ones((len(truth), 1))], axis=1).astype(np.float32)
    first = 0
    for head, grid in zip(heads, grids, strict=True):
        mine = slice(first, first + len(head.anchors))
        first = mine.stop
        box, anchor = np.nonzero(best[:, mine] | (overlap[:, mine] > iou_threshold))
        rank = best[:, mine][box, anchor] + overlap[:, mine][box, anchor]
        order = np.argsort(rank, kind="stable")  # the last written wins
        who = box[order]
        column, row = ((truth[who, :2] + truth[who, 2:]) / (2 * head.stride)).astype(int).T
        grid[image[who], row, column, anchor[order]] = values[who]
    return grids


def _joined(
    boxes: Sequence[ArrayLike], classes: Sequence[ArrayLike], known: int, shape: tuple[int, int]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Put the boxes of all images end to end, with the number of their image; keep those that can be learnt."""
    if len(boxes) != len(classes):
        raise ValueError(f"{len(boxes)} listes de boîtes et {len(classes)} listes de classes : il en faut autant.")
    parts = [np.asarray(b, np.float64).reshape(-1, 4) for b in boxes]
    kinds = [np.asarray(c, np.int64).reshape(-1) for c in classes]
    for k, (b, c) in enumerate(zip(parts, kinds, strict=True)):
        if len(b) != len(c):
            raise ValueError(f"Image {k} : {len(b)} boîtes et {len(c)} classes, il en faut autant.")
    image = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    truth = np.concatenate([np.zeros((0, 4)), *parts])
    kind = np.concatenate([np.zeros(0, np.int64), *kinds])
    if len(kind) and not 0 <= kind.min() <= kind.max() < known:
        raise ValueError(
            f"Classes de {kind.min()} à {kind.max()}, mais le réseau en connaît {known} (de 0 à {known - 1})."
        )
    centre = (truth[:, :2] + truth[:, 2:]) / 2
    sound = (truth[:, 2:] > truth[:, :2]).all(axis=1)
    sound &= (centre >= 0).all(axis=1) & (centre < (shape[1], shape[0])).all(axis=1)
    return image[sound], truth[sound], kind[sound]
