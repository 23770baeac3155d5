"""Checks of lesson 1-2: sizes of an image, grey levels, Otsu's threshold, a slope by the chain rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import expect_cases, expect_equal, expect_function, like

Array = NDArray[Any]

# --- 1-2-a : sizes -------------------------------------------------------------------------------------------------

_CHANNELS_FIRST = "C'est l'ordre « canaux d'abord » de PyTorch ; dans ce cours, les canaux viennent en dernier."
_BITS = "C'est un nombre de bits : un octet en compte huit."


@exercise(
    "1-2-a",
    hints=(
        "NumPy compte d'abord les lignes (la hauteur), puis les colonnes (la largeur), puis les canaux ; "
        "un lot ajoute devant le nombre d'images.",
        "Le nombre d'octets est le produit de tous les nombres de la forme, fois la taille d'une valeur : "
        "un octet en uint8.",
        "Un float32 occupe 32 bits, c'est-à-dire 4 octets : `batch_bytes` est le produit de `batch_shape`, fois 4.",
    ),
    success="Une seule photo non compressée pèse presque deux lots de 32 vignettes : "
    "réduire les images est la première économie de mémoire.",
)
def sizes(shape, n_bytes, batch_shape, batch_bytes):
    """What are the shapes of a photo and of a batch, and how many bytes do they hold?"""
    expect_equal(
        shape,
        (3000, 4000, 3),
        reveal=False,
        mistakes=[
            ((4000, 3000, 3), "On dit « 4000 × 3000 », largeur d'abord ; un tableau compte les lignes d'abord."),
            ((3, 3000, 4000), _CHANNELS_FIRST),
            ((3000, 4000), "Il y manque les trois canaux."),
            ((4000, 3000), "Il y manque les trois canaux, et un tableau compte les lignes d'abord."),
        ],
    )
    expect_equal(
        n_bytes,
        3000 * 4000 * 3,
        reveal=False,
        mistakes={
            3000 * 4000: "C'est le nombre de pixels : chacun a trois valeurs.",
            3000 * 4000 * 3 * 8: _BITS,
            3000
            * 4000
            * 3
            * 4: "Vous avez compté 4 octets par valeur, comme en float32 ; en 8 bits, il n'en faut qu'un.",
            36: "Sont-ce des mégaoctets ? Donnez le nombre d'octets.",
        },
    )
    expect_equal(
        batch_shape,
        (32, 224, 224, 3),
        reveal=False,
        mistakes=[
            ((224, 224, 3, 32), "Le numéro de l'image est le premier axe : ainsi `batch[0]` est une image entière."),
            ((32, 3, 224, 224), _CHANNELS_FIRST),
            ((224, 224, 3), "C'est la forme d'une seule image : le lot en compte 32."),
            ((32, 224, 224), "Il y manque les trois canaux."),
        ],
    )
    values = 32 * 224 * 224 * 3
    expect_equal(
        batch_bytes,
        4 * values,
        reveal=False,
        mistakes={
            values: "Il y a bien autant de valeurs, mais un float32 occupe 4 octets.",
            32 * values: _BITS,
            8 * values: "8 octets par valeur, ce serait du float64.",
            4 * values // 3: "Les trois canaux manquent.",
            4 * values // 32: "C'est le poids d'une seule image du lot.",
        },
    )


# --- 1-2-b : grey --------------------------------------------------------------------------------------------------

_REC_601 = np.array([0.299, 0.587, 0.114])
_REC_709 = np.array([0.2125, 0.7154, 0.0721])


def _opencv_grey(image: Array) -> Array:
    import cv2

    unit = np.float32(255 if image.dtype == np.uint8 else 1)
    return cv2.cvtColor(image.astype(np.float32) / unit, cv2.COLOR_RGB2GRAY)


def _by_dtype(image: Array) -> int:
    return 255 if image.dtype == np.uint8 else 1


def _by_maximum(image: Array) -> int:
    return 255 if image.max() > 1 else 1


def _grey(weights: Array = _REC_601, scale: Callable[[Array], int] = _by_dtype) -> Callable[[Array], Array]:
    return lambda image: image @ weights / scale(image)


def _grey_images() -> list[Array]:
    """Return pure colours, the same in bytes, noise, and a photograph of a cellar: bytes that never exceed 1."""
    rng = np.random.default_rng(12)
    pure = np.array([[[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [1, 1, 1]]], np.float32)
    return [
        pure,
        (255 * pure).astype(np.uint8),
        rng.random((3, 5, 3), np.float32),
        rng.integers(0, 2, (4, 4, 3), np.uint8),
    ]


_GREY_MISTAKES = [
    (like(_grey(np.full(3, 1 / 3))), "C'est la moyenne des trois canaux ; on demande 0,299 R + 0,587 V + 0,114 B."),
    (like(_grey(_REC_709)), "Ce sont les poids de la Rec. 709 (scikit-image) ; on demande ceux de la Rec. 601."),
    (
        like(_grey(_REC_601[::-1])),
        "Les poids sont dans l'ordre bleu, vert, rouge, celui d'OpenCV quand il lit un fichier ; "
        "ici, le rouge est le canal 0.",
    ),
    (like(_grey(scale=lambda image: 1)), "Une image uint8 va de 0 à 255 : il faut la ramener entre 0 et 1."),
    (
        like(_grey(scale=lambda image: 255)),
        "Une image en float est déjà entre 0 et 1 : ne divisez que si `image.dtype == np.uint8`.",
    ),
    (
        like(_grey(scale=_by_maximum)),
        "Vous décidez d'après le maximum : une image uint8 presque noire, où rien ne dépasse 1, "
        "passe alors pour une image en float. Décidez d'après `image.dtype`.",
    ),
    (
        like(lambda image: _grey()(image).astype(image.dtype)),
        "Le résultat a gardé le type de l'image : en uint8, tout est tronqué à 0 ou 1. Convertissez en float32.",
    ),
    (
        like(lambda image: _grey(scale=lambda image: 1)(image).astype(image.dtype)),
        "Le résultat a gardé le type et l'échelle de l'image : on le veut entre 0 et 1, en float32.",
    ),
]


@exercise(
    "1-2-b",
    hints=(
        "Deux questions, dans l'ordre : d'où vient l'image (uint8 ou float) ? quel poids pour chaque canal ?",
        "`image.dtype == np.uint8` dit s'il faut diviser par 255 ; regarder le maximum ne le dit pas.",
        "`image @ weights` fait le produit scalaire de chaque pixel avec les trois poids ; "
        "terminez par `.astype(np.float32)`.",
    ),
    success="Décider d'après le type, et non d'après le maximum, protège des images très sombres.",
)
def to_grey(to_grey):
    """Does the function give the Rec. 601 luminance, in float32, for images in bytes and in floats?"""
    expect_function(to_grey, parameters=1, pure=True)
    cases = [(image,) for image in _grey_images()]
    expect_cases(to_grey, cases, _opencv_grey, atol=1e-5, dtype="float32", mistakes=_GREY_MISTAKES)


# --- 1-2-c : Otsu --------------------------------------------------------------------------------------------------


def _skimage_otsu(counts: Array) -> int:
    from skimage.filters import threshold_otsu

    return int(threshold_otsu(hist=(counts, np.arange(len(counts)))))


def _between(n0: Array, n1: Array, m0: Array, m1: Array) -> Array:
    return n0 * n1 * (m0 - m1) ** 2


def _otsu(
    score: Callable[..., Array] = _between, best: Callable[[Array], Any] = np.nanargmax, shift: int = 0
) -> Callable[[Array], int]:
    """Return Otsu's method with another score, another choice, or a shifted answer."""

    def threshold(counts: Array) -> int:
        n0, sums = np.cumsum(counts).astype(float), np.cumsum(counts * np.arange(len(counts)))
        n1 = n0[-1] - n0
        with np.errstate(divide="ignore", invalid="ignore"):
            return int(best(score(n0, n1, sums / n0, (sums[-1] - sums) / n1))) + shift

    return threshold


