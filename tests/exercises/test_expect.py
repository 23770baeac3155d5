"""The expectations: what they accept, and the words of each diagnosis."""

from __future__ import annotations

import math
import types
from collections import namedtuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from course_utils.exercises.answer import Called, call_text, fresh, open_sheet, unchanged, value_text
from course_utils.exercises.difference import Rule, difference, number_text
from course_utils.exercises.expect import (
    Refusal,
    Untried,
    expect_array,
    expect_between,
    expect_cases,
    expect_choice,
    expect_close,
    expect_equal,
    expect_function,
    expect_that,
    expect_type,
    like,
)


def refusal(expectation, *args, **options) -> str:
    """Return the diagnosis of an expectation that must fail, spaces made plain."""
    with pytest.raises(Refusal) as caught:
        expectation(*args, **options)
    return str(caught.value).replace("\u00a0", " ")


class Tensor:
    """What PyTorch's tensors look like from outside."""

    def __init__(self, values):
        self.values = np.asarray(values)

    def detach(self):
        return self

    cpu = detach

    def numpy(self):
        return self.values


# --- single values ---


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3), (3.0, 3), (np.int64(3), 3), (np.float32(0.5), 0.5), (np.array([3]), 3), (np.array(3.0), 3),
        (Tensor(3), 3), (True, True), (np.True_, True), (" relu ", "relu"), ([1, 2], (1, 2)), ((1, 2.0), [1, 2]),
        (np.array([1, 2]), (1, 2)), ({"a": np.float64(1)}, {"a": 1}), ({1, 2}, {2, 1}), ([1, 2], {1, 2}),
        ((None, 28), (None, 28)), (0.1 + 0.2, 0.3), (np.float32(0.1), np.float32(0.1)),
        (math.inf, math.inf), (math.nan, math.nan), (1 + 2j, 1 + 2j), (None, None),
    ],
)  # fmt: skip
def test_values_that_are_as_good_as_the_expected_one(value, expected):
    assert difference(value, expected, "x", Rule()) is None


@pytest.mark.parametrize(
    ("value", "expected", "fragment"),
    [
        (4, 3, "`x` vaut 4, on attendait 3."),
        (2.0, 3, "vaut 2.0, on attendait l'entier 3"),
        ("3", 3, "le texte « 3 », on attend un entier, sans guillemets"),
        ("0.5", 0.5, "on attend un nombre, sans guillemets"),
        (True, 1, "est un booléen, on attend un entier"),
        (1, True, "est un entier, on attend `True` ou `False`"),
        (False, True, "vaut False, on attendait True"),
        (math.nan, 0.5, "vaut NaN : ce n'est pas un nombre"),
        (-math.inf, 0.5, "vaut -inf, un infini"),
        (-3, 3, "Le signe est inversé"),
        (97.0, 0.97, "pourcentage"),
        (0.1234567, 0.1234568, "vaut 0.1234567, on attendait 0.1234568"),
        (len, 3, "est la fonction `len`, on attend un entier. Appelez-la"),
        (int, 3, "la classe `int`"),
        ([3, 4], 3, "est une liste, on attend un entier"),
        (np.zeros((2, 2)), 3, "un tableau de forme (2, 2)"),
        ("Relu", "relu", "majuscules"),
        ("sigmoid", "relu", "vaut « sigmoid », on attendait « relu »"),
        (3, "relu", "on attend un texte, entre guillemets"),
        ((1, 2, 3), (1, 2), "compte 3 éléments, on en attend 2"),
        ((1, 5), (1, 2), "`x[1]` vaut 5, on attendait 2"),
        (7, (1, 2), "on attend un tuple de 2 éléments"),
        ({"a": 1}, {"a": 1, "b": 2}, "il manque la clé `'b'`"),
        ({"a": 1, "c": 2}, {"a": 1}, "une clé de trop : `'c'`"),
        ({"a": 2}, {"a": 1}, "`x['a']` vaut 2"),
        ({1, 9}, {1, 2}, "contient `9`, qui n'a pas à y être"),
        ({1}, {1, 2}, "il manque 1 élément"),
        (1 + 2j, 1 - 2j, "vaut (1+2j)"),
    ],
)  # fmt: skip
def test_the_words_of_a_wrong_value(value, expected, fragment):
    assert fragment in refusal(expect_equal, value, expected, name="x")


