"""Carry the weights of a model of keras.applications over to ours, and compare what they answer."""

from __future__ import annotations

from pathlib import Path

import h5py
import keras
import numpy as np
from keras.src.legacy.saving import legacy_h5_format


def shake(model: keras.Model, *, scale: float = 1.0, seed: int = 0) -> None:
    """Random scales and shifts, then the statistics of a batch of images: fresh zeros and ones would hide mistakes."""
    rng = np.random.default_rng(seed)
    for weight in model.weights:
        kind = weight.path.split("/")[-1]
        if kind in ("gamma", "variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif kind in ("beta", "bias", "mean"):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    finalize(model)
    normalisations = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    for layer in normalisations:
        layer.momentum = 0.0
    model(scale * rng.random((8, *model.input_shape[1:])).astype(np.float32), training=True)


def finalize(model: keras.Model) -> None:
    """Tell the Normalization layers that their statistics have changed, as loading a file does."""
    for layer in model.layers:
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()


def layout(model: keras.Model) -> list[tuple[str, str, tuple[int, ...]]]:
    """Layer, weight and shape of all the weights, in order, without the number that Keras gives to normalization."""
    return [
        ("normalization" if layer.name.startswith("normalization") else layer.name, weight.name, tuple(weight.shape))
        for layer in model.layers
        for weight in layer.weights
    ]


def largest_gap(ours: keras.Model, theirs: keras.Model, *, scale: float = 1.0, seed: int = 0) -> float:
    """Largest difference between the logits of both, for three random images of values in [0, `scale`]."""
    rng = np.random.default_rng(seed)
    shape = (3, *ours.input_shape[1:])
    brightness = np.array([0.1, 0.5, 1.0])[:, None, None, None] * rng.random((3, 1, 1, shape[-1]))
    images = (scale * brightness * rng.random(shape)).astype(np.float32)
    expected = np.asarray(theirs(images, training=False))
    gap = float(np.abs(np.asarray(ours(images, training=False)) - expected).max())
    variety = float(np.ptp(expected, axis=0).max())
    # A network whose answer hardly depends on its input would agree with anything.
    assert variety > 20 * gap and variety > 1e-4, f"variety {variety:.1e}, gap {gap:.1e}"
    return gap


def write_legacy_h5(model: keras.Model, path: Path) -> None:
    """Write weights in the format of the official files of keras.applications."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
