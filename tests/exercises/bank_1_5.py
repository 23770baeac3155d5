"""Answers on which the checks of lesson 1-5 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Answers, Case


def relu_backward(dA, Z):
    return dA * (Z > 0)


def sigmoid_backward(dA, A):
    return dA * A * (1 - A)


def activation_stub(dA, Z): ...


def relu_in_place(dA, Z):
    dA[Z <= 0] = 0
    return dA


def dense_backward(X, W, dZ):
    return dZ @ W.T, X.T @ dZ, dZ.sum(axis=0)


def dense_stub(X, W, dZ): ...


def numerical_gradient(f, W, epsilon=1e-5):
    gradient, moved = np.zeros(W.shape), W.copy()
    for index in np.ndindex(W.shape):
        moved[index] = W[index] + epsilon
        above = f(moved)
        moved[index] = W[index] - epsilon
        gradient[index] = (above - f(moved)) / (2 * epsilon)
        moved[index] = W[index]
    return gradient


def numerical_stub(f, W, epsilon=1e-5): ...


def numerical_in_place(f, W, epsilon=1e-5):
    """Move W itself and put each value back."""
    gradient = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        value = W[index]
        W[index] = value + epsilon
        above = f(W)
        W[index] = value - epsilon
        gradient[index] = (above - f(W)) / (2 * epsilon)
        W[index] = value
    return gradient


def numerical_one_sided(f, W, epsilon=1e-5):
    gradient = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        moved = W.copy()
        moved[index] += epsilon
        gradient[index] = (f(moved) - f(W)) / epsilon
    return gradient


def numerical_half_width(f, W, epsilon=1e-5):
    return 2 * numerical_gradient(f, W, epsilon)


def numerical_without_parentheses(f, W, epsilon=1e-5):
    return numerical_gradient(f, W, epsilon) * epsilon**2


def numerical_all_at_once(f, W, epsilon=1e-5):
    return (f(W + epsilon) - f(W - epsilon)) / (2 * epsilon)


def numerical_leaves_w_moved(f, W, epsilon=1e-5):
    gradient = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        W[index] += epsilon
        above = f(W)
        W[index] -= 2 * epsilon
        gradient[index] = (above - f(W)) / (2 * epsilon)
    return gradient


def numerical_leaves_copy_moved(f, W, epsilon=1e-5):
    return numerical_leaves_w_moved(f, W.copy(), epsilon)


def numerical_alias(f, W, epsilon=1e-5):
    """The participant believes that `moved` is a copy, and subtracts where it has just been added."""
    gradient = np.zeros(W.shape)
    for index in np.ndindex(W.shape):
        moved = W
        moved[index] += epsilon
        above = f(moved)
        moved = W
        moved[index] -= epsilon
        gradient[index] = (above - f(moved)) / (2 * epsilon)
    return gradient


def passes(params, X):
    W1, b1, W2, b2 = params
    A1 = 1 / (1 + np.exp(-(X @ W1 + b1)))
    E = np.exp(A1 @ W2 + b2)
    return A1, E / E.sum(axis=1, keepdims=True)


def backward_with(back, derivative, bias):
    """Return a backward pass made of these three steps."""

    def fixed_backward(params, X, y):
        W2 = params[2]
        A1, p = passes(params, X)
        dZ2 = (p - np.eye(W2.shape[1])[y]) / len(y)
        dZ1 = back(dZ2, W2) * derivative(A1)
        return [X.T @ dZ1, bias(dZ1), A1.T @ dZ2, dZ2.sum(axis=0)]

    return fixed_backward


def to_input(dZ, W):
    return dZ @ W.T


def untransposed(dZ, W):
    return dZ @ W


def slope(A):
    return A * (1 - A)


def total(dZ):
    return dZ.sum(axis=0)


def average(dZ):
    return dZ.mean(axis=0)


def always_open(A):
    return A > 0


def without_division(params, X, y):
    return [len(y) * grad for grad in backward_with(to_input, slope, total)(params, X, y)]


def faults_stub(params, X, y): ...


CASES = {
    "1-5-a": Case(
        solution=Answers(6, 15, 0),
        stub=Answers(..., ..., ...),
        wrong=[
            (Answers(2, 15, 0), "dérivée locale de `w x`"),
            (Answers(3, 15, 0), "le reproche qui arrive au produit"),
            (Answers(6, 6, 0), "`dx` vaut 6 : c'est trop petit. Vous n'avez suivi que le chemin par `x + 1`"),
            (Answers(6, 9, 0), "le chemin par `w x`"),
            (Answers(6, 14, 0), "sa ReLU est fermée"),
            (Answers(6, 54, 0), "entre deux chemins on additionne"),
            (Answers(6, 15, 2), "sans la ReLU"),
        ],
        also_right=[Answers(6.0, 15.0, 0.0)],
    ),
    "1-5-b": Case(
        solution=Answers(relu_backward, sigmoid_backward),
        stub=Answers(activation_stub, activation_stub),
        wrong=[
            (Answers(lambda dA, Z: Z > 0, sigmoid_backward), "dérivée locale seule"),
            (Answers(lambda dA, Z: dA * (dA > 0), sigmoid_backward), "pas de celui de `dA`"),
            (Answers(lambda dA, Z: dA * (Z >= 0), sigmoid_backward), "l'inégalité est stricte"),
            (Answers(lambda dA, Z: dA * np.maximum(Z, 0), sigmoid_backward), "qui vaut 0 ou 1"),
            (Answers(relu_in_place, sigmoid_backward), "modifie"),
            (Answers(relu_backward, lambda dA, A: A * (1 - A)), "dérivée locale seule"),
            (Answers(relu_backward, lambda dA, A: dA * np.exp(-A) / (1 + np.exp(-A)) ** 2), "une seconde fois"),
            (Answers(relu_backward, lambda dA, A: dA * (1 - A**2)), "tangente hyperbolique"),
        ],
        also_right=[Answers(lambda dA, Z: np.where(Z > 0, dA, 0), lambda dA, A: dA * (A - A**2))],
    ),
    "1-5-c": Case(
        solution=dense_backward,
        stub=dense_stub,
        wrong=[
            (lambda X, W, dZ: (dZ @ W, X.T @ dZ, dZ.sum(axis=0)), "il faut transposer `W`"),
            (lambda X, W, dZ: (dZ @ W.T, dZ.T @ X, dZ.sum(axis=0)), "`dW` est transposée"),
            (lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ.mean(axis=0)), "sans moyenne"),
            (lambda X, W, dZ: (dZ @ W.T, X.T @ dZ / len(X), dZ.mean(axis=0)), "sans moyenne"),
            (lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ.sum(axis=0, keepdims=True)), "retirez `keepdims`"),
            (lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ.sum(axis=1)), "l'axe 0"),
            (lambda X, W, dZ: (dZ @ W.T, X.T @ dZ, dZ), "s'additionnent"),
            (lambda X, W, dZ: (X.T @ dZ, dZ.sum(axis=0), dZ @ W.T), "dans l'ordre"),
        ],
        also_right=[lambda X, W, dZ: (np.dot(dZ, W.T), np.einsum("nd,nh->dh", X, dZ), np.ones(len(X)) @ dZ)],
    ),
    "1-5-d": Case(
        solution=numerical_gradient,
        stub=numerical_stub,
        wrong=[
            (numerical_one_sided, "d'un seul côté"),
            (numerical_half_width, "distants de `2 * epsilon`"),
            (numerical_without_parentheses, "Des parenthèses manquent"),
            (numerical_all_at_once, "toutes les cases à la fois"),
            (numerical_leaves_copy_moved, "n'est pas remise en place"),
            (numerical_leaves_w_moved, "modifie"),
            (numerical_alias, "Ce n'est pas une copie"),
        ],
        also_right=[numerical_in_place],
    ),
    "1-5-e": Case(
        solution=backward_with(to_input, slope, total),
        stub=faults_stub,
        wrong=[
            (backward_with(untransposed, always_open, average), "de dZ2 vers dA1 est faux"),
            (backward_with(untransposed, slope, total), "Une partie est réparée"),
            (backward_with(to_input, always_open, total), "encore celle de la ReLU"),
            (backward_with(to_input, slope, average), "Un biais additionne"),
            (backward_with(to_input, always_open, average), "Un biais additionne"),
            (backward_with(lambda dZ, W: W @ dZ, slope, total), "ValueError"),
            (without_division, "on attend"),
        ],
    ),
}
