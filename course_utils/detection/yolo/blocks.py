"""The bricks of YOLOv4, from the smallest to the largest: each takes a Keras tensor and gives one back.

- `mish`, `leaky`: the two activations;
- `conv_bn`: convolution, batch normalisation, activation; `head_conv`: the last convolution, bare;
- `residual_block`, `csp_stage`: the backbone of YOLOv4 (CSPDarknet53);
- `tiny_csp_block`: the one of YOLOv4-tiny;
- `spp`: four looks of growing width at the same features;
- `conv_stack`, `upsample`, `merge_up`, `merge_down`: the neck (PANet).

Four of Darknet's habits are not Keras' own, and are respected here: zeros on *both* sides before a convolution
(Keras' "same" puts them at the end only when the stride is 2), a leaky slope of 0.1 (Keras: 0.3), an epsilon of 1e-5
in the normalisation (Keras: 1e-3), upsampling by copying the nearest pixel.

References: Mish (Misra, 2019); CSPNet (Wang et al., 2019); SPP (He et al., 2014); PANet (Liu et al., 2018); YOLOv4
(Bochkovskiy et al., 2020); Scaled-YOLOv4 for the tiny block (Wang et al., 2021).
"""

from __future__ import annotations

import itertools
from typing import Any

import keras
from keras import layers

LEAKY_SLOPE = 0.1
"""Slope of Darknet's leaky ReLU on the negative side."""

EPSILON = 1e-5
"""What Darknet adds to the variance before its square root."""

_RANKS = itertools.count()


def mish(x: Any, *, name: str | None = None) -> Any:
    """Apply Mish, ``x · tanh(ln(1 + eˣ))``: smooth, a little negative below zero (Misra, 2019)."""
    return layers.Activation("mish", name=name)(x)


def leaky(x: Any, *, name: str | None = None) -> Any:
    """Apply Darknet's leaky ReLU: x above zero, 0.1 x below."""
    return layers.LeakyReLU(negative_slope=LEAKY_SLOPE, name=name)(x)


ACTIVATIONS = {"mish": mish, "leaky": leaky}
"""Activations by the name that Darknet gives them."""


def conv_bn(
    x: Any, filters: int, size: int, *, stride: int = 1, activation: str = "leaky", epsilon: float = EPSILON, name: str
) -> Any:
    """Convolution without bias, batch normalisation, activation: the brick of every YOLO.

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    filters : int
        Channels of the result.
    size : int
        Side of the kernel, odd.
    stride : int
        1, or 2 to halve height and width.
    activation : str
        "mish" or "leaky".
    epsilon : float
        What is added to the variance.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    keras tensor (N, ceil(H / stride), ceil(W / stride), filters)
    """
    if stride > 1:
        x = layers.ZeroPadding2D(size // 2, name=f"{name}_pad")(x)
    conv = layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding="same" if stride == 1 else "valid",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )
    x = _ranked(conv)(x)
    # Statistics that move fast: a training in class lasts a few hundred steps.
    x = layers.BatchNormalization(momentum=0.9, epsilon=epsilon, name=f"{name}_bn")(x)
    return ACTIVATIONS[activation](x, name=f"{name}_{activation}")


def head_conv(x: Any, channels: int, *, name: str) -> Any:
    """Convolution 1×1 with a bias and nothing after it, the raw head: (N, H, W, C) → (N, H, W, channels)."""
    initializer = keras.initializers.RandomNormal(stddev=0.01)
    return _ranked(layers.Conv2D(channels, 1, kernel_initializer=initializer, name=name))(x)


def residual_block(x: Any, hidden: int, *, activation: str = "mish", epsilon: float = EPSILON, name: str) -> Any:
    """Add to `x` what a 1×1 convolution to `hidden` channels and a 3×3 convolution make of it; the shape is kept."""
    y = conv_bn(x, hidden, 1, activation=activation, epsilon=epsilon, name=f"{name}_1")
    y = conv_bn(y, x.shape[-1], 3, activation=activation, epsilon=epsilon, name=f"{name}_2")
    return layers.Add(name=f"{name}_add")([x, y])


