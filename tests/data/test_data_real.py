"""The real sets of ``$COURSE_DATA``, against published figures."""

from __future__ import annotations

import gzip
import hashlib
import io
import itertools
import time

import numpy as np
import pytest
from PIL import Image

from course_utils.data import load
from course_utils.data.catalogue import catalogue
from course_utils.paths import course_data

SHAPES = {"mnist": (28, 28, 1), "fashion_mnist": (28, 28, 1), "cifar10": (32, 32, 3)}


def needs(name):
    held = course_data() is not None and (course_data() / name).is_dir()
    return pytest.mark.skipif(not held, reason=f"COURSE_DATA is not set, or has no {name}")


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    """The verdicts on digests go to a cache of the tests' own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("COURSE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


SETS = [pytest.param(name, marks=needs(name)) for name in SHAPES]


@pytest.fixture(scope="module")
def whole(request):
    """Both splits of a set, loaded once for the tests that look at all of it."""
    return {split: load(request.param, split=split) for split in ("train", "test")}


def on(name):
    return pytest.mark.parametrize("whole", [pytest.param(name, marks=needs(name))], indirect=True)


@pytest.mark.parametrize("whole", SETS, indirect=True)
def test_shapes_types_and_sizes(whole):
    for split, found in whole.items():
        assert found.source == "COURSE_DATA" and found.split == split
        assert found.images.shape == (catalogue()[found.name].counts[split], *SHAPES[found.name])
        assert found.images.dtype == np.float32 and found.labels.dtype == np.int64
        assert found.images.min() == 0 and found.images.max() == 1 and len(found.class_names) == 10


@on("mnist")
def test_mnist_is_mnist(whole):
    """Histograms and first labels as published; mean and deviation are those that PyTorch's examples use."""
    train, test = whole.values()
    assert np.bincount(train.labels).tolist() == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert np.bincount(test.labels).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert test.labels[:10].tolist() == [7, 2, 1, 0, 4, 1, 4, 9, 5, 9]
    np.testing.assert_allclose(moments(train.images), [[0.1307], [0.3081]], atol=5e-5)


@on("fashion_mnist")
def test_fashion_mnist_is_fashion_mnist(whole):
    train, test = whole.values()
    assert set(np.bincount(train.labels)) == {6000} and set(np.bincount(test.labels)) == {1000}
    assert train.labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert test.labels[:10].tolist() == [9, 2, 1, 1, 6, 1, 4, 6, 5, 7]
    np.testing.assert_allclose(moments(train.images), [[0.2860], [0.3530]], atol=5e-5)


@on("cifar10")
def test_cifar10_is_cifar10(whole):
    """Means and deviations of the original, which its JPEG copy keeps within half a level."""
    train, test = whole.values()
    assert set(np.bincount(train.labels)) == {5000} and set(np.bincount(test.labels)) == {1000}
    expected = [[125.3, 123.0, 113.9], [63.0, 62.1, 66.7]]
    np.testing.assert_allclose(255 * np.array(moments(train.images)), expected, atol=0.5)


@needs("cats_dogs")
def test_cats_and_dogs_are_square_and_balanced():
    for split, each in (("train", 500), ("test", 250)):
        found = load("cats_dogs", split=split, size=32)
        assert found.source == "COURSE_DATA" and found.images.shape == (2 * each, 32, 32, 3)
        assert np.bincount(found.labels).tolist() == [each, each]
    assert load("cats_dogs", n=4).images.shape == (4, 128, 128, 3)


@needs("cats_dogs")
def test_the_photos_are_cropped_to_their_central_square():
    """Against Pillow: the central square, averaged by areas (its BOX filter)."""
    with np.load(course_data() / "cats_dogs" / "cats_dogs_192.npz") as archive:
        assert archive["classes"].tolist() == ["cat", "dog"]
        jpeg, offsets, labels = (archive[f"{part}_test"] for part in ("jpeg", "offsets", "y"))
        photos = [Image.open(io.BytesIO(jpeg[a:b].tobytes())) for a, b in itertools.pairwise(offsets[:9])]
    found = load("cats_dogs", split="test", size=48)
    assert found.labels.tolist() == labels.tolist()
    for image, photo in zip(found.images, photos, strict=False):
        side = min(photo.size)
        left, top = (photo.width - side) // 2, (photo.height - side) // 2
        square = photo.convert("RGB").crop((left, top, left + side, top + side))
        expected = np.asarray(square.resize((48, 48), Image.Resampling.BOX), float) / 255
        assert abs(image - expected).mean() < 0.01


