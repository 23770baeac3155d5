"""Suppression: the same indices as TensorFlow and OpenCV, Darknet's DIoU by hand, soft-NMS by its paper."""

from __future__ import annotations

import math

import cv2
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.detection import nms_tf
from course_utils.detection.boxes import convert
from course_utils.detection.nms import nms, soft_nms

seeds = st.integers(0, 2**32 - 1)
# Thresholds that float32 holds exactly, so that a box on the threshold is on it for everyone.
thresholds = st.sampled_from([0.0, 0.25, 0.5, 0.625, 0.75, 1.0])


def crowd_of_boxes(seed: int, whole: bool = False):
    """Boxes that often overlap; `whole`: small integers, that are often equal, touching or on the threshold."""
    rng = np.random.default_rng(seed)
    count = int(rng.integers(1, 60))
    corner, size = rng.uniform(0, 60, (count, 2)), rng.uniform(5, 40, (count, 2))
    if whole:
        corner, size = rng.integers(0, 6, (count, 2)), rng.integers(1, 6, (count, 2))
    scores = np.round(rng.uniform(0.05, 1, count), 1 if whole else 7)
    return np.concatenate([corner, corner + size], 1).astype("float32"), scores.astype("float32")


@settings(max_examples=120, deadline=None)
@given(seed=seeds, threshold=thresholds, whole=st.booleans(), limit=st.sampled_from([3, 1000]))
def test_indices_are_those_of_tensorflow(seed, threshold, whole, limit):
    boxes, scores = crowd_of_boxes(seed, whole)
    theirs = tf.image.non_max_suppression(boxes, scores, limit, iou_threshold=threshold, score_threshold=0.25)
    ours = nms(boxes, scores, threshold=threshold, max_boxes=limit, score_threshold=np.float32(0.25))
    assert ours.dtype == np.int64
    np.testing.assert_array_equal(ours, theirs)


@settings(max_examples=120, deadline=None)
@given(seed=seeds, threshold=st.sampled_from([0.25, 0.5, 0.75]), whole=st.booleans())
def test_indices_are_those_of_opencv(seed, threshold, whole):
    boxes, scores = crowd_of_boxes(seed, whole)
    boxes = boxes.astype("float64")  # OpenCV's rectangles are in double precision
    theirs = cv2.dnn.NMSBoxes(convert(boxes, "xyxy", "xywh").tolist(), scores.tolist(), 0.25, threshold)
    np.testing.assert_array_equal(nms(boxes, scores, threshold=threshold, score_threshold=0.25), theirs)


@settings(max_examples=60, deadline=None)
@given(seed=seeds, threshold=st.sampled_from([0.25, 0.5, 0.75]))
def test_by_class_is_opencv_by_class(seed, threshold):
    boxes, scores = crowd_of_boxes(seed)
    boxes, classes = boxes.astype("float64"), np.random.default_rng(seed).integers(0, 3, len(boxes))
    one_by_one = [
        np.flatnonzero(classes == c)[
            np.asarray(
                cv2.dnn.NMSBoxes(
                    convert(boxes[classes == c], "xyxy", "xywh").tolist(), scores[classes == c].tolist(), 0, threshold
                ),
                dtype=int,
            )
        ]
        for c in np.unique(classes)
    ]
    ours = nms(boxes, scores, threshold=threshold, classes=classes)
    assert sorted(ours) == sorted(np.concatenate(one_by_one))
    assert (np.diff(scores[ours]) <= 0).all()


def darknet_box_diou(a, b) -> float:
    """Darknet's box_diou (box.c): boxes as centres and sizes, exponent 0.6 on the ratio of the squares."""

    def centred(box):
        return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, box[2] - box[0], box[3] - box[1]

    (ax, ay, aw, ah), (bx, by, bw, bh) = centred(a), centred(b)
    wide = max(0.0, min(ax + aw / 2, bx + bw / 2) - max(ax - aw / 2, bx - bw / 2))
    high = max(0.0, min(ay + ah / 2, by + bh / 2) - max(ay - ah / 2, by - bh / 2))
    overlap = wide * high
    iou = overlap / (aw * ah + bw * bh - overlap)
    w = max(ax + aw / 2, bx + bw / 2) - min(ax - aw / 2, bx - bw / 2)
    h = max(ay + ah / 2, by + bh / 2) - min(ay - ah / 2, by - bh / 2)
    return iou - math.pow(((ax - bx) ** 2 + (ay - by) ** 2) / (w * w + h * h), 0.6)


