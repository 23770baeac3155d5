"""Checks of lesson 1-6: the best learning rate of a quadratic, a momentum step, an Adam step, a schedule."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_function, like

Array = NDArray[Any]

# --- 1-6-a : learning rate of a quadratic --------------------------------------------------------------------------


def _fastest_rate(H: Array) -> float:
    """Return the best rate by search: ternary search on the slowest contraction, a convex function of the rate."""

    def slowest(lr: float) -> float:
        return float(np.abs(np.linalg.eigvals(np.eye(len(H)) - lr * H)).max())

    low, high = 0.0, 2 / float(np.linalg.norm(H, 2))
    for _ in range(200):
        left, right = low + (high - low) / 3, high - (high - low) / 3
        low, high = (low, right) if slowest(left) < slowest(right) else (left, high)
    return (low + high) / 2


def _by_curvatures(rate: Callable[[Array], Any]) -> Callable[[Array], Any]:
    return lambda H: rate(np.linalg.eigvalsh(H))


_BEST_LR_MISTAKES = [
    (
        like(_by_curvatures(lambda values: 2 / values.max())),
        "C'est la limite de stabilité : à 2/λmax, la direction la plus raide oscille sans fin.",
    ),
    (
        like(_by_curvatures(lambda values: 1 / values.max())),
        "À 1/λmax, la direction la plus raide arrive en un pas, mais la plus plate attend : on peut aller plus vite.",
    ),
    (like(_by_curvatures(lambda values: 1 / (values.min() + values.max()))), "Il manque un facteur 2."),
    (
        like(_by_curvatures(lambda values: 2 / values.sum())),
        "Seules comptent la plus petite et la plus grande valeur propre ; vous les avez toutes additionnées.",
    ),
    (
        like(_by_curvatures(lambda values: 1 / values.mean())),
        "La moyenne de toutes les courbures n'est pas ce qui compte : seules les deux extrêmes commandent.",
    ),
    (
        like(_by_curvatures(lambda values: 2 / values.min())),
        "Ce pas convient à la direction la plus plate ; il fait diverger la plus raide.",
    ),
    (
        like(lambda H: 2 / (np.diag(H).min() + np.diag(H).max())),
        "Les courbures ne sont sur la diagonale que si H est diagonale : prenez les valeurs propres.",
    ),
    (
        like(_by_curvatures(lambda values: 4 / (np.sqrt(values.min()) + np.sqrt(values.max())) ** 2)),
        "C'est le pas optimal avec momentum (Polyak) ; on demande celui de la descente simple.",
    ),
]


@exercise(
    "1-6-a",
    hints=(
        "Tracez |1 − ηλ| en fonction de η pour λmin et pour λmax : la plus haute des deux courbes est la plus basse "
        "là où elles se croisent.",
        "Au croisement, 1 − η λmin = −(1 − η λmax) : résolvez en η.",
        "`values = np.linalg.eigvalsh(H)`, puis `2 / (values.min() + values.max())`.",
    ),
    success="À ce pas, chaque direction est multipliée par au plus (κ − 1)/(κ + 1) : "
    "c'est le conditionnement qui fixe la vitesse, pas la taille du problème.",
)
def best_lr(best_lr):
    """Does the function give the learning rate for which gradient descent converges fastest?"""
    expect_function(best_lr, parameters=1, pure=True)
    rotated = np.array([[5.0, 2.0, 0.0], [2.0, 4.0, 1.0], [0.0, 1.0, 3.0]])
    cases = [(np.diag([1.0, 9.0]),), (np.diag([10.0, 2.0, 1.0]),), (np.array([[2.0, 1.0], [1.0, 2.0]]),), (rotated,)]
    expect_cases(best_lr, cases, _fastest_rate, rtol=1e-5, mistakes=_BEST_LR_MISTAKES)


# --- 1-6-b : momentum ----------------------------------------------------------------------------------------------


def _momentum_by_keys(w: Array, v: Array, g: Array, lr: float, mu: float, nesterov: bool) -> tuple[Array, Array]:
    """Return the step entry by entry: Nesterov's is a second push of the speed, from the new speed."""
    position, speed = w.astype(float).copy(), v.astype(float).copy()
    for k in np.ndindex(w.shape):
        speed[k] = mu * v[k] - lr * g[k]
        position[k] = w[k] + (mu * speed[k] - lr * g[k] if nesterov else speed[k])
    return position, speed


