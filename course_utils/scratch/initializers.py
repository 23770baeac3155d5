"""Initial values of the parameters: large enough for the signal to live, small enough for it not to explode."""

from __future__ import annotations

import math

import numpy as np


class Initializer:
    """Called with a shape, gives an array; the last axis of the shape is the output of the layer."""

    example = "HeNormal()"

    def __call__(self, shape, *, seed=None, dtype="float32"):
        """Draw an array of ``shape``; ``seed`` is an int or a Generator."""
        return self.draw(tuple(shape), np.random.default_rng(seed)).astype(dtype)

    def draw(self, shape, rng):
        """Return a float64 array of ``shape`` drawn from the Generator ``rng``."""
        raise NotImplementedError


class Zeros(Initializer):
    """Zeros everywhere: right for biases; for weights, all units would stay the same for ever."""

    def draw(self, shape, rng):
        """Return zeros."""
        return np.zeros(shape)


class RandomNormal(Initializer):
    """Normal law of mean 0 and standard deviation ``stddev``."""

    def __init__(self, stddev=0.05):
        self.stddev = stddev

    def draw(self, shape, rng):
        """Return stddev · N(0, 1)."""
        return self.stddev * rng.standard_normal(shape)


class VarianceScaling(Initializer):
    """Centred law of variance ``gain`` / fan: the signal keeps its scale from layer to layer.

    The fan is the number of inputs of a unit (``"in"``) or its mean with the number of outputs (``"average"``). As in
    Keras, the normal law is cut at two standard deviations, then widened back to the variance asked for.
    """

    gain, fan, law = 1.0, "average", "uniform"

    def draw(self, shape, rng):
        """Return a sample whose variance depends on the shape alone."""
        receptive_field = math.prod(shape[:-2])
        fan_in, fan_out = shape[-2] * receptive_field, shape[-1] * receptive_field
        deviation = math.sqrt(self.gain / (fan_in if self.fan == "in" else (fan_in + fan_out) / 2))
        if self.law == "uniform":
            limit = math.sqrt(3) * deviation
            return rng.uniform(-limit, limit, shape)
        sample = rng.standard_normal(shape)
        while (outside := np.abs(sample) > 2).any():
            sample[outside] = rng.standard_normal(outside.sum())
        # The normal law cut at ±2 has the standard deviation 0.8796….
        return deviation / 0.87962566103423978 * sample


class GlorotUniform(VarianceScaling):
    """Uniform law of variance 2 / (fan_in + fan_out), for sigmoid and tanh (Glorot & Bengio, 2010)."""


class GlorotNormal(VarianceScaling):
    """Normal law of variance 2 / (fan_in + fan_out) (Glorot & Bengio, 2010)."""

    law = "normal"


class HeUniform(VarianceScaling):
    """Uniform law of variance 2 / fan_in, for ReLU, which silences half of its inputs (He et al., 2015)."""

    gain, fan = 2.0, "in"


class HeNormal(VarianceScaling):
    """Normal law of variance 2 / fan_in, for ReLU (He et al., 2015)."""

    gain, fan, law = 2.0, "in", "normal"


class Orthogonal(Initializer):
    """Random orthogonal matrix times ``gain``: it keeps norms, both ways (Saxe, McClelland & Ganguli, 2014)."""

    def __init__(self, gain=1.0):
        self.gain = gain

    def draw(self, shape, rng):
        """Return the Q of a Gaussian matrix's QR; giving R a positive diagonal makes Q uniform among rotations."""
        rows, columns = math.prod(shape[:-1]), shape[-1]
        q, r = np.linalg.qr(rng.standard_normal((max(rows, columns), min(rows, columns))))
        q *= np.sign(np.diag(r))
        return self.gain * (q if rows >= columns else q.T).reshape(shape)


INITIALIZERS = {
    "zeros": Zeros,
    "random_normal": RandomNormal,
    "glorot_uniform": GlorotUniform,
    "glorot_normal": GlorotNormal,
    "he_uniform": HeUniform,
    "he_normal": HeNormal,
    "orthogonal": Orthogonal,
}
