"""Checks of lesson 4-2, YOLOv4 piece by piece."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_function, expect_that, like


def _softplus(x: Any) -> Any:
    return np.logaddexp(0, x)


def _sigmoid(x: Any) -> Any:
    return 0.5 * (1 + np.tanh(0.5 * np.asarray(x, float)))


def _mish_slope(x: Any) -> Any:
    t = np.tanh(_softplus(x))
    return t + x * _sigmoid(x) * (1 - t) * (1 + t)


@exercise(
    "4-2-a",
    hints=(
        "Posez s = ln(1 + eˣ). Mish est le produit de x et de tanh(s) : (uv)′ = u′v + uv′.",
        "tanh′ = 1 − tanh², et la dérivée de s est la sigmoïde de x. Il reste à multiplier ces dérivées en chaîne.",
        "`t = np.tanh(np.logaddexp(0, x))`, puis `t + x * sigmoid(x) * (1 - t**2)`, avec"
        " `sigmoid(x) = 1 / (1 + np.exp(-x))`.",
    ),
    success="À gauche la pente s'éteint, à droite elle vaut 1 ; entre les deux elle passe sous zéro, puis dépasse 1"
    " d'un dixième. `np.logaddexp(0, x)` calcule ln(1 + eˣ) sans jamais former eˣ.",
)
def mish_slope(mish_slope: Any) -> None:
    """Derivative of Mish, without overflow."""
    expect_function(mish_slope, parameters=1)
    points = np.array([-4.0, -1.5, -0.5, 0.0, 0.5, 2.0, 5.0])
    expect_cases(
        mish_slope,
        [(points,), (np.array([-1000.0, 1000.0]),), (np.array([[0.25, -30.0], [30.0, -0.25]]),)],
        reference=_mish_slope,
        mistakes=[
            (
                lambda value: bool(np.isnan(np.asarray(value, float)).any()),
                "eˣ a débordé, et inf / inf n'est pas un nombre. Écrivez la sigmoïde `1 / (1 + np.exp(-x))`, et"
                " ln(1 + eˣ) `np.logaddexp(0, x)`.",
            ),
            (like(lambda x: np.tanh(_softplus(x))), "Il manque le second terme du produit, x · (tanh(s))′."),
            (
                like(lambda x: x * _sigmoid(x) * (1 - np.tanh(_softplus(x)) ** 2)),
                "Il manque le premier terme du produit : la dérivée de x vaut 1, elle laisse tanh(s).",
            ),
            (
                like(lambda x: np.tanh(_softplus(x)) + x * (1 - np.tanh(_softplus(x)) ** 2)),
                "La chaîne s'arrête trop tôt : s dépend de x, et sa dérivée est la sigmoïde.",
            ),
            (
                like(lambda x: np.tanh(_softplus(x)) + _sigmoid(x) * (1 - np.tanh(_softplus(x)) ** 2)),
                "Le second terme du produit garde son facteur x.",
            ),
            (
                like(lambda x: np.tanh(_softplus(x)) + x * _sigmoid(x) * (1 - np.tanh(_softplus(x)))),
                "La dérivée de tanh est 1 − tanh², avec un carré.",
            ),
            (like(lambda x: x * np.tanh(_softplus(x))), "C'est Mish elle-même ; on demande sa dérivée."),
        ],
    )


def _csp(
    channels: int,
    filters: int,
    n: int,
    *,
    norm: int = 4,
    bias: int = 0,
    through: int | None = None,
    mixed: int | None = None,
    ways: int = 2,
    down: bool = True,
    after: bool = True,
) -> int:
    """Numbers of a CSP stage, or of what one gets by forgetting something."""

    def conv(size: int, taken: int, given: int) -> int:
        return size**2 * taken * given + (norm + bias) * given

    half = filters // 2
    inner = through or half
    total = conv(3, channels, filters) if down else 0
    total += ways * conv(1, filters, half) + n * (conv(1, inner, half) + conv(3, half, inner))
    return total + (conv(1, half, half) if after else 0) + conv(1, mixed or filters, filters)


@exercise(
    "4-2-b",
    hints=(
        "Suivez le code de `csp_stage` ligne par ligne : chaque appel à `brick` est une convolution et sa"
        " normalisation.",
        "Écrivez d'abord `conv(k, c, f)`, qui rend `k * k * c * f + 4 * f`. Puis comptez : une 3×3 de pas 2, deux 1×1"
        " vers la moitié des canaux, `n` blocs, une 1×1 après eux, une 1×1 pour finir.",
        "`half = filters // 2` ; `conv(3, channels, filters) + 2 * conv(1, filters, half) + n * (conv(1, half, half) +"
        " conv(3, half, half)) + conv(1, half, half) + conv(1, filters, filters)`",
    ),
    success="L'étage 3 de YOLOv4, `csp_numbers(128, 256, 8)`, pèse 1,8 million de nombres. Le pas, lui, ne compte pas :"
    " il change les multiplications, jamais les poids.",
)
def csp_numbers(csp_numbers: Any) -> None:
    """Numbers of a CSP stage in a file of weights."""
    expect_function(csp_numbers, parameters=3)

    def forgets(**what: Any) -> like:
        return like(lambda channels, filters, n: _csp(channels, filters, n, **what))

    expect_cases(
        csp_numbers,
        [(4, 8, 0), (4, 8, 1), (64, 128, 2), (128, 256, 8), (512, 1024, 4)],
        reference=_csp,
        exact_type=False,
        mistakes=[
            (forgets(norm=0), "Ce sont les noyaux seuls : la normalisation ajoute quatre nombres par canal de sortie."),
            (forgets(norm=2), "Le fichier garde aussi la moyenne et la variance : quatre nombres par canal, pas deux."),
            (forgets(bias=1), "Ces convolutions n'ont pas de biais : la normalisation qui suit a le sien."),
            (forgets(ways=1), "Il faut deux 1×1 à l'entrée : une pour chaque chemin."),
            (forgets(down=False), "Il manque la 3×3 de pas 2 qui ouvre l'étage."),
            (forgets(after=False), "Il manque la 1×1 qui suit les blocs, avant la concaténation."),
            (
                like(lambda channels, filters, n: _csp(channels, filters, n, mixed=filters // 2)),
                "La dernière 1×1 reçoit les deux chemins bout à bout : `filters` canaux, pas la moitié.",
            ),
            (
                like(lambda channels, filters, n: _csp(channels, filters, n, through=filters)),
                "Les blocs ne voient que la moitié des canaux : c'est toute l'idée de CSP.",
            ),
            (
                like(lambda channels, filters, n: _csp(channels, filters, 1)),
                "`n` n'a pas d'effet : l'étage contient `n` blocs.",
            ),
        ],
    )


def _encode(box: Any, anchor: Any, stride: float) -> tuple[float, ...]:
    """Return what a cell must say, one number at a time."""
    x1, y1, x2, y2 = (float(value) for value in box)
    across, down = (x1 + x2) / 2 / stride, (y1 + y2) / 2 / stride
    column, row = math.floor(across), math.floor(down)
    tx, ty = (math.log(part / (1 - part)) for part in (across - column, down - row))
    return column, row, tx, ty, math.log((x2 - x1) / float(anchor[0])), math.log((y2 - y1) / float(anchor[1]))


def _changed(change: Callable[..., Sequence[float]]) -> like:
    return like(lambda box, anchor, stride: change(*_encode(box, anchor, stride)))


@exercise(
    "4-2-c",
    hints=(
        "Commencez par le centre de la boîte, en cellules et non en pixels : sa partie entière dit la cellule, le reste"
        " dit où dans la cellule.",
        "La réciproque de la sigmoïde est le logit, ln(p / (1 − p)) ; celle de l'exponentielle, le logarithme.",
        "`cx = (x1 + x2) / 2 / stride`, `column = int(cx)`, `p = cx - column`, `tx = np.log(p / (1 - p))`,"
        " `tw = np.log((x2 - x1) / anchor[0])` ; de même en hauteur.",
    ),
    success="Décoder puis encoder redonne la même chose. Avec un centre posé juste sur une frontière, le logit serait"
    " infini : c'est la suite de la leçon.",
)
def encode(encode: Any) -> None:
    """From a box to the numbers that give it back."""
    expect_function(encode, parameters=3)
    corner = like(
        lambda box, anchor, stride: (
            *_encode((box[0] - 1e-9, box[1] - 1e-9, box[0] + 1e-9, box[1] + 1e-9), (1, 1), stride)[:4],
            *_encode(box, anchor, stride)[4:],
        )
    )
    expect_cases(
        encode,
        [
            (np.array([60.0, 100.0, 90.0, 130.0]), np.array([38.0, 27.0]), 16),
            (np.array([11.0, 41.0, 16.0, 53.0]), np.array([10.0, 13.0]), 8),
            (np.array([101.0, 33.0, 245.0, 117.0]), np.array([71.0, 121.0]), 32),
        ],
        reference=lambda box, anchor, stride: np.array(_encode(box, anchor, stride)),
        mistakes=[
            (
                _changed(lambda column, row, *rest: (row, column, *rest)),
                "Ligne et colonne sont échangées : la colonne vient de x, la ligne de y.",
            ),
            (
                _changed(lambda c, r, tx, ty, tw, th: (c, r, _sigmoid(tx), _sigmoid(ty), tw, th)),
                "C'est la place du centre dans la cellule ; le réseau, lui, parle avant la sigmoïde : prenez le logit.",
            ),
            (
                _changed(lambda c, r, tx, ty, tw, th: (c, r, tx, ty, math.exp(tw), math.exp(th))),
                "C'est le rapport des tailles : le réseau en donne le logarithme.",
            ),
            (
                _changed(lambda c, r, tx, ty, tw, th: (c, r, tx, ty, -tw, -th)),
                "Le rapport est à l'envers : la boîte divisée par l'ancre.",
            ),
            (
                _changed(lambda c, r, tx, ty, tw, th: (c, r, -tx, -ty, tw, th)),
                "Le logit est à l'envers : ln(p / (1 − p)).",
            ),
            (corner, "La cellule est celle du centre de la boîte, pas celle de son coin."),
        ],
    )


Place = tuple[int, int, int, int]
Heads = Sequence[tuple[int, Any]]


def _shape_iou(width: float, height: float, anchor: Any) -> float:
    shared = min(width, float(anchor[0])) * min(height, float(anchor[1]))
    return shared / (width * height + float(anchor[0]) * float(anchor[1]) - shared)


def _responsible(
    box: Any,
    heads: Heads,
    threshold: float = 0.213,
    *,
    best: str = "overall",
    helpers: bool = True,
    swapped: bool = False,
    corner: bool = False,
    overall_rank: bool = False,
) -> set[Place]:
    """Places that answer for a box, or those that one gets by a mistake."""
    x1, y1, x2, y2 = (float(value) for value in box)
    scores = [[_shape_iou(x2 - x1, y2 - y1, anchor) for anchor in anchors] for _, anchors in heads]
    top = max(max(row) for row in scores)
    x, y = (x1, y1) if corner else ((x1 + x2) / 2, (y1 + y2) / 2)
    found, before = set(), 0
    for (stride, _), row in zip(heads, scores, strict=True):
        for rank, score in enumerate(row):
            wins = score == {"overall": top, "each": max(row), "none": None}[best]
            if wins or (helpers and score > threshold):
                place = (int(x // stride), int(y // stride)) if swapped else (int(y // stride), int(x // stride))
                found.add((stride, *place, before + rank))
        before += len(row) if overall_rank else 0
    return found


_RESPONSIBLE_MISTAKES: tuple[tuple[dict[str, Any], str], ...] = (
    ({"swapped": True}, "Ligne et colonne sont échangées : la ligne vient de y."),
    ({"corner": True}, "La cellule est celle du centre, pas celle du coin (x1, y1)."),
    ({"helpers": False}, "Il manque les ancres de renfort, celles dont l'IoU de forme dépasse `threshold`."),
    (
        {"best": "none"},
        "Il manque la meilleure ancre : elle répond toujours, même si son IoU ne dépasse pas `threshold`.",
    ),
    (
        {"best": "each"},
        "Une seule ancre est la meilleure, toutes têtes confondues : vous en prenez une par tête.",
    ),
    (
        {"best": "each", "helpers": False},
        "Une seule ancre est la meilleure, toutes têtes confondues, et il y a les renforts.",
    ),
    ({"overall_rank": True}, "Le rang d'une ancre se compte dans sa tête : il repart de zéro à chaque tête."),
)


@exercise(
    "4-2-d",
    hints=(
        "L'IoU de forme ignore la position : largeur commune = min des largeurs, hauteur commune = min des hauteurs.",
        "Deux passages sur les têtes : le premier cherche la plus grande IoU de toutes, le second ramasse les ancres"
        " qui l'atteignent ou qui dépassent `threshold`.",
        "Pour chaque tête, la cellule est `row = int(cy // stride)`, `column = int(cx // stride)`, où (cx, cy) est le"
        " centre en pixels ; ajoutez `(stride, row, column, rank)`.",
    ),
    success="Un même objet est souvent confié à deux têtes : elles apprendront toutes deux à le voir, et la NMS fera le"
    " tri. Sans les renforts, un objet n'aurait qu'un seul avocat parmi des milliers d'ancres.",
)
def responsible(responsible: Any) -> None:
    """Which cells and anchors answer for a box."""
    expect_function(responsible, parameters=3)
    heads = [
        (8, np.array([[6.0, 8.0], [10.0, 18.0], [20.0, 14.0]])),
        (16, np.array([[18.0, 38.0], [38.0, 28.0], [36.0, 73.0]])),
        (32, np.array([[71.0, 55.0], [96.0, 122.0], [230.0, 200.0]])),
    ]
    cases: list[tuple[Any, ...]] = [
        (np.array([40.0, 90.0, 76.0, 116.0]), heads),
        (np.array([100.0, 20.0, 105.0, 28.0]), heads, 0.5),
        (np.array([5.0, 60.0, 155.0, 180.0]), heads, 0.3),
        (np.array([200.0, 10.0, 204.0, 90.0]), heads, 0.213),
        (np.array([30.0, 130.0, 40.0, 150.0]), heads[1:], 0.9),
    ]
    given = [_places(responsible(*case), case) for case in cases]
    expected = [_responsible(*case) for case in cases]
    for what, sentence in _RESPONSIBLE_MISTAKES:
        expect_that(given != [_responsible(*case, **what) for case in cases], sentence)
    for case, ours, theirs in zip(cases, expected, given, strict=True):
        call = _told(case)
        expect_that(not ours - theirs, f"{call} : il manque {sorted(ours - theirs)[:3]}.")
        expect_that(not theirs - ours, f"{call} : {sorted(theirs - ours)[:3]} ne devrait pas y être.")


def _told(case: tuple[Any, ...]) -> str:
    box, heads, *threshold = case
    more = f", threshold={threshold[0]}" if threshold else ""
    strides = ", ".join(str(stride) for stride, _ in heads)
    return f"`responsible({box.tolist()}, heads{more})`, têtes de pas {strides}"


def _places(answer: Any, case: tuple[Any, ...]) -> set[Place]:
    """Return the answer as a set, after checking that it is a list of quadruplets."""
    expect_that(
        isinstance(answer, (list, tuple, set)) and all(np.shape(place) == (4,) for place in answer),
        f"{_told(case)} rend {answer!r} : on attend une liste de quadruplets `(stride, row, column, anchor)`.",
    )
    places = [tuple(int(value) for value in place) for place in answer]
    expect_that(len(set(places)) == len(places), f"{_told(case)} : la même place est citée deux fois.")
    return set(places)  # type: ignore[arg-type]
