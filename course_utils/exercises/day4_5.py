"""Checks of lesson 4-5: following objects from the detector to the trajectory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations, permutations
from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    expect_array,
    expect_cases,
    expect_close,
    expect_equal,
    expect_function,
    expect_that,
    like,
)

Array = np.ndarray

# --- 4-5-a : a Kalman filter in one dimension ----------------------------------------------------------------------


def _filtered(
    measures: Array,
    q: float,
    r: float,
    x: float,
    p: float,
    *,
    gain: Callable[[float, float], float] | None = None,
    late: bool = False,
    blind: bool = True,
    shrink: bool = True,
    hold: bool = False,
) -> Array:
    """Filter by information (inverse variances) when the gain is right; the options are the usual mistakes."""
    outputs = []
    for z in measures:
        p = p if late or (hold and np.isnan(z)) else p + q
        if not (np.isnan(z) and blind):
            # The right variance comes from the sum of informations, a wrong gain carries its own.
            k = p / (p + r) if gain is None else gain(p, r)
            x = x + k * (z - x)
            if shrink:
                p = 1 / (1 / p + 1 / r) if gain is None else (1 - k) * p
        p = p + q if late else p
        outputs.append(x)
    return np.array(outputs)


@exercise(
    "4-5-a",
    hints=(
        "Deux lignes par mesure : l'une fait grandir `p`, l'autre appelle `fuse` (ou recopie ses formules).",
        "`np.isnan(z)` dit qu'il n'y a pas eu de mesure : la prédiction a lieu, la correction non. "
        "Pour `guess` : avec `q = 0`, rien ne s'oublie, et toutes les mesures ont la même variance.",
        "`p = p + q`, puis, si `z` est un nombre, `x, p = fuse(x, p, z, r)` ; enfin `outputs.append(x)`. "
        "Le filtre calcule alors la moyenne des mesures déjà vues.",
    ),
    success="Sans bruit de mouvement, Kalman est la moyenne de tout le passé ; avec `q > 0`, il oublie peu à peu.",
)
def one_dimension(kalman_1d, guess):
    """Predict and correct, in one dimension, with holes."""
    expect_function(kalman_1d, parameters=5, pure=True)
    hole = np.array([1.0, np.nan, np.nan, 5.0, 6.0])
    expect_cases(
        kalman_1d,
        [
            (np.array([4.0]), 0.0, 1.0, 0.0, 1.0),
            (np.array([4.0, 6.0, 5.0]), 1.0, 2.0, 0.0, 1.0),
            (np.array([2.0, 3.0, 7.0, 4.0]), 0.5, 4.0, 1.0, 10.0),
            (hole, 2.0, 1.0, 0.0, 3.0),
            (np.array([np.nan, 2.0]), 1.0, 1.0, 7.0, 0.5),
        ],
        reference=_filtered,
        rtol=1e-6,
        mistakes={
            like(lambda *a: _filtered(*a, gain=lambda p, r: r / (p + r))): "Le gain est à l'envers : quand la mesure "
            "est mauvaise (`r` grand), il doit être petit.",
            like(lambda *a: _filtered(*a, late=True)): "Vous corrigez avant de prédire : `q` s'ajoute à `p` avant de "
            "recevoir la mesure.",
            like(lambda *a: _filtered(a[0], 0.0, *a[2:])): "La prédiction manque : à chaque pas, `p` augmente de `q`.",
            like(lambda *a: _filtered(*a, blind=False)): "Une mesure `np.nan` contamine tout : sans mesure, "
            "ne corrigez pas.",
            like(lambda *a: _filtered(*a, hold=True)): "Pendant un trou, le doute grandit quand même : la prédiction a "
            "lieu à chaque pas, vu ou pas vu.",
            like(lambda *a: _filtered(*a, shrink=False)): "Après une correction, `p` diminue : `p = (1 - gain) * p`. "
            "Sinon, le filtre n'apprend jamais qu'il sait.",
            like(lambda *a: _filtered(*a, gain=lambda p, r: p**0.5 / (p**0.5 + r**0.5))): "Le gain compare des "
            "variances, pas des écarts types.",
            like(lambda m, *a: _filtered(m[~np.isnan(m)], *a)): "Il faut une sortie par image, même quand l'objet "
            "n'est pas vu : la position prédite.",
        },
    )
    expect_array(
        guess,
        [3, 4, 6],
        atol=0.5,
        name="guess",
        mistakes=[
            ([3, 5, 10], "Ce sont les mesures : le gain ne vaut 1 qu'à la première, `p` diminue ensuite."),
            ([3, 4, 7], "À la troisième mesure, le gain vaut 1/3 et non 1/2 : `p` a encore diminué."),
            ([0, 0, 0], "Une variance énorme est une confiance nulle : la première mesure l'emporte entièrement."),
        ],
    )


# --- 4-5-b : association -------------------------------------------------------------------------------------------


def _overlap(a: Array, b: Array) -> float:
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return float(shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared))


def _table(tracks: Array, detections: Array) -> Array:
    values = [[_overlap(a, b) for b in detections] for a in tracks]
    return np.array(values).reshape(len(tracks), len(detections))


Answer = tuple[list[tuple[int, int]], list[int], list[int]]


def _rest(pairs: list[tuple[int, int]], tracks: Array, detections: Array) -> Answer:
    rows, columns = {i for i, _ in pairs}, {j for _, j in pairs}
    return (
        sorted(pairs),
        [i for i in range(len(tracks)) if i not in rows],
        [j for j in range(len(detections)) if j not in columns],
    )


def _all_pairings(n: int, m: int) -> list[list[tuple[int, int]]]:
    """Return every way of pairing as many as possible."""
    few = min(n, m)
    return [
        list(zip(rows, columns, strict=True))
        for rows in combinations(range(n), few)
        for columns in permutations(range(m), few)
    ]


def _associated(
    tracks: Array, detections: Array, threshold: float, *, sign: float = 1.0, refuse: bool = True
) -> Answer:
    table = _table(tracks, detections)
    best = max(_all_pairings(*table.shape), key=lambda pairs: sign * sum(table[i, j] for i, j in pairs))
    return _rest([(i, j) for i, j in best if not refuse or table[i, j] >= threshold], tracks, detections)


def _greedy(tracks: Array, detections: Array, threshold: float) -> Answer:
    table, pairs = _table(tracks, detections), []
    while table.size and table.max() >= threshold:
        i, j = (int(k) for k in np.unravel_index(table.argmax(), table.shape))
        pairs.append((i, j))
        table[i], table[:, j] = -1, -1
    return _rest(pairs, tracks, detections)


def _row_by_row(tracks: Array, detections: Array, threshold: float) -> Answer:
    table = _table(tracks, detections)
    pairs = [(i, int(row.argmax())) for i, row in enumerate(table) if row.max(initial=0.0) >= threshold]
    return _rest(pairs, tracks, detections)


def _boxes(*lefts: float) -> Array:
    return np.array([[left, 0.0, left + 10.0, 10.0] for left in lefts]).reshape(-1, 4)


def _plain(answer: Any) -> Any:
    """Turn arrays and NumPy integers into lists of Python integers, so that only the content is judged."""
    expect_that(
        isinstance(answer, (tuple, list)) and len(answer) == 3,
        "`associate` doit renvoyer trois listes : les paires, les pistes restées seules, les détections restées "
        "seules.",
    )
    pairs, lost, new = answer
    try:
        return [(int(i), int(j)) for i, j in pairs], [int(i) for i in lost], [int(j) for j in new]
    except (TypeError, ValueError):
        expect_that(
            False, "Les paires sont des couples `(i, j)` de rangs, les deux autres listes contiennent des rangs."
        )
    return answer


@exercise(
    "4-5-b",
    hints=(
        "`overlap = iou(tracks, detections)` est le tableau de la leçon ; `linear_sum_assignment` minimise si on ne "
        "lui dit rien.",
        "Gardez les couples dont `overlap[i, j] >= threshold` ; les rangs absents de ces couples sont restés seuls.",
        "`rows, columns = linear_sum_assignment(overlap, maximize=True)`, puis "
        "`pairs = [(i, j) for i, j in zip(rows, columns) if overlap[i, j] >= threshold]`.",
    ),
    success="Les trois listes sont tout ce qu'il faut à un suiveur : corriger, vieillir, faire naître.",
)
def association(associate):
    """Hungarian assignment on IoU, then refusal under the threshold."""
    expect_function(associate, parameters=3, pure=True)
    cases = [
        (_boxes(0, 100), _boxes(101, 1), 0.3),
        (_boxes(0, 2, 30), _boxes(1, -4, 31), 0.2),
        (_boxes(0, 50), _boxes(8, 50), 0.3),
        (_boxes(0, 30, 60), _boxes(29), 0.3),
        (_boxes(5), _boxes(80, 6, 40), 0.5),
        (_boxes(), _boxes(1, 2), 0.3),
        (_boxes(3), _boxes(), 0.3),
    ]
    mistakes = [
        (lambda *a: _associated(*a, sign=-1.0), "Vous minimisez l'IoU : donnez `maximize=True`, ou `1 - iou`."),
        (lambda *a: _associated(*a, refuse=False), "Une paire d'IoU trop faible doit être refusée après coup."),
        (_greedy, "C'est le glouton : la plus grande IoU d'abord. Cherchez le plus grand total."),
        (_row_by_row, "Chaque piste prend sa meilleure détection, même déjà prise : deux pistes, une seule boîte."),
    ]
    for case in cases:
        got = _plain(associate(*(np.copy(part) for part in case)))
        expected = _associated(*case)
        described = f"associate(tracks, detections, {case[2]})"
        expect_equal(
            (sorted(got[0]), *got[1:]),
            expected,
            name=described,
            mistakes=[(wrong(*case), text) for wrong, text in mistakes if wrong(*case) != expected],
        )


# --- 4-5-c : scores by hand ----------------------------------------------------------------------------------------


@exercise(
    "4-5-c",
    hints=(
        "Le tableau a 18 cases : ce sont les boîtes vraies. Les accidents se comptent un par un : "
        "B change de nom une fois, C aussi.",
        "IDF1 : le meilleur mariage donne 6 images à A, 2 à B, 3 à C ; le suiveur a montré 16 boîtes justes et "
        "3 fausses, soit 19. Association : le numéro 2 est aussi deux fois dans le vide.",
        "IDF1 = 2 × 11 / (18 + 19). Association : (6 × 1 + 2 × 2/8 + 2 × 2/6 + 3 × 3/6 + 3 × 3/6) / 16.",
    ),
    success="Un même suivi : 0,61 à MOTA, 0,59 à IDF1, 0,70 à HOTA. Une note seule ne dit presque rien.",
)
def scores(accidents, mota, idf1, association_c):
    """MOTA, IDF1 and the association score of HOTA on a table of three objects."""
    expect_equal(
        tuple(accidents) if isinstance(accidents, list) else accidents,
        (2, 3, 2),
        name="accidents",
        reveal=False,
        mistakes={
            (2, 3, 1): "B aussi change de numéro : 2 avant le trou, 3 après. Le trou n'efface pas le changement.",
            (2, 1, 2): "Le numéro 2 qui dérive dans le vide compte deux fois, une par image, en plus du 9.",
            (2, 2, 2): "La boîte 9 de l'image 6 est une fausse alerte, elle aussi.",
            (3, 2, 2): "L'ordre demandé est : oublis, fausses alertes, changements.",
            (2, 3, 3): "Un changement est compté quand le numéro diffère du dernier reçu : un pour B, un pour C.",
        },
    )
    expect_close(
        mota,
        1 - 7 / 18,
        atol=6e-3,
        name="mota",
        reveal=False,
        mistakes={
            1 - 5 / 18: "Les changements d'identité sont des accidents comme les autres : 2 + 3 + 2 = 7.",
            1 - 7 / 16: "On divise par le nombre de boîtes vraies, 18, et non par celui des boîtes trouvées.",
            1 - 7 / 19: "On divise par les 18 boîtes vraies, et non par les 19 que le suiveur a montrées.",
            7 / 18: "C'est la part des accidents : MOTA est ce qui reste, `1 - ...`.",
        },
    )
    expect_close(
        idf1,
        22 / 37,
        atol=6e-3,
        name="idf1",
        reveal=False,
        mistakes={
            32 / 37: "Vous comptez les 16 boîtes trouvées ; seules comptent celles du numéro marié à l'objet, un seul "
            "pour toute la vidéo.",
            11
            / 18: "11 boîtes bien nommées sur 18 voulues, c'est le rappel ; IDF1 tient aussi compte des 19 montrées.",
            11 / 19: "11 sur 19 montrées, c'est la précision ; IDF1 tient aussi compte des 18 voulues.",
            11 / 37: "Le numérateur est le double : 2 × 11.",
        },
    )
    shares = 6 * 1.0 + 2 * (2 / 8) + 2 * (2 / 6) + 6 * (3 / 6)
    expect_close(
        association_c,
        shares / 16,
        atol=4e-3,
        name="association_c",
        reveal=False,
        mistakes={
            (6 + 2 * (2 / 6) + 2 * (2 / 6) + 3) / 16: "Le numéro 2 est aussi allé deux fois dans le vide : "
            "2 en commun, 4 à B seul, 2 au numéro 2 seul, soit 2/8.",
            shares / 18: "La moyenne se fait sur les 16 boîtes justes, pas sur les 18 vraies.",
            (1 + 2 / 8 + 2 / 6 + 3 / 6 + 3 / 6) / 5: "Chaque couple objet-numéro compte autant de fois qu'il a de "
            "boîtes justes : 6, 2, 2, 3, 3.",
            (16 / 21 * shares / 16)
            ** 0.5: "C'est HOTA tout entier ; on demande sa part d'association, sans la racine.",
        },
    )


# --- 4-5-d : a counting line ---------------------------------------------------------------------------------------


def _passages(path: Array, x: float, top: float, bottom: float) -> list[int]:
    """List +1 (to the right) and −1 (to the left) for each passage between the two ends."""
    found = []
    for (x0, y0), (x1, y1) in zip(path[:-1], path[1:], strict=True):
        if (x0 >= x) != (x1 >= x):
            height = y0 + (x - x0) / (x1 - x0) * (y1 - y0)
            if top <= height <= bottom:
                found.append(1 if x1 >= x else -1)
    return found


def _totals(nets: list[int]) -> tuple[int, int]:
    return sum(net > 0 for net in nets), sum(net < 0 for net in nets)


def _counted(paths: dict[int, Array], x: float, top: float, bottom: float) -> tuple[int, int]:
    return _totals([sum(_passages(path, x, top, bottom)) for path in paths.values()])


def _every_passage(paths: dict[int, Array], x: float, top: float, bottom: float) -> tuple[int, int]:
    return _totals([step for path in paths.values() for step in _passages(path, x, top, bottom)])


def _ends_only(paths: dict[int, Array], x: float, top: float, bottom: float) -> tuple[int, int]:
    return _totals([int(path[-1, 0] >= x) - int(path[0, 0] >= x) for path in paths.values()])


def _endless(paths: dict[int, Array], x: float, top: float, bottom: float) -> tuple[int, int]:
    return _every_passage(paths, x, -np.inf, np.inf)


def _coarse(paths: dict[int, Array], x: float, top: float, bottom: float) -> tuple[int, int]:
    """Look at the height of the position that follows, without going back to the line."""
    nets = []
    for path in paths.values():
        steps = zip(path[:-1], path[1:], strict=True)
        nets.append(
            sum(
                int(b[0] >= x) - int(a[0] >= x)
                for a, b in steps
                if (a[0] >= x) != (b[0] >= x) and top <= b[1] <= bottom
            )
        )
    return _totals(nets)


@exercise(
    "4-5-d",
    hints=(
        "Prenez un objet et deux positions successives : l'une à gauche (`x0 < x`), l'autre à droite (`x1 >= x`), ou "
        "l'inverse. À quelle ordonnée le segment coupe-t-il la ligne ?",
        "Une règle de trois : `y = y0 + (x - x0) / (x1 - x0) * (y1 - y0)`. Comptez +1 ou -1 si "
        "`top <= y <= bottom`, et additionnez sur tout le chemin de l'objet.",
        "Regardez le signe du total de chaque objet : positif, il est passé à droite ; négatif, à gauche ; nul, il ne "
        "compte pas.",
    ),
    success="Les allers et retours se compensent d'eux-mêmes : aucun seuil à régler contre le tremblement.",
)
def counting(count_line):
    """Net passages of each object over a vertical segment."""
    expect_function(count_line, parameters=4, pure=True)

    def path(*points: tuple[float, float]) -> Array:
        return np.array(points, float)

    crossing, back = path((0, 5), (4, 5), (12, 5)), path((20, 4), (9, 4), (2, 4))
    shaking = path((2, 5), (9, 5), (11, 5), (9.5, 5), (10.5, 5), (15, 5))
    returning = path((2, 5), (12, 5), (3, 5))
    around = path((2, 5), (8, 20), (12, 20), (15, 5))
    diagonal = path((0, 0), (20, 16))
    grazing = path((6, 14), (12, 5))
    touching = path((4, 5), (10, 5))
    touched = path((10, 5), (4, 5))
    expect_cases(
        count_line,
        [
            ({1: crossing}, 10.0, 0.0, 10.0),
            ({1: crossing, 2: back, 5: crossing + 1}, 10.0, 0.0, 10.0),
            ({1: crossing, 4: path((1, 1))}, 10.0, 6.0, 9.0),
            ({3: around}, 10.0, 0.0, 10.0),
            ({3: shaking}, 10.0, 0.0, 10.0),
            ({3: returning, 8: back}, 10.0, 0.0, 10.0),
            ({7: diagonal}, 10.0, 0.0, 10.0),
            ({7: grazing}, 10.0, 0.0, 7.0),
            ({1: touching, 2: touched}, 10.0, 0.0, 10.0),
            ({}, 10.0, 0.0, 10.0),
        ],
        reference=_counted,
        mistakes={
            like(lambda *a: _counted(*a)[::-1]): "Les deux sens sont échangés : `to_right` d'abord, pour qui finit à "
            "droite.",
            like(_every_passage): "Un objet qui tremble sur la ligne est compté plusieurs fois : "
            "additionnez ses +1 et ses -1 avant de compter.",
            like(_ends_only): "Comparer le départ et l'arrivée ne suffit pas : celui qui contourne la ligne n'est "
            "pas passé dessus.",
            like(_endless): "La ligne a deux bouts : qui passe au-dessus de `top` ou au-dessous de `bottom` "
            "n'est pas compté.",
            like(lambda p, x, top, bottom: _counted(p, x, -np.inf, np.inf)): "La ligne a deux bouts : l'ordonnée du "
            "passage doit être entre `top` et `bottom`.",
            like(_coarse): "L'ordonnée se lit au moment du passage, sur le segment entre les deux positions, et non à "
            "la position suivante.",
            like(lambda *a: sum(_counted(*a))): "Renvoyez deux nombres, un par sens : `(to_right, to_left)`.",
        },
    )
