"""Checks of lesson 1-7: an angle on the circle, the F1 score, heads for five problems, the cost of a mixture."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    Refusal,
    expect_cases,
    expect_function,
    expect_that,
    expect_type,
    like,
)

Array = NDArray[Any]

# --- 1-7-a : an angle on the circle --------------------------------------------------------------------------------


def _encode(degrees: Array) -> Array:
    """Return the points by complex powers of a sixtieth of a right angle: no cosine of the whole array is taken."""
    turn = [complex(np.cos(np.pi * d / 180), np.sin(np.pi * d / 180)) for d in degrees]
    return np.array([[z.real, z.imag] for z in turn])


def _decode(points: Array) -> Array:
    return np.rad2deg(np.angle(points[:, 0] + 1j * points[:, 1])) % 360


def _points() -> list[tuple[Array]]:
    """Return one point per quadrant, then noisy points inside and outside the circle."""
    rng = np.random.default_rng(17)
    quadrants = np.array([[0.5, 0.5], [-0.5, 0.5], [-0.5, -0.5], [0.5, -0.5]])
    angles = rng.uniform(5, 355, 12)
    return [(quadrants,), (_encode(angles) * rng.uniform(0.4, 1.3, (12, 1)),)]


_ENCODE_MISTAKES = [
    (like(lambda d: np.stack([np.cos(d), np.sin(d)], axis=1)), "`np.cos` attend des radians : `np.deg2rad` convertit."),
    (
        like(lambda d: _encode(d)[:, ::-1]),
        "Les deux colonnes sont échangées : le cosinus d'abord, le sinus ensuite.",
    ),
    (
        like(lambda d: _encode(d).T),
        "Une ligne par angle, deux colonnes : `np.stack([…, …], axis=1)`.",
    ),
    (like(lambda d: _encode(np.asarray(d) / 2)), "Un demi-tour de trop peu : un tour entier vaut 2π radians, pas π."),
]

_DECODE_MISTAKES = [
    (
        like(lambda p: np.rad2deg(np.arctan(p[:, 1] / p[:, 0]))),
        "`np.arctan` ne distingue pas un point de son opposé, le rapport étant le même : `np.arctan2` reçoit les deux "
        "coordonnées et voit les quatre quadrants.",
    ),
    (
        like(lambda p: np.rad2deg(np.arctan(p[:, 1] / p[:, 0])) % 360),
        "`np.arctan` ne distingue pas un point de son opposé, le rapport étant le même : `np.arctan2` reçoit les deux "
        "coordonnées et voit les quatre quadrants.",
    ),
    (
        like(lambda p: np.rad2deg(np.arctan2(p[:, 1], p[:, 0]))),
        "Les angles vont de −180 à 180 : `% 360` les ramène entre 0 et 360.",
    ),
    (
        like(lambda p: np.abs(np.rad2deg(np.arctan2(p[:, 1], p[:, 0])))),
        "Le signe distingue le haut du bas du cercle : ne l'effacez pas, ajoutez un tour (`% 360`).",
    ),
    (
        like(lambda p: np.rad2deg(np.arctan2(p[:, 0], p[:, 1])) % 360),
        "Les coordonnées sont échangées : `np.arctan2` prend le sinus d'abord.",
    ),
    (
        like(lambda p: np.arctan2(p[:, 1], p[:, 0])),
        "Ce sont des radians, entre −π et π : on veut des degrés entre 0 et 360.",
    ),
    (
        like(lambda p: np.arctan2(p[:, 1], p[:, 0]) % (2 * np.pi)),
        "Ce sont des radians : on veut des degrés.",
    ),
    (
        like(lambda p: np.arctan2(p[:, 1], p[:, 0]) % 360),
        "Il manque la conversion des radians en degrés, avant le `% 360`.",
    ),
    (
        like(lambda p: np.rad2deg(np.arccos(np.clip(p[:, 0], -1, 1)))),
        "`np.arccos` n'utilise que le cosinus : il confond le haut et le bas du cercle, et les points rendus par un "
        "réseau ne sont pas exactement sur le cercle. Pensez à `np.arctan2`.",
    ),
]


@exercise(
    "1-7-a",
    hints=(
        "Dans un sens, convertir en radians, puis deux colonnes. Dans l'autre, quelle fonction de NumPy reçoit les "
        "deux coordonnées d'un point et rend son angle ?",
        "`np.stack([np.cos(r), np.sin(r)], axis=1)` avec `r = np.deg2rad(degrees)` ; pour le retour, `np.arctan2`.",
        "`np.rad2deg(np.arctan2(points[:, 1], points[:, 0])) % 360`",
    ),
    success="L'arc tangente ne dépend que de la direction : peu importe que le réseau tombe à côté du cercle. La "
    "longueur du point rendu dit même, grossièrement, si le réseau hésite.",
)
def angle(encode, decode):
    """Do the functions write an angle as a point of the circle, and read the angle of any point?"""
    expect_function(encode, parameters=1, pure=True)
    degrees = [(np.array([0.0, 30.0, 90.0, 200.0]),), (np.random.default_rng(5).uniform(0, 360, 9),)]
    expect_cases(encode, degrees, _encode, atol=1e-6, mistakes=_ENCODE_MISTAKES)
    expect_function(decode, parameters=1, pure=True)
    expect_cases(decode, _points(), _decode, rtol=1e-4, atol=1e-3, mistakes=_DECODE_MISTAKES)


# --- 1-7-b : F1 ----------------------------------------------------------------------------------------------------


def _counts(Y: Array, P: Array, threshold: float) -> tuple[int, int, int, int]:
    """Return true positives, false alarms, omissions and true negatives, one cell at a time."""
    found = [(bool(y > 0.5), bool(p >= threshold)) for y, p in zip(np.ravel(Y), np.ravel(P), strict=True)]
    return tuple(found.count(pair) for pair in ((True, True), (False, True), (True, False), (False, False)))  # type: ignore[return-value]


def _f1(Y: Array, P: Array, threshold: float) -> float:
    tp, fp, fn, _ = _counts(Y, P, threshold)
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0


def _from_counts(formula: Callable[..., float]) -> Callable[..., float]:
    def wrong(Y: Array, P: Array, threshold: float) -> float:
        counts = _counts(Y, P, threshold)
        return formula(*counts) if sum(counts[:3]) else 0.0

    return wrong


def _by(axis: int) -> Callable[..., float]:
    """Return the mean of the F1 of each column (axis 1) or line (axis 0)."""

    def wrong(Y: Array, P: Array, threshold: float) -> float:
        pairs = zip(np.moveaxis(Y, axis, 0), np.moveaxis(P, axis, 0), strict=True)
        return float(np.mean([_f1(y, p, threshold) for y, p in pairs]))

    return wrong


def _strict(Y: Array, P: Array, threshold: float) -> float:
    return _f1(Y, P, float(np.nextafter(threshold, 2.0)))


def _tables() -> list[tuple[Array, Array, float]]:
    """Return a small table, one with probabilities on the threshold, noise, and nothing to find."""
    rng = np.random.default_rng(8)
    small = np.array([[1, 0, 1], [0, 1, 0]]), np.array([[0.9, 0.6, 0.2], [0.1, 0.8, 0.3]])
    edge = np.array([[1, 0, 1, 1]]), np.array([[0.75, 0.25, 0.25, 0.1]])
    noise = (rng.random((30, 4)) < [0.1, 0.3, 0.5, 0.2]).astype(float), rng.random((30, 4))
    return [(*small, 0.5), (*edge, 0.25), (*noise, 0.35), (np.zeros((2, 3)), np.full((2, 3), 0.1), 0.5)]


_F1_MISTAKES = [
    (
        like(_from_counts(lambda tp, fp, fn, tn: (tp + tn) / (tp + fp + fn + tn))),
        "C'est l'exactitude par case : elle compte aussi les absences bien vues, que F1 laisse de côté.",
    ),
    (
        like(_from_counts(lambda tp, fp, fn, tn: tp / max(tp + fp, 1))),
        "C'est la précision : les oublis ne sont pas comptés.",
    ),
    (
        like(_from_counts(lambda tp, fp, fn, tn: tp / max(tp + fn, 1))),
        "C'est le rappel : les fausses alertes ne sont pas comptées.",
    ),
    (
        like(_from_counts(lambda tp, fp, fn, tn: tp / (tp + fp + fn))),
        "Les vrais positifs comptent deux fois, en haut et en bas : sans ce 2, c'est l'indice de Jaccard.",
    ),
    (
        like(_from_counts(lambda tp, fp, fn, tn: (tp / max(tp + fp, 1) + tp / max(tp + fn, 1)) / 2)),
        "C'est la moyenne ordinaire de la précision et du rappel ; F1 est leur moyenne harmonique.",
    ),
    (like(_by(1)), "C'est la moyenne des F1 de chaque colonne : comptez sur le tableau entier."),
    (like(_by(0)), "C'est la moyenne des F1 de chaque image : comptez sur le tableau entier."),
    (like(_strict), "Une probabilité égale au seuil annonce une présence : `>=`, pas `>`."),
    (
        like(lambda Y, P, threshold: _f1(Y, P, 0.5)),
        "Le seuil reçu n'est pas utilisé : tout se passe comme s'il valait toujours 0.5.",
    ),
    (
        lambda value: np.ndim(value) == 0 and not np.isfinite(value),
        "Rien à trouver, rien d'annoncé : 0/0. Traitez ce cas à part et renvoyez 0.0.",
    ),
]


@exercise(
    "1-7-b",
    hints=(
        "Commencez par un tableau de booléens : les présences annoncées, `P >= threshold`.",
        "Avec `Y == 1` et les annonces, `np.sum(a & b)` compte les vrais positifs ; `~` donne le contraire.",
        "`found, true = P >= threshold, Y == 1` ; VP : `np.sum(found & true)`, FP : `np.sum(found & ~true)`, "
        "FN : `np.sum(~found & true)` ; et un cas à part si leur somme est nulle.",
    ),
    success="Les absences bien vues n'apparaissent nulle part : c'est ce qui rend F1 utile quand les présences sont "
    "rares.",
)
def f1_score(f1_score):
    """Does the function give the micro-averaged F1 at the threshold it receives?"""
    expect_function(f1_score, parameters=3, pure=True)
    expect_cases(f1_score, _tables(), _f1, rtol=1e-6, mistakes=_F1_MISTAKES)


# --- 1-7-c : five problems -----------------------------------------------------------------------------------------

_ACTIVATIONS = ("linear", "sigmoid", "softmax")
_COSTS = ("mse", "mae", "huber", "binary_crossentropy", "categorical_crossentropy", "sparse_categorical_crossentropy")
_CROSS = _COSTS[4:]

_RIGHT: dict[str, list[tuple[int, str, tuple[str, ...]]]] = {
    "age": [(1, "linear", ("huber", "mae"))],
    "fracture": [(1, "sigmoid", ("binary_crossentropy",)), (2, "softmax", _CROSS)],
    "light": [(4, "softmax", _CROSS)],
    "street": [(10, "sigmoid", ("binary_crossentropy",))],
    "wind": [(2, "linear", ("mse", "huber", "mae"))],
}

_UNITS = {
    "age": "un âge est un seul nombre.",
    "fracture": "une probabilité suffit, celle du oui : celle du non s'en déduit.",
    "light": "comptez les états possibles, le feu éteint compris.",
    "street": "une sortie par objet possible, qu'il soit là ou non.",
    "wind": "un angle fait le tour : en degrés, 359 et 1 seraient aux deux bouts. "
    "Il faut ses deux coordonnées sur le cercle.",
}

_ACTIVATION = {
    "age": "une sortie bornée par 1 ne dira jamais 42 ans.",
    "fracture": "il faut une probabilité, entre 0 et 1 ; et un softmax sur une seule sortie vaut toujours 1.",
    "light": "le feu n'a qu'un état à la fois : les quatre probabilités doivent se partager une somme de 1.",
    "street": "plusieurs objets peuvent être présents ensemble : un softmax les obligerait à se partager une somme "
    "de 1, et une sortie linéaire n'est pas une probabilité.",
    "wind": "un cosinus et un sinus peuvent être négatifs, et ne se partagent pas une somme.",
}

_COST = {
    "age": "des âges de 2018 ans, mis au carré, attireraient toutes les réponses ; "
    "il faut un coût qui ne s'emballe pas, et qui soit fait pour des quantités.",
    "fracture": "ce coût ne va pas avec cette sortie : face à une erreur pleine d'assurance, seule l'entropie croisée "
    "qui lui correspond garde un gradient entier.",
    "light": "avec un softmax sur plusieurs classes, l'entropie croisée est « catégorielle ».",
    "street": "dix oui ou non indépendants : une entropie croisée binaire par sortie, puis la moyenne.",
    "wind": "ce sont deux quantités réelles, pas des probabilités : un coût de régression.",
}


def _judge(situation: str, head: Any) -> None:
    """Refuse one head: its form, then its number of outputs, its activation, its cost."""
    if not isinstance(head, (tuple, list)) or len(head) != 3:
        raise Refusal(f'`heads["{situation}"]` : donnez un triplet, comme `(1, "linear", "mse")`.')
    units, activation, cost = head
    expect_that(
        activation in _ACTIVATIONS,
        f'`heads["{situation}"]` : activation inconnue, {activation!r}. Choisissez parmi {", ".join(_ACTIVATIONS)}.',
    )
    expect_that(
        cost in _COSTS, f'`heads["{situation}"]` : coût inconnu, {cost!r}. Choisissez parmi {", ".join(_COSTS)}.'
    )
    accepted = _RIGHT[situation]
    for rank, remark in enumerate((_UNITS, _ACTIVATION)):
        accepted = [right for right in accepted if right[rank] == (units, activation)[rank]]
        expect_that(
            accepted, f'`heads["{situation}"]`, {("nombre de sorties", "activation")[rank]} : {remark[situation]}'
        )
    expect_that(any(cost in right[2] for right in accepted), f'`heads["{situation}"]`, coût : {_COST[situation]}')


@exercise(
    "1-7-c",
    hints=(
        "Pour chaque projet : la réponse est-elle une quantité, un oui ou non, un choix exclusif, une liste ?",
        "Exclusif : softmax. Plusieurs à la fois, ou un seul oui : sigmoïde. Quantité : linéaire. "
        "L'angle est une quantité qui tourne.",
        "Dans l'ordre, le nombre de sorties est 1, 1, 4, 10 et 2 ; le coût de l'âge résiste aux cibles absurdes.",
    ),
    success="« Éteint » est une classe comme une autre ; « aucun objet » n'en est pas une : c'est dix fois non.",
)
def heads(heads):
    """Does each of the five problems get its outputs, activation and cost?"""
    expect_type(heads, dict, "un dictionnaire")
    missing = [name for name in _RIGHT if heads.get(name) is None]
    for situation in _RIGHT:
        if situation not in missing:
            _judge(situation, heads[situation])
    expect_that(not missing, f"Les autres sont justes ; il reste {', '.join(missing)}.")


# --- 1-7-d : cost of a mixture -------------------------------------------------------------------------------------


def _mixture_nll(t: Array, logits: Array, mu: Array, log_sigma: Array) -> float:
    """Return the mean cost by SciPy's densities, one sample at a time."""
    from scipy.special import log_softmax, logsumexp
    from scipy.stats import norm

    rows = zip(t, logits, mu, log_sigma, strict=True)
    return float(np.mean([-logsumexp(log_softmax(a) + norm.logpdf(y, m, np.exp(s))) for y, a, m, s in rows]))


