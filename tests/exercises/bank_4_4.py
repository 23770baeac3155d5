from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Case


def classes_from_size(size):
    classes, rest = divmod(size - 24_251_276, 4 * 3 * (513 + 257))
    classes += 80
    return classes if rest == 0 and classes >= 1 else None


def from_scratch(size):
    """From the header up, without the official length of a class."""
    fixed = (24_251_276 - 20) // 4 - 3 * 85 * (513 + 257)
    for classes in range(1, 1000):
        if 20 + 4 * (fixed + 3 * (5 + classes) * 770) == size:
            return classes
    return None


def counting(per_class, shift=0):
    def answer(size):
        classes, rest = divmod(size - 24_251_276, per_class)
        return classes + 80 + shift if rest == 0 and classes + 80 >= 1 else None

    return answer


def floor(per_class):
    return lambda size: (size - 24_251_276) // per_class + 80


def read_convolution(values, filters, channels, size):
    beta, gamma, mean, variance = values[: 4 * filters].reshape(4, filters)
    end = 4 * filters + filters * channels * size * size
    kernel = values[4 * filters : end].reshape(filters, channels, size, size).transpose(2, 3, 1, 0)
    return kernel, gamma, beta, mean, variance, values[end:]


def reading(kernel=None, swap=False, rest=None):
    def answer(values, filters, channels, size):
        k, gamma, beta, mean, variance, after = read_convolution(values, filters, channels, size)
        block = values[4 * filters : 4 * filters + k.size]
        k = kernel(block, filters, channels, size) if kernel else k
        gamma, beta = (beta, gamma) if swap else (gamma, beta)
        return k, gamma, beta, mean, variance, rest(values, filters) if rest else after

    return answer


def kernel_first(values, filters, channels, size):
    n = filters * channels * size * size
    kernel = values[:n].reshape(filters, channels, size, size).transpose(2, 3, 1, 0)
    vectors = values[n : n + 4 * filters].reshape(4, filters)
    return kernel, vectors[1], vectors[0], vectors[2], vectors[3], values[n + 4 * filters :]


def to_image(boxes, image_size, input_size):
    (height, width), (rows, columns) = image_size, input_size
    factor = min(rows / height, columns / width)
    corner = np.array([columns - factor * width, rows - factor * height] * 2) / 2
    return np.clip((boxes - corner) / factor, 0, [width, height] * 2)


def no_bands(boxes, image_size, input_size):
    height, width = image_size
    return np.clip(boxes / min(input_size[0] / height, input_size[1] / width), 0, [width, height] * 2)


def no_clip(boxes, image_size, input_size):
    (height, width), (rows, columns) = image_size, input_size
    factor = min(rows / height, columns / width)
    return (boxes - np.array([columns - factor * width, rows - factor * height] * 2) / 2) / factor


def bands_last(boxes, image_size, input_size):
    (height, width), (rows, columns) = image_size, input_size
    factor = min(rows / height, columns / width)
    return np.clip(
        boxes / factor - np.array([columns - factor * width, rows - factor * height] * 2) / 2, 0, [width, height] * 2
    )


def stretched(boxes, image_size, input_size):
    (height, width), (rows, columns) = image_size, input_size
    return np.clip(boxes * np.array([width / columns, height / rows] * 2), 0, [width, height] * 2)


