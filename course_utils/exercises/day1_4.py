"""Checks of lesson 1-4: a dense layer, XOR by hand, dead units, a stable softmax, cross-entropy from logits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    Refusal,
    expect_cases,
    expect_equal,
    expect_function,
    expect_that,
    like,
)

Array = NDArray[Any]

# --- 1-4-a : a dense layer -----------------------------------------------------------------------------------------


def _dense_relu(images: Array, W: Array, b: Array) -> Array:
    """Return the layer's outputs, one image and one unit at a time."""
    return np.array(
        [[max(float(np.vdot(image, w)) + bias, 0.0) for w, bias in zip(W.T, b, strict=True)] for image in images]
    )


def _rows(images: Array) -> Array:
    return images.reshape(len(images), -1)


def _layer_cases() -> list[tuple[Array, Array, Array]]:
    """Return small batches, colour and grey; one layer has as many units as the batch has images."""
    rng = np.random.default_rng(14)
    cases = []
    for shape, units in [((2, 1, 2, 1), 3), ((4, 3, 2, 3), 4), ((3, 2, 2, 1), 5)]:
        cases.append((rng.random(shape), rng.normal(size=(int(np.prod(shape[1:])), units)), rng.normal(size=units)))
    return cases


@exercise(
    "1-4-a",
    hints=(
        "Une image par ligne : `images.reshape(len(images), -1)` garde le premier axe et fond les autres.",
        "Ajoutez `b` avant de couper les valeurs négatives avec `np.maximum(..., 0)`.",
        "Une couche qui reçoit D nombres et a K neurones possède D × K poids et K biais ; "
        "faites-le pour les deux couches.",
    ),
    success="Le nombre de paramètres ne dépend pas du nombre d'images : "
    "un lot de 1 ou de 1000 passe dans la même matrice.",
)
def dense_layer(dense_relu, n_parameters):
    """Flatten, multiply, add, cut; and count the parameters of 64 → 32 → 10."""
    expect_function(dense_relu, parameters=3, pure=True)
    expect_cases(
        dense_relu,
        _layer_cases(),
        reference=_dense_relu,
        rtol=1e-6,
        mistakes=[
            (
                like(lambda images, W, b: _rows(images) @ W + b),
                "Il manque l'activation : les scores négatifs deviennent 0.",
            ),
            (like(lambda images, W, b: np.maximum(_rows(images) @ W, 0)), "Le biais `b` n'a pas été ajouté."),
            (
                like(lambda images, W, b: np.maximum(_rows(images) @ W, 0) + b),
                "Vous ajoutez le biais après ReLU : il doit entrer dans le score, avant l'activation.",
            ),
            (
                like(lambda images, W, b: np.maximum(_rows(images) @ W - b, 0)),
                "Le biais s'ajoute au score ; vous le retranchez.",
            ),
            (
                like(lambda images, W, b: np.minimum(_rows(images) @ W + b, 0)),
                "Vous gardez les valeurs négatives : ReLU est un `np.maximum`.",
            ),
            (
                like(lambda images, W, b: np.maximum(images.reshape(-1, len(images)).T @ W + b, 0)),
                "Les pixels des images se sont mélangés : aplatissez avec `reshape(len(images), -1)`, sans transposer.",
            ),
        ],
    )
    expect_equal(
        n_parameters,
        (64 + 1) * 32 + (32 + 1) * 10,
        reveal=False,
        mistakes={
            64 * 32 + 32 * 10: "Ce sont les poids : chaque neurone a aussi un biais.",
            64 * 32 + 32: "C'est la première couche seulement.",
            32 * 10 + 10: "C'est la seconde couche seulement.",
            (64 + 1) * 32
            + (64 + 1) * 10: "La seconde couche ne lit pas les 64 pixels, mais les 32 sorties de la première.",
            64 * 32 + 32 + 32 * 10: "Il manque les biais de la seconde couche.",
            64 * 32 + 32 * 10 + 10: "Il manque les biais de la première couche.",
        },
    )


# --- 1-4-b : exclusive or ------------------------------------------------------------------------------------------

_CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


