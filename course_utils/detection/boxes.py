"""Boxes with NumPy: their formats, and four ways of saying how well two of them agree.

A box is ``(x1, y1, x2, y2)`` in pixels, first corner top left. Sizes are differences of coordinates (no « + 1 »), so
a box whose corners meet has area 0. Comparisons never divide by zero: a quotient whose denominator is 0 is 0.
`boxes_tf` has the same functions with gradients.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

FORMATS = ("xyxy", "yxyx", "xywh", "cxcywh")
"""Formats known to `convert`; each may be preceded by ``rel_``: fractions of the image's width and height."""


def as_boxes(boxes: ArrayLike, name: str = "boxes") -> np.ndarray:
    """Make an array of boxes, float32 or float64.

    Parameters
    ----------
    boxes : array_like, shape (..., 4)
        Integers become float64; an empty list becomes shape (0, 4).
    name : str
        Name shown in the message.

    Returns
    -------
    ndarray, shape (..., 4)
        float32 and float64 stay what they are.

    Raises
    ------
    ValueError
        If the last axis has not four numbers.
    """
    array = np.asarray(boxes)
    if array.dtype not in (np.float32, np.float64):
        array = array.astype(np.float64)
    if array.shape == (0,):
        return array.reshape(0, 4)
    if array.ndim == 0 or array.shape[-1] != 4:
        raise ValueError(
            f"{name} a pour forme {array.shape} : on attend quatre nombres par boîte, (n, 4), "
            "dans l'ordre (x1, y1, x2, y2)."
        )
    return array


def convert(boxes: ArrayLike, source: str, target: str, *, image_size: tuple[float, float] | None = None) -> np.ndarray:
    """Write boxes in another format.

    Parameters
    ----------
    boxes : array_like, shape (..., 4)
        Boxes in the format `source`.
    source, target : str
        ``"xyxy"`` (two corners), ``"yxyx"`` (the same, y first), ``"xywh"`` (corner, width, height: COCO), ``"cxcywh"``
        (centre, width, height: YOLO), or one of these after ``rel_``: divided by the image's width and height.
    image_size : tuple of float, optional
        ``(height, width)`` in pixels; needed between a relative and an absolute format.

    Returns
    -------
    ndarray, shape (..., 4)
        float32 or float64, as `boxes`.

    Raises
    ------
    ValueError
        If a format is unknown, or if the image's size is needed and missing.
    """
    array = as_boxes(boxes)
    for name in (source, target):
        if name.removeprefix("rel_") not in FORMATS:
            known = ", ".join(FORMATS)
            raise ValueError(f"Format de boîte inconnu : {name!r}. Les formats sont {known}, et les mêmes après rel_.")
    corners = _to_corners(array, source.removeprefix("rel_"))
    relative = source.startswith("rel_"), target.startswith("rel_")
    if relative[0] != relative[1]:
        if image_size is None:
            raise ValueError(
                f"De {source!r} à {target!r}, il faut la taille de l'image : donnez image_size=(hauteur, largeur)."
            )
        height, width = image_size
        pixels = np.array([width, height, width, height], dtype=array.dtype)
        corners = corners * pixels if relative[0] else corners / pixels
    return _from_corners(corners, target.removeprefix("rel_"))


def _to_corners(boxes: np.ndarray, source: str) -> np.ndarray:
    """Give the corners (x1, y1, x2, y2) of boxes in an absolute format."""
    a, b, c, d = np.moveaxis(boxes, -1, 0)
    corners = {
        "xyxy": (a, b, c, d),
        "yxyx": (b, a, d, c),
        "xywh": (a, b, a + c, b + d),
        "cxcywh": (a - c / 2, b - d / 2, a + c / 2, b + d / 2),
    }[source]
    return np.stack(corners, axis=-1)


def _from_corners(corners: np.ndarray, target: str) -> np.ndarray:
    """Write corners (x1, y1, x2, y2) in an absolute format."""
    x1, y1, x2, y2 = np.moveaxis(corners, -1, 0)
    written = {
        "xyxy": (x1, y1, x2, y2),
        "yxyx": (y1, x1, y2, x2),
        "xywh": (x1, y1, x2 - x1, y2 - y1),
        "cxcywh": ((x1 + x2) / 2, (y1 + y2) / 2, x2 - x1, y2 - y1),
    }[target]
    return np.stack(written, axis=-1)


def clip(boxes: ArrayLike, image_size: tuple[float, float]) -> np.ndarray:
    """Bring boxes back inside an image.

    Parameters
    ----------
    boxes : array_like, shape (..., 4)
        Corners in pixels.
    image_size : tuple of float
        ``(height, width)`` in pixels.

    Returns
    -------
    ndarray, shape (..., 4)
        A box wholly outside becomes a box of area 0 on the border.
    """
    array = as_boxes(boxes)
    height, width = image_size
    return np.clip(array, 0, np.array([width, height, width, height], dtype=array.dtype))


def scale(boxes: ArrayLike, factor: float | Sequence[float]) -> np.ndarray:
    """Follow an image that is resized.

    Parameters
    ----------
    boxes : array_like, shape (..., 4)
        Corners in pixels of the first image.
    factor : float or (float, float)
        New size over old size; a pair is (horizontal, vertical).

    Returns
    -------
    ndarray, shape (..., 4)
        Corners in pixels of the resized image.
    """
    array = as_boxes(boxes)
    fx, fy = np.broadcast_to(np.asarray(factor, dtype=array.dtype), 2)
    return array * np.array([fx, fy, fx, fy], dtype=array.dtype)


