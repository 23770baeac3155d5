"""Answers on which the checks of lesson 1-7 are tested."""

from __future__ import annotations

import warnings

import numpy as np

from course_utils.exercises.testing import Answers, Case


def encode(degrees):
    radians = np.deg2rad(degrees)
    return np.stack([np.cos(radians), np.sin(radians)], axis=1)


def decode(points):
    return np.rad2deg(np.arctan2(points[:, 1], points[:, 0])) % 360


def encode_stub(degrees): ...


def decode_stub(points): ...


def encode_without_radians(degrees):
    return np.stack([np.cos(degrees), np.sin(degrees)], axis=1)


def encode_in_lines(degrees):
    return np.array([np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))])


def encode_complex(degrees):
    z = np.exp(2j * np.pi * degrees / 360)
    return np.column_stack([z.real, z.imag])


def decode_by_cases(points):
    degrees = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
    return np.where(degrees < 0, degrees + 360, degrees)


def decode_by_arctan(points):
    return np.rad2deg(np.arctan(points[:, 1] / points[:, 0])) % 360


def decode_by_arccos(points):
    return np.rad2deg(np.arccos(np.clip(points[:, 0], -1, 1)))


def f1_score(Y, P, threshold=0.5):
    found, true = threshold <= P, Y == 1
    tp, fp, fn = np.sum(found & true), np.sum(found & ~true), np.sum(~found & true)
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0


def f1_stub(Y, P, threshold=0.5): ...


def f1_by_ratio(Y, P, threshold=0.5):
    found = (threshold <= P).astype(float)
    if found.sum() + Y.sum() == 0:
        return 0.0
    return 2 * (found * Y).sum() / (found.sum() + Y.sum())


def f1_by_column(Y, P, threshold=0.5):
    return np.mean([f1_score(Y[:, k], P[:, k], threshold) for k in range(Y.shape[1])])


def f1_with_nan(Y, P, threshold=0.5):
    found = (threshold <= P).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return 2 * (found * Y).sum() / (found.sum() + Y.sum())


def f1_strict(Y, P, threshold=0.5):
    found, true = threshold < P, Y == 1
    tp, fp, fn = np.sum(found & true), np.sum(found & ~true), np.sum(~found & true)
    return 2 * tp / (2 * tp + fp + fn) if tp + fp + fn else 0.0


def accuracy(Y, P, threshold=0.5):
    return np.mean((threshold <= P) == (Y == 1)) if np.any(Y) else 0.0


def precision(Y, P, threshold=0.5):
    found = threshold <= P
    return np.sum(found & (Y == 1)) / max(found.sum(), 1)


HEADS = {
    "age": (1, "linear", "huber"),
    "fracture": (1, "sigmoid", "binary_crossentropy"),
    "light": (4, "softmax", "categorical_crossentropy"),
    "street": (10, "sigmoid", "binary_crossentropy"),
    "wind": (2, "linear", "mse"),
}


def log_sum_exp(a):
    m = a.max(axis=1, keepdims=True)
    return m + np.log(np.exp(a - m).sum(axis=1, keepdims=True))


def ells(t, logits, mu, log_sigma):
    log_pi = logits - log_sum_exp(logits)
    return log_pi - 0.5 * ((t[:, None] - mu) / np.exp(log_sigma)) ** 2 - log_sigma - 0.5 * np.log(2 * np.pi)


def mixture_nll(t, logits, mu, log_sigma):
    return -np.mean(log_sum_exp(ells(t, logits, mu, log_sigma)))


def mixture_stub(t, logits, mu, log_sigma): ...


def mixture_by_scipy(t, logits, mu, log_sigma):
    from scipy.special import log_softmax, logsumexp
    from scipy.stats import norm

    density = norm.logpdf(t[:, None], mu, np.exp(log_sigma))
    return -logsumexp(log_softmax(logits, axis=1) + density, axis=1).mean()


def mixture_naive(t, logits, mu, log_sigma):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return -np.mean(np.log(np.exp(ells(t, logits, mu, log_sigma)).sum(axis=1)))


def mixture_without_softmax(t, logits, mu, log_sigma):
    return -np.mean(log_sum_exp(ells(t, logits, mu, log_sigma) + log_sum_exp(logits)))


