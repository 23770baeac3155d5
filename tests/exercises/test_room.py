"""The room as a participant meets it: verdicts, hints, solutions, progress, quiz; with toy exercises of a day 9."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import textwrap
import warnings

import numpy as np
import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_utils import exercises, paths
from course_utils.exercises import check, checking, declare, diagnose, hint, progress, quiz, solution
from course_utils.exercises.declare import Registry, UnknownExercise, exercise
from course_utils.exercises.expect import expect_array, expect_cases, expect_equal, expect_function
from course_utils.exercises.journey import journey
from course_utils.exercises.notebooks import exercise_ids, find_solution, without_room_calls
from course_utils.exercises.record import RECORD
from course_utils.exercises.verdict import Notice, Verdict, rich, typeset


def declare_toys():
    @exercise("9-1-a", hints=("Un.", "Deux.", "`n + 1`"), success="Et l'on compte ainsi.")
    def successor(successor):
        expect_function(successor, parameters=1)
        expect_cases(successor, [((1,), 2), ((4,), 5)])

    @exercise("9-1-b", hints=("Un.",))
    def pair(weights, biases):
        expect_equal(weights, 784)
        expect_equal(biases, 10)

    @exercise("9-2-a")
    def neuron(Neuron):
        layer = Neuron(2)
        expect_array(layer.forward(np.ones(2)), [2.0], name="Neuron(2).forward(x)")
        return f"Un neurone de taille {layer.size}."

    @exercise("9-2-b")
    def broken(answer):
        return str(answer.nothing_of_the_kind)


@pytest.fixture(autouse=True)
def toys(monkeypatch, tmp_path):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    monkeypatch.setattr(declare, "REGISTRY", Registry())
    monkeypatch.setattr(Registry, "_modules", lambda self: [])
    monkeypatch.setattr(checking, "_HINTS_GIVEN", {})
    monkeypatch.setattr(RECORD, "_pending", {})
    monkeypatch.setattr(RECORD, "_said", set())
    declare_toys()


def printed(capsys) -> str:
    return capsys.readouterr().out.replace("\u00a0", " ")


def words(verdict: Verdict) -> str:
    return verdict.message.replace("\u00a0", " ")


class Neuron:
    def __init__(self, size):
        self.size = size

    def forward(self, x):
        return np.array([x.sum()])


# --- check ---


def test_the_three_verdicts_in_text(capsys):
    def stub(n): ...

    check("9-1-a", stub)
    check("9-1-a", lambda n: n)
    check("9-1-a", lambda n: n + 1)
    assert printed(capsys).splitlines() == [
        "○ 9-1-a · Non tenté : `stub(1)` renvoie None. Complétez la fonction, et terminez par `return`. "
        'Un indice ? `hint("9-1-a")`',
        "✗ 9-1-a · À revoir : `successor(1)` renvoie 1, on attendait 2.",
        "✓ 9-1-a · Réussi. Et l'on compte ainsi.",
    ]


@pytest.mark.parametrize("stub", [..., None, [..., 1], (1, ...), {"a": ...}, np.array(...), lambda n: ...])
def test_stubs_are_untried(stub):
    assert diagnose("9-1-a", stub).status == "untried"


def test_several_answers():
    assert diagnose("9-1-b", 784, 10).status == "right"
    assert diagnose("9-1-b", weights=784, biases=10).status == "right"
    assert words(diagnose("9-1-b", 784, ...)).startswith("`biases` reste à compléter. Un indice ?")
    assert words(diagnose("9-1-b", ..., ...)).startswith("`weights` et `biases` restent à compléter.")
    assert diagnose("9-1-b").status == "untried"
    assert words(diagnose("9-1-b", 784)) == 'on attend `check("9-1-b", weights, biases)`, vous avez donné 1 réponse.'
    assert words(diagnose("9-1-b", 784, 11)) == "`biases` vaut 11, on attendait 10."


def test_a_class_is_judged_and_may_crash():
    class Stub:
        def __init__(self, size):
            self.size = size

        def forward(self, x): ...

    class Crash(Neuron):
        def forward(self, x):
            return x[self.size]

    assert diagnose("9-2-a", Neuron) == Verdict("9-2-a", "right", "Un neurone de taille 2.")
    assert diagnose("9-2-a", Stub).status == "untried"
    verdict = diagnose("9-2-a", Crash)
    assert verdict.status == "wrong" and verdict.crash is None
    assert "votre code s'arrête sur IndexError" in verdict.message
    assert "return x[self.size]" in verdict.message


def test_a_fault_of_the_check_itself_does_not_reach_the_participant_as_an_exception(capsys):
    check("9-2-b", 3)
    assert "cette réponse n'a pas pu être lue (AttributeError" in printed(capsys)
    assert isinstance(diagnose("9-2-b", 3).crash, AttributeError)


def test_the_line_of_the_cell_is_given_in_a_notebook(shell):
    result = shell.run_cell(
        "from course_utils.exercises import diagnose\n\ndef successor(n):\n    return n / 0\n\n"
        'verdict = diagnose("9-1-a", successor)'
    )
    assert result.success
    message = words(shell.user_ns["verdict"])
    assert "ligne 4 de votre cellule : `return n / 0`." in message


def test_unknown_ids_are_answered_with_the_nearest(capsys):
    check("9-1-c", 3)
    check("fini", 3)
    hint("9-7-a")
    out = printed(capsys)
    assert "aucun exercice ne porte le numéro `9-1-c`. Vouliez-vous dire `9-1-b` ou `9-1-a`" in out
    assert "« fini » n'est pas un numéro d'exercice" in out
    with pytest.raises(UnknownExercise):
        diagnose("9-1-c", 3)


@pytest.mark.parametrize("written", ["9-1-A", " 9-1-a", "9·1·a", "9_1_a"])
def test_an_id_is_read_generously(written):
    assert diagnose(written, lambda n: n + 1).status == "right"


def test_a_check_disturbs_nothing(recwarn):
    @exercise("9-3-a")
    def noisy(answer):
        warnings.warn("noise", stacklevel=1)
        random.random()
        np.random.rand()  # noqa: NPY002 - the very state that must be protected
        answer[0] = answer[0]

    data = np.array([1.0, 2.0])
    states = random.getstate(), np.random.get_state()[1].copy()  # noqa: NPY002
    diagnose("9-3-a", data)
    assert random.getstate() == states[0]
    np.testing.assert_array_equal(np.random.get_state()[1], states[1])  # noqa: NPY002
    assert not recwarn.list


# --- display ---


@pytest.fixture
def shell():
    instance = InteractiveShell.instance()
    yield instance
    InteractiveShell.clear_instance()


@pytest.mark.parametrize(
    "code", ['check("9-1-a", lambda n: n)', 'check("9-1-a", lambda n: n);', 'x = check("9-1-a", lambda n: n)']
)
def test_a_verdict_shows_exactly_once_wherever_it_stands(shell, code):
    with capture_output() as captured:
        shell.run_cell(f"from course_utils.exercises import check\n{code}")
    assert len(captured.outputs) == 1
    data = captured.outputs[0].data
    assert set(data) == {"text/plain", "text/html"}
    assert "À revoir" in data["text/html"] and "<code" in data["text/html"]
    assert not captured.stdout


def test_french_spaces_are_set_outside_code():
    assert typeset("Oui : « non » ? `a : b`") == "Oui\u00a0: «\u00a0non\u00a0»\u00a0? `a : b`"


def test_html_is_escaped():
    assert rich("a < b & `x<y`").startswith("a &lt; b &amp; <code")
    assert "x&lt;y</code>" in rich("`x<y`")
    assert "<script>" not in Notice("<script>", "<script>")._repr_mimebundle_()["text/html"]


def test_the_display_is_the_same_every_time():
    verdicts = [diagnose("9-1-a", lambda n: n)._repr_mimebundle_() for _ in range(2)]
    assert verdicts[0] == verdicts[1]


# --- hint ---


def test_hints_come_one_by_one_then_the_last_again(capsys):
    for _ in range(4):
        hint("9-1-a")
    lines = printed(capsys).splitlines()
    assert lines[:4] == [
        "Indice 1 sur 3 · 9-1-a : Un.", "Il en reste 2.", "Indice 2 sur 3 · 9-1-a : Deux.", "Il en reste 1.",
    ]  # fmt: skip
    assert lines[4] == lines[6] == "Indice 3 sur 3 · 9-1-a : `n + 1`"
    assert lines[5] == 'C\'est le dernier ; ensuite, `solution("9-1-a")`.'


def test_a_hint_may_be_asked_by_number(capsys):
    hint("9-1-a", 2)
    hint("9-1-a")
    hint("9-1-a", 7)
    hint("9-2-a")
    out = printed(capsys)
    assert out.index("Indice 2") < out.index("Indice 3")
    assert "ils vont de 1 à 3" in out
    assert "cet exercice n'en a pas" in out


# --- solution ---


def cell(kind, source, **metadata):
    return {"cell_type": kind, "source": source, "metadata": metadata, "outputs": []}


SOLVED = """def successor(n):
    return n + 1

