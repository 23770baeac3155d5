"""Checks of lesson 1-8: scale of the weights, dropout, early stopping, batch normalisation."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_array, expect_cases, expect_close, expect_function, expect_that, like

Array = NDArray[Any]

# --- 1-8-a : standard deviation of the initial weights ------------------------------------------------------------


def fans(shape: tuple[int, ...]) -> tuple[int, int]:
    """Numbers of products that a unit receives and that an input value feeds."""
    window = math.prod(shape[:-2])
    return window * shape[-2], window * shape[-1]


def reference_std(shape: tuple[int, ...], scheme: str) -> float:
    """He: √(2 / fan_in); Glorot: √(2 / (fan_in + fan_out))."""
    fan_in, fan_out = fans(shape)
    return math.sqrt(2 / fan_in if scheme == "he" else 2 / (fan_in + fan_out))


def without_window(shape: tuple[int, ...], scheme: str) -> float:
    """Mistake: the window of a convolution is forgotten."""
    return reference_std(shape[-2:], scheme)


def window_in_only(shape: tuple[int, ...], scheme: str) -> float:
    """Mistake: the window is counted for the inputs alone."""
    fan_in, _ = fans(shape)
    return math.sqrt(2 / fan_in if scheme == "he" else 2 / (fan_in + shape[-1]))


def fan_out_for_he(shape: tuple[int, ...], scheme: str) -> float:
    """Mistake: He with the number of outputs."""
    fan_in, fan_out = fans(shape)
    return math.sqrt(2 / fan_out if scheme == "he" else 2 / (fan_in + fan_out))


def half_glorot(shape: tuple[int, ...], scheme: str) -> float:
    """Mistake: 1 instead of 2 in Glorot's formula."""
    fan_in, fan_out = fans(shape)
    return math.sqrt(2 / fan_in if scheme == "he" else 1 / (fan_in + fan_out))


@exercise(
    "1-8-a",
    hints=(
        "Les deux formules de la leçon donnent des variances : 2/n pour He, 2/(n + m) pour Glorot.",
        "Pour une forme `(3, 3, 16, 32)`, un neurone reçoit n = 3 × 3 × 16 valeurs, et m = 3 × 3 × 32. "
        "`np.prod(shape[:-2])` donne la taille de la fenêtre, 1 pour une couche dense.",
        "`window = np.prod(shape[:-2])`, `n = window * shape[-2]`, `m = window * shape[-1]` ; "
        "He renvoie `np.sqrt(2 / n)`.",
    ),
    success="Une fenêtre 3 × 3 divise déjà l'écart-type par 3 : plus un neurone reçoit de termes, plus chacun doit "
    "être discret.",
)
def initial_scale(weight_std):
    """Standard deviation of He's and Glorot's initial weights, dense and convolutional."""
    expect_function(weight_std, parameters=2)
    cases = [
        ((200, 100), "he"),
        ((200, 100), "glorot"),
        ((3, 3, 16, 32), "he"),
        ((3, 3, 16, 32), "glorot"),
        ((64, 10), "he"),
    ]
    expect_cases(
        weight_std,
        cases,
        reference=reference_std,
        rtol=1e-6,
        mistakes={
            like(lambda s, k: reference_std(s, k) ** 2): "C'est la variance : l'écart-type en est la racine carrée.",
            like(without_window): "Comptez aussi la fenêtre : un neurone de convolution reçoit 3 × 3 × 16 valeurs.",
            like(window_in_only): "La fenêtre compte des deux côtés : m = 3 × 3 × 32 pour Glorot.",
            like(fan_out_for_he): "He regarde ce que le neurone reçoit (l'avant-dernier nombre), pas ce qu'il nourrit.",
            like(half_glorot): "Glorot : 2/(n + m), soit l'inverse de la moyenne de n et de m.",
            like(lambda s, k: math.sqrt(3) * reference_std(s, k)): "C'est la borne d'une loi uniforme, √3 fois trop.",
        },
    )


# --- 1-8-b : inverted dropout --------------------------------------------------------------------------------------


class Chance(np.random.Generator):
    """Generator whose text, shown in messages, is the same at each run."""

    def __repr__(self) -> str:
        """Return the name that the participant gave it."""
        return "rng"


def pair(result: Any, call: str) -> tuple[Any, Any]:
    """Check that a result is a pair and return it."""
    expect_that(
        isinstance(result, tuple) and len(result) == 2,
        f"`{call}` doit renvoyer deux choses, `y` puis `mask` : `return y, mask`.",
    )
    return result


