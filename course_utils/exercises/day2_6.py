"""Checks of lesson 2-6, Inception and residual networks."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_function, expect_that, expect_type, like


def _branch(side: int, channels: int, kernel: int, filters: int, reduce: int | None = None) -> int:
    if reduce is None:
        return side**2 * kernel**2 * channels * filters
    return side**2 * (channels * reduce + kernel**2 * reduce * filters)


@exercise(
    "2-6-a",
    hints=(
        "Sans `reduce`, c'est une seule convolution : places × poids de la fenêtre × canaux × filtres.",
        "Avec `reduce`, additionnez deux convolutions : 1×1 de `channels` vers `reduce`, puis le gros filtre de"
        " `reduce` vers `filters`.",
        "`side**2 * channels * reduce + side**2 * kernel**2 * reduce * filters`",
    ),
    success="Pour la branche 5×5 de 3a : 120,4 millions de multiplications sans le 1×1, 12,4 avec. Le gros"
    " filtre ne voit plus que 16 canaux au lieu de 192.",
)
def branch_cost(branch_cost: Any) -> None:
    """Multiply-adds of a branch, with or without its 1×1."""
    expect_function(branch_cost, parameters=5)
    expect_cases(
        branch_cost,
        [(2, 3, 5, 4), (2, 8, 5, 4, 2), (28, 192, 5, 32), (28, 192, 5, 32, 16), (14, 480, 3, 208, 96)],
        reference=_branch,
        mistakes={
            like(lambda s, c, k, f, r=None: s**2 * k**2 * (r or c) * f): "Le 1×1 n'est pas gratuit : ajoutez ses"
            " propres multiplications, de `channels` vers `reduce`.",
            like(
                lambda s, c, k, f, r=None: s**2 * k**2 * c * f if r is None else s**2 * (c * r + k**2 * c * f)
            ): "Après le 1×1, le gros filtre ne voit plus `channels` canaux, mais `reduce`.",
            like(
                lambda s, c, k, f, r=None: s**2 * k * c * f if r is None else s**2 * (c * r + k * r * f)
            ): "Un noyau de côté `kernel` a `kernel ** 2` cases.",
            like(
                lambda s, c, k, f, r=None: k**2 * c * f if r is None else c * r + k**2 * r * f
            ): "C'est le nombre de poids : chacun sert aux `side ** 2` places de la carte.",
            like(lambda s, c, k, f, r=None: _branch(s, c, k, f)): "`reduce` n'a aucun effet : quand il est donné, une"
            " convolution 1×1 passe d'abord.",
            like(
                lambda s, c, k, f, r=None: s**2 * k**2 * c * f if r is None else s**2 * k**2 * (c * r + r * f)
            ): "La convolution qui réduit est un 1×1 : une seule case par canal, et non `kernel ** 2`.",
        },
    )


def _network(block: Callable[..., Any], shape: tuple[int, int, int], *args: Any) -> Any:
    """Build the model that goes from an image of this shape to the participant's block."""
    import keras

    inputs = keras.Input(shape)
    output = block(inputs, *args)
    expect_type(output, keras.KerasTensor, "un tenseur Keras", name="la sortie du bloc")
    return keras.Model(inputs, output)


def _kernels(model: Any) -> list[Any]:
    """Return the convolution kernels of a model."""
    return [weight for weight in model.weights if len(weight.shape) == 4]


