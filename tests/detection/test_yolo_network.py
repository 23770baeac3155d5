"""The readable YOLOv4 and YOLOv4-tiny: counts of the official files, Darknet's arithmetic, networks read from .cfg."""

from __future__ import annotations

import os
import re
from pathlib import Path

import cv2
import keras
import numpy as np
import pytest
from scipy import ndimage, signal

from course_utils.detection.yolo import blocks
from course_utils.detection.yolo.folding import fold
from course_utils.detection.yolo.network import TINY_ANCHORS, YOLOV4_ANCHORS, yolov4, yolov4_tiny

HEADER = 20
"""Bytes before the numbers in an official file of version 0.2: three integers of 4 bytes, one of 8."""

needs_cfg = pytest.mark.skipif(
    not (Path(os.environ.get("COURSE_DATA") or "/nowhere") / "yolov4").is_dir(),
    reason="COURSE_DATA n'a pas les fichiers .cfg officiels",
)
needs_opencv = pytest.mark.skipif(not hasattr(cv2.dnn, "readNetFromDarknet"), reason="cet OpenCV ne lit pas Darknet")


@pytest.fixture(autouse=True)
def free_memory():
    yield
    keras.backend.clear_session(free_memory=True)


def _cfg(name, *, classes=80, size=96):
    """The official text, for another input size and other classes."""
    text = (Path(os.environ["COURSE_DATA"]) / "yolov4" / f"{name}.cfg").read_text()
    text = re.sub(r"(?m)^(width|height)\s*=\s*\d+", rf"\1={size}", text)
    return text.replace("classes=80", f"classes={classes}").replace("filters=255", f"filters={3 * (5 + classes)}")


def _randomise(network, *, seed=0):
    """Weights of a plausible scale, statistics of normalisation included."""
    generator = np.random.default_rng(seed)
    for conv, norm in network.convolutions:
        kernel, *bias = conv.get_weights()
        spread = np.sqrt(2 / np.prod(kernel.shape[:3]))
        conv.set_weights(
            [generator.normal(0, spread, kernel.shape), *(generator.normal(0, 0.1, b.shape) for b in bias)]
        )
        if norm is not None:
            size = norm.gamma.shape
            positive = (generator.uniform(0.8, 1.4, size), generator.uniform(0.7, 1.4, size))
            centred = (generator.normal(0, 0.1, size), generator.normal(0, 0.1, size))
            norm.set_weights([positive[0], centred[0], centred[1], positive[1]])


def _as_darknet(network):
    """The bytes of an official file, written without our own writer."""
    parts = [np.array([0, 2, 5, 0, 0], "<i4")]
    for conv, norm in network.convolutions:
        kernel, *bias = conv.get_weights()
        if norm is None:
            parts += bias
        else:
            gamma, beta, mean, variance = norm.get_weights()
            parts += [beta, gamma, mean, variance]
        parts.append(kernel.transpose(3, 2, 0, 1).ravel())
    return b"".join(part.astype(part.dtype if part.dtype == np.int32 else "<f4").tobytes() for part in parts)


def _outputs(network, images):
    return [raw.numpy() for raw in network.raw(images)]


@pytest.fixture
def images():
    return np.random.default_rng(1).random((2, 96, 96, 3), dtype=np.float32)


def test_yolov4_has_the_official_count_and_shapes():
    network = yolov4(input_shape=(64, 96, 3))
    assert HEADER + 4 * network.model.count_params() == 257_717_640
    assert [output.shape[1:] for output in network.model.outputs] == [(8, 12, 255), (4, 6, 255), (2, 3, 255)]
    assert [(head.stride, head.scale_xy) for head in network.heads] == [(8, 1.2), (16, 1.1), (32, 1.05)]
    assert len(network.convolutions) == 110 and sum(norm is None for _, norm in network.convolutions) == 3
    assert sum(conv.count_params() + (norm.count_params() if norm else 0) for conv, norm in network.convolutions) == (
        network.model.count_params()
    )


def test_yolov4_tiny_has_the_official_count_and_shapes():
    network = yolov4_tiny(input_shape=(64, 96, 3))
    assert HEADER + 4 * network.model.count_params() == 24_251_276
    assert [output.shape[1:] for output in network.model.outputs] == [(2, 3, 255), (4, 6, 255)]
    assert [head.stride for head in network.heads] == [32, 16]
    assert len(network.convolutions) == 21


@pytest.mark.parametrize("classes", [1, 3, 20])
def test_the_number_of_classes_changes_the_heads_alone(classes):
    network, official = (yolov4_tiny(count, (64, 64, 3)) for count in (classes, 80))
    # Two heads of three anchors, on 512 and 256 channels and a bias.
    assert official.model.count_params() - network.model.count_params() == 3 * (80 - classes) * (512 + 1 + 256 + 1)
    assert all(output.shape[-1] == 3 * (5 + classes) for output in network.model.outputs)


