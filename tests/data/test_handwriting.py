"""Drawn handwriting: its format is MNIST's, and who learns on it reads real digits."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from course_utils import data
from course_utils.data import DataError, handwriting
from course_utils.data.handwriting.strokes import ALLOGRAPHS, allograph, parse


@pytest.fixture(scope="module")
def page():
    return handwriting.digits(4000, seed=7)


def test_format(page):
    images, labels = page
    assert images.shape == (4000, 28, 28, 1) and images.dtype == np.float32
    assert labels.shape == (4000,) and labels.dtype == np.int64
    assert images.min() == 0 and images.max() == 1
    assert (images.max(axis=(1, 2, 3)) > 0.6).all(), "every image holds ink"


def test_nothing_asked_nothing_given():
    images, labels = handwriting.digits(0)
    assert images.shape == (0, 28, 28, 1) and labels.shape == (0,)


@settings(deadline=None, max_examples=20)
@given(n=st.integers(1, 60), seed=st.integers(0, 2**64))
def test_digits_are_balanced_whatever_their_number(n, seed):
    counts = np.bincount(handwriting.digits(n, seed=seed)[1], minlength=10)
    assert counts.sum() == n and np.ptp(counts) <= 1


def test_digits_come_in_random_order(page):
    runs = page[1].reshape(-1, 10)
    assert len(np.unique(runs, axis=0)) > 390
    assert np.all(np.abs(np.bincount(runs[:, 0], minlength=10) - 40) < 35)


def test_another_process_writes_the_same_page():
    program = (
        "import hashlib; from course_utils.data import handwriting; x, y = handwriting.digits(40, seed=3);"
        "print(hashlib.sha256(x.tobytes() + y.tobytes()).hexdigest())"
    )
    pages = {
        subprocess.run(
            [sys.executable, "-c", program],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
        ).stdout
        for hash_seed in ("1", "2")
    }
    assert len(pages) == 1


def test_the_global_state_of_numpy_is_neither_read_nor_changed():
    np.random.seed(0)  # noqa: NPY002
    first = handwriting.digits(5)[0]
    np.testing.assert_array_equal(handwriting.digits(5)[0], first)
    after = np.random.random()  # noqa: NPY002
    np.random.seed(0)  # noqa: NPY002
    assert np.random.random() == after  # noqa: NPY002


def test_the_first_digits_do_not_depend_on_how_many_follow(page):
    images, labels = page
    for n in (1, 37, 1003):
        few_images, few_labels = handwriting.digits(n, seed=7)
        np.testing.assert_array_equal(few_images, images[:n])
        np.testing.assert_array_equal(few_labels, labels[:n])


def test_seeds_differ():
    assert not np.array_equal(handwriting.digits(10, seed=0)[0], handwriting.digits(10, seed=1)[0])


@pytest.mark.parametrize("kind", [list, tuple, np.uint8, np.int32])
def test_labels_choose_the_digits(kind):
    wanted = [7, 7, 0, 3]
    labels = kind(wanted) if kind in (list, tuple) else np.array(wanted, kind)
    images, written = handwriting.digits(4, labels=labels)
    assert written.tolist() == wanted and written.dtype == np.int64
    assert not np.shares_memory(written, np.asarray(labels))
    assert not np.array_equal(images[0], images[1]), "two sevens, two hands"


def test_given_labels_are_written_as_the_same_balanced_ones(page):
    images, labels = page
    np.testing.assert_array_equal(handwriting.digits(200, seed=7, labels=labels[:200])[0], images[:200])


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        ({"n": -1}, "n doit être un entier positif ou nul"),
        ({"n": 2.5}, "2.5"),
        ({"n": True}, "True"),
        ({"n": "10"}, "'10'"),
        ({"n": 2, "seed": -4}, "seed doit être"),
        ({"n": 2, "seed": None}, "None"),
        ({"n": 2, "labels": [1, 2, 3]}, r"forme attendue \(2,\), reçue \(3,\)"),
        ({"n": 2, "labels": [[1, 2]]}, r"\(1, 2\)"),
        ({"n": 2, "labels": [1, 10]}, "de 1 à 10"),
        ({"n": 2, "labels": [-1, 3]}, "entiers de 0 à 9"),
        ({"n": 2, "labels": [1.0, 3.0]}, "float64"),
        ({"n": 2, "labels": ["un", "deux"]}, "entiers de 0 à 9"),
    ],
)
def test_bad_calls_are_told_in_french(call, expected):
    with pytest.raises(DataError, match=expected):
        handwriting.digits(**call)


def test_frame_of_mnist(page):
    """LeCun et al. (1998): the digit fills a box of 20 pixels; its centre of mass is that of the 28 × 28 image.

    In the published files the centre is pixel (14, 14), counted from 0, within half a pixel.
    """
    images = page[0][..., 0]
    centres = np.array([ndimage.center_of_mass(image) for image in images])
    assert np.abs(centres - 14).max() < 0.55
    sides = [max(np.ptp(np.flatnonzero(image.any(axis=axis))) + 1 for axis in (0, 1)) for image in images]
    assert max(sides) == 20 and np.mean(np.array(sides) == 20) > 0.99


def test_ink_of_mnist(page):
    """MNIST's training set has mean 0.1307 and standard deviation 0.3081, figures found in every tutorial."""
    images = page[0]
    assert images.mean() == pytest.approx(0.1307, abs=0.01)
    assert images.std() == pytest.approx(0.3081, abs=0.015)