def test_darknets_form_on_hand_worked_cases():
    # IoU 90/110; centres 1 apart, enclosing box 11 × 10: 0.818 − (1/221)^0.6 = 0.779.
    boxes = np.array([[0.0, 0, 10, 10], [1, 0, 11, 10]])
    exact = 90 / 110 - (1 / 221) ** 0.6
    assert exact == pytest.approx(0.7790, abs=1e-4) and exact == pytest.approx(darknet_box_diou(*boxes))
    assert nms(boxes, [0.9, 0.8], threshold=0.80).tolist() == [0], "IoU 0.818 is above 0.80: greedy discards"
    assert nms(boxes, [0.9, 0.8], threshold=0.80, kind="diou").tolist() == [0, 1], "0.779 is not"
    assert nms(boxes, [0.9, 0.8], threshold=0.77, kind="diou").tolist() == [0]
    # Zheng's own form, exponent 1: 0.818 − 1/221 = 0.8137.
    assert nms(boxes, [0.9, 0.8], threshold=0.80, kind="diou", beta=1.0).tolist() == [0]
    # One in the other, same centre: no penalty, the same decision as the IoU.
    inside = np.array([[0.0, 0, 10, 10], [1, 1, 9, 9]])
    for threshold in (0.63, 0.65):
        assert nms(inside, [0.9, 0.8], threshold=threshold, kind="diou").tolist() == (
            nms(inside, [0.9, 0.8], threshold=threshold).tolist()
        )
    # Two pedestrians side by side, IoU 1/3: 0.333 − (25/(225 + 900))^0.6 = 0.232.
    close = np.array([[0.0, 0, 10, 30], [5, 0, 15, 30]])
    assert nms(close, [0.9, 0.8], threshold=0.3).tolist() == [0]
    assert nms(close, [0.9, 0.8], threshold=0.3, kind="diou").tolist() == [0, 1]


@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_darknets_form_on_random_boxes(seed):
    boxes, scores = crowd_of_boxes(seed)
    boxes = boxes.astype("float64")
    alive = list(np.argsort(-scores, kind="stable"))
    kept = []
    while alive:  # the double loop of Darknet's diounms_sort
        kept.append(alive.pop(0))
        alive = [j for j in alive if not darknet_box_diou(boxes[kept[-1]], boxes[j]) > 0.45]
    assert nms(boxes, scores, threshold=0.45, kind="diou").tolist() == kept


def paper_soft_nms(boxes, scores, weight, floor):
    """Bodla et al. (2017), figure 3, with lists; `weight` of the IoU."""
    boxes, scores, names = [list(b) for b in boxes], list(scores), list(range(len(scores)))
    chosen, final = [], []
    while boxes:
        m = max(range(len(scores)), key=lambda k: scores[k])
        best, score, name = boxes.pop(m), scores.pop(m), names.pop(m)
        if score <= floor:
            break
        chosen.append(name)
        final.append(score)
        for k, other in enumerate(boxes):
            wide = max(0, min(best[2], other[2]) - max(best[0], other[0]))
            high = max(0, min(best[3], other[3]) - max(best[1], other[1]))
            total = (best[2] - best[0]) * (best[3] - best[1]) + (other[2] - other[0]) * (other[3] - other[1])
            scores[k] *= weight(wide * high / (total - wide * high))
    return chosen, final


@pytest.mark.parametrize("kind", ["soft_linear", "soft_gaussian"])
@settings(max_examples=60, deadline=None)
@given(seed=seeds)
def test_soft_nms_is_that_of_its_paper(kind, seed):
    boxes, scores = crowd_of_boxes(seed)
    boxes, scores = boxes.astype("float64"), scores.astype("float64")
    weights = {"soft_linear": lambda o: 1 - o if o > 0.3 else 1.0, "soft_gaussian": lambda o: math.exp(-o * o / 0.4)}
    chosen, final = paper_soft_nms(boxes, scores, weights[kind], 0.01)
    indices, new = soft_nms(boxes, scores, threshold=0.3, kind=kind, sigma=0.4, score_threshold=0.01)
    assert indices.tolist() == chosen
    np.testing.assert_allclose(new, final, rtol=1e-12)
    np.testing.assert_array_equal(
        nms(boxes, scores, threshold=0.3, kind=kind, sigma=0.4, score_threshold=0.01), indices
    )


