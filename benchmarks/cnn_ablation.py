"""Ablation of the remedies against over-fitting (lesson 2-4): mean and spread of the test accuracy over seeds.

One small network, 5,000 images of CIFAR-10 when ``COURSE_DATA`` holds it, otherwise 1,500 sprites of the street world.
Each remedy is tried alone, then those that touch the images are combined. ``--seeds`` and ``--epochs`` set the length.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path

import numpy as np

from course_utils import data, training

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def augmentations():
    """Build the functions of (images, one-hot labels) that the pipelines apply to batches."""
    from keras import layers

    shift = [
        layers.RandomFlip("horizontal"),
        layers.RandomTranslation(0.1, 0.1, fill_mode="nearest"),
        layers.RandomZoom(0.15, fill_mode="nearest"),
    ]
    rand_augment = layers.RandAugment(value_range=(0, 255), num_ops=2, factor=0.3)
    mixup, cutmix = layers.MixUp(0.2), layers.CutMix()

    def geometry(images, labels):
        for layer in shift:
            images = layer(images, training=True)
        return images, labels

    def rand(images, labels):
        return rand_augment(255 * images, training=True) / 255, labels

    def mixing(layer, before=None):
        def augment(images, labels):
            images, labels = before(images, labels) if before else (images, labels)
            mixed = layer({"images": images, "labels": labels}, training=True)
            return mixed["images"], mixed["labels"]

        return augment

    return {
        "géométrie": geometry,
        "RandAugment": rand,
        "MixUp": mixing(mixup),
        "CutMix": mixing(cutmix),
        "géométrie + MixUp": mixing(mixup, geometry),
        "géométrie + CutMix": mixing(cutmix, geometry),
    }


def variants():
    touching = {name: {"augment": augment} for name, augment in augmentations().items()}
    return {
        "rien": {},
        "extinction 0,5": {"dropout": 0.5},
        "décroissance des poids 0,05": {"weight_decay": 0.05},
        "lissage 0,1": {"smoothing": 0.1},
        **touching,
        "géométrie + extinction 0,5": {"dropout": 0.5, **touching["géométrie"]},
    }


def accuracy(train, test, seed, epochs, *, dropout=0.0, smoothing=0.0, **settings):
    """Train once; return the accuracy on the training images as seen, and on the test set."""
    import keras

    training.set_seed(seed)
    body = training.fast_cnn((32, 32, 3), filters=(32, 64, 64)).layers[:-1]
    head = [keras.layers.Dropout(dropout), keras.layers.Dense(10)]
    model = keras.Sequential([keras.Input((32, 32, 3)), *body, *head])
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing)
    one_hot = np.eye(10, dtype=np.float32)[train.labels]
    history = training.fit_fast(
        model, train.images, one_hot, epochs=epochs, batch_size=100, peak=0.005, loss=loss, **settings
    )
    predicted = model.predict(test.images, batch_size=500, verbose=0).argmax(axis=1)
    return history.history["accuracy"][-1], (predicted == test.labels).mean()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--epochs", type=int, help="8 on CIFAR-10, 20 on sprites unless given")
    arguments = parser.parse_args()
    real = (Path(os.environ.get("COURSE_DATA", "absent")) / "cifar10").is_dir()
    name, n, epochs = ("cifar10", 5000, 8) if real else ("street", 1500, 20)
    epochs = arguments.epochs or epochs
    train, test = data.load(name, n=n), data.load(name, split="test", n=2000)
    print(
        f"{name} ({train.source}) : {n} images, {epochs} époques, {arguments.seeds} graines, test de {len(test)} images"
    )
    print(f"  {'variante':<30}{'entraînement (%)':>17}{'test (%)':>10}{'± écart-type':>14}{'processeur (s)':>16}")
    for variant, settings in variants().items():
        start = time.process_time()
        scores = 100 * np.array([accuracy(train, test, seed, epochs, **settings) for seed in range(arguments.seeds)])
        seconds = (time.process_time() - start) / arguments.seeds
        spread = scores[:, 1].std(ddof=1) if len(scores) > 1 else 0.0
        mean = scores.mean(axis=0)
        print(f"  {variant:<30}{mean[0]:>17.1f}{mean[1]:>10.1f}{spread:>14.1f}{seconds:>16.1f}", flush=True)


if __name__ == "__main__":
    main()
