"""Activation functions: layers without parameters, each written with its derivative."""

from __future__ import annotations

import numpy as np

from course_utils.scratch.base import Layer


class Activation(Layer):
    """An elementwise function y = f(x).

    The derivative of each is written from its *output* y: ``backward`` then needs to remember nothing else.
    """

    example = "ReLU()"

    def function(self, x):
        """Return y = f(x)."""
        raise NotImplementedError

    def slope(self, y):
        """Return f'(x), written from y = f(x)."""
        raise NotImplementedError

    def derivative(self, x):
        """Return f'(x)."""
        return self.slope(self.function(np.asarray(x)))

    def forward(self, x, training=False):
        """Return f(x), of the shape of x."""
        self.output = self.function(x)
        return self.output

    def backward(self, grad):
        """Chain rule: ∂L/∂x = ∂L/∂y · f'(x)."""
        return grad * self.slope(self.output)


class Linear(Activation):
    """f(x) = x, the identity."""

    def function(self, x):
        """Return x."""
        return x

    def slope(self, y):
        """Return 1."""
        return np.ones_like(y)

    def backward(self, grad):
        """Return the gradient as it came."""
        return grad


class Sigmoid(Activation):
    """f(x) = 1 / (1 + exp(−x)), between 0 and 1 (Rumelhart, Hinton & Williams, 1986)."""

    def function(self, x):
        """Return 1 / (1 + exp(−x)); only exp(−|x|) is computed, which cannot overflow."""
        small = np.exp(-np.abs(x))
        return np.where(x >= 0, 1, small) / (1 + small)

    def slope(self, y):
        """Return y (1 − y), at most 1/4."""
        return y * (1 - y)


class Tanh(Activation):
    """f(x) = tanh(x), between −1 and 1 and centred on 0."""

    def function(self, x):
        """Return tanh(x)."""
        return np.tanh(x)

    def slope(self, y):
        """Return 1 − y²."""
        return 1 - y * y


class ReLU(Activation):
    """f(x) = max(x, 0) (Nair & Hinton, 2010); its derivative at 0 is taken as 0."""

    def function(self, x):
        """Return max(x, 0)."""
        return np.maximum(x, 0)

    def slope(self, y):
        """Return 1 where the unit is active, 0 elsewhere."""
        return (y > 0).astype(y.dtype)


class LeakyReLU(Activation):
    """f(x) = x if x > 0, otherwise slope · x (Maas, Hannun & Ng, 2013, with 0.01).

    Keras has two defaults and so have we, so that the same line gives the same numbers:
    0.3 for the layer ``LeakyReLU()``, 0.2 for the name ``"leaky_relu"``.
    """

    def __init__(self, negative_slope=0.3):
        super().__init__()
        if negative_slope < 0:
            raise ValueError(
                f"negative_slope vaut {negative_slope!r} ; donnez un nombre positif ou nul, par exemple 0.2."
            )
        self.negative_slope = negative_slope

    def function(self, x):
        """Return x or slope · x."""
        return np.where(x > 0, x, self.negative_slope * x)

    def slope(self, y):
        """Return 1 or the negative slope."""
        return np.where(y > 0, 1, self.negative_slope).astype(y.dtype)


class ELU(Activation):
    """f(x) = x if x > 0, otherwise α (exp(x) − 1) (Clevert, Unterthiner & Hochreiter, 2016)."""

    def __init__(self, alpha=1.0):
        super().__init__()
        if alpha < 0:
            raise ValueError(f"alpha vaut {alpha!r} ; donnez un nombre positif ou nul, par exemple 1.0.")
        self.alpha = alpha

    def function(self, x):
        """Return x or α (exp(x) − 1)."""
        return np.where(x > 0, x, self.alpha * np.expm1(np.minimum(x, 0)))

    def slope(self, y):
        """Return 1, or α exp(x) = y + α."""
        return np.where(y > 0, 1, y + self.alpha)


class Softmax(Activation):
    """yᵢ = exp(xᵢ) / Σⱼ exp(xⱼ) over the last axis: positive outputs whose sum is 1."""

    def function(self, x):
        """Return the probabilities; subtracting the largest xᵢ changes nothing and avoids overflow."""
        powers = np.exp(x - x.max(axis=-1, keepdims=True))
        return powers / powers.sum(axis=-1, keepdims=True)

    def slope(self, y):
        """Return the Jacobian ∂yᵢ/∂xⱼ = yᵢ (δᵢⱼ − yⱼ), of shape (..., K, K): each output depends on every input."""
        return y[..., :, None] * (np.eye(y.shape[-1], dtype=y.dtype) - y[..., None, :])

    def backward(self, grad):
        """Return the product of the gradient by the Jacobian, yⱼ (gⱼ − Σᵢ gᵢ yᵢ), without forming the matrix."""
        return self.output * (grad - (grad * self.output).sum(axis=-1, keepdims=True))


ACTIVATIONS = {
    "linear": Linear,
    "sigmoid": Sigmoid,
    "tanh": Tanh,
    "relu": ReLU,
    "leaky_relu": lambda: LeakyReLU(0.2),
    "elu": ELU,
    "softmax": Softmax,
}
