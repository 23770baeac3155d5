"""The heads of YOLO: what their numbers mean, and how they become boxes.

A head looks at the image through a grid of cells, `stride` pixels wide. In each cell, for each of its A anchors, it
gives 5 + `classes` numbers, in this order: tx, ty, tw, th, objectness, one for each class. `decode` turns them into
boxes (x1, y1, x2, y2), in pixels of the network's input::

    x = (σ(tx)·s − (s − 1)/2 + column) · stride        w = anchor width · exp(tw)
    y = (σ(ty)·s − (s − 1)/2 + row) · stride           h = anchor height · exp(th)

where s is `scale_xy`. Nothing here needs TensorFlow until a tensor is given.

References: YOLOv3 (Redmon and Farhadi, 2018) for the formula, YOLOv4 (Bochkovskiy et al., 2020) for s, Scaled-YOLOv4
(Wang et al., 2021) for ``new_coords``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import keras

LARGEST_LOG = 30.0
"""tw and th are cut above it, which is 10¹³ anchors: exp never overflows, no box that means anything is changed."""


@dataclass(frozen=True, eq=False)
class Head:
    """One of the grids through which a YOLO looks at the image.

    Attributes
    ----------
    stride : int
        Side of a cell, in pixels of the network's input.
    anchors : ndarray of float32, shape (A, 2)
        Widths and heights of the anchors, in pixels of the network's input.
    classes : int
        Number of classes.
    scale_xy : float
        The s of the formula, 1 or a little more: it lets a centre reach the edge of its cell.
    new_coords : bool
        Coordinates of Scaled-YOLOv4: the numbers have been through a sigmoid already, in the network, and sizes are
        ``anchor · (2t)²`` instead of ``anchor · exp(t)``.
    nms_kind : str
        Suppression that the network's file asks for: "greedy" or "diou".

    Raises
    ------
    ValueError
        If the anchors are not positive pairs, or if stride or classes are not positive.
    """

    stride: int
    anchors: NDArray[np.float32]
    classes: int
    scale_xy: float = 1.0
    new_coords: bool = False
    nms_kind: str = "greedy"

    def __post_init__(self) -> None:
        anchors = np.array(self.anchors, np.float32)
        if anchors.ndim != 2 or anchors.shape[1] != 2 or not len(anchors) or not np.all(anchors > 0):
            raise ValueError(
                "Les ancres d'une tête sont des couples (largeur, hauteur) en pixels, strictement positifs, "
                f"par exemple [[10, 14], [23, 27]] ; reçu : {np.asarray(self.anchors).tolist()}."
            )
        if self.stride < 1 or self.classes < 1:
            raise ValueError(
                f"Une tête a un pas et un nombre de classes positifs ; reçu : stride={self.stride}, "
                f"classes={self.classes}."
            )
        anchors.flags.writeable = False
        object.__setattr__(self, "anchors", anchors)

    @property
    def channels(self) -> int:
        """Numbers that each cell gives: A · (5 + classes)."""
        return len(self.anchors) * (5 + self.classes)


@dataclass(frozen=True, eq=False)
class Network:
    """A YOLO: the Keras model and what its outputs mean.

    Attributes
    ----------
    model : keras.Model
        From images (N, H, W, C), float32 in [0, 1], RGB, to the raw heads (N, H/stride, W/stride, channels).
    heads : tuple of Head
        In the order of the model's outputs.
    convolutions : tuple of (Conv2D, BatchNormalization or None)
        In the order of Darknet's file of weights.
    """

    model: keras.Model
    heads: tuple[Head, ...]
    convolutions: tuple[tuple[keras.Layer, keras.Layer | None], ...] = ()

    @property
    def input_shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the images that the model takes."""
        height, width, channels = self.model.inputs[0].shape[1:]
        return height, width, channels

    @property
    def classes(self) -> int:
        """Number of classes."""
        return self.heads[0].classes

    def raw(self, images: Any, *, training: bool = False) -> tuple[Any, ...]:
        """Return the raw heads as a tuple, even when there is only one."""
        outputs = self.model(images, training=training)
        return tuple(outputs) if isinstance(outputs, (list, tuple)) else (outputs,)

    def copy_weights(self, source: Network) -> None:
        """Take the weights of another network of the same shape, convolution by convolution.

        Raises
        ------
        ValueError
            If the two networks have not the same convolutions; nothing is copied then.
        """
        ours, theirs = _shapes(self), _shapes(source)
        if ours != theirs:
            rank = next((i for i, (a, b) in enumerate(zip(ours, theirs, strict=False)) if a != b), None)
            detail = f"leur {rank + 1}e convolution diffère" if rank is not None else "leur nombre diffère"
            raise ValueError(
                f"Les deux réseaux n'ont pas les mêmes convolutions ({len(ours)} et {len(theirs)}) : {detail}. "
                "Construisez-les avec les mêmes classes, la même largeur et le même nombre d'ancres."
            )
        for mine, other in zip(self.convolutions, source.convolutions, strict=True):
            for target, origin in zip(mine, other, strict=True):
                if target is not None and origin is not None:
                    target.set_weights(origin.get_weights())


