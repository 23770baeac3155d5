"""Sets of images with boxes, in one form: `Examples`, whatever they come from.

- `street`: scenes drawn by the course, with their exact truth;
- `voc`, and `bccd` (blood cells): a Pascal VOC folder, one XML for each image;
- `coco`: a JSON file in COCO's style; `coco128`: the 128 + 128 photographs of `COURSE_DATA`;
- `yolo_folder`: a text file for each image, one line for each box, in Darknet's style.

Images are letterboxed to one size when they are read, as bytes: a thousand images of 192 pixels weigh 110 MB.
"""

from __future__ import annotations

import json
import os
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from course_utils.detection.yolo.letterboxing import letterbox

IMAGE_ENDS = (".jpg", ".jpeg", ".png", ".bmp")

VEHICLES = {
    "voiture": ("car", "taxi"),
    "utilitaire": ("van", "lorry"),
    "bus": ("bus",),
    "deux-roues": ("bicycle", "motorcycle"),
}
"""Groups of `street` for a short training: what is large enough, in a small picture, to be learnt in a minute."""


@dataclass(frozen=True, eq=False)
class Examples:
    """Images of one size and their boxes.

    ``len(examples)`` counts the images; ``examples[:100]``, ``examples[[3, 5]]`` keep some, and are `Examples` too.

    Attributes
    ----------
    images : ndarray of uint8, shape (n, H, W, 3)
        RGB.
    boxes : tuple of n ndarrays of float32, shape (k, 4)
        (x1, y1, x2, y2) in pixels of these images.
    classes : tuple of n ndarrays of int64, shape (k,)
    ignored : tuple of n ndarrays of bool, shape (k,)
        Boxes that count neither for nor against (crowds, objects that no one could name).
    class_names : tuple of str
    name : str
    """

    images: NDArray[np.uint8] = field(repr=False)
    boxes: tuple[NDArray[np.float32], ...] = field(repr=False)
    classes: tuple[NDArray[np.int64], ...] = field(repr=False)
    ignored: tuple[NDArray[np.bool_], ...] = field(repr=False)
    class_names: tuple[str, ...]
    name: str = ""

    def __post_init__(self) -> None:
        shape = self.images.shape
        if self.images.dtype != np.uint8 or len(shape) != 4 or shape[3] != 3:
            raise ValueError(f"Les images sont (n, H, W, 3), uint8 ; reçu : {shape}, {self.images.dtype}.")
        if not len(self.boxes) == len(self.classes) == len(self.ignored) == len(self.images):
            raise ValueError(
                f"{len(self.images)} images, mais {len(self.boxes)} listes de boîtes, {len(self.classes)} de classes "
                f"et {len(self.ignored)} de boîtes à ignorer : il en faut autant."
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: slice | Sequence[int] | NDArray[Any]) -> Examples:
        rows = np.arange(len(self))[index]
        if rows.ndim != 1:
            raise TypeError("Examples se découpe par tranche ou par liste d'indices ; pour une image : examples[[3]].")
        kept = ([values[k] for k in rows] for values in (self.boxes, self.classes, self.ignored))
        boxes, classes, ignored = (tuple(values) for values in kept)
        return replace(self, images=self.images[rows], boxes=boxes, classes=classes, ignored=ignored)

    def __repr__(self) -> str:
        height, width = self.images.shape[1:3]
        boxes = sum(map(len, self.boxes))
        return (
            f"Examples({self.name}, {len(self)} images de {width} × {height} pixels, {boxes} boîtes, "
            f"{len(self.class_names)} classes)"
        )

    @property
    def sizes(self) -> NDArray[np.float32]:
        """Widths and heights of all the boxes that count, (m, 2), for `kmeans_anchors`."""
        boxes = np.concatenate([np.zeros((0, 4), np.float32), *self.boxes])
        kept = ~np.concatenate([np.zeros(0, bool), *self.ignored])
        return (boxes[:, 2:] - boxes[:, :2])[kept]

    @property
    def truths(self) -> list[tuple[Any, Any, Any]]:
        """(boxes, classes, ignored) of each image, for `course_utils.detection.metrics.evaluate`."""
        return list(zip(self.boxes, self.classes, self.ignored, strict=True))

    @property
    def counts(self) -> dict[str, int]:
        """How many boxes of each class."""
        kinds = np.concatenate([np.zeros(0, np.int64), *self.classes])
        return dict(zip(self.class_names, np.bincount(kinds, minlength=len(self.class_names)).tolist(), strict=True))


