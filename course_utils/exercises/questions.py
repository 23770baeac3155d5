"""The quiz that ends a notebook: three to five questions, every answer explained.

The questions of notebook 1-5 stand in ``quizzes/1-5.json``, in the format of jupyterquiz (John M. Shea), whose
`display_quiz` draws them. They are plain text: Unicode (∂, ≤, σ, ²) and code between backticks. No LaTeX: jupyterquiz
hands it to a global MathJax that JupyterLab 4 no longer has, and turns every ``$`` and every ``[a](b)`` into markup.

What `display_quiz` 2.9.6 produces is kept, with four repairs made on its output: one HTML output instead of two (with a
line to read where scripts do not run, and a text form); a container name that is the same at each run, so that running
a notebook again does not change the file; French words, and a comma accepted in numbers; no more calls to MathJax,
which fail in JupyterLab 4 and may, on a page with MathJax 3, load it from a public server. Nothing is fetched from the
network.
"""

from __future__ import annotations

import copy
import html
import json
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.exercises.verdict import Notice, in_notebook, rich, show, typeset

QUIZZES = Path(__file__).parent / "quizzes"
_TYPES = ("multiple_choice", "many_choice", "numeric")

# (what jupyterquiz writes, what takes its place)
_REPAIRS = (
    ("typeof MathJax != 'undefined'", "false"),
    ("typeof MathJax !== 'undefined'", "false"),
    ("document.head.appendChild(script);", ""),
    ("Type numeric answer here:", "Votre réponse, puis Entrée :"),
    ("Incorrect -- try again.", "Ce n'est pas cela. Essayez encore."),
    ("Incorrect. Try again.", "Ce n'est pas cela. Essayez encore."),
    ("if (charC == 46) {", "if (charC == 46 || charC == 44) {"),
    ("var submission = ths.value;", "var submission = ths.value.replace(',', '.');"),
)

_COLOURS = {
    "--jq-multiple-choice-bg": "rgba(0,114,178,.14)",
    "--jq-many-choice-bg": "rgba(0,114,178,.14)",
    "--jq-numeric-bg": "rgba(0,114,178,.14)",
    "--jq-numeric-input-bg": "rgba(127,127,127,.12)",
    "--jq-numeric-input-label": "inherit",
    "--jq-mc-button-bg": "rgba(127,127,127,.12)",
    "--jq-mc-button-border": "rgba(127,127,127,.45)",
    "--jq-mc-button-inset-shadow": "transparent",
    "--jq-incorrect-color": "rgba(213,94,0,.32)",
    "--jq-correct-color": "rgba(0,158,115,.36)",
    "--jq-text-color": "inherit",
    "--jq-link-color": "#0072b2",
}

# The text keeps the colour of the page, light or dark; a right or wrong answer shows by a symbol as well as by a tint.
_STYLE = """
#ID { color: inherit; }
#ID .Quiz { margin: 1em 0; padding: 0; font-size: 1em; line-height: 1.5; }
#ID .MultipleChoiceQn, #ID .ManyChoiceQn, #ID .NumericQn {
    padding: .6em .9em; border-left: 4px solid #0072b2; font-weight: 600; }
#ID .Answer { grid-template-columns: 1fr; grid-gap: .4em; margin: .5em 0; }
#ID .MCButton {
    justify-content: flex-start; text-align: left; gap: .6em; padding: .45em .9em; font-size: 1em; color: inherit; }
#ID .MCButton:hover { border-color: #0072b2; }
#ID .QuizCode { font-size: .95em; margin: .3em 0; }
#ID .QuizCode > pre { margin: 0; padding: .4em .6em; background: rgba(127,127,127,.12); color: inherit; }
#ID code { background: rgba(127,127,127,.16); color: inherit; padding: 0 .25em; }
#ID .QuizCode code { background: none; padding: 0; }
#ID .MCButton.correctButton { border-color: #009e73; background: rgba(0,158,115,.22); animation: none; }
#ID .MCButton.incorrectButton { border-color: #d55e00; background: rgba(213,94,0,.20); animation: none; }
#ID .InpLabel { float: none; font-size: 1em; }
#ID .Input-text { margin: .3em 0; font-size: 1em; color: inherit; border: 1px solid rgba(127,127,127,.45); }
#ID .Feedback { font-size: 1em; text-align: left; }
#ID .Feedback.correct, #ID .Feedback.incorrect { padding: .45em .9em; color: inherit; border-left: 4px solid; }
#ID .Feedback.correct { border-color: #009e73; background: rgba(0,158,115,.12); }
#ID .Feedback.incorrect { border-color: #d55e00; background: rgba(213,94,0,.12); }
#ID .Feedback.correct::before { content: "✓  "; font-weight: bold; color: #009e73; }
#ID .Feedback.incorrect::before { content: "✗  "; font-weight: bold; color: #d55e00; }
"""


