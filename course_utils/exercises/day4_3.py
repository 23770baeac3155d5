"""Checks of lesson 4-3, training a detector."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_function, expect_that, like


# -- a: one step of k-means ---------------------------------------------------------------------------------------
def _shape_iou(size: Any, anchor: Any) -> float:
    shared = min(size[0], anchor[0]) * min(size[1], anchor[1])
    return float(shared / (size[0] * size[1] + anchor[0] * anchor[1] - shared))


def _step(sizes: Any, anchors: Any, *, euclidean: bool = False, centre: Any = np.mean, lost: str = "kept") -> Any:
    groups: list[list[Any]] = [[] for _ in anchors]
    for size in sizes:
        likeness = [-math.dist(size, a) if euclidean else _shape_iou(size, a) for a in anchors]
        groups[int(np.argmax(likeness))].append(size)
    empty = {"kept": lambda anchor: anchor, "nan": lambda anchor: np.full(2, np.nan), "zero": lambda a: np.zeros(2)}
    return np.array(
        [centre(g, axis=0) if g else empty[lost](a) for g, a in zip(groups, anchors, strict=True)], np.float64
    )


SIZES = np.array([[10, 20], [12, 26], [30, 12], [40, 14], [36, 18], [90, 45], [60, 80], [13, 16]], float)


@exercise(
    "4-3-a",
    hints=(
        "Deux boîtes de même centre se recouvrent sur `min(largeurs)` par `min(hauteurs)` : vous avez l'IoU sans"
        " coordonnées.",
        "`np.minimum(sizes[:, None], anchors[None])` a la forme (n, k, 2) ; un produit sur le dernier axe donne les"
        " surfaces communes, et `argmax(axis=1)` l'ancre de chaque boîte.",
        "`for j in range(k)` : si `(owner == j).any()`, `new[j] = sizes[owner == j].mean(axis=0)` ; sinon l'ancre ne"
        " bouge pas.",
    ),
    success="Répétez ce pas jusqu'à ce que rien ne bouge : c'est tout l'algorithme. La salle le relance de plusieurs"
    " départs, car il s'arrête au premier creux venu.",
)
def kmeans_step(kmeans_step: Any) -> None:
    """One step of k-means with the IoU of shapes."""
    expect_function(kmeans_step, parameters=2, pure=True)
    lost = "Une ancre que personne ne choisit donne la moyenne d'un tableau vide : laissez-la où elle est."
    expect_cases(
        kmeans_step,
        [
            (SIZES[:3], np.array([[10.0, 20.0], [30.0, 10.0]])),
            (SIZES, np.array([[12.0, 20.0], [35.0, 15.0], [70.0, 60.0]])),
            (np.array([[20.0, 20.0], [11.0, 11.0], [34.0, 30.0]]), np.array([[12.0, 12.0], [30.0, 30.0]])),
            (SIZES[:5], np.array([[12.0, 20.0], [35.0, 15.0], [400.0, 400.0]])),
        ],
        reference=_step,
        rtol=1e-6,
        mistakes={
            like(lambda s, a: _step(s, a, euclidean=True)): "C'est la distance ordinaire entre tailles : les grandes"
            " boîtes y pèsent trop. Comparez par l'IoU.",
            like(lambda s, a: _step(s, a, centre=np.median)): "C'est la médiane de chaque groupe ; on demande la"
            " moyenne.",
            like(lambda s, a: _step(s, a, lost="nan")): lost,
            like(lambda s, a: _step(s, a, lost="zero")): lost,
            like(lambda s, a: np.asarray(a, float)): "Les ancres n'ont pas bougé : remplacez chacune par la moyenne de"
            " ses boîtes.",
        },
    )


# -- b: objectness with an ignore threshold -----------------------------------------------------------------------
def _objectness(
    logits: Any, answers: Any, best_iou: Any, threshold: Any, *, spare_answers: bool = False, spare: bool = True
) -> float:
    total = 0.0
    for x, y, overlap in zip(np.ravel(logits), np.ravel(answers), np.ravel(best_iou), strict=True):
        if spare and overlap > threshold and (spare_answers or not y):
            continue
        total += max(x, 0.0) - x * float(y) + math.log1p(math.exp(-abs(x)))
    return total


@exercise(
    "4-3-b",
    hints=(
        "Une ancre compte si elle doit répondre, **ou** si sa boîte ne recouvre bien aucun objet :"
        " `answers | (best_iou <= threshold)`.",
        "`np.log(1 - p)` vaut moins l'infini dès que la sigmoïde s'arrondit à 1. Développez : l'entropie croisée"
        " s'écrit avec le logit x seul.",
        "`np.maximum(x, 0) - x * y + np.log1p(np.exp(-np.abs(x)))`, puis la somme de ce qui compte.",
    ),
    success="Stable jusqu'à des logits de 1 000 : c'est la forme qu'emploient TensorFlow et la perte du cours.",
)
def objectness_loss(objectness_loss: Any) -> None:
    """Binary cross-entropy of objectness, summed over what counts."""
    expect_function(objectness_loss, parameters=4, pure=True)
    rng = np.random.default_rng(3)
    logits, overlap = rng.normal(0, 2, 12), rng.uniform(0, 1, 12)
    answers = np.zeros(12, bool)
    answers[[2, 7]] = True
    overlap[[2, 5]] = 0.9, 0.85
    overlap[7] = 0.3
    easy = (np.array([2.0, -1.0, 0.0]), np.array([True, False, False]), np.array([0.8, 0.9, 0.1]), 0.7)

    def half(x: Any, y: Any, o: Any, t: Any) -> float:
        kept = np.asarray(y) | (np.asarray(o) <= t)
        return _objectness(x, y, o, t) / max(int(kept.sum()), 1)

    expect_cases(
        objectness_loss,
        [
            easy,
            (logits, answers, overlap, 0.7),
            (logits, answers, overlap, 0.5),
            (logits[:4], np.zeros(4, bool), overlap[:4], 0.7),
        ],
        reference=_objectness,
        rtol=1e-5,
        mistakes={
            like(lambda x, y, o, t: _objectness(x, y, o, t, spare=False)): "Tout est compté : une ancre qui ne doit pas"
            " répondre mais dont l'IoU dépasse le seuil n'est ni juste ni fausse.",
            like(lambda x, y, o, t: _objectness(x, y, o, t, spare_answers=True)): "Vous ignorez aussi les ancres qui"
            " doivent répondre quand leur boîte est bonne : ce sont les seules à apprendre « il y a quelque chose ».",
            like(half): "C'est une moyenne ; on demande la somme.",
            like(lambda x, y, o, t: _objectness(x, y, -np.asarray(o), -t)): "L'inégalité est à l'envers : on ignore les"
            " ancres dont l'IoU est **supérieure** au seuil.",
        },
    )
    extreme = np.array([800.0, -800.0, 800.0, -800.0])
    value = objectness_loss(extreme, np.array([True, True, False, False]), np.zeros(4), 0.7)
    expect_that(
        bool(np.isfinite(value)) and abs(float(value) - 1600) < 1,
        f"Avec des logits de ±800, la somme vaut 1600 ; la vôtre vaut {float(value):g}. Un logarithme a reçu 0, ou une"
        " exponentielle a débordé : écrivez la perte avec le logit, sans passer par la sigmoïde.",
    )


# -- c: the boxes of a quarter of mosaic ---------------------------------------------------------------------------
def _cut(
    boxes: Any,
    window: Any,
    corner: Any,
    *,
    home: bool = True,
    pasted: bool = True,
    cut: bool = True,
    share: float = 0.25,
    strict: bool = False,
    of: str = "box",
    bounded: bool = True,
) -> tuple[Any, Any]:
    left, top, right, bottom = window
    kept, ranks = [], []
    for rank, (x1, y1, x2, y2) in enumerate(np.asarray(boxes, np.float64)):
        seen = max(x1, left), max(y1, top), min(x2, right), min(y2, bottom)
        wide, tall = seen[2] - seen[0], seen[3] - seen[1]
        if bounded:
            wide, tall = max(wide, 0.0), max(tall, 0.0)
        whole = {"box": (x2 - x1) * (y2 - y1), "window": (right - left) * (bottom - top)}[of]
        if wide * tall < share * whole or (strict and wide * tall == share * whole):
            continue
        box = np.array(seen if cut else (x1, y1, x2, y2))
        box = box - [left, top, left, top] if home else box
        kept.append(box + [*corner, *corner] if pasted else box)
        ranks.append(rank)
    return np.array(kept).reshape(-1, 4), np.array(ranks, int)


def _all_clipped(boxes: Any, window: Any, corner: Any) -> tuple[Any, Any]:
    low, high = np.tile(window[:2], 2), np.tile(window[2:], 2)
    return np.clip(boxes, low, high) - low + np.tile(corner, 2), np.arange(len(boxes))


# Through the window (20, 30, 100, 90): three are seen for the most part, three not at all, the last for a fifth.
STREET = np.array(
    [
        *([12, 40, 52, 60], [70, 30, 110, 70], [0, 0, 16, 16], [100, 90, 140, 110]),
        *([30, 20, 50, 60], [130, 5, 150, 25], [92, 60, 132, 80]),
    ],
    float,
)


@exercise(
    "4-3-c",
    hints=(
        "Trois gestes : couper aux bords de la fenêtre, comparer la surface qui reste à celle d'avant, déplacer.",
        "`np.clip(boxes, [x1, y1, x1, y1], [x2, y2, x2, y2])` coupe les quatre coordonnées à la fois ; une boîte hors"
        " de la fenêtre s'y aplatit, et sa surface devient nulle.",
        "`kept = area(cut) >= 0.25 * area(boxes)`, puis `cut[kept] - [x1, y1, x1, y1] + [x, y, x, y]` et"
        " `np.flatnonzero(kept)`.",
    ),
    success="Quatre fenêtres, quatre coins, une concaténation : c'est toute la mosaïque. Le même découpage sert à tout"
    " recadrage au hasard.",
)
def cut_boxes(cut_boxes: Any) -> None:
    """Boxes of a street seen through a window, in the pixels of the mosaic, and their ranks."""
    expect_function(cut_boxes, parameters=3, pure=True)
    expect_cases(
        cut_boxes,
        [
            (STREET[:2], (20, 30, 100, 90), (60, 0)),
            (STREET, (20, 30, 100, 90), (80, 70)),
            (STREET, (40, 10, 140, 100), (0, 0)),
            (STREET[2:3], (8, 8, 72, 72), (16, 32)),
            (np.zeros((0, 4)), (20, 30, 100, 90), (0, 60)),
        ],
        reference=_cut,
        rtol=1e-6,
        mistakes={
            like(
                lambda b, w, c: _cut(b, w, c, home=False)
            ): "Les boîtes sont encore comptées depuis le coin de la rue :"
            " retirez d'abord le coin de la fenêtre, `window[:2]`.",
            like(lambda b, w, c: _cut(b, w, c, pasted=False)): "Les boîtes sont comptées depuis le coin de la fenêtre :"
            " ajoutez `corner`, où elle est collée.",
            like(lambda b, w, c: _cut(b, w, c, cut=False)): "Des boîtes dépassent de la fenêtre : elles désignent, dans"
            " la mosaïque, des pixels d'une autre rue. Coupez-les.",
            like(lambda b, w, c: _cut(b, w, c, share=-np.inf)): "Tout est gardé, même ce que la fenêtre ne montre pas.",
            like(_all_clipped): "Tout est gardé, même ce que la fenêtre ne montre pas.",
            like(
                lambda b, w, c: _cut(b, w, c, share=1e-9)
            ): "Une boîte dont il reste moins du quart est encore gardée :"
            " le réseau devrait reconnaître un bus à un pare-chocs.",
            like(lambda b, w, c: _cut(b, w, c, strict=True)): "« Au moins le quart » : à un quart juste, on garde.",
            like(
                lambda b, w, c: _cut(b, w, c, of="window")
            ): "Ce qui reste se compare à la surface de la boîte entière, pas à celle de la fenêtre.",
            like(
                lambda b, w, c: _cut(b, w, c, bounded=False)
            ): "Hors de la fenêtre, la largeur et la hauteur sont toutes"
            " deux négatives, et leur produit positif : ramenez-les à 0.",
        },
    )


# -- d: the confidence to choose ----------------------------------------------------------------------------------
def _best(scores: Any, right: Any, positives: Any, *, value: str = "f1", strict: bool = False) -> tuple[float, float]:
    best, chosen = -1.0, 0.0
    for level in sorted(set(np.asarray(scores, float).tolist()), reverse=True):
        kept = [bool(r) for s, r in zip(scores, right, strict=True) if (s > level if strict else s >= level)]
        found = sum(kept)
        precision, recall = found / max(len(kept), 1), found / positives
        f1 = 2 * found / (len(kept) + positives)
        figure = {"f1": f1, "precision": precision, "recall": recall, "mean": (precision + recall) / 2}[value]
        if figure > best + 1e-12:
            best, chosen = figure, level
    return chosen, best


@exercise(
    "4-3-d",
    hints=(
        "Seuls les scores eux-mêmes sont des seuils utiles : entre deux, rien ne change. Essayez-les tous.",
        "Triez par score décroissant ; au rang i (compté de 1), `found = np.cumsum(right)` est le nombre de justes"
        " parmi i gardées.",
        "`f1 = 2 * found / (rank + positives)`, puis `argmax` ; attention aux scores égaux, gardés ensemble ou pas"
        " du tout.",
    ),
    success="F1 = 2·justes / (gardées + vraies) : précision et rappel s'y rejoignent sans qu'on les calcule.",
)
def best_confidence(best_confidence: Any) -> None:
    """Confidence that gives the best F1, and this F1."""
    expect_function(best_confidence, parameters=3, pure=True)
    rng = np.random.default_rng(8)
    scores = rng.permutation(np.linspace(0.05, 0.95, 14).round(2))
    right = rng.random(14) < scores
    ties = (np.array([0.9, 0.8, 0.6, 0.6, 0.6, 0.2]), np.array([True, False, True, False, False, False]), 3)

    def unsorted(s: Any, r: Any, n: Any) -> Any:
        found, rank = np.cumsum(r), np.arange(1, len(r) + 1)
        f1 = 2 * found / (rank + n)
        return float(s[int(np.argmax(f1))]), float(f1.max())

    def no_ties(s: Any, r: Any, n: Any) -> Any:
        order = np.argsort(-np.asarray(s), kind="stable")
        return unsorted(np.asarray(s)[order], np.asarray(r)[order], n)

    expect_cases(
        best_confidence,
        [
            (np.array([0.9, 0.7, 0.5, 0.3]), np.array([True, True, False, True]), 4),
            (scores, right, 9),
            (scores, right, 30),
            ties,
        ],
        reference=_best,
        rtol=1e-6,
        mistakes={
            like(lambda s, r, n: _best(s, r, n, value="precision")): "Vous maximisez la précision : un seul objet"
            " trouvé suffirait.",
            like(lambda s, r, n: _best(s, r, n, value="recall")): "Vous maximisez le rappel : tout garder suffirait.",
            like(lambda s, r, n: _best(s, r, n, value="mean")): "F1 est la moyenne **harmonique** de la précision et du"
            " rappel, pas leur moyenne.",
            like(lambda s, r, n: _best(s, r, n, strict=True)): "Au seuil s, on garde les scores supérieurs **ou égaux**"
            " à s.",
            like(unsorted): "Les scores n'arrivent pas triés : classez-les d'abord, et `right` avec eux.",
            like(no_ties): "Deux détections de même score sont gardées ensemble : ne coupez pas entre elles.",
        },
    )
