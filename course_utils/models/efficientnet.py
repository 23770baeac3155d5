"""EfficientNet: grow width, depth and resolution together (Tan and Le, 2019).

One small network, B0, found by search, then seven larger ones obtained by *compound scaling*: for a budget φ, depth is
multiplied by 1.2^φ, width by 1.1^φ and resolution by 1.15^φ, so that the cost grows about as 2^φ.

* `squeeze_excite`: weigh each channel by what the whole image says of it (Hu, Shen and Sun, 2017);
* `mbconv`: widen by 1×1, filter each channel by a depthwise convolution, weigh, narrow by 1×1, add the shortcut
  (MobileNetV2, Sandler et al., 2018);
* `round_filters`, `round_repeats`: how the scaled widths and depths become whole numbers, as in the authors' code.

Layers have the names and the order of ``keras.applications``, so that the official files load.

Reference: EfficientNet: Rethinking Model Scaling for Convolutional Neural Networks, https://arxiv.org/abs/1905.11946.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import keras
from keras import layers

from course_utils.models.shapes import check_input

#: Standard deviations of the colours of ImageNet, (red, green, blue), images in [0, 1].
IMAGENET_STD = (0.229, 0.224, 0.225)


class Stage(NamedTuple):
    """One line of the paper's table 1: `repeats` MBConv blocks, the first of which has the stride."""

    expansion: int
    kernel_size: int
    stride: int
    filters: int
    repeats: int


#: EfficientNet-B0 (paper, table 1).
B0_STAGES = (
    Stage(1, 3, 1, 16, 1),
    Stage(6, 3, 2, 24, 2),
    Stage(6, 5, 2, 40, 2),
    Stage(6, 3, 2, 80, 3),
    Stage(6, 5, 1, 112, 3),
    Stage(6, 5, 2, 192, 4),
    Stage(6, 3, 1, 320, 1),
)


#: `efficientnet_small`: one block at 16×16, then two stages of two.
SMALL_STAGES = (Stage(1, 3, 1, 16, 1), Stage(4, 3, 2, 24, 2), Stage(4, 3, 2, 40, 2))


def round_filters(filters: int, width: float, divisor: int = 8) -> int:
    """Multiply a number of channels by `width` and round it to a multiple of `divisor`, never more than 10 % below.

    Examples
    --------
    >>> round_filters(32, 1.1), round_filters(40, 1.2), round_filters(16, 2.0)
    (32, 48, 32)
    """
    scaled = filters * width
    rounded = max(divisor, int(scaled + divisor / 2) // divisor * divisor)
    if rounded < 0.9 * scaled:
        rounded += divisor
    return rounded


def round_repeats(repeats: int, depth: float) -> int:
    """Multiply a number of blocks by `depth` and round it up: ``round_repeats(3, 1.1)`` is 4."""
    return math.ceil(depth * repeats)


def fan_out_normal() -> keras.initializers.Initializer:
    """Return the initialisation of the authors' code: normal law of variance 2 / fan out."""
    return keras.initializers.VarianceScaling(2.0, mode="fan_out", distribution="truncated_normal")


def conv_bn_swish(x, filters: int, kernel_size: int, *, stride: int = 1, activate: bool = True, names: Sequence[str]):
    """Convolution without bias, batch normalisation, swish: (N, H, W, C) → (N, ceil(H / stride), …, filters).

    `names` names the layers: convolution, normalisation and, where `activate`, activation.
    """
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer=fan_out_normal(),
        name=names[0],
    )(x)
    x = layers.BatchNormalization(name=names[1])(x)
    return layers.Activation("swish", name=names[2])(x) if activate else x


