"""Checks of notebook 0-0: the mean of an image, and its negative."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_close, expect_function, like

Array = NDArray[Any]


def _first_digit() -> Array:
    from course_utils import data

    return data.load("digits", split="train").images[0]


@exercise(
    "0-0-a",
    hints=(
        "`image` est un tableau NumPy : il sait calculer sa propre moyenne.",
        "La méthode s'appelle `mean`, et il ne lui faut aucun argument.",
        "`average = image.mean()`",
    ),
    success="Les 64 pixels tiennent dans un seul nombre : c'est la plus brutale des compressions.",
)
def average(average):
    """Mean grey level of the first digit."""
    pixels = [float(value) for value in _first_digit().ravel()]
    expected = sum(pixels) / len(pixels)
    expect_close(
        average,
        expected,
        rtol=1e-3,
        reveal=False,
        mistakes=[
            (lambda v: abs(v - 255 * expected) < 0.5, "Sont-ce des octets ? Ici les pixels vont de 0 à 1, pas à 255."),
            (lambda v: abs(v - 100 * expected) < 0.1, "C'est un pourcentage ; on demande un nombre entre 0 et 1."),
            (
                lambda v: abs(v - sum(pixels)) < 1e-2,
                "C'est la somme des pixels : il reste à diviser par leur nombre.",
            ),
            (
                lambda v: abs(v - float(np.median(pixels))) < 1e-4,
                "C'est la médiane, qui coupe les pixels en deux moitiés ; on demande la moyenne.",
            ),
            (lambda v: v == max(pixels), "C'est la valeur du pixel le plus clair."),
        ],
    )


def _images() -> list[Array]:
    rng = np.random.default_rng(1)
    ramp = np.array([[0.0, 0.25], [0.5, 1.0]], np.float32)
    return [ramp, np.full((2, 3, 1), 0.25, np.float32), 0.1 + 0.6 * rng.random((3, 4, 3), np.float32)]


def _negative(image: Array) -> Array:
    return np.array([1.0 - float(value) for value in image.ravel()]).reshape(image.shape)


@exercise(
    "0-0-b",
    hints=(
        "0 doit donner 1, 1 doit donner 0, et 0.5 doit rester 0.5 : quelle opération fait les trois ?",
        "Une opération entre un nombre et un tableau s'applique à tous les pixels : pas besoin de boucle.",
        "`return 1 - image`",
    ),
    success="Deux négatifs de suite rendent l'image de départ : une façon simple de vérifier une fonction de ce genre.",
)
def negative(negative):
    """Negative of an image in [0, 1]."""
    expect_function(negative, parameters=1, pure=True)
    expect_cases(
        negative,
        [(image,) for image in _images()],
        reference=_negative,
        atol=1e-5,
        mistakes=[
            (like(lambda image: 255 - image), "Cette image va de 0 à 1 : retranchez de 1, pas de 255."),
            (like(lambda image: -image), "Des gris négatifs n'existent pas : le blanc, 1, doit donner le noir, 0."),
            (
                like(lambda image: image.max() - image),
                "Vous retranchez du pixel le plus clair de l'image ; le blanc vaut 1, même s'il n'y en a aucun.",
            ),
            (like(lambda image: image - 1), "C'est l'opposé : les valeurs doivent rester entre 0 et 1."),
            (like(lambda image: image), "L'image n'a pas changé."),
            (
                like(lambda image: image[::-1]),
                "Vous retournez l'image de haut en bas ; ce sont les gris qu'il faut retourner.",
            ),
        ],
    )
