"""Box scores of the losses: values and gradients, against torchvision's published formulas and finite differences."""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.detection import boxes, boxes_tf

KINDS = ("iou", "giou", "diou", "ciou")


def published(torch, kind: str, a, b, eps: float):
    """Score (1 − loss) as in torchvision.ops: _loss_inter_union, giou_loss.py, diou_loss.py, ciou_loss.py."""
    x1, y1, x2, y2 = a.unbind(-1)
    x1g, y1g, x2g, y2g = b.unbind(-1)
    xkis1, ykis1 = torch.max(x1, x1g), torch.max(y1, y1g)
    xkis2, ykis2 = torch.min(x2, x2g), torch.min(y2, y2g)
    overlapping = (ykis2 > ykis1) & (xkis2 > xkis1)
    common = torch.where(overlapping, (xkis2 - xkis1) * (ykis2 - ykis1), torch.zeros_like(x1))
    union = (x2 - x1) * (y2 - y1) + (x2g - x1g) * (y2g - y1g) - common
    iou = common / (union + eps)
    if kind == "iou":
        return iou
    xc1, yc1, xc2, yc2 = torch.min(x1, x1g), torch.min(y1, y1g), torch.max(x2, x2g), torch.max(y2, y2g)
    if kind == "giou":
        enclosing = (xc2 - xc1) * (yc2 - yc1)
        return iou - (enclosing - union) / (enclosing + eps)
    diagonal = (xc2 - xc1) ** 2 + (yc2 - yc1) ** 2 + eps
    distance = ((x2 + x1) / 2 - (x1g + x2g) / 2) ** 2 + ((y2 + y1) / 2 - (y1g + y2g) / 2) ** 2
    if kind == "diou":
        return iou - distance / diagonal
    gap = torch.atan((x2g - x1g) / (y2g - y1g)) - torch.atan((x2 - x1) / (y2 - y1))
    v = 4 / math.pi**2 * gap**2
    with torch.no_grad():
        alpha = v / (1 - iou + v + eps)
    return iou - distance / diagonal - alpha * v


@functools.cache
def compiled(kind: str, dtype: str):
    @tf.function(input_signature=[tf.TensorSpec((None, 4), dtype)] * 2)
    def differentiate(a, b):
        with tf.GradientTape() as tape:
            tape.watch([a, b])
            score = getattr(boxes_tf, kind)(a, b, paired=True)
        return score, *tape.gradient(score, [a, b])

    return differentiate


def with_gradient(kind: str, a: np.ndarray, b: np.ndarray):
    return [x.numpy() for x in compiled(kind, a.dtype.name)(a, b)]


def reference_with_gradient(kind: str, a: np.ndarray, b: np.ndarray, eps: float):
    torch = pytest.importorskip("torch")
    ta, tb = torch.tensor(a, requires_grad=True), torch.tensor(b, requires_grad=True)
    score = published(torch, kind, ta, tb, eps)
    score.sum().backward()
    return score.detach().numpy(), ta.grad.numpy(), tb.grad.numpy()


# Halves of pixels: boxes often coincide, touch, hold one another, or are segments and points. Where its denominators
# are not 0, torchvision's epsilon of 1e-7 then changes less than 1e-6.
half_pixels = st.one_of(st.integers(0, 8), st.integers(0, 1200)).map(lambda n: n / 2)


@st.composite
def degenerate_or_not(draw):
    x1, x2 = sorted((draw(half_pixels), draw(half_pixels)))
    y1, y2 = sorted((draw(half_pixels), draw(half_pixels)))
    return [x1, y1, x2, y2]


