"""How good is a detector: precision and recall, average precision, mAP.

`evaluate` matches detections to true boxes as COCO does (Lin et al., 2014), with crowds, ranges of sizes and a hundred
detections at most for an image and a class; its figures are those of pycocotools. `average_precision` also knows the
two definitions of PASCAL VOC (Everingham et al., 2010): eleven points until 2009, all points since 2010.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike

from course_utils.detection.boxes import area, as_boxes, intersection, iou

Method = Literal["all", "voc11", "coco101"]
COCO_THRESHOLDS = np.linspace(0.5, 0.95, 10)
"""IoU from 0.50 to 0.95, step 0.05."""
COCO_SIZES = {"small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
"""Areas in square pixels, bounds included."""
_EVERY_SIZE = (0.0, 1e10)
# COCO's recall levels, computed as pycocotools computes them: k / 100 would round some of them differently.
_COCO_RECALLS = np.linspace(0, 1, 101)
_VOC_RECALLS = np.arange(11) / 10


def precision_recall(scores: ArrayLike, correct: ArrayLike, positives: int) -> tuple[np.ndarray, np.ndarray]:
    """Follow precision and recall as the confidence threshold goes down.

    Parameters
    ----------
    scores : array_like, shape (n,)
        Confidences of all the detections of a class; equal ones keep their order.
    correct : array_like of bool, shape (n,)
        Whether each has found a true box.
    positives : int
        Number of true boxes, at least 1.

    Returns
    -------
    recall, precision : ndarray of float64, shape (n,)
        After the k most confident detections: share of the true boxes that are found, share of the detections that
        are right.

    Raises
    ------
    ValueError
        If the lengths differ, or if there is nothing to find.
    """
    scores, correct = np.asarray(scores, dtype=float), np.asarray(correct, dtype=bool)
    if scores.ndim != 1 or scores.shape != correct.shape:
        raise ValueError(f"scores {scores.shape} et correct {correct.shape} : on attend une valeur par détection.")
    if positives < 1:
        raise ValueError(f"positives={positives} : le rappel n'a de sens qu'avec au moins une vraie boîte.")
    found = np.cumsum(correct[np.argsort(-scores, kind="stable")])
    return found / positives, found / np.arange(1, len(found) + 1)


def average_precision(recall: ArrayLike, precision: ArrayLike, *, method: Method = "all") -> float:
    """Sum up a precision-recall curve in one number, the area under it.

    The curve is first made decreasing: the precision at a recall is the best that is met at this recall or beyond.

    Parameters
    ----------
    recall, precision : array_like, shape (n,)
        As `precision_recall` gives them, recall never decreasing.
    method : {"all", "voc11", "coco101"}
        Exact area under the steps (VOC 2010), mean over 11 recalls 0, 0.1, … 1 (VOC 2007), or over 101 (COCO).

    Returns
    -------
    float
        In [0, 1]; 0 without any detection.

    Raises
    ------
    ValueError
        If the lengths differ or the method is unknown.
    """
    recall, precision = np.asarray(recall, dtype=float), np.asarray(precision, dtype=float)
    if recall.ndim != 1 or recall.shape != precision.shape:
        raise ValueError(
            f"recall {recall.shape} et precision {precision.shape} : on attend deux listes de même longueur."
        )
    envelope = np.maximum.accumulate(precision[::-1])[::-1]
    if method == "all":
        return float(np.sum(np.diff(recall, prepend=0.0) * envelope))
    if method not in ("voc11", "coco101"):
        raise ValueError(f"method={method!r} : on attend 'all', 'voc11' ou 'coco101'.")
    levels = _VOC_RECALLS if method == "voc11" else _COCO_RECALLS
    return float(np.append(envelope, 0.0)[np.searchsorted(recall, levels, side="left")].mean())


def match(
    boxes: ArrayLike,
    truth: ArrayLike,
    *,
    threshold: float = 0.5,
    crowd: ArrayLike | None = None,
) -> np.ndarray:
    """Give each detection of an image, most confident first, the best true box that is still free.

    Parameters
    ----------
    boxes : array_like, shape (n, 4)
        Detections of one class by decreasing confidence.
    truth : array_like, shape (m, 4)
        True boxes of this class.
    threshold : float
        Smallest IoU of a match.
    crowd : array_like of bool, shape (m,), optional
        Boxes around groups: they take any number of detections, and only need to cover them.

    Returns
    -------
    ndarray of int64, shape (n,)
        Index of the true box, −1 without any.
    """
    boxes, truth = as_boxes(boxes), as_boxes(truth, "truth")
    crowds = np.zeros(len(truth), dtype=bool) if crowd is None else np.asarray(crowd, dtype=bool)
    overlaps = _overlaps(boxes, truth, crowds)
    return _match(overlaps, crowds, crowds, np.array([threshold]))[0]


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found.

    Attributes
    ----------
    ap : ndarray, shape (thresholds, classes)
        Average precision; NaN for a class without true box.
    recall : ndarray, shape (thresholds, classes)
        Recall once all the detections are counted; NaN likewise.
    thresholds : ndarray, shape (thresholds,)
        IoU thresholds.
    classes : tuple
        Names or numbers of the classes.
    truths : ndarray of int64, shape (classes,)
        True boxes of each class, crowds left out.
    by_size : dict
        For each range of sizes, an `Evaluation` of the objects of this size.
    curves : dict
        For each class, (recall, precision, score) at the first threshold, as the confidence goes down.
    """

    ap: np.ndarray
    recall: np.ndarray
    thresholds: np.ndarray
    classes: tuple[Any, ...]
    truths: np.ndarray
    curves: dict[Any, tuple[np.ndarray, np.ndarray, np.ndarray]] = field(repr=False)
    by_size: dict[str, Evaluation] = field(default_factory=dict, repr=False)

    @property
    def map(self) -> float:
        """Mean over thresholds and over classes that have a true box; NaN when none has."""
        return _mean(self.ap)

    @property
    def map50(self) -> float:
        """MAP at IoU 0.5."""
        return self._map_at(0.5)

    @property
    def map75(self) -> float:
        """MAP at IoU 0.75."""
        return self._map_at(0.75)

    @property
    def per_class(self) -> dict[Any, float]:
        """Average precision of each class, mean over thresholds."""
        return {name: float(ap) for name, ap in zip(self.classes, self.ap.mean(axis=0), strict=True)}

    def _map_at(self, threshold: float) -> float:
        rows = np.flatnonzero(np.isclose(self.thresholds, threshold))
        if not len(rows):
            raise ValueError(
                f"Le seuil d'IoU {threshold} n'a pas été évalué (thresholds={self.thresholds.round(3).tolist()}) : "
                f"ajoutez-le, ou demandez thresholds='coco'."
            )
        return _mean(self.ap[rows[0]])


