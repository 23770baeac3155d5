"""ResNets against published counts, keras.applications, TensorFlow and the definition of a residual."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import twin

from course_utils.models import resnet


@pytest.fixture(autouse=True)
def free_memory() -> Iterator[None]:
    yield
    keras.backend.clear_session(free_memory=True)


def trained_parameters(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.fixture
def images() -> np.ndarray:
    return np.random.default_rng(0).random((4, 32, 32, 3), dtype=np.float32)


@pytest.mark.parametrize(("build", "count"), [(resnet.resnet18, 11_689_512), (resnet.resnet34, 21_797_672)])
def test_basic_resnets_have_the_published_counts(build, count) -> None:
    model = build()
    assert trained_parameters(model) == count
    assert model.get_layer("conv5_block1_out").output.shape == (None, 7, 7, 512)


@pytest.mark.parametrize(("depth", "count"), [(20, 269_722), (56, 853_018), (110, 1_727_962)])
def test_cifar_resnets_have_the_published_counts(depth, count) -> None:
    # Yerlan Idelbayev, « Proper ResNet implementation for CIFAR10 »: 0.27, 0.85 and 1.7 M as in table 6 of the paper.
    model = resnet.resnet_cifar(depth)
    assert trained_parameters(model) == count
    with_weights = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]
    assert len(with_weights) == depth


def test_resnet50_equals_keras_applications_and_loads_its_files(tmp_path: Path) -> None:
    theirs = keras.applications.ResNet50(weights=None, input_shape=(64, 64, 3), classifier_activation=None)
    twin.shake(theirs, scale=255)
    ours = resnet.resnet50((64, 64, 3))
    assert ours.count_params() == 25_636_712
    assert twin.layout(ours) == twin.layout(theirs)
    ours.set_weights(theirs.get_weights())
    assert twin.largest_gap(ours, theirs, scale=255) <= 1e-4

    twin.write_legacy_h5(theirs, tmp_path / "weights.h5")
    ours.set_weights([np.zeros_like(weight) for weight in ours.get_weights()])
    ours.load_weights(tmp_path / "weights.h5")
    assert twin.largest_gap(ours, theirs, scale=255) <= 1e-4


def test_plain_and_residual_networks_have_the_same_weights() -> None:
    residual, plain = resnet.resnet_cifar(20, 4), resnet.resnet_cifar(20, 4, residual=False)
    assert [tuple(w.shape) for w in residual.weights] == [tuple(w.shape) for w in plain.weights]
    assert not any(isinstance(layer, keras.layers.Add) for layer in plain.layers)
    assert sum(isinstance(layer, keras.layers.Add) for layer in residual.layers) == 9


def test_a_block_whose_branch_is_zero_lets_its_input_through() -> None:
    x = np.random.default_rng(0).random((2, 6, 6, 4), dtype=np.float32)
    for stride, filters in ((1, 4), (2, 8), (1, 7)):
        inputs = keras.Input((6, 6, 4))
        block = keras.Model(inputs, resnet.residual_block(inputs, filters, stride=stride, name="b"))
        block.get_layer("b_2_bn").gamma.assign(np.zeros(filters))
        before = (filters - 4) // 2
        expected = np.pad(x[:, ::stride, ::stride], ((0, 0), (0, 0), (0, 0), (before, filters - 4 - before)))
        np.testing.assert_allclose(block(x), expected, atol=1e-6)


@pytest.mark.parametrize("residual", [True, False])
def test_the_shortcut_is_added_to_the_branch_before_the_last_relu(residual: bool) -> None:
    inputs = keras.Input((5, 5, 3))
    model = keras.Model(inputs, resnet.residual_block(inputs, 3, residual=residual, name="b"))
    branch = keras.Model(inputs, model.get_layer("b_2_bn").output)
    x = np.random.default_rng(1).normal(size=(2, 5, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(model(x), np.maximum(np.asarray(branch(x)) + residual * x, 0), atol=1e-6)


def test_basic_block_projects_only_where_the_shape_changes() -> None:
    inputs = keras.Input((8, 8, 4))
    same = keras.Model(inputs, resnet.basic_block(inputs, 4))
    wider = keras.Model(inputs, resnet.basic_block(inputs, 6, stride=2))
    assert trained_parameters(same) == 2 * (9 * 4 * 4 + 2 * 4)
    assert trained_parameters(wider) == 9 * 4 * 6 + 9 * 6 * 6 + 4 * 6 + 3 * 2 * 6
    assert wider.output_shape == (None, 4, 4, 6)


def test_outputs_are_logits_unless_an_activation_is_asked_for(images: np.ndarray) -> None:
    logits, probabilities = resnet.resnet_small(), resnet.resnet_small(activation="softmax")
    probabilities.set_weights(logits.get_weights())
    scores = np.exp(np.asarray(logits(images), np.float64))
    np.testing.assert_allclose(probabilities(images), scores / scores.sum(1, keepdims=True), atol=1e-5)


def test_small_network_saves_and_learns(tmp_path: Path, images: np.ndarray) -> None:
    keras.utils.set_random_seed(0)
    model = resnet.resnet_small(classes=4)
    assert model.count_params() <= 300_000
    labels = np.arange(4)
    model.compile(keras.optimizers.Adam(0.01), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    losses = model.fit(images, labels, epochs=12, batch_size=4, verbose=0).history["loss"]
    assert losses[-1] < losses[0] / 3
    model.save(tmp_path / "small.keras")
    again = keras.models.load_model(tmp_path / "small.keras")
    np.testing.assert_allclose(again(images), model(images), atol=1e-5)


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        (lambda: resnet.resnet_cifar(21), r"6 n \+ 2"),
        (lambda: resnet.resnet_cifar(2), r"6 n \+ 2"),
        (lambda: resnet.resnet_cifar(20, 0), "width"),
        (lambda: resnet.resnet50((16, 16, 3)), r"32\s×\s32"),
        (lambda: resnet.resnet18((32, 32)), "hauteur, largeur, canaux"),
        (lambda: resnet.resnet34((1, 32, 32, 3)), "hauteur, largeur, canaux"),
        (lambda: resnet.resnet_small(classes=0), "classes"),
    ],
)
def test_bad_requests_are_explained(request_, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        request_()


def test_a_bottleneck_without_projection_refuses_another_shape() -> None:
    with pytest.raises(ValueError, match="projection=True"):
        resnet.bottleneck_block(keras.Input((8, 8, 16)), 8)


def test_a_block_cannot_lose_channels() -> None:
    with pytest.raises(ValueError, match="filters"):
        resnet.residual_block(keras.Input((8, 8, 16)), 8)
