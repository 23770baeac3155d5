"""Right and wrong answers to the exercises of lesson 2-9."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Answers, Case


def to_pytorch(weight):
    axes = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}
    return weight.transpose(axes[weight.ndim])


def to_pytorch_stub(weight): ...


def to_pytorch_by_moving(weight):
    return np.moveaxis(weight, (-1, -2), (0, 1)) if weight.ndim > 1 else weight


def reshape_instead(weight):
    axes = {4: (3, 2, 0, 1), 2: (1, 0), 1: (0,)}[weight.ndim]
    return weight.reshape([weight.shape[axis] for axis in axes])


def inputs_before_outputs(weight):
    return weight.transpose(2, 3, 0, 1) if weight.ndim == 4 else weight.T


def kernels_only(weight):
    return weight.transpose(3, 2, 0, 1) if weight.ndim == 4 else weight


def dense_to_pytorch(kernel, height, width, channels):
    return kernel.reshape(height, width, channels, -1).transpose(3, 2, 0, 1).reshape(kernel.shape[1], -1)


def dense_stub(kernel, height, width, channels): ...


def dense_by_index(kernel, height, width, channels):
    order = np.arange(height * width * channels).reshape(height, width, channels).transpose(2, 0, 1).ravel()
    return kernel[order].T


def rows_only(kernel, height, width, channels):
    return dense_by_index(kernel, height, width, channels).T


def as_channels_first(kernel, height, width, channels):
    return kernel.reshape(channels, height, width, -1).transpose(3, 0, 1, 2).reshape(kernel.shape[1], -1)


def the_way_back(kernel, height, width, channels):
    return kernel.reshape(channels, height, width, -1).transpose(3, 1, 2, 0).reshape(kernel.shape[1], -1)


def sides_swapped(kernel, height, width, channels):
    return kernel.reshape(height, width, channels, -1).transpose(3, 2, 1, 0).reshape(kernel.shape[1], -1)


def combine(gradients, sizes):
    return [
        sum(n * g for n, g in zip(sizes, weight, strict=True)) / sum(sizes) for weight in zip(*gradients, strict=True)
    ]


def combine_stub(gradients, sizes): ...


def combine_by_average(gradients, sizes):
    return [np.average(weight, axis=0, weights=sizes) for weight in zip(*gradients, strict=True)]


def mean_of_means(gradients, sizes):
    return [np.mean(weight, axis=0) for weight in zip(*gradients, strict=True)]


def sum_of_gradients(gradients, sizes):
    return [sum(weight) for weight in zip(*gradients, strict=True)]


def sum_over_examples(gradients, sizes):
    return [sum(sizes) * g for g in combine(gradients, sizes)]


def over_replicas(gradients, sizes):
    return [sum(sizes) / len(sizes) * g for g in combine(gradients, sizes)]


def one_per_replica(gradients, sizes):
    return [n * replica[0] / sum(sizes) for n, replica in zip(sizes, gradients, strict=True)]


CASES = {
    "2-9-a": Case(
        solution=Answers("CBEDA", 0.6),
        stub=Answers(..., ...),
        wrong=[
            (Answers("BEDCA", 0.6), "C efface les gradients"),
            (Answers("CBEAD", 0.6), "A déplace les poids"),
            (Answers("CEBDA", 0.6), "E calcule le coût"),
            (Answers("CBDEA", 0.6), "avant que E n'ait calculé"),
            (Answers("CBED", 0.6), "une fois chacune"),
            (Answers(["C", "B", "E", "D", "A"], 0.6), "une chaîne de cinq lettres"),
            (Answers("CBEDA", 0.3), "avec `zero_grad`"),
            (Answers("CBEDA", 6), "multiplier par le pas"),
            (Answers("CBEDA", -0.6), "on la demande positive"),
        ],
        also_right=[Answers("BCEDA", 0.6), Answers("BECDA", 0.6), Answers("bedac", 0.1 + 0.2 + 0.3)],
    ),
    "2-9-b": Case(
        solution=to_pytorch,
        stub=to_pytorch_stub,
        wrong=[
            (lambda weight: weight.T, "couché sur le côté"),
            (reshape_instead, "le chat déchiré"),
            (inputs_before_outputs, "la sortie avant l'entrée"),
            (kernels_only, "se transpose aussi"),
            (lambda weight, axes: weight, "ne peut être appelée avec 1 argument"),
        ],
        also_right=[to_pytorch_by_moving],
    ),
    "2-9-c": Case(
        solution=dense_to_pytorch,
        stub=dense_stub,
        wrong=[
            (lambda kernel, height, width, channels: kernel.T, "encore dans l'ordre de Keras"),
            (rows_only, "il reste à transposer"),
            (as_channels_first, "encore dans l'ordre de Keras"),
            (the_way_back, "le trajet inverse"),
            (sides_swapped, "La hauteur et la largeur sont échangées"),
        ],
        also_right=[dense_by_index],
    ),
    "2-9-d": Case(
        solution=combine,
        stub=combine_stub,
        wrong=[
            (mean_of_means, "moyenne simple"),
            (sum_of_gradients, "somme des gradients"),
            (sum_over_examples, "il reste à la diviser"),
            (over_replicas, "pas par le nombre de répliques"),
            (one_per_replica, "un gradient par poids"),
            (lambda gradients, sizes: 2.0, "une liste, avec un tableau par poids"),
        ],
        also_right=[combine_by_average],
    ),
}
