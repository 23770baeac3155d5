from __future__ import annotations

import random
import re
import subprocess
import sys
import time
from types import SimpleNamespace

import numpy as np
import pytest

from course_utils import training
from course_utils.training.progress import _seconds


def test_import_loads_no_tensorflow() -> None:
    code = (
        "import sys, course_utils.training as t, course_utils.plots; "
        "heavy = {'tensorflow', 'keras', 'torch', 'IPython', 'ipywidgets'} & set(sys.modules); "
        "assert not heavy, heavy; assert 'LiveCurve' in dir(t); t.LiveCurve; assert 'keras' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_unknown_attribute_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="LiveCurv"):
        training.LiveCurv  # noqa: B018


def test_set_seed_reproduces_python_and_numpy() -> None:
    def draws() -> tuple[float, list[float]]:
        training.set_seed(7)
        return random.random(), np.random.rand(3).tolist()  # noqa: NPY002

    first = draws()
    assert draws() == first
    random.seed(7)
    assert random.random() == first[0]


@pytest.mark.parametrize(
    ("seed", "error"), [(1.5, TypeError), ("0", TypeError), (True, TypeError), (-1, ValueError), (2**32, ValueError)]
)
def test_set_seed_refuses_what_is_not_a_seed(seed: object, error: type[Exception]) -> None:
    with pytest.raises(error, match="on attend un entier"):
        training.set_seed(seed)  # type: ignore[arg-type]


def test_compact_puts_the_last_epoch_in_one_line() -> None:
    history = {"accuracy": [0.5, 0.9664], "loss": [1.0, 0.112], "val_accuracy": [0.4, 0.961], "val_loss": [1.1, 0.131]}
    expected = "2 époques · coût 0,112 · exactitude 0,966 · validation\u00a0: coût 0,131, exactitude 0,961"
    assert training.compact(history) == expected
    assert training.compact(SimpleNamespace(history=history)) == expected
    assert training.compact({"loss": [0.5]}, decimals=1) == "1 époque · coût 0,5"


@pytest.mark.parametrize("history", [{}, {"loss": []}, None])
def test_compact_refuses_an_empty_history(history: object) -> None:
    with pytest.raises(ValueError, match="aucune époque"):
        training.compact(history)


def test_progress_yields_everything_and_leaves_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(training.progress(range(5), "rendu", unit="images")) == [0, 1, 2, 3, 4]
    out, err = capsys.readouterr()
    assert err == ""
    assert re.fullmatch(r"rendu\u00a0: 5 sur 5 images en [\d,]+\u00a0m?s", re.split(r"[\r\n]", out.strip())[-1])


def test_progress_without_length_or_label(capsys: pytest.CaptureFixture[str]) -> None:
    assert sum(training.progress(x for x in (1, 2))) == 3
    assert re.search(r"\b2 en [\d,]+\u00a0m?s$", capsys.readouterr().out.strip())


def test_interrupted_progress_says_how_far_it_went(capsys: pytest.CaptureFixture[str]) -> None:
    for item in training.progress(range(10), "essai"):
        if item == 3:
            break
    assert "essai" in capsys.readouterr().out


def test_timed_prints_the_duration(capsys: pytest.CaptureFixture[str]) -> None:
    with training.timed("attente"):
        time.sleep(0.01)
    found = re.fullmatch(r"attente\u00a0: ([\d,]+)\u00a0ms\n", capsys.readouterr().out)
    assert found is not None
    assert float(found[1].replace(",", ".")) >= 10


@pytest.mark.parametrize(
    ("duration", "text"), [(0.0123, "12\u00a0ms"), (3.21, "3,2\u00a0s"), (125, "2\u00a0min 05\u00a0s")]
)
def test_durations_are_written_the_french_way(duration: float, text: str) -> None:
    assert _seconds(duration) == text