@exercise(
    "1-4-b",
    hints=(
        "Faites voir aux deux neurones la somme s = x₁ + x₂ : elle vaut 0, 1, 1, 2, et l'on veut 0, 1, 1, 0.",
        "Il faut monter de 0 à 1, puis redescendre : un neurone qui plie en s = 0, l'autre en s = 1.",
        "`max(s, 0) - 2 * max(s - 1, 0)` : `W1` ne contient que des 1, `b1` vaut `[0, -1]` ; "
        "il reste `W2` et `b2` à lire.",
    ),
    success="La couche cachée a plié le plan : dans les coordonnées de ses deux neurones, une seule droite suffit.",
)
def exclusive_or(W1, b1, W2, b2):
    """Is the output near 0, 1, 1, 0 at the corners, with two hidden ReLU units?"""
    W1, W2 = np.asarray(W1, dtype=float), np.asarray(W2, dtype=float)
    b1, b2 = np.asarray(b1, dtype=float), np.asarray(b2, dtype=float)
    if W1.ndim == 2 and W1.shape[1] > 2:
        raise Refusal(f"`W1` a la forme {W1.shape} : {W1.shape[1]} neurones cachés, on en veut deux.")
    expect_that(W1.shape == (2, 2), f"`W1` a la forme {W1.shape}, on attend (2, 2) : une colonne par neurone caché.")
    expect_that(b1.shape == (2,), f"`b1` a la forme {b1.shape}, on attend (2,) : un biais par neurone caché.")
    expect_that(W2.size == 2, f"`W2` a la forme {W2.shape}, on attend (2,) : un poids par neurone caché.")
    expect_that(b2.size == 1, f"`b2` a la forme {b2.shape}, on attend un seul nombre.")
    hidden = np.maximum(_CORNERS @ W1 + b1, 0)
    output = hidden @ W2.ravel() + b2.item()
    if np.allclose(np.abs(output - [1, 0, 0, 1]), 0, atol=0.1):
        raise Refusal("La réponse est à l'envers : la sortie vaut 1 quand les deux entrées sont égales.")
    if np.allclose(np.abs(output - [0, 1, 1, 1]), 0, atol=0.1):
        raise Refusal("C'est un « ou » : au coin (1, 1), un neurone doit faire redescendre la sortie.")
    for corner, value, wanted in zip(_CORNERS.tolist(), output, (0, 1, 1, 0), strict=True):
        if not abs(value - wanted) <= 0.1 + 1e-9:
            idle = np.flatnonzero(hidden.max(axis=0) <= 0)
            more = f" Le neurone caché n° {idle[0] + 1} reste à 0 aux quatre coins." if idle.size else ""
            raise Refusal(f"Au coin {tuple(corner)}, la sortie vaut {value:.3g}, on attend {wanted} à 0,1 près.{more}")


# --- 1-4-c : dead units --------------------------------------------------------------------------------------------


@exercise(
    "1-4-c",
    hints=(
        "Une unité est une colonne ; elle est morte si toute sa colonne vaut 0.",
        "`np.all(activations == 0, axis=...)` donne un booléen par unité ; sur quel axe sont les images ?",
        "La moyenne de booléens est une part : `np.mean(np.all(activations == 0, axis=0))`.",
    ),
    success="Mesurez-la sur un grand lot : sur 32 images, une unité qui parle rarement passe pour morte.",
)
def dead(dead_fraction):
    """What share of the columns is zero everywhere?"""
    expect_function(dead_fraction, parameters=1, pure=True)
    rng = np.random.default_rng(3)
    noise = np.maximum(rng.normal(size=(6, 8)), 0)
    noise[:, [1, 4]] = 0
    small = np.array([[0.0, 0.5, 0.0, 2.0], [0.0, 0.0, 0.0, 1.0], [0.0, 0.0, 0.0, 3.0]])
    expect_cases(
        dead_fraction,
        [(small,), (noise,), (np.zeros((2, 3)),), (np.eye(4),)],
        reference=lambda a: sum(not any(column) for column in a.T.tolist()) / a.shape[1],
        mistakes=[
            (
                like(lambda a: np.mean(a == 0)),
                "C'est la part des zéros : elle mesure si l'activation est creuse. "
                "Une unité morte l'est pour toutes les images.",
            ),
            (
                like(lambda a: np.mean(np.all(a == 0, axis=1))),
                "Vous comptez les images où tout se tait ; les unités sont les colonnes.",
            ),
            (
                like(lambda a: np.mean(np.any(a == 0, axis=0))),
                "Vous comptez les unités qui se taisent au moins une fois : il faut qu'elles se taisent toujours.",
            ),
            (
                like(lambda a: np.sum(np.all(a == 0, axis=0))),
                "C'est un nombre d'unités : on demande une part, entre 0 et 1.",
            ),
            (like(lambda a: 1 - np.mean(np.all(a == 0, axis=0))), "C'est la part des unités vivantes."),
        ],
    )


