from __future__ import annotations

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from course_utils import training

X = np.random.default_rng(0).normal(size=(64, 4)).astype(np.float32)
Y = (X.sum(axis=1) > 0).astype(int)


def model() -> keras.Model:
    network = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, activation="softmax")])
    network.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return network


class Clock:
    """A clock that advances by one second each time it is read."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


class Count(keras.callbacks.Callback):
    batches = 0
    epochs = 0

    def on_train_batch_end(self, batch: int, logs: object = None) -> None:
        self.batches += 1

    def on_epoch_end(self, epoch: int, logs: object = None) -> None:
        self.epochs += 1


def test_budget_stops_after_the_batch_in_progress(capsys: pytest.CaptureFixture[str]) -> None:
    budget, count = training.TimeBudget(3, clock=Clock()), Count()
    model().fit(X, Y, batch_size=8, epochs=5, verbose=0, callbacks=[count, budget])
    assert budget.stopped
    assert (count.batches, count.epochs) == (3, 1)  # the epoch is closed, its metrics recorded
    expected = "Budget de 3\u00a0s atteint\u00a0: entraînement arrêté pendant l’époque 1.\n"
    assert capsys.readouterr().out == expected


def test_budget_within_reach_changes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    budget, count = training.TimeBudget(1000), Count()
    model().fit(X, Y, batch_size=32, epochs=2, verbose=0, callbacks=[budget, count])
    assert not budget.stopped
    assert (count.batches, count.epochs) == (4, 2)
    assert capsys.readouterr().out == ""


def test_budget_spent_on_the_last_batch_is_not_called_a_stop() -> None:
    # Eight batches of one second each: nothing was cut short.
    budget = training.TimeBudget(7.5, clock=Clock(), quiet=True)
    model().fit(X, Y, batch_size=8, epochs=1, verbose=0, callbacks=[budget])
    assert not budget.stopped
    budget = training.TimeBudget(6.5, clock=Clock(), quiet=True)
    model().fit(X, Y, batch_size=8, epochs=1, verbose=0, callbacks=[budget])
    assert budget.stopped


def test_budget_holds_on_a_real_clock() -> None:
    import time

    budget = training.TimeBudget(0.5, quiet=True)
    network = model()
    network.fit(X, Y, verbose=0)  # the first call compiles
    start = time.perf_counter()
    network.fit(X, Y, batch_size=8, epochs=100_000, verbose=0, callbacks=[budget])
    assert budget.stopped
    assert 0.5 <= time.perf_counter() - start < 5


def test_budget_serves_again(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    budget = training.TimeBudget(2, clock=clock)
    for _ in range(2):
        model().fit(X, Y, batch_size=8, epochs=3, verbose=0, callbacks=[budget])
    assert capsys.readouterr().out.count("Budget") == 2


@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_budget_must_be_positive(seconds: float) -> None:
    with pytest.raises(ValueError, match="durée positive"):
        training.TimeBudget(seconds)


def test_live_curve_writes_lines_outside_jupyter(capsys: pytest.CaptureFixture[str]) -> None:
    curve = training.LiveCurve(every=2)
    history = model().fit(X, Y, epochs=4, validation_data=(X, Y), verbose=0, callbacks=[curve])
    printed = capsys.readouterr().out.splitlines()
    assert [line.split(" · ")[0] for line in printed] == ["époque 2/4", "époque 4/4"]
    assert "validation\u00a0: coût" in printed[-1]
    assert curve.history == {key: pytest.approx(values) for key, values in history.history.items()}


def test_live_curve_keeps_the_metrics_asked() -> None:
    curve = training.LiveCurve(metrics=("loss",))
    model().fit(X, Y, epochs=1, validation_data=(X, Y), verbose=0, callbacks=[curve])
    assert set(curve.history) == {"loss", "val_loss"}


@pytest.mark.parametrize("options", [{"every": 0}, {"share": 0}, {"share": 2}])
def test_live_curve_refuses_bad_settings(options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="every ≥ 1"):
        training.LiveCurve(**options)  # type: ignore[arg-type]


def test_set_seed_reproduces_a_keras_training() -> None:
    def weights() -> np.ndarray:
        training.set_seed(3)
        network = model()
        network.fit(X, Y, epochs=1, verbose=0)
        return network.get_weights()[0]

    assert np.array_equal(weights(), weights())


CELLS = [
    "import numpy as np, time\nfrom course_utils import training\nimport keras",
    """x = np.random.default_rng(0).normal(size=(64, 4)); y = (x.sum(axis=1) > 0).astype(int)
model = keras.Sequential([keras.layers.Input((4,)), keras.layers.Dense(2, activation="softmax")])
model.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
curve = training.LiveCurve(title="Essai")
_ = model.fit(x, y, epochs=7, verbose=0, callbacks=[curve])""",
    "for _ in training.progress(range(4), 'rendu'):\n    time.sleep(0.3)",
]


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(node, timeout=180, kernel_name="python3").execute()
    return node


def test_notebook_keeps_one_figure_of_the_whole_training(notebook: nbformat.NotebookNode) -> None:
    (output,) = notebook.cells[1].outputs
    assert output.metadata["image/png"]["alt"].startswith("Essai. coût\u00a0: dernière valeur")


def test_notebook_keeps_one_line_of_the_progress(notebook: nbformat.NotebookNode) -> None:
    (output,) = notebook.cells[2].outputs
    assert output.data["text/plain"].startswith("rendu\u00a0: 4 sur 4 en 1,")
