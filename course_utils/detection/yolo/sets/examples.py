"""`Examples`: images of one size and their boxes, ready to be learnt from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, eq=False)
class Examples:
    """Images of one size and their boxes.

    ``len(examples)`` counts the images; ``examples[:100]``, ``examples[[3, 5]]`` keep some, and are `Examples` too.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, H, W, 3)
        RGB.
    boxes : tuple of n ndarrays of float32, shape (k, 4)
        (x1, y1, x2, y2) in pixels of these images.
    classes : tuple of n ndarrays of int64, shape (k,)
    ignored : tuple of n ndarrays of bool, shape (k,)
        Boxes that count neither for nor against (crowds, objects that no one could name).
    class_names : tuple of str
    name : str
    """

    images: NDArray[np.uint8] = field(repr=False)
    boxes: tuple[NDArray[np.float32], ...] = field(repr=False)
    classes: tuple[NDArray[np.int64], ...] = field(repr=False)
    ignored: tuple[NDArray[np.bool_], ...] = field(repr=False)
    class_names: tuple[str, ...]
    name: str = ""

    def __post_init__(self) -> None:
        shape = self.images.shape
        if self.images.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3:
            raise ValueError(f"Les images sont (n, H, W, 3), uint8 ; reçu : {shape}, {self.images.dtype}.")
        if not len(self.boxes) == len(self.classes) == len(self.ignored) == len(self.images):
            raise ValueError(
                f"{len(self.images)} images, mais {len(self.boxes)} listes de boîtes, {len(self.classes)} de classes "
                f"et {len(self.ignored)} de boîtes à ignorer : il en faut autant."
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> Examples:
        rows = np.arange(len(self))[index]
        if rows.ndim != 1:
            raise TypeError("Examples se découpe par tranche ou par liste d'indices ; pour une image : examples[[3]].")
        kept = ([values[k] for k in rows] for values in (self.boxes, self.classes, self.ignored))
        boxes, classes, ignored = (tuple(values) for values in kept)
        return replace(self, images=self.images[rows], boxes=boxes, classes=classes, ignored=ignored)

    def __repr__(self) -> str:
        height, width = self.images.shape[1:3]
        boxes = sum(map(len, self.boxes))
        return (
            f"Examples({self.name}, {len(self)} images de {width} × {height} pixels, {boxes} boîtes, "
            f"{len(self.class_names)} classes)"
        )

    @property
    def sizes(self) -> NDArray[np.float32]:
        """Widths and heights of all the boxes that count, (m, 2), for `kmeans_anchors`."""
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *self.boxes])
        kept = ~np.concatenate([np.zeros(0, bool), *self.ignored])
        return (boxes[:, 2:] - boxes[:, :2])[kept]

    @property
    def truths(self) -> list[tuple[Any, Any, Any]]:
        """(boxes, classes, ignored) of each image, for `course_utils.detection.metrics.evaluate`."""
        return list(zip(self.boxes, self.classes, self.ignored, strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """How many boxes of each class, ignored ones included."""
        kinds = np.concatenate([np.zeros(0, np.int64), *self.classes])
        return dict(zip(self.class_names, np.bincount(kinds, minlength=len(self.class_names)).tolist(), strict=True))