def evaluate(
    predictions: Iterable[Any],
    truths: Iterable[Any],
    *,
    classes: Sequence[Any] | None = None,
    thresholds: Sequence[float] | Literal["coco"] = (0.5,),
    method: Method = "coco101",
    sizes: Mapping[str, tuple[float, float]] | None = None,
    max_detections: int = 100,
) -> Evaluation:
    """Score the detections of a set of images.

    Parameters
    ----------
    predictions : iterable
        For each image, an object with ``boxes`` (n, 4), ``scores`` (n,) and ``classes`` (n,), such as ``Detections``,
        or the tuple of the three.
    truths : iterable
        For each image, an object with ``boxes`` (m, 4) and ``classes`` (m,), such as a street scene, or the tuple
        ``(boxes, classes)``, ``(boxes, classes, crowd)`` or ``(boxes, classes, crowd, areas)``. ``crowd`` (m,) marks
        groups, that count neither for nor against; ``areas`` (m,) replaces the boxes' own areas in the ranges of sizes.
    classes : sequence, optional
        Numbers of the classes to score, or names, whose numbers are then 0, 1, 2… Default: those of the true boxes.
    thresholds : sequence of float or "coco"
        IoU from which a box is found; ``"coco"``: 0.50, 0.55, … 0.95.
    method : {"coco101", "all", "voc11"}
        See `average_precision`.
    sizes : mapping, optional
        Ranges of areas, ``name: (smallest, largest)`` in square pixels, to be scored apart; `COCO_SIZES` for COCO's.
    max_detections : int
        Detections kept for an image and a class, the most confident.

    Returns
    -------
    Evaluation
        With ``.map``, ``.map50``, ``.per_class``, ``.by_size``, ``.curves``.

    Raises
    ------
    ValueError
        If there are not as many predictions as truths, or if shapes do not fit.
    """
    images = _paired(list(predictions), list(truths))
    if classes is None:
        numbers = sorted({int(c) for image in images for c in image["truth_classes"]})
        names: tuple[Any, ...] = tuple(numbers)
    else:
        names = tuple(classes)
        numbers = list(range(len(names))) if any(isinstance(name, str) for name in names) else [int(c) for c in names]
    levels = COCO_THRESHOLDS if isinstance(thresholds, str) else np.atleast_1d(np.asarray(thresholds, dtype=float))
    cells = [_cells(images, number, max_detections) for number in numbers]

    def score(limits: tuple[float, float], by_size: dict[str, Evaluation]) -> Evaluation:
        scored = [_score_class(cell, levels, method, limits) for cell in cells]
        return Evaluation(
            ap=np.array([s["ap"] for s in scored]).reshape(len(scored), len(levels)).T,
            recall=np.array([s["recall"] for s in scored]).reshape(len(scored), len(levels)).T,
            thresholds=levels,
            classes=names,
            truths=np.array([s["truths"] for s in scored], dtype=np.int64),
            curves={name: s["curve"] for name, s in zip(names, scored, strict=True)},
            by_size=by_size,
        )

    return score(_EVERY_SIZE, {name: score(limits, {}) for name, limits in (sizes or {}).items()})


