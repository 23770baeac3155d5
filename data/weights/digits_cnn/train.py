"""Train the digits network on the course's handwriting and on MNIST: ``python data/weights/digits_cnn/train.py``."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from course_utils import data
from course_utils.data import handwriting
from course_utils.models.resnet9 import resnet9
from course_utils.models.shipping import Augmentation, Recipe, publish, train
from course_utils.paths import cache_dir

HERE = Path(__file__).parent
ARGUMENTS = {"input_shape": (28, 28, 1), "widths": (16, 24, 48, 64)}
RECIPE = Recipe(epochs=5, peak=0.1, augment=Augmentation(shift=2), seed=21)


def main() -> None:
    """Train, then write the weights, the curve and the card."""
    mnist, test = data.load("mnist", split="train"), data.load("mnist", split="test")
    if mnist.source == "stand-in":
        sys.exit("Ce réseau s'entraîne aussi sur le vrai MNIST : il faut le réseau, ou COURSE_DATA.")
    drawn, labels = handwriting.digits(20_000, seed=1)
    images = np.concatenate([mnist.images, drawn])
    model, history = train(
        lambda: resnet9(**ARGUMENTS),
        (images, np.concatenate([mnist.labels, labels])),
        (test.images, test.labels),
        RECIPE,
        folder=cache_dir() / HERE.name,
    )
    publish(
        model,
        history,
        RECIPE,
        (test.images, test.labels),
        folder=HERE,
        builder="resnet9.resnet9",
        arguments=ARGUMENTS,
        card={
            "title": "ResNet-9 très étroit, chiffres manuscrits, 28 × 28 pixels",
            "classes": [str(digit) for digit in range(10)],
            "training_data": f"MNIST (60 000) et 20 000 chiffres tracés par le cours. {mnist.citation}",
            "licence": "Poids : MIT, comme le code du cours. MNIST : CC BY-SA 3.0.",
            "tested_on": "les 10 000 images de test de MNIST",
        },
    )


if __name__ == "__main__":
    main()
