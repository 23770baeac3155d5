from __future__ import annotations

import numpy as np
import pytest
from matplotlib.patches import Circle

from course_utils import plots


def test_network_draws_each_neuron_and_each_connection() -> None:
    ax = plots.network([2, 3, 1]).axes[0]
    assert sum(isinstance(p, Circle) for p in ax.patches) == 6
    assert len(ax.lines) == 2 * 3 + 3 * 1


def test_long_layers_are_abridged() -> None:
    ax = plots.network([64, 10]).axes[0]
    assert sum(isinstance(p, Circle) for p in ax.patches) == 12
    assert "64 valeurs" in [t.get_text() for t in ax.texts]


def test_values_and_weights_are_written() -> None:
    weights = [np.array([[0.5], [-1.25]])]
    written = [t.get_text() for t in plots.network([2, 1], values=[[1, -2], [0.3]], weights=weights).axes[0].texts]
    for text in ("1,00", "−2,00", "0,30", "0,50", "−1,25"):
        assert text in written


def test_written_weights_stay_apart() -> None:
    rng = np.random.default_rng(0)
    fig = plots.network([2, 3, 1], weights=[rng.normal(size=(2, 3)), rng.normal(size=(3, 1))])
    fig.draw_without_rendering()
    extents = [t.get_window_extent() for t in fig.axes[0].texts]
    assert not any(a.overlaps(b) for i, a in enumerate(extents) for b in extents[i + 1 :])


@pytest.mark.parametrize(
    ("sizes", "options"),
    [
        ([3], {}),
        ([3, 0], {}),
        ([2, 1], {"names": ["entrée"]}),
        ([2, 1], {"values": [[1], [1]]}),
        ([2, 1], {"weights": [np.zeros((1, 2))]}),
    ],
)
def test_network_explains_what_is_wrong(sizes: list[int], options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="on attend|donnez-en|les couches ont"):
        plots.network(sizes, **options)  # type: ignore[arg-type]
