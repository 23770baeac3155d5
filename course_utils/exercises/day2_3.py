"""Checks of notebook 2-3: the first convolutional network in Keras."""

from __future__ import annotations

from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_equal, expect_function, expect_that, like
from course_utils.exercises.verdict import Refusal

MOST_PARAMETERS = 5_000
CONVOLUTIONS = {"Conv2D", "SeparableConv2D", "DepthwiseConv2D"}
ACTIVATION_LAYERS = {"ReLU", "LeakyReLU", "PReLU", "ELU", "Activation"}


@exercise(
    "2-3-a",
    hints=(
        "Un filtre a `F * F` poids par canal d'entrée, plus un biais. "
        "Combien de canaux entrent dans la deuxième convolution ?",
        "Chaque `MaxPooling2D(2)` divise les côtés par deux : 28, 14, 7. `Flatten` reçoit 7 × 7 × 16 nombres.",
        "`(3 * 3 * 1 + 1) * 8`, `(3 * 3 * 8 + 1) * 16`, `(7 * 7 * 16 + 1) * 32`, `(32 + 1) * 10`",
    ),
    success="Plus de neuf paramètres sur dix sont dans la première couche dense : "
    "c'est elle que les réseaux modernes ont supprimée.",
)
def parameters(conv1, conv2, dense1, dense2):
    """Parameters of the four layers that have some."""
    expect_equal(
        conv1,
        80,
        reveal=False,
        mistakes={
            72: "Il manque le biais de chacun des huit filtres.",
            73: "Il y a un biais par filtre, donc huit, et non un seul.",
            62_720: "Les poids ne dépendent pas de la taille de l'image : les mêmes servent à toutes les places.",
        },
    )
    expect_equal(
        conv2,
        1168,
        reveal=False,
        mistakes={
            160: "Un filtre traverse tous les canaux d'entrée : la couche précédente en donne huit.",
            1152: "Il manque le biais de chacun des seize filtres.",
            1280: "Un filtre a un seul biais, pas un par canal d'entrée.",
        },
    )
    expect_equal(
        dense1,
        25_120,
        reveal=False,
        mistakes={
            25_088: "Il manque le biais de chacun des 32 neurones.",
            100_384: "Il y a deux poolings avant `Flatten` : le côté passe de 28 à 14, puis à 7.",
            401_440: "Les poolings ont réduit la carte : son côté n'est plus 28 quand `Flatten` la reçoit.",
            1600: "`Flatten` garde les seize canaux : il rend 7 × 7 × 16 nombres.",
        },
    )
    expect_equal(
        dense2,
        330,
        reveal=False,
        mistakes={
            320: "Il manque les dix biais.",
            7850: "`Dense(10)` reçoit les 32 sorties de la couche précédente, pas l'image.",
        },
    )


def _kind(layer: Any) -> str:
    return type(layer).__name__


def _activation(layer: Any) -> str:
    return getattr(getattr(layer, "activation", None), "__name__", "linear")


def _real_model(model: Any, name: str) -> list:
    """The layers of a built model; a refusal for anything else."""
    for attribute in ("layers", "count_params", "output_shape"):
        if not hasattr(model, attribute):
            raise Refusal(f"`{name}()` ne renvoie pas un modèle Keras, mais un objet de type `{_kind(model)}`.")
    return list(model.layers)


def _expect_shapes(model: Any, name: str) -> None:
    entry = tuple(model.input_shape)
    expect_that(
        len(entry) == 4,
        f"L'entrée de `{name}()` a la forme `{entry}` : il manque l'axe des canaux, `keras.Input((28, 28, 1))`.",
    )
    expect_that(entry[1:] == (28, 28, 1), f"L'entrée de `{name}()` est `{entry}`, on attend des images 28 × 28 × 1.")
    leaving = tuple(model.output_shape)
    expect_that(
        len(leaving) == 2,
        f"La sortie de `{name}()` a la forme `{leaving}` : il faut un vecteur par image. "
        "Il manque `Flatten` ou un pooling global.",
    )
    expect_that(leaving[1] == 10, f"`{name}()` donne {leaving[1]} scores par image, on en attend dix.")


def _expect_activations(layers: list) -> None:
    """Each convolution is followed by something that is not linear."""
    for position, layer in enumerate(layers):
        if _kind(layer) not in CONVOLUTIONS or _activation(layer) != "linear":
            continue
        after = [item for item in layers[position + 1 :] if _kind(item) not in {"BatchNormalization", "Dropout"}]
        expect_that(
            bool(after) and _kind(after[0]) in ACTIVATION_LAYERS | {"MaxPooling2D", "DepthwiseConv2D"},
            "Une convolution n'a pas d'activation : deux convolutions linéaires de suite ne valent qu'une seule "
            'convolution. Ajoutez `activation="relu"`.',
        )


