"""Folders in the style of Pascal VOC (Everingham et al., 2010): one XML for each image."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Sequence
from pathlib import Path

from course_utils.detection.yolo.sets.examples import Examples
from course_utils.detection.yolo.sets.gathering import IMAGE_ENDS, Record, columns, course_data, gathered, read_image


def voc(
    folder: str | os.PathLike[str],
    split: str = "train",
    *,
    size: int = 320,
    class_names: Sequence[str] | None = None,
) -> Examples:
    """A Pascal VOC folder: ``ImageSets/Main/<split>.txt``, ``Annotations/*.xml``, ``JPEGImages``.

    Objects marked as difficult are ignored. Boxes without area are left out, and a line says so.

    Parameters
    ----------
    folder : path
    split : str
        Name of a list in ``ImageSets/Main``.
    size : int
        Side of the square in which images are letterboxed.
    class_names : sequence of str, optional
        In the order of their numbers. Default: all the names of the split, sorted: give the training set's to the test.

    Raises
    ------
    FileNotFoundError
        If the list, an annotation or an image is missing.
    ValueError
        If an annotation cannot be read, or an object is of an unknown class.
    """
    folder = Path(folder)
    names = _listed(folder / "ImageSets" / "Main" / f"{split}.txt")
    trees = {name: _xml(folder / "Annotations" / f"{name}.xml") for name in names}
    if class_names is None:
        found = {obj.findtext("name", "").strip() for tree in trees.values() for obj in tree.iter("object")}
        class_names = sorted(found - {""})
    records = (_voc_record(folder, name, tree, list(class_names)) for name, tree in trees.items())
    return gathered(records, class_names, size=size, name=f"{folder.name}, {split}")


def bccd(split: str = "train", *, size: int = 320) -> Examples:
    """Blood cells (Shenggan, 2018): three classes, 205 + 87 + 72 photographs, from ``COURSE_DATA``; see `voc`."""
    return voc(course_data("bccd"), split, size=size, class_names=("RBC", "WBC", "Platelets"))


def _listed(path: Path) -> list[str]:
    if not path.is_file():
        others = sorted(file.stem for file in path.parent.glob("*.txt"))
        raise FileNotFoundError(f"Liste introuvable : {path}. Parties présentes : {', '.join(others) or 'aucune'}.")
    return [line.split()[0] for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def _xml(path: Path) -> ElementTree.Element:
    if not path.is_file():
        raise FileNotFoundError(f"Annotation introuvable : {path}.")
    try:
        return ElementTree.parse(path).getroot()
    except ElementTree.ParseError as error:
        raise ValueError(f"{path.name} n'est pas un XML lisible ({error}).") from error


def _voc_record(folder: Path, name: str, tree: ElementTree.Element, class_names: list[str]) -> Record:
    rows = []
    for obj in tree.iter("object"):
        kind = obj.findtext("name", "").strip()
        if kind not in class_names:
            raise ValueError(f"{name}.xml : classe « {kind} » inconnue ; on attend {', '.join(class_names)}.")
        try:
            x1, y1, x2, y2 = (float(obj.findtext(f"bndbox/{key}", "")) for key in ("xmin", "ymin", "xmax", "ymax"))
        except ValueError as error:
            raise ValueError(f"{name}.xml : un objet « {kind} » n'a pas de boîte complète (bndbox).") from error
        # VOC counts pixels from 1 and includes the last one; a box that ends where it starts is a slip of the mouse.
        corners = (x1 - 1, y1 - 1, x2, y2) if x2 > x1 and y2 > y1 else (0, 0, 0, 0)
        rows.append((corners, class_names.index(kind), obj.findtext("difficult", "0").strip() == "1"))
    places = [folder / "JPEGImages" / f"{name}{end}" for end in (*IMAGE_ENDS, *map(str.upper, IMAGE_ENDS))]
    return Record(read_image(next(filter(Path.is_file, places), places[0])), *columns(rows), name)
