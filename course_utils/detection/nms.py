"""Non-maximum suppression with NumPy: of several boxes on one object, keep the most confident.

Four kinds:

- ``"greedy"``: a kept box discards those that overlap it by an IoU above the threshold;
- ``"diou"``: the same with IoU − (d²/c²)^beta, which spares two close objects whose centres differ. With ``beta=0.6``
  it is Darknet's suppression, both ``nms_kind=greedynms`` (whose name hides it) and ``nms_kind=diounms`` with
  ``beta_nms=0.6``; with ``beta=1`` it is the DIoU-NMS of Zheng et al. (2020);
- ``"soft_linear"`` and ``"soft_gaussian"`` (Bodla et al., 2017): nothing is discarded at once, the overlapping boxes
  lose confidence.

`nms_tf` holds the first two as TensorFlow operations.
"""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from course_utils.detection.boxes import as_boxes, diou, iou

Kind = Literal["greedy", "diou", "soft_linear", "soft_gaussian"]
KINDS: tuple[Kind, ...] = ("greedy", "diou", "soft_linear", "soft_gaussian")
"""Kinds of suppression."""


def nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    *,
    threshold: float = 0.45,
    classes: ArrayLike | None = None,
    kind: Kind = "greedy",
    beta: float = 0.6,
    sigma: float = 0.5,
    max_boxes: int | None = None,
    score_threshold: float = 0.0,
) -> np.ndarray:
    """Choose the boxes to keep.

    Parameters
    ----------
    boxes : array_like, shape (n, 4)
        Corners (x1, y1, x2, y2). Overlaps are computed in their dtype.
    scores : array_like, shape (n,)
        Confidences; equal ones are taken in the order of the boxes.
    threshold : float
        A box is discarded when its overlap with a kept one is strictly above. Not used by ``"soft_gaussian"``.
    classes : array_like, shape (n,), optional
        When given, a box only acts on those of its own class.
    kind : {"greedy", "diou", "soft_linear", "soft_gaussian"}
        See the module. For the soft kinds, `soft_nms` also gives the new scores.
    beta : float
        Exponent of ``"diou"``.
    sigma : float
        Width of ``"soft_gaussian"``.
    max_boxes : int, optional
        Largest number of boxes kept, all classes together.
    score_threshold : float
        Boxes whose score is not strictly above are left out (for the soft kinds: whose new score is not).

    Returns
    -------
    ndarray of int64, shape (k,)
        Indices into `boxes`, most confident first.

    Raises
    ------
    ValueError
        If the lengths differ, if the kind is unknown, if a score is not finite.
    """
    if kind not in KINDS:
        raise ValueError(f"kind={kind!r} : on attend l'un de {', '.join(KINDS)}.")
    if kind in ("soft_linear", "soft_gaussian"):
        return soft_nms(
            boxes,
            scores,
            threshold=threshold,
            classes=classes,
            kind=kind,
            sigma=sigma,
            max_boxes=max_boxes,
            score_threshold=score_threshold,
        )[0]
    boxes, scores, classes = _checked(boxes, scores, classes)
    limit = len(boxes) if max_boxes is None else max_boxes
    order = np.argsort(-scores, kind="stable")
    waiting = order[scores[order] > score_threshold]
    kept: list[int] = []
    while len(waiting) and len(kept) < limit:
        best, waiting = waiting[0], waiting[1:]
        kept.append(best)
        overlap = _overlap(boxes[best], boxes[waiting], kind, beta)
        waiting = waiting[(overlap <= overlap.dtype.type(threshold)) | (classes[waiting] != classes[best])]
    return np.array(kept, dtype=np.int64)


def soft_nms(
    boxes: ArrayLike,
    scores: ArrayLike,
    *,
    threshold: float = 0.45,
    classes: ArrayLike | None = None,
    kind: Literal["soft_linear", "soft_gaussian"] = "soft_gaussian",
    sigma: float = 0.5,
    max_boxes: int | None = None,
    score_threshold: float = 0.001,
) -> tuple[np.ndarray, np.ndarray]:
    """Lower the score of the boxes that overlap a better one, instead of discarding them (Bodla et al., 2017).

    The best box is taken out; each of the others has its score multiplied by a weight of their IoU: ``1 − IoU`` above
    `threshold` for ``"soft_linear"``, ``exp(−IoU² / sigma)`` for ``"soft_gaussian"``; and so on with what remains.

    Parameters
    ----------
    boxes, scores, classes, threshold, sigma, max_boxes
        As in `nms`.
    kind : {"soft_linear", "soft_gaussian"}
        Weight of the overlap.
    score_threshold : float
        Boxes whose score falls to this value, or below, are dropped.

    Returns
    -------
    indices : ndarray of int64, shape (k,)
        Indices into `boxes`, by decreasing new score.
    scores : ndarray, shape (k,)
        New scores.

    Raises
    ------
    ValueError
        As `nms`.
    """
    if kind not in ("soft_linear", "soft_gaussian"):
        raise ValueError(f"kind={kind!r} : on attend 'soft_linear' ou 'soft_gaussian'.")
    boxes, scores, classes = _checked(boxes, scores, classes)
    limit = len(boxes) if max_boxes is None else max_boxes
    scores, waiting = scores.copy(), np.flatnonzero(scores > score_threshold)
    kept: list[int] = []
    while len(waiting) and len(kept) < limit:
        place = int(np.argmax(scores[waiting]))
        best, waiting = waiting[place], np.delete(waiting, place)
        kept.append(best)
        overlap = iou(boxes[best], boxes[waiting], paired=True)
        if kind == "soft_linear":
            weight = np.where(overlap > threshold, 1 - overlap, 1)
        else:
            weight = np.exp(-(overlap**2) / sigma)
        scores[waiting] *= np.where(classes[waiting] == classes[best], weight, 1)
        waiting = waiting[scores[waiting] > score_threshold]
    indices = np.array(kept, dtype=np.int64)
    return indices, scores[indices]


def _overlap(box: np.ndarray, others: np.ndarray, kind: str, beta: float) -> np.ndarray:
    """How much one box competes with others."""
    return diou(box, others, paired=True, beta=beta) if kind == "diou" else iou(box, others, paired=True)


def _checked(
    boxes: ArrayLike, scores: ArrayLike, classes: ArrayLike | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Make arrays of the same length; without classes, all the boxes are of class 0."""
    boxes, scores = as_boxes(boxes), np.asarray(scores)
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    kinds = np.zeros(len(boxes), dtype=np.int64) if classes is None else np.asarray(classes)
    if boxes.ndim != 2 or scores.shape != (len(boxes),) or kinds.shape != (len(boxes),):
        raise ValueError(
            f"boxes {boxes.shape}, scores {scores.shape}, classes {kinds.shape} : on attend (n, 4), (n,) et (n,), "
            "une ligne par boîte."
        )
    if not np.isfinite(scores).all():
        raise ValueError(
            "scores contient des valeurs qui ne sont pas des nombres finis : vérifiez la sortie du réseau."
        )
    return boxes, scores, kinds