def test_exact_type_refuses_a_float_for_an_integer():
    expect_equal(3.0, 3)
    assert "on attend l'entier 3" in refusal(expect_equal, 3.0, 3, exact_type=True)


def test_reveal_keeps_the_expected_number_secret():
    message = refusal(expect_equal, 12, 50890, reveal=False, name="count")
    assert message == "`count` vaut 12 : c'est trop petit."
    assert "50890" not in refusal(expect_array, [1, 2], [1, 50890], reveal=False)


def test_close_takes_a_rounded_answer():
    expect_close(0.33, 1 / 3, rtol=0, atol=0.005)
    expect_close(np.float32(1 / 3), 1 / 3)
    assert "on attendait 0.3333" in refusal(expect_close, 0.34, 1 / 3)


@pytest.mark.parametrize(
    ("mistakes", "fragment"),
    [
        ({7: "sept", 8: "huit"}, "huit"),
        ({(lambda v: v > 7): "trop"}, "trop"),
        ([(8.0, "huit")], "huit"),
        ({(lambda v: v["absent"]): "jamais"}, "on attendait 3."),
    ],
)
def test_a_declared_mistake_is_named_after_the_fact(mistakes, fragment):
    message = refusal(expect_equal, 8, 3, mistakes=mistakes)
    assert message.startswith("votre réponse vaut 8, on attendait 3")
    assert message.endswith(fragment)


def test_a_wrong_implementation_needs_cases():
    with pytest.raises(TypeError, match="expect_cases"):
        expect_equal(3, 3, mistakes={like(abs): "…"})


def test_between():
    expect_between(0.95, 0.9, 1)
    expect_between(np.float32(1), 0.9, 1)
    expect_between(5, 1, math.inf)
    assert "au moins 0.9. Encore une époque ?" in refusal(expect_between, 0.5, 0.9, 1, below="Encore une époque ?")
    assert "on attend au plus 1." in refusal(expect_between, 250.0, 0.9, 1)
    assert "pas un pourcentage" in refusal(expect_between, 97.0, 0.9, 1)
    assert "NaN" in refusal(expect_between, math.nan, 0.9, 1)
    assert "on attend un nombre" in refusal(expect_between, "0.95", 0.9, 1)


@pytest.mark.parametrize("answer", ["b", "B", " b)", ["b"], ("B",)])
def test_a_choice_is_read_generously(answer):
    expect_choice(answer, "b", choices="abc")


@pytest.mark.parametrize("answer", ["ac", "a, c", {"a", "c"}, ["C", "a"]])
def test_several_choices(answer):
    expect_choice(answer, "ac", choices="abc")


def test_a_wrong_choice_is_explained_and_the_right_one_kept_secret():
    assert refusal(expect_choice, "a", "b", feedback={"a": "Trop tôt."}) == "ce n'est pas a. Trop tôt."
    assert "choisissez parmi a, b, c, d" in refusal(expect_choice, "z", "b")
    assert "une lettre entre guillemets" in refusal(expect_choice, 2, "b")
    assert "qu'une lettre" in refusal(expect_choice, "ab", "b")
    assert "il en manque. Pensez à c." in refusal(expect_choice, "a", "ac", feedback={"c": "Pensez à c."})
    assert "ce n'est pas b" in refusal(expect_choice, "ab", "ac")


def test_that_and_type():
    expect_that(np.bool_(True), "…")
    expect_type([], list, "une liste")
    assert refusal(expect_that, np.array([False]), "`losses` remonte.") == "`losses` remonte."
    assert (
        refusal(expect_type, 3, (list, tuple), "une liste", name="layers")
        == "`layers` est un entier, on attend une liste."
    )


# --- arrays ---


RAMP = np.linspace(0, 1, 12).reshape(3, 4)


@pytest.mark.parametrize("value", [RAMP, RAMP.tolist(), RAMP.astype(np.float32), Tensor(RAMP), RAMP + 1e-9])
def test_arrays_that_are_as_good_as_the_expected_one(value):
    expect_array(value, RAMP)


