"""From images in [0, 1], of any size, to what a trained network takes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

_IMAGENET_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_IMAGENET_STD = np.array([0.229, 0.224, 0.225], np.float32)
_CAFFE_MEAN_BGR = np.array([103.939, 116.779, 123.68], np.float32)

NORMALISATIONS: dict[str, Callable[[NDArray[np.float32]], NDArray[np.float32]]] = {
    "none": lambda images: images,
    "levels": lambda images: 255 * images,
    "symmetric": lambda images: 2 * images - 1,
    "imagenet": lambda images: (images - _IMAGENET_MEAN) / _IMAGENET_STD,
    "caffe": lambda images: 255 * images[..., ::-1] - _CAFFE_MEAN_BGR,
}
"""What a network wants of images in [0, 1]: nothing, levels from 0 to 255, values from −1 to 1 (Inception, MobileNet),
ImageNet's mean and deviation (DenseNet), or blue-green-red levels without their mean (VGG and ResNet, after Caffe)."""


def prepare(images: NDArray[Any], *, shape: tuple[int, int, int], normalisation: str = "none") -> NDArray[np.float32]:
    """Resize and normalise images for a network.

    Parameters
    ----------
    images : ndarray, shape (N, H, W, C)
        In [0, 1]. Grey images are repeated on three channels when the network takes colour.
    shape : tuple of int
        Height, width, channels that the network takes. Other sizes are resized without keeping the proportions: by
        averaging areas when they shrink, bilinearly when they grow.
    normalisation : str
        Key of `NORMALISATIONS`.

    Returns
    -------
    ndarray of float32, shape (N, *shape)

    Raises
    ------
    ValueError
        If the images are not a batch in [0, 1], or have the wrong number of channels.
    """
    images = np.asarray(images)
    height, width, channels = shape
    if images.ndim != 4:
        advice = " Pour une seule image, écrivez image[None]." if images.ndim == 3 else ""
        raise ValueError(f"On attend un lot d'images (N, H, W, C), reçu la forme {images.shape}.{advice}")
    if images.shape[3] not in (channels, 1):
        raise ValueError(f"Ce réseau prend des images à {channels} canaux, celles-ci en ont {images.shape[3]}.")
    if images.size and (images.dtype == np.uint8 or not (images.min() >= -1e-6 and images.max() <= 1 + 1e-6)):
        raise ValueError(
            f"Les pixels doivent être des nombres de 0 à 1, reçu {images.dtype} de {images.min()} à {images.max()}."
        )
    images = images.astype(np.float32, copy=False)
    if images.shape[1:3] != (height, width):
        images = resize(images, height, width)
    if images.shape[3] != channels:
        images = np.repeat(images, channels, axis=3)
    return np.ascontiguousarray(NORMALISATIONS[normalisation](images), dtype=np.float32)


def resize(images: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
    """Return images (N, H, W, C) at another size: areas averaged when they shrink, bilinear when they grow."""
    import cv2

    shrinks = images.shape[1] >= height and images.shape[2] >= width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    resized = np.empty((len(images), height, width, images.shape[3]), np.float32)
    for target, image in zip(resized, images, strict=True):
        target[...] = cv2.resize(image, (width, height), interpolation=method).reshape(target.shape)
    return resized
