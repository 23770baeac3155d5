"""What a Darknet configuration amounts to: the shape of each layer and the length of the file of weights.

Nothing is allocated here: sizes are whole numbers, worked out from the text with Darknet's own rules. A faulty
configuration is found out before any array exists.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from course_utils.detection.darknet.config import Config, ConfigError, Section

ACTIVATIONS = ("linear", "leaky", "mish", "logistic", "relu", "swish")
"""Activations that are read."""

LARGEST_NETWORK = 2_000_000_000
"""Parameters above which a configuration is taken for a mistake: yolov4 has 64 million."""

_UNSUPPORTED = (
    "antialiasing",
    "assisted_excitation",
    "binary",
    "deform",
    "rotate",
    "share_index",
    "stretch",
    "sway",
    "xnor",
)
_NO_WEIGHTS = ("none", "0")
_NMS_KINDS = {"default": "greedy", "greedynms": "greedy", "diounms": "diou", "cornersnms": "greedy"}


@dataclass(frozen=True)
class Layer:
    """One layer, its numbers worked out.

    Attributes
    ----------
    kind : str
        "convolutional", "maxpool", "upsample", "route", "shortcut", "dropout" or "yolo".
    shape : tuple of int
        Height, width and channels of its output.
    sources : tuple of int
        Layers whose outputs it reads; −1 is the image.
    section : Section
        Where the rest is written.
    parameters : int
        Numbers that it takes from the file of weights.
    """

    kind: str
    shape: tuple[int, int, int]
    sources: tuple[int, ...]
    section: Section
    parameters: int = 0


@dataclass(frozen=True)
class Plan:
    """A whole network: its layers, with their shapes.

    Attributes
    ----------
    config : Config
    layers : tuple of Layer
    """

    config: Config
    layers: tuple[Layer, ...]

    @property
    def parameters(self) -> int:
        """Numbers in the file of weights, header excepted."""
        return sum(layer.parameters for layer in self.layers)

    @property
    def heads(self) -> tuple[int, ...]:
        """Numbers of the ``[yolo]`` layers."""
        return tuple(rank for rank, layer in enumerate(self.layers) if layer.kind == "yolo")

    def shape(self, rank: int) -> tuple[int, int, int]:
        """Height, width and channels that a layer gives; −1 is the image."""
        return self.config.input_shape if rank < 0 else self.layers[rank].shape


def plan(config: Config) -> Plan:
    """Work out the shapes and the counts of a network, and check that its layers fit each other.

    Parameters
    ----------
    config : Config

    Returns
    -------
    Plan

    Raises
    ------
    ConfigError
        At the first section that is unknown, or does not fit what comes before.
    """
    layers: list[Layer] = []
    _ = config.input_shape, config.classes
    for rank, section in enumerate(config.sections):
        if section.kind not in _PLANNERS:
            raise section.fault(
                f"cette sorte de couche n'est pas lue ; celles de YOLOv3 et YOLOv4 le sont : {', '.join(_PLANNERS)}"
            )
        layers.append(_PLANNERS[section.kind](section, rank, Plan(config, tuple(layers))))
        if sum(layer.parameters for layer in layers[-1:]) > LARGEST_NETWORK:
            raise section.fault(f"{layers[-1].parameters} paramètres dans une seule couche : « filters » est démesuré")
    return Plan(config, tuple(layers))


def kernel_shape(section: Section, channels: int) -> tuple[int, int, int, int]:
    """Return (out, in / groups, height, width): a convolution's kernel as the file of weights holds it."""
    filters, size = section.integer("filters", 1, least=1), section.integer("size", 1, least=1)
    groups = section.integer("groups", 1, least=1)
    if channels % groups or filters % groups:
        raise section.fault(
            f"{groups} groupes ne se partagent ni {channels} canaux d'entrée, ni {filters} filtres sans reste"
        )
    return filters, channels // groups, size, size


def padding_of(section: Section) -> int:
    """Return the zeros that a convolution puts on each side: ``size // 2`` if ``pad=1``, else ``padding``."""
    return section.integer("size", 1) // 2 if section.integer("pad") else section.integer("padding", least=0)


def _convolutional(section: Section, rank: int, before: Plan) -> Layer:
    for key in _UNSUPPORTED:
        if section.integer(key):
            raise section.fault(f"l'option « {key} » n'est pas lue")
    if section.integer("dilation", 1) != 1:
        raise section.fault("les convolutions dilatées ne sont pas lues")
    _check_activation(section, "logistic")
    height, width, channels = before.shape(rank - 1)
    kernel = kernel_shape(section, channels)
    filters, depth, size, _ = kernel
    stride, margin = section.integer("stride", 1, least=1), 2 * padding_of(section)
    shape = (height + margin - size) // stride + 1, (width + margin - size) // stride + 1, filters
    if min(shape) < 1:
        raise section.fault(f"un noyau {size} × {size} ne tient pas dans une image {height} × {width}")
    parameters = filters * depth * size * size + filters * (4 if section.integer("batch_normalize") else 1)
    return Layer("convolutional", shape, (rank - 1,), section, parameters)


def _maxpool(section: Section, rank: int, before: Plan) -> Layer:
    if section.integer("maxpool_depth") or section.integer("antialiasing"):
        raise section.fault("les options « maxpool_depth » et « antialiasing » ne sont pas lues")
    height, width, channels = before.shape(rank - 1)
    stride = section.integer("stride", 1, least=1)
    size = section.integer("size", stride, least=1)
    margin = section.integer("padding", size - 1, least=0)
    shape = (height + margin - size) // stride + 1, (width + margin - size) // stride + 1, channels
    if min(shape) < 1:
        raise section.fault(f"une fenêtre {size} × {size} ne tient pas dans une image {height} × {width}")
    return Layer("maxpool", shape, (rank - 1,), section)


