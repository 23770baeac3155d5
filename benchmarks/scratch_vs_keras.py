"""Training time and test accuracy of the NumPy network and of its Keras twin, on scikit-learn's digits and on MNIST.

Same architecture, initial weights, optimiser, batch size and number of epochs; Keras compiles its step during a first
short fit, which is not counted.
"""

from __future__ import annotations

import os
import time
from pathlib import Path

from course_utils import data, scratch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def numpy_network(hidden, rate, steps):
    layers = [scratch.Dense(units, "relu") for units in hidden]
    net = scratch.Sequential([*layers, scratch.BatchNormalization(), scratch.Dense(10)])
    net.compile(scratch.Adam(lambda step: rate * (1 - step / steps)), scratch.SoftmaxCrossEntropy())
    return net


def keras_network(hidden, rate, steps):
    import keras

    layers = [keras.layers.Dense(units, "relu") for units in hidden]
    net = keras.Sequential([*layers, keras.layers.BatchNormalization(), keras.layers.Dense(10)])
    schedule = keras.optimizers.schedules.PolynomialDecay(rate, steps, 0.0)
    net.compile(keras.optimizers.Adam(schedule), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    keras.utils.disable_interactive_logging()
    return net


def measure(net, weights, train, test, epochs, batch_size):
    """Return seconds of training, wall-clock and processor, and test accuracy."""
    net.fit(train.flat[:batch_size], train.labels[:batch_size], batch_size=batch_size, verbose=0)
    net.set_weights(weights)
    wall, processor = time.perf_counter(), time.process_time()
    net.fit(train.flat, train.labels, epochs=epochs, batch_size=batch_size, verbose=0)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    return wall, processor, (net.predict(test.flat).argmax(axis=1) == test.labels).mean()


def compare(name, hidden, rate, epochs, batch_size):
    train, test = data.load(name), data.load(name, split="test")
    shape = (None, train.flat.shape[1])
    steps = 1 + epochs * -(-len(train) // batch_size)
    ours, theirs = numpy_network(hidden, rate, steps), keras_network(hidden, rate, steps)
    ours.build(shape)
    theirs.build(shape)
    weights = ours.get_weights()
    results = {}
    for library, net in (("NumPy", ours), ("Keras", theirs)):
        results[library] = measure(net, weights, train, test, epochs, batch_size)
    print(f"{name} ({train.source}): {len(train)} images, {epochs} epochs, batches of {batch_size}, layers {hidden}")
    for library, (wall, processor, accuracy) in results.items():
        print(f"  {library}: {wall:6.2f} s ({processor:6.2f} s of processor), accuracy {accuracy:.2%}")
    wall, processor = (results["NumPy"][i] / results["Keras"][i] for i in range(2))
    print(f"  NumPy / Keras: {wall:.2f} in time, {processor:.2f} in processor time")


if __name__ == "__main__":
    compare("digits", (256,), 0.005, epochs=30, batch_size=32)
    if (Path(os.environ.get("COURSE_DATA", "absent")) / "mnist").is_dir():
        compare("mnist", (128, 64), 0.003, epochs=4, batch_size=128)
    else:
        print("mnist: COURSE_DATA is unset or does not hold it")
