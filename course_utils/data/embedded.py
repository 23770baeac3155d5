"""Real images that installed packages carry: scikit-learn's digits and photos, scikit-image's faces and photos."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.data.catalogue import Card
from course_utils.data.errors import unknown
from course_utils.data.readers import Encoded

CARDS = {
    "digits": Card(
        title="Digits",
        description="1 797 chiffres écrits à la main par 43 personnes, réduits à 8 × 8 pixels en gris.",
        class_names=tuple("0123456789"),
        licence="CC BY 4.0",
        citation="E. Alpaydin, C. Kaynak, « Optical recognition of handwritten digits », UCI, 1998.",
    ),
    "faces": Card(
        title="Faces",
        description="100 visages et 100 morceaux de fond, tirés de Labeled Faces in the Wild, 25 × 25 pixels en gris.",
        class_names=("fond", "visage"),
        licence="aucune licence déclarée ; usage pédagogique",
        citation="G. Huang, M. Mattar, H. Lee, E. Learned-Miller, « Learning to align from scratch », NIPS, 2012.",
    ),
}
"""The embedded sets. In ``faces``, class 1 is the face."""

PHOTOS = {
    "china": "danielbuechele, CC BY 2.0",
    "flower": "vultilion, CC BY 2.0",
    "astronaut": "NASA, domaine public",
    "brick": "CC0Textures, CC0",
    "camera": "Lav Varshney, CC0",
    "cell": "P. Müller et al., CC0",
    "chelsea": "Stéfan van der Walt, CC0",
    "clock": "Stéfan van der Walt, domaine public",
    "coffee": "Rachel Michetti, CC0",
    "coins": "Brooklyn Museum, sans restriction connue",
    "colorwheel": "scikit-image",
    "grass": "linolafett, CC0",
    "gravel": "CC0Textures, CC0",
    "horse": "Andreas Preuss, CC0",
    "hubble_deep_field": "NASA, domaine public",
    "immunohistochemistry": "Center for Microscopy and Molecular Imaging, sans restriction connue",
    "microaneurysms": "Andreas Maier, CC0",
    "moon": "scikit-image",
    "motorcycle": "D. Scharstein et al., Middlebury Stereo 2014",
    "page": "scikit-image",
    "retina": "Mikael Häggström, CC0",
    "rocket": "SpaceX, domaine public",
    "text": "Wikipédia, domaine public",
}
"""Author and licence of each photo, as scikit-learn and scikit-image give them."""


def open_embedded(name: str, split: str) -> Encoded:
    """Open an embedded set.

    Parameters
    ----------
    name : str
        A key of :data:`CARDS`.
    split : {"train", "test"}
        These sets have no official split: a fixed draw puts one image in five of each class in ``"test"``.

    Returns
    -------
    Encoded
        In the order of the original.
    """
    images, labels = _digits() if name == "digits" else _faces()
    kept = np.flatnonzero(_is_test(labels) == (split == "test"))
    return Encoded(labels[kept], lambda indices: images[kept[indices], :, :, np.newaxis])


def _digits() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from sklearn.datasets import load_digits

    digits = load_digits()
    return (digits.images / 16).astype(np.float32), digits.target.astype(np.int64)


def _faces() -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    from skimage.data import lfw_subset

    return lfw_subset().astype(np.float32), np.repeat(np.array([1, 0], np.int64), 100)


def _is_test(labels: NDArray[np.int64]) -> NDArray[np.bool_]:
    rng = np.random.default_rng(0)
    test = np.zeros(len(labels), bool)
    for label in np.unique(labels):
        members = rng.permutation(np.flatnonzero(labels == label))
        test[members[: round(len(members) / 5)]] = True
    return test


def photo_names() -> tuple[str, ...]:
    """Return the names that :func:`photo` knows. Authors and licences: :data:`course_utils.data.embedded.PHOTOS`."""
    return tuple(PHOTOS)


def photo(name: str) -> NDArray[np.float32]:
    """Return a real photo carried by scikit-learn or scikit-image; no network is needed.

    Parameters
    ----------
    name : str
        One of :func:`photo_names`: ``"chelsea"``, ``"coffee"``, ``"china"``, ``"camera"``, ``"brick"``…

    Returns
    -------
    ndarray of float32, shape (H, W, 3) or (H, W, 1)
        In [0, 1], RGB or grey.

    Raises
    ------
    RequestError
        (a ``ValueError``) if there is no such photo; the message gives the nearest names.
    """
    if name not in PHOTOS:
        raise unknown("photo", name, PHOTOS)
    stored = _stored_photo(name)
    pixels = np.divide(stored, 255 if stored.dtype == np.uint8 else 1, dtype=np.float32)
    return pixels if pixels.ndim == 3 else pixels[:, :, np.newaxis]


def _stored_photo(name: str) -> NDArray[Any]:
    if name in ("china", "flower"):
        from sklearn.datasets import load_sample_image

        return load_sample_image(f"{name}.jpg")
    import skimage.data

    if name == "motorcycle":
        return skimage.data.stereo_motorcycle()[0]
    return getattr(skimage.data, name)()