def _mean(values: np.ndarray) -> float:
    """Mean of the values that are numbers; NaN without any."""
    present = values[~np.isnan(values)]
    return float(present.mean()) if len(present) else float("nan")


def _parts(item: Any, names: tuple[str, ...]) -> list[Any]:
    """Read an image's boxes from an object or from a tuple; what is missing at the end is None."""
    if isinstance(item, (tuple, list)):
        return [item[k] if k < len(item) else None for k in range(len(names))]
    return [getattr(item, name, None) for name in names]


def _paired(predictions: list[Any], truths: list[Any]) -> list[dict[str, np.ndarray]]:
    """Check the images one by one and give them a single form."""
    if len(predictions) != len(truths):
        raise ValueError(
            f"{len(predictions)} images prédites et {len(truths)} images vraies : il en faut autant des deux, "
            "dans le même ordre (une image sans détection compte aussi, avec des tableaux vides)."
        )
    images = []
    for k, (prediction, truth) in enumerate(zip(predictions, truths, strict=True)):
        boxes, scores, classes = _parts(prediction, ("boxes", "scores", "classes"))
        true_boxes, true_classes, crowd, areas = _parts(truth, ("boxes", "classes", "crowd", "areas"))
        if any(part is None for part in (boxes, scores, classes, true_boxes, true_classes)):
            raise ValueError(
                f"Image {k} : on attend (boxes, scores, classes) pour la prédiction et (boxes, classes) pour la vérité."
            )
        image = {
            "boxes": as_boxes(boxes).astype(float),
            "scores": np.asarray(scores, dtype=float),
            "classes": np.asarray(classes),
            "truth": as_boxes(true_boxes).astype(float),
            "truth_classes": np.asarray(true_classes),
        }
        count = len(image["truth"])
        image["crowd"] = np.zeros(count, dtype=bool) if crowd is None else np.asarray(crowd, dtype=bool)
        image["areas"] = area(image["truth"]) if areas is None else np.asarray(areas, dtype=float)
        _check_lengths(k, image)
        images.append(image)
    return images


def _check_lengths(k: int, image: dict[str, np.ndarray]) -> None:
    """Refuse an image whose arrays have not one row for each box."""
    for reference, others in (("boxes", ("scores", "classes")), ("truth", ("truth_classes", "crowd", "areas"))):
        for other in others:
            if image[other].shape != (len(image[reference]),):
                raise ValueError(
                    f"Image {k} : {len(image[reference])} boîtes ({reference}) mais {other} a pour forme "
                    f"{image[other].shape} ; on attend une valeur par boîte."
                )