class Record(NamedTuple):
    """One image as a file describes it: boxes (x1, y1, x2, y2) in its own pixels, class names, crowds."""

    image: NDArray[np.uint8]
    boxes: list[tuple[float, ...]]
    classes: list[int]
    ignored: list[bool]
    name: str


def street(
    n: int,
    *,
    seed: int = 0,
    size: int = 160,
    textures: str | None = "train",
    groups: Mapping[str, Sequence[str]] | None = None,
    smallest: float = 0.0,
    hidden: float = 1.0,
    **controls: float | None,
) -> Examples:
    """Scenes of the street world.

    Parameters
    ----------
    n : int
        Number of scenes.
    seed : int
        Two seeds share no scene.
    size : int
        Side of the images, in pixels.
    textures : "train", "test" or None
        Pool of photographs from which surfaces are made; the two have none in common.
    groups : mapping of str to sequence of str, optional
        Names of the classes to learn, and the street's classes (identifiers of ``street.CLASSES``) that each gathers;
        objects of no group are left out of the truth. Default: the ten classes, under their French names.
    smallest : float
        Objects with a side below this, in pixels, are marked as ignored.
    hidden : float
        Objects of which more than this share is hidden are marked as ignored.
    **controls
        ``density``, ``occlusion``, ``night``, ``rain``… of `course_utils.data.street.dataset`.

    Raises
    ------
    ValueError
        If a group names a class that does not exist, or two groups the same.
    """
    from course_utils.data import street as world

    if groups is None:
        groups = dict(zip(world.CLASS_NAMES, ((kind,) for kind in world.CLASSES), strict=True))
    rank = _ranks(groups, world.CLASSES)
    scenes: Any = world.dataset(n, seed=seed, size=size, textures=textures, **controls)  # type: ignore[arg-type]
    boxes, classes, ignored = [], [], []
    for b, c, o in zip(scenes.boxes, scenes.classes, scenes.occlusion, strict=True):
        kept = rank[c] >= 0
        boxes.append(b[kept])
        classes.append(rank[c][kept])
        ignored.append((((b[:, 2:] - b[:, :2]).min(axis=1, initial=np.inf) < smallest) | (o > hidden))[kept])
    return Examples(scenes.pixels, tuple(boxes), tuple(classes), tuple(ignored), tuple(groups), f"rue, graine {seed}")


def _ranks(groups: Mapping[str, Sequence[str]], known: Sequence[str]) -> NDArray[np.int64]:
    """Number of the group of each of the street's classes, −1 for those of none."""
    rank = np.full(len(known), -1, np.int64)
    for k, (name, members) in enumerate(groups.items()):
        for member in members:
            if member not in known or rank[known.index(member)] >= 0:
                raise ValueError(
                    f"Groupe « {name} » : « {member} » n'est pas une classe de la rue ou est déjà ailleurs. "
                    f"Classes : {', '.join(known)}."
                )
            rank[known.index(member)] = k
    return rank


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
        class_names = sorted(found)
    records = (_voc_record(folder, name, tree, list(class_names)) for name, tree in trees.items())
    return gathered(records, class_names, size=size, name=f"{folder.name}, {split}")


def bccd(split: str = "train", *, size: int = 320) -> Examples:
    """Blood cells (Shenggan, 2018): three classes, 205 + 87 + 72 photographs, from ``COURSE_DATA``; see `voc`."""
    return voc(_course_data() / "bccd", split, size=size, class_names=("RBC", "WBC", "Platelets"))


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
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        categories = sorted(content["categories"], key=lambda category: category["id"])
        rank = {category["id"]: k for k, category in enumerate(categories)}
        boxes: dict[Any, list[Any]] = {image["id"]: [] for image in content["images"]}
        for a in content["annotations"]:
            x, y, w, h = map(float, a["bbox"])
            boxes[a["image_id"]].append(((x, y, x + w, y + h), rank[a["category_id"]], bool(a.get("iscrowd", 0))))
        files = [(image["id"], Path(images) / image["file_name"]) for image in content["images"][:n]]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError) as error:
        raise ValueError(
            f"{path} n'est pas un fichier d'annotations de COCO (images, annotations, categories) : {error!r}."
        ) from error
    records = (Record(read_image(file), *_columns(boxes[key]), file.name) for key, file in files)
    return gathered(records, [str(category["name"]) for category in categories], size=size, name=path.stem)


