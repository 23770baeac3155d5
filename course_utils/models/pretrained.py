"""Trained networks, by name: those that the course ships in ``data/weights``, and the official ones of Keras.

A network of ours is a folder: ``weights.npz`` holds its arrays, mostly in half precision, and ``card.json`` says how to
build it, what its input is, what it learnt, under which licence and how well. `save_network` writes such a folder,
`load_pretrained` reads it back and checks its sha256. The official networks are described in ``data/weights.toml``.
Most of them classify; those whose card says ``"output": "detections"`` find objects: see `Pretrained.detector`.
"""

from __future__ import annotations

import contextlib
import datetime
import functools
import hashlib
import importlib
import json
import os
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from course_utils.data import fetch
from course_utils.data.catalogue import File
from course_utils.data.dataset import SOURCES
from course_utils.data.errors import CorruptFileError, DataError, UnavailableError, number, unknown
from course_utils.data.readers import read_npz
from course_utils.models import official
from course_utils.models.inputs import NORMALISATIONS, prepare
from course_utils.paths import ROOT

if TYPE_CHECKING:
    import keras

    from course_utils.detection.yolo.detector import Detector
    from course_utils.detection.yolo.heads import Network

SHIPPED = ROOT / "data" / "weights"
"""Where the networks of the course are: one folder for each."""

STAND_IN = "cifar10_resnet"
"""Network of the course that takes the place of an official one that cannot be had."""

STAND_IN_DETECTOR = "street_yolo"
"""The same for a detector."""

OUTPUTS = ("logits", "probabilities", "features", "detections")
"""What a network may give."""

REQUIRED = ("title", "input", "classes", "training_data", "licence", "seed", "score")
"""What the author of a network must say on its card; the rest is filled in by `save_network`."""


@dataclass(frozen=True, eq=False, repr=False)
class Pretrained:
    """A trained network and what is needed to use it.

    Attributes
    ----------
    model : keras.Model
        The network, its weights in float32.
    name : str
        Name of this network: with a stand-in, the name of the stand-in.
    source : {"embedded", "COURSE_DATA", "cache", "download", "stand-in"}
        Where the weights come from; ``"stand-in"`` means that it is not the network that was asked for.
    input_shape : tuple of int
        Height, width, channels of the images that the network takes.
    class_names : tuple of str
        Names of the outputs, in order; empty for a network without a head.
    preprocess : callable
        From images (N, H, W, C) in [0, 1], of any size, to what ``model`` takes: resized, normalised, float32.
    card : dict
        All that is known of the network: training data, licence, score.
    network : Network, optional
        For a detector: ``model`` and the meaning of its outputs.
    """

    model: keras.Model
    name: str
    source: str
    input_shape: tuple[int, int, int]
    class_names: tuple[str, ...]
    preprocess: Callable[[NDArray[Any]], NDArray[np.float32]]
    card: dict[str, Any]
    network: Network | None = None

    def __repr__(self) -> str:
        height, width, channels = self.input_shape
        heads = f"{len(self.class_names)} classes" if self.class_names else "sans tête"
        return (
            f"<Pretrained « {self.name} » : {self.card['title']}, {number(self.model.count_params())} paramètres, "
            f"images {height} × {width} × {channels}, {heads}, source : {SOURCES[self.source]}>"
        )

    def classify(self, images: NDArray[Any], *, top: int = 5) -> list[list[tuple[str, float]]]:
        """Return, for each image, the ``top`` most probable classes with their probabilities, best first.

        Parameters
        ----------
        images : ndarray, shape (N, H, W, C)
            In [0, 1], of any size.
        top : int
            Number of classes given for each image.

        Raises
        ------
        ValueError
            If the network has no head.
        """
        if self.network is not None:
            raise ValueError(f"« {self.name} » est un détecteur : écrivez .detector().detect(image).")
        if not self.class_names:
            raise ValueError(
                f"« {self.name} » n'a pas de tête de classification : il ne donne que des caractéristiques."
            )
        scores = self.model.predict(self.preprocess(images), batch_size=32, verbose=0).astype(np.float64)
        if self.card["output"] == "logits":
            scores = np.exp(scores - scores.max(axis=1, keepdims=True))
            scores /= scores.sum(axis=1, keepdims=True)
        best = np.argsort(-scores, axis=1)[:, :top]
        return [[(self.class_names[k], float(row[k])) for k in order] for row, order in zip(scores, best, strict=True)]

    def detector(self, **options: Any) -> Detector:
        """Return what finds objects in images of any size: see `course_utils.detection.yolo.Detector`.

        Parameters
        ----------
        **options
            Of `Detector`: ``confidence``, ``nms_threshold``, ``nms_kind``…

        Raises
        ------
        ValueError
            If the network is not a detector.
        """
        if self.network is None:
            raise ValueError(f"« {self.name} » n'est pas un détecteur : il classe des images, avec .classify(images).")
        from course_utils.detection.yolo.detector import Detector

        return Detector(self.network, self.class_names, **options)

    def features(self) -> keras.Model:
        """Return the network without its head: from a preprocessed image to the average of its last feature maps.

        The weights are shared with ``model``, not copied.
        """
        import keras

        maps = [
            layer.output
            for layer in self.model.layers
            if len(layer.output.shape) == 4 and max(layer.output.shape[1:3]) > 1
        ]
        pooled = keras.layers.GlobalAveragePooling2D(name="average")(maps[-1])
        return keras.Model(self.model.inputs, pooled, name=f"{self.model.name}_features")


