"""HOTA: detection and association in balance, for 19 demands on the overlap (Luiten et al., 2020)."""

from __future__ import annotations

import math

import numpy as np
from scipy.optimize import linear_sum_assignment

from course_utils.tracking.metrics.alignment import Alignment, ratio

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""The 19 overlaps over which HOTA is averaged."""

_EPSILON = np.finfo(float).eps


def hota(scene: Alignment) -> dict[str, np.ndarray]:
    """Give HOTA and its parts for each of the 19 overlaps α of `ALPHAS` (Luiten et al., 2020).

    Parameters
    ----------
    scene : Alignment

    Returns
    -------
    dict of ndarray (19,) float64
        ``hota`` = √(det_a · ass_a); ``det_a`` = TP / (TP + FN + FP); ``ass_a``, mean over the TP of the same quotient
        between the two lives of the pair; ``loc_a``, mean IoU of the TP. The published figures are the means.
    """
    objects, tracks, overlaps = _hota_pairs(scene)
    of_objects, of_tracks = scene.lengths()
    curves: dict[str, list[float]] = {"hota": [], "det_a": [], "ass_a": [], "loc_a": []}
    for alpha in ALPHAS:
        kept = overlaps >= alpha - _EPSILON
        tp = int(kept.sum())
        det_a = ratio(tp, int(of_objects.sum() + of_tracks.sum()) - tp)
        ass_a = _association(objects[kept], tracks[kept], of_objects, of_tracks)
        curves["det_a"].append(det_a)
        curves["ass_a"].append(ass_a)
        curves["hota"].append(math.sqrt(det_a * ass_a))
        curves["loc_a"].append(float(overlaps[kept].mean()) if tp else 1.0)
    return {name: np.array(values) for name, values in curves.items()}


def _hota_pairs(scene: Alignment) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair boxes frame by frame, favouring pairs that agree over the video: objects, tracks and IoU of all pairs."""
    alignment = _global_alignment(scene)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for objects, tracks, similarity in scene.frames:
        rows, columns = linear_sum_assignment(alignment[np.ix_(objects, tracks)] * similarity, maximize=True)
        found.append((objects[rows], tracks[columns], similarity[rows, columns]))
    if not found:
        return np.empty(0, int), np.empty(0, int), np.empty(0)
    objects, tracks, overlaps = (np.concatenate(part) for part in zip(*found, strict=True))
    return objects, tracks, overlaps


def _global_alignment(scene: Alignment) -> np.ndarray:
    """Return how much each object and each track agree over the whole video, in [0, 1] (a soft Jaccard index)."""
    shared = np.zeros((scene.n_objects, scene.n_tracks))
    for objects, tracks, similarity in scene.frames:
        rivals = similarity.sum(0)[None] + similarity.sum(1)[:, None] - similarity
        shared[np.ix_(objects, tracks)] += np.where(rivals > _EPSILON, similarity / np.maximum(rivals, _EPSILON), 0)
    of_objects, of_tracks = scene.lengths()
    return shared / (of_objects[:, None] + of_tracks - shared)


def _association(objects: np.ndarray, tracks: np.ndarray, of_objects: np.ndarray, of_tracks: np.ndarray) -> float:
    """Return the mean over the matches of TPA / (TPA + FNA + FPA)."""
    if not len(objects):
        return 0.0
    together = np.zeros((len(of_objects), len(of_tracks)))
    np.add.at(together, (objects, tracks), 1)
    jaccard = together / (of_objects[:, None] + of_tracks - together)
    return float((together * jaccard).sum() / len(objects))
