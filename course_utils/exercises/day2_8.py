"""Checks of lesson 2-8: pixel conventions, a linear probe, trainable parameters, a frozen batch norm, strategies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    Refusal,
    expect_between,
    expect_cases,
    expect_choice,
    expect_equal,
    expect_function,
    expect_that,
    like,
)

Array = NDArray[Any]

# --- 2-8-a : pixels ------------------------------------------------------------------------------------------------

_MEAN, _STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
_MEAN_BGR = (103.939, 116.779, 123.68)


def _prepared(images: Array, convention: str) -> Array:
    """Channel by channel."""
    result = np.empty(images.shape)
    for c in range(3):
        plane = images[..., c]
        if convention == "levels":
            result[..., c] = plane * 255
        elif convention == "symmetric":
            result[..., c] = (plane - 0.5) / 0.5
        elif convention == "imagenet":
            result[..., c] = (plane - _MEAN[c]) / _STD[c]
        else:
            result[..., c] = images[..., 2 - c] * 255 - _MEAN_BGR[c]
    return result


def _caffe_as(formula: Any) -> Any:
    """Return the right function but for `caffe`."""
    return lambda images, convention: formula(images) if convention == "caffe" else _prepared(images, convention)


def _imagenet_as(formula: Any) -> Any:
    return lambda images, convention: formula(images) if convention == "imagenet" else _prepared(images, convention)


@exercise(
    "2-8-a",
    hints=(
        "Un `if` par convention. NumPy applique `MEAN` canal par canal, puisque les canaux sont le dernier axe.",
        "De [0, 1] à [−1, 1] : `2 * images - 1`. Pour retourner les canaux : `images[..., ::-1]`.",
        "`caffe` : `255 * images[..., ::-1] - MEAN_BGR` ; `imagenet` : `(images - MEAN) / STD`.",
    ),
    success="Quatre conventions, aucune erreur pour qui se trompe : gardez toujours la préparation avec le réseau.",
)
def normalise(normalise):
    """Four pixel conventions."""
    expect_function(normalise, parameters=2, pure=True)
    images = np.random.default_rng(0).integers(0, 11, (1, 1, 2, 3)) / 10
    expect_cases(
        normalise,
        [(images, name) for name in ("levels", "symmetric", "imagenet", "caffe")],
        reference=_prepared,
        rtol=1e-5,
        atol=1e-5,
        mistakes={
            like(lambda x, name: x * 2 if name == "symmetric" else _prepared(x, name)): "`2 * images` va de 0 à 2 : "
            "il faut encore retirer 1.",
            like(lambda x, name: x - 0.5 if name == "symmetric" else _prepared(x, name)): "Vous allez de −0.5 à 0.5 : "
            "l'intervalle [−1, 1] est deux fois plus large.",
            like(_caffe_as(lambda x: 255 * x - np.array(_MEAN_BGR))): "`caffe` : il reste à retourner les canaux, "
            "de rouge-vert-bleu à bleu-vert-rouge.",
            like(_caffe_as(lambda x: (255 * x - np.array(_MEAN_BGR))[..., ::-1])): "`caffe` : `MEAN_BGR` est déjà dans "
            "l'ordre bleu-vert-rouge ; retournez les canaux avant de la retirer.",
            like(_caffe_as(lambda x: 255 * x[:, :, ::-1] - np.array(_MEAN_BGR))): "`caffe` : vous avez retourné "
            "l'image de gauche à droite, pas les canaux ; le dernier axe s'écrit `[..., ::-1]`.",
            like(_caffe_as(lambda x: x[..., ::-1] - np.array(_MEAN_BGR))): "`caffe` : les moyennes sont entre 0 et "
            "255 ; mettez d'abord les pixels à cette échelle.",
            like(_imagenet_as(lambda x: x - np.array(_MEAN))): "`imagenet` : il reste à diviser par `STD`.",
            like(_imagenet_as(lambda x: (255 * x - np.array(_MEAN)) / np.array(_STD))): "`imagenet` : `MEAN` et `STD` "
            "sont entre 0 et 1, comme vos pixels ; n'en changez pas l'échelle.",
            like(_imagenet_as(lambda x: (x - x.mean((0, 1, 2))) / x.std((0, 1, 2)))): "`imagenet` : ce sont les "
            "moyennes d'ImageNet qu'il faut, pas celles de vos images.",
        },
    )


# --- 2-8-b : a linear probe ----------------------------------------------------------------------------------------

_CLASSES = (2, 5, 7)


def _features(n: int, seed: int) -> tuple[Array, Array]:
    """Return features of very different scales: the useful columns are small, the loud ones useless."""
    rng = np.random.default_rng(seed)
    ranks = np.arange(n) % 3
    centres = np.random.default_rng(99).normal(0, 1.3, (3, 30))
    useful = centres[ranks] + rng.normal(0, 1, (n, 30))
    features = np.concatenate([0.01 * useful + 0.2, rng.normal(5, 3, (n, 90))], axis=1)
    return features.astype(np.float32), np.array(_CLASSES)[ranks]


@exercise(
    "2-8-b",
    hints=(
        "Commencez par mettre toutes les colonnes à la même échelle, avec la moyenne et l'écart type de `features`.",
        "`StandardScaler().fit(features)` apprend la mise à l'échelle ; appliquez la même à `new_features`. "
        "Puis `LogisticRegression(C=0.1, max_iter=1000)`.",
        "`scaler = StandardScaler().fit(features)`, puis "
        "`LogisticRegression(C=0.1).fit(scaler.transform(features), labels).predict(scaler.transform(new_features))`.",
    ),
)
def probe(probe):
    """Standardise with the training set, regularise, predict labels."""
    expect_function(probe, parameters=3, pure=True)
    (features, labels), (fresh, truth) = _features(90, 1), _features(120, 2)
    found = probe(features, labels, fresh)
    if found is None or found is ...:
        return probe(features, labels, fresh[:1])
    predicted = np.asarray(found)
    if predicted.shape != truth.shape:
        raise Refusal(
            f"`probe` renvoie la forme {predicted.shape} pour 120 exemples : on attend 120 étiquettes, "
            "une par ligne de `new_features`, et non des scores ou des probabilités."
        )
    strangers = sorted(set(predicted.tolist()) - set(_CLASSES))
    expect_that(
        not strangers,
        f"`probe` a prédit {strangers[:3]}, alors que `labels` ne contient que 2, 5 et 7. "
        "Renvoyez les étiquettes elles-mêmes, pas leur rang.",
    )
    alone = np.array([np.asarray(probe(features, labels, row[None])).ravel()[0] for row in fresh[:6]])
    expect_that(
        np.array_equal(alone, predicted[:6]),
        "Vos prédictions changent quand les exemples neufs arrivent un par un : la mise à l'échelle doit venir de "
        "`features`, jamais de `new_features`.",
    )
    accuracy = float(np.mean(predicted == truth))
    expect_between(
        accuracy,
        0.85,
        1.0,
        name="l'exactitude de `probe`",
        below="Les colonnes utiles sont cent fois plus petites que les autres : sont-elles à la même échelle ?",
    )
    percent = f"{100 * accuracy:.0f}"
    return f"{percent} % sur des exemples neufs, avec 120 colonnes pour 90 exemples."


# --- 2-8-c : trainable parameters ----------------------------------------------------------------------------------


@exercise(
    "2-8-c",
    hints=(
        "Convolution sans biais : 3 × 3 × canaux d'entrée × filtres. Tête : une entrée par canal de la moyenne.",
        "Une normalisation par lots a quatre nombres par canal, dont deux seulement s'apprennent : `gamma` et `beta`.",
        "Convolutions : 432 et 4608 ; ce qui s'apprend dans les normalisations : 32 et 64 ; tête : 32 × 5 + 5.",
    ),
    success="Geler le corps divise par trente ce qui s'apprend. Vérifiez toujours ce nombre avant `fit`.",
)
def trainable(frozen, top, everything):
    """Count by hand in three states of freezing."""
    expect_equal(
        frozen,
        165,
        reveal=False,
        name="frozen",
        mistakes={
            160: "Il manque les biais de la tête.",
            229: "Les normalisations du corps sont gelées aussi : `gamma` et `beta` ne comptent pas.",
            261: "Les normalisations du corps sont gelées aussi : `gamma` et `beta` ne comptent pas.",
            0: "La tête, elle, n'est pas gelée.",
        },
    )
    expect_equal(
        top,
        4773,
        reveal=False,
        name="top",
        mistakes={
            4608: "La tête s'apprend toujours : ajoutez-la.",
            4837: "Sa normalisation reste gelée : ne comptez pas ses `gamma` et `beta`.",
            4805: "Cette convolution n'a pas de biais (`use_bias=False`).",
            453: "Son noyau traverse les 16 canaux qu'elle reçoit : 3 × 3 × 16 × 32.",
        },
    )
    expect_equal(
        everything,
        5301,
        reveal=False,
        name="everything",
        mistakes={
            5397: "Les moyennes et variances glissantes ne s'apprennent pas par gradient : "
            "deux nombres par canal, pas quatre.",
            5205: "Il manque `gamma` et `beta` des deux normalisations, cette fois dégelées.",
            5349: "Les convolutions n'ont pas de biais (`use_bias=False`).",
            5136: "Il manque la tête.",
        },
    )


# --- 2-8-d : a frozen batch norm -----------------------------------------------------------------------------------


def _norm(x, gamma, beta, mean, variance, training, frozen, *, average=None, update=None):
    """Batch norm; ``average`` and ``update`` say when batch statistics are used and kept."""
    learning = training and not frozen
    average = learning if average is None else average
    update = learning if update is None else update
    batch_mean = np.add.reduce(x) / len(x)
    batch_variance = np.add.reduce((x - batch_mean) ** 2) / len(x)
    used = (batch_mean, batch_variance) if average else (mean, variance)
    y = gamma * (x - used[0]) / np.sqrt(used[1] + 1e-3) + beta
    if update:
        mean, variance = 0.9 * mean + 0.1 * batch_mean, 0.9 * variance + 0.1 * batch_variance
    return y, mean, variance


@exercise(
    "2-8-d",
    hints=(
        "Une couche gelée calcule toujours comme en service, même pendant l'entraînement.",
        "Une seule condition est à changer : quand la couche a-t-elle le droit de regarder le lot ?",
        "`if training and not frozen:`",
    ),
    success="C'est exactement ce que fait `BatchNormalization` de Keras quand `trainable` vaut False.",
)
def frozen_norm(batch_norm):
    """Frozen: moving statistics are used and kept, whatever the mode."""
    expect_function(batch_norm, parameters=7, pure=True)
    x = np.array([[0.0, 4.0], [2.0, 8.0], [4.0, 6.0]])
    state = np.array([1.0, 2.0]), np.array([0.5, -1.0]), np.array([1.0, 3.0]), np.array([2.0, 1.0])
    expect_cases(
        batch_norm,
        [(x, *state, *mode) for mode in ((False, False), (True, False), (True, True), (False, True))],
        reference=_norm,
        rtol=1e-6,
        mistakes={
            like(lambda *a: _norm(*a, average=a[5], update=a[5])): "Gelée ou non, votre couche regarde le lot dès que "
            "`training` est vrai : c'est le défaut d'origine.",
            like(lambda *a: _norm(*a, average=a[5])): "Les statistiques gardées ne bougent plus, mais la sortie d'une "
            "couche gelée est encore normalisée par le lot.",
            like(lambda *a: _norm(*a, update=a[5])): "La sortie est bonne, mais une couche gelée met encore à jour "
            "`mean` et `variance`.",
            like(lambda *a: _norm(*a, average=False, update=False)): "Une couche qui n'est pas gelée doit encore "
            "apprendre ses statistiques quand `training` est vrai.",
            like(
                lambda *a: _norm(*a, average=not a[6], update=not a[6])
            ): "En service (`training` faux), aucune couche ne regarde le lot, gelée ou non.",
        },
    )


# --- 2-8-e : strategies --------------------------------------------------------------------------------------------


@exercise(
    "2-8-e",
    hints=(
        "Deux questions à chaque fois : combien d'images étiquetées, et ressemblent-elles à des photos ?",
        "Regardez d'abord s'il y a quelque chose à apprendre ; puis si les poids peuvent seulement entrer "
        "dans le réseau.",
        "Pommes : peu et proche. Fleurs : beaucoup et proche. Radar : beaucoup et lointain. Chiens : déjà appris.",
    ),
    success="Le tableau se lit en deux questions ; la meilleure est la troisième : faut-il vraiment entraîner ?",
)
def strategies(apples, flowers, radar, holidays):
    """One letter for each situation."""
    expect_choice(
        apples,
        "a",
        name="apples",
        feedback={
            "b": "Soixante photos contre des millions de poids : le réglage fin apprendrait ces photos par cœur.",
            "c": "Soixante photos ne suffisent pas pour apprendre à voir.",
            "d": "ImageNet connaît une pomme (Granny Smith), pas vos trois variétés : il reste une tête à apprendre.",
        },
    )
    expect_choice(
        flowers,
        "b",
        name="flowers",
        feedback={
            "a": "Ce serait un bon point de départ ; avec 40 000 photos et une carte graphique, dégeler rapporte.",
            "c": "Ce sont des photos : pourquoi réapprendre les bords et les pétales ?",
            "d": "Deux cents espèces de fleurs ne sont pas parmi les classes d'ImageNet.",
        },
    )
    expect_choice(
        radar,
        "c",
        name="radar",
        feedback={
            "a": "Neuf canaux n'entrent pas dans un réseau qui en attend trois, et ces signaux ne sont pas des photos.",
            "b": "La première couche attend trois canaux, et rien ici ne ressemble à une photo : les données suffisent "
            "pour partir de zéro.",
            "d": "Aucun réseau du commerce ne connaît vos classes.",
        },
    )
    expect_choice(
        holidays,
        "d",
        name="holidays",
        feedback={
            "a": "C'est possible, mais il faudrait étiqueter des photos : le réseau sait déjà reconnaître 118 races.",
            "b": "Rien à régler : additionnez les probabilités des 118 races.",
            "c": "Réapprendre ce qu'ImageNet sait déjà ?",
        },
    )