def test_no_two_digits_are_alike(page):
    images = page[0].reshape(4000, -1)
    assert len(np.unique(images, axis=0)) == 4000
    distances, _ = KNeighborsClassifier(2).fit(images, page[1]).kneighbors(images)
    assert distances[:, 1].min() > 0.3


def test_every_way_of_writing_a_digit_has_one_drawing_or_more_in_its_frame():
    for families in ALLOGRAPHS:
        assert len(families) >= 3
        for family in families:
            assert family.weight > 0
            assert all(stroke.stop - stroke.start >= 2 for stroke in family.strokes)
            assert family.drawings.min() > -0.1 and family.drawings.max() < 1.4
            heights = np.ptp(family.drawings[..., 1], axis=1)
            assert heights.min() > 0.7, "a drawing is about one unit high"


def test_a_drawing_is_read():
    points, strokes, corners = parse("8,12 78,8! 44,98 | -4,52 82,50")
    np.testing.assert_allclose(points, [[0.08, 0.12], [0.78, 0.08], [0.44, 0.98], [-0.04, 0.52], [0.82, 0.5]])
    assert strokes == (slice(0, 3), slice(3, 5)) and corners.tolist() == [False, True, False, False, False]


@pytest.mark.parametrize("other", ["0,0 5,5", "0,0 5,5 | 9,9 1,1", "0,0 5,5! 9,9"])
def test_drawings_of_an_allograph_share_their_strokes(other):
    with pytest.raises(ValueError, match="mêmes traits"):
        allograph(1, "0,0 5,5 9,9", other)


def eight_by_eight(image: np.ndarray) -> np.ndarray:
    """Frame a digit as scikit-learn's are: full height, about six columns wide at most."""
    rows, cols = (np.flatnonzero((image > 0.3).any(axis=axis)) for axis in (1, 0))
    ink = image[rows[0] : rows[-1] + 1, cols[0] : cols[-1] + 1]
    width = int(np.clip(round(8 * ink.shape[1] / ink.shape[0]), 2, 6))
    small = np.zeros((8, 8), np.float32)
    left = 4 - width // 2
    small[:, left : left + width] = cv2.resize(ink, (width, 8), interpolation=cv2.INTER_AREA)
    return small.ravel()


@pytest.mark.parametrize(
    ("model", "bound"),
    [(LogisticRegression(C=0.1, max_iter=300), 0.65), (KNeighborsClassifier(3), 0.75)],
    ids=["linear", "neighbours"],
)
def test_real_digits_of_scikit_learn_are_read(page, model, bound):
    """The digits of 43 people, read by a model that saw drawn ones only. Chance would give 10 %."""
    images, labels = page
    real = load_digits()
    model.fit(np.stack([eight_by_eight(image) for image in images[..., 0]]), labels)
    assert model.score(real.data / 16, real.target) > bound


def test_speed():
    """Asked: 20,000 digits in 15 s on one core."""
    threads = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        start = time.process_time()
        handwriting.digits(2000, seed=5)
        assert time.process_time() - start < 1.5
    finally:
        cv2.setNumThreads(threads)


def real_mnist():
    if not os.environ.get("COURSE_DATA"):
        pytest.skip("COURSE_DATA is not set")
    mnist = data.load("mnist", split="test")
    if mnist.source == "stand-in":
        pytest.skip("COURSE_DATA holds no MNIST")
    return mnist


def test_a_nearest_neighbour_reads_mnist(page):
    mnist = real_mnist()[:2000]
    images, labels = page
    model = KNeighborsClassifier(3).fit(images.reshape(len(images), -1), labels)
    assert model.score(mnist.flat, mnist.labels) > 0.82


def test_a_small_network_reads_mnist():
    """The full measure (20,000 digits, six epochs, several seeds) is benchmarks/handwriting_to_mnist.py."""
    mnist = real_mnist()
    import keras
    from keras import layers

    images, labels = handwriting.digits(12_000, seed=11)
    keras.utils.set_random_seed(11)
    model = keras.Sequential(
        [
            keras.Input((28, 28, 1)),
            layers.Conv2D(16, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Conv2D(32, 3, activation="relu"),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dropout(0.4),
            layers.Dense(64, activation="relu"),
            layers.Dense(10),
        ]
    )
    model.compile(optimizer="adam", loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    model.fit(images, labels, batch_size=128, epochs=4, verbose=0)
    right = model.predict(mnist.images, batch_size=1000, verbose=0).argmax(axis=1) == mnist.labels
    assert right.mean() > 0.92
    assert min(right[mnist.labels == digit].mean() for digit in range(10)) > 0.80
