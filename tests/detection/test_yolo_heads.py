"""Decoding, against plain loops and against OpenCV's region layer; `Head`, `Network`, `Detections`."""

from __future__ import annotations

import math
import subprocess
import sys

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.detection.results import Detections
from course_utils.detection.yolo.heads import Head, decode, decode_all

ANCHORS = np.array([[10.0, 14.0], [37.0, 20.0], [5.0, 60.0]])


def _raw(head: Head, shape=(2, 3, 5), *, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(0, 2, (*shape, head.channels)).astype(dtype)


def _by_loops(raw, head):
    """One number at a time, as the papers and the C code of Darknet write it."""

    def sigmoid(value):
        return 1 / (1 + math.exp(-value))

    boxes, objectness, probabilities = [], [], []
    for image in raw:
        of_boxes, of_objects, of_classes = [], [], []
        for row in range(image.shape[0]):
            for column in range(image.shape[1]):
                for rank, (width, height) in enumerate(head.anchors.tolist()):
                    start = rank * (5 + head.classes)
                    tx, ty, tw, th, to, *tc = (
                        float(value) for value in image[row, column, start : start + 5 + head.classes]
                    )
                    if head.new_coords:
                        bx, by, w, h = tx, ty, width * (2 * tw) ** 2, height * (2 * th) ** 2
                        of_objects.append(to)
                        of_classes.append(tc)
                    else:
                        bx, by, w, h = sigmoid(tx), sigmoid(ty), width * math.exp(tw), height * math.exp(th)
                        of_objects.append(sigmoid(to))
                        of_classes.append([sigmoid(value) for value in tc])
                    x = (bx * head.scale_xy - 0.5 * (head.scale_xy - 1) + column) * head.stride
                    y = (by * head.scale_xy - 0.5 * (head.scale_xy - 1) + row) * head.stride
                    of_boxes.append([x - w / 2, y - h / 2, x + w / 2, y + h / 2])
        boxes.append(of_boxes)
        objectness.append(of_objects)
        probabilities.append(of_classes)
    return np.array(boxes), np.array(objectness), np.array(probabilities)


@settings(deadline=None, max_examples=25)
@given(
    stride=st.sampled_from([8, 16, 32]),
    count=st.integers(1, 3),
    classes=st.integers(1, 4),
    scale_xy=st.sampled_from([1.0, 1.05, 1.2, 2.0]),
    new_coords=st.booleans(),
    seed=st.integers(0, 100),
)
def test_decode_is_the_formula(stride, count, classes, scale_xy, new_coords, seed):
    head = Head(stride, ANCHORS[:count], classes, scale_xy, new_coords)
    raw = _raw(head, seed=seed, dtype=np.float64)
    for ours, expected in zip(decode(raw, head), _by_loops(raw, head), strict=True):
        assert ours.dtype == np.float64
        np.testing.assert_allclose(ours, expected, rtol=1e-12, atol=1e-10)


@pytest.mark.parametrize("new_coords", [False, True])
def test_tensors_decode_as_arrays_in_a_graph_of_unknown_sizes(new_coords):
    import tensorflow as tf

    head = Head(16, ANCHORS, 4, 1.1, new_coords)
    traced = tf.function(
        lambda raw: decode(raw, head), input_signature=[tf.TensorSpec((None, None, None, head.channels))]
    )
    for shape in [(2, 3, 5), (1, 7, 2)]:
        raw = _raw(head, shape)
        for ours, expected in zip(traced(raw), decode(raw, head), strict=True):
            np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-5, atol=1e-4)


def test_several_heads_end_to_end():
    import tensorflow as tf

    heads = [Head(32, ANCHORS[:1], 2), Head(16, ANCHORS, 2)]
    raws = [_raw(heads[0], (2, 1, 2)), _raw(heads[1], (2, 2, 4))]
    boxes, objectness, probabilities = decode_all(raws, heads)
    assert boxes.shape == (2, 2 + 24, 4) and objectness.shape == (2, 26) and probabilities.shape == (2, 26, 2)
    np.testing.assert_array_equal(boxes[:, 2:], decode(raws[1], heads[1])[0])
    for ours, expected in zip(
        decode_all([tf.constant(raw) for raw in raws], heads), (boxes, objectness, probabilities), strict=True
    ):
        np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-5, atol=1e-4)


def test_no_overflow_and_finite_gradients():
    import tensorflow as tf

    head = Head(8, ANCHORS, 1)
    raw = np.full((1, 2, 2, head.channels), 1e4, np.float32)
    for sign in (1, -1):
        assert all(np.isfinite(part).all() for part in decode(sign * raw, head))
        tensor = tf.Variable(sign * raw)
        with tf.GradientTape() as tape:
            total = sum(tf.reduce_sum(part) for part in decode(tensor, head))
        assert np.isfinite(tape.gradient(total, tensor).numpy()).all()
    half = decode(tf.constant(raw[..., : head.channels], tf.float16), head)
    assert half[0].dtype == tf.float32 and np.isfinite(half[0].numpy()).all()


