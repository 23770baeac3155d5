"""Folders in the style of Darknet: a text for each image, one line for each box."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from course_utils.detection.yolo.sets.examples import Examples
from course_utils.detection.yolo.sets.gathering import IMAGE_ENDS, Record, columns, gathered, read_image


def yolo_folder(
    images: str | os.PathLike[str], labels: str | os.PathLike[str], class_names: Sequence[str], *, size: int = 320
) -> Examples:
    """Images of a folder, and for each a text of the same name: ``class cx cy w h`` a line, relative to the image.

    Parameters
    ----------
    images, labels : path
        Folders. An image without a text has no object.
    class_names : sequence of str
    size : int

    Raises
    ------
    FileNotFoundError, ValueError
        If a folder is missing, or that of the images holds none, or a line is not of this form.
    """
    files = sorted(file for file in Path(images).glob("*") if file.suffix.lower() in IMAGE_ENDS)
    if not files:
        raise FileNotFoundError(f"Aucune image ({', '.join(IMAGE_ENDS)}) dans {images}.")
    if not Path(labels).is_dir():
        raise FileNotFoundError(f"Le dossier des annotations n'existe pas : {labels}.")

    def read(file: Path) -> Record:
        image = read_image(file)
        height, width = image.shape[:2]
        text = Path(labels) / f"{file.stem}.txt"
        rows = []
        for number, line in enumerate(text.read_text(encoding="utf-8").splitlines() if text.exists() else [], start=1):
            if not line.strip():
                continue
            kind, cx, cy, w, h = _yolo_line(line, f"{text.name}, ligne {number}", len(class_names))
            corners = ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height)
            rows.append((corners, kind, False))
        return Record(image, *columns(rows), file.name)

    return gathered(map(read, files), class_names, size=size, name=Path(images).name)


def _yolo_line(line: str, where: str, known: int) -> tuple[int, float, float, float, float]:
    try:
        kind, cx, cy, w, h = line.split()
        values = (int(kind), float(cx), float(cy), float(w), float(h))
    except ValueError as error:
        raise ValueError(f"{where} : on attend « classe cx cy largeur hauteur », reçu « {line.strip()} ».") from error
    if not 0 <= values[0] < known or not all(0 <= value <= 1 for value in values[1:]):
        raise ValueError(
            f"{where} : « {line.strip()} » ; on attend une classe de 0 à {known - 1}, puis quatre nombres de 0 à 1."
        )
    return values
