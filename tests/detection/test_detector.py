"""Letterboxing and `Detector`: boxes come back in the pixels of the image, whatever its size; nothing crashes."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.detection.yolo import detector as room
from course_utils.detection.yolo.detector import Detector
from course_utils.detection.yolo.heads import Head, Network
from course_utils.detection.yolo.letterboxing import Letterbox, letterbox
from course_utils.detection.yolo.network import yolov4_tiny

sides = st.integers(1, 700)
NAMES = ("clair", "rouge")


def _lamp(*, size=(96, 128), channels=3, stride=16, anchor=(24, 40)):
    """A network that needs no training: a cell sees an object where its pixels are bright, of class 1 where red."""
    image = keras.Input((*size, channels))
    mean = keras.layers.AveragePooling2D(stride)(image)
    conv = keras.layers.Conv2D(7, 1)
    model = keras.Model(image, conv(mean))
    kernel, bias = np.zeros((1, 1, channels, 7), np.float32), np.zeros(7, np.float32)
    kernel[..., 4], bias[4] = 30 / channels, -15
    kernel[..., 5], kernel[..., 0, 6], bias[5], bias[6] = 20 / channels, 20, -10, -12
    conv.set_weights([kernel, bias])
    return Network(model, (Head(stride, [anchor], 2),), ((conv, None),))


@pytest.fixture(scope="module")
def detector():
    return Detector(_lamp(), NAMES)


@settings(deadline=None, max_examples=200)
@given(sides, sides, st.sampled_from([32, 96, 416]), st.sampled_from([64, 416]), st.booleans(), st.integers(0, 99))
def test_boxes_go_to_the_input_and_back(height, width, rows, columns, keep_ratio, seed):
    place = Letterbox((height, width), (rows, columns), keep_ratio)
    boxes = np.random.default_rng(seed).uniform(0, 1, (5, 4)) * [width, height, width, height]
    inside = place.to_input(boxes)
    np.testing.assert_allclose(place.to_image(inside), boxes, atol=1e-9)
    (top, left), (tall, wide) = place.corner, place.resized
    assert (inside >= np.array([left, top, left, top]) - 1e-9).all()
    assert (inside <= np.array([left + wide, top + tall] * 2) + 1e-9).all()
    assert top >= 0 and left >= 0 and top + tall <= rows and left + wide <= columns
    if keep_ratio:
        assert tall == rows or wide == columns
    assert place.to_image(boxes.astype(np.float32)).dtype == np.float32


def test_the_canvas_holds_the_image_between_grey_bands():
    image = np.random.default_rng(0).random((40, 80, 3), dtype=np.float32)
    canvas, place = letterbox(image, (96, 80))
    assert place.corner == (28, 0) and canvas.dtype == np.float32
    np.testing.assert_array_equal(canvas[28:68], image)
    assert (canvas[:28] == 0.5).all() and (canvas[68:] == 0.5).all()
    stretched, _ = letterbox(image, (64, 64), keep_ratio=False)
    assert stretched.shape == (64, 64, 3) and stretched.std() > 0.1
    # Halving each side averages four pixels.
    halved, _ = letterbox(image, (20, 40))
    np.testing.assert_allclose(halved, image.reshape(20, 2, 40, 2, 3).mean(axis=(1, 3)), atol=1e-6)
    grey, _ = letterbox(image[..., :1], (96, 80))
    assert grey.shape == (96, 80, 1)


@pytest.mark.parametrize("size", [(96, 128), (192, 256), (48, 64), (300, 100), (61, 333), (480, 640)])
@pytest.mark.parametrize("keep_ratio", [True, False])
def test_a_bright_square_is_found_in_the_pixels_of_the_image(size, keep_ratio):
    height, width = size
    place = Letterbox(size, (96, 128), keep_ratio)
    # Exactly the cell of row 3, column 4 (16 pixels wide), seen from the image.
    x1, y1, x2, y2 = np.round(place.to_image(np.array([[64.0, 48, 80, 64]]))[0]).astype(int)
    image = np.zeros((height, width, 3), np.float32)
    image[y1:y2, x1:x2] = 1
    # The grey bands score 0.25.
    found = Detector(_lamp(), NAMES, keep_ratio=keep_ratio, confidence=0.5).detect(image)
    assert len(found) == 1
    expected = place.to_image(np.array([[60.0, 36, 84, 76]]))[0]
    np.testing.assert_allclose(
        found.boxes[0], np.clip(expected, 0, [width, height, width, height]), rtol=1e-4, atol=1e-3
    )
    assert found.scores[0] > 0.8


def test_nothing_found_has_the_right_shapes(detector):
    found = detector.detect(np.zeros((50, 70, 3), np.float32))
    assert found.boxes.shape == (0, 4) and found.scores.shape == (0,) and found.classes.shape == (0,)
    assert detector.detect_batch([]) == []
    assert detector.detect(np.ones((50, 70, 3), np.float32), confidence=1.0).boxes.shape == (0, 4)
    # Grey bands alone would be detected: those boxes lie outside the image and are dropped.
    keen = Detector(_lamp(anchor=(4, 4)), NAMES, confidence=0.01)
    boxes = keen.detect(np.full((20, 200, 3), 0.5, np.float32)).boxes
    assert len(boxes) and (boxes >= 0).all() and (boxes <= [200, 20, 200, 20]).all()


def test_images_of_all_sizes_in_one_batch_and_one_compilation():
    detector = Detector(_lamp(), NAMES)
    generator = np.random.default_rng(3)
    shapes = [(1, 1), (1, 300), (300, 1), (97, 31), (128, 96), (640, 480)] * 6
    images = [generator.random((*shape, 3), dtype=np.float32) for shape in shapes]
    assert len(images) > 2 * room.BATCH
    together = detector.detect_batch(iter(images))
    for image, found in zip(images[:6], together[:6], strict=True):
        alone = detector.detect(image)
        np.testing.assert_allclose(found.boxes, alone.boxes, rtol=1e-5, atol=1e-3)
        np.testing.assert_array_equal(found.classes, alone.classes)
    assert len(together) == len(images)
    assert detector._compiled.experimental_get_tracing_count() == 1


def test_levels_grey_and_float64_are_understood(detector):
    generator = np.random.default_rng(1)
    levels = generator.integers(0, 256, (60, 90, 3), dtype=np.uint8)
    expected = detector.detect(levels / np.float32(255))
    for image in (levels, levels / 255.0):
        np.testing.assert_allclose(detector.detect(image).boxes, expected.boxes, rtol=1e-5)
    grey = levels[..., :1]
    as_colour = detector.detect(np.repeat(grey, 3, axis=2))
    for image in (grey, grey[..., 0]):
        np.testing.assert_array_equal(detector.detect(image).boxes, as_colour.boxes)


@pytest.mark.parametrize(
    ("image", "message"),
    [
        (np.zeros((0, 10, 3), np.float32), r"Image vide, de forme \(0, 10, 3\)"),
        (np.zeros((10, 10, 4), np.float32), "Ce n'est pas une image"),
        (np.zeros((2, 10, 10, 3), np.float32), "appelez detect_batch"),
        (np.full((10, 10, 3), 200.0), "de 0 à 1.*reçu : de 200 à 200"),
        (np.full((10, 10, 3), np.nan), "de 0 à 1.*reçu : de nan à nan"),
        (np.zeros((10, 10, 3), np.int64), "reçu : int64"),
        (None, "reçu : object"),
    ],
)
def test_what_is_not_an_image_is_refused_in_french(detector, image, message):
    with pytest.raises(ValueError, match=message):
        detector.detect(image)


def test_impossible_settings_are_refused_in_french():
    with pytest.raises(ValueError, match="Le réseau a 2 classes ; class_names en nomme 1"):
        Detector(_lamp(), ["voiture"])
    with pytest.raises(ValueError, match="confidence doit être entre 0 et 1 ; reçu : 25"):
        Detector(_lamp(), NAMES, confidence=25)
    with pytest.raises(ValueError, match="nms_threshold doit être entre 0 et 1"):
        Detector(_lamp(), NAMES).detect(np.zeros((9, 9)), nms_threshold=-1)
    with pytest.raises(ValueError, match="nms_kind vaut l'un de greedy"):
        Detector(_lamp(), NAMES, nms_kind="hard")


def test_weights_that_diverged_are_said():
    network = _lamp()
    conv = network.convolutions[0][0]
    conv.set_weights([np.full_like(weight, np.nan) for weight in conv.get_weights()])
    with pytest.raises(ValueError, match="ont divergé"):
        Detector(network, NAMES).detect(np.zeros((20, 20, 3), np.float32))


def test_scores_are_objectness_times_class_and_the_surest_comes_first():
    detector = Detector(_lamp(), NAMES, confidence=0.05, nms_threshold=1.0)
    image = np.random.default_rng(2).random((96, 128, 3), dtype=np.float32) * 0.5 + 0.25
    boxes, scores = detector.scores(image)
    assert boxes.shape == (48, 4) and scores.shape == (48, 2)
    found = detector.detect(image)
    assert (np.diff(found.scores) <= 0).all() and len(found) == (scores.max(axis=1) >= 0.05).sum()
    both = Detector(_lamp(), NAMES, confidence=0.05, nms_threshold=1.0, multi_label=True).detect(image)
    assert len(both) == (scores >= 0.05).sum() > len(found)
    means = image.reshape(6, 16, 8, 16, 3).mean(axis=(1, 3))
    expected = 1 / (1 + np.exp(15 - 30 * means.mean(axis=-1))) / (1 + np.exp(10 - 20 * means.mean(axis=-1)))
    np.testing.assert_allclose(scores[:, 0], expected.ravel(), rtol=1e-3)


def test_each_kind_of_suppression():
    image = np.ones((96, 128, 3), np.float32)
    network = _lamp(anchor=(40, 60))
    counts = {kind: len(Detector(network, NAMES, nms_kind=kind).detect(image)) for kind in ("greedy", "diou")}
    assert 1 < counts["greedy"] < counts["diou"] < 48
    soft = Detector(network, NAMES, nms_kind="soft_linear", confidence=0.01).detect(image)
    assert len(soft) > counts["greedy"] and soft.scores.min() < 0.5 < soft.scores.max()


def test_a_real_network_trained_on_nothing_runs():
    detector = Detector(yolov4_tiny(3, (96, 96, 3), width=0.125, anchors="scaled"), ("a", "b", "c"), confidence=0.2)
    found = detector.detect(np.random.default_rng(0).random((70, 120, 3), dtype=np.float32))
    assert len(found) and (found.boxes[:, 2:] > found.boxes[:, :2]).all() and found.boxes.max() <= 120
