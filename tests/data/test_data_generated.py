"""Sets drawn by the program, and stand-ins: the real generators on small numbers, then what the cache keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from course_utils import data
from course_utils.data import generated

pytestmark = pytest.mark.usefixtures("room")


@pytest.fixture
def offline(room, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "1")


@pytest.mark.parametrize(
    ("name", "shape", "what"),
    [
        ("mnist", (28, 28, 1), "chiffres dessinés"),
        ("fashion_mnist", (28, 28, 1), "vignettes de rue dessinées"),
        ("cifar10", (32, 32, 3), "vignettes de rue dessinées"),
    ],
)
def test_a_stand_in_has_the_shape_and_the_classes_of_the_set(offline, capsys, name, shape, what):
    found = data.load(name, n=40)
    assert found.source == "stand-in" and found.name == name
    assert found.images.shape == (40, *shape) and found.images.dtype == np.float32
    assert len(found.class_names) == 10 and np.bincount(found.labels, minlength=10).shape == (10,)
    assert found.images.max() > 0.5 and found.images.std() > 0.05
    said = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    assert "introuvable" in said and f"40 {what} par le programme" in said
    assert "doublure" in repr(found) and "Licence" in found._repr_html_()


def test_the_stand_in_of_cats_and_dogs_has_two_classes_that_look_alike(offline, capsys):
    found = data.load("cats_dogs", n=24, size=48)
    assert found.source == "stand-in" and found.images.shape == (24, 48, 48, 3)
    assert found.class_names == ("camionnette", "camion") and set(found.labels.tolist()) == {0, 1}
    assert data.load("cats_dogs", n=2).images.shape == (2, 128, 128, 3)
    assert "Chats et chiens introuvable" in capsys.readouterr().out


def test_a_stand_in_is_no_larger_than_the_set(offline, drawn, capsys, monkeypatch):
    monkeypatch.setattr(
        generated, "_draw_and_keep", lambda *args, **options: drawn.append((args, options)) or tiny(args)
    )
    assert len(data.load("cats_dogs", split="test", size=16)) == 500
    (((*_, n, _, size), options),) = drawn
    assert (n, size, options) == (500, 16, {"classes": ("van", "lorry")})


def tiny(args):
    _, _, _, n, _, size = args
    return np.zeros((n, size, size, 3), np.uint8), np.arange(n) % 2


@pytest.mark.parametrize(
    ("name", "options", "shape"),
    [
        ("handwriting", {}, (28, 28, 1)),
        ("street", {}, (32, 32, 3)),
        ("street", {"size": 64}, (64, 64, 3)),
    ],
)
def test_drawn_sets_have_a_name_of_their_own(capsys, name, options, shape):
    found = data.load(name, n=30, **options)
    assert found.source == "embedded" and found.images.shape == (30, *shape) and not capsys.readouterr().out
    assert found.labels.max() < len(found.class_names) >= 8
    assert "programme" in found.citation


@pytest.mark.parametrize("name", ["handwriting", "street"])
def test_seeds_and_splits_draw_different_images_and_the_same_again(name):
    train, again, other, test = (
        data.load(name, n=20, seed=seed, split=split)
        for seed, split in ((0, "train"), (0, "train"), (1, "train"), (0, "test"))
    )
    np.testing.assert_array_equal(train.images, again.images)
    np.testing.assert_array_equal(train.labels, again.labels)
    for different in (other, test):
        assert (train.images != different.images).any()


def test_all_shares_the_images_between_the_splits(drawn):
    assert len(data.load("handwriting", split="all", n=60)) == 60
    assert [(split, n) for _, split, n, *_ in drawn] == [("train", 50), ("test", 10)]
    assert len(data.load("handwriting", split="all", n=1)) == 1


def test_the_whole_stand_in_is_of_a_size_that_a_class_can_wait_for(offline, drawn, capsys):
    assert len(data.load("mnist")) == 10_000 and len(data.load("mnist", split="test")) == 2_000
    said = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    assert "10 000 chiffres" in said and "2 000 chiffres" in said


def test_grey_is_luminance(offline, drawn, monkeypatch):
    """Weights of ITU-R BT.601."""
    grey = data.load("fashion_mnist", n=10)
    ((_, _, n, seed, size),) = drawn
    colour = np.random.default_rng(seed).integers(0, 256, (n, size, size, 3), np.uint8) / 255
    expected = colour @ [0.299, 0.587, 0.114]
    np.testing.assert_allclose(grey.images[..., 0], expected, atol=0.51 / 255)


def test_a_drawing_is_kept_and_read_again(drawn, room):
    first = data.load("handwriting", n=600)
    second = data.load("handwriting", n=600)
    assert len(drawn) == 1
    np.testing.assert_array_equal(first.images, second.images)
    (kept,) = (room / "cache" / "generated").iterdir()
    kept.write_bytes(kept.read_bytes()[:-100])
    third = data.load("handwriting", n=600)
    assert len(drawn) == 2, "a damaged drawing is drawn again"
    np.testing.assert_array_equal(first.images, third.images)


def test_a_drawing_of_another_version_of_the_generator_is_not_read(drawn, monkeypatch):
    data.load("handwriting", n=600)
    monkeypatch.setattr(generated, "_edition", lambda name: "another")
    data.load("handwriting", n=600)
    assert len(drawn) == 2


@pytest.mark.parametrize("moment", ["mkdir", "replace"])
def test_a_cache_that_cannot_be_written_only_costs_time(drawn, room, monkeypatch, moment):
    def refuse(*args, **kwargs):
        raise PermissionError

    monkeypatch.setattr(Path, moment, refuse)
    assert len(data.load("handwriting", n=600)) == 600
    assert not [path for path in (room / "cache").rglob("*") if path.is_file()], "nor does it leave a half-written file"


def test_size_is_for_the_street():
    with pytest.raises(data.RequestError, match="street"):
        data.load("handwriting", size=32)
    for size in (8, 1000, 32.5):
        with pytest.raises(data.RequestError, match="de 16 à 512"):
            data.load("street", size=size)