def _momentum(
    speed: Callable[..., Any] = lambda v, g, lr, mu: mu * v - lr * g,
    move: Callable[..., Any] = lambda old, v, g, lr, mu: v,
    ahead: Callable[..., Any] = lambda old, v, g, lr, mu: mu * v - lr * g,
) -> Callable[..., Any]:
    """Return a momentum step with one of its parts replaced."""

    def step(w: Array, v: Array, g: Array, lr: float, mu: float, nesterov: bool) -> tuple[Any, Any]:
        new = speed(v, g, lr, mu)
        return w + (ahead if nesterov else move)(v, new, g, lr, mu), new

    return step


_UPHILL = "Cette vitesse monte la pente : le gradient est retranché, v ← μ v − η g."
_MEAN = "Le facteur 1 − μ appartient aux moyennes d'Adam ; ici, v ← μ v − η g."

_MOMENTUM_MISTAKES = [
    (
        like(
            _momentum(
                lambda v, g, lr, mu: mu * v + g,
                lambda old, v, g, lr, mu: -lr * v,
                lambda old, v, g, lr, mu: -lr * (g + mu * v),
            )
        ),
        "C'est la convention de PyTorch, où la vitesse ne contient pas le pas ; dans celle de Keras, "
        "v ← μ v − η g, puis on l'ajoute à w.",
    ),
    (like(_momentum(lambda v, g, lr, mu: mu * v + lr * g)), _UPHILL),
    (like(lambda w, v, g, *rest: _momentum()(w, v, -g, *rest)), _UPHILL),
    (
        like(_momentum(ahead=lambda old, v, g, lr, mu: v, move=lambda old, v, g, lr, mu: mu * v - lr * g)),
        "Les deux règles sont échangées : la position avance de `v` quand `nesterov` est faux.",
    ),
    (like(_momentum(lambda v, g, lr, mu: mu * v - (1 - mu) * lr * g)), _MEAN),
    (like(lambda w, v, g, lr, mu, nesterov: _momentum()(w, v, (1 - mu) * g, lr, mu, nesterov)), _MEAN),
    (
        like(_momentum(move=lambda old, v, g, lr, mu: old)),
        "Vous avez déplacé `w` avec l'ancienne vitesse : mettez `v` à jour d'abord.",
    ),
    (
        like(_momentum(ahead=lambda old, v, g, lr, mu: v)),
        "`nesterov` est sans effet. Quand il est vrai, w ← w + μ v − η g, avec la vitesse déjà mise à jour : "
        "avec l'ancienne, on retombe sur le momentum ordinaire.",
    ),
    (
        like(_momentum(ahead=lambda old, v, g, lr, mu: mu * v)),
        "Pour Nesterov, il manque le terme − η g dans le déplacement.",
    ),
    (like(lambda *arguments: _momentum()(*arguments)[::-1]), "Les deux résultats sont échangés : renvoyez `(w, v)`."),
    (like(lambda *arguments: _momentum()(*arguments)[0]), "Renvoyez aussi la vitesse : `return w, v`."),
]