def csp_stage(x: Any, filters: int, blocks: int, *, split: bool = True, epsilon: float = EPSILON, name: str) -> Any:
    """Halve the image, then send half of the channels through residual blocks and the other half past them.

    Cross Stage Partial (Wang et al., 2019): the residual blocks work on half the channels, hence cost half as much,
    and the gradient goes back by two different ways.

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    filters : int
        Channels of the result, even.
    blocks : int
        Number of residual blocks.
    split : bool
        False, in the first stage of YOLOv4, keeps all the channels in both ways.
    epsilon : float
    name : str

    Returns
    -------
    keras tensor (N, H / 2, W / 2, filters)
    """
    way = filters // 2 if split else filters
    x = conv_bn(x, filters, 3, stride=2, activation="mish", epsilon=epsilon, name=f"{name}_down")
    past = conv_bn(x, way, 1, activation="mish", epsilon=epsilon, name=f"{name}_past")
    y = conv_bn(x, way, 1, activation="mish", epsilon=epsilon, name=f"{name}_through")
    for block in range(1, blocks + 1):
        y = residual_block(y, filters // 2, epsilon=epsilon, name=f"{name}_block{block}")
    y = conv_bn(y, way, 1, activation="mish", epsilon=epsilon, name=f"{name}_after")
    y = layers.Concatenate(name=f"{name}_concat")([y, past])
    return conv_bn(y, filters, 1, activation="mish", epsilon=epsilon, name=f"{name}_mix")


def second_half(x: Any, *, name: str) -> Any:
    """Keep the second half of the channels: (N, H, W, C) → (N, H, W, C / 2)."""
    # Read as (N, C, H, W), a channels-last tensor shows its channels as the width: this layer then cuts them.
    sides = ((0, 0), (x.shape[-1] // 2, 0))
    return layers.Cropping2D(sides, data_format="channels_first", name=name)(x)


def tiny_csp_block(x: Any, filters: int, *, epsilon: float = EPSILON, name: str) -> tuple[Any, Any]:
    """CSP block of YOLOv4-tiny: the channels are *cut* in two, and only the second half is worked upon.

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    filters : int
        Channels of the 3×3 convolution that comes first, even.
    epsilon : float
    name : str

    Returns
    -------
    out : keras tensor (N, H, W, 2 · filters)
        What goes on, the untouched features and the worked ones.
    features : keras tensor (N, H, W, filters)
        The worked ones alone, which the neck takes from the last block.
    """
    x = conv_bn(x, filters, 3, epsilon=epsilon, name=f"{name}_1")
    half = second_half(x, name=f"{name}_half")
    a = conv_bn(half, filters // 2, 3, epsilon=epsilon, name=f"{name}_2")
    b = conv_bn(a, filters // 2, 3, epsilon=epsilon, name=f"{name}_3")
    features = layers.Concatenate(name=f"{name}_inner")([b, a])
    features = conv_bn(features, filters, 1, epsilon=epsilon, name=f"{name}_mix")
    return layers.Concatenate(name=f"{name}_concat")([x, features]), features


def spp(x: Any, *, sizes: tuple[int, ...] = (5, 9, 13), name: str = "spp") -> Any:
    """Spatial pyramid pooling: maxima over growing windows, and `x` itself, side by side: channels × (1 + sizes)."""
    looks = [layers.MaxPooling2D(size, strides=1, padding="same", name=f"{name}_{size}")(x) for size in sizes]
    return layers.Concatenate(name=f"{name}_concat")([*reversed(looks), x])


def conv_stack(x: Any, filters: int, depth: int, *, epsilon: float = EPSILON, name: str) -> Any:
    """Alternate 1×1 convolutions to `filters` channels and 3×3 convolutions to twice as many, `depth` in all."""
    for rank in range(depth):
        channels, size = (2 * filters, 3) if rank % 2 else (filters, 1)
        x = conv_bn(x, channels, size, epsilon=epsilon, name=f"{name}_{rank + 1}")
    return x


def upsample(x: Any, *, name: str) -> Any:
    """Double height and width by copying each pixel four times."""
    return layers.UpSampling2D(2, interpolation="nearest", name=name)(x)


def merge_up(coarse: Any, fine: Any, filters: int, *, epsilon: float = EPSILON, name: str) -> Any:
    """Bring coarse features, which know *what*, to fine ones, which know *where*.

    Parameters
    ----------
    coarse : keras tensor (N, H, W, C)
    fine : keras tensor (N, 2H, 2W, C')
    filters : int
        Channels of each side once reduced.
    epsilon : float
    name : str

    Returns
    -------
    keras tensor (N, 2H, 2W, 2 · filters)
    """
    coarse = conv_bn(coarse, filters, 1, epsilon=epsilon, name=f"{name}_reduce")
    coarse = upsample(coarse, name=f"{name}_up")
    fine = conv_bn(fine, filters, 1, epsilon=epsilon, name=f"{name}_lateral")
    return layers.Concatenate(name=f"{name}_concat")([fine, coarse])


def merge_down(fine: Any, coarse: Any, filters: int, *, epsilon: float = EPSILON, name: str) -> Any:
    """Bring fine features back down to coarse ones: (N, 2H, 2W, C) and (N, H, W, filters) → (N, H, W, 2 · filters)."""
    fine = conv_bn(fine, filters, 3, stride=2, epsilon=epsilon, name=f"{name}_down")
    return layers.Concatenate(name=f"{name}_concat")([fine, coarse])


def in_order_of_creation(model: keras.Model) -> tuple[tuple[keras.Layer, keras.Layer | None], ...]:
    """Return the convolutions of a model, each with its normalisation, as Darknet's file of weights lists them.

    Keras sorts layers by depth; Darknet writes them in the order of its text, which is the order in which the functions
    of this module are called.
    """
    convolutions = sorted((layer for layer in model.layers if hasattr(layer, "file_rank")), key=_file_rank)
    by_name = {layer.name: layer for layer in model.layers}
    return tuple((conv, by_name.get(conv.name.removesuffix("_conv") + "_bn")) for conv in convolutions)


def _file_rank(layer: keras.Layer) -> int:
    return layer.file_rank


def _ranked(layer: keras.Layer) -> keras.Layer:
    layer.file_rank = next(_RANKS)
    return layer
