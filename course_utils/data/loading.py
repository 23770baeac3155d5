"""``load``: one call for every set of the course."""

from __future__ import annotations

import operator
from collections.abc import Mapping

import numpy as np

from course_utils.data import embedded, fetch, generated, readers
from course_utils.data.catalogue import Card, Source, catalogue
from course_utils.data.dataset import SPLITS, Dataset, stratified
from course_utils.data.errors import RequestError, UnavailableError, number, unknown

DRAWN = {"street": 3, "handwriting": 1}
"""The sets drawn by the program, and their channels."""


def names() -> tuple[str, ...]:
    """Return the names of the data sets, as :func:`load` takes them."""
    return (*embedded.CARDS, *catalogue(), *DRAWN)


def load(
    name: str,
    *,
    split: str = "train",
    n: int | None = None,
    seed: int = 0,
    size: int | None = None,
    download: bool | None = None,
) -> Dataset:
    """Load a data set by its name.

    Parameters
    ----------
    name : str
        One of :func:`names`. ``"digits"``, ``"faces"`` (embedded), ``"street"``, ``"handwriting"`` (drawn by the
        program), ``"mnist"``, ``"fashion_mnist"``, ``"cifar10"``, ``"cats_dogs"``: these are looked for in
        ``$COURSE_DATA``, in the cache, then on the network; when they are nowhere, a line says so and a stand-in of
        the same shape and number of classes, drawn by the program, takes their place with ``source="stand-in"``.
    split : {"train", "test", "all"}
        Part of the set. Embedded sets are split once and for all, one image in five of each class for the test.
    n : int, optional
        Number of images, drawn at random with the classes' own shares, before anything is decoded. By default
        all, in their original order (drawn sets: 10,000 for training, 2,000 for the test).
    seed : int
        Seed of that draw; for images drawn by the program, seed of the drawing.
    size : int, optional
        Side in pixels, from 16 to 512, of the ``"street"`` sprites (32 by default) and of the ``"cats_dogs"`` photos
        (128 by default), which have several sizes, 192 pixels at most: each is cropped to its central square, then
        resized, by averaging areas when it shrinks, bilinearly when it grows. The other sets have one size.
    download : bool, optional
        By default, what weighs up to 50 MB is downloaded. True: whatever it weighs (CIFAR-10: 170 MB); False: nothing.
        ``COURSE_OFFLINE=1`` in the environment forbids all downloads.

    Returns
    -------
    Dataset
        Images float32 in [0, 1] of shape (N, H, W, C), labels, class names, source, licence, citation.

    Raises
    ------
    RequestError
        (a ``ValueError``) for an unknown name or split, an impossible `n`, `seed` or `size`.
    CorruptFileError
        For a file that has not the expected digest, or is damaged.
    StorageError
        When a download cannot be written in the cache.
    """
    _check_request(name, split, n, seed, size)
    splits = ("train", "test") if split == "all" else (split,)
    if name in embedded.CARDS:
        parts = [embedded.open_embedded(name, part) for part in splits]
        return _dataset(name, embedded.CARDS[name], parts, n, seed, split=split, source="embedded")
    if name in DRAWN:
        side = size or (28 if name == "handwriting" else 32)
        parts = _drawn(name, splits, n, seed, (side, side, DRAWN[name]))
        return _dataset(name, generated.card(name), parts, None, seed, split=split, source="embedded")
    source = catalogue()[name]
    try:
        found = fetch.locate(source, splits, download=download)
    except UnavailableError as absence:
        return _stand_in(source, split, splits, n, seed, size, str(absence))
    options = {"side": size or source.shape[0]} if source.resizable else {}
    parts = [readers.FORMATS[found.edition.format](found.paths(part), part, **options) for part in splits]
    return _dataset(name, source.card, parts, n, seed, split=split, source=found.origin)


def _check_request(name: str, split: str, n: int | None, seed: int, size: int | None) -> None:
    if name not in names():
        raise unknown("jeu de données", name, names())
    if split not in SPLITS:
        raise RequestError(f"split vaut « {split} » ; choisissez {', '.join(f'« {known} »' for known in SPLITS)}.")
    for label, value, least, most in (("n", n, 1, None), ("seed", seed, 0, None), ("size", size, 16, 512)):
        try:
            wrong = value is not None and not least <= operator.index(value) <= (most or value)
        except TypeError:
            wrong = True
        if wrong:
            bounds = f"de {least} à {most}" if most else f"{least} au moins"
            raise RequestError(f"{label} doit être un nombre entier, {bounds} ; reçu {value!r}.")
    resizable = ["street", *(known for known, source in catalogue().items() if source.resizable)]
    if size is not None and name not in resizable:
        which = " et ".join(f"« {known} »" for known in resizable)
        raise RequestError(f"size ne vaut que pour {which} : les images de « {name} » n'ont qu'une taille.")


def _drawn(
    name: str,
    splits: tuple[str, ...],
    n: int | None,
    seed: int,
    shape: tuple[int, int, int],
    *,
    classes: tuple[str, ...] = (),
    most: Mapping[str, int] = generated.WHOLE,
) -> list[readers.Encoded]:
    return [
        generated.open_generated(name, part, count, seed=seed, shape=shape, classes=classes)
        for part, count in generated.sizes(n, splits, most).items()
        if count
    ]


def _stand_in(
    source: Source, split: str, splits: tuple[str, ...], n: int | None, seed: int, size: int | None, absence: str
) -> Dataset:
    """Draw the stand-in of a set that is nowhere to be had, and say so in a visible line."""
    most = sum(source.counts[part] for part in splits)
    if n is not None and n > most:
        fault = f"n vaut {number(n)}, mais cette partie de {source.card.title} a {number(most)} images."
        raise RequestError(fault) from None
    drawn = sum(generated.sizes(n, splits, source.counts).values())
    instead = f"place à la doublure « {source.stand_in} », {generated.said(source.stand_in, drawn)}."
    print(f"{absence} : {instead}", flush=True)
    height, width, channels = source.shape
    shape, classes = (size or height, size or width, channels), source.stand_in_classes
    parts = _drawn(source.stand_in, splits, n, seed, shape, classes=classes, most=source.counts)
    card = generated.card(source.stand_in, classes)
    return _dataset(source.name, card, parts, None, seed, split=split, source="stand-in")


def _dataset(
    name: str, card: Card, parts: list[readers.Encoded], n: int | None, seed: int, *, split: str, source: str
) -> Dataset:
    """Choose the images, decode only those, and put them in a Dataset."""
    labels = np.concatenate([part.labels for part in parts])
    chosen = np.arange(len(labels)) if n is None else stratified(labels, n, seed=seed)
    pieces, places, start = [], [], 0
    for part in parts:
        here = np.flatnonzero((chosen >= start) & (chosen < start + len(part.labels)))
        pieces.append(part.decode(chosen[here] - start))
        places.append(here)
        start += len(part.labels)
    images = pieces[0] if len(pieces) == 1 else np.concatenate(pieces)[np.argsort(np.concatenate(places))]
    scale = 255 if images.dtype == np.uint8 else 1
    return Dataset(
        name=name,
        images=np.divide(images, scale, dtype=np.float32),
        labels=labels[chosen],
        class_names=card.class_names,
        split=split,
        source=source,
        licence=card.licence,
        citation=card.citation,
        description=card.description,
    )
