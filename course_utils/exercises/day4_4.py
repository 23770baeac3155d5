"""Checks of lesson 4-4: real images, real weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_array, expect_cases, expect_function, expect_that, like

# --- 4-4-a : the number of classes, from the length of the file ----------------------------------------------------

_OFFICIAL, _CLASSES = 24_251_276, 80


def _classes(size: int, *, per_class: int = 4 * 3 * (513 + 257), exact: bool = True) -> int | None:
    """Count from the official file: every class more or less is worth so many bytes."""
    more, rest = divmod(size - _OFFICIAL, per_class)
    classes = _CLASSES + more
    return classes if not exact or (rest == 0 and classes >= 1) else None


def _length(classes: int) -> int:
    """Bytes of YOLOv4-tiny for some classes, head by head."""
    heads = sum(3 * (5 + classes) * channels + 3 * (5 + classes) for channels in (512, 256))
    official = sum(3 * (5 + _CLASSES) * channels + 3 * (5 + _CLASSES) for channels in (512, 256))
    return _OFFICIAL + 4 * (heads - official)


_SIZES = [(_length(classes),) for classes in (80, 20, 1, 3, 200)]
_WRONG_SIZES = [(_length(20) - 4,), (_length(20) + 2,), (_length(1) - 9240,), (20,)]


@exercise(
    "4-4-a",
    hints=(
        "Combien d'octets coûte une classe de plus ? Trois filtres de plus dans chacune des deux convolutions.",
        "Un filtre 1 × 1 sur 512 canaux : 512 poids et un biais, de quatre octets chacun.",
        "Une classe vaut 4 × 3 × (513 + 257) = 9240 octets. Partez de 80 classes, et regardez le reste de la division.",
    ),
    success="Deux nombres entiers, et l'on sait ce qu'un fichier sans étiquette peut être : "
    "c'est la vérification que fait `darknet.check_weights`.",
)
def classes_from_size(classes_from_size):
    """An inverse problem on whole numbers."""
    expect_function(classes_from_size, parameters=1)
    classes_from_size(_length(80))  # None here: untried
    expect_function(classes_from_size, parameters=1, may_return_none=True)
    slopes = {
        4 * 3 * 768: "Il manque les biais : sans normalisation, chaque filtre en a un.",
        3 * 770: "Vous comptez en nombres, et `size` est en octets : un `float32` en prend quatre.",
        4 * 3 * 513: "Il y a deux têtes : l'autre convolution, sur 256 canaux, grandit aussi.",
        4 * 3 * 257: "Il y a deux têtes : l'autre convolution, sur 512 canaux, grandit aussi.",
        4 * 770: "Chaque cellule a trois ancres : une classe de plus demande trois filtres de plus par tête.",
    }
    mistakes = {like(_counting(slope, exact)): text for slope, text in slopes.items() for exact in (True, False)}
    expect_cases(
        classes_from_size,
        _SIZES,
        reference=_classes,
        mistakes={
            like(lambda size: 80 if size == _OFFICIAL else None): "Ce fichier-là est bon, et vous n'y trouvez pas un "
            "nombre entier : combien d'octets coûte une classe ? Trois filtres de plus dans chacune des deux "
            "convolutions, biais compris, à quatre octets par nombre.",
            like(lambda size: (_classes(size) or 0) + 5): "Ce sont les `5 + classes` nombres d'une ancre : "
            "ôtez les cinq premiers.",
            **mistakes,
        },
    )
    for (size,) in _WRONG_SIZES:
        given = classes_from_size(size)
        expect_that(
            given is None,
            f"`classes_from_size({size})` renvoie {given!r} : aucun nombre de classes, à partir de 1, ne donne "
            "cette longueur. Regardez le reste de la division, et le signe, puis renvoyez `None`.",
        )
    return None


def _counting(per_class: int, exact: bool) -> Callable[[int], int | None]:
    return lambda size: _classes(size, per_class=per_class, exact=exact)


# --- 4-4-b : one convolution, from the file ------------------------------------------------------------------------


def _convolution(values: np.ndarray, filters: int, channels: int, size: int) -> tuple[np.ndarray, ...]:
    """Number by number."""
    beta, gamma, mean, variance = (np.array([values[k * filters + f] for f in range(filters)]) for k in range(4))
    kernel = np.zeros((size, size, channels, filters), values.dtype)
    position = 4 * filters
    for f in range(filters):
        for c in range(channels):
            for i in range(size):
                for j in range(size):
                    kernel[i, j, c, f] = values[position]
                    position += 1
    return kernel, gamma, beta, mean, variance, values[position:]


_PARTS = ("kernel", "gamma", "beta", "mean", "variance", "rest")


@exercise(
    "4-4-b",
    hints=(
        "Quatre vecteurs de `filters` nombres d'abord : `values[: 4 * filters].reshape(4, filters)`.",
        "Dans le fichier, β vient avant γ. Le noyau occupe les `filters * channels * size * size` nombres suivants.",
        "`values[...].reshape(filters, channels, size, size).transpose(2, 3, 1, 0)` : l'axe 2 (les lignes) "
        "passe en premier.",
    ),
    success="C'est toute la lecture d'un `.weights` : le reste n'est qu'une boucle sur les couches.",
)
def read_convolution(read_convolution):
    """Slices, then axes."""
    expect_function(read_convolution, parameters=4, pure=True)
    filters, channels, size = 5, 2, 3
    values = np.random.default_rng(4).normal(size=4 * filters + filters * channels * size * size + 7).astype(np.float32)
    answer = read_convolution(values, filters, channels, size)
    if answer is None or answer is ...:
        return answer
    expect_that(
        isinstance(answer, (tuple, list)) and len(answer) == 6,
        "`read_convolution` doit renvoyer six tableaux : kernel, gamma, beta, mean, variance, rest.",
    )
    expected: dict[str, Any] = dict(zip(_PARTS, _convolution(values, filters, channels, size), strict=True))
    given = dict(zip(_PARTS, answer, strict=True))
    block = values[4 * filters : -7]
    _vectors(given, expected)
    first = values[: len(block)]
    expect_array(
        given["kernel"],
        expected["kernel"],
        name="kernel",
        mistakes=[
            (
                block.reshape(size, size, channels, filters),
                "Les nombres sont bons, l'ordre non : `reshape` seul relit la file comme si elle était déjà rangée "
                "à la façon de Keras. Donnez-lui la forme du fichier, (filtres, canaux, lignes, colonnes), "
                "puis `transpose`.",
            ),
            (
                block.reshape(filters, channels, size, size),
                "C'est le noyau dans l'ordre du fichier ; Keras le veut en (lignes, colonnes, canaux, filtres).",
            ),
            (
                block.reshape(filters, channels, size, size).transpose(3, 2, 1, 0),
                "Lignes et colonnes sont échangées : chaque filtre est couché sur sa diagonale.",
            ),
            (
                block.reshape(channels, filters, size, size).transpose(2, 3, 0, 1),
                "Dans le fichier, les filtres viennent avant les canaux.",
            ),
            (
                first.reshape(filters, channels, size, size).transpose(2, 3, 1, 0),
                "Le noyau ne commence qu'après les quatre vecteurs.",
            ),
        ],
    )
    expect_array(
        given["rest"],
        expected["rest"],
        name="rest",
        mistakes=[(values[4 * filters :], "`rest` commence après le noyau, pas seulement après les quatre vecteurs.")],
    )
    return None


def _vectors(given: dict[str, Any], expected: dict[str, Any]) -> None:
    """Check γ, β and the statistics; the usual mix-ups have their own sentence."""
    for name in ("gamma", "beta", "mean", "variance"):
        others = [(expected[other], f"`{name}` contient `{other}`.") for other in _PARTS[1:5] if other != name]
        order = "Dans le fichier : biais β, échelles γ, moyennes, variances."
        expect_array(given[name], expected[name], name=name, mistakes=[(v, f"{text} {order}") for v, text in others])


# --- 4-4-c : boxes back to the image -------------------------------------------------------------------------------


def _back(boxes, image_size, input_size, *, scale=min, bands=True, clip=True, swapped=False, late=False):
    """Coordinate by coordinate, with the faults asked for."""
    height, width = image_size[::-1] if swapped else image_size
    ratio = scale(input_size[0] / height, input_size[1] / width)
    left, top = (input_size[1] - ratio * width) / 2, (input_size[0] - ratio * height) / 2
    rows = []
    for box in np.asarray(boxes, float):
        row = []
        for rank, value in enumerate(box):
            band = (left, top)[rank % 2] if bands else 0.0
            value = value / ratio - band if late else (value - band) / ratio
            row.append(min(max(value, 0.0), (width, height)[rank % 2]) if clip else value)
        rows.append(row)
    return np.array(rows).reshape(-1, 4)


def _stretched(boxes, image_size, input_size):
    factors = np.array([image_size[1] / input_size[1], image_size[0] / input_size[0]] * 2)
    return np.clip(np.asarray(boxes) * factors, 0, [image_size[1], image_size[0]] * 2)


_BOXES = np.array([[10.0, 60.0, 110.0, 200.0], [100.0, 90.0, 318.0, 262.0], [-20.0, 10.0, 60.0, 330.0]])


@exercise(
    "4-4-c",
    hints=(
        "Le facteur est le plus petit des deux rapports : `min(input_size[0] / height, input_size[1] / width)`.",
        "L'image réduite est centrée : la bande de gauche mesure `(input_size[1] - facteur * width) / 2`, "
        "celle du haut de même avec les hauteurs.",
        "`(boxes - [gauche, haut, gauche, haut]) / facteur`, puis `np.clip` entre 0 et `[width, height] * 2`.",
    ),
    success="La même transformation, à l'endroit, amène les vraies boîtes à l'entrée du réseau pour l'entraîner.",
)
def to_image(to_image):
    """Undo a letterbox."""
    expect_function(to_image, parameters=3, pure=True)
    cases = [
        (_BOXES, (240, 320), (320, 320)),
        (_BOXES, (480, 200), (320, 320)),
        (_BOXES, (100, 100), (320, 480)),
        (np.zeros((0, 4)), (240, 320), (320, 320)),
    ]
    expect_cases(
        to_image,
        cases,
        reference=_back,
        rtol=1e-6,
        atol=1e-6,
        mistakes={
            like(lambda *a: _back(*a, bands=False)): "Il reste à retirer les bandes grises : l'image est centrée dans "
            "l'entrée, elle ne commence pas au coin.",
            like(lambda *a: _back(*a, late=True)): "Les bandes se mesurent en pixels de l'entrée : retirez-les "
            "avant de diviser, pas après.",
            like(lambda *a: _back(*a, scale=max)): "Avec le plus grand des deux rapports, l'image dépasserait de "
            "l'entrée : prenez le plus petit.",
            like(lambda *a: _back(*a, clip=False)): "Une boîte dépasse de l'image : coupez-la avec `np.clip`.",
            like(lambda *a: _back(*a, swapped=True)): "Les tailles sont (hauteur, largeur) ; "
            "x se compte le long de la largeur.",
            like(_stretched): "C'est le retour d'une image étirée : ici, le facteur est le même dans les deux sens.",
        },
    )


# --- 4-4-d : a normalisation folded into its convolution ------------------------------------------------------------


def _probed(kernel, gamma, beta, mean, variance, epsilon):
    """Question the pair: no input gives the bias, a lone one at some place gives the weight of that place."""

    def output(number: float, f: int) -> float:
        return float(gamma[f]) * (number - float(mean[f])) / (float(variance[f]) + epsilon) ** 0.5 + float(beta[f])

    bias = np.array([output(0.0, f) for f in range(len(gamma))])
    weights = np.zeros(kernel.shape)
    for place in np.ndindex(kernel.shape):
        weights[place] = output(float(kernel[place]), place[-1]) - bias[place[-1]]
    return weights, bias


def _folding(
    *,
    deviation: Callable[..., Any] = lambda variance, epsilon: np.sqrt(variance + epsilon),
    bias: Callable[..., Any] = lambda beta, mean, scale: beta - mean * scale,
    apply: Callable[..., Any] = lambda kernel, scale: kernel * scale,
) -> like:
    """Recognise a wrong way to fold: each of the three steps may be replaced."""

    def answer(kernel, gamma, beta, mean, variance, epsilon):
        scale = gamma / deviation(variance, epsilon)
        return apply(kernel, scale), bias(beta, mean, scale)

    return like(answer)


def _layer(seed: int, shape: tuple[int, int, int, int], variance: float) -> tuple[np.ndarray, ...]:
    """Kernel, γ (of both signs), β, mean and variances, the first of them as given."""
    rng = np.random.default_rng(seed)
    filters = shape[-1]
    gamma = rng.uniform(0.5, 2.0, filters) * np.where(np.arange(filters) % 2, -1, 1)
    spread = np.append(variance, rng.uniform(0.3, 3.0, filters - 1).round(2))
    values = rng.normal(size=shape), gamma, rng.normal(size=filters), rng.normal(size=filters)
    return *(value.round(2) for value in values), spread


_LAYERS = [
    (np.array([[[[3.0, 2.0], [1.0, -4.0]]]]), *np.array([[4.0, -1.0], [1.0, 2.0], [3.0, -2.0], [4.0, 0.25]]), 1e-5),
    (*_layer(4, (3, 3, 3, 3), 2e-6), 1e-5),
    (*_layer(2, (1, 1, 6, 4), 5e-4), 1e-3),
    (*_layer(3, (3, 3, 2, 5), 0.7), 1e-3),
]
_FILTERS_LAST = "Un filtre, une échelle : chez Keras, les filtres sont le dernier axe du noyau, `kernel * scale`."
_FOLDS = {
    _folding(deviation=lambda variance, epsilon: variance + epsilon): "Il manque la racine : on divise par l'écart "
    "type, et `variance` en est le carré.",
    _folding(deviation=lambda variance, epsilon: np.sqrt(variance)): "Où est `epsilon` ? Pour un filtre dont la sortie "
    "ne varie presque pas, c'est lui qui compte : il s'ajoute à la variance, sous la racine.",
    _folding(deviation=lambda variance, epsilon: np.sqrt(variance) + epsilon): "`epsilon` s'ajoute à la variance, "
    "sous la racine, et non à l'écart type.",
    _folding(deviation=lambda variance, epsilon: np.sqrt(variance + 1e-5)): "Vous prenez toujours 1e-5 : c'est "
    "l'argument `epsilon` qu'il faut lire.",
    _folding(deviation=lambda variance, epsilon: np.sqrt(variance + 1e-3)): "Vous prenez toujours 1e-3 : c'est "
    "l'argument `epsilon` qu'il faut lire.",
    _folding(deviation=lambda variance, epsilon: 1.0): "Il reste à diviser par l'écart type : l'échelle est "
    "`gamma / np.sqrt(variance + epsilon)`.",
    _folding(bias=lambda beta, mean, scale: beta - mean): "La moyenne est multipliée, elle aussi : le biais est β "
    "moins la moyenne mise à l'échelle.",
    _folding(bias=lambda beta, mean, scale: beta): "La moyenne était soustraite avant l'échelle : elle doit se "
    "retrouver dans le biais.",
    _folding(bias=lambda beta, mean, scale: beta + mean * scale): "La moyenne est soustraite : regardez le signe.",
    _folding(bias=lambda beta, mean, scale: (beta - mean) * scale): "β s'ajoute après l'échelle : il n'est pas "
    "multiplié par elle.",
    _folding(bias=lambda beta, mean, scale: -mean * scale): "Et β ? Il s'ajoute à la fin, tel quel.",
    _folding(apply=lambda kernel, scale: kernel): "Le biais est bon, le noyau n'a pas changé : chaque filtre doit "
    "être multiplié par son échelle.",
    _folding(apply=lambda kernel, scale: kernel * scale[:, None]): "Vous multipliez les canaux d'entrée. "
    + _FILTERS_LAST,
    _folding(apply=lambda kernel, scale: kernel * scale[:, None, None, None]): "Vous multipliez les lignes, le premier "
    "axe, comme si le noyau était dans l'ordre de Darknet. " + _FILTERS_LAST,
    _folding(apply=lambda kernel, scale: (kernel * scale).transpose(3, 2, 0, 1)): "Votre noyau est dans l'ordre de "
    "Darknet, (filtres, canaux, lignes, colonnes) : rendez-le dans celui de Keras, comme vous l'avez reçu.",
}


@exercise(
    "4-4-d",
    hints=(
        "Développez `gamma * (z - mean) / np.sqrt(variance + epsilon) + beta` : qu'est-ce qui multiplie `z` ? "
        "que reste-t-il quand `z` vaut 0 ?",
        "`scale = gamma / np.sqrt(variance + epsilon)` est un vecteur, un nombre par filtre ; le biais est "
        "`beta - mean * scale`.",
        "Les filtres sont le dernier axe : `kernel * scale` donne un noyau neuf, de la même forme. "
        "Renvoyez-le avec le biais.",
    ),
    success="Une normalisation de moins, et pas un calcul de plus : c'est ainsi qu'un réseau part en service.",
)
def fold(fold):
    """Two lines of algebra, then an axis."""
    expect_function(fold, parameters=6, pure=True)
    answer = fold(*_LAYERS[0])
    if answer is None or answer is ...:
        return answer
    expect_that(
        isinstance(answer, (tuple, list)) and len(answer) == 2,
        "`fold` doit renvoyer deux tableaux, dans cet ordre : le noyau, puis le biais, un nombre par filtre.",
    )
    kernel, bias = (np.shape(part) for part in answer)
    expect_that(
        not (kernel == (2,) and len(bias) == 4),
        "`fold` renvoie le biais d'abord : on attend le noyau, puis le biais.",
    )
    expect_cases(fold, _LAYERS, reference=_probed, rtol=1e-4, atol=1e-7, mistakes=_FOLDS)
    return None
