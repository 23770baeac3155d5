"""Inception: GoogLeNet (v1), BN-Inception (v2), Inception v3 — several filter sizes side by side, made affordable.

- GoogLeNet (Szegedy et al., 2014): four branches in parallel, 1×1 convolutions that narrow the map before the large
  filters, and two auxiliary heads that feed gradient to the middle of the network. `googlenet`, `inception_block`.
- Inception v2 is here the BN-Inception of Ioffe & Szegedy (2015): batch normalisation after each convolution, and each
  5×5 replaced by two 3×3. (Szegedy et al., 2016, also call "v2" a step towards their v3.) `inception_v2`,
  `factorised_block`.
- Inception v3 (Szegedy et al., 2016): n×n replaced by 1×n then n×1, and maps widened before they are reduced.
  `inception_v3`, whose layers follow those of `keras.applications`, so that the official weight files load.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers

from course_utils.models.alexnet import LocalResponseNormalization
from course_utils.models.shapes import check_input

AUXILIARY_WEIGHTS = (1.0, 0.3, 0.3)
"""Weights of the losses of [main, auxiliary 1, auxiliary 2] in the training of GoogLeNet."""


def conv(
    x: Any,
    filters: int,
    kernel: int | tuple[int, int],
    *,
    strides: int = 1,
    padding: str = "same",
    batch_norm: bool = True,
    scale: bool = True,
    momentum: float = 0.9,
) -> Any:
    """Apply convolution, batch normalisation if asked for, rectified linear unit.

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``.
    filters, kernel, strides, padding
        Of the convolution, which has biases only when no normalisation follows.
    batch_norm : bool
        GoogLeNet had none; v2 and v3 have one after each convolution.
    scale : bool
        Whether the normalisation learns a factor γ; v3 does without, since a rectified linear unit follows.
    momentum : float
        Memory of the moving averages that the normalisation uses after training. With Keras' default, 0.99, they lag
        far behind the weights when a training lasts a few hundred steps, as in class.

    Returns
    -------
    KerasTensor
        ``(N, H', W', filters)``.
    """
    x = layers.Conv2D(filters, kernel, strides=strides, padding=padding, use_bias=not batch_norm)(x)
    if batch_norm:
        x = layers.BatchNormalization(momentum=momentum, scale=scale)(x)
    return layers.Activation("relu")(x)


# --- v1: GoogLeNet ----------------------------------------------------------------------------------------------------


def inception_block(x: Any, widths: Sequence[int], *, batch_norm: bool = False, name: str) -> Any:
    """Look at the map through 1×1, 3×3, 5×5 filters and a pooling at once, and put the four answers side by side.

    Before the 3×3 and the 5×5, a 1×1 convolution narrows the map: that is what makes the block affordable
    (Szegedy et al., 2014, figure 2b).

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``.
    widths : sequence of six int
        As in the paper's table 1: 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection.
    batch_norm : bool
        Whether each convolution is normalised (not in 2014).
    name : str
        Name of the concatenation, the block's output.

    Returns
    -------
    KerasTensor
        ``(N, H, W, widths[0] + widths[2] + widths[4] + widths[5])``.
    """
    one, reduce3, three, reduce5, five, projection = widths
    branch1 = conv(x, one, 1, batch_norm=batch_norm)
    branch3 = conv(x, reduce3, 1, batch_norm=batch_norm)
    branch3 = conv(branch3, three, 3, batch_norm=batch_norm)
    branch5 = conv(x, reduce5, 1, batch_norm=batch_norm)
    branch5 = conv(branch5, five, 5, batch_norm=batch_norm)
    pooled = layers.MaxPooling2D(3, strides=1, padding="same")(x)
    pooled = conv(pooled, projection, 1, batch_norm=batch_norm)
    return layers.Concatenate(name=name)([branch1, branch3, branch5, pooled])


def auxiliary_head(
    x: Any,
    classes: int,
    activation: str | None = None,
    *,
    filters: int = 128,
    units: int = 1024,
    dropout: float = 0.7,
    name: str,
) -> Any:
    """Classify from the middle of the network, to bring gradient there; thrown away once the training is over.

    Averages of 5×5 every 3 pixels, 1×1 convolution, dense layer, strong dropout (Szegedy et al., 2014, section 5).

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``, at least 5×5.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.
    filters, units, dropout
        Of the 1×1 convolution, of the dense layer, and what follows it.
    name : str
        Name of the output layer.

    Returns
    -------
    KerasTensor
        ``(N, classes)``.
    """
    x = layers.AveragePooling2D(5, strides=3)(x)
    x = layers.Conv2D(filters, 1, activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dense(units, activation="relu")(x)
    x = layers.Dropout(dropout)(x)
    return layers.Dense(classes, activation=activation, name=name)(x)


def classify(x: Any, classes: int, activation: str | None, *, dropout: float = 0.0, name: str = "predictions") -> Any:
    """Average each map of ``(N, H, W, C)``, drop some averages, and give ``(N, classes)`` by one dense layer."""
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    if dropout:
        x = layers.Dropout(dropout, name="top_dropout")(x)
    return layers.Dense(classes, activation=activation, name=name)(x)


def stem(inputs: Any, *, batch_norm: bool) -> Any:
    """Bring ``(N, H, W, 3)`` to ``(N, H / 8, W / 8, 192)`` before the first inception block of v1 and v2.

    GoogLeNet normalises locally, without a weight, where BN-Inception has its batch normalisations.
    """
    x = conv(inputs, 64, 7, strides=2, batch_norm=batch_norm)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    if not batch_norm:
        x = LocalResponseNormalization()(x)
    x = conv(x, 64, 1, batch_norm=batch_norm)
    x = conv(x, 192, 3, batch_norm=batch_norm)
    if not batch_norm:
        x = LocalResponseNormalization()(x)
    return layers.MaxPooling2D(3, strides=2, padding="same")(x)


GOOGLENET = {
    "3a": (64, 96, 128, 16, 32, 32),
    "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64),
    "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64),
    "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128),
    "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}
"""Table 1 of Szegedy et al. (2014): 1×1, 3×3 reduce, 3×3, 5×5 reduce, 5×5, pool projection of each block."""


def googlenet(
    input_shape: tuple[int, int, int] = (224, 224, 3),
    classes: int = 1000,
    activation: str | None = None,
    *,
    aux: bool = False,
) -> keras.Model:
    """Build GoogLeNet: 6,998,552 parameters at 1000 classes, 13,378,280 with its auxiliary heads at 224×224.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 32×32, or 65×65 with the auxiliary heads.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.
    aux : bool
        Whether to add the two heads, after blocks 4a and 4d. The outputs are then [main, aux1, aux2], to be trained
        with ``loss_weights=list(AUXILIARY_WEIGHTS)``: 1, 0.3, 0.3.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``, or to three of them.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("googlenet", input_shape, classes, minimum=65 if aux else 32, any_size=not aux)
    inputs = keras.Input(input_shape)
    x = stem(inputs, batch_norm=False)
    heads: list[Any] = []
    for block, widths in GOOGLENET.items():
        if block in ("4a", "5a"):
            x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        x = inception_block(x, widths, name=f"inception_{block}")
        if aux and block in ("4a", "4d"):
            heads.append(auxiliary_head(x, classes, activation, name=f"aux{len(heads) + 1}"))
    main = classify(x, classes, activation, dropout=0.4, name="main" if aux else "predictions")
    return keras.Model(inputs, [main, *heads] if aux else main, name="googlenet")


