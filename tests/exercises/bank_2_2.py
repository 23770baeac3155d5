"""Right and wrong answers to the exercises of lesson 2-2."""

from __future__ import annotations

import functools

import numpy as np

from course_utils import data, scratch
from course_utils.exercises.testing import Answers, Case

SUMMARIES = {"max": np.max, "mean": np.mean, "sum": np.sum}


def pool(x, size, how):
    n, height, width, channels = x.shape
    rows, cols = height // size, width // size
    blocks = x[:, : rows * size, : cols * size].reshape(n, rows, size, cols, size, channels)
    return SUMMARIES[how](blocks, axis=(2, 4))


def pool_stub(x, size, how): ...


def pool_scrambled(x, size, how):
    n, height, width, channels = x.shape
    rows, cols = height // size, width // size
    blocks = x[:, : rows * size, : cols * size].reshape(n, rows, cols, size, size, channels)
    return SUMMARIES[how](blocks, axis=(3, 4))


def pool_overlapping(x, size, how):
    return SUMMARIES[how](np.lib.stride_tricks.sliding_window_view(x, (size, size), axis=(1, 2)), axis=(4, 5))


def pool_without_cutting(x, size, how):
    n, height, width, channels = x.shape
    blocks = x.reshape(n, height // size, size, width // size, size, channels)
    return SUMMARIES[how](blocks, axis=(2, 4))


def pool_always_max(x, size, how):
    return pool(x, size, "max")


def max_pool_backward(x, dY):
    n, rows, cols, channels = dY.shape
    blocks = x.reshape(n, rows, 2, cols, 2, channels).transpose(0, 1, 3, 5, 2, 4).reshape(n, rows, cols, channels, 4)
    winner = blocks.argmax(axis=-1)[..., None] == np.arange(4)
    grads = (dY[..., None] * winner).reshape(n, rows, cols, channels, 2, 2)
    return grads.transpose(0, 1, 4, 2, 5, 3).reshape(x.shape)


def backward_stub(x, dY): ...


def everywhere(x, dY):
    return dY.repeat(2, axis=1).repeat(2, axis=2)


def all_winners(x, dY):
    return everywhere(x, dY) * (x == everywhere(x, pool(x, 2, "max")))


def conv1d_backward(x, w, dy):
    return np.convolve(dy, w), np.correlate(x, dy, "valid")


def conv1d_stub(x, w, dy): ...


def conv1d_flipped(x, w, dy):
    return np.convolve(dy, w[::-1]), np.correlate(x, dy, "valid")


def conv1d_overwritten(x, w, dy):
    dx = np.zeros(len(x))
    for o in range(len(dy)):
        dx[o : o + len(w)] = dy[o] * w
    return dx, np.correlate(x, dy, "valid")


def conv1d_swapped(x, w, dy):
    return conv1d_backward(x, w, dy)[::-1]


def layers(filters, norm=True):
    norms = [scratch.BatchNormalization()] if norm else []
    return [
        scratch.Conv2D(filters, 3, padding="same", activation="relu"),
        *norms,
        scratch.MaxPooling2D(),
        scratch.Conv2D(18, 3, activation="relu"),
        *([scratch.BatchNormalization()] if norm else []),
        scratch.Flatten(),
        scratch.Dense(10),
    ]


@functools.cache
def trained(filters, epochs):
    digits = data.load("digits", split="train")
    net = scratch.Sequential(layers(filters), seed=1)
    net.compile(scratch.Adam(0.003), "softmax_crossentropy", metrics=("accuracy",))
    net.fit(digits.images, digits.labels, epochs=epochs, batch_size=32)
    return net


def built(stack):
    net = scratch.Sequential(stack, seed=0)
    net.build((None, 8, 8, 1))
    return net


CASES = {
    "2-2-a": Case(
        solution=pool,
        stub=pool_stub,
        wrong=[
            (pool_scrambled, "ne se touchent pas"),
            (pool_overlapping, "se chevauchent"),
            (pool_always_max, "`how` compte"),
            (pool_without_cutting, "reshape"),
            (lambda x, size: x, "ne peut être appelée avec 3 arguments"),
        ],
    ),
    "2-2-b": Case(
        solution=max_pool_backward,
        stub=backward_stub,
        wrong=[
            (everywhere, "le retour de la somme"),
            (lambda x, dY: everywhere(x, dY) / 4, "le retour de la moyenne"),
            (all_winners, "n'en gardez qu'un"),
        ],
    ),
    "2-2-c": Case(
        solution=conv1d_backward,
        stub=conv1d_stub,
        wrong=[
            (conv1d_swapped, "échangés"),
            (conv1d_flipped, "à l'envers"),
            (conv1d_overwritten, "`+=`"),
        ],
    ),
    "2-2-d": Case(
        solution=Answers(1168, 4010, 115_200, 115_200),
        stub=Answers(..., ..., ..., ...),
        wrong=[
            (Answers(1152, 4010, 115_200, 115_200), "un par filtre"),
            (Answers(160, 4010, 115_200, 115_200), "les 8 cartes"),
            (Answers(1168, 170, 115_200, 115_200), "5 × 5 × 16"),
            (Answers(1168, 4010, 156_800, 115_200), "pas de marge"),
            (Answers(1168, 4010, 115_200, 14_400), "les 8 cartes"),
        ],
    ),
    "2-2-e": Case(
        solution=trained(12, 30),
        wrong=[
            (built([scratch.Flatten(), scratch.Dense(10)]), "pas de convolution"),
            (built(layers(40)), "le budget est de 3000"),
            (built(layers(12)), "assez entraîné"),
            (built([scratch.Conv2D(4, 3), scratch.Flatten(), scratch.Dense(3)]), "dix sorties"),
            (0.98, "un réseau `scratch.Sequential`"),
        ],
    ),
}
