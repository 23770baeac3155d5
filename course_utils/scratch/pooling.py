"""Pooling: each channel is summed up, window by window; there is nothing to learn.

The letters are those of ``conv``: (N, L, C) or (N, H, W, C) in, positions O out; F is the side of the window.
"""

from __future__ import annotations

import math

import numpy as np

from course_utils.scratch.conv import Sliding, SpatialLayer, as_sizes


class Pooling(SpatialLayer):
    """What all poolings on windows share; a step of the window's own size, the default, makes windows that touch.

    Parameters
    ----------
    pool_size : int or sequence of int
        Size of the window.
    strides : int or sequence of int, optional
        Step between two windows; by default ``pool_size``.
    padding : "valid" or "same"
        Leave out the pixels that do not fill a window, or add margins, which never count in a maximum or a mean.
    """

    def __init__(self, pool_size=2, strides=None, padding="valid"):
        super().__init__()
        self.pool_size = as_sizes(pool_size, self.rank, "pool_size", 1)
        self.strides = self.pool_size if strides is None else as_sizes(strides, self.rank, "strides", 1)
        if padding not in ("valid", "same"):
            raise ValueError(f"padding vaut {padding!r} ; un pooling accepte 'valid' (aucune marge) ou 'same'.")
        self.padding = padding

    def sliding(self, size):
        """Return where the window falls on an input of spatial ``size``."""
        return Sliding(size, self.pool_size, self.strides, self.padding)

    def output_shape(self, input_shape):
        """Replace the spatial axes by the positions of the window."""
        return (input_shape[0], *self.sliding(input_shape[1:-1]).output, input_shape[-1])

    def forward(self, x, training=False):
        """Return the summary of each window, (N, O, O, C)."""
        self.prepare(x)
        self.place = self.sliding(x.shape[1:-1])
        return self.summarize(x)

    def summarize(self, x):
        """Return the summary of the windows placed by ``self.place``."""
        raise NotImplementedError


class MaxPooling(Pooling):
    """The largest value of each window (Weng, Ahuja & Huang, 1992)."""

    def summarize(self, x):
        """Compare all the windows at once, one cell of the window after the other."""
        self.padded = self.place.pad(x, -np.inf if x.dtype.kind == "f" else np.iinfo(x.dtype).min)
        (_, first), *others = self.place.cells()
        self.output = self.padded[first].copy()
        for _, pixels in others:
            np.maximum(self.output, self.padded[pixels], out=self.output)
        return self.output

    def backward(self, grad):
        """Only the pixel that was the maximum receives the gradient; of several equal ones, the first."""
        result = np.zeros(self.padded.shape, grad.dtype)
        waiting = np.ones(grad.shape, bool)
        for _, pixels in self.place.cells():
            winners = waiting & (self.padded[pixels] == self.output)
            result[pixels] += grad * winners
            waiting &= ~winners
        return result[self.place.inside]


class SumPooling(Pooling):
    """The sum of each window."""

    def summarize(self, x):
        """Add all the windows at once, one cell of the window after the other."""
        padded = self.place.pad(x)
        return sum(padded[pixels] for _, pixels in self.place.cells())

    def backward(self, grad):
        """Each pixel receives the gradients of all the windows that hold it."""
        result = np.zeros((len(grad), *self.place.padded, grad.shape[-1]), grad.dtype)
        for _, pixels in self.place.cells():
            result[pixels] += grad
        return result[self.place.inside]


class AveragePooling(SumPooling):
    """The mean of each window, margins left out (LeCun et al., 1989)."""

    def summarize(self, x):
        """Divide the sum by the number of pixels that are not margins."""
        self.count = super().summarize(np.ones((1, *x.shape[1:-1], 1), x.dtype))
        return super().summarize(x) / self.count

    def backward(self, grad):
        """Share each gradient among the pixels of its window."""
        return super().backward(grad / self.count)


class GlobalPooling(SpatialLayer):
    """One number for each channel, whatever the size of the image: (N, H, W, C) becomes (N, C)."""

    def output_shape(self, input_shape):
        """Remove the spatial axes."""
        return (input_shape[0], input_shape[-1])


class GlobalAverage(GlobalPooling):
    """The mean of each channel (Lin, Chen & Yan, 2014)."""

    def forward(self, x, training=False):
        """Return the means, (N, C)."""
        self.prepare(x)
        self.shape = x.shape
        return x.mean(axis=tuple(range(1, x.ndim - 1)))

    def backward(self, grad):
        """Share each gradient among all the pixels."""
        size = self.shape[1:-1]
        share = (grad / math.prod(size)).reshape(len(grad), *(1 for _ in size), -1)
        return np.broadcast_to(share, self.shape).copy()


class GlobalMax(GlobalPooling):
    """The largest value of each channel."""

    def forward(self, x, training=False):
        """Return the maxima, (N, C)."""
        self.prepare(x)
        self.input = x
        self.output = x.max(axis=tuple(range(1, x.ndim - 1)), keepdims=True)
        return self.output.reshape(len(x), -1)

    def backward(self, grad):
        """Share each gradient equally among the pixels that reach the maximum, as TensorFlow does for a maximum."""
        winners = self.input == self.output
        count = winners.sum(axis=tuple(range(1, winners.ndim - 1)), keepdims=True)
        return winners * (grad.reshape(self.output.shape) / count.astype(grad.dtype))


class MaxPooling1D(MaxPooling):
    """Maximum of each window of a sequence."""

    rank = 1


class MaxPooling2D(MaxPooling):
    """Maximum of each window of an image."""


class AveragePooling1D(AveragePooling):
    """Mean of each window of a sequence."""

    rank = 1


class AveragePooling2D(AveragePooling):
    """Mean of each window of an image."""


class SumPooling1D(SumPooling):
    """Sum of each window of a sequence."""

    rank = 1


class SumPooling2D(SumPooling):
    """Sum of each window of an image."""


class GlobalAveragePooling1D(GlobalAverage):
    """Mean of each channel of a sequence."""

    rank = 1


class GlobalAveragePooling2D(GlobalAverage):
    """Mean of each channel of an image."""


class GlobalMaxPooling1D(GlobalMax):
    """Maximum of each channel of a sequence."""

    rank = 1


class GlobalMaxPooling2D(GlobalMax):
    """Maximum of each channel of an image."""
