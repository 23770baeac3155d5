"""Dtypes in which Keras and the NumPy network are compared."""

from __future__ import annotations

from contextlib import contextmanager

import keras
import pytest


@contextmanager
def keras_computing_in(name):
    """Let every layer, loss, optimiser and metric of Keras compute in this dtype."""
    floatx, policy = keras.config.floatx(), keras.config.dtype_policy()
    keras.config.set_floatx(name)
    keras.config.set_dtype_policy(name)
    yield name
    keras.config.set_floatx(floatx)
    keras.config.set_dtype_policy(policy)


@pytest.fixture
def float64():
    """Exact enough to tell a formula from another."""
    with keras_computing_in("float64") as name:
        yield name


@pytest.fixture(params=["float64", "float32"])
def dtype(request):
    """The same test in both."""
    with keras_computing_in(request.param) as name:
        yield name
