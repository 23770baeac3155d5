from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from course_utils import plots
from course_utils.plots import display

HISTORY = {"accuracy": [0.5, 0.8], "loss": [1.0, 0.4], "val_accuracy": [0.4, 0.7], "val_loss": [1.1, 0.6]}


def drawn(ax: object) -> list[tuple[list[float], str, str]]:
    return [(list(line.get_ydata()), line.get_color(), line.get_linestyle()) for line in ax.lines]  # type: ignore[attr-defined]


@pytest.mark.parametrize("form", [HISTORY, SimpleNamespace(history=HISTORY)])
def test_history_gives_a_panel_for_each_metric_with_validation_dashed(form: object) -> None:
    fig = plots.curves(form)
    assert [ax.get_ylabel() for ax in fig.axes] == ["coût", "exactitude"]
    train, validation = drawn(fig.axes[0])
    assert train == ([1.0, 0.4], plots.BLUE, "-")
    assert validation[:2] == ([1.1, 0.6], plots.BLUE)
    assert validation[2] != "-"
    assert list(fig.axes[0].lines[0].get_xdata()) == [1, 2]
    assert [t.get_text() for t in fig.axes[0].get_legend().get_texts()] == ["entraînement", "validation"]
    assert "0,4" in plots.alt_text(fig)


def test_runs_have_their_own_colours() -> None:
    fig = plots.curves({"SGD": HISTORY, "Adam": SimpleNamespace(history=HISTORY)}, metrics=("loss",))
    assert len(fig.axes) == 1
    assert {line[1] for line in drawn(fig.axes[0])} == {plots.BLUE, plots.VERMILLION}
    names = [t.get_text() for t in fig.axes[0].get_legend().get_texts()]
    assert names == ["SGD", "Adam", "entraînement", "validation"]


def test_one_list_for_each_run() -> None:
    fig = plots.curves({"SGD": [3, 2, 1], "Adam": [2, 1]}, ylabel="coût", xlabel="itération", logy=True)
    assert [line[0] for line in drawn(fig.axes[0])] == [[3, 2, 1], [2, 1]]
    assert fig.axes[0].get_yscale() == "log"
    assert (fig.axes[0].get_xlabel(), fig.axes[0].get_ylabel()) == ("itération", "coût")


@pytest.mark.parametrize(
    ("histories", "options", "message"),
    [
        ({}, {}, "dictionnaire vide"),
        ([1, 2], {}, "list"),
        (HISTORY, {"metrics": ("auc",)}, "loss, accuracy"),
        ({"loss": []}, {}, "une valeur par époque"),
        ({"loss": [[1, 2]]}, {}, "une valeur par époque"),
        ({"a": HISTORY, "b": [1, 2]}, {}, "mélange"),
    ],
)
def test_curves_explains_what_is_wrong(histories: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.curves(histories, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("key", "name"),
    [("val_loss", "coût (validation)"), ("accuracy", "exactitude"), ("my_score", "my score")],
)
def test_metrics_have_french_names(key: str, name: str) -> None:
    assert plots.metric_name(key) == name


def test_lines_draws_each_curve_in_the_order_of_the_palette() -> None:
    x = np.array([1.0, 2.0, 3.0])
    fig = plots.lines(x, {"a": x, "b": x**2}, dashed=("b",), logx=True, xlabel="x", ylabel="y")
    assert [line[1] for line in drawn(fig.axes[0])] == [plots.BLUE, plots.VERMILLION]
    assert drawn(fig.axes[0])[1][2] == "--"
    assert fig.axes[0].get_xscale() == "log"


@pytest.mark.parametrize(("x", "ys"), [([1, 2], {"a": [1, 2, 3]}), (None, {}), ([1], {"a": [[1]]})])
def test_lines_explains_what_is_wrong(x: object, ys: object) -> None:
    with pytest.raises(ValueError, match="lines|La courbe"):
        plots.lines(x, ys)  # type: ignore[arg-type]


def test_bars_write_their_values() -> None:
    fig = plots.bars({"SVM": 0.9, "réseau": 0.973}, errors={"réseau": 0.01}, highlight="réseau")
    ax = fig.axes[0]
    assert [t.get_text() for t in ax.texts] == ["0,900", "0,973"]
    assert [p.get_height() for p in ax.patches] == [0.9, 0.973]
    assert ax.get_ylim()[0] == 0


def test_long_names_lie_on_the_side() -> None:
    names = {"machine à vecteurs de support": 0.9, "forêt aléatoire de cent arbres": 0.8, "réseau dense": 0.7}
    ax = plots.bars(names, ylabel="exactitude").axes[0]
    assert [p.get_width() for p in ax.patches] == [0.9, 0.8, 0.7]
    assert ax.get_xlabel() == "exactitude"


def test_groups_share_the_colours_of_their_names() -> None:
    ax = plots.bars({"images": {"SVM": 1, "réseau": 2}, "table": {"SVM": 3, "réseau": 4}}).axes[0]
    assert sorted(p.get_height() for p in ax.patches) == [1, 2, 3, 4]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["SVM", "réseau"]


@pytest.mark.parametrize("values", [{}, {"a": {"x": 1}, "b": {"y": 2}}])
def test_bars_explains_what_is_wrong(values: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="bars"):
        plots.bars(values)


@pytest.mark.parametrize("option", [{"errors": {"SVM": 0.1}}, {"highlight": "SVM"}])
def test_bars_refuses_what_groups_would_ignore(option: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="sans groupes"):
        plots.bars({"images": {"SVM": 1}, "table": {"SVM": 3}}, **option)


def test_distribution_has_area_one() -> None:
    samples = np.random.default_rng(0).normal(size=(50, 40))
    ax = plots.distribution({"a": samples}, bins=30).axes[0]
    heights, edges = np.histogram(samples, 30, density=True)
    filled = ax.patches[:30]
    assert np.allclose([p.get_height() for p in filled], heights)
    assert np.isclose(sum(p.get_height() * p.get_width() for p in filled), 1)


@pytest.mark.parametrize("samples", [[], {}, {"a": [np.nan]}])
def test_distribution_explains_what_is_wrong(samples: object) -> None:
    with pytest.raises(ValueError, match="distribution"):
        plots.distribution(samples)  # type: ignore[arg-type]


def test_every_chart_is_a_light_drawing() -> None:
    for fig in (
        plots.curves(HISTORY),
        plots.bars({"a": 1}),
        plots.lines(None, [1, 2, 3]),
        plots.distribution([1, 2, 3]),
    ):
        mime, data = display.encode(display.render(fig))
        assert mime == "image/png"
        assert len(data) < 40_000
