"""Anchors: against a plain k-means, and on boxes whose groups are known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from course_utils.detection.anchors import kmeans_anchors, mean_best_iou, size_iou
from course_utils.detection.boxes import iou

SIZES = arrays(np.float64, st.tuples(st.integers(1, 12), st.just(2)), elements=st.floats(0.5, 200))


@settings(deadline=None, max_examples=50)
@given(SIZES, SIZES)
def test_size_iou_is_the_iou_of_boxes_that_share_their_centre(a, b):
    boxes = [np.concatenate([-sizes / 2, sizes / 2], axis=1) for sizes in (a, b)]
    np.testing.assert_allclose(size_iou(a, b), iou(*boxes), atol=1e-9)


def test_the_groups_are_found_again():
    rng = np.random.default_rng(0)
    centres = np.array([[8, 24], [30, 12], [60, 60], [120, 40]], np.float64)
    sizes = np.concatenate([centre * np.exp(0.04 * rng.normal(size=(50, 2))) for centre in centres])
    found = kmeans_anchors(sizes, 4, seed=1)
    expected = centres[np.argsort(centres.prod(axis=1))]
    np.testing.assert_allclose(found, expected, rtol=0.03)
    assert found.dtype == np.float32


@pytest.mark.parametrize("seed", range(3))
def test_as_good_as_a_plain_k_means_from_many_starts(seed):
    sizes = np.exp(np.random.default_rng(seed).normal(3, 0.7, (120, 2)))
    best = 0.0
    for start in range(30):
        rng = np.random.default_rng([seed, start])
        anchors = sizes[rng.choice(len(sizes), 5, replace=False)].copy()
        for _ in range(40):
            groups = [[] for _ in anchors]
            for w, h in sizes:
                overlaps = [min(w, a) * min(h, b) / (w * h + a * b - min(w, a) * min(h, b)) for a, b in anchors]
                groups[int(np.argmax(overlaps))].append((w, h))
            anchors = np.array([np.mean(g, axis=0) if g else a for g, a in zip(groups, anchors, strict=True)])
        best = max(best, mean_best_iou(sizes, anchors))
    assert mean_best_iou(sizes, kmeans_anchors(sizes, 5, seed=0)) > best - 0.01


def test_the_same_seed_gives_the_same_anchors_and_more_anchors_fit_better():
    sizes = np.exp(np.random.default_rng(5).normal(3, 0.7, (200, 2)))
    assert np.array_equal(kmeans_anchors(sizes, 6, seed=2), kmeans_anchors(sizes, 6, seed=2))
    quality = [mean_best_iou(sizes, kmeans_anchors(sizes, k)) for k in (1, 2, 4, 8)]
    assert quality == sorted(quality)
    assert mean_best_iou(sizes, sizes) == pytest.approx(1)


@pytest.mark.parametrize(
    ("sizes", "k", "message"),
    [
        (np.ones((0, 2)), 1, "strictement positives"),
        ([[3.0, 0.0]], 1, "strictement positives"),
        ([[3.0, np.nan]], 1, "strictement positives"),
        ([[1, 2, 3, 4]], 1, r"\(n, 2\)"),
        ([[3.0, 4.0]] * 9, 2, "1 tailles différentes"),
        ([[3.0, 4.0]], 0, "entre 1 et 1"),
    ],
)
def test_refusals(sizes, k, message):
    with pytest.raises(ValueError, match=message):
        kmeans_anchors(sizes, k)
