"""Targets: against a plain loop over boxes and anchors, and on cases that can be drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.detection.yolo.heads import Head
from course_utils.detection.yolo.targets import assign

HEADS = (Head(32, np.float32([[40, 40], [60, 30]]), 3, 1.05), Head(16, np.float32([[8, 20], [20, 20]]), 3, 1.05))
SHAPE = (96, 128, 3)


def shape_iou(box, anchor):
    w, h = box[2] - box[0], box[3] - box[1]
    shared = min(w, anchor[0]) * min(h, anchor[1])
    return shared / (w * h + anchor[0] * anchor[1] - shared)


def plain(boxes, classes, heads, shape, threshold):
    """Who may answer for whom: of all the claims on a place, those of the best shape, best anchors of a box first."""
    claims = {}
    for image, (some, kinds) in enumerate(zip(boxes, classes, strict=True)):
        for box, kind in zip(some, kinds, strict=True):
            overlaps = {
                (i, a): shape_iou(box, anchor) for i, h in enumerate(heads) for a, anchor in enumerate(h.anchors)
            }
            top = max(overlaps.values())
            for (i, a), overlap in overlaps.items():
                if overlap == top or overlap > threshold:
                    row = int((box[1] + box[3]) / 2 // heads[i].stride)
                    column = int((box[0] + box[2]) / 2 // heads[i].stride)
                    claims.setdefault((i, image, row, column, a), []).append(((overlap == top) + overlap, box, kind))
    return {p: [c for c in claim if c[0] > max(claim, key=lambda c: c[0])[0] - 1e-9] for p, claim in claims.items()}


@st.composite
def truth(draw):
    boxes, classes = [], []
    for _ in range(draw(st.integers(1, 3))):
        n = draw(st.integers(0, 5))
        corners = [
            (draw(st.floats(0, 110)), draw(st.floats(0, 80)), draw(st.floats(2, 60)), draw(st.floats(2, 60)))
            for _ in range(n)
        ]
        some = np.array([(x, y, min(x + w, 128), min(y + h, 96)) for x, y, w, h in corners]).reshape(-1, 4)
        boxes.append(some)
        classes.append(np.array([draw(st.integers(0, 2)) for _ in range(n)], int))
    return boxes, classes


@settings(deadline=None, max_examples=80)
@given(truth(), st.sampled_from([0.213, 0.5, 1.0]))
def test_as_a_plain_loop(given_truth, threshold):
    boxes, classes = given_truth
    grids = assign(boxes, classes, HEADS, SHAPE, iou_threshold=threshold)
    expected = plain(boxes, classes, HEADS, SHAPE, threshold)
    assert sum(int(grid[..., 5].sum()) for grid in grids) == len(expected)
    for (head, image, row, column, anchor), winners in expected.items():
        value = grids[head][image, row, column, anchor]
        assert value[5] == 1
        assert any(np.allclose(value[:4], box, atol=1e-4) and value[4] == kind for _, box, kind in winners)


def test_every_box_has_its_best_anchor_even_when_none_suits():
    tiny = np.array([[10.0, 10.0, 12.0, 12.0]])
    coarse, fine = assign([tiny], [[1]], HEADS, SHAPE)
    assert coarse.sum() == 0 and np.argwhere(fine[..., 5]).tolist() == [[0, 0, 0, 0]]
    np.testing.assert_array_equal(fine[0, 0, 0, 0], [10, 10, 12, 12, 1, 1])


def test_a_disputed_place_goes_to_the_better_shape():
    good, poor = [20.0, 20.0, 40.0, 40.0], [24.0, 24.0, 36.0, 37.0]
    for order in ([good, poor], [poor, good]):
        _, fine = assign([np.array(order)], [[0, 1]], HEADS, SHAPE, iou_threshold=1.0)
        np.testing.assert_array_equal(fine[0, 1, 1, 1, :4], good)


def test_no_object_at_all_and_boxes_that_cannot_be_learnt():
    outside = [[-30.0, 0, 10, 10], [5, 5, 5, 9], [120, 90, 140, 110]]
    for boxes, classes in (([[], []], [[], []]), ([outside, []], [[0, 0, 0], []])):
        grids = assign(boxes, classes, HEADS, SHAPE)
        assert [grid.shape for grid in grids] == [(2, 3, 4, 2, 6), (2, 6, 8, 2, 6)]
        assert all(grid.sum() == 0 for grid in grids)


def test_refusals():
    box = np.array([[10.0, 10.0, 30.0, 30.0]])
    with pytest.raises(ValueError, match="le réseau en connaît 3"):
        assign([box], [[3]], HEADS, SHAPE)
    with pytest.raises(ValueError, match="1 boîtes et 2 classes"):
        assign([box], [[0, 1]], HEADS, SHAPE)
    with pytest.raises(ValueError, match="il en faut autant"):
        assign([box], [], HEADS, SHAPE)
