"""Embedded sets and photos, against the packages that carry them and against Pillow."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import skimage
import sklearn.datasets
from PIL import Image

from course_utils import data


def test_digits_are_those_of_scikit_learn():
    reference = sklearn.datasets.load_digits()
    whole = data.load("digits", split="all")
    assert whole.images.shape == (1797, 8, 8, 1) and whole.images.dtype == np.float32
    rows = np.round(whole.flat * 16).astype(int)
    order, expected = np.lexsort(rows.T), np.lexsort(reference.data.astype(int).T)
    np.testing.assert_array_equal(rows[order], reference.data[expected])
    np.testing.assert_array_equal(np.bincount(whole.labels), np.bincount(reference.target))
    by_pixels = {tuple(row): label for row, label in zip(reference.data.astype(int), reference.target, strict=True)}
    assert all(by_pixels[tuple(row)] == label for row, label in zip(rows, whole.labels, strict=True))


@pytest.mark.parametrize(("name", "total"), [("digits", 1797), ("faces", 200)])
def test_the_split_is_fixed_disjoint_and_stratified(name, total):
    train, test = (data.load(name, split=split) for split in ("train", "test"))
    assert len(train) + len(test) == total and train.source == "embedded"
    assert not {image.tobytes() for image, _ in train} & {image.tobytes() for image, _ in test}
    share = np.bincount(test.labels) / np.bincount(np.concatenate([train.labels, test.labels]))
    assert (abs(share - 0.2) < 0.01).all()
    np.testing.assert_array_equal(test.images, data.load(name, split="test", seed=5).images)


def test_faces_are_those_of_scikit_image():
    reference = np.load(Path(skimage.__file__).parent / "data" / "lfw_subset.npy")
    known = {image.astype(np.float32).tobytes(): k < 100 for k, image in enumerate(reference)}
    faces = data.load("faces", split="all")
    assert faces.images.shape == (200, 25, 25, 1) and faces.class_names == ("fond", "visage")
    assert all(known[image.tobytes()] == label for image, label in faces)


def test_a_subset_is_drawn_by_its_seed():
    a, b, c = (data.load("digits", n=100, seed=seed) for seed in (0, 0, 1))
    np.testing.assert_array_equal(a.images, b.images)
    assert (a.images != c.images).any() and np.bincount(a.labels).min() >= 9


@pytest.mark.parametrize("name", data.photo_names())
def test_photos_are_the_files_of_the_packages(name):
    picture = data.photo(name)
    assert picture.dtype == np.float32 and picture.ndim == 3 and picture.shape[2] in (1, 3)
    assert picture.min() >= 0 and 0.3 < picture.max() <= 1 and picture.std() > 0.01
    if name in ("china", "flower"):
        path = Path(sklearn.__file__).parent / "datasets" / "images" / f"{name}.jpg"
    else:
        stem = {"clock": "clock_motion", "colorwheel": "color", "immunohistochemistry": "ihc"}.get(name, name)
        stem = "motorcycle_left" if name == "motorcycle" else stem
        (path,) = (Path(skimage.__file__).parent / "data").glob(f"{stem}.*")
    if name == "horse":
        return  # a drawing with transparency, that scikit-image turns into a mask
    expected = np.asarray(Image.open(path), np.float32) / 255
    np.testing.assert_allclose(picture.squeeze(), expected, atol=1.5 / 255)


def test_the_horse_is_black_and_white():
    assert data.photo("horse").shape == (328, 400, 1) and set(np.unique(data.photo("horse"))) == {0, 1}


def test_photos_need_no_network(tmp_path):
    """In a fresh home, with every connection refused."""
    program = (
        "import socket; socket.socket.connect = None; socket.getaddrinfo = None\n"
        "from course_utils import data\n"
        "[data.photo(name) for name in data.photo_names()]; data.load('digits'); data.load('faces')"
    )
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    subprocess.run([sys.executable, "-c", program], env={**os.environ, **home}, check=True)
    assert not list(tmp_path.rglob("*.png"))


def test_unknown_names_are_answered_with_the_nearest():
    with pytest.raises(data.RequestError, match="chelsea"):
        data.photo("chelsae")
    for given, near in (
        ("mnsit", "mnist"),
        ("Fashion-MNIST", "fashion_mnist"),
        ("cifar", "cifar10"),
        ("digit", "digits"),
    ):
        with pytest.raises(data.RequestError) as caught:
            data.load(given)
        assert f"Vouliez-vous dire « {near} »" in str(caught.value).replace("\N{NO-BREAK SPACE}", " ")
        assert isinstance(caught.value, ValueError)
    with pytest.raises(data.RequestError, match="Noms connus"):
        data.load("zzzzzz")


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"split": "validation"}, "validation"),
        ({"n": 0}, "n doit être"),
        ({"n": 2.5}, "2.5"),
        ({"n": 1500}, "438"),
        ({"seed": -1}, "seed"),
        ({"size": 32}, "street"),
    ],
)
def test_impossible_requests_are_refused(asked, said):
    with pytest.raises(data.RequestError, match=said):
        data.load("digits", **asked)


def test_names_are_those_of_the_course():
    expected = {"digits", "faces", "mnist", "fashion_mnist", "cifar10", "street", "handwriting"}
    assert expected <= set(data.names())


def test_importing_the_room_loads_nothing_heavy():
    program = (
        "import sys; from course_utils import data\n"
        "heavy = {'tensorflow', 'keras', 'cv2', 'sklearn', 'skimage', 'scipy', 'requests', 'pooch', 'matplotlib'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
