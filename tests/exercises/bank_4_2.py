"""Answers on which the checks of lesson 4-2 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Case


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def mish_slope(x):
    t = np.tanh(np.logaddexp(0, x))
    return t + x * sigmoid(x) * (1 - t**2)


def mish_slope_stub(x): ...


def published(x):
    """The formula of the paper, which overflows."""
    omega = 4 * (x + 1) + 4 * np.exp(2 * x) + np.exp(3 * x) + np.exp(x) * (4 * x + 6)
    delta = 2 * np.exp(x) + np.exp(2 * x) + 2
    return np.exp(x) * omega / delta**2


def by_differences(x):
    def mish(x):
        return x * np.tanh(np.logaddexp(0, x))

    return (mish(x + 1e-5) - mish(x - 1e-5)) / 2e-5


def csp_numbers(channels, filters, n):
    def conv(size, taken, given):
        return size * size * taken * given + 4 * given

    half = filters // 2
    blocks = n * (conv(1, half, half) + conv(3, half, half))
    return (
        conv(3, channels, filters)
        + 2 * conv(1, filters, half)
        + blocks
        + conv(1, half, half)
        + conv(1, filters, filters)
    )


def csp_numbers_stub(channels, filters, n): ...


def kernels_only(channels, filters, n):
    half = filters // 2
    return 9 * channels * filters + filters * half * 2 + n * 10 * half**2 + half**2 + filters**2


def two_per_channel(channels, filters, n):
    half = filters // 2
    return kernels_only(channels, filters, n) + 2 * (2 * filters + 3 * half + 2 * n * half)


def no_split(channels, filters, n):
    half = filters // 2
    inside = n * (filters * half + 4 * half + 9 * half * filters + 4 * filters)
    return csp_numbers(channels, filters, 0) + inside


def mixed_half(channels, filters, n):
    return csp_numbers(channels, filters, n) - filters * filters // 2


def encode(box, anchor, stride):
    x1, y1, x2, y2 = box
    x, y = (x1 + x2) / 2 / stride, (y1 + y2) / 2 / stride
    column, row = int(x), int(y)
    p, q = x - column, y - row
    return (
        column,
        row,
        np.log(p / (1 - p)),
        np.log(q / (1 - q)),
        np.log((x2 - x1) / anchor[0]),
        np.log((y2 - y1) / anchor[1]),
    )


def encode_stub(box, anchor, stride): ...


def encode_array(box, anchor, stride):
    centre = (box[:2] + box[2:]) / (2 * stride)
    cell = np.floor(centre)
    p = centre - cell
    return np.concatenate([cell, np.log(p) - np.log1p(-p), np.log((box[2:] - box[:2]) / anchor)])


def row_first(box, anchor, stride):
    column, row, *rest = encode(box, anchor, stride)
    return row, column, *rest


def without_logit(box, anchor, stride):
    column, row, tx, ty, tw, th = encode(box, anchor, stride)
    return column, row, sigmoid(tx), sigmoid(ty), tw, th


def without_log(box, anchor, stride):
    column, row, tx, ty, tw, th = encode(box, anchor, stride)
    return column, row, tx, ty, np.exp(tw), np.exp(th)


def upside_down(box, anchor, stride):
    column, row, tx, ty, tw, th = encode(box, anchor, stride)
    return column, row, tx, ty, -tw, -th


def from_the_corner(box, anchor, stride):
    x, y = box[0] / stride, box[1] / stride
    column, row = int(x), int(y)
    p, q = x - column, y - row
    with np.errstate(all="ignore"):
        return column, row, np.log(p / (1 - p)), np.log(q / (1 - q)), *encode(box, anchor, stride)[4:]


def shape_iou(size, anchors):
    shared = np.minimum(size, anchors).prod(axis=1)
    return shared / (size.prod() + anchors.prod(axis=1) - shared)


def responsible(box, heads, threshold=0.213):
    size, centre = box[2:] - box[:2], (box[:2] + box[2:]) / 2
    overlaps = [shape_iou(size, anchors) for _, anchors in heads]
    best = max(overlap.max() for overlap in overlaps)
    places = []
    for (stride, _), overlap in zip(heads, overlaps, strict=True):
        column, row = (int(value // stride) for value in centre)
        for rank in np.flatnonzero((overlap == best) | (overlap > threshold)):
            places.append((stride, row, column, int(rank)))
    return places


def responsible_stub(box, heads, threshold=0.213): ...


def best_only(box, heads, threshold=0.213):
    return responsible(box, heads, 1.0)


def helpers_only(box, heads, threshold=0.213):
    size = box[2:] - box[:2]
    strong = {
        (stride, rank)
        for stride, anchors in heads
        for rank, overlap in enumerate(shape_iou(size, anchors))
        if overlap > threshold
    }
    return [place for place in responsible(box, heads, threshold) if (place[0], place[3]) in strong]


def best_of_each(box, heads, threshold=0.213):
    return [place for head in heads for place in responsible(box, [head], threshold)]


def columns_first(box, heads, threshold=0.213):
    return [(stride, column, row, anchor) for stride, row, column, anchor in responsible(box, heads, threshold)]


def cell_of_the_corner(box, heads, threshold=0.213):
    return [
        (stride, int(box[1] // stride), int(box[0] // stride), anchor)
        for stride, _, _, anchor in responsible(box, heads, threshold)
    ]


def ranks_of_all(box, heads, threshold=0.213):
    first = {stride: sum(len(anchors) for other, anchors in heads if other < stride) for stride, _ in heads}
    return [(s, r, c, first[s] + a) for s, r, c, a in responsible(box, heads, threshold)]


CASES = {
    "4-2-a": Case(
        solution=mish_slope,
        stub=mish_slope_stub,
        wrong=[
            (published, "eˣ a débordé"),
            (lambda x: np.tanh(np.logaddexp(0, x)), "second terme du produit"),
            (lambda x: x * sigmoid(x) * (1 - np.tanh(np.logaddexp(0, x)) ** 2), "premier terme du produit"),
            (
                lambda x: np.tanh(np.logaddexp(0, x)) + x * (1 - np.tanh(np.logaddexp(0, x)) ** 2),
                "sa dérivée est la sigmoïde",
            ),
            (lambda x: x * np.tanh(np.logaddexp(0, x)), "Mish elle-même"),
            (lambda x: sigmoid(x), "on attendait"),
        ],
        also_right=[by_differences],
    ),
    "4-2-b": Case(
        solution=csp_numbers,
        stub=csp_numbers_stub,
        wrong=[
            (kernels_only, "noyaux seuls"),
            (two_per_channel, "quatre nombres par canal, pas deux"),
            (no_split, "toute l'idée de CSP"),
            (mixed_half, "deux chemins bout à bout"),
            (
                lambda channels, filters, n: csp_numbers(channels, filters, n) - 9 * channels * filters - 4 * filters,
                "ouvre l'étage",
            ),
            (lambda channels, filters: 0, "3 arguments"),
        ],
    ),
    "4-2-c": Case(
        solution=encode,
        stub=encode_stub,
        wrong=[
            (row_first, "échangées"),
            (without_logit, "prenez le logit"),
            (without_log, "logarithme"),
            (upside_down, "à l'envers"),
            (from_the_corner, "pas celle de son coin"),
        ],
        also_right=[encode_array, lambda box, anchor, stride: list(encode(box, anchor, stride))],
    ),
    "4-2-d": Case(
        solution=responsible,
        stub=responsible_stub,
        wrong=[
            (best_only, "ancres de renfort"),
            (helpers_only, "répond toujours"),
            (best_of_each, "toutes têtes confondues"),
            (columns_first, "la ligne vient de y"),
            (cell_of_the_corner, "pas celle du coin"),
            (ranks_of_all, "repart de zéro"),
            (lambda box, heads, threshold=0.213: 3, "quadruplets"),
            (lambda box, heads, threshold=0.213: responsible(box, heads, threshold)[:1], "il manque"),
        ],
        also_right=[lambda box, heads, threshold=0.213: set(responsible(box, heads, threshold))],
    ),
}