def mixture_without_log_sigma(t, logits, mu, log_sigma):
    return -np.mean(log_sum_exp(ells(t, logits, mu, log_sigma) + log_sigma))


def mixture_without_constant(t, logits, mu, log_sigma):
    return mixture_nll(t, logits, mu, log_sigma) - 0.5 * np.log(2 * np.pi)


def mixture_by_product(t, logits, mu, log_sigma):
    return -np.mean(ells(t, logits, mu, log_sigma).sum(axis=1))


CASES = {
    "1-7-a": Case(
        solution=Answers(encode, decode),
        stub=Answers(encode_stub, decode_stub),
        wrong=[
            (Answers(encode_without_radians, decode), "attend des radians"),
            (Answers(lambda d: encode(d)[:, ::-1], decode), "le cosinus d'abord"),
            (Answers(encode_in_lines, decode), "(2, 4)"),
            (Answers(encode, decode_by_arctan), "quatre quadrants"),
            (Answers(encode, decode_by_arccos), "n'utilise que le cosinus"),
            (Answers(encode, lambda p: np.rad2deg(np.arctan2(p[:, 1], p[:, 0]))), "de −180 à 180"),
            (Answers(encode, lambda p: np.rad2deg(np.arctan2(p[:, 0], p[:, 1])) % 360), "le sinus d'abord"),
            (Answers(encode, lambda p: np.arctan2(p[:, 1], p[:, 0]) % 360), "conversion des radians"),
        ],
        also_right=[Answers(encode_complex, decode_by_cases)],
    ),
    "1-7-b": Case(
        solution=f1_score,
        stub=f1_stub,
        wrong=[
            (accuracy, "l'exactitude par case"),
            (precision, "C'est la précision"),
            (f1_by_column, "chaque colonne"),
            (f1_with_nan, "rien d'annoncé : 0/0"),
            (f1_strict, "`>=`, pas `>`"),
            (lambda Y, P, threshold=0.5: f1_score(Y, P), "Le seuil reçu n'est pas utilisé"),
            (lambda Y, P: 0.0, "ne peut être appelée avec 3 arguments"),
        ],
        also_right=[f1_by_ratio],
    ),
    "1-7-c": Case(
        solution=HEADS,
        stub=dict.fromkeys(HEADS, ...),
        wrong=[
            (HEADS | {"age": (1, "linear", "mse")}, "2018 ans"),
            (HEADS | {"age": (1, "sigmoid", "huber")}, "42 ans"),
            (HEADS | {"fracture": (1, "softmax", "binary_crossentropy")}, "vaut toujours 1"),
            (HEADS | {"light": (3, "softmax", "categorical_crossentropy")}, "le feu éteint compris"),
            (HEADS | {"light": (4, "sigmoid", "binary_crossentropy")}, "qu'un état à la fois"),
            (HEADS | {"street": (10, "softmax", "categorical_crossentropy")}, "présents ensemble"),
            (HEADS | {"wind": (1, "linear", "mse")}, "un angle fait le tour"),
            (HEADS | {"wind": (2, "relu", "mse")}, "activation inconnue"),
            (HEADS | {"wind": None}, "il reste wind"),
            (HEADS | {"wind": "linear"}, "un triplet"),
        ],
        also_right=[
            HEADS | {"age": (1, "linear", "mae"), "fracture": (2, "softmax", "sparse_categorical_crossentropy")},
        ],
    ),
    "1-7-d": Case(
        solution=mixture_nll,
        stub=mixture_stub,
        wrong=[
            (mixture_naive, "retirez le plus grand"),
            (mixture_without_softmax, "pas encore le logarithme des poids"),
            (mixture_without_log_sigma, "Il manque le terme `- log_sigma`"),
            (mixture_without_constant, "la constante ½ ln 2π"),
            (mixture_by_product, "le logarithme de la somme"),
            (lambda *parts: -mixture_nll(*parts), "Le signe est inversé"),
            (lambda t, *parts: mixture_nll(t, *parts) * len(t), "on demande leur moyenne"),
        ],
        also_right=[mixture_by_scipy],
    ),
}
