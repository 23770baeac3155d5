"""An image of any shape into the network's rectangle, and the boxes back.

Letterboxing keeps the proportions: the image is resized until it just fits, and grey bands fill the rest, as in a film
shown on a screen of another shape.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

GREY = 0.5
"""Level of the bands, Darknet's."""


@dataclass(frozen=True)
class Letterbox:
    """Where an image lies in the network's input.

    Attributes
    ----------
    image_size : tuple of int
        (height, width) of the image, in pixels.
    input_size : tuple of int
        (height, width) of the network's input.
    keep_ratio : bool
        Whether the proportions are kept (with bands), or the image is stretched over the whole input.
    """

    image_size: tuple[int, int]
    input_size: tuple[int, int]
    keep_ratio: bool = True

    @property
    def resized(self) -> tuple[int, int]:
        """(height, width) that the image takes in the input, at least one pixel each."""
        if not self.keep_ratio:
            return self.input_size
        scale = min(inside / outside for inside, outside in zip(self.input_size, self.image_size, strict=True))
        height, width = (max(1, round(side * scale)) for side in self.image_size)
        return height, width

    @property
    def corner(self) -> tuple[int, int]:
        """(row, column) of the image's first pixel in the input."""
        (height, width), (rows, columns) = self.resized, self.input_size
        return (rows - height) // 2, (columns - width) // 2

    def _transform(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        (height, width), (top, left) = self.resized, self.corner
        scale = np.array([width / self.image_size[1], height / self.image_size[0]] * 2)
        return scale, np.array([left, top] * 2, np.float64)

    def to_input(self, boxes: NDArray[Any]) -> NDArray[Any]:
        """Bring boxes (n, 4), (x1, y1, x2, y2) in pixels of the image, to pixels of the network's input."""
        scale, shift = self._transform()
        return (np.asarray(boxes) * scale + shift).astype(_floating(boxes))

    def to_image(self, boxes: NDArray[Any]) -> NDArray[Any]:
        """Bring boxes (n, 4) in pixels of the network's input back to pixels of the image; they may stick out of it."""
        scale, shift = self._transform()
        return ((np.asarray(boxes) - shift) / scale).astype(_floating(boxes))


def _floating(boxes: NDArray[Any]) -> np.dtype[Any]:
    return np.result_type(np.asarray(boxes).dtype, np.float32)


def letterbox(
    image: NDArray[Any], input_size: tuple[int, int], *, keep_ratio: bool = True
) -> tuple[NDArray[np.float32], Letterbox]:
    """Resize an image into a rectangle, with grey bands.

    Parameters
    ----------
    image : ndarray of floats, shape (H, W, C)
        In [0, 1].
    input_size : tuple of int
        (height, width) of the result.
    keep_ratio : bool
        False stretches the image over the whole rectangle, as Darknet does unless it is told to letterbox.

    Returns
    -------
    canvas : ndarray of float32, shape (*input_size, C)
    place : Letterbox
        What brings boxes there and back.

    Raises
    ------
    ValueError
        If the image is empty.
    """
    if image.ndim != 3 or 0 in image.shape:
        raise ValueError(f"On attend une image (hauteur, largeur, canaux) non vide ; reçu : {image.shape}.")
    height, width = image.shape[:2]
    place = Letterbox((height, width), (int(input_size[0]), int(input_size[1])), keep_ratio)
    (rows, columns), (top, left) = place.resized, place.corner
    # Averaging areas is right only when the image shrinks.
    method = cv2.INTER_AREA if rows < height and columns < width else cv2.INTER_LINEAR
    resized = image if (rows, columns) == (height, width) else cv2.resize(image, (columns, rows), interpolation=method)
    if resized.shape == place.input_size + image.shape[2:]:
        return np.ascontiguousarray(resized, np.float32), place
    canvas = np.full((*place.input_size, image.shape[2]), GREY, np.float32)
    canvas[top : top + rows, left : left + columns] = resized.reshape(rows, columns, -1)
    return canvas, place
