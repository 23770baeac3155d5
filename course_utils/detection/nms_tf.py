"""Non-maximum suppression as a TensorFlow operation, to be called inside a ``tf.function``.

Same indices as `nms` for the kinds ``"greedy"`` and ``"diou"``.
"""

from __future__ import annotations

from typing import Any, Literal

import tensorflow as tf

from course_utils.detection.boxes_tf import diou, iou


def nms(
    boxes: Any,
    scores: Any,
    *,
    threshold: float = 0.45,
    classes: Any = None,
    kind: Literal["greedy", "diou"] = "greedy",
    beta: float = 0.6,
    max_boxes: int = 300,
    max_candidates: int = 1000,
    score_threshold: float = 0.0,
) -> tf.Tensor:
    """Choose the boxes to keep.

    Parameters
    ----------
    boxes : tensor of float32, shape (n, 4)
        Corners (x1, y1, x2, y2); n may be unknown when the graph is made.
    scores : tensor of float32, shape (n,)
        Confidences.
    threshold : float
        A box is discarded when its overlap with a kept one is strictly above.
    classes : tensor of int, shape (n,), optional
        When given, a box only discards those of its own class.
    kind : {"greedy", "diou"}
        IoU, or IoU − (d²/c²)^beta, Darknet's with ``beta=0.6`` (see `nms.nms`).
    beta : float
        Exponent of ``"diou"``.
    max_boxes : int
        Largest number of boxes kept, all classes together.
    max_candidates : int
        Only the most confident are compared: the table of overlaps has this side at most.
    score_threshold : float
        Boxes whose score is not strictly above are left out.

    Returns
    -------
    tensor of int32, shape (k,)
        Indices into `boxes`, most confident first.

    Raises
    ------
    ValueError
        If the kind is not one of these two.
    """
    if kind not in ("greedy", "diou"):
        raise ValueError(
            f"kind={kind!r} : la version TensorFlow connaît 'greedy' et 'diou' ; pour les autres, "
            "course_utils.detection.nms.nms."
        )
    boxes, scores = tf.cast(boxes, tf.float32), tf.cast(scores, tf.float32)
    candidates = tf.reshape(tf.where(scores > score_threshold), [-1])
    count = tf.minimum(tf.size(candidates), max_candidates)
    best = tf.gather(candidates, tf.math.top_k(tf.gather(scores, candidates), count).indices)
    chosen = tf.gather(boxes, best)
    overlaps = iou(chosen, chosen) if kind == "greedy" else diou(chosen, chosen, beta=beta)
    if classes is not None:
        owners = tf.gather(classes, best)
        # Below any threshold: boxes of two classes ignore each other.
        overlaps = tf.where(owners[:, None] == owners[None, :], overlaps, tf.constant(-2.0))
    kept = tf.image.non_max_suppression_overlaps(overlaps, tf.gather(scores, best), max_boxes, threshold)
    return tf.cast(tf.gather(best, kept), tf.int32)
