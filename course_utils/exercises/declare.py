"""Declaration of the exercises: the `exercise` decorator and the registry that loads a day when it is asked for."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable[..., Any])

_ID = re.compile(r"(\d+)-(\d+)-([a-z])")
_PACKAGE = "course_utils.exercises"


@dataclass(frozen=True)
class Exercise:
    """One exercise: its id, its check, its hints.

    Attributes
    ----------
    id : str
        Day, notebook and letter: ``"1-5-a"``.
    examine : callable
        The check: takes the answers, returns None or a closing remark, raises `Refusal` or `Untried`.
    hints : tuple of str
        From the lightest to the most explicit.
    success : str
        Sentence shown with « Réussi »; may be empty.
    """

    id: str
    examine: Callable[..., str | None]
    hints: tuple[str, ...]
    success: str

    @property
    def notebook(self) -> str:
        """Id of the notebook, such as ``"1-5"``."""
        return self.id.rsplit("-", 1)[0]

    @property
    def day(self) -> int:
        """Day of the course; notebook 0-0 belongs to day 1."""
        return day_of(self.id)


class UnknownExercise(LookupError):  # noqa: N818 - says what happened, as KeyError does
    """No exercise has this id; the message, in French, gives the nearest ones."""


def day_of(exercise_id: str) -> int:
    """Return the day of an exercise or notebook id (``"0-0"`` belongs to day 1).

    Raises
    ------
    UnknownExercise
        If the id does not begin with a number.
    """
    first = exercise_id.split("-")[0]
    if not first.isdigit():
        raise UnknownExercise(f"« {exercise_id} » n'est pas un numéro d'exercice : il s'écrit comme `1-5-a`.")
    return max(1, int(first))


class Registry:
    """The exercises declared so far; the modules of a day (``day1*.py``) are imported when one of its ids is needed."""

    def __init__(self, package: str = _PACKAGE) -> None:
        self._package = package
        self._exercises: dict[str, Exercise] = {}
        self._loaded: set[str] = set()

    def add(self, exercise: Exercise) -> None:
        """Register an exercise.

        Raises
        ------
        ValueError
            If the id is malformed, or already taken by another check.
        """
        if not _ID.fullmatch(exercise.id):
            raise ValueError(f"exercise id {exercise.id!r}: expected day-notebook-letter, such as '1-5-a'")
        known = self._exercises.get(exercise.id)
        if known is not None and _origin(known) != _origin(exercise):
            raise ValueError(f"exercise {exercise.id!r} is declared twice: {_origin(known)} and {_origin(exercise)}")
        self._exercises[exercise.id] = exercise

    def get(self, exercise_id: str) -> Exercise:
        """Return the exercise with this id, loading its day if need be.

        Raises
        ------
        UnknownExercise
            If there is none; the message gives the nearest ids.
        """
        exercise_id = str(exercise_id).strip().lower().replace("_", "-").replace("·", "-")
        day = day_of(exercise_id)
        self.load(day)
        if exercise_id not in self._exercises:
            known = [exercise.id for exercise in self.of_day(day)]
            near = get_close_matches(exercise_id, known, n=3, cutoff=0.6)
            advice = f" Vouliez-vous dire {' ou '.join(f'`{other}`' for other in near)} ?" if near else ""
            raise UnknownExercise(f"aucun exercice ne porte le numéro `{exercise_id}`.{advice}")
        return self._exercises[exercise_id]

    def load(self, day: int) -> None:
        """Import the modules ``day<day>.py`` and ``day<day>_*.py`` that are not imported yet."""
        for name, number in self._modules():
            if number == day and name not in self._loaded:
                importlib.import_module(f"{self._package}.{name}")
                self._loaded.add(name)

    def days(self) -> list[int]:
        """Return the days that have at least one exercise; every day is loaded."""
        for number in {number for _, number in self._modules()}:
            self.load(number)
        return sorted({exercise.day for exercise in self._exercises.values()})

    def of_day(self, day: int) -> list[Exercise]:
        """Return the exercises of a day, in the order of their ids."""
        self.load(day)
        return sorted((exercise for exercise in self._exercises.values() if exercise.day == day), key=_order)

    def ids(self) -> set[str]:
        """Return the ids of all days."""
        return {exercise.id for day in self.days() for exercise in self.of_day(day)}

    def _modules(self) -> list[tuple[str, int]]:
        folders = importlib.import_module(self._package).__path__
        found = (re.fullmatch(r"day(\d+)(_\w+)?", module.name) for module in pkgutil.iter_modules(folders))
        return [(match.group(), int(match[1])) for match in found if match]


def _order(exercise: Exercise) -> tuple[int, int, str]:
    day, notebook, letter = exercise.id.split("-")
    return int(day), int(notebook), letter


def _origin(exercise: Exercise) -> str:
    return f"{exercise.examine.__module__}.{exercise.examine.__qualname__}"


REGISTRY = Registry()


def exercise(id: str, *, hints: Iterable[str] = (), success: str = "") -> Callable[[Function], Function]:
    """Declare the decorated function as the check of an exercise.

    Parameters
    ----------
    id : str
        Day, notebook and letter: ``"1-5-a"``.
    hints : iterable of str
        In French, from the lightest to nearly the answer; code between backticks.
    success : str
        One sentence in French added to « Réussi »: an insight rather than praise.

    Returns
    -------
    callable
        Decorator that registers the function and returns it unchanged. The function takes the answers (its parameter
        names are the names shown to the participant); it returns None, or a sentence that replaces `success`.

    Raises
    ------
    ValueError
        If the id is malformed or declared twice.
    """
    if isinstance(hints, str):
        raise ValueError(f"exercise {id!r}: hints must be a tuple of sentences, not one string (is a comma missing?)")

    def declare(function: Function) -> Function:
        REGISTRY.add(Exercise(id, function, tuple(hints), success))
        return function

    return declare
