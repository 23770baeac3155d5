from __future__ import annotations

import math
import os
import time
from pathlib import Path

import numpy as np
import pytest

from course_utils import data, training

keras = pytest.importorskip("keras")


def test_warmup_cosine_rises_to_its_peak_then_falls_to_zero() -> None:
    schedule = training.warmup_cosine(0.5, 100, warmup=0.2)
    rates = [float(schedule(step)) for step in range(101)]
    expected = [
        0.5 * step / 20 if step < 20 else 0.25 * (1 + math.cos(math.pi * (step - 20) / 80)) for step in range(101)
    ]
    np.testing.assert_allclose(rates, expected, atol=1e-6)


def test_warmup_cosine_without_warmup_starts_at_its_peak() -> None:
    schedule = training.warmup_cosine(0.1, 10, warmup=0)
    assert float(schedule(0)) == pytest.approx(0.1)
    assert float(schedule(10)) == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize(("peak", "steps", "warmup"), [(0, 10, 0.1), (-1, 10, 0.1), (1, 0, 0.1), (1, 10, 1.0)])
def test_warmup_cosine_refuses_what_is_out_of_range(peak: float, steps: int, warmup: float) -> None:
    with pytest.raises(ValueError, match="on attend"):
        training.warmup_cosine(peak, steps, warmup=warmup)


def test_batches_scale_bytes_keep_pairs_and_shuffle_anew() -> None:
    labels = np.arange(50)
    images = np.broadcast_to(labels[:, None, None, None], (50, 4, 4, 1)).astype(np.uint8)
    dataset = training.batches(images, labels, 20, seed=0)
    orders = []
    for _ in range(2):
        seen = [(x.numpy(), y.numpy()) for x, y in dataset]
        assert [len(y) for _, y in seen] == [20, 20]  # the ten left over are dropped
        for x, y in seen:
            assert x.dtype == np.float32
            np.testing.assert_allclose(x[:, 0, 0, 0] * 255, y, rtol=1e-5)
        orders.append(np.concatenate([y for _, y in seen]).tolist())
    assert orders[0] != orders[1]
    assert len(set(orders[0])) == 40


def test_batches_augment_whole_batches() -> None:
    images, labels = np.ones((8, 4, 4, 1), np.float32), np.arange(8)
    dataset = training.batches(images, labels, 4, augment=lambda x, y: (2 * x, y))
    assert all(float(np.min(x)) == 2 for x, _ in dataset)


def test_batches_refuse_what_cannot_be_cut() -> None:
    images = np.zeros((4, 2, 2, 1), np.float32)
    with pytest.raises(ValueError, match="un lot entre 1 et 4"):
        training.batches(images, np.zeros(4), 5)
    with pytest.raises(ValueError, match="il en faut autant"):
        training.batches(images, np.zeros(3), 2)


def test_fast_cnn_has_the_parameters_that_its_layers_count() -> None:
    model = training.fast_cnn((28, 28, 1), filters=(16, 32, 64))
    convolutions = 25 * 16 + 9 * 16 * 32 + 9 * 32 * 64
    normalisations = 4 * (16 + 32 + 64)
    assert model.count_params() == convolutions + normalisations + 4 * 4 * 64 * 10 + 10
    assert model.output_shape == (None, 10)


def test_fit_fast_learns_and_lowers_its_rate_to_zero() -> None:
    train = data.load("handwriting", n=600)
    training.set_seed(0)
    model = training.fast_cnn(filters=(8, 8, 16))
    history = training.fit_fast(model, train.images, train.labels, epochs=5, batch_size=50)
    assert len(history.history["loss"]) == 5
    assert history.history["accuracy"][-1] > 0.7
    assert float(model.optimizer.learning_rate) == pytest.approx(0.0, abs=1e-7)


def test_the_same_seed_gives_the_same_augmentation() -> None:
    images = np.full((400, 8, 8, 1), 0.5, np.float32)

    def brightness() -> list[float]:
        layer = keras.layers.RandomBrightness(0.5, value_range=(0, 1), seed=7)
        pairs = training.batches(images, np.zeros(400), 4, augment=lambda x, y: (layer(x, training=True), y), seed=0)
        return [float(pixels[0, 0, 0, 0]) for pixels, _ in pairs]

    first = brightness()
    assert len(set(first)) > 50, "each batch has its own"
    assert all(brightness() == first for _ in range(3))


def test_fit_fast_takes_soft_labels() -> None:
    train = data.load("handwriting", n=200)
    model = training.fast_cnn(filters=(8, 8, 8))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    one_hot = np.eye(10, dtype=np.float32)[train.labels]
    history = training.fit_fast(model, train.images, one_hot, epochs=1, batch_size=50, loss=loss, weight_decay=0.01)
    assert np.isfinite(history.history["loss"]).all()
    assert 0 <= history.history["accuracy"][0] <= 1


@pytest.mark.parametrize(
    ("name", "accuracy", "filters", "batch_size"),
    [("mnist", 0.99, (16, 32, 64), 256), ("fashion_mnist", 0.91, (24, 64, 64), 128)],
)
def test_real_data_are_learnt_in_a_minute_of_two_cores(name, accuracy, filters, batch_size) -> None:
    if not (Path(os.environ.get("COURSE_DATA", "absent")) / name).is_dir():
        pytest.skip(f"COURSE_DATA is unset or does not hold {name}")
    train, test = data.load(name), data.load(name, split="test")
    training.set_seed(0)
    model = training.fast_cnn(filters=filters)
    start = time.process_time()
    images = np.rint(255 * train.images).astype(np.uint8)
    training.fit_fast(model, images, train.labels, epochs=4, batch_size=batch_size)
    processor = time.process_time() - start
    predicted = model.predict(test.images, batch_size=500, verbose=0).argmax(axis=1)
    assert (predicted == test.labels).mean() >= accuracy
    assert processor <= 2 * 60
