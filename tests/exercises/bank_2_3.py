"""Answers to the exercises of notebook 2-3. The networks are plain objects with the attributes of Keras' own."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from course_utils.exercises.testing import Answers, Case


def _named(kind, **attributes):
    return type(kind, (), attributes)()


def _layer(kind, activation="linear"):
    return _named(kind, activation=SimpleNamespace(__name__=activation))


def _conv(activation="relu"):
    return _layer("Conv2D", activation)


def _network(layers, parameters=4_500, entry=(None, 28, 28, 1), leaving=(None, 10), kind="Functional", loss=None):
    return _named(
        kind,
        layers=layers,
        count_params=lambda self: parameters,
        input_shape=entry,
        output_shape=leaving,
        loss=loss,
    )


def _small(*, convolutions=("relu", "relu"), last="linear", **options):
    layers = [_named("InputLayer"), *map(_conv, convolutions), _named("Flatten"), _layer("Dense", last)]

    def small_cnn():
        return _network(layers, **options)

    return small_cnn


def _loss(kind="SparseCategoricalCrossentropy", from_logits=True):
    return _named(kind, from_logits=from_logits)


def _mended(*, convolutions=("relu", "relu"), last="linear", loss=None, **options):
    layers = [*map(_conv, convolutions), _named("Flatten"), _layer("Dense", last)]

    def repaired():
        return _network(layers, kind="Sequential", loss=_loss() if loss is None else loss, **options)

    return repaired


def _not_compiled():
    return _network([_conv(), _conv(), _named("Flatten"), _layer("Dense")], kind="Sequential")


def empty(): ...


def _costs(logits, labels):
    z = logits - logits.max(1, keepdims=True)
    return np.log(np.exp(z).sum(1)) - z[np.arange(len(z)), labels]


def worst(logits, labels, k):
    return np.argsort(_costs(logits, labels))[::-1][:k]


def worst_stub(logits, labels, k): ...


def worst_unstable(logits, labels, k):
    p = np.exp(logits)
    p = p / p.sum(1, keepdims=True)
    return np.argsort(-np.log(p[np.arange(len(p)), labels]))[::-1][:k]


def shift(images, dx):
    width = images.shape[2]
    out = np.zeros_like(images)
    if dx >= 0:
        out[:, :, dx:] = images[:, :, : width - dx]
    else:
        out[:, :, :dx] = images[:, :, -dx:]
    return out


def shift_padded(images, dx):
    far = abs(dx)
    padded = np.pad(images, ((0, 0), (0, 0), (far, far), (0, 0)))
    return padded[:, :, far - dx : far - dx + images.shape[2]]


def shift_stub(images, dx): ...


def shift_right_only(images, dx):
    return shift(images, max(dx, 0))


def shift_no_zero(images, dx):
    return shift(images, dx) if dx else np.zeros_like(images)


def shift_in_place(images, dx):
    images[:] = shift(images, dx)
    return images


CASES = {
    "2-3-a": Case(
        solution=Answers(80, 1168, 25_120, 330),
        stub=Answers(..., ..., ..., ...),
        wrong=[
            (Answers(72, 1168, 25_120, 330), "huit filtres"),
            (Answers(80, 160, 25_120, 330), "tous les canaux d'entrée"),
            (Answers(80, 1280, 25_120, 330), "un seul biais"),
            (Answers(80, 1168, 100_384, 330), "deux poolings"),
            (Answers(80, 1168, 1600, 330), "seize canaux"),
            (Answers(80, 1168, 25_120, 7850), "pas l'image"),
        ],
    ),
    "2-3-b": Case(
        solution=_small(),
        stub=empty,
        also_right=[_small(parameters=5_000)],
        wrong=[
            (_small(parameters=20_746), "20746 paramètres"),
            (_small(entry=(None, 28, 28)), "il manque l'axe des canaux"),
            (_small(convolutions=("relu",)), "votre réseau en a 1"),
            (_small(convolutions=("linear", "relu")), "n'a pas d'activation"),
            (_small(last="softmax"), "gardez les logits"),
            (_small(last="relu"), "laissez-la linéaire"),
            (_small(leaving=(None, 7, 7, 10)), "pooling global"),
            (_small(kind="Sequential"), "l'API fonctionnelle"),
            (lambda: 4_500, "ne renvoie pas un modèle Keras"),
        ],
    ),
    "2-3-c": Case(
        solution=_mended(),
        stub=empty,
        also_right=[
            _mended(last="softmax", loss=_loss(from_logits=False)),
            _mended(last="softmax", loss="sparse_categorical_crossentropy"),
        ],
        wrong=[
            (_mended(entry=(None, 28, 28)), "il manque l'axe des canaux"),
            (_mended(convolutions=("linear", "linear")), "n'a pas d'activation"),
            (_mended(last="softmax"), "en demande un second"),
            (_mended(loss=_loss("CategoricalCrossentropy")), "des vecteurs de zéros"),
            (_mended(loss="sparse_categorical_crossentropy"), "il manque `from_logits=True`"),
            (_mended(loss="mse"), "SparseCategoricalCrossentropy"),
            (_not_compiled, "n'est pas compilé"),
        ],
    ),
    "2-3-d": Case(
        solution=worst,
        stub=worst_stub,
        wrong=[
            (lambda logits, labels, k: np.argsort(_costs(logits, labels))[:k], "retournez le tri"),
            (lambda logits, labels, k: np.argsort(_costs(logits, labels))[-k:], "on l'attend en tête"),
            (lambda logits, labels, k: np.argsort(-logits.max(1), kind="stable")[:k], "sans regarder l'étiquette"),
            (worst_unstable, "soustrayez d'abord le maximum"),
            (lambda logits, labels, k: np.sort(_costs(logits, labels))[::-1][:k], "les indices des images"),
        ],
    ),
    "2-3-e": Case(
        solution=shift,
        stub=shift_stub,
        also_right=[shift_padded],
        wrong=[
            (lambda images, dx: np.roll(images, dx, axis=2), "revient de l'autre"),
            (lambda images, dx: shift(images, -dx), "Le sens est inversé"),
            (lambda images, dx: shift(images.swapaxes(1, 2), dx).swapaxes(1, 2), "Vous décalez les lignes"),
            (shift_right_only, "traitez les deux signes"),
            (shift_no_zero, "devient noire"),
            (shift_in_place, "modifie son argument"),
        ],
    ),
}