def area(boxes: ArrayLike) -> np.ndarray:
    """Give the area of each box, in square pixels; 0 when a corner has passed the other.

    Parameters
    ----------
    boxes : array_like, shape (..., 4)
        Corners in pixels.

    Returns
    -------
    ndarray, shape (...)
    """
    width, height = _sides(as_boxes(boxes))
    return width * height


def intersection(a: ArrayLike, b: ArrayLike, *, paired: bool = False) -> np.ndarray:
    """Area that two boxes have in common, in square pixels. Parameters and shape of the result as in `iou`."""
    return _intersection_union(*_pair(a, b, paired))[0]


def iou(a: ArrayLike, b: ArrayLike, *, paired: bool = False) -> np.ndarray:
    """Intersection over union, in [0, 1]; 0 as soon as the boxes do not overlap.

    Parameters
    ----------
    a : array_like, shape (..., n, 4)
        Boxes.
    b : array_like, shape (..., m, 4)
        Boxes.
    paired : bool
        False: every box of `a` against every box of `b`. True: row by row (shapes are broadcast).

    Returns
    -------
    ndarray, shape (..., n, m), or (..., n) when `paired`
        Two boxes of area 0 have an IoU of 0, even at the same place.
    """
    a, b = _pair(a, b, paired)
    return _quotient(*_intersection_union(a, b))


def giou(a: ArrayLike, b: ArrayLike, *, paired: bool = False) -> np.ndarray:
    """Generalised IoU, in [−1, 1]: IoU less the empty share of the smallest box that encloses both.

    Rezatofighi et al. (2019). Parameters and result as in `iou`.
    """
    a, b = _pair(a, b, paired)
    common, union = _intersection_union(a, b)
    width, height = _enclosing_sides(a, b)
    return _quotient(common, union) - _quotient(width * height - union, width * height)


def diou(a: ArrayLike, b: ArrayLike, *, paired: bool = False, beta: float = 1.0) -> np.ndarray:
    """Distance IoU, in [−1, 1]: IoU less (d²/c²)^beta, d between the centres, c the enclosing box's diagonal.

    Zheng et al. (2020). Darknet's suppression uses ``beta=0.6``. Other parameters and result as in `iou`.
    """
    a, b = _pair(a, b, paired)
    return _quotient(*_intersection_union(a, b)) - _centre_penalty(a, b) ** beta


def ciou(a: ArrayLike, b: ArrayLike, *, paired: bool = False) -> np.ndarray:
    """Complete IoU: DIoU less α·v, where v compares the aspect ratios (width over height).

    Zheng et al. (2020): v = 4/π² (atan(w/h) − atan(w'/h'))², α = v / (1 − IoU + v). A box without width nor height has
    no aspect ratio: v = 0. Parameters and result as in `iou`.
    """
    a, b = _pair(a, b, paired)
    overlap = _quotient(*_intersection_union(a, b))
    (width_a, height_a), (width_b, height_b) = _sides(a), _sides(b)
    gap = np.arctan2(width_a, height_a) - np.arctan2(width_b, height_b)
    tiny = np.finfo(overlap.dtype).tiny
    points = (width_a**2 + height_a**2 <= tiny) | (width_b**2 + height_b**2 <= tiny)
    v = np.where(points, 0, 4 / np.pi**2 * gap**2).astype(overlap.dtype)
    return overlap - _centre_penalty(a, b) - v * _quotient(v, 1 - overlap + v)


def _pair(a: ArrayLike, b: ArrayLike, paired: bool) -> tuple[np.ndarray, np.ndarray]:
    """Place the two sets of boxes face to face, for broadcasting."""
    a, b = as_boxes(a, "a"), as_boxes(b, "b")
    if paired:
        return a, b
    if a.ndim < 2 or b.ndim < 2:
        raise ValueError(
            f"a {a.shape} et b {b.shape} : on attend deux tableaux de boîtes, (n, 4) et (m, 4). "
            "Pour comparer deux boîtes une à une, ajoutez paired=True."
        )
    return a[..., :, None, :], b[..., None, :, :]


def _sides(boxes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Width and height, never negative."""
    return np.maximum(boxes[..., 2] - boxes[..., 0], 0), np.maximum(boxes[..., 3] - boxes[..., 1], 0)


def _intersection_union(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Areas in common and in all."""
    width, height = _sides(np.concatenate([np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])], -1))
    common = width * height
    return common, area(a) + area(b) - common


def _enclosing_sides(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Width and height of the smallest box that holds both."""
    return _sides(np.concatenate([np.minimum(a[..., :2], b[..., :2]), np.maximum(a[..., 2:], b[..., 2:])], axis=-1))


def _centre_penalty(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distance of the centres over the squared diagonal of the enclosing box, d²/c²."""
    shift = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    width, height = _enclosing_sides(a, b)
    return _quotient((shift**2).sum(axis=-1), width**2 + height**2)


def _quotient(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Divide, and give 0 where the denominator is not positive."""
    positive = denominator > 0
    return np.where(positive, numerator / np.where(positive, denominator, 1), 0).astype(numerator.dtype)