def names() -> tuple[str, ...]:
    """Return the names that :func:`load_pretrained` knows: the course's own networks, then the official ones."""
    ours = sorted(path.parent.name for path in SHIPPED.glob("*/card.json"))
    return (*ours, *official.PRETRAINED)


def load_pretrained(name: str, *, download: bool | None = None, fallback: str | None = STAND_IN) -> Pretrained:
    """Load a trained network by its name.

    Parameters
    ----------
    name : str
        One of ours (``"cifar10_resnet"``, ``"digits_cnn"``, ``"street_sprites64"``, the detector ``"street_yolo"``) or
        an official one (``"mobilenet_v1_0.75"``, ``"resnet50"``, the detectors ``"yolov4"`` and
        ``"yolo_fastest_xl"``…: `PRETRAINED`). The files of an official network are looked for in
        ``$COURSE_DATA/weights``, in the cache, then on the network.
    download : bool, optional
        By default, what weighs up to 50 MB is downloaded. True: whatever it weighs; False: nothing.
        ``COURSE_OFFLINE=1`` in the environment forbids all downloads.
    fallback : str, optional
        Network of the course that takes the place of an official one that is nowhere to be had, announced by a visible
        line, with ``source="stand-in"``; for a detector, it is ``"street_yolo"`` unless another is named. None raises
        an error instead.

    Returns
    -------
    Pretrained
        The network, its class names, and the function that prepares its images.

    Raises
    ------
    RequestError
        (a ``ValueError``) for an unknown name.
    CorruptFileError
        For a file that has not the expected digest, or is damaged.
    UnavailableError
        With ``fallback=None``, when the weights are nowhere to be had.
    """
    if name not in official.PRETRAINED:
        return _load_shipped(name)
    try:
        return _load_official(name, download)
    except UnavailableError as absence:
        if fallback is None:
            raise
        if fallback == STAND_IN and official.catalogue()[name].card["output"] == "detections":
            fallback = STAND_IN_DETECTOR
        instead = load_network(SHIPPED / fallback, source="stand-in")
        print(f"{absence} : place au réseau du cours « {fallback} » ({instead.card['title']}).", flush=True)
        return instead


def _load_shipped(name: str) -> Pretrained:
    if not isinstance(name, str) or name not in names():
        raise unknown("réseau entraîné", name, names())
    return load_network(SHIPPED / name)


def _load_official(name: str, download: bool | None) -> Pretrained:
    entry = official.catalogue()[name]
    paths, origin = official.locate_weights(entry, download=download)
    if entry.card["output"] == "detections":
        return _official_detector(entry, paths, origin)
    model = build(entry.builder, entry.arguments)
    model.load_weights(paths[0])
    classes = official.imagenet_classes(download=download) if entry.card["output"] != "features" else ()
    preprocess = functools.partial(prepare, shape=entry.input_shape, normalisation=entry.normalisation)
    return Pretrained(model, name, origin, entry.input_shape, classes, preprocess, entry.card)