def _cells(images: list[dict[str, np.ndarray]], number: int, max_detections: int) -> list[dict[str, np.ndarray]]:
    """Keep one class in every image: detections by decreasing score, and their overlaps with the true boxes."""
    cells = []
    for image in images:
        mine, true = image["classes"] == number, image["truth_classes"] == number
        order = np.argsort(-image["scores"][mine], kind="stable")[:max_detections]
        boxes, truth, crowd = image["boxes"][mine][order], image["truth"][true], image["crowd"][true]
        cells.append(
            {
                "scores": image["scores"][mine][order],
                "detected_areas": area(boxes),
                "overlaps": _overlaps(boxes, truth, crowd),
                "areas": image["areas"][true],
                "crowd": crowd,
            }
        )
    return cells


def _overlaps(boxes: np.ndarray, truth: np.ndarray, crowd: np.ndarray) -> np.ndarray:
    """IoU; with a crowd, the share of the detection that the crowd covers."""
    overlaps = iou(boxes, truth)
    if crowd.any():
        own = area(boxes)[:, None]
        overlaps = np.where(crowd, intersection(boxes, truth) / np.where(own > 0, own, 1), overlaps)
    return overlaps


def _match(overlaps: np.ndarray, crowd: np.ndarray, ignored: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Match in the order of the rows, at every threshold; indices of true boxes or −1, shape (thresholds, n).

    A detection prefers a true box that counts to one that is ignored, however good; of two equal overlaps it takes
    the last, as pycocotools does.
    """
    detections, count = overlaps.shape
    matched = np.full((len(thresholds), detections), -1, dtype=np.int64)
    if not count:
        return matched
    free = np.ones((len(thresholds), count), dtype=bool)
    rows = np.arange(len(thresholds))
    for k in range(detections):
        enough = (free | crowd) & (overlaps[k] >= np.minimum(thresholds, 1 - 1e-10)[:, None])
        counting = enough & ~ignored
        eligible = np.where(counting.any(axis=1, keepdims=True), counting, enough)
        best = count - 1 - np.argmax(np.where(eligible, overlaps[k], -1.0)[:, ::-1], axis=1)
        matched[:, k] = np.where(eligible.any(axis=1), best, -1)
        free[rows, best] &= ~eligible.any(axis=1)
    return matched


def _score_class(
    cells: list[dict[str, np.ndarray]], thresholds: np.ndarray, method: Method, limits: tuple[float, float]
) -> dict[str, Any]:
    """Average precision of one class over all the images, for objects within limits of area."""
    scores, found, counted, positives = [], [], [], 0
    for cell in cells:
        ignored = cell["crowd"] | _outside(cell["areas"], limits)
        matched = _match(cell["overlaps"], cell["crowd"], ignored, thresholds)
        on_ignored = np.append(ignored, False)[matched]  # −1 reads the last value: not ignored
        unmatched_elsewhere = (matched < 0) & _outside(cell["detected_areas"], limits)
        scores.append(cell["scores"])
        found.append(matched >= 0)
        counted.append(~(on_ignored | unmatched_elsewhere))
        positives += int(np.sum(~ignored))
    everything = np.concatenate([np.zeros(0), *scores])
    right = np.concatenate([np.zeros((len(thresholds), 0), dtype=bool), *found], axis=1)
    counts = np.concatenate([np.zeros((len(thresholds), 0), dtype=bool), *counted], axis=1)
    if not positives:
        missing = np.full(len(thresholds), np.nan)
        return {"ap": missing, "recall": missing, "truths": 0, "curve": (np.zeros(0),) * 3}
    curves = [precision_recall(everything[kept], row[kept], positives) for row, kept in zip(right, counts, strict=True)]
    return {
        "ap": np.array([average_precision(recall, precision, method=method) for recall, precision in curves]),
        "recall": np.array([recall[-1] if len(recall) else 0.0 for recall, _ in curves]),
        "truths": positives,
        "curve": (*curves[0], np.sort(everything[counts[0]])[::-1]),
    }


def _outside(areas: np.ndarray, limits: tuple[float, float]) -> np.ndarray:
    """Tell which areas are out of a range, whose bounds belong to it."""
    return (areas < limits[0]) | (areas > limits[1])
