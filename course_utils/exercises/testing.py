"""How the checks themselves are tested: a bank of answers for each exercise, and what each must get.

A bank is a file ``tests/exercises/bank_1_5.py`` that defines ``CASES: dict[str, Case]``;
``tests/exercises/test_checks.py`` finds it and runs it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from course_utils.exercises.checking import diagnose
from course_utils.exercises.verdict import Verdict

__all__ = ["Answers", "Case", "diagnose", "judge"]


class Answers:
    """Several answers given to one check: ``Answers(w, b)`` stands for ``check(id, w, b)``."""

    def __init__(self, *args: Any, **named: Any) -> None:
        self.args, self.named = args, named


@dataclass(frozen=True)
class Case:
    """The answers on which the check of one exercise is tested. Several answers to one check go into `Answers`.

    Attributes
    ----------
    solution : object
        The answer of the solutions notebook.
    wrong : sequence of (object, str)
        At least three typical wrong answers, each with a fragment of the message that it must get.
    stub : object
        What the lesson's cell holds before anything is written: ``...`` or a function with an empty body.
    also_right : sequence of object
        Other answers that must be accepted: a list instead of an array, another formula, float32.
    """

    solution: Any
    wrong: Sequence[tuple[Any, str]]
    stub: Any = ...
    also_right: Sequence[Any] = field(default=())


def judge(exercise_id: str, answer: Any) -> Verdict:
    """Return the verdict on one answer of a bank (an `Answers` is spread out)."""
    if isinstance(answer, Answers):
        return diagnose(exercise_id, *answer.args, **answer.named)
    return diagnose(exercise_id, answer)
