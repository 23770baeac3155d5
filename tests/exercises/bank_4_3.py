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


def encode(box, anchor, stride):
    x1, y1, x2, y2 = box
    x, y = (x1 + x2) / (2 * stride), (y1 + y2) / (2 * stride)
    column, row = int(x), int(y)
    return column, row, x - column, y - row, np.log((x2 - x1) / anchor[0]), np.log((y2 - y1) / anchor[1])


def encode_stub(box, anchor, stride): ...


def encode_corner(box, anchor, stride):
    x1, y1, x2, y2 = box
    column, row = int(x1 / stride), int(y1 / stride)
    sizes = np.log((x2 - x1) / anchor[0]), np.log((y2 - y1) / anchor[1])
    return column, row, x1 / stride - column, y1 / stride - row, *sizes


def encode_ratio(box, anchor, stride):
    *place, tw, th = encode(box, anchor, stride)
    return *place, np.exp(tw), np.exp(th)


def encode_swapped(box, anchor, stride):
    column, row, dx, dy, tw, th = encode(box, anchor, stride)
    return row, column, dy, dx, tw, th


def encode_pixels(box, anchor, stride):
    column, row, dx, dy, tw, th = encode(box, anchor, stride)
    return column, row, dx * stride, dy * stride, tw, th


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
        solution=encode,
        stub=encode_stub,
        wrong=[
            (encode_corner, "YOLO part de son centre"),
            (encode_ratio, "il faut un logarithme"),
            (encode_swapped, "échangées"),
            (encode_pixels, "divisez-les par `stride`"),
        ],
    ),
    "4-3-c": Case(
        solution=objectness_loss,
        stub=objectness_stub,
        wrong=[
            (naive, "sans passer par la sigmoïde"),
            (everything, "ni juste ni fausse"),
            (answers_ignored, "les seules à apprendre"),
            (averaged, "on demande la somme"),
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
