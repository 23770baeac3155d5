"""The families of Day 2 on one task (lesson 2-7): accuracy, parameters, multiply-adds, time.

Sprites of the street world, 32×32 pixels, ten classes; every network gets the same images, the same optimizer (Adam,
warm-up then cosine), the same number of steps, on several seeds. ``--seeds``, ``--epochs`` and ``--images`` set the
length. Times are those of the processor, over all its cores; the first epoch, which also builds the graph, is left out.
"""

from __future__ import annotations

import argparse
import os
import time

import numpy as np

from course_utils import data, models, training

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PEAK = 3e-3
BATCH = 64


def families():
    """Return the networks that train in class, by the name of their family, in the order of their papers."""
    return {
        "LeNet-5 (1998)": models.lenet5,
        "AlexNet (2012)": models.alexnet_small,
        "NiN (2013)": models.nin_small,
        "VGG (2014)": models.vgg_small,
        "GoogLeNet (2014)": models.googlenet_small,
        "ResNet (2015)": models.resnet_small,
        "DenseNet (2016)": models.densenet_small,
        "EfficientNet (2019)": models.efficientnet_small,
    }


def follow_quickly(model, momentum=0.9):
    """Give the normalisations of a model the momentum of a short training: 0.99 would take thousands of steps."""
    import keras

    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.momentum = momentum


def epoch_clock():
    """Build a callback that keeps the processor time of each epoch but the first, in seconds."""
    import keras

    class Clock(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            self.start = time.process_time()

        def on_epoch_end(self, epoch, logs=None):
            self.seconds = [*getattr(self, "seconds", []), time.process_time() - self.start]

        def per_epoch(self):
            return float(np.median(self.seconds[1:] or self.seconds))

    return Clock()


def compete(build, train, test, seed, epochs):
    """Train once; return the test accuracy, the seconds of an epoch and the model."""
    training.set_seed(seed)
    model = build(input_shape=train.images.shape[1:], classes=len(train.class_names))
    follow_quickly(model)
    clock = epoch_clock()
    training.fit_fast(model, train.images, train.labels, epochs=epochs, batch_size=BATCH, peak=PEAK, callbacks=[clock])
    predicted = model.predict(test.images, batch_size=500, verbose=0).argmax(axis=1)
    return (predicted == test.labels).mean(), clock.per_epoch(), model


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--images", type=int, default=3000)
    arguments = parser.parse_args()
    train, test = data.load("street", n=arguments.images), data.load("street", split="test", n=2000)
    print(
        f"vignettes de la rue : {len(train)} images, {arguments.epochs} époques, {arguments.seeds} graines, "
        f"test de {len(test)} images"
    )
    print(
        f"  {'réseau':<22}{'exactitude (%)':>15}{'± écart-type':>14}{'paramètres':>12}{'MFLOP':>8}"
        f"{'processeur (s/époque)':>23}"
    )
    for name, build in families().items():
        runs = [compete(build, train, test, seed, arguments.epochs) for seed in range(arguments.seeds)]
        scores = 100 * np.array([accuracy for accuracy, _, _ in runs])
        spread = scores.std(ddof=1) if len(scores) > 1 else 0.0
        seconds = np.median([duration for _, duration, _ in runs])
        model = runs[-1][2]
        figures = f"{model.count_params():>12}{models.mega_flops(model):>8.1f}{seconds:>23.1f}"
        print(f"  {name:<22}{scores.mean():>15.1f}{spread:>14.1f}{figures}", flush=True)


if __name__ == "__main__":
    main()