# --- v2: batch normalisation, and two 3×3 in the place of a 5×5 -------------------------------------------------------


def factorised_block(x: Any, widths: Sequence[int], *, pool: str = "average", name: str) -> Any:
    """Replace the 5×5 of the inception block by two 3×3: the same field of view for 18 weights instead of 25.

    Every convolution is followed by batch normalisation (Ioffe & Szegedy, 2015, appendix).

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``.
    widths : sequence of six int
        1×1, 3×3 reduce, 3×3, double 3×3 reduce, each of the double 3×3, pool projection.
    pool : {"average", "max"}
        Pooling of the fourth branch.
    name : str
        Name of the concatenation, the block's output.

    Returns
    -------
    KerasTensor
        ``(N, H, W, widths[0] + widths[2] + widths[4] + widths[5])``.

    Raises
    ------
    ValueError
        If `pool` is neither "average" nor "max" (message in French).
    """
    if pool not in ("average", "max"):
        raise ValueError(f"pool vaut {pool!r} : on attend « average » ou « max ».")
    one, reduce3, three, reduce_double, double, projection = widths
    branch1 = conv(x, one, 1)
    branch3 = conv(conv(x, reduce3, 1), three, 3)
    branch_double = conv(conv(conv(x, reduce_double, 1), double, 3), double, 3)
    pooling = layers.AveragePooling2D if pool == "average" else layers.MaxPooling2D
    pooled = conv(pooling(3, strides=1, padding="same")(x), projection, 1)
    return layers.Concatenate(name=name)([branch1, branch3, branch_double, pooled])


