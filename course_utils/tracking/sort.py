"""SORT: a Kalman filter, an overlap and the Hungarian algorithm."""

from __future__ import annotations

import numpy as np

from course_utils.detection.boxes import iou
from course_utils.tracking.association import assign
from course_utils.tracking.kalman import BoxFilter
from course_utils.tracking.tracks import Tracker


class Sort(Tracker):
    """Simple online and realtime tracking.

    For each frame: every track is predicted, predictions and detections are paired by IoU, paired tracks are corrected,
    a detection left alone starts a track, and a track left alone more than `max_age` frames dies.

    Parameters
    ----------
    max_age : int, default 1
        Frames that a track survives without a detection.
    min_hits : int, default 3
        Detections in a row before a track is shown (except in the first `min_hits` frames of the video).
    iou_threshold : float, default 0.3
        Overlap under which a pair is refused.
    min_score : float, default 0
        Detections of a lower score are ignored.
    motion : class, default BoxFilter
        The filter of the boxes.

    References
    ----------
    A. Bewley et al., "Simple Online and Realtime Tracking", 2016.
    """

    def __init__(
        self,
        max_age: int = 1,
        min_hits: int = 3,
        iou_threshold: float = 0.3,
        *,
        min_score: float = 0.0,
        motion: type[BoxFilter] = BoxFilter,
    ) -> None:
        if max_age < 0 or min_hits < 0 or not 0 <= iou_threshold <= 1:
            raise ValueError(
                f"Sort({max_age=}, {min_hits=}, {iou_threshold=}) : on attend max_age ≥ 0, min_hits ≥ 0 et "
                "iou_threshold entre 0 et 1."
            )
        self.max_age, self.min_hits, self.iou_threshold, self.min_score = max_age, min_hits, iou_threshold, min_score
        super().__init__(motion=motion, appearance=None)

    def _follow(
        self,
        predicted: np.ndarray,
        boxes: np.ndarray,
        scores: np.ndarray,
        classes: np.ndarray,
        looks: np.ndarray | None,
    ) -> np.ndarray:
        seen = np.flatnonzero(scores >= self.min_score)
        pairs, _, alone = assign(iou(predicted, boxes[seen]), self.iou_threshold)
        found = boxes, scores, classes, looks
        self._correct(pairs[:, 0], seen[pairs[:, 1]], *found)
        self._add(seen[alone], *found)
        self._keep(self.missed <= self.max_age)
        proven = (self.streak >= self.min_hits) | (self.frame <= self.min_hits)
        return np.flatnonzero((self.missed == 0) & proven)