# --- 1-4-d : softmax -----------------------------------------------------------------------------------------------


def _softmax(z: Array, axis: int | None = -1, top: int | None = -1) -> Array:
    z = np.asarray(z, dtype=float)
    powers = np.exp(z - z.max(axis=top, keepdims=True))
    return powers / powers.sum(axis=axis, keepdims=True)


def _unstable(axis: int | None) -> Callable[[Array], Array]:
    return lambda z: np.exp(z) / np.exp(z).sum(axis=axis, keepdims=True)


def _softmax_reference(z: Array) -> Array:
    from scipy.special import softmax

    return softmax(z, axis=-1)


@exercise(
    "1-4-d",
    hints=(
        "Soustraire un même nombre à tous les scores d'une ligne ne change pas la réponse : "
        "lequel rend toutes les exponentielles petites ?",
        "Le maximum et la somme se prennent sur le dernier axe, ligne par ligne ; "
        "`keepdims=True` garde de quoi soustraire et diviser.",
        "`powers = np.exp(z - z.max(axis=-1, keepdims=True))`, puis divisez par la somme de `powers` sur le même axe.",
    ),
    success="Le plus grand exposant vaut 0 et le dénominateur au moins 1 : "
    "ni débordement ni division par zéro ne sont possibles.",
)
def stable_softmax(softmax):
    """Softmax over the last axis, that survives rows near 1000 and -1000."""
    expect_function(softmax, parameters=1, pure=True)
    rng = np.random.default_rng(8)
    cases = [
        (np.array([0.0, 1.0, 2.0]),),
        (np.array([[0.0, 1.0, 3.0], [2.0, 2.0, 2.0]]),),
        (rng.normal(size=(3, 3)),),
        (rng.normal(size=(2, 3, 4)),),
        (np.array([[1000.0, 1001.0, 1002.0], [-1000.0, -999.0, -998.0]]),),
    ]
    expect_cases(
        softmax,
        cases,
        reference=_softmax_reference,
        rtol=1e-6,
        mistakes=[
            (
                like(lambda z: _softmax(z, axis=None, top=None)),
                "La somme porte sur tout le tableau : chaque ligne doit faire 1 à elle seule.",
            ),
            (
                like(lambda z: _softmax(z, axis=0, top=0)),
                "Vous normalisez les colonnes (axe 0) : les classes sont sur le dernier axe.",
            ),
            (like(_unstable(0)), "Vous normalisez les colonnes (axe 0) : les classes sont sur le dernier axe."),
            (like(_unstable(None)), "La somme porte sur tout le tableau : chaque ligne doit faire 1 à elle seule."),
            (like(_unstable(-1)), "`np.exp(1000)` déborde : soustrayez d'abord le maximum de chaque ligne."),
            (
                like(lambda z: _softmax(z, top=None)),
                "Vous soustrayez le maximum de tout le tableau : la ligne à −1000 ne garde que des zéros. "
                "Un maximum par ligne.",
            ),
            (
                like(lambda z: _softmax(z, axis=1) if z.ndim > 1 else _softmax(z)),
                "L'axe 1 n'est pas toujours le dernier : écrivez `axis=-1`.",
            ),
            (like(lambda z: np.exp(z - z.max(axis=-1, keepdims=True))), "Il manque la division par la somme."),
            (like(lambda z: np.log(_softmax(z))), "Ce sont les logarithmes des probabilités."),
        ],
    )


# --- 1-4-e : cross-entropy -----------------------------------------------------------------------------------------


def _losses(z: Array, labels: Array) -> Array:
    from scipy.special import logsumexp

    return np.array([logsumexp(row) - row[label] for row, label in zip(np.asarray(z, float), labels, strict=True)])


def _guarded(z: Array, labels: Array, floor: float) -> Array:
    return -np.log(_softmax(z)[np.arange(len(z)), labels] + floor)


