"""Answers on which the checks of lesson 1-1 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Case


def update(W, x, k):
    answer = np.argmax(W @ x)
    W = W.copy()
    if answer != k:
        W[k] += x
        W[answer] -= x
    return W


def update_stub(W, x, k):
    answer = np.argmax(W @ x)  # noqa: F841  the stub of the notebook, as it stands
    ...


def update_in_place(W, x, k):
    answer = np.argmax(W @ x)
    if answer != k:
        W[k] += x
        W[answer] -= x
    return W


def update_always_adding(W, x, k):
    W = W.copy()
    W[k] += x
    return W


def update_right_row_only(W, x, k):
    W = W.copy()
    if np.argmax(W @ x) != k:
        W[k] += x
    return W


def update_signs_swapped(W, x, k):
    answer = np.argmax(W @ x)
    W = W.copy()
    if answer != k:
        W[k] -= x
        W[answer] += x
    return W


def update_all_others(W, x, k):
    if np.argmax(W @ x) == k:
        return W
    W = W - x
    W[k] += 2 * x
    return W


def update_by_outer(W, x, k):
    classes = np.eye(len(W))
    return W + np.outer(classes[k] - classes[np.argmax(W @ x)], x)


def without_tint(images):
    return images - images.mean(axis=(1, 2), keepdims=True)


def without_tint_stub(images): ...


def without_tint_by_loop(images):
    return np.stack([image - image.reshape(-1, 3).mean(axis=0) for image in images])


def assign(X, centers):
    return np.argmin((centers**2).sum(axis=1) - 2 * X @ centers.T, axis=1)


def assign_stub(X, centers): ...


def assign_by_broadcast(X, centers):
    return ((X[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)


def indifference(r1, n1, r2, n2):
    return (r1 / r2) ** (1 / (n2 - n1))


def indifference_stub(r1, n1, r2, n2): ...


CASES = {
    "1-1-a": Case(
        solution=update,
        stub=update_stub,
        wrong=[
            (update_in_place, "modifie"),
            (update_always_adding, "même quand la réponse est bonne"),
            (update_right_row_only, "La ligne choisie à tort n'a pas bougé"),
            (update_signs_swapped, "Les signes sont échangés"),
            (update_all_others, "Seule la ligne choisie à tort"),
            (lambda W, x, k: W, "Rien n'a bougé"),
            (lambda W, x: W, "ne peut être appelée avec 3 arguments"),
        ],
        also_right=[update_by_outer],
    ),
    "1-1-b": Case(
        solution=without_tint,
        stub=without_tint_stub,
        wrong=[
            (lambda images: images - images.mean(axis=0), "moyenne du lot"),
            (lambda images: images - images.mean(), "Un seul nombre"),
            (lambda images: images - images.mean(axis=(0, 1, 2)), "du lot entier"),
            (lambda images: images - images.mean(axis=(1, 2, 3), keepdims=True), "clarté moyenne"),
            (lambda images: images - images.mean(axis=3, keepdims=True), "le gris de chaque pixel"),
            (lambda images: images.mean(axis=(1, 2)), "la couleur moyenne elle-même"),
            (lambda images: images - images.mean(axis=(1, 2)), "broadcast"),
        ],
        also_right=[without_tint_by_loop],
    ),
    "1-1-c": Case(
        solution=assign,
        stub=assign_stub,
        wrong=[
            (lambda X, centers: np.argmax(((X[:, None] - centers) ** 2).sum(axis=2), axis=1), "le plus loin"),
            (lambda X, centers: np.argmin(((X[:, None] - centers) ** 2).sum(axis=2), axis=0), "L'axe est l'autre"),
            (lambda X, centers: np.argmax(X @ centers.T, axis=1), "favorise les centres longs"),
            (lambda X, centers: np.argmin((centers**2).sum(axis=1) - X @ centers.T, axis=1), "double produit"),
            (lambda X, centers: ((X[:, None] - centers) ** 2).sum(axis=2).min(axis=1), "les numéros des centres"),
            (lambda X, centers: ((X[:, None] - centers) ** 2).sum(axis=2), "par ligne"),
        ],
        also_right=[assign_by_broadcast],
    ),
    "1-1-d": Case(
        solution=indifference,
        stub=indifference_stub,
        wrong=[
            (lambda r1, n1, r2, n2: (r2 / r1) ** (1 / (n2 - n1)), "à l'envers"),
            (lambda r1, n1, r2, n2: r1 / r2, "prendre la racine"),
            (lambda r1, n1, r2, n2: (r1 / r2) ** (n2 - n1), "au lieu de prendre la racine"),
            (lambda r1, n1, r2, n2: (r1 / r2) ** (1 / n2), "se fait attendre"),
            (lambda r1, n1, r2, n2: (r1 / r2) ** 1 / (n2 - n1), "Des parenthèses manquent"),
            (lambda r1, n1, r2, n2: (r1 / n1) / (r2 / n2), "gains par pas"),
            (0.86, "on attend une fonction"),
        ],
        also_right=[lambda r1, n1, r2, n2: np.exp(np.log(r1 / r2) / (n2 - n1))],
    ),
}
