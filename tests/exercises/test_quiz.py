"""The quizzes: their form, and what is sent to the page."""

from __future__ import annotations

import copy
import importlib.resources
import json
import os
import random
import subprocess
import sys

import pytest
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from course_utils.exercises import quiz as show_quiz
from course_utils.exercises.questions import _REPAIRS, QUIZZES, Quiz, load_quiz, validate_quiz


def answer(text, correct, feedback="Parce que."):
    return {"answer": text, "correct": correct, "feedback": feedback}


QUESTIONS = [
    {
        "question": "Que vaut ∂(x²)/∂x, si `a < b` ?",
        "type": "multiple_choice",
        "answers": [answer("`2 * x`", True, "La pente double."), answer("x", False), answer("x²", False)],
    },
    {
        "question": "Lesquels ont des paramètres ?",
        "type": "many_choice",
        "code": "Dense(10)\nReLU()  # </script>",
        "answers": [answer("Dense", True), answer("ReLU", False), answer("BatchNormalization", True)],
    },
    {
        "question": "Combien de paramètres ?",
        "type": "numeric",
        "answers": [
            {"type": "value", "value": 7850, "correct": True, "feedback": "784 × 10 + 10."},
            {"type": "range", "range": [0, 100], "correct": False, "feedback": "Bien plus."},
            {"type": "default", "feedback": "Comptez poids et biais."},
        ],
    },
]


@pytest.mark.parametrize("path", sorted(QUIZZES.glob("*.json")), ids=lambda path: path.stem)
def test_each_quiz_of_the_course_is_valid(path):
    questions = load_quiz(path)
    right = [
        [one.get("correct") for one in q["answers"]].index(True) for q in questions if q["type"] == "multiple_choice"
    ]
    assert len(right) < 3 or len(set(right)) > 1, "the right answer always stands at the same place"


def test_a_good_quiz_is_accepted():
    validate_quiz(QUESTIONS)


def spoiled(change):
    questions = copy.deepcopy(QUESTIONS)
    change(questions)
    return questions


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda q: q.pop(), "three to five"),
        (lambda q: q.extend(q), "three to five"),
        (lambda q: q[0].update(question=" "), "no text"),
        (lambda q: q[0].update(type="string"), "type 'string'"),
        (lambda q: q[0].update(answers="a"), "must be a list"),
        (lambda q: q[0]["answers"][1].update(correct=True), "2 correct answers"),
        (lambda q: q[0]["answers"][0].update(correct=False), "0 correct answers"),
        (lambda q: q[1]["answers"][0].update(correct=False), "at least two"),
        (lambda q: q[0]["answers"][2].pop("feedback"), "question 1, answer 3: no feedback"),
        (lambda q: q[0]["answers"][2].update(correct="false"), "true or false"),
        (lambda q: q[0]["answers"][2].update(answer=""), "no text"),
        (lambda q: q[2]["answers"].pop(), "default"),
        (lambda q: q[2]["answers"][0].update(correct=False), "exactly one correct value"),
        (lambda q: q[2]["answers"][0].pop("value"), "neither value nor range"),
        (lambda q: q[0].update(question="Que vaut $x^2$ ?"), "LaTeX"),
        (lambda q: q[0]["answers"][0].update(answer="f[0](x)"), "link"),
        (lambda q: q[0]["answers"][0].update(feedback="un `code"), "backtick"),
        (lambda q: q[1].update(question=q[0]["question"]), "same text"),
    ],
)  # fmt: skip
def test_each_fault_is_named(change, fault):
    with pytest.raises(ValueError, match=fault):
        validate_quiz(spoiled(change))


def test_outside_jupyter_the_quiz_is_text_with_its_answers_at_the_end():
    text = str(Quiz("9-1", QUESTIONS))
    assert text.index("c) x²") < text.index("Réponses") < text.index("✓ a) La pente double.")
    assert "✗ sinon\u00a0: Comptez poids et biais." in text


@pytest.fixture
def page(monkeypatch, tmp_path):
    (tmp_path / "9-1.json").write_text(json.dumps(QUESTIONS), encoding="utf-8")
    monkeypatch.setattr("course_utils.exercises.questions.QUIZZES", tmp_path)
    shell = InteractiveShell.instance()
    random.seed(1)
    state = random.getstate()
    with capture_output() as captured:
        show_quiz("9-1")
    assert random.getstate() == state
    InteractiveShell.clear_instance()
    assert shell is not None
    (output,) = captured.outputs
    return output.data


def test_in_jupyter_one_output_that_fetches_nothing(page):
    html = page["text/html"]
    assert page["text/plain"].replace("\u00a0", " ") == "Quiz 9-1 : 3 questions, à ouvrir dans Jupyter."
    assert "document.head.appendChild" not in html
    assert "<link" not in html and " src=" not in html and "@import" not in html and "fetch(" not in html
    assert html.count("</script>") == 1
    assert len(html.encode()) < 60_000


def test_each_repair_still_finds_what_it_repairs():
    folder = importlib.resources.files("jupyterquiz") / "js"
    script = "".join(file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".js"))
    for old, _ in _REPAIRS:
        assert old in script


def test_the_words_are_french_and_the_text_escaped(page):
    html = page["text/html"]
    assert "Type numeric answer" not in html and "try again" not in html.lower()
    assert "charC == 44" in html and "ths.value.replace(',', '.')" in html
    assert "a &lt; b" in html


def test_the_output_is_the_same_at_each_run(page, monkeypatch):
    InteractiveShell.instance()
    again = Quiz("9-1", QUESTIONS).html()
    InteractiveShell.clear_instance()
    assert again == page["text/html"]


def test_a_terminal_gets_text():
    program = "from course_utils.exercises import quiz; quiz('1-2')"
    done = subprocess.run(
        [sys.executable, "-m", "IPython", "--no-banner", "--colors=nocolor", "-c", program],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=os.environ | {"PYTHONUTF8": "1"},
    )
    assert done.stdout.startswith("Quiz 1-2"), done.stdout + done.stderr
    assert "Error" not in done.stdout