def moments(images):
    """Return mean and standard deviation of each channel, in float64, a batch at a time."""
    batches = (batch.reshape(-1, images.shape[3]).astype(float) for batch in np.split(images, 50))
    sums = np.mean([(batch.mean(axis=0), (batch**2).mean(axis=0)) for batch in batches], axis=0)
    return sums[0], np.sqrt(sums[1] - sums[0] ** 2)


@needs("mnist")
def test_the_repacked_mnist_holds_the_official_bytes():
    """MD5 of the unpacked idx files, as many repositories publish them."""
    published = {
        "train-images-idx3-ubyte.gz": "6bbc9ace898e44ae57da46a324031adb",
        "train-labels-idx1-ubyte.gz": "a25bea736e30d166cdddb491f175f624",
        "t10k-images-idx3-ubyte.gz": "2646ac647ad5339dbf082846283269ea",
        "t10k-labels-idx1-ubyte.gz": "27ae3e4e09519cfbb04c329615203637",
    }
    for name, digest in published.items():
        assert hashlib.md5(gzip.decompress((course_data() / "mnist" / name).read_bytes())).hexdigest() == digest


@needs("cifar10")
def test_the_french_class_names_of_cifar10_are_in_the_order_of_the_file():
    french = {
        **{"airplane": "avion", "automobile": "automobile", "bird": "oiseau", "cat": "chat", "deer": "cerf"},
        **{"dog": "chien", "frog": "grenouille", "horse": "cheval", "ship": "bateau", "truck": "camion"},
    }
    with np.load(course_data() / "cifar10" / "cifar10_jpeg.npz") as archive:
        assert load("cifar10", n=10).class_names == tuple(french[str(name)] for name in archive["classes"])


@pytest.mark.parametrize("name", SETS)
def test_a_subset_holds_images_of_the_whole_set_with_their_labels(name):
    whole, part = load(name, split="test"), load(name, split="test", n=200, seed=4)
    known = {}
    for image, label in whole:
        known.setdefault(image.tobytes(), set()).add(label)
    assert all(label in known[image.tobytes()] for image, label in part)
    share = np.bincount(whole.labels) * 200 / len(whole)
    assert (abs(np.bincount(part.labels) - share) < 1).all()


@needs("mnist")
def test_mnist_is_quick():
    load("mnist", n=10)  # the digests are checked once per machine
    spent = []
    for _ in range(3):
        start = time.process_time()
        load("mnist")
        spent.append(time.process_time() - start)
    assert min(spent) < 1.5


@needs("cifar10")
def test_a_small_part_of_cifar10_costs_little():
    spent = []
    for n in (100, 20_000):
        start = time.process_time()
        load("cifar10", n=n)
        spent.append(time.process_time() - start)
    assert spent[0] < spent[1] / 2


@pytest.mark.skipif(course_data() is None, reason="COURSE_DATA is not set")
def test_the_digests_are_those_of_the_folder():
    """Every file of the catalogue that COURSE_DATA holds is listed there with a digest that the catalogue accepts."""
    path = course_data() / "SHA256SUMS"
    if not path.exists():
        pytest.skip("COURSE_DATA has no SHA256SUMS")
    lines = (line.split(maxsplit=1) for line in path.read_text().splitlines())
    listed = {name.removeprefix("./"): digest for digest, name in lines}
    compared = 0
    for source in catalogue().values():
        for edition in source.editions:
            for file in edition.needed(("train", "test")):
                digest = listed.get(f"{source.name}/{file.name}")
                if digest:
                    assert digest in file.sha256
                    compared += 1
    assert compared
