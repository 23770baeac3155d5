"""Layers of the NumPy network against those of Keras: outputs, gradients, moving averages, in float64."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from course_utils import scratch

SHAPES = array_shapes(min_dims=2, max_dims=4, max_side=6)
SEEDS = st.integers(0, 2**32 - 1)


def keras_gradients(layer, x, upstream, training):
    """Output of a Keras layer, then gradients with respect to its input and to its trainable weights."""
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        y = layer(variable, training=training)
    gradients = tape.gradient(y, [variable, *layer.trainable_variables], output_gradients=tf.constant(upstream))
    return y, gradients


def assert_same(ours, theirs):
    # Relative to the largest entry: TensorFlow keeps the slope of its leaky ReLU in float32, 1e-8 away from 0.2.
    theirs = np.asarray(theirs)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-6 * np.abs(theirs).max() + 1e-12)


@settings(deadline=None, max_examples=40)
@given(
    shape=SHAPES,
    units=st.integers(2, 5),
    activation=st.sampled_from([None, "sigmoid", "tanh", "elu", "leaky_relu", "softmax"]),
    use_bias=st.booleans(),
    seed=SEEDS,
)
def test_dense_equals_keras(shape, units, activation, use_bias, seed):
    rng = np.random.default_rng(seed)
    x, upstream = rng.standard_normal(shape), rng.standard_normal((*shape[:-1], units))
    ours = scratch.Dense(units, activation, use_bias=use_bias, bias_initializer="random_normal")
    ours.build(shape, seed=seed, dtype="float64")
    theirs = keras.layers.Dense(units, activation, use_bias=use_bias, dtype="float64")
    theirs.build(shape)
    theirs.set_weights(list(ours.params.values()))
    y, gradients = keras_gradients(theirs, x, upstream, training=True)
    assert_same(ours.forward(x, training=True), y)
    assert_same(ours.backward(upstream), gradients[0])
    for name, gradient in zip(ours.params, gradients[1:], strict=True):
        assert_same(ours.grads[name], gradient)
    assert ours.output_shape((None, *shape[1:])) == theirs.compute_output_shape((None, *shape[1:]))


@settings(deadline=None, max_examples=40)
@given(shape=SHAPES, training=st.booleans(), seed=SEEDS, momentum=st.sampled_from([0.99, 0.5]))
def test_batch_normalization_equals_keras(shape, training, seed, momentum):
    rng = np.random.default_rng(seed)
    x, upstream = 3 + 2 * rng.standard_normal(shape), rng.standard_normal(shape)
    ours = scratch.BatchNormalization(momentum=momentum).build(shape, dtype="float64")
    theirs = keras.layers.BatchNormalization(momentum=momentum, dtype="float64")
    theirs.build(shape)
    start = [rng.uniform(0.5, 2, shape[-1:]) for _ in range(4)]
    theirs.set_weights(start)
    for array, value in zip((*ours.params.values(), *ours.state.values()), start, strict=True):
        array[...] = value
    y, gradients = keras_gradients(theirs, x, upstream, training)
    assert_same(ours.forward(x, training), y)
    assert_same(ours.backward(upstream), gradients[0])
    assert_same(ours.grads["gamma"], gradients[1])
    assert_same(ours.grads["beta"], gradients[2])
    for array, value in zip(ours.state.values(), theirs.get_weights()[2:], strict=True):
        assert_same(array, value)


def test_batch_normalization_defaults_are_those_of_keras():
    ours, theirs = scratch.BatchNormalization(), keras.layers.BatchNormalization()
    assert (ours.momentum, ours.epsilon) == (theirs.momentum, theirs.epsilon)
    ours.build((None, 3)), theirs.build((None, 3))
    for array, value in zip((*ours.params.values(), *ours.state.values()), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(array, value)


@settings(deadline=None, max_examples=25)
@given(shape=SHAPES, seed=SEEDS)
def test_flatten_equals_keras(shape, seed):
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape)
    ours, theirs = scratch.Flatten(), keras.layers.Flatten(dtype="float64")
    upstream = rng.standard_normal((shape[0], int(np.prod(shape[1:]))))
    y, gradients = keras_gradients(theirs, x, upstream, training=True)
    np.testing.assert_array_equal(ours.forward(x), y)
    np.testing.assert_array_equal(ours.backward(upstream), gradients[0])
    assert ours.output_shape((None, *shape[1:])) == theirs.compute_output_shape((None, *shape[1:]))


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dropout_statistics(rate, dtype):
    layer = scratch.Dropout(rate).build((None, 500), seed=0)
    x = np.random.default_rng(1).uniform(1, 2, (400, 500)).astype(dtype)
    y = layer.forward(x, training=True)
    kept = y != 0
    deviation = np.sqrt(rate * (1 - rate) / x.size)
    assert abs(kept.mean() - (1 - rate)) <= 5 * deviation  # binomial law
    np.testing.assert_allclose(y[kept], x[kept] / (1 - rate), rtol=1e-6)
    assert abs(y.mean() / x.mean() - 1) <= 6 * deviation / (1 - rate)
    assert y.dtype == dtype
    # The layer is linear in x, mask given: its gradient is the mask itself.
    np.testing.assert_array_equal(layer.backward(x), y)


def test_dropout_draws_a_new_mask_each_time_and_rests_in_prediction():
    layer = scratch.Dropout(0.5).build((None, 50), seed=0)
    x = np.ones((10, 50), np.float32)
    assert (layer.forward(x, training=True) != layer.forward(x, training=True)).any()
    np.testing.assert_array_equal(layer.forward(x), x)
    np.testing.assert_array_equal(layer.backward(x), x)


def test_layers_build_themselves_at_the_first_call_in_the_dtype_of_the_data():
    for dtype in ("float32", "float64"):
        layer = scratch.Dense(3)
        assert layer.forward(np.ones((2, 5), dtype)).dtype == dtype
        assert layer.params["kernel"].shape == (5, 3)
    assert scratch.Dense(3)([[1, 2], [3, 4]]).shape == (2, 3)
    alone, other = scratch.Dense(3), scratch.Dense(3)
    assert (alone(np.ones((1, 4))) != other(np.ones((1, 4)))).any()  # unseeded layers are not copies of each other


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: scratch.Dense(0), "units vaut 0"),
        (lambda: scratch.Dense(2.5), "units vaut 2.5"),
        (lambda: scratch.LeakyReLU(-0.1), "negative_slope vaut -0.1"),
        (lambda: scratch.ELU(-1.0), "alpha vaut -1.0"),
        (lambda: scratch.Dense(3, "reluu"), "'reluu' n'est pas connu.*relu, leaky_relu"),
        (lambda: scratch.Dense(3, kernel_initializer="he"), "'he' n'est pas connu.*he_uniform"),
        (lambda: scratch.Dense(3, kernel_regularizer=0.1), "0.1 n'est pas connu.*l2"),
        (lambda: scratch.Dropout(1.0), "rate vaut 1.0.*de 0 inclus à 1 exclu"),
        (lambda: scratch.Dense(3).build((None, 4)).forward(np.ones((2, 5))), r"4 valeurs.*\(2, 5\)"),
        (lambda: scratch.BatchNormalization().build((None, 4)).forward(np.ones((2, 5))), r"4 valeurs.*\(2, 5\)"),
    ],
)
def test_bad_input_says_what_to_do(make, message):
    with pytest.raises(ValueError, match=message):
        make()