def _official_detector(entry: official.Official, paths: list[Path], origin: str) -> Pretrained:
    """Fill a network from a Darknet file: that of its own ``.cfg`` if it comes with one, else ours of the same name."""
    from course_utils.detection import coco, darknet

    *configs, weights = paths
    if configs:
        network = darknet.load(configs[0], weights)
    else:
        network = _built(entry.builder, entry.arguments)
        darknet.read_weights(network, weights)
    preprocess = functools.partial(prepare, shape=entry.input_shape, normalisation=entry.normalisation)
    return Pretrained(
        network.model, entry.name, origin, entry.input_shape, coco.CLASS_NAMES, preprocess, entry.card, network
    )


def build(builder: str, arguments: Mapping[str, Any]) -> keras.Model:
    """Build an untrained network from the words of a card.

    Parameters
    ----------
    builder : str
        ``"resnet.resnet_cifar"``: module of `course_utils.models`, then function; ``"applications.ResNet50"``: an
        architecture of ``keras.applications``; ``"detection.yolo.network.yolov4_tiny"``: a detector.
    arguments : mapping
        Keyword arguments; lists become tuples, since JSON has no tuples.

    Raises
    ------
    DataError
        If there is no such function.
    """
    made = _built(builder, arguments)
    return getattr(made, "model", made)


def _built(builder: str, arguments: Mapping[str, Any]) -> Any:
    """Return what the builder gives: a Keras model, or a detection `Network` that holds one."""
    module, _, function = builder.rpartition(".")
    rooms = {"applications": "keras.applications", "detection": f"course_utils.{module}"}
    home = rooms.get(module.partition(".")[0], f"course_utils.models.{module}")
    try:
        make = getattr(importlib.import_module(home), function)
    except (ImportError, AttributeError) as error:
        raise DataError(f"Une carte demande le constructeur « {builder} », qui n'existe pas dans {home}.") from error
    return make(**{key: tuple(value) if isinstance(value, list) else value for key, value in arguments.items()})


def load_network(folder: Path | str, *, source: str = "embedded") -> Pretrained:
    """Read back a folder written by :func:`save_network`.

    Parameters
    ----------
    folder : path
        Holds ``card.json`` and ``weights.npz``.
    source : str
        Value of ``source`` in the result.

    Raises
    ------
    CorruptFileError
        If the card cannot be read, or the weights have not the digest that it gives, or do not fit the network.
    """
    folder = Path(folder)
    card = _read_card(folder / "card.json")
    path = folder / "weights.npz"
    if not path.is_file():
        raise CorruptFileError(f"Le fichier {path} manque. Récupérez-le avec le dépôt du cours, puis relancez.")
    fetch.verify(path, File(path.name, card["bytes"], (card["sha256"],)))
    arrays = read_npz(path)
    made = _built(card["builder"], card["arguments"])
    model = getattr(made, "model", made)
    _fill(model, [arrays[key] for key in sorted(arrays)], path)
    shape = tuple(card["input"]["shape"])
    preprocess = functools.partial(prepare, shape=shape, normalisation=card["input"]["normalisation"])
    network = made if card["output"] == "detections" else None
    return Pretrained(model, folder.name, source, shape, tuple(card["classes"]), preprocess, card, network)


def _read_card(path: Path) -> dict[str, Any]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise CorruptFileError(f"La carte {path} manque ou est illisible ({error.strerror}).") from error
    except ValueError as error:
        raise CorruptFileError(f"La carte {path} est abîmée ({error}). Récupérez-la avec le dépôt du cours.") from error
    if missing := {*REQUIRED, "builder", "arguments", "bytes", "sha256", "output"} - set(card):
        raise CorruptFileError(f"La carte {path} est incomplète : il y manque {', '.join(sorted(missing))}.")
    return card


def _fill(model: keras.Model, arrays: list[NDArray[Any]], path: Path) -> None:
    found, wanted = [array.shape for array in arrays], [tuple(weight.shape) for weight in model.weights]
    if found != wanted:
        raise CorruptFileError(
            f"Le fichier {path} ne convient pas à ce réseau : {len(found)} tableaux pour {len(wanted)} attendus"
            + "".join(f", {a} au lieu de {b}" for a, b in zip(found, wanted, strict=False) if a != b)[:200]
            + ". Le constructeur a peut-être changé depuis l'entraînement."
        )
    model.set_weights([array.astype(np.float32) for array in arrays])