def _ends_with_softmax(layers: list) -> bool:
    return _kind(layers[-1]) == "Softmax" or _activation(layers[-1]) == "softmax"


@exercise(
    "2-3-b",
    hints=(
        "Dans notre réseau, les trois quarts des poids sont dans la couche dense, qui reçoit 7 × 7 × 32 nombres. "
        "Réduisez ce qu'on lui donne.",
        "Un deuxième pooling, des pas de 2, moins de filtres, ou `GlobalAveragePooling2D` à la place de `Flatten`.",
        "Par exemple `Conv2D(8, 5, strides=2)`, `Conv2D(16, 3)`, `MaxPooling2D(2)`, `Flatten()`, `Dense(10)`, "
        'avec `padding="valid"` et `activation="relu"` : il reste 5 × 5 × 16 nombres avant la couche dense.',
    ),
)
def small_cnn(small_cnn):
    """A functional network within a budget."""
    expect_function(small_cnn, parameters=0)
    model = small_cnn()
    layers = _real_model(model, "small_cnn")
    _expect_shapes(model, "small_cnn")
    convolutions = sum(_kind(layer) in CONVOLUTIONS for layer in layers)
    expect_that(convolutions >= 2, f"Il faut au moins deux convolutions, votre réseau en a {convolutions}.")
    _expect_activations(layers)
    expect_that(
        not _ends_with_softmax(layers),
        "La dernière couche applique un softmax : gardez les logits, le coût s'en chargera (`from_logits=True`).",
    )
    expect_that(
        _activation(layers[-1]) == "linear",
        f"La dernière couche a l'activation `{_activation(layers[-1])}` : un logit peut prendre tous les signes, "
        "laissez-la linéaire.",
    )
    count = int(model.count_params())
    expect_that(
        count <= MOST_PARAMETERS,
        f"Votre réseau a {count} paramètres, le budget est de {MOST_PARAMETERS}. "
        "Regardez d'abord ce que reçoit la couche dense.",
    )
    expect_that(
        _kind(model) != "Sequential",
        "C'est un `Sequential` : l'exercice demande l'API fonctionnelle, `keras.Model(inputs, outputs)`.",
    )
    return f"{count} paramètres : un dense de ce budget n'aurait que {max(1, (count - 10) // 795)} neurones cachés."


@exercise(
    "2-3-c",
    hints=(
        "Lisez dans l'ordre : la forme de l'entrée, ce qui suit chaque convolution, la sortie, le coût.",
        "Deux fautes plantent : l'axe des canaux, et le coût qui attend des étiquettes en vecteurs de zéros et d'un 1.",
        "Les muettes : aucune activation après les convolutions ; un softmax suivi de `from_logits=True`.",
    ),
    success="Les deux fautes qui plantent vous ont pris une minute. "
    "Les deux qui se taisent coûtent, en vrai, une semaine.",
)
def repaired(repaired):
    """A network with four faults, mended and compiled."""
    expect_function(repaired, parameters=0)
    model = repaired()
    layers = _real_model(model, "repaired")
    _expect_shapes(model, "repaired")
    _expect_activations(layers)
    loss = getattr(model, "loss", None)
    expect_that(loss is not None, "Le modèle n'est pas compilé : appelez `model.compile(…)` avant `return model`.")
    if isinstance(loss, str):
        named = loss.replace("_", "")
    else:
        named = getattr(loss, "__name__", _kind(loss)).replace("_", "").lower()
    expect_that(
        named != "categoricalcrossentropy",
        "`CategoricalCrossentropy` attend des vecteurs de zéros et d'un 1 ; nos étiquettes sont des entiers : "
        "prenez `SparseCategoricalCrossentropy`.",
    )
    expect_that(
        named == "sparsecategoricalcrossentropy",
        "Pour dix classes et des étiquettes entières, le coût est `SparseCategoricalCrossentropy`.",
    )
    logits = bool(getattr(loss, "from_logits", False))
    softmax = _ends_with_softmax(layers)
    expect_that(
        not (logits and softmax),
        "La sortie est un softmax, et `from_logits=True` en demande un second : gardez l'un ou l'autre.",
    )
    expect_that(
        logits or softmax,
        "La sortie est en logits, mais le coût attend des probabilités : il manque `from_logits=True`.",
    )


def _costs(logits, labels):
    logits = np.asarray(logits, float)
    costs = []
    for row, label in zip(logits, labels, strict=True):
        top = max(row)
        costs.append(top + np.log(sum(np.exp(value - top) for value in row)) - row[label])
    return np.array(costs)


def _worst(logits, labels, k):
    return np.argsort(-_costs(logits, labels), kind="stable")[:k]


def _naive(logits, labels, k):
    with np.errstate(all="ignore"):
        p = np.exp(np.asarray(logits, float))
        p = p / p.sum(1, keepdims=True)
        return np.argsort(-np.log(p[np.arange(len(p)), labels]))[::-1][:k]


