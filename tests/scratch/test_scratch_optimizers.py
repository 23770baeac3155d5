"""Optimisers of the NumPy network against those of Keras: the same trajectory for a hundred steps, in float64."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from course_utils import scratch

RULES = keras.optimizers
CASES = {
    "sgd": ("SGD", {"learning_rate": 0.05}),
    "momentum": ("SGD", {"learning_rate": 0.01, "momentum": 0.9}),
    "light momentum": ("SGD", {"learning_rate": 0.1, "momentum": 0.5}),
    "nesterov": ("SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True}),
    "rmsprop": ("RMSprop", {"learning_rate": 0.001, "rho": 0.9, "epsilon": 1e-7}),
    "slow rmsprop": ("RMSprop", {"learning_rate": 0.02, "rho": 0.99, "epsilon": 1e-3}),
    "adam": ("Adam", {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}),
    "fast adam": ("Adam", {"learning_rate": 0.05, "beta_1": 0.5, "beta_2": 0.99, "epsilon": 1e-7}),
    "damped adam": ("Adam", {"learning_rate": 0.01, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 0.1}),
}


def optimizers(name):
    """Ours and that of Keras, with the same constants.

    Keras casts its constants to float32 even when it computes in float64: its 0.999 is 0.99900001, and 1 − 0.999ᵗ, so
    Adam's rate, moves by 1e-5. We round them first: what is left is the formula, which must agree to the last digits.
    """
    rule, options = CASES[name]
    options = {key: value if value is True else float(np.float32(value)) for key, value in options.items()}
    return getattr(scratch, rule)(**options), getattr(RULES, rule)(**options)


def gradient(w):
    """A landscape with valleys, a saddle and steep walls."""
    return np.linspace(0.1, 4, w.size).reshape(w.shape) * w + np.sin(3 * w)


def largest_gap(ours, theirs, steps=100):
    """Largest relative distance between the two trajectories, each on its own gradients."""
    rng = np.random.default_rng(0)
    params = [rng.standard_normal((4, 3)), rng.standard_normal(3)]
    variables = [keras.Variable(w.copy(), dtype="float64") for w in params]
    gaps = []
    for _ in range(steps):
        ours.apply([gradient(w) for w in params], params)
        theirs.apply([gradient(v.numpy()) for v in variables], variables)
        gaps += [np.linalg.norm(w - v) / np.linalg.norm(v) for w, v in zip(params, variables, strict=True)]
    return max(gaps)


@pytest.mark.parametrize("name", CASES)
def test_trajectory_equals_keras(name, float64):
    assert largest_gap(*optimizers(name)) < 1e-9


@pytest.mark.parametrize("rule", ["SGD", "RMSprop", "Adam"])
def test_scheduled_learning_rates_equal_keras(rule, float64):
    schedule = RULES.schedules.ExponentialDecay(2**-4, 10, 0.5)
    options = {"SGD": {"momentum": 0.875}, "RMSprop": {"rho": 0.875}, "Adam": {"beta_1": 0.875, "beta_2": 0.984375}}[
        rule
    ]
    ours = getattr(scratch, rule)(lambda step: float(schedule(step)), **options)
    assert largest_gap(ours, getattr(RULES, rule)(schedule, **options)) < 1e-6


def test_names_are_the_defaults_of_keras(float64):
    for name in ("sgd", "rmsprop", "adam"):
        net = scratch.Sequential([scratch.Dense(1)])
        net.compile(name, "mse")
        config = RULES.get(name).get_config()
        for key, value in vars(net.optimizer).items():
            if key in config:
                assert value == config[key], key


def test_float32_parameters_stay_float32_and_are_changed_in_place():
    w = np.ones((3, 2), np.float32)
    optimizer = scratch.Adam(lambda step: np.float64(0.1))
    optimizer.apply([np.ones_like(w)], [w])
    assert w.dtype == np.float32
    np.testing.assert_allclose(w, 0.9, atol=1e-6)
    assert all(slot.dtype == np.float32 for slots in optimizer.memory for slot in slots)


def test_bad_input_says_what_to_do():
    for make, message in (
        (lambda: scratch.SGD(-0.1), "-0.1.*nombre positif"),
        (lambda: scratch.Adam(0), "0.*nombre positif"),
        (lambda: scratch.SGD(0.1, momentum=1.5), "momentum vaut 1.5"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    for w in (3.0, np.float64(3.0), [1.0, 2.0], np.array([1, 2])):
        with pytest.raises(TypeError, match="modifié sur place"):
            scratch.SGD(0.1).apply([np.ones(np.shape(w))], [w])
    optimizer, w, other = scratch.SGD(0.1, momentum=0.9), np.ones(3), np.ones(3)
    optimizer.apply([np.ones(3)], [w])
    with pytest.raises(ValueError, match="un optimiseur par réseau"):
        optimizer.apply([np.ones(3)], [other])
    for grads in ([np.ones(2)], [np.ones(3)] * 2, []):
        with pytest.raises(ValueError, match=r"paramètres \[\(3,\)\].*un gradient par paramètre"):
            optimizer.apply(grads, [w])
