"""Initialisers of the NumPy network against theory and against the laws of Keras."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from course_utils import scratch

DENSE, CONVOLUTION = (300, 200), (3, 3, 48, 64)
FANS = {DENSE: (300, 200), CONVOLUTION: (9 * 48, 9 * 64)}
CASES = {
    "RandomNormal": lambda fan_in, fan_out: 0.05**2,
    "GlorotUniform": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "GlorotNormal": lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    "HeUniform": lambda fan_in, fan_out: 2 / fan_in,
    "HeNormal": lambda fan_in, fan_out: 2 / fan_in,
}


@pytest.mark.parametrize("shape", [DENSE, CONVOLUTION])
@pytest.mark.parametrize("name", CASES)
def test_mean_and_variance_are_those_of_the_paper(name, shape):
    sample = getattr(scratch, name)()(shape, seed=0, dtype="float64")
    variance = CASES[name](*FANS[shape])
    assert sample.shape == shape
    assert abs(sample.mean()) < 5 * np.sqrt(variance / sample.size)
    assert sample.var() == pytest.approx(variance, rel=5 * np.sqrt(2 / sample.size))


@pytest.mark.parametrize("shape", [DENSE, CONVOLUTION])
@pytest.mark.parametrize("name", CASES)
def test_law_is_that_of_keras(name, shape):
    ours = getattr(scratch, name)()(shape, seed=1)
    theirs = keras.ops.convert_to_numpy(getattr(keras.initializers, name)(seed=1)(shape))
    assert stats.ks_2samp(ours.ravel(), theirs.ravel()).pvalue > 1e-3
    assert ours.min() == pytest.approx(theirs.min(), rel=0.3)
    if name != "RandomNormal":  # the others are bounded, and both samples nearly reach the bound
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)


@settings(deadline=None, max_examples=25)
@given(rows=st.integers(1, 40), columns=st.integers(1, 40), seed=st.integers(0, 2**32 - 1), gain=st.floats(0.1, 3))
def test_orthogonal_matrices_are_orthogonal(rows, columns, seed, gain):
    q = scratch.Orthogonal(gain)((rows, columns), seed=seed, dtype="float64") / gain
    gram = q.T @ q if rows >= columns else q @ q.T
    np.testing.assert_allclose(gram, np.eye(min(rows, columns)), atol=1e-10)


def test_orthogonal_kernels_of_higher_rank():
    q = scratch.Orthogonal()((3, 3, 4, 8), seed=0, dtype="float64").reshape(-1, 8)
    np.testing.assert_allclose(q.T @ q, np.eye(8), atol=1e-10)


def test_orthogonal_matrices_are_uniform():
    rng = np.random.default_rng(0)
    sample = np.stack([scratch.Orthogonal()((3, 3), seed=rng, dtype="float64") for _ in range(2000)])
    reference = stats.ortho_group.rvs(3, 2000, random_state=1)
    for i in range(3):  # without the correction of signs, the diagonal leans to one side
        assert stats.ks_2samp(sample[:, i, i], reference[:, i, i]).pvalue > 1e-3
    assert stats.ks_2samp(np.trace(sample, axis1=1, axis2=2), np.trace(reference, axis1=1, axis2=2)).pvalue > 1e-3


def test_zeros_dtype_and_seed():
    assert not scratch.Zeros()((3, 4)).any()
    for name in (*CASES, "Orthogonal", "Zeros"):
        initializer = getattr(scratch, name)()
        assert initializer((5, 4)).dtype == np.float32
        np.testing.assert_array_equal(initializer((5, 4), seed=3), initializer((5, 4), seed=3))
    rng = np.random.default_rng(0)
    first, second = (scratch.HeNormal()((5, 4), seed=rng) for _ in range(2))
    assert (first != second).all()
