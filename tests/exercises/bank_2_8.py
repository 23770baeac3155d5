from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Answers, Case

MEAN, STD = np.array([0.485, 0.456, 0.406]), np.array([0.229, 0.224, 0.225])
MEAN_BGR = np.array([103.939, 116.779, 123.68])


def normalise(images, convention):
    if convention == "levels":
        return 255 * images
    if convention == "symmetric":
        return 2 * images - 1
    if convention == "imagenet":
        return (images - MEAN) / STD
    return 255 * images[..., ::-1] - MEAN_BGR


def normalise_but(name, formula):
    return lambda images, convention: formula(images) if convention == name else normalise(images, convention)


def probe(features, labels, new_features):
    from sklearn.linear_model import LogisticRegression
    from sklearn.preprocessing import StandardScaler

    scaler = StandardScaler().fit(features)
    model = LogisticRegression(C=0.1, max_iter=1000).fit(scaler.transform(features), labels)
    return model.predict(scaler.transform(new_features))


def nearest(features, labels, new_features, *, scale=True, names=True, own=False, scores=False):
    """Nearest mean of the classes, with the faults asked for."""
    mean, std = (features.mean(0), features.std(0)) if scale else (0.0, 1.0)
    classes = np.unique(labels)
    centres = np.stack([((features - mean) / std)[labels == k].mean(0) for k in classes])
    if own:
        mean, std = new_features.mean(0), new_features.std(0) + 1e-9
    distances = (((new_features - mean) / std)[:, None] - centres) ** 2
    if scores:
        return -distances.sum(-1)
    best = distances.sum(-1).argmin(1)
    return classes[best] if names else best


def batch_norm(x, gamma, beta, mean, variance, training, frozen):
    if training and not frozen:
        m, v = x.mean(axis=0), x.var(axis=0)
        mean, variance = 0.9 * mean + 0.1 * m, 0.9 * variance + 0.1 * v
    else:
        m, v = mean, variance
    return gamma * (x - m) / np.sqrt(v + 1e-3) + beta, mean, variance


def faulty(x, gamma, beta, mean, variance, training, frozen):
    return batch_norm(x, gamma, beta, mean, variance, training, False)


def still_updates(x, gamma, beta, mean, variance, training, frozen):
    y, _, _ = batch_norm(x, gamma, beta, mean, variance, training, frozen)
    return (y, *batch_norm(x, gamma, beta, mean, variance, training, False)[1:])


def still_normalises(x, gamma, beta, mean, variance, training, frozen):
    y, _, _ = batch_norm(x, gamma, beta, mean, variance, training, False)
    return (y, *batch_norm(x, gamma, beta, mean, variance, training, frozen)[1:])


def never_learns(x, gamma, beta, mean, variance, training, frozen):
    return batch_norm(x, gamma, beta, mean, variance, False, frozen)


CASES = {
    "2-8-a": Case(
        solution=normalise,
        stub=lambda images, convention: None,
        wrong=[
            (normalise_but("symmetric", lambda x: 2 * x), "il faut encore retirer 1"),
            (normalise_but("symmetric", lambda x: x - 0.5), "deux fois plus large"),
            (normalise_but("imagenet", lambda x: x - MEAN), "diviser par `STD`"),
            (normalise_but("caffe", lambda x: 255 * x - MEAN_BGR), "retourner les canaux"),
            (normalise_but("caffe", lambda x: (255 * x - MEAN_BGR)[..., ::-1]), "déjà dans l'ordre"),
            (normalise_but("caffe", lambda x: x[..., ::-1] - MEAN_BGR), "entre 0 et 255"),
        ],
    ),
    "2-8-b": Case(
        solution=probe,
        stub=lambda features, labels, new_features: None,
        wrong=[
            (lambda f, y, new: nearest(f, y, new, names=False), "pas leur rang"),
            (lambda f, y, new: nearest(f, y, new, own=True), "un par un"),
            (lambda f, y, new: nearest(f, y, new, scale=False), "même échelle"),
            (lambda f, y, new: nearest(f, y, new, scores=True), "non des scores"),
        ],
        also_right=[nearest],
    ),
    "2-8-c": Case(
        solution=Answers(165, 4773, 5301),
        stub=Answers(..., ..., ...),
        wrong=[
            (Answers(160, 4773, 5301), "biais de la tête"),
            (Answers(165, 4837, 5301), "reste gelée"),
            (Answers(165, 4773, 5397), "deux nombres par canal"),
            (Answers(165, 4608, 5301), "La tête s'apprend"),
        ],
    ),
    "2-8-d": Case(
        solution=batch_norm,
        stub=lambda x, gamma, beta, mean, variance, training, frozen: None,
        wrong=[
            (faulty, "défaut d'origine"),
            (still_updates, "met encore à jour"),
            (still_normalises, "encore normalisée par le lot"),
            (never_learns, "doit encore apprendre"),
        ],
    ),
    "2-8-e": Case(
        solution=Answers("a", "b", "c", "d"),
        stub=Answers(..., ..., ..., ...),
        wrong=[
            (Answers("b", "b", "c", "d"), "par cœur"),
            (Answers("a", "c", "c", "d"), "pétales"),
            (Answers("a", "b", "a", "d"), "Neuf canaux"),
            (Answers("a", "b", "c", "a"), "118 races"),
        ],
    ),
}
