"""What can be downloaded, read from ``data/sources.toml``: addresses, digests, licences, citations."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.paths import ROOT


@dataclass(frozen=True)
class Card:
    """What a participant should know of a set: French title, sentence, class names, licence, what to cite."""

    title: str
    description: str
    class_names: tuple[str, ...]
    licence: str
    citation: str


@dataclass(frozen=True)
class File:
    """A file of a set.

    Attributes
    ----------
    name : str
        Name in the set's folder, and at the end of the address.
    size : int
        Bytes of the published file.
    sha256 : tuple of str
        Digests of the contents that are accepted: first the published file's, then those of faithful re-packings.
    md5 : str, optional
        The published digest, for a file whose publisher gives only that one.
    sha1 : tuple of str
        The same, in SHA-1.
    """

    name: str
    size: int
    sha256: tuple[str, ...]
    md5: str | None = None
    sha1: tuple[str, ...] = ()

    @property
    def algorithm(self) -> str:
        """The digest by which the file is checked: ``"sha256"``, or ``"sha1"`` or ``"md5"`` for want of better."""
        return "sha256" if self.sha256 else "sha1" if self.sha1 else "md5"

    @property
    def digests(self) -> tuple[str, ...]:
        """The digests that are accepted, of that algorithm."""
        return self.sha256 or self.sha1 or ((self.md5,) if self.md5 else ())


@dataclass(frozen=True)
class Edition:
    """One way in which a set is packed.

    Attributes
    ----------
    format : str
        Key of :data:`course_utils.data.readers.FORMATS`.
    files : dict
        For each of ``"train"`` and ``"test"``, the files to read, in the order that the reader expects.
    mirrors : tuple of str
        Addresses, to which a file name is appended; empty when this edition is not published anywhere.
    """

    format: str
    files: dict[str, tuple[File, ...]]
    mirrors: tuple[str, ...]

    def needed(self, splits: tuple[str, ...]) -> tuple[File, ...]:
        """Return the distinct files that hold these splits."""
        return tuple(dict.fromkeys(file for split in splits for file in self.files[split]))


@dataclass(frozen=True)
class Source:
    """A set that is not carried by an installed package.

    Attributes
    ----------
    name : str
        Its name for :func:`course_utils.data.load`.
    card : Card
        Title, description, classes, licence, citation.
    shape : tuple of int
        Height, width, channels of an image.
    counts : dict
        Number of images of ``"train"`` and of ``"test"``.
    stand_in : str
        Generator that takes its place when it cannot be had (``"handwriting"`` or ``"street"``).
    editions : tuple of Edition
        In order of preference.
    stand_in_classes : tuple of str, optional
        Classes of the generator that serve, all of them when it is empty.
    resizable : bool
        Whether the photos have several sizes: each is then cropped to a square and resized to the side asked for,
        that of `shape` by default.
    folder : str
        Its folder in ``$COURSE_DATA`` and in the cache: by default, its name.
    loader : str
        Function that takes its name, for messages.
    """

    name: str
    card: Card
    shape: tuple[int, int, int]
    counts: dict[str, int]
    stand_in: str
    editions: tuple[Edition, ...]
    stand_in_classes: tuple[str, ...] = ()
    resizable: bool = False
    folder: str = ""
    loader: str = "load"


@functools.cache
def catalogue(path: Path = ROOT / "data" / "sources.toml") -> dict[str, Source]:
    """Return every source by its name, in the order of the file.

    Parameters
    ----------
    path : pathlib.Path
        A TOML file laid out as ``data/sources.toml``, which explains its own fields.
    """
    tables = tomllib.loads(path.read_text(encoding="utf-8"))
    return {name: _source(name, table) for name, table in tables.items()}


def _source(name: str, table: dict[str, Any]) -> Source:
    card = Card(
        title=table["title"],
        description=table["description"],
        class_names=tuple(table["class_names"]),
        licence=table["licence"],
        citation=table["citation"],
    )
    height, width, channels = table["shape"]
    editions = tuple(_edition(edition) for edition in table["edition"])
    return Source(
        name,
        card,
        (height, width, channels),
        table["counts"],
        table["stand_in"],
        editions,
        stand_in_classes=tuple(table.get("stand_in_classes", ())),
        resizable=table.get("resizable", False),
    )


def _edition(table: dict[str, Any]) -> Edition:
    files = {
        split: tuple(File(f["name"], f["size"], (f["sha256"], *f.get("repacked", ()))) for f in table[split])
        for split in ("train", "test")
    }
    return Edition(table["format"], files, tuple(table.get("mirrors", ())))
