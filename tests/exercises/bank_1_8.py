"""Right and wrong answers to the exercises of lesson 1-8."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Answers, Case


def weight_std(shape, scheme):
    window = np.prod(shape[:-2])
    n, m = window * shape[-2], window * shape[-1]
    return np.sqrt(2 / n) if scheme == "he" else np.sqrt(2 / (n + m))


def weight_std_stub(shape, scheme): ...


def std_of_dense(shape, scheme):
    n, m = shape[-2], shape[-1]
    return np.sqrt(2 / n if scheme == "he" else 2 / (n + m))


def std_with_outputs(shape, scheme):
    return weight_std((*shape[:-2], shape[-1], shape[-2]), scheme)


def dropout(x, rate, rng, training):
    if not training:
        return x, np.ones_like(x)
    mask = (rng.random(x.shape) >= rate) / (1 - rate)
    return x * mask, mask


def dropout_backward(grad, mask):
    return grad * mask


def dropout_stub(x, rate, rng, training): ...


def dropout_backward_stub(grad, mask): ...


def unscaled(x, rate, rng, training):
    mask = rng.random(x.shape) >= rate if training else np.ones_like(x)
    return x * mask, mask


def inverted_rate(x, rate, rng, training):
    mask = (rng.random(x.shape) < rate) / (1 - rate) if training else np.ones_like(x)
    return x * mask, mask


def divided_by_rate(x, rate, rng, training):
    mask = (rng.random(x.shape) >= rate) / rate if training else np.ones_like(x)
    return x * mask, mask


def boolean_mask(x, rate, rng, training):
    mask = rng.random(x.shape) >= rate if training else np.ones_like(x)
    return (x * mask / (1 - rate) if training else x), mask


def always_on(x, rate, rng, training):
    return dropout(x, rate, rng, True)


def own_generator(x, rate, rng, training):
    return dropout(x, rate, np.random.default_rng(0), training)


def output_alone(x, rate, rng, training):
    return dropout(x, rate, rng, training)[0]


def one_mask_per_row(x, rate, rng, training):
    mask = (rng.random(x.shape[1]) >= rate) / (1 - rate)
    return x * mask, mask


def early_stopping(val_losses, patience):
    best, best_epoch, waited = np.inf, 0, 0
    for epoch, loss in enumerate(val_losses):
        if loss < best:
            best, best_epoch, waited = loss, epoch, 0
        else:
            waited += 1
        if waited >= patience:
            return epoch, best_epoch
    return len(val_losses) - 1, best_epoch


def early_stopping_stub(val_losses, patience): ...


def one_epoch_late(val_losses, patience):
    return early_stopping(val_losses, patience + 1)


def with_ties(val_losses, patience):
    best, best_epoch, waited = np.inf, 0, 0
    for epoch, loss in enumerate(val_losses):
        if loss <= best:
            best, best_epoch, waited = loss, epoch, 0
        else:
            waited += 1
        if waited >= patience:
            return epoch, best_epoch
    return len(val_losses) - 1, best_epoch


def against_previous(val_losses, patience):
    best_epoch, waited = 0, 0
    for epoch in range(1, len(val_losses)):
        waited = 0 if val_losses[epoch] < val_losses[epoch - 1] else waited + 1
        if val_losses[epoch] < val_losses[best_epoch]:
            best_epoch = epoch
        if waited >= patience:
            return epoch, best_epoch
    return len(val_losses) - 1, best_epoch


def seer(val_losses, patience):
    return early_stopping(val_losses, patience)[0], int(np.argmin(val_losses))


def deduced(val_losses, patience):
    last, _ = early_stopping(val_losses, patience)
    return last, last - patience


def batch_norm(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    if not training:
        return gamma * (x - mean) / np.sqrt(var + eps) + beta, mean, var
    mu, v = x.mean(axis=0), x.var(axis=0)
    y = gamma * (x - mu) / np.sqrt(v + eps) + beta
    return y, momentum * mean + (1 - momentum) * mu, momentum * var + (1 - momentum) * v


def batch_norm_stub(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3): ...


def sample_variance(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    mu, v = x.mean(axis=0), x.var(axis=0, ddof=1)
    if not training:
        mu, v = mean, var
    return gamma * (x - mu) / np.sqrt(v + eps) + beta, mean, var


def eps_outside(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    mu, v = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - mu) / (np.sqrt(v) + eps) + beta, mean, var


def over_features(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    mu, v = x.mean(axis=1, keepdims=True), x.var(axis=1, keepdims=True)
    return gamma * (x - mu) / np.sqrt(v + eps) + beta, mean, var


def pytorch_momentum(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    return batch_norm(x, gamma, beta, mean, var, training, 1 - momentum, eps)


def always_batch(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    return batch_norm(x, gamma, beta, mean, var, True, momentum, eps)


def frozen_averages(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    return batch_norm(x, gamma, beta, mean, var, training, momentum, eps)[0], mean, var


def in_place(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    y, new_mean, new_var = batch_norm(x, gamma, beta, mean, var, training, momentum, eps)
    mean[...], var[...] = new_mean, new_var
    return y, mean, var


def forgetful_inference(x, gamma, beta, mean, var, training, momentum=0.99, eps=1e-3):
    if training:
        return batch_norm(x, gamma, beta, mean, var, True, momentum, eps)
    _, new_mean, new_var = batch_norm(x, gamma, beta, mean, var, True, momentum, eps)
    return batch_norm(x, gamma, beta, mean, var, False, momentum, eps)[0], new_mean, new_var


CASES = {
    "1-8-a": Case(
        solution=weight_std,
        stub=weight_std_stub,
        wrong=[
            (lambda shape, scheme: weight_std(shape, scheme) ** 2, "la racine carrée"),
            (std_of_dense, "Comptez aussi la fenêtre"),
            (std_with_outputs, "He regarde ce que le neurone reçoit"),
            (lambda shape, scheme: np.sqrt(3) * weight_std(shape, scheme), "loi uniforme"),
            (0.1, "on attend une fonction"),
        ],
        also_right=[lambda shape, scheme: float(weight_std(shape, scheme))],
    ),
    "1-8-b": Case(
        solution=Answers(dropout, dropout_backward),
        stub=Answers(dropout_stub, dropout_backward_stub),
        wrong=[
            (Answers(unscaled, dropout_backward), "ne sont pas agrandis"),
            (Answers(inverted_rate, dropout_backward), "`rate` est la part des éteints"),
            (Answers(divided_by_rate, dropout_backward), "Vous divisez par `rate`"),
            (Answers(boolean_mask, dropout_backward), "manque au retour"),
            (Answers(always_on, dropout_backward), "ne fait rien à l'inférence"),
            (Answers(own_generator, dropout_backward), "sans en recréer un"),
            (Answers(output_alone, dropout_backward), "deux choses"),
            (Answers(one_mask_per_row, dropout_backward), "un tirage par valeur"),
            (Answers(dropout, lambda grad, mask: grad), "traverse des neurones éteints"),
        ],
    ),
    "1-8-c": Case(
        solution=early_stopping,
        stub=early_stopping_stub,
        wrong=[
            (one_epoch_late, "Une époque de trop"),
            (with_ties, "Une égalité n'est pas un progrès"),
            (against_previous, "Comparez au meilleur coût vu"),
            (seer, "ne connaît pas l'avenir"),
            (deduced, "notez l'époque du meilleur"),
            (lambda val_losses, patience: early_stopping(val_losses, patience)[::-1], "L'ordre attendu"),
        ],
    ),
    "1-8-d": Case(
        solution=batch_norm,
        stub=batch_norm_stub,
        wrong=[
            (sample_variance, "pas par N - 1"),
            (eps_outside, "va sous la racine"),
            (over_features, "layer normalization"),
            (pytorch_momentum, "la part de l'ancienne valeur"),
            (always_batch, "servez-vous des moyennes glissantes"),
            (frozen_averages, "doivent avancer"),
            (in_place, "Travaillez sur une copie"),
            (forgetful_inference, "ne bougent qu'à l'entraînement"),
            (lambda x, *rest: batch_norm(x, *rest)[0], "trois choses"),
        ],
    ),
}
