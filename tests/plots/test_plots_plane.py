from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import confusion_matrix

from course_utils import plots
from course_utils.plots import display

X, Y = make_moons(80, noise=0.15, random_state=0)


def test_scatter_gives_each_class_a_colour_a_marker_and_a_name() -> None:
    points = np.random.default_rng(0).normal(size=(100, 2))
    ax = plots.scatter(points, np.arange(100) % 10).axes[0]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == [str(k) for k in range(10)]
    paths = {str(c.get_paths()[0].vertices.round(3).tolist()) for c in ax.collections}
    assert len(paths) == 10
    assert np.allclose(np.concatenate([c.get_offsets() for c in ax.collections]).sum(), points.sum())


def test_scatter_shows_centres_and_points_without_group() -> None:
    ax = plots.scatter(X, np.where(Y == 0, -1, 0), class_names=["lune"], centers=[[0, 0]]).axes[0]
    assert [t.get_text() for t in ax.get_legend().get_texts()] == ["sans groupe", "lune", "centres"]


@pytest.mark.parametrize(
    ("points", "labels", "options", "message"),
    [
        (np.zeros((5, 3)), None, {}, "ACP"),
        (np.zeros((0, 2)), None, {}, "N ≥ 1"),
        (X, Y[:3], {}, "une par point"),
        (X, Y, {"class_names": ["a"]}, "1 noms de classes"),
    ],
)
def test_scatter_explains_what_is_wrong(
    points: np.ndarray, labels: np.ndarray | None, options: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        plots.scatter(points, labels, **options)  # type: ignore[arg-type]


def bowl(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return x**2 + 4 * y**2


@pytest.mark.parametrize("log", [False, True])
def test_surface_draws_the_paths_given(log: bool) -> None:
    path = np.array([[2.0, 1.0], [1.0, 0.5], [0.0, 0.0]])
    fig = plots.surface(bowl, (-3, 3), (-2, 2), paths={"SGD": path}, minimum=(0, 0), log=log)
    display.render(fig)
    assert any(np.array_equal(np.column_stack(line.get_data()), path) for line in fig.axes[0].lines)
    assert (fig.axes[0].get_xlim(), fig.axes[0].get_ylim()) == ((-3, 3), (-2, 2))
    assert "2 pas, arrivée en (0" in plots.alt_text(fig)


@pytest.mark.parametrize(
    ("f", "options", "message"),
    [
        (lambda x, y: 3.0, {}, "vectorize"),
        (bowl, {"paths": {"SGD": [1, 2]}}, "SGD"),
        (lambda x, y: x, {"log": True}, "positive"),
    ],
)
def test_surface_explains_what_is_wrong(f: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.surface(f, (-1, 1), (-1, 1), **options)  # type: ignore[arg-type]


@pytest.mark.parametrize("normalize", [False, True])
def test_confusion_agrees_with_scikit_learn(normalize: bool) -> None:
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(0, 4, 200), rng.integers(0, 4, 200)
    fig = plots.confusion(true, predicted, list("abcd"), normalize=normalize)
    reference = confusion_matrix(true, predicted, normalize="true" if normalize else None)
    written = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in fig.axes[0].texts}
    for (i, j), text in written.items():
        assert text == (f"{100 * reference[i, j]:.0f}" if normalize else str(reference[i, j]))
    assert len(written) == 16
    assert fig.axes[0].get_ylabel().startswith("vraie classe")


def test_confusion_colour_follows_the_rate_of_the_line() -> None:
    # Ten times more zeros than ones, classified equally well: the two diagonal cells have one colour.
    true = np.repeat([0, 1], [100, 10])
    predicted = np.concatenate([np.repeat([0, 1], [80, 20]), np.repeat([0, 1], [2, 8])])
    shown = plots.confusion(true, predicted).axes[0].images[0].get_array()
    assert np.allclose(shown[0, 0], shown[1, 1])


def test_confusion_text_tells_the_commonest_error() -> None:
    text = plots.alt_text(plots.confusion([0, 1, 1, 2], [0, 2, 2, 2], ["chat", "chien", "loup"]))
    assert "chien pris pour loup (2 fois)" in text
    assert "50,0" in text


@pytest.mark.parametrize(
    ("true", "predicted", "names", "message"),
    [
        ([], [], None, "N ≥ 1"),
        ([0, 1], [0], None, "il en faut autant"),
        ([0, 1], [[0.1, 0.9], [0.2, 0.8]], None, "argmax"),
        ([0, 3], [0, 1], ["a", "b"], "2 noms"),
        ([0.5, 1], [0, 1], None, "entiers"),
    ],
)
def test_confusion_explains_what_is_wrong(true: object, predicted: object, names: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.confusion(true, predicted, names)  # type: ignore[arg-type]


MODEL = LogisticRegression().fit(X, Y)


@pytest.mark.parametrize(
    "predict",
    [
        MODEL.predict,
        MODEL.predict_proba,
        lambda p: MODEL.predict_proba(p)[:, 1],
        lambda p: MODEL.predict_proba(p)[:, 1:],
    ],
)
def test_decision_understands_every_form_of_answer(predict: object) -> None:
    fig = plots.decision(predict, X, Y, resolution=60)  # type: ignore[arg-type]
    shown = fig.axes[0].images[0]
    x0, x1, y0, y1 = shown.get_extent()
    grid = np.stack(np.meshgrid(np.linspace(x0, x1, 60), np.linspace(y0, y1, 60)), axis=-1).reshape(-1, 2)
    answers = MODEL.predict(grid.astype(np.float32)).reshape(60, 60)
    rgb = shown.get_array()
    assert np.array_equal(rgb[..., 2] > rgb[..., 0], answers == 0)  # class 0 is blue, class 1 vermillion


@pytest.mark.parametrize(
    ("predict", "message"),
    [
        (lambda p: np.zeros(3), r"\(400,\)"),
        (lambda p: np.full(len(p), np.nan), "NaN"),
        (lambda p: np.linspace(-3, 3, len(p)), "probabilités"),
    ],
)
def test_decision_explains_what_is_wrong(predict: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.decision(predict, X, Y, resolution=20)  # type: ignore[arg-type]


def test_decision_with_one_answer_everywhere() -> None:
    display.render(plots.decision(lambda p: np.zeros(len(p), int), X, Y, resolution=20))