@exercise(
    "1-6-b",
    hints=(
        "Deux lignes, dans l'ordre : d'abord la vitesse, puis la position. "
        "Écrivez `v = …` et non `v *= …`, qui modifierait le tableau reçu.",
        "`v = mu * v - lr * g` ; la position avance de `v`, ou, pour Nesterov, de `mu * v - lr * g` "
        "avec ce nouveau `v`.",
        "`step = mu * v - lr * g if nesterov else v`, puis `return w + step, v`.",
    ),
    success="PyTorch range le pas hors de la vitesse. Tant que η est constant, les trajectoires sont les mêmes ; "
    "dès qu'un programme change η, elles se séparent.",
)
def momentum_step(momentum_step):
    """Does the function make one step of momentum, Nesterov's included, in Keras' convention?"""
    expect_function(momentum_step, parameters=6, pure=True)
    w, v, g = np.array([1.0, -2.0]), np.array([0.5, 0.25]), np.array([2.0, 4.0])
    rng = np.random.default_rng(16)
    other = tuple(rng.normal(size=(3, 2)) for _ in range(3))
    cases: list[tuple[Any, ...]] = [(w, v, g, 0.1, 0.9, False), (w, v, g, 0.1, 0.9, True), (w, v, g, 0.5, 0.0, False)]
    cases += [(*other, 0.03, 0.7, False), (*other, 0.03, 0.7, True)]
    expect_cases(momentum_step, cases, _momentum_by_keys, rtol=1e-7, mistakes=_MOMENTUM_MISTAKES)


# --- 1-6-c : Adam --------------------------------------------------------------------------------------------------


def _adam_by_entries(
    w: Array, m: Array, v: Array, g: Array, t: int, lr: float, beta_1: float, beta_2: float, epsilon: float
) -> tuple[Array, Array, Array]:
    """Return Kingma and Ba's algorithm 1, entry by entry."""
    out = [np.array(a, float) for a in (w, m, v)]
    for k in np.ndindex(g.shape):
        out[1][k] += (1 - beta_1) * (g[k] - m[k])
        out[2][k] += (1 - beta_2) * (g[k] ** 2 - v[k])
        mean, size = out[1][k] / (1 - math.pow(beta_1, t)), out[2][k] / (1 - math.pow(beta_2, t))
        out[0][k] -= lr * mean / (math.sqrt(size) + epsilon)
    return out[0], out[1], out[2]


def _adam(
    correct: Callable[..., Any] = lambda m, v, t, b1, b2: (m / (1 - b1**t), v / (1 - b2**t)),
    ratio: Callable[..., Any] = lambda m, v, eps: m / (np.sqrt(v) + eps),
    square: Callable[..., Any] = np.square,
    keep: bool = False,
    swapped: bool = False,
    sign: int = -1,
) -> Callable[..., Any]:
    """Return an Adam step with one of its parts replaced."""

    def step(
        w: Array, m: Array, v: Array, g: Array, t: int, lr: float, b1: float, b2: float, eps: float
    ) -> tuple[Any, Any, Any]:
        b1, b2 = (b2, b1) if swapped else (b1, b2)
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * square(g)
        with np.errstate(all="ignore"):
            m_hat, v_hat = correct(m, v, t, b1, b2)
            moved = w + sign * lr * ratio(m_hat, v_hat, eps)
        return (moved, m_hat, v_hat) if keep else (moved, m, v)

    return step


def _keras_adam(
    w: Array, m: Array, v: Array, g: Array, t: int, lr: float, b1: float, b2: float, eps: float
) -> tuple[Any, Any, Any]:
    m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
    return w - lr * math.sqrt(1 - b2**t) / (1 - b1**t) * m / (np.sqrt(v) + eps), m, v


