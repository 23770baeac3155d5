"""LeNet-5, AlexNet, VGG and Network in Network against published counts, keras.applications and TensorFlow."""

from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format

from course_utils import data, training
from course_utils.models import alexnet, lenet, nin, vgg

SMALL = {"alexnet_small": alexnet.alexnet_small, "vgg_small": vgg.vgg_small, "nin_small": nin.nin_small}
EPOCHS = {"alexnet_small": 12, "vgg_small": 5, "nin_small": 5}  # two layers of dropout start slowly


@pytest.fixture
def free_memory() -> Iterator[None]:
    yield
    keras.backend.clear_session(free_memory=True)


def conv_layers(model: keras.Model) -> dict[str, tuple[int, ...]]:
    """Output shape, without the batch, of each layer that has weights."""
    return {layer.name: tuple(layer.output.shape[1:]) for layer in model.layers if layer.weights}


def test_lenet5_has_the_published_count_and_maps() -> None:
    model = lenet.lenet5()
    assert model.count_params() == 61_706
    assert conv_layers(model) == {
        "c1": (28, 28, 6),
        "c3": (10, 10, 16),
        "c5": (120,),
        "f6": (84,),
        "predictions": (10,),
    }
    assert lenet.lenet5((28, 28, 1), padding="same").count_params() == 61_706
    assert lenet.lenet5((32, 32, 3)).output_shape == (None, 10)


def test_outputs_are_logits_unless_an_activation_is_asked_for() -> None:
    images = np.random.default_rng(0).random((4, 32, 32, 3), dtype=np.float32)
    for build in (lenet.lenet5, nin.nin, *SMALL.values()):
        logits = build(input_shape=(32, 32, 3), classes=7)
        probabilities = build(input_shape=(32, 32, 3), classes=7, activation="softmax")
        probabilities.set_weights(logits.get_weights())
        expected = tf.nn.softmax(logits(images)).numpy()
        np.testing.assert_allclose(probabilities(images), expected, atol=1e-5)


@pytest.mark.usefixtures("free_memory")
def test_alexnet_has_the_published_count_and_maps() -> None:
    model = alexnet.alexnet()
    assert model.count_params() == 62_378_344
    shapes = conv_layers(model)
    assert shapes["conv1"] == (55, 55, 96)
    assert shapes["conv2"] == (27, 27, 256)
    assert shapes["conv5"] == (13, 13, 256)
    assert model.get_layer("conv5_pool").output.shape[1:] == (6, 6, 256)
    assert sum(isinstance(layer, alexnet.LocalResponseNormalization) for layer in model.layers) == 2


