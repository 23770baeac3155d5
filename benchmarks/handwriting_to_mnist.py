"""How close is the drawn handwriting to the real one? Train on drawn digits only, then read MNIST's test set.

A small network (two convolutions, one dense layer) sees 20,000 images of ``data.handwriting`` for six epochs, without
augmentation, then is asked for the 10,000 test images of MNIST, which it has never seen. Three seeds, each for the
drawing and for the training. Needs MNIST: set COURSE_DATA, or let the course download it.

    python benchmarks/handwriting_to_mnist.py [seed ...]
"""

from __future__ import annotations

import sys
import time

import numpy as np

from course_utils import data
from course_utils.data import handwriting

N_IMAGES, EPOCHS = 20_000, 6


def network():
    import keras
    from keras import layers

    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Dropout(0.25),
            layers.Flatten(),
            layers.Dense(128, activation="relu"),
            layers.Dropout(0.5),
            layers.Dense(10),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(optimizer="adam", loss=loss)
    return model


def accuracies(seed: int, images: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """Train with one seed: accuracy on the images of each digit (10,), CPU seconds spent drawing."""
    import keras

    start = time.process_time()
    drawn = handwriting.digits(N_IMAGES, seed=seed)
    spent = time.process_time() - start
    keras.utils.set_random_seed(seed)
    model = network()
    model.fit(*drawn, batch_size=128, epochs=EPOCHS, verbose=0)
    right = model.predict(images, batch_size=1000, verbose=0).argmax(axis=1) == labels
    return np.array([right[labels == digit].mean() for digit in range(10)]), spent


def main(seeds: list[int]) -> None:
    mnist = data.load("mnist", split="test")
    if mnist.source == "stand-in":
        print("MNIST is not at hand (set COURSE_DATA): nothing measured.")
        return
    share = np.bincount(mnist.labels) / len(mnist)
    print(f"{'seed':>4} {'total':>7}   " + " ".join(f"{digit:>5}" for digit in range(10)) + "   drawing, CPU s")
    for seed in seeds:
        by_digit, spent = accuracies(seed, mnist.images, mnist.labels)
        columns = " ".join(f"{accuracy:5.1%}" for accuracy in by_digit)
        print(f"{seed:>4} {by_digit @ share:7.2%}   {columns}   {spent:.1f}", flush=True)


if __name__ == "__main__":
    main([int(word) for word in sys.argv[1:]] or [0, 1, 2])
