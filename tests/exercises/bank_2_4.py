from __future__ import annotations

import math

import numpy as np

from course_utils.exercises.testing import Answers, Case


def multiply_adds(side, kernel, channels_in, channels_out, stride=1):
    places = -(-side // stride)
    return places * places * kernel**2 * channels_in * channels_out


def multiply_adds_stub(side, kernel, channels_in, channels_out, stride=1): ...


def pairs(images, labels):
    import tensorflow as tf

    return tf.data.Dataset.from_tensor_slices((images, labels))


def prepare(images, labels):
    import tensorflow as tf

    return tf.cast(images, tf.float32) / 255, labels


def pipeline(images, labels, batch_size):
    return pairs(images, labels).shuffle(len(images)).batch(batch_size).map(prepare).prefetch(2)


def pipeline_stub(images, labels, batch_size): ...


def scrambled(images, labels, batch_size):
    return pipeline(images, np.random.default_rng(0).permutation(labels), batch_size)


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
        solution=pipeline,
        stub=pipeline_stub,
        wrong=[
            (lambda x, y, n: [(x, y)], "on attend un `tf.data.Dataset`"),
            (lambda x, y, n: pairs(x, y).shuffle(12).map(prepare), "il manque `batch"),
            (lambda x, y, n: pairs(x, y).shuffle(12).batch(n, drop_remainder=True).map(prepare), "drop_remainder"),
            (lambda x, y, n: pairs(x, y).shuffle(12).batch(n), "`tf.cast`"),
            (lambda x, y, n: pipeline(x, y, n).map(lambda a, b: (255 * a, b)), "divisez par 255"),
            (lambda x, y, n: pipeline(x, y, n).map(lambda a, b: (a / 255, b)), "une seule division"),
            (scrambled, "ne vont plus ensemble"),
            (lambda x, y, n: pairs(x, y).batch(n).map(prepare), "il manque `shuffle`"),
            (lambda x, y, n: pairs(x, y).batch(n).shuffle(12, seed=1).map(prepare), "`shuffle` vient avant `batch`"),
            (lambda x, y, n: pipeline(x, y, n).cache(), "le même ordre"),
            (lambda x, y, n: pipeline(x, y, n).repeat(), "ne se termine pas"),
        ],
        also_right=[lambda x, y, n: pairs(x, y).map(prepare).shuffle(100).batch(n)],
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
