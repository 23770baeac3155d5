"""EfficientNets against keras.applications, the paper's figures and NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import twin

from course_utils.models import efficientnet

COUNTS = {
    "b0": 5_330_571,
    "b1": 7_856_239,
    "b2": 9_177_569,
    "b3": 12_320_535,
    "b4": 19_466_823,
    "b5": 30_562_527,
    "b6": 43_265_143,
    "b7": 66_658_687,
}


@pytest.fixture(autouse=True)
def free_memory() -> Iterator[None]:
    yield
    keras.backend.clear_session(free_memory=True)


def stochastic_depth(model: keras.Model) -> dict[str, float]:
    """Rate of each layer that drops whole images."""
    kind = keras.layers.Dropout
    return {x.name: x.rate for x in model.layers if isinstance(x, kind) and x.noise_shape == (None, 1, 1, 1)}


@pytest.mark.parametrize("name", COUNTS)
def test_the_family_equals_keras_applications(name: str) -> None:
    size = 64 if name == "b0" else 33  # odd sizes pad otherwise than even ones
    build = getattr(keras.applications, f"EfficientNet{name.upper()}")
    theirs = build(weights=None, input_shape=(size, size, 3), classifier_activation=None)
    twin.shake(theirs, scale=255)
    ours = getattr(efficientnet, f"efficientnet_{name}")((size, size, 3))
    assert ours.count_params() == theirs.count_params() == COUNTS[name]
    assert twin.layout(ours) == twin.layout(theirs)
    assert stochastic_depth(ours) == pytest.approx(stochastic_depth(theirs))
    assert ours.get_layer("top_dropout").rate == theirs.get_layer("top_dropout").rate
    ours.set_weights(theirs.get_weights())
    twin.finalize(ours)
    assert twin.largest_gap(ours, theirs, scale=255) <= 1e-4


def test_the_official_files_load(tmp_path: Path) -> None:
    theirs = keras.applications.EfficientNetB0(weights=None, input_shape=(64, 64, 3), classifier_activation=None)
    twin.shake(theirs, scale=255)
    twin.write_legacy_h5(theirs, tmp_path / "weights.h5")
    ours = efficientnet.efficientnet_b0((64, 64, 3))
    ours.load_weights(tmp_path / "weights.h5")
    assert twin.largest_gap(ours, theirs, scale=255) <= 1e-4
    efficientnet.efficientnet_b0((64, 64, 3), imagenet_inputs=True).load_weights(tmp_path / "weights.h5")


def test_imagenet_inputs_are_standardised() -> None:
    # The official files hold the standard deviations where the layer expects variances.
    mean, std = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
    model = efficientnet.efficientnet_b0((32, 32, 3), imagenet_inputs=True)
    layer = model.get_layer("normalization")
    layer.set_weights([mean, std, np.array(0)])
    layer.finalize_state()
    start = keras.Model(model.input, model.get_layer("imagenet_rescaling").output)
    images = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_allclose(start(images), (images / 255 - mean) / std, atol=1e-4)


@pytest.mark.parametrize("name", COUNTS)
def test_compound_scaling_multiplies_resolution_as_the_authors(name: str) -> None:
    default = getattr(efficientnet, f"efficientnet_{name}").__defaults__[0]
    resolution = {"b0": 224, "b1": 240, "b2": 260, "b3": 300, "b4": 380, "b5": 456, "b6": 528, "b7": 600}[name]
    assert default == (resolution, resolution, 3)
    assert efficientnet.VARIANTS[name].resolution == resolution


def test_rounding_follows_the_authors_code() -> None:
    tops = [efficientnet.round_filters(1280, efficientnet.VARIANTS[name].width) for name in COUNTS]
    assert tops == [1280, 1280, 1408, 1536, 1792, 2048, 2304, 2560]
    assert efficientnet.round_filters(12, 0.9) == 16  # 8 would lose more than 10 %
    assert [efficientnet.round_repeats(4, depth) for depth in (1.0, 1.1, 1.8, 3.1)] == [4, 5, 8, 13]


def test_squeeze_excite_weighs_each_channel_by_its_mean() -> None:
    inputs = keras.Input((5, 4, 6))
    model = keras.Model(inputs, efficientnet.squeeze_excite(inputs, 2, name="se"))
    twin.shake(model)
    x = np.random.default_rng(0).random((3, 5, 4, 6), dtype=np.float32)
    reduce_kernel, reduce_bias, expand_kernel, expand_bias = model.get_weights()
    hidden = x.mean((1, 2)) @ reduce_kernel[0, 0] + reduce_bias
    hidden = hidden / (1 + np.exp(-hidden))
    weights = 1 / (1 + np.exp(-(hidden @ expand_kernel[0, 0] + expand_bias)))
    np.testing.assert_allclose(model(x), x * weights[:, None, None, :], atol=1e-5)


@pytest.mark.parametrize(("stride", "filters", "added"), [(1, 8, True), (1, 12, False), (2, 8, False)])
def test_mbconv_adds_its_input_only_where_shapes_agree(stride: int, filters: int, added: bool) -> None:
    inputs = keras.Input((9, 9, 8))
    model = keras.Model(inputs, efficientnet.mbconv(inputs, filters, stride=stride, name="b"))
    branch = keras.Model(inputs, model.get_layer("b_project_bn").output)
    x = np.random.default_rng(0).random((2, 9, 9, 8), dtype=np.float32)
    np.testing.assert_allclose(model(x), np.asarray(branch(x)) + (x if added else 0), atol=1e-5)
    assert model.output_shape == (None, -(-9 // stride), -(-9 // stride), filters)


def test_small_network_saves_and_learns(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).random((4, 32, 32, 3), dtype=np.float32)
    model = efficientnet.efficientnet_small(classes=4)
    assert model.count_params() <= 300_000
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = model.fit(images, np.arange(4), epochs=12, batch_size=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 3
    model.save(tmp_path / "small.keras")
    again = keras.models.load_model(tmp_path / "small.keras")
    np.testing.assert_allclose(again(images), model(images), atol=1e-5)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (lambda: efficientnet.efficientnet(0, 1), "facteurs positifs"),
        (lambda: efficientnet.efficientnet(1, -1), "facteurs positifs"),
        (lambda: efficientnet.variant("b8"), "b0, b1"),
        (lambda: efficientnet.efficientnet_b0((16, 16, 3)), r"32\s×\s32"),
        (lambda: efficientnet.efficientnet_b1((240, 240)), "hauteur, largeur, canaux"),
        (lambda: efficientnet.efficientnet_b0((64, 64, 1), imagenet_inputs=True), "trois canaux"),
        (lambda: efficientnet.efficientnet_small(classes=0), "classes"),
    ],
)
def test_bad_requests_are_explained(request_, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        request_()
