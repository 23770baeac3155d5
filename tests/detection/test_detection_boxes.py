"""Boxes: formats, and IoU, GIoU, DIoU, CIoU with NumPy, against torchvision's published formulas and by hand."""

from __future__ import annotations

import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.detection import boxes

KINDS = ("iou", "giou", "diou", "ciou")
coordinates = st.one_of(
    st.integers(-4, 12).map(float),  # small integers meet, touch, coincide and degenerate often
    st.floats(-200, 900, width=32).map(lambda x: round(x, 2)),
)


@st.composite
def box(draw):
    x1, x2 = sorted((draw(coordinates), draw(coordinates)))
    y1, y2 = sorted((draw(coordinates), draw(coordinates)))
    return [x1, y1, x2, y2]


def by_hand(kind: str, a, b) -> float:
    """The formulas of the papers, one pair at a time; 0/0 is 0, a point has no aspect ratio."""
    ax1, ay1, ax2, ay2 = a
    bx1, by1, bx2, by2 = b
    common = max(0.0, min(ax2, bx2) - max(ax1, bx1)) * max(0.0, min(ay2, by2) - max(ay1, by1))
    union = (ax2 - ax1) * (ay2 - ay1) + (bx2 - bx1) * (by2 - by1) - common
    iou = common / union if union > 0 else 0.0
    if kind == "iou":
        return iou
    wide, high = max(ax2, bx2) - min(ax1, bx1), max(ay2, by2) - min(ay1, by1)
    if kind == "giou":
        return iou - ((wide * high - union) / (wide * high) if wide * high > 0 else 0.0)
    distance = ((ax1 + ax2) / 2 - (bx1 + bx2) / 2) ** 2 + ((ay1 + ay2) / 2 - (by1 + by2) / 2) ** 2
    diagonal = wide**2 + high**2
    diou = iou - (distance / diagonal if diagonal > 0 else 0.0)
    points = (ax1 == ax2 and ay1 == ay2) or (bx1 == bx2 and by1 == by2)
    if kind == "diou" or points:
        return diou
    v = 4 / math.pi**2 * (math.atan2(ax2 - ax1, ay2 - ay1) - math.atan2(bx2 - bx1, by2 - by1)) ** 2
    return diou - (v * v / (1 - iou + v) if v > 0 else 0.0)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=150, deadline=None)
@given(a=st.lists(box(), min_size=1, max_size=4), b=st.lists(box(), min_size=1, max_size=4))
def test_equals_the_papers_formulas_on_any_boxes(kind, a, b):
    got = getattr(boxes, kind)(a, b)
    assert got.shape == (len(a), len(b)) and got.dtype == np.float64
    np.testing.assert_allclose(got, [[by_hand(kind, p, q) for q in b] for p in a], rtol=0, atol=1e-9)
    paired = getattr(boxes, kind)(a[: len(b)], b[: len(a)], paired=True)
    np.testing.assert_allclose(paired, np.diag(got[: len(b), : len(a)]), rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=60, deadline=None)
@given(a=box(), b=box())
def test_symmetry_bounds_and_order(kind, a, b):
    score = getattr(boxes, kind)
    value = score(a, b, paired=True)
    assert value == pytest.approx(score(b, a, paired=True), abs=1e-12)
    assert (0 if kind == "iou" else -2 if kind == "ciou" else -1) - 1e-12 <= value <= 1 + 1e-12
    assert value <= boxes.iou(a, b, paired=True) + 1e-12
    if boxes.area(a) > 1e-6:
        assert score(a, a, paired=True) == pytest.approx(1, abs=1e-9)


def test_worked_cases():
    a = [0, 0, 2, 2]
    # One square pixel in common, seven in all; enclosing square of side 3; centres √2 apart, diagonal 3√2.
    assert boxes.iou(a, [1, 1, 3, 3], paired=True) == pytest.approx(1 / 7)
    assert boxes.giou(a, [1, 1, 3, 3], paired=True) == pytest.approx(1 / 7 - 2 / 9)
    assert boxes.diou(a, [1, 1, 3, 3], paired=True) == pytest.approx(1 / 7 - 2 / 18)
    assert boxes.ciou(a, [1, 1, 3, 3], paired=True) == pytest.approx(1 / 7 - 2 / 18)
    # Apart: IoU says nothing, GIoU and DIoU still do.
    assert boxes.iou(a, [4, 0, 6, 2], paired=True) == 0
    assert boxes.giou(a, [4, 0, 6, 2], paired=True) == pytest.approx(-4 / 12)
    assert boxes.diou(a, [4, 0, 6, 2], paired=True) == pytest.approx(-16 / 40)
    # Same centre, turned: DIoU is blind, CIoU is not.
    v = 4 / np.pi**2 * (np.arctan(4) - np.arctan(1 / 4)) ** 2
    assert boxes.diou([0, 0, 4, 1], [1.5, -1.5, 2.5, 2.5], paired=True) == pytest.approx(1 / 7)
    assert boxes.ciou([0, 0, 4, 1], [1.5, -1.5, 2.5, 2.5], paired=True) == pytest.approx(1 / 7 - v * v / (6 / 7 + v))
    # Darknet's penalty, (d²/c²)^0.6.
    assert boxes.diou(a, [1, 1, 3, 3], paired=True, beta=0.6) == pytest.approx(1 / 7 - (1 / 9) ** 0.6)