def squeeze_excite(x, squeezed: int, *, name: str = "se"):
    """Weigh the channels: average over the image, two small dense layers, a sigmoid, a product (Hu et al., 2017).

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    squeezed : int
        Number of units between the two layers (written as 1×1 convolutions on a 1×1 image).
    name : str
        Prefix of the layers' names.

    Returns
    -------
    keras tensor (N, H, W, C)
        `x` times one weight in ]0, 1[ per image and channel.
    """
    channels = x.shape[-1]
    weights = layers.GlobalAveragePooling2D(name=f"{name}_squeeze")(x)
    weights = layers.Reshape((1, 1, channels), name=f"{name}_reshape")(weights)
    weights = layers.Conv2D(
        squeezed, 1, activation="swish", kernel_initializer=fan_out_normal(), name=f"{name}_reduce"
    )(weights)
    weights = layers.Conv2D(
        channels, 1, activation="sigmoid", kernel_initializer=fan_out_normal(), name=f"{name}_expand"
    )(weights)
    return layers.Multiply(name=f"{name}_excite")([x, weights])


def mbconv(
    x,
    filters: int,
    *,
    kernel_size: int = 3,
    stride: int = 1,
    expansion: int = 6,
    squeeze: float = 0.25,
    drop_rate: float = 0.0,
    name: str = "block",
):
    """Inverted residual block: widen, filter each channel, weigh the channels, narrow, add (Sandler et al., 2018).

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    filters : int
        Channels of the result.
    kernel_size, stride : int
        Window and stride of the depthwise convolution.
    expansion : int
        The depthwise convolution sees ``expansion * C`` channels.
    squeeze : float
        Units of the squeeze-and-excitation, as a share of C; 0 leaves it out.
    drop_rate : float
        Probability, in training only, that an image skips the block (stochastic depth, Huang et al., 2016).
    name : str
        Prefix of the layers' names.

    Returns
    -------
    keras tensor (N, ceil(H / stride), ceil(W / stride), filters)
        With the shortcut where input and output have the same shape.
    """
    channels, y = x.shape[-1], x
    if expansion != 1:
        names = (f"{name}_expand_conv", f"{name}_expand_bn", f"{name}_expand_activation")
        y = conv_bn_swish(y, expansion * channels, 1, names=names)
    y = layers.DepthwiseConv2D(
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        depthwise_initializer=fan_out_normal(),
        name=f"{name}_dwconv",
    )(y)
    y = layers.BatchNormalization(name=f"{name}_bn")(y)
    y = layers.Activation("swish", name=f"{name}_activation")(y)
    if squeeze:
        y = squeeze_excite(y, max(1, int(channels * squeeze)), name=f"{name}_se")
    y = conv_bn_swish(y, filters, 1, activate=False, names=(f"{name}_project_conv", f"{name}_project_bn"))
    if stride > 1 or channels != filters:
        return y
    if drop_rate:
        # One draw for a whole image: its branch is kept or dropped as a block.
        y = layers.Dropout(drop_rate, noise_shape=(None, 1, 1, 1), name=f"{name}_drop")(y)
    return layers.Add(name=f"{name}_add")([y, x])


def stack(x, stages: Sequence[Stage], width: float, depth: float, *, drop_connect: float):
    """Chain the MBConv blocks of `stages`, scaled in width and depth: (N, H, W, C) → (N, H', W', C').

    The probability of skipping a block grows from 0 at the first to nearly `drop_connect` at the last.
    """
    total = sum(round_repeats(stage.repeats, depth) for stage in stages)
    rank = 0
    for number, stage in enumerate(stages, start=1):
        for repeat in range(round_repeats(stage.repeats, depth)):
            x = mbconv(
                x,
                round_filters(stage.filters, width),
                kernel_size=stage.kernel_size,
                stride=stage.stride if repeat == 0 else 1,
                expansion=stage.expansion,
                drop_rate=drop_connect * rank / total,
                name=f"block{number}{chr(ord('a') + repeat)}",
            )
            rank += 1
    return x


