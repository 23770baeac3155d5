"""Network in Network (Lin, Chen & Yan, 2013): a small dense network slides over the image, and the head disappears.

Two ideas that every later network kept: the 1×1 convolution, a dense layer applied at each pixel, and the global
average pooling, one map for each class, which replaces the dense head and its millions of weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from course_utils.models.shapes import check_input


def mlpconv(
    x: Any,
    filters: Sequence[int],
    kernel: int,
    *,
    batch_norm: bool = False,
    activate_last: bool = True,
    name: str,
) -> Any:
    """Slide a dense network over the image: one `kernel` × `kernel` convolution, then 1×1 convolutions.

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``.
    filters : sequence of int
        Width of each layer; the first is that of the `kernel` × `kernel` convolution.
    kernel : int
        Side of the first filters.
    batch_norm : bool
        Whether batch normalisation, which the paper had not, precedes each rectified linear unit.
    activate_last : bool
        False leaves the last layer linear: its maps are then logits, one for each class.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    KerasTensor
        ``(N, H, W, filters[-1])``.
    """
    for number, width in enumerate(filters, start=1):
        size = kernel if number == 1 else 1
        active = activate_last or number < len(filters)
        normalised = batch_norm and active
        x = layers.Conv2D(width, size, padding="same", use_bias=not normalised, name=f"{name}_{number}")(x)
        if normalised:
            # Keras' momentum of 0.99 needs far more steps than a training in class has.
            x = layers.BatchNormalization(momentum=0.9, name=f"{name}_{number}_bn")(x)
        if active:
            x = layers.Activation("relu", name=f"{name}_{number}_relu")(x)
    return x


def class_average(x: Any, activation: str | None) -> Any:
    """Average each map of ``(N, H, W, classes)`` into the score of its class: ``(N, classes)``, without a weight."""
    x = layers.GlobalAveragePooling2D(name="global_average")(x)
    return x if activation is None else layers.Activation(activation, name="predictions")(x)


def nin(
    input_shape: tuple[int | None, int | None, int] = (32, 32, 3), classes: int = 10, activation: str | None = None
) -> keras.Model:
    """Build the Network in Network of CIFAR-10: 966,986 parameters at 3 channels and 10 classes.

    The widths are those of the authors' published configuration. Their last 1×1 layer is rectified too; it is
    linear here, so that the averages are logits.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 8×8; height and width may be None.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("nin", input_shape, classes, minimum=8, any_size=True)
    inputs = keras.Input(input_shape)
    x = mlpconv(inputs, (192, 160, 96), 5, name="mlpconv1")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = layers.Dropout(0.5, name="dropout1")(x)
    x = mlpconv(x, (192, 192, 192), 5, name="mlpconv2")
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pool2")(x)
    x = layers.Dropout(0.5, name="dropout2")(x)
    x = mlpconv(x, (192, 192, classes), 3, activate_last=False, name="mlpconv3")
    return keras.Model(inputs, class_average(x, activation), name="nin")


def nin_small(
    input_shape: tuple[int | None, int | None, int] = (32, 32, 3), classes: int = 10, activation: str | None = None
) -> keras.Model:
    """Build a Network in Network for the classroom: the same three mlpconv blocks, narrower.

    Two liberties: batch normalisation (2015), so that a few epochs are enough where the authors trained for days, and
    light dropout.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 8×8; height and width may be None.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("nin_small", input_shape, classes, minimum=8, any_size=True)
    inputs = keras.Input(input_shape)
    x = mlpconv(inputs, (16, 16, 16), 5, batch_norm=True, name="mlpconv1")
    x = layers.MaxPooling2D(3, strides=2, padding="same", name="pool1")(x)
    x = mlpconv(x, (32, 32, 32), 5, batch_norm=True, name="mlpconv2")
    x = layers.AveragePooling2D(3, strides=2, padding="same", name="pool2")(x)
    x = layers.Dropout(0.1, name="dropout2")(x)
    x = mlpconv(x, (64, 64, classes), 3, batch_norm=True, activate_last=False, name="mlpconv3")
    return keras.Model(inputs, class_average(x, activation), name="nin_small")
