"""The file formats of the data sets: idx, ``.npz``, packed images, the binary archive of CIFAR-10. Never pickle."""

from __future__ import annotations

import gzip
import math
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.data.errors import CorruptFileError

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Encoded:
    """Labels at hand, images still to be decoded: a small subset costs little.

    Attributes
    ----------
    labels : ndarray of int64, shape (N,)
        Class of every image of the file.
    decode : callable
        From an array of indices, shape (n,), to those images: uint8 in [0, 255], or float32 in [0, 1], (n, H, W, C).
    """

    labels: NDArray[np.int64]
    decode: Callable[[Indices], NDArray[Any]]


def _damaged(path: Path, reason: str) -> CorruptFileError:
    advice = "Supprimez-le et procurez-vous une copie intacte, puis relancez."
    return CorruptFileError(f"Le fichier {path} est inutilisable : {reason}. {advice}")


def read_idx(path: Path) -> NDArray[np.uint8]:
    """Read an idx file of bytes, compressed by gzip or not (LeCun, 1998).

    Parameters
    ----------
    path : pathlib.Path
        The file: two zero bytes, type 8 (unsigned byte), number of axes, one big-endian uint32 per axis, the values.

    Returns
    -------
    ndarray of uint8
        Of the shape written in the file; read-only.

    Raises
    ------
    CorruptFileError
        If the gzip stream or the idx content is damaged or truncated, or holds another type.
    """
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _damaged(path, f"l'archive gzip est tronquée ou abîmée ({error})") from error
    header = 4 + 4 * content[3] if content[:3] == b"\0\0\x08" and len(content) > 3 else len(content) + 1
    if len(content) < header:
        raise _damaged(path, "ce n'est pas un fichier idx d'octets, ou il est tronqué")
    shape = struct.unpack(f">{content[3]}I", content[4:header])
    if len(content) != header + math.prod(shape):
        raise _damaged(path, f"l'en-tête idx annonce {shape}, mais le fichier déplié fait {len(content)} octets")
    return np.frombuffer(content, np.uint8, offset=header).reshape(shape)


def read_npz(path: Path, keys: Sequence[str] | None = None) -> dict[str, NDArray[Any]]:
    """Read arrays from an ``.npz`` archive.

    Parameters
    ----------
    path : pathlib.Path
        The archive.
    keys : sequence of str, optional
        The arrays wanted; all of them by default.

    Returns
    -------
    dict of ndarray
        The arrays by name.

    Raises
    ------
    CorruptFileError
        If the archive is damaged or truncated, lacks an array, or holds Python objects, which are never unpickled.
    """
    if not zipfile.is_zipfile(path):
        raise _damaged(path, "ce n'est pas une archive .npz, ou elle est tronquée")
    try:
        with np.load(path, allow_pickle=False) as archive:
            missing = set(keys or ()) - set(archive.files)
            if missing:
                raise _damaged(path, f"il y manque {', '.join(sorted(missing))}")
            arrays = {key: archive[key] for key in keys or archive.files}
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise _damaged(path, f"l'archive .npz est abîmée ({error})") from error
    except ValueError as error:
        if "allow_pickle" in str(error):
            raise _damaged(path, "il contient des objets Python (pickle), que le cours refuse de lire") from error
        raise _damaged(path, f"un tableau de l'archive est abîmé ({error})") from error
    for key, array in arrays.items():
        if not isinstance(array, np.ndarray):  # NumPy hands over as bytes whatever has not the form of an array
            raise _damaged(path, f"{key} n'est pas un tableau")
    return arrays


def open_idx(paths: Sequence[Path], split: str) -> Encoded:
    """Open a pair of idx files, images then labels; `split` is not used, each pair holds one."""
    images_path, labels_path = paths
    images, labels = read_idx(images_path), read_idx(labels_path)
    if images.ndim != 3 or labels.shape != images.shape[:1]:
        raise _damaged(images_path, f"images de forme {images.shape} pour des étiquettes de forme {labels.shape}")
    return Encoded(labels.astype(np.int64), lambda indices: images[indices, :, :, np.newaxis])


def open_packed(paths: Sequence[Path], split: str, *, side: int | None = None) -> Encoded:
    """Open colour images packed end to end in an ``.npz``: ``jpeg_<split>``, ``offsets_<split>``, ``y_<split>``.

    Image i is the JPEG file ``jpeg[offsets[i]:offsets[i + 1]]``; only the images asked for are decoded. With `side`,
    each is cropped to its central square, then resized to `side` × `side` pixels; without, all must have one size.
    """
    (path,) = paths
    names = [f"{part}_{split}" for part in ("jpeg", "offsets", "y")]
    jpeg, offsets, labels = read_npz(path, names).values()
    if len(offsets) != len(labels) + 1 or offsets[-1] != len(jpeg) or (offsets[1:] <= offsets[:-1]).any():
        raise _damaged(path, "la table de ses images ne correspond pas à son contenu")

    def decode(indices: Indices) -> NDArray[Any]:
        import cv2

        images = []
        for i in indices:
            image = cv2.imdecode(jpeg[offsets[i] : offsets[i + 1]], cv2.IMREAD_COLOR_RGB)
            if image is None:
                raise _damaged(path, f"son image n° {i} est illisible")
            images.append(image if side is None else central_square(image, side))
        return np.stack(images)

    return Encoded(labels.astype(np.int64), decode)


def central_square(image: NDArray[Any], side: int) -> NDArray[Any]:
    """Crop an image (H, W, C) to its central square and resize it to `side` pixels.

    A square that shrinks is averaged by areas, one that grows is interpolated bilinearly.
    """
    import cv2

    least = min(image.shape[:2])
    top, left = (image.shape[0] - least) // 2, (image.shape[1] - least) // 2
    square = image[top : top + least, left : left + least]
    method = cv2.INTER_AREA if side <= least else cv2.INTER_LINEAR
    return cv2.resize(square, (side, side), interpolation=method)


def open_cifar10(paths: Sequence[Path], split: str) -> Encoded:
    """Open the official binary archive of CIFAR-10 (Krizhevsky, 2009); its members are read in memory.

    Each record is one byte of label, then the 32×32 red plane, the green one and the blue one.
    """
    (path,) = paths
    wanted = [f"data_batch_{i}.bin" for i in range(1, 6)] if split == "train" else ["test_batch.bin"]
    members: dict[str, bytes] = {}
    try:
        with gzip.open(path) as content, tarfile.open(fileobj=content) as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if name in wanted and (stream := archive.extractfile(member)):
                    members[name] = stream.read()
            content.read()  # to the last byte, where gzip keeps its checksum
    except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _damaged(path, f"l'archive tar.gz est tronquée ou abîmée ({error})") from error
    if missing := set(wanted) - set(members):
        raise _damaged(path, f"il y manque {', '.join(sorted(missing))}")
    batches = b"".join(members[name] for name in wanted)
    if len(batches) % 3073:
        raise _damaged(path, "la taille de ses lots n'est pas un nombre entier d'images")
    records = np.frombuffer(batches, np.uint8).reshape(-1, 3073)
    return Encoded(
        records[:, 0].astype(np.int64),
        lambda indices: records[indices, 1:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1),
    )


FORMATS: dict[str, Callable[..., Encoded]] = {
    "idx": open_idx,
    "packed": open_packed,
    "cifar10-binary": open_cifar10,
}
"""Reader of each format named in ``data/sources.toml``: from the files of a split, and the split, to its images."""
