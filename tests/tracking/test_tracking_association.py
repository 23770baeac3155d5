"""Assignment against every permutation, and gating before or after."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.tracking.association import assign


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(0, 5), st.integers(0, 5), st.booleans())
def test_total_similarity_is_the_best_of_all_permutations(seed, rows, columns, gate):
    similarity = np.random.default_rng(seed).random((rows, columns))
    threshold = 0.4 if gate else 0.0
    pairs, left, alone = assign(similarity, threshold, gate=gate)
    worth = np.maximum(similarity - threshold, 0) if gate else similarity
    wide = worth if rows <= columns else worth.T
    best = max(
        (sum(wide[i, j] for i, j in enumerate(choice)) for choice in permutations(range(wide.shape[1]), wide.shape[0])),
        default=0.0,
    )
    assert worth[pairs[:, 0], pairs[:, 1]].sum() == pytest.approx(best)
    assert (similarity[pairs[:, 0], pairs[:, 1]] >= threshold).all()
    assert sorted([*pairs[:, 0], *left]) == list(range(rows))
    assert sorted([*pairs[:, 1], *alone]) == list(range(columns))


def test_a_bad_pair_deprives_a_good_one_of_its_partner_unless_it_is_gated():
    similarity = [[0.35, 0.29], [0.29, 0.0]]
    assert len(assign(similarity, 0.3)[0]) == 0
    assert assign(similarity, 0.3, gate=True)[0].tolist() == [[0, 0]]


@pytest.mark.parametrize("bad", [[[np.nan]], [[np.inf, 1.0]], [1.0, 2.0]])
def test_what_is_not_a_finite_matrix_is_refused(bad):
    with pytest.raises(ValueError, match="matrice de nombres finis"):
        assign(bad)
