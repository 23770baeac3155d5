"""Darknet's file of weights: a header of 16 or 20 bytes, then nothing but float32, one convolution after another.

For each convolution, in the order of the ``.cfg``: the biases; if it is normalised, the scales, the means and the
variances; the kernel, as (out, in, height, width). Nothing says where a layer ends: only the ``.cfg`` tells, and a
file read with the wrong one gives a network full of noise. Hence the checks, which need neither Keras nor memory.
"""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from course_utils.data.errors import CorruptFileError, number
from course_utils.detection.darknet.config import Config, ConfigError
from course_utils.detection.darknet.planning import plan

if TYPE_CHECKING:
    import keras

    from course_utils.detection.yolo.heads import Network

FOREIGN = {
    b"\x89HDF": "un fichier HDF5 (Keras .h5) : « model.load_weights » le lira",
    b"PK\x03\x04": "une archive ZIP (.npz, .keras ou PyTorch)",
    b"\x80\x02": "un pickle (PyTorch)",
    b"<!DO": "une page web, enregistrée à la place du fichier",
    b"<htm": "une page web, enregistrée à la place du fichier",
    b"vers": "un pointeur Git LFS : « git lfs pull » donnera le fichier lui-même",
    b"[net": "un .cfg : les deux fichiers ont été échangés",
    b"\x1f\x8b": "une archive gzip : décompressez-la",
}
"""First bytes of what is most often given instead."""


@dataclass(frozen=True)
class Header:
    """First bytes of the file.

    Attributes
    ----------
    major, minor, revision : int
        Version of the format: 0.2.5 for all the official YOLOv4.
    seen : int
        Images seen in training: 8 bytes from version 0.2 on, 4 bytes before.
    """

    major: int = 0
    minor: int = 2
    revision: int = 5
    seen: int = 0

    @property
    def size(self) -> int:
        """Bytes that it takes."""
        return struct.calcsize(self._layout)

    @property
    def _layout(self) -> str:
        return "<iii" + ("Q" if self.major * 10 + self.minor >= 2 else "I")

    def pack(self) -> bytes:
        """Return its bytes."""
        return struct.pack(self._layout, self.major, self.minor, self.revision, self.seen)

    @classmethod
    def unpack(cls, content: bytes) -> Header:
        """Read it from the first bytes of a file (20 are enough)."""
        version = struct.unpack("<iii", content[:12])
        layout = cls(*version)._layout
        return cls(*struct.unpack(layout, content[: struct.calcsize(layout)]))


def check_weights(config: Config, path: str | Path) -> Header:
    """Check that a file has the header and the length that a configuration calls for, without reading further.

    Parameters
    ----------
    config : Config
    path : path

    Returns
    -------
    Header

    Raises
    ------
    ConfigError
        If the configuration makes no sense.
    CorruptFileError
        If the file is foreign, truncated, or of another network.
    FileNotFoundError
        If there is no such file.
    """
    expected = plan(config).parameters
    header, size = _open(Path(path))
    if size - header.size != 4 * expected:
        raise CorruptFileError(_mismatch(Path(path).name, size, header, expected, _other_classes(config, size, header)))
    return header


def read_weights(network: Network, path: str | Path) -> Header:
    """Fill a network from a Darknet file; nothing is changed if the file does not fit.

    Parameters
    ----------
    network : Network
        From ``darknet.build``, or a readable one: its ``convolutions`` are in the order of the file.
    path : path

    Returns
    -------
    Header
        To be given to `write_weights`, which then writes the same bytes again.

    Raises
    ------
    CorruptFileError
        If the file is foreign, truncated, or of another network.
    FileNotFoundError
        If there is no such file.
    """
    path = Path(path)
    header, size = _open(path)
    expected = sum(_count(conv, norm) for conv, norm in network.convolutions)
    if size - header.size != 4 * expected:
        raise CorruptFileError(_mismatch(path.name, size, header, expected, None))
    values = np.fromfile(path, "<f4", offset=header.size)
    start = 0
    for conv, norm in network.convolutions:
        end = start + _count(conv, norm)
        _fill(conv, norm, values[start:end])
        start = end
    return header


def write_weights(network: Network, path: str | Path, *, header: Header | None = None) -> None:
    """Write a network as a Darknet file; it appears whole or not at all.

    Parameters
    ----------
    network : Network
    path : path
    header : Header, optional
        The version of the official files, and no image seen, by default.
    """
    path = Path(path)
    draft = path.with_name(path.name + ".partial")
    with draft.open("wb") as file:
        file.write((header or Header()).pack())
        for conv, norm in network.convolutions:
            for array in _arrays(conv, norm):
                file.write(np.ascontiguousarray(array, "<f4").tobytes())
    os.replace(draft, path)