def fold(kernel, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    return kernel * scale, beta - mean * scale


def fold_by_filter(kernel, gamma, beta, mean, variance, epsilon):
    """Filter by filter, on a copy of the kernel."""
    kernel, bias = kernel.copy(), []
    for f, (g, b, m, v) in enumerate(zip(gamma, beta, mean, variance, strict=True)):
        kernel[..., f] *= g * (v + epsilon) ** -0.5
        bias.append(b - g * m / (v + epsilon) ** 0.5)
    return [kernel, bias]


def folding(scale=None, kernel=None, bias=None):
    def answer(k, gamma, beta, mean, variance, epsilon):
        s = (scale or (lambda g, v, e: g / np.sqrt(v + e)))(gamma, variance, epsilon)
        new = kernel(k, s) if kernel else k * s
        return new, bias(beta, mean, s) if bias else beta - mean * s

    return answer


def fold_in_place(kernel, gamma, beta, mean, variance, epsilon):
    scale = gamma / np.sqrt(variance + epsilon)
    kernel *= scale
    return kernel, beta - mean * scale


CASES = {
    "4-4-a": Case(
        solution=classes_from_size,
        stub=lambda size: None,
        wrong=[
            (counting(4 * 3 * 768), "combien d'octets coûte une classe"),
            (floor(4 * 3 * 768), "Il manque les biais"),
            (counting(3 * 770), "`size` est en octets"),
            (floor(4 * 3 * 513), "sur 256 canaux"),
            (counting(4 * 770), "trois filtres de plus"),
            (counting(9240, shift=5), "ôtez les cinq premiers"),
            (floor(9240), "le reste de la division"),
            (lambda size: 80, "classes_from_size"),
        ],
        also_right=[from_scratch],
    ),
    "4-4-b": Case(
        solution=read_convolution,
        stub=lambda values, filters, channels, size: None,
        wrong=[
            (reading(lambda b, f, c, s: b.reshape(s, s, c, f)), "`reshape` seul"),
            (reading(lambda b, f, c, s: b.reshape(f, c, s, s)), "ordre du fichier"),
            (
                reading(lambda b, f, c, s: b.reshape(f, c, s, s).transpose(3, 2, 1, 0)),
                "Lignes et colonnes sont échangées",
            ),
            (reading(lambda b, f, c, s: b.reshape(c, f, s, s).transpose(2, 3, 0, 1)), "les filtres viennent avant"),
            (reading(swap=True), "`gamma` contient `beta`"),
            (reading(rest=lambda values, filters: values[4 * filters :]), "`rest` commence après le noyau"),
            (kernel_first, "gamma"),
            (lambda values, filters, channels, size: values, "six tableaux"),
        ],
    ),
    "4-4-c": Case(
        solution=to_image,
        stub=lambda boxes, image_size, input_size: None,
        wrong=[
            (no_bands, "bandes grises"),
            (no_clip, "coupez-la"),
            (bands_last, "avant de diviser"),
            (stretched, "image étirée"),
            (lambda b, i, n: to_image(b, i[::-1], n), "(hauteur, largeur)"),
        ],
    ),
    "4-4-d": Case(
        solution=fold,
        stub=lambda kernel, gamma, beta, mean, variance, epsilon: None,
        wrong=[
            (folding(scale=lambda g, v, e: g / (v + e)), "Il manque la racine"),
            (folding(scale=lambda g, v, e: g / np.sqrt(v)), "Où est `epsilon`"),
            (folding(scale=lambda g, v, e: g / (np.sqrt(v) + e)), "non à l'écart type"),
            (folding(scale=lambda g, v, e: g / np.sqrt(v + 1e-5)), "toujours 1e-5"),
            (folding(scale=lambda g, v, e: g / np.sqrt(v + 1e-3)), "toujours 1e-3"),
            (folding(scale=lambda g, v, e: g), "diviser par l'écart type"),
            (folding(bias=lambda b, m, s: b - m), "La moyenne est multipliée, elle aussi"),
            (folding(bias=lambda b, m, s: b), "se retrouver dans le biais"),
            (folding(bias=lambda b, m, s: b + m * s), "regardez le signe"),
            (folding(bias=lambda b, m, s: (b - m) * s), "n'est pas multiplié par elle"),
            (folding(bias=lambda b, m, s: -m * s), "Et β"),
            (folding(kernel=lambda k, s: k), "le noyau n'a pas changé"),
            (folding(kernel=lambda k, s: k * s[:, None]), "les canaux d'entrée"),
            (folding(kernel=lambda k, s: k * s[:, None, None, None]), "Vous multipliez les lignes"),
            (folding(kernel=lambda k, s: (k * s).transpose(3, 2, 0, 1)), "rendez-le dans celui de Keras"),
            (fold_in_place, "modifie son argument `kernel`"),
            (lambda *a: fold(*a)[::-1], "le biais d'abord"),
            (lambda *a: fold(*a)[0], "deux tableaux"),
            (lambda kernel, gamma, beta: kernel, "ne peut être appelée avec 6 arguments"),
        ],
        also_right=[fold_by_filter],
    ),
}