def _lowest_positive(scores: Array) -> Any:
    return np.nanargmin(np.where(scores > 0, scores, np.nan))


def _histograms() -> list[Array]:
    """Return the histogram of a photograph, then two of our own: a rare class, and two wide ones."""
    from course_utils.data import photo

    rng = np.random.default_rng(7)
    coins = 255 * photo("coins").ravel()
    rare = np.concatenate([rng.normal(70, 12, 9000), rng.normal(190, 10, 400)])
    wide = np.concatenate([rng.normal(60, 20, 3000), rng.normal(150, 30, 6000)])
    return [np.bincount(np.clip(np.rint(v), 0, 255).astype(np.uint8), minlength=256) for v in (coins, rare, wide)]


_OTSU_MISTAKES = [
    (
        like(_otsu(best=np.argmax)),
        "Aux deux bouts, un groupe est vide : sa moyenne vaut NaN (0/0), et `np.argmax` s'arrête au premier NaN. "
        "Écartez ces seuils.",
    ),
    (
        like(_otsu(lambda n0, n1, m0, m1: (m0 - m1) ** 2)),
        "L'écart des moyennes, seul, favorise les groupes minuscules : multipliez-le par les deux effectifs.",
    ),
    (like(_otsu(lambda n0, n1, m0, m1: n0 * n1 * abs(m0 - m1))), "L'écart des moyennes doit être au carré."),
    (
        like(_otsu(best=_lowest_positive)),
        "Vous cherchez le minimum de la variance entre les groupes : il faut son maximum.",
    ),
    (like(_otsu(shift=1)), "Un cran trop haut : le groupe sombre contient le niveau `t` lui-même, `counts[:t + 1]`."),
    (like(_otsu(shift=-1)), "Un cran trop bas : le groupe sombre va jusqu'au niveau `t` compris, `counts[:t + 1]`."),
    (like(np.argmax), "C'est le gris le plus fréquent, pas celui qui sépare le mieux."),
    (
        like(lambda counts: counts @ np.arange(len(counts)) / counts.sum()),
        "C'est le gris moyen de l'image, pas celui qui sépare le mieux.",
    ),
    (lambda value: value > 255, "Est-ce la variance elle-même ? On demande le seuil qui la rend maximale."),
]


