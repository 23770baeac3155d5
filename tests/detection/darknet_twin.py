"""What the tests of Darknet share: where the official files are, a small network of every layer, random weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from course_utils.paths import course_data

OFFICIAL = {
    "yolov4": 257_717_640,
    "yolov4-csp": 211_944_840,
    "yolov4-tiny": 24_251_276,
    "yolov4-tiny-3l": 25_336_200,
    "yolo-fastest-1.1": 1_384_268,
    "yolo-fastest-1.1-xl": 3_693_964,
}
"""Bytes of the official files of weights, header of 20 bytes included."""

SMALL = """
# Every sort of layer, and comments.
[net]
  width = 64
height=96
channels=3
learning_rate=0.001

[convolutional]
batch_normalize=1
filters=8
size=3
stride=2
pad=1
activation=mish
; 1: cut in two halves
[route]
layers=-1
groups=2
group_id=1

[convolutional]
batch_normalize=1
filters=8
groups=2
size=3
pad=1
activation=leaky

[maxpool]
size=2
stride=2

[convolutional]
batch_normalize=1
groups=8
filters=8
size=5
stride=2
pad=1
activation=relu

[dropout]
probability=.2

[convolutional]
filters=8
size=1
activation=swish

[shortcut]
from=-2
activation=leaky

[maxpool]
size=5
stride=1

[route]
layers=-1, 7

[convolutional]
batch_normalize=1
filters=12
size=3
stride=2
pad=1
activation=mish

[convolutional]
filters=21
size=1
stride=1
pad=1
activation=linear

[yolo]
mask=2,3,4
anchors=4,5, 8,9, 10,20, 30,30, 60,40
num=5
classes=2
scale_x_y=1.1
nms_kind=diounms
thresh=0

[route]
layers=-3

[upsample]
stride=2

[route]
layers=-1,5

[convolutional]
filters=14
size=1
activation=linear

[yolo]
mask=0,1
anchors=4,5, 8,9, 10,20, 30,30, 60,40
num=5
classes=2
scale_x_y=1.05
thresh=0
"""


def plain(error) -> str:
    """Return the message of an error, its no-break spaces made plain."""
    return str(error.value).replace("\N{NO-BREAK SPACE}", " ")


def official(name: str) -> Path:
    """Return the path of an official ``.cfg``, or skip the test."""
    folder = course_data()
    path = Path(folder or "absent") / ("weights" if "fastest" in name else "yolov4") / f"{name}.cfg"
    if not path.is_file():
        pytest.skip(f"COURSE_DATA is unset, or has no {path.name}")
    return path


def randomise(network, *, seed: int = 0, gain: float = 1.6) -> None:
    """Give random weights, such that activations neither vanish nor explode from layer to layer."""
    rng = np.random.default_rng(seed)
    for conv, norm in network.convolutions:
        shape = tuple(conv.kernel.shape)
        fan_in = shape[0] * shape[1] * (1 if hasattr(conv, "depth_multiplier") else shape[2])
        kernel = rng.standard_normal(shape, np.float32) * np.float32(gain / np.sqrt(fan_in))
        if norm is None:
            conv.set_weights([kernel, rng.normal(0, 0.1, conv.bias.shape).astype(np.float32)])
            continue
        conv.set_weights([kernel])
        n = norm.gamma.shape[0]
        vectors = rng.uniform(0.5, 1.0, n), rng.normal(0, 0.2, n), rng.normal(0, 0.2, n), rng.uniform(0.2, 1.5, n)
        norm.set_weights([vector.astype(np.float32) for vector in vectors])
