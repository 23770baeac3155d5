from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Case


def shape_iou(sizes, anchors):
    shared = np.minimum(sizes[:, None], anchors[None]).prod(axis=-1)
    return shared / (sizes.prod(axis=1)[:, None] + anchors.prod(axis=1)[None] - shared)


def kmeans_step(sizes, anchors):
    owner = shape_iou(sizes, anchors).argmax(axis=1)
    new = anchors.copy()
    for j in range(len(anchors)):
        if (owner == j).any():
            new[j] = sizes[owner == j].mean(axis=0)
    return new


def kmeans_step_stub(sizes, anchors): ...


def euclidean(sizes, anchors):
    owner = ((sizes[:, None] - anchors[None]) ** 2).sum(axis=-1).argmin(axis=1)
    return np.array([sizes[owner == j].mean(axis=0) if (owner == j).any() else anchors[j] for j in range(len(anchors))])


def empty_group(sizes, anchors):
    owner = shape_iou(sizes, anchors).argmax(axis=1)
    return np.array([sizes[owner == j].mean(axis=0) for j in range(len(anchors))])


def median(sizes, anchors):
    owner = shape_iou(sizes, anchors).argmax(axis=1)
    groups = [sizes[owner == j] for j in range(len(anchors))]
    return np.array([np.median(g, axis=0) if len(g) else a for g, a in zip(groups, anchors, strict=True)])


def objectness_loss(logits, answers, best_iou, threshold):
    kept = answers | (best_iou <= threshold)
    entropy = np.maximum(logits, 0) - logits * answers + np.log1p(np.exp(-np.abs(logits)))
    return float(entropy[kept].sum())


def objectness_stub(logits, answers, best_iou, threshold): ...


def naive(logits, answers, best_iou, threshold):
    kept = answers | (best_iou <= threshold)
    p = 1 / (1 + np.exp(-logits))
    return float(-np.where(answers, np.log(p), np.log(1 - p))[kept].sum())


def everything(logits, answers, best_iou, threshold):
    return objectness_loss(logits, answers, best_iou, 2.0)


def answers_ignored(logits, answers, best_iou, threshold):
    kept = best_iou <= threshold
    return objectness_loss(logits[kept], answers[kept], best_iou[kept], threshold)


def averaged(logits, answers, best_iou, threshold):
    return objectness_loss(logits, answers, best_iou, threshold) / max((answers | (best_iou <= threshold)).sum(), 1)


def area(boxes):
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])


def cut_boxes(boxes, window, corner, share=0.25):
    x1, y1, x2, y2 = window
    seen = np.clip(boxes, [x1, y1, x1, y1], [x2, y2, x2, y2])
    kept = area(seen) >= share * area(boxes)
    return seen[kept] - [x1, y1, x1, y1] + [*corner, *corner], np.flatnonzero(kept)


def cut_stub(boxes, window, corner): ...


def cut_in_a_loop(boxes, window, corner):
    new, ranks = [], []
    for rank, (x1, y1, x2, y2) in enumerate(boxes):
        a, b, c, d = max(x1, window[0]), max(y1, window[1]), min(x2, window[2]), min(y2, window[3])
        if max(c - a, 0) * max(d - b, 0) >= (x2 - x1) * (y2 - y1) / 4:
            dx, dy = corner[0] - window[0], corner[1] - window[1]
            new.append((a + dx, b + dy, c + dx, d + dy))
            ranks.append(rank)
    return np.array(new, float).reshape(-1, 4), np.array(ranks, int)


def cut_not_home(boxes, window, corner):
    new, ranks = cut_boxes(boxes, window, corner)
    return new + [*window[:2], *window[:2]], ranks


def cut_not_pasted(boxes, window, corner):
    return cut_boxes(boxes, window, (0, 0))


def cut_sticking_out(boxes, window, corner):
    _, ranks = cut_boxes(boxes, window, corner)
    return boxes[ranks] - [*window[:2], *window[:2]] + [*corner, *corner], ranks


def cut_all(boxes, window, corner):
    x1, y1, x2, y2 = window
    low, high = np.maximum(boxes[:, :2], [x1, y1]), np.minimum(boxes[:, 2:], [x2, y2])
    return np.hstack([low, high]) - [x1, y1, x1, y1] + [*corner, *corner], np.arange(len(boxes))


