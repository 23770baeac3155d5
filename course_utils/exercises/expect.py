"""What a check expects of an answer: each `expect_*` returns when met, and raises the diagnosis when not.

The diagnosis speaks of the participant's own object, in this order: kind, shape, dtype, first differing value (index
and both values), then the likely mistake. Names need not be given: the answers are called by the parameters of the
check, and a value that an answered function has just returned is called by its call, ``output_size(7, 3, 0, 2)``.

Mistakes
--------
Every expectation on values takes ``mistakes``: a dictionary (or a list of pairs, when a key cannot be hashed) from a
mistake to the sentence that explains it, shown after the fact. A mistake is one of

- a wrong value: ``{2.0: "…"}``, compared with the same tolerance;
- a predicate of the participant's value: ``{lambda v: v < 0: "…"}``;
- a wrong implementation, for `expect_cases` only: ``{like(lambda n, f, p, s: (n - f + 2 * p) / s + 1): "…"}``. It is
  run on the same cases; if it gives the participant's outputs on all of them, that very mistake was made.

The third is the one to prefer for functions: write down the wrong formula, and it is recognised whatever the numbers.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from course_utils.exercises.answer import Called, call_text, fresh, sheet
from course_utils.exercises.difference import (
    Difference,
    Rule,
    difference,
    kind_text,
    number_text,
    plain,
    same,
    subject,
    verb,
)
from course_utils.exercises.verdict import Refusal, Untried

__all__ = [
    "Refusal",
    "Untried",
    "call_text",
    "expect_array",
    "expect_between",
    "expect_cases",
    "expect_choice",
    "expect_close",
    "expect_equal",
    "expect_function",
    "expect_that",
    "expect_type",
    "like",
]

Mistakes = Mapping[Any, str] | Iterable[tuple[Any, str]]


@dataclass(frozen=True, eq=False)
class like:  # noqa: N801 - reads as a word in a declaration: mistakes={like(wrong): "…"}
    """A wrong implementation, recognised by its outputs on all the cases of `expect_cases`.

    Attributes
    ----------
    function : callable
        Takes the same arguments as the answer. It may raise: an answer that raises the same kind of exception matches.
    """

    function: Callable[..., Any]


# --- values --------------------------------------------------------------------------------------------------------


def expect_equal(
    value: Any,
    expected: Any,
    *,
    name: str | None = None,
    mistakes: Mistakes = (),
    exact_type: bool = False,
    reveal: bool = True,
) -> None:
    """Expect a number, text, boolean, tuple, list, dictionary, set or array equal to `expected`.

    Floats are compared to 1e-9 (relative); 3.0 and ``np.int64(3)`` equal 3; a list equals a tuple; a text equals itself
    with spaces around. True is not 1.

    Parameters
    ----------
    value, expected : object
        The participant's value, and the right one.
    name : str, optional
        What to call the value; found by itself for an answer or a call.
    mistakes : mapping or pairs
        See the module.
    exact_type : bool
        Refuse 3.0 where the integer 3 is expected.
    reveal : bool
        Tell the expected value. Give False when the answer is one number to be worked out, not copied.

    Raises
    ------
    Refusal, Untried
    """
    _expect(value, expected, name, Rule(exact_type=exact_type, reveal=reveal), mistakes)


def expect_close(
    value: Any,
    expected: float,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    name: str | None = None,
    mistakes: Mistakes = (),
    reveal: bool = True,
) -> None:
    """Expect one number within ``atol + rtol * |expected|`` of `expected`.

    Parameters
    ----------
    value : number, one-element array or tensor
    expected : float
    rtol, atol : float
        Give ``rtol=0, atol=0.005`` when two decimals are asked for.
    name, mistakes, reveal
        See `expect_equal`.

    Raises
    ------
    Refusal, Untried
    """
    _expect(value, float(plain(expected)), name, Rule(rtol=rtol, atol=atol, reveal=reveal), mistakes)


def expect_array(
    value: Any,
    expected: Any,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    dtype: str | None = None,
    array: bool = False,
    name: str | None = None,
    mistakes: Mistakes = (),
    reveal: bool = True,
) -> None:
    """Expect an array of the shape and values of `expected`, and of `dtype` if given.

    A list or a tensor is converted. When no declared mistake is recognised, simple relations are: transposed, a factor
    (255!), a shift, a sign, the same values in another order.

    Parameters
    ----------
    value : array_like or tensor
    expected : array_like
    rtol, atol : float
        Tolerances, as in `numpy.isclose`.
    dtype : str, optional
        ``"float"``, ``"int"``, ``"bool"`` or an exact dtype such as ``"float32"``.
    array : bool
        Refuse a list: only where the rest of the lesson needs an array.
    name, mistakes, reveal
        See `expect_equal`.

    Raises
    ------
    Refusal, Untried
    """
    if array and isinstance(value, list | tuple):
        called = subject(name or sheet().name_of(value))
        raise Refusal(f"{called} est {kind_text(value)}, on attend un tableau NumPy : `np.array(...)`.")
    _expect(value, np.asarray(plain(expected)), name, Rule(rtol=rtol, atol=atol, dtype=dtype, reveal=reveal), mistakes)


def expect_between(
    value: Any,
    low: float,
    high: float,
    *,
    name: str | None = None,
    below: str = "",
    above: str = "",
) -> None:
    """Expect a measured number (an accuracy, a time, a loss) within [low, high].

    Parameters
    ----------
    value : number or one-element array
    low, high : float
        Bounds, inclusive; `math.inf` for none.
    name : str, optional
    below, above : str
        Sentence that explains a value under or over the bounds.

    Raises
    ------
    Refusal, Untried
    """
    called = name or sheet().name_of(value)
    _refuse_nothing(value, called)
    number = _number(value, called)
    if low <= number <= high:
        sheet().passed += 1
        return
    fact = f"{subject(called)} {verb(called)} {number_text(number, 4)}"
    if low >= 0 and high <= 1 < number and low <= number / 100 <= high:
        raise Refusal(f"{fact} : donnez une proportion entre 0 et 1, pas un pourcentage.")
    side, limit, cause = ("au moins", low, below) if number < low else ("au plus", high, above)
    raise Refusal(_sentences(f"{fact}, on attend {side} {number_text(limit, 4)}.", cause))


def expect_choice(
    answer: Any,
    correct: str | Iterable[str],
    *,
    choices: str = "abcd",
    feedback: Mapping[str, str] | None = None,
    name: str | None = None,
) -> None:
    """Expect a letter, or several: ``"b"``, ``"B)"``, ``"ac"``, ``{"a", "c"}``. The message never tells which.

    Parameters
    ----------
    answer : str or iterable of str
    correct : str or iterable of str
        The right letter(s).
    choices : str
        The letters offered.
    feedback : mapping from letter to str
        Why a wrong letter is wrong. Under several correct letters, a letter that was left out may have one too.
    name : str, optional

    Raises
    ------
    Refusal, Untried
    """
    called = name or sheet().name_of(answer)
    _refuse_nothing(answer, called)
    right = {letter.lower() for letter in correct}
    form = (
        'une lettre entre guillemets, comme `"a"`' if len(right) == 1 else 'des lettres entre guillemets, comme `"ac"`'
    )
    given = [answer] if isinstance(answer, str) else answer
    if not isinstance(given, Iterable) or not all(isinstance(item, str) for item in given):
        raise Refusal(f"{subject(called)} {verb(called)} {kind_text(answer)} : on attend {form}.")
    letters = {letter for item in given for letter in item.lower() if letter.isalnum()}
    if not letters or letters - set(choices):
        raise Refusal(
            f"{subject(called)} {verb(called)} « {answer} » : choisissez parmi {', '.join(choices)} ({form})."
        )
    if len(right) == 1 and len(letters) > 1:
        raise Refusal("une seule réponse est juste : ne donnez qu'une lettre.")
    if letters == right:
        sheet().passed += 1
        return
    raise Refusal(_choice_text(letters, right, feedback or {}))


def _choice_text(letters: set[str], right: set[str], feedback: Mapping[str, str]) -> str:
    wrong, missing = sorted(letters - right), sorted(right - letters)
    if wrong:
        return _sentences(f"ce n'est pas {wrong[0]}.", feedback.get(wrong[0], ""))
    cause = next((feedback[letter] for letter in missing if letter in feedback), "")
    return _sentences("ce qui est choisi est juste, mais il en manque.", cause)


def expect_that(condition: Any, message: str) -> None:
    """Expect `condition` to be true; `message` is the diagnosis otherwise (in French, about the participant's object).

    Raises
    ------
    Refusal
    """
    if not bool(plain(condition)):
        raise Refusal(message)
    sheet().passed += 1


def expect_type(value: Any, kinds: type | tuple[type, ...], wanted: str, *, name: str | None = None) -> None:
    """Expect an instance of `kinds`; `wanted` names it in French with its article (« un modèle Keras »).

    Raises
    ------
    Refusal, Untried
    """
    called = name or sheet().name_of(value)
    _refuse_nothing(value, called)
    if not isinstance(value, kinds):
        raise Refusal(f"{subject(called)} est {kind_text(value)}, on attend {wanted}.")
    sheet().passed += 1


# --- functions -----------------------------------------------------------------------------------------------------


def expect_function(
    answer: Any,
    *,
    parameters: int | Sequence[str] | None = None,
    pure: bool = False,
    may_return_none: bool = False,
    name: str | None = None,
) -> None:
    """Expect a function that can be called with the given parameters. Its calls are then watched (see `answer.Called`).

    Parameters
    ----------
    answer : object
    parameters : int or sequence of str, optional
        How many positional arguments the check will give, or the names it will call them by.
    pure : bool
        Refuse a function that modifies its arguments in place. (They are copies in any case.)
    may_return_none : bool
        None is a normal result: a function that works in place or prints. Its stub must then be recognised otherwise.
    name : str, optional

    Raises
    ------
    Refusal, Untried
    """
    called = name or sheet().name_of(answer)
    _refuse_nothing(answer, called)
    if not callable(answer):
        raise Refusal(
            f"{subject(called)} est {kind_text(plain(answer))}, on attend une fonction : "
            "donnez son nom seul, sans parenthèses."
        )
    if parameters is not None:
        _check_signature(answer, parameters)
    if isinstance(answer, Called):
        answer.pure, answer.may_return_none = pure, may_return_none


def _check_signature(answer: Callable[..., Any], parameters: int | Sequence[str]) -> None:
    try:
        signature = inspect.signature(answer)
    except (TypeError, ValueError):  # some built-in functions publish none
        return
    try:
        if isinstance(parameters, int):
            signature.bind(*range(parameters))
        else:
            signature.bind(**dict.fromkeys(parameters))
    except TypeError:
        title = getattr(answer, "__name__", "votre fonction")
        mine = f"`{title}({', '.join(signature.parameters)})`"
        if isinstance(parameters, int):
            wanted = f"{parameters} argument{'s' * (parameters > 1)}"
        else:
            wanted = f"{'ces arguments' if len(parameters) > 1 else 'cet argument'} : `{', '.join(parameters)}`"
        raise Refusal(f"{mine} ne peut être appelée avec {wanted}. Vérifiez la ligne `def`.") from None


def expect_cases(
    answer: Callable[..., Any],
    cases: Iterable[Any],
    reference: Callable[..., Any] | None = None,
    *,
    rtol: float = 1e-4,
    atol: float = 1e-6,
    dtype: str | None = None,
    exact_type: bool = False,
    mistakes: Mistakes = (),
) -> None:
    """Expect a function to give the right value on every case, and recognise wrong formulas by their outputs.

    Parameters
    ----------
    answer : callable
        The participant's function.
    cases : iterable
        With `reference`, the arguments of each call: a tuple (positional) or a dictionary (by name). Without it, pairs
        ``(arguments, expected value)``. The first case that fails is the one shown: put the plainest first.
    reference : callable, optional
        A right implementation, written otherwise than the expected solution if possible.
    rtol, atol, dtype, exact_type
        How outputs are compared; see `expect_array` and `expect_equal`.
    mistakes : mapping or pairs
        See the module; `like` is meant for this place.

    Raises
    ------
    Refusal, Untried
    """
    rule = Rule(rtol=rtol, atol=atol, dtype=dtype, exact_type=exact_type)
    table = (
        [(case, _call(reference, case)) for case in cases] if reference else [(args, value) for args, value in cases]
    )
    for case, expected in table:
        try:
            value = _call(answer, case)
        except Refusal as refusal:
            raise Refusal(
                _sentences(str(refusal), _same_formula(answer, [args for args, _ in table], mistakes, rule))
            ) from None
        name = _case_text(answer, case)
        found = difference(value, expected, name, rule)
        if found is not None:
            cause = _same_formula(answer, [args for args, _ in table], mistakes, rule) or _named(value, mistakes, rule)
            raise Refusal(_sentences(found.fact, cause or found.remark))
    sheet().passed += 1


def _call(function: Callable[..., Any], case: Any) -> Any:
    case = fresh(case)
    if isinstance(case, dict):
        return function(**case)
    return function(*case) if isinstance(case, tuple) else function(case)


def _case_text(function: Callable[..., Any], case: Any) -> str:
    title = getattr(function, "__name__", "votre_fonction")
    if isinstance(case, dict):
        return call_text(title, (), case)
    return call_text(title, case if isinstance(case, tuple) else (case,))


def _outcome(function: Callable[..., Any], case: Any) -> Any:
    """Return the output of a function on a case, or the type of the exception that stops it."""
    try:
        return _call(function, case)
    except Refusal as refusal:
        return type(refusal.__cause__)
    except Exception as error:
        return type(error)


def _same_formula(answer: Callable[..., Any], cases: Sequence[Any], mistakes: Mistakes, rule: Rule) -> str:
    """Return the explanation of the first wrong implementation that agrees with the answer on all cases, or nothing."""
    candidates = [(mistake, text) for mistake, text in _pairs(mistakes) if isinstance(mistake, like)]
    if not candidates:
        return ""
    outputs = [_outcome(answer, case) for case in cases]
    loose = Rule(rtol=rule.rtol, atol=rule.atol)
    for mistake, text in candidates:
        wrong = (_outcome(mistake.function, case) for case in cases)
        if all(mine is his or same(mine, his, loose) for mine, his in zip(outputs, wrong, strict=True)):
            return text
    return ""


# --- the common part -----------------------------------------------------------------------------------------------


def _expect(value: Any, expected: Any, name: str | None, rule: Rule, mistakes: Mistakes) -> None:
    if any(isinstance(mistake, like) for mistake, _ in _pairs(mistakes)):
        raise TypeError("like(...) needs the cases of expect_cases; here give a wrong value or a predicate")
    called = name or sheet().name_of(value)
    _refuse_nothing(value, called)
    found = difference(value, expected, called, rule)
    if found is None:
        sheet().passed += 1
        return
    raise Refusal(_diagnosis(found, value, mistakes, rule))


def _diagnosis(found: Difference, value: Any, mistakes: Mistakes, rule: Rule) -> str:
    return _sentences(found.fact, _named(value, mistakes, rule) or found.remark)


def _named(value: Any, mistakes: Mistakes, rule: Rule) -> str:
    """Return the explanation of the first mistake that this value shows, or nothing."""
    for mistake, text in _pairs(mistakes):
        if isinstance(mistake, like):
            continue
        if callable(mistake):
            try:
                recognised = bool(mistake(plain(value)))
            except Exception:  # the predicate was written for another kind of value: not this mistake
                recognised = False
        else:
            recognised = same(value, mistake, Rule(rtol=rule.rtol, atol=rule.atol))
        if recognised:
            return text
    return ""


def _pairs(mistakes: Mistakes) -> list[tuple[Any, str]]:
    return list(mistakes.items()) if isinstance(mistakes, Mapping) else list(mistakes)


def _refuse_nothing(value: Any, called: str) -> None:
    """Raise when there is no value yet: a stub at the first expectation, a missing result later."""
    if value is Ellipsis or (value is None and sheet().passed == 0):
        raise Untried(
            f"{subject(called)} {verb(called)} {value!r}." if value is None else f"{subject(called)} reste à compléter."
        )
    if value is None:
        raise Refusal(f"{subject(called)} {verb(called)} None, on attend une valeur. Un `return` manque-t-il ?")


def _number(value: Any, called: str) -> float:
    number = plain(value)
    if isinstance(number, np.ndarray) and number.size == 1:
        number = number.reshape(-1)[0].item()
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise Refusal(f"{subject(called)} est {kind_text(number)}, on attend un nombre.")
    if math.isnan(number):
        raise Refusal(f"{subject(called)} {verb(called)} NaN : ce n'est pas un nombre.")
    return number


def _sentences(*parts: str) -> str:
    return " ".join(part for part in parts if part)