@pytest.mark.parametrize(
    ("value", "fragment"),
    [
        (RAMP.T, "a la forme (4, 3), on attend (3, 4). Les axes sont à l'envers"),
        (RAMP[None], "un axe de longueur 1 de trop"),
        (RAMP.ravel(), "c'est leur rangement qui diffère"),
        (RAMP[:2], "a la forme (2, 4), on attend (3, 4)."),
        (0.5, "un seul nombre"),
        ("texte", "est un texte, on attend un tableau de forme (3, 4)"),
        (np.mean, "la fonction `mean`"),
        ([[1, 2], [3]], "longueurs inégales"),
        (np.full((3, 4), object()), "contient des objets"),
        (RAMP * 255, "255 fois trop grandes"),
        (RAMP / 2, "2 fois trop petites"),
        (RAMP * -3, "3 fois trop grandes et de signe opposé"),
        (-RAMP, "Le signe est inversé partout"),
        (RAMP - 0.5, "décalées de -0.5"),
        (RAMP[::-1], "dans un autre ordre"),
        (RAMP * 0, "égales entre elles"),
        (np.where(RAMP == 1, 0.9, RAMP), "`x[2, 3]` vaut 0.9, on attendait 1.0 (1 valeur sur 12 diffère)."),
        (np.where(RAMP > 0.5, np.nan, RAMP), "`x[1, 2]` vaut NaN, qui n'est pas un nombre (6 valeurs sur 12)"),
        (np.where(RAMP == 0, -np.inf, RAMP), "`x[0, 0]` vaut -inf, un infini (1 valeur sur 12)"),
        (RAMP > 0.5, "`x[0, 1]` vaut False"),
    ],
)  # fmt: skip
def test_the_words_of_a_wrong_array(value, fragment):
    assert fragment in refusal(expect_array, value, RAMP, name="x")


def test_a_square_array_may_be_transposed():
    square = np.arange(9.0).reshape(3, 3) ** 2
    assert "la transposée" in refusal(expect_array, square.T, square)


def test_the_order_is_shape_then_dtype_then_value():
    zeros = np.zeros((4, 3), np.uint8)
    assert "a la forme" in refusal(expect_array, zeros, RAMP, dtype="float", name="x")
    assert "est de type `uint8`, on attend des nombres à virgule" in refusal(
        expect_array, zeros.T, RAMP, dtype="float", name="x"
    )
    assert "on attend `float32`" in refusal(expect_array, RAMP, RAMP, dtype="float32", name="x")
    assert "vaut 0.0" in refusal(expect_array, zeros.T.astype(float), RAMP, dtype="float", name="x")


def test_a_list_is_refused_only_where_it_matters():
    expect_array([1, 2], [1, 2])
    assert "`np.array(...)`" in refusal(expect_array, [1, 2], [1, 2], array=True)


def test_booleans_and_texts_in_arrays():
    expect_array(["chat", "chien"], np.array(["chat", "chien"]))
    assert "`x[1]` vaut chien, on attendait cheval" in refusal(
        expect_array, ["chat", "chien"], np.array(["chat", "cheval"]), name="x"
    )
    assert "`x[0]` vaut True, on attendait False" in refusal(expect_array, [True], np.array([False]), name="x")


def test_a_mistake_may_be_an_array():
    message = refusal(expect_array, RAMP**2, RAMP, mistakes=[(RAMP**2, "Le carré est de trop.")])
    assert message.endswith("Le carré est de trop.")


@settings(deadline=None, max_examples=60)
@given(
    hnp.arrays(np.float64, hnp.array_shapes(max_dims=3, max_side=4), elements=st.floats(-1e6, 1e6)),
    st.data(),
)
def test_the_first_difference_is_found_where_it_is(expected, data):
    index = tuple(data.draw(st.integers(0, n - 1)) for n in expected.shape)
    value = expected.copy()
    value[index] += 1 + abs(value[index])
    assert difference(expected, expected, "x", Rule()) is None
    found = difference(value, expected, "x", Rule(rtol=1e-4, atol=1e-6))
    assert found is not None
    assert f"x[{', '.join(map(str, index))}]" in found.fact