@dataclass(frozen=True)
class Quiz:
    """The questions of one notebook, shown by jupyterquiz in Jupyter and as text elsewhere.

    Attributes
    ----------
    notebook : str
        Such as ``"1-5"``.
    questions : list of dict
        In jupyterquiz's format.
    """

    notebook: str
    questions: list[dict[str, Any]]

    def __str__(self) -> str:
        blocks = [_question_text(number, question) for number, question in enumerate(self.questions, start=1)]
        answers = [_answers_text(number, question) for number, question in enumerate(self.questions, start=1)]
        return typeset("\n\n".join([f"Quiz {self.notebook}", *blocks, "Réponses", *answers]))

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        count = len(self.questions)
        return {
            "text/plain": f"Quiz {self.notebook} : {count} questions, à ouvrir dans Jupyter.",
            "text/html": self.html(),
        }

    def html(self) -> str:
        """Return the interactive quiz as one self-contained piece of HTML (about 45 kB, no network).

        It needs a running IPython session, whose displays are captured.
        """
        from IPython.utils.capture import capture_output
        from jupyterquiz import display_quiz

        state = random.getstate()  # display_quiz draws a container name from the participant's generator
        with capture_output() as captured:
            display_quiz(
                _as_html(self.questions), shuffle_answers=False, border_radius=4, max_width=820, colors=_COLOURS
            )
        random.setstate(state)
        container, script = (output.data for output in captured.outputs)
        return _assembled(
            container["text/html"], script["application/javascript"], f"quiz_{self.notebook.replace('-', '_')}"
        )


def quiz(notebook: str) -> None:
    """Show the quiz of a notebook.

    Parameters
    ----------
    notebook : str
        Such as ``"1-5"``.
    """
    path = QUIZZES / f"{notebook}.json"
    if not path.is_file():
        known = ", ".join(f"`{other.stem}`" for other in sorted(QUIZZES.glob("*.json")))
        show(Notice("Quiz inconnu", f"il n'y en a pas pour « {notebook} ». Ceux du cours : {known or 'aucun'}."))
        return
    found = Quiz(notebook, load_quiz(path))
    if in_notebook():
        show(found)
    else:
        print(found)


def load_quiz(path: Path) -> list[dict[str, Any]]:
    """Return the questions of a quiz file, validated.

    Raises
    ------
    ValueError
        If the file is not JSON or a question is malformed; the message lists every fault.
    """
    questions = json.loads(path.read_text(encoding="utf-8"))
    validate_quiz(questions)
    return questions


def validate_quiz(questions: Any) -> None:
    """Check a list of questions: three to five, every answer explained, plain text.

    Parameters
    ----------
    questions : list of dict
        jupyterquiz's format: ``question``, ``type`` ("multiple_choice": exactly one correct answer; "many_choice": at
        least two; "numeric"), ``answers`` (``answer`` or ``code``, ``correct``, ``feedback``), optionally ``code``. A
        numeric question has answers with ``value`` or ``range``, and one of ``"type": "default"`` for anything else.

    Raises
    ------
    ValueError
        With every fault found, one a line.
    """
    if not isinstance(questions, list) or not 3 <= len(questions) <= 5:
        raise ValueError("a quiz is a list of three to five questions")
    faults = [
        fault for number, question in enumerate(questions, 1) for fault in _faults(f"question {number}", question)
    ]
    texts = [question.get("question") for question in questions if isinstance(question, dict)]
    if len(set(texts)) != len(texts):
        faults.append("two questions have the same text")
    if faults:
        raise ValueError("\n".join(faults))


def _faults(where: str, question: Any) -> list[str]:
    if not isinstance(question, dict) or not str(question.get("question", "")).strip():
        return [f"{where}: no text under « question »"]
    kind, answers = question.get("type"), question.get("answers")
    if kind not in _TYPES:
        return [f"{where}: type {kind!r}, expected one of {', '.join(_TYPES)}"]
    if not isinstance(answers, list) or not all(isinstance(answer, dict) for answer in answers):
        return [f"{where}: « answers » must be a list of objects"]
    faults = _numeric_faults(where, answers) if kind == "numeric" else _choice_faults(where, kind, answers)
    faults += [
        f"{where}, answer {i}: no feedback"
        for i, one in enumerate(answers, 1)
        if not str(one.get("feedback", "")).strip()
    ]
    return faults + [f"{where}: {fault}" for fault in _markup(question)]