def cut_all_flat(boxes, window, corner):
    x1, y1, x2, y2 = window
    seen = np.clip(boxes, [x1, y1, x1, y1], [x2, y2, x2, y2])
    return seen - [x1, y1, x1, y1] + [*corner, *corner], np.arange(len(boxes))


def cut_more_than_a_quarter(boxes, window, corner):
    new, ranks = cut_boxes(boxes, window, corner)
    kept = area(new) > 0.25 * area(boxes[ranks])
    return new[kept], ranks[kept]


def cut_against_the_window(boxes, window, corner):
    x1, y1, x2, y2 = window
    seen = np.clip(boxes, [x1, y1, x1, y1], [x2, y2, x2, y2])
    kept = area(seen) >= 0.25 * (x2 - x1) * (y2 - y1)
    return seen[kept] - [x1, y1, x1, y1] + [*corner, *corner], np.flatnonzero(kept)


def cut_negative(boxes, window, corner):
    x1, y1, x2, y2 = window
    seen = np.hstack([np.maximum(boxes[:, :2], [x1, y1]), np.minimum(boxes[:, 2:], [x2, y2])])
    kept = area(seen) >= 0.25 * area(boxes)
    return seen[kept] - [x1, y1, x1, y1] + [*corner, *corner], np.flatnonzero(kept)


def cut_in_place(boxes, window, corner):
    answer = cut_boxes(boxes, window, corner)
    boxes[:, :2] -= 1
    return answer


def best_confidence(scores, right, positives):
    levels = np.unique(scores)[::-1]
    kept = np.array([(scores >= level).sum() for level in levels])
    found = np.array([right[scores >= level].sum() for level in levels])
    f1 = 2 * found / (kept + positives)
    return float(levels[f1.argmax()]), float(f1.max())


def best_stub(scores, right, positives): ...


def unsorted(scores, right, positives):
    f1 = 2 * np.cumsum(right) / (np.arange(1, len(right) + 1) + positives)
    return float(scores[f1.argmax()]), float(f1.max())


def cut_between_ties(scores, right, positives):
    order = np.argsort(-scores, kind="stable")
    return unsorted(scores[order], right[order], positives)


def by_precision(scores, right, positives):
    levels = np.unique(scores)[::-1]
    precision = np.array([right[scores >= level].mean() for level in levels])
    return float(levels[precision.argmax()]), float(precision.max())


def by_mean(scores, right, positives):
    levels = np.unique(scores)[::-1]
    value = np.array([(right[scores >= s].mean() + right[scores >= s].sum() / positives) / 2 for s in levels])
    return float(levels[value.argmax()]), float(value.max())


CASES = {
    "4-3-a": Case(
        solution=kmeans_step,
        stub=kmeans_step_stub,
        wrong=[
            (euclidean, "pèsent trop"),
            (median, "on demande la moyenne"),
            (empty_group, "laissez-la où elle est"),
            (lambda sizes, anchors: anchors, "n'ont pas bougé"),
        ],
    ),
    "4-3-b": Case(
        solution=objectness_loss,
        stub=objectness_stub,
        wrong=[
            (naive, "sans passer par la sigmoïde"),
            (everything, "ni juste ni fausse"),
            (answers_ignored, "les seules à apprendre"),
            (averaged, "on demande la somme"),
        ],
    ),
    "4-3-c": Case(
        solution=cut_boxes,
        stub=cut_stub,
        also_right=[cut_in_a_loop],
        wrong=[
            (cut_not_home, "le coin de la fenêtre"),
            (cut_not_pasted, "ajoutez `corner`"),
            (cut_sticking_out, "d'une autre rue"),
            (cut_all, "même ce que la fenêtre ne montre pas"),
            (cut_all_flat, "même ce que la fenêtre ne montre pas"),
            (cut_more_than_a_quarter, "à un quart juste, on garde"),
            (cut_negative, "toutes deux négatives"),
            (lambda *a: cut_boxes(*a, share=1e-9), "à un pare-chocs"),
            (cut_against_the_window, "pas à celle de la fenêtre"),
            (cut_in_place, "modifie son argument `boxes`"),
        ],
    ),
    "4-3-d": Case(
        solution=best_confidence,
        stub=best_stub,
        wrong=[
            (by_precision, "un seul objet trouvé"),
            (by_mean, "harmonique"),
            (unsorted, "n'arrivent pas triés"),
            (cut_between_ties, "ne coupez pas entre elles"),
        ],
    ),
}
