"""Checks of lesson 1-5: gradients by hand in a graph, layers backwards, finite differences, a faulty backward pass."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_equal, expect_function, like

Array = NDArray[Any]

# --- 1-5-a : a graph with branches ---------------------------------------------------------------------------------


@exercise(
    "1-5-a",
    hints=(
        "À l'aller : w x = 6, sa ReLU 6, x + 1 = 3, leur produit 18 ; v x = -2, sa ReLU 0 ; L = 18.",
        "Au retour, le dernier « + » envoie 1 à ses deux entrées. Le « × » envoie alors 3 à la première ReLU "
        "et 6 à x + 1. "
        "La seconde ReLU est fermée : rien ne passe.",
        "x reçoit 6 par x + 1, puis 3 × w par le produit w x, et 0 par v x. Additionnez.",
    ),
    success="La porte fermée protège v : son gradient est nul, et un pas de descente ne le changerait pas. "
    "C'est ainsi qu'un neurone ReLU peut s'endormir.",
)
def graph(dw, dx, dv):
    """Derivatives of relu(w x) (x + 1) + relu(v x) at x = 2, w = 3, v = −1."""
    expect_equal(
        dw,
        6,
        reveal=False,
        name="dw",
        mistakes={
            2: "C'est la dérivée locale de `w x`, c'est-à-dire x ; "
            "il reste à la multiplier par le reproche qui arrive, x + 1.",
            3: "C'est le reproche qui arrive au produit `w x` ; il reste à le multiplier par la dérivée locale.",
            18: "C'est la valeur de L, pas sa dérivée.",
        },
    )
    expect_equal(
        dx,
        15,
        reveal=False,
        name="dx",
        mistakes={
            6: "Vous n'avez suivi que le chemin par `x + 1` ; x sert aussi dans `w x`.",
            9: "Vous n'avez suivi que le chemin par `w x` ; x sert aussi dans `x + 1`.",
            54: "Le long d'un chemin on multiplie, mais entre deux chemins on additionne.",
            14: "Vous avez compté le chemin par `v x` : sa ReLU est fermée, rien n'y passe.",
        },
    )
    expect_equal(
        dv,
        0,
        name="dv",
        mistakes={
            2: "Ce serait vrai sans la ReLU ; or `v x` vaut -2, et la porte est fermée.",
            -1: "C'est la valeur de v. La ReLU de `v x` est fermée : que laisse-t-elle passer ?",
        },
    )


# --- 1-5-b : activations backwards ---------------------------------------------------------------------------------


def _relu_by_cells(grad: Array, z: Array) -> Array:
    return np.array([g if value > 0 else 0.0 for g, value in zip(grad.flat, z.flat, strict=True)]).reshape(z.shape)


def _sigmoid_by_cells(grad: Array, a: Array) -> Array:
    cells = [g * (value - value**2) for g, value in zip(grad.flat, a.flat, strict=True)]
    return np.array(cells).reshape(a.shape)


def _squash(z: Array) -> Array:
    return 1 / (1 + np.exp(-z))


@exercise(
    "1-5-b",
    hints=(
        "Dans les deux cas : le reproche reçu, `dA`, multiplié case par case par la dérivée de l'activation.",
        "`Z > 0` est un tableau de booléens ; dans un produit, NumPy le lit comme des 0 et des 1.",
        "`dA * (Z > 0)` pour la ReLU ; pour la sigmoïde, dont `A` est déjà la sortie, `dA * A * (1 - A)`.",
    ),
    success="Garder A à l'aller évite de recalculer une exponentielle au retour : "
    "de la mémoire contre du temps, marché que tous les réseaux acceptent.",
)
def activations(relu_backward, sigmoid_backward):
    """Backward pass of ReLU from Z, of the sigmoid from its output A."""
    no_upstream = "C'est la dérivée locale seule : multipliez-la par le reproche reçu, `dA`."
    expect_function(relu_backward, parameters=2, pure=True)
    z = np.array([[1.5, -2.0, 0.5], [-0.5, 3.0, 0.0]])
    grad = np.array([[-2.0, 3.0, 0.5], [-1.0, 4.0, 5.0]])
    expect_cases(
        relu_backward,
        [(grad[0], z[0]), (grad, z)],
        reference=_relu_by_cells,
        mistakes={
            like(lambda dA, Z: 1.0 * (Z > 0)): no_upstream,
            like(lambda dA, Z: dA * (dA > 0)): "La porte dépend du signe de `Z`, pas de celui de `dA`.",
            like(lambda dA, Z: np.maximum(dA, 0)): "La porte dépend du signe de `Z`, pas de celui de `dA`.",
            like(lambda dA, Z: np.maximum(dA, 0) * (Z > 0)): "Un reproche négatif passe aussi : "
            "seule la valeur de `Z` ferme la porte.",
            like(lambda dA, Z: dA * np.maximum(Z, 0)): "Vous multipliez par la ReLU ; "
            "il faut sa dérivée, qui vaut 0 ou 1.",
            like(lambda dA, Z: dA * (Z >= 0)): "En `Z` = 0, on convient que la dérivée vaut 0 : "
            "l'inégalité est stricte.",
        },
    )
    expect_function(sigmoid_backward, parameters=2, pure=True)
    a = _squash(np.array([[0.0, 2.0, -1.0], [-3.0, 0.5, 4.0]]))
    expect_cases(
        sigmoid_backward,
        [(grad[0], a[0]), (grad, a)],
        reference=_sigmoid_by_cells,
        mistakes={
            like(lambda dA, A: A * (1 - A)): no_upstream,
            like(lambda dA, A: dA * _squash(A) * (1 - _squash(A))): "`A` est déjà la sortie de la sigmoïde : "
            "ne l'appliquez pas une seconde fois.",
            like(lambda dA, A: dA * A): "Il manque le facteur 1 - A.",
            like(lambda dA, A: dA * (1 - A)): "Il manque le facteur A.",
            like(lambda dA, A: dA * (1 - A**2)): "C'est la dérivée de la tangente hyperbolique.",
        },
    )


# --- 1-5-c : a dense layer backwards -------------------------------------------------------------------------------


def _dense_by_loops(x: Array, w: Array, dz: Array) -> tuple[Array, Array, Array]:
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for n, d, h in np.ndindex(*x.shape, w.shape[1]):
        dx[n, d] += dz[n, h] * w[d, h]
        dw[d, h] += dz[n, h] * x[n, d]
    for n, h in np.ndindex(*dz.shape):
        db[h] += dz[n, h]
    return dx, dw, db


def _right(X: Array, W: Array, dZ: Array) -> tuple[Array, Array, Array]:
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


@exercise(
    "1-5-c",
    hints=(
        "Chaque gradient a la forme de ce dont il est le gradient : `dX` comme `X`, `dW` comme `W`, `db` comme `b`.",
        "(D, N) fois (N, H) donne (D, H) : c'est `dW`. (N, H) fois (H, D) donne (N, D) : c'est `dX`.",
        "`dX = dZ @ W.T`, `dW = X.T @ dZ`, et `db` est la somme de `dZ` sur les exemples, `axis=0`.",
    ),
    success="Deux produits au retour contre un à l'aller : le retour coûtera à peu près le double.",
)
def dense(dense_backward):
    """Gradients of X W + b with respect to X, W and b."""
    expect_function(dense_backward, parameters=3, pure=True)
    rng = np.random.default_rng(5)

    def case(n: int, d: int, h: int) -> tuple[Array, ...]:
        return tuple(rng.integers(-3, 4, shape).astype(float) for shape in ((n, d), (d, h), (n, h)))

    order = "Rendez-les dans l'ordre : `dX, dW, db`."
    mean = "Le 1/N est déjà dans `dZ` : on additionne sur le lot, sans moyenne."
    expect_cases(
        dense_backward,
        [case(1, 2, 2), case(2, 3, 3), case(4, 3, 2)],
        reference=_dense_by_loops,
        mistakes={
            like(lambda X, W, dZ: (dZ @ W, *_right(X, W, dZ)[1:])): "`dX` : il faut transposer `W`. "
            "Quand `W` est carrée, l'oubli ne se voit pas à la forme.",
            like(lambda X, W, dZ: (dZ @ W.T, dZ.T @ X, dZ.sum(axis=0))): "`dW` est transposée : "
            "elle doit avoir la forme de `W`, entrées en lignes, neurones en colonnes.",
            like(lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ.mean(axis=0))): mean,
            like(lambda X, W, dZ: (dZ @ W.T, X.T @ dZ / len(X), dZ.mean(axis=0))): mean,
            like(lambda X, W, dZ: (dZ @ W.T, X.T @ dZ / len(X), dZ.sum(axis=0) / len(X))): mean,
            like(lambda X, W, dZ: (dZ @ W.T, X.T @ dZ / len(X), dZ.sum(axis=0))): mean,
            like(lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ.sum())): "`db` : un nombre par neurone, "
            "donc une somme sur les exemples seulement.",
            like(lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ.sum(axis=1))): "`db` : sommez sur les exemples, l'axe 0.",
            like(lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ)): "`db` : le biais sert à tous les exemples du lot, "
            "ses reproches s'additionnent.",
            like(lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ.sum(axis=0, keepdims=True))): "`db` doit avoir "
            "la forme de `b`, (H,) : retirez `keepdims`.",
            like(lambda X, W, dZ: (X.T @ dZ, dZ @ W.T, dZ.sum(axis=0))): order,
            like(lambda X, W, dZ: (X.T @ dZ, dZ.sum(axis=0), dZ @ W.T)): order,
        },
    )


# --- 1-5-d : central differences -----------------------------------------------------------------------------------


def sum_of_cubes(W: Array) -> float:
    """Return Σ W³."""
    return float(np.sum(W**3))


def product(W: Array) -> float:
    """Return the product of all entries: it shows at once when a neighbour has been left moved."""
    return float(np.prod(W) + np.sum(W[0] ** 3))


def _differences(f: Any, W: Array, epsilon: float) -> Array:
    steps = epsilon * np.eye(W.size).reshape(W.size, *W.shape)
    return np.array([(f(W + step) - f(W - step)) / (2 * epsilon) for step in steps]).reshape(W.shape)


def _moved(W: Array, index: tuple[int, ...], step: float) -> Array:
    W = W.copy()
    W[index] += step
    return W


def _each(W: Array, formula: Any) -> Array:
    return np.array([formula(index) for index in np.ndindex(W.shape)]).reshape(W.shape)


def _never_restored(f: Any, W: Array, epsilon: float) -> Array:
    W, slopes = W.copy(), np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        W[index] += epsilon
        above = f(W)
        W[index] -= 2 * epsilon
        slopes[index] = (above - f(W)) / (2 * epsilon)
    return slopes


@exercise(
    "1-5-d",
    hints=(
        "Pour chaque case, trois temps : la monter de `epsilon`, la baisser de `epsilon`, la remettre en place.",
        "Travaillez sur `moved = W.copy()` : l'original ne risque rien. "
        "`moved[index] = W[index] + epsilon` ; et `moved[index] = W[index]` remet la valeur exacte.",
        "`gradient[index] = (above - below) / (2 * epsilon)`, "
        "où `above` et `below` sont les deux valeurs de `f(moved)`.",
    ),
    success="Deux appels de `f` par case : ce juge est lent, mais il ne connaît aucune de vos formules, "
    "et ne peut donc pas commettre la même faute que vous.",
)
def finite_differences(numerical_gradient):
    """Central differences, entry by entry, on an array of any shape."""
    expect_function(numerical_gradient, parameters=3, pure=True)
    cases = [
        (sum_of_cubes, np.array([1.0, 2.0, -1.0]), 0.5),
        (product, np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 2.0]]), 0.25),
        (sum_of_cubes, np.array([[[0.25, -0.75]], [[1.125, 0.875]]]), 0.125),
    ]
    expect_cases(
        numerical_gradient,
        cases,
        reference=_differences,
        rtol=1e-6,
        mistakes={
            like(
                lambda f, W, e: _each(W, lambda i: (f(_moved(W, i, e)) - f(W)) / e)
            ): "C'est la différence d'un seul côté : reculez aussi d'`epsilon`.",
            like(
                lambda f, W, e: _each(W, lambda i: (f(_moved(W, i, e)) - f(_moved(W, i, -e))) / e)
            ): "Les deux points sont distants de `2 * epsilon`.",
            like(
                lambda f, W, e: _each(W, lambda i: f(_moved(W, i, e)) - f(_moved(W, i, -e)))
            ): "Il reste à diviser par l'écart entre les deux points, `2 * epsilon`.",
            like(
                lambda f, W, e: _each(W, lambda i: (f(_moved(W, i, e)) - f(_moved(W, i, -e))) / 2 * e)
            ): "Des parenthèses manquent : `/ 2 * epsilon` divise par 2, puis multiplie par `epsilon`.",
            like(
                lambda f, W, e: _each(W, lambda i: (f(_moved(W, i, e)) - f(W)) / (2 * e))
            ): "Le second point n'a pas reculé. Avez-vous écrit `moved = W` ? Ce n'est pas une copie.",
            like(
                lambda f, W, e: (f(W + e) - f(W - e)) / (2 * e)
            ): "Vous bougez toutes les cases à la fois : il faut les bouger l'une après l'autre.",
            like(_never_restored): "Une case déplacée n'est pas remise en place avant de passer à la suivante.",
        },
    )


# --- 1-5-e : three silent faults -----------------------------------------------------------------------------------


def _backward_by_loops(params: list[Array], X: Array, y: Array) -> list[Array]:
    w1, b1, w2, b2 = params
    grads = [np.zeros(param.shape) for param in params]
    for x, label in zip(X, y, strict=True):
        a1 = np.array([1 / (1 + np.exp(-(x @ w1[:, h] + b1[h]))) for h in range(len(b1))])
        scores = np.exp(a1 @ w2 + b2)
        blame = scores / scores.sum()
        blame[label] -= 1
        blame /= len(y)
        for h, k in np.ndindex(*w2.shape):
            grads[2][h, k] += a1[h] * blame[k]
            back = w2[h, k] * blame[k] * (a1[h] - a1[h] ** 2)
            grads[0][:, h] += x * back
            grads[1][h] += back
        grads[3] += blame
    return grads


def _variant(transpose: bool = True, gate: str = "sigmoid", total: bool = True) -> Any:
    """Return a backward pass with some of the three faults repaired."""

    def backward(params: list[Array], X: Array, y: Array) -> list[Array]:
        w1, b1, w2, b2 = params
        z1 = X @ w1 + b1
        a1 = _squash(z1)
        p = np.exp(a1 @ w2 + b2)
        dz2 = (p / p.sum(axis=1, keepdims=True) - np.eye(len(b2))[y]) / len(y)
        da1 = dz2 @ (w2.T if transpose else w2)
        slope = {"sigmoid": a1 * (1 - a1), "open": a1 > 0, "relu": z1 > 0, "on z": z1 * (1 - z1)}[gate]
        dz1 = da1 * slope
        return [X.T @ dz1, dz1.sum(axis=0) if total else dz1.mean(axis=0), a1.T @ dz2, dz2.sum(axis=0)]

    return backward


_TRANSPOSE = "Le chemin de dZ2 vers dA1 est faux : écrivez les formes, en imaginant que W2 n'est pas carrée."
_GATE = "La dérivée de l'activation est encore celle de la ReLU : le réseau, lui, a une sigmoïde."
_TOTAL = "Un biais additionne les reproches de tous les exemples : le 1/N est déjà dans dZ2."
_SOME_LEFT = "Une partie est réparée. Il reste ceci à revoir. "


def _remaining(transpose: bool, gate: bool, total: bool) -> str:
    left = [text for text, repaired in ((_TRANSPOSE, transpose), (_GATE, gate), (_TOTAL, total)) if not repaired]
    return _SOME_LEFT * (len(left) < 3) + " ".join(left[:1] if len(left) == 3 else left)


@exercise(
    "1-5-e",
    hints=(
        "W2 et b2 sont justes, donc dZ2 aussi. Relisez, l'une après l'autre, les lignes de dA1, de dZ1, puis de db1.",
        "Comparez avec vos exercices b et c : le retour d'une couche dense vers son entrée, "
        "celui d'une sigmoïde, la somme sur le lot.",
        "`dA1 = dZ2 @ W2.T`, `dZ1 = dA1 * A1 * (1 - A1)`, et `db1` est une somme, non une moyenne.",
    ),
    success="W2 avait autant de lignes que de colonnes : aucune forme ne pouvait trahir l'oubli. "
    "Vérifiez toujours un gradient sur des tailles toutes différentes.",
)
def faults(fixed_backward):
    """Backward pass of a two-layer network with a sigmoid, on a square W2 then on a rectangular one."""
    expect_function(fixed_backward, parameters=3, pure=True)
    rng = np.random.default_rng(8)

    def case(n: int, d: int, h: int, k: int) -> tuple[Any, ...]:
        params = [rng.normal(size=shape) for shape in ((d, h), (h,), (h, k), (k,))]
        return params, rng.normal(size=(n, d)), rng.integers(0, k, n)

    states = [(t, g, s) for t in (True, False) for g in (True, False) for s in (True, False)][1:]
    mistakes = [(like(_variant(t, "sigmoid" if g else "open", s)), _remaining(t, g, s)) for t, g, s in states]
    mistakes += [
        (like(_variant(gate="on z")), "La dérivée de la sigmoïde est A1 (1 - A1) : elle se calcule sur sa sortie."),
        (like(_variant(gate="relu")), _GATE),
    ]
    for sizes in ((5, 6, 12, 12), (5, 6, 12, 4)):
        expect_cases(fixed_backward, [case(*sizes)], reference=_backward_by_loops, mistakes=mistakes)
