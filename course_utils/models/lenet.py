"""LeNet-5 (LeCun, Bottou, Bengio & Haffner, 1998): the first convolutional network in daily use, on cheques.

The form given here is the usual modern one: a plain dense output instead of the radial basis functions, every map of
C3 connected to every map of S2, average pooling without weights.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from course_utils.models.shapes import check_input


def conv_pool(x: Any, filters: int, *, activation: str = "tanh", padding: str = "valid", names: tuple[str, str]) -> Any:
    """Apply a 5×5 convolution, then halve the map by 2×2 averages: the pair that LeNet repeats.

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``.
    filters : int
        Number of filters of the convolution.
    activation : str
        What follows the convolution.
    padding : str
        "valid" (H − 4 rows come out of the convolution) or "same" (H rows).
    names : tuple of two str
        Names of the two layers.

    Returns
    -------
    KerasTensor
        ``(N, (H − 4) // 2, (W − 4) // 2, filters)`` with "valid".
    """
    x = layers.Conv2D(filters, 5, padding=padding, activation=activation, name=names[0])(x)
    return layers.AveragePooling2D(2, name=names[1])(x)


def lenet5(
    input_shape: tuple[int, int, int] = (32, 32, 1),
    classes: int = 10,
    activation: str | None = None,
    *,
    hidden_activation: str = "tanh",
    padding: str = "valid",
) -> keras.Model:
    """Build LeNet-5 (LeCun et al., 1998, figure 2): 61,706 parameters at 32×32×1 and 10 classes.

    The layers bear the paper's names: C1 (6 maps 28×28), S2 (14×14), C3 (16 maps 10×10), S4 (5×5), C5 (120), F6 (84).

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 16×16.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.
    hidden_activation : str
        "tanh" as in 1998; "relu" to see what it changes.
    padding : str
        Padding of C1. With "same", the 28×28 digits of MNIST meet the same 61,706 parameters.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("lenet5", input_shape, classes, minimum=12 if padding == "same" else 16)
    inputs = keras.Input(input_shape)
    x = conv_pool(inputs, 6, activation=hidden_activation, padding=padding, names=("c1", "s2"))
    x = conv_pool(x, 16, activation=hidden_activation, names=("c3", "s4"))
    x = layers.Flatten(name="flatten")(x)
    x = layers.Dense(120, activation=hidden_activation, name="c5")(x)
    x = layers.Dense(84, activation=hidden_activation, name="f6")(x)
    outputs = layers.Dense(classes, activation=activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name="lenet5")