def save_network(
    model: keras.Model,
    folder: Path | str,
    *,
    builder: str,
    arguments: Mapping[str, Any],
    card: Mapping[str, Any],
    dtype: str = "float16",
) -> dict[str, Any]:
    """Write a trained network into a folder: ``weights.npz`` and ``card.json``.

    Both appear whole or not at all. The network is built again from the card and filled from the arrays before
    anything is written, so that what is written can be read back.

    Parameters
    ----------
    model : keras.Model
        Trained; its weights are saved in the order of ``get_weights``.
    folder : path
        For instance ``data/weights/cifar10_resnet``; made if need be.
    builder : str
        Module of `course_utils.models`, then function: ``"resnet.resnet_cifar"``; for a detector,
        ``"detection.yolo.network.yolov4_tiny"``.
    arguments : mapping
        Keyword arguments of the builder, such as JSON can hold.
    card : mapping
        - ``title``: the network in a few words of French;
        - ``input``: ``{"shape": [H, W, C], "normalisation": …}``, see `course_utils.models.inputs`: ``"none"`` when the
          network itself normalises images in [0, 1];
        - ``classes``: names of the outputs, in order;
        - ``training_data``, ``licence``: text;
        - ``seed``: int;
        - ``score``: measured, for instance ``{"accuracy": 0.912, "on": "cifar10, test"}``;
        - ``output``: ``"logits"`` (the default), ``"probabilities"``, ``"features"`` or ``"detections"``; and whatever
          else is worth saying (epochs, time…).
    dtype : {"float16", "float32"}
        Of the arrays; moving variances always stay in float32, where half precision would lose the small ones.

    Returns
    -------
    dict
        The card as written: yours, with ``builder``, ``arguments``, ``parameters``, ``dtype``, ``date``, ``bytes``,
        ``sha256``.

    Raises
    ------
    ValueError
        If the card lacks something, the builder does not give this network, or a weight overflows ``dtype``.
    """
    folder = Path(folder)
    full: dict[str, Any] = {"output": "logits", **card, "builder": builder, "arguments": dict(arguments)}
    _check_card(full)
    arrays = _packed(model, dtype)
    again = build(builder, json.loads(json.dumps(full["arguments"])))
    if [tuple(w.shape) for w in again.weights] != [array.shape for array in arrays.values()]:
        raise ValueError(f"{builder}({dict(arguments)}) ne reconstruit pas ce réseau : vérifiez builder et arguments.")
    folder.mkdir(parents=True, exist_ok=True)
    with _replacing(folder / "weights.npz") as draft:
        with draft.open("wb") as file:
            np.savez_compressed(file, allow_pickle=False, **arrays)
        content = draft.read_bytes()
    full |= {
        "parameters": model.count_params(),
        "dtype": dtype,
        "date": datetime.date.today().isoformat(),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
    }
    with _replacing(folder / "card.json") as draft:
        draft.write_text(json.dumps(full, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    return full


def _check_card(card: Mapping[str, Any]) -> None:
    if missing := [key for key in REQUIRED if key not in card]:
        raise ValueError(f"Il manque à la carte : {', '.join(missing)}.")
    given = card["input"]
    if len(given.get("shape", ())) != 3 or given.get("normalisation") not in NORMALISATIONS:
        raise ValueError(
            f"input vaut {given} ; on attend {{'shape': [H, W, C], 'normalisation': …}}, la normalisation étant l'une "
            f"de {', '.join(NORMALISATIONS)}."
        )
    if card["output"] not in OUTPUTS:
        raise ValueError(f"output vaut « {card['output']} » ; on attend l'un de {', '.join(OUTPUTS)}.")


def _packed(model: keras.Model, dtype: str) -> dict[str, NDArray[Any]]:
    """Return the weights by rank, in their order; the variable's last name tells the moving variances."""
    if dtype not in ("float16", "float32"):
        raise ValueError(f"dtype vaut « {dtype} » ; on attend float16 ou float32.")
    arrays = {}
    for rank, (variable, value) in enumerate(zip(model.weights, model.get_weights(), strict=True)):
        kept = "float32" if variable.name == "moving_variance" else dtype
        with np.errstate(over="ignore"):
            array = np.asarray(value).astype(kept)
        if not np.isfinite(array).all():
            raise ValueError(f"{variable.path} a des valeurs infinies ou non définies en {kept}.")
        arrays[f"{rank:04d}"] = array
    return arrays


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """Give a draft beside `path`, which takes its name at the end of a block that went well."""
    draft = path.with_name(f"{path.stem}-{uuid.uuid4().hex[:8]}.part")
    try:
        yield draft
        os.replace(draft, path)
    finally:
        draft.unlink(missing_ok=True)
