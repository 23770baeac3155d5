"""Poolings against Keras, outputs and gradients."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import scratch

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from(["float32", "float64"])
TOLERANCES = {"float32": 1e-5, "float64": 1e-10}


def assert_same(ours, theirs, dtype):
    assert ours.dtype == dtype
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCES[dtype] * max(1.0, np.abs(theirs).max()))


def keras_pooling(layer, x, seed):
    """Output of a Keras layer, a random upstream gradient, and the gradient with respect to the input."""
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        y = layer(variable)
    upstream = np.random.default_rng(seed).standard_normal(y.shape).astype(x.dtype)
    return y.numpy(), upstream, tape.gradient(y, variable, output_gradients=tf.constant(upstream)).numpy()


@st.composite
def poolings(draw):
    """Shape of an input, size, strides and padding of a pooling that fits in it."""
    rank = draw(st.sampled_from([1, 2]))
    pool = tuple(draw(st.integers(1, 3)) for _ in range(rank))
    padding = draw(st.sampled_from(["valid", "same"]))
    size = tuple(draw(st.integers(f, 8)) for f in pool)
    # Keras wants the same strides on both axes.
    strides = draw(st.one_of(st.none(), st.integers(1, 3).map(lambda s: (s,) * rank)))
    return (draw(st.integers(1, 3)), *size, draw(st.integers(1, 4))), (pool, strides, padding)


@settings(deadline=None, max_examples=80)
@given(kind=st.sampled_from(["Max", "Average"]), case=poolings(), ties=st.booleans(), dtype=DTYPES, seed=SEEDS)
def test_pooling_equals_keras(kind, case, ties, dtype, seed):
    shape, arguments = case
    rng = np.random.default_rng(seed)
    x = (rng.integers(-2, 1, shape) if ties else rng.standard_normal(shape)).astype(dtype)
    name = f"{kind}Pooling{len(shape) - 2}D"
    y, upstream, gradient = keras_pooling(getattr(keras.layers, name)(*arguments, dtype=dtype), x, seed)
    layer = getattr(scratch, name)(*arguments)
    assert_same(layer.forward(x), y, dtype)
    assert_same(layer.backward(upstream), gradient, dtype)
    assert layer.output_shape((None, *shape[1:])) == (None, *y.shape[1:])


@settings(deadline=None, max_examples=40)
@given(case=poolings(), dtype=DTYPES, seed=SEEDS)
def test_sum_pooling_is_a_convolution_by_ones(case, dtype, seed):
    shape, (pool, strides, padding) = case
    rng = np.random.default_rng(seed)
    x, channels = rng.standard_normal(shape).astype(dtype), shape[-1]
    kernel = tf.constant(np.ones(pool)[..., None, None] * np.eye(channels), dtype)
    if strides is None and len(set(pool)) > 1:
        strides = (2,) * len(pool)  # TensorFlow wants the same strides on both axes
    convolve = lambda v: tf.nn.convolution(v, kernel, strides=strides or pool, padding=padding.upper())  # noqa: E731
    y, upstream, gradient = keras_pooling(convolve, x, seed)
    layer = (scratch.SumPooling1D if len(pool) == 1 else scratch.SumPooling2D)(pool, strides, padding)
    assert_same(layer.forward(x), y, dtype)
    assert_same(layer.backward(upstream), gradient, dtype)


@settings(deadline=None, max_examples=40)
@given(
    name=st.sampled_from([f"Global{kind}Pooling{rank}D" for kind in ("Average", "Max") for rank in (1, 2)]),
    sizes=st.tuples(*[st.integers(1, 6)] * 4),
    ties=st.booleans(),
    dtype=DTYPES,
    seed=SEEDS,
)
def test_global_pooling_equals_keras(name, sizes, ties, dtype, seed):
    shape = sizes if "2D" in name else sizes[:3]
    rng = np.random.default_rng(seed)
    x = (rng.integers(-2, 1, shape) if ties else rng.standard_normal(shape)).astype(dtype)
    y, upstream, gradient = keras_pooling(getattr(keras.layers, name)(dtype=dtype), x, seed)
    layer = getattr(scratch, name)()
    assert_same(layer.forward(x), y, dtype)
    assert_same(layer.backward(upstream), gradient, dtype)
    assert layer.output_shape((None, *shape[1:])) == (None, shape[-1])


def test_equal_maxima_give_the_gradient_to_the_first():
    layer = scratch.MaxPooling2D(2)
    assert layer(np.full((1, 2, 2, 1), 7.0)).item() == 7
    assert layer.backward(np.full((1, 1, 1, 1), 3.0))[0, :, :, 0].tolist() == [[3, 0], [0, 0]]


def test_small_tables_of_integers():
    x = np.array([[1, 3, 2, 4], [5, 6, 1, 2], [7, 2, 9, 1], [3, 1, 0, 8]])[None, ..., None]
    assert scratch.MaxPooling2D()(x)[0, :, :, 0].tolist() == [[6, 4], [7, 9]]
    assert scratch.AveragePooling2D()(x)[0, :, :, 0].tolist() == [[3.75, 2.25], [3.25, 4.5]]
    assert scratch.SumPooling2D()(x)[0, :, :, 0].tolist() == [[15, 9], [13, 18]]
    assert scratch.MaxPooling2D(3, 3, "same")(-1 - x)[0, :, :, 0].tolist() == [[-2, -2], [-2, -1]]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: scratch.MaxPooling2D(0), "pool_size vaut 0"),
        (lambda: scratch.MaxPooling2D(2, 0), "strides vaut 0"),
        (lambda: scratch.MaxPooling2D(padding="full"), "padding vaut 'full'.*'valid'.*'same'"),
        (lambda: scratch.MaxPooling2D(9)(np.ones((1, 8, 8, 1))), "couvre 9 cases.*que 8"),
        (lambda: scratch.AveragePooling2D()(np.ones((8, 8, 1))), r"lot d'images.*\(8, 8, 1\).*np.newaxis"),
        (lambda: scratch.GlobalMaxPooling1D()(np.ones((1, 8, 8, 1))), "lot de séquences"),
        (lambda: scratch.GlobalAveragePooling2D()(np.ones((8, 64))), "aplaties"),
    ],
)
def test_bad_input_says_what_to_do(make, message):
    with pytest.raises(ValueError, match=message):
        make()