@settings(max_examples=40, deadline=None)
@given(seed=seeds)
def test_gaussian_soft_nms_is_that_of_tensorflow(seed):
    boxes, scores = crowd_of_boxes(seed)
    # TensorFlow's weight is exp(−IoU² / (2 sigma)).
    theirs, new = tf.image.non_max_suppression_with_scores(
        boxes, scores, 1000, iou_threshold=1.0, score_threshold=0.01, soft_nms_sigma=0.25
    )
    indices, ours = soft_nms(boxes, scores, kind="soft_gaussian", sigma=0.5, score_threshold=0.01)
    np.testing.assert_array_equal(indices, theirs)
    np.testing.assert_allclose(ours, new, rtol=1e-4)


def test_soft_nms_lowers_only_the_same_class_and_copies_its_input():
    boxes, scores = np.array([[0.0, 0, 10, 10], [0, 0, 10, 9], [0, 0, 10, 8]]), np.array([0.9, 0.8, 0.7])
    indices, new = soft_nms(boxes, scores, classes=[0, 1, 0])
    assert indices.tolist() == [0, 1, 2] and new[1] == 0.8 and new[2] < 0.7
    assert scores.tolist() == [0.9, 0.8, 0.7]


@pytest.mark.parametrize("kind", ["greedy", "diou"])
@settings(max_examples=50, deadline=None)
@given(seed=seeds, by_class=st.booleans(), limit=st.sampled_from([4, 300]))
def test_tensorflow_form_gives_the_same_indices(kind, seed, by_class, limit):
    boxes, scores = crowd_of_boxes(seed)
    classes = np.random.default_rng(seed).integers(0, 3, len(boxes)) if by_class else None
    options = {"threshold": 0.4375, "classes": classes, "kind": kind, "max_boxes": limit, "score_threshold": 0.25}
    np.testing.assert_array_equal(nms_tf.nms(boxes, scores, **options), nms(boxes, scores, **options))


def test_tensorflow_form_in_a_graph_of_unknown_size():
    @tf.function(
        input_signature=[
            tf.TensorSpec((None, 4), tf.float32),
            tf.TensorSpec((None,), tf.float32),
            tf.TensorSpec((None,), tf.int64),
        ]
    )
    def graph(boxes, scores, classes):
        return nms_tf.nms(boxes, scores, classes=classes, kind="diou", score_threshold=0.3)

    boxes, scores = crowd_of_boxes(4)
    classes = np.arange(len(boxes)) % 2
    np.testing.assert_array_equal(
        graph(boxes, scores, classes), nms(boxes, scores, classes=classes, kind="diou", score_threshold=0.3)
    )
    assert graph(boxes[:0], scores[:0], classes[:0]).shape == (0,)
    assert graph(boxes, 0 * scores, classes).shape == (0,), "nothing above the threshold"


def test_tensorflow_form_compares_only_the_best_candidates():
    boxes, scores = crowd_of_boxes(11)
    best = np.argsort(-scores, kind="stable")[:5]
    got = nms_tf.nms(boxes, scores, max_candidates=5)
    np.testing.assert_array_equal(got, best[nms(boxes[best], scores[best])])


def test_degenerate_and_empty():
    assert nms([], []).shape == (0,) and nms([], []).dtype == np.int64
    indices, scores = soft_nms([], [])
    assert indices.shape == scores.shape == (0,)
    points = np.array([[3.0, 3, 3, 3], [3, 3, 3, 3], [0, 0, 9, 9]])
    assert nms(points, [0.5, 0.4, 0.3]).tolist() == [0, 1, 2], "boxes without area overlap nothing"
    assert nms(points[2:].repeat(3, 0), [0.5, 0.5, 0.5]).tolist() == [0], "identical boxes: the first stays"
    assert nms(points[2:], [0.0]).shape == (0,), "a score must be above its threshold"


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match="greedy, diou"):
        nms([], [], kind="gready")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="une ligne par boîte"):
        nms([[0, 0, 1, 1]], [0.5, 0.4])
    with pytest.raises(ValueError, match="nombres finis"):
        nms([[0, 0, 1, 1]], [np.nan])
    with pytest.raises(ValueError, match="soft_linear"):
        soft_nms([], [], kind="greedy")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="version TensorFlow"):
        nms_tf.nms(np.zeros((1, 4)), np.zeros(1), kind="soft_linear")  # type: ignore[arg-type]