def _terms(t: Array, logits: Array, mu: Array, log_sigma: Array) -> tuple[Array, Array]:
    """Return the logarithms of the weights and those of the densities, (N, K) each."""
    log_weights = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    z = (t[:, None] - mu) / np.exp(log_sigma)
    return log_weights, -0.5 * z**2 - log_sigma - 0.5 * np.log(2 * np.pi)


def _cost(
    weights: Callable[..., Array] = lambda t, a, m, s: _terms(t, a, m, s)[0],
    density: Callable[..., Array] = lambda t, a, m, s: _terms(t, a, m, s)[1],
    total: Callable[[Array], Any] = lambda ell: -np.mean(np.logaddexp.reduce(ell, axis=1)),
) -> Callable[..., Any]:
    """Return the cost with one of its parts replaced."""
    return lambda t, a, m, s: total(weights(t, a, m, s) + density(t, a, m, s))


def _z(t: Array, mu: Array, sigma: Array) -> Array:
    return (t[:, None] - mu) / sigma


_HALF_LOG = 0.5 * np.log(2 * np.pi)
_MIXTURE_MISTAKES = [
    (
        like(_cost(weights=lambda t, a, m, s: a)),
        "`logits` n'est pas encore le logarithme des poids : il faut le softmax, "
        "c'est-à-dire leur retirer `ln Σ exp(logits)`.",
    ),
    (
        like(_cost(density=lambda t, a, m, s: -0.5 * _z(t, m, np.exp(s)) ** 2 - _HALF_LOG)),
        "Il manque le terme `- log_sigma` : sans lui, un σ immense ne coûterait rien.",
    ),
    (
        like(_cost(density=lambda t, a, m, s: -0.5 * _z(t, m, np.exp(s)) ** 2 - s)),
        "Il manque la constante ½ ln 2π de chaque gaussienne.",
    ),
    (
        like(_cost(density=lambda t, a, m, s: -0.5 * _z(t, m, np.exp(s)) ** 2 + s - _HALF_LOG)),
        "Le signe de `log_sigma` est inversé dans le logarithme de la densité.",
    ),
    (
        like(_cost(density=lambda t, a, m, s: -(_z(t, m, np.exp(s)) ** 2) - s - _HALF_LOG)),
        "Il manque le ½ devant le carré.",
    ),
    (
        like(_cost(density=lambda t, a, m, s: -0.5 * _z(t, m, np.exp(s / 2)) ** 2 - s / 2 - _HALF_LOG)),
        "`log_sigma` est pris pour le logarithme de la variance ; c'est celui de l'écart-type.",
    ),
    (
        like(_cost(density=lambda t, a, m, s: -0.5 * _z(t, m, s) ** 2 - np.log(np.abs(s)) - _HALF_LOG)),
        "`log_sigma` est pris pour σ lui-même : σ vaut `np.exp(log_sigma)`.",
    ),
    (
        like(_cost(total=lambda ell: -np.mean(np.sum(ell, axis=1)))),
        "C'est la somme des logarithmes ; il faut le logarithme de la somme : "
        "les gaussiennes s'additionnent, elles ne se multiplient pas.",
    ),
    (
        like(_cost(total=lambda ell: np.mean(np.logaddexp.reduce(ell, axis=1)))),
        "Le signe est inversé : on minimise −ln p.",
    ),
    (
        like(_cost(total=lambda ell: -np.sum(np.logaddexp.reduce(ell, axis=1)))),
        "C'est la somme sur les exemples : on demande leur moyenne.",
    ),
    (like(_cost(total=lambda ell: -np.logaddexp.reduce(ell, axis=1))), "Un coût par exemple : renvoyez leur moyenne."),
    (
        like(_cost(total=lambda ell: -np.mean(np.logaddexp.reduce(ell, axis=0)))),
        "La somme court sur les composantes : `axis=1`, pas `axis=0`.",
    ),
    (
        lambda value: np.ndim(value) == 0 and not np.isfinite(value),
        "Toutes les exponentielles sont tombées à 0, ou l'une a débordé : retirez le plus grand ℓ de chaque ligne "
        "avant `np.exp`, rajoutez-le après le logarithme. Le softmax des `logits` demande la même précaution.",
    ),
]


