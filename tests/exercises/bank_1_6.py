"""Answers on which the checks of lesson 1-6 are tested."""

from __future__ import annotations

import numpy as np

from course_utils.exercises.testing import Case


def best_lr(H):
    curvatures = np.linalg.eigvalsh(H)
    return 2 / (curvatures[0] + curvatures[-1])


def best_lr_stub(H): ...


def best_lr_in_place(H):
    rate = best_lr(H)
    H *= rate
    return rate


def momentum_step(w, v, g, lr, mu, nesterov):
    v = mu * v - lr * g
    return w + (mu * v - lr * g if nesterov else v), v


def momentum_stub(w, v, g, lr, mu, nesterov): ...


def momentum_in_place(w, v, g, lr, mu, nesterov):
    v *= mu
    v -= lr * g
    return w + (mu * v - lr * g if nesterov else v), v


def momentum_pytorch(w, v, g, lr, mu, nesterov):
    v = mu * v + g
    return w - lr * (g + mu * v if nesterov else v), v


def momentum_old_speed(w, v, g, lr, mu, nesterov):
    new = mu * v - lr * g
    return w + (mu * new - lr * g if nesterov else v), new


def nesterov_old_speed(w, v, g, lr, mu, nesterov):
    new = mu * v - lr * g
    return w + (mu * v - lr * g if nesterov else new), new


