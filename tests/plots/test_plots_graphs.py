"""Graphs: every node and edge is drawn, nothing overlaps, arrows go forward."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.patches import Ellipse, FancyArrowPatch, FancyBboxPatch

from course_utils import plots

INCEPTION = [("x", "a"), ("x", "b"), ("b", "c"), ("x", "d"), ("d", "e"), ("a", "+"), ("c", "+"), ("e", "+")]


def parts(fig, kind):
    return [patch for patch in fig.axes[0].patches if isinstance(patch, kind)]


def boxes(fig):
    """Boxes by their first lines, as (left, top, right, bottom)."""
    fig.draw_without_rendering()
    found = {}
    for box in parts(fig, FancyBboxPatch):
        left, top, width, height = box.get_x(), box.get_y(), box.get_width(), box.get_height()
        inside = [
            text.get_text()
            for text in fig.axes[0].texts
            if left < text.get_position()[0] < left + width and top < text.get_position()[1] < top + height
        ]
        found[inside[0]] = (left, top, left + width, top + height)
    return found


def apart(one, other):
    return one[2] <= other[0] or other[2] <= one[0] or one[3] <= other[1] or other[3] <= one[1]


def test_every_node_and_every_edge_is_drawn():
    fig = plots.graph({name: f"{name}{name}\n32×32" for name in "xabcde"} | {"+": "+"}, INCEPTION, kinds={"a": "conv"})
    assert len(parts(fig, FancyBboxPatch)) == 6 and len(parts(fig, Ellipse)) == 1
    assert len(parts(fig, FancyArrowPatch)) == len(INCEPTION)
    assert [t.get_text() for t in fig.axes[0].texts].count("32×32") == 6


def test_the_text_holds_in_its_box():
    fig = plots.graph({"a": "Conv 3×3, 64\nBN · ReLU\n224×224×64", "b": "court"}, [("a", "b")], direction="down")
    fig.draw_without_rendering()
    frames = [box.get_window_extent() for box in parts(fig, FancyBboxPatch)]
    for text in fig.axes[0].texts:
        extent = text.get_window_extent()
        assert any(f.x0 <= extent.x0 and extent.x1 <= f.x1 and f.y0 <= extent.y0 and extent.y1 <= f.y1 for f in frames)
        assert text.get_fontsize() >= 11


@settings(deadline=None, max_examples=25)
@given(st.integers(2, 12).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_boxes_do_not_overlap_and_arrows_go_down(drawn):
    n, pairs = drawn
    edges = [(f"n{min(pair)}", f"n{max(pair)}") for pair in pairs if pair[0] != pair[1]]
    fig = plots.graph({f"n{i}": f"n{i}" + "m" * (i % 5) for i in range(n)}, edges, direction="down")
    places = {text[:3].rstrip("m"): box for text, box in boxes(fig).items()}
    every = list(places.values())
    assert len(every) == n
    assert all(apart(a, b) for i, a in enumerate(every) for b in every[:i])
    assert all(places[u][3] < places[v][1] for u, v in edges)


def test_a_shortcut_goes_round_and_the_chain_stays_in_line():
    chain = [("in", "c1"), ("c1", "c2"), ("c2", "out")]
    fig = plots.graph({name: name for name in ("in", "c1", "c2", "out")}, [*chain, ("in", "out")])
    places = boxes(fig)
    centres = {name: (box[0] + box[2]) / 2 for name, box in places.items()}
    assert np.ptp(list(centres.values())) < 1
    xs = np.concatenate([arrow.get_path().vertices[:, 0] for arrow in parts(fig, FancyArrowPatch)])
    assert xs.max() > places["c1"][2] or xs.min() < places["c1"][0]


def test_branches_do_not_cross_and_stand_in_their_order():
    fig = plots.graph({name: name * 3 for name in "xabcde"} | {"+": "+"}, INCEPTION)
    places = boxes(fig)
    assert places["aaa"][2] < places["bbb"][0] and places["bbb"][2] < places["ddd"][0]
    assert places["ccc"][2] < places["eee"][0]


def test_a_chain_is_read_like_a_text():
    names = [f"couche {i:02d}" for i in range(20)]
    fig = plots.graph({name: name for name in names}, list(zip(names[:-1], names[1:], strict=True)))
    places = boxes(fig)
    keys = [(places[name][1], places[name][0]) for name in names]
    assert keys == sorted(keys) and len({top for top, _ in keys}) > 1
    assert fig.get_figwidth() < 11.5


def test_to_the_right():
    fig = plots.graph({"a": "aa", "b": "bb", "c": "cc"}, [("a", "b"), ("a", "c")], direction="right")
    places = boxes(fig)
    assert places["aa"][2] < places["bb"][0] == pytest.approx(places["cc"][0], abs=15)


def test_labels_title_and_alternative_text():
    fig = plots.graph({"a": "x²", "b": "loss"}, [("a", "b")], labels={("a", "b"): "∂L/∂x = 2"}, title="Dérivées")
    assert "∂L/∂x = 2" in [t.get_text() for t in fig.axes[0].texts]
    assert plots.alt_text(fig).startswith("Dérivées. Graphe de 2 nœuds") and "x² → loss" in plots.alt_text(fig)
    assert plots.alt_text(plots.graph({"a": "aa"}, [], alt="Un point.")) == "Un point."


def test_displaying_it_warns_of_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        plots.display.mimebundle(plots.graph({"a": "aa", "b": "bb"}, [("a", "b")]))


@pytest.mark.parametrize(
    ("nodes", "edges", "options", "said"),
    [
        ({}, [], {}, "aucun nœud"),
        ({"a": "aa"}, [("a", "b")], {}, "« b »"),
        ({"a": "aa", "b": "bb"}, [("a", "b"), ("b", "a")], {}, "tournent en rond"),
        ({"a": "aa"}, [("a", "a")], {}, "tournent en rond"),
        ({"a": "aa"}, [], {"kinds": {"a": "convolution"}}, "convolution"),
    ],
)
def test_what_is_wrong_is_said(nodes, edges, options, said):
    with pytest.raises(ValueError) as caught:
        plots.graph(nodes, edges, **options)
    assert said in str(caught.value).replace("\N{NO-BREAK SPACE}", " ")
