"""Exercises that answer: `check`, `hint`, `solution`, `progress` and `quiz`.

``check("1-5-a", answer)`` gives one of three verdicts: « Non tenté » (an untouched stub), « À revoir » with a diagnosis
of the participant's own object (kind, shape, dtype, first differing value, then the likely mistake), « Réussi » with an
insight.

The checks of a day stand in the modules ``day1*.py``, imported when one of their ids is asked for. One is declared so::

    from course_utils.exercises.declare import exercise
    from course_utils.exercises.expect import expect_cases, expect_function, like

    @exercise(
        "2-1-a",
        hints=("Combien de places la fenêtre a-t-elle avec `p = 0` et `s = 1` ?", "La marge compte deux fois.",
               "`(n - f + 2 * p) // s + 1`"),
        success="Avec f = 5, la marge p = 2 garde la taille.",
    )
    def output_size(output_size):  # the parameter is the name shown to the participant
        expect_function(output_size, parameters=4)
        expect_cases(
            output_size,
            {(5, 3, 0, 1): 3, (7, 3, 0, 2): 3, (28, 5, 2, 1): 28}.items(),
            exact_type=True,
            mistakes={
                like(lambda n, f, p, s: (n - f + 2 * p) / s + 1): "Avez-vous utilisé `/` au lieu de `//` ?",
                like(lambda n, f, p, s: (n - f + 2 * p) // s): "Le `+ 1` manque : comptez les places sur un dessin.",
                like(lambda n, f, p, s: (n - f + p) // s + 1): "La marge est des deux côtés : elle compte deux fois.",
            },
        )

The check is called with the participant's answers. Functions come wrapped (`answer.Called`): they get copies of the
arguments, and an exception or a missing ``return`` becomes a diagnosis. `expect` holds the expectations, `testing` what
a bank of typical answers is made of. A check imports nothing heavy at the top of its module; TensorFlow, never.
"""

from __future__ import annotations

from course_utils.exercises.checking import check, diagnose, hint, solution
from course_utils.exercises.journey import progress
from course_utils.exercises.questions import quiz

__all__ = ["check", "diagnose", "hint", "progress", "quiz", "solution"]
