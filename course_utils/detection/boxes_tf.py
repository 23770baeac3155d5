"""IoU, GIoU, DIoU and CIoU as TensorFlow operations, with gradients fit for a loss (float32 or float64).

Same names and same values as `boxes`. Three precautions make them safe inside a training: a quotient whose denominator
is 0 is 0 and so is its gradient; where two coordinates are equal, the gradient is shared between the two boxes, so that
a perfect prediction is not pushed away; CIoU's weight α is taken as a constant, as its authors ask.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import tensorflow as tf


def area(boxes: Any) -> tf.Tensor:
    """Give the area of each box.

    Parameters
    ----------
    boxes : tensor, shape (..., 4)
        Corners (x1, y1, x2, y2), float32 or float64.

    Returns
    -------
    tensor, shape (...)
    """
    width, height = _sides(_as_boxes(boxes))
    return width * height


def iou(a: Any, b: Any, *, paired: bool = False) -> tf.Tensor:
    """Intersection over union, in [0, 1]; its gradient is 0 when the boxes do not overlap.

    Parameters
    ----------
    a : tensor, shape (..., n, 4)
        Boxes (x1, y1, x2, y2), float32 or float64.
    b : tensor, shape (..., m, 4)
        Boxes of the same dtype.
    paired : bool
        False: every box of `a` against every box of `b`. True: row by row (shapes are broadcast).

    Returns
    -------
    tensor, shape (..., n, m), or (..., n) when `paired`
    """
    a, b = _pair(a, b, paired)
    return _quotient(*_intersection_union(a, b))


def giou(a: Any, b: Any, *, paired: bool = False) -> tf.Tensor:
    """Generalised IoU, in [−1, 1] (Rezatofighi et al., 2019). Parameters and result as in `iou`."""
    a, b = _pair(a, b, paired)
    intersection, union = _intersection_union(a, b)
    width, height = _enclosing_sides(a, b)
    return _quotient(intersection, union) - _quotient(width * height - union, width * height)


def diou(a: Any, b: Any, *, paired: bool = False, beta: float = 1.0) -> tf.Tensor:
    """Distance IoU, IoU − (d²/c²)^beta (Zheng et al., 2020). Parameters and result as in `iou`.

    ``beta=0.6`` is the measure of Darknet's suppression; its gradient is infinite where the centres meet: keep
    ``beta=1`` in a loss.
    """
    a, b = _pair(a, b, paired)
    penalty = _centre_penalty(a, b)
    return _quotient(*_intersection_union(a, b)) - (penalty if beta == 1 else penalty**beta)


def ciou(a: Any, b: Any, *, paired: bool = False) -> tf.Tensor:
    """Complete IoU, DIoU − α·v (Zheng et al., 2020). Parameters and result as in `iou`.

    v = 4/π² (atan(w/h) − atan(w'/h'))²; α = v / (1 − IoU + v), through which no gradient flows. A box without width
    nor height has no aspect ratio: v = 0.
    """
    a, b = _pair(a, b, paired)
    overlap = _quotient(*_intersection_union(a, b))
    gap = _angle(a, b) - _angle(b, a)
    v = 4 / math.pi**2 * tf.square(gap)
    alpha = tf.stop_gradient(_quotient(v, 1 - overlap + v))
    return overlap - _centre_penalty(a, b) - alpha * v


def _as_boxes(boxes: Any, name: str = "boxes") -> tf.Tensor:
    """Make a floating tensor of boxes."""
    tensor = tf.convert_to_tensor(boxes)
    if not tensor.dtype.is_floating:
        tensor = tf.cast(tensor, tf.float32)
    if tensor.shape.rank is not None and (tensor.shape.rank == 0 or tensor.shape[-1] not in (4, None)):
        raise ValueError(
            f"{name} a pour forme {tuple(tensor.shape)} : on attend quatre nombres par boîte, (n, 4), "
            "dans l'ordre (x1, y1, x2, y2)."
        )
    return tensor


def _pair(a: Any, b: Any, paired: bool) -> tuple[tf.Tensor, tf.Tensor]:
    """Place the two sets of boxes face to face, for broadcasting."""
    a, b = _as_boxes(a, "a"), _as_boxes(b, "b")
    if a.dtype != b.dtype:
        raise ValueError(f"a est en {a.dtype.name} et b en {b.dtype.name} : convertissez l'un des deux avec tf.cast.")
    return (a, b) if paired else (a[..., :, None, :], b[..., None, :, :])


def _larger(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Maximum whose gradient is shared equally between equal values (`tf.maximum` gives it all to the first)."""
    return tf.where(a > b, a, tf.where(a < b, b, (a + b) / 2))


def _smaller(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Minimum whose gradient is shared equally between equal values."""
    return tf.where(a < b, a, tf.where(a > b, b, (a + b) / 2))


def _sides(boxes: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Width and height, never negative; where they are 0, the gradient still says how to grow."""
    sides = boxes[..., 2:] - boxes[..., :2]
    sides = tf.where(sides >= 0, sides, tf.zeros_like(sides))
    return sides[..., 0], sides[..., 1]


def _intersection_union(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Areas in common and in all."""
    corner, opposite = _larger(a[..., :2], b[..., :2]), _smaller(a[..., 2:], b[..., 2:])
    # Unlike `_sides`, no gradient for boxes that only touch, as in torchvision's losses.
    sides = tf.nn.relu(opposite - corner)
    intersection = sides[..., 0] * sides[..., 1]
    return intersection, area(a) + area(b) - intersection


def _enclosing_sides(a: tf.Tensor, b: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Width and height of the smallest box that holds both."""
    return _sides(tf.concat([_smaller(a[..., :2], b[..., :2]), _larger(a[..., 2:], b[..., 2:])], axis=-1))


def _centre_penalty(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Squared distance of the centres over the squared diagonal of the enclosing box, d²/c²."""
    shift = (a[..., :2] + a[..., 2:] - b[..., :2] - b[..., 2:]) / 2
    width, height = _enclosing_sides(a, b)
    return _quotient(tf.reduce_sum(tf.square(shift), axis=-1), tf.square(width) + tf.square(height))


def _angle(boxes: tf.Tensor, others: tf.Tensor) -> tf.Tensor:
    """Angle of the diagonal, atan(w/h), replaced by a constant where one of the two boxes is a point."""
    width, height = _sides(boxes)
    points = _is_point(boxes) | _is_point(others)
    one = tf.ones_like(points, dtype=boxes.dtype)
    return tf.atan2(tf.where(points, one, width), tf.where(points, one, height))


def _is_point(boxes: tf.Tensor) -> tf.Tensor:
    """Tell which boxes are too small for a ratio: the square of the diagonal is 0, or nearly, in this dtype."""
    width, height = _sides(boxes)
    return tf.square(width) + tf.square(height) <= np.finfo(boxes.dtype.as_numpy_dtype).tiny


def _quotient(numerator: tf.Tensor, denominator: tf.Tensor) -> tf.Tensor:
    """Divide, and give 0, with a null gradient, where the denominator is not positive."""
    return tf.where(
        denominator > 0,
        numerator / tf.where(denominator > 0, denominator, tf.ones_like(denominator)),
        tf.zeros_like(numerator),
    )
