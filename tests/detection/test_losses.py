"""The loss of YOLO: each term against plain loops, and finite whatever the logits."""

from __future__ import annotations

import math

import numpy as np
import pytest
import tensorflow as tf

from course_utils.detection import boxes as np_boxes
from course_utils.detection.yolo.heads import Head
from course_utils.detection.yolo.losses import LossWeights, yolo_loss
from course_utils.detection.yolo.targets import assign

HEADS = (Head(32, np.float32([[40, 40], [60, 30]]), 3, 1.05), Head(16, np.float32([[8, 20], [20, 20]]), 3, 1.2))
SHAPE = (64, 96, 3)
BOXES = [np.float32([[10, 10, 52, 44], [50, 20, 58, 41], [70, 30, 88, 50]]), np.zeros((0, 4), np.float32)]
CLASSES = [np.array([0, 2, 1]), np.array([], int)]


def padded(boxes):
    truth = np.zeros((len(boxes), max(1, *map(len, boxes)), 4), np.float32)
    for row, some in zip(truth, boxes, strict=True):
        row[: len(some)] = some
    return truth


def raw_heads(seed, scale=1.0, dtype=np.float64):
    rng = np.random.default_rng(seed)
    return [
        (scale * rng.normal(size=(len(BOXES), SHAPE[0] // h.stride, SHAPE[1] // h.stride, h.channels))).astype(dtype)
        for h in HEADS
    ]


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def entropy(target, logit):
    p = sigmoid(logit)
    return -target * math.log(p) - (1 - target) * math.log(1 - p)


def plain_loss(raws, boxes, classes, weights, threshold):
    """The three terms, cell after cell, from the formulas of the papers."""
    totals = np.zeros(3)
    grids = assign(boxes, classes, HEADS, SHAPE, iou_threshold=threshold)
    for raw, grid, head in zip(raws, grids, HEADS, strict=True):
        for n, row, column, a in np.ndindex(grid.shape[:4]):
            t = raw[n, row, column, a * 8 : a * 8 + 8]
            centre = [
                (head.scale_xy * sigmoid(t[0]) - (head.scale_xy - 1) / 2 + column) * head.stride,
                (head.scale_xy * sigmoid(t[1]) - (head.scale_xy - 1) / 2 + row) * head.stride,
            ]
            w, h = head.anchors[a][0] * math.exp(t[2]), head.anchors[a][1] * math.exp(t[3])
            box = np.array([[centre[0] - w / 2, centre[1] - h / 2, centre[0] + w / 2, centre[1] + h / 2]])
            target = grid[n, row, column, a]
            if target[5]:
                totals[0] += 1 - np_boxes.ciou(box, target[None, :4].astype(float))[0, 0]
                totals[1] += entropy(1.0, t[4])
                for k in range(3):
                    wanted = 1 - weights.smoothing / 2 if k == target[4] else weights.smoothing / 2
                    totals[2] += entropy(wanted, t[5 + k])
            elif not len(boxes[n]) or np_boxes.iou(box, boxes[n].astype(float)).max() <= weights.ignore:
                totals[1] += entropy(0.0, t[4])
    return totals / len(boxes) * [weights.box, weights.objectness, weights.classes]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    "weights",
    [LossWeights(), LossWeights(box=1.0, objectness=0.5, classes=3.0, ignore=0.2, smoothing=0.1)],
    ids=["default", "other"],
)
def test_each_term_equals_plain_loops(seed, weights):
    raws = raw_heads(seed)
    targets = assign(BOXES, CLASSES, HEADS, SHAPE)
    terms = yolo_loss(raws, targets, padded(BOXES), HEADS, weights)
    expected = plain_loss(raws, BOXES, CLASSES, weights, 0.213)
    np.testing.assert_allclose([terms.box, terms.objectness, terms.classes], expected, rtol=1e-5)
    np.testing.assert_allclose(terms.total, expected.sum(), rtol=1e-5)


def test_the_ignore_threshold_spares_good_boxes_only():
    targets = assign(BOXES, CLASSES, HEADS, SHAPE, iou_threshold=1.0)
    raws = [np.zeros_like(raw) for raw in raw_heads(0)]
    strict, kind = (
        float(yolo_loss(raws, targets, padded(BOXES), HEADS, LossWeights(ignore=level)).objectness)
        for level in (1.0, 0.3)
    )
    cells = sum(target[..., 5].size for target in targets)
    assert strict == pytest.approx(cells * math.log(2) / 2)
    assert kind < strict


def gradients(raws, boxes, classes, weights=None, dtype=tf.float32):
    tensors = [tf.constant(raw, dtype) for raw in raws]
    with tf.GradientTape() as tape:
        tape.watch(tensors)
        terms = yolo_loss(tensors, assign(boxes, classes, HEADS, SHAPE), padded(boxes), HEADS, weights)
    return terms, tape.gradient(terms.total, tensors)


@pytest.mark.parametrize("dtype", [tf.float32, tf.float16, tf.bfloat16], ids=lambda dtype: dtype.name)
@pytest.mark.parametrize("scale", [0.0, 1.0, 100.0, 1e4, 6e4, 1e30])
@pytest.mark.parametrize("empty", [False, True])
def test_loss_and_gradients_stay_finite(dtype, scale, empty):
    boxes = [np.zeros((0, 4), np.float32)] * 2 if empty else BOXES
    classes = [np.array([], int)] * 2 if empty else CLASSES
    for raws in (raw_heads(1, scale), [np.full_like(raw, scale) for raw in raw_heads(1)]):
        for sign in (1, -1):
            terms, grads = gradients([sign * raw for raw in raws], boxes, classes, dtype=dtype)
            assert all(np.isfinite(term) for term in terms)
            assert all(np.isfinite(tf.cast(grad, tf.float32)).all() for grad in grads)
            assert terms.total.dtype == tf.float32


def test_nothing_to_find_pushes_objectness_down_and_nothing_else():
    none = [np.zeros((0, 4), np.float32)] * 2
    terms, grads = gradients(raw_heads(2), none, [np.array([], int)] * 2)
    assert float(terms.box) == float(terms.classes) == 0 < float(terms.objectness)
    for grad, head in zip(grads, HEADS, strict=True):
        parts = grad.numpy().reshape(-1, 8)
        assert (parts[:, 4] > 0).all() and np.abs(np.delete(parts, 4, axis=1)).max() == 0
        assert head.channels == 16


def test_gradients_equal_finite_differences():
    raws = raw_heads(3, 0.5)
    _, grads = gradients(raws, BOXES, CLASSES, LossWeights(smoothing=0.1, ignore=1.0), tf.float64)
    targets, truth = assign(BOXES, CLASSES, HEADS, SHAPE), padded(BOXES)
    rng = np.random.default_rng(0)
    weights = LossWeights(smoothing=0.1, ignore=1.0)
    for k, target in enumerate(targets):
        places = np.argwhere(target[..., 5])
        for n, row, column, a in places[rng.permutation(len(places))[:3]]:
            for channel in (4, 5, 7):  # CIoU's own gradient is checked with it: its weight α is held constant
                where = (n, row, column, a * 8 + channel)
                moved = []
                for step in (1e-5, -1e-5):
                    changed = [raw.copy() for raw in raws]
                    changed[k][where] += step
                    moved.append(float(yolo_loss(changed, targets, truth, HEADS, weights).total))
                assert grads[k].numpy()[where] == pytest.approx((moved[0] - moved[1]) / 2e-5, abs=1e-6)


def test_a_step_against_the_gradient_brings_the_boxes_nearer():
    raws = [tf.Variable(raw, dtype=tf.float32) for raw in raw_heads(4, 0.1)]
    targets, truth = assign(BOXES, CLASSES, HEADS, SHAPE), padded(BOXES)
    seen = []
    for _ in range(60):
        with tf.GradientTape() as tape:
            terms = yolo_loss(raws, targets, truth, HEADS)
        seen.append(float(terms.box))
        for raw, grad in zip(raws, tape.gradient(terms.total, raws), strict=True):
            raw.assign_sub(0.3 * grad)
    assert seen[-1] < 0.2 * seen[0]


def test_new_coords_and_bad_weights_are_refused():
    head = Head(32, np.float32([[40, 40], [60, 30]]), 3, 2.0, new_coords=True)
    with pytest.raises(ValueError, match="attend des logits"):
        yolo_loss(raw_heads(0)[:1], assign(BOXES, CLASSES, [head], SHAPE), padded(BOXES), [head])
    with pytest.raises(ValueError, match="poids positifs"):
        LossWeights(box=-1.0)