def _added(floor: float) -> Callable[[Array, Array], float]:
    return lambda z, labels: float(_guarded(z, labels, floor).mean())


def _clipped(floor: float) -> Callable[[Array, Array], float]:
    return lambda z, labels: float(-np.log(np.clip(_softmax(z), floor, 1))[np.arange(len(z)), labels].mean())


_CAPPED = (
    "La petite constante ajoutée évite l'infini, mais plafonne le coût : l'image à 1000 du sommet doit coûter 1000. "
    "Calculez depuis les logits."
)


@exercise(
    "1-4-e",
    hints=(
        "Pour une image, le coût est `log(somme des exp(z)) - z[label]` : pas besoin de passer par les probabilités.",
        "Soustrayez d'abord à chaque ligne son maximum ; ensuite, l'exponentielle et la somme sont sans danger.",
        "`shifted[np.arange(len(z)), labels]` prend, dans chaque ligne, le score de la bonne classe. "
        "Le coût moyen est la moyenne de `log_sum - ce score`.",
    ),
    success="Aucun epsilon : en restant dans les logits, le coût vaut 1000 quand il doit valoir 1000, "
    "et son gradient reste p − y.",
)
def from_logits(mean_cross_entropy):
    """Mean cross-entropy of integer labels, computed from logits."""
    expect_function(mean_cross_entropy, parameters=2, pure=True)
    rng = np.random.default_rng(21)
    cases = [
        (np.log(np.array([[0.4, 0.3, 0.1, 0.2]])), np.array([0])),
        (rng.normal(size=(3, 4)), np.array([1, 3, 0])),
        (5 * rng.normal(size=(6, 3)), np.array([2, 2, 0, 1, 0, 1])),
        (np.array([[1000.0, 0.0], [-1000.0, -1001.0]]), np.array([1, 0])),
    ]

    def average(z: Array, labels: Array) -> float:
        return float(_losses(z, labels).mean())

    def all_labels(z: Array, labels: Array) -> float:
        shifted = z - z.max(axis=1, keepdims=True)
        return float(np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[:, labels]))

    one = [
        (like(lambda z, t: _losses(z, t).sum()), "C'est la somme sur le lot : on demande la moyenne."),
        (like(lambda z, t: _losses(z, t)), "C'est un coût par image : on demande leur moyenne, un seul nombre."),
        (
            like(lambda z, t: _losses(z, t).mean() / z.shape[1]),
            "Vous divisez aussi par le nombre de classes : la moyenne porte sur les images seules.",
        ),
        (like(lambda z, t: -_losses(z, t).mean()), "Il manque le signe moins : un coût est positif."),
        (
            like(lambda z, t: _losses(z, t).mean() / np.log(2)),
            "C'est un logarithme en base 2 ; prenez `np.log`, le logarithme naturel.",
        ),
        (
            like(all_labels),
            "`[:, labels]` prend les étiquettes de tout le monde dans chaque ligne : "
            "il faut `[np.arange(len(z)), labels]`.",
        ),
        (
            like(lambda z, t: float(-np.log(_softmax(z)[:, t]).mean())),
            "`[:, labels]` prend les étiquettes de tout le monde dans chaque ligne : "
            "il faut `[np.arange(len(z)), labels]`.",
        ),
        (
            like(lambda z, t: _guarded(z, t, 0.0).mean()),
            "Une probabilité s'est arrondie à 0 avant le logarithme : "
            "calculez depuis les logits, sans passer par elle.",
        ),
        (
            like(lambda z, t: float(np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), t]))),
            "`np.exp(1000)` déborde : soustrayez d'abord le maximum de chaque ligne.",
        ),
        (
            like(
                lambda z, t: float(
                    -np.log((np.exp(z) / np.exp(z).sum(axis=1, keepdims=True))[np.arange(len(z)), t]).mean()
                )
            ),
            "`np.exp(1000)` déborde : soustrayez d'abord le maximum de chaque ligne.",
        ),
    ]
    floors = [1e-15, 1e-12, 1e-10, 1e-9, 1e-8, 1e-7, 1e-6, 1e-5]
    capped = [(like(mistake(floor)), _CAPPED) for floor in floors for mistake in (_added, _clipped)]
    expect_cases(mean_cross_entropy, cases, reference=average, rtol=1e-5, mistakes=[*one, *capped])
