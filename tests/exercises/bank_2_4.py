from __future__ import annotations

import math

import numpy as np

from course_utils.exercises.testing import Answers, Case


def multiply_adds(side, kernel, channels_in, channels_out, stride=1):
    places = -(-side // stride)
    return places * places * kernel**2 * channels_in * channels_out


def multiply_adds_stub(side, kernel, channels_in, channels_out, stride=1): ...


def warmup_cosine(t, steps, peak, warmup):
    if t < warmup:
        return peak * t / warmup
    return peak / 2 * (1 + np.cos(np.pi * (t - warmup) / (steps - warmup)))


def warmup_cosine_stub(t, steps, peak, warmup): ...


def late(t, steps, peak, warmup):
    return peak * t / warmup if t < warmup else peak / 2 * (1 + math.cos(math.pi * t / steps))


def straight(t, steps, peak, warmup):
    return peak * t / warmup if t < warmup else peak * (1 - (t - warmup) / (steps - warmup))


def mixup(images, labels, lam, order):
    w = lam[:, None, None, None]
    v = lam[:, None]
    return w * images + (1 - w) * images[order], v * labels + (1 - v) * labels[order]


def mixup_stub(images, labels, lam, order): ...


def images_only(images, labels, lam, order):
    return mixup(images, labels, lam, order)[0], labels


def swapped(images, labels, lam, order):
    return mixup(images, labels, 1 - lam, order)


def too_much(images, labels, lam, order):
    return lam[:, None, None, None] * images + images[order], lam[:, None] * labels + labels[order]


def in_place(images, labels, lam, order):
    images *= lam[:, None, None, None]
    return images, labels


EXAM = np.zeros((100, 2, 2, 3), np.float32)
LABELS = np.arange(100) % 10


class Model:
    """Right on the first images, wrong on the others."""

    def __init__(self, right, classes=10):
        self.right, self.classes = right, classes

    def predict(self, images, **options):
        answers = np.where(np.arange(len(images)) < self.right, LABELS, (LABELS + 1) % 10)
        return np.eye(self.classes)[answers % self.classes]


def exam(model):
    return Answers(model, images=EXAM, labels=LABELS)


CASES = {
    "2-4-a": Case(
        solution=multiply_adds,
        stub=multiply_adds_stub,
        wrong=[
            (lambda n, k, a, b, s: n * n * k * k * a * b, "moins de places"),
            (lambda n, k, a, b, s: math.ceil(n / s) ** 2 * k * a * b, "poids par canal"),
            (lambda n, k, a, b, s: (n // s) ** 2 * k * k * a * b, "s'arrondit vers le haut"),
            (lambda n, k, a, b, s: k * k * a * b, "nombre de poids"),
            (lambda n, k, a, b, s: ((n - k) // s + 1) ** 2 * k * k * a * b, "sans marge"),
        ],
    ),
    "2-4-b": Case(
        solution=warmup_cosine,
        stub=warmup_cosine_stub,
        wrong=[
            (late, "La descente part de la fin de la montée"),
            (straight, "ligne droite"),
            (lambda t, n, p, w: p * t / w if t < w else p, "ne redescend pas"),
            (lambda t, n, p, w: p / 2 * (1 + math.cos(math.pi * (t - w) / (n - w))), "La montée manque"),
        ],
        also_right=[lambda t, n, p, w: p * t / w if t < w else p * math.cos(math.pi / 2 * (t - w) / (n - w)) ** 2],
    ),
    "2-4-c": Case(
        solution=Answers("b", "a", "b", "a"),
        stub=Answers(..., ..., ..., ...),
        wrong=[
            (Answers("a", "a", "b", "a"), "se lit pareil"),
            (Answers("b", "b", "b", "a"), "à l'ombre"),
            (Answers("b", "a", "a", "a"), "un feu rouge reste rouge"),
            (Answers("b", "a", "b", "b"), "garde son diamètre"),
        ],
    ),
    "2-4-d": Case(
        solution=mixup,
        stub=mixup_stub,
        wrong=[
            (images_only, "Les étiquettes se mêlent aussi"),
            (swapped, "à sa partenaire"),
            (too_much, "doivent faire 1"),
            (in_place, "modifie"),
        ],
    ),
    "2-4-e": Case(
        solution=exam(Model(75)),
        stub=exam(...),
        wrong=[
            (exam(Model(68)), "il en faut 72"),
            (exam(Model(8)), "à peu près le hasard"),
            (exam((Model(80), 0.9)), "renvoie deux objets"),
            (exam(0.8), "méthode `predict`"),
            (exam(Model(90, classes=5)), "dix scores par image"),
        ],
    ),
}