check(
    "9-1-a",
    successor,
)
"""


@pytest.fixture
def course(tmp_path, monkeypatch):
    cells = [
        cell("code", "import numpy as np"),
        cell("code", SOLVED.splitlines(keepends=True), exercise="9-1-a"),
        cell("markdown", "Le suivant de n est n + 1."),
        cell("code", 'weights, biases = 784, 10\ncheck("9-1-b", weights, biases)', exercise="9-1-b"),
        cell("markdown", "## Une autre section"),
        cell("markdown", "Un poids par pixel.", explains="9-1-b"),
        cell("code", '%time x = 1\ncheck("9-2-a", x)', exercise="9-2-a"),
    ]  # fmt: skip
    for folder in ("solutions", "notebooks"):
        path = tmp_path / folder / "jour9" / "9-1_suivants.ipynb"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"cells": cells, "metadata": {"course": {"title": "Suivants"}}}), encoding="utf-8")
    (path.parent / "9-0_abime.ipynb").write_text("{", encoding="utf-8")
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    return tmp_path


def test_the_solved_cell_is_read_without_its_check_and_with_its_explanation(course):
    found = find_solution("9-1-a", course / "solutions")
    assert found is not None
    assert found.code == "def successor(n):\n    return n + 1"
    assert found.explanation == "Le suivant de n est n + 1."
    other = find_solution("9-1-b", course / "solutions")
    assert other is not None and other.explanation == "Un poids par pixel."
    magic = find_solution("9-2-a", course / "solutions")
    assert magic is not None and magic.code.startswith("%time") and magic.explanation == ""
    assert find_solution("9-9-z", course / "solutions") is None
    assert exercise_ids(course / "notebooks")["jour9/9-1_suivants.ipynb"] == ["9-1-a", "9-1-b", "9-2-a"]


def test_a_solution_is_shown_even_before_any_attempt_with_a_gentle_line(course, capsys):
    solution("9-1-a")
    assert "cherchez d'abord un peu" in printed(capsys)
    check("9-1-a", lambda n: n)
    printed(capsys)
    solution("9-1-a")
    out = printed(capsys)
    assert "cherchez" not in out
    assert "def successor(n):" in out and "check(" not in out


def test_a_missing_solution_says_so(course, capsys):
    solution("9-2-b")
    assert "introuvable" in printed(capsys)


def test_a_solution_is_markdown_in_a_notebook(course, shell):
    with capture_output() as captured:
        shell.run_cell('from course_utils.exercises import solution\nsolution("9-1-a")')
    markdown = captured.outputs[-1].data["text/markdown"]
    assert "```python\ndef successor(n):\n    return n + 1\n```" in markdown


def test_only_calls_to_the_room_are_cut():
    code = 'x = check\nprint(check)\nhint("1-1-a")\ny = check("1-1-a", 2)'
    assert without_room_calls(code) == 'x = check\nprint(check)\ny = check("1-1-a", 2)'


# --- progress ---


def test_progress_counts_by_day_and_notebook(course, capsys):
    check("9-1-a", lambda n: n + 1)
    check("9-1-b", 1, 2)
    check("9-2-a", ...)
    days = journey().days
    title, count = days[9]["9-1"]
    assert (title, count.solved, count.tried, count.total, count.marks) == ("Suivants", 1, 1, 2, "✓✗")
    assert days[9]["9-2"][1].marks == "○○"
    printed(capsys)
    progress()
    out = printed(capsys)
    assert "Jour 9  █████▒▒▒▒▒··········  1 réussi, 1 à revoir, sur 4" in out
    assert "9·1  ✓✗       1/2  Suivants" in out
    page = journey()._repr_mimebundle_()["text/html"]
    assert "width:25.00%" in page and "Suivants" in page


def test_progress_without_any_exercise(monkeypatch, capsys):
    monkeypatch.setattr(declare, "REGISTRY", Registry())
    progress()
    assert "aucun exercice" in printed(capsys)


# --- declaration and registry ---


def test_a_duplicate_id_is_refused():
    with pytest.raises(ValueError, match="declared twice"):

        @exercise("9-1-a")
        def other(answer): ...


@pytest.mark.parametrize("identity", ["9-1", "9-1-A", "9.1.a", "9-1-aa", ""])
def test_a_malformed_id_is_refused(identity):
    with pytest.raises(ValueError, match="day-notebook-letter"):

        @exercise(identity)
        def other(answer): ...


def test_hints_in_one_string_are_refused():
    with pytest.raises(ValueError, match="comma"):
        exercise("9-8-a", hints="Un seul.")


def test_the_decorator_returns_the_function():
    @exercise("9-8-a")
    def kept(answer):
        return "oui"

    assert kept(3) == "oui"


def test_only_the_day_asked_for_is_imported(tmp_path):
    package = tmp_path / "toy_course_of_checks"
    package.mkdir()
    (package / "__init__.py").touch()
    source = """
        from course_utils.exercises.declare import exercise

        @exercise("{id}")
        def answer(answer): ...
    """
    for name, identity in {"day1": "1-1-a", "day1_0": "0-0-a", "day2_3": "2-3-a", "daylight": "3-1-a"}.items():
        (package / f"{name}.py").write_text(textwrap.dedent(source).format(id=identity), encoding="utf-8")
    code = (
        "import sys; from course_utils.exercises import declare\n"
        "declare.REGISTRY = declare.Registry('toy_course_of_checks')\n"
        "declare.REGISTRY.get('0-0-a')\n"
        "loaded = lambda: sorted(m.split('.')[1] for m in sys.modules if m.startswith('toy_course_of_checks.'))\n"
        "print(loaded()); print(sorted(declare.REGISTRY.ids())); print(loaded())"
    )
    lines = run_python(code, PYTHONPATH=str(tmp_path)).splitlines()
    assert lines == ["['day1', 'day1_0']", "['0-0-a', '1-1-a', '2-3-a']", "['day1', 'day1_0', 'day2_3']"]


def run_python(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | environment,
        timeout=120,
    )
    return done.stdout


def test_the_room_opens_fast_and_light():
    code = (
        "import time; start = time.process_time(); from course_utils.exercises import check\n"
        "elapsed = time.process_time() - start\n"
        "import sys; heavy = 'tensorflow', 'keras', 'matplotlib', 'numpy', 'IPython'\n"
        "print(elapsed, [name for name in heavy if name in sys.modules])"
    )
    best, heavy = min((run_python(code).split(" ", 1) for _ in range(3)), key=lambda line: float(line[0]))
    assert heavy.strip() == "[]"
    assert float(best) < 0.2


def test_the_public_names():
    assert set(exercises.__all__) == {"check", "diagnose", "hint", "progress", "quiz", "solution"}


def test_an_unknown_quiz_says_so(capsys):
    quiz("9-9")
    assert "il n'y en a pas pour « 9-9 »" in printed(capsys)
