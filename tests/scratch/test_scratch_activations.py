"""Activations of the NumPy network against TensorFlow and Keras: values and derivatives, in float64."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes

from course_utils import scratch

CASES = {
    "linear": (scratch.Linear, lambda x: x),
    "sigmoid": (scratch.Sigmoid, tf.sigmoid),
    "tanh": (scratch.Tanh, tf.tanh),
    "relu": (scratch.ReLU, tf.nn.relu),
    "leaky_relu": (lambda: scratch.LeakyReLU(0.1), lambda x: tf.nn.leaky_relu(x, alpha=0.1)),
    "leaky_relu_default": (scratch.LeakyReLU, keras.layers.LeakyReLU(dtype="float64")),
    "elu": (scratch.ELU, tf.nn.elu),
    "elu_alpha": (lambda: scratch.ELU(0.7), lambda x: keras.activations.elu(x, alpha=0.7)),
    "softmax": (scratch.Softmax, tf.nn.softmax),
}


@pytest.mark.parametrize("name", CASES)
@settings(deadline=None, max_examples=25)
@given(
    shape=array_shapes(min_dims=2, max_dims=4, max_side=6),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-3, 1.0, 30.0]),
)
def test_values_and_gradients_equal_tensorflow(name, shape, seed, scale):
    ours, theirs = CASES[name]
    activation = ours()
    rng = np.random.default_rng(seed)
    x, upstream = scale * rng.standard_normal(shape), rng.standard_normal(shape)
    x.flat[0] = 0.0  # the corner of the ReLU family: the same convention is wanted there too
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        y = theirs(variable)
    expected = tape.gradient(y, variable, output_gradients=tf.constant(upstream))
    np.testing.assert_allclose(activation.forward(x), y, rtol=1e-6, atol=1e-14)
    np.testing.assert_allclose(activation.backward(upstream), expected, rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("name", sorted(set(CASES) - {"softmax"}))
def test_derivative_of_elementwise_activations(name):
    ours, theirs = CASES[name]
    x = np.linspace(-5, 5, 41)
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        y = theirs(variable)
    np.testing.assert_allclose(ours().derivative(x), tape.gradient(y, variable), rtol=1e-6, atol=1e-14)


def test_derivative_of_softmax_is_its_jacobian():
    x = np.random.default_rng(0).standard_normal((3, 5))
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        y = tf.nn.softmax(variable)
    np.testing.assert_allclose(scratch.Softmax().derivative(x), tape.batch_jacobian(y, variable), rtol=1e-6, atol=1e-14)


@pytest.mark.parametrize("name", ["linear", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "softmax"])
def test_names_have_the_constants_of_keras(name):
    x = np.random.default_rng(0).standard_normal((4, 3))
    layer = scratch.Dense(3, name)
    layer.build(x.shape, dtype="float64")
    layer.params["kernel"][...] = np.eye(3)
    np.testing.assert_allclose(layer.forward(x), keras.activations.get(name)(tf.constant(x)), rtol=1e-6)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_dtype_is_kept_and_extreme_inputs_do_not_overflow(name, dtype):
    activation = CASES[name][0]()
    x = np.array([[-1e4, -1.0, 0.0, 1.0, 1e4]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        y = activation(x)
        gradient = activation.backward(np.ones_like(x))
    assert y.dtype == gradient.dtype == dtype
    assert np.isfinite(y).all() and np.isfinite(gradient).all()
