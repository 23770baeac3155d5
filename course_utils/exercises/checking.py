"""What a participant calls in a lesson: `check`, `hint`, `solution`; and `diagnose`, the check without its display."""

from __future__ import annotations

import inspect
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from course_utils.exercises import declare
from course_utils.exercises.answer import error_text, guarded, open_sheet, participant_line
from course_utils.exercises.declare import Exercise, UnknownExercise
from course_utils.exercises.notebooks import find_solution
from course_utils.exercises.record import RECORD
from course_utils.exercises.verdict import Notice, Refusal, Untried, Verdict, show

_HINTS_GIVEN: dict[str, int] = {}


def check(exercise_id: str, *answers: Any, **named: Any) -> None:
    """Say whether an answer is not tried, to be reviewed (and why), or right.

    It shows its verdict and returns nothing, so that it shows once wherever it stands in the cell. It never raises for
    a wrong or crashing answer, never modifies it, and leaves the random generators of Python and NumPy as they were.

    Parameters
    ----------
    exercise_id : str
        Such as ``"1-5-a"``.
    *answers, **named
        The participant's variables or functions, in the order of the exercise's text.
    """
    exercise = _find(exercise_id)
    if exercise is None:
        return
    verdict = examine(exercise, *answers, **named)
    if verdict.status != "untried":
        RECORD.note(exercise.id, solved=verdict.status == "right")
    show(verdict)


def hint(exercise_id: str, number: int | None = None) -> None:
    """Show a hint: the next one at each call, or the one whose number is given.

    Parameters
    ----------
    exercise_id : str
        Such as ``"1-5-a"``.
    number : int, optional
        From 1, the lightest.
    """
    exercise = _find(exercise_id)
    if exercise is None:
        return
    count = len(exercise.hints)
    if not count:
        show(
            Notice(f"Indice · {exercise.id}", "cet exercice n'en a pas. Relisez l'énoncé et l'exemple qui le précède.")
        )
        return
    if number is not None and number not in range(1, count + 1):
        show(Notice(f"Indice · {exercise.id}", f"ils vont de 1 à {count}."))
        return
    given = _HINTS_GIVEN.get(exercise.id, 0)
    rank = number or min(given + 1, count)
    _HINTS_GIVEN[exercise.id] = max(given, rank)
    left = count - rank
    after = f"Il en reste {left}." if left else f'C\'est le dernier ; ensuite, `solution("{exercise.id}")`.'
    show(Notice(f"Indice {rank} sur {count} · {exercise.id}", f"{exercise.hints[rank - 1]}\n{after}"))


def solution(exercise_id: str) -> None:
    """Show the solved cell of an exercise and its explanation, from the solutions notebook.

    Parameters
    ----------
    exercise_id : str
        Such as ``"1-5-a"``.
    """
    from course_utils.paths import ROOT

    exercise = _find(exercise_id)
    if exercise is None:
        return
    found = find_solution(exercise.id, ROOT / "solutions")
    if found is None:
        message = "elle est introuvable : le dossier `solutions` du cours est-il bien à côté de `notebooks` ?"
        show(Notice(f"Solution · {exercise.id}", message))
        return
    if exercise.id not in RECORD.entries():
        message = (
            "cherchez d'abord un peu, c'est là que l'on apprend ; un essai, même faux, et `check` vous dira pourquoi."
        )
        show(Notice("Pas encore d'essai", message))
    show(found)


def diagnose(exercise_id: str, *answers: Any, **named: Any) -> Verdict:
    """Return the verdict on an answer; nothing is shown and nothing recorded.

    Parameters
    ----------
    exercise_id : str
    *answers, **named
        As for `check`.

    Raises
    ------
    UnknownExercise
        If no exercise has this id.
    """
    return examine(declare.REGISTRY.get(exercise_id), *answers, **named)


def examine(exercise: Exercise, *answers: Any, **named: Any) -> Verdict:
    """Return the verdict of one exercise's check on an answer. Never raises for an answer, whatever it is."""
    signature = inspect.signature(exercise.examine)
    try:
        given = signature.bind(*answers, **named).arguments
    except TypeError:
        return _miscounted(exercise, list(signature.parameters), len(answers) + len(named))
    missing = [name for name, value in given.items() if _is_stub(value)]
    if missing or not given:
        *others, last = [f"`{name}`" for name in missing] or ["votre réponse"]
        names = f"{', '.join(others)} et {last}" if others else last
        return _untried(exercise, f"{names} reste{'nt' * (len(missing) > 1)} à compléter.")
    watched = {name: guarded(value, name) for name, value in given.items()}
    call = inspect.BoundArguments(signature, watched)
    try:
        with open_sheet(watched), _undisturbed():
            remark = exercise.examine(*call.args, **call.kwargs)
    except Refusal as refusal:
        return Verdict(exercise.id, "wrong", str(refusal))
    except Untried as untried:
        return _untried(exercise, str(untried))
    except (Exception, SystemExit) as error:
        return _stopped(exercise, error)
    return Verdict(exercise.id, "right", remark if isinstance(remark, str) else exercise.success)


def _find(exercise_id: str) -> Exercise | None:
    try:
        return declare.REGISTRY.get(exercise_id)
    except UnknownExercise as unknown:
        show(Notice("Exercice inconnu", str(unknown)))
        return None


def _untried(exercise: Exercise, message: str) -> Verdict:
    advice = f' Un indice ? `hint("{exercise.id}")`' if exercise.hints else ""
    return Verdict(exercise.id, "untried", message + advice)


def _miscounted(exercise: Exercise, names: list[str], count: int) -> Verdict:
    wanted = f'`check("{exercise.id}", {", ".join(names)})`'
    if not count:
        return _untried(exercise, f"donnez votre réponse, {wanted}.")
    return Verdict(exercise.id, "wrong", f"on attend {wanted}, vous avez donné {count} réponse{'s' * (count > 1)}.")


def _stopped(exercise: Exercise, error: BaseException) -> Verdict:
    """Judge an exception: the participant's if it passed through their lines, else the check's."""
    own = exercise.examine.__code__
    if participant_line(error, skip=own) is not None:
        return Verdict(exercise.id, "wrong", f"votre code s'arrête sur {error_text(error, skip=own)}")
    message = (
        f"cette réponse n'a pas pu être lue ({type(error).__name__} : {' '.join(str(error).split())[:160]}). "
        f"Comparez son type et sa forme à ce que demande l'énoncé."
    )
    return Verdict(exercise.id, "wrong", message, crash=error)


def _is_stub(value: Any) -> bool:
    """Tell whether a value is what the lesson left to fill in: ``...``, None, or a collection that holds ``...``."""
    if value is None or value is Ellipsis:
        return True
    if type(value).__name__ == "ndarray" and value.dtype == object:
        value = value.ravel().tolist()
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list | tuple) else ()
    return any(item is Ellipsis for item in items)


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Keep warnings quiet and the random generators as they were: a check changes nothing in what follows it."""
    numpy = sys.modules.get("numpy")
    python_state, numpy_state = random.getstate(), numpy.random.get_state() if numpy else None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        random.setstate(python_state)
        if numpy:
            numpy.random.set_state(numpy_state)
