"""Layers in words, for diagrams: « Conv 3×3, 64 », « BN · ReLU », « 32×32×64 »."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from course_utils.plots.style import number

if TYPE_CHECKING:
    import keras

_ACTIVATIONS = {
    "relu": "ReLU",
    "relu6": "ReLU6",
    "silu": "Swish",
    "swish": "Swish",
    "sigmoid": "sigmoïde",
    "hard_sigmoid": "sigmoïde dure",
    "tanh": "tanh",
    "softmax": "softmax",
    "gelu": "GELU",
    "elu": "ELU",
    "leaky_relu": "ReLU à fuite",
    "mish": "Mish",
    "linear": "",
}
_ACCESSORIES = (
    "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "PReLU", "BatchNormalization", "LayerNormalization",
    "LocalResponseNormalization", "Dropout", "SpatialDropout2D", "ZeroPadding2D", "ZeroPadding1D",
)  # fmt: skip
_MERGES = {"Add": "+", "Multiply": "×", "Concatenate": "Concaténation", "Average": "Moyenne", "Subtract": "−"}
_PLAIN = {
    "Flatten": "Mise à plat",
    "Reshape": "Remise en forme",
    "Rescaling": "Mise à l'échelle",
    "Normalization": "Normalisation",
    "InputLayer": "Entrée",
}


def is_accessory(layer: keras.Layer) -> bool:
    """Whether a layer goes along with another in a box: normalisation, activation, dropout, padding."""
    return type(layer).__name__ in _ACCESSORIES


def is_normalisation(layer: keras.Layer) -> bool:
    """Whether a layer is a normalisation with learnt scale."""
    return type(layer).__name__ in ("BatchNormalization", "LayerNormalization")


def is_padding(layer: keras.Layer) -> bool:
    """Whether a layer only adds a border, about which diagrams say nothing."""
    return type(layer).__name__.startswith("ZeroPadding")


def is_weighty(layer: keras.Layer) -> bool:
    """Whether a layer is a convolution of any kind, or dense."""
    name = type(layer).__name__
    return "Conv" in name or name == "Dense"


def is_bare(layer: keras.Layer) -> bool:
    """Whether a box holds nothing else than this layer: an input, a circle with a sign, a nested model."""
    import keras

    name = type(layer).__name__
    return name == "InputLayer" or len(_MERGES.get(name, "")) == 1 or isinstance(layer, keras.Model)


def kind(layers: Sequence[keras.Layer]) -> str:
    """Return the kind of box, in the sense of `course_utils.plots.graph`, for these layers."""
    import keras

    main = _main(layers)
    name = type(main).__name__
    if isinstance(main, keras.Model):
        return "block"
    if name == "Dense":
        return "dense"
    if "Conv" in name:
        return "conv"
    if "Pooling" in name:
        return "pool"
    if name in _MERGES:
        return "merge"
    return "data" if name in ("InputLayer", "Flatten", "Reshape", "Rescaling", "Normalization") else "other"


def text(layers: Sequence[keras.Layer], shape: Sequence[int | None]) -> str:
    """Return the text of a box that shows these layers: what they do, then the shape of what comes out."""
    main = _main(layers)
    sign = _MERGES.get(type(main).__name__, "")
    if len(sign) == 1 and len(layers) == 1:
        return sign
    rank = layers.index(main)
    before = [word for layer in layers[:rank] if (word := _accessory(layer))]
    after = [word for layer in layers[rank + 1 :] if (word := _accessory(layer))]
    if is_accessory(main):
        head = " · ".join(word for layer in layers if (word := _accessory(layer))) or "Bordure de zéros"
        return f"{head}\n{size(shape)}"
    if builtin := _ACTIVATIONS.get(getattr(getattr(main, "activation", None), "__name__", "linear"), ""):
        after.insert(0, builtin)
    lines = [" · ".join([*before, _heading(main)]), " · ".join(after), size(shape)]
    return "\n".join(line for line in lines if line)


def size(shape: Sequence[int | None]) -> str:
    """Write a shape: ``32×32×64``; a single axis is a number of values."""
    if len(shape) == 1 and shape[0] is not None:
        return f"{number(shape[0])} valeur{'s' if shape[0] > 1 else ''}"
    return "×".join("?" if axis is None else str(axis) for axis in shape)


def _main(layers: Sequence[keras.Layer]) -> keras.Layer:
    return next((layer for layer in layers if not is_accessory(layer)), layers[0])


def _accessory(layer: keras.Layer) -> str:
    name = type(layer).__name__
    if name == "Activation":
        function = getattr(layer.activation, "__name__", "activation")
        return _ACTIVATIONS.get(function, function)
    if name == "ReLU":
        return "ReLU6" if getattr(layer, "max_value", None) == 6 else "ReLU"
    if "Dropout" in name:
        return f"dropout {number(layer.rate, None)}"
    words = {"BatchNormalization": "BN", "LayerNormalization": "LN", "LocalResponseNormalization": "LRN"}
    if is_padding(layer):
        # Read channels first, a channels-last tensor gets new channels: the parameter-free shortcut of ResNet.
        return "+ canaux nuls" if getattr(layer, "data_format", None) == "channels_first" else ""
    return words.get(name, {"LeakyReLU": "ReLU à fuite", "Softmax": "softmax"}.get(name, name))


def _heading(layer: keras.Layer) -> str:
    import keras

    name = type(layer).__name__
    if isinstance(layer, keras.Model):
        return layer.name
    if name == "Dense":
        return f"Dense, {number(layer.units)}"
    if "Conv" in name:
        return _convolution(layer, name)
    if name.startswith("Global"):
        return "Moyenne globale" if "Average" in name else "Maximum global"
    if "Pooling" in name:
        word = {"Max": "Max-pooling", "Ave": "Pooling moyen"}.get(name[:3], name)
        return f"{word} {_window(layer.pool_size)}{_stride(layer.strides)}"
    return _MERGES.get(name) or _PLAIN.get(name) or _sentence(layer.name)


def _convolution(layer: Any, name: str) -> str:
    word = "Conv"
    if name.startswith("Depthwise"):
        word = "Conv en profondeur"
    elif "Separable" in name:
        word = "Conv séparable"
    elif "Transpose" in name:
        word = "Conv transposée"
    filters = "" if name.startswith("Depthwise") else f", {number(layer.filters)}"
    groups = f", {layer.groups} groupes" if getattr(layer, "groups", 1) not in (None, 1) else ""
    dilated = set(layer.dilation_rate) - {1} if isinstance(layer.dilation_rate, tuple) else set()
    dilation = f", dilatation {max(dilated)}" if dilated else ""
    return f"{word} {_window(layer.kernel_size)}{filters}{groups}{dilation}{_stride(layer.strides)}"


def _window(sides: int | Sequence[int]) -> str:
    return "×".join(map(str, sides)) if isinstance(sides, Sequence) else str(sides)


def _stride(strides: int | Sequence[int]) -> str:
    steps = tuple(strides) if isinstance(strides, Sequence) else (strides,)
    if set(steps) == {1}:
        return ""
    return f" /{steps[0]}" if len(set(steps)) == 1 else f" /{'×'.join(map(str, steps))}"


def _sentence(name: str) -> str:
    return name.replace("_", " ")