@exercise(
    "2-6-b",
    hints=(
        "Pour se ranger bout à bout, les quatre cartes doivent avoir la même hauteur et la même largeur : 28 × 28.",
        "Une marge oubliée, un pas de pooling qui vaut 3 par défaut, un axe qui n'est pas celui des canaux… et une"
        " branche qui ne part pas du bon tenseur.",
        "`conv(8, 5)(conv(4, 1)(x))`, `MaxPooling2D(3, strides=1, padding='same')`, `Concatenate()`.",
    ),
    success="Trois fautes faisaient du bruit. La quatrième, la branche 5×5 branchée sur `medium`, aurait donné"
    " un réseau qui s'entraîne sans rien dire, et qui n'est plus celui de l'article : comptez les paramètres.",
)
def repaired_block(repaired_block: Any) -> None:
    """Four faults in an inception block."""
    expect_function(repaired_block, parameters=1)
    model = _network(repaired_block, (28, 28, 32))
    shape = tuple(model.outputs[0].shape[1:])
    expect_that(
        shape[:2] != (112, 28) and shape[:2] != (28, 112),
        f"La sortie a la forme {shape} : les cartes sont empilées dans l'espace. On les range bout à bout sur l'axe des"
        " canaux, le dernier.",
    )
    expect_that(
        shape[:2] == (28, 28),
        f"La sortie a la forme {shape} : chaque branche doit rendre une carte de 28 × 28.",
    )
    expect_that(
        shape[2] == 56,
        f"La sortie a {shape[2]} canaux, on en attend 16 + 24 + 8 + 8 = 56 : ne changez pas le nombre de filtres.",
    )
    sizes = sorted(tuple(kernel.shape) for kernel in _kernels(model))
    expect_that(
        (1, 1, 24, 4) not in sizes,
        "La faute muette est encore là : la branche 5×5 part de `medium` (24 canaux) au lieu de `x` (32).",
    )
    wanted = sorted([(1, 1, 32, 16), (1, 1, 32, 12), (3, 3, 12, 24), (1, 1, 32, 4), (5, 5, 4, 8), (1, 1, 32, 8)])
    expect_that(
        sizes == wanted,
        f"Les noyaux de votre bloc sont {sizes} ; on attend ceux de l'énoncé, sans changer le nombre de filtres :"
        f" {wanted}.",
    )
    pools = [layer for layer in model.layers if "MaxPooling" in type(layer).__name__]
    expect_that(len(pools) == 1, "Il manque la branche du pooling : un `MaxPooling2D(3, …)`, puis le 1×1.")


