"""Every check of the course on its bank of answers, and the four sets of ids held equal.

A bank ``bank_<day>_<notebook>.py`` beside this file gives, for each exercise, the solution, the untouched stub and at
least three typical wrong answers, each with a fragment of the diagnosis that it must get.
"""

from __future__ import annotations

import importlib.util
import sys
from itertools import combinations
from pathlib import Path

import pytest

from course_utils.exercises import declare
from course_utils.exercises.notebooks import exercise_ids, find_solution
from course_utils.exercises.testing import Case, judge
from course_utils.paths import ROOT


def read_banks() -> dict[str, Case]:
    """Return the cases of all banks; an exercise that stands in two banks is an error."""
    cases: dict[str, Case] = {}
    for path in sorted(Path(__file__).parent.glob("bank_*.py")):
        spec = importlib.util.spec_from_file_location(path.stem, path)
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        twice = cases.keys() & module.CASES.keys()
        assert not twice, f"{path.name}: {sorted(twice)} stand in another bank too"
        cases |= module.CASES
    return cases


def listed(folder: str) -> list[str]:
    return [identity for ids in exercise_ids(ROOT / folder).values() for identity in ids]


BANKS = read_banks()
EXERCISES = pytest.mark.parametrize("identity", sorted(BANKS))


def plain(text: str) -> str:
    return text.replace("\u00a0", " ")


@EXERCISES
def test_the_solution_passes(identity):
    verdict = judge(identity, BANKS[identity].solution)
    assert verdict.status == "right", verdict.message


@EXERCISES
def test_the_other_right_answers_pass(identity):
    for answer in BANKS[identity].also_right:
        verdict = judge(identity, answer)
        assert verdict.status == "right", f"{answer!r}: {verdict.message}"


@EXERCISES
def test_the_untouched_stub_is_untried(identity):
    verdict = judge(identity, BANKS[identity].stub)
    assert verdict.status == "untried", verdict.message


@EXERCISES
def test_each_typical_mistake_is_refused_for_its_reason(identity):
    wrong = BANKS[identity].wrong
    assert len(wrong) >= 3, "a bank gives at least three wrong answers"
    assert len({fragment for _, fragment in wrong}) >= 2, "the wrong answers must not all get the same reason"
    for answer, fragment in wrong:
        verdict = judge(identity, answer)
        assert verdict.crash is None, f"the check itself stopped on {verdict.crash!r} for {answer!r}"
        assert verdict.status == "wrong", f"{answer!r} is accepted: {verdict}"
        assert len(fragment) >= 4
        assert plain(fragment) in plain(verdict.message)


@EXERCISES
def test_the_exercise_has_graduated_hints(identity):
    exercise = declare.REGISTRY.get(identity)
    assert len(exercise.hints) >= 2
    for text in (*exercise.hints, exercise.success):
        assert text == text.strip()
        assert text.count("`") % 2 == 0, text


IDS = {
    "notebooks": set(listed("notebooks")),
    "solutions": set(listed("solutions")),
    "checks": declare.REGISTRY.ids(),
    "banks": set(BANKS),
}


@pytest.mark.parametrize(("first", "second"), list(combinations(IDS, 2)))
def test_notebooks_solutions_checks_and_banks_hold_the_same_exercises(first, second):
    for name in (first, second):
        if not IDS[name]:
            pytest.skip(f"no exercise yet in the {name}")
    assert not IDS[first] - IDS[second], f"in the {first}, not in the {second}"
    assert not IDS[second] - IDS[first], f"in the {second}, not in the {first}"


@pytest.mark.parametrize("folder", ["notebooks", "solutions"])
def test_an_exercise_stands_once_and_in_its_own_notebook(folder):
    ids = listed(folder)
    assert len(ids) == len(set(ids))
    for path, own in exercise_ids(ROOT / folder).items():
        number = Path(path).name.split("_")[0]
        assert all(identity.rsplit("-", 1)[0] == number for identity in own), f"{path}: {own}"
        letters = [identity.rsplit("-", 1)[1] for identity in own]
        assert letters == [chr(ord("a") + i) for i in range(len(letters))], f"{path}: {own}"


@pytest.mark.parametrize("identity", sorted(IDS["solutions"]))
def test_the_solution_is_shown_with_its_explanation(identity):
    found = find_solution(identity, ROOT / "solutions")
    assert found is not None
    assert found.code and "check(" not in found.code
    assert found.explanation, "a markdown cell that explains must follow the solved cell"