def efficientnet(
    width: float = 1.0,
    depth: float = 1.0,
    resolution: int = 224,
    *,
    dropout: float = 0.2,
    drop_connect: float = 0.2,
    stages: Sequence[Stage] = B0_STAGES,
    input_shape: tuple[int, int, int] | None = None,
    classes: int = 1000,
    activation: str | None = None,
    imagenet_inputs: bool = False,
    name: str = "efficientnet",
) -> keras.Model:
    """Build an EfficientNet: B0 multiplied by `width` and `depth`, for images of `resolution` pixels.

    Parameters
    ----------
    width, depth : float
        Factors of the numbers of channels and of blocks.
    resolution : int
        Side of the images, when `input_shape` is not given.
    dropout : float
        Dropout rate before the last layer.
    drop_connect : float
        Largest probability of skipping a block in training.
    stages : sequence of Stage
        The network to be scaled.
    input_shape : tuple (H, W, 3), optional
        Shape of one image, values **0…255**: the network divides by 255 and normalises by itself.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the last layer; None gives logits.
    imagenet_inputs : bool
        True adds the scaling that ``keras.applications`` adds when it loads the official ImageNet weights (their
        normalisation layer holds standard deviations where it should hold variances).
    name : str
        Name of the model.

    Returns
    -------
    keras.Model
        (N, H, W, 3) → (N, classes).

    Raises
    ------
    ValueError
        For factors that are not positive, an impossible shape, or ImageNet's scaling of other than three channels.
    """
    if width <= 0 or depth <= 0:
        raise ValueError(f"width et depth sont des facteurs positifs (1 pour B0) ; reçu : {width} et {depth}.")
    shape = (resolution, resolution, 3) if input_shape is None else input_shape
    check_input("efficientnet", shape, classes, minimum=32)
    if imagenet_inputs and shape[2] != 3:
        raise ValueError(f"Les poids d'ImageNet attendent trois canaux (rouge, vert, bleu) ; reçu : {shape[2]}.")
    inputs = keras.Input(shape)
    x = layers.Rescaling(1 / 255, name="rescaling")(inputs)
    x = layers.Normalization(name="normalization")(x)
    if imagenet_inputs:
        x = layers.Rescaling([1 / math.sqrt(std) for std in IMAGENET_STD], name="imagenet_rescaling")(x)
    x = conv_bn_swish(x, round_filters(32, width), 3, stride=2, names=("stem_conv", "stem_bn", "stem_activation"))
    x = stack(x, stages, width, depth, drop_connect=drop_connect)
    x = conv_bn_swish(x, round_filters(1280, width), 1, names=("top_conv", "top_bn", "top_activation"))
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    x = layers.Dropout(dropout, name="top_dropout")(x)
    small_uniform = keras.initializers.VarianceScaling(1 / 3, mode="fan_out", distribution="uniform")
    last = layers.Dense(classes, activation=activation, kernel_initializer=small_uniform, name="predictions")
    return keras.Model(inputs, last(x), name=name)


class Variant(NamedTuple):
    """Factors of one member of the family (authors' code)."""

    width: float
    depth: float
    resolution: int
    dropout: float


#: Compound scaling: what B0…B7 multiply.
VARIANTS = {
    "b0": Variant(1.0, 1.0, 224, 0.2),
    "b1": Variant(1.0, 1.1, 240, 0.2),
    "b2": Variant(1.1, 1.2, 260, 0.3),
    "b3": Variant(1.2, 1.4, 300, 0.3),
    "b4": Variant(1.4, 1.8, 380, 0.4),
    "b5": Variant(1.6, 2.2, 456, 0.4),
    "b6": Variant(1.8, 2.6, 528, 0.5),
    "b7": Variant(2.0, 3.1, 600, 0.5),
}


