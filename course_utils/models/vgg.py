"""VGG (Simonyan & Zisserman, 2014): one block, repeated — 3×3 convolutions, then a pooling that halves the map.

Two 3×3 convolutions see 5×5 pixels, three see 7×7, with fewer weights and more non-linearities than one large filter.
VGG-16 and VGG-19 have the layers of `keras.applications`, in the same order and under the same names, so that the
official weight files load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from course_utils.models.shapes import check_input

FILTERS = (64, 128, 256, 512, 512)


def conv_block(x: Any, filters: int, convolutions: int, *, batch_norm: bool = False, name: str) -> Any:
    """Apply `convolutions` 3×3 convolutions of `filters` filters, then halve the map by 2×2 maxima.

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``.
    filters, convolutions : int
        Width and depth of the block.
    batch_norm : bool
        Whether each convolution is followed by batch normalisation, which VGG had not.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    KerasTensor
        ``(N, H // 2, W // 2, filters)``.
    """
    for number in range(1, convolutions + 1):
        conv = f"{name}_conv{number}"
        if batch_norm:
            x = layers.Conv2D(filters, 3, padding="same", use_bias=False, name=conv)(x)
            # Keras' momentum of 0.99 needs far more steps than a training in class has.
            x = layers.BatchNormalization(momentum=0.9, name=f"{conv}_bn")(x)
            x = layers.Activation("relu", name=f"{conv}_relu")(x)
        else:
            x = layers.Conv2D(filters, 3, padding="same", activation="relu", name=conv)(x)
    return layers.MaxPooling2D(2, name=f"{name}_pool")(x)


def dense_head(x: Any, classes: int, activation: str | None, *, units: int = 4096) -> Any:
    """Flatten ``(N, H, W, C)``, apply two dense layers of `units` neurons, then the outputs ``(N, classes)``.

    At 224×224, the first dense layer alone holds 102,764,544 of the 138 million parameters of VGG-16.
    """
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(units, activation="relu", name="fc1")(x)
    x = layers.Dense(units, activation="relu", name="fc2")(x)
    return layers.Dense(classes, activation=activation, name="predictions")(x)


def _vgg(
    depths: Sequence[int],
    input_shape: tuple[int, int, int],
    classes: int,
    activation: str | None,
    include_top: bool,
    name: str,
) -> keras.Model:
    """Stack the five blocks of `depths` convolutions, then the dense head if `include_top`."""
    check_input(name, input_shape, classes, minimum=32, any_size=not include_top)
    x = inputs = keras.Input(input_shape)
    for number, (filters, depth) in enumerate(zip(FILTERS, depths, strict=True), start=1):
        x = conv_block(x, filters, depth, name=f"block{number}")
    outputs = dense_head(x, classes, activation) if include_top else x
    return keras.Model(inputs, outputs, name=name)


def vgg16(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    activation: str | None = None,
    *,
    include_top: bool = True,
) -> keras.Model:
    """Build VGG-16 (configuration D): 138,357,544 parameters at 224×224×3 and 1000 classes.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 32×32.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits (the official weights were trained with "softmax").
    include_top : bool
        False stops at the last feature map ``(N, height / 32, width / 32, 512)``, for transfer.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    return _vgg((2, 2, 3, 3, 3), input_shape, classes, activation, include_top, "vgg16")


def vgg19(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    activation: str | None = None,
    *,
    include_top: bool = True,
) -> keras.Model:
    """Build VGG-19 (configuration E): 143,667,240 parameters at 224×224×3 and 1000 classes.

    The parameters, the result and the errors are those of `vgg16`; the last three blocks have one convolution more.
    """
    return _vgg((2, 2, 4, 4, 4), input_shape, classes, activation, include_top, "vgg19")


def vgg_small(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    activation: str | None = None,
    *,
    batch_norm: bool = True,
) -> keras.Model:
    """Build a VGG for the classroom: three blocks of two 3×3 convolutions (16, 32, 64 filters), then a dense layer.

    Batch normalisation (2015) is the liberty taken: without it the authors had to train a shallow network first and
    deepen it afterwards. `batch_norm=False` shows the difference.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 8×8.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.
    batch_norm : bool
        Whether the convolutions are followed by batch normalisation.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("vgg_small", input_shape, classes, minimum=8)
    x = inputs = keras.Input(input_shape)
    for number, filters in enumerate((16, 32, 64), start=1):
        x = conv_block(x, filters, 2, batch_norm=batch_norm, name=f"block{number}")
    outputs = dense_head(x, classes, activation, units=64)
    return keras.Model(inputs, outputs, name="vgg_small")
