from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Answers, Case


def conv_cost(f, c, k, side):
    return (f * f * c + 1) * k, side * side * f * f * c * k


FC6 = 37_752_832
SHARE = (37_752_832 + 16_781_312 + 4_097_000) / 62_378_344


def stack(n, f, channels):
    return 1 + n * (f - 1), n * f**2 * channels**2


def block(bias=False, momentum=0.9, size=3, padding="same", pool_inside=False, norm_last=False, restart=False):
    """Block of VGG, right by default, wrong in one respect."""

    def vgg_block(x, filters, convolutions):
        from keras import layers

        first = x
        for _ in range(convolutions):
            x = layers.Conv2D(filters, size, padding=padding, use_bias=bias)(first if restart else x)
            after = [layers.BatchNormalization(momentum=momentum), layers.Activation("relu")]
            for layer in reversed(after) if norm_last else after:
                x = layer(x)
            if pool_inside:
                x = layers.MaxPooling2D(2)(x)
        return x if pool_inside else layers.MaxPooling2D(2)(x)

    return vgg_block


def plain_vgg(x, filters, convolutions):
    from keras import layers

    for _ in range(convolutions):
        x = layers.Conv2D(filters, 3, padding="same", activation="relu")(x)
    return layers.MaxPooling2D(2)(x)


def conv1x1(x, kernel, bias):
    return x @ kernel[0, 0] + bias


def heads(side, channels, classes):
    dense = (side**2 * channels + 1) * 4096 + 4097 * 4096 + 4097 * classes
    return dense, (channels + 1) * classes


def stub_3(a, b, c): ...


def stub_4(a, b, c, d): ...


CASES = {
    "2-5-a": Case(
        solution=Answers(conv_cost, FC6, SHARE),
        stub=Answers(stub_4, ..., ...),
        wrong=[
            (Answers(lambda f, c, k, side: (f * f * c * k, side**2 * f * f * c * k), FC6, SHARE), "manque les biais"),
            (
                Answers(lambda f, c, k, side: (f * f * k + k, side**2 * f * f * k), FC6, SHARE),
                "tous les canaux",
            ),
            (
                Answers(lambda f, c, k, side: ((f * f * c + 1) * k, f * f * c * k), FC6, SHARE),
                "recommence à chacune des",
            ),
            (Answers(conv_cost, 37_748_736, SHARE), "4096 biais"),
            (Answers(conv_cost, 1_052_672, SHARE), "6 × 6 places"),
            (Answers(conv_cost, FC6, 94.0), "pas un pourcentage"),
            (Answers(conv_cost, FC6, 0.06007), "part des convolutions"),
            (Answers(conv_cost, FC6, 0.6052), "fc6 seule"),
        ],
        also_right=[Answers(conv_cost, FC6, 0.94)],
    ),
    "2-5-b": Case(
        solution=Answers(stack, 5, 1 - 45 / 121),
        stub=Answers(stub_3, ..., ...),
        wrong=[
            (Answers(lambda n, f, channels: (n * f, n * f**2 * channels**2), 5, 0.628), "se recouvrent"),
            (Answers(lambda n, f, channels: (f**n, n * f**2 * channels**2), 5, 0.628), "par additions"),
            (Answers(lambda n, f, channels: (1 + n * (f - 1), n * f**2 * channels), 5, 0.628), "chacun traverse"),
            (Answers(lambda n, f, channels: (1 + n * (f - 1), f**2 * channels**2), 5, 0.628), "poids d'une couche"),
            (Answers(stack, 4, 0.628), "que 9 pixels"),
            (Answers(stack, 5, 45 / 121), "part économisée"),
        ],
        also_right=[Answers(stack, 5, 0.63)],
    ),
    "2-5-c": Case(
        solution=block(),
        stub=stub_3,
        wrong=[
            (plain_vgg, "normalisation par lots après chaque convolution"),
            (block(bias=True), "donc le biais avec elle"),
            (block(momentum=0.99), "trop lent"),
            (block(size=5), "que des filtres 3 × 3"),
            (block(padding="valid"), "rogne deux pixels"),
            (block(pool_inside=True), "un seul `MaxPooling2D`"),
            (block(norm_last=True), "L'ordre attendu"),
            (block(restart=True), "partir du `x`"),
            (lambda x, filters, convolutions: 3, "de type int"),
        ],
    ),
    "2-5-d": Case(
        solution=conv1x1,
        stub=stub_3,
        wrong=[
            (lambda x, kernel, bias: x @ kernel[0, 0], "biais manque"),
            (lambda x, kernel, bias: np.maximum(x @ kernel[0, 0] + bias, 0), "Pas d'activation"),
            (lambda x, kernel, bias: x.reshape(-1, x.shape[-1]) @ kernel[0, 0] + bias, "liste de pixels"),
            (lambda x, kernel, bias: x.mean((1, 2)) @ kernel[0, 0] + bias, "moyenner"),
        ],
        also_right=[lambda x, kernel, bias: np.einsum("nijc,abck->nijk", x, kernel) + bias],
    ),
    "2-5-e": Case(
        solution=Answers(heads, 15_227_688),
        stub=Answers(stub_3, ...),
        wrong=[
            (
                Answers(lambda side, channels, classes: (heads(side, channels, classes)[0], 0), 15_227_688),
                "moyenne est gratuite",
            ),
            (
                Answers(
                    lambda side, channels, classes: (
                        heads(side, channels, classes)[0],
                        side**2 * channels * classes + classes,
                    ),
                    15_227_688,
                ),
                "couche dense après `Flatten`",
            ),
            (
                Answers(
                    lambda side, channels, classes: (heads(side, channels, classes)[0], channels * classes), 15_227_688
                ),
                "aussi ses biais",
            ),
            (Answers(heads, 14_714_688), "convolutions seules"),
            (Answers(heads, 138_870_544), "sans retirer"),
        ],
    ),
}
