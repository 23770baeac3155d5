"""Augmentation that moves boxes with their pixels: mosaic, mirror, scale, shift, colours.

Mosaic (Bochkovskiy et al., 2020) sticks four images around a random point: four times as many contexts in a batch,
objects cut by borders, more small ones. Keras' layers for boxes have no mosaic; mirror, scale and shift, which they
have, cost them some fifteen times what they cost here, with NumPy and OpenCV, on bytes. They are the reference of the
tests.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from course_utils.detection.yolo.sets import Examples

FILL = 128
"""Grey of what lies outside the images."""

VISIBLE = 0.25
"""Share of a box that must stay in the picture for it to be kept."""

SMALLEST = 2.0
"""Pixels under which what is left of a box's side is not kept."""


class Picture(NamedTuple):
    """An image and its truth, on their way to a batch."""

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    ignored: NDArray[np.bool_]


@dataclass(frozen=True)
class Augmentation:
    """Random changes, each drawn anew for each image.

    Attributes
    ----------
    mosaic : float
        Chance, in [0, 1], that an image is a mosaic of four.
    flip : float
        Chance of a mirror, left to right.
    scale : float
        Images are enlarged or shrunk by a factor from 1 / (1 + scale) to 1 + scale.
    shift : float
        Largest shift, as a share of the side.
    colour : float
        Strength of the changes of brightness, contrast and saturation, in [0, 1].
    """

    mosaic: float = 0.0
    flip: float = 0.5
    scale: float = 0.0
    shift: float = 0.0
    colour: float = 0.0

    def __call__(self, examples: Examples, index: int, rng: np.random.Generator) -> Picture:
        """Return the image of an index, changed; a mosaic draws three others."""
        if rng.random() < self.mosaic:
            others = rng.integers(len(examples), size=3)
            picture = mosaic([self._moved(examples, k, rng) for k in (index, *others)], rng=rng)
        else:
            picture = self._moved(examples, index, rng)
        return picture._replace(image=coloured(picture.image, self.colour, rng)) if self.colour else picture

    def _moved(self, examples: Examples, index: int, rng: np.random.Generator) -> Picture:
        picture = Picture(
            examples.images[index], examples.boxes[index], examples.classes[index], examples.ignored[index]
        )
        if rng.random() < self.flip:
            picture = mirrored(picture)
        if self.scale or self.shift:
            factor = (1 + self.scale) ** rng.uniform(-1, 1)
            picture = placed(picture, factor, rng.uniform(-self.shift, self.shift, 2))
        return picture


def mirrored(picture: Picture) -> Picture:
    """Swap left and right."""
    width = picture.image.shape[1]
    boxes = picture.boxes.copy()
    boxes[:, [0, 2]] = width - picture.boxes[:, [2, 0]]
    return picture._replace(image=np.ascontiguousarray(picture.image[:, ::-1]), boxes=boxes)


def placed(picture: Picture, factor: float, shift: Sequence[float] | NDArray[Any]) -> Picture:
    """Enlarge around the centre by a factor, then move by shares of the width and of the height; cut what goes out."""
    height, width = picture.image.shape[:2]
    side = np.array([width, height])
    offset = side * ((1 - factor) / 2 + np.asarray(shift))
    # OpenCV's coordinates are those of pixel centres, the boxes' those of pixel corners: half a pixel apart.
    matrix = np.array([[factor, 0, 0.0], [0, factor, 0.0]])
    matrix[:, 2] = offset + (factor - 1) / 2
    moved = cv2.warpAffine(picture.image, matrix, (width, height), borderValue=(FILL,) * 3)
    boxes = picture.boxes * np.float32(factor) + np.tile(offset, 2).astype(np.float32)
    return cut(picture._replace(image=np.asarray(moved, np.uint8), boxes=boxes))


def mosaic(pictures: Sequence[Picture], *, rng: np.random.Generator, spread: float = 0.25) -> Picture:
    """Stick four pictures of the same size around a random point, each seen through its quarter.

    Parameters
    ----------
    pictures : four Picture
        For the top left, top right, bottom left and bottom right quarters.
    rng : numpy.random.Generator
    spread : float, default 0.25
        The point is drawn within this share of the sides, on both sides of the middle.

    Returns
    -------
    Picture
        Of the same size. Boxes are cut by the borders; those of which less than a quarter is left are dropped.

    Raises
    ------
    ValueError
        If there are not four pictures of the same size.
    """
    shapes = {picture.image.shape for picture in pictures}
    if len(pictures) != 4 or len(shapes) != 1:
        raise ValueError(f"Une mosaïque assemble quatre images de même taille ; reçu {len(pictures)} : {shapes}.")
    height, width, channels = pictures[0].image.shape
    middle_y, middle_x = (round(side * (0.5 + rng.uniform(-spread, spread))) for side in (height, width))
    canvas = np.empty((height, width, channels), np.uint8)
    parts = []
    quarters = [
        (slice(0, middle_y), slice(0, middle_x)),
        (slice(0, middle_y), slice(middle_x, width)),
        (slice(middle_y, height), slice(0, middle_x)),
        (slice(middle_y, height), slice(middle_x, width)),
    ]
    for picture, (rows, columns) in zip(pictures, quarters, strict=True):
        tall, wide = rows.stop - rows.start, columns.stop - columns.start
        top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
        canvas[rows, columns] = picture.image[top : top + tall, left : left + wide]
        seen = cut(picture._replace(boxes=picture.boxes - np.array([left, top, left, top], np.float32)), (tall, wide))
        parts.append(seen._replace(boxes=seen.boxes + np.array([columns.start, rows.start] * 2, np.float32)))
    joined = (np.concatenate([getattr(part, name) for part in parts]) for name in ("boxes", "classes", "ignored"))
    return Picture(canvas, *joined)


def cut(picture: Picture, shape: tuple[int, int] | None = None) -> Picture:
    """Cut the boxes at the borders of the picture (or of a shape), and drop those of which too little is left."""
    height, width = shape or picture.image.shape[:2]
    boxes = np.clip(picture.boxes, 0, np.array([width, height, width, height], np.float32))
    sides, before = boxes[:, 2:] - boxes[:, :2], picture.boxes[:, 2:] - picture.boxes[:, :2]
    kept = (sides >= SMALLEST).all(axis=1) & (sides.prod(axis=1) >= VISIBLE * before.prod(axis=1))
    return picture._replace(boxes=boxes[kept], classes=picture.classes[kept], ignored=picture.ignored[kept])


def coloured(image: NDArray[np.uint8], strength: float, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Change saturation, contrast and brightness at random, at most by ``strength``, in one linear map."""
    saturation, contrast = 1 + strength * rng.uniform(-1, 1, 2)
    brightness = 255 * 0.4 * strength * rng.uniform(-1, 1)
    grey = np.full((3, 3), (1 - saturation) / 3) + saturation * np.eye(3)
    offset = 128 * (1 - contrast) + brightness
    matrix = np.concatenate([contrast * grey, np.full((3, 1), offset)], axis=1)
    return np.asarray(cv2.transform(image, matrix), np.uint8)