def test_width_scales_the_channels_but_not_the_heads():
    narrow = yolov4(3, (64, 64, 3), width=0.25)
    assert [output.shape[-1] for output in narrow.model.outputs] == [24, 24, 24]
    assert narrow.model.get_layer("stage5_mix_conv").filters == 256
    assert narrow.model.count_params() < yolov4_tiny(3, (64, 64, 3)).model.count_params()
    for width in (0.01, 0.1, 0.3, 0.77):
        tiny = yolov4_tiny(2, (64, 64, 3), width=width)
        assert all(conv.filters % 2 == 0 for conv, norm in tiny.convolutions if norm is not None)


def test_anchors_by_default_stay_official_pixels_and_scale_on_demand():
    for size in (96, 416, 608):
        assert [head.anchors.tolist() for head in yolov4_tiny(1, (size, size, 3), width=0.1).heads] == [
            [list(map(float, anchor)) for anchor in grid] for grid in TINY_ANCHORS
        ]
    scaled = yolov4_tiny(1, (832, 832, 3), width=0.1, anchors="scaled")
    np.testing.assert_allclose(scaled.heads[0].anchors, np.array(TINY_ANCHORS[0]) * 2.0)
    given = np.arange(1, 13).reshape(2, 3, 2)
    np.testing.assert_array_equal(yolov4_tiny(1, (64, 64, 3), width=0.1, anchors=given).heads[1].anchors, given[1])
    five = np.ones((2, 5, 2))
    assert yolov4_tiny(2, (64, 64, 3), width=0.1, anchors=five).model.outputs[0].shape[-1] == 5 * 7
    assert np.shape(YOLOV4_ANCHORS) == (3, 3, 2)


@pytest.mark.parametrize("build", [yolov4, yolov4_tiny])
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"input_shape": (100, 96, 3)}, r"multiples de 32.*le plus proche est 96 × 96"),
        ({"input_shape": (416, 416)}, r"\(hauteur, largeur, canaux\)"),
        ({"input_shape": (16, 16, 3)}, "trop petite"),
        ({"classes": 0}, "nombre de classes"),
        ({"width": 0}, "nombre positif"),
        ({"anchors": [[10, 14], [23, 27]]}, "têtes : anchors doit avoir la forme"),
        ({"anchors": "official"}, 'None, "scaled" ou un tableau'),
    ],
)
def test_impossible_networks_are_refused_in_french(build, options, message):
    with pytest.raises(ValueError, match=message):
        build(**options)


def test_a_network_is_saved_and_read_back(tmp_path, images):
    network = yolov4_tiny(2, (96, 96, 3), width=0.125)
    _randomise(network)
    network.model.save(tmp_path / "tiny.keras")
    again = keras.models.load_model(tmp_path / "tiny.keras")
    for ours, theirs in zip(_outputs(network, images), again(images), strict=True):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5)


def test_weights_are_copied_or_nothing_is(images):
    one, other = (yolov4_tiny(2, (96, 96, 3), width=0.125) for _ in range(2))
    _randomise(one)
    other.copy_weights(one)
    for ours, theirs in zip(_outputs(one, images), _outputs(other, images), strict=True):
        np.testing.assert_array_equal(ours, theirs)
    with pytest.raises(ValueError, match="leur 18e convolution diffère"):
        yolov4_tiny(3, (96, 96, 3), width=0.125).copy_weights(one)


def test_mixed_precision_and_training_mode_run(images):
    keras.config.set_dtype_policy("mixed_float16")
    try:
        network = yolov4_tiny(2, (96, 96, 3), width=0.125)
        assert all(np.isfinite(raw).all() for raw in map(np.asarray, network.raw(images, training=True)))
    finally:
        keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize(
    "build", [lambda: yolov4(2, (96, 96, 3), width=0.125), lambda: yolov4_tiny(2, (96, 96, 3), 0.25)]
)
def test_folding_changes_no_output(build, images):
    network = build()
    _randomise(network)
    light = fold(network)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in light.model.layers)
    for ours, theirs in zip(_outputs(network, images), _outputs(light, images), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=2e-5 * max(1, np.abs(ours).max()))


def test_folding_knows_depthwise_convolutions(images):
    image = keras.Input((96, 96, 3))
    conv, norm = keras.layers.DepthwiseConv2D(3, use_bias=False), keras.layers.BatchNormalization()
    model = keras.Model(image, norm(conv(image)))
    norm.set_weights([np.array(values) for values in ([1.0, 2, 3], [0.1, 0.2, 0.3], [0.4, 0.5, 0.6], [1.0, 4, 9])])
    network = type(yolov4_tiny(1, (32, 32, 3), 0.1))(model, (), ((conv, norm),))
    np.testing.assert_allclose(_outputs(fold(network), images)[0], _outputs(network, images)[0], atol=1e-5)


# The bricks, each against a computation without Keras.


def _run(brick, x):
    inputs = keras.Input(x.shape[1:])
    model = keras.Model(inputs, brick(inputs))
    return model, model(x).numpy()


