"""From a Darknet configuration to a Keras network that computes what Darknet computes.

Where Keras has another habit, Darknet's is kept: zeros on both sides of the image before a convolution, whatever its
stride; a leaky slope of 0.1; an epsilon of 1e-5 under the root of the variance; pooling windows that begin
``padding // 2`` pixels before the edge; upsampling by copies.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from course_utils.detection.darknet.config import Config, parse_cfg
from course_utils.detection.darknet.planning import Layer, Plan, nms_kind, padding_of, plan
from course_utils.detection.darknet.weights import check_weights, read_weights
from course_utils.detection.yolo import blocks
from course_utils.detection.yolo.heads import Head, Network

_KERAS_ACTIVATIONS = {"logistic": "sigmoid", "relu": "relu", "swish": "silu"}


def build(
    config: Config | str | Path,
    *,
    classes: int | None = None,
    input_shape: tuple[int, int, int] | None = None,
    epsilon: float = blocks.EPSILON,
) -> Network:
    """Build the network of a Darknet configuration, with random weights.

    Parameters
    ----------
    config : Config, or what `parse_cfg` reads
    classes : int, optional
        Another number of classes than the file's.
    input_shape : tuple of int, optional
        Height, width, channels, instead of the file's; height and width multiples of 32.
    epsilon : float
        What is added to the variances: 1e-5 in Darknet, 1e-6 in OpenCV.

    Returns
    -------
    Network
        Its model gives the raw heads (N, H, W, A · (5 + classes)), in the order of the file; those with ``new_coords``
        have been through the sigmoid that their file asks for.

    Raises
    ------
    ConfigError
        If the configuration makes no sense, before anything is allocated.
    """
    config = config if isinstance(config, Config) else parse_cfg(config)
    config = config if classes is None else config.with_classes(classes)
    drawn = plan(config if input_shape is None else config.with_input(*input_shape))
    image = keras.Input(drawn.config.input_shape, name="image")
    tensors: list[Any] = []
    convolutions: list[tuple[keras.Layer, keras.Layer | None]] = []
    for rank, layer in enumerate(drawn.layers):
        inputs = [image if source < 0 else tensors[source] for source in layer.sources]
        if layer.kind == "convolutional":
            tensor, pair = _convolution(inputs[0], layer, rank, epsilon)
            convolutions.append(pair)
        else:
            tensor = _OTHERS[layer.kind](inputs, layer, rank)
        tensors.append(tensor)
    model = keras.Model(image, [tensors[rank] for rank in drawn.heads], name="darknet")
    return Network(model, tuple(_head(drawn, rank) for rank in drawn.heads), tuple(convolutions))


def load(
    cfg: Config | str | Path,
    weights: str | Path,
    *,
    input_shape: tuple[int, int, int] | None = None,
    epsilon: float = blocks.EPSILON,
) -> Network:
    """Build the network of a ``.cfg`` and fill it from its ``.weights``, which is checked before anything is allocated.

    Parameters
    ----------
    cfg : Config, or what `parse_cfg` reads
    weights : path
    input_shape, epsilon
        See `build`.

    Returns
    -------
    Network

    Raises
    ------
    ConfigError
        If the ``.cfg`` makes no sense.
    CorruptFileError
        If the ``.weights`` is not that of this network.
    """
    config = cfg if isinstance(cfg, Config) else parse_cfg(cfg)
    check_weights(config, weights)
    network = build(config, input_shape=input_shape, epsilon=epsilon)
    read_weights(network, weights)
    return network


def _head(drawn: Plan, rank: int) -> Head:
    section = drawn.layers[rank].section
    anchors = np.reshape(section.numbers("anchors"), (-1, 2))[list(section.integers("mask"))]
    return Head(
        stride=drawn.config.input_shape[0] // drawn.layers[rank].shape[0],
        anchors=anchors.astype(np.float32),
        classes=section.integer("classes", 20),
        scale_xy=section.number("scale_x_y", 1.0),
        new_coords=bool(section.integer("new_coords")),
        nms_kind=nms_kind(section),
    )


def _convolution(x: Any, layer: Layer, rank: int, epsilon: float) -> tuple[Any, tuple[keras.Layer, keras.Layer | None]]:
    section, name = layer.section, f"conv_{rank}"
    size, stride, margin = section.integer("size", 1), section.integer("stride", 1), padding_of(layer.section)
    same = stride == 1 and 2 * margin == size - 1
    if margin and not same:
        x = layers.ZeroPadding2D(margin, name=f"{name}_pad")(x)
    normalised = bool(section.integer("batch_normalize"))
    conv = _kernel(section.integer("groups", 1), x.shape[-1], layer.shape[2])(
        kernel_size=size, strides=stride, padding="same" if same else "valid", use_bias=not normalised, name=name
    )
    norm = layers.BatchNormalization(momentum=0.9, epsilon=epsilon, name=f"{name}_bn") if normalised else None
    x = conv(x)
    x = norm(x) if norm is not None else x
    return _activate(x, section.word("activation", "logistic"), name), (conv, norm)


def _kernel(groups: int, channels: int, filters: int) -> Any:
    """Return what makes the convolution: depthwise, which TensorFlow computes faster, if each channel is alone."""
    if groups > 1 and groups == channels == filters:
        return lambda **options: layers.DepthwiseConv2D(depthwise_initializer="he_normal", **options)
    return lambda **options: layers.Conv2D(filters, groups=groups, kernel_initializer="he_normal", **options)


def _activate(x: Any, activation: str, name: str) -> Any:
    if activation == "linear":
        return x
    if activation in blocks.ACTIVATIONS:
        return blocks.ACTIVATIONS[activation](x, name=f"{name}_{activation}")
    return layers.Activation(_KERAS_ACTIVATIONS[activation], name=f"{name}_{activation}")(x)


def _maxpool(inputs: Sequence[Any], layer: Layer, rank: int) -> Any:
    section, (x,) = layer.section, inputs
    stride = section.integer("stride", 1)
    size = section.integer("size", stride)
    before = section.integer("padding", size - 1) // 2
    edges = [_edges(x.shape[axis], layer.shape[axis - 1], size, stride, before) for axis in (1, 2)]
    as_keras = all(_same_edges(x.shape[axis], size, stride) == edges[axis - 1] for axis in (1, 2))
    if not as_keras:
        x = ops.pad(x, ((0, 0), *edges, (0, 0)), constant_values=-np.inf)
    return layers.MaxPooling2D(size, stride, padding="same" if as_keras else "valid", name=f"maxpool_{rank}")(x)


def _edges(length: int, cells: int, size: int, stride: int, before: int) -> tuple[int, int]:
    """Return what a pooling adds before and after an axis, so that its `cells` windows fit."""
    return before, max(0, (cells - 1) * stride + size - length - before)


def _same_edges(length: int, size: int, stride: int) -> tuple[int, int]:
    """Return what Keras' "same" adds before and after an axis."""
    total = max(0, (-(-length // stride) - 1) * stride + size - length)
    return total // 2, total - total // 2


def _upsample(inputs: Sequence[Any], layer: Layer, rank: int) -> Any:
    stride = layer.section.integer("stride", 2)
    return layers.UpSampling2D(stride, interpolation="nearest", name=f"upsample_{rank}")(inputs[0])


def _route(inputs: Sequence[Any], layer: Layer, rank: int) -> Any:
    groups, part = layer.section.integer("groups", 1), layer.section.integer("group_id")
    if groups > 1:
        inputs = [_share(x, groups, part, f"route_{rank}_{order}") for order, x in enumerate(inputs)]
    return inputs[0] if len(inputs) == 1 else layers.Concatenate(name=f"route_{rank}")(inputs)


def _share(x: Any, groups: int, part: int, name: str) -> Any:
    """Keep one of the equal parts into which the channels are cut."""
    width = x.shape[-1] // groups
    # Read as (N, C, H, W), a channels-last tensor shows its channels as the width: this layer then cuts them.
    sides = ((0, 0), (part * width, x.shape[-1] - (part + 1) * width))
    return layers.Cropping2D(sides, data_format="channels_first", name=name)(x)


def _shortcut(inputs: Sequence[Any], layer: Layer, rank: int) -> Any:
    name = f"shortcut_{rank}"
    return _activate(layers.Add(name=name)(list(inputs)), layer.section.word("activation", "linear"), name)


def _dropout(inputs: Sequence[Any], layer: Layer, rank: int) -> Any:
    return layers.Dropout(layer.section.number("probability", 0.5), name=f"dropout_{rank}")(inputs[0])


def _yolo(inputs: Sequence[Any], layer: Layer, rank: int) -> Any:
    return inputs[0]


_OTHERS = {
    "maxpool": _maxpool,
    "upsample": _upsample,
    "route": _route,
    "shortcut": _shortcut,
    "dropout": _dropout,
    "yolo": _yolo,
}
