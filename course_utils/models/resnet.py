"""Residual networks: learn what must be *added* to the input (He, Zhang, Ren and Sun, 2015).

A plain stack of layers gets worse, on its own training set, when it gets deeper: the *degradation* problem. A residual
block computes ``relu(F(x) + x)`` instead of ``F(x)``; to do nothing it has only to push ``F`` to zero, and the gradient
goes back through the addition unchanged. Three blocks, the paper's own:

* `residual_block`: two 3×3 convolutions, shortcut without parameters (option A), for images of CIFAR's size;
* `basic_block`: two 3×3 convolutions, 1×1 projection where the shape changes (option B), for ResNet-18 and 34;
* `bottleneck_block`: 1×1, 3×3, 1×1, for ResNet-50, with the layer names of ``keras.applications`` so that the official
  files load.

Reference: Deep Residual Learning for Image Recognition, https://arxiv.org/abs/1512.03385.
"""

from __future__ import annotations

import keras
from keras import layers

from course_utils.models.shapes import check_input


def shortcut_by_padding(x, filters: int, stride: int, *, name: str):
    """Bring `x` to the shape of the branch without any parameter: option A of the paper.

    Keeps one pixel out of `stride` and adds channels full of zeros.

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    filters : int
        Channels of the result, at least C.
    stride : int
        Sub-sampling step.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    keras tensor (N, ceil(H / stride), ceil(W / stride), filters)

    Raises
    ------
    ValueError
        If `filters` is smaller than C.
    """
    if filters < x.shape[-1]:
        raise ValueError(
            f"Le raccourci sans paramètre ne peut qu'ajouter des canaux : filters doit valoir au moins {x.shape[-1]} ; "
            f"reçu : {filters}."
        )
    if stride > 1:
        x = layers.MaxPooling2D(1, strides=stride, padding="same", name=f"{name}_subsample")(x)
    missing = filters - x.shape[-1]
    if missing > 0:
        # Read as (N, C, H, W), a channels-last tensor shows its channels as the width: this layer then pads them.
        sides = ((0, 0), (missing // 2, missing - missing // 2))
        x = layers.ZeroPadding2D(sides, data_format="channels_first", name=f"{name}_pad")(x)
    return x


def conv_bn(x, filters: int, kernel_size: int, *, stride: int = 1, name: str):
    """Convolution without bias then batch normalisation: (N, H, W, C) → (N, ceil(H / stride), …, filters).

    He initialisation; statistics that move fast (momentum 0.9), as in the reference code: lessons train for few epochs.
    """
    x = layers.Conv2D(
        filters,
        kernel_size,
        strides=stride,
        padding="same",
        use_bias=False,
        kernel_initializer="he_normal",
        name=f"{name}_conv",
    )(x)
    return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, name=f"{name}_bn")(x)


def residual_block(x, filters: int, *, stride: int = 1, residual: bool = True, name: str = "block"):
    """Two 3×3 convolutions and the shortcut that skips them: ``relu(F(x) + x)`` (paper, section 4.2).

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    filters : int
        Channels of the result, at least C.
    stride : int
        Stride of the first convolution.
    residual : bool
        False takes the shortcut away: the plain block of the degradation experiment, with exactly as many parameters.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    keras tensor (N, ceil(H / stride), ceil(W / stride), filters)
    """
    y = conv_bn(x, filters, 3, stride=stride, name=f"{name}_1")
    y = layers.Activation("relu", name=f"{name}_1_relu")(y)
    y = conv_bn(y, filters, 3, name=f"{name}_2")
    if residual:
        y = layers.Add(name=f"{name}_add")([shortcut_by_padding(x, filters, stride, name=f"{name}_0"), y])
    return layers.Activation("relu", name=f"{name}_out")(y)


def resnet_cifar(
    depth: int = 20,
    width: int = 16,
    residual: bool = True,
    input_shape: tuple[int, int, int] = (32, 32, 3),
    classes: int = 10,
    activation: str | None = None,
) -> keras.Model:
    """Residual network for small images: 3 stages of `width`, 2 `width`, 4 `width` channels (paper, section 4.2).

    A 3×3 convolution, three stages of ``(depth - 2) / 6`` blocks (the last two begin with a stride of 2), global
    average pooling, one dense layer. ``depth=20, width=16`` is the paper's ResNet-20 (0.27 M parameters).

    Parameters
    ----------
    depth : int
        Number of layers with weights: 8, 14, 20, 32, 44, 56, 110 (``6 n + 2``).
    width : int
        Channels of the first stage.
    residual : bool
        False builds the plain network of the same depth, width and number of parameters.
    input_shape : tuple (H, W, C)
        Shape of one image; values in [0, 1] or standardised.
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
        For a depth that is not ``6 n + 2``, no channel, or an impossible shape.
    """
    check_input(f"resnet_cifar({depth})", input_shape, classes, minimum=4)
    if depth < 8 or (depth - 2) % 6:
        raise ValueError(
            f"depth doit s'écrire 6 n + 2 (trois étages de n blocs de deux convolutions) : 8, 14, 20, 32, 44, 56… ; "
            f"reçu : {depth}."
        )
    if width < 1:
        raise ValueError(f"width est le nombre de canaux du premier étage, au moins 1 ; reçu : {width}.")
    inputs = keras.Input(input_shape)
    x = conv_bn(inputs, width, 3, name="stem")
    x = layers.Activation("relu", name="stem_relu")(x)
    for stage in range(3):
        for block in range((depth - 2) // 6):
            stride = 2 if stage > 0 and block == 0 else 1
            name = f"stage{stage + 1}_block{block + 1}"
            x = residual_block(x, width * 2**stage, stride=stride, residual=residual, name=name)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    outputs = layers.Dense(classes, activation=activation, name="predictions")(x)
    kind = "resnet" if residual else "plain"
    return keras.Model(inputs, outputs, name=f"{kind}{depth}_cifar")


def resnet_small(
    input_shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10, activation: str | None = None
) -> keras.Model:
    """Residual network that trains in class: `resnet_cifar` of depth 14 and width 8 (44 k parameters, 7 MFLOP)."""
    return resnet_cifar(14, 8, True, input_shape, classes, activation)


def stem(x, *, use_bias: bool, momentum: float):
    """Begin an ImageNet ResNet: 7×7 convolution, 3×3 pooling, both of stride 2: (N, H, W, C) → (N, H/4, W/4, 64)."""
    x = layers.ZeroPadding2D(3, name="conv1_pad")(x)
    x = layers.Conv2D(64, 7, strides=2, use_bias=use_bias, name="conv1_conv")(x)
    x = layers.BatchNormalization(momentum=momentum, epsilon=1.001e-5, name="conv1_bn")(x)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    return layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)


def basic_block(x, filters: int, *, stride: int = 1, name: str = "block"):
    """Two 3×3 convolutions; the shortcut is a 1×1 projection where the shape changes (option B; paper, figure 5 left).

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    filters : int
        Channels of the result.
    stride : int
        Stride of the first convolution and of the projection.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    keras tensor (N, ceil(H / stride), ceil(W / stride), filters)
    """
    shortcut = x
    if stride > 1 or x.shape[-1] != filters:
        shortcut = conv_bn(x, filters, 1, stride=stride, name=f"{name}_0")
    y = conv_bn(x, filters, 3, stride=stride, name=f"{name}_1")
    y = layers.Activation("relu", name=f"{name}_1_relu")(y)
    y = conv_bn(y, filters, 3, name=f"{name}_2")
    y = layers.Add(name=f"{name}_add")([shortcut, y])
    return layers.Activation("relu", name=f"{name}_out")(y)


def bottleneck_block(x, filters: int, *, stride: int = 1, projection: bool = False, name: str = "block"):
    """1×1 to shrink the channels, 3×3, 1×1 to restore them four times as many (paper, figure 5 right).

    As in ``keras.applications``: convolutions with biases, stride on the first 1×1.

    Parameters
    ----------
    x : keras tensor (N, H, W, C)
    filters : int
        Channels inside the bottleneck; the result has ``4 * filters``.
    stride : int
        Stride of the first convolution and of the projection.
    projection : bool
        True sends the shortcut through a 1×1 convolution; False needs ``C == 4 * filters`` and ``stride == 1``.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    keras tensor (N, ceil(H / stride), ceil(W / stride), 4 * filters)

    Raises
    ------
    ValueError
        Without projection, if the input has not the shape of the result.
    """
    if not projection and (stride > 1 or x.shape[-1] != 4 * filters):
        raise ValueError(
            f"Sans projection, l'entrée doit avoir la forme de la sortie ({4 * filters} canaux, stride=1) ; "
            f"reçu : {x.shape[-1]} canaux, stride={stride}. Écrivez projection=True."
        )
    shortcut = x
    if projection:
        shortcut = layers.Conv2D(4 * filters, 1, strides=stride, name=f"{name}_0_conv")(x)
        shortcut = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_0_bn")(shortcut)
    y = layers.Conv2D(filters, 1, strides=stride, name=f"{name}_1_conv")(x)
    y = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_1_bn")(y)
    y = layers.Activation("relu", name=f"{name}_1_relu")(y)
    y = layers.Conv2D(filters, 3, padding="same", name=f"{name}_2_conv")(y)
    y = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_2_bn")(y)
    y = layers.Activation("relu", name=f"{name}_2_relu")(y)
    y = layers.Conv2D(4 * filters, 1, name=f"{name}_3_conv")(y)
    y = layers.BatchNormalization(epsilon=1.001e-5, name=f"{name}_3_bn")(y)
    y = layers.Add(name=f"{name}_add")([shortcut, y])
    return layers.Activation("relu", name=f"{name}_out")(y)


def basic_resnet(repeats: tuple[int, ...], input_shape, classes: int, activation: str | None, *, name: str):
    """Stack `basic_block` in stages of 64, 128, 256, 512 channels, `repeats` of them in each (paper, table 1)."""
    check_input(name, input_shape, classes, minimum=32)
    inputs = keras.Input(input_shape)
    x = stem(inputs, use_bias=False, momentum=0.9)
    for stage, count in enumerate(repeats):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            x = basic_block(x, 64 * 2**stage, stride=stride, name=f"conv{stage + 2}_block{block + 1}")
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    return keras.Model(inputs, layers.Dense(classes, activation=activation, name="predictions")(x), name=name)


def resnet18(
    input_shape: tuple[int, int, int] = (224, 224, 3), classes: int = 1000, activation: str | None = None
) -> keras.Model:
    """ResNet-18: (N, H, W, C) → (N, classes), H and W at least 32 (He et al., 2015; 11,689,512 trained parameters)."""
    return basic_resnet((2, 2, 2, 2), input_shape, classes, activation, name="resnet18")


def resnet34(
    input_shape: tuple[int, int, int] = (224, 224, 3), classes: int = 1000, activation: str | None = None
) -> keras.Model:
    """ResNet-34: (N, H, W, C) → (N, classes), H and W at least 32 (He et al., 2015; 21,797,672 trained parameters)."""
    return basic_resnet((3, 4, 6, 3), input_shape, classes, activation, name="resnet34")


def resnet50(
    input_shape: tuple[int, int, int] = (224, 224, 3), classes: int = 1000, activation: str | None = None
) -> keras.Model:
    """ResNet-50: (N, H, W, C) → (N, classes), layer for layer that of ``keras.applications`` (25,636,712 parameters).

    The official weights expect images prepared by ``keras.applications.resnet.preprocess_input`` (values 0…255 turned
    to BGR, mean subtracted).

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
    check_input("resnet50", input_shape, classes, minimum=32)
    inputs = keras.Input(input_shape)
    x = stem(inputs, use_bias=True, momentum=0.99)
    for stage, count in enumerate((3, 4, 6, 3)):
        for block in range(count):
            stride = 2 if stage > 0 and block == 0 else 1
            name = f"conv{stage + 2}_block{block + 1}"
            x = bottleneck_block(x, 64 * 2**stage, stride=stride, projection=block == 0, name=name)
    x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
    outputs = layers.Dense(classes, activation=activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name="resnet50")
