"""The layers of a dense network; N is the batch size, D the number of features."""

from __future__ import annotations

import math

import numpy as np

from course_utils.scratch.activations import ACTIVATIONS, Activation
from course_utils.scratch.base import Layer, lookup
from course_utils.scratch.initializers import INITIALIZERS, Initializer
from course_utils.scratch.regularizers import REGULARIZERS, Regularizer


class Dense(Layer):
    """y = f(x W + b), every unit looking at every feature (Rumelhart, Hinton & Williams, 1986).

    The input is (N, ..., D), the kernel W (D, units), the bias b (units,), the output (N, ..., units).
    """

    def __init__(
        self,
        units,
        activation="linear",
        *,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
    ):
        super().__init__()
        if not isinstance(units, (int, np.integer)) or units < 1:
            raise ValueError(f"units vaut {units!r} ; donnez le nombre de neurones, un entier d'au moins 1.")
        self.units, self.use_bias = int(units), use_bias
        self.activation = lookup(activation or "linear", Activation, ACTIVATIONS)
        self.kernel_initializer = lookup(kernel_initializer, Initializer, INITIALIZERS)
        self.bias_initializer = lookup(bias_initializer, Initializer, INITIALIZERS)
        if kernel_regularizer is not None:
            self.regularizers["kernel"] = lookup(kernel_regularizer, Regularizer, REGULARIZERS)

    def create_params(self, input_shape):
        """Draw W and b."""
        shape = (input_shape[-1], self.units)
        self.params["kernel"] = self.kernel_initializer(shape, seed=self.rng, dtype=self.dtype)
        if self.use_bias:
            self.params["bias"] = self.bias_initializer(shape[1:], seed=self.rng, dtype=self.dtype)

    def output_shape(self, input_shape):
        """Replace D by the number of units."""
        return (*input_shape[:-1], self.units)

    def forward(self, x, training=False):
        """Return f(x W + b)."""
        self.prepare(x)
        self.input = x
        z = x @ self.params["kernel"]
        if self.use_bias:
            z += self.params["bias"]
        return self.activation.forward(z, training)

    def backward(self, grad):
        """With δ = ∂L/∂(x W + b): ∂L/∂W = xᵀ δ, ∂L/∂b = Σ δ over the batch, ∂L/∂x = δ Wᵀ."""
        delta = self.activation.backward(grad)
        rows = delta.reshape(-1, self.units)
        self.grads["kernel"] = self.input.reshape(len(rows), -1).T @ rows
        if self.use_bias:
            self.grads["bias"] = rows.sum(axis=0)
        return delta @ self.params["kernel"].T


class Dropout(Layer):
    """In training, silences each value with probability ``rate`` (Srivastava et al., 2014).

    The survivors are divided by 1 − rate, so that the mean does not change and prediction has nothing to correct.
    """

    def __init__(self, rate):
        super().__init__()
        if not 0 <= rate < 1:
            raise ValueError(f"rate vaut {rate!r} ; donnez la part des valeurs à éteindre, de 0 inclus à 1 exclu.")
        self.rate = rate

    def forward(self, x, training=False):
        """Return x · mask, of the shape of x; x itself outside training."""
        self.prepare(x)
        self.mask = None
        if not training:
            return x
        kept = self.rng.random(x.shape, dtype=x.dtype) >= self.rate
        self.mask = kept * x.dtype.type(1 / (1 - self.rate))
        return x * self.mask

    def backward(self, grad):
        """Send back only what had passed."""
        return grad if self.mask is None else grad * self.mask


class BatchNormalization(Layer):
    """y = γ (x − μ) / √(σ² + ε) + β, feature by feature (Ioffe & Szegedy, 2015).

    In training μ and σ² are those of the batch, and their moving averages follow at the pace of ``momentum``; in
    prediction these averages replace them. A feature is an entry of the last axis: for images (N, H, W, C), a channel.
    """

    def __init__(self, momentum=0.99, epsilon=1e-3):
        super().__init__()
        self.momentum, self.epsilon = momentum, epsilon

    def create_params(self, input_shape):
        """Start as the identity, up to ε: γ = 1, β = 0, moving mean 0, moving variance 1."""
        size = input_shape[-1]
        self.params = {"gamma": np.ones(size, self.dtype), "beta": np.zeros(size, self.dtype)}
        self.state = {"moving_mean": np.zeros(size, self.dtype), "moving_variance": np.ones(size, self.dtype)}

    def forward(self, x, training=False):
        """Return γ x̂ + β, where x̂ is the standardised input."""
        self.prepare(x)
        self.training, self.axes = training, tuple(range(x.ndim - 1))
        if training:
            mean, variance = x.mean(axis=self.axes), x.var(axis=self.axes)
            for name, value in (("moving_mean", mean), ("moving_variance", variance)):
                self.state[name] += (1 - self.momentum) * (value - self.state[name])
        else:
            mean, variance = self.state["moving_mean"], self.state["moving_variance"]
        self.scale = 1 / np.sqrt(variance + self.epsilon)
        self.normalized = (x - mean) * self.scale
        return self.params["gamma"] * self.normalized + self.params["beta"]

    def backward(self, grad):
        """In training μ and σ² depend on x too: the gradient loses its mean and its component along x̂."""
        self.grads = {"gamma": (grad * self.normalized).sum(axis=self.axes), "beta": grad.sum(axis=self.axes)}
        if self.training:
            count = grad.size // grad.shape[-1]
            grad = grad - (self.grads["beta"] + self.normalized * self.grads["gamma"]) / count
        return grad * (self.params["gamma"] * self.scale)


class Flatten(Layer):
    """Lays each sample out in a row: (N, H, W, C) becomes (N, H · W · C)."""

    def output_shape(self, input_shape):
        """Multiply the axes after the first one."""
        return (input_shape[0], math.prod(input_shape[1:]))

    def forward(self, x, training=False):
        """Return x as (N, D)."""
        self.shape = x.shape
        return x.reshape(len(x), -1)

    def backward(self, grad):
        """Give the gradient the shape of the input."""
        return grad.reshape(self.shape)
