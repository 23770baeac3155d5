"""Checks of lesson 2-2: pooling and convolution forwards and backwards, the cost of a layer, a small CNN."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    Refusal,
    expect_between,
    expect_cases,
    expect_equal,
    expect_function,
    expect_that,
    expect_type,
    like,
)

Array = NDArray[Any]

SUMMARIES: dict[str, Any] = {"max": np.max, "mean": np.mean, "sum": np.sum}

# --- 2-2-a : pooling -----------------------------------------------------------------------------------------------


def _pool_by_squares(x: Array, size: int, how: str) -> Array:
    summary = SUMMARIES[how]
    n, height, width, channels = x.shape
    out = np.zeros((n, height // size, width // size, channels))
    for i, j in np.ndindex(out.shape[1:3]):
        out[:, i, j] = summary(x[:, i * size : (i + 1) * size, j * size : (j + 1) * size], axis=(1, 2))
    return out


def _scrambled(x: Array, size: int, how: str) -> Array:
    n, height, width, channels = x.shape
    rows, cols = height // size, width // size
    blocks = x[:, : rows * size, : cols * size].reshape(n, rows, cols, size, size, channels)
    return SUMMARIES[how](blocks, axis=(3, 4))


def _sliding(x: Array, size: int, how: str) -> Array:
    windows = np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2))
    return SUMMARIES[how](windows, axis=(4, 5))


def _channels_too(x: Array, size: int, how: str) -> Array:
    return _pool_by_squares(x, size, how).max(axis=-1, keepdims=True)


@exercise(
    "2-2-a",
    hints=(
        "Coupez d'abord `x` à un multiple de `size`, avec `height // size`.",
        "`reshape(n, rows, size, cols, size, channels)` sépare « quel carré » et « où dans le carré ».",
        "Résumez sur les axes 2 et 4 : `blocks.max(axis=(2, 4))`, `mean` ou `sum` selon `how`.",
    ),
    success="Trois résumés, aucun poids : un pooling n'a rien à apprendre.",
)
def pool(pool):
    """Max, mean and sum pooling of a batch."""
    expect_function(pool, parameters=3)
    rng = np.random.default_rng(22)
    small = np.array([[1, 0, 2, 3], [4, 6, 6, 8], [3, 1, 1, 0], [1, 2, 2, 4]], float).reshape(1, 4, 4, 1)
    batch = rng.integers(-9, 10, (2, 6, 6, 3)).astype(float)
    odd = rng.integers(-9, 10, (1, 5, 7, 2)).astype(float)
    cases = [(small, 2, "max"), (small, 2, "mean"), (small, 2, "sum"), (batch, 3, "max"), (batch, 2, "sum")]
    mistakes = {
        like(_scrambled): "Avec `reshape(n, rows, cols, size, size, channels)`, un carré reçoit des pixels qui ne se "
        "touchent pas : séparez chaque axe sur place, `(n, rows, size, cols, size, channels)`.",
        like(_sliding): "Vos carrés se chevauchent : ils doivent se toucher, donc avancer de `size`.",
        like(_channels_too): "Le pooling résume chaque canal séparément : gardez le dernier axe.",
        like(lambda x, size, how: _pool_by_squares(x, size, "max")): "Vous rendez toujours le maximum : `how` compte.",
    }
    expect_cases(pool, cases, reference=_pool_by_squares, mistakes=mistakes)
    expect_cases(pool, [(odd, 2, "mean"), (odd, 3, "max")], reference=_pool_by_squares)


# --- 2-2-b : max pooling backwards ---------------------------------------------------------------------------------


def _first_winner(x: Array, dY: Array) -> Array:
    dX = np.zeros(x.shape)
    for n, i, j, c in np.ndindex(dY.shape):
        square = x[n, 2 * i : 2 * i + 2, 2 * j : 2 * j + 2, c]
        a, b = divmod(int(np.argmax(square)), 2)
        dX[n, 2 * i + a, 2 * j + b, c] = dY[n, i, j, c]
    return dX


def _spread(dY: Array) -> Array:
    return dY.repeat(2, axis=1).repeat(2, axis=2)


def _all_winners(x: Array, dY: Array) -> Array:
    return _spread(dY) * (x == _spread(_pool_by_squares(x, 2, "max")))


def _last_winner(x: Array, dY: Array) -> Array:
    return _first_winner(x[:, ::-1, ::-1], dY[:, ::-1, ::-1])[:, ::-1, ::-1]


@exercise(
    "2-2-b",
    hints=(
        "Dans chaque carré, une seule case reçoit `dY`, celle du maximum ; les trois autres reçoivent zéro.",
        "Pour `i` et `j` valant 0 ou 1, `x[:, i::2, j::2]` a la forme de `dY` : la case (i, j) de tous les carrés.",
        "Gardez un tableau de booléens `waiting` : `wins = waiting & (x[:, i::2, j::2] == best)`, puis "
        "`dX[:, i::2, j::2] = dY * wins` et `waiting &= ~wins`.",
    ),
    success="Le reproche arrive entier, et à un seul : la somme de dX est celle de dY.",
)
def max_pool_backward(max_pool_backward):
    """Gradient of 2×2 max pooling, first winner."""
    expect_function(max_pool_backward, parameters=2, pure=True)
    rng = np.random.default_rng(23)
    small = np.array([[1, 0, 2, 3], [4, 6, 7, 8], [3, 1, 1, 0], [1, 2, 2, 4]], float).reshape(1, 4, 4, 1)
    blame = np.array([[10.0, 20], [30, 40]]).reshape(1, 2, 2, 1)
    distinct = rng.permutation(2 * 6 * 4 * 3).reshape(2, 6, 4, 3).astype(float)
    mistakes = {
        like(lambda x, dY: _spread(dY)): "Vous avez donné le reproche à tout le carré : c'est le retour de la somme.",
        like(lambda x, dY: _spread(dY) / 4): "Vous avez partagé en quatre : c'est le retour de la moyenne.",
    }
    cases = [(small, blame), (distinct, rng.normal(size=(2, 3, 2, 3)))]
    expect_cases(max_pool_backward, cases, reference=_first_winner, mistakes=mistakes)
    ties = np.array([[0, 0, 5, 5], [0, 0, 1, 5]], float).reshape(1, 2, 4, 1)
    expect_cases(
        max_pool_backward,
        [(ties, np.array([3.0, 7.0]).reshape(1, 1, 2, 1))],
        reference=_first_winner,
        mistakes={
            like(_all_winners): "En cas d'ex æquo, tous vos gagnants reçoivent le reproche entier : n'en gardez qu'un.",
            like(_last_winner): "Un seul gagnant, c'est bien, mais prenez le premier dans l'ordre de lecture.",
        },
    )


# --- 2-2-c : 1-D convolution backwards -----------------------------------------------------------------------------


def _by_lines(x: Array, w: Array, dy: Array) -> tuple[Array, Array]:
    dx, dw = np.zeros(len(x)), np.zeros(len(w))
    for o in range(len(dy)):
        for f in range(len(w)):
            dw[f] += dy[o] * x[o + f]
            dx[o + f] += dy[o] * w[f]
    return dx, dw


@exercise(
    "2-2-c",
    hints=(
        "Comptez les traits : le trait de `x[o + f]` à `y[o]` porte le poids `w[f]`.",
        "Pour chaque trait : `dw[f] += dy[o] * x[o + f]` et `dx[o + f] += dy[o] * w[f]`.",
        "Deux boucles, sur `o` et sur `f`, et des `+=` ; rendez `dx, dw`.",
    ),
    success="`dw` est une corrélation, `dx` une vraie convolution : le retour d'une convolution en est deux autres.",
)
def conv1d_backward(conv1d_backward):
    """Gradients of a 1-D convolution with respect to its input and kernel."""
    expect_function(conv1d_backward, parameters=3, pure=True)
    rng = np.random.default_rng(24)
    cases = [
        (np.array([1.0, 2, 0, 1]), np.array([1.0, -1]), np.array([1.0, 0, 2])),
        (rng.integers(-5, 6, 8).astype(float), np.array([1.0, 2, 3]), rng.integers(-5, 6, 6).astype(float)),
        (rng.normal(size=7), rng.normal(size=4), rng.normal(size=4)),
    ]

    def flipped(x, w, dy):
        return np.convolve(dy, w[::-1]), _by_lines(x, w, dy)[1]

    def valid(x, w, dy):
        return np.correlate(dy, w, "same"), _by_lines(x, w, dy)[1]

    def overwritten(x, w, dy):
        dx = np.zeros(len(x))
        for o in range(len(dy)):
            dx[o : o + len(w)] = dy[o] * w
        return dx, _by_lines(x, w, dy)[1]

    mistakes = {
        like(lambda x, w, dy: _by_lines(x, w, dy)[::-1]): "Les deux gradients sont justes, mais échangés : `dx, dw`.",
        like(flipped): "`dw` est juste. Dans `dx`, le noyau est à l'envers : `x[o + f]` reçoit `dy[o] * w[f]`.",
        like(valid): "`dw` est juste. `dx` doit avoir la longueur de `x`, bords compris.",
        like(overwritten): "`dw` est juste. Dans `dx`, une case sert à plusieurs sorties : additionnez avec `+=`.",
        like(lambda x, w, dy: (_by_lines(x, w, dy)[0], _by_lines(x, w, dy)[1][::-1])): (
            "`dx` est juste. `dw` est à l'envers : le poids f rencontre `x[o + f]`."
        ),
    }
    expect_cases(conv1d_backward, cases, reference=_by_lines, mistakes=mistakes)


# --- 2-2-d : what a layer costs ------------------------------------------------------------------------------------


@exercise(
    "2-2-d",
    hints=(
        "Un filtre de la deuxième convolution lit une fenêtre de 3 × 3 sur les 8 cartes, et il a un biais.",
        "La couche dense lit 5 × 5 × 16 nombres aplatis.",
        "Multiplications : positions × filtres × poids d'un filtre, soit 24 × 24 × 8 × 25 pour la première.",
    ),
    success="La deuxième convolution a moins du tiers des paramètres de la couche dense, et fait 29 fois son travail.",
)
def cost(second_conv, dense, first_products, second_products):
    """Parameters and multiplications of the layers of a small CNN."""
    expect_equal(
        second_conv,
        3 * 3 * 8 * 16 + 16,
        reveal=False,
        mistakes={
            1152: "Il manque les biais, un par filtre.",
            160: "Chaque filtre lit les 8 cartes de l'étage d'avant, pas une seule.",
            144: "Chaque filtre lit les 8 cartes de l'étage d'avant, et a un biais.",
            1160: "Il y a un biais par filtre, donc 16, et non un par carte d'entrée.",
        },
    )
    expect_equal(
        dense,
        5 * 5 * 16 * 10 + 10,
        reveal=False,
        mistakes={
            4000: "Il manque les biais, un par chiffre.",
            170: "La couche dense lit toutes les cases aplaties, 5 × 5 × 16, pas seulement les 16 cartes.",
            16010: "Le second pooling a encore divisé les côtés par deux : il reste 5 × 5 cases.",
        },
    )
    expect_equal(
        first_products,
        24 * 24 * 8 * 25,
        reveal=False,
        mistakes={
            156_800: "La sortie n'a que 24 × 24 positions : il n'y a pas de marge.",
            14_400: "C'est le compte d'un seul filtre ; il y en a 8.",
            200: "C'est le nombre de poids ; chacun sert à chaque position.",
            4608: "C'est le nombre de sorties ; chacune demande 25 multiplications.",
        },
    )
    expect_equal(
        second_products,
        10 * 10 * 16 * 72,
        reveal=False,
        mistakes={
            14_400: "Chaque fenêtre couvre les 8 cartes : 3 × 3 × 8 multiplications par sortie.",
            165_888: "L'entrée fait 12 × 12, la sortie 10 × 10 : comptez les positions de la fenêtre.",
            663_552: "Le premier pooling est passé par là : l'entrée fait 12 × 12.",
            1152: "C'est le nombre de poids ; chacun sert à chaque position.",
        },
    )


# --- 2-2-e : a small CNN -------------------------------------------------------------------------------------------


@exercise(
    "2-2-e",
    hints=(
        "`scratch.Conv2D(12, 3, padding='same', activation='relu')` garde les bords d'une image de 8 pixels.",
        "Une `BatchNormalization` après chaque convolution, trente époques, `scratch.Adam(0.003)`, des lots de 32.",
        "Conv 12, normalisation, pooling, conv 18, normalisation, `Flatten`, `Dense(10)` : 2 872 paramètres.",
    ),
)
def small_cnn(mine):
    """A network of at most 3,000 parameters that reads 97 % of the digits."""
    from course_utils import data, scratch

    expect_type(mine, scratch.Sequential, "un réseau `scratch.Sequential`")
    expect_that(
        any(isinstance(layer, scratch.Conv2D) for layer in mine.layers),
        "il n'y a pas de convolution : l'exercice demande un réseau convolutif.",
    )
    exam = data.load("digits", split="test")
    try:
        answers = mine.predict(exam.images)
    except ValueError as error:
        raise Refusal(f"le réseau ne peut pas lire des images de 8 × 8 × 1 : {error}") from error
    expect_that(
        np.shape(answers) == (len(exam), 10),
        f"il faut dix sorties par image, vous en donnez {np.shape(answers)[-1]} : finissez par `Dense(10)`.",
    )
    count = sum(value.size for layer in mine.layers for value in layer.params.values())
    expect_that(count <= 3000, f"il a {count} paramètres, le budget est de 3000 : mettez moins de filtres.")
    accuracy = float(np.mean(answers.argmax(axis=1) == exam.labels))
    expect_between(
        accuracy,
        0.97,
        1.0,
        name="l'exactitude sur le jeu de test",
        below="L'avez-vous assez entraîné ? Essayez la marge « same », une normalisation de lot, plus d'époques.",
    )
    percent = f"{100 * accuracy:.1f}".replace(".", ",")
    return f"{count} paramètres et {percent} % de justes : moins de poids que n'en a un réseau dense de 40 neurones."
