"""Checks of lesson 2-7, DenseNet, EfficientNet and the match of all the families."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_function, like

Row = tuple[float, int, float]


def _channels(start: int, counts: Any, growth: int, *, compress: float = 0.5, last: bool = False) -> list[int]:
    widths, width = [], start
    for rank, count in enumerate(counts, start=1):
        for _ in range(count):
            width += growth
        widths.append(width)
        if rank < len(counts) or last:
            width = int(width * compress)
            widths.append(width)
    return widths


@exercise(
    "2-7-a",
    hints=(
        "Chaque couche dense ajoute `growth` canaux : que vaut la largeur après `count` couches ?",
        "Notez la largeur après chaque bloc, puis divisez-la par deux et notez-la encore, sauf après le dernier bloc.",
        "`start += count * growth`, `widths.append(start)`, puis, s'il reste un bloc, `start //= 2` et"
        " `widths.append(start)`.",
    ),
    success="DenseNet-121 finit à 1 024 canaux ; sans transitions, 58 couches de croissance 32 mèneraient à 1 920.",
)
def channels(channels: Any) -> None:
    """Channels of a DenseNet, after each block and each transition."""
    expect_function(channels, parameters=3)
    expect_cases(
        channels,
        [(10, [2], 4), (24, [3, 3], 12), (64, [6, 12, 24, 16], 32), (16, [5, 5, 5], 3)],
        reference=_channels,
        mistakes={
            like(lambda c, n, k: _channels(c, n, k, last=True)): "Après le dernier bloc, pas de transition : la moyenne"
            " globale prend les canaux tels quels.",
            like(lambda c, n, k: _channels(c, n, k, compress=1.0)): "La transition ne garde que la moitié des canaux.",
            like(lambda c, n, k: _channels(c, n, k)[::2]): "Notez aussi la largeur après chaque transition.",
            like(lambda c, n, k: _channels(c, [1] * len(n), k)): "Un bloc compte `count` couches, qui ajoutent chacune"
            " `growth` canaux.",
            like(
                lambda c, n, k: _channels(0, n, k)
            ): "Les canaux qui entrent restent là : ils s'ajoutent aux nouveaux.",
            like(lambda c, n, k: [float(w) for w in _channels_divided(c, n, k)]): "Un nombre de canaux est un entier :"
            " divisez par `// 2`.",
        },
    )


def _channels_divided(start: float, counts: Any, growth: int) -> list[float]:
    widths = []
    for rank, count in enumerate(counts, start=1):
        start += count * growth
        widths.append(start)
        if rank < len(counts):
            start /= 2
            widths.append(start)
    return widths


def _costs(side: int, f: int, c: int, k: int) -> tuple[int, int]:
    ordinary = sum(f * f * c for _ in range(side * side) for _ in range(k))
    depthwise = sum(f * f for _ in range(side * side) for _ in range(c))
    return ordinary, depthwise + side * side * c * k


@exercise(
    "2-7-b",
    hints=(
        "À chaque place, un filtre ordinaire fait `f * f * c` multiplications ; il y a `k` filtres.",
        "Séparée : d'abord `c` fenêtres `f × f`, une par canal ; ensuite une convolution 1 × 1 de `c` vers `k` canaux.",
        "`side**2 * f**2 * c * k` et `side**2 * (f**2 * c + c * k)`",
    ),
    success="Le rapport vaut 1/K + 1/F² : au mieux F² fois moins de multiplications, quand K est grand.",
)
def costs(costs: Any) -> None:
    """Multiply-adds of a convolution, ordinary and separable."""
    expect_function(costs, parameters=4)
    expect_cases(
        costs,
        [(1, 3, 1, 2), (8, 3, 4, 6), (5, 5, 2, 3), (4, 1, 3, 2)],
        reference=_costs,
        mistakes={
            like(
                lambda n, f, c, k: (n * n * f * f * c * k, n * n * (f * f * k + c * k))
            ): "La première étape filtre les `c` canaux de l'entrée ; les `k` n'existent pas encore.",
            like(
                lambda n, f, c, k: (n * n * f * f * c * k, n * n * f * f * c)
            ): "Il manque la convolution 1 × 1, qui mêle les canaux.",
            like(lambda n, f, c, k: (n * n * f * f * c * k, n * n * c * k)): "Il manque l'étape en profondeur : une"
            " fenêtre `f × f` par canal.",
            like(lambda n, f, c, k: (n * n * f * f * c * k, n * n * f * f * c * c * k)): "Les deux étapes se suivent :"
            " leurs coûts s'additionnent.",
            like(lambda n, f, c, k: (f * f * c * k, f * f * c + c * k)): "Ce sont les poids : chacun sert à chacune des"
            " `side * side` places.",
            like(lambda n, f, c, k: (n * f * f * c * k, n * (f * f * c + c * k))): "La fenêtre glisse dans les deux"
            " sens : `side ** 2` places.",
            like(lambda n, f, c, k: (n * n * f * c * k, n * n * (f * c + c * k))): "Une fenêtre de côté `f` a `f ** 2`"
            " cases.",
            like(lambda n, f, c, k: _costs(n, f, c, k)[::-1]): "Dans l'autre ordre : l'ordinaire d'abord.",
            like(lambda n, f, c, k: _costs(n, f, c, k)[1] / _costs(n, f, c, k)[0]): "Renvoyez les deux nombres,"
            " `ordinaire, séparée` ; le rapport se calcule ensuite.",
        },
    )


def _sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def _swish(z: Any) -> Any:
    return z * _sigmoid(z)


def _relu(z: Any) -> Any:
    return np.maximum(z, 0)


def _softmax(z: Any) -> Any:
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _excite(
    x: Any, w1: Any, b1: Any, w2: Any, b2: Any, *, squeeze: Any = np.mean, hidden: Any = _swish, gate: Any = _sigmoid
) -> Any:
    summary = squeeze(x, axis=(1, 2))
    return x * gate(hidden(summary @ w1 + b1) @ w2 + b2)[:, None, None, :]


def _squeeze_excite(x: Any, w1: Any, b1: Any, w2: Any, b2: Any) -> Any:
    """Image by image, channel by channel."""
    output = np.empty_like(x)
    for i, image in enumerate(x):
        summary = [float(image[:, :, channel].mean()) for channel in range(image.shape[2])]
        weights = _sigmoid(_swish(np.array(summary) @ w1 + b1) @ w2 + b2)
        for channel, weight in enumerate(weights):
            output[i, :, :, channel] = weight * image[:, :, channel]
    return output


def _blocks() -> list[tuple[Any, ...]]:
    cases: list[tuple[Any, ...]] = []
    for seed, (n, h, w, c, s) in enumerate([(1, 2, 2, 2, 1), (3, 4, 5, 4, 2)]):
        rng = np.random.default_rng(seed)
        shapes = [(c, s), (s,), (s, c), (c,)]
        cases.append(
            (rng.normal(size=(n, h, w, c)).round(1) + 0.5, *(rng.normal(size=shape).round(1) for shape in shapes))
        )
    return cases


@exercise(
    "2-7-c",
    hints=(
        "Résumer : `x.mean(axis=(1, 2))`, un nombre par image et par canal, de forme (N, C).",
        "Deux couches denses : swish (`z * sigmoid(z)`) après la première, sigmoïde après la seconde. Puis un produit.",
        "`weights[:, None, None, :]` a la forme (N, 1, 1, C) et se multiplie avec `x`.",
    ),
    success="Chaque image choisit ses canaux : c'est une porte qui dépend de l'entrée, pas un poids de plus.",
)
def squeeze_excite(squeeze_excite: Any) -> None:
    """Squeeze and excite."""
    expect_function(squeeze_excite, parameters=5, pure=True)
    expect_cases(
        squeeze_excite,
        _blocks(),
        reference=_squeeze_excite,
        rtol=1e-6,
        mistakes={
            like(lambda *a: _excite(*a, hidden=_relu)): "Après la première couche, c'est swish, `z * sigmoid(z)` ; le"
            " ReLU est celui de l'article de 2017.",
            like(lambda *a: _excite(*a, hidden=lambda z: z)): "L'activation manque après la première couche.",
            like(lambda *a: _excite(*a, hidden=_sigmoid)): "Swish vaut `z * sigmoid(z)` : vous avez oublié le facteur"
            " `z`.",
            like(
                lambda *a: _excite(*a, gate=_softmax)
            ): "Une sigmoïde par canal : plusieurs canaux peuvent être utiles à"
            " la fois. Le softmax les met en concurrence.",
            like(lambda *a: _excite(*a, gate=lambda z: z)): "Il manque la sigmoïde finale, qui ramène les poids entre 0"
            " et 1.",
            like(
                lambda *a: _excite(*a, squeeze=np.sum)
            ): "Résumez par la moyenne : une somme dépendrait de la taille de l'image.",
            like(lambda *a: _excite(*a, squeeze=np.max)): "Résumez par la moyenne de la carte, pas par son maximum.",
            like(lambda x, *a: _excite(x, *a) + x): "La porte multiplie `x`, elle ne s'ajoute pas à lui.",
            like(
                lambda x, *a: (_excite(x, *a) / x)[:, 0, 0, :]
            ): "Ce sont les poids des canaux : il reste à les multiplier par `x`.",
        },
    )


def _scaled(budget: float, phi: float) -> tuple[float, float, int]:
    return 1.2**phi, 1.1**phi, round(224 * 1.15**phi)


@exercise(
    "2-7-d",
    hints=(
        "Chaque unité de φ multiplie le coût par α β² γ². Combien d'unités pour le multiplier par `budget` ?",
        "Résolvez (α β² γ²)^φ = budget : un rapport de deux logarithmes.",
        "`phi = np.log(budget) / np.log(1.2 * 1.1**2 * 1.15**2)`, puis `1.2**phi`, `1.1**phi` et"
        " `round(224 * 1.15**phi)`.",
    ),
    success="B7 coûte 98 fois B0 : la règle propose 3,6 fois plus de couches, 1,95 fois plus de canaux, 598 pixels. Les"
    " auteurs ont pris 3,1, 2,0 et 600.",
)
def compound(compound: Any) -> None:
    """Depth, width and side for a budget."""
    growth = math.log(1.2 * 1.1 * 1.1 * 1.15 * 1.15)
    expect_function(compound, parameters=1)
    expect_cases(
        compound,
        [(1.0,), (2.0,), (10.0,), (97.8,)],
        reference=lambda b: _scaled(b, math.log(b) / growth),
        rtol=1e-5,
        mistakes={
            like(lambda b: _scaled(b, math.log2(b))): "α β² γ² vaut 1,92 et non 2 tout rond : divisez par son"
            " logarithme.",
            like(
                lambda b: _scaled(b, math.log(b) / math.log(1.2 * 1.1 * 1.15))
            ): "La largeur et la résolution comptent au carré : α β² γ².",
            like(lambda b: _scaled(b, b)): "`budget` multiplie le coût ; φ est l'exposant, à trouver.",
            like(
                lambda b: (*_scaled(b, math.log(b) / growth)[:2], 1.15 ** (math.log(b) / growth))
            ): "Le troisième nombre est un côté en pixels : multipliez 224, et arrondissez.",
            like(
                lambda b: (*_scaled(b, math.log(b) / growth)[:2], 224 * 1.15 ** (math.log(b) / growth))
            ): "Un côté est un nombre entier de pixels : arrondissez.",
            like(lambda b: (*_scaled(b, math.log(b) / growth)[:2], int(224 * 1.15 ** (math.log(b) / growth)))): "`int`"
            " tronque : arrondissez avec `round`.",
            like(lambda b: _order(_scaled(b, math.log(b) / growth))): "Dans cet ordre : profondeur (α), largeur (β),"
            " côté.",
        },
    )


def _order(found: tuple[float, float, int]) -> tuple[float, float, int]:
    return found[1], found[0], found[2]


def _choose(table: dict[str, Row], max_parameters: float, max_mflop: float) -> str:
    best = "aucun"
    for name, (accuracy, parameters, mflop) in table.items():
        if parameters > max_parameters or mflop > max_mflop:
            continue
        if best == "aucun" or (accuracy, -mflop) > (table[best][0], -table[best][2]):
            best = name
    return best


def _best(table: dict[str, Row], keep: Any, key: Any) -> str:
    fitting = [name for name in table if keep(table[name])]
    return max(fitting, key=lambda name: key(table[name])) if fitting else "aucun"


def _tables() -> list[tuple[dict[str, Row], float, float]]:
    small: dict[str, Row] = {
        "gros": (0.95, 140_000, 10.0),
        "moyen": (0.92, 60_000, 7.0),
        "lent": (0.93, 50_000, 12.0),
        "petit": (0.80, 40_000, 1.0),
    }
    tied: dict[str, Row] = {"a": (0.90, 50_000, 8.0), "b": (0.90, 60_000, 3.0), "c": (0.85, 10_000, 1.0)}
    return [
        (small, 100_000, 8.0),
        (small, 140_000, 10.0),
        (small, 100_000, 20.0),
        (tied, 100_000, 10.0),
        (small, 10_000, 0.5),
    ]


@exercise(
    "2-7-e",
    hints=(
        "Gardez d'abord les réseaux qui tiennent : `parameters <= max_parameters and mflop <= max_mflop`.",
        "Parmi eux, le plus exact ; à égalité, celui de moindre MFLOP : comparez les couples `(accuracy, -mflop)`.",
        '`max(fitting, key=lambda name: (table[name][0], -table[name][2]), default="aucun")`',
    ),
    success="Les contraintes d'abord, l'exactitude ensuite : sur un téléphone, c'est dans cet ordre que l'on choisit.",
)
def choose(choose: Any) -> None:
    """The most accurate network within limits."""
    expect_function(choose, parameters=3, pure=True)
    expect_cases(
        choose,
        _tables(),
        reference=_choose,
        mistakes={
            like(
                lambda t, p, m: _best(t, lambda r: r[1] < p and r[2] < m, _ranking)
            ): "Une limite atteinte tout juste est respectée : `<=`.",
            like(
                lambda t, p, m: _best(t, lambda r: True, _ranking)
            ): "Les limites d'abord : le plus exact de tous ne tient pas toujours.",
            like(lambda t, p, m: _best(t, lambda r: r[1] <= p, _ranking)): "Vérifiez aussi la limite de calcul,"
            " `max_mflop`.",
            like(lambda t, p, m: _best(t, lambda r: r[2] <= m, _ranking)): "Vérifiez aussi la limite de mémoire,"
            " `max_parameters`.",
            like(lambda t, p, m: _best(t, lambda r: r[1] <= p or r[2] <= m, _ranking)): "Les deux limites à la fois :"
            " `and`, pas `or`.",
            like(
                lambda t, p, m: _best(t, lambda r: r[1] <= p and r[2] <= m, lambda r: -r[2])
            ): "Parmi ceux qui tiennent, on veut le plus exact, pas le plus léger.",
            like(lambda t, p, m: _best(t, lambda r: r[1] <= p and r[2] <= m, lambda r: r[0])): "À égalité d'exactitude,"
            " choisissez celui de moindre MFLOP.",
        },
    )


def _ranking(row: Row) -> tuple[float, float]:
    return row[0], -row[2]
