"""The official networks, described in ``data/weights.toml``: where their files are, what their classes are called."""

from __future__ import annotations

import functools
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from course_utils.data import fetch
from course_utils.data.catalogue import Card, Edition, File, Source
from course_utils.data.errors import UnavailableError
from course_utils.paths import ROOT

CLASS_INDEX = "imagenet_class_index"
IMAGENET = "ImageNet (ILSVRC 2012), 1 281 167 photos, 1 000 classes"
COCO = "COCO, environ 118 000 photos d'entraînement, 80 classes"
_PART = "weights"  # the only part of these sources, and the name of their folder


@dataclass(frozen=True)
class Official:
    """An official network.

    Attributes
    ----------
    name : str
        For :func:`course_utils.models.load_pretrained`.
    builder : str
        ``"applications.ResNet50"``, ``"detection.yolo.network.yolov4"``.
    arguments : dict
        For the builder.
    input_shape : tuple of int
        Height, width, channels.
    normalisation : str
        Key of `course_utils.models.inputs.NORMALISATIONS`.
    source : Source
        Its files and where to find them.
    card : dict
        Title, output, training data, licence, citation.
    """

    name: str
    builder: str
    arguments: dict[str, Any]
    input_shape: tuple[int, int, int]
    normalisation: str
    source: Source
    card: dict[str, Any]


@functools.cache
def _tables(path: Path = ROOT / "data" / "weights.toml") -> dict[str, Any]:
    return tomllib.loads(path.read_text(encoding="utf-8"))


@functools.cache
def catalogue() -> dict[str, Official]:
    """Return the official networks by their names, in the order of ``data/weights.toml``."""
    return {name: _entry(name, table) for name, table in _tables().items() if name != CLASS_INDEX}


PRETRAINED: tuple[str, ...] = tuple(name for name in _tables() if name != CLASS_INDEX)
"""Names of the official networks."""


def _entry(name: str, table: dict[str, Any]) -> Official:
    height, width, channels = table["input"]
    detector = table["output"] == "detections"
    card = {
        "title": table["title"],
        "output": table["output"],
        "training_data": COCO if detector else IMAGENET,
        "licence": table["licence"],
        "citation": table["citation"],
        "builder": table["builder"],
        "arguments": {**table["arguments"]} if detector else {**table["arguments"], "weights": None},
    }
    shape = height, width, channels
    return Official(
        name, table["builder"], card["arguments"], shape, table["normalisation"], _source(name, table), card
    )


def _source(name: str, table: dict[str, Any]) -> Source:
    """Describe files as the data room describes a set, so that the same code finds, checks and downloads them."""
    files = tuple(_file(file) for file in table.get("files", [table.get("file")]))
    edition = Edition(_PART, {_PART: files}, tuple(table.get("mirrors", ())))
    card = Card(table["title"], "", (), table["licence"], table.get("citation", ""))
    return Source(name, card, (0, 0, 0), {}, "", (edition,), folder=_PART, loader="load_pretrained")


def _file(table: dict[str, Any]) -> File:
    digests = (table["sha256"],) if "sha256" in table else ()
    return File(table["name"], table["size"], digests, table.get("md5"), tuple(table.get("sha1", ())))


def locate_weights(network: Official, *, download: bool | None = None) -> tuple[list[Path], str]:
    """Find the files of a network in ``$COURSE_DATA/weights``, in the cache, or on the network.

    Returns
    -------
    paths : list of pathlib.Path
        Their contents checked, in the order of ``data/weights.toml``.
    origin : {"COURSE_DATA", "cache", "download"}

    Raises
    ------
    DataError
        As `course_utils.data.fetch.locate`.
    """
    found = fetch.locate(network.source, (_PART,), download=download)
    return found.paths(_PART), found.origin


def imagenet_classes(*, download: bool | None = None) -> tuple[str, ...]:
    """Return the English names of ImageNet's 1000 classes, in the order of the outputs.

    When their file is nowhere to be had, a line says so and the classes are named by their numbers.
    """
    source = _source(CLASS_INDEX, _tables()[CLASS_INDEX])
    try:
        found = fetch.locate(source, (_PART,), download=download)
    except UnavailableError as absence:
        print(f"{absence} : les classes sont nommées par leurs numéros.", flush=True)
        return tuple(f"classe {index}" for index in range(1000))
    index = json.loads(found.paths(_PART)[0].read_text(encoding="utf-8"))
    return tuple(index[str(rank)][1].replace("_", " ") for rank in range(len(index)))