@exercise(
    "1-8-b",
    hints=(
        "Un tirage uniforme de `rng.random(x.shape)` est inférieur à `rate` avec la probabilité `rate`.",
        "Mettez le facteur 1 / (1 - rate) dans le masque lui-même : 0 pour les éteints, ce facteur "
        "pour les survivants.",
        "`mask = (rng.random(x.shape) >= rate) / (1 - rate)`, puis `return x * mask, mask` ; "
        "le retour est `grad * mask`.",
    ),
    success="Le même masque à l'aller et au retour : un neurone éteint n'a rien dit, il n'est responsable de rien.",
)
def inverted_dropout(dropout, dropout_backward):
    """Inverted dropout and its gradient."""
    expect_function(dropout, parameters=4)
    expect_function(dropout_backward, parameters=2)
    x = np.linspace(1.0, 2.0, 40_000).reshape(200, 200)
    rate, rng = 0.2, Chance(np.random.PCG64(0))
    y, mask = (np.asarray(part, float) for part in pair(dropout(x, rate, rng, True), "dropout(x, 0.2, rng, True)"))
    expect_that(y.shape == x.shape, f"`y` est de forme {y.shape} ; on attend celle de `x`, {x.shape}.")
    expect_that(
        mask.shape == x.shape,
        f"`mask` est de forme {mask.shape} ; il faut un tirage par valeur : `rng.random(x.shape)`.",
    )
    silent = float(np.mean(y == 0))
    if abs(silent - rate) > 0.02:
        why = (
            "Vous éteignez ceux qu'il fallait garder : `rate` est la part des éteints."
            if abs(silent - 0.8) < 0.02
            else ""
        )
        expect_that(
            False, f"Avec `rate` = 0.2, {100 * silent:.0f} % des valeurs sont éteintes, on en attend 20 %. {why}"
        )
    factor = float((y / x)[y != 0].mean())
    reasons = {
        1.0: "Les survivants ne sont pas agrandis : divisez-les par 1 - rate.",
        5.0: "Vous divisez par `rate` ; c'est 1 - rate, la part des survivants.",
        0.8: "Vous multipliez par 1 - rate : il faut diviser, pour rendre ce que les éteints ont emporté.",
        1.5625: "Le facteur est appliqué deux fois : une fois dans le masque, une fois sur `y`.",
    }
    expect_that(
        abs(factor - 1.25) < 1e-6,
        f"Les survivants sont multipliés par {factor:.4g}, on attend 1 / (1 - 0.2) = 1.25. "
        + next((text for value, text in reasons.items() if abs(value - factor) < 1e-6), ""),
    )
    other, _ = pair(dropout(x, rate, rng, True), "dropout(x, 0.2, rng, True)")
    expect_that(
        not np.array_equal(y, other),
        "Deux appels de suite donnent le même masque : employez le `rng` reçu, sans en recréer un.",
    )
    grad = np.random.default_rng(1).normal(size=x.shape)
    back = np.asarray(dropout_backward(grad.copy(), mask.copy()), float)
    expect_that(back.shape == x.shape, f"Le gradient est de forme {back.shape} ; on attend celle de `x`, {x.shape}.")
    expect_array(
        back,
        grad * (y != 0) * 1.25,
        rtol=1e-6,
        name="dropout_backward(grad, mask)",
        mistakes=[
            (grad, "Le gradient traverse des neurones éteints : multipliez-le par le masque."),
            (grad * (y != 0), "Le facteur 1 / (1 - rate) manque au retour : rangez-le dans le masque."),
            (grad * (y != 0) * 1.25**2, "Le facteur 1 / (1 - rate) est déjà dans le masque : une fois suffit."),
        ],
    )
    y, mask = (np.asarray(part, float) for part in pair(dropout(x, rate, rng, False), "dropout(x, 0.2, rng, False)"))
    expect_that(
        np.allclose(y, x),
        "Avec `training=False`, `y` doit être égal à `x` : le dropout inversé ne fait rien à l'inférence.",
    )
    expect_that(
        np.allclose(mask, 1) and mask.shape == x.shape,
        "Avec `training=False`, le masque doit être fait de 1, de la forme de `x` : `np.ones_like(x)`.",
    )


# --- 1-8-c : early stopping ----------------------------------------------------------------------------------------


def stopping(losses, patience, *, extra=0, ties=False, to_previous=False):
    """Follow Keras' rule, or one of its usual distortions."""
    best, best_epoch, waited = math.inf, 0, 0
    for epoch, loss in enumerate(losses):
        threshold = losses[epoch - 1] if to_previous and epoch else best
        if loss < threshold or (ties and loss == threshold):
            waited = 0
        else:
            waited += 1
        if loss < best or (ties and loss == best):
            best, best_epoch = loss, epoch
        if waited >= patience + extra:
            return epoch, best_epoch
    return len(losses) - 1, best_epoch


