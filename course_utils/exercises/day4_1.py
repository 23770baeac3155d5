"""Checks of lesson 4-1, from the sliding window to the average precision.

The references work by explicit loops, one box or one detection at a time, where the solutions use NumPy's whole arrays.
"""

from __future__ import annotations

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    Refusal,
    expect_array,
    expect_cases,
    expect_close,
    expect_equal,
    expect_function,
    expect_that,
    like,
)


def _overlap(a, b, *, clip: bool = True, one: float = 0.0) -> float:
    """IoU of two boxes; `clip=False` and `one=1` are two classical faults."""
    width = min(a[2], b[2]) - max(a[0], b[0]) + one
    height = min(a[3], b[3]) - max(a[1], b[1]) + one
    if clip:
        width, height = max(0.0, width), max(0.0, height)
    common = width * height
    union = (a[2] - a[0] + one) * (a[3] - a[1] + one) + (b[2] - b[0] + one) * (b[3] - b[1] + one) - common
    return common / union if union > 0 else 0.0


# --- 4-1-a : from the cell to the box ------------------------------------------------------------------------------


def _cell(row: int, col: int, fy: float, fx: float) -> tuple[float, ...]:
    left, top = 8 * col, 8 * row
    return left / fx, top / fy, (left + 32) / fx, (top + 32) / fy


def _places(height: int, width: int, fy: float, fx: float) -> int:
    """Slide the window until it leaves the image."""
    rows = sum(1 for top in range(0, round(height * fy), 8) if top + 32 <= round(height * fy))
    return rows * sum(1 for left in range(0, round(width * fx), 8) if left + 32 <= round(width * fx))


