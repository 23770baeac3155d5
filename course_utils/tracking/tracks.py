"""What a tracker is given and what it answers: `Tracks` for a frame, `run` for a video; `Tracker`, what all share."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.tracking.kalman import BoxFilter

Appearance = Callable[[Any, np.ndarray], np.ndarray]
"""Describes boxes by their looks: image, boxes (n, 4) → unit vectors (n, d)."""


@dataclass(frozen=True, eq=False)
class Tracks:
    """The objects followed, in one frame.

    Attributes
    ----------
    boxes : (n, 4) float64
        (x1, y1, x2, y2) in pixels, as smoothed by the filter.
    ids : (n,) int64
        Identities, from 1; an identity is never given again.
    scores : (n,) float64
        Confidence of the detection that each track has just received.
    classes : (n,) int64
        Class of that detection.
    detections : (n,) int64
        Rank of that detection in the frame.
    """

    boxes: np.ndarray
    ids: np.ndarray
    scores: np.ndarray
    classes: np.ndarray
    detections: np.ndarray

    @classmethod
    def empty(cls) -> Tracks:
        """Return the tracks of a frame where nothing is followed."""
        none = np.empty(0, np.int64)
        return cls(np.empty((0, 4)), none, np.empty(0), none, none)

    def __len__(self) -> int:
        return len(self.ids)

    def __repr__(self) -> str:
        return f"Tracks({len(self)} pistes : {', '.join(map(str, self.ids))})" if len(self) else "Tracks(aucune piste)"


def read_detections(detections: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Read what a detector found in a frame.

    Parameters
    ----------
    detections : object with `boxes`, `scores`, `classes`; or array (n, 4), (n, 5), (n, 6); or None or []
        Columns: x1, y1, x2, y2, score (1 when absent), class (0 when absent).

    Returns
    -------
    boxes (n, 4) float64, scores (n,) float64, classes (n,) int64

    Raises
    ------
    ValueError
        In French, for another shape, a value that is not finite, or a box whose corners are exchanged.
    """
    if hasattr(detections, "boxes"):
        boxes = np.asarray(detections.boxes, np.float64).reshape(-1, 4)
        scores = np.asarray(getattr(detections, "scores", np.ones(len(boxes))), np.float64)
        classes = np.asarray(getattr(detections, "classes", np.zeros(len(boxes))), np.int64)
    else:
        table = np.asarray([] if detections is None else detections, np.float64)
        table = table.reshape(0, 4) if table.size == 0 else table
        if table.ndim != 2 or not 4 <= table.shape[1] <= 6:
            raise ValueError(
                f"Les détections d'une image sont de forme {table.shape} : on attend (n, 4) pour x1, y1, x2, y2, "
                "(n, 5) avec le score, (n, 6) avec la classe, ou ce que rend un détecteur."
            )
        boxes = table[:, :4]
        scores = table[:, 4] if table.shape[1] > 4 else np.ones(len(table))
        classes = table[:, 5].astype(np.int64) if table.shape[1] > 5 else np.zeros(len(table), np.int64)
    if not len(boxes) == len(scores) == len(classes):
        raise ValueError(f"{len(boxes)} boîtes, {len(scores)} scores et {len(classes)} classes : il en faut autant.")
    _check_boxes(boxes, scores)
    return boxes, scores, classes


def _check_boxes(boxes: np.ndarray, scores: np.ndarray) -> None:
    finite = np.isfinite(boxes).all(1) & np.isfinite(scores)
    if not finite.all():
        worst = int(np.argmin(finite))
        raise ValueError(
            f"La détection {worst} contient une valeur qui n'est pas un nombre fini : boîte {boxes[worst]}, score "
            f"{scores[worst]}. Retirez-la, ou cherchez d'où vient le NaN (un réseau qui a divergé ?)."
        )
    ordered = (boxes[:, 2:] >= boxes[:, :2]).all(1)
    if not ordered.all():
        worst = int(np.argmin(ordered))
        raise ValueError(
            f"La boîte {worst} a ses coins à l'envers : {boxes[worst]}. On attend (x1, y1, x2, y2) avec x1 ≤ x2 et "
            "y1 ≤ y2 ; pour (x, y, largeur, hauteur), convertissez d'abord avec detection.boxes.convert."
        )