def variant(name: str, input_shape=None, classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """Build the member of the family called `name` ("b0" … "b7"), at its own resolution unless `input_shape` is given.

    Raises
    ------
    ValueError
        For an unknown name, with the known ones.
    """
    if name not in VARIANTS:
        raise ValueError(f"Il n'y a pas d'EfficientNet « {name} ». Variantes connues : {', '.join(VARIANTS)}.")
    factors = VARIANTS[name]
    return efficientnet(
        factors.width,
        factors.depth,
        factors.resolution,
        dropout=factors.dropout,
        input_shape=input_shape,
        classes=classes,
        activation=activation,
        imagenet_inputs=imagenet_inputs,
        name=f"efficientnet{name}",
    )


def efficientnet_b0(input_shape=(224, 224, 3), classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """EfficientNet-B0: (N, H, W, 3), values 0…255 → (N, classes) (5,330,571 parameters; see `efficientnet`)."""
    return variant("b0", input_shape, classes, activation, imagenet_inputs=imagenet_inputs)


def efficientnet_b1(input_shape=(240, 240, 3), classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """EfficientNet-B1: (N, H, W, 3), values 0…255 → (N, classes) (7,856,239 parameters; see `efficientnet`)."""
    return variant("b1", input_shape, classes, activation, imagenet_inputs=imagenet_inputs)


def efficientnet_b2(input_shape=(260, 260, 3), classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """EfficientNet-B2: (N, H, W, 3), values 0…255 → (N, classes) (9,177,569 parameters; see `efficientnet`)."""
    return variant("b2", input_shape, classes, activation, imagenet_inputs=imagenet_inputs)


def efficientnet_b3(input_shape=(300, 300, 3), classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """EfficientNet-B3: (N, H, W, 3), values 0…255 → (N, classes) (12,320,535 parameters; see `efficientnet`)."""
    return variant("b3", input_shape, classes, activation, imagenet_inputs=imagenet_inputs)


def efficientnet_b4(input_shape=(380, 380, 3), classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """EfficientNet-B4: (N, H, W, 3), values 0…255 → (N, classes) (19,466,823 parameters; see `efficientnet`)."""
    return variant("b4", input_shape, classes, activation, imagenet_inputs=imagenet_inputs)


def efficientnet_b5(input_shape=(456, 456, 3), classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """EfficientNet-B5: (N, H, W, 3), values 0…255 → (N, classes) (30,562,527 parameters; see `efficientnet`)."""
    return variant("b5", input_shape, classes, activation, imagenet_inputs=imagenet_inputs)


def efficientnet_b6(input_shape=(528, 528, 3), classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """EfficientNet-B6: (N, H, W, 3), values 0…255 → (N, classes) (43,265,143 parameters; see `efficientnet`)."""
    return variant("b6", input_shape, classes, activation, imagenet_inputs=imagenet_inputs)


def efficientnet_b7(input_shape=(600, 600, 3), classes: int = 1000, activation=None, *, imagenet_inputs: bool = False):
    """EfficientNet-B7: (N, H, W, 3), values 0…255 → (N, classes) (66,658,687 parameters; see `efficientnet`)."""
    return variant("b7", input_shape, classes, activation, imagenet_inputs=imagenet_inputs)


def efficientnet_small(
    input_shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10, activation: str | None = None
) -> keras.Model:
    """EfficientNet that trains in class: (N, H, W, C), values in [0, 1] → (N, classes)."""
    check_input("efficientnet_small", input_shape, classes, minimum=8)
    inputs = keras.Input(input_shape)
    x = conv_bn_swish(inputs, 16, 3, stride=2, names=("stem_conv", "stem_bn", "stem_activation"))
    x = stack(x, SMALL_STAGES, 1.0, 1.0, drop_connect=0.0)
    x = conv_bn_swish(x, 128, 1, names=("top_conv", "top_bn", "top_activation"))
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    outputs = layers.Dense(classes, activation=activation, name="predictions")(x)
    network = keras.Model(inputs, outputs, name="efficientnet_small")
    for layer in network.layers:
        if isinstance(layer, layers.BatchNormalization):
            layer.momentum = 0.9  # with 0.99, the moving averages need more steps than a class has
    return network