@exercise(
    "2-3-d",
    hints=(
        "Le coût d'une image est `-log p[label]`, où `p` est le softmax de ses logits.",
        "Le log du softmax, sans danger : `z = logits - logits.max(1, keepdims=True)`, "
        "puis `z - np.log(np.exp(z).sum(1, keepdims=True))`.",
        "`costs = -log_p[np.arange(len(labels)), labels]`, puis `np.argsort(costs)[::-1][:k]`.",
    ),
    success="Les mêmes images signalent souvent les étiquettes fausses du jeu de données : en tête du tri, allez voir.",
)
def worst(worst):
    """Indices of the costliest images."""
    expect_function(worst, parameters=3, pure=True)
    rng = np.random.default_rng(23)
    spread = rng.normal(size=(8, 4)) * 3
    cases = [
        (np.array([[2.0, 0.0, 1.0], [0.0, 5.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.5, 0.0]]), np.array([0, 0, 0, 1]), 2),
        (spread, rng.integers(0, 4, 8), 5),
        (np.array([[1200.0, 0.0], [0.0, 900.0], [1500.0, 1495.0], [3.0, 5.0]]), np.array([1, 0, 1, 0]), 3),
    ]
    expect_cases(
        worst,
        cases,
        reference=_worst,
        mistakes={
            like(lambda logits, labels, k: np.argsort(_costs(logits, labels))[:k]): (
                "Ce sont les images les mieux reconnues : la pire est celle du plus grand coût, retournez le tri."
            ),
            like(lambda logits, labels, k: np.argsort(_costs(logits, labels))[-k:]): (
                "Les bonnes images, mais la pire est la dernière : on l'attend en tête."
            ),
            like(lambda logits, labels, k: np.argsort(-np.max(logits, 1), kind="stable")[:k]): (
                "Vous triez par assurance, sans regarder l'étiquette : une image sûre et juste n'est pas une erreur."
            ),
            like(_naive): (
                "Juste tant que les logits sont petits ; `np.exp(1200)` vaut l'infini : "
                "soustrayez d'abord le maximum de la ligne."
            ),
            like(lambda logits, labels, k: np.argsort(np.take_along_axis(logits, labels[:, None], 1)[:, 0])[:k]): (
                "Vous triez par le logit de la vraie classe : il ne dit rien sans ceux des autres classes, "
                "passez par le log-softmax."
            ),
            like(lambda logits, labels, k: np.sort(_costs(logits, labels))[::-1][:k]): (
                "Ce sont les coûts : on attend les indices des images, `np.argsort`."
            ),
        },
    )


def _shift(images, dx):
    out = np.zeros_like(images)
    width = images.shape[2]
    for column in range(width):
        if 0 <= column - dx < width:
            out[:, :, column] = images[:, :, column - dx]
    return out


@exercise(
    "2-3-e",
    hints=(
        "Partez d'un tableau de zéros de la même forme, et copiez-y un morceau de l'image.",
        "Vers la droite : les colonnes `dx` à la fin reçoivent les colonnes du début. "
        "Les colonnes sont le troisième axe.",
        "`out[:, :, dx:] = images[:, :, :W - dx]` pour `dx >= 0` ; `out[:, :, :W + dx] = images[:, :, -dx:]` sinon.",
    ),
    success="Avec `np.roll`, ce qui sort à droite revient à gauche : "
    "une image impossible, que le test prendrait pour argent comptant.",
)
def shift(shift):
    """Horizontal translation with zeros."""
    expect_function(shift, parameters=2, pure=True)
    small = np.arange(1.0, 13.0).reshape(1, 3, 4, 1)
    batch = np.random.default_rng(3).random((2, 4, 5, 3))
    expect_cases(
        shift,
        [(small, 1), (small, -1), (small, 0), (batch, 3), (batch, -2)],
        reference=_shift,
        mistakes={
            like(lambda images, dx: np.roll(images, dx, axis=2)): (
                "Ce qui sort d'un côté revient de l'autre (`np.roll`) : on veut des zéros."
            ),
            like(lambda images, dx: _shift(images, -dx)): (
                "Le sens est inversé : un `dx` positif pousse l'image vers la droite."
            ),
            like(lambda images, dx: _shift(images.swapaxes(1, 2), dx).swapaxes(1, 2)): (
                "Vous décalez les lignes : les axes sont image, ligne, colonne, canal."
            ),
            like(lambda images, dx: _shift(images, max(dx, 0))): (
                "Un `dx` négatif doit pousser vers la gauche : traitez les deux signes."
            ),
            like(lambda images, dx: _shift(images, abs(dx))): "Un `dx` négatif doit pousser vers la gauche.",
            like(lambda images, dx: _shift(images, dx) if dx else np.zeros_like(images)): (
                "Avec `dx = 0`, l'image devient noire : `images[:, :, :-0]` est vide."
            ),
        },
    )