def _mixtures() -> list[tuple[Array, Array, Array, Array]]:
    """Return one sample, a few, samples far from every component, and huge logits."""
    rng = np.random.default_rng(3)
    one = np.array([0.4]), np.array([[0.0, 1.0]]), np.array([[0.0, 1.0]]), np.array([[0.0, -0.5]])
    t, (a, m, s) = rng.normal(size=5), rng.normal(size=(3, 5, 3))
    return [one, (t, a, m, s), (t + 80.0, a, m, np.full_like(s, 0.25)), (t, 900.0 + a, m, s)]


@exercise(
    "1-7-d",
    hints=(
        "Calculez d'abord le tableau `(N, K)` des ℓ ; `t[:, None]` met chaque cible en face de ses K composantes.",
        "ln π est `logits` moins le log-sum-exp de `logits` : la même petite fonction, stable, sert deux fois.",
        "`m = a.max(axis=1, keepdims=True)` puis `m + np.log(np.exp(a - m).sum(axis=1, keepdims=True))` est "
        "le log-sum-exp ; ℓ vaut `log_pi - 0.5 * ((t[:, None] - mu) / np.exp(log_sigma)) ** 2 - log_sigma "
        "- 0.5 * np.log(2 * np.pi)`.",
    ),
    success="Retirer le maximum ne change pas le résultat, seulement ce que la machine a le droit d'écrire : "
    "c'est la même précaution que dans l'entropie croisée sur les scores.",
)
def mixture_nll(mixture_nll):
    """Does the function give the mean negative log-likelihood of a mixture, far from its components too?"""
    expect_function(mixture_nll, parameters=4, pure=True)
    expect_cases(mixture_nll, _mixtures(), _mixture_nll, rtol=1e-6, mistakes=_MIXTURE_MISTAKES)
