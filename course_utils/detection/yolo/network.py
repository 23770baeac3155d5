"""YOLOv4 and YOLOv4-tiny, as the paper and the official files draw them.

Both are read from top to bottom: a backbone shrinks the image and learns *what* is in it, a neck mixes what was learnt
at several scales, heads look at the result through grids of cells. The layers come in the order of the official files
``yolov4.cfg`` and ``yolov4-tiny.cfg``, so that the official weights fit.

References: YOLOv4: Optimal Speed and Accuracy of Object Detection (Bochkovskiy, Wang and Liao, 2020); Scaled-YOLOv4
(Wang, Bochkovskiy and Liao, 2021) for the tiny network.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import layers
from numpy.typing import ArrayLike, NDArray

from course_utils.detection.yolo.blocks import (
    EPSILON,
    conv_bn,
    conv_stack,
    csp_stage,
    head_conv,
    in_order_of_creation,
    merge_down,
    merge_up,
    spp,
    tiny_csp_block,
    upsample,
)
from course_utils.detection.yolo.heads import Head, Network
from course_utils.models.shapes import check_input

YOLOV4_ANCHORS = (
    ((12, 16), (19, 36), (40, 28)),
    ((36, 75), (76, 55), (72, 146)),
    ((142, 110), (192, 243), (459, 401)),
)  # fmt: skip
"""Official anchors of YOLOv4, in pixels, for the strides 8, 16, 32; found on COCO for inputs of 512 pixels."""

TINY_ANCHORS = (
    ((81, 82), (135, 169), (344, 319)),
    ((23, 27), (37, 58), (81, 82)),
)  # fmt: skip
"""Official anchors of YOLOv4-tiny, for the strides 32, 16. The file skips (10, 14) and uses (81, 82) twice: kept."""


def yolov4(
    classes: int = 80,
    input_shape: tuple[int, int, int] = (416, 416, 3),
    width: float = 1.0,
    anchors: ArrayLike | str | None = None,
    epsilon: float = EPSILON,
) -> Network:
    """Build YOLOv4: CSPDarknet53, SPP and PANet, three heads.

    Parameters
    ----------
    classes : int
        Number of classes.
    input_shape : tuple of int
        (height, width, channels); height and width multiples of 32.
    width : float
        Multiplies the number of channels of every convolution but the heads'; channels are rounded to multiples of 4.
    anchors : array_like, shape (3, A, 2), or "scaled", optional
        (width, height) in pixels of the input, for the strides 8, 16, 32. The official ones by default: as in Darknet,
        they stay the same pixels when the size of the input changes, and so the official weights work at all sizes.
        "scaled" brings them from 512 pixels to the size of this input: for a training from scratch on small images.
    epsilon : float
        What is added to the variance in batch normalisation; Darknet's by default.

    Returns
    -------
    Network
        Its model gives three raw heads, of strides 8, 16 and 32, with logits. 64,429,405 numbers with 80 classes and
        width 1, statistics of normalisation included, as in the official file.

    Raises
    ------
    ValueError
        If the shape, the width, the anchors or the number of classes cannot be.
    """
    _check("yolov4", classes, input_shape, width)
    grids = _anchors("yolov4", anchors, YOLOV4_ANCHORS, scale=max(input_shape[:2]) / 512)
    c = _Channels(width)
    image = keras.Input(input_shape, name="image")

    fine, medium, coarse = csp_darknet53(image, width, epsilon)
    coarse = conv_stack(coarse, c(512), 3, epsilon=epsilon, name="before_spp")
    coarse = spp(coarse)
    coarse = conv_stack(coarse, c(512), 3, epsilon=epsilon, name="after_spp")

    medium = merge_up(coarse, medium, c(256), epsilon=epsilon, name="up16")
    medium = conv_stack(medium, c(256), 5, epsilon=epsilon, name="up16_stack")
    fine = merge_up(medium, fine, c(128), epsilon=epsilon, name="up8")
    fine = conv_stack(fine, c(128), 5, epsilon=epsilon, name="up8_stack")

    out8 = head(fine, c(256), grids[0], classes, epsilon, name="head8")
    medium = merge_down(fine, medium, c(256), epsilon=epsilon, name="down16")
    medium = conv_stack(medium, c(256), 5, epsilon=epsilon, name="down16_stack")
    out16 = head(medium, c(512), grids[1], classes, epsilon, name="head16")
    coarse = merge_down(medium, coarse, c(512), epsilon=epsilon, name="down32")
    coarse = conv_stack(coarse, c(512), 5, epsilon=epsilon, name="down32_stack")
    out32 = head(coarse, c(1024), grids[2], classes, epsilon, name="head32")

    model = keras.Model(image, [out8, out16, out32], name="yolov4")
    scales = ((8, 1.2), (16, 1.1), (32, 1.05))
    heads = (Head(stride, grid, classes, scale_xy) for (stride, scale_xy), grid in zip(scales, grids, strict=True))
    return Network(model, tuple(heads), in_order_of_creation(model))


def csp_darknet53(image: Any, width: float = 1.0, epsilon: float = EPSILON) -> tuple[Any, Any, Any]:
    """Backbone of YOLOv4: five CSP stages of 1, 2, 8, 8 and 4 residual blocks, each on an image half as large.

    Returns
    -------
    tuple of three keras tensors
        Features at 1/8, 1/16 and 1/32 of the image's size, of 256, 512 and 1024 times `width` channels.
    """
    c = _Channels(width)
    x = conv_bn(image, c(32), 3, activation="mish", epsilon=epsilon, name="stem")
    x = csp_stage(x, c(64), 1, split=False, epsilon=epsilon, name="stage1")
    x = csp_stage(x, c(128), 2, epsilon=epsilon, name="stage2")
    fine = csp_stage(x, c(256), 8, epsilon=epsilon, name="stage3")
    medium = csp_stage(fine, c(512), 8, epsilon=epsilon, name="stage4")
    coarse = csp_stage(medium, c(1024), 4, epsilon=epsilon, name="stage5")
    return fine, medium, coarse


def yolov4_tiny(
    classes: int = 80,
    input_shape: tuple[int, int, int] = (416, 416, 3),
    width: float = 1.0,
    anchors: ArrayLike | str | None = None,
    epsilon: float = EPSILON,
) -> Network:
    """Build YOLOv4-tiny: three small CSP blocks, leaky ReLU everywhere, two heads.

    Parameters
    ----------
    classes, input_shape, width, epsilon
        As for `yolov4`.
    anchors : array_like, shape (2, A, 2), or "scaled", optional
        As for `yolov4`, for the strides 32 and 16, in this order; the official ones were found at 416 pixels.

    Returns
    -------
    Network
        Its model gives two raw heads, of strides 32 and 16, with logits. 6,062,814 numbers with 80 classes and width 1.

    Raises
    ------
    ValueError
        If the shape, the width, the anchors or the number of classes cannot be.
    """
    _check("yolov4_tiny", classes, input_shape, width)
    grids = _anchors("yolov4_tiny", anchors, TINY_ANCHORS, scale=max(input_shape[:2]) / 416)
    c = _Channels(width)
    image = keras.Input(input_shape, name="image")

    x = conv_bn(image, c(32), 3, stride=2, epsilon=epsilon, name="stem1")
    x = conv_bn(x, c(64), 3, stride=2, epsilon=epsilon, name="stem2")
    for rank, filters in enumerate((64, 128, 256), start=1):
        x, features = tiny_csp_block(x, c(filters), epsilon=epsilon, name=f"block{rank}")
        x = layers.MaxPooling2D(2, name=f"block{rank}_pool")(x)
    x = conv_bn(x, c(512), 3, epsilon=epsilon, name="top")

    coarse = conv_bn(x, c(256), 1, epsilon=epsilon, name="neck32")
    out32 = head(coarse, c(512), grids[0], classes, epsilon, name="head32")
    up = upsample(conv_bn(coarse, c(128), 1, epsilon=epsilon, name="up16_reduce"), name="up16_up")
    fine = layers.Concatenate(name="up16_concat")([up, features])
    out16 = head(fine, c(256), grids[1], classes, epsilon, name="head16")

    model = keras.Model(image, [out32, out16], name="yolov4_tiny")
    heads = (Head(stride, grid, classes, 1.05) for stride, grid in zip((32, 16), grids, strict=True))
    return Network(model, tuple(heads), in_order_of_creation(model))


def head(x: Any, filters: int, anchors: NDArray[np.float32], classes: int, epsilon: float, *, name: str) -> Any:
    """A 3×3 convolution, then 5 + `classes` numbers for each anchor, in each cell: (N, H, W, A · (5 + classes))."""
    x = conv_bn(x, filters, 3, epsilon=epsilon, name=f"{name}_before")
    return head_conv(x, len(anchors) * (5 + classes), name=name)


class _Channels:
    """Number of channels of a layer of the official network, in a network `width` times as wide."""

    def __init__(self, width: float) -> None:
        self.width = width

    def __call__(self, official: int) -> int:
        return max(4, 4 * round(official * self.width / 4))


def _anchors(
    network: str, given: ArrayLike | str | None, official: Sequence[Any], *, scale: float
) -> NDArray[np.float32]:
    """Return the anchors of each head, (heads, A, 2), after checking those that were given."""
    if given is None:
        return np.array(official, np.float32)
    if isinstance(given, str):
        if given != "scaled":
            raise ValueError(f'{network} : anchors vaut None, "scaled" ou un tableau de nombres ; reçu : {given!r}.')
        return np.array(official, np.float32) * np.float32(scale)
    anchors = np.asarray(given, np.float32)
    if anchors.ndim != 3 or len(anchors) != len(official) or anchors.shape[2] != 2:
        raise ValueError(
            f"{network} a {len(official)} têtes : anchors doit avoir la forme ({len(official)}, ancres par tête, 2), "
            f"largeurs et hauteurs en pixels de l'entrée ; reçu : {anchors.shape}."
        )
    return anchors


def _check(network: str, classes: int, input_shape: tuple[int, int, int], width: float) -> None:
    """Refuse, in plain French, what the network cannot be built for."""
    check_input(network, input_shape, classes, minimum=32)
    height, breadth, _ = input_shape
    if height % 32 or breadth % 32:
        near = tuple(max(32, 32 * round(side / 32)) for side in (height, breadth))
        raise ValueError(
            f"{network} a reçu input_shape={tuple(input_shape)!r} : hauteur et largeur doivent être des multiples "
            f"de 32, car l'image est divisée cinq fois par deux ; le plus proche est {near[0]} × {near[1]}. "
            "Les images elles-mêmes peuvent avoir n'importe quelle taille : le détecteur les y ramène."
        )
    if not width > 0:
        raise ValueError(f"{network} a reçu width={width!r} : on attend un nombre positif, 1 pour le réseau officiel.")
