"""From images of any size and the boxes of a file to `Examples`: what every format of files shares."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from course_utils.detection.yolo.letterboxing import letterbox
from course_utils.detection.yolo.sets.examples import Examples

IMAGE_ENDS = (".jpg", ".jpeg", ".png", ".bmp")


class Record(NamedTuple):
    """One image as a file describes it: boxes (x1, y1, x2, y2) in its own pixels, class numbers, what to ignore."""

    image: NDArray[np.uint8]
    boxes: list[tuple[float, ...]]
    classes: list[int]
    ignored: list[bool]
    name: str


def gathered(records: Iterable[Record], class_names: Sequence[str], *, size: int, name: str) -> Examples:
    """Letterbox the images of records to one size, and their boxes with them.

    Boxes are cut at the borders of their image; those without area are left out, and a line says where.
    """
    images, boxes, classes, ignored, empty = [], [], [], [], []
    for record in records:
        height, width = record.image.shape[:2]
        canvas, place = letterbox(record.image.astype(np.float32) / 255, (size, size))
        corners = np.array(record.boxes, np.float32).reshape(-1, 4)
        corners = np.clip(corners, 0, np.array([width, height, width, height], np.float32))
        sound = (corners[:, 2:] > corners[:, :2]).all(axis=1)
        if not sound.all():
            empty.append(record.name)
        images.append(np.rint(canvas * 255).astype(np.uint8))
        boxes.append(place.to_input(corners[sound]).astype(np.float32))
        classes.append(np.array(record.classes, np.int64)[sound])
        ignored.append(np.array(record.ignored, bool)[sound])
    if empty:
        print(f"{name} : boîtes sans surface laissées de côté dans {', '.join(empty)}.")
    pixels = np.stack(images) if images else np.zeros((0, size, size, 3), np.uint8)
    return Examples(pixels, tuple(boxes), tuple(classes), tuple(ignored), tuple(class_names), name)


def read_image(path: Path) -> NDArray[np.uint8]:
    """Read a picture as (H, W, 3) RGB bytes, or say what is wrong with the file."""
    if not path.is_file():
        raise FileNotFoundError(f"Image introuvable : {path}.")
    return decoded(np.fromfile(path, np.uint8), path.name)


def decoded(content: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    """Decode the bytes of a JPEG, PNG… file as (H, W, 3) RGB bytes; `name` is for the error."""
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if image is None:
        raise ValueError(f"{name} n'est pas une image lisible : fichier vide, tronqué ou d'un autre format.")
    return np.ascontiguousarray(image[:, :, ::-1], np.uint8)


def columns(rows: Sequence[tuple[Any, int, bool]]) -> tuple[list[Any], list[int], list[bool]]:
    """Turn (corners, class, ignored) rows into the three lists of a `Record`."""
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def course_data(*parts: str) -> Path:
    """Return the place of a set in ``COURSE_DATA``, or say in French what is missing."""
    folder = os.environ.get("COURSE_DATA")
    if not folder:
        raise FileNotFoundError(
            "Ce jeu se lit dans le dossier que désigne la variable d'environnement COURSE_DATA, qui n'est pas définie. "
            "Sans lui, entraînez sur la rue : sets.street(1000)."
        )
    path = Path(folder, *parts)
    if not path.exists():
        raise FileNotFoundError(f"{path} n'existe pas : le dossier que désigne COURSE_DATA ne contient pas ce jeu.")
    return path
