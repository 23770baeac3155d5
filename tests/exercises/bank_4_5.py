"""Right and wrong answers of lesson 4-5."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from course_utils.detection.boxes import iou
from course_utils.exercises.testing import Answers, Case


def kalman_1d(measures, q, r, x=0.0, p=1.0):
    outputs = []
    for z in measures:
        p = p + q
        if not np.isnan(z):
            gain = p / (p + r)
            x, p = x + gain * (z - x), (1 - gain) * p
        outputs.append(x)
    return np.array(outputs)


def kalman_variant(
    measures, q, r, x=0.0, p=1.0, *, gain=lambda p, r: p / (p + r), predict=True, skip=True, shrink=True
):
    outputs = []
    for z in measures:
        p = p + q if predict else p
        if not (skip and np.isnan(z)):
            k = gain(p, r)
            x, p = x + k * (z - x), (1 - k) * p if shrink else p
        outputs.append(x)
    return np.array(outputs)


def kalman_late(measures, q, r, x=0.0, p=1.0):
    outputs = []
    for z in measures:
        if not np.isnan(z):
            gain = p / (p + r)
            x, p = x + gain * (z - x), (1 - gain) * p
        p = p + q
        outputs.append(x)
    return np.array(outputs)


def kalman_sleepy(measures, q, r, x=0.0, p=1.0):
    outputs = []
    for z in measures:
        if not np.isnan(z):
            p = p + q
            gain = p / (p + r)
            x, p = x + gain * (z - x), (1 - gain) * p
        outputs.append(x)
    return np.array(outputs)


def kalman_stub(measures, q, r, x=0.0, p=1.0): ...


def like_kalman(**options):
    return lambda measures, q, r, x=0.0, p=1.0: kalman_variant(measures, q, r, x, p, **options)


def finish(pairs, n, m):
    rows, columns = [i for i, _ in pairs], [j for _, j in pairs]
    return pairs, [i for i in range(n) if i not in rows], [j for j in range(m) if j not in columns]


def associate(tracks, detections, threshold=0.3):
    overlap = iou(tracks, detections)
    rows, columns = linear_sum_assignment(overlap, maximize=True)
    pairs = [(i, j) for i, j in zip(rows, columns, strict=True) if overlap[i, j] >= threshold]
    return finish(pairs, *overlap.shape)


def associate_minimum(tracks, detections, threshold=0.3):
    overlap = iou(tracks, detections)
    rows, columns = linear_sum_assignment(overlap)
    return finish([(i, j) for i, j in zip(rows, columns, strict=True) if overlap[i, j] >= threshold], *overlap.shape)


def associate_everything(tracks, detections, threshold=0.3):
    overlap = iou(tracks, detections)
    return finish(list(zip(*linear_sum_assignment(overlap, maximize=True), strict=True)), *overlap.shape)


def associate_greedy(tracks, detections, threshold=0.3):
    overlap, pairs = iou(tracks, detections), []
    n, m = overlap.shape
    while overlap.size and overlap.max() >= threshold:
        i, j = np.unravel_index(overlap.argmax(), overlap.shape)
        pairs.append((i, j))
        overlap[i], overlap[:, j] = -1, -1
    return finish(sorted(pairs), n, m)


def associate_pairs_only(tracks, detections, threshold=0.3):
    return associate(tracks, detections, threshold)[0]


def associate_stub(tracks, detections, threshold=0.3): ...


def passages(path, x, top, bottom):
    steps = []
    for (x0, y0), (x1, y1) in zip(path[:-1], path[1:], strict=True):
        if (x0 >= x) != (x1 >= x):
            y = y0 + (x - x0) / (x1 - x0) * (y1 - y0)
            if top <= y <= bottom:
                steps.append(1 if x1 >= x else -1)
    return steps


def count_line(paths, x, top, bottom):
    totals = [sum(passages(path, x, top, bottom)) for path in paths.values()]
    return sum(t > 0 for t in totals), sum(t < 0 for t in totals)


def count_swapped(paths, x, top, bottom):
    return count_line(paths, x, top, bottom)[::-1]


def count_everything(paths, x, top, bottom):
    steps = [step for path in paths.values() for step in passages(path, x, top, bottom)]
    return steps.count(1), steps.count(-1)


def count_ends(paths, x, top, bottom):
    moves = [int(path[-1][0] >= x) - int(path[0][0] >= x) for path in paths.values()]
    return moves.count(1), moves.count(-1)


def count_endless(paths, x, top, bottom):
    return count_everything(paths, x, -np.inf, np.inf)


def count_coarse(paths, x, top, bottom):
    totals = []
    for path in paths.values():
        total = 0
        for a, b in zip(path[:-1], path[1:], strict=True):
            if (a[0] >= x) != (b[0] >= x) and top <= b[1] <= bottom:
                total += 1 if b[0] >= x else -1
        totals.append(total)
    return sum(t > 0 for t in totals), sum(t < 0 for t in totals)


def count_stub(paths, x, top, bottom): ...


GUESS = [3, 4, 6]
IDF1, ASSOCIATION = 22 / 37, (6 + 2 * 2 / 8 + 2 * 2 / 6 + 6 * 3 / 6) / 16

CASES = {
    "4-5-a": Case(
        solution=Answers(kalman_1d, GUESS),
        stub=Answers(kalman_stub, ...),
        wrong=[
            (Answers(like_kalman(gain=lambda p, r: r / (p + r)), GUESS), "à l'envers"),
            (Answers(kalman_late, GUESS), "avant de prédire"),
            (Answers(like_kalman(predict=False), GUESS), "La prédiction manque"),
            (Answers(like_kalman(skip=False), GUESS), "contamine"),
            (Answers(kalman_sleepy, GUESS), "le doute grandit quand même"),
            (Answers(like_kalman(shrink=False), GUESS), "`p` diminue"),
            (Answers(kalman_1d, [3, 5, 10]), "Ce sont les mesures"),
            (Answers(kalman_1d, [3, 4, 7]), "le gain vaut 1/3"),
        ],
        also_right=[Answers(like_kalman(), np.array([3.0, 4.0, 6.0]))],
    ),
    "4-5-b": Case(
        solution=associate,
        stub=associate_stub,
        wrong=[
            (associate_minimum, "minimisez"),
            (associate_everything, "refusée après coup"),
            (associate_greedy, "glouton"),
            (associate_pairs_only, "trois listes"),
        ],
        also_right=[lambda t, d, threshold=0.3: tuple(np.array(part) for part in associate(t, d, threshold))],
    ),
    "4-5-c": Case(
        solution=Answers((2, 3, 2), 11 / 18, IDF1, ASSOCIATION),
        stub=Answers(..., ..., ..., ...),
        wrong=[
            (Answers((2, 3, 1), 11 / 18, IDF1, ASSOCIATION), "B aussi change"),
            (Answers((2, 1, 2), 11 / 18, IDF1, ASSOCIATION), "dérive dans le vide"),
            (Answers((2, 3, 2), 13 / 18, IDF1, ASSOCIATION), "accidents comme les autres"),
            (Answers((2, 3, 2), 11 / 18, 32 / 37, ASSOCIATION), "16 boîtes trouvées"),
            (Answers((2, 3, 2), 11 / 18, 11 / 19, ASSOCIATION), "précision"),
            (Answers((2, 3, 2), 11 / 18, IDF1, 16 / 16 * ASSOCIATION * 16 / 18), "16 boîtes justes"),
            (Answers((2, 3, 2), 11 / 18, IDF1, (6 + 8 / 6 + 3) / 16), "dans le vide"),
        ],
        also_right=[Answers([2, 3, 2], 0.61, 0.595, 0.635)],
    ),
    "4-5-d": Case(
        solution=count_line,
        stub=count_stub,
        wrong=[
            (count_swapped, "échangés"),
            (count_everything, "tremble"),
            (count_ends, "départ et l'arrivée"),
            (count_endless, "deux bouts"),
            (count_coarse, "au moment du passage"),
            (lambda paths, x, top, bottom: sum(count_line(paths, x, top, bottom)), "deux nombres"),
        ],
    ),
}