def _upsample(section: Section, rank: int, before: Plan) -> Layer:
    if section.number("scale", 1.0) != 1.0:
        raise section.fault("l'option « scale » n'est pas lue")
    height, width, channels = before.shape(rank - 1)
    stride = section.integer("stride", 2, least=1)
    return Layer("upsample", (height * stride, width * stride, channels), (rank - 1,), section)


def _dropout(section: Section, rank: int, before: Plan) -> Layer:
    if not 0 <= section.number("probability", 0.5) < 1:
        raise section.fault("« probability » va de 0 à 1, 1 exclu")
    return Layer("dropout", before.shape(rank - 1), (rank - 1,), section)


def _route(section: Section, rank: int, before: Plan) -> Layer:
    sources = _sources(section, "layers", rank, before)
    groups, part = section.integer("groups", 1, least=1), section.integer("group_id", least=0)
    shapes = [before.shape(source) for source in sources]
    if any(shape[:2] != shapes[0][:2] for shape in shapes):
        raise section.fault(
            f"les couches {', '.join(map(str, sources))} n'ont pas la même taille ({_sizes(shapes)}) : elles ne se "
            "mettent pas côte à côte. La hauteur et la largeur de [net] sont-elles des multiples de 32 ?"
        )
    if part >= groups or any(shape[2] % groups for shape in shapes):
        raise section.fault(f"la part {part} de {groups} n'existe pas dans {_sizes(shapes)}")
    channels = sum(shape[2] // groups for shape in shapes)
    return Layer("route", (*shapes[0][:2], channels), sources, section)


def _shortcut(section: Section, rank: int, before: Plan) -> Layer:
    if section.word("weights_type", "none") not in _NO_WEIGHTS:
        raise section.fault("les raccourcis pondérés (« weights_type ») ne sont pas lus")
    _check_activation(section, "linear")
    if rank == 0:
        raise section.fault("un raccourci s'ajoute à la couche précédente, et il n'y en a pas")
    sources = (rank - 1, *_sources(section, "from", rank, before))
    shapes = [before.shape(source) for source in sources]
    if len(set(shapes)) > 1:
        raise section.fault(f"on n'ajoute que des couches de même forme ; ici {_sizes(shapes)}")
    return Layer("shortcut", shapes[0], sources, section)


def _yolo(section: Section, rank: int, before: Plan) -> Layer:
    height, width, channels = before.shape(rank - 1)
    mask, anchors = section.integers("mask"), section.numbers("anchors")
    classes = section.integer("classes", 20, least=1)
    total = section.integer("num", 1, least=1)
    if len(anchors) != 2 * total or not mask or not all(0 <= index < total for index in mask):
        raise section.fault(
            f"« num = {total} » annonce {2 * total} nombres dans « anchors », qui en a {len(anchors)}, et un « mask » "
            f"d'indices de 0 à {total - 1}, qui vaut {list(mask)}"
        )
    wanted = len(mask) * (5 + classes)
    if channels != wanted:
        raise section.fault(
            f"{len(mask)} ancres × (5 + {classes} classes) font {wanted} canaux, et la convolution qui précède en a "
            f"{channels} : corrigez son « filters », ou « classes »"
        )
    rows, columns, _ = before.config.input_shape
    if rows % height or columns % width or rows // height != columns // width:
        raise section.fault(
            f"la grille {height} × {width} ne divise pas l'image {rows} × {columns} en carrés : donnez à [net] une "
            "hauteur et une largeur multiples de 32"
        )
    if section.word("nms_kind", "default") not in _NMS_KINDS:
        raise section.fault(f"« nms_kind = {section.options['nms_kind']} » est inconnu : {', '.join(_NMS_KINDS)}")
    return Layer("yolo", (height, width, channels), (rank - 1,), section)


def nms_kind(section: Section) -> str:
    """Return the suppression that a ``[yolo]`` section asks for: "greedy" or "diou"."""
    return _NMS_KINDS[section.word("nms_kind", "default")]


_PLANNERS: dict[str, Callable[[Section, int, Plan], Layer]] = {
    "convolutional": _convolutional,
    "maxpool": _maxpool,
    "upsample": _upsample,
    "dropout": _dropout,
    "route": _route,
    "shortcut": _shortcut,
    "yolo": _yolo,
}


def _sources(section: Section, key: str, rank: int, before: Plan) -> tuple[int, ...]:
    """Return the numbers of the layers that `key` names; negative ones count back from this layer."""
    named = section.integers(key)
    if not named:
        raise section.fault(f"il manque « {key} », les couches à reprendre")
    sources = tuple(rank + index if index < 0 else index for index in named)
    for index, source in zip(named, sources, strict=True):
        if not 0 <= source < rank:
            raise section.fault(f"« {key} » désigne la couche {index}, qui n'est pas avant celle-ci (la {rank})")
        if before.layers[source].kind == "yolo":
            raise section.fault(f"« {key} » désigne la couche {source}, une tête [yolo], qui ne se reprend pas")
    return sources


def _check_activation(section: Section, default: str) -> None:
    if (name := section.word("activation", default)) not in ACTIVATIONS:
        raise section.fault(f"l'activation « {name} » n'est pas lue ; celles-ci le sont : {', '.join(ACTIVATIONS)}")


def _sizes(shapes: list[tuple[int, int, int]]) -> str:
    return ", ".join(" × ".join(map(str, shape)) for shape in shapes)


__all__ = ["ConfigError", "Layer", "Plan", "kernel_shape", "nms_kind", "padding_of", "plan"]
