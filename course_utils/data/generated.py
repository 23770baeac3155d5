"""Sets drawn by the program: the street world and handwriting, in their own names or in the place of a missing set."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import os
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from course_utils.data.catalogue import Card
from course_utils.data.errors import DataError, number
from course_utils.data.readers import Encoded, read_npz
from course_utils.paths import cache_dir

Drawing = tuple[NDArray[np.uint8], NDArray[np.int64]]

WHOLE = {"train": 10_000, "test": 2_000}
"""Images drawn for each split when no number is asked for: some seconds, the first time."""

WORTH_KEEPING = 500
"""Number of images from which a drawing is kept in the cache."""


def card(name: str, classes: tuple[str, ...] = ()) -> Card:
    """Return the card of ``"handwriting"`` or ``"street"``: ten classes, or those of the street that are named."""
    if name == "handwriting":
        title, description = "Handwriting", "Chiffres dessinés trait par trait par le programme, de plusieurs mains."
        names = tuple("0123456789")
    else:
        from course_utils.data import street

        title, description = "Street", "Vignettes du monde de la rue, dessinées par le programme."
        french = dict(zip(street.CLASSES, street.CLASS_NAMES, strict=True))
        names = tuple(french[identifier] for identifier in classes or street.CLASSES)
    return Card(title, description, names, "CC BY-SA 4.0", "Généré par le programme du cours.")


def said(name: str, n: int) -> str:
    """Say in French what is drawn: ``10 000 chiffres dessinés par le programme``."""
    thing = "chiffres dessinés" if name == "handwriting" else "vignettes de rue dessinées"
    return f"{number(n)} {thing} par le programme"


def sizes(n: int | None, splits: tuple[str, ...], most: Mapping[str, int] = WHOLE) -> dict[str, int]:
    """Share `n` images between the splits, one sixth for the test when both are wanted.

    None gives ``WHOLE``, or `most` where it is less.
    """
    if n is None:
        return {split: min(WHOLE[split], most[split]) for split in splits}
    if len(splits) == 1:
        return {splits[0]: n}
    return {"train": n - n // 6, "test": n // 6}


def open_generated(
    name: str, split: str, n: int, *, seed: int, shape: tuple[int, int, int], classes: tuple[str, ...] = ()
) -> Encoded:
    """Draw `n` images, or read them from the cache if they were drawn before.

    Parameters
    ----------
    name : {"handwriting", "street"}
        The generator.
    split : {"train", "test"}
        The two are drawn from different seeds, and street sprites stand before different photographs.
    n : int
        Number of images.
    seed : int
        Same seed, same images.
    shape : tuple of int
        Height, width and channels wanted; street sprites are given in grey when there is one channel.
    classes : tuple of str
        Classes of the street that are drawn, all of them when it is empty; the labels count in this order.

    Returns
    -------
    Encoded
        Images of `shape`, rounded to 256 levels as in a file.
    """
    height, _, channels = shape
    state = np.random.SeedSequence([seed, ("train", "test").index(split)])
    drawing_seed = int(state.generate_state(1)[0])
    drawn = "-".join((name, *classes))
    path = cache_dir() / "generated" / f"{drawn}-{split}-{height}-{n}-{drawing_seed}-{_edition(name)}.npz"
    options = {"classes": classes} if classes else {}
    images, labels = _kept(path) or _draw_and_keep(path, name, split, n, drawing_seed, height, **options)
    if channels == 1 and images.shape[3] == 3:
        # Luminance of ITU-R BT.601, as everywhere in the course.
        images = np.rint(images @ np.array([0.299, 0.587, 0.114])).astype(np.uint8)[..., np.newaxis]
    return Encoded(labels, lambda indices: images[indices])


def _draw_and_keep(
    path: Path, name: str, split: str, n: int, seed: int, size: int, classes: tuple[str, ...] = ()
) -> Drawing:
    if name == "handwriting":
        from course_utils.data import handwriting

        images, labels = handwriting.digits(n, seed=seed)
    else:
        from course_utils.data import street

        textures: Literal["train", "test"] = "train" if split == "train" else "test"
        images, labels = street.sprites(n, seed=seed, size=size, classes=classes or None, textures=textures)
    levels, labels = np.rint(images * 255).astype(np.uint8), labels.astype(np.int64)
    if n >= WORTH_KEEPING:
        _keep(path, levels, labels)
    return levels, labels


def _kept(path: Path) -> Drawing | None:
    """Return the drawing kept under this name, or None: a damaged one is drawn again, it costs some seconds only."""
    if not os.path.isfile(path):
        return None
    with contextlib.suppress(DataError, OSError):
        images, labels = read_npz(path, ("images", "labels")).values()
        return images.astype(np.uint8), labels.astype(np.int64)
    return None


def _keep(path: Path, images: NDArray[np.uint8], labels: NDArray[np.int64]) -> None:
    """Write a drawing under its final name in one step. A cache that cannot be written only costs time: say nothing."""
    draft = path.with_name(f"{uuid.uuid4().hex}.part")
    with contextlib.suppress(OSError):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with draft.open("wb") as file:
                np.savez(file, images=images, labels=labels)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)


@functools.cache
def _edition(name: str) -> str:
    """Return a digest of the generator's own code: a drawing kept by another version of it is not read."""
    folder = Path(str(importlib.import_module(f"course_utils.data.{name}").__file__)).parent
    digest = hashlib.sha256()
    for path in sorted(folder.glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]