def comparable(kind: str, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Pairs where torchvision's gradient is one: elsewhere it is NaN, or its epsilon's (ours is finite, and tested)."""
    height_a, height_b = a[:, 3] - a[:, 1], b[:, 3] - b[:, 1]
    if kind == "ciou":  # w/h of a flat box is infinite
        return (height_a > 0) & (height_b > 0)
    if kind == "giou":  # both on one line: d(0/0), which torchvision makes d(0)/1e-7
        enclosing = np.maximum(a[:, 2:], b[:, 2:]) - np.minimum(a[:, :2], b[:, :2])
        return enclosing.prod(axis=1) > 0
    return np.ones(len(a), dtype=bool)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(pairs=st.lists(st.tuples(degenerate_or_not(), degenerate_or_not()), min_size=1, max_size=6), same=st.booleans())
def test_values_and_gradients_are_those_of_torchvision(kind, pairs, same):
    a, b = np.array([p for p, _ in pairs]), np.array([q for _, q in pairs])
    if same:
        b = a.copy()
    ours, theirs = with_gradient(kind, a, b), reference_with_gradient(kind, a, b, eps=1e-7)
    assert all(np.isfinite(x).all() for x in ours)
    known = comparable(kind, a, b)
    np.testing.assert_allclose(ours[0], np.where(np.isnan(theirs[0]), ours[0], theirs[0]), rtol=1e-6, atol=1e-6)
    for mine, reference in zip(ours[1:], theirs[1:], strict=True):
        np.testing.assert_allclose(mine[known], reference[known], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1))
def test_values_and_gradients_on_any_real_boxes(kind, seed):
    rng = np.random.default_rng(seed)
    corner, size = rng.uniform(0, 400, (2, 20, 2)), rng.uniform(0.01, 300, (2, 20, 2))
    a, b = np.concatenate([corner, corner + size], axis=-1)
    for mine, reference in zip(with_gradient(kind, a, b), reference_with_gradient(kind, a, b, eps=0.0), strict=True):
        np.testing.assert_allclose(mine, reference, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_are_those_of_finite_differences(kind):
    """Without torch: central differences of the NumPy functions, CIoU's α held constant."""
    rng = np.random.default_rng(5)
    corner, size = rng.uniform(0, 40, (2, 60, 2)), rng.uniform(5, 30, (2, 60, 2))
    a, b = np.concatenate([corner, corner + size], axis=-1)
    score, gradient, _ = with_gradient(kind, a, b)
    np.testing.assert_allclose(score, getattr(boxes, kind)(a, b, paired=True), rtol=0, atol=1e-12)

    def ratio(x):
        gap = np.arctan((x[:, 2] - x[:, 0]) / (x[:, 3] - x[:, 1])) - np.arctan(
            (b[:, 2] - b[:, 0]) / (b[:, 3] - b[:, 1])
        )
        return 4 / np.pi**2 * gap**2

    alpha = ratio(a) / (1 - boxes.iou(a, b, paired=True) + ratio(a))

    def value(x):
        return (
            boxes.diou(x, b, paired=True) - alpha * ratio(x)
            if kind == "ciou"
            else getattr(boxes, kind)(x, b, paired=True)
        )

    step = 1e-5
    numerical = np.stack([(value(a + step * e) - value(a - step * e)) / (2 * step) for e in np.eye(4)], axis=-1)
    np.testing.assert_allclose(gradient, numerical, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", KINDS)
def test_degenerate_boxes_never_give_nan(kind, dtype):
    strange = np.array(
        [[5, 5, 5, 5], [5, 5, 9, 5], [5, 5, 5, 9], [5, 5, 9, 9], [9, 9, 5, 5], [0, 0, 1e-20, 1e-20], [0, 0, 1e4, 1e-3]],
        dtype=dtype,
    )
    a, b = np.repeat(strange, len(strange), 0), np.tile(strange, (len(strange), 1))
    score, *gradients = with_gradient(kind, a, b)
    assert score.dtype == dtype and np.isfinite(score).all()
    assert all(np.isfinite(g).all() for g in gradients)


@pytest.mark.parametrize("kind", KINDS)
def test_a_perfect_box_is_left_alone(kind):
    a = np.array([[10.0, 20.0, 40.0, 60.0]])
    score, gradient, _ = with_gradient(kind, a, a)
    assert score == pytest.approx([1.0]) and np.abs(gradient).max() < 1e-12


def test_only_iou_leaves_a_distant_box_without_a_direction():
    a, b = np.array([[0.0, 0.0, 10.0, 10.0]]), np.array([[30.0, 0.0, 40.0, 10.0]])
    assert np.abs(with_gradient("iou", a, b)[1]).max() == 0
    for kind in ("giou", "diou", "ciou"):
        assert with_gradient(kind, a, b)[1][0, [0, 2]].sum() > 0, "moving to the right must help"


@pytest.mark.parametrize("kind", KINDS)
def test_tables_and_graphs(kind):
    rng = np.random.default_rng(1)
    a = np.sort(rng.uniform(0, 50, (2, 5, 2, 2)), axis=2).reshape(2, 5, 4)
    b = np.sort(rng.uniform(0, 50, (2, 7, 2, 2)), axis=2).reshape(2, 7, 4)
    traced = tf.function(getattr(boxes_tf, kind), input_signature=[tf.TensorSpec((None, None, 4), tf.float64)] * 2)
    np.testing.assert_allclose(traced(a, b), getattr(boxes, kind)(a, b), atol=1e-12)
    assert traced(a[:, :0], b).shape == (2, 0, 7)


def test_darknets_exponent():
    a, b = np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 1, 3, 3]])
    assert boxes_tf.diou(a, b, beta=0.6).numpy()[0, 0] == pytest.approx(1 / 7 - (1 / 9) ** 0.6)


def test_ciou_is_that_of_keras_but_for_its_epsilon():
    keras = pytest.importorskip("keras")
    rng = np.random.default_rng(3)
    corner, size = rng.uniform(0, 40, (2, 60, 2)), rng.uniform(5, 30, (2, 60, 2))
    a, b = np.concatenate([corner, corner + size], axis=-1).astype("float32")
    theirs = keras.utils.bounding_boxes.compute_ciou(a, b, "xyxy")
    np.testing.assert_allclose(boxes_tf.ciou(a, b, paired=True), theirs, atol=1e-5)


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match=r"\(2, 3\).*quatre nombres"):
        boxes_tf.area(tf.zeros((2, 3)))
    with pytest.raises(ValueError, match="tf.cast"):
        boxes_tf.iou(tf.zeros((2, 4)), tf.zeros((2, 4), tf.float64))
