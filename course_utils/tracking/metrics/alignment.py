"""Truth and tracks face to face: what every score starts from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.detection.boxes import iou


@dataclass(frozen=True)
class Alignment:
    """Truth and tracks face to face, identities renumbered from 0.

    Attributes
    ----------
    frames : tuple of (truth, tracks, overlaps)
        For each frame: indices of the objects present (n,), of the tracks present (m,), and their IoU (n, m).
    n_objects, n_tracks : int
        Number of identities in the truth, and among the tracks.
    """

    frames: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]
    n_objects: int
    n_tracks: int

    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of frames where each object, and each track, is present."""
        present = [np.concatenate([frame[side] for frame in self.frames] or [np.empty(0, int)]) for side in (0, 1)]
        objects, tracks = present
        return np.bincount(objects, minlength=self.n_objects), np.bincount(tracks, minlength=self.n_tracks)


def align(truth: Sequence[Any], predicted: Sequence[Any]) -> Alignment:
    """Put truth and tracks face to face: identities renumbered from 0, overlaps of every pair of boxes.

    Parameters and errors as for `evaluate`.
    """
    if len(truth) != len(predicted):
        raise ValueError(
            f"La vérité compte {len(truth)} image(s), le suivi {len(predicted)} : donnez une entrée par image, "
            "([], []) pour une image vide."
        )
    objects = [_read(frame, "vérité", index) for index, frame in enumerate(truth)]
    tracks = [_read(frame, "suivi", index) for index, frame in enumerate(predicted)]
    object_ids, track_ids = _identities(objects), _identities(tracks)
    frames = tuple(
        (np.searchsorted(object_ids, here[0]), np.searchsorted(track_ids, there[0]), iou(here[1], there[1]))
        for here, there in zip(objects, tracks, strict=True)
    )
    return Alignment(frames, len(object_ids), len(track_ids))


def _read(frame: Any, side: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the identities (n,) and the boxes (n, 4) of one frame, checked."""
    where = f"image {index} ({side})"
    if hasattr(frame, "boxes"):
        ids, boxes = getattr(frame, "ids", getattr(frame, "track_ids", None)), frame.boxes
    elif isinstance(frame, (tuple, list)) and len(frame) >= 2:
        ids, boxes = frame[0], frame[1]
    else:
        raise ValueError(f"{where} : on attend un couple (ids, boxes), pas {type(frame).__name__}.")
    ids, boxes = np.asarray(ids).reshape(-1), np.asarray(boxes, np.float64)
    boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
    if boxes.shape != (len(ids), 4):
        raise ValueError(f"{where} : {len(ids)} identités et des boîtes {boxes.shape}, on attend (n,) et (n, 4).")
    if len(np.unique(ids)) < len(ids):
        repeated = next(one for one in ids.tolist() if (ids == one).sum() > 1)
        advice = " : ce sont des détections, suivez-les d'abord" if repeated == -1 else ""
        raise ValueError(f"{where} : l'identité {repeated} apparaît plusieurs fois{advice}.")
    return ids, boxes


def _identities(frames: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return the sorted identities of all frames."""
    return np.unique(np.concatenate([ids for ids, _ in frames if len(ids)] or [np.empty(0, int)]))


def check_threshold(threshold: float) -> None:
    """Raise ValueError, in French, unless the threshold is an overlap, in (0, 1]."""
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold = {threshold} : on attend un recouvrement (IoU), plus de 0 et au plus 1.")


def ratio(part: float, whole: float) -> float:
    """Divide, and give 0 when there is nothing to divide by."""
    return float(part / whole) if whole else 0.0
