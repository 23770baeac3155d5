"""Convolutions: a small kernel slides over a sequence or an image, the same weights everywhere.

The sliding is written once, for any number of spatial axes: (N, L, C) for sequences, (N, H, W, C) for images. N is the
batch size, C the number of channels, F the side of the kernel, K the number of filters, O the side of the output. As in
every deep-learning library, the kernel is not flipped: mathematicians would say correlation.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from course_utils.scratch.activations import ACTIVATIONS, Activation
from course_utils.scratch.base import Layer, lookup
from course_utils.scratch.initializers import INITIALIZERS, Initializer
from course_utils.scratch.regularizers import REGULARIZERS, Regularizer

BLOCK_BYTES = 4 << 20
"""Size of the tables of windows. They repeat each pixel F² times: one that stays in the processor's cache is faster."""

BATCHES = {1: "un lot de séquences (N, L, C)", 2: "un lot d'images (N, H, W, C)"}


def output_size(n, f, p=0, s=1, d=1) -> int:
    """Return the number of positions of a kernel on an axis, O = ⌊(N − F + 2P) / S⌋ + 1.

    Parameters
    ----------
    n, f : int
        Sizes of the axis and of the kernel.
    p : int
        Padding, zeros added on each side.
    s : int
        Stride, the step between two positions.
    d : int
        Dilation, the gap between two neighbours of the kernel, which then covers d (F − 1) + 1 cells instead of F.

    Raises
    ------
    ValueError
        If the kernel does not fit in the axis, or a number is too small to make sense.
    """
    for name, value, least in (("n", n, 1), ("f", f, 1), ("p", p, 0), ("s", s, 1), ("d", d, 1)):
        as_sizes(value, 1, name, least)
    return positions(n + 2 * p, f, s, d)


def positions(room, f, s, d) -> int:
    """Return the number of positions in ``room`` cells, padding included."""
    span = d * (f - 1) + 1
    if span > room:
        raise ValueError(
            f"Le noyau couvre {span} cases et l'entrée n'en a que {room}, marges comprises : il ne tient nulle part. "
            "Prenez un noyau plus petit, padding='same', ou une entrée moins réduite par les couches d'avant."
        )
    return (room - span) // s + 1


def receptive_field(layers) -> int:
    """Return how many pixels of an axis a unit of the last layer depends on.

    ``layers`` lists (F, S) or (F, S, D), kernel, stride and dilation of each layer from the first to the last, poolings
    included. With j the distance in pixels between two neighbouring units, each does r ← r + D (F − 1) j, j ← S j.
    """
    field, jump = 1, 1
    for f, s, *d in layers:
        field += (f - 1) * jump * (d[0] if d else 1)
        jump *= s
    return field


def as_sizes(value, rank, name, least) -> tuple[int, ...]:
    """Return one int per spatial axis, from an int for all or a sequence of ``rank`` ints."""
    sizes = (value,) * rank if np.ndim(value) == 0 else tuple(value)
    if len(sizes) != rank or not all(isinstance(n, (int, np.integer)) and n >= least for n in sizes):
        several = f", ou {rank} (un par axe)" if rank > 1 else ""
        raise ValueError(f"{name} vaut {value!r} ; donnez un entier d'au moins {least}{several}.")
    return tuple(int(n) for n in sizes)


def check_padding(padding, rank):
    """Return ``padding`` if it is "valid", "same", or numbers of zeros, one per spatial axis."""
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(
                f"padding vaut {padding!r} ; donnez 'valid' (aucune marge), 'same' (assez de zéros pour garder la "
                "taille quand le pas est 1), ou le nombre de zéros à ajouter de chaque côté."
            )
        return padding
    return as_sizes(padding, rank, "padding", 0)


