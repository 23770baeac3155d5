"""Densely connected networks: keep everything, add a little (Huang, Liu, van der Maaten and Weinberger, 2016).

Where a residual block *adds* its result to its input, a dense layer *concatenates* it: each layer sees the outputs of
all those before it and brings only `growth` new channels. Features are computed once and reused: few parameters.

* `dense_layer`: BN, ReLU, 1×1 (4 × growth channels), BN, ReLU, 3×3 (growth channels), concatenated to its input;
* `dense_block`: several of them, at one resolution;
* `transition`: 1×1 convolution that compresses the channels, then 2×2 average pooling.

Reference: Densely Connected Convolutional Networks, https://arxiv.org/abs/1608.06993.
"""

from __future__ import annotations

import keras
from keras import layers

from course_utils.models.shapes import check_input


def bn_relu_conv(x, filters: int, kernel_size: int, *, momentum: float, name: str, rank: int):
    """Normalise, activate, convolve, (N, H, W, C) → (N, H, W, filters); `rank` numbers the layers' names."""
    x = layers.BatchNormalization(momentum=momentum, epsilon=1.001e-5, name=f"{name}_{rank}_bn")(x)
    x = layers.Activation("relu", name=f"{name}_{rank}_relu")(x)
    return layers.Conv2D(filters, kernel_size, padding="same", use_bias=False, name=f"{name}_{rank + 1}_conv")(x)


def dense_layer(
    x, growth: int, *, bottleneck: bool = True, dropout: float = 0.0, momentum: float = 0.99, name: str = "layer"
):
    """Compute `growth` new channels from all those that exist, and put them beside them (paper, equation 2).

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    growth : int
        Growth rate k: number of channels added.
    bottleneck : bool
        True puts a 1×1 convolution to ``4 * growth`` channels before the 3×3 one (DenseNet-B).
    dropout : float
        Dropout rate after the convolution.
    momentum : float
        Momentum of the statistics of the batch normalisation.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    keras tensor (N, H, W, C + growth)
    """
    y, rank = x, 0
    if bottleneck:
        y, rank = bn_relu_conv(y, 4 * growth, 1, momentum=momentum, name=name, rank=0), 1
    y = bn_relu_conv(y, growth, 3, momentum=momentum, name=name, rank=rank)
    if dropout:
        y = layers.Dropout(dropout, name=f"{name}_drop")(y)
    return layers.Concatenate(name=f"{name}_concat")([x, y])


def dense_block(x, count: int, growth: int, *, bottleneck: bool = True, momentum: float = 0.99, name: str = "block"):
    """Chain `count` dense layers at one resolution: (N, H, W, C) → (N, H, W, C + count × growth)."""
    for rank in range(count):
        x = dense_layer(x, growth, bottleneck=bottleneck, momentum=momentum, name=f"{name}_block{rank + 1}")
    return x


def transition(x, *, compression: float = 0.5, momentum: float = 0.99, name: str = "pool"):
    """Keep `compression` of the channels and one pixel out of four: (N, H, W, C) → (N, H/2, W/2, int(C × compression)).

    DenseNet-C of the paper (section 3): without it, the concatenations would make the network ever wider.
    """
    x = layers.BatchNormalization(momentum=momentum, epsilon=1.001e-5, name=f"{name}_bn")(x)
    x = layers.Activation("relu", name=f"{name}_relu")(x)
    x = layers.Conv2D(int(x.shape[-1] * compression), 1, use_bias=False, name=f"{name}_conv")(x)
    return layers.AveragePooling2D(2, strides=2, name=f"{name}_pool")(x)


def head(x, classes: int, activation: str | None, *, momentum: float = 0.99):
    """Close a DenseNet: BN, ReLU, global average pooling, dense layer: (N, H, W, C) → (N, classes)."""
    x = layers.BatchNormalization(momentum=momentum, epsilon=1.001e-5, name="bn")(x)
    x = layers.Activation("relu", name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)