def factorised_reduction(x: Any, widths: Sequence[int], *, name: str) -> Any:
    """Halve the map by convolutions and a pooling side by side, so that nothing is lost in a narrow passage.

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``.
    widths : sequence of four int
        3×3 reduce, 3×3, double 3×3 reduce, each of the double 3×3.
    name : str
        Name of the concatenation, the block's output.

    Returns
    -------
    KerasTensor
        ``(N, H / 2, W / 2, widths[1] + widths[3] + C)``.
    """
    reduce3, three, reduce_double, double = widths
    branch3 = conv(conv(x, reduce3, 1), three, 3, strides=2)
    branch_double = conv(conv(conv(x, reduce_double, 1), double, 3), double, 3, strides=2)
    pooled = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    return layers.Concatenate(name=name)([branch3, branch_double, pooled])


BN_INCEPTION = {
    "3a": (64, 64, 64, 64, 96, 32),
    "3b": (64, 64, 96, 64, 96, 64),
    "3c": (128, 160, 64, 96),
    "4a": (224, 64, 96, 96, 128, 128),
    "4b": (192, 96, 128, 96, 128, 128),
    "4c": (160, 128, 160, 128, 160, 128),
    "4d": (96, 128, 192, 160, 192, 128),
    "4e": (128, 192, 192, 256),
    "5a": (352, 192, 320, 160, 224, 128),
    "5b": (352, 192, 320, 192, 224, 128),
}
"""Widths of BN-Inception: six for `factorised_block`, four for `factorised_reduction`."""