@exercise(
    "1-2-c",
    hints=(
        "Pour un seuil `t`, le groupe sombre compte `counts[:t + 1].sum()` pixels, "
        "et la somme de leurs gris est `(counts * levels)[:t + 1].sum()`.",
        "Une boucle sur les seuils suffit ; si l'un des groupes est vide, sa moyenne n'existe pas : passez au suivant.",
        "Pour chaque `t`, les effectifs n0 et n1, les moyennes m0 et m1, puis `n0 * n1 * (m0 - m1) ** 2` ; "
        "gardez le premier `t` qui rend ce nombre maximal.",
    ),
    success="256 nombres ont remplacé tous les pixels : pour cette question, l'histogramme disait tout.",
)
def otsu(otsu):
    """Does the function find Otsu's threshold from the 256 counts of a histogram?"""
    expect_function(otsu, parameters=1, pure=True)
    expect_cases(otsu, [(counts,) for counts in _histograms()], _skimage_otsu, mistakes=_OTSU_MISTAKES)


# --- 1-2-d : chain rule --------------------------------------------------------------------------------------------


def _output(x: Array, gain: float, contrast: float) -> Array:
    return 1 / (1 + np.exp(-contrast * (gain * x - 0.5)))


def _measured_slope(x: Array, target: Array, gain: float, contrast: float) -> float:
    """Return the slope by Richardson's extrapolation of central differences: no derivative is written."""

    def central(h: float) -> float:
        above, below = (np.mean((_output(x, gain, contrast + step) - target) ** 2) for step in (h, -h))
        return float(above - below) / (2 * h)

    return (4 * central(5e-4) - central(1e-3)) / 3


