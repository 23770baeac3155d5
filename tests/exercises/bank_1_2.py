"""Answers on which the checks of lesson 1-2 are tested."""

from __future__ import annotations

import warnings

import numpy as np

from course_utils.exercises.testing import Answers, Case

PHOTO, BATCH = (3000, 4000, 3), (32, 224, 224, 3)
BYTES, BATCH_BYTES = 36_000_000, 19_267_584
WEIGHTS = np.array([0.299, 0.587, 0.114])


def to_grey(image):
    if image.dtype == np.uint8:
        image = image / 255
    return (image @ WEIGHTS).astype(np.float32)


def to_grey_stub(image): ...


def to_grey_by_channel(image):
    red, green, blue = np.moveaxis(image.astype(np.float32), -1, 0)
    grey = np.float32(0.299) * red + np.float32(0.587) * green + np.float32(0.114) * blue
    return grey / np.float32(255) if image.dtype == np.uint8 else grey


def to_grey_by_mean(image):
    return (image / (255 if image.dtype == np.uint8 else 1)).mean(-1).astype(np.float32)


def to_grey_in_bytes(image):
    return (image @ WEIGHTS).astype(image.dtype)


def to_grey_by_maximum(image):
    return (image @ WEIGHTS / (255 if image.max() > 1 else 1)).astype(np.float32)


def to_grey_in_place(image):
    image *= 1 if image.dtype != np.uint8 else 0
    return to_grey(image)


def otsu(counts):
    levels = np.arange(len(counts))
    best, best_score = 0, -1.0
    for t in range(len(counts)):
        n0, n1 = counts[: t + 1].sum(), counts[t + 1 :].sum()
        if n0 == 0 or n1 == 0:
            continue
        m0 = (counts * levels)[: t + 1].sum() / n0
        m1 = (counts * levels)[t + 1 :].sum() / n1
        score = float(n0) * float(n1) * (m0 - m1) ** 2
        if score > best_score:
            best, best_score = t, score
    return best


def otsu_stub(counts): ...


def otsu_by_cumulative_sums(counts):
    p = counts / counts.sum()
    w, m = np.cumsum(p), np.cumsum(p * np.arange(len(p)))
    inside = (w > 1e-12) & (w < 1 - 1e-12)
    between = np.zeros(len(p))
    between[inside] = (m[-1] * w[inside] - m[inside]) ** 2 / (w[inside] * (1 - w[inside]))
    return np.argmax(between)


def otsu_scores(counts):
    levels = np.arange(len(counts))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        n0 = np.cumsum(counts)
        n1 = n0[-1] - n0
        m0 = np.cumsum(counts * levels) / n0
        m1 = ((counts * levels).sum() - np.cumsum(counts * levels)) / n1
        return n0.astype(float) * n1, m0 - m1


def otsu_with_empty_groups(counts):
    weights, gaps = otsu_scores(counts)
    return np.argmax(weights * gaps**2)


def otsu_without_counts(counts):
    _, gaps = otsu_scores(counts)
    return np.nanargmax(gaps**2)


def otsu_variance(counts):
    weights, gaps = otsu_scores(counts)
    return np.nanmax(weights * gaps**2) / counts.sum()


def otsu_on_pixels(counts):
    from skimage.filters import threshold_otsu

    return threshold_otsu(counts)


def sigmoid(s):
    return 1 / (1 + np.exp(-s))


def slope_contrast(x, target, gain, contrast):
    u = gain * x
    z = sigmoid(contrast * (u - 0.5))
    return np.sum(2 * (z - target) / z.size * z * (1 - z) * (u - 0.5))


def slope_stub(x, target, gain, contrast): ...


def slope_measured(x, target, gain, contrast, h=1e-4):
    def cost(c):
        return np.mean((sigmoid(c * (gain * x - 0.5)) - target) ** 2)

    return (cost(contrast + h) - cost(contrast - h)) / (2 * h)


