"""The comparison of a participant's value with the expected one: the first thing that differs, said in French.

`difference` looks in the order in which a teacher would: kind of object, shape, dtype, first differing value. It knows
nothing of exercises; `expect` turns what it finds into a refusal.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

_KINDS = {"float": "f", "int": "iu", "bool": "b"}
_TYPE_NAMES: dict[type, str] = {
    bool: "un booléen",
    int: "un entier",
    float: "un nombre à virgule",
    complex: "un nombre complexe",
    str: "un texte",
    list: "une liste",
    tuple: "un tuple",
    dict: "un dictionnaire",
    set: "un ensemble",
    type(None): "None",
}
_KIND_NAMES = {"float": "des nombres à virgule", "int": "des entiers", "bool": "des booléens (True ou False)"}


@dataclass(frozen=True)
class Rule:
    """How strictly two values are compared.

    Attributes
    ----------
    rtol, atol : float
        Relative and absolute tolerance on numbers, as in `numpy.isclose`.
    exact_type : bool
        When True, an expected integer refuses a float of the same value.
    dtype : str or None
        For arrays: ``"float"``, ``"int"``, ``"bool"`` or an exact dtype such as ``"float32"``.
    reveal : bool
        When False, the message does not tell the expected number.
    """

    rtol: float = 1e-9
    atol: float = 1e-12
    exact_type: bool = False
    dtype: str | None = None
    reveal: bool = True


@dataclass(frozen=True)
class Difference:
    """What differs: the fact, and a remark on the likely cause (may be empty)."""

    fact: str
    remark: str = ""


def difference(got: Any, expected: Any, name: str, rule: Rule) -> Difference | None:
    """Return the first difference between a participant's value and the expected one, or None.

    Parameters
    ----------
    got, expected : object
        Numbers, strings, booleans, arrays, tensors, tuples, lists, dictionaries, sets.
    name : str
        What the participant's value is called in messages.
    rule : Rule
        Tolerances.
    """
    got, expected = plain(got), plain(expected)
    if isinstance(expected, np.ndarray):
        return _array_difference(got, expected, name, rule)
    got = _without_shape(got)
    if isinstance(expected, bool):
        return _bool_difference(got, expected, name)
    if isinstance(expected, int | float | complex):
        return _number_difference(got, expected, name, rule)
    if isinstance(expected, str):
        return _text_difference(got, expected, name, rule)
    if isinstance(expected, tuple | list):
        return _sequence_difference(got, expected, name, rule)
    if isinstance(expected, Mapping):
        return _mapping_difference(got, expected, name, rule)
    if isinstance(expected, set | frozenset):
        return _set_difference(got, expected, name)
    if got is expected or got == expected:
        return None
    return Difference(f"{is_text(got, name)}, on attend {kind_text(expected)}.")


def plain(value: Any) -> Any:
    """Return tensors and data frames as NumPy arrays, NumPy scalars as Python's; other objects unchanged.

    Tensors of TensorFlow, PyTorch and Keras are recognised by their methods; the libraries are never imported.
    """
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, np.ndarray):
        return value
    for method in ("detach", "cpu", "numpy", "to_numpy"):
        if callable(getattr(value, method, None)) and not isinstance(value, type):
            value = getattr(value, method)()
            if isinstance(value, np.generic):
                return value.item()
    return value


def same(got: Any, expected: Any, rule: Rule) -> bool:
    """Tell whether two values agree; never raises."""
    try:
        return difference(got, expected, "", rule) is None
    except Exception:  # an object that compares in its own way is simply not the same
        return False


def _without_shape(got: Any) -> Any:
    """Return a one-element array as its element: where a number is expected, ``array([3.])`` is as good as 3."""
    return got.reshape(-1)[0].item() if isinstance(got, np.ndarray) and got.size == 1 else got


# --- words ---------------------------------------------------------------------------------------------------------


def subject(name: str) -> str:
    """Return `name` between backticks if it is code, as it is if it is words."""
    return name if " " in name and not any(mark in name for mark in "([") else f"`{name}`"


def verb(name: str) -> str:
    """Return « renvoie » for a call, « vaut » for anything else."""
    return "renvoie" if name.endswith(")") else "vaut"


def kind_text(value: Any) -> str:
    """Return the kind of an object in French, with its article."""
    if isinstance(value, np.ndarray):
        return f"un tableau de forme {value.shape}"
    if type(value) in _TYPE_NAMES:
        return _TYPE_NAMES[type(value)]
    if isinstance(value, type):
        return f"la classe `{value.__name__}`"
    if callable(value) and hasattr(value, "__name__"):
        return f"la fonction `{value.__name__}`"
    return f"un objet de type `{type(value).__name__}`"


def is_text(value: Any, name: str) -> str:
    """Return « `name` est un texte », or « `name(…)` renvoie un texte » for a call."""
    return f"{subject(name)} {'renvoie' if name.endswith(')') else 'est'} {kind_text(value)}"


def number_text(value: float, digits: int = 6) -> str:
    """Return a number as Python writes it, with at most `digits` significant digits; NaN and infinities by name."""
    if isinstance(value, complex):
        return str(value)
    if isinstance(value, bool | int):
        return str(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "+inf" if value > 0 else "-inf"
    text = f"{value:.{digits}g}"
    return text if any(mark in text for mark in ".e") else f"{text}.0"


def _pair_text(got: float, expected: float) -> tuple[str, str]:
    """Return both numbers with as many digits as it takes to tell them apart."""
    for digits in (4, 6, 9, 17):
        texts = number_text(got, digits), number_text(expected, digits)
        if texts[0] != texts[1]:
            break
    return texts


# --- one value -----------------------------------------------------------------------------------------------------


def _bool_difference(got: Any, expected: bool, name: str) -> Difference | None:
    if not isinstance(got, bool):
        return _kind_difference(got, "`True` ou `False`", name)
    return None if got == expected else Difference(f"{subject(name)} {verb(name)} {got}, on attendait {expected}.")


def _number_difference(got: Any, expected: Any, name: str, rule: Rule) -> Difference | None:
    wanted = "un entier" if isinstance(expected, int) else "un nombre"
    if isinstance(got, str):
        return Difference(f"{subject(name)} {verb(name)} le texte « {got[:40]} », on attend {wanted}, sans guillemets.")
    if isinstance(got, bool) or not isinstance(got, int | float | complex):
        return _kind_difference(got, wanted, name)
    if isinstance(got, complex) or isinstance(expected, complex):
        close = bool(np.isclose(got, expected, rtol=rule.rtol, atol=rule.atol))
        return None if close else _value_difference(got, expected, name, rule)
    if math.isnan(got) and not math.isnan(expected):
        return Difference(f"{subject(name)} {verb(name)} NaN : ce n'est pas un nombre.", _NAN_CAUSE)
    if math.isinf(got) and got != expected:
        return Difference(f"{subject(name)} {verb(name)} {number_text(got)}, un infini.", _INF_CAUSE)
    if not _close(got, expected, rule):
        return _value_difference(got, expected, name, rule)
    if rule.exact_type and isinstance(expected, int) and isinstance(got, float):
        return Difference(
            f"{subject(name)} {verb(name)} {number_text(got)}, un nombre à virgule : on attend l'entier {expected}."
        )
    return None


_NAN_CAUSE = "Cherchez un 0/0, un inf − inf, ou le logarithme d'un nombre négatif."
_INF_CAUSE = "Cherchez une division par zéro, un log(0) ou une exponentielle trop grande."


def _close(got: float, expected: float, rule: Rule) -> bool:
    if math.isnan(expected) or math.isinf(expected):
        return got == expected or (math.isnan(got) and math.isnan(expected))
    return abs(got - expected) <= rule.atol + rule.rtol * abs(expected)


def _value_difference(got: Any, expected: Any, name: str, rule: Rule) -> Difference:
    if isinstance(got, complex) or isinstance(expected, complex):
        return Difference(f"{subject(name)} {verb(name)} {got}, on attendait {expected}.")
    mine, wanted = _pair_text(got, expected)
    if not rule.reveal:
        side = "trop petit" if got < expected else "trop grand"
        return Difference(f"{subject(name)} {verb(name)} {mine} : c'est {side}.", _scalar_remark(got, expected))
    article = "l'entier " if isinstance(expected, int) and isinstance(got, float) else ""
    return Difference(
        f"{subject(name)} {verb(name)} {mine}, on attendait {article}{wanted}.", _scalar_remark(got, expected)
    )


def _scalar_remark(got: float, expected: float) -> str:
    if expected and math.isclose(got, -expected, rel_tol=1e-6):
        return "Le signe est inversé."
    if expected and math.isclose(got, 100 * expected, rel_tol=1e-6):
        return "Est-ce un pourcentage au lieu d'une proportion ?"
    return ""


def _kind_difference(got: Any, wanted: str, name: str) -> Difference:
    remark = ""
    if callable(got) and not isinstance(got, type):
        remark = "Appelez-la avec ses parenthèses."
    return Difference(f"{is_text(got, name)}, on attend {wanted}.", remark)


def _text_difference(got: Any, expected: str, name: str, rule: Rule) -> Difference | None:
    if not isinstance(got, str):
        return _kind_difference(got, "un texte, entre guillemets", name)
    if got.strip() == expected.strip():
        return None
    shown = got if len(got) <= 60 else got[:57] + "…"
    wanted = f", on attendait « {expected} »" if rule.reveal else " : ce n'est pas cela"
    remark = (
        "Il n'y manque que des majuscules ou des minuscules." if got.strip().lower() == expected.strip().lower() else ""
    )
    return Difference(f"{subject(name)} {verb(name)} « {shown} »{wanted}.", remark)


# --- several values ------------------------------------------------------------------------------------------------


def _sequence_difference(got: Any, expected: tuple | list, name: str, rule: Rule) -> Difference | None:
    if (
        isinstance(got, str)
        or not hasattr(got, "__len__")
        or not hasattr(got, "__iter__")
        or isinstance(got, dict | set)
    ):
        wanted = "un tuple" if isinstance(expected, tuple) else "une liste"
        return _kind_difference(got, f"{wanted} de {len(expected)} éléments", name)
    items = list(got)
    if len(items) != len(expected):
        return Difference(
            f"{subject(name)} compte {len(items)} élément{'s' * (len(items) > 1)}, on en attend {len(expected)}."
        )
    found = (
        difference(mine, his, f"{name}[{i}]", rule) for i, (mine, his) in enumerate(zip(items, expected, strict=True))
    )
    return next((one for one in found if one is not None), None)


def _mapping_difference(got: Any, expected: Mapping, name: str, rule: Rule) -> Difference | None:
    if not isinstance(got, Mapping):
        return _kind_difference(got, "un dictionnaire", name)
    for missing in (key for key in expected if key not in got):
        return Difference(f"il manque la clé `{missing!r}` à {subject(name)}.")
    for extra in (key for key in got if key not in expected):
        return Difference(f"{subject(name)} contient une clé de trop : `{extra!r}`.")
    found = (difference(got[key], expected[key], f"{name}[{key!r}]", rule) for key in expected)
    return next((one for one in found if one is not None), None)


def _set_difference(got: Any, expected: set | frozenset, name: str) -> Difference | None:
    if isinstance(got, str) or not hasattr(got, "__iter__"):
        return _kind_difference(got, f"un ensemble de {len(expected)} éléments", name)
    got = set(got)
    if extra := sorted(got - expected, key=str):
        return Difference(f"{subject(name)} contient `{extra[0]!r}`, qui n'a pas à y être.")
    missing = len(expected - got)
    return Difference(f"il manque {missing} élément{'s' * (missing > 1)} à {subject(name)}.") if missing else None


# --- arrays --------------------------------------------------------------------------------------------------------


def _array_difference(got: Any, expected: np.ndarray, name: str, rule: Rule) -> Difference | None:
    if isinstance(got, str | dict | set) or (callable(got) and not hasattr(got, "__array__")):
        return _kind_difference(got, f"un tableau de forme {expected.shape}", name)
    try:
        array = np.asarray(got)
    except ValueError:  # a ragged list
        return Difference(
            f"{subject(name)} est une liste de lignes de longueurs inégales : on ne peut en faire un tableau."
        )
    if array.dtype.kind not in "biufcUS":
        return Difference(f"{subject(name)} contient des objets de type `{array.dtype}`, on attend des nombres.")
    if array.shape != expected.shape:
        return _shape_difference(array, expected, name)
    return _dtype_difference(got, array, name, rule) or _values_difference(array, expected, name, rule)


def _shape_difference(array: np.ndarray, expected: np.ndarray, name: str) -> Difference:
    verb_phrase = "renvoie un tableau de forme" if name.endswith(")") else "a la forme"
    fact = f"{subject(name)} {verb_phrase} {array.shape}, on attend {expected.shape}."
    if array.ndim == 0:
        fact = f"{subject(name)} {verb(name)} un seul nombre, on attend un tableau de forme {expected.shape}."
        return Difference(fact)
    if array.ndim == expected.ndim > 1 and array.shape == expected.shape[::-1]:
        return Difference(fact, "Les axes sont à l'envers : une transposition (`.T`) manque ou est de trop.")
    if array.size == expected.size and tuple(n for n in array.shape if n != 1) == tuple(
        n for n in expected.shape if n != 1
    ):
        more = "de trop" if array.ndim > expected.ndim else "qui manque"
        return Difference(
            fact, f"Les valeurs y sont, mais avec un axe de longueur 1 {more}." if array.ndim != expected.ndim else ""
        )
    if array.size == expected.size:
        return Difference(fact, "Le nombre de valeurs est le bon : c'est leur rangement qui diffère.")
    return Difference(fact)


def _dtype_difference(got: Any, array: np.ndarray, name: str, rule: Rule) -> Difference | None:
    if rule.dtype is None:
        return None
    if rule.dtype in _KINDS:
        good, wanted = array.dtype.kind in _KINDS[rule.dtype], _KIND_NAMES[rule.dtype]
    else:
        good, wanted = array.dtype == np.dtype(rule.dtype), f"`{rule.dtype}`"
    if good:
        return None
    if not isinstance(got, np.ndarray):
        content = f"qui contienne {wanted}" if rule.dtype in _KINDS else f"de type {wanted}"
        return Difference(f"{is_text(got, name)}, on attend un tableau NumPy {content}.")
    fact = "renvoie un tableau de type" if name.endswith(")") else "est de type"
    return Difference(f"{subject(name)} {fact} `{array.dtype}`, on attend {wanted}.")


def _values_difference(array: np.ndarray, expected: np.ndarray, name: str, rule: Rule) -> Difference | None:
    if array.dtype.kind in "US" or expected.dtype.kind in "USb" or array.dtype.kind == "b":
        wrong = array != expected
    else:
        wrong = ~np.isclose(array, expected, rtol=rule.rtol, atol=rule.atol, equal_nan=True)
    count = int(np.count_nonzero(wrong))
    if not count:
        return None
    bad = [
        kind
        for kind, test in (("NaN", np.isnan), ("inf", np.isinf))
        if array.dtype.kind in "fc" and test(array[wrong]).any()
    ]
    if bad:
        return _not_finite(array, wrong, bad[0], name)
    index = tuple(int(i) for i in np.argwhere(wrong)[0])
    place = f"{name}[{', '.join(map(str, index))}]" if index else name
    first = _element_difference(array[index], expected[index], place, rule)
    if array.size > 1:
        share = (
            "toutes les valeurs diffèrent"
            if count == array.size
            else f"{count} valeur{'s' * (count > 1)} sur {array.size}"
        )
        share += "" if count == array.size else f" diffère{'nt' * (count > 1)}"
        first = f"{first[:-1]} ({share})." if first.endswith(".") else first
    return Difference(first, _relation(array, expected, rule))


def _element_difference(got: Any, expected: Any, place: str, rule: Rule) -> str:
    got, expected = plain(got), plain(expected)
    if isinstance(got, str | bool | complex) or isinstance(expected, str | bool | complex):
        return f"`{place}` vaut {got}" + (
            f", on attendait {expected}." if rule.reveal else " : ce n'est pas la valeur attendue."
        )
    mine, wanted = _pair_text(got, expected)
    return f"`{place}` vaut {mine}" + (
        f", on attendait {wanted}." if rule.reveal else " : ce n'est pas la valeur attendue."
    )


def _not_finite(array: np.ndarray, wrong: np.ndarray, kind: str, name: str) -> Difference:
    mask = wrong & (np.isnan(array) if kind == "NaN" else np.isinf(array))
    index = tuple(int(i) for i in np.argwhere(mask)[0])
    place = f"{name}[{', '.join(map(str, index))}]" if index else name
    count = int(mask.sum())
    share = "toutes ses valeurs" if count == array.size else f"{count} valeur{'s' * (count > 1)} sur {array.size}"
    value = number_text(float(array[index].real))
    if kind == "NaN":
        return Difference(f"`{place}` vaut NaN, qui n'est pas un nombre ({share}).", _NAN_CAUSE)
    return Difference(f"`{place}` vaut {value}, un infini ({share}).", _INF_CAUSE)


def _relation(array: np.ndarray, expected: np.ndarray, rule: Rule) -> str:
    """Return a remark when the array relates simply to the expected one: transposed, scaled, shifted, reordered."""
    if array.size < 2 or array.dtype.kind not in "iuf" or expected.dtype.kind not in "iuf":
        return ""
    mine, his = array.astype(float), expected.astype(float)

    def close(a: np.ndarray, b: np.ndarray) -> bool:
        return bool(np.allclose(a, b, rtol=max(rule.rtol, 1e-6), atol=rule.atol))

    if np.ptp(his) == 0 or np.ptp(mine) == 0:
        return "Toutes vos valeurs sont égales entre elles." if np.ptp(mine) == 0 and np.ptp(his) > 0 else ""
    if mine.ndim == 2 and mine.shape[0] == mine.shape[1] and close(mine.T, his):
        return "C'est la transposée du résultat attendu."
    largest = np.argmax(np.abs(his))
    factor = float(mine.flat[largest]) / float(his.flat[largest])
    if factor and math.isfinite(factor) and close(mine / factor, his):
        if abs(factor + 1) < 1e-5:
            return "Le signe est inversé partout."
        ratio = number_text(round(abs(factor) if abs(factor) > 1 else 1 / abs(factor), 4)).removesuffix(".0")
        sign = " et de signe opposé" if factor < 0 else ""
        return f"Toutes vos valeurs sont {ratio} fois trop {'grandes' if abs(factor) > 1 else 'petites'}{sign}."
    shift = float(mine.flat[0] - his.flat[0])
    if close(mine - shift, his):
        return f"Toutes vos valeurs sont décalées de {number_text(round(shift, 6))}."
    if close(np.sort(mine, axis=None), np.sort(his, axis=None)):
        return "Ce sont les bonnes valeurs, rangées dans un autre ordre."
    return ""
