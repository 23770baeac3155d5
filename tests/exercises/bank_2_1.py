"""Answers on which the checks of lesson 2-1 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Answers, Case


def output_size(n, f, p=0, s=1):
    return (n - f + 2 * p) // s + 1


def output_size_stub(n, f, p=0, s=1): ...


def conv1d(x, w, stride=1, padding=0):
    x = np.pad(x, padding)
    return np.array([x[start : start + len(w)] @ w for start in range(0, len(x) - len(w) + 1, stride)])


def conv1d_stub(x, w, stride=1, padding=0): ...


def conv1d_sized(x, w, stride=1, padding=0):
    """Output prepared by the formula, cells filled one by one."""
    wide = np.zeros(len(x) + 2 * padding)
    wide[padding : padding + len(x)] = x
    output = np.zeros((len(wide) - len(w)) // stride + 1)
    for i in range(len(output)):
        for k in range(len(w)):
            output[i] += wide[i * stride + k] * w[k]
    return output


def conv1d_integer_output(x, w, stride=1, padding=0):
    x = np.pad(x, padding)
    output = np.zeros((len(x) - len(w)) // stride + 1, dtype=x.dtype)
    for i in range(len(output)):
        output[i] = x[i * stride : i * stride + len(w)] @ w
    return output


def conv1d_flipped(x, w, stride=1, padding=0):
    return np.convolve(np.pad(x, padding), w, mode="valid")[::stride]


def conv1d_step_of_one(x, w, stride=1, padding=0):
    x = np.pad(x, padding)
    return np.array([x[i : i + len(w)] @ w for i in range((len(x) - len(w)) // stride + 1)])


def conv1d_last_forgotten(x, w, stride=1, padding=0):
    return conv1d(x, w, stride, padding)[:-1]


SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
SHIFT = np.array([[0, 0, 0], [1, 0, 0], [0, 0, 0]])
ANSWER = np.array([[0, 1, 2], [0, 3, 0], [4, 0, 0]])
MYSTERY = ANSWER[::-1, ::-1]


def conv2d(x, kernels, bias, stride=1, padding=0, *, fault=""):
    """The corrected convolution, or one of the colleague's faults."""
    size, _, channels, filters = kernels.shape
    x = np.pad(x, padding) if fault == "pad" else np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    rows = (x.shape[0] - size) // stride + 1
    cols = rows if fault == "square" else (x.shape[1] - size) // stride + 1
    step = 1 if fault == "stride" else stride
    output = np.zeros((rows, cols, filters))
    for i in range(rows):
        for j in range(cols):
            for k in range(filters):
                for c in range(channels):
                    window = x[i * step : i * step + size, j * step : j * step + size, c]
                    output[i, j, k] += (window * kernels[:, :, c, k]).sum() + (bias[k] if fault == "bias" else 0)
                output[i, j, k] += 0 if fault in ("bias", "no bias") else bias[k]
    return output


def faulty(fault):
    def version(x, kernels, bias, stride=1, padding=0):
        return conv2d(x, kernels, bias, stride, padding, fault=fault)

    return version


def fixed(x, kernels, bias, stride=1, padding=0):
    return conv2d(x, kernels, bias, stride, padding)


def fixed_stub(x, kernels, bias, stride=1, padding=0): ...


def broken(x, kernels, bias, stride=1, padding=0):
    """The function of the notebook, untouched."""
    size, _, channels, filters = kernels.shape
    x = np.pad(x, padding)
    side = (x.shape[0] - size) // stride + 1
    output = np.zeros((side, side, filters))
    for i in range(side):
        for j in range(side):
            for c in range(channels):
                for k in range(filters):
                    window = x[i : i + size, j : j + size, c]
                    output[i, j, k] += (window * kernels[:, :, c, k]).sum() + bias[k]
    return output


