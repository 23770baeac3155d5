"""Appearance: a few numbers that tell how an object looks, so that it is known again after it was hidden."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

COLOUR_BINS = 4
"""Levels of red, green and blue in the histogram: 64 colours."""
BANDS = 2
"""Horizontal bands, from top to bottom: a coat is not a pair of trousers, a roof is not a wheel."""
ORIENTATIONS = 6
"""Directions of contours told apart in each band."""


def colours(image: ArrayLike, boxes: ArrayLike) -> np.ndarray:
    """Describe boxes by their colours and their contours, without any learning.

    For each of two horizontal bands of the box (a tenth of it is left out all round, as it is mostly background): the
    histogram of 4 × 4 × 4 colours, each pixel shared between the two nearest levels, and that of 6 contour
    directions, weighted by their strength. Square roots of the shares (Hellinger's distance) are put end to end and
    the whole is brought to length 1.

    Parameters
    ----------
    image : (H, W, 3) array, float in [0, 1] or uint8
    boxes : (n, 4) array
        (x1, y1, x2, y2) in pixels.

    Returns
    -------
    (n, 140) float64
        Unit vectors: their scalar product, in [0, 1], is a resemblance.

    Raises
    ------
    ValueError
        In French, when the image is not (H, W, 3).
    """
    picture, corners = _picture(image), np.asarray(boxes, np.float64).reshape(-1, 4)
    rows = [_describe(_crop(picture, box, margin=0.1)) for box in corners]
    return np.array(rows).reshape(len(corners), BANDS * (COLOUR_BINS**3 + ORIENTATIONS))


class Network:
    """Describe boxes by the features of a trained Keras network.

    Parameters
    ----------
    model : keras.Model
        Takes (n, H, W, 3), float32 in [0, 1]; its output, averaged over space when it is a map, is the description.
    size : (int, int), optional
        Height and width of the crops; the model's own by default.

    Notes
    -----
    ``Network(model)(image, boxes)`` gives (n, d) unit vectors: give it as ``appearance=`` to a tracker.
    """

    def __init__(self, model: Any, size: tuple[int, int] | None = None) -> None:
        self.model = model
        self.size = size or tuple(model.input_shape[1:3])
        if None in self.size:
            raise ValueError("Ce réseau accepte toutes les tailles : dites size=(hauteur, largeur) des vignettes.")

    def __call__(self, image: ArrayLike, boxes: ArrayLike) -> np.ndarray:
        """Return the descriptions of boxes (n, 4) of an image (H, W, 3): (n, d) unit vectors."""
        import cv2

        picture, corners = _picture(image), np.asarray(boxes, np.float64).reshape(-1, 4)
        crops = np.empty((max(len(corners), 1), *self.size, 3), np.float32)
        for crop, box in zip(crops, corners, strict=False):
            crop[:] = cv2.resize(_crop(picture, box, margin=0.0), self.size[::-1], interpolation=cv2.INTER_AREA)
        features = np.asarray(self.model(crops[: max(len(corners), 1)], training=False), np.float64)
        features = features.reshape(len(features), -1, features.shape[-1]).mean(1)[: len(corners)]
        return features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)


def _picture(image: ArrayLike) -> np.ndarray:
    picture = np.asarray(image)
    if picture.ndim != 3 or picture.shape[2] != 3 or picture.size == 0:
        raise ValueError(f"L'image est de forme {picture.shape} : on attend (hauteur, largeur, 3).")
    return picture.astype(np.float32) / 255 if picture.dtype == np.uint8 else picture.astype(np.float32, copy=False)


def _crop(picture: np.ndarray, box: np.ndarray, *, margin: float) -> np.ndarray:
    """Cut a box out, at least 2 × 2 pixels of the picture, whatever the box."""
    height, width = picture.shape[:2]
    inner = box + margin * np.tile(box[2:] - box[:2], 2) * [1, 1, -1, -1]
    left, top = (int(np.clip(v, 0, n - 2)) for v, n in zip(np.floor(inner[:2]), (width, height), strict=True))
    right, bottom = np.ceil(inner[2:])
    return picture[top : int(np.clip(bottom, top + 2, height)), left : int(np.clip(right, left + 2, width))]


def _describe(crop: np.ndarray) -> np.ndarray:
    down, across = np.gradient(crop.mean(2))
    strength, angle = np.hypot(across, down), np.arctan2(down, across) % np.pi
    direction = np.minimum((angle * (ORIENTATIONS / np.pi)).astype(np.intp), ORIENTATIONS - 1)
    parts = []
    for band in np.array_split(np.arange(len(crop)), BANDS):
        parts.append(_histogram(crop[band].reshape(-1, 3)))
        edges = np.bincount(direction[band].ravel(), strength[band].ravel(), ORIENTATIONS)
        parts.append(0.5 * edges / max(edges.sum(), 1e-9))
    vector = np.sqrt(np.concatenate(parts))
    return vector / np.linalg.norm(vector)


def _histogram(pixels: np.ndarray) -> np.ndarray:
    """Return the shares of the colours of pixels (n, 3), each pixel shared between its neighbouring levels."""
    position = np.clip(pixels, 0, 1) * (COLOUR_BINS - 1)
    low = np.minimum(position.astype(np.intp), COLOUR_BINS - 2)
    share = position - low
    counts = np.zeros(COLOUR_BINS**3)
    for corner in np.ndindex(2, 2, 2):
        weight = np.prod(np.where(corner, share, 1 - share), axis=1)
        cell = (low + corner) @ [COLOUR_BINS**2, COLOUR_BINS, 1]
        counts += np.bincount(cell, weight, COLOUR_BINS**3)
    return counts / max(len(pixels), 1)
