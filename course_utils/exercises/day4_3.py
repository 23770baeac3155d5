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


# -- b: what a cell must say --------------------------------------------------------------------------------------
def _encode(box: Any, anchor: Any, stride: Any, *, corner: bool = False, log: bool = True) -> Any:
    x1, y1, x2, y2 = (float(v) for v in box)
    cx, cy = (x1, y1) if corner else ((x1 + x2) / 2, (y1 + y2) / 2)
    column, row = math.floor(cx / stride), math.floor(cy / stride)
    ratio = ((x2 - x1) / anchor[0], (y2 - y1) / anchor[1])
    tw, th = (math.log(ratio[0]), math.log(ratio[1])) if log else ratio
    return column, row, cx / stride - column, cy / stride - row, tw, th


@exercise(
    "4-3-b",
    hints=(
        "Partez du décodage et remontez-le : `x = (dx + column) * stride`, `w = anchor_w * exp(tw)`.",
        "`column` est la partie entière de `x_centre / stride`, `dx` ce qui reste, entre 0 et 1.",
        "`tw = np.log((x2 - x1) / anchor[0])` ; la même chose en hauteur avec `anchor[1]`.",
    ),
    success="Le réseau n'apprend ni x ni largeur : seulement un reste entre 0 et 1 et un petit logarithme. C'est ce qui"
    " rend l'apprentissage rapide.",
)
def encode(encode: Any) -> None:
    """Cell, remainder and logarithms that describe a box."""
    expect_function(encode, parameters=3)
    expect_cases(
        encode,
        [
            ((40, 20, 80, 60), (20, 20), 16),
            ((10, 50, 22, 90), (10, 30), 16),
            ((0, 0, 100, 40), (60, 30), 32),
            ((131.5, 70.2, 150.1, 99.8), (25, 25), 32),
        ],
        reference=_encode,
        rtol=1e-6,
        mistakes={
            like(lambda b, a, s: _encode(b, a, s, corner=True)): "C'est le coin de la boîte qui est encodé ; YOLO part"
            " de son centre.",
            like(lambda b, a, s: _encode(b, a, s, log=False)): "Le décodage prend l'exponentielle : il faut un"
            " logarithme ici.",
            like(lambda b, a, s: tuple(_encode(b, a, s)[k] for k in (1, 0, 3, 2, 4, 5))): "Lignes et colonnes sont"
            " échangées : `column` vient de x, `row` de y.",
            like(
                lambda b, a, s: (
                    *_encode(b, a, s)[:2],
                    *(s * v for v in _encode(b, a, s)[2:4]),
                    *_encode(b, a, s)[4:],
                )
            ): "`dx` et `dy` sont encore en pixels : divisez-les par `stride`.",
            like(
                lambda b, a, s: (*_encode(b, a, s)[:4], math.log((b[2] - b[0]) / s), math.log((b[3] - b[1]) / s))
            ): "La taille se compare à l'ancre, pas à la cellule.",
        },
    )


# -- c: objectness with an ignore threshold -----------------------------------------------------------------------
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
    "4-3-c",
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
