"""DenseNets against published counts, keras.applications and the definition of a dense layer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import keras
import numpy as np
import pytest
import twin

from course_utils.models import densenet


@pytest.fixture(autouse=True)
def free_memory() -> Iterator[None]:
    yield
    keras.backend.clear_session(free_memory=True)


def trained_parameters(model: keras.Model) -> int:
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_densenet121_equals_keras_applications_and_loads_its_files(tmp_path: Path) -> None:
    theirs = keras.applications.DenseNet121(weights=None, input_shape=(64, 64, 3), classifier_activation=None)
    twin.shake(theirs)
    ours = densenet.densenet121((64, 64, 3))
    assert ours.count_params() == 8_062_504
    assert twin.layout(ours) == twin.layout(theirs)
    twin.write_legacy_h5(theirs, tmp_path / "weights.h5")
    ours.load_weights(tmp_path / "weights.h5")
    assert twin.largest_gap(ours, theirs) <= 1e-4
    ours.set_weights(theirs.get_weights())
    assert twin.largest_gap(ours, theirs) <= 1e-4


@pytest.mark.parametrize(
    ("depth", "growth", "bottleneck", "count"),
    # Published counts: 1.0 M (L=40, k=12) and 0.8 M (BC, L=100, k=12) in table 2 of the paper.
    [(40, 12, False, 1_019_722), (100, 12, True, 769_162), (40, 12, True, 176_122)],
)
def test_cifar_densenets_have_the_published_counts(depth, growth, bottleneck, count) -> None:
    model = densenet.densenet_cifar(depth, growth, bottleneck)
    assert trained_parameters(model) == count
    with_weights = [layer for layer in model.layers if isinstance(layer, keras.layers.Conv2D | keras.layers.Dense)]
    assert len(with_weights) == depth


def test_a_dense_layer_keeps_its_input_and_adds_growth_channels() -> None:
    inputs = keras.Input((6, 6, 5))
    model = keras.Model(inputs, densenet.dense_layer(inputs, 3))
    x = np.random.default_rng(0).random((2, 6, 6, 5), dtype=np.float32)
    y = np.asarray(model(x))
    assert y.shape == (2, 6, 6, 8)
    np.testing.assert_array_equal(y[..., :5], x)
    assert np.ptp(y[..., 5:]) > 0
    assert trained_parameters(model) == 2 * 5 + 5 * 12 + 2 * 12 + 9 * 12 * 3


def test_a_dense_block_and_a_transition_have_the_paper_s_shapes() -> None:
    inputs = keras.Input((8, 8, 10))
    block = densenet.dense_block(inputs, 4, 6)
    assert block.shape == (None, 8, 8, 34)
    assert densenet.transition(block).shape == (None, 4, 4, 17)


def test_small_network_saves_and_learns(tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    images = np.random.default_rng(0).random((4, 32, 32, 3), dtype=np.float32)
    model = densenet.densenet_small(classes=4)
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
        (lambda: densenet.densenet_cifar(41), r"6 n \+ 4"),
        (lambda: densenet.densenet_cifar(39, bottleneck=False), r"3 n \+ 4"),
        (lambda: densenet.densenet_cifar(40, 0), "growth"),
        (lambda: densenet.densenet121((31, 224, 3)), r"32\s×\s32"),
        (lambda: densenet.densenet_small((32, 32)), "hauteur, largeur, canaux"),
        (lambda: densenet.densenet_small(classes=0), "classes"),
    ],
)
def test_bad_requests_are_explained(request_, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        request_()
