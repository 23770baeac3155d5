"""Checks of lesson 2-9: the training loop of PyTorch, weights carried over, gradients of several replicas."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    expect_array,
    expect_cases,
    expect_close,
    expect_function,
    expect_that,
    expect_type,
    like,
)

Array = NDArray[Any]

# --- 2-9-a : the five lines of the loop ---------------------------------------------------------------------------


@exercise(
    "2-9-a",
    hints=(
        "Chaque ligne se sert du résultat d'une autre : qui a besoin de `y_hat` ? qui a besoin de `loss` ? qui a "
        "besoin des gradients ?",
        "`backward` ajoute les nouveaux gradients à ceux qui sont déjà là, et `step` s'en sert : `zero_grad` ne "
        "peut pas passer entre les deux.",
        "Sans `zero_grad`, le gradient accumulé vaut 1 au premier pas, 2 au deuxième, 3 au troisième : additionnez "
        "les trois déplacements.",
    ),
    success="`zero_grad` a plusieurs bonnes places, pourvu qu'il ne tombe pas entre `backward` et `step`. "
    "Sans lui, les gradients s'empilent : la descente accélère toute seule, comme avec un élan qui ne freinerait "
    "jamais.",
)
def training_loop(order, descent):
    """Order of the lines, and what the accumulated gradients do."""
    expect_type(order, str, 'une chaîne de cinq lettres, comme "ABCDE"')
    letters = [letter for letter in order.upper() if letter.isalpha()]
    expect_that(sorted(letters) == list("ABCDE"), "`order` doit contenir une fois chacune des lettres A, B, C, D et E.")
    place = {letter: k for k, letter in enumerate(letters)}
    expect_that(place["B"] < place["E"], "E calcule le coût avec `y_hat`, que B n'a pas encore produit.")
    expect_that(place["E"] < place["D"], "D appelle `loss.backward()` avant que E n'ait calculé `loss`.")
    expect_that(
        place["D"] < place["A"],
        "A déplace les poids d'après leurs gradients, que D n'a pas encore calculés : au premier pas, rien ne "
        "bougerait.",
    )
    expect_that(
        not place["D"] < place["C"] < place["A"],
        "C efface les gradients juste après que D les a calculés : `step` ne déplacerait rien.",
    )
    expect_close(
        descent,
        0.6,
        reveal=False,
        mistakes={
            0.3: "C'est la descente avec `zero_grad`. Sans lui, chaque `backward` ajoute 1 au gradient précédent.",
            0.1: "C'est la descente d'un seul pas.",
            6.0: "Vous avez la somme des gradients utilisés : il reste à la multiplier par le pas d'apprentissage.",
            -0.6: "Le poids descend bien de cette quantité ; on la demande positive.",
        },
    )


# --- 2-9-b : the axes of the weights ------------------------------------------------------------------------------


def reference_to_pytorch(weight: Array) -> Array:
    """Explicit loops: out[k, c, i, j] = in[i, j, c, k]."""
    if weight.ndim == 1:
        return weight
    if weight.ndim == 2:
        return np.array([[weight[c, k] for c in range(weight.shape[0])] for k in range(weight.shape[1])])
    height, width, channels, filters = weight.shape
    out = np.empty((filters, channels, height, width), weight.dtype)
    for i in range(height):
        for j in range(width):
            out[:, :, i, j] = weight[i, j].T
    return out


def reversed_axes(weight: Array) -> Array:
    """Mistake: every axis reversed, height and width too."""
    return weight.T


def reshaped(weight: Array) -> Array:
    """Mistake: reshape instead of transpose."""
    axes = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}[weight.ndim]
    return weight.reshape([weight.shape[a] for a in axes])


def inputs_first(weight: Array) -> Array:
    """Mistake: (in, out, h, w)."""
    return weight.transpose(2, 3, 0, 1) if weight.ndim == 4 else weight.T


def dense_left(weight: Array) -> Array:
    """Mistake: matrices are left as they are."""
    return weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight


@exercise(
    "2-9-b",
    hints=(
        "Trois cas, selon `weight.ndim`.",
        "`transpose(a, b, c, d)` donne, pour chaque axe de l'arrivée, son numéro au départ. La sortie est l'axe 3 "
        "au départ.",
        "`weight.transpose(3, 2, 0, 1)` pour quatre axes ; `weight.T` pour deux, et même pour un.",
    ),
    success="`transpose` ne copie rien, il change la façon de parcourir la mémoire ; PyTorch demande parfois "
    "un tableau d'un seul tenant, que donne `np.ascontiguousarray`.",
)
def to_pytorch(to_pytorch):
    """HWIO to OIHW, (in, out) to (out, in)."""
    expect_function(to_pytorch, parameters=1, pure=True)
    cases = [
        (np.array([1.0, 2.0, 3.0]),),
        (np.arange(6.0).reshape(2, 3),),
        (np.arange(12.0).reshape(2, 3, 1, 2),),
        (np.arange(72.0).reshape(3, 3, 2, 4),),
    ]
    expect_cases(
        to_pytorch,
        cases,
        reference=reference_to_pytorch,
        mistakes={
            like(reversed_axes): "Retourner tous les axes échange aussi la hauteur et la largeur : chaque filtre "
            "serait "
            "couché sur le côté. Avec un noyau carré, la forme ne trahirait rien.",
            like(reshaped): "`reshape` donne la bonne forme mais laisse les nombres dans le même ordre : c'est le "
            "chat déchiré. "
            "Il faut `transpose`.",
            like(inputs_first): "PyTorch met la sortie avant l'entrée.",
            like(dense_left): "La matrice d'une couche dense se transpose aussi.",
        },
    )


# --- 2-9-c : the dense layer after Flatten ------------------------------------------------------------------------


def reference_dense(kernel: Array, height: int, width: int, channels: int) -> Array:
    """Column c·H·W + i·W + j of the result is row (i·W + j)·C + c of the kernel."""
    columns = [
        kernel[(i * width + j) * channels + c] for c in range(channels) for i in range(height) for j in range(width)
    ]
    return np.stack(columns, axis=1)


def only_transposed(kernel: Array, height: int, width: int, channels: int) -> Array:
    """Mistake: the order of Flatten is forgotten (reading the rows as CHW comes to the same)."""
    return kernel.T


def keras_side(kernel: Array, height: int, width: int, channels: int) -> Array:
    """Mistake: the rows are permuted, the matrix is not transposed."""
    return reference_dense(kernel, height, width, channels).T


def backwards(kernel: Array, height: int, width: int, channels: int) -> Array:
    """Mistake: the permutation from PyTorch to Keras."""
    return kernel.reshape(channels, height, width, -1).transpose(3, 1, 2, 0).reshape(kernel.shape[1], -1)


def swapped_sides(kernel: Array, height: int, width: int, channels: int) -> Array:
    """Mistake: width before height."""
    return kernel.reshape(height, width, channels, -1).transpose(3, 2, 1, 0).reshape(kernel.shape[1], -1)


@exercise(
    "2-9-c",
    hints=(
        "Les lignes de `kernel` sont rangées comme Keras déroule un bloc (H, W, C). Rendez-leur cette forme : "
        "`kernel.reshape(height, width, channels, -1)`.",
        "Vous avez quatre axes : hauteur, largeur, canal, sortie. Mettez-les dans l'ordre sortie, canal, hauteur, "
        "largeur.",
        "Puis déroulez les trois derniers : `.transpose(3, 2, 0, 1).reshape(n_outputs, -1)`, où `n_outputs = "
        "kernel.shape[1]`.",
    ),
    success="C'est le même `transpose(3, 2, 0, 1)` que pour un noyau de convolution : une couche dense posée sur un "
    "bloc "
    "H × W est une convolution dont le noyau couvre tout le bloc.",
)
def dense_after_flatten(dense_to_pytorch):
    """Rows of the dense kernel reordered from HWC to CHW, then transposed."""
    expect_function(dense_to_pytorch, parameters=4, pure=True)
    cases = [
        (np.arange(8.0).reshape(4, 2), 1, 2, 2),
        (np.arange(24.0).reshape(12, 2), 2, 3, 2),
        (np.arange(54.0).reshape(18, 3), 3, 2, 3),
    ]
    expect_cases(
        dense_to_pytorch,
        cases,
        reference=reference_dense,
        mistakes={
            like(only_transposed): "La matrice est bien transposée, mais ses colonnes sont encore dans l'ordre de "
            "Keras : "
            "case par case, alors que PyTorch déroule canal par canal.",
            like(keras_side): "Les lignes sont dans le bon ordre ; il reste à transposer, car PyTorch range "
            "(sortie, entrée).",
            like(backwards): "C'est le trajet inverse, de PyTorch à Keras : les lignes partent de l'ordre (H, W, C).",
            like(swapped_sides): "La hauteur et la largeur sont échangées : avec un bloc carré, la forme ne le "
            "dirait pas.",
        },
    )


# --- 2-9-d : gradients of several replicas ------------------------------------------------------------------------

Gradients = list[list[Array]]


def reference_combine(gradients: Gradients, sizes: list[int]) -> list[Array]:
    """Sum over the examples of every replica, divided by the number of examples."""
    return [
        np.sum([size * g for size, g in zip(sizes, weight, strict=True)], axis=0) / sum(sizes)
        for weight in zip(*gradients, strict=True)
    ]


def plain_mean(gradients: Gradients, sizes: list[int]) -> list[Array]:
    """Mistake: the sizes are ignored."""
    return [np.mean(weight, axis=0) for weight in zip(*gradients, strict=True)]


def plain_sum(gradients: Gradients, sizes: list[int]) -> list[Array]:
    """Mistake: the gradients are added."""
    return [np.sum(weight, axis=0) for weight in zip(*gradients, strict=True)]


def not_divided(gradients: Gradients, sizes: list[int]) -> list[Array]:
    """Mistake: the sum over the examples is not divided."""
    return [sum(sizes) * g for g in reference_combine(gradients, sizes)]


def divided_by_replicas(gradients: Gradients, sizes: list[int]) -> list[Array]:
    """Mistake: divided by the number of replicas."""
    return [sum(sizes) / len(sizes) * g for g in reference_combine(gradients, sizes)]


MISTAKES = [
    (
        plain_mean,
        "C'est la moyenne simple des répliques : un exemple d'une petite part y compte plus qu'un exemple "
        "d'une grande.",
    ),
    (plain_sum, "C'est la somme des gradients : le pas serait à peu près K fois trop grand avec K répliques."),
    (not_divided, "C'est la somme sur tous les exemples : il reste à la diviser par leur nombre."),
    (divided_by_replicas, "Divisez par le nombre total d'exemples, pas par le nombre de répliques."),
]


@exercise(
    "2-9-d",
    hints=(
        "Une moyenne sur 4 exemples en contient la somme : `4 * gradient`. Les sommes, elles, s'ajoutent d'une "
        "réplique à l'autre.",
        "Pour chaque poids : `sum(size * g) / sum(sizes)`. `zip(*gradients)` regroupe les gradients d'un même poids.",
        "`[sum(n * g for n, g in zip(sizes, weight)) / sum(sizes) for weight in zip(*gradients)]`",
    ),
    success="C'est une moyenne pondérée, et elle est exacte : rien n'est perdu à partager. Les bibliothèques "
    "divisent chaque coût par la taille "
    "du lot global, puis additionnent ; cela revient au même.",
)
def combine(combine):
    """Mean of the replicas' gradients, weighted by their numbers of examples."""
    expect_function(combine, parameters=2, pure=True)
    rng = np.random.default_rng(0)
    shapes = [(2, 3), (3,)]
    cases: list[tuple[Gradients, list[int]]] = [
        ([[np.array([6.0])], [np.array([3.0])]], [1, 2]),
        ([[rng.integers(-9, 9, shape).astype(float) for shape in shapes] for _ in range(3)], [4, 3, 3]),
        ([[rng.integers(-9, 9, shape).astype(float) for shape in shapes] for _ in range(2)], [5, 5]),
    ]
    for gradients, sizes in cases:
        value = combine(gradients, sizes)
        if value is None or value is ...:
            return
        expect_type(value, (list, tuple), "une liste, avec un tableau par poids", name="le résultat")
        expected = reference_combine(gradients, sizes)
        expect_that(
            len(value) == len(expected),
            f"Avec {len(gradients)} répliques et {len(expected)} poids, la liste rendue a {len(value)} éléments : "
            f"on attend un gradient par poids.",
        )
        wrong = [(mistake(gradients, sizes), why) for mistake, why in MISTAKES]
        for k, (ours, theirs) in enumerate(zip(value, expected, strict=True)):
            expect_array(
                ours,
                theirs,
                name=f"le gradient du poids {k} (parts de {', '.join(map(str, sizes))} exemples)",
                mistakes=[(w[k], why) for w, why in wrong if not np.allclose(w[k], theirs)],
            )