@settings(deadline=None, max_examples=100)
@given(st.floats(allow_nan=False, allow_infinity=False, width=32))
def test_numbers_are_written_as_python_reads_them(value):
    assert math.isclose(float(number_text(value, 9)), value, rel_tol=1e-7, abs_tol=1e-300)
    assert any(mark in number_text(value) for mark in ".e")


# --- functions ---


def output_size(n, f, p=0, s=1):
    return (n - f + 2 * p) // s + 1


CASES = [((5, 3, 0, 1), 3), ((7, 3, 0, 2), 3), ((28, 5, 2, 1), 28)]
MISTAKES = {
    like(lambda n, f, p, s: (n - f + 2 * p) / s + 1): "Avez-vous utilisé `/` ?",
    like(lambda n, f, p, s: (n - f + 2 * p) // s): "Le + 1 manque.",
    like(lambda n, f, p, s: (n - f + 2 * p) // 0): "Pourquoi zéro ?",
}


def test_a_function_and_its_signature():
    expect_function(output_size, parameters=4)
    expect_function(output_size, parameters=2)
    expect_function(output_size, parameters=("n", "f", "s"))
    expect_function(np.exp, parameters=1)
    expect_function(Called(output_size), parameters=4)
    assert "sans parenthèses" in refusal(expect_function, 3)
    assert "ne peut être appelée avec 5 arguments" in refusal(expect_function, output_size, parameters=5)
    assert "cet argument : `width`" in refusal(expect_function, lambda n: n, parameters=("width",))


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n, f, p, s: (n - f + 2 * p) / s + 1, "renvoie 3.0, un nombre à virgule : on attend l'entier 3."),
        (lambda n, f, p, s: (n - f + 2 * p) / s + 1, "Avez-vous utilisé `/` ?"),
        (lambda n, f, p, s: (n - f + 2 * p) // s, "renvoie 2, on attendait 3. Le + 1 manque."),
        (lambda n, f, p, s: n // (s - s), "ZeroDivisionError"),
        (lambda n, f, p, s: n // (s - s), "Pourquoi zéro ?"),
        (lambda n, f, p, s: 3, "size(28, 5, 2, 1)` renvoie 3, on attendait 28."),
    ],
)  # fmt: skip
def test_the_first_failing_case_and_the_formula_behind_it(answer, message):
    assert message in refusal(expect_cases, Called(answer, "size"), CASES, exact_type=True, mistakes=MISTAKES)


def test_cases_with_a_reference_and_arguments_by_name():
    cases = [{"n": 5, "f": 3}, {"n": 7, "f": 3, "s": 2}]
    expect_cases(Called(output_size), cases, reference=lambda n, f, s=1: len(range(0, n - f + 1, s)))
    message = refusal(expect_cases, Called(lambda n, f, s=1: n - f + 1, "size"), cases, reference=output_size)
    assert message == "`size(n=7, f=3, s=2)` renvoie 5, on attendait 3."


def test_a_mistake_is_recognised_only_if_it_agrees_on_every_case():
    half_wrong = Called(lambda n, f, p, s: (n - f + 2 * p) // s if s == 1 else 40, "size")
    assert "manque" not in refusal(expect_cases, half_wrong, CASES, mistakes=MISTAKES)


def test_array_functions():
    def softmax(x):
        e = np.exp(x - x.max(-1, keepdims=True))
        return e / e.sum(-1, keepdims=True)

    def naive(x):
        return np.exp(x) / np.exp(x).sum(-1, keepdims=True)

    cases = [(np.array([[1.0, 2.0], [3.0, 3.0]]),), (np.array([[1000.0, 0.0]]),)]
    expect_cases(Called(softmax), cases, reference=softmax)
    with np.errstate(all="ignore"):
        message = refusal(expect_cases, Called(naive), cases, softmax, mistakes={like(naive): "Retirez le maximum."})
    assert message.startswith("`naive([[1000.0, 0.0]])[0, 0]` vaut NaN")
    assert message.endswith("Retirez le maximum.")


def test_arguments_are_protected_and_changes_seen():
    def centre(x):
        x -= x.mean()
        return x

    data = np.array([1.0, 2.0, 6.0])
    kept = data.copy()
    Called(centre)(data)
    np.testing.assert_array_equal(data, kept)
    answer = Called(centre)
    expect_function(answer, pure=True)
    message = refusal(answer, data)
    assert message.startswith("`centre([1.0, 2.0, 6.0])` modifie son argument `x` sur place")
    np.testing.assert_array_equal(data, kept)

    def append(items, item=0):
        items.append(item)
        return items

    answer = Called(append)
    answer.pure = True
    assert "`items`" in refusal(answer, [1, 2], item=3)


def test_a_pure_function_that_returns_its_argument_is_pure():
    answer = Called(lambda x: x)
    answer.pure = True
    np.testing.assert_array_equal(answer(np.array([1.0, np.nan])), [1.0, np.nan])


def test_none_is_a_stub_first_and_a_missing_return_later():
    with pytest.raises(Untried, match="terminez par `return`"):
        Called(lambda x: None)(3)
    with pytest.raises(Untried, match="Ellipsis"):
        Called(lambda x: ...)(3)
    answer = Called(lambda x: x if x > 0 else None, "relu")
    answer(1)
    assert (
        refusal(answer, -1) == "`relu(-1)` renvoie None. Un chemin de votre fonction n'arrive-t-il à aucun `return` ?"
    )


def test_a_function_may_return_none_when_the_check_says_so():
    answer = Called(lambda x: None)
    expect_function(answer, may_return_none=True)
    assert answer(3) is None


def test_a_missing_value_is_untried_first():
    with pytest.raises(Untried, match="reste à compléter"):
        expect_equal(..., 3, name="x")
    with pytest.raises(Untried):
        expect_array(None, RAMP)


def test_an_exception_is_told_with_its_line():
    def scale(x):
        factor = 0
        return x / factor

    message = refusal(Called(scale), 4)
    assert message.startswith(
        "`scale(4)` s'arrête sur ZeroDivisionError : division by zero (une division par zéro), ligne "
    )
    assert message.endswith("de votre fichier : `return x / factor`.")


def test_an_exception_inside_a_library_is_told_with_the_participant_s_line():
    def product(a, b):
        return np.linalg.inv(a) @ b

    message = refusal(Called(product), np.zeros((2, 2)), 1)
    assert "LinAlgError : Singular matrix" in message
    assert "np.linalg.inv(a) @ b" in message


@pytest.mark.parametrize("error", [RecursionError, KeyError("k"), SystemExit(3), ValueError("a\nb"), AssertionError])
def test_no_exception_of_the_participant_escapes(error):
    def crash():
        raise error

    assert "`crash()` s'arrête sur" in refusal(Called(crash))


def test_an_interruption_does_escape():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Called(interrupted)()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((28, 28)), "tableau(28, 28)"),
        (np.zeros(100), "tableau(100,)"),
        (np.array([1, 2, 3]), "[1, 2, 3]"),
        (np.float32(0.1), "0.1"),
        (1 / 3, "0.333333"),
        ((3,), "(3,)"),
        (list(range(50)), "liste de 50 éléments"),
        (np.tanh, "tanh"),
        ("relu", "'relu'"),
        (types.SimpleNamespace(a="x" * 50), "<SimpleNamespace>"),
    ],
)
def test_arguments_in_short(value, text):
    assert value_text(value) == text


def test_the_text_of_a_call():
    assert call_text("output_size", (7, 3), {"s": 2}) == "output_size(7, 3, s=2)"


@settings(deadline=None, max_examples=50)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text() | hnp.arrays(np.int64, 3),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
        max_leaves=8,
    )
)
def test_a_fresh_copy_is_unchanged(value):
    assert unchanged(value, fresh(value))


def test_a_fresh_copy_shares_nothing_that_can_change():
    Pair = namedtuple("Pair", "first second")
    value = {"a": [np.zeros(2)], "b": {1}, "c": Pair(1, [2])}
    copy = fresh(value)
    copy["a"][0][0] = 1
    copy["c"].second.append(3)
    assert value["a"][0][0] == 0
    assert value["c"] == Pair(1, [2])
    assert not unchanged(value, copy)


def test_answers_of_one_value_are_not_mistaken_for_each_other():
    same = 6
    with open_sheet({"dw": same, "dx": same, "dv": 0}):
        assert "`dw` ou `dx` vaut 6" in refusal(expect_equal, same, 9)
        assert "`dv` vaut 0" in refusal(expect_equal, 0, 9)
