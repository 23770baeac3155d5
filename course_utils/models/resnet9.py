"""ResNet-9: a residual network made to learn quickly (D. Page, « How to train your ResNet », 2018).

The residual block is the one of He et al. (2015); around it, three plain convolutions that widen while max pooling
shrinks. Few layers, large matrices: what a processor does best.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers


def conv_block(x: Any, filters: int, *, pool: int = 1) -> Any:
    """Convolution 3×3, max pooling when ``pool`` > 1, batch normalisation, ReLU: (H, W, C) → (H/pool, W/pool, K)."""
    x = layers.Conv2D(filters, 3, padding="same", use_bias=False, kernel_initializer="he_normal")(x)
    if pool > 1:
        x = layers.MaxPooling2D(pool)(x)
    return layers.ReLU()(layers.BatchNormalization(momentum=0.9)(x))


def residual_block(x: Any) -> Any:
    """Add F(x) to x, F being two `conv_block` of as many filters as x has channels (He et al., 2015)."""
    filters = x.shape[-1]
    return layers.Add()([x, conv_block(conv_block(x, filters), filters)])


def resnet9(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    activation: str | None = None,
    *,
    widths: tuple[int, int, int, int] = (32, 48, 96, 160),
) -> keras.Model:
    """Return a ResNet-9, its input standardised by the network itself.

    Parameters
    ----------
    input_shape : tuple of int
        (height, width, channels), the sides at least 8; images in [0, 1].
    classes : int
        Number of outputs.
    activation : str, optional
        Of the output: None gives logits, ``"softmax"`` probabilities.
    widths : tuple of int
        Filters of the stem and of the three stages. The default has 0.86 million parameters, Page's network, (64, 128,
        256, 512), 6.6 million.

    Returns
    -------
    keras.Model
        Images (N, height, width, channels) → (N, classes).

    Raises
    ------
    ValueError
        In French, if a side is smaller than 8: three poolings would leave nothing.
    """
    if min(input_shape[:2]) < 8:
        raise ValueError(
            f"resnet9 divise trois fois les côtés par deux : une image de {input_shape[0]} × {input_shape[1]} pixels "
            "est trop petite, il en faut au moins 8 × 8. Agrandissez l'image."
        )
    stem, first, second, third = widths
    inputs = keras.Input(input_shape)
    x = layers.Rescaling(4.0, offset=-2.0)(inputs)
    x = conv_block(x, stem)
    x = residual_block(conv_block(x, first, pool=2))
    x = residual_block(conv_block(x, second, pool=2))
    x = residual_block(conv_block(x, third, pool=2))
    x = layers.Rescaling(0.125)(layers.GlobalMaxPooling2D()(x))
    outputs = layers.Dense(classes, activation=activation, dtype="float32")(x)
    return keras.Model(inputs, outputs, name="resnet9")