def first_minimum(losses, patience):
    """Mistake: the minimum of the whole list, future included."""
    return stopping(losses, patience)[0], int(np.argmin(losses))


def minus_patience(losses, patience):
    """Mistake: the best epoch is deduced from the last."""
    last = stopping(losses, patience)[0]
    return last, last - patience


def counted_from_one(losses, patience):
    """Mistake: epochs counted from 1."""
    last, best = stopping(losses, patience)
    return last + 1, best + 1


@exercise(
    "1-8-c",
    hints=(
        "Parcourez les époques avec `enumerate` ; tenez trois choses à jour : le meilleur coût, son époque, "
        "et le nombre d'époques depuis ce meilleur.",
        "Si le coût est plus petit que le meilleur : notez-le, l'attente retombe à 0. Sinon, l'attente augmente de 1, "
        "et l'on s'arrête dès qu'elle atteint `patience`.",
        "`if loss < best: best, best_epoch, waited = loss, epoch, 0`, `else: waited += 1`, puis "
        "`if waited >= patience: return epoch, best_epoch`. "
        "Si la boucle va au bout : `return len(val_losses) - 1, best_epoch`.",
    ),
    success="La patience se paie en époques perdues ; l'impatience, en minimums jamais atteints.",
)
def early(early_stopping):
    """Early stopping with patience on a list of validation losses."""
    expect_function(early_stopping, parameters=2)
    cases = [
        ([0.9, 0.7, 0.6, 0.65, 0.7, 0.8, 0.9], 2),
        ([0.9, 0.8, 0.85, 0.84, 0.83, 0.82, 0.81], 3),
        ([0.9, 0.7, 0.75, 0.8, 0.5, 0.4], 2),
        ([0.9, 0.8, 0.8, 0.8, 0.7], 2),
        ([0.9, 0.8, 0.7, 0.6], 2),
        ([0.9, 0.8, 0.85], 5),
        ([0.5, 0.6, 0.4], 1),
    ]
    expect_cases(
        early_stopping,
        cases,
        reference=stopping,
        mistakes={
            like(
                lambda v, p: stopping(v, p, extra=1)
            ): "Une époque de trop : arrêtez dès que l'attente vaut `patience`.",
            like(lambda v, p: stopping(v, p, extra=-1)): "Une époque trop tôt : il en faut `patience` sans progrès.",
            like(
                lambda v, p: stopping(v, p, ties=True)
            ): "Une égalité n'est pas un progrès : comparez avec `<`, strictement.",
            like(
                lambda v, p: stopping(v, p, to_previous=True)
            ): "Comparez au meilleur coût vu, pas à celui de l'époque précédente.",
            like(first_minimum): "Ce minimum vient après l'arrêt : la règle ne connaît pas l'avenir.",
            like(
                minus_patience
            ): "`last - patience` est faux quand l'entraînement va au bout : notez l'époque du meilleur.",
            like(counted_from_one): "Les époques se comptent depuis 0.",
            like(lambda v, p: stopping(v, p)[::-1]): "L'ordre attendu est `(last, best)`.",
            like(
                lambda v, p: (stopping(v, p)[0], min(v[: stopping(v, p)[0] + 1]))
            ): "`best` est une époque, pas un coût.",
        },
    )


# --- 1-8-d : batch normalisation -----------------------------------------------------------------------------------


