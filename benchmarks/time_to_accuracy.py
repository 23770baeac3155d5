"""Training time to a test accuracy: the course's recipe (lesson 2-4) against two well-known tutorials.

MNIST, 99 %: the simple convnet of the Keras documentation. CIFAR-10, 70 %: the CNN tutorial of TensorFlow. Their
architecture, optimiser and batch size are untouched, and they have no schedule. Epochs of the two trainings alternate,
so that a busy machine slows both; test accuracy is read after each epoch, and that reading is not counted. Processor
time is given too: it depends less on what else runs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np

from course_utils import data, training

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

LARGEST_RATIO = 1 / 3
"""Of our processor time to theirs; exit status 1 above it, or if our recipe misses the accuracy."""


def keras_documentation():
    """Build https://keras.io/examples/vision/mnist_convnet/."""
    from keras import Input, Sequential, layers

    model = Sequential(
        [
            Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(0.5),
            layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def tensorflow_tutorial():
    """Build https://www.tensorflow.org/tutorials/images/cnn."""
    from keras import Input, Sequential, layers, losses

    model = Sequential(
        [
            Input((32, 32, 3)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(64, 3, activation="relu"),
            layers.Flatten(),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile("adam", losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    return model


class Run:
    """One training, an epoch at a time: ``fit()`` trains for one; its seconds and its accuracies are kept."""

    def __init__(self, name, epochs, model, fit):
        self.name, self.epochs, self.model, self.fit = name, epochs, model, fit
        self.wall = self.processor = 0.0
        self.accuracies = []

    def advance(self, test, target):
        """Run one epoch, then say whether this training has ended: target reached, or no epoch left."""
        wall, processor = time.perf_counter(), time.process_time()
        self.fit()
        self.wall += time.perf_counter() - wall
        self.processor += time.process_time() - processor
        scores = self.model.predict(test.images, batch_size=500, verbose=0)
        self.accuracies.append((scores.argmax(axis=1) == test.labels).mean())
        return self.accuracies[-1] >= target or len(self.accuracies) == self.epochs


def tutorial(name, build, train, batch_size, epochs):
    model = build()
    return Run(name, epochs, model, lambda: model.fit(train.images, train.labels, batch_size=batch_size, verbose=0))


def course(train, filters, epochs, batch_size, peak=0.01):
    """Train as ``training.fit_fast`` does, cut into epochs so that the two trainings can alternate."""
    import keras

    model = training.fast_cnn(train.images.shape[1:], filters=filters)
    schedule = training.warmup_cosine(peak, epochs * (len(train) // batch_size))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(schedule), loss, metrics=["accuracy"])
    batches = training.batches(np.rint(255 * train.images).astype(np.uint8), train.labels, batch_size)
    return Run("cours", epochs, model, lambda: model.fit(batches, verbose=0, shuffle=False))


def race(name, target, theirs, ours):
    """Alternate the epochs of the two trainings until both have ended, and print one line for each."""
    train, test = data.load(name), data.load(name, split="test")
    training.set_seed(0)
    title, build, batch_size, most = theirs
    runs = [tutorial(title, build, train, batch_size, most), course(train, *ours)]
    running = list(runs)
    while running:
        running = [run for run in running if not run.advance(test, target)]
    print(f"{name}, exactitude visée sur le jeu de test : {target:.0%}")
    print(f"  {'recette':<34}{'époques':>8}{'durée (s)':>11}{'processeur (s)':>16}{'exactitude':>12}")
    for run in runs:
        count, accuracy = len(run.accuracies), run.accuracies[-1]
        reached = "" if accuracy >= target else "  (non atteinte)"
        print(f"  {run.name:<34}{count:>8}{run.wall:>11.1f}{run.processor:>16.1f}{accuracy:>12.2%}{reached}")
    wall, processor = (getattr(runs[1], unit) / getattr(runs[0], unit) for unit in ("wall", "processor"))
    print(f"  rapport : {wall:.2f} en durée, {processor:.2f} en temps de processeur", flush=True)
    return runs[1].accuracies[-1] >= target and processor <= LARGEST_RATIO


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", choices=("mnist", "cifar10"), help="one of the two races")
    only = parser.parse_args().only
    races = {
        "mnist": (0.99, ("documentation de Keras", keras_documentation, 128, 12), ((16, 32, 64), 3, 256)),
        "cifar10": (0.70, ("tutoriel de TensorFlow", tensorflow_tutorial, 32, 14), ((32, 64, 96), 3, 128)),
    }
    reached = True
    for name, settings in races.items():
        if only in (None, name):
            if not (Path(os.environ.get("COURSE_DATA", "absent")) / name).is_dir():
                print(f"{name} : cette mesure demande le vrai jeu de données (variable COURSE_DATA) ; elle est omise.")
                continue
            reached &= race(name, *settings)
    sys.exit(not reached)


if __name__ == "__main__":
    main()
