"""Batch normalisation folded into the convolutions: the same network, with fewer operations, once training is over.

Once its statistics are frozen, a normalisation is an affine function of each channel, ``s · x + (β − s · μ)`` with
``s = γ / √(σ² + ε)``; it may as well be done by the convolution before it, whose kernel is multiplied by s and which
gets a bias.
"""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from course_utils.detection.yolo.heads import Network


def fold(network: Network) -> Network:
    """Return a network that computes the same outputs as this one at inference, without its normalisations.

    It keeps no link with the original: weights that change later do not change here.

    Parameters
    ----------
    network : Network
        Its `convolutions` tell which normalisation follows which convolution; it is left as it is.

    Returns
    -------
    Network
    """
    norms = {norm.name for _, norm in network.convolutions if norm is not None}
    biased = {conv.name for conv, norm in network.convolutions if norm is not None}

    def copy(layer: keras.Layer) -> keras.Layer:
        config = layer.get_config()
        return type(layer).from_config({**config, "use_bias": True} if layer.name in biased else config)

    def call(layer: keras.Layer, *args: Any, **kwargs: Any) -> Any:
        return args[0] if layer.name in norms else layer(*args, **kwargs)

    model = keras.models.clone_model(network.model, clone_function=copy, call_function=call)
    for conv, norm in network.convolutions:
        weights = conv.get_weights()
        model.get_layer(conv.name).set_weights(weights if norm is None else _folded(conv, norm))
    convolutions = tuple((model.get_layer(conv.name), None) for conv, _ in network.convolutions)
    return Network(model, network.heads, convolutions)


def _folded(conv: keras.Layer, norm: keras.Layer) -> list[np.ndarray]:
    """Return the kernel and the bias of a convolution that does the work of the normalisation too."""
    kernel, *bias = conv.get_weights()
    # In double precision: only the last rounding is lost.
    gamma, beta, mean, variance = (weight.astype(np.float64) for weight in norm.get_weights())
    scale = gamma / np.sqrt(variance + norm.epsilon)
    shift = beta + ((bias[0] if bias else 0.0) - mean) * scale
    # A depthwise kernel has its output channels on its third axis, the others on their fourth.
    by_channel = scale[:, None] if isinstance(conv, keras.layers.DepthwiseConv2D) else scale
    return [(kernel * by_channel).astype(kernel.dtype), shift.astype(kernel.dtype)]
