"""What a detector found in an image: `Detections`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Detections:
    """Boxes found in one image, the surest first when a detector gives them.

    ``len(found)`` counts them; ``found[0]``, ``found[:3]``, ``found[found.scores > 0.5]`` keep some, and are
    `Detections` too.

    Attributes
    ----------
    boxes : ndarray of float32, shape (n, 4)
        (x1, y1, x2, y2), in pixels of the image.
    scores : ndarray of float32, shape (n,)
        In [0, 1].
    classes : ndarray of int64, shape (n,)
        Numbers of the classes.

    Raises
    ------
    ValueError
        If there is not one score and one class for each box.
    """

    boxes: NDArray[Any]
    scores: NDArray[Any]
    classes: NDArray[Any]

    def __post_init__(self) -> None:
        boxes = np.asarray(self.boxes, np.float32)
        boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
        scores, classes = np.asarray(self.scores, np.float32), np.asarray(self.classes, np.int64)
        if boxes.ndim != 2 or boxes.shape[1] != 4 or scores.shape != (len(boxes),) or classes.shape != (len(boxes),):
            raise ValueError(
                "Des détections sont des boîtes (n, 4), n scores et n classes ; "
                f"reçu : {boxes.shape}, {scores.shape} et {classes.shape}."
            )
        for name, array in (("boxes", boxes), ("scores", scores), ("classes", classes)):
            object.__setattr__(self, name, array)

    @classmethod
    def empty(cls) -> Detections:
        """Return no detection at all, in the right shapes."""
        return cls(np.zeros((0, 4), np.float32), np.zeros(0, np.float32), np.zeros(0, np.int64))

    def __len__(self) -> int:
        return len(self.boxes)

    def __getitem__(self, kept: Any) -> Detections:
        rows = np.arange(len(self))[kept]
        rows = np.atleast_1d(rows)
        return Detections(self.boxes[rows], self.scores[rows], self.classes[rows])

    def above(self, confidence: float) -> Detections:
        """Return the detections whose score is at least `confidence`."""
        return self[self.scores >= confidence]