def fixed_by_windows(x, kernels, bias, stride=1, padding=0):
    x = np.pad(x, ((padding, padding), (padding, padding), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(x, kernels.shape[:2], axis=(0, 1))[::stride, ::stride]
    return np.tensordot(windows, kernels, axes=[[3, 4, 2], [0, 1, 2]]) + bias


def receptive_field(layers):
    field, jump = 1, 1
    for f, s in layers:
        field += (f - 1) * jump
        jump *= s
    return field


def receptive_field_stub(layers): ...


def receptive_field_late(layers):
    field, jump = 1, 1
    for f, s in layers:
        jump *= s
        field += (f - 1) * jump
    return field


CASES = {
    "2-1-a": Case(
        solution=Answers(output_size, 2, 227),
        stub=Answers(output_size_stub, ..., ...),
        wrong=[
            (Answers(lambda n, f, p, s: (n - f + 2 * p) / s + 1, 2, 227), "Une taille est un entier"),
            (Answers(lambda n, f, p, s: (n - f + 2 * p) // s, 2, 227), "il manque le + 1"),
            (Answers(lambda n, f, p, s: (n - f + p) // s + 1, 2, 227), "des deux côtés"),
            (Answers(lambda n, f, p, s: (n - f + 2 * p + 1) // s, 2, 227), "s'ajoute après la division"),
            (Answers(lambda n, f, p, s: int(np.ceil((n - f + 2 * p) / s)) + 1, 2, 227), "par excès"),
            (Answers(lambda n, f, p, s: n - f + 2 * p + 1, 2, 227), "Et le pas"),
            (Answers(output_size, 4, 227), "la marge totale"),
            (Answers(output_size, 2, 224), "vaut 54"),
            (Answers(output_size, 2, 231), "54 pas, pas 55"),
            (Answers(output_size, 2, 228), "pixels inutilisés"),
        ],
        also_right=[Answers(lambda n, f, p, s: len(range(0, n - f + 2 * p + 1, s)), 2, 227)],
    ),
    "2-1-b": Case(
        solution=conv1d,
        stub=conv1d_stub,
        wrong=[
            (conv1d_flipped, "retourné"),
            (lambda x, w, stride, padding: conv1d(x, w, 1, padding), "Le pas est oublié"),
            (conv1d_step_of_one, "n'avance que d'une case"),
            (lambda x, w, stride, padding: conv1d(x, w, stride), "La marge est oubliée"),
            (
                lambda x, w, stride, padding: conv1d(np.append(x, np.zeros(padding)), w, stride),
                "vos zéros ne sont qu'à la fin",
            ),
            (conv1d_integer_output, "a perdu les décimales"),
            (conv1d_last_forgotten, "Il manque la dernière"),
            ([-2, 1, 1], "on attend une fonction"),
        ],
        also_right=[conv1d_sized],
    ),
    "2-1-c": Case(
        solution=Answers(SOBEL, SHIFT, MYSTERY),
        stub=Answers(..., ..., ...),
        wrong=[
            (Answers(SOBEL.T, SHIFT, MYSTERY), "il est couché"),
            (Answers(-SOBEL, SHIFT, MYSTERY), "le signe est à l'envers"),
            (Answers(np.array([[0, 0, 0], [0, 0, 1], [0, 0, 0]]), SHIFT, MYSTERY), "la somme de ses poids"),
            (
                Answers(np.array([[-1, 0, 1], [-1, 0, 2], [-1, 0, 0]]), SHIFT, MYSTERY),
                "répond aussi à un bord horizontal",
            ),
            (Answers(np.array([[-1, 0, 1], [0, 0, 0], [1, 0, -1]]), SHIFT, MYSTERY), "se compensent"),
            (Answers(np.zeros((3, 3)), SHIFT, MYSTERY), "est nul"),
            (Answers([-1, 0, 1], SHIFT, MYSTERY), "3 × 3"),
            (Answers(SOBEL, SHIFT[:, ::-1], MYSTERY), "glisse vers la gauche"),
            (Answers(SOBEL, SHIFT.T, MYSTERY), "glisse vers le bas"),
            (Answers(SOBEL, np.diag([0, 1, 0]), MYSTERY), "sans bouger"),
            (Answers(SOBEL, SHIFT, ANSWER), "telle quelle"),
            (Answers(SOBEL, SHIFT, ANSWER[:, ::-1]), "que la gauche et la droite"),
            (Answers(SOBEL, SHIFT, ANSWER[::-1]), "que le haut et le bas"),
        ],
        also_right=[
            Answers([[0, 0, 0], [-1, 0, 1], [0, 0, 0]], SHIFT.tolist(), MYSTERY.tolist()),
            Answers(np.array([[-1, 1, 0], [-1, 1, 0], [-1, 1, 0]]), SHIFT.astype(float), np.rot90(ANSWER, 2)),
        ],
    ),
    "2-1-d": Case(
        solution=fixed,
        stub=fixed_stub,
        wrong=[
            (broken, "une fois par canal"),
            (faulty("bias"), "une fois par canal"),
            (faulty("no bias"), "Le biais a disparu"),
            (faulty("stride"), "elle commence à `i * stride`"),
            (faulty("square"), "La sortie reste carrée"),
            (faulty("pad"), "un canal de zéros devant les vrais"),
            (
                lambda x, kernels, bias, stride, padding: fixed(x, kernels[::-1, ::-1], bias, stride, padding),
                "collègue",
            ),
        ],
        also_right=[fixed_by_windows],
    ),
    "2-1-e": Case(
        solution=Answers(receptive_field, 112, 7),
        stub=Answers(receptive_field_stub, ..., ...),
        wrong=[
            (Answers(lambda layers: 1 + sum(f - 1 for f, _ in layers), 112, 7), "Les pas sont oubliés"),
            (Answers(receptive_field_late, 112, 7), "après vous en être servi"),
            (Answers(lambda layers: sum(f for f, _ in layers), 112, 7), "pas `f`"),
            (Answers(lambda layers: int(np.prod([f for f, _ in layers])), 112, 7), "deux 3 × 3 voient 5 × 5"),
            (Answers(lambda layers: receptive_field(layers[::-1]), 112, 7), "à l'envers"),
            (Answers(receptive_field, 111, 7), "223 pixels"),
            (Answers(receptive_field, 112, 8), "sept aussi"),
            (Answers(receptive_field, 112, 6), "127 pixels"),
        ],
    ),
}