_ADAM_MISTAKES = [
    (
        like(_adam(correct=lambda m, v, t, b1, b2: (m, v))),
        "La correction manque : divisez m par 1 − β₁ᵗ et v par 1 − β₂ᵗ avant d'avancer.",
    ),
    (
        like(_adam(correct=lambda m, v, t, b1, b2: (m / (1 - b1 ** (t + 1)), v / (1 - b2 ** (t + 1))))),
        "`t` vaut déjà 1 au premier pas : l'exposant est `t`, pas `t + 1`.",
    ),
    (
        like(_adam(correct=lambda m, v, t, b1, b2: (m / (1 - b1 ** (t - 1)), v / (1 - b2 ** (t - 1))))),
        "`t` vaut déjà 1 au premier pas : avec l'exposant `t - 1`, on y divise par zéro.",
    ),
    (
        like(_adam(correct=lambda m, v, t, b1, b2: (m / (1 - b1 * t), v / (1 - b2 * t)))),
        "β₁ᵗ est une puissance, `beta_1 ** t`, pas un produit.",
    ),
    (
        like(_adam(correct=lambda m, v, t, b1, b2: (m / (1 - b1), v / (1 - b2)))),
        "L'exposant `t` manque : la correction s'efface à mesure que les pas s'accumulent.",
    ),
    (
        like(_adam(correct=lambda m, v, t, b1, b2: (m / (1 - b1**t), v))),
        "Vous corrigez m, mais pas v : c'est lui qui part le plus lentement de zéro.",
    ),
    (like(_adam(keep=True)), "Renvoyez m et v non corrigés : sinon le pas suivant corrigerait deux fois."),
    (
        like(_adam(ratio=lambda m, v, eps: m / np.sqrt(v + eps))),
        "`epsilon` s'ajoute après la racine ; dedans, c'est la formule de RMSprop.",
    ),
    (
        like(_keras_adam),
        "C'est la variante de Keras (le ε̂ de l'article) ; ici, `epsilon` s'ajoute à la racine de v corrigé.",
    ),
    (like(_adam(ratio=lambda m, v, eps: m / (v + eps))), "Il manque la racine carrée de v corrigé."),
    (like(_adam(square=np.asarray)), "`v` suit la moyenne de `g ** 2` ; le carré manque."),
    (like(_adam(swapped=True)), "`beta_1` et `beta_2` sont échangés : `beta_1` va avec m, `beta_2` avec v."),
    (like(_adam(sign=1)), "Vous montez la pente : le pas est retranché de `w`."),
    (like(_adam(ratio=lambda m, v, eps: 0 * m)), "`w` n'a pas bougé : il manque la dernière ligne."),
]


@exercise(
    "1-6-c",
    hints=(
        "Quatre étapes : m, v, les deux corrections, la position. Donnez d'autres noms aux versions corrigées.",
        "`m = beta_1 * m + (1 - beta_1) * g`, la même chose pour `v` avec `g ** 2` ; "
        "puis `m_hat = m / (1 - beta_1 ** t)`.",
        "Pour finir : `w - lr * m_hat / (np.sqrt(v_hat) + epsilon)`, et renvoyez ce `w`, avec `m` et `v` tels quels.",
    ),
    success="Au premier pas, m̂ = g et v̂ = g² : chaque poids avance de η, dans le sens contraire au signe de sa pente.",
)
def adam_step(adam_step):
    """Does the function make one step of Adam, with bias correction?"""
    expect_function(adam_step, parameters=9, pure=True)
    zero, w, g = np.zeros(2), np.array([1.0, -2.0]), np.array([0.5, -4.0])
    rng = np.random.default_rng(15)
    w2, m2, g2 = (rng.normal(size=(2, 3)) for _ in range(3))
    v2 = rng.random((2, 3)) + 0.1
    cases = [
        (w, zero, zero, g, 1, 0.1, 0.9, 0.999, 1e-7),
        (w, zero, zero, g, 1, 0.1, 0.9, 0.999, 0.1),
        (w2, m2, v2, g2, 3, 0.05, 0.8, 0.95, 0.01),
        (w2, m2, v2, g2, 40, 0.01, 0.9, 0.99, 0.01),
    ]
    expect_cases(adam_step, cases, _adam_by_entries, rtol=1e-6, mistakes=_ADAM_MISTAKES)


# --- 1-6-d : schedule ----------------------------------------------------------------------------------------------


def _table(t: int, total: int, warmup: int, peak: float) -> float:
    """Return the rate read in a table, whose descent is the real part of a half-turn in equal steps."""
    rise = [peak * k / warmup for k in range(warmup)]
    turn = np.exp(1j * np.linspace(0, np.pi, total - warmup + 1)).real
    return float([*rise, *(peak * (turn + 1) / 2)][t])


