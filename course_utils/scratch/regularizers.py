"""Penalties on the weights, added to the loss."""

from __future__ import annotations

import numpy as np


class Regularizer:
    """Penalty l1 · Σ|w| + l2 · Σw² of a parameter, as Keras writes it (no factor 1/2)."""

    example = "L2(1e-4)"

    def __init__(self, l1=0.0, l2=0.0):
        self.l1, self.l2 = l1, l2

    def __call__(self, w) -> float:
        """Return the penalty of ``w``."""
        return float(self.l1 * np.abs(w).sum() + self.l2 * np.square(w).sum())

    def gradient(self, w):
        """Return l1 · sign(w) + 2 · l2 · w, of the shape of ``w``."""
        return self.l1 * np.sign(w) + 2 * self.l2 * w


class L1(Regularizer):
    """l1 · Σ|w|: pulls every weight to 0 with the same force, and many stay there (Tibshirani, 1996)."""

    def __init__(self, l1=0.01):
        super().__init__(l1=l1)


class L2(Regularizer):
    """l2 · Σw²: pulls large weights harder (weight decay; Krogh & Hertz, 1992)."""

    def __init__(self, l2=0.01):
        super().__init__(l2=l2)


class L1L2(Regularizer):
    """Both penalties together (elastic net; Zou & Hastie, 2005)."""


REGULARIZERS = {"l1": L1, "l2": L2}
