"""The participant's answers while a check looks at them: their names, their calls, their exceptions.

A function given as an answer is wrapped in `Called`. The check calls it as usual, and the wrapper hands it copies of
the arguments, turns an exception into a diagnosis, and sees an untouched stub (the first call returns None).
`sheet` remembers what each value is called, so that the diagnosis speaks of « `output_size(7, 3)` » by itself.
"""

from __future__ import annotations

import functools
import inspect
import linecache
import os
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from course_utils.exercises.verdict import Refusal, Untried

_OURS = (str(Path(__file__).resolve().parents[1]) + os.sep, "<frozen")
_STANDARD_LIBRARY = str(Path(os.__file__).resolve().parent) + os.sep
_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType, functools.partial)
_NUMPY_FUNCTIONS = {"ufunc", "vectorize", "_ArrayFunctionDispatcher"}

# What the commonest exceptions mean, for somebody who meets them for the first time.
_GLOSS: dict[type[BaseException], str] = {
    ZeroDivisionError: "une division par zéro",
    IndexError: "un indice sort du tableau ou de la liste",
    KeyError: "cette clé n'existe pas dans le dictionnaire",
    NameError: "un nom n'est pas défini : une faute de frappe, ou une cellule à exécuter d'abord ?",
    RecursionError: "la fonction s'appelle elle-même sans fin",
}


@dataclass
class Sheet:
    """What is known of the answers under examination.

    Attributes
    ----------
    names : list of (object, str)
        Each answer with its name.
    last_call : (object, str) or None
        The last value returned by a participant's function, with the text of the call.
    passed : int
        Number of expectations already met.
    """

    names: list[tuple[object, str]] = field(default_factory=list)
    last_call: tuple[object, str] | None = None
    passed: int = 0

    def name_of(self, value: object) -> str:
        """Return what designates `value`: a call, a variable (or several, of one value), else « votre réponse »."""
        if self.last_call is not None and value is self.last_call[0]:
            return self.last_call[1]
        names = [name for known, name in self.names if known is value]
        return names[0] if len(names) == 1 else " ou ".join(f"`{name}`" for name in names) or "votre réponse"


_SHEETS: list[Sheet] = []


def sheet() -> Sheet:
    """Return the sheet of the check that is running (an empty one outside a check)."""
    return _SHEETS[-1] if _SHEETS else Sheet()


@contextmanager
def open_sheet(answers: Mapping[str, object]) -> Iterator[Sheet]:
    """Open a sheet for the given answers, by name, for the time of a check."""
    _SHEETS.append(Sheet(names=[(value, name) for name, value in answers.items()]))
    try:
        yield _SHEETS[-1]
    finally:
        _SHEETS.pop()


class Called:
    """A participant's function, safe to call from a check.

    Parameters
    ----------
    function : callable
        The answer.
    fallback : str
        Name used in messages when the function has none (a lambda).

    Attributes
    ----------
    pure : bool
        When True, a call that modifies one of its arguments is refused.
    may_return_none : bool
        When True, None is a value like any other (a function that works in place, or prints).
    """

    def __init__(self, function: Callable[..., Any], fallback: str = "votre_fonction") -> None:
        self.__wrapped__ = function
        name = getattr(function, "__name__", fallback)
        self.__name__ = fallback if name == "<lambda>" else name
        self.pure = False
        self.may_return_none = False
        self._calls = 0

    def __getattr__(self, attribute: str) -> Any:
        return getattr(self.__wrapped__, attribute)

    def __call__(self, *args: Any, **named: Any) -> Any:
        """Call the participant's function on copies of the arguments.

        Raises
        ------
        Untried
            When the first call returns None or Ellipsis.
        Refusal
            When the function stops on an exception, returns nothing later on, or modifies an argument (if `pure`).
        """
        text = call_text(self.__name__, args, named)
        mine, my_named = [fresh(arg) for arg in args], {key: fresh(arg) for key, arg in named.items()}
        try:
            value = self.__wrapped__(*mine, **my_named)
        except (Exception, SystemExit) as error:
            raise Refusal(f"`{text}` s'arrête sur {error_text(error)}") from error
        self._calls += 1
        if value is Ellipsis or (value is None and not self.may_return_none):
            if self._calls == 1:
                raise Untried(f"`{text}` renvoie {value!r}. Complétez la fonction, et terminez par `return`.")
            raise Refusal(f"`{text}` renvoie {value!r}. Un chemin de votre fonction n'arrive-t-il à aucun `return` ?")
        if self.pure:
            self._refuse_changes(text, (args, mine), (named, my_named))
        sheet().last_call = (value, text)
        return value

    def _refuse_changes(self, text: str, positional: tuple, named: tuple) -> None:
        pairs = [*zip(*positional, strict=True), *((named[0][key], named[1][key]) for key in named[0])]
        names = [*_parameter_names(self.__wrapped__, len(positional[0])), *named[0]]
        for (before, after), name in zip(pairs, names, strict=True):
            if not unchanged(before, after):
                raise Refusal(
                    f"`{text}` modifie son argument `{name}` sur place : l'appelant perdrait ses données. "
                    f"Travaillez sur une copie, par exemple `{name} = {name}.copy()`."
                )


