"""GoogLeNet, Inception v2 and v3 against published counts and keras.applications."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras import layers
from keras.src.legacy.saving import legacy_h5_format

from course_utils import data, training
from course_utils.models import inception

VARIANTS = {
    "v1": {},
    "v2": {"factorised": True},
    "aux": {"aux": True},
}


@pytest.fixture(scope="module")
def official() -> Iterator[keras.Model]:
    """The library's Inception v3, with every weight random, moving means and variances included."""
    model = keras.applications.InceptionV3(
        weights=None, include_top=True, input_shape=(299, 299, 3), classifier_activation=None
    )
    rng = np.random.default_rng(0)
    values = []
    for weight in model.weights:
        if weight.name == "moving_variance":
            values.append(rng.uniform(0.5, 1.5, weight.shape))
        elif len(weight.shape) == 1:
            values.append(rng.normal(0, 0.2, weight.shape))
        else:
            fan_in = np.prod(weight.shape[:-1])
            values.append(rng.normal(0, np.sqrt(2 / fan_in), weight.shape))
    model.set_weights(values)
    yield model
    keras.backend.clear_session(free_memory=True)


def trainable(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_googlenet_has_the_published_counts() -> None:
    """6,998,552 without heads (d2l.ai, HPE Deep Learning Benchmarks), 13,378,280 with both (Caffe's bvlc_googlenet)."""
    model = inception.googlenet()
    assert model.count_params() == 6_998_552
    assert model.get_layer("inception_3a").output.shape[1:] == (28, 28, 256)
    assert model.get_layer("inception_4e").output.shape[1:] == (14, 14, 832)
    assert model.get_layer("inception_5b").output.shape[1:] == (7, 7, 1024)
    with_heads = inception.googlenet(aux=True)
    assert with_heads.count_params() == 13_378_280
    assert with_heads.output_names == ["main", "aux1", "aux2"]


def test_inception_v2_has_the_published_count() -> None:
    """11,295,240 trainable parameters (BN-Inception, imgclsmob and Cadene's zoos), convolution biases included."""
    model = inception.inception_v2()
    biases = sum(layer.filters for layer in model.layers if isinstance(layer, layers.Conv2D))
    assert trainable(model) + biases == 11_295_240
    assert model.get_layer("inception_3c").output.shape[1:] == (14, 14, 576)
    assert model.get_layer("inception_5b").output.shape[1:] == (7, 7, 1024)


def test_inception_v3_equals_keras_applications(official: keras.Model) -> None:
    ours = inception.inception_v3()
    assert ours.count_params() == 23_851_784
    assert [type(layer) for layer in ours.layers] == [type(layer) for layer in official.layers]
    named = {layer.name for layer in official.layers if layer.name.startswith(("mixed", "avg_pool", "predictions"))}
    assert named <= {layer.name for layer in ours.layers}
    ours.set_weights(official.get_weights())
    image = np.random.default_rng(7).uniform(-1, 1, (1, 299, 299, 3)).astype(np.float32)
    expected = np.asarray(official(image))
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(ours(image), expected, atol=1e-4)


def test_inception_v3_loads_the_legacy_file(official: keras.Model, tmp_path: Path) -> None:
    """The official files are of this format: HDF5, one group for each layer, in order."""
    with h5py.File(tmp_path / "inception_v3.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, official)
    ours = inception.inception_v3((None, None, 3))
    ours.load_weights(tmp_path / "inception_v3.h5")
    for read, written in zip(ours.get_weights(), official.get_weights(), strict=True):
        np.testing.assert_array_equal(read, written)


def test_two_3x3_see_5x5_pixels_with_fewer_weights() -> None:
    inputs = keras.Input((16, 16, 8))
    widths = (4, 4, 4, 8, 8, 4)
    v1 = keras.Model(inputs, inception.inception_block(inputs, widths, batch_norm=True, name="out"))
    v2 = keras.Model(inputs, inception.factorised_block(inputs, widths, name="out"))
    assert v1.output_shape == v2.output_shape == (None, 16, 16, 20)
    # 25 × 8 × 8 weights become 2 × 9 × 8 × 8, and the second convolution brings a β and a γ for each of its 8 channels.
    assert trainable(v1) - trainable(v2) == (25 - 18) * 64 - 2 * 8
    for model in (v1, v2):
        base = np.random.default_rng(0).random((1, 16, 16, 8)).astype(np.float32)
        touched = base.copy()
        touched[0, 8, 8] += 1.0
        rows = np.abs(model(touched) - model(base))[0].max(axis=(1, 2)).nonzero()[0]
        assert set(rows) == {6, 7, 8, 9, 10}


def test_factorised_block_refuses_an_unknown_pooling() -> None:
    with pytest.raises(ValueError, match="pool vaut 'sum'"):
        inception.factorised_block(keras.Input((8, 8, 4)), (4, 4, 4, 4, 4, 4), pool="sum", name="out")


def test_asymmetric_filters_cost_2n_instead_of_n_squared() -> None:
    inputs = keras.Input((17, 17, 16))
    model = keras.Model(inputs, inception.asymmetric_block(inputs, 8, name="out"))
    assert model.output_shape == (None, 17, 17, 768)
    kernels = {layer.kernel_size for layer in model.layers if isinstance(layer, layers.Conv2D)}
    assert kernels == {(1, 1), (1, 7), (7, 1)}


@pytest.mark.parametrize("variant", VARIANTS)
def test_googlenet_small_learns(variant: str) -> None:
    """Chance is 10 %: a few views of four hundred street sprites must already teach something."""
    sprites = data.load("street", n=400)
    training.set_seed(0)
    model = inception.googlenet_small(**VARIANTS[variant])
    assert model.count_params() < 300_000
    outputs = len(model.outputs)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    weights = list(inception.AUXILIARY_WEIGHTS) if outputs == 3 else None
    model.compile(keras.optimizers.Adam(2e-3), [loss] * outputs, loss_weights=weights)
    labels = [sprites.labels] * outputs if outputs == 3 else sprites.labels
    history = model.fit(sprites.images, labels, batch_size=16, epochs=4, verbose=0).history
    assert history["loss"][-1] < 0.85 * history["loss"][0]
    answers = model.predict(sprites.images, verbose=0)
    main = answers[0] if outputs == 3 else answers
    assert np.mean(main.argmax(axis=1) == sprites.labels) > 0.3


@pytest.mark.parametrize(
    ("build", "kwargs", "minimum"),
    [
        (inception.googlenet, {}, 32),
        (inception.googlenet, {"aux": True}, 65),
        (inception.googlenet_small, {}, 8),
        (inception.googlenet_small, {"aux": True}, 17),
        (inception.inception_v2, {}, 32),
        (inception.inception_v3, {}, 75),
    ],
)
def test_images_too_small_are_refused_with_the_minimum(build, kwargs: dict, minimum: int) -> None:
    with pytest.raises(ValueError, match=rf"trop petite.*au moins {minimum}\s×\s{minimum}"):
        build(input_shape=(minimum - 1, minimum, 3), **kwargs)
    model = build(input_shape=(minimum, minimum, 3), classes=3, **kwargs)
    assert model.outputs[0].shape == (None, 3)


def test_sizes_may_be_left_open_without_auxiliary_heads() -> None:
    assert inception.googlenet_small((None, None, 3)).output_shape == (None, 10)
    with pytest.raises(ValueError, match="doivent être fixées"):
        inception.googlenet_small((None, None, 3), aux=True)
