"""Checks of lesson 2-5: weights and products counted, small filters stacked, a block, 1×1 convolutions, heads."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    expect_cases,
    expect_close,
    expect_equal,
    expect_function,
    expect_that,
    like,
)

Array = NDArray[Any]

# --- 2-5-a : where the weights of AlexNet are ---------------------------------------------------------------------


def reference_cost(f: int, c: int, k: int, side: int) -> tuple[int, int]:
    """Weights and biases, then products, counted filter by filter."""
    parameters = sum(f * f * c + 1 for _ in range(k))
    products = sum(f * f * c * k for _ in range(side * side))
    return parameters, products


@exercise(
    "2-5-a",
    hints=(
        "Un filtre a un poids par case et par canal d'entrée, et un seul biais. Il y a `k` filtres.",
        "Pour une image de sortie de `side` × `side` places, chaque place de chaque filtre demande `f * f * c` "
        "multiplications.",
        "fc6 se lit comme une convolution dont le filtre couvre toute la carte : `f = 6`, `c = 256`, `k = 4096`. "
        "Additionnez fc6, fc7 et fc8, puis divisez par 62378344.",
    ),
    success="Une couche dense est une convolution qui n'a qu'une place où se poser : beaucoup de poids, qui ne "
    "servent qu'une fois.",
)
def conv_cost(conv_cost, fc6, dense_share):
    """Parameters and products of a convolution; dense layers of AlexNet."""
    expect_function(conv_cost, parameters=4)
    expect_cases(
        conv_cost,
        [(5, 1, 6, 28), (3, 2, 4, 10), (11, 3, 96, 55)],
        reference=reference_cost,
        mistakes={
            like(lambda f, c, k, side: (f * f * c * k, side * side * f * f * c * k)): "Il manque les biais : un par "
            "filtre.",
            like(lambda f, c, k, side: (f * f * k + k, side * side * f * f * k)): "Un filtre traverse tous les canaux "
            "d'entrée : il a `f * f * c` poids.",
            like(lambda f, c, k, side: (f * f * c * k + 1, side * side * f * f * c * k)): "Chaque filtre a son biais : "
            "il y en a `k`, pas un seul.",
            like(lambda f, c, k, side: ((f * f * c + 1) * k, side * f * f * c * k)): "La carte de sortie a "
            "`side * side` places.",
            like(lambda f, c, k, side: ((f * f * c + 1) * k, f * f * c * k)): "Chaque produit recommence à chacune des "
            "`side * side` places.",
            like(lambda f, c, k, side: (side * side * (f * f * c + 1) * k, side * side * f * f * c * k)): "Les poids "
            "sont partagés par toutes les places : leur nombre ne dépend pas de `side`.",
        },
    )
    expect_equal(
        fc6,
        37_752_832,
        reveal=False,
        mistakes={
            37_748_736: "Il manque les 4096 biais.",
            1_052_672: "fc6 voit les 6 × 6 places de chacune des 256 cartes, pas une seule.",
            16_781_312: "C'est fc7, qui a 4096 entrées.",
        },
    )
    expect_close(
        dense_share,
        58_631_144 / 62_378_344,
        rtol=5e-3,
        reveal=False,
        mistakes=[
            (lambda v: 90 < v < 97, "Donnez une part entre 0 et 1, pas un pourcentage."),
            (lambda v: abs(v - 37_752_832 / 62_378_344) < 5e-3, "C'est fc6 seule : ajoutez fc7 et fc8."),
            (lambda v: abs(v - 3_747_200 / 62_378_344) < 5e-3, "C'est la part des convolutions."),
        ],
    )


# --- 2-5-b : stacked small filters --------------------------------------------------------------------------------


def reference_stack(n: int, f: int, channels: int) -> tuple[int, int]:
    """Field grown layer after layer; weights added layer after layer."""
    field, weights = 1, 0
    for _ in range(n):
        field += f - 1
        weights += f * f * channels * channels
    return field, weights


@exercise(
    "2-5-b",
    hints=(
        "La première couche voit `f` pixels de large. Chaque couche de plus ajoute `f - 1` pixels.",
        "Une couche de `channels` filtres sur `channels` canaux a `f * f * channels * channels` poids.",
        "Pour 11 pixels : `1 + n * 2 = 11`. L'économie est `1 - poids(3 × 3 empilés) / poids(11 × 11)`.",
    ),
    success="Le champ grandit comme la somme des côtés, le prix comme la somme des carrés : plus le grand filtre est "
    "grand, plus il est avantageux de le découper.",
)
def stack(stack, layers_for_11, saving):
    """Receptive field and weights of n layers; an 11×11 replaced."""
    expect_function(stack, parameters=3)
    expect_cases(
        stack,
        [(1, 3, 1), (2, 3, 10), (3, 3, 64), (2, 5, 8)],
        reference=reference_stack,
        mistakes={
            like(lambda n, f, channels: (n * f, n * f * f * channels**2)): "Deux fenêtres voisines se recouvrent : une "
            "couche de plus n'ajoute que `f - 1` pixels.",
            like(lambda n, f, channels: (f**n, n * f * f * channels**2)): "Le champ grandit par additions, pas par "
            "multiplications : `f - 1` pixels à chaque couche.",
            like(
                lambda n, f, channels: (n * (f - 1) + 1, n * f * f * channels)
            ): "Il y a `channels` filtres, et chacun traverse `channels` canaux.",
            like(lambda n, f, channels: (n * (f - 1) + 1, f * f * channels**2)): "Ce sont les poids d'une couche.",
            like(lambda n, f, channels: (n * (f - 1) + 1, n * (f * f * channels + 1) * channels)): "On compte ici les "
            "poids sans les biais.",
        },
    )
    expect_equal(
        layers_for_11,
        5,
        reveal=False,
        mistakes={4: "Quatre couches ne voient que 9 pixels.", 11: "C'est le côté du grand filtre."},
    )
    expect_close(
        saving,
        1 - 45 / 121,
        rtol=1e-2,
        reveal=False,
        mistakes=[
            (lambda v: abs(v - 45 / 121) < 5e-3, "C'est ce qui reste : on demande la part économisée."),
            (lambda v: 50 < v < 75, "Donnez une part entre 0 et 1, pas un pourcentage."),
        ],
    )


# --- 2-5-c : the block of VGG, modernised -------------------------------------------------------------------------


@exercise(
    "2-5-c",
    hints=(
        "Une boucle de `convolutions` tours, et à chaque tour trois couches appliquées à `x` ; le maximum vient après "
        "la boucle.",
        "La normalisation a son propre décalage : le biais de la convolution ne sert à rien (`use_bias=False`).",
        '`x = layers.Conv2D(filters, 3, padding="same", use_bias=False)(x)`, puis '
        "`layers.BatchNormalization(momentum=0.9)(x)`, puis `layers.ReLU()(x)`.",
    ),
    success="C'est à peu près `conv_block` de `course_utils/models/vgg.py` : trois de ces blocs et deux couches denses "
    "font le `vgg_small` de la comparaison.",
)
def vgg_block(vgg_block):
    """Build a model with the block and read it."""
    expect_function(vgg_block, parameters=3)
    import keras

    inputs = keras.Input((16, 16, 3))
    output = vgg_block(inputs, 8, 3)
    expect_that(
        isinstance(output, keras.KerasTensor),
        f"`vgg_block` renvoie un objet de type {type(output).__name__} : elle doit appliquer ses couches à `x` et "
        "renvoyer le résultat.",
    )
    inspect(keras.Model(inputs, output))


def inspect(model: Any) -> None:
    """Refuse a model that is not three times Conv-BN-ReLU and a pooling."""
    kinds = [
        layer.get_config().get("activation", "").replace("relu", "ReLU") if kind == "Activation" else kind
        for layer in model.layers
        for kind in [type(layer).__name__]
    ]
    convolutions = [layer for layer in model.layers if type(layer).__name__ == "Conv2D"]
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    expect_that(
        len(convolutions) == 3,
        f"Avec `convolutions=3`, le bloc a {len(convolutions)} convolution(s) dans la chaîne : chaque tour de boucle "
        "doit partir du `x` du tour précédent.",
    )
    expect_that(all(layer.kernel_size == (3, 3) for layer in convolutions), "VGG n'a que des filtres 3 × 3.")
    expect_that(all(layer.filters == 8 for layer in convolutions), "Chaque convolution a `filters` filtres.")
    expect_that(
        all(layer.padding == "same" for layer in convolutions),
        'Sans marge, chaque convolution rogne deux pixels : il faut `padding="same"`.',
    )
    expect_that(len(norms) == 3, "Il faut une normalisation par lots après chaque convolution.")
    expect_that(
        all(not layer.use_bias for layer in convolutions),
        "La normalisation retranche la moyenne, donc le biais avec elle : `use_bias=False`.",
    )
    expect_that(
        all(layer.get_config()["activation"] == "linear" for layer in convolutions),
        "La convolution a déjà sa ReLU : ici la normalisation passe avant l'activation.",
    )
    expect_that(
        all(abs(layer.momentum - 0.9) < 1e-6 for layer in norms),
        "`momentum=0.99` est trop lent pour quelques centaines de pas : donnez 0.9.",
    )
    expect_that(kinds.count("ReLU") == 3, "Il faut une ReLU après chaque normalisation.")
    pools = [k for k, kind in enumerate(kinds) if kind == "MaxPooling2D"]
    expect_that(
        len(pools) == 1, f"Il faut un seul `MaxPooling2D` par bloc, après la boucle : le vôtre en a {len(pools)}."
    )
    expect_that(
        kinds[1:] == ["Conv2D", "BatchNormalization", "ReLU"] * 3 + ["MaxPooling2D"],
        "L'ordre attendu est convolution, normalisation, ReLU à chaque tour, puis le maximum ; le vôtre : "
        + ", ".join(kinds[1:])
        + ".",
    )
    expect_equal(tuple(model.output_shape[1:]), (8, 8, 8), name="la taille de sortie")


# --- 2-5-d : a 1×1 convolution ------------------------------------------------------------------------------------


def reference_1x1(x: Array, kernel: Array, bias: Array) -> Array:
    """One dense layer, pixel by pixel."""
    out = np.empty((*x.shape[:3], kernel.shape[-1]))
    for n, i, j in np.ndindex(x.shape[:3]):
        for k in range(kernel.shape[-1]):
            out[n, i, j, k] = sum(x[n, i, j, c] * kernel[0, 0, c, k] for c in range(x.shape[3])) + bias[k]
    return out


@exercise(
    "2-5-d",
    hints=(
        "Le noyau a la forme (1, 1, C, K) : ses deux premiers axes ne contiennent rien à parcourir.",
        "`kernel[0, 0]` est une matrice (C, K), celle d'une couche dense.",
        "`x @ kernel[0, 0] + bias` : `@` prend le dernier axe de `x` et laisse les autres tranquilles.",
    ),
    success="Un seul produit de matrices, sans fenêtre à faire glisser : la convolution 1 × 1 est la plus rapide de "
    "toutes.",
)
def conv1x1(conv1x1):
    """Matrix product on the channels."""
    expect_function(conv1x1, parameters=3, pure=True)
    rng = np.random.default_rng(0)
    cases = [
        (np.arange(6.0).reshape(1, 1, 2, 3), np.arange(6.0).reshape(1, 1, 3, 2), np.array([10.0, 20.0])),
        (rng.normal(size=(2, 3, 4, 2)), rng.normal(size=(1, 1, 2, 5)), rng.normal(size=5)),
        (rng.normal(size=(2, 4, 3, 3)), rng.normal(size=(1, 1, 3, 3)), rng.normal(size=3)),
    ]
    expect_cases(
        conv1x1,
        cases,
        reference=reference_1x1,
        mistakes={
            like(lambda x, kernel, bias: x @ kernel[0, 0]): "Le biais manque.",
            like(lambda x, kernel, bias: np.maximum(x @ kernel[0, 0] + bias, 0)): "Pas d'activation ici : la "
            "convolution seule.",
            like(lambda x, kernel, bias: x.reshape(-1, x.shape[-1]) @ kernel[0, 0] + bias): "Les valeurs sont bonnes, "
            "rangées en liste de pixels : rendez-leur la forme (N, H, W, K).",
            like(lambda x, kernel, bias: x.mean((1, 2)) @ kernel[0, 0] + bias): "Il ne faut pas moyenner les pixels : "
            "chacun a sa réponse.",
        },
    )


# --- 2-5-e : dense head or global average -------------------------------------------------------------------------


def reference_heads(side: int, channels: int, classes: int) -> tuple[int, int]:
    """Parameters of Flatten, 4096, 4096, classes; and of a 1×1 convolution followed by the global average."""
    sizes = [side * side * channels, 4096, 4096, classes]
    dense = sum(a * b + b for a, b in zip(sizes, sizes[1:], strict=False))
    return dense, channels * classes + classes


@exercise(
    "2-5-e",
    hints=(
        "Tête dense : `side * side * channels` entrées, puis 4096, 4096 et `classes` neurones, avec leurs biais.",
        "Tête légère : une convolution 1 × 1 de `channels` canaux vers `classes` cartes. La moyenne n'a aucun "
        "paramètre, et `side` ne compte plus.",
        "VGG-16 a 138357544 paramètres : retirez la tête dense de `heads(7, 512, 1000)`, ajoutez la légère.",
    ),
    success="De 138 à 15 millions de paramètres. La tête légère accepte en prime toutes les tailles d'image : ResNet, "
    "DenseNet et les suivants l'ont gardée.",
)
def heads(heads, light_vgg16):
    """Parameters of both heads; VGG-16 with the light one."""
    expect_function(heads, parameters=3)
    expect_cases(
        heads,
        [(1, 2, 3), (7, 512, 1000), (4, 64, 10)],
        reference=reference_heads,
        mistakes={
            like(
                lambda side, channels, classes: (
                    reference_heads(side, channels, classes)[0],
                    side * side * channels * classes + classes,
                )
            ): "C'est une couche dense après `Flatten`. La convolution 1 × 1 a les mêmes poids à toutes les places.",
            like(
                lambda side, channels, classes: (reference_heads(side, channels, classes)[0], channels * classes)
            ): "La convolution 1 × 1 a aussi ses biais, un par classe.",
            like(
                lambda side, channels, classes: (reference_heads(side, channels, classes)[0], 0)
            ): "La moyenne est gratuite, mais il faut d'abord passer de `channels` cartes à une par classe.",
            like(
                lambda side, channels, classes: (
                    side * side * channels * 4096 + 4096 * 4096 + 4096 * classes,
                    channels * classes,
                )
            ): "Il manque les biais, des deux côtés.",
            like(
                lambda side, channels, classes: (
                    reference_heads(side, channels, classes)[0] - 4096 * 4097,
                    channels * classes + classes,
                )
            ): "La tête dense a deux couches de 4096 neurones.",
        },
    )
    expect_equal(
        light_vgg16,
        15_227_688,
        reveal=False,
        mistakes={
            14_714_688: "Ce sont les convolutions seules : ajoutez la tête légère.",
            138_870_544: "Vous avez ajouté la tête légère sans retirer l'autre.",
        },
    )
