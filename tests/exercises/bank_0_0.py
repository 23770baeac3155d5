"""Answers on which the checks of notebook 0-0 are tested."""

from __future__ import annotations

import numpy as np

from course_utils import data
from course_utils.exercises.testing import Case

IMAGE = data.load("digits", split="train").images[0]


def negative(image):
    return 1 - image


def negative_stub(image): ...


def negative_in_place(image):
    image -= 1
    image *= -1
    return image


CASES = {
    "0-0-a": Case(
        solution=IMAGE.mean(),
        wrong=[
            (255 * IMAGE.mean(), "pas à 255"),
            (100 * IMAGE.mean(), "pourcentage"),
            (IMAGE.sum(), "diviser par leur nombre"),
            (IMAGE.max(), "le plus clair"),
        ],
        also_right=[float(np.mean(IMAGE)), round(float(IMAGE.mean()), 4)],
    ),
    "0-0-b": Case(
        solution=negative,
        stub=negative_stub,
        wrong=[
            (lambda image: 255 - image, "pas de 255"),
            (lambda image: -image, "n'existent pas"),
            (lambda image: image.max() - image, "même s'il n'y en a aucun"),
            (lambda image: image - 1, "C'est l'opposé"),
            (lambda image: image[::-1], "de haut en bas"),
            (negative_in_place, "modifie"),
        ],
        also_right=[lambda image: np.ones_like(image) - image],
    ),
}