class Sliding:
    """Where a kernel falls on an input of given size: the margins, and the positions of the kernel.

    Parameters
    ----------
    size : sequence of int
        Spatial size of the input: (L,) or (H, W).
    kernel_size, strides, dilation : int or sequence of int
        The same for all axes, or one per axis.
    padding : "valid", "same", int or sequence of int
        No margin; as TensorFlow does, zeros enough for O = ⌈N / S⌉, the odd one at the end; or so many on each side.

    Attributes
    ----------
    margins : list of (int, int)
        Zeros added before and after, axis by axis.
    output : tuple of int
        Number of positions, axis by axis.
    """

    def __init__(self, size, kernel_size, strides=1, padding="valid", dilation=1):
        self.size, rank = tuple(size), len(size)
        self.kernel = as_sizes(kernel_size, rank, "kernel_size", 1)
        self.strides = as_sizes(strides, rank, "strides", 1)
        self.dilation = as_sizes(dilation, rank, "dilation", 1)
        self.spans = self.covered(self.kernel, self.dilation)
        padding = check_padding(padding, rank)
        if padding == "same":
            axes = zip(self.size, self.spans, self.strides, strict=True)
            totals = [max((-(-n // s) - 1) * s + span - n, 0) for n, span, s in axes]
            self.margins = [(total // 2, total - total // 2) for total in totals]
        else:
            self.margins = [(p, p) for p in ((0,) * rank if padding == "valid" else padding)]
        self.padded = tuple(n + sum(margin) for n, margin in zip(self.size, self.margins, strict=True))
        self.output = tuple(map(positions, self.padded, self.kernel, self.strides, self.dilation))

    @staticmethod
    def covered(kernel, dilation) -> list[int]:
        """Return how many cells the kernel covers on each axis, holes of the dilation included."""
        return [d * (f - 1) + 1 for f, d in zip(kernel, dilation, strict=True)]

    @property
    def inside(self):
        """Index of the input in the padded array."""
        return (slice(None), *(slice(a, a + n) for n, (a, _) in zip(self.size, self.margins, strict=True)))

    def pad(self, x, value=0):
        """Surround ``x`` with ``value``."""
        if self.padded == self.size:
            return x
        padded = np.full((len(x), *self.padded, x.shape[-1]), value, x.dtype)
        padded[self.inside] = x
        return padded

    def cells(self):
        """Yield (index of a cell of the kernel, index of all the pixels it falls on in the padded array)."""
        for cell in itertools.product(*map(range, self.kernel)):
            axes = zip(cell, self.output, self.strides, self.dilation, strict=True)
            yield cell, (slice(None), *(slice(i * d, i * d + (n - 1) * s + 1, s) for i, n, s, d in axes))

    def windows(self, padded):
        """Return what the kernel sees at each position: a view (N, O, O, F, F, C) that copies nothing."""
        rank = len(self.size)
        view = sliding_window_view(padded, self.spans, axis=tuple(range(1, rank + 1)))
        steps = (slice(None, None, s) for s in self.strides)
        holes = (slice(None, None, d) for d in self.dilation)
        return np.moveaxis(view[:, *steps, :, *holes], rank + 1, -1)

    def batches(self, x, channels):
        """Yield slices that cut the batch ``x`` so that a table of windows of ``channels`` fits in BLOCK_BYTES."""
        image = math.prod(self.output) * math.prod(self.kernel) * channels * x.dtype.itemsize
        count = max(1, BLOCK_BYTES // image)
        return (slice(start, start + count) for start in range(0, len(x), count))


def by_group(x, groups):
    """Cut the last axis into groups and put them first: (..., C) becomes (groups, rows, C / groups)."""
    split = np.moveaxis(x.reshape(*x.shape[:-1], groups, -1), -2, 0)
    return split.reshape(groups, math.prod(x.shape[:-1]), -1)


def table(padded, sliding, groups):
    """Lay each window out in a row (im2col): (groups, N · O · O, F · F · C / groups)."""
    windows = sliding.windows(padded)
    windows = np.moveaxis(windows.reshape(*windows.shape[:-1], groups, -1), -2, 0)
    return windows.reshape(groups, len(padded) * math.prod(sliding.output), -1)


def correlate(x, kernel, sliding, groups=1):
    """Slide ``kernel`` over ``x``: one matrix product of the table of windows by the table of filters.

    x is (N, H, W, C), the kernel (F, F, C / groups, K), the output (N, O, O, K); the same with a single spatial axis.
    """
    padded = sliding.pad(x)
    filters = by_group(kernel, groups)
    y = np.empty((len(x), *sliding.output, kernel.shape[-1]), np.result_type(x, kernel))
    for rows in sliding.batches(x, x.shape[-1]):
        product = table(padded[rows], sliding, groups) @ filters
        y[rows] = np.moveaxis(product, 0, 1).reshape(y[rows].shape)
    return y


def kernel_gradient(x, grad, sliding, groups=1):
    """Return the gradient with respect to the kernel, from ``grad`` (N, O, O, K): windowsᵀ · grad."""
    padded = sliding.pad(x)
    total = sum(
        np.swapaxes(table(padded[rows], sliding, groups), 1, 2) @ by_group(grad[rows], groups)
        for rows in sliding.batches(x, x.shape[-1])
    )
    return np.moveaxis(total, 0, 1).reshape(*sliding.kernel, x.shape[-1] // groups, grad.shape[-1])


def input_gradient(grad, kernel, sliding, groups=1):
    """Return the gradient with respect to the input, from ``grad`` (N, O, O, K).

    A pixel was seen by each cell of the kernel at a different position: cell after cell, grad · kernel[cell]ᵀ is added
    to all the pixels on which that cell fell.
    """
    channels = kernel.shape[-2] * groups
    padded = np.zeros((len(grad), *sliding.padded, channels), np.result_type(grad, kernel))
    cells = [(np.swapaxes(by_group(kernel[cell], groups), 1, 2), pixels) for cell, pixels in sliding.cells()]
    for rows in sliding.batches(grad, channels):
        received, part = by_group(grad[rows], groups), padded[rows]
        for weights, pixels in cells:
            seen = part[pixels]
            seen += np.moveaxis(received @ weights, 0, 1).reshape(seen.shape)
    return padded[sliding.inside]


def check_rank(shape, rank, name):
    """Refuse an input that lacks an axis, or has one too many."""
    if len(shape) == rank + 2:
        return
    advice = "Vérifiez x.shape et l'ordre des couches."
    if len(shape) == rank + 1:
        advice = "Il manque un axe : x[..., np.newaxis] ajoute celui des canaux, x[np.newaxis] celui du lot."
    elif len(shape) == 2:
        advice = "Les données sont aplaties : x.reshape(-1, hauteur, largeur, canaux) leur rend leur forme."
    raise ValueError(f"{name} attend {BATCHES[rank]} ; vous donnez un tableau de forme {tuple(shape)}. {advice}")


def check_groups(channels, filters, groups):
    """Refuse groups that do not share out channels and filters evenly."""
    if channels % groups or filters % groups:
        raise ValueError(
            f"groups vaut {groups} : il doit diviser le nombre de canaux de l'entrée ({channels}) et le nombre de "
            f"filtres ({filters})."
        )


def convolve(x, kernel, rank, stride, padding, dilation, groups):
    """Convolve arrays of a batch, or a bare (L,) by (F,), (H, W) by (F, F)."""
    x, kernel = (a if (a := np.asarray(v)).dtype.kind == "f" else a.astype(np.int64) for v in (x, kernel))
    if x.ndim == kernel.ndim == rank:
        return convolve(x[None, ..., None], kernel[..., None, None], rank, stride, padding, dilation, groups)[0, ..., 0]
    name = f"conv{rank}d"
    check_rank(x.shape, rank, name)
    (groups,) = as_sizes(groups, 1, "groups", 1)
    if kernel.ndim != rank + 2 or kernel.shape[-2] * groups != x.shape[-1]:
        sides, per_group = "F, " * rank, f"{x.shape[-1]} / {groups}" if groups > 1 else f"{x.shape[-1]}"
        raise ValueError(
            f"{name} : l'entrée a {x.shape[-1]} canaux, le noyau doit avoir la forme ({sides}{per_group}, K) ; vous "
            f"donnez {kernel.shape}. La dernière dimension est le nombre de filtres, l'avant-dernière les canaux."
        )
    check_groups(x.shape[-1], kernel.shape[-1], groups)
    sliding = Sliding(x.shape[1:-1], kernel.shape[:rank], stride, padding, dilation)
    return correlate(x, kernel, sliding, groups)


def conv1d(x, kernel, *, stride=1, padding="valid", dilation=1, groups=1):
    """Slide a kernel over sequences.

    Parameters
    ----------
    x : array (N, L, C), or (L,)
        Integers stay integers.
    kernel : array (F, C / groups, K), or (F,)
        As in Keras: K filters, each looking at the C / groups channels of its group. Bare with a bare ``x``.
    stride, dilation : int
        Step between two positions; gap between two neighbours of the kernel.
    padding : "valid", "same" or int
        No margin; zeros enough for O = ⌈L / stride⌉, as TensorFlow adds them; or so many zeros on each side.
    groups : int
        Channels and filters are cut into that many groups which ignore one another.

    Returns
    -------
    ndarray
        (N, O, K), or (O,) for bare arrays.

    Raises
    ------
    ValueError
        If shapes do not fit together, or the kernel is larger than the padded input.
    """
    return convolve(x, kernel, 1, stride, padding, dilation, groups)


def conv2d(x, kernel, *, stride=1, padding="valid", dilation=1, groups=1):
    """Slide a kernel over images.

    Parameters
    ----------
    x : array (N, H, W, C), or (H, W)
        Integers stay integers.
    kernel : array (F, F, C / groups, K), or (F, F)
        As in Keras: K filters, each looking at the C / groups channels of its group. Bare with a bare ``x``.
    stride, dilation : int or pair (rows, columns)
        Step between two positions; gap between two neighbours of the kernel.
    padding : "valid", "same", int or pair (rows, columns)
        No margin; zeros enough for O = ⌈H / stride⌉, as TensorFlow adds them; or so many zeros on each side.
    groups : int
        Channels and filters are cut into that many groups which ignore one another.

    Returns
    -------
    ndarray
        (N, O, O, K), or (O, O) for bare arrays.

    Raises
    ------
    ValueError
        If shapes do not fit together, or the kernel is larger than the padded input.
    """
    return convolve(x, kernel, 2, stride, padding, dilation, groups)


class SpatialLayer(Layer):
    """A layer on ``rank`` spatial axes, (N, L, C) or (N, H, W, C), which says so when it is given something else."""

    rank = 2

    def create_params(self, input_shape):
        """Check the shape; by default there is nothing to learn."""
        check_rank(input_shape, self.rank, type(self).__name__)

    def prepare(self, x):
        """Check the number of axes, then build the layer at its first call."""
        check_rank(x.shape, self.rank, type(self).__name__)
        super().prepare(x)


class Convolution(SpatialLayer):
    """What the convolutions of one and two axes, straight and transposed, share: filters, bias, activation."""

    def __init__(
        self,
        filters,
        kernel_size,
        *,
        strides=1,
        padding="valid",
        dilation_rate=1,
        groups=1,
        activation=None,
        use_bias=True,
        kernel_initializer="glorot_uniform",
        bias_initializer="zeros",
        kernel_regularizer=None,
    ):
        super().__init__()
        (self.filters,) = as_sizes(filters, 1, "filters", 1)
        (self.groups,) = as_sizes(groups, 1, "groups", 1)
        self.kernel_size = as_sizes(kernel_size, self.rank, "kernel_size", 1)
        self.strides = as_sizes(strides, self.rank, "strides", 1)
        self.dilation_rate = as_sizes(dilation_rate, self.rank, "dilation_rate", 1)
        self.padding, self.use_bias = check_padding(padding, self.rank), use_bias
        self.activation = lookup(activation or "linear", Activation, ACTIVATIONS)
        self.kernel_initializer = lookup(kernel_initializer, Initializer, INITIALIZERS)
        self.bias_initializer = lookup(bias_initializer, Initializer, INITIALIZERS)
        if kernel_regularizer is not None:
            self.regularizers["kernel"] = lookup(kernel_regularizer, Regularizer, REGULARIZERS)

    def create_params(self, input_shape):
        """Draw the kernel and the bias."""
        super().create_params(input_shape)
        check_groups(input_shape[-1], self.filters, self.groups)
        self.params["kernel"] = self.kernel_initializer(
            (*self.kernel_size, *self.kernel_channels(input_shape[-1])), seed=self.rng, dtype=self.dtype
        )
        if self.use_bias:
            self.params["bias"] = self.bias_initializer((self.filters,), seed=self.rng, dtype=self.dtype)

    def kernel_channels(self, channels):
        """Return the last two sizes of the kernel."""
        return channels // self.groups, self.filters

    def sliding(self, size):
        """Return where the kernel falls on an input of spatial ``size``."""
        return Sliding(size, self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def output_shape(self, input_shape):
        """Replace the spatial axes by the positions of the kernel, C by the number of filters."""
        return (input_shape[0], *self.sliding(input_shape[1:-1]).output, self.filters)

    def forward(self, x, training=False):
        """Return f(x ∗ W + b)."""
        self.prepare(x)
        self.input, self.place = x, self.sliding(x.shape[1:-1])
        z = self.slide(x)
        if self.use_bias:
            z += self.params["bias"]
        return self.activation.forward(z, training)

    def backward(self, grad):
        """With δ = ∂L/∂(x ∗ W): ∂L/∂W from the windows of x, ∂L/∂b = Σ δ over batch and positions, then ∂L/∂x."""
        delta = self.activation.backward(grad)
        if self.use_bias:
            self.grads["bias"] = delta.reshape(-1, self.filters).sum(axis=0)
        self.grads["kernel"] = self.slide_kernel_gradient(delta)
        return self.slide_input_gradient(delta)

    def slide(self, x):
        """Return x ∗ W."""
        return correlate(x, self.params["kernel"], self.place, self.groups)

    def slide_kernel_gradient(self, delta):
        """Return ∂L/∂W from the gradient with respect to x ∗ W."""
        return kernel_gradient(self.input, delta, self.place, self.groups)

    def slide_input_gradient(self, delta):
        """Return ∂L/∂x from the gradient with respect to x ∗ W."""
        return input_gradient(delta, self.params["kernel"], self.place, self.groups)


class Conv1D(Convolution):
    """y = f(x ∗ W + b) on sequences (Waibel et al., 1989).

    The input is (N, L, C), the kernel (F, C / groups, K), the bias (K,), the output (N, O, K).
    """

    rank = 1


class Conv2D(Convolution):
    """y = f(x ∗ W + b) on images (LeCun et al., 1989).

    The input is (N, H, W, C), the kernel (F, F, C / groups, K), the bias (K,), the output (N, O, O, K). Arguments are
    those of Keras; ``padding`` may also be a number of zeros, or a pair (rows, columns).
    """


class TransposedConvolution(Convolution):
    """Each value of the input stamps the kernel on a larger output; overlapping stamps add up (Zeiler et al., 2010).

    It is exactly the input gradient of a convolution: its forward step is that one's backward step, and conversely.
    """

    def kernel_channels(self, channels):
        """Return the last two sizes of the kernel: K before C, as in Keras."""
        return self.filters // self.groups, channels

    def sliding(self, size):
        """Return where the kernel of the convolution that goes the other way falls on the output."""
        axes = zip(size, Sliding.covered(self.kernel_size, self.dilation_rate), self.strides, strict=True)
        if self.padding in ("valid", "same"):
            output = [n * s + (max(span - s, 0) if self.padding == "valid" else 0) for n, span, s in axes]
        else:
            output = [(n - 1) * s + span - 2 * p for (n, span, s), p in zip(axes, self.padding, strict=True)]
        if min(output) < 1:
            raise ValueError(f"padding vaut {self.padding} : il ne resterait rien de la sortie. Donnez moins.")
        return Sliding(output, self.kernel_size, self.strides, self.padding, self.dilation_rate)

    def output_shape(self, input_shape):
        """Multiply the spatial axes by the stride; "valid" keeps what the last stamp adds beyond."""
        return (input_shape[0], *self.sliding(input_shape[1:-1]).size, self.filters)

    def slide(self, x):
        """Stamp the kernel."""
        return input_gradient(x, self.params["kernel"], self.place, self.groups)

    def slide_kernel_gradient(self, delta):
        """Exchange the parts of input and gradient."""
        return kernel_gradient(delta, self.input, self.place, self.groups)

    def slide_input_gradient(self, delta):
        """Convolve the gradient."""
        return correlate(delta, self.params["kernel"], self.place, self.groups)


class Conv1DTranspose(TransposedConvolution):
    """Transposed convolution of sequences: (N, L, C) becomes (N, S · L, K) with ``padding="same"``; W is (F, K, C)."""

    rank = 1


class Conv2DTranspose(TransposedConvolution):
    """Transposed convolution of images: (N, H, W, C) becomes (N, S · H, S · W, K) with ``padding="same"``.

    With ``padding="valid"`` and F > S, each side has F − S pixels more; a number P leaves S (H − 1) + F − 2P pixels.
    The kernel is (F, F, K / groups, C), as in Keras.
    """
