"""The Keras network of a ``.cfg`` against OpenCV's, which reads the same files; then real weights on a real photo."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from darknet_twin import SMALL, official, randomise

from course_utils.detection import darknet
from course_utils.detection.yolo import Detector, decode_all

pytestmark = pytest.mark.skipif(
    not hasattr(cv2.dnn, "readNetFromDarknet"), reason="this OpenCV no longer reads Darknet networks"
)

OPENCV_EPSILON = 1e-6


def raw_heads(config, path, images):
    """Return what OpenCV computes before its ``[yolo]`` layers, channels last."""
    cfg = path.with_suffix(".cfg")
    cfg.write_text(config.text())
    network = cv2.dnn.readNetFromDarknet(str(cfg), str(path))
    network.setPreferableBackend(cv2.dnn.DNN_BACKEND_OPENCV)
    names = network.getLayerNames()
    # An activation bears the rank of the section after its own.
    heads = [next(n for n in (f"logistic_{r}", f"conv_{r - 1}") if n in names) for r in darknet.plan(config).heads]
    network.setInput(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    return [output.transpose(0, 2, 3, 1) for output in network.forward(heads)]


def compare(config, tmp_path, *, tolerance, gain, epsilon=OPENCV_EPSILON):
    network = darknet.build(config, epsilon=epsilon)
    randomise(network, gain=gain)
    darknet.write_weights(network, tmp_path / "random.weights")
    images = np.random.default_rng(1).random((1, *config.input_shape), np.float32)
    ours, theirs = network.raw(images), raw_heads(config, tmp_path / "random.weights", images)
    assert len(ours) == len(theirs) == len(network.heads)
    for mine, other in zip(ours, theirs, strict=True):
        assert 0.05 < np.std(other) < 10, "activations that vanish or explode would prove nothing"
        np.testing.assert_allclose(mine, other, rtol=0, atol=tolerance)


def test_every_sort_of_layer(tmp_path):
    compare(darknet.parse_cfg(SMALL), tmp_path, tolerance=1e-5, gain=1.6)


@pytest.mark.parametrize("wrong", ["epsilon=1e-3", "stride-two padding", "leaky slope", "half of the channels"])
def test_the_comparison_tells_the_usual_mistakes(tmp_path, monkeypatch, wrong):
    """A comparison that could not fail would prove nothing."""
    from course_utils.detection.darknet import building
    from course_utils.detection.yolo import blocks

    config = darknet.parse_cfg(SMALL)
    epsilon = 1e-3 if wrong.startswith("epsilon") else OPENCV_EPSILON
    if wrong == "stride-two padding":
        make = building.layers.ZeroPadding2D
        monkeypatch.setattr(building.layers, "ZeroPadding2D", lambda m, name: make(((0, 2 * m), (0, 2 * m)), name=name))
    elif wrong == "leaky slope":
        monkeypatch.setattr(blocks, "LEAKY_SLOPE", 0.3)
    elif wrong == "half of the channels":
        share = building._share
        monkeypatch.setattr(building, "_share", lambda x, groups, part, name: share(x, groups, 0, name))
    with pytest.raises(AssertionError, match="Not equal to tolerance"):
        compare(config, tmp_path, tolerance=1e-4, gain=1.6, epsilon=epsilon)


@pytest.mark.parametrize(("name", "size", "tolerance", "gain"), [
    ("yolov4-tiny", (128, 160), 5e-4, 1.5),
    ("yolov4-tiny-3l", (96, 64), 5e-4, 1.5),
    ("yolov4-csp", (64, 96), 2e-3, 1.2),
    ("yolov4", (96, 64), 2e-3, 1.2),
])  # fmt: skip
def test_official_networks(tmp_path, name, size, tolerance, gain):
    compare(darknet.parse_cfg(official(name)).with_input(*size), tmp_path, tolerance=tolerance, gain=gain)


def test_real_weights(tmp_path):
    """Yolo-Fastest: depthwise convolutions, dropout, a real photo."""
    cfg = official("yolo-fastest-1.1")
    config = darknet.parse_cfg(cfg)
    path = tmp_path / "real.weights"
    path.write_bytes(cfg.with_suffix(".weights").read_bytes())
    images = photo("dog")[None]
    network = darknet.load(config, path, epsilon=OPENCV_EPSILON)
    for mine, other in zip(network.raw(images), raw_heads(config, path, images), strict=True):
        np.testing.assert_allclose(mine, other, rtol=0, atol=1e-3)


def photo(name, side=320):
    pixels = cv2.imread(str(official("yolov4").with_name(f"{name}.jpg")))[..., ::-1]
    return cv2.resize(pixels, (side, side)).astype(np.float32) / 255


def test_decoding_against_opencvs_region_layer(tmp_path):
    """Boxes and scores of the decoded heads, against those of OpenCV's ``[yolo]`` layers."""
    cfg = official("yolo-fastest-1.1")
    config = darknet.parse_cfg(cfg.read_text().replace("[yolo]", "[yolo]\nthresh=0"))
    (tmp_path / "n.cfg").write_text(config.text())
    theirs = cv2.dnn.readNetFromDarknet(str(tmp_path / "n.cfg"), str(cfg.with_suffix(".weights")))
    images = photo("dog")[None]
    theirs.setInput(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
    outputs = theirs.forward(theirs.getUnconnectedOutLayersNames())
    expected = np.concatenate([output.reshape(-1, 85) for output in outputs])
    network = darknet.load(config, cfg.with_suffix(".weights"), epsilon=OPENCV_EPSILON)
    boxes, objectness, probabilities = decode_all([raw.numpy() for raw in network.raw(images)], network.heads)
    centre, size = (boxes[0, :, :2] + boxes[0, :, 2:]) / 2, boxes[0, :, 2:] - boxes[0, :, :2]
    np.testing.assert_allclose(np.hstack([centre, size]) / 320, expected[:, :4], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(objectness[0], expected[:, 4], atol=1e-4)
    np.testing.assert_allclose(objectness[0][:, None] * probabilities[0], expected[:, 5:], atol=1e-4)


@pytest.mark.parametrize("keep_ratio", [True, False])
def test_dog_bicycle_car(keep_ratio):
    cfg = official("yolo-fastest-1.1-xl")
    names = official("yolov4").with_name("coco.names").read_text().split("\n")[:80]
    pixels = cv2.imread(str(official("yolov4").with_name("dog.jpg")))[..., ::-1]
    detector = Detector(darknet.load(cfg, cfg.with_suffix(".weights")), names, keep_ratio=keep_ratio)
    found = detector.detect(np.ascontiguousarray(pixels))
    best = {
        names[c]: (float(score), box) for c, score, box in zip(found.classes, found.scores, found.boxes, strict=True)
    }
    # Read on the photo, to about ten pixels.
    truth = {
        "dog": (0.9, (128, 222, 314, 542)),
        "bicycle": (0.8, (120, 130, 568, 430)),
        "car": (0.8, (468, 76, 690, 172)),
    }
    for name, (floor, box) in truth.items():
        score, guess = best[name]
        assert score >= floor, (name, score)
        assert iou(guess, box) > 0.5, (name, guess)


def iou(a, b):
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    area = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return max(0, width) * max(0, height) / (sum(area) - max(0, width) * max(0, height))
