"""Training: it learns, repeats, resumes exactly, refuses what does not fit."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from course_utils.detection.yolo import sets, training
from course_utils.detection.yolo.mosaic import Augmentation
from course_utils.detection.yolo.network import yolov4_tiny


def squares(n: int, seed: int, size: int = 64) -> sets.Examples:
    """Images of one or two bright rectangles, tall (0) or wide (1), on noise; one image out of five is empty."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 70, (n, size, size, 3)).astype(np.uint8)
    boxes, classes = [], []
    for k in range(n):
        kinds = rng.integers(0, 2, 0 if k % 5 == 4 else 1)
        some = []
        for kind in kinds:
            w, h = (14, 26) if kind == 0 else (26, 14)
            x, y = rng.integers(0, size - w), rng.integers(0, size - h)
            images[k, y : y + h, x : x + w] = (230, 200, 60) if kind == 0 else (60, 200, 230)
            some.append((x, y, x + w, y + h))
        boxes.append(np.float32(some).reshape(-1, 4))
        classes.append(kinds.astype(np.int64))
    ignored = tuple(np.zeros(len(c), bool) for c in classes)
    return sets.Examples(images, tuple(boxes), tuple(classes), ignored, ("haut", "large"), "rectangles")


def small_network(examples, seed=0, width=0.125):
    keras.utils.set_random_seed(seed)
    anchors = training.anchors_for(examples, each=1)
    return yolov4_tiny(2, examples.images.shape[1:], width=width, anchors=anchors)


def test_it_learns_and_the_history_says_so():
    train, test = squares(240, 0), squares(40, 1)
    network = small_network(train)
    recipe = training.Recipe(epochs=20, batch_size=8, peak=1e-2, iou_threshold=0.3, augment=Augmentation(mosaic=0.1))
    history = training.fit(network, train, recipe, validation=test, every=10)
    assert set(history) == {"loss", "box", "objectness", "classes", "val_map50", "seconds"}
    assert len(history["loss"]) == 20 and len(history["val_map50"]) == 2
    assert history["loss"][-1] < 0.4 * history["loss"][0] and np.isfinite(history["loss"]).all()
    np.testing.assert_allclose(
        history["loss"], np.sum([history[key] for key in ("box", "objectness", "classes")], axis=0), rtol=1e-4
    )
    result = training.evaluate(network, test)
    assert result.map50 == pytest.approx(history["val_map50"][-1], abs=1e-6) and result.map50 > 0.8
    assert set(result.per_class) == {"haut", "large"}
    surest = training.predict(network, test, confidence=0.5)
    assert len(surest) == 40 and all(found.scores.min(initial=1) >= 0.5 for found in surest)


def weights_after(train, **options):
    network = small_network(train)
    history = training.fit(network, train, training.Recipe(epochs=3, batch_size=8, seed=4), **options)
    return network.model.get_weights(), history


class InterruptionError(Exception):
    """A power cut."""


class Cut(keras.callbacks.Callback):
    """Fail in the middle of the second epoch."""

    def on_train_batch_end(self, batch, logs=None):
        if self.seen == 4:
            raise InterruptionError
        self.seen += 1

    def on_train_begin(self, logs=None):
        self.seen = 0


def test_a_training_repeats_and_an_interrupted_one_goes_on(tmp_path):
    train = squares(24, 2)
    whole, history = weights_after(train)
    with pytest.raises(InterruptionError):
        weights_after(train, folder=tmp_path / "state", callbacks=[Cut()])
    resumed, resumed_history = weights_after(train, folder=tmp_path / "state")
    for a, b in zip(whole, resumed, strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-3, atol=2e-4)  # convolutions on several threads do not add in order
    np.testing.assert_allclose(history["loss"], resumed_history["loss"], rtol=1e-3)
    assert len(resumed_history["seconds"]) == 3
    again, _ = weights_after(train, folder=tmp_path / "state")
    for a, b in zip(again, resumed, strict=True):
        np.testing.assert_array_equal(a, b)
    other = small_network(train, width=0.25)
    with pytest.raises(ValueError, match="autre réseau"):
        training.fit(other, train, training.Recipe(epochs=3, batch_size=8), folder=tmp_path / "state")


def test_mixed_precision_keeps_float32_weights_and_gives_the_layers_back():
    train = squares(16, 3)
    network = small_network(train)
    history = training.fit(network, train, epochs=1, batch_size=8, mixed=True)
    assert np.isfinite(history["loss"]).all()
    assert {layer.dtype_policy.name for layer in network.model.layers} == {"float32"}
    assert all(np.isfinite(w).all() and w.dtype == np.float32 for w in network.model.get_weights())


def test_images_without_any_object():
    train = squares(16, 4)
    empty = sets.Examples(
        train.images,
        tuple(np.zeros((0, 4), np.float32) for _ in range(16)),
        tuple(np.zeros(0, np.int64) for _ in range(16)),
        tuple(np.zeros(0, bool) for _ in range(16)),
        train.class_names,
    )
    network = small_network(train)
    history = training.fit(network, empty, epochs=2, batch_size=8)
    assert np.isfinite(history["loss"]).all() and history["box"] == history["classes"] == [0.0, 0.0]
    assert np.isnan(training.evaluate(network, empty).map50)


def test_batches_depend_on_seed_epoch_and_rank_only_and_mosaic_ends_early():
    train = squares(32, 5)
    heads = small_network(train).heads
    recipe = training.Recipe(epochs=4, batch_size=8, plain=0.5, augment=Augmentation(mosaic=1.0, flip=0.0))
    for a, b in zip(
        training.batch(heads, train, recipe, 1, 2), training.batch(heads, train, recipe, 1, 2), strict=True
    ):
        for x, y in zip(a, b, strict=True):
            np.testing.assert_array_equal(x, y)
    originals = {image.tobytes() for image in train.images}
    for epoch, known in ((0, False), (1, False), (2, True), (3, True)):
        seen = [training.batch(heads, train, recipe, epoch, k)[0] for k in range(4)]
        names = [image.tobytes() for images in seen for image in images]
        assert (set(names) == originals) == known


def test_ignored_boxes_are_not_taught_but_spare_their_cells():
    train = squares(8, 6)
    ignored = sets.Examples(
        train.images, train.boxes, train.classes, tuple(np.ones(len(c), bool) for c in train.classes), train.class_names
    )
    heads = small_network(train).heads
    recipe = training.Recipe(batch_size=8, augment=Augmentation(flip=0.0))
    _, targets, truth = training.batch(heads, ignored, recipe, 0, 0)
    assert all(target.sum() == 0 for target in targets) and (truth[..., 2] > 0).sum() == sum(map(len, train.boxes))


def test_anchors_for_gives_the_largest_to_the_first_head():
    anchors = training.anchors_for(sets.street(30, seed=8, size=64), 2, 3)
    areas = anchors.prod(axis=-1)
    assert anchors.shape == (2, 3, 2) and areas[0].min() > areas[1].max()


def test_refusals():
    train = squares(8, 7)
    network = small_network(train)
    with pytest.raises(ValueError, match="le lot doit être plus petit"):
        training.fit(network, train, batch_size=9)
    with pytest.raises(ValueError, match="relisez-les à la taille du réseau"):
        training.fit(network, squares(8, 7, size=96), batch_size=8)
    with pytest.raises(ValueError, match="2 classes, les exemples 10"):
        training.fit(network, sets.street(8, size=64), batch_size=8)
    with pytest.raises(TypeError):
        training.fit(network, train, batchsize=8)