def densenet121(
    input_shape: tuple[int, int, int] = (224, 224, 3), classes: int = 1000, activation: str | None = None
) -> keras.Model:
    """DenseNet-121: blocks of 6, 12, 24, 16 dense layers of growth 32 (paper, table 1; 8,062,504 parameters).

    Layer for layer that of ``keras.applications``, so that the official weights load; they expect images prepared by
    ``keras.applications.densenet.preprocess_input``.

    Parameters
    ----------
    input_shape : tuple (H, W, C)
        Shape of one image, at least 32×32.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the last layer; None gives logits.

    Raises
    ------
    ValueError
        For an impossible shape or number of classes.
    """
    check_input("densenet121", input_shape, classes, minimum=32)
    inputs = keras.Input(input_shape)
    x = layers.ZeroPadding2D(3, name="conv1_pad")(inputs)
    x = layers.Conv2D(64, 7, strides=2, use_bias=False, name="conv1_conv")(x)
    x = layers.BatchNormalization(epsilon=1.001e-5, name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for stage, count in enumerate((6, 12, 24, 16), start=2):
        x = dense_block(x, count, 32, name=f"conv{stage}")
        if stage < 5:
            x = transition(x, name=f"pool{stage}")
    return keras.Model(inputs, head(x, classes, activation), name="densenet121")


def densenet_cifar(
    depth: int = 40,
    growth: int = 12,
    bottleneck: bool = True,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    activation: str | None = None,
) -> keras.Model:
    """Densely connected network for small images: three blocks of as many dense layers (paper, section 3).

    Parameters
    ----------
    depth : int
        Number of layers with weights: ``6 n + 4`` with bottlenecks (40, 100), ``3 n + 4`` without.
    growth : int
        Growth rate k: channels that each dense layer adds.
    bottleneck : bool
        True builds DenseNet-BC (1×1 bottlenecks, transitions that keep half the channels, 2 k channels at the start);
        False the first form of the paper (no bottleneck, no compression, 16 channels at the start).
    input_shape : tuple (H, W, C)
        Shape of one image.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the last layer; None gives logits.

    Returns
    -------
    keras.Model
        (N, H, W, C) → (N, classes).

    Raises
    ------
    ValueError
        For a depth that the three blocks cannot share, or an impossible shape.
    """
    check_input("densenet_cifar", input_shape, classes, minimum=4)
    step = 6 if bottleneck else 3
    if depth < 4 + step or (depth - 4) % step:
        raise ValueError(
            f"depth doit s'écrire {step} n + 4 (trois blocs de n couches denses) : {step + 4}, {2 * step + 4}, 40, 100…"
            f" ; reçu : {depth}."
        )
    if growth < 1:
        raise ValueError(f"growth est le nombre de canaux que chaque couche ajoute, au moins 1 ; reçu : {growth}.")
    count, start, compression = (depth - 4) // step, 2 * growth if bottleneck else 16, 0.5 if bottleneck else 1.0
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(start, 3, padding="same", use_bias=False, name="stem_conv")(inputs)
    for block in range(3):
        x = dense_block(x, count, growth, bottleneck=bottleneck, momentum=0.9, name=f"dense{block + 1}")
        if block < 2:
            x = transition(x, compression=compression, momentum=0.9, name=f"transition{block + 1}")
    outputs = head(x, classes, activation, momentum=0.9)
    return keras.Model(inputs, outputs, name=f"densenet{depth}_cifar")


def densenet_small(
    input_shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10, activation: str | None = None
) -> keras.Model:
    """Densely connected network that trains in class: three blocks of 3 dense layers of growth 12.

    The first convolution has a stride of 2: concatenations and normalisations at full resolution would cost most of
    the time.
    """
    check_input("densenet_small", input_shape, classes, minimum=8)
    inputs = keras.Input(input_shape)
    x = layers.Conv2D(24, 3, strides=2, padding="same", use_bias=False, name="stem_conv")(inputs)
    for block in range(3):
        x = dense_block(x, 3, 12, momentum=0.9, name=f"dense{block + 1}")
        if block < 2:
            x = transition(x, momentum=0.9, name=f"transition{block + 1}")
    return keras.Model(inputs, head(x, classes, activation, momentum=0.9), name="densenet_small")