def _schedule(
    rise: Callable[..., float] = lambda t, warmup: t / warmup,
    fall: Callable[..., Any] = lambda x: (1 + np.cos(np.pi * x)) / 2,
    progress: Callable[..., float] = lambda t, total, warmup: (t - warmup) / (total - warmup),
    scale: Callable[[float], float] = lambda peak: peak,
    warm: bool = True,
) -> Callable[..., Any]:
    """Return a schedule with one of its parts replaced."""

    def rate(t: int, total: int, warmup: int, peak: float) -> Any:
        if warm and t <= warmup:
            return scale(peak) * rise(t, warmup)
        return scale(peak) * fall(progress(t, total, warmup if warm else 0))

    return rate


_SCHEDULE_MISTAKES = [
    (like(_schedule(warm=False)), "L'échauffement manque : jusqu'à `t = warmup`, le pas monte en ligne droite."),
    (
        like(_schedule(rise=lambda t, warmup: (t - 1) / warmup)),
        "`t` vaut 1 au premier pas, qui serait perdu avec un pas d'apprentissage nul : `peak * t / warmup`.",
    ),
    (
        like(_schedule(rise=lambda t, warmup: (t + 1) / warmup)),
        "Un cran trop tôt : `t` compte à partir de 1, le sommet est à `t = warmup`.",
    ),
    (
        like(_schedule(progress=lambda t, total, warmup: t / total)),
        "Le cosinus doit commencer à la fin de l'échauffement : son avancement est `(t - warmup) / (total - warmup)`.",
    ),
    (
        like(_schedule(progress=lambda t, total, warmup: (t - warmup) / total)),
        "Le cosinus n'a que `total - warmup` pas pour descendre : divisez par cela, sinon il n'atteint pas 0.",
    ),
    (
        like(_schedule(fall=lambda x: 1 + np.cos(np.pi * x))),
        "1 + cos va de 2 à 0 : il manque un facteur 1/2.",
    ),
    (
        like(_schedule(fall=lambda x: (1 + np.cos(x)) / 2)),
        "Il manque π : le cosinus doit faire un demi-tour, de 0 à π.",
    ),
    (
        like(_schedule(fall=lambda x: np.cos(np.pi * x))),
        "cos va de 1 à −1, et un pas négatif remonterait la pente : ramenez-le entre 1 et 0.",
    ),
    (
        like(_schedule(fall=lambda x: np.cos(np.pi * x / 2))),
        "C'est un quart de tour, qui arrive brutalement à 0 ; on demande la demi-période (1 + cos)/2.",
    ),
    (like(_schedule(fall=lambda x: 1 - x)), "Cette descente est une droite ; on demande un demi-cosinus."),
    (like(_schedule(fall=lambda x: 1.0)), "Après l'échauffement, le pas doit descendre jusqu'à 0."),
    (like(_schedule(scale=lambda peak: 1.0)), "Il manque le facteur `peak`."),
]


@exercise(
    "1-6-d",
    hints=(
        "Deux régimes : `if t <= warmup`, une droite ; ensuite, un cosinus.",
        "Après l'échauffement, l'avancement `(t - warmup) / (total - warmup)` va de 0 à 1 ; "
        "(1 + cos(π × avancement)) / 2 va alors de 1 à 0.",
        "`peak * t / warmup`, puis `peak * (1 + np.cos(np.pi * progress)) / 2`.",
    ),
    success="Les deux formules donnent `peak` à `t = warmup` : le programme est continu, "
    "et `<` ou `<=` n'y change rien.",
)
def warmup_cosine(warmup_cosine):
    """Does the function give a linear warm-up, then half a cosine?"""
    expect_function(warmup_cosine, parameters=4)
    cases = [(t, 100, 20, 0.4) for t in (20, 10, 1, 40, 60, 100)]
    cases += [(1, 7, 3, 2.0), (5, 7, 3, 2.0), (3, 12, 0, 0.1)]
    expect_cases(warmup_cosine, cases, _table, rtol=1e-6, atol=1e-9, mistakes=_SCHEDULE_MISTAKES)
