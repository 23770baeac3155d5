"""Annotations in the style of COCO (Lin et al., 2014): one JSON for all the images."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.detection.yolo.sets.examples import Examples
from course_utils.detection.yolo.sets.gathering import Record, columns, course_data, decoded, gathered, read_image


def coco(
    images: str | os.PathLike[str], annotations: str | os.PathLike[str], *, size: int = 320, n: int | None = None
) -> Examples:
    """Images of a folder, boxes of a JSON file in COCO's style.

    Parameters
    ----------
    images : path
        Folder of the images.
    annotations : path
        JSON with ``images`` (id, file_name), ``annotations`` (image_id, category_id, bbox as x, y, width, height,
        iscrowd) and ``categories`` (id, name), which are numbered in the order of their id.
    size : int
    n : int, optional
        Only the first images.

    Raises
    ------
    FileNotFoundError, ValueError
        If a file is missing, or the JSON is not of this form.
    """
    path = Path(annotations)
    if not path.is_file():
        raise FileNotFoundError(f"Fichier d'annotations introuvable : {path}.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        categories = sorted(content["categories"], key=lambda category: category["id"])
        rank = {category["id"]: k for k, category in enumerate(categories)}
        boxes: dict[Any, list[Any]] = {image["id"]: [] for image in content["images"]}
        for a in content["annotations"]:
            x, y, w, h = map(float, a["bbox"])
            boxes[a["image_id"]].append(((x, y, x + w, y + h), rank[a["category_id"]], bool(a.get("iscrowd", 0))))
        files = [(image["id"], Path(images) / image["file_name"]) for image in content["images"][:n]]
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} n'est pas un fichier d'annotations de COCO (images, annotations, categories) : {error!r}."
        ) from error
    records = (Record(read_image(file), *columns(boxes[key]), file.name) for key, file in files)
    return gathered(records, [str(category["name"]) for category in categories], size=size, name=path.stem)


def coco128(split: str = "train", *, size: int = 320) -> Examples:
    """128 photographs of COCO's training ("train") or validation ("val") set, 80 classes, from ``COURSE_DATA``."""
    if split not in ("train", "val"):
        raise ValueError(f'coco128 a deux parties, "train" et "val" ; reçu : {split!r}.')
    with np.load(course_data("coco128", "coco128.npz"), allow_pickle=False) as content:
        jpeg, offsets, boxes = (content[f"{key}_{split}"] for key in ("jpeg", "offsets", "boxes"))
        class_names = [str(name) for name in content["classes"]]
    records = (
        Record(
            decoded(jpeg[start:stop], f"coco128, {split}, image {k}"),
            *columns([(tuple(map(float, row[2:])), int(row[1]), False) for row in boxes[boxes[:, 0] == k]]),
            f"image {k}",
        )
        for k, (start, stop) in enumerate(zip(offsets[:-1], offsets[1:], strict=True))
    )
    return gathered(records, class_names, size=size, name=f"coco128, {split}")