class Tracker(ABC):
    """What every tracker keeps: a filter for the boxes, and one value per track in each array.

    Parameters
    ----------
    motion : subclass of BoxFilter
        Predicts where the boxes go.
    appearance : callable, optional
        ``appearance(image, boxes) -> (n, d)`` unit vectors; `update` then needs the image.

    Attributes
    ----------
    ids : (n,) int64
        Identities of the tracks alive, shown or not.
    hits, streak, missed : (n,) int64
        Detections received since birth; in a row; frames since the last one.
    """

    HOLDS_SIZE = False
    """Whether boxes out of sight keep their size (see `BoxFilter.predict`)."""

    def __init__(self, *, motion: type[BoxFilter], appearance: Appearance | None) -> None:
        self.motion, self.appearance = motion, appearance
        self.reset()

    def reset(self) -> None:
        """Forget everything: the next frame is the first of a video."""
        self.frame = 0
        self._next = 1
        self._filter = self.motion()
        self.ids, self.hits, self.streak, self.missed, self.classes, self._received = np.empty((6, 0), np.int64)
        self.scores = np.empty(0)
        self.looks: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def update(self, detections: Any, image: Any = None) -> Tracks:
        """Take the detections of the next frame and return the tracks seen in it.

        Call it for every frame, even when nothing is detected: tracks age then too. A box without area resembles
        nothing and is left out.

        Parameters
        ----------
        detections : Detections, array or None
            See `read_detections`.
        image : array, optional
            The frame, for trackers that have an `appearance`.

        Returns
        -------
        Tracks

        Raises
        ------
        ValueError
            In French: NaN or infinite values, exchanged corners, unknown shape, image missing.
        """
        boxes, scores, classes = read_detections(detections)
        solid = np.flatnonzero((boxes[:, 2:] > boxes[:, :2]).all(1))
        boxes, scores, classes = boxes[solid], scores[solid], classes[solid]
        looks = self._describe(image, boxes)
        self.frame += 1
        self.streak[self.missed > 0] = 0
        predicted = self._filter.predict(lost=self.missed > 0 if self.HOLDS_SIZE else None)
        self.missed += 1
        shown = self._follow(predicted, boxes, scores, classes, looks)
        ranks = solid[self._received[shown]]
        return Tracks(self._filter.boxes[shown], self.ids[shown], self.scores[shown], self.classes[shown], ranks)

    @abstractmethod
    def _follow(
        self, predicted: np.ndarray, boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, looks: Any
    ) -> np.ndarray:
        """Associate, correct, create, delete; return the rows of the tracks to show."""

    def _describe(self, image: Any, boxes: np.ndarray) -> np.ndarray | None:
        if self.appearance is None:
            return None
        if image is None:
            raise ValueError(
                "Ce suiveur compare aussi les apparences : donnez-lui l'image, update(détections, image), ou les "
                "images de la vidéo à run(…, images=…)."
            )
        return np.asarray(self.appearance(image, boxes), np.float64)

    def _correct(
        self,
        rows: np.ndarray,
        taken: np.ndarray,
        boxes: np.ndarray,
        scores: np.ndarray,
        classes: np.ndarray,
        looks: np.ndarray | None,
    ) -> None:
        """Give to the tracks `rows` the detections `taken`."""
        self._filter.update(rows, boxes[taken])
        self.missed[rows] = 0
        self.hits[rows] += 1
        self.streak[rows] += 1
        self.scores[rows], self.classes[rows], self._received[rows] = scores[taken], classes[taken], taken
        if self.looks is not None and looks is not None:
            blend = 0.9 * self.looks[rows] + 0.1 * looks[taken]
            self.looks[rows] = blend / np.linalg.norm(blend, axis=1, keepdims=True)

    def _add(
        self, born: np.ndarray, boxes: np.ndarray, scores: np.ndarray, classes: np.ndarray, looks: np.ndarray | None
    ) -> None:
        """Start a track for each of the detections `born`."""
        count = len(born)
        if not count:
            return
        self._filter.add(boxes[born])
        zeros = np.zeros(count, np.int64)
        self.ids = np.concatenate([self.ids, np.arange(self._next, self._next + count)])
        self._next += count
        self.hits, self.streak, self.missed = (
            np.concatenate([a, zeros]) for a in (self.hits, self.streak, self.missed)
        )
        self.scores = np.concatenate([self.scores, scores[born]])
        self.classes = np.concatenate([self.classes, classes[born]])
        self._received = np.concatenate([self._received, born])
        if looks is not None:
            self.looks = looks[born] if self.looks is None else np.vstack([self.looks, looks[born]])

    def _keep(self, mask: np.ndarray) -> None:
        """Delete the tracks where `mask` is false."""
        if mask.all():
            return
        self._filter.keep(mask)
        for name in ("ids", "hits", "streak", "missed", "classes", "scores", "_received"):
            setattr(self, name, getattr(self, name)[mask])
        if self.looks is not None:
            self.looks = self.looks[mask]


def run(tracker: Tracker, detections: Iterable[Any], *, images: Iterable[Any] | None = None) -> list[Tracks]:
    """Follow a whole video from its first frame.

    Parameters
    ----------
    tracker : Sort, ByteTrack
        It is reset first.
    detections : iterable
        What the detector found in each frame; see `read_detections`.
    images : iterable, optional
        The frames, for a tracker that compares appearances.

    Returns
    -------
    list of Tracks
        One for each frame.

    Raises
    ------
    ValueError
        In French, when there are not as many images as frames of detections, or as `Tracker.update`.
    """
    tracker.reset()
    if images is None:
        return [tracker.update(found) for found in detections]
    tracks: list[Tracks] = []
    pairs = zip(detections, images, strict=True)
    while True:
        try:
            found, image = next(pairs)
        except StopIteration:
            return tracks
        except ValueError as error:
            raise ValueError(
                f"La vidéo et les détections n'ont pas le même nombre d'images ; {len(tracks)} vont ensemble."
            ) from error
        tracks.append(tracker.update(found, image))
