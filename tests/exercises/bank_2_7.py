"""Answers on which the checks of lesson 2-7 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Case


def channels(start, counts, growth):
    widths = []
    for rank, count in enumerate(counts):
        start += count * growth
        widths.append(start)
        if rank < len(counts) - 1:
            start //= 2
            widths.append(start)
    return widths


def channels_stub(start, counts, growth): ...


def channels_always_halved(start, counts, growth):
    widths = []
    for count in counts:
        start += count * growth
        widths += [start, start // 2]
        start //= 2
    return widths


def channels_never_halved(start, counts, growth):
    widths = []
    for count in counts:
        start += count * growth
        widths += [start, start]
    return widths[:-1]


def channels_real(start, counts, growth):
    widths = []
    for rank, count in enumerate(counts):
        start += count * growth
        widths.append(start)
        if rank < len(counts) - 1:
            start = start / 2
            widths.append(start)
    return widths


def costs(side, f, c, k):
    return side**2 * f**2 * c * k, side**2 * (f**2 * c + c * k)


def costs_stub(side, f, c, k): ...


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def squeeze_excite(x, w1, b1, w2, b2):
    z = x.mean(axis=(1, 2)) @ w1 + b1
    weights = sigmoid((z * sigmoid(z)) @ w2 + b2)
    return x * weights[:, None, None, :]


def squeeze_excite_stub(x, w1, b1, w2, b2): ...


def excite_with_relu(x, w1, b1, w2, b2):
    return x * sigmoid(np.maximum(x.mean(axis=(1, 2)) @ w1 + b1, 0) @ w2 + b2)[:, None, None, :]


def excite_with_sigmoids(x, w1, b1, w2, b2):
    return x * sigmoid(sigmoid(x.mean(axis=(1, 2)) @ w1 + b1) @ w2 + b2)[:, None, None, :]


def excite_with_softmax(x, w1, b1, w2, b2):
    z = x.mean(axis=(1, 2)) @ w1 + b1
    powers = np.exp((z * sigmoid(z)) @ w2 + b2)
    return x * (powers / powers.sum(1, keepdims=True))[:, None, None, :]


def excite_without_gate(x, w1, b1, w2, b2):
    z = x.mean(axis=(1, 2)) @ w1 + b1
    return x * ((z * sigmoid(z)) @ w2 + b2)[:, None, None, :]


def excite_weights_only(x, w1, b1, w2, b2):
    z = x.mean(axis=(1, 2)) @ w1 + b1
    return sigmoid((z * sigmoid(z)) @ w2 + b2)


def excite_in_place(x, w1, b1, w2, b2):
    x *= squeeze_excite(x, w1, b1, w2, b2) / x
    return x


def compound(budget):
    phi = np.log(budget) / np.log(1.2 * 1.1**2 * 1.15**2)
    return 1.2**phi, 1.1**phi, round(224 * 1.15**phi)


def compound_stub(budget): ...


def compound_with(phi):
    return 1.2**phi, 1.1**phi, round(224 * 1.15**phi)


def choose(table, max_parameters, max_mflop):
    fitting = [name for name, (_, p, m) in table.items() if p <= max_parameters and m <= max_mflop]
    return max(fitting, key=lambda name: (table[name][0], -table[name][2]), default="aucun")


def choose_stub(table, max_parameters, max_mflop): ...


def pick(keep, key):
    return lambda t, p, m: max(
        (name for name in t if keep(t[name], p, m)), key=lambda name: key(t[name]), default="aucun"
    )


def both(row, p, m):
    return row[1] <= p and row[2] <= m


def best(row):
    return row[0], -row[2]


CASES = {
    "2-7-a": Case(
        solution=channels,
        stub=channels_stub,
        wrong=[
            (channels_always_halved, "Après le dernier bloc, pas de transition"),
            (channels_never_halved, "ne garde que la moitié"),
            (lambda c, n, k: channels(c, n, k)[::2], "après chaque transition"),
            (lambda c, n, k: channels(c, [1] * len(n), k), "Un bloc compte"),
            (lambda c, n, k: channels(0, n, k), "Les canaux qui entrent"),
        ],
        also_right=[lambda c, n, k: tuple(channels(c, n, k))],
    ),
    "2-7-b": Case(
        solution=costs,
        stub=costs_stub,
        wrong=[
            (lambda n, f, c, k: (n**2 * f**2 * c * k, n**2 * (f**2 * k + c * k)), "n'existent pas encore"),
            (lambda n, f, c, k: (n**2 * f**2 * c * k, n**2 * f**2 * c), "Il manque la convolution 1 × 1"),
            (lambda n, f, c, k: (n**2 * f**2 * c * k, n**2 * c * k), "Il manque l'étape en profondeur"),
            (lambda n, f, c, k: (f**2 * c * k, f**2 * c + c * k), "Ce sont les poids"),
            (lambda n, f, c, k: costs(n, f, c, k)[1] / costs(n, f, c, k)[0], "Renvoyez les deux nombres"),
            (lambda n, f, c, k: costs(n, f, c, k)[::-1], "l'ordinaire d'abord"),
        ],
        also_right=[lambda n, f, c, k: list(costs(n, f, c, k))],
    ),
    "2-7-c": Case(
        solution=squeeze_excite,
        stub=squeeze_excite_stub,
        wrong=[
            (excite_with_relu, "c'est swish"),
            (excite_with_sigmoids, "oublié le facteur"),
            (excite_with_softmax, "met en concurrence"),
            (excite_without_gate, "sigmoïde finale"),
            (excite_weights_only, "il reste à les multiplier"),
            (excite_in_place, "modifie"),
        ],
    ),
    "2-7-d": Case(
        solution=compound,
        stub=compound_stub,
        wrong=[
            (lambda b: compound_with(np.log2(b)), "vaut 1,92"),
            (lambda b: compound_with(np.log(b) / np.log(1.2 * 1.1 * 1.15)), "comptent au carré"),
            (lambda b: compound_with(b), "l'exposant, à trouver"),
            (lambda b: (*compound(b)[:2], 1.15 ** (np.log(b) / np.log(1.2 * 1.1**2 * 1.15**2))), "un côté en pixels"),
            (lambda b: (compound(b)[1], compound(b)[0], compound(b)[2]), "Dans cet ordre"),
        ],
        also_right=[lambda b: list(compound(b))],
    ),
    "2-7-e": Case(
        solution=choose,
        stub=choose_stub,
        wrong=[
            (pick(lambda row, p, m: row[1] < p and row[2] < m, best), "tout juste est respectée"),
            (pick(lambda row, p, m: True, best), "Les limites d'abord"),
            (pick(lambda row, p, m: row[1] <= p, best), "limite de calcul"),
            (pick(lambda row, p, m: row[2] <= m, best), "limite de mémoire"),
            (pick(both, lambda row: -row[2]), "pas le plus léger"),
            (pick(both, lambda row: row[0]), "de moindre MFLOP"),
            (lambda t, p, m: None if choose(t, p, m) == "aucun" else choose(t, p, m), "renvoie None"),
        ],
    ),
}