CFG = """
[net]
width=96
height=64
channels=3

[convolutional]
size=3
stride=16
pad=1
filters={filters}
activation={activation}

[yolo]
mask=1,2
anchors=9,9, 10,14, 37,20
classes=3
num=3
scale_x_y={scale_xy}
new_coords={new_coords}
thresh=0
nms_threshold=0
"""


@pytest.mark.skipif(not hasattr(cv2.dnn, "readNetFromDarknet"), reason="cet OpenCV ne lit pas Darknet")
@pytest.mark.parametrize(("scale_xy", "new_coords"), [(1.0, 0), (1.05, 0), (1.2, 0), (2.0, 1)])
def test_decode_equals_opencv(scale_xy, new_coords):
    head = Head(16, [[10, 14], [37, 20]], 3, scale_xy, bool(new_coords))
    generator = np.random.default_rng(4)
    bias, kernel = generator.normal(size=head.channels), generator.normal(0, 0.3, (head.channels, 3, 3, 3))
    weights = (
        np.array([0, 2, 5, 0, 0], "<i4").tobytes() + np.concatenate([bias, kernel.ravel()]).astype("<f4").tobytes()
    )
    activation = "logistic" if new_coords else "linear"
    text = CFG.format(filters=head.channels, activation=activation, scale_xy=scale_xy, new_coords=new_coords)
    network = cv2.dnn.readNetFromDarknet(np.frombuffer(text.encode(), np.uint8), np.frombuffer(weights, np.uint8))
    network.setInput(cv2.dnn.blobFromImage(generator.random((64, 96, 3)).astype(np.float32)))
    # OpenCV brings the channels last (a permutation) just before its region layer.
    *_, before, last = network.getLayerNames()
    raw, region = network.forward([before, last])
    boxes, objectness, probabilities = decode(raw, head)
    centres = np.concatenate([(boxes[0, :, :2] + boxes[0, :, 2:]) / 2, boxes[0, :, 2:] - boxes[0, :, :2]], axis=1)
    np.testing.assert_allclose(centres / [96, 64, 96, 64], region[:, :4], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(objectness[0], region[:, 4], atol=1e-6)
    np.testing.assert_allclose(objectness[0][:, None] * probabilities[0], region[:, 5:], atol=1e-6)


def test_wrong_heads_are_refused_in_french():
    with pytest.raises(
        ValueError, match=r"Cette tête attend \(N, lignes, colonnes, 24\), soit 3 ancres × \(5 \+ 3 classes\)"
    ):
        decode(np.zeros((1, 2, 2, 255)), Head(8, ANCHORS, 3))
    with pytest.raises(ValueError, match="couples"):
        Head(8, [10, 14], 3)
    with pytest.raises(ValueError, match="strictement positifs"):
        Head(8, [[10, 0]], 3)
    with pytest.raises(ValueError, match="pas et un nombre de classes positifs"):
        Head(0, ANCHORS, 3)


def test_a_head_protects_its_anchors():
    given_anchors = ANCHORS.copy()
    head = Head(8, given_anchors, 3)
    given_anchors[0] = 99
    np.testing.assert_array_equal(head.anchors, ANCHORS.astype(np.float32))
    with pytest.raises(ValueError, match="read-only"):
        head.anchors[0] = 1


def test_detections_keep_their_shapes():
    found = Detections([[0, 0, 2, 3], [1, 1, 5, 5], [2, 2, 4, 4]], [0.9, 0.5, 0.2], [0, 1, 1])
    assert len(found) == 3 and len(found[0]) == 1 and len(found[:2]) == 2 and len(found.above(0.5)) == 2
    assert found[found.classes == 1].boxes.tolist() == [[1, 1, 5, 5], [2, 2, 4, 4]]
    assert found[[]].boxes.shape == (0, 4)
    for empty in (Detections.empty(), Detections([], [], []), found.above(0.95)):
        assert len(empty) == 0 and empty.boxes.shape == (0, 4)
        assert (empty.boxes.dtype, empty.scores.dtype, empty.classes.dtype) == (np.float32, np.float32, np.int64)
    with pytest.raises(ValueError, match=r"\(n, 4\), n scores et n classes"):
        Detections([[0, 0, 1, 1]], [0.5, 0.4], [0])


def test_heads_and_results_come_without_tensorflow():
    code = (
        "import sys; from course_utils.detection import yolo, results; import numpy as np;"
        "yolo.decode(np.zeros((1, 1, 1, 6)), yolo.Head(8, [[1, 1]], 1));"
        "raise SystemExit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
