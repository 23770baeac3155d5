"""The one result type of the data room: images, labels, and where they come from."""

from __future__ import annotations

import html
import operator
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from course_utils.data.errors import RequestError, number

SPLITS = ("train", "test", "all")
SOURCES = {
    "embedded": "fournie avec le cours",
    "COURSE_DATA": "COURSE_DATA",
    "cache": "cache",
    "download": "téléchargement",
    "stand-in": "doublure, dessinée par le programme",
}
"""Where a set can come from, and how it is said in French."""


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Labelled images.

    Attributes
    ----------
    name : str
        Name given to :func:`course_utils.data.load`.
    images : ndarray of float32, shape (N, H, W, C)
        In [0, 1], channels last; C is 1 (grey) or 3 (RGB).
    labels : ndarray of int64, shape (N,)
        Index of the class of each image, in ``range(len(class_names))``.
    class_names : tuple of str
        French names of the classes.
    split : {"train", "test", "all"}
        Part of the set from which these images were drawn.
    source : {"embedded", "COURSE_DATA", "cache", "download", "stand-in"}
        Where the images come from; ``"stand-in"`` means that they are not the real ones.
    licence, citation, description : str
        Terms of use, what to cite, and one sentence on the set.

    Raises
    ------
    RequestError
        (a ``ValueError``) if the arrays do not fit this description.
    """

    name: str
    images: NDArray[np.float32]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    split: str
    source: str
    licence: str = ""
    citation: str = ""
    description: str = ""

    def __post_init__(self) -> None:
        fault = self._fault_of_images() or self._fault_of_labels() or self._fault_of_words()
        if fault:
            raise RequestError(f"Jeu « {self.name} » : {fault}.")

    def _fault_of_words(self) -> str:
        for field, known in (("split", SPLITS), ("source", tuple(SOURCES))):
            if (given := getattr(self, field)) not in known:
                return f"{field} vaut « {given} », on attend {', '.join(known)}"
        return ""

    def _fault_of_images(self) -> str:
        images = self.images
        if not isinstance(images, np.ndarray) or images.dtype != np.float32:
            return f"images doit être un tableau float32, reçu {getattr(images, 'dtype', type(images).__name__)}"
        if images.ndim != 4 or images.shape[3] not in (1, 3):
            return f"images doit être de forme (N, H, W, 1) ou (N, H, W, 3), reçu {images.shape}"
        if images.size and not (images.min() >= 0 and images.max() <= 1):
            return f"les pixels doivent être entre 0 et 1, reçu de {images.min():g} à {images.max():g}"
        return ""

    def _fault_of_labels(self) -> str:
        labels = self.labels
        if not isinstance(labels, np.ndarray) or labels.dtype != np.int64:
            return f"labels doit être un tableau int64, reçu {getattr(labels, 'dtype', type(labels).__name__)}"
        if labels.shape != (len(self.images),):
            return f"il faut une étiquette par image, soit la forme ({len(self.images)},), reçu {labels.shape}"
        if len(labels) and not (labels.min() >= 0 and labels.max() < len(self.class_names)):
            return f"étiquettes de {labels.min()} à {labels.max()} pour {len(self.class_names)} noms de classes"
        return ""

    def __len__(self) -> int:
        return len(self.images)

    @overload
    def __getitem__(self, index: int | np.integer[Any]) -> tuple[NDArray[np.float32], int]: ...

    @overload
    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> Dataset: ...

    def __getitem__(self, index: Any) -> Any:
        """Return a smaller set (slice, array of indices or booleans), or the pair ``(image, label)`` (integer)."""
        if isinstance(index, int | np.integer):
            return self.images[index], int(self.labels[index])
        if not isinstance(index, slice):
            index = np.asarray(index)
            if not index.size:
                index = index.astype(np.int64)
        return replace(self, images=self.images[index], labels=self.labels[index])

    @property
    def flat(self) -> NDArray[np.float32]:
        """The images as rows of a matrix, shape (N, H·W·C); a view, not a copy, where NumPy can."""
        return self.images.reshape(len(self.images), int(np.prod(self.images.shape[1:])))

    def subset(self, n: int, *, seed: int = 0) -> Dataset:
        """Return `n` images drawn without replacement, each class keeping its share.

        Parameters
        ----------
        n : int
            Number of images wanted, from 1 to ``len(self)``.
        seed : int
            Same seed, same images, in the same order.

        Raises
        ------
        RequestError
            If there are not `n` images.
        """
        return self[stratified(self.labels, n, seed=seed)]

    def __repr__(self) -> str:
        return f"<Dataset {self._summary()}, source : {SOURCES[self.source]}>"

    def _repr_html_(self) -> str:
        notes = [self.description, self.licence and f"Licence : {self.licence}.", self.citation]
        small = " ".join(html.escape(note) for note in notes if note)
        classes = html.escape(", ".join(self.class_names))
        first = f"<strong>{html.escape(self._summary())}</strong> ({classes}) · source : {SOURCES[self.source]}"
        return f"<div>{first}<br><small>{small}</small></div>"

    def _summary(self) -> str:
        _, height, width, channels = self.images.shape
        kind = "en gris" if channels == 1 else "en couleur"
        part = {"train": "entraînement", "test": "test", "all": "tout"}[self.split]
        return (
            f"{self.name} ({part}) : {number(len(self))} images {kind}, {height} × {width} pixels, "
            f"{len(self.class_names)} classes"
        )


def stratified(labels: ArrayLike, n: int, *, seed: int = 0) -> NDArray[np.int64]:
    """Choose `n` indices at random, each class keeping its share (largest remainders), in random order.

    Parameters
    ----------
    labels : array_like of int, shape (N,)
        Class of each element.
    n : int
        Number of indices wanted, from 1 to N.
    seed : int
        Seed of ``np.random.default_rng``.

    Returns
    -------
    ndarray of int64, shape (n,)
        Distinct indices. The count of each class differs from its exact share by less than one.

    Raises
    ------
    RequestError
        If `n` is not a whole number from 1 to N.
    """
    labels = np.asarray(labels)
    try:
        n = operator.index(n)
    except TypeError:
        raise RequestError(f"n doit être un nombre entier d'images, reçu {n!r}.") from None
    if not 1 <= n <= len(labels):
        raise RequestError(
            f"n vaut {number(n)}, mais il faut un nombre de 1 à {number(len(labels))} : "
            "c'est tout ce que contient cette partie du jeu. Avec n=None, vous avez tout."
        )
    _, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    shares = n * counts / len(labels)
    quotas = shares.astype(np.int64)
    richest = np.argsort(quotas - shares, kind="stable")[: n - quotas.sum()]
    quotas[richest] += 1
    rng = np.random.default_rng(seed)
    chosen = [rng.permutation(np.flatnonzero(inverse == k))[:quota] for k, quota in enumerate(quotas)]
    return rng.permutation(np.concatenate(chosen)).astype(np.int64)