@settings(max_examples=80, deadline=None)
@given(a=st.lists(box(), min_size=1, max_size=3), b=st.lists(box(), min_size=1, max_size=3))
def test_iou_is_that_of_keras_but_for_its_epsilon(a, b):
    keras = pytest.importorskip("keras")
    theirs = keras.utils.bounding_boxes.compute_iou(np.array(a, "float32"), np.array(b, "float32"), "xyxy")
    areas = boxes.area(a)[:, None] + boxes.area(b)[None]
    clear = areas > 1e-2  # Keras adds 1e-7 to the union
    ours = boxes.iou(np.array(a, "float32"), np.array(b, "float32"))
    assert ours.dtype == np.float32
    np.testing.assert_allclose(ours[clear], np.asarray(theirs)[clear], atol=5e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_empty_sets_have_empty_tables(kind):
    assert getattr(boxes, kind)([], [[0, 0, 1, 1]]).shape == (0, 1)
    assert getattr(boxes, kind)(np.zeros((2, 4)), []).shape == (2, 0)


def test_batches_and_dtypes():
    rng = np.random.default_rng(0)
    a = np.sort(rng.uniform(0, 50, (3, 5, 2, 2)), axis=2).reshape(3, 5, 4)
    b = np.sort(rng.uniform(0, 50, (3, 7, 2, 2)), axis=2).reshape(3, 7, 4)
    for kind in KINDS:
        got = getattr(boxes, kind)(a, b)
        assert got.shape == (3, 5, 7)
        np.testing.assert_array_equal(got[1], getattr(boxes, kind)(a[1], b[1]))
        assert getattr(boxes, kind)(a.astype("float32"), b.astype("float32")).dtype == np.float32


def test_a_box_whose_corners_are_crossed_has_no_area():
    assert boxes.area([[5, 5, 2, 9]]).tolist() == [0]
    assert boxes.iou([[5, 5, 2, 9]], [[0, 0, 10, 10]]).tolist() == [[0]]


KERAS_NAMES = {
    "xyxy": "xyxy",
    "yxyx": "yxyx",
    "xywh": "xywh",
    "cxcywh": "center_xywh",
    "rel_xyxy": "rel_xyxy",
    "rel_yxyx": "rel_yxyx",
    "rel_xywh": "rel_xywh",
    "rel_cxcywh": "rel_center_xywh",
}


@pytest.mark.parametrize("source", KERAS_NAMES)
@pytest.mark.parametrize("target", KERAS_NAMES)
def test_conversions_are_those_of_keras_and_come_back(source, target):
    keras = pytest.importorskip("keras")
    values = np.array([[10, 20, 30, 60], [0, 0, 200, 100], [5, 7, 5, 7]], "float32")
    start = boxes.convert(values, "xyxy", source, image_size=(100, 200))
    got = boxes.convert(start, source, target, image_size=(100, 200))
    theirs = keras.utils.bounding_boxes.convert_format(
        start, KERAS_NAMES[source], KERAS_NAMES[target], height=100, width=200, dtype="float32"
    )
    np.testing.assert_allclose(got, theirs, rtol=1e-5, atol=1e-5)
    back = boxes.convert(got, target, "xyxy", image_size=(100, 200))
    np.testing.assert_allclose(back, values, atol=1e-4)


def test_conversions_by_hand():
    assert boxes.convert([[10, 20, 30, 60]], "xyxy", "xywh").tolist() == [[10, 20, 20, 40]]
    assert boxes.convert([[10, 20, 30, 60]], "xyxy", "cxcywh").tolist() == [[20, 40, 20, 40]]
    relative = boxes.convert([10, 20, 30, 60], "xyxy", "rel_cxcywh", image_size=(100, 200))
    assert relative == pytest.approx([0.1, 0.4, 0.1, 0.4])
    assert boxes.convert([], "xywh", "xyxy").shape == (0, 4)


def test_clip_and_scale():
    assert boxes.clip([[-5, 10, 250, 90], [300, 300, 400, 400]], (100, 200)).tolist() == [
        [0, 10, 200, 90],
        [200, 100, 200, 100],
    ]
    assert boxes.scale([[1, 2, 3, 4]], 2).tolist() == [[2, 4, 6, 8]]
    assert boxes.scale([[1, 2, 3, 4]], (2, 0.5)).tolist() == [[2, 1, 6, 2]]


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match=r"\(3,\).*quatre nombres"):
        boxes.area([1, 2, 3])
    with pytest.raises(ValueError, match="xyhw.*formats sont xyxy"):
        boxes.convert([[0, 0, 1, 1]], "xyxy", "xyhw")
    with pytest.raises(ValueError, match="image_size="):
        boxes.convert([[0, 0, 1, 1]], "xyxy", "rel_xyxy")
    with pytest.raises(ValueError, match="paired=True"):
        boxes.iou([0, 0, 1, 1], [0, 0, 1, 1])


@pytest.mark.parametrize("room", ["boxes", "nms", "metrics"])
def test_numpy_rooms_leave_tensorflow_alone(room):
    program = (
        f"import sys; from course_utils import detection; detection.{room};"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_the_package_names_its_rooms():
    from course_utils import detection

    assert {"boxes", "boxes_tf", "nms", "metrics", "darknet", "yolo"} <= set(dir(detection))
    with pytest.raises(AttributeError, match="no attribute 'box'"):
        detection.box  # noqa: B018
