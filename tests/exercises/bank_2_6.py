"""Answers on which the checks of lesson 2-6 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Case


def branch_cost(side, channels, kernel, filters, reduce=None):
    places = side * side
    if reduce is None:
        return places * kernel**2 * channels * filters
    return places * channels * reduce + places * kernel**2 * reduce * filters


def branch_cost_stub(side, channels, kernel, filters, reduce=None): ...


def free_reduction(side, channels, kernel, filters, reduce=None):
    return side**2 * kernel**2 * (reduce or channels) * filters


def still_wide(side, channels, kernel, filters, reduce=None):
    cost = side**2 * kernel**2 * channels * filters
    return cost if reduce is None else cost + side**2 * channels * reduce


def weights_only(side, channels, kernel, filters, reduce=None):
    return branch_cost(1, channels, kernel, filters, reduce)


def reduction_ignored(side, channels, kernel, filters, reduce=None):
    return side**2 * kernel**2 * channels * filters


def conv(filters, size, padding="same"):
    from keras import layers

    return layers.Conv2D(filters, size, padding=padding, activation="relu")


def inception(x, *, five=None, silent=False, pool=None, axis=-1, filters=8):
    from keras import layers

    medium = conv(24, 3)(conv(12, 1)(x))
    large = conv(8, 5, five or "same")(conv(4, 1)(medium if silent else x))
    pooled = layers.MaxPooling2D(3, **(pool or {"strides": 1, "padding": "same"}))(x)
    return layers.Concatenate(axis=axis)([conv(16, 1)(x), medium, large, conv(filters, 1)(pooled)])


def repaired_block(x):
    return inception(x)


def repaired_block_stub(x): ...


def without_pooling(x):
    from keras import layers

    return layers.Concatenate()([conv(16, 1)(x), conv(24, 3)(conv(12, 1)(x)), conv(8, 5)(conv(4, 1)(x)), conv(8, 1)(x)])


def total_loss(outputs, labels, weights=(1.0, 0.3, 0.3)):
    total = 0.0
    for weight, z in zip(weights, outputs, strict=True):
        z = z - z.max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        total += weight * -log_p[np.arange(len(labels)), labels].mean()
    return total


def total_loss_stub(outputs, labels, weights=(1.0, 0.3, 0.3)): ...


def overflowing(outputs, labels, weights=(1.0, 0.3, 0.3)):
    total = 0.0
    for weight, z in zip(weights, outputs, strict=True):
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        total += weight * -np.log(p[np.arange(len(labels)), labels]).mean()
    return total


def by_logsumexp(outputs, labels, weights=(1.0, 0.3, 0.3)):
    from scipy.special import logsumexp

    rows = np.arange(len(labels))
    return sum(w * (logsumexp(z, axis=1) - z[rows, labels]).mean() for w, z in zip(weights, outputs, strict=True))


def separate(kernel):
    u, s, vt = np.linalg.svd(kernel)
    return s[0] * u[:, 0], vt[0]


def separate_stub(kernel): ...


def separate_balanced(kernel):
    u, s, vt = np.linalg.svd(kernel)
    return np.sqrt(s[0]) * u[:, 0], np.sqrt(s[0]) * vt[0]


def separate_unscaled(kernel):
    u, _, vt = np.linalg.svd(kernel)
    return u[:, 0], vt[0]


def separate_wrong_side(kernel):
    u, s, vt = np.linalg.svd(kernel)
    return s[0] * u[0], vt[0]


def separate_by_sums(kernel):
    with np.errstate(all="ignore"):
        return kernel.sum(axis=1), kernel.sum(axis=0) / kernel.sum()


def separate_swapped(kernel):
    return separate(kernel)[::-1]


def bn(x):
    from keras import layers

    return layers.BatchNormalization()(x)


def bare(x, filters, size, stride=1):
    from keras import layers

    return layers.Conv2D(filters, size, strides=stride, padding="same", use_bias=False)(x)


def relu(x):
    from keras import layers

    return layers.Activation("relu")(x)


def two_convolutions(x, filters, stride):
    return bn(bare(relu(bn(bare(x, filters, 3, stride))), filters, 3))


def residual_block(x, filters, stride=1):
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = bn(bare(x, filters, 1, stride))
    return relu(shortcut + two_convolutions(x, filters, stride))


def residual_block_stub(x, filters, stride=1): ...


def never_projected(x, filters, stride=1):
    from keras import layers

    return relu(layers.Add()([x, two_convolutions(x, filters, stride)]))


def always_projected(x, filters, stride=1):
    return relu(bn(bare(x, filters, 1, stride)) + two_convolutions(x, filters, stride))


def no_shortcut(x, filters, stride=1):
    return relu(two_convolutions(x, filters, stride))


def relu_too_early(x, filters, stride=1):
    shortcut = x if stride == 1 and x.shape[-1] == filters else bn(bare(x, filters, 1, stride))
    return shortcut + relu(two_convolutions(x, filters, stride))


def no_last_relu(x, filters, stride=1):
    shortcut = x if stride == 1 and x.shape[-1] == filters else bn(bare(x, filters, 1, stride))
    return shortcut + two_convolutions(x, filters, stride)


def channels_forgotten(x, filters, stride=1):
    shortcut = x if stride == 1 else bn(bare(x, filters, 1, stride))
    return relu(shortcut + two_convolutions(x, filters, stride))


def not_normalised(x, filters, stride=1):
    shortcut = x if stride == 1 and x.shape[-1] == filters else bare(x, filters, 1, stride)
    return relu(shortcut + two_convolutions(x, filters, stride))


CASES = {
    "2-6-a": Case(
        solution=branch_cost,
        stub=branch_cost_stub,
        wrong=[
            (free_reduction, "pas gratuit"),
            (still_wide, "mais `reduce`"),
            (weights_only, "nombre de poids"),
            (reduction_ignored, "aucun effet"),
            (lambda side, channels, kernel, filters: 1, "5 arguments"),
        ],
        also_right=[lambda s, c, k, f, r=None: s * s * (c * k * k * f if r is None else r * (c + k * k * f))],
    ),
    "2-6-b": Case(
        solution=repaired_block,
        stub=repaired_block_stub,
        wrong=[
            (lambda x: inception(x, five="valid"), "s'arrête sur"),
            (lambda x: inception(x, pool={"padding": "same"}), "s'arrête sur"),
            (lambda x: inception(x, silent=True), "faute muette"),
            (lambda x: inception(x, filters=16), "a 64 canaux"),
            (without_pooling, "branche du pooling"),
            (lambda x: conv(56, 3)(x), "sans changer le nombre de filtres"),
            (lambda x: conv(56, 3, "valid")(x), "carte de 28 × 28"),
        ],
    ),
    "2-6-c": Case(
        solution=total_loss,
        stub=total_loss_stub,
        wrong=[
            (overflowing, "exp(1000)"),
            (lambda outputs, labels, weights=(1, 0.3, 0.3): total_loss(outputs, labels, [1] * len(outputs)), "autant"),
            (
                lambda outputs, labels, weights=(1, 0.3, 0.3): total_loss(outputs, labels, weights) / sum(weights),
                "somme des poids",
            ),
            (
                lambda outputs, labels, weights=(1, 0.3, 0.3): total_loss(outputs, labels, weights) * len(labels),
                "sur le lot",
            ),
            (lambda outputs, labels, weights=(1, 0.3, 0.3): -total_loss(outputs, labels, weights), "signe moins"),
            (
                lambda outputs, labels, weights=(1, 0.3, 0.3): total_loss(outputs[:1], labels, weights[:1]),
                "première tête",
            ),
        ],
        also_right=[by_logsumexp],
    ),
    "2-6-d": Case(
        solution=separate,
        stub=separate_stub,
        wrong=[
            (separate_unscaled, "pas l'échelle"),
            (separate_wrong_side, "noyau"),
            (separate_by_sums, "somme nulle"),
            (separate_swapped, "formes"),
            (lambda kernel: kernel[:, 0], "deux vecteurs"),
        ],
        also_right=[separate_balanced, lambda kernel: [-part for part in separate(kernel)]],
    ),
    "2-6-e": Case(
        solution=residual_block,
        stub=residual_block_stub,
        wrong=[
            (never_projected, "s'arrête sur"),
            (always_projected, "Gardez `x` tel quel"),
            (no_shortcut, "l'addition du raccourci"),
            (relu_too_early, "jamais retirer"),
            (no_last_relu, "dernier ReLU"),
            (channels_forgotten, "s'arrête sur"),
            (not_normalised, "une normalisation par convolution"),
        ],
    ),
}
