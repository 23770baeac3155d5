"""Answers on which the checks of lesson 1-4 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Answers, Case

N_PARAMETERS = 2410


def dense_relu(images, W, b):
    return np.maximum(images.reshape(len(images), -1) @ W + b, 0)


def dense_relu_stub(images, W, b): ...


def dense_relu_by_einsum(images, W, b):
    z = np.einsum("nhwc,hwck->nk", images, W.reshape(*images.shape[1:], -1)) + b
    return np.where(z > 0, z, 0)


def no_activation(images, W, b):
    return images.reshape(len(images), -1) @ W + b


def late_bias(images, W, b):
    return np.maximum(images.reshape(len(images), -1) @ W, 0) + b


def no_bias(images, W, b):
    return np.maximum(images.reshape(len(images), -1) @ W, 0)


def flattened_batch(images, W, b):
    return np.maximum(images.reshape(-1) @ W + b, 0)


def dead_fraction(activations):
    return np.mean(np.all(activations == 0, axis=0))


def dead_stub(activations): ...


def softmax(z):
    powers = np.exp(z - z.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def softmax_stub(z): ...


def softmax_by_log(z):
    shifted = z - z.max(-1, keepdims=True)
    return np.exp(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def softmax_one_maximum(z):
    powers = np.exp(z - z.max())
    return powers / powers.sum(axis=-1, keepdims=True)


def softmax_in_place(z):
    z -= z.max(axis=-1, keepdims=True)
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def softmax_columns(z):
    powers = np.exp(z - z.max(axis=0))
    return powers / powers.sum(axis=0)


def cross_entropy(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[np.arange(len(z)), labels])


def cross_entropy_stub(z, labels): ...


def cross_entropy_by_logaddexp(z, labels):
    right = np.take_along_axis(z, labels[:, None], axis=1)[:, 0]
    return float((np.logaddexp.reduce(z, axis=1) - right).mean())


def cross_entropy_all_labels(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)
    return np.mean(np.log(np.exp(shifted).sum(axis=1)) - shifted[:, labels])


def cross_entropy_all_labels_by_column(z, labels):
    p = softmax(z)
    return -np.log(p[:, labels]).mean()


def cross_entropy_of_probabilities(z, labels):
    return -np.log(softmax(z)[np.arange(len(z)), labels]).mean()


def cross_entropy_unstable(z, labels):
    return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), labels])


def cross_entropy_one_hot_mean(z, labels):
    shifted = z - z.max(axis=1, keepdims=True)
    log_p = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    return -np.mean(np.eye(z.shape[1])[labels] * log_p)


ONES, HAT = [[1, 1], [1, 1]], [1, -2]

CASES = {
    "1-4-a": Case(
        solution=Answers(dense_relu, N_PARAMETERS),
        stub=Answers(dense_relu_stub, ...),
        wrong=[
            (Answers(no_activation, N_PARAMETERS), "manque l'activation"),
            (Answers(late_bias, N_PARAMETERS), "le biais après ReLU"),
            (Answers(no_bias, N_PARAMETERS), "n'a pas été ajouté"),
            (Answers(flattened_batch, N_PARAMETERS), "matmul"),
            (Answers(dense_relu, 2368), "chaque neurone a aussi un biais"),
            (Answers(dense_relu, 2080), "première couche seulement"),
            (Answers(dense_relu, 2730), "ne lit pas les 64 pixels"),
            (Answers(dense_relu, 3000), "trop grand"),
        ],
        also_right=[Answers(dense_relu_by_einsum, N_PARAMETERS)],
    ),
    "1-4-b": Case(
        solution=Answers(np.array(ONES), np.array([0, -1]), np.array(HAT), 0),
        stub=Answers(..., ..., ..., ...),
        wrong=[
            (Answers(np.array(ONES), np.array([0, 0]), np.array(HAT), 0), "Au coin (0, 1)"),
            (Answers(np.array(ONES), np.array([0, -1]), np.array([1, -1]), 0), "C'est un « ou »"),
            (Answers(np.array(ONES), np.array([0, -1]), np.array([-1, 2]), 1), "à l'envers"),
            (Answers(np.array(ONES), np.array([0, -2]), np.array(HAT), 0), "n° 2 reste à 0"),
            (Answers(np.ones((2, 3)), np.zeros(3), np.ones(3), 0), "on en veut deux"),
            (Answers(np.ones(2), np.zeros(2), np.ones(2), 0), "une colonne par neurone caché"),
            (Answers(np.array(ONES), np.zeros(1), np.array(HAT), 0), "un biais par neurone caché"),
            (Answers(np.array(ONES), np.array([0, -1]), np.array(HAT), np.zeros(2)), "un seul nombre"),
        ],
        also_right=[
            Answers(np.array([[1, -1], [-1, 1]]), np.zeros(2), np.ones((2, 1)), np.zeros(1)),
            Answers(ONES, [0, -1], HAT, 0),
        ],
    ),
    "1-4-c": Case(
        solution=dead_fraction,
        stub=dead_stub,
        wrong=[
            (lambda a: np.mean(a == 0), "la part des zéros"),
            (lambda a: np.mean(np.all(a == 0, axis=1)), "les unités sont les colonnes"),
            (lambda a: np.mean(np.any(a == 0, axis=0)), "au moins une fois"),
            (lambda a: np.all(a == 0, axis=0).sum(), "on demande une part"),
            (lambda a: np.mean(a.max(axis=0) > 0), "unités vivantes"),
            (0.25, "on attend une fonction"),
        ],
        also_right=[lambda a: float((a.max(axis=0) <= 0).mean()), lambda a: 1 - np.any(a > 0, axis=0).mean()],
    ),
    "1-4-d": Case(
        solution=softmax,
        stub=softmax_stub,
        wrong=[
            (lambda z: np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True), "`np.exp(1000)` déborde"),
            (softmax_one_maximum, "Un maximum par ligne"),
            (softmax_columns, "les classes sont sur le dernier axe"),
            (lambda z: np.exp(z - z.max()) / np.exp(z - z.max()).sum(), "chaque ligne doit faire 1"),
            (lambda z: np.exp(z) / np.exp(z).sum(), "chaque ligne doit faire 1"),
            (lambda z: np.exp(z - z.max(axis=-1, keepdims=True)), "la division par la somme"),
            (lambda z: np.exp(z - z.max(-1)) / np.exp(z - z.max(-1)).sum(-1), "softmax"),
            (softmax_in_place, "modifi"),
        ],
        also_right=[softmax_by_log],
    ),
    "1-4-e": Case(
        solution=cross_entropy,
        stub=cross_entropy_stub,
        wrong=[
            (lambda z, t: len(z) * cross_entropy(z, t), "C'est la somme sur le lot"),
            (lambda z, t: -cross_entropy(z, t), "le signe moins"),
            (cross_entropy_one_hot_mean, "le nombre de classes"),
            (cross_entropy_all_labels, "les étiquettes de tout le monde"),
            (cross_entropy_all_labels_by_column, "les étiquettes de tout le monde"),
            (cross_entropy_of_probabilities, "arrondie à 0 avant le logarithme"),
            (cross_entropy_unstable, "`np.exp(1000)` déborde"),
            (lambda z, t: -np.log(softmax(z)[np.arange(len(z)), t] + 1e-12).mean(), "plafonne le coût"),
            (lambda z, t: -np.log(np.clip(softmax(z), 1e-7, 1))[np.arange(len(z)), t].mean(), "plafonne le coût"),
            (lambda z, t: cross_entropy(z, t) / np.log(2), "base 2"),
        ],
        also_right=[cross_entropy_by_logaddexp],
    ),
}