@exercise(
    "1-8-d",
    hints=(
        "Deux cas : à l'entraînement, la moyenne et la variance sont celles du lot, neurone par neurone (`axis=0`) ; "
        "à l'inférence, ce sont `mean` et `var`, qui ne bougent pas.",
        "Moyenne glissante de Keras : nouvelle = momentum × ancienne + (1 - momentum) × celle du lot. "
        "`eps` s'ajoute à la variance, sous la racine.",
        "À l'entraînement : `mu, v = x.mean(axis=0), x.var(axis=0)`, "
        "puis `mean = momentum * mean + (1 - momentum) * mu`, "
        "de même pour `var` ; enfin `y = gamma * (x - mu) / np.sqrt(v + eps) + beta`.",
    ),
    success="Attention en changeant de bibliothèque : le `momentum` de PyTorch est la part de la *nouvelle* valeur, "
    "et sa variance glissante divise par N - 1.",
)
def normalisation(batch_norm):
    """Batch normalisation, training and inference, in Keras' conventions."""
    expect_function(batch_norm, pure=True)
    rng = np.random.default_rng(0)
    x = rng.normal(3.0, [0.02, 1.0, 5.0], (8, 3))
    gamma, beta = np.array([1.0, 2.0, 0.5]), np.array([0.0, -1.0, 3.0])
    mean, var = np.array([0.5, 1.0, -1.0]), np.array([1.0, 2.0, 9.0])
    momentum, eps = 0.9, 1e-3

    def run(training: bool) -> tuple[Any, Any, Any]:
        result = batch_norm(x, gamma, beta, mean, var, training, momentum, eps)
        expect_that(
            isinstance(result, tuple) and len(result) == 3,
            "`batch_norm` doit renvoyer trois choses : `return y, mean, var`.",
        )
        return result

    def scaled(mu: Any, v: Any) -> Array:
        return gamma * (x - mu) / np.sqrt(v + eps) + beta

    mu, v = x.sum(axis=0) / 8, ((x - x.sum(axis=0) / 8) ** 2).sum(axis=0) / 8
    y, new_mean, new_var = run(True)
    expect_array(
        y,
        scaled(mu, v),
        rtol=1e-6,
        name="y (entraînement)",
        mistakes=[
            (scaled(mu, v * 8 / 7), "Divisez la variance par N, pas par N - 1 : `x.var(axis=0)`."),
            (gamma * (x - mu) / (np.sqrt(v) + eps) + beta, "`eps` va sous la racine : `np.sqrt(v + eps)`."),
            (gamma * (x - mu) / np.sqrt(v) + beta, "`eps` manque sous la racine."),
            (gamma * (x - mu) / (v + eps) + beta, "Vous divisez par la variance : prenez-en la racine."),
            (scaled(mean, var), "Ce sont les moyennes glissantes : à l'entraînement, prenez celles du lot."),
            (
                scaled(momentum * mean + (1 - momentum) * mu, momentum * var + (1 - momentum) * v),
                "Vous normalisez par les moyennes glissantes à jour : à l'entraînement, prenez celles du lot.",
            ),
            ((x - mu) / np.sqrt(v + eps), "Il manque `gamma` et `beta`."),
            (scaled(x.mean(), x.var()), "Une moyenne par neurone : `axis=0`."),
            (
                scaled(x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)),
                "Vous moyennez sur les neurones d'un exemple (`axis=1`), c'est la layer normalization ; ici, `axis=0`.",
            ),
        ],
    )
    swapped = "`momentum` est la part de l'ancienne valeur ; le lot n'a que 1 - momentum."
    frozen = "À l'entraînement, les moyennes glissantes doivent avancer vers celles du lot."
    expect_array(
        new_mean,
        0.9 * mean + 0.1 * mu,
        rtol=1e-6,
        name="mean (entraînement)",
        mistakes=[(0.1 * mean + 0.9 * mu, swapped), (mean, frozen), (mu, "C'est la moyenne du lot seul.")],
    )
    expect_array(
        new_var,
        0.9 * var + 0.1 * v,
        rtol=1e-6,
        name="var (entraînement)",
        mistakes=[
            (0.1 * var + 0.9 * v, swapped),
            (var, frozen),
            (0.9 * var + 0.1 * v * 8 / 7, "C'est la convention de PyTorch : Keras divise par N ici aussi."),
            (0.9 * var + 0.1 * np.sqrt(v), "On garde la moyenne glissante de la variance, pas de l'écart-type."),
            (0.9 * var + 0.1 * (v + eps), "`eps` ne sert que dans la division : ne le gardez pas dans la variance."),
        ],
    )
    y, new_mean, new_var = run(False)
    expect_array(
        y,
        scaled(mean, var),
        rtol=1e-6,
        name="y (inférence)",
        mistakes=[
            (scaled(mu, v), "À l'inférence, servez-vous des moyennes glissantes, pas de celles du lot."),
            (
                scaled(0.9 * mean + 0.1 * mu, 0.9 * var + 0.1 * v),
                "À l'inférence, les moyennes glissantes ne bougent plus.",
            ),
        ],
    )
    for name, value, kept in (("mean", new_mean, mean), ("var", new_var, var)):
        expect_that(
            np.allclose(np.asarray(value, float), kept),
            f"À l'inférence, `{name}` a changé : les moyennes glissantes ne bougent qu'à l'entraînement.",
        )
    default = batch_norm(x, gamma, beta, mean, var, True)
    expect_close(
        float(np.asarray(default[1], float)[0]),
        0.99 * mean[0] + 0.01 * mu[0],
        name="mean[0] avec momentum par défaut",
        mistakes=[(0.9 * mean[0] + 0.1 * mu[0], "`momentum` vaut 0.99 par défaut.")],
    )
