"""ByteTrack: unsure detections get a second chance, and lost tracks are kept for a while."""

from __future__ import annotations

import numpy as np

from course_utils.detection.boxes import iou
from course_utils.tracking.association import assign
from course_utils.tracking.kalman import BoxFilter
from course_utils.tracking.tracks import Appearance, Tracker

Found = tuple[np.ndarray, np.ndarray, np.ndarray, "np.ndarray | None"]


class ByteTrack(Tracker):
    """Associate every detection box, and not only the sure ones.

    For each frame: (1) tracks, lost ones included, are paired by IoU with the sure detections; (2) tracks that were
    seen in the previous frame and are still alone are paired with the unsure ones, which often are objects half hidden;
    (3) sure detections left alone start tracks, which must be seen again in the next frame to be shown. An unsure
    detection never starts a track. A lost track waits `max_lost` frames.

    Parameters
    ----------
    high, low : float, default 0.6 and 0.1
        A detection is sure from the score `high`, unsure from `low`, ignored under it.
    max_lost : int, default 30
        Frames that a track survives without a detection.
    start : float, optional
        Score from which a detection starts a track; `high` by default.
    iou_threshold, second_threshold, fresh_threshold : float, default 0.2, 0.5 and 0.3
        Overlap under which a pair is refused: with sure detections, with unsure ones, for tracks of one frame.
    motion : class, default BoxFilter
        The filter of the boxes, here that of SORT. The authors' is `HeightFilter`, tuned for pedestrians: it follows
        badly the changing shape of a vehicle that enters the picture.
    appearance : callable, optional
        ``appearance(image, boxes) -> (n, d)`` unit vectors, as `appearance.colours`. In (1), the overlap of a pair
        that does not look alike then counts half; tracks and sure detections still alone are paired by their looks,
        if they are less than a diagonal apart and of similar heights.
    looks_threshold : float, default 0.08
        Cosine distance under which two looks are those of one object.

    Notes
    -----
    Appearance is worth its price when frames are rare and boxes no longer overlap from one to the next. On six street
    videos with occlusions, HOTA goes from 0.34 to 0.43 at 2 frames per second, from 0.50 to 0.51 at 3, and at 12, where
    motion says everything, from 0.70 *down* to 0.68: it is therefore off by default.

    References
    ----------
    Y. Zhang et al., "ByteTrack: Multi-Object Tracking by Associating Every Detection Box", 2022; the appearance option
    is in the manner of N. Aharon et al., "BoT-SORT", 2022.
    """

    HOLDS_SIZE = True

    def __init__(
        self,
        high: float = 0.6,
        low: float = 0.1,
        max_lost: int = 30,
        *,
        start: float | None = None,
        iou_threshold: float = 0.2,
        second_threshold: float = 0.5,
        fresh_threshold: float = 0.3,
        motion: type[BoxFilter] = BoxFilter,
        appearance: Appearance | None = None,
        looks_threshold: float = 0.08,
    ) -> None:
        if not 0 <= low <= high <= 1 or max_lost < 0:
            raise ValueError(f"ByteTrack({high=}, {low=}, {max_lost=}) : on attend 0 ≤ low ≤ high ≤ 1 et max_lost ≥ 0.")
        self.high, self.low, self.max_lost = high, low, max_lost
        self.start = high if start is None else start
        self.iou_threshold, self.second_threshold = iou_threshold, second_threshold
        self.fresh_threshold, self.looks_threshold = fresh_threshold, looks_threshold
        super().__init__(motion=motion, appearance=appearance)

    def reset(self) -> None:
        """Forget everything: the next frame is the first of a video."""
        super().reset()
        self._founders = 0

    def _follow(
        self,
        predicted: np.ndarray,
        boxes: np.ndarray,
        scores: np.ndarray,
        classes: np.ndarray,
        looks: np.ndarray | None,
    ) -> np.ndarray:
        found = boxes, scores, classes, looks
        sure = np.flatnonzero(scores >= self.high)
        unsure = np.flatnonzero((scores >= self.low) & (scores < self.high))
        proven = self._proven()
        rest, sure = self._first_round(np.flatnonzero(proven), sure, predicted, found)
        rest = rest[self.missed[rest] == 1]
        self._pair(iou(predicted[rest], boxes[unsure]), rest, unsure, self.second_threshold, found)
        fresh = np.flatnonzero(~proven)
        overlap = iou(predicted[fresh], boxes[sure])
        disproved, sure = self._pair(overlap, fresh, sure, self.fresh_threshold, found)
        alive = self.missed <= self.max_lost
        alive[disproved] = False
        self._keep(alive)
        self._add(sure[scores[sure] >= self.start], *found)
        if self.frame == 1:
            self._founders = len(self)
        return np.flatnonzero((self.missed == 0) & self._proven())

    def _proven(self) -> np.ndarray:
        """Tell which tracks have been seen twice, or were there in the first frame."""
        return (self.hits > 0) | (self.ids <= self._founders)

    def _pair(
        self, similarity: np.ndarray, rows: np.ndarray, columns: np.ndarray, threshold: float, found: Found
    ) -> tuple[np.ndarray, np.ndarray]:
        """Pair tracks and detections, correct the tracks; return the tracks and the detections left alone."""
        pairs, left, alone = assign(similarity, threshold, gate=True)
        self._correct(rows[pairs[:, 0]], columns[pairs[:, 1]], *found)
        return rows[left], columns[alone]

    def _first_round(
        self, rows: np.ndarray, sure: np.ndarray, predicted: np.ndarray, found: Found
    ) -> tuple[np.ndarray, np.ndarray]:
        boxes, looks = found[0], found[3]
        overlap = iou(predicted[rows], boxes[sure])
        if looks is None or self.looks is None:
            return self._pair(overlap, rows, sure, self.iou_threshold, found)
        alike = self.looks[rows] @ looks[sure].T >= 1.0 - self.looks_threshold
        rows, sure = self._pair(np.where(alike, overlap, 0.5 * overlap), rows, sure, self.iou_threshold, found)
        resemblance = np.where(_near(predicted[rows], boxes[sure]), self.looks[rows] @ looks[sure].T, 0.0)
        return self._pair(resemblance, rows, sure, 1.0 - self.looks_threshold, found)


def _near(predicted: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    """Tell which pairs (n, m) are less than the track's diagonal apart, and of heights within a factor of 1.5."""
    size = predicted[:, 2:] - predicted[:, :2]
    gap = 0.5 * (predicted[:, None, :2] + predicted[:, None, 2:] - boxes[None, :, :2] - boxes[None, :, 2:])
    ratio = (boxes[:, 3] - boxes[:, 1])[None] / size[:, 1:]
    close = np.hypot(gap[..., 0], gap[..., 1]) < np.hypot(size[:, 0], size[:, 1])[:, None]
    return close & (ratio < 1.5) & (ratio > 1 / 1.5)
