"""Training of the networks that ship: augmentation, batches, resumption."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from course_utils.models.resnet9 import resnet9
from course_utils.models.shipping import Augmentation, Batches, Recipe, train


@pytest.fixture
def images():
    return np.random.default_rng(0).random((40, 12, 10, 3), dtype=np.float32)


def test_no_augmentation_changes_nothing(images):
    np.testing.assert_array_equal(Augmentation()(images, np.random.default_rng(1)), images)


def test_flip_mirrors_about_half_of_the_images(images):
    changed = Augmentation(flip=True)(images, np.random.default_rng(1))
    mirrored = [np.array_equal(a, b[:, ::-1]) for a, b in zip(changed, images, strict=True)]
    kept = [np.array_equal(a, b) for a, b in zip(changed, images, strict=True)]
    assert all(m or k for m, k in zip(mirrored, kept, strict=True))
    assert 10 <= sum(mirrored) <= 30


def test_shift_is_a_crop_of_the_mirrored_image(images):
    changed = Augmentation(shift=2)(images, np.random.default_rng(1))
    padded = np.pad(images, ((0, 0), (2, 2), (2, 2), (0, 0)), mode="reflect")
    found = set()
    for image, wide in zip(changed, padded, strict=True):
        places = [(i, j) for i in range(5) for j in range(5) if np.array_equal(image, wide[i : i + 12, j : j + 10])]
        assert len(places) == 1
        found.update(places)
    assert len(found) > 12


def test_cutout_erases_one_square_clipped_by_the_border(images):
    changed = Augmentation(cutout=4)(images, np.random.default_rng(1))
    for image, original in zip(changed, images, strict=True):
        erased = (image != original).all(axis=-1)
        rows, columns = np.flatnonzero(erased.any(axis=1)), np.flatnonzero(erased.any(axis=0))
        assert 1 <= len(rows) <= 4 and 1 <= len(columns) <= 4
        assert erased.sum() == len(rows) * len(columns)
        assert (image[erased] == 0.5).all()


def test_the_original_images_are_left_alone(images):
    before = images.copy()
    Augmentation(shift=1, flip=True, cutout=3)(images, np.random.default_rng(0))
    np.testing.assert_array_equal(images, before)


def test_an_epoch_shows_each_image_once_and_another_epoch_in_another_order(images):
    labels = np.arange(40)
    epochs = [Batches(images, labels, batch_size=8, augment=Augmentation(), seed=[0, epoch]) for epoch in (0, 0, 1)]
    orders = [np.concatenate([batches[k][1] for k in range(len(batches))]) for batches in epochs]
    assert sorted(orders[0]) == list(range(40))
    np.testing.assert_array_equal(orders[0], orders[1])
    assert not np.array_equal(orders[0], orders[2])


def test_a_training_cut_short_resumes_where_it_was(tmp_path, monkeypatch):
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 3, 96)
    images = (0.1 * rng.random((96, 8, 8, 1)) + labels[:, None, None, None] / 3).astype(np.float32)
    recipe = Recipe(epochs=3, batch_size=16, peak=0.05, augment=Augmentation(flip=True), seed=4)

    def build():
        return resnet9((8, 8, 1), 3, widths=(4, 4, 4, 4))

    def run(folder):
        return train(build, (images, labels), (images, labels), recipe, folder=folder)

    whole, history = run(tmp_path / "whole")
    assert history["loss"][-1] < 0.9 * history["loss"][0]

    fitted, calls = keras.Model.fit, []

    def dies_in_the_second_epoch(self, *args, **options):
        calls.append(self)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return fitted(self, *args, **options)

    monkeypatch.setattr(keras.Model, "fit", dies_in_the_second_epoch)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "cut")
    monkeypatch.undo()
    resumed, again = run(tmp_path / "cut")
    assert len(again["loss"]) == 3
    np.testing.assert_allclose(again["loss"], history["loss"], rtol=0.01)
    for ours, theirs in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=0.02)


def test_the_result_computes_in_float32(tmp_path):
    images, labels = np.zeros((16, 8, 8, 1), np.float32), np.arange(16) % 2
    model, _ = train(
        lambda: resnet9((8, 8, 1), 2, widths=(2, 2, 2, 2)),
        (images, labels),
        (images, labels),
        Recipe(epochs=1, batch_size=8),
        folder=tmp_path,
    )
    assert {layer.compute_dtype for layer in model.layers} == {"float32"}
    assert keras.config.dtype_policy().name == "float32"


def test_too_small_an_image_is_refused_in_french():
    with pytest.raises(ValueError, match="au moins 8 × 8"):
        resnet9((6, 32, 3))
