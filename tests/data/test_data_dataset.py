"""The result type: what it accepts, how it is cut, what it shows."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data import DataError, Dataset, RequestError, stratified


def make(n=12, channels=1, **changes):
    rng = np.random.default_rng(0)
    fields = {
        "name": "essai",
        "images": rng.random((n, 4, 5, channels), dtype=np.float32),
        "labels": np.arange(n) % 3,
        "class_names": ("un", "deux", "trois"),
        "split": "train",
        "source": "embedded",
    }
    return Dataset(**{**fields, **changes})


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"images": np.zeros((12, 4, 5, 1))}, "float64"),
        ({"images": [[0.0]]}, "list"),
        ({"images": np.zeros((12, 4, 5), np.float32)}, "(12, 4, 5)"),
        ({"images": np.zeros((12, 4, 5, 4), np.float32)}, "(12, 4, 5, 4)"),
        ({"images": np.full((12, 4, 5, 1), 255, np.float32)}, "255"),
        ({"images": np.full((12, 4, 5, 1), -0.5, np.float32)}, "-0.5"),
        ({"images": np.full((12, 4, 5, 1), np.nan, np.float32)}, "nan"),
        ({"labels": np.zeros(12, np.uint8)}, "uint8"),
        ({"labels": np.zeros(11, np.int64)}, "(11,)"),
        ({"labels": np.full(12, 3)}, "3 noms"),
        ({"labels": np.full(12, -1)}, "-1"),
        ({"split": "validation"}, "validation"),
        ({"source": "internet"}, "internet"),
    ],
)
def test_what_does_not_fit_is_refused_and_shown(changes, said):
    with pytest.raises(RequestError, match="essai") as caught:
        make(**changes)
    assert said in str(caught.value).replace("\N{NO-BREAK SPACE}", " ")
    assert isinstance(caught.value, ValueError) and isinstance(caught.value, DataError)


def test_it_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        make().split = "test"


@pytest.mark.parametrize(
    "index", [slice(3), slice(None, None, -2), [4, 1, 1], np.array([0, 11]), np.arange(12) % 2 == 0, [], slice(0, 0)]
)
def test_an_index_gives_the_same_rows_as_numpy(index):
    whole = make()
    part = whole[index]
    kept = np.arange(12)[np.asarray(index, int) if isinstance(index, list) else index]
    np.testing.assert_array_equal(part.images, whole.images[kept])
    np.testing.assert_array_equal(part.labels, whole.labels[kept])
    assert (part.name, part.class_names, part.split, part.source) == ("essai", whole.class_names, "train", "embedded")


def test_an_integer_gives_an_image_and_its_label_so_that_a_loop_works():
    whole = make()
    pairs = list(whole)
    assert len(pairs) == len(whole) == 12
    np.testing.assert_array_equal(pairs[-1][0], whole.images[-1])
    assert pairs[-1][1] == 2 and type(pairs[-1][1]) is int


def test_flat_is_a_view_of_rows():
    whole = make(channels=3)
    assert whole.flat.shape == (12, 60) and np.shares_memory(whole.flat, whole.images)
    np.testing.assert_array_equal(whole.flat[7], whole.images[7].ravel())
    assert make()[:0].flat.shape == (0, 20)


@settings(deadline=None, max_examples=60)
@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=80), data=st.data())
def test_a_stratified_draw_keeps_the_shares(labels, data):
    labels = np.array(labels)
    n = data.draw(st.integers(1, len(labels)))
    seed = data.draw(st.integers(0, 2**32))
    chosen = stratified(labels, n, seed=seed)
    assert chosen.shape == (n,) and len(set(chosen)) == n
    for label in np.unique(labels):
        exact = n * (labels == label).mean()
        assert abs((labels[chosen] == label).sum() - exact) < 1
    np.testing.assert_array_equal(chosen, stratified(labels, n, seed=seed))


def test_another_seed_draws_others():
    labels = np.arange(1000) % 10
    a, b = (set(stratified(labels, 100, seed=seed)) for seed in (0, 1))
    assert 0 < len(a & b) < 40  # ten in common on average


@pytest.mark.parametrize("n", [0, -1, 13, 2.5, "3"])
def test_an_impossible_number_is_refused(n):
    with pytest.raises(RequestError, match="12|entier"):
        make().subset(n)


def test_subset_is_a_smaller_set():
    part = make().subset(6, seed=1)
    assert len(part) == 6 and np.bincount(part.labels).tolist() == [2, 2, 2]


def test_it_says_what_it_is_in_french():
    shown = repr(make(n=3000, channels=3, source="stand-in"))
    assert "\n" not in shown
    plain = shown.replace("\N{NO-BREAK SPACE}", " ")
    for words in ("essai", "entraînement", "3 000 images", "couleur", "4 × 5 pixels", "3 classes", "doublure"):
        assert words in plain


def test_the_html_form_escapes_what_it_shows():
    shown = make(name="<b>", class_names=("<i>", "&", "c"), description="1 < 2", licence="<MIT>")._repr_html_()
    assert "<b>" not in shown and "<i>" not in shown and "<MIT>" not in shown
    assert "&lt;b&gt;" in shown and "1 &lt; 2" in shown and "&lt;MIT&gt;" in shown