def _shapes(network: Network) -> list[tuple[tuple[int, ...], bool]]:
    return [(tuple(conv.kernel.shape), norm is not None) for conv, norm in network.convolutions]


def decode(raw: Any, head: Head) -> tuple[Any, Any, Any]:
    """Turn the raw numbers of a head into boxes and probabilities.

    Parameters
    ----------
    raw : ndarray or tensor, shape (N, H, W, A · (5 + classes))
        Output of the network; anchor after anchor, each with tx, ty, tw, th, objectness, classes.
    head : Head

    Returns
    -------
    boxes : shape (N, H · W · A, 4)
        (x1, y1, x2, y2) in pixels of the network's input; row after row, cell after cell, anchor after anchor.
    objectness : shape (N, H · W · A)
        Probability that the box holds something.
    probabilities : shape (N, H · W · A, classes)
        Probability of each class, knowing that the box holds something. Their product is the score.

    Arrays give arrays (float32, or float64 if they were); TensorFlow tensors give tensors, in a graph too: float32 at
    least, so that float16 does not overflow.

    Raises
    ------
    ValueError
        If the number of channels is not that of the head.
    """
    if len(raw.shape) != 4 or raw.shape[-1] != head.channels:
        raise ValueError(
            f"Cette tête attend (N, lignes, colonnes, {head.channels}), soit {len(head.anchors)} ancres × "
            f"(5 + {head.classes} classes) ; reçu : {tuple(raw.shape)}."
        )
    if isinstance(raw, np.ndarray):
        return _decode_numpy(raw, head)
    return _decode_tensor(raw, head)


def decode_all(raws: Sequence[Any], heads: Sequence[Head]) -> tuple[Any, Any, Any]:
    """Decode every head and put their boxes end to end: see `decode`."""
    parts = list(zip(*(decode(raw, head) for raw, head in zip(raws, heads, strict=True)), strict=True))
    if all(isinstance(raw, np.ndarray) for raw in raws):
        boxes, objectness, probabilities = (np.concatenate(part, axis=1) for part in parts)
    else:
        import tensorflow as tf

        boxes, objectness, probabilities = (tf.concat(part, axis=1) for part in parts)
    return boxes, objectness, probabilities


def sigmoid(x: NDArray[Any]) -> NDArray[Any]:
    """Return 1 / (1 + e⁻ˣ), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * x))


def _decode_numpy(raw: NDArray[Any], head: Head) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    n, rows, columns, _ = raw.shape
    raw = raw.astype(np.result_type(raw, np.float32), copy=False)
    t = raw.reshape(n, rows, columns, len(head.anchors), 5 + head.classes)
    cells = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1)[:, :, None].astype(t.dtype)
    anchors = head.anchors.astype(t.dtype)
    if head.new_coords:
        xy, size, scores = t[..., :2], anchors * (2 * t[..., 2:4]) ** 2, t[..., 4:]
    else:
        size = anchors * np.exp(np.minimum(t[..., 2:4], LARGEST_LOG))
        xy, scores = sigmoid(t[..., :2]), sigmoid(t[..., 4:])
    centre = (head.scale_xy * xy - (head.scale_xy - 1) / 2 + cells) * head.stride
    boxes = np.concatenate([centre - size / 2, centre + size / 2], axis=-1)
    scores = scores.reshape(n, -1, 1 + head.classes)
    return boxes.reshape(n, -1, 4), scores[..., 0], scores[..., 1:]


def _decode_tensor(raw: Any, head: Head) -> tuple[Any, Any, Any]:
    import tensorflow as tf

    raw = tf.convert_to_tensor(raw)
    raw = raw if raw.dtype == tf.float64 else tf.cast(raw, tf.float32)
    n, rows, columns = tf.unstack(tf.shape(raw)[:3])
    t = tf.reshape(raw, (n, rows, columns, len(head.anchors), 5 + head.classes))
    cells = tf.stack(tf.meshgrid(tf.range(columns), tf.range(rows)), axis=-1)[:, :, None]
    anchors = tf.constant(head.anchors, t.dtype)
    if head.new_coords:
        xy, size, scores = t[..., :2], anchors * tf.square(2 * t[..., 2:4]), t[..., 4:]
    else:
        size = anchors * tf.exp(tf.minimum(t[..., 2:4], LARGEST_LOG))
        xy, scores = tf.sigmoid(t[..., :2]), tf.sigmoid(t[..., 4:])
    centre = (head.scale_xy * xy - (head.scale_xy - 1) / 2 + tf.cast(cells, t.dtype)) * head.stride
    boxes = tf.concat([centre - size / 2, centre + size / 2], axis=-1)
    scores = tf.reshape(scores, (n, rows * columns * len(head.anchors), 1 + head.classes))
    return tf.reshape(boxes, (n, rows * columns * len(head.anchors), 4)), scores[..., 0], scores[..., 1:]