def coco128(split: str = "train", *, size: int = 320) -> Examples:
    """128 photographs of COCO's training ("train") or validation ("val") set, 80 classes, from ``COURSE_DATA``."""
    if split not in ("train", "val"):
        raise ValueError(f'coco128 a deux parties, "train" et "val" ; reçu : {split!r}.')
    with np.load(_course_data() / "coco128" / "coco128.npz", allow_pickle=False) as content:
        jpeg, offsets, boxes = (content[f"{key}_{split}"] for key in ("jpeg", "offsets", "boxes"))
        class_names = [str(name) for name in content["classes"]]
    records = (
        Record(
            _decoded(jpeg[start:stop], f"coco128, {split}, image {k}"),
            *_columns([(tuple(map(float, row[2:])), int(row[1]), False) for row in boxes[boxes[:, 0] == k]]),
            f"image {k}",
        )
        for k, (start, stop) in enumerate(zip(offsets[:-1], offsets[1:], strict=True))
    )
    return gathered(records, class_names, size=size, name=f"coco128, {split}")


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
        If the folder holds no image, or a line is not of this form.
    """
    files = sorted(file for file in Path(images).glob("*") if file.suffix.lower() in IMAGE_ENDS)
    if not files:
        raise FileNotFoundError(f"Aucune image ({', '.join(IMAGE_ENDS)}) dans {images}.")

    def read(file: Path) -> Record:
        image = read_image(file)
        height, width = image.shape[:2]
        text = Path(labels) / f"{file.stem}.txt"
        rows = []
        for number, line in enumerate(text.read_text().splitlines() if text.exists() else [], start=1):
            if not line.strip():
                continue
            kind, cx, cy, w, h = _yolo_line(line, f"{text.name}, ligne {number}", len(class_names))
            corners = ((cx - w / 2) * width, (cy - h / 2) * height, (cx + w / 2) * width, (cy + h / 2) * height)
            rows.append((corners, kind, False))
        return Record(image, *_columns(rows), file.name)

    return gathered(map(read, files), class_names, size=size, name=Path(images).name)


def gathered(records: Iterable[Record], class_names: Sequence[str], *, size: int, name: str) -> Examples:
    """Letterbox the images of records to one size, and their boxes with them.

    Boxes are cut at the borders of their image; those without area are left out, and a line says how many and where.
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
    return _decoded(np.fromfile(path, np.uint8), path.name)


def _decoded(content: NDArray[np.uint8], name: str) -> NDArray[np.uint8]:
    image = cv2.imdecode(content, cv2.IMREAD_COLOR) if len(content) else None
    if image is None:
        raise ValueError(f"{name} n'est pas une image lisible : fichier vide, tronqué ou d'un autre format.")
    return np.ascontiguousarray(image[:, :, ::-1], np.uint8)


def _columns(rows: Sequence[tuple[Any, int, bool]]) -> tuple[list[Any], list[int], list[bool]]:
    return [row[0] for row in rows], [row[1] for row in rows], [row[2] for row in rows]


def _listed(path: Path) -> list[str]:
    if not path.is_file():
        others = sorted(file.stem for file in path.parent.glob("*.txt"))
        raise FileNotFoundError(f"Liste introuvable : {path}. Parties présentes : {', '.join(others) or 'aucune'}.")
    return [line.split()[0] for line in path.read_text().splitlines() if line.strip()]


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
        # VOC counts pixels from 1 and includes the last one.
        rows.append(((x1 - 1, y1 - 1, x2, y2) if x2 > x1 and y2 > y1 else (0, 0, 0, 0),
                     class_names.index(kind), obj.findtext("difficult", "0").strip() == "1"))  # fmt: skip
    file = next((p for end in IMAGE_ENDS if (p := folder / "JPEGImages" / f"{name}{end}").is_file()), None)
    return Record(read_image(file or folder / "JPEGImages" / f"{name}.jpg"), *_columns(rows), name)


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


def _course_data() -> Path:
    folder = os.environ.get("COURSE_DATA")
    if not folder:
        raise FileNotFoundError(
            "Ce jeu se lit dans le dossier que désigne la variable d'environnement COURSE_DATA, qui n'est pas définie. "
            "Sans lui, entraînez sur la rue : sets.street(1000)."
        )
    return Path(folder)
