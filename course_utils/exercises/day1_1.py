"""Checks of lesson 1-1: a ten-class perceptron, a shortcut removed, nearest centres, a discount factor."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_function, expect_that, like

Array = NDArray[Any]

# --- 1-1-a : the perceptron with one row of weights per class ------------------------------------------------------

_WEIGHTS = np.array([[1.0, 0.0, 2.0], [0.0, 1.0, -1.0], [2.0, 2.0, 0.0], [-1.0, 0.5, 0.0]])
_UPDATE_CASES = [
    (_WEIGHTS, np.array([1.0, 2.0, 1.0]), 0),
    (_WEIGHTS, np.array([1.0, 2.0, 1.0]), 2),
    (_WEIGHTS, np.array([0.5, 0.0, 3.0]), 3),
    (_WEIGHTS, np.array([-2.0, 0.5, 1.0]), 1),
]


def _moved(W: Array, x: Array, *, up: int | None = None, down: int | None = None, step: float = 1.0) -> Array:
    return np.array(
        [row + step * x * (up == i) - step * x * (down == i) for i, row in enumerate(np.asarray(W, np.float64))]
    )


def _updated(W: Array, x: Array, k: int) -> Array:
    return _moved(W, x, up=k, down=int(np.argmax(W @ x)))


def _only_right_row(W: Array, x: Array, k: int) -> Array:
    return _moved(W, x, up=None if np.argmax(W @ x) == k else k)


def _only_wrong_row(W: Array, x: Array, k: int) -> Array:
    return _moved(W, x, down=None if np.argmax(W @ x) == k else int(np.argmax(W @ x)))


def _every_other_row(W: Array, x: Array, k: int) -> Array:
    if np.argmax(W @ x) == k:
        return W
    return np.array([row + x if i == k else row - x for i, row in enumerate(W)])


@exercise(
    "1-1-a",
    hints=(
        "La ligne choisie est `np.argmax(W @ x)`. Que faire quand elle vaut `k` ?",
        "Travaillez sur une copie, `W = W.copy()`, et ne corrigez que deux lignes : celle de la bonne classe et celle "
        "qui a été choisie à tort.",
        "Si `answer != k` : `W[k] += x` et `W[answer] -= x`. Dans tous les cas, renvoyez `W`.",
    ),
    success="La même règle, appliquée à tous les chiffres pendant quelques passages, en lit plus de huit sur dix : "
    "essayez, le corrigé donne la boucle.",
)
def update(update):
    """One correction of the multi-class perceptron."""
    expect_function(update, parameters=3, pure=True)
    expect_cases(
        update,
        _UPDATE_CASES,
        reference=_updated,
        rtol=1e-9,
        mistakes=[
            (like(_only_right_row), "La ligne choisie à tort n'a pas bougé : retranchez-lui `x`."),
            (like(_only_wrong_row), "La ligne de la bonne classe n'a pas bougé : ajoutez-lui `x`."),
            (
                like(lambda W, x, k: _moved(W, x, up=k)),
                "Vous ajoutez `x` à la ligne `k` même quand la réponse est bonne, "
                "et la ligne choisie à tort ne bouge pas.",
            ),
            (
                like(lambda W, x, k: _moved(W, x, up=k, down=int(np.argmax(W @ x)), step=-1.0)),
                "Les signes sont échangés : on ajoute `x` à la bonne ligne, on le retranche à la mauvaise.",
            ),
            (like(_every_other_row), "Seule la ligne choisie à tort est punie ; les autres ne bougent pas."),
            (like(lambda W, x, k: W), "Rien n'a bougé : la correction manque quand la réponse est fausse."),
        ],
    )


# --- 1-1-b : removing the tint that gave the answer away -----------------------------------------------------------


def _tint_images() -> list[Array]:
    rng = np.random.default_rng(5)
    plain = np.zeros((2, 2, 3, 3), np.float32)
    plain[0, ..., 0], plain[1, ..., 2] = 0.5, 1.0
    return [plain, rng.random((3, 4, 5, 3), np.float32), rng.random((1, 6, 3, 3), np.float32)]


def _centred_one_by_one(images: Array) -> Array:
    out = np.empty(images.shape, np.float64)
    for i, image in enumerate(images):
        for c in range(3):
            out[i, :, :, c] = image[:, :, c] - np.mean(image[:, :, c].ravel().tolist())
    return out


@exercise(
    "1-1-b",
    hints=(
        "Une couleur moyenne, ce sont trois nombres par image : sur quels axes faut-il prendre la moyenne ?",
        "Les axes 1 et 2, la hauteur et la largeur. Le résultat a la forme `(N, 3)` : il faut encore qu'il se "
        "retranche à `(N, H, W, 3)`, ce que permet `keepdims=True`.",
        "`images - images.mean(axis=(1, 2), keepdims=True)`",
    ),
    success="Privé de la teinte, le modèle obtient la même exactitude, que les heures soient échangées ou non : "
    "elle est plus basse que celle du raccourci, et elle est vraie.",
)
def without_tint(without_tint):
    """Subtract from each image its own mean colour."""
    expect_function(without_tint, parameters=1, pure=True)
    expect_cases(
        without_tint,
        [(images,) for images in _tint_images()],
        reference=_centred_one_by_one,
        atol=1e-5,
        mistakes=[
            (
                like(lambda images: images - images.mean(axis=0)),
                "C'est la moyenne du lot (`axis=0`) : toutes les images perdent la même chose, et l'écart de teinte "
                "entre elles demeure.",
            ),
            (
                like(lambda images: images - images.mean()),
                "Un seul nombre est retranché à tout le lot : la teinte de chaque image demeure.",
            ),
            (
                like(lambda images: images - images.mean(axis=(0, 1, 2))),
                "Vous retirez la couleur moyenne du lot entier : il faut celle de chaque image.",
            ),
            (
                like(lambda images: images - images.mean(axis=(1, 2, 3), keepdims=True)),
                "Vous retirez la clarté moyenne de chaque image : les trois canaux ont perdu la même chose, "
                "et la teinte demeure.",
            ),
            (
                like(lambda images: images - images.mean(axis=3, keepdims=True)),
                "Vous retirez le gris de chaque pixel ; il faut retirer la couleur moyenne de chaque image.",
            ),
            (
                like(lambda images: images.mean(axis=(1, 2), keepdims=True)),
                "C'est la couleur moyenne elle-même : retranchez-la des images.",
            ),
            (
                like(lambda images: images.mean(axis=(1, 2))),
                "C'est la couleur moyenne elle-même : retranchez-la des images.",
            ),
        ],
    )


# --- 1-1-c : nearest centres without a loop ------------------------------------------------------------------------


def _clouds() -> list[tuple[Array, Array]]:
    rng = np.random.default_rng(11)
    line = np.array([[0.0, 0.0], [1.0, 0.0], [4.0, 0.0], [9.0, 0.0]])
    return [
        (line, np.array([[8.0, 0.0], [0.0, 0.0], [3.0, 0.0]])),
        (rng.normal(size=(7, 4)), rng.normal(size=(3, 4))),
        (rng.normal(size=(5, 6)) + 3, 2 * rng.normal(size=(5, 6)) + 3),
    ]


def _nearest(X: Array, centers: Array) -> Array:
    return np.array([min(range(len(centers)), key=lambda k: float(np.linalg.norm(x - centers[k]))) for x in X])


def _squares(X: Array, centers: Array) -> Array:
    return (X**2).sum(axis=1)[:, None] - 2 * X @ centers.T + (centers**2).sum(axis=1)


@exercise(
    "1-1-c",
    hints=(
        "Pour une image donnée, ‖x‖² est le même pour tous les centres : il ne change pas le plus proche.",
        "`X @ centers.T` a la forme (N, K). Les K nombres `(centers ** 2).sum(axis=1)` s'ajoutent à chaque ligne "
        "d'eux-mêmes.",
        "`np.argmin((centers ** 2).sum(axis=1) - 2 * X @ centers.T, axis=1)`",
    ),
    success="Un produit de matrices remplace N × K soustractions de vecteurs : c'est aussi ce que fait scikit-learn.",
)
def assign(assign):
    """Index of the nearest centre of each row."""
    expect_function(assign, parameters=2, pure=True)
    expect_cases(
        assign,
        _clouds(),
        reference=_nearest,
        dtype="int",
        mistakes=[
            (
                like(lambda X, centers: np.argmax(_squares(X, centers), axis=1)),
                "C'est le centre le plus loin : on veut `argmin`.",
            ),
            (
                like(lambda X, centers: np.argmin(_squares(X, centers), axis=0)),
                "L'axe est l'autre : vous donnez à chaque centre son image la plus proche.",
            ),
            (
                like(lambda X, centers: np.argmax(X @ centers.T, axis=1)),
                "Le produit scalaire seul favorise les centres longs : il manque ‖c‖².",
            ),
            (
                like(lambda X, centers: np.argmin(-2 * X @ centers.T + (X**2).sum(axis=1)[:, None], axis=1)),
                "Vous avez oublié ‖c‖² et gardé ‖x‖² : c'est le second que l'on peut oublier.",
            ),
            (
                like(lambda X, centers: np.argmin((centers**2).sum(axis=1) - X @ centers.T, axis=1)),
                "Le double produit compte deux fois : `-2 * X @ centers.T`.",
            ),
            (
                like(lambda X, centers: _squares(X, centers).min(axis=1)),
                "Ce sont les distances au carré ; on demande les numéros des centres.",
            ),
            (
                like(_squares),
                "C'est le tableau des distances au carré : il reste à trouver, par ligne, où est la plus petite.",
            ),
        ],
    )


# --- 1-1-d : how patient must the taxi be? -------------------------------------------------------------------------

_CLIENTS = [(3.0, 2, 10.0, 10), (1.0, 1, 2.0, 2), (5.0, 3, 6.0, 8), (4.0, 5, 9.0, 7)]


@exercise(
    "1-1-d",
    hints=(
        "Écrivez ce que vaut aujourd'hui chacune des deux récompenses, puis posez l'égalité.",
        "γ^(n1 − 1) · r1 = γ^(n2 − 1) · r2 : divisez, il ne reste que γ^(n2 − n1).",
        "`(r1 / r2) ** (1 / (n2 - n1))`",
    ),
)
def indifference(indifference):
    """Discount at which a near small reward is worth a far large one."""
    expect_function(indifference, parameters=4)
    expect_cases(
        indifference,
        _CLIENTS,
        reference=lambda r1, n1, r2, n2: float(np.exp((np.log(r1) - np.log(r2)) / (n2 - n1))),
        rtol=1e-6,
        mistakes=[
            (
                like(lambda r1, n1, r2, n2: (r2 / r1) ** (1 / (n2 - n1))),
                "γ dépasserait 1 : le rapport des récompenses est à l'envers.",
            ),
            (
                like(lambda r1, n1, r2, n2: r1 / r2),
                "C'est γ élevé à la puissance `n2 - n1` : il reste à prendre la racine.",
            ),
            (
                like(lambda r1, n1, r2, n2: (r1 / r2) ** (n2 - n1)),
                "Vous élevez à la puissance au lieu de prendre la racine : l'exposant est `1 / (n2 - n1)`.",
            ),
            (
                like(lambda r1, n1, r2, n2: (r1 / r2) ** (1 / n2)),
                "Le premier client aussi se fait attendre : seul compte l'écart `n2 - n1`.",
            ),
            (
                like(lambda r1, n1, r2, n2: (r1 / r2) ** (1 / (n2 - n1 - 1))),
                "Les deux « − 1 » se compensent : l'écart entre les exposants est `n2 - n1`.",
            ),
            (
                like(lambda r1, n1, r2, n2: (r1 / r2) ** 1 / (n2 - n1)),
                "Des parenthèses manquent autour de `1 / (n2 - n1)` : la puissance passe avant la division.",
            ),
            (
                like(lambda r1, n1, r2, n2: (r1 / n1) / (r2 / n2)),
                "Vous comparez les gains par pas ; ici, c'est l'escompte γ qui fait payer l'attente.",
            ),
        ],
    )
    gamma = indifference(3, 2, 10, 10)
    expect_that(0 < gamma < 1, "γ doit être entre 0 et 1.")
    return f"Avec 3 à deux pas et 10 à dix pas, γ = {gamma:.3f}".replace(".", ",") + (
        " : au-dessous, le taxi prend le client le plus proche ; au-dessus, il va chercher le plus généreux."
    )
