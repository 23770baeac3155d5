"""Checks of lesson 2-1: output sizes, a 1-D convolution, kernels to design, a faulty convolution, receptive fields."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.exercises.declare import exercise
from course_utils.exercises.expect import (
    expect_array,
    expect_cases,
    expect_equal,
    expect_function,
    expect_that,
    like,
)

Array = NDArray[Any]

# --- 2-1-a : sizes -------------------------------------------------------------------------------------------------


def _places(n: int, f: int, p: int, s: int) -> int:
    """Count the places of the window one by one."""
    return sum(start + f <= n + 2 * p for start in range(0, n + 2 * p, s))


@exercise(
    "2-1-a",
    hints=(
        "La première place ne coûte rien. Ensuite, combien de pas entiers la fenêtre peut-elle faire ?",
        "Il reste `n - f + 2 * p` pixels à parcourir, par pas de `s`, avec la division entière `//`. "
        "À l'envers : 55 places, c'est 54 pas.",
        "`(n - f + 2 * p) // s + 1` ; pour garder la taille, `2 * p` vaut `f - 1` ; pour AlexNet, `54 * 4 + 11`.",
    ),
    success="Avec 224, la fenêtre n'aurait que 54 places : l'article de 2012 avait une coquille.",
)
def sizes(output_size, same_padding, alexnet_side):
    """Output size of a convolution, and two uses of the formula backwards."""
    expect_function(output_size, parameters=4)
    expect_cases(
        output_size,
        [(5, 3, 0, 1), (7, 3, 0, 2), (28, 5, 2, 1), (8, 3, 0, 2), (8, 3, 1, 2), (11, 3, 2, 4)],
        reference=_places,
        exact_type=True,
        mistakes={
            like(lambda n, f, p, s: (n - f + 2 * p) / s + 1): "Une taille est un entier : "
            "avec `//`, la fenêtre qui dépasserait n'est pas comptée.",
            like(lambda n, f, p, s: int((n - f + 2 * p) / s)): "La place de départ compte aussi : il manque le + 1.",
            like(lambda n, f, p, s: (n - f + p) // s + 1): "La marge est ajoutée des deux côtés : `2 * p`.",
            like(lambda n, f, p, s: (n - f + 2 * p + 1) // s): "Le + 1 s'ajoute après la division : "
            "c'est une place de plus, pas un pixel de plus.",
            like(lambda n, f, p, s: -(-(n - f + 2 * p) // s) + 1): "Vous arrondissez par excès : "
            "une fenêtre qui dépasse du bord n'a pas de place.",
            like(lambda n, f, p, s: n - f + 2 * p + 1): "Et le pas `s` ? Vos places se suivent toutes d'un pixel.",
        },
    )
    expect_equal(
        same_padding,
        2,
        reveal=False,
        name="same_padding",
        mistakes={
            4: "C'est la marge totale, les deux côtés ensemble ; `p` se compte par côté.",
            5: "C'est le côté du noyau ; il suffit que la fenêtre puisse se centrer sur le premier pixel.",
            1: "C'est la marge d'un noyau de 3.",
        },
    )
    expect_equal(
        alexnet_side,
        227,
        reveal=False,
        name="alexnet_side",
        mistakes={
            224: "C'est le nombre de l'article : `(224 - 11) // 4 + 1` vaut 54.",
            231: "55 places font 54 pas, pas 55.",
            lambda side: side in (228, 229, 230): "On obtient bien 55, mais il reste des pixels inutilisés au bord.",
            216: "Ce sont les 54 pas ; il faut encore la largeur de la dernière fenêtre.",
        },
    )


# --- 2-1-b : one dimension -----------------------------------------------------------------------------------------


def _conv1d_by_cells(x: Array, w: Array, stride: int, padding: int) -> Array:
    """Sum product by product; indices outside the signal count for zero."""
    values = []
    for start in range(-padding, len(x) + padding - len(w) + 1, stride):
        inside = [(start + k, k) for k in range(len(w)) if 0 <= start + k < len(x)]
        values.append(sum(x[i] * w[k] for i, k in inside))
    return np.array(values)


def _conv1d_truncated(x: Array, w: Array, stride: int, padding: int) -> Array:
    return _conv1d_by_cells(x, w, stride, padding).astype(x.dtype)


def _conv1d_dense_window(x: Array, w: Array, stride: int, padding: int) -> Array:
    """Right number of outputs, but a window that moves one by one."""
    full = _conv1d_by_cells(x, w, 1, padding)
    return full[: len(_conv1d_by_cells(x, w, stride, padding))]


@exercise(
    "2-1-b",
    hints=(
        "Commencez par la marge : `np.pad(x, padding)`. Ensuite, il n'y a plus qu'à faire glisser.",
        "`range(0, len(x) - len(w) + 1, stride)` énumère les départs de la fenêtre, une fois `x` élargi.",
        "`np.array([x[start:start + len(w)] @ w for start in range(0, len(x) - len(w) + 1, stride)])`",
    ),
    success="Le pas et la marge ne changent que les départs ; le produit, jamais.",
)
def one_dimension(conv1d):
    """Cross-correlation of a signal, with stride and zero padding."""
    expect_function(conv1d, parameters=4, pure=True)
    signal = np.array([0, 1, 2, -1, 1, -3, 0])
    kernel = np.array([1, 0, -1])
    slope = np.array([0.5, 0.25])
    expect_cases(
        conv1d,
        [
            (signal, kernel, 2, 0),
            (signal, kernel, 1, 0),
            (signal, kernel, 1, 1),
            (signal, kernel, 3, 2),
            (signal, slope, 2, 0),
            (np.array([0.5, -1.0, 2.0, 4.0]), np.array([1.0, 2.0, 3.0]), 1, 1),
        ],
        reference=_conv1d_by_cells,
        rtol=1e-9,
        mistakes={
            like(lambda x, w, stride, padding: _conv1d_by_cells(x, w[::-1], stride, padding)): "Votre noyau est "
            "retourné, comme dans `np.convolve` : ici, la fenêtre et le noyau se lisent dans le même sens.",
            like(lambda x, w, stride, padding: _conv1d_by_cells(x, w, 1, padding)): "Le pas est oublié : "
            "la fenêtre avance de `stride` cases.",
            like(_conv1d_dense_window): "Le nombre de sorties est bon, mais la fenêtre n'avance que d'une case : "
            "elle commence à `i * stride`.",
            like(lambda x, w, stride, padding: _conv1d_by_cells(x, w, stride, 0)): "La marge est oubliée : "
            "ajoutez `padding` zéros de chaque côté.",
            like(
                lambda x, w, stride, padding: _conv1d_by_cells(np.append(x, np.zeros(padding)), w, stride, 0)
            ): "La marge va des deux côtés : vos zéros ne sont qu'à la fin.",
            like(_conv1d_truncated): "Un noyau de réels sur un signal d'entiers : "
            "votre tableau de sortie, fait d'entiers, a perdu les décimales.",
            like(lambda x, w, stride, padding: _conv1d_by_cells(x, w, stride, padding)[:-1]): "Il manque la dernière "
            "fenêtre : le dernier départ est `len(x) - len(w)`, compris, d'où un + 1 dans `range`.",
        },
    )


# --- 2-1-c : kernels to design -------------------------------------------------------------------------------------


def _expect_kernel(weights: ArrayLike, name: str) -> Array:
    expect_that(
        np.shape(weights) == (3, 3),
        f"`{name}` a la forme {np.shape(weights)} ; on attend un noyau 3 × 3, un tableau de forme (3, 3).",
    )
    return np.asarray(weights, dtype=float)


def _expect_vertical(vertical: Array) -> None:
    zero = 1e-6 * max(1.0, float(np.abs(vertical).max()))
    right = vertical[:, 2].sum()  # dark, dark, light under the three columns
    middle = vertical[:, 1:].sum()  # dark, light, light
    expect_that(bool(np.abs(vertical).max() > 0), "`vertical` est nul : il ne répond à rien du tout.")
    expect_that(
        abs(vertical.sum()) <= zero,
        f"Sur une zone unie de valeur 1, `vertical` répond {vertical.sum():g} : la somme de ses poids doit être nulle.",
    )
    if bool(np.abs(vertical.sum(axis=1)).max() > zero):
        silent = bool(np.abs(vertical.sum(axis=0)).max() <= zero)
        expect_that(
            not silent,
            "`vertical` répond aux bords horizontaux et se tait sur les verticaux : il est couché, transposez-le.",
        )
        expect_that(
            False,
            "`vertical` répond aussi à un bord horizontal : pour qu'il se taise, chaque ligne du noyau "
            "doit avoir une somme nulle.",
        )
    expect_that(
        not (right < -zero or middle < -zero),
        f"Du sombre au clair, de gauche à droite, `vertical` répond {min(right, middle):g} : "
        "le signe est à l'envers, le + va du côté clair.",
    )
    expect_that(
        right > zero or middle > zero, "`vertical` ne répond pas à un bord vertical : ses colonnes se compensent."
    )


@exercise(
    "2-1-c",
    hints=(
        "`vertical` : « ce qui est à droite moins ce qui est à gauche ». "
        "`shift` : un seul 1 ; quel voisin la sortie doit-elle aller chercher ? "
        "`mystery` : quel poids rencontre le point quand la fenêtre est en haut à gauche ?",
        "Si l'image glisse vers la droite, chaque case reçoit ce qui était à sa gauche. Pour `mystery` : "
        "dans la première fenêtre, le point est en bas à droite, et la sortie vaut 0 ; c'est donc ce poids-là.",
        "`vertical` : des lignes -1, 0, 1. `shift` : le 1 au milieu de la première colonne. "
        "`mystery` : `answer[::-1, ::-1]`.",
    ),
    success="L'image d'un point est le noyau tourné d'un demi-tour. Les opticiens mesurent ainsi un objectif : "
    "ils photographient une étoile.",
)
def kernels(vertical, shift, mystery):
    """A vertical edge detector, a translation, and a kernel found from its impulse response."""
    _expect_vertical(_expect_kernel(vertical, "vertical"))

    moved = _expect_kernel(shift, "shift")
    right = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]], dtype=float)
    expect_array(
        moved,
        right,
        name="shift",
        mistakes=[
            (
                right[:, ::-1],
                "Chaque case va chercher son voisin de droite : l'image glisse vers la gauche. "
                "Le 1 va de l'autre côté.",
            ),
            (right.T, "L'image glisse vers le bas : ligne et colonne sont échangées."),
            (right.T[::-1], "L'image glisse vers le haut : ligne et colonne sont échangées."),
            (np.diag([0.0, 1.0, 0.0]), "Avec le 1 au centre, la sortie est l'image, sans bouger."),
        ],
    )

    answer = np.array([[0, 1, 2], [0, 3, 0], [4, 0, 0]], dtype=float)
    expect_array(
        _expect_kernel(mystery, "mystery"),
        answer[::-1, ::-1],
        name="mystery",
        mistakes=[
            (answer, "C'est l'image du point, telle quelle. Essayez `convolve(dot, mystery)` : elle sort tournée."),
            (answer[:, ::-1], "Vous n'avez retourné que la gauche et la droite ; le haut et le bas s'échangent aussi."),
            (answer[::-1], "Vous n'avez retourné que le haut et le bas ; la gauche et la droite s'échangent aussi."),
            (answer.T, "Une transposition n'est pas un demi-tour : retournez les lignes, puis les colonnes."),
        ],
    )


# --- 2-1-d : a faulty convolution ----------------------------------------------------------------------------------


def _windows_product(x: Array, kernels: Array, bias: ArrayLike, stride: int, padding: int) -> Array:
    """Strided windows and one tensor product."""
    side = kernels.shape[0]
    x = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, (side, side), axis=(0, 1))[::stride, ::stride]
    return np.einsum("ijcab,abck->ijk", windows, kernels) + np.asarray(bias)


def _padded_channels(x: Array, kernels: Array, bias: ArrayLike, stride: int, padding: int) -> Array:
    return _windows_product(
        np.pad(x, ((0, 0), (0, 0), (padding, 0)))[:, :, : x.shape[2]], kernels, bias, stride, padding
    )


def _bias_per_channel(x: Array, kernels: Array, bias: ArrayLike, stride: int, padding: int) -> Array:
    return _windows_product(x, kernels, np.asarray(bias) * x.shape[2], stride, padding)


def _first_windows(x: Array, kernels: Array, bias: ArrayLike, stride: int, padding: int) -> Array:
    rows, cols, _ = _windows_product(x, kernels, bias, stride, padding).shape
    return _windows_product(x, kernels, bias, 1, padding)[:rows, :cols]


def _square(x: Array, kernels: Array, bias: ArrayLike, stride: int, padding: int) -> Array:
    output = _windows_product(x, kernels, bias, stride, padding)
    return output[:, : len(output)]


def _no_bias(x: Array, kernels: Array, bias: ArrayLike, stride: int, padding: int) -> Array:
    return _windows_product(x, kernels, np.zeros(len(np.asarray(bias))), stride, padding)


@exercise(
    "2-1-d",
    hints=(
        "L'essai du collègue : un canal, un carré, pas 1, marge 0, biais nul. "
        "Changez une seule de ces choses à la fois.",
        "Que fait `np.pad(x, 1)` à une image de forme (H, W, 3) ? Combien de fois le biais est-il ajouté ? "
        "Où commence la fenêtre quand le pas vaut 2 ? Et si l'image n'est pas carrée ?",
        "`np.pad(x, ((padding, padding), (padding, padding), (0, 0)))` ; `rows` et `cols` séparés ; "
        "la fenêtre en `i * stride`, `j * stride` ; `bias[k]` hors de la boucle des canaux.",
    ),
    success="Un bon essai est dissymétrique : toutes les dimensions différentes, aucun paramètre neutre.",
)
def corrected(fixed_conv2d):
    """A 2-D convolution with stride, padding and bias, whose four faults show on different inputs."""
    expect_function(fixed_conv2d, parameters=5, pure=True)
    rng = np.random.default_rng(21)

    def case(shape, filters, bias, stride, padding):
        x, weights = (
            rng.integers(0, 5, shape).astype(float),
            rng.integers(-2, 3, (3, 3, shape[2], filters)).astype(float),
        )
        return x, weights, np.array(bias, dtype=float), stride, padding

    tests = [
        (case((5, 5, 1), 1, [0], 1, 0), "Sur l'exemple même du collègue, en noir et blanc, le résultat a changé.", ()),
        (
            case((4, 4, 2), 1, [1], 1, 0),
            "Deux canaux et un biais de 1.",
            [(_bias_per_channel, "Le biais est ajouté une fois par canal."), (_no_bias, "Le biais a disparu.")],
        ),
        (
            case((5, 5, 1), 1, [0], 2, 0),
            "Un pas de 2.",
            [(_first_windows, "La fenêtre n'avance que d'un pixel par case de sortie : elle commence à `i * stride`.")],
        ),
        (
            case((4, 6, 1), 1, [0], 1, 0),
            "Une image plus large que haute.",
            [(_square, "La sortie reste carrée : une image a une hauteur et une largeur.")],
        ),
        (
            case((3, 3, 2), 1, [0], 1, 1),
            "Deux canaux et une marge de 1.",
            [
                (
                    _padded_channels,
                    "Les canaux se sont décalés : `np.pad(x, padding)` ajoute aussi "
                    "un canal de zéros devant les vrais.",
                )
            ],
        ),
        (case((6, 4, 2), 1, [0], 1, 0), "Une image plus haute que large.", ()),
        (
            case((7, 6, 3), 2, [0.5, -1], 2, 1),
            "Tout à la fois : trois canaux, deux filtres, pas 2, marge 1, biais.",
            (),
        ),
    ]
    for arguments, situation, faults in tests:
        x, weights, bias, stride, padding = arguments
        got = fixed_conv2d(x.copy(), weights.copy(), bias.copy(), stride, padding)
        expect_array(
            got,
            _windows_product(*arguments),
            name=f"fixed_conv2d, essai « {situation.rstrip('.')} »",
            mistakes=[(fault(*arguments), sentence) for fault, sentence in faults],
        )


# --- 2-1-e : receptive fields --------------------------------------------------------------------------------------


def _field_by_going_back(layers: list[tuple[int, int]]) -> int:
    """From the last layer to the first: how many inputs do `width` neighbouring outputs need?"""
    width = 1
    for f, s in reversed(layers):
        width = (width - 1) * s + f
    return width


def _stride_too_early(layers: list[tuple[int, int]]) -> int:
    field, jump = 1, 1
    for f, s in layers:
        jump *= s
        field += (f - 1) * jump
    return field


@exercise(
    "2-1-e",
    hints=(
        "Partez de 1 pixel, et notez à part de combien de pixels de l'image avance une case de la couche courante.",
        "À chaque couche, d'abord `field += (f - 1) * jump`, ensuite seulement `jump *= s`.",
        "Sans pas, le champ vaut `1 + 2 * n` ; avec un pas de 2, `2 ** (n + 1) - 1`. "
        "À partir de quel n dépassent-ils 224 ?",
    ),
    success="Cent douze couches contre sept : voilà pourquoi tous les réseaux de vision réduisent l'image en chemin.",
)
def field(receptive_field, plain, strided):
    """Receptive field of a stack of convolutions, and how deep to see 224 pixels."""
    expect_function(receptive_field, parameters=1, pure=True)
    expect_cases(
        receptive_field,
        [
            ([(3, 1)],),
            ([(3, 1), (3, 1)],),
            ([(5, 1), (3, 1), (1, 1)],),
            ([(3, 2), (3, 1)],),
            ([(3, 2), (3, 2), (5, 1)],),
            ([(11, 4), (3, 2), (5, 1)],),
        ],
        reference=_field_by_going_back,
        mistakes={
            like(lambda layers: 1 + sum(f - 1 for f, _ in layers)): "Les pas sont oubliés : "
            "après un pas de 2, chaque case vaut deux pixels.",
            like(_stride_too_early): "Le pas d'une couche n'élargit que ce que voient les suivantes : "
            "multipliez `jump` après vous en être servi.",
            like(lambda layers: sum(f for f, _ in layers)): "Deux fenêtres voisines se recouvrent : "
            "une couche ajoute `f - 1`, pas `f`.",
            like(lambda layers: int(np.prod([f for f, _ in layers]))): "Les fenêtres se recouvrent : "
            "les côtés ne se multiplient pas, deux 3 × 3 voient 5 × 5.",
            like(lambda layers: _field_by_going_back(layers) - 1): "Même sans aucune couche, "
            "un nombre voit déjà 1 pixel : partez de 1.",
            like(lambda layers: _field_by_going_back(layers[::-1])): "Vous parcourez les couches à l'envers : "
            "ce sont les pas des couches précédentes qui comptent.",
        },
    )
    expect_equal(
        plain,
        112,
        reveal=False,
        name="plain",
        mistakes={
            111: "111 couches voient 223 pixels : il en manque un.",
            224: "Chaque couche ajoute 2 pixels, un de chaque côté.",
            75: "Une couche 3 × 3 ajoute `f - 1`, soit 2 pixels, et pas 3.",
        },
    )
    expect_equal(
        strided,
        7,
        reveal=False,
        name="strided",
        mistakes={
            6: "Six couches voient 127 pixels.",
            8: "Huit couches suffisent, mais sept aussi : elles voient déjà 255 pixels.",
            56: "À chaque couche, les cases valent deux fois plus de pixels : la croissance est exponentielle.",
        },
    )