@pytest.mark.parametrize("size", [1, 5, 9])
def test_local_response_normalization_equals_tensorflow(size: int) -> None:
    maps = np.random.default_rng(size).normal(0, 30, (2, 3, 4, 11)).astype(np.float32)
    layer = alexnet.LocalResponseNormalization(size, k=2.0, alpha=1e-2, beta=0.75)
    expected = tf.nn.local_response_normalization(maps, depth_radius=size // 2, bias=2.0, alpha=1e-2, beta=0.75)
    np.testing.assert_allclose(layer(maps), expected, rtol=1e-4, atol=1e-5)


def test_local_response_normalization_is_saved_with_its_model(tmp_path: Path) -> None:
    layer = alexnet.LocalResponseNormalization(3, k=1.0)
    model = keras.Sequential([keras.Input((4, 4, 6)), layer])
    model.save(tmp_path / "lrn.keras")
    again = keras.models.load_model(tmp_path / "lrn.keras")
    maps = np.random.default_rng(0).normal(size=(1, 4, 4, 6)).astype(np.float32)
    np.testing.assert_array_equal(again(maps), model(maps))
    with pytest.raises(ValueError, match="impair"):
        alexnet.LocalResponseNormalization(4)


def test_nin_has_the_published_count() -> None:
    """966,986: the count that the imgclsmob model zoo gives for the NIN of CIFAR-10."""
    model = nin.nin()
    assert model.count_params() == 966_986
    assert model.output_shape == (None, 10)


def test_a_1x1_convolution_is_a_dense_layer_at_each_pixel() -> None:
    inputs = keras.Input((5, 6, 3))
    model = keras.Model(inputs, nin.mlpconv(inputs, (4, 2), 1, activate_last=False, name="mlp"))
    images = np.random.default_rng(0).normal(size=(2, 5, 6, 3)).astype(np.float32)
    kernel1, bias1, kernel2, bias2 = model.get_weights()
    hidden = np.maximum(images.reshape(-1, 3) @ kernel1[0, 0] + bias1, 0)
    expected = (hidden @ kernel2[0, 0] + bias2).reshape(2, 5, 6, 2)
    np.testing.assert_allclose(model(images), expected, atol=1e-5)


@pytest.mark.usefixtures("free_memory")
@pytest.mark.parametrize(
    ("name", "build", "official", "count"),
    [
        ("vgg16", vgg.vgg16, keras.applications.VGG16, 138_357_544),
        ("vgg19", vgg.vgg19, keras.applications.VGG19, 143_667_240),
    ],
)
def test_vgg_equals_keras_applications(name: str, build, official, count: int) -> None:
    theirs = official(weights=None, classifier_activation=None)
    ours = build()
    assert ours.count_params() == count
    assert ours.name == name
    assert [layer.name for layer in ours.layers[1:]] == [layer.name for layer in theirs.layers[1:]]
    rng = np.random.default_rng(0)
    for weight in theirs.weights:
        if weight.name == "bias":  # zero as Keras makes them: a bias put in the wrong place would not show
            weight.assign(rng.normal(0, 0.1, weight.shape))
    ours.set_weights(theirs.get_weights())
    image = rng.normal(size=(1, 224, 224, 3)).astype(np.float32)
    expected = np.asarray(theirs(image))
    assert np.ptp(expected) > 0.1
    np.testing.assert_allclose(ours(image), expected, atol=1e-4)


def test_vgg_loads_the_legacy_file_without_its_head(tmp_path: Path) -> None:
    """The official files are of this format: HDF5, one group for each layer, in order."""
    theirs = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    rng = np.random.default_rng(1)
    theirs.set_weights([rng.normal(0, 0.05, w.shape).astype(np.float32) for w in theirs.get_weights()])
    with h5py.File(tmp_path / "vgg16_notop.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, theirs)
    ours = vgg.vgg16((32, 32, 3), include_top=False)
    ours.load_weights(tmp_path / "vgg16_notop.h5")
    image = rng.random((2, 32, 32, 3), dtype=np.float32)
    expected = np.asarray(theirs(image))
    assert np.ptp(expected) > 1e-3
    np.testing.assert_allclose(ours(image), expected, atol=1e-4)


@pytest.mark.parametrize("name", SMALL)
def test_small_networks_are_small(name: str) -> None:
    model = SMALL[name]()
    assert model.input_shape == (None, 32, 32, 3)
    assert model.output_shape == (None, 10)
    assert model.count_params() < 300_000


@pytest.mark.parametrize("name", SMALL)
def test_small_networks_learn(name: str) -> None:
    """Chance is 10 %: a few views of four hundred street sprites must already teach something."""
    sprites = data.load("street", n=400)
    training.set_seed(0)
    model = SMALL[name]()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss)
    history = model.fit(sprites.images, sprites.labels, batch_size=16, epochs=EPOCHS[name], verbose=0).history
    assert history["loss"][-1] < 0.85 * history["loss"][0]
    predicted = model.predict(sprites.images, verbose=0).argmax(axis=1)
    assert np.mean(predicted == sprites.labels) > 0.3


@pytest.mark.parametrize(
    ("build", "minimum"),
    [
        (lenet.lenet5, 16),
        (alexnet.alexnet, 67),
        (alexnet.alexnet_small, 15),
        (vgg.vgg16, 32),
        (vgg.vgg19, 32),
        (vgg.vgg_small, 8),
        (nin.nin, 8),
        (nin.nin_small, 8),
    ],
)
def test_images_too_small_are_refused_with_the_minimum(build, minimum: int) -> None:
    with pytest.raises(ValueError, match=rf"trop petite.*au moins {minimum}\s×\s{minimum}"):
        build(input_shape=(minimum, minimum - 1, 3))
    if build not in (alexnet.alexnet, vgg.vgg16, vgg.vgg19):
        build(input_shape=(minimum, minimum, 3), classes=2)


def test_alexnet_and_vgg_accept_their_minimum() -> None:
    assert alexnet.alexnet((67, 67, 3), classes=2).get_layer("conv5_pool").output.shape[1:3] == (1, 1)
    assert vgg.vgg19((32, 32, 3), include_top=False).output_shape == (None, 1, 1, 512)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"input_shape": (32, 32)}, r"\(hauteur, largeur, canaux\)"),
        ({"input_shape": (None, 32, 32, 3)}, r"\(hauteur, largeur, canaux\)"),
        ({"input_shape": (32, 32, 0)}, "nombre de canaux"),
        ({"input_shape": (32, 32, None)}, "nombre de canaux"),
        ({"input_shape": (None, None, 3)}, "doivent être fixées"),
        ({"classes": 0}, "nombre de classes"),
        ({"classes": "10"}, "nombre de classes"),
    ],
)
def test_other_bad_arguments_are_refused(kwargs: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        vgg.vgg_small(**kwargs)


def test_networks_without_dense_layers_take_any_size() -> None:
    assert nin.nin_small((None, None, 3)).output_shape == (None, 10)
    assert vgg.vgg16((None, None, 3), include_top=False).output_shape == (None, None, None, 512)