def _open(path: Path) -> tuple[Header, int]:
    """Return the header and the length of a file, refusing what is no Darknet file at all."""
    if not path.is_file():
        raise FileNotFoundError(f"Pas de fichier {path} : donnez le chemin d'un .weights de Darknet.")
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(20)
    for signature, what in FOREIGN.items():
        if head.startswith(signature):
            raise CorruptFileError(f"{path.name} n'est pas un .weights de Darknet : c'est {what}.")
    if len(head) < 20:
        raise CorruptFileError(
            f"{path.name} ne fait que {size} octets : un .weights commence par 16 ou 20 octets d'en-tête, suivis de "
            "millions de nombres. Le téléchargement s'est sans doute interrompu : recommencez-le."
        )
    header = Header.unpack(head)
    if not (0 <= header.major <= 1000 and 0 <= header.minor <= 1000 and header.revision >= 0):
        raise CorruptFileError(
            f"{path.name} n'est pas un .weights de Darknet : son en-tête annonce la version "
            f"{header.major}.{header.minor}.{header.revision}, on attendait 0.1 ou 0.2. Un .h5, un .pt ou un .onnx "
            "renommé ne se lit pas ainsi."
        )
    return header, size


def _mismatch(name: str, size: int, header: Header, expected: int, classes: int | None) -> str:
    """Say what was expected, what was found, and the usual cause."""
    wanted = header.size + 4 * expected
    found, missing = number(size), wanted - size
    facts = f"{name} fait {found} octets ; ce réseau en attend {number(wanted)} ({number(expected)} nombres)."
    if classes is not None:
        return f"{facts} C'est la longueur du même réseau à {classes} classes : changez « classes » et « filters »."
    if (size - header.size) % 4:
        return f"{facts} Ce n'est pas un nombre entier de float32 : le fichier est tronqué, téléchargez-le de nouveau."
    if missing > 0:
        return (
            f"{facts} Il en manque {number(missing)} : téléchargement interrompu, poids du seul début du réseau "
            "(.conv.29, .conv.137), ou .cfg d'un autre réseau."
        )
    return f"{facts} Il y en a {number(-missing)} de trop : ce .weights est celui d'un autre .cfg."


def _other_classes(config: Config, size: int, header: Header) -> int | None:
    """Return the number of classes with which the file would have had the right length, if there is one."""
    one, two = (plan(config.with_classes(classes)).parameters for classes in (1, 2))
    rest = (size - header.size) - 4 * one
    classes, remainder = divmod(rest, 4 * (two - one))
    return 1 + classes if remainder == 0 and 0 <= classes < 10_000 else None


def _count(conv: keras.Layer, norm: keras.Layer | None) -> int:
    kernel = tuple(conv.kernel.shape)
    return int(np.prod(kernel)) + _filters(conv) * (1 if norm is None else 4)


def _is_depthwise(conv: keras.Layer) -> bool:
    return hasattr(conv, "depth_multiplier")


def _filters(conv: keras.Layer) -> int:
    kernel = tuple(conv.kernel.shape)
    return kernel[2] * kernel[3] if _is_depthwise(conv) else kernel[3]


def _fill(conv: keras.Layer, norm: keras.Layer | None, values: NDArray[np.float32]) -> None:
    """Give a convolution and its normalisation the numbers that the file holds for them."""
    filters, shape = _filters(conv), tuple(conv.kernel.shape)
    vectors = 1 if norm is None else 4
    bias, *statistics = values[: vectors * filters].reshape(vectors, filters)
    kernel = values[vectors * filters :]
    if _is_depthwise(conv):
        kernel = kernel.reshape(shape[2], shape[3], shape[0], shape[1]).transpose(2, 3, 0, 1)
    else:
        kernel = kernel.reshape(shape[3], shape[2], shape[0], shape[1]).transpose(2, 3, 1, 0)
    if norm is None:
        conv.set_weights([kernel, bias])
    else:
        scale, mean, variance = statistics
        conv.set_weights([kernel])
        norm.set_weights([scale, bias, mean, variance])


def _arrays(conv: keras.Layer, norm: keras.Layer | None) -> list[NDArray[np.float32]]:
    """Return the arrays of a convolution in the order and the layout of the file."""
    if norm is None:
        kernel, bias = conv.get_weights()
        vectors = [bias]
    else:
        (kernel,) = conv.get_weights()
        scale, bias, mean, variance = norm.get_weights()
        vectors = [bias, scale, mean, variance]
    axes = (2, 3, 0, 1) if _is_depthwise(conv) else (3, 2, 0, 1)
    return [*vectors, kernel.transpose(axes)]


__all__ = ["ConfigError", "CorruptFileError", "Header", "check_weights", "read_weights", "write_weights"]
