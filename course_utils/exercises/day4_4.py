"""Checks of lesson 4-4: real images, real weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_array, expect_cases, expect_equal, expect_function, expect_that, like

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


# --- 4-4-d : the threshold of the best F1 --------------------------------------------------------------------------


def _threshold(scores, correct, positives, *, measure="f1", strict=False, lowest=False):
    """Try every score, in a loop."""
    best, chosen = -1.0, None
    for value in sorted({float(score) for score in scores}, reverse=not lowest):
        kept = [bool(c) for s, c in zip(scores, correct, strict=True) if (s > value if strict else s >= value)]
        hits = sum(kept)
        figures = {
            "f1": 2 * hits / (len(kept) + positives),
            "precision": hits / len(kept) if kept else 0.0,
            "recall": hits / positives,
            "found only": 2 * hits / max(1, len(kept) + sum(map(bool, correct))),
            "right": hits - (len(kept) - hits),
        }
        if figures[measure] > best + 1e-12:
            best, chosen = figures[measure], value
    return chosen


_EVERYTHING = "C'est le rappel que vous maximisez : il aime les seuils si bas que tout est gardé."
_DETECTIONS = [
    (np.array([0.9, 0.8, 0.7, 0.7, 0.6, 0.5, 0.4, 0.3]), np.array([1, 1, 0, 1, 0, 1, 0, 0], bool), 9),
    (np.array([0.2, 0.95, 0.5, 0.35, 0.6, 0.5]), np.array([1, 0, 1, 1, 1, 0], bool), 4),
    (np.array([0.9, 0.8, 0.7, 0.6]), np.array([0, 1, 0, 1], bool), 2),
    (np.array([0.9, 0.5, 0.5, 0.5, 0.5]), np.array([1, 1, 0, 0, 0], bool), 2),
    (np.array([0.4, 0.4, 0.3]), np.array([1, 0, 0], bool), 1),
    (np.array([0.9, 0.6, 0.5, 0.4, 0.3, 0.2]), np.array([1, 0, 1, 0, 0, 1], bool), 20),
    (np.array([0.8, 0.6, 0.4, 0.2]), np.array([1, 0, 0, 1], bool), 2),
]


@exercise(
    "4-4-d",
    hints=(
        "F1 s'écrit aussi `2 * justes / (gardées + positives)` : plus de division par zéro.",
        "Essayez chaque valeur de `scores` : `kept = scores >= value`, puis comptez `kept.sum()` et "
        "`correct[kept].sum()`.",
        "Parcourez `np.unique(scores)[::-1]`, du plus haut au plus bas, et ne remplacez le meilleur que s'il est "
        "strictement dépassé.",
    ),
    success="F1 traite les deux erreurs à égalité ; si un fantôme vous coûte dix fois un oubli, changez la formule, "
    "pas la méthode.",
)
def best_threshold(best_threshold):
    """A search over thresholds, ties included."""
    expect_function(best_threshold, parameters=3, pure=True)
    expect_cases(
        best_threshold,
        _DETECTIONS,
        reference=_threshold,
        rtol=1e-9,
        mistakes={
            like(lambda *a: _threshold(*a, measure="precision")): "C'est la précision que vous maximisez : elle aime "
            "les seuils si hauts que presque rien n'est gardé.",
            like(lambda scores, correct, positives: min(scores)): _EVERYTHING,
            like(lambda *a: _threshold(*a, measure="recall")): _EVERYTHING,
            like(lambda *a: _threshold(*a, measure="found only")): "Vous comptez les objets que le détecteur a vus ; "
            "`positives` compte aussi ceux qu'il n'a jamais proposés.",
            like(
                lambda *a: _threshold(*a, strict=True)
            ): "On garde les scores supérieurs **ou égaux** au seuil : `>=`.",
            like(lambda *a: _threshold(*a, lowest=True)): "En cas d'égalité, on veut le seuil le plus haut.",
            like(lambda *a: _threshold(*a, measure="right")): "Justes moins fausses n'est pas F1 : "
            "les objets manqués n'y comptent pas.",
            like(_one_by_one): "Deux boîtes de même score sont gardées ensemble, ou pas du tout : ne les séparez pas.",
        },
    )
    expect_equal(bool(np.isscalar(best_threshold(*_DETECTIONS[2]))), True, name="un seul nombre")


def _one_by_one(scores, correct, positives):
    """Cut a sorted list, even between equal scores."""
    order = np.argsort(-np.asarray(scores), kind="stable")
    hits = np.cumsum(np.asarray(correct)[order])
    return float(np.asarray(scores)[order][np.argmax(2 * hits / (np.arange(len(order)) + 1 + positives))])