def adam_step(w, m, v, g, t, lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
    m = beta_1 * m + (1 - beta_1) * g
    v = beta_2 * v + (1 - beta_2) * g**2
    m_hat, v_hat = m / (1 - beta_1**t), v / (1 - beta_2**t)
    return w - lr * m_hat / (np.sqrt(v_hat) + epsilon), m, v


def adam_stub(w, m, v, g, t, lr=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7): ...


def adam_uncorrected(w, m, v, g, t, lr, beta_1, beta_2, epsilon):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g**2
    return w - lr * m / (np.sqrt(v) + epsilon), m, v


def adam_returning_corrected(w, m, v, g, t, lr, beta_1, beta_2, epsilon):
    w, m, v = adam_step(w, m, v, g, t, lr, beta_1, beta_2, epsilon)
    return w, m / (1 - beta_1**t), v / (1 - beta_2**t)


def adam_epsilon_inside(w, m, v, g, t, lr, beta_1, beta_2, epsilon):
    _, m, v = adam_step(w, m, v, g, t, lr, beta_1, beta_2, epsilon)
    return w - lr * m / (1 - beta_1**t) / np.sqrt(v / (1 - beta_2**t) + epsilon), m, v


def adam_of_keras(w, m, v, g, t, lr, beta_1, beta_2, epsilon):
    _, m, v = adam_step(w, m, v, g, t, lr, beta_1, beta_2, epsilon)
    alpha = lr * np.sqrt(1 - beta_2**t) / (1 - beta_1**t)
    return w - alpha * m / (np.sqrt(v) + epsilon), m, v


def adam_without_square(w, m, v, g, t, lr, beta_1, beta_2, epsilon):
    m, v = beta_1 * m + (1 - beta_1) * g, beta_2 * v + (1 - beta_2) * g
    with np.errstate(all="ignore"):
        return w - lr * m / (1 - beta_1**t) / (np.sqrt(v / (1 - beta_2**t)) + epsilon), m, v


def adam_from_zero(w, m, v, g, t, lr, beta_1, beta_2, epsilon):
    with np.errstate(all="ignore"):
        return adam_step(w, m, v, g, t - 1, lr, beta_1, beta_2, epsilon)


def warmup_cosine(t, total, warmup, peak):
    if t <= warmup:
        return peak * t / warmup
    return peak * (1 + np.cos(np.pi * (t - warmup) / (total - warmup))) / 2


def warmup_stub(t, total, warmup, peak): ...


def warmup_strict(t, total, warmup, peak):
    if t < warmup:
        return t * (peak / warmup)
    return peak * np.cos(np.pi / 2 * (t - warmup) / (total - warmup)) ** 2


def warmup_then(fall):
    def schedule(t, total, warmup, peak):
        return peak * t / warmup if t <= warmup else peak * fall((t - warmup) / (total - warmup))

    return schedule


CASES = {
    "1-6-a": Case(
        solution=best_lr,
        stub=best_lr_stub,
        wrong=[
            (lambda H: 2 / np.linalg.eigvalsh(H).max(), "la limite de stabilité"),
            (lambda H: 1 / np.linalg.eigvalsh(H).max(), "la plus plate attend"),
            (lambda H: best_lr(H) / 2, "un facteur 2"),
            (lambda H: 2 / np.trace(H), "toutes additionnées"),
            (lambda H: len(H) / np.trace(H), "les deux extrêmes commandent"),
            (lambda H: 2 / (np.diag(H).min() + np.diag(H).max()), "si H est diagonale"),
            (lambda H: 2 / np.linalg.eigvalsh(H).min(), "fait diverger"),
            (best_lr_in_place, "modifie"),
            (0.2, "on attend une fonction"),
        ],
        also_right=[lambda H: 2 / (np.linalg.norm(H, 2) + np.linalg.norm(H, -2))],
    ),
    "1-6-b": Case(
        solution=momentum_step,
        stub=momentum_stub,
        wrong=[
            (momentum_pytorch, "convention de PyTorch"),
            (lambda w, v, g, lr, mu, n: momentum_step(w, v, g, lr, mu, not n), "Les deux règles sont échangées"),
            (lambda w, v, g, lr, mu, n: momentum_step(w, v, -g, lr, mu, n), "monte la pente"),
            (lambda w, v, g, lr, mu, n: momentum_step(w, v, (1 - mu) * g, lr, mu, n), "appartient aux moyennes"),
            (momentum_old_speed, "l'ancienne vitesse"),
            (lambda w, v, g, lr, mu, n: momentum_step(w, v, g, lr, mu, False), "sans effet"),
            (nesterov_old_speed, "déjà mise à jour"),
            (lambda *a: momentum_step(*a)[::-1], "échangés"),
            (lambda *a: momentum_step(*a)[0], "aussi la vitesse"),
            (momentum_in_place, "modifie"),
        ],
        also_right=[
            lambda w, v, g, lr, mu, n: (w + mu * (mu * v - lr * g) * n - lr * g + mu * v * (not n), mu * v - lr * g)
        ],
    ),
    "1-6-c": Case(
        solution=adam_step,
        stub=adam_stub,
        wrong=[
            (adam_uncorrected, "La correction manque"),
            (adam_returning_corrected, "corrigerait deux fois"),
            (adam_epsilon_inside, "formule de RMSprop"),
            (adam_of_keras, "variante de Keras"),
            (adam_without_square, "le carré manque"),
            (lambda w, m, v, g, t, lr, a, b, e: adam_step(w, m, v, g, t, lr, b, a, e), "échangés"),
            (lambda w, m, v, g, t, *rest: adam_step(w, m, v, g, t + 1, *rest), "pas `t + 1`"),
            (lambda w, m, v, g, t, *rest: adam_step(w, m, v, g, 1, *rest), "L'exposant `t` manque"),
            (lambda w, m, v, g, t, lr, *rest: adam_step(w, m, v, g, t, -lr, *rest), "montez la pente"),
            (adam_from_zero, "on y divise par zéro"),
            (lambda w, g: w - g, "ne peut être appelée avec 9 arguments"),
        ],
    ),
    "1-6-d": Case(
        solution=warmup_cosine,
        stub=warmup_stub,
        wrong=[
            (lambda t, total, warmup, peak: warmup_cosine(t, total, 0, peak), "L'échauffement manque"),
            (warmup_then(lambda x: 1 + np.cos(np.pi * x)), "facteur 1/2"),
            (warmup_then(lambda x: (1 + np.cos(x)) / 2), "Il manque π"),
            (warmup_then(lambda x: np.cos(np.pi * x)), "remonterait la pente"),
            (warmup_then(lambda x: np.cos(np.pi * x / 2)), "quart de tour"),
            (warmup_then(lambda x: 1 - x), "une droite"),
            (warmup_then(lambda x: 1.0), "descendre jusqu'à 0"),
            (lambda t, total, warmup, peak: warmup_cosine(t, total, warmup, 1.0), "le facteur `peak`"),
        ],
        also_right=[warmup_strict],
    ),
}
