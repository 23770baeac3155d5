"""What the NumPy network reaches on real images, how fast, and its Keras twin beside it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import keras
import numpy as np
import pytest

from course_utils import data, scratch


def seconds_of_training(net, *args, **options):
    start = time.perf_counter()
    net.fit(*args, **options)
    return time.perf_counter() - start


# Keras rounds its constants to float32: with powers of two there is nothing to round.
TINY, ADAM = 2**-10, {"beta_1": 0.875, "beta_2": 1 - 2**-10, "epsilon": 2**-23}
EPOCHS, STEPS = 30, 30 * 45


def digits_network(dtype, rate):
    net = scratch.Sequential(
        [
            scratch.Flatten(),
            scratch.Dense(256, "relu", kernel_regularizer=scratch.L2(TINY)),
            scratch.BatchNormalization(epsilon=TINY),
            scratch.Dense(10),
        ],
        dtype=dtype,
    )
    net.compile(scratch.Adam(rate, **ADAM), "softmax_crossentropy", metrics=["accuracy"])
    return net


def test_digits_at_97_percent_within_ten_seconds():
    train, test = data.load("digits"), data.load("digits", split="test")
    net = digits_network("float32", lambda step: 0.005 * (1 - step / STEPS))
    assert seconds_of_training(net, train.images, train.labels, epochs=EPOCHS, batch_size=32) <= 10
    assert net.evaluate(test.images, test.labels)[1] >= 0.97


def test_digits_with_a_keras_twin(float64):
    # In float64: in float32 roundings grow over 1,350 steps, until equal networks differ by some digits out of 359.
    train, test = data.load("digits"), data.load("digits", split="test")
    schedule = keras.optimizers.schedules.PolynomialDecay(0.005, STEPS, 0.0)
    net = digits_network(float64, lambda step: float(schedule(step)))
    net.build((None, 8, 8, 1))
    twin = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(256, "relu", kernel_regularizer=keras.regularizers.L2(TINY)),
            keras.layers.BatchNormalization(epsilon=TINY),
            keras.layers.Dense(10),
        ]
    )
    twin.compile(
        keras.optimizers.Adam(schedule, **ADAM),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    twin.set_weights(net.get_weights())
    # The epochs end to end, each shuffled: both networks then see the same batches.
    rng = np.random.default_rng(0)
    order = np.concatenate([rng.permutation(len(train)) for _ in range(EPOCHS)])
    x, y = train.images[order], train.labels[order]
    history = net.fit(x, y, batch_size=32, shuffle=False)
    expected = twin.fit(x, y, batch_size=32, shuffle=False, verbose=0).history
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-6)
    loss, accuracy = net.evaluate(test.images, test.labels)
    twin_loss, twin_accuracy = twin.evaluate(test.images, test.labels, verbose=0)
    assert accuracy >= 0.97
    assert abs(accuracy - twin_accuracy) <= 0.005
    assert abs(loss - twin_loss) <= 1e-5 * twin_loss


@pytest.mark.skipif(
    not (Path(os.environ.get("COURSE_DATA", "absent")) / "mnist").is_dir(),
    reason="real MNIST is read from COURSE_DATA, which is unset or does not hold it",
)
def test_mnist_at_97_5_percent_within_a_minute_and_its_keras_twin():
    train, test = data.load("mnist"), data.load("mnist", split="test")
    assert train.source == "COURSE_DATA"
    epochs, batch_size = 4, 128
    steps = epochs * -(-len(train) // batch_size)
    net = scratch.Sequential([scratch.Dense(128, "relu"), scratch.Dense(64, "relu"), scratch.Dense(10)])
    net.compile(scratch.Adam(lambda step: 0.003 * (1 - step / steps)), "softmax_crossentropy", metrics=["accuracy"])
    net.build((None, 784))
    layers = keras.layers
    twin = keras.Sequential(
        [keras.Input((784,)), layers.Dense(128, "relu"), layers.Dense(64, "relu"), layers.Dense(10)]
    )
    twin.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.PolynomialDecay(0.003, steps, 0.0)),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    twin.set_weights(net.get_weights())
    keras.utils.set_random_seed(0)
    seconds = seconds_of_training(net, train.flat, train.labels, epochs=epochs, batch_size=batch_size)
    twin.fit(train.flat, train.labels, epochs=epochs, batch_size=batch_size, verbose=0)
    accuracy = net.evaluate(test.flat, test.labels)[1]
    twin_accuracy = twin.evaluate(test.flat, test.labels, verbose=0)[1]
    assert accuracy >= 0.975
    assert seconds <= 60
    assert abs(accuracy - twin_accuracy) <= 0.005
