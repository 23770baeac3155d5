"""Train the residual network on CIFAR-10: ``python data/weights/cifar10_resnet/train.py`` (needs the real CIFAR-10)."""

from __future__ import annotations

import sys
from pathlib import Path

from course_utils import data
from course_utils.models.resnet9 import resnet9
from course_utils.models.shipping import Augmentation, Recipe, publish, train
from course_utils.paths import cache_dir

HERE = Path(__file__).parent
RECIPE = Recipe(epochs=45, peak=0.1, augment=Augmentation(shift=4, flip=True, cutout=8), seed=23)


def main() -> None:
    """Train, then write the weights, the curve and the card."""
    training, test = data.load("cifar10", split="train", download=True), data.load("cifar10", split="test")
    if training.source == "stand-in":
        sys.exit("Ce réseau s'entraîne sur le vrai CIFAR-10 : il faut le réseau, ou COURSE_DATA.")
    sets = (training.images, training.labels), (test.images, test.labels)
    model, history = train(resnet9, *sets, RECIPE, folder=cache_dir() / HERE.name)
    publish(
        model,
        history,
        RECIPE,
        sets[1],
        folder=HERE,
        builder="resnet9.resnet9",
        arguments={},
        card={
            "title": "ResNet-9 étroit, dix classes d'objets, 32 × 32 pixels",
            "classes": list(training.class_names),
            "training_data": f"CIFAR-10, 50 000 images d'entraînement. {training.citation}",
            "licence": "Poids : MIT, comme le code du cours. CIFAR-10 : à citer.",
            "tested_on": "les 10 000 images de test de CIFAR-10",
        },
    )


if __name__ == "__main__":
    main()