def _slope(
    outer: Callable[..., Array] = lambda z, target: 2 * (z - target) / z.size,
    middle: Callable[..., Any] = lambda z: z * (1 - z),
    inner: Callable[..., Array] = lambda x, gain, contrast: gain * x - 0.5,
    total: Callable[[Array], Any] = np.sum,
) -> Callable[..., Any]:
    """Return the chain rule with one of its links replaced."""

    def slope(x: Array, target: Array, gain: float, contrast: float) -> Any:
        z = _output(x, gain, contrast)
        return total(outer(z, target) * middle(z) * inner(x, gain, contrast))

    return slope


def _pictures() -> list[tuple[Array, Array, float, float]]:
    rng = np.random.default_rng(3)
    four = np.array([0.1, 0.3, 0.6, 0.9])
    settings = (((6, 5), 1.7, 6.0), ((8, 8, 1), 1.2, 2.5))
    noise = [(rng.random(shape), rng.random(shape), gain, contrast) for shape, gain, contrast in settings]
    return [(four, np.array([0.0, 0.2, 0.7, 1.0]), 0.8, 5.0), *noise]


_SLOPE_MISTAKES = [
    (
        like(_slope(inner=lambda x, gain, contrast: contrast * x)),
        "C'est la pente par rapport au gain ; par rapport au contraste, le dernier maillon est ds/dc.",
    ),
    (
        like(_slope(inner=lambda x, gain, contrast: gain * x)),
        "Le dernier maillon est ds/dc, avec s = c (u − 0,5) : avez-vous oublié le − 0,5 ?",
    ),
    (
        like(_slope(inner=lambda x, gain, contrast: x - 0.5)),
        "Le gain a disparu : le contraste multiplie u − 0,5, et u vaut gain × x.",
    ),
    (
        like(_slope(inner=lambda x, gain, contrast: contrast * (gain * x - 0.5))),
        "Il y a un facteur `contrast` de trop : la dérivée de c (u − 0,5) par rapport à c est u − 0,5.",
    ),
    (like(_slope(middle=lambda z: 1)), "Il manque le maillon du milieu, la dérivée de la sigmoïde : z (1 − z)."),
    (
        like(_slope(outer=lambda z, target: (z - target) / z.size)),
        "Il manque le facteur 2 : la dérivée de (z − t)² par rapport à z est 2 (z − t).",
    ),
    (
        like(_slope(outer=lambda z, target: 2 * (target - z) / z.size)),
        "Le signe est inversé : la dérivée de (z − t)² par rapport à z est 2 (z − t).",
    ),
    (
        like(_slope(outer=lambda z, target: 2 * (z - target))),
        "Le coût est une moyenne sur les pixels : divisez par leur nombre.",
    ),
    (
        like(_slope(total=np.asarray)),
        "C'est la part de chaque pixel ; le contraste est le même pour tous : additionnez-les.",
    ),
    (
        like(_slope(total=np.mean)),
        "Vous avez divisé deux fois par le nombre de pixels : 2 (z − t) / N contient déjà la moyenne, "
        "il reste à additionner.",
    ),
]


@exercise(
    "1-2-d",
    hints=(
        "Seul le dernier maillon change. Le contraste `c` entre dans `s = c * (u - 0.5)` : "
        "quelle est la dérivée de `s` par rapport à `c` ?",
        "ds/dc vaut `u - 0.5`. Les autres maillons, `2 * (z - target) / N` et `z * (1 - z)`, sont ceux de l'exemple.",
        "Multipliez les trois maillons pixel par pixel, puis additionnez : "
        "`np.sum(2 * (z - target) / z.size * z * (1 - z) * (u - 0.5))`.",
    ),
    success="Deux maillons sur trois avaient déjà servi pour le gain : "
    "la rétropropagation, en 1·5, est l'art de ne pas les recalculer.",
)
def slope_contrast(slope_contrast):
    """Does the function give the derivative of the cost with respect to the contrast?"""
    expect_function(slope_contrast, parameters=4, pure=True)
    expect_cases(slope_contrast, _pictures(), _measured_slope, rtol=1e-5, atol=1e-9, mistakes=_SLOPE_MISTAKES)
