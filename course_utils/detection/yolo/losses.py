"""The loss of YOLOv4, in three terms: where the boxes are, whether there is one, of which class.

- *box*: 1 − CIoU between the box of each anchor that must answer and its truth (Zheng et al., 2020);
- *objectness*: binary cross-entropy, 1 for the anchors that must answer and 0 elsewhere; anchors that do not have to
  answer, but whose box covers a true one well all the same, are neither right nor wrong: ignored;
- *classes*: one binary cross-entropy for each class, with label smoothing, for the anchors that must answer.

Each term is summed over cells and boxes and divided by the number of images, as Darknet does: an image without any
object has a loss too. Everything is computed in float32 at least, whatever the precision of the network.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from course_utils.detection import boxes_tf
from course_utils.detection.yolo.heads import Head, decode

LARGEST_LOGIT = 1e4
"""Logits are cut there: no sum overflows, and a float16 gone to infinity still gives a finite loss."""


@dataclass(frozen=True)
class LossWeights:
    """What counts, and how much.

    Attributes
    ----------
    box, objectness, classes : float
        Weights of the three terms.
    ignore : float
        IoU with a true box above which an anchor that does not have to answer is left alone: ``ignore_thresh``.
    smoothing : float
        Label smoothing of the classes, in [0, 1): their targets become smoothing / 2 and 1 − smoothing / 2.

    Raises
    ------
    ValueError
        If a weight is negative or a share out of range.
    """

    box: float = 1.0
    objectness: float = 1.0
    classes: float = 1.0
    ignore: float = 0.7
    smoothing: float = 0.0

    def __post_init__(self) -> None:
        if min(self.box, self.objectness, self.classes) < 0 or not 0 <= self.smoothing < 1 or not 0 <= self.ignore <= 1:
            raise ValueError(f"{self} : on attend des poids positifs, ignore dans [0, 1] et smoothing dans [0, 1[.")


class Terms(NamedTuple):
    """The loss and its weighted terms, scalars: ``total = box + objectness + classes``."""

    total: Any
    box: Any
    objectness: Any
    classes: Any


def yolo_loss(
    raws: Sequence[Any],
    targets: Sequence[Any],
    truth: Any,
    heads: Sequence[Head],
    weights: LossWeights | None = None,
) -> Terms:
    """Compare the raw heads of a network with the truth.

    Parameters
    ----------
    raws : sequence of tensors (N, rows, columns, A · (5 + classes))
        Outputs of the network, of any floating dtype.
    targets : sequence of tensors (N, rows, columns, A, 6)
        From `course_utils.detection.yolo.targets.assign`, one for each head.
    truth : tensor (N, M, 4)
        All the boxes of each image, (x1, y1, x2, y2) in pixels of the network's input, filled up with zeros.
    heads : sequence of Head
    weights : LossWeights, optional

    Returns
    -------
    Terms
        float32 (float64 if the heads are), finite and with finite gradients whatever the logits.

    Raises
    ------
    ValueError
        If a head has ``new_coords``: it gives no logits any more, and cannot be trained with this loss.
    """
    weights = weights or LossWeights()
    if any(head.new_coords for head in heads):
        raise ValueError(
            "Cette perte attend des logits : une tête à new_coords a déjà passé ses nombres par une sigmoïde. "
            "Entraînez yolov4 ou yolov4_tiny."
        )
    parts = [
        _head_terms(raw, target, truth, head, weights) for raw, target, head in zip(raws, targets, heads, strict=True)
    ]
    box, objectness, classes = (tf.add_n(list(terms)) for terms in zip(*parts, strict=True))
    return Terms(box + objectness + classes, box, objectness, classes)


def _head_terms(raw: Any, target: Any, truth: Any, head: Head, weights: LossWeights) -> tuple[Any, Any, Any]:
    """The three weighted terms of one head."""
    raw = tf.convert_to_tensor(raw)
    raw = raw if raw.dtype == tf.float64 else tf.cast(raw, tf.float32)
    raw = tf.clip_by_value(raw, -LARGEST_LOGIT, LARGEST_LOGIT)
    target, truth = tf.cast(target, raw.dtype), tf.cast(truth, raw.dtype)
    shape = tf.shape(target)[:4]
    images = tf.cast(shape[0], raw.dtype)
    boxes = tf.reshape(decode(raw, head)[0], tf.concat([shape, [4]], axis=0))
    logits = tf.reshape(raw, tf.concat([shape, [5 + head.classes]], axis=0))[..., 4:]

    answers = target[..., 5] > 0
    where = tf.where(answers)
    expected = tf.gather_nd(target, where)
    found = tf.gather_nd(boxes, where)
    box = tf.reduce_sum(1 - boxes_tf.ciou(found, expected[:, :4], paired=True))

    counted = answers | ~_covering(boxes, truth, weights.ignore)
    cross_entropy = tf.nn.sigmoid_cross_entropy_with_logits(target[..., 5], logits[..., 0])
    objectness = tf.reduce_sum(tf.where(counted, cross_entropy, tf.zeros_like(cross_entropy)))

    labels = tf.one_hot(tf.cast(expected[:, 4], tf.int32), head.classes, dtype=raw.dtype)
    labels = labels * (1 - weights.smoothing) + weights.smoothing / 2
    kinds = tf.gather_nd(logits[..., 1:], where)
    classes = tf.reduce_sum(tf.nn.sigmoid_cross_entropy_with_logits(labels, kinds))
    return weights.box * box / images, weights.objectness * objectness / images, weights.classes * classes / images


def _covering(boxes: Any, truth: Any, threshold: float) -> Any:
    """Tell which boxes (N, rows, columns, A, 4) cover a true one of their image with an IoU above the threshold."""
    shape = tf.shape(boxes)
    flat = tf.stop_gradient(tf.reshape(boxes, (shape[0], -1, 4)))
    first, last = (
        tf.maximum(flat[:, :, None, :2], truth[:, None, :, :2]),
        tf.minimum(flat[:, :, None, 2:], truth[:, None, :, 2:]),
    )
    sides = tf.nn.relu(last - first)
    shared = sides[..., 0] * sides[..., 1]
    union = boxes_tf.area(flat)[:, :, None] + boxes_tf.area(truth)[:, None, :] - shared
    return tf.reshape(tf.reduce_any(shared > threshold * union, axis=2), shape[:4])