def inception_v2(
    input_shape: tuple[int | None, int | None, int] = (224, 224, 3), classes: int = 1000, activation: str | None = None
) -> keras.Model:
    """Build Inception v2, here BN-Inception (Ioffe & Szegedy, 2015): 11.3 million parameters at 1000 classes.

    The widths are those of the published networks (Caffe, then PyTorch: 11,295,240 trainable parameters). Their
    convolutions also have biases, 10,016 values that the batch normalisation cancels and that are left out here.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 32×32; height and width may be None.
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
    check_input("inception_v2", input_shape, classes, minimum=32, any_size=True)
    inputs = keras.Input(input_shape)
    x = stem(inputs, batch_norm=True)
    for block, widths in BN_INCEPTION.items():
        if len(widths) == 4:
            x = factorised_reduction(x, widths, name=f"inception_{block}")
        else:
            x = factorised_block(x, widths, pool="max" if block == "5b" else "average", name=f"inception_{block}")
    return keras.Model(inputs, classify(x, classes, activation), name="inception_v2")


# --- v3: asymmetric factorisation -------------------------------------------------------------------------------------


V3: dict[str, Any] = {"scale": False, "momentum": 0.99}
"""How the convolutions of v3 are normalised in `keras.applications`."""


def chain(x: Any, *convolutions: tuple[int, int | tuple[int, int]], strides: int = 1) -> Any:
    """Apply in turn v3 convolutions given as ``(filters, kernel)``; with strides of 2, the last one reduces the map."""
    for filters, kernel in convolutions[:-1]:
        x = conv(x, filters, kernel, **V3)
    filters, kernel = convolutions[-1]
    return conv(x, filters, kernel, strides=strides, padding="same" if strides == 1 else "valid", **V3)


def average_branch(x: Any, filters: int) -> Any:
    """Average 3×3 neighbourhoods without reducing the map, then project on `filters` channels."""
    return chain(layers.AveragePooling2D(3, strides=1, padding="same")(x), (filters, 1))


def wide_block(x: Any, projection: int, *, name: str) -> Any:
    """Apply the block of the 35×35 maps: 1×1, 5×5, double 3×3, pooling (Szegedy et al., 2016, figure 5).

    From ``(N, H, W, C)`` to ``(N, H, W, 224 + projection)``.
    """
    branch1 = chain(x, (64, 1))
    branch5 = chain(x, (48, 1), (64, 5))
    branch3 = chain(x, (64, 1), (96, 3), (96, 3))
    return layers.Concatenate(name=name)([branch1, branch5, branch3, average_branch(x, projection)])


def wide_reduction(x: Any, *, name: str) -> Any:
    """Halve the 35×35 maps to 17×17: from ``(N, H, W, C)`` to ``(N, (H − 1) // 2, (W − 1) // 2, 480 + C)``."""
    branch3 = chain(x, (384, 3), strides=2)
    branch_double = chain(x, (64, 1), (96, 3), (96, 3), strides=2)
    pooled = layers.MaxPooling2D(3, strides=2)(x)
    return layers.Concatenate(name=name)([branch3, branch_double, pooled])


def asymmetric_block(x: Any, width: int, *, n: int = 7, name: str) -> Any:
    """Replace n×n filters by 1×n then n×1: 2n weights instead of n² (Szegedy et al., 2016, figure 6).

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``: the 17×17 maps of v3.
    width : int
        Width of the inner layers: 128, 160 or 192 in v3.
    n : int
        Length of the filters.
    name : str
        Name of the concatenation, the block's output.

    Returns
    -------
    KerasTensor
        ``(N, H, W, 768)``.
    """
    branch1 = chain(x, (192, 1))
    branch_n = chain(x, (width, 1), (width, (1, n)), (192, (n, 1)))
    branch_double = chain(x, (width, 1), (width, (n, 1)), (width, (1, n)), (width, (n, 1)), (192, (1, n)))
    return layers.Concatenate(name=name)([branch1, branch_n, branch_double, average_branch(x, 192)])


def asymmetric_reduction(x: Any, *, name: str) -> Any:
    """Halve the 17×17 maps to 8×8: from ``(N, H, W, C)`` to ``(N, (H − 1) // 2, (W − 1) // 2, 512 + C)``."""
    branch3 = chain(x, (192, 1), (320, 3), strides=2)
    branch7 = chain(x, (192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3), strides=2)
    pooled = layers.MaxPooling2D(3, strides=2)(x)
    return layers.Concatenate(name=name)([branch3, branch7, pooled])


def expanded_block(x: Any, *, inner_name: str | None = None, name: str) -> Any:
    """Apply the block of the 8×8 maps, whose 1×3 and 3×1 stand side by side (Szegedy et al., 2016, figure 7).

    From ``(N, H, W, C)`` to ``(N, H, W, 2048)``.
    """
    branch1 = chain(x, (320, 1))
    branch3 = chain(x, (384, 1))
    branch3 = layers.Concatenate(name=inner_name)([chain(branch3, (384, (1, 3))), chain(branch3, (384, (3, 1)))])
    double = chain(x, (448, 1), (384, 3))
    double = layers.Concatenate()([chain(double, (384, (1, 3))), chain(double, (384, (3, 1)))])
    return layers.Concatenate(name=name)([branch1, branch3, double, average_branch(x, 192)])


def inception_v3(
    input_shape: tuple[int | None, int | None, int] = (299, 299, 3),
    classes: int = 1000,
    activation: str | None = None,
    *,
    include_top: bool = True,
) -> keras.Model:
    """Build Inception v3 (Szegedy et al., 2016): 23,851,784 parameters at 1000 classes.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 75×75; height and width may be None.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits (the official weights were trained with "softmax").
    include_top : bool
        False stops at the last feature map, ``(N, 8, 8, 2048)`` at 299×299, for transfer.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("inception_v3", input_shape, classes, minimum=75, any_size=True)
    inputs = keras.Input(input_shape)
    x = conv(inputs, 32, 3, strides=2, padding="valid", **V3)
    x = conv(x, 32, 3, padding="valid", **V3)
    x = conv(x, 64, 3, **V3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    x = conv(x, 80, 1, padding="valid", **V3)
    x = conv(x, 192, 3, padding="valid", **V3)
    x = layers.MaxPooling2D(3, strides=2)(x)
    for number, projection in enumerate((32, 64, 64)):
        x = wide_block(x, projection, name=f"mixed{number}")
    x = wide_reduction(x, name="mixed3")
    for number, width in enumerate((128, 160, 160, 192), start=4):
        x = asymmetric_block(x, width, name=f"mixed{number}")
    x = asymmetric_reduction(x, name="mixed8")
    x = expanded_block(x, inner_name="mixed9_0", name="mixed9")
    x = expanded_block(x, inner_name="mixed9_1", name="mixed10")
    outputs = classify(x, classes, activation) if include_top else x
    return keras.Model(inputs, outputs, name="inception_v3")


# --- in class ---------------------------------------------------------------------------------------------------------

GOOGLENET_SMALL = {
    "4a": (24, 24, 32, 8, 16, 16),
    "4b": (24, 24, 32, 8, 16, 16),
    "4c": (24, 32, 48, 8, 16, 16),
    "5a": (48, 32, 64, 16, 32, 32),
}
"""Widths of `googlenet_small`, in the order of `GOOGLENET`."""


def googlenet_small(
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    activation: str | None = None,
    *,
    factorised: bool = False,
    aux: bool = False,
) -> keras.Model:
    """Build a GoogLeNet for the classroom: four inception blocks on 32×32 images.

    Two liberties: a stem of two 3×3 convolutions, because 32 pixels are few, and batch normalisation (2015), without
    which a few epochs are not enough.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 8×8, or 17×17 with the auxiliary heads.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.
    factorised : bool
        Whether each 5×5 is replaced by two 3×3 and the pooling by averages, as in v2.
    aux : bool
        Whether to add two small auxiliary heads, after blocks 4a and 4b. The outputs are then [main, aux1, aux2], to be
        trained with ``loss_weights=list(AUXILIARY_WEIGHTS)``.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``, or to three of them.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("googlenet_small", input_shape, classes, minimum=17 if aux else 8, any_size=not aux)
    inputs = keras.Input(input_shape)
    x = conv(inputs, 16, 3)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = conv(x, 32, 3)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    heads: list[Any] = []
    for block, widths in GOOGLENET_SMALL.items():
        if block == "5a":
            x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
        if factorised:
            x = factorised_block(x, widths, name=f"inception_{block}")
        else:
            x = inception_block(x, widths, batch_norm=True, name=f"inception_{block}")
        if aux and block in ("4a", "4b"):
            head = auxiliary_head(
                x, classes, activation, filters=32, units=64, dropout=0.5, name=f"aux{len(heads) + 1}"
            )
            heads.append(head)
    main = classify(x, classes, activation, dropout=0.2, name="main" if aux else "predictions")
    return keras.Model(inputs, [main, *heads] if aux else main, name="googlenet_small")
