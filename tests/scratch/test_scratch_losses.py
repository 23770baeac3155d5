"""Losses and penalties of the NumPy network against Keras: values and gradients, in float64."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from sklearn.metrics import accuracy_score

from course_utils import scratch

SHAPES = array_shapes(min_dims=2, max_dims=4, max_side=6)
CLASS_SHAPES = st.tuples(array_shapes(max_dims=3, max_side=6), st.integers(2, 6)).map(lambda s: (*s[0], s[1]))
SEEDS = st.integers(0, 2**32 - 1)


def assert_same(ours, theirs):
    np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-12)


def value_and_gradient(loss, y_true, y_pred):
    variable = tf.constant(y_pred)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = loss(tf.constant(y_true), variable)
    return value, tape.gradient(value, variable)


def assert_equals(ours, theirs, y_true, y_pred):
    value, gradient = value_and_gradient(theirs, y_true, y_pred)
    assert_same(ours(y_true, y_pred), value)
    assert_same(ours.gradient(y_true, y_pred), gradient)


@settings(deadline=None, max_examples=25)
@given(shape=SHAPES, seed=SEEDS)
def test_mean_squared_error(shape, seed):
    rng = np.random.default_rng(seed)
    reference = keras.losses.MeanSquaredError(dtype="float64")
    assert_equals(scratch.MeanSquaredError(), reference, rng.standard_normal(shape), rng.standard_normal(shape))


@settings(deadline=None, max_examples=25)
@given(shape=SHAPES, seed=SEEDS, scale=st.sampled_from([1.0, 20.0, 1e3]))
def test_binary_cross_entropy_on_logits(shape, seed, scale):
    rng = np.random.default_rng(seed)
    reference = keras.losses.BinaryCrossentropy(from_logits=True, dtype="float64")
    y_true = rng.integers(0, 2, shape).astype(float)
    assert_equals(scratch.BinaryCrossEntropy(from_logits=True), reference, y_true, scale * rng.standard_normal(shape))


@settings(deadline=None, max_examples=25)
@given(shape=SHAPES, seed=SEEDS)
def test_binary_cross_entropy_on_probabilities(shape, seed):
    rng = np.random.default_rng(seed)
    y_pred = rng.uniform(0, 1, shape)
    y_pred.flat[: y_pred.size // 3] = rng.choice([0.0, 1.0, 1e-9], y_pred.size // 3)  # where Keras clips
    reference = keras.losses.BinaryCrossentropy(dtype="float64")
    assert_equals(scratch.BinaryCrossEntropy(), reference, rng.integers(0, 2, shape).astype(float), y_pred)


@settings(deadline=None, max_examples=25)
@given(shape=CLASS_SHAPES, seed=SEEDS, scale=st.sampled_from([1.0, 30.0, 1e4]))
def test_softmax_cross_entropy(shape, seed, scale):
    rng = np.random.default_rng(seed)
    logits, labels, ours = (
        scale * rng.standard_normal(shape),
        rng.integers(0, shape[-1], shape[:-1]),
        scratch.SoftmaxCrossEntropy(),
    )
    sparse = keras.losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float64")
    assert_equals(ours, sparse, labels, logits)
    soft = rng.dirichlet(np.ones(shape[-1]), shape[:-1])
    dense = keras.losses.CategoricalCrossentropy(from_logits=True, dtype="float64")
    assert_equals(ours, dense, np.eye(shape[-1])[labels], logits)
    assert_equals(ours, dense, soft, logits)


@settings(deadline=None, max_examples=25)
@given(shape=CLASS_SHAPES, seed=SEEDS)
def test_categorical_cross_entropy(shape, seed):
    rng = np.random.default_rng(seed)
    logits, labels, ours = (
        rng.standard_normal(shape),
        rng.integers(0, shape[-1], shape[:-1]),
        scratch.CategoricalCrossEntropy(),
    )
    hot = np.eye(shape[-1])[labels]
    softmax = scratch.Softmax()
    p = softmax.forward(logits)
    for keras_loss, y_true in (
        (keras.losses.CategoricalCrossentropy(dtype="float64"), hot),
        (keras.losses.SparseCategoricalCrossentropy(dtype="float64"), labels),
    ):
        value, gradient = value_and_gradient(lambda t, z, f=keras_loss: f(t, tf.nn.softmax(z)), y_true, logits)
        assert_same(ours(y_true, p), value)
        assert_same(softmax.backward(ours.gradient(y_true, p)), gradient)
    # Before the softmax, the definition itself.
    count = logits.size / shape[-1]
    assert_equals(ours, lambda t, q: -tf.reduce_sum(t * tf.math.log(q)) / count, hot, p)


def test_categorical_cross_entropy_stays_finite_where_keras_clips():
    y_true, y_pred = np.eye(2)[[0, 1, 0]], np.array([[0.0, 1.0], [0.0, 1.0], [0.3, 0.7]])
    ours = scratch.CategoricalCrossEntropy()
    assert_same(ours(y_true, y_pred), keras.losses.CategoricalCrossentropy(dtype="float64")(y_true, y_pred))
    assert_equals(
        ours, lambda t, q: -tf.reduce_sum(t * tf.math.log(tf.clip_by_value(q, 1e-7, 1 - 1e-7))) / 3, y_true, y_pred
    )


@pytest.mark.parametrize(
    ("q", "expected"), [([0.4, 0.3, 0.05, 0.05, 0.2], 0.916), ([0.98, 0.01, 0.0, 0.0, 0.01], 0.020)]
)
def test_worked_figures_of_the_programme(q, expected):
    value = scratch.CategoricalCrossEntropy()(np.array([[1, 0, 0, 0, 0]]), np.array([q]))
    assert round(value, 3) == expected


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (scratch.L1(0.02), keras.regularizers.L1(0.02)),
        (scratch.L2(0.03), keras.regularizers.L2(0.03)),
        (scratch.L1L2(0.02, 0.03), keras.regularizers.L1L2(0.02, 0.03)),
        (scratch.L1(), keras.regularizers.get("l1")),
        (scratch.L2(), keras.regularizers.get("l2")),
    ],
)
def test_penalties_equal_keras(ours, theirs):
    w = np.random.default_rng(0).standard_normal((7, 5))
    w[0] = 0
    variable = tf.constant(w)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = theirs(variable)
    assert_same(ours(w), value)
    assert_same(ours.gradient(w), tape.gradient(value, variable))


def test_accuracy_equals_scikit_learn():
    rng = np.random.default_rng(0)
    labels, logits = rng.integers(0, 4, 200), rng.standard_normal((200, 4))
    expected = accuracy_score(labels, logits.argmax(1))
    for loss in (scratch.SoftmaxCrossEntropy(), scratch.CategoricalCrossEntropy(), scratch.MeanSquaredError()):
        assert loss.accuracy(np.eye(4)[labels], logits) == pytest.approx(expected)
    assert scratch.SoftmaxCrossEntropy().accuracy(labels, logits) == pytest.approx(expected)
    yes, z = rng.integers(0, 2, 200), rng.standard_normal((200, 1))
    p = 1 / (1 + np.exp(-z))
    expected = accuracy_score(yes, z[:, 0] > 0)
    assert scratch.BinaryCrossEntropy(from_logits=True).accuracy(yes, z) == pytest.approx(expected)
    assert scratch.BinaryCrossEntropy().accuracy(yes, p) == pytest.approx(expected)
    many, scores = rng.integers(0, 2, (200, 3)), rng.uniform(0, 1, (200, 3))
    expected = accuracy_score(many.ravel(), scores.ravel() > 0.5)
    assert scratch.BinaryCrossEntropy().accuracy(many, scores) == pytest.approx(expected)


@pytest.mark.parametrize("loss", [scratch.MeanSquaredError(), scratch.BinaryCrossEntropy()])
def test_flat_targets_mean_one_column_and_are_never_broadcast(loss):
    y_true, y_pred = np.array([0.0, 1.0, 1.0]), np.array([[0.2], [0.6], [0.9]])
    assert loss(y_true, y_pred) == loss(y_true[:, None], y_pred)
    assert loss.gradient(y_true, y_pred).shape == (3, 1)
    with pytest.raises(ValueError, match=r"forme \(3,\).*forme \(3, 3\)"):
        loss(y_true, np.full((3, 3), 0.5))


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (np.array([0, 3]), "de 0 à 3.*3 valeurs.*de 0 à 2"),
        (np.array([-1, 0]), "de -1 à 0.*de 0 à 2"),
        (np.array([0.0, 1.0]), r"float64.*y\.astype\(int\)"),
        (np.array(["a", "b"]), "type <U1.*entiers"),
        (np.array([0, 1, 2]), r"\(3,\).*\(2, 3\).*Flatten"),
    ],
)
def test_bad_labels_say_what_to_do(labels, message):
    with pytest.raises(ValueError, match=message):
        scratch.SoftmaxCrossEntropy()(labels, np.zeros((2, 3)))