def _choice_faults(where: str, kind: str, answers: list[dict]) -> list[str]:
    faults = []
    if not 2 <= len(answers) <= 6:
        faults.append(f"{where}: {len(answers)} answers, expected two to six")
    if not all(isinstance(answer.get("correct"), bool) for answer in answers):
        faults.append(f"{where}: « correct » must be true or false in every answer")
    if not all(str(answer.get("answer", "") or answer.get("code", "")).strip() for answer in answers):
        faults.append(f"{where}: an answer has no text")
    right = sum(answer.get("correct") is True for answer in answers)
    if kind == "multiple_choice" and right != 1:
        faults.append(f"{where}: {right} correct answers, expected exactly one")
    if kind == "many_choice" and right < 2:
        faults.append(f"{where}: {right} correct answer, expected at least two")
    return faults


def _numeric_faults(where: str, answers: list[dict]) -> list[str]:
    faults = []
    if sum(answer.get("correct") is True for answer in answers) != 1:
        faults.append(f"{where}: expected exactly one correct value or range")
    if sum(answer.get("type") == "default" for answer in answers) != 1:
        faults.append(f'{where}: expected one answer of "type": "default", for any other number')
    if not all("value" in answer or "range" in answer or answer.get("type") == "default" for answer in answers):
        faults.append(f"{where}: an answer has neither value nor range")
    return faults


def _markup(question: dict[str, Any]) -> list[str]:
    texts = [question["question"]]
    texts += [str(answer.get(key, "")) for answer in question["answers"] for key in ("answer", "feedback")]
    faults = []
    for text in texts:
        if "$" in text or "\\(" in text or "\\frac" in text:
            faults.append(f"LaTeX does not show in a quiz, write Unicode or code: {text[:40]!r}")
        if re.search(r"\[[^\]]*\]\([^)]*\)", text):
            faults.append(f"« [a](b) » would become a link: {text[:40]!r}")
        if text.count("`") % 2:
            faults.append(f"unbalanced backtick: {text[:40]!r}")
    return faults


def _as_html(questions: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the questions with their texts as HTML: escaped, code between backticks set as code."""
    questions = copy.deepcopy(questions)
    for question in questions:
        for part in (question, *question["answers"]):
            for key in ("question", "answer", "feedback"):
                if key in part:
                    part[key] = rich(part[key])
            if "code" in part:
                part["code"] = html.escape(part["code"])
    return questions


def _assembled(container: str, script: str, name: str) -> str:
    """Return jupyterquiz's two outputs as one, repaired as the module says."""
    found = re.search(r'<div id="(\w+)"', container)
    if found is None:
        raise RuntimeError("jupyterquiz no longer produces a container: see the version in constraints.txt")
    for old, new in _REPAIRS:
        script = script.replace(old, new)
    container, script = (
        container.replace(found[1], name),
        script.replace(found[1], name).replace("</script", "<\\/script"),
    )
    waiting = f'<p id="{name}_waiting"><em>Exécutez cette cellule pour ouvrir le quiz.</em></p>'
    # As in jupyterquiz's own script: JupyterLab may run it before the output is on the page.
    clearing = (
        f'(function clear() {{ const line = document.getElementById("{name}_waiting");'
        " if (line) line.remove(); else setTimeout(clear, 200); })();"
    )
    style = f"<style>{_STYLE.replace('ID', name)}</style>"
    return f"{container}{style}{waiting}</div><script>{script}\n{clearing}</script>"


def _question_text(number: int, question: dict[str, Any]) -> str:
    lines = [f"{number}. {question['question']}", *question.get("code", "").splitlines()]
    if question["type"] != "numeric":
        lines += [f"   {letter}) {_choice(one)}" for letter, one in zip("abcdef", question["answers"], strict=False)]
    return "\n".join(lines)


def _answers_text(number: int, question: dict[str, Any]) -> str:
    lines = []
    for letter, one in zip("abcdef", question["answers"], strict=False):
        mark = "✓" if one.get("correct") else "✗"
        label = f"{letter})" if question["type"] != "numeric" else _choice(one)
        lines.append(f"   {mark} {label} {one['feedback']}")
    return "\n".join([f"{number}.", *lines])


def _choice(answer: dict[str, Any]) -> str:
    for key in ("answer", "code", "value"):
        if key in answer:
            return str(answer[key])
    return f"de {answer['range'][0]} à {answer['range'][1]} :" if "range" in answer else "sinon :"
