"""Answers on which the checks of lesson 4-1 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Answers, Case


def iou(a, b):
    width = max(0, min(a[2], b[2]) - max(a[0], b[0]))
    height = max(0, min(a[3], b[3]) - max(a[1], b[1]))
    common = width * height
    total = (a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - common
    return common / total if total > 0 else 0.0


def cell_box(row, col, fy, fx):
    return 8 * col / fx, 8 * row / fy, (8 * col + 32) / fx, (8 * row + 32) / fy


def cell_box_stub(row, col, fy, fx): ...


def count(height, width, fy, fx):
    return ((round(height * fy) - 32) // 8 + 1) * ((round(width * fx) - 32) // 8 + 1)


def count_stub(height, width, fy, fx): ...


def iou_matrix(a, b, *, clip=True, one=0.0, subtract=True, safe=True):
    a, b = a[:, None], b[None]
    sides = np.minimum(a[..., 2:], b[..., 2:]) - np.maximum(a[..., :2], b[..., :2]) + one
    if clip:
        sides = np.maximum(0, sides)
    common = sides[..., 0] * sides[..., 1]
    total = (a[..., 2:] - a[..., :2] + one).prod(axis=-1) + (b[..., 2:] - b[..., :2] + one).prod(axis=-1)
    total = total - common * subtract
    if not safe:
        return common / total
    return np.where(total > 0, common / np.where(total > 0, total, 1), 0.0)


def iou_matrix_stub(a, b): ...


def faulty_matrix(**fault):
    return lambda a, b: iou_matrix(a, b, **fault)


def suppress(boxes, scores, classes, threshold=0.45):
    waiting, kept = list(np.argsort(-scores, kind="stable")), []
    while waiting:
        best = waiting.pop(0)
        kept.append(int(best))
        waiting = [k for k in waiting if classes[k] != classes[best] or iou(boxes[best], boxes[k]) <= threshold]
    return kept


def suppress_stub(boxes, scores, classes, threshold=0.45): ...


def suppress_strict(boxes, scores, classes, threshold=0.45):
    waiting, kept = list(np.argsort(-scores, kind="stable")), []
    while waiting:
        best = waiting.pop(0)
        kept.append(best)
        waiting = [k for k in waiting if classes[k] != classes[best] or iou(boxes[best], boxes[k]) < threshold]
    return kept


def suppress_chain(boxes, scores, classes, threshold=0.45):
    order = np.argsort(-scores, kind="stable")
    return [
        k
        for rank, k in enumerate(order)
        if not any(classes[j] == classes[k] and iou(boxes[j], boxes[k]) > threshold for j in order[:rank])
    ]


def suppress_inverted(boxes, scores, classes, threshold=0.45):
    waiting, kept = list(np.argsort(-scores, kind="stable")), []
    while waiting:
        best = waiting.pop(0)
        kept.append(best)
        waiting = [k for k in waiting if classes[k] == classes[best] or iou(boxes[best], boxes[k]) <= threshold]
    return kept


def suppress_in_sorted_list(boxes, scores, classes, threshold=0.45):
    order = np.argsort(-scores, kind="stable")
    return suppress(boxes[order], scores[order], classes[order], threshold)


def suppress_class_after_class(boxes, scores, classes, threshold=0.45):
    kept = []
    for c in sorted(set(classes.tolist())):
        mine = np.flatnonzero(classes == c)
        kept += [int(mine[k]) for k in suppress(boxes[mine], scores[mine], classes[mine], threshold)]
    return kept


def fixed_ap(images, threshold=0.5, *, faults=()):
    scores, right, positives = [], [], 0
    for boxes, confidence, truth in images:
        if len(boxes) == 0 and "skipped" in faults:
            continue
        positives += len(truth)
        free = list(truth)
        for k in np.argsort(-confidence, kind="stable"):
            overlaps = [iou(boxes[k], box) for box in free]
            hit = max(overlaps, default=0) >= threshold
            if hit and "twice" not in faults:
                free.pop(int(np.argmax(overlaps)))
            scores.append(confidence[k])
            right.append(hit)
    right = np.array(right, dtype=bool)
    if "order" not in faults:
        right = right[np.argsort(-np.array(scores), kind="stable")]
    found = np.cumsum(right)
    recall, precision = found / positives, found / np.arange(1, len(found) + 1)
    if "hollows" not in faults:
        precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(recall, prepend=0) * precision))


def fixed_ap_stub(images, threshold=0.5): ...


def faulty_ap(*faults):
    return lambda images, threshold=0.5: fixed_ap(images, threshold, faults=faults)


def voc_ap(images, threshold=0.5):
    """The best true box, free or not."""
    scores, right, positives = [], [], 0
    for boxes, confidence, truth in images:
        positives += len(truth)
        taken = set()
        for k in np.argsort(-confidence, kind="stable"):
            overlaps = [iou(boxes[k], box) for box in truth]
            best = int(np.argmax(overlaps)) if overlaps else -1
            scores.append(confidence[k])
            right.append(best >= 0 and overlaps[best] >= threshold and best not in taken)
            taken |= {best} if right[-1] else set()
    right = np.array(right, dtype=bool)[np.argsort(-np.array(scores), kind="stable")]
    found = np.cumsum(right)
    precision = np.maximum.accumulate((found / np.arange(1, len(found) + 1))[::-1])[::-1]
    return float(np.sum(np.diff(found / positives, prepend=0) * precision))


CASES = {
    "4-1-a": Case(
        solution=Answers(cell_box, count, 57864),
        stub=Answers(cell_box_stub, count_stub, ...),
        wrong=[
            (Answers(lambda row, col, fy, fx: cell_box(col, row, fy, fx), count, 57864), "`row` compte vers le bas"),
            (Answers(lambda row, col, fy, fx: cell_box(row, col, fx, fy), count, 57864), "`fx` agit sur les x"),
            (Answers(lambda row, col, fy, fx: cell_box(row, col, 1 / fy, 1 / fx), count, 57864), "Il faut diviser"),
            (
                Answers(
                    lambda row, col, fy, fx: (8 * col / fx, 8 * row / fy, 8 * col / fx + 32, 8 * row / fy + 32),
                    count,
                    57864,
                ),
                "changent d'échelle aussi",
            ),
            (Answers(lambda row, col, fy, fx: (8 * col / fx, 8 * row / fy, 32 / fx, 32 / fy), count, 1), "deux coins"),
            (
                Answers(
                    cell_box, lambda h, w, fy, fx: ((round(h * fy) - 32) // 8) * ((round(w * fx) - 32) // 8), 57864
                ),
                "Il manque la première place",
            ),
            (
                Answers(cell_box, lambda h, w, fy, fx: (round(h * fy) // 8) * (round(w * fx) // 8), 57864),
                "elle sortirait de l'image",
            ),
            (Answers(cell_box, lambda h, w, fy, fx: count(h, w, 1, 1), 57864), "Les facteurs sont oubliés"),
            (Answers(cell_box, count, 31284), "additionnez les quatre"),
            (Answers(cell_box, count, 125136), "n'ont pas la même taille"),
        ],
        also_right=[Answers(lambda row, col, fy, fx: np.array(cell_box(row, col, fy, fx)), count, 57864)],
    ),
    "4-1-b": Case(
        solution=iou_matrix,
        stub=iou_matrix_stub,
        wrong=[
            (faulty_matrix(clip=False), "ramenés à 0 avant d'être multipliés"),
            (faulty_matrix(one=1.0), "sans ajouter 1"),
            (faulty_matrix(subtract=False), "comptée deux fois"),
            (faulty_matrix(safe=False), "vaut NaN"),
            (lambda a, b: iou_matrix(a, b).T, "`a` va en lignes"),
            (lambda a, b: iou_matrix(a, b).diagonal(), "forme"),
        ],
        also_right=[lambda a, b: np.array([[iou(p, q) for q in b] for p in a])],
    ),
    "4-1-c": Case(
        solution=suppress,
        stub=suppress_stub,
        wrong=[
            (lambda b, s, c, t: suppress(b, s, 0 * c, t), "les classes sont oubliées"),
            (suppress_inverted, "à l'envers"),
            (suppress_chain, "n'écarte plus personne"),
            (suppress_strict, "strictement"),
            (suppress_in_sorted_list, "les rangs dans la liste triée"),
            (suppress_class_after_class, "à la suite l'une de l'autre"),
            (lambda b, s, c, t: sorted(suppress(b, s, c, t)), "du plus sûr au moins sûr"),
            (lambda b, s, c, t: len(suppress(b, s, c, t)), "une liste d'indices"),
        ],
        also_right=[lambda b, s, c, t: np.array(suppress(b, s, c, t), dtype=np.int64)],
    ),
    "4-1-d": Case(
        solution=fixed_ap,
        stub=fixed_ap_stub,
        wrong=[
            (faulty_ap("skipped", "twice", "order", "hollows"), "images sans détection"),
            (faulty_ap("skipped"), "ils sont manqués"),
            (faulty_ap("twice"), "les doublons doivent compter faux"),
            (faulty_ap("order"), "rangez-les toutes ensemble"),
            (faulty_ap("hollows"), "Les creux"),
            (voc_ap, "cherchez parmi les libres"),
            (lambda images, threshold: fixed_ap(images, 0.5), "seuil 0.7"),
        ],
    ),
}