@exercise(
    "4-1-a",
    hints=(
        "Dans l'image réduite, la case (0, 0) voit les pixels 0 à 32, la case (0, 1) les pixels 8 à 40 : "
        "`col` est un x.",
        "La largeur de l'image est multipliée par `fx` : pour revenir à l'image de départ, divisez les x par `fx`, "
        "les y par `fy`.",
        "`(8 * col / fx, 8 * row / fy, (8 * col + 32) / fx, (8 * row + 32) / fy)` ; un côté de n pixels a "
        "`(n - 32) // 8 + 1` places.",
    ),
    success="57 864 fenêtres : à une milliseconde chacune, une minute par image. Il fallait autre chose.",
)
def cells(cell_box, count, hd):
    """Box seen by a cell, and number of cells."""
    expect_function(cell_box, parameters=4)
    expect_cases(
        cell_box,
        [(0, 0, 1, 1), (0, 1, 1, 1), (2, 5, 1, 1), (0, 0, 0.5, 0.25), (3, 1, 0.5, 0.25)],
        reference=_cell,
        mistakes={
            like(lambda row, col, fy, fx: _cell(col, row, fy, fx)): "Lignes et colonnes sont échangées : "
            "`row` compte vers le bas, c'est un y.",
            like(lambda row, col, fy, fx: _cell(row, col, fx, fy)): "`fx` agit sur les x, `fy` sur les y : "
            "ils sont échangés.",
            like(
                lambda row, col, fy, fx: (8 * col * fx, 8 * row * fy, (8 * col + 32) * fx, (8 * row + 32) * fy)
            ): "Il faut diviser par les facteurs : une image réduite de moitié rend la fenêtre deux fois plus grande.",
            like(
                lambda row, col, fy, fx: (8 * col / fx, 8 * row / fy, 8 * col / fx + 32, 8 * row / fy + 32)
            ): "Les côtés de la fenêtre changent d'échelle aussi : 32 pixels de l'image réduite.",
            like(
                lambda row, col, fy, fx: (col / fx, row / fy, (col + 32) / fx, (row + 32) / fy)
            ): "Le pas est oublié : d'une case à la suivante, la fenêtre avance de 8 pixels.",
            like(
                lambda row, col, fy, fx: (32 * col / fx, 32 * row / fy, 32 * (col + 1) / fx, 32 * (row + 1) / fy)
            ): "Les fenêtres se recouvrent : elles avancent de 8 pixels, pas de 32.",
            like(lambda row, col, fy, fx: (8 * col / fx, 8 * row / fy, 32 / fx, 32 / fy)): "On attend deux coins, "
            "(x1, y1, x2, y2), et pas un coin et des côtés.",
        },
    )
    expect_function(count, parameters=4)
    expect_cases(
        count,
        [(192, 192, 1, 1), (32, 40, 1, 1), (100, 203, 1, 1), (192, 192, 0.5, 0.25), (1080, 1920, 0.5, 0.25)],
        reference=_places,
        mistakes={
            like(
                lambda h, w, fy, fx: ((round(h * fy) - 32) // 8) * ((round(w * fx) - 32) // 8)
            ): "Il manque la première place : `(n - 32) // 8` compte les pas, pas les positions.",
            like(lambda h, w, fy, fx: (round(h * fy) // 8) * (round(w * fx) // 8)): "Une fenêtre ne peut pas "
            "commencer trop près du bord : elle sortirait de l'image.",
            like(lambda h, w, fy, fx: _places(h, w, 1, 1)): "Les facteurs sont oubliés : la fenêtre parcourt "
            "l'image réduite.",
            like(lambda h, w, fy, fx: _places(h, w, fx, fy)): "`fy` réduit la hauteur, `fx` la largeur : "
            "ils sont échangés.",
        },
    )
    expect_equal(
        hd,
        57864,
        reveal=False,
        name="hd",
        mistakes={
            31284: "C'est la première paire de facteurs seulement : additionnez les quatre.",
            4 * 31284: "Les quatre grilles n'ont pas la même taille : l'image réduite en a moins.",
        },
    )


# --- 4-1-b : the table of IoU --------------------------------------------------------------------------------------


def _table(a, b, **fault) -> np.ndarray:
    return np.array([[_overlap(p, q, **fault) for q in b] for p in a]).reshape(len(a), len(b))


def _without_common(a, b) -> np.ndarray:
    """The common area is counted twice in the union."""

    def one(p, q):
        common = max(0.0, min(p[2], q[2]) - max(p[0], q[0])) * max(0.0, min(p[3], q[3]) - max(p[1], q[1]))
        return common / ((p[2] - p[0]) * (p[3] - p[1]) + (q[2] - q[0]) * (q[3] - q[1]))

    return np.array([[one(p, q) for q in b] for p in a])


@exercise(
    "4-1-b",
    hints=(
        "`a[:, None, 0]` a la forme (n, 1) et `b[None, :, 0]` la forme (1, m) : "
        "`np.maximum` des deux donne un tableau (n, m).",
        "Côtés communs : `np.minimum(a[:, None, 2:], b[None, :, 2:]) - np.maximum(a[:, None, :2], b[None, :, :2])`, "
        "ramenés à 0 par `np.maximum(0, …)`.",
        "Pour la division : `safe = np.where(union > 0, union, 1)` puis `np.where(union > 0, common / safe, 0)`.",
    ),
    success="Cent boîtes contre deux mille : deux cent mille IoU, en quelques millisecondes.",
)
def matrix(iou_matrix):
    """All the IoU of two sets of boxes."""
    expect_function(iou_matrix, parameters=2, pure=True)
    cases: list[tuple[list, list, str]] = [
        ([[0, 0, 2, 2]], [[1, 1, 3, 3]], "Deux carrés de côté 2 décalés d'une case en diagonale."),
        ([[0, 0, 2, 2]], [[5, 5, 9, 9]], "Deux boîtes disjointes, en diagonale."),
        ([[0, 0, 2, 2]], [[1, 5, 3, 9]], "Deux boîtes disjointes, l'une sous l'autre."),
        ([[0, 0, 4, 2], [1, 1, 3, 3]], [[0, 0, 2, 2], [2, 0, 4, 2], [0, 0, 9, 9]], "Deux boîtes contre trois."),
        ([[3, 3, 3, 3]], [[3, 3, 3, 3], [0, 0, 9, 9]], "Une boîte de surface nulle."),
    ]
    rng = np.random.default_rng(41)
    corners, sides = rng.uniform(0, 30, (14, 2)).round(1), rng.uniform(1, 20, (14, 2)).round(1)
    many = np.hstack([corners, corners + sides])
    cases.append((many[:6].tolist(), many[6:].tolist(), "Six boîtes contre huit."))
    for left, right, situation in cases:
        a, b = np.array(left, dtype=float), np.array(right, dtype=float)
        with np.errstate(divide="ignore", invalid="ignore"):
            got = iou_matrix(a, b)
        if np.shape(got) == (len(b), len(a)) != (len(a), len(b)):
            raise Refusal(
                f"{situation} Le tableau a la forme {np.shape(got)} : `a` va en lignes, `b` en colonnes, (n, m)."
            )
        expect_array(
            got,
            _table(a, b),
            array=True,
            rtol=1e-6,
            atol=1e-9,
            name=f"iou_matrix, essai « {situation.rstrip('.')} »",
            mistakes=[
                (_table(a, b, clip=False), "Les côtés négatifs doivent être ramenés à 0 avant d'être multipliés."),
                (_table(a, b, one=1.0), "Un côté est `x2 - x1`, sans ajouter 1 : nos coordonnées sont continues."),
                (
                    _without_common(a, b) if _table(a, b).any() else np.full((len(a), len(b)), -9.0),
                    "La partie commune est comptée deux fois dans l'union : retirez-la.",
                ),
            ],
        )


# --- 4-1-c : suppression by class ----------------------------------------------------------------------------------


def _suppress(boxes, scores, classes, threshold, *, fault="") -> list[int]:
    """One decision for each box, in order of score: does a kept box of its class hide it?"""
    order = sorted(range(len(scores)), key=lambda k: -scores[k])
    kept: list[int] = []
    for k in order:
        rivals = order[: order.index(k)] if fault == "chain" else kept
        hidden = False
        for rival in rivals:
            same = fault == "classes" or classes[rival] == classes[k]
            if fault == "other":
                same = classes[rival] != classes[k]
            overlap = _overlap(boxes[rival], boxes[k])
            hidden |= bool(same and (overlap >= threshold if fault == "equal" else overlap > threshold))
        if not hidden:
            kept.append(k)
    if fault == "ranks":
        return [order.index(k) for k in kept]
    if fault == "by class":
        return [k for c in sorted(set(classes)) for k in kept if classes[k] == c]
    return sorted(kept) if fault == "sorted" else kept


_NMS_FAULTS = {
    "classes": "Une boîte n'écarte que celles de sa classe : les classes sont oubliées.",
    "other": "La condition sur les classes est à l'envers : on garde les doublons et on écarte les autres classes.",
    "chain": "Une boîte déjà écartée n'écarte plus personne : comparez aux boîtes gardées seulement.",
    "equal": "À IoU égale au seuil, la boîte reste : elle n'est écartée que si l'IoU dépasse strictement le seuil.",
    "ranks": "Ce sont les rangs dans la liste triée : on veut les indices dans `boxes`.",
    "by class": "Les classes sont à la suite l'une de l'autre : rangez le tout par score décroissant.",
    "sorted": "Les indices sont rangés par ordre croissant : rangez-les du plus sûr au moins sûr.",
}


@exercise(
    "4-1-c",
    hints=(
        "Repartez de la fonction `greedy` de la leçon : une seule condition change.",
        "Une boîte en attente y reste si sa classe est différente, **ou** si son IoU avec la gardée ne dépasse pas le "
        "seuil.",
        "`waiting = [k for k in waiting if classes[k] != classes[best] or iou(boxes[best], boxes[k]) <= threshold]`",
    ),
    success="Le même résultat que TensorFlow et OpenCV, indice pour indice.",
)
def suppression(suppress):
    """Greedy suppression, class by class."""
    expect_function(suppress, pure=True)
    row = np.array([[0, 0, 10, 10], [4, 0, 14, 10], [8, 0, 18, 10], [30, 0, 40, 10]], dtype=float)
    half = np.array([[0, 0, 10, 10], [0, 0, 10, 5], [50, 0, 60, 10]], dtype=float)
    cases: list[tuple] = [
        (row[:2], [0.9, 0.8], [0, 0], 0.4, "Deux boîtes d'une classe, IoU 0.43, seuil 0.4."),
        (row[:2], [0.9, 0.8], [0, 1], 0.4, "Les mêmes, de deux classes."),
        (row, [0.9, 0.8, 0.7, 0.6], [0, 0, 0, 0], 0.4, "Trois boîtes en chaîne et une à l'écart."),
        (half, [0.9, 0.8, 0.7], [0, 0, 0], 0.5, "IoU égale au seuil."),
        (row[::-1].copy(), [0.6, 0.7, 0.8, 0.9], [0, 0, 0, 0], 0.4, "Les scores ne sont pas rangés."),
        (row[[3, 0, 1, 2]], [0.5, 0.9, 0.7, 0.8], [1, 0, 1, 0], 0.05, "Deux classes mêlées."),
    ]
    rng = np.random.default_rng(14)
    corners, sides = rng.integers(0, 20, (18, 2)), rng.integers(6, 18, (18, 2))
    cases.append(
        (
            np.hstack([corners, corners + sides]).astype(float),
            rng.permutation(18) / 20 + 0.05,
            rng.integers(0, 3, 18),
            0.3,
            "Dix-huit boîtes de trois classes.",
        )
    )
    cases.append((np.zeros((0, 4)), [], [], 0.5, "Aucune boîte."))
    for boxes, confidences, kinds, threshold, situation in cases:
        scores, classes = np.array(confidences, dtype=float), np.array(kinds, dtype=int)
        got = suppress(boxes, scores, classes, threshold)
        expected = _suppress(boxes, scores, classes, threshold)
        try:
            indices = [int(k) for k in got]
        except (TypeError, ValueError):
            raise Refusal(f"{situation} On attend une liste d'indices, par exemple {expected}.") from None
        wrong = [
            (_suppress(boxes, scores, classes, threshold, fault=fault), sentence)
            for fault, sentence in _NMS_FAULTS.items()
        ]
        reason = next((sentence for value, sentence in wrong if value == indices != expected), "")
        expect_that(
            indices == expected,
            f"{situation} `suppress` garde {indices}, on attend {expected}. {reason}".strip(),
        )


# --- 4-1-d : the colleague's average precision ---------------------------------------------------------------------


def _average_precision(images, threshold, *, faults=()) -> float:
    """Score by lists, with any of the colleague's faults."""
    outcomes, positives = [], 0
    for boxes, scores, truth in images:
        if "skipped" in faults and len(boxes) == 0:
            continue
        positives += len(truth)
        free = list(range(len(truth)))
        for k in sorted(range(len(scores)), key=lambda k: -scores[k]):
            candidates = range(len(truth)) if {"twice", "voc"} & {*faults} else free
            best = max(candidates, key=lambda j: _overlap(boxes[k], truth[j]), default=None)
            hit = best is not None and _overlap(boxes[k], truth[best]) >= threshold
            if hit and "twice" not in faults:
                hit = best in free
                free = [j for j in free if j != best]
            outcomes.append((scores[k], hit))
    if "order" not in faults:
        outcomes.sort(key=lambda outcome: -outcome[0])
    found, precisions, gains = 0, [], []
    for rank, (_, hit) in enumerate(outcomes, start=1):
        found += hit
        precisions.append(found / rank)
        gains.append(hit / positives)
    if "hollows" not in faults:
        precisions = [max(precisions[k:]) for k in range(len(precisions))]
    return float(sum(gain * precision for gain, precision in zip(gains, precisions, strict=True)))


_AP_FAULTS = {
    "skipped": "Les objets des images sans détection sont oubliés : ils sont manqués, et comptent dans le rappel.",
    "twice": "Une vraie boîte sert plusieurs fois : les doublons doivent compter faux.",
    "order": "Les détections sont rangées image par image : rangez-les toutes ensemble par score.",
    "hollows": "Les creux ne sont pas comblés : prenez à chaque rappel la meilleure précision à ce rappel ou au-delà.",
    "voc": "Une détection dont la meilleure boîte est prise peut encore en prendre une autre, libre : "
    "cherchez parmi les libres.",
}


def _evaluation_cases() -> list[tuple[list, str]]:
    far = np.array([[100.0, 100, 110, 110]])
    a, b = np.array([[0.0, 0, 10, 10]]), np.array([[20.0, 0, 30, 10]])
    pair = np.vstack([a, b])
    none = np.zeros((0, 4))

    def image(boxes, scores, truth):
        return boxes, np.array(scores, dtype=float), truth

    crowd = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10]])
    return [
        ([image(pair, [0.9, 0.8], pair)], "Une image, deux objets, tous deux trouvés."),
        ([image(pair, [0.9, 0.8], pair), image(none, [], pair)], "Une deuxième image, sans aucune détection."),
        ([image(np.vstack([a, a + 0.5, b]), [0.9, 0.8, 0.7], np.vstack([pair, far]))], "Un doublon."),
        (
            [image(np.vstack([a, far]), [0.9, 0.3], pair), image(pair, [0.8, 0.7], pair)],
            "Deux images dont les scores se croisent.",
        ),
        ([image(np.vstack([far, a, b]), [0.9, 0.8, 0.7], pair)], "Une fausse alerte très sûre d'elle."),
        ([image(crowd + 0.1, [0.9, 0.8], crowd), image(crowd, [0.7, 0.6], crowd)], "Deux objets serrés."),
        (
            [image(np.vstack([crowd[:1], crowd[:1] + [0.2, 0, 0.2, 0]]), [0.9, 0.8], crowd)],
            "Deux objets serrés, que deux détections visent par le même côté.",
        ),
        ([image(none, [], pair)], "Aucune détection du tout."),
    ]


