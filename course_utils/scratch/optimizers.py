"""Gradient descent and its improvements, with the exact formulas of Keras.

w is a parameter, g its gradient, η the learning rate.
"""

from __future__ import annotations

import math

import numpy as np


class Optimizer:
    """Updates parameters in place, and keeps for each of them the ``slots`` (arrays of its shape) that its rule needs.

    ``learning_rate`` is a number, or a function that gives it for a step (0, 1, 2, ...).
    """

    example = "Adam(1e-3)"
    slots = 1

    def __init__(self, learning_rate):
        if not callable(learning_rate) and not learning_rate > 0:
            raise ValueError(f"learning_rate vaut {learning_rate!r} ; donnez un nombre positif, par exemple 0.001.")
        self.learning_rate = learning_rate
        self.iterations = 0
        self.params: list[np.ndarray] = []
        self.memory: list[list[np.ndarray]] = []

    def apply(self, grads, params) -> None:
        """Make one step: ``params`` (list of arrays) are changed in place, according to ``grads`` (same shapes)."""
        if not all(isinstance(w, np.ndarray) and w.dtype.kind == "f" for w in params):
            raise TypeError(
                "Un paramètre est modifié sur place : donnez une liste de tableaux, par exemple [np.array(3.0)]."
            )
        if not self.memory:
            self.params, self.memory = list(params), [[np.zeros_like(w) for _ in range(self.slots)] for w in params]
        if [id(w) for w in params] != [id(w) for w in self.params]:
            raise ValueError(
                "Cet optimiseur suit déjà d'autres paramètres, et sa mémoire ne vaut que pour eux : "
                "créez un optimiseur par réseau."
            )
        given, expected = [np.shape(g) for g in grads], [w.shape for w in params]
        if given != expected:
            raise ValueError(
                f"Les gradients ont les formes {given} et les paramètres {expected} ; donnez un gradient par "
                "paramètre, de la même forme et dans le même ordre."
            )
        rate = float(self.learning_rate(self.iterations) if callable(self.learning_rate) else self.learning_rate)
        self.iterations += 1
        for w, g, slots in zip(params, grads, self.memory, strict=True):
            self.update(w, g, rate, *slots)

    def update(self, w, g, rate, *slots) -> None:
        """Change ``w`` and its slots in place."""
        raise NotImplementedError


class SGD(Optimizer):
    """Stochastic gradient descent, w ← w − η g; with momentum μ, v ← μ v − η g then w ← w + v (Polyak, 1964).

    With ``nesterov=True`` the step looks ahead: w ← w + μ v − η g (Nesterov, 1983; Sutskever et al., 2013).
    """

    def __init__(self, learning_rate=0.01, momentum=0.0, nesterov=False):
        super().__init__(learning_rate)
        if not 0 <= momentum < 1:
            raise ValueError(f"momentum vaut {momentum!r} ; donnez un nombre de 0 inclus à 1 exclu, par exemple 0.9.")
        self.momentum, self.nesterov = momentum, nesterov

    def update(self, w, g, rate, v):
        """Move along the velocity."""
        v *= self.momentum
        v -= rate * g
        w += self.momentum * v - rate * g if self.nesterov else v


class RMSprop(Optimizer):
    """v ← ρ v + (1 − ρ) g², w ← w − η g / √(v + ε): each weight has its own scale (Tieleman & Hinton, 2012)."""

    def __init__(self, learning_rate=0.001, rho=0.9, epsilon=1e-7):
        super().__init__(learning_rate)
        self.rho, self.epsilon = rho, epsilon

    def update(self, w, g, rate, v):
        """Divide the gradient by its recent size."""
        v += (1 - self.rho) * (g * g - v)
        w -= rate * g / np.sqrt(v + self.epsilon)


class Adam(Optimizer):
    """m and v follow the means of g and of g²; w ← w − α m / (√v + ε) (Kingma & Ba, 2015).

    m and v start from 0, hence are too small at first; α = η √(1 − β₂ᵗ) / (1 − β₁ᵗ) makes up for it at step t = 1, 2…
    As in Keras, ε is the paper's ε̂ (end of its section 2), added after the correction.
    """

    slots = 2

    def __init__(self, learning_rate=0.001, beta_1=0.9, beta_2=0.999, epsilon=1e-7):
        super().__init__(learning_rate)
        self.beta_1, self.beta_2, self.epsilon = beta_1, beta_2, epsilon

    def update(self, w, g, rate, m, v):
        """Divide the mean gradient by its typical size."""
        t = self.iterations
        alpha = rate * math.sqrt(1 - self.beta_2**t) / (1 - self.beta_1**t)
        m += (1 - self.beta_1) * (g - m)
        v += (1 - self.beta_2) * (g * g - v)
        w -= alpha * m / (np.sqrt(v) + self.epsilon)


OPTIMIZERS = {"sgd": SGD, "rmsprop": RMSprop, "adam": Adam}
