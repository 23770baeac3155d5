"""Gradients by finite differences: slow, simple, and the judge of back-propagation."""

from __future__ import annotations

import numpy as np


def numerical_gradient(f, x, *, epsilon=1e-5, entries=None):
    """Estimate the gradient of ``f`` at ``x`` by central differences, (f(x + ε) − f(x − ε)) / 2ε, entry by entry.

    Parameters
    ----------
    f : callable
        Takes an array of the shape of ``x``, gives a number.
    x : ndarray of float64
        Moved in place while measuring, and given back as it was.
    epsilon : float
        Smaller, the formula is truer but the subtraction loses digits: 1e-5 suits float64.
    entries : iterable of int, optional
        Flat indices to measure, when there are too many; the others stay at 0.

    Returns
    -------
    ndarray
        Gradient, of the shape of ``x``.
    """
    if not isinstance(x, np.ndarray) or x.dtype != np.float64:
        kind = f"un tableau {x.dtype}" if isinstance(x, np.ndarray) else f"un objet {type(x).__name__}"
        raise TypeError(
            f"numerical_gradient a reçu {kind} ; il faut un tableau float64 : essayez np.array(x, dtype=float)."
        )
    gradient = np.zeros_like(x)
    for i in range(x.size) if entries is None else entries:
        value = x.flat[i]
        x.flat[i] = value + epsilon
        above = f(x)
        x.flat[i] = value - epsilon
        below = f(x)
        x.flat[i] = value
        gradient.flat[i] = (above - below) / (2 * epsilon)
    return gradient


def relative_error(a, b, *, floor=1e-12) -> float:
    """Return ‖a − b‖ / (‖a‖ + ‖b‖), between 0 and 1; below ``floor``, a denominator is taken as ``floor``."""
    return float(np.linalg.norm(np.subtract(a, b)) / max(np.linalg.norm(a) + np.linalg.norm(b), floor))