@pytest.fixture
def features():
    return np.random.default_rng(2).normal(size=(1, 8, 6, 4)).astype(np.float32)


def test_activations(features):
    mish = features * np.tanh(np.log1p(np.exp(features.astype(np.float64))))
    np.testing.assert_allclose(_run(blocks.mish, features)[1], mish, atol=1e-6)
    np.testing.assert_allclose(_run(blocks.leaky, features)[1], np.maximum(features, 0.1 * features), atol=1e-7)


@pytest.mark.parametrize(("size", "stride"), [(3, 1), (3, 2), (1, 1), (5, 2)])
def test_a_convolution_is_padded_on_both_sides(features, size, stride):
    model, ours = _run(lambda x: blocks.conv_bn(x, 5, size, stride=stride, name="c"), features)
    kernel = model.get_layer("c_conv").get_weights()[0]
    assert model.get_layer("c_bn").epsilon == 1e-5
    expected = np.empty_like(ours)
    for out in range(5):
        planes = (signal.correlate2d(features[0, ..., k], kernel[..., k, out], "same") for k in range(4))
        expected[0, ..., out] = np.sum(list(planes), axis=0)[::stride, ::stride]
    expected = expected / np.sqrt(1 + 1e-5)
    np.testing.assert_allclose(ours, np.maximum(expected, 0.1 * expected), atol=1e-5)


def test_spp_is_a_maximum_over_windows(features):
    _, ours = _run(blocks.spp, features)
    looks = [
        ndimage.maximum_filter(features, size=(1, size, size, 1), mode="constant", cval=-np.inf)
        for size in (13, 9, 5, 1)
    ]
    np.testing.assert_array_equal(ours, np.concatenate(looks, axis=-1))


def test_upsampling_copies_and_the_tiny_block_cuts(features):
    np.testing.assert_array_equal(
        _run(lambda x: blocks.upsample(x, name="u"), features)[1], features.repeat(2, axis=1).repeat(2, axis=2)
    )
    np.testing.assert_array_equal(_run(lambda x: blocks.second_half(x, name="h"), features)[1], features[..., 2:])


def test_a_residual_block_without_weights_is_the_identity(features):
    model, _ = _run(lambda x: blocks.residual_block(x, 2, name="r"), features)
    model.get_layer("r_2_bn").set_weights([np.zeros(4), np.zeros(4), np.zeros(4), np.ones(4)])
    np.testing.assert_array_equal(model(features).numpy(), features)


def test_counts_of_a_csp_stage(features):
    """By hand: down, the two ways, one residual block on half the channels, after, mix; 4 numbers a normalisation."""
    model, ours = _run(lambda x: blocks.csp_stage(x, 8, 1, name="s"), features)
    convolutions = [(9 * 4, 8), (8, 4), (8, 4), (4, 4), (9 * 4, 4), (4, 4), (8, 8)]
    assert model.count_params() == sum((weights + 4) * out for weights, out in convolutions)
    assert ours.shape == (1, 4, 3, 8)


# Against OpenCV and against the networks built from the official files.


@needs_cfg
@needs_opencv
@pytest.mark.parametrize("classes", [80, 7])
def test_yolov4_tiny_equals_opencv(images, classes):
    ours = yolov4_tiny(classes, (96, 96, 3), epsilon=1e-6)
    _randomise(ours)
    text, weights = _cfg("yolov4-tiny", classes=classes).encode(), _as_darknet(ours)
    theirs = cv2.dnn.readNetFromDarknet(np.frombuffer(text, np.uint8), np.frombuffer(weights, np.uint8))
    theirs.setInput(cv2.dnn.blobFromImages(images))
    layers = theirs.getLayerNames()
    heads = [layers[layers.index(name) - 1] for name in theirs.getUnconnectedOutLayersNames()]
    for raw, expected in zip(_outputs(ours, images), theirs.forward(heads), strict=True):
        assert np.abs(raw).max() > 0.5
        np.testing.assert_allclose(raw, expected.reshape(raw.shape), atol=5e-4)


@needs_cfg
@pytest.mark.parametrize(("name", "classes"), [("yolov4-tiny", 80), ("yolov4-tiny", 7), ("yolov4", 3)])
def test_readable_networks_equal_those_read_from_cfg(images, name, classes):
    darknet = pytest.importorskip("course_utils.detection.darknet")
    ours = {"yolov4": yolov4, "yolov4-tiny": yolov4_tiny}[name](classes, (96, 96, 3))
    built = darknet.build(darknet.parse_cfg(_cfg(name, classes=classes)))
    _randomise(ours)
    built.copy_weights(ours)
    assert [(head.stride, head.scale_xy, head.anchors.tolist()) for head in built.heads] == [
        (head.stride, head.scale_xy, head.anchors.tolist()) for head in ours.heads
    ]
    for raw, expected in zip(_outputs(ours, images[:1]), _outputs(built, images[:1]), strict=True):
        assert np.abs(raw).max() > 0.5
        np.testing.assert_allclose(raw, expected, atol=1e-4)