def slope_gain(x, target, gain, contrast):
    z = sigmoid(contrast * (gain * x - 0.5))
    return np.mean(2 * (z - target) * z * (1 - z) * contrast * x)


def slope_per_pixel(x, target, gain, contrast):
    z = sigmoid(contrast * (gain * x - 0.5))
    return 2 * (z - target) / z.size * z * (1 - z) * (gain * x - 0.5)


CASES = {
    "1-2-a": Case(
        solution=Answers(PHOTO, BYTES, BATCH, BATCH_BYTES),
        stub=Answers(..., ..., ..., ...),
        wrong=[
            (Answers((4000, 3000, 3), BYTES, BATCH, BATCH_BYTES), "compte les lignes d'abord"),
            (Answers((3, 3000, 4000), BYTES, BATCH, BATCH_BYTES), "canaux d'abord"),
            (Answers(PHOTO, 12_000_000, BATCH, BATCH_BYTES), "nombre de pixels"),
            (Answers(PHOTO, 8 * BYTES, BATCH, BATCH_BYTES), "nombre de bits"),
            (Answers(PHOTO, BYTES, (224, 224, 3), BATCH_BYTES), "le lot en compte 32"),
            (Answers(PHOTO, BYTES, BATCH, BATCH_BYTES // 4), "un float32 occupe 4 octets"),
            (Answers(PHOTO, BYTES, BATCH, 2 * BATCH_BYTES), "float64"),
        ],
        also_right=[Answers(list(PHOTO), float(BYTES), np.array(BATCH), np.zeros(BATCH, np.float32).nbytes)],
    ),
    "1-2-b": Case(
        solution=to_grey,
        stub=to_grey_stub,
        wrong=[
            (lambda image: to_grey_by_channel(image[..., ::-1]), "bleu, vert, rouge"),
            (to_grey_by_mean, "moyenne des trois"),
            (lambda image: (image @ WEIGHTS / 255).astype(np.float32), "déjà entre 0 et 1"),
            (lambda image: (image @ WEIGHTS).astype(np.float32), "va de 0 à 255"),
            (to_grey_by_maximum, "d'après le maximum"),
            (to_grey_in_bytes, "gardé le type et l'échelle"),
            (lambda image: to_grey(image)[..., None], "un axe de longueur 1 de trop"),
            (lambda image: to_grey(image).astype(np.float64), "float32"),
            (to_grey_in_place, "sur place"),
        ],
        also_right=[to_grey_by_channel],
    ),
    "1-2-c": Case(
        solution=otsu,
        stub=otsu_stub,
        wrong=[
            (otsu_with_empty_groups, "un groupe est vide"),
            (otsu_without_counts, "groupes minuscules"),
            (otsu_variance, "la variance elle-même"),
            (lambda counts: otsu(counts) + 1, "Un cran trop haut"),
            (lambda counts: np.argmax(counts), "le gris le plus fréquent"),
            (lambda counts: (counts * np.arange(256)).sum() / counts.sum(), "le gris moyen"),
            (lambda counts, levels: 0, "ne peut être appelée avec 1 argument"),
        ],
        also_right=[otsu_by_cumulative_sums],
    ),
    "1-2-d": Case(
        solution=slope_contrast,
        stub=slope_stub,
        wrong=[
            (slope_gain, "par rapport au gain"),
            (slope_per_pixel, "la part de chaque pixel"),
            (lambda *args: slope_contrast(*args) / 2, "le facteur 2"),
            (lambda *args: -slope_contrast(*args), "Le signe est inversé"),
            (lambda *args: slope_contrast(*args) * args[0].size, "divisez par leur nombre"),
            (lambda *args: slope_contrast(*args) / args[0].size, "divisé deux fois"),
            (lambda *args: slope_contrast(*args) * args[3], "un facteur `contrast` de trop"),
        ],
        also_right=[slope_measured],
    ),
}