@exercise(
    "4-1-d",
    hints=(
        "Essayez la fonction du collègue sur deux détections identiques d'un seul objet, "
        "puis sur une image sans détection.",
        "Quatre lignes : le `continue`, la vraie boîte qui n'est jamais retirée, le tri qui manque après la boucle, "
        "l'enveloppe décroissante avant la somme.",
        "`free = list(truth)` et `free.pop(int(np.argmax(overlaps)))` ; `order = np.argsort(-np.array(scores), "
        "kind='stable')` ; `np.maximum.accumulate(precision[::-1])[::-1]`.",
    ),
    success="Deux fautes flattaient, deux brouillaient : sur de vraies données, elles peuvent se compenser et passer "
    "inaperçues.",
)
def evaluation(fixed_ap):
    """Average precision of one class over several images."""
    expect_function(fixed_ap, pure=True)
    for images, situation in _evaluation_cases():
        got = fixed_ap(images, 0.5)
        expected = _average_precision(images, 0.5)
        expect_close(
            got,
            expected,
            rtol=1e-6,
            name=f"fixed_ap, essai « {situation.rstrip('.')} »",
            mistakes=[
                (_average_precision(images, 0.5, faults=(fault,)), sentence)
                for fault, sentence in _AP_FAULTS.items()
                if situation != "Aucune détection du tout."
            ],
        )
    close = [(np.array([[0.0, 0, 10, 6]]), np.array([0.9]), np.array([[0.0, 0, 10, 10]]))]
    expect_close(fixed_ap(close, 0.7), 0.0, atol=1e-9, name="fixed_ap, essai « IoU 0.6, seuil 0.7 »")