def _log_softmax(logits: Any) -> Any:
    shifted = np.asarray(logits, float) - np.max(logits, axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _entropy(logits: Any, labels: Any) -> float:
    return float(-np.mean([_log_softmax(logits)[row, label] for row, label in enumerate(labels)]))


def _weighted(outputs: Any, labels: Any, weights: Any = (1.0, 0.3, 0.3)) -> float:
    return sum(weight * _entropy(logits, labels) for weight, logits in zip(weights, outputs, strict=True))


def _scaled(divisor: Callable[[Any, Any], float]) -> Callable[..., float]:
    return lambda outputs, labels, weights=(1.0, 0.3, 0.3): (
        _weighted(outputs, labels, weights) * divisor(outputs, weights)
    )


def _overflowing(outputs: Any, labels: Any, weights: Any = (1.0, 0.3, 0.3)) -> float:
    total = 0.0
    for weight, logits in zip(weights, outputs, strict=True):
        p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
        total += weight * -np.log(p[np.arange(len(labels)), labels]).mean()
    return total


@exercise(
    "2-6-c",
    hints=(
        "Écrivez d'abord le coût d'une tête ; la somme pondérée est ensuite une boucle sur `zip(weights, outputs)`.",
        "log p = z − log Σ exp(z). Pour ne pas déborder, retirez à chaque ligne son maximum : log p n'en change pas.",
        "`z = z - z.max(axis=1, keepdims=True)`, puis"
        " `log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))` et `-log_p[np.arange(len(labels)),"
        " labels].mean()`.",
    ),
    success="C'est ce que calcule `compile(loss=[…], loss_weights=[1, 0.3, 0.3])`. Une fois l'entraînement"
    " fini, les têtes partent et seul le premier terme garde un sens.",
)
def total_loss(total_loss: Any) -> None:
    """Weighted loss of a network with auxiliary heads."""
    expect_function(total_loss, parameters=3)
    rng = np.random.default_rng(0)
    labels = np.array([2, 0, 1, 1])
    heads = [rng.normal(0, 2, (4, 3)) for _ in range(3)]
    certain = [1000.0 * np.eye(3)[labels] for _ in range(3)]
    weights = (1.0, 0.3, 0.3)
    expect_cases(
        total_loss,
        [(heads, labels, weights), (heads, labels), (heads[:2], labels, (0.5, 2.0)), (certain, 2 - labels, weights)],
        reference=_weighted,
        mistakes=[
            (
                lambda value: bool(np.isnan(value)) or bool(np.isinf(value)),
                "exp(1000) dépasse tout ce qu'un flottant"
                " peut contenir : retirez à chaque ligne son maximum avant l'exponentielle.",
            ),
            (
                like(_scaled(lambda outputs, weights: -1.0)),
                "Il manque le signe moins : l'entropie croisée vaut −log p.",
            ),
            (
                like(lambda o, y, w=weights: _weighted(o, y, [1.0] * len(o))),
                "Toutes les têtes comptent autant : utilisez `weights`.",
            ),
            (
                like(lambda o, y, w=weights: _weighted(o, y, w) * len(y)),
                "Vous sommez sur le lot : on attend la moyenne sur les images.",
            ),
            (
                like(lambda o, y, w=weights: _weighted(o, y, w) / sum(w)),
                "Vous divisez par la somme des poids : le coût total est une somme, pas une moyenne des têtes.",
            ),
            (
                like(lambda o, y, w=weights: _weighted(o[:1], y, w[:1])),
                "Seule la première tête compte : il manque les têtes auxiliaires.",
            ),
            (
                like(lambda o, y, w=weights: _entropy(sum(a * b for a, b in zip(w, o, strict=True)), y)),
                "Vous pondérez les logits avant l'entropie croisée : ce sont les coûts que l'on additionne.",
            ),
        ],
    )


@exercise(
    "2-6-d",
    hints=(
        "`U, s, Vt = np.linalg.svd(kernel)` écrit le noyau comme une somme de produits colonne × ligne, du plus fort au"
        " plus faible.",
        "Le premier terme est `s[0] * np.outer(U[:, 0], Vt[0])` : gardez-le seul.",
        "`return s[0] * U[:, 0], Vt[0]`",
    ),
    success="Gauss et Sobel ont le rang 1 : la décomposition est exacte. Un noyau 7×7 au hasard y perd"
    " l'essentiel de son énergie ; v3 apprend donc directement ses bandes, sans rien décomposer.",
)
def separate(separate: Any) -> None:
    """Best rank-one approximation of a kernel."""
    expect_function(separate, parameters=1)
    profile = np.array([1.0, 4.0, 6.0, 4.0, 1.0])
    sobel = np.array([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    wide = np.outer([1.0, -2.0, 0.5], [3.0, 0.0, 1.0, -1.0])
    noise = np.random.default_rng(3).normal(size=(7, 7))
    named = {"gaussien": np.outer(profile, profile) / 256, "3 × 4": wide, "de Sobel": sobel, "tiré au hasard": noise}
    for name, kernel in named.items():
        answer = separate(kernel)
        expect_that(
            isinstance(answer, tuple | list) and len(answer) == 2,
            "`separate` doit renvoyer deux vecteurs : `return column, row`.",
        )
        column, row = (np.asarray(part, float) for part in answer)
        if column.shape == row.shape[::-1] == kernel.shape[:1] + (1,):
            column, row = column.ravel(), row.ravel()
        _judge_pair(name, kernel, column, row)


def _judge_pair(name: str, kernel: Any, column: Any, row: Any) -> None:
    height, width = kernel.shape
    expect_that(
        column.shape == (height,) and row.shape == (width,),
        f"Pour un noyau {height} × {width}, on attend une colonne de {height} valeurs et une ligne de {width} ; vos"
        f" vecteurs ont les formes {column.shape} et {row.shape}.",
    )
    product = np.outer(column, row)
    expect_that(
        np.isfinite(product).all(),
        f"Pour le noyau {name}, votre résultat contient des NaN : division par une somme nulle ?",
    )
    strength = np.linalg.svd(kernel, compute_uv=False)
    if not np.allclose(product, kernel, atol=1e-6) and np.linalg.norm(product) > 0:
        cosine = np.sum(product * kernel) / np.linalg.norm(product) / np.linalg.norm(kernel)
        best = strength[0] / np.linalg.norm(strength)
        expect_that(
            abs(cosine) < best - 1e-6 or np.isclose(np.linalg.norm(product), strength[0]),
            f"Pour le noyau {name}, la direction est bonne mais pas l'échelle : `s[0]` doit compter une fois, dans la"
            " colonne ou dans la ligne.",
        )
        expect_that(cosine > 0, f"Pour le noyau {name}, le produit a le signe opposé : colonne et ligne vont ensemble.")
    error, least = np.linalg.norm(product - kernel), math.sqrt(np.sum(strength[1:] ** 2))
    expect_that(
        error <= least + 1e-6,
        f"Pour le noyau {name}, `np.outer(column, row)` s'écarte du noyau de {error:.3f} (norme de la"
        f" différence), alors"
        f" qu'un écart de {least:.3f} est possible.",
    )


def _set(model: Any, *, spatial: float) -> None:
    """Fill the 3×3 kernels of a model with a constant."""
    for kernel in _kernels(model):
        if tuple(kernel.shape[:2]) == (3, 3):
            kernel.assign(np.full(kernel.shape, spatial, np.float32))


@exercise(
    "2-6-e",
    hints=(
        "Partez d'`identity_block` : seule la première convolution reçoit `strides=stride`, et le raccourci change.",
        "La forme change si `stride > 1` ou si `x.shape[-1] != filters` : alors seulement, le raccourci est une"
        " convolution 1×1 du même pas, suivie de sa normalisation.",
        "`shortcut = layers.BatchNormalization()(layers.Conv2D(filters, 1, strides=stride, use_bias=False)(x))`, puis"
        " `layers.Activation('relu')(layers.Add()([shortcut, y]))`.",
    ),
    success="C'est le bloc de ResNet-18 et de ResNet-34. Quand ses 3×3 sont à zéro, il laisse tout passer : un"
    " réseau de cent blocs ressemble alors à un réseau d'un seul.",
)
def residual_block(residual_block: Any) -> None:
    """Residual block with a projection where the shape changes."""
    expect_function(residual_block, parameters=3)
    same = _network(residual_block, (8, 8, 4), 4, 1)
    _judge_block(same, (8, 8, 4), projection=False)
    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 8, 8, 4)).astype(np.float32)
    inner = np.asarray(same(x + 10) - (x + 10))
    expect_that(
        inner.min() < -1e-4,
        "Votre bloc ne peut qu'ajouter, jamais retirer : un ReLU suit la seconde normalisation. Il vient après"
        " l'addition.",
    )
    _set(same, spatial=0.0)
    passed = np.asarray(same(x))
    expect_that(
        np.abs(passed).max() > 1e-6,
        "Les 3×3 à zéro, plus rien ne sort du bloc : où est l'addition du raccourci ?",
    )
    expect_that(
        not np.allclose(passed, x, atol=1e-5),
        "Les 3×3 à zéro, le bloc rend `x` avec ses valeurs négatives : il manque le dernier ReLU, après l'addition.",
    )
    expect_that(
        np.allclose(passed, np.maximum(x, 0), atol=1e-5),
        "Les 3×3 à zéro, on attend exactement `relu(x)` : quand la forme convient, le raccourci est `x` lui-même.",
    )
    for channels, stride in ((8, 1), (4, 2), (8, 2)):
        model = _network(residual_block, (8, 8, 4), channels, stride)
        _judge_block(model, (8 // stride, 8 // stride, channels), projection=True)
        _set(model, spatial=0.0)
        expect_that(
            np.abs(np.asarray(model(x))).max() > 1e-6,
            "Les 3×3 à zéro, la projection ne passe plus : elle doit s'ajouter, à côté des 3×3.",
        )


def _judge_block(model: Any, shape: tuple[int, int, int], *, projection: bool) -> None:
    channels_in, stride = 4, 8 // shape[0]
    case = f"`residual_block(x, {shape[2]}, stride={stride})`, pour un `x` de 8 × 8 × 4"
    got = tuple(model.outputs[0].shape[1:])
    expect_that(got == shape, f"{case} : la sortie a la forme {got}, on attend {shape}.")
    sizes = [tuple(kernel.shape) for kernel in _kernels(model)]
    ones = [size for size in sizes if size[:2] == (1, 1)]
    expect_that(
        projection or not ones,
        f"{case} : la forme ne change pas, et pourtant le raccourci traverse une convolution 1×1. Gardez `x` tel quel.",
    )
    expect_that(not projection or len(ones) == 1, f"{case} : le raccourci a besoin d'une convolution 1×1, une seule.")
    wanted = [(3, 3, channels_in, shape[2]), (3, 3, shape[2], shape[2])]
    expect_that(
        sorted(size for size in sizes if size not in ones) == sorted(wanted),
        f"{case} : on attend deux noyaux 3×3, {wanted} ; les vôtres : {[s for s in sizes if s not in ones]}.",
    )
    norms = [layer for layer in model.layers if type(layer).__name__ == "BatchNormalization"]
    expect_that(
        len(norms) == len(sizes),
        f"{case} : une normalisation par convolution, donc {len(sizes)} ; le bloc en compte {len(norms)}.",
    )