def guarded(answer: object, name: str) -> object:
    """Return `answer` wrapped in `Called` if it is a function; any other object (a class, a model) as it is."""
    is_function = isinstance(answer, _FUNCTIONS) or type(answer).__name__ in _NUMPY_FUNCTIONS
    return Called(answer, name) if is_function else answer  # type: ignore[arg-type]


def _parameter_names(function: Callable, count: int) -> list[str]:
    try:
        names = list(inspect.signature(function).parameters)[:count]
    except (TypeError, ValueError):
        names = []
    return names + [f"n° {i + 1}" for i in range(len(names), count)]


def fresh(value: Any) -> Any:
    """Copy `value` down through lists, tuples, dictionaries, sets and NumPy arrays; leave other objects as they are."""
    if isinstance(value, list):
        return [fresh(item) for item in value]
    if isinstance(value, tuple):
        items = [fresh(item) for item in value]
        return value._make(items) if hasattr(value, "_make") else tuple(items)
    if isinstance(value, dict):
        return {key: fresh(item) for key, item in value.items()}
    if isinstance(value, set) or type(value).__name__ == "ndarray":
        return value.copy()
    return value


def unchanged(before: Any, after: Any) -> bool:
    """Tell whether two values, one a `fresh` copy of the other, still hold the same content."""
    if type(before) is not type(after):
        return False
    if isinstance(before, list | tuple):
        return len(before) == len(after) and all(unchanged(a, b) for a, b in zip(before, after, strict=True))
    if isinstance(before, dict):
        return before.keys() == after.keys() and all(unchanged(before[key], after[key]) for key in before)
    if type(before).__name__ == "ndarray":
        import numpy as np

        return before.shape == after.shape and np.array_equal(before, after, equal_nan=before.dtype.kind in "fc")
    return before is after or before == after


def call_text(name: str, args: Sequence[Any] = (), named: Mapping[str, Any] | None = None) -> str:
    """Return a call as a participant would write it, long arguments abbreviated.

    Examples
    --------
    >>> call_text("output_size", (7, 3, 0, 2))
    'output_size(7, 3, 0, 2)'
    """
    parts = [value_text(arg) for arg in args] + [f"{key}={value_text(arg)}" for key, arg in (named or {}).items()]
    return f"{name}({', '.join(parts)})"


def value_text(value: Any) -> str:
    """Return a value in short: small arrays in full, large ones as « tableau(28, 28) », numbers with few digits."""
    if type(value).__name__ == "ndarray":
        if value.size <= 6 and value.ndim <= 2:
            return value_text(value.tolist())
        return f"tableau{value.shape}" if value.ndim != 1 else f"tableau({value.shape[0]},)"
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        value = value.item()
    if isinstance(value, float):
        return repr(value) if len(repr(value)) <= 8 else f"{value:.6g}"
    if isinstance(value, list | tuple) and len(value) <= 8:
        inside = ", ".join(value_text(item) for item in value)
        comma = "," if isinstance(value, tuple) and len(value) == 1 else ""
        return f"[{inside}]" if isinstance(value, list) else f"({inside}{comma})"
    if isinstance(value, list | tuple):
        return f"{'liste' if isinstance(value, list) else 'tuple'} de {len(value)} éléments"
    if isinstance(value, Called) or (callable(value) and hasattr(value, "__name__")):
        return value.__name__
    text = repr(value)
    return text if len(text) <= 40 and "\n" not in text else f"<{type(value).__name__}>"


def error_text(error: BaseException, skip: types.CodeType | None = None) -> str:
    """Return an exception of the participant's code in one sentence: kind, message, meaning, line of the cell."""
    message = " ".join(str(error).split())
    text = f"{type(error).__name__} : {message}" if message else type(error).__name__
    gloss = next((gloss for kind, gloss in _GLOSS.items() if isinstance(error, kind)), None)
    if gloss:
        text += f" ({gloss})"
    place = participant_line(error, skip)
    if place is None:
        return text + "."
    number, source, in_cell = place
    text += f", ligne {number} de votre {'cellule' if in_cell else 'fichier'}"
    return f"{text} : `{source if len(source) <= 70 else source[:69] + '…'}`." if source else f"{text}."


def participant_line(error: BaseException, skip: types.CodeType | None = None) -> tuple[int, str, bool] | None:
    """Return where the participant's code raised: line number, its source, whether it stands in a cell; or None.

    The package, the libraries and the code `skip` (the check itself) are not the participant's.
    """
    place = None
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        filename = code.co_filename
        in_cell = "ipykernel_" in filename or filename.startswith("<ipython-input")
        foreign = code is skip or filename.startswith(_OURS) or _is_library(filename)
        if in_cell or not foreign:
            place = (trace.tb_lineno, linecache.getline(filename, trace.tb_lineno).strip(), in_cell)
        trace = trace.tb_next
    return place


def _is_library(filename: str) -> bool:
    return any(place in filename for place in ("site-packages", "dist-packages", _STANDARD_LIBRARY))
