"""Videos in and out: read, write, and show in a notebook, from a file or from a folder of frames.

OpenCV reads what its FFmpeg reads, and writes VP9 in a ``.webm`` file, which every browser plays: `show` embeds it in
an HTML5 ``<video>``, with its buttons, and the page needs no network. Frames are float32 images in [0, 1].
"""

from __future__ import annotations

import base64
import html
import itertools
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from course_utils.plots import animation
from course_utils.plots.images import as_image
from course_utils.plots.motion import Animation
from course_utils.quiet import stderr_aside
from course_utils.training.progress import progress

# FFmpeg comments damaged files on the standard error, which Jupyter paints red; `read` says what matters.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

CODECS = {".webm": "VP90", ".mkv": "VP90", ".mp4": "vp09", ".avi": "MJPG"}
"""Codec of each kind of file that `write` knows; browsers play ``.webm`` and ``.mp4``."""

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
"""Files taken for frames in a folder."""

MAX_BYTES = 300_000
"""Weight in the notebook, poster included, that `show` does not exceed unless told to."""

_STILL = 6  # out of 255: a change that nobody sees from one frame to the next
_BYTES_PER_PIXEL = 0.06  # of the lightest videos, once encoded by OpenCV


@dataclass(frozen=True)
class Reader:
    """A video opened by `read`: iterate over it to get its frames, as many times as you like.

    Attributes
    ----------
    path : Path
    size : (int, int)
        Height and width, in pixels.
    fps : float
        Frames per second.
    length : int or None
        Number of frames that the file announces; None when it does not say.
    label : str or None
        Text of the progress bar.
    """

    path: Path
    size: tuple[int, int]
    fps: float
    length: int | None
    label: str | None = None

    def __iter__(self) -> Iterator[np.ndarray]:
        frames = _decoded_pictures(self.path) if self.path.is_dir() else self._decoded()
        if self.label is not None:
            frames = progress(frames, self.label, total=self.length, unit="images")
        return frames

    def _decoded(self) -> Iterator[np.ndarray]:
        """Yield the frames of a file; when it stops too soon, say so."""
        capture, count = _open(self.path), 0
        try:
            while (frame := _next(capture)) is not None:
                count += 1
                yield frame
        finally:
            capture.release()
        # Some files give a duration only: their number of frames is right within one.
        if self.length is not None and count < self.length - 1:
            print(f"« {self.path.name} » s'arrête trop tôt : {count} image(s) lue(s) sur {self.length} annoncées.")

    def __repr__(self) -> str:
        height, width = self.size
        length = "?" if self.length is None else self.length
        return f"« {self.path.name} » : {length} images de {width} × {height} pixels, {self.fps:g} par seconde"


def read(path: str | os.PathLike[str], *, fps: float | None = None, label: str | None = None) -> Reader:
    """Open a video, or a folder of frames.

    Parameters
    ----------
    path : path
        A file that FFmpeg reads (avi, mp4, webm, mkv…), or a folder of pictures, taken in the order of the numbers in
        their names.
    fps : float, optional
        Frames per second of a folder (25 by default); replaces what a file says.
    label : str, optional
        Show a progress bar with this text.

    Returns
    -------
    Reader
        To iterate over: float32 frames (H, W, 3) in [0, 1], decoded one at a time. A video that stops before its
        announced end gives the frames that can be read, then prints how many were expected.

    Raises
    ------
    FileNotFoundError
        In French: nothing at that place.
    ValueError
        In French: not a video, a video or a folder without any frame, fps not positive.
    """
    path = Path(path).expanduser().resolve()
    if not path.exists():
        raise FileNotFoundError(f"« {path} » n'existe pas : vérifiez le nom et le dossier de la vidéo.")
    if fps is not None:
        _check_fps(fps)
    if path.is_dir():
        length, rate, first = len(_pictures(path)), 25.0, next(_decoded_pictures(path), None)
        absent = f"Le dossier « {path.name} » ne contient aucune image ({', '.join(PICTURES)})."
    else:
        length, rate, first = _probe(path)
        absent = f"« {path.name} » est une vidéo dont aucune image ne se lit : fichier vide ou tronqué ?"
    if first is None:
        raise ValueError(absent)
    return Reader(path, (first.shape[0], first.shape[1]), fps or rate, length or None, label)


def _open(path: Path) -> cv2.VideoCapture:
    with stderr_aside():
        capture = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG)
    if not capture.isOpened():
        raise ValueError(
            f"« {path.name} » ({path.stat().st_size} octets) n'est pas une vidéo que l'on sache lire : fichier "
            "tronqué, d'un autre type, ou d'un format inconnu. Essayez un autre lecteur, ou reprenez la copie."
        )
    return capture


def _next(capture: cv2.VideoCapture) -> np.ndarray | None:
    """Return the next frame, RGB float32 in [0, 1], or None at the end."""
    found, frame = capture.read()
    return frame[..., ::-1].astype(np.float32) / 255 if found else None


def _probe(path: Path) -> tuple[int, float, np.ndarray | None]:
    """Return the number of frames that a file announces, its rate, and its first frame."""
    capture = _open(path)
    try:
        first = _next(capture)
        length, rate = capture.get(cv2.CAP_PROP_FRAME_COUNT), capture.get(cv2.CAP_PROP_FPS)
    finally:
        capture.release()
    return max(0, int(length)), rate if 0 < rate <= 1000 else 25.0, first


def _pictures(folder: Path) -> list[Path]:
    """Return the pictures of a folder, frame 10 after frame 9."""
    found = (path for path in folder.iterdir() if path.suffix.lower() in PICTURES and not path.name.startswith("."))
    return sorted(found, key=lambda path: [(0, int(x), "") if x.isdigit() else (1, 0, x) for x in _parts(path.stem)])


def _parts(name: str) -> list[str]:
    return re.findall(r"[0-9]+|[^0-9]+", name)


def _decoded_pictures(folder: Path) -> Iterator[np.ndarray]:
    size = None
    for path in _pictures(folder):
        try:
            with Image.open(path) as picture:
                frame = np.asarray(picture.convert("RGB"), np.float32) / 255
        except (UnidentifiedImageError, OSError) as error:
            raise ValueError(f"L'image « {path.name} » ne se lit pas : fichier tronqué ou d'un autre type.") from error
        size = size or frame.shape
        if frame.shape != size:
            raise ValueError(
                f"L'image « {path.name} » mesure {frame.shape[1]} × {frame.shape[0]} pixels et les précédentes "
                f"{size[1]} × {size[0]} : une vidéo garde sa taille."
            )
        yield frame


# --- Writing ------------------------------------------------------------------------------------------------------


def write(path: str | os.PathLike[str], frames: Iterable[Any], fps: float, *, label: str | None = None) -> Path:
    """Write a video, whole or not at all.

    Parameters
    ----------
    path : path
        ``.webm``, ``.mp4``, ``.mkv`` (VP9) or ``.avi`` (Motion JPEG), replaced if it exists; without extension, a
        folder of numbered PNG files, which must not exist.
    frames : iterable of images
        float in [0, 1] or uint8, (H, W), (H, W, 1) or (H, W, 3), all of one size; a `Reader`, a generator, an array.
        Video codecs want even sides: the last row or column of an odd one is left out.
    fps : float
        Frames per second.
    label : str, optional
        Show a progress bar with this text.

    Returns
    -------
    Path
        The file, or the folder.

    Raises
    ------
    ValueError
        In French: no frame, frames of different sizes or outside [0, 1], fps not positive, unknown extension.
    FileExistsError
        The folder exists already.
    RuntimeError, OSError
        This OpenCV lacks the codec; the disk is full.
    """
    path = Path(path).expanduser().resolve()
    _check_fps(fps)
    if path.suffix.lower() not in {"", *CODECS}:
        raise ValueError(
            f"« {path.name} » : on sait écrire {', '.join(CODECS)}, ou un dossier d'images (un nom sans extension)."
        )
    if not path.suffix and path.exists():
        raise FileExistsError(f"Le dossier « {path.name} » existe déjà : supprimez-le, ou choisissez un autre nom.")
    pictures = _checked(frames)
    if label is not None:
        pictures = progress(pictures, label, total=_length(frames), unit="images")
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the rename is a rename and not a copy.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".video-") as folder:
        partial = Path(folder, f"video{path.suffix.lower()}")
        if path.suffix:
            _encode(partial, pictures, fps, CODECS[path.suffix.lower()])
        else:
            _save_pictures(partial, pictures)
        os.replace(partial, path)
    return path


def _length(frames: Any) -> int | None:
    """Return the number of frames, when it is known beforehand."""
    return frames.length if isinstance(frames, Reader) else len(frames) if hasattr(frames, "__len__") else None


def _check_fps(fps: float) -> None:
    if not 0 < fps <= 1000:
        raise ValueError(f"fps = {fps} : on attend un nombre d'images par seconde, plus de 0 et au plus 1000.")


def _checked(frames: Iterable[Any]) -> Iterator[np.ndarray]:
    """Yield uint8 RGB images (H, W, 3), all of one size; there must be one at least."""
    size: tuple[int, ...] | None = None
    for index, frame in enumerate(frames):
        image = as_image(frame, f"image {index}")
        if not (image.min() >= -0.01 and image.max() <= 1.01):
            raise ValueError(
                f"image {index} : les valeurs vont de {image.min():.3g} à {image.max():.3g}, on attend [0, 1] ou uint8."
            )
        size = size or image.shape[:2]
        if image.shape[:2] != size:
            raise ValueError(
                f"image {index} : {image.shape[1]} × {image.shape[0]} pixels, les précédentes {size[1]} × {size[0]}."
            )
        picture = (np.clip(image, 0, 1) * 255).round().astype(np.uint8)
        yield np.broadcast_to(picture.reshape(*size, -1), (*size, 3))
    if size is None:
        raise ValueError("La vidéo à écrire n'a aucune image : il en faut au moins une.")


def _encode(path: Path, pictures: Iterator[np.ndarray], fps: float, codec: str) -> None:
    """Encode uint8 RGB images with OpenCV, and make sure that all of them are in the file."""
    first = next(pictures)
    height, width = (max(2, side // 2 * 2) for side in first.shape[:2])
    # OpenCV tells on the standard error that it picks the codec's tag by itself.
    with stderr_aside():
        code = cv2.VideoWriter.fourcc(*codec)
        writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, code, float(fps), (width, height))
    if not writer.isOpened():
        raise RuntimeError(
            f"Cet OpenCV n'écrit pas de vidéo {path.suffix} (codec {codec}) : essayez .avi, ou un dossier."
        )
    count = 0
    try:
        for picture in itertools.chain([first], pictures):
            writer.write(np.ascontiguousarray(picture[:height, :width, ::-1]))
            count += 1
    finally:
        writer.release()
    written = _probe(path)[0] if path.is_file() and path.stat().st_size else 0
    if abs(written - count) > 1:
        raise OSError(f"La vidéo écrite a {written} images au lieu de {count} : reste-t-il de la place sur le disque ?")


def _save_pictures(folder: Path, pictures: Iterator[np.ndarray]) -> None:
    folder.mkdir()
    for index, picture in enumerate(pictures, start=1):
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / f"{index:06d}.png", compress_level=3)


# --- Showing ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Clip:
    """A video in a page: written on the last line of a cell, it appears with its buttons.

    Attributes
    ----------
    data : bytes
        The ``.webm`` file.
    poster : bytes
        JPEG image shown before the video is played.
    alt : str
        Alternative text.
    size : (int, int)
        Width and height on the page, in pixels.
    autoplay : bool
    """

    data: bytes
    poster: bytes
    alt: str
    size: tuple[int, int]
    autoplay: bool = False

    def __repr__(self) -> str:
        return self.alt

    def _repr_html_(self) -> tuple[str, dict[str, str]]:
        source, poster = (base64.b64encode(data).decode("ascii") for data in (self.data, self.poster))
        width, height = self.size
        alt = html.escape(self.alt)
        # Without sound, or browsers refuse to start by themselves; the style lets a narrow page shrink the video.
        attributes = (
            f'controls loop muted playsinline{" autoplay" * self.autoplay} width="{width}" height="{height}" '
            f'style="max-width:100%;height:auto" aria-label="{alt}" title="{alt}"'
        )
        return (
            f'<video {attributes} poster="data:image/jpeg;base64,{poster}" src="data:video/webm;base64,{source}">'
            f"{alt}</video>",
            {"alt": self.alt},
        )


def show(
    frames: Iterable[Any] | str | os.PathLike[str],
    *,
    fps: float | None = None,
    start: int = 0,
    stop: int | None = None,
    width: int | None = None,
    autoplay: bool = False,
    limit: int = MAX_BYTES,
    alt: str | None = None,
    label: str | None = None,
) -> Clip | Animation:
    """Show a video in the notebook; it also plays in the exported HTML page, without network.

    Parameters
    ----------
    frames : path, Reader, or iterable of images
        As `write` takes them.
    fps : float, optional
        Frames per second: by default those of the file, 12 for images.
    start, stop : int
        First frame, and the one after the last.
    width : int, optional
        Width on the page, in pixels; by default about 480.
    autoplay : bool, default False
        Start at once.
    limit : int, default 300 000
        Bytes in the notebook.
    alt : str, optional
        Alternative text, in French.
    label : str, optional
        Show a progress bar with this text.

    Returns
    -------
    Clip
        To write on the last line of the cell. Changes that nobody sees are left out and, to keep below `limit`, the
        definition is lowered. An OpenCV that cannot write WebM says so and gives an animation.

    Raises
    ------
    FileNotFoundError, ValueError
        In French, as `read` and `write`; or when no frame is left between start and stop.
    """
    if isinstance(frames, (str, os.PathLike)):
        frames = read(frames)
    rate = fps if fps is not None else frames.fps if isinstance(frames, Reader) else 12.0
    _check_fps(rate)
    if start < 0 or (stop is not None and stop <= start):
        raise ValueError(f"start = {start}, stop = {stop} : on attend 0 ≤ start < stop.")
    if width is not None and width < 16:
        raise ValueError(f"width = {width} : on attend une largeur d'au moins 16 pixels.")
    chosen: Iterable[Any] = itertools.islice(frames, start, stop)
    if label is not None:
        whole = _length(frames)
        total = None if whole is None else len(range(whole)[start:stop])
        chosen = progress(chosen, label, total=total, unit="images")
    pictures = list(_checked(chosen))
    height, wide = pictures[0].shape[:2]
    shown = width or wide * max(1, round(480 / wide))
    text = alt or f"Vidéo de {len(pictures)} images, {len(pictures) / rate:.1f} s.".replace(".", ",", 1)
    poster = _poster(pictures[len(pictures) // 2])
    try:
        # Base 64 writes three bytes as four characters; the tag takes the rest.
        data = _light(pictures, rate, limit * 3 // 4 - len(poster) - 1000)
    except RuntimeError as error:
        print(f"{error} Voici une animation à la place.")
        return animation(pictures, fps=rate, width=shown, alt=text)
    return Clip(data, poster, text, (shown, round(shown * height / wide)), autoplay)


def _light(pictures: list[np.ndarray], fps: float, limit: int) -> bytes:
    """Encode as WebM, below the limit: OpenCV gives no choice of quality, so the definition is what can be lowered."""
    pictures = list(_without_flicker(pictures))
    weight = _BYTES_PER_PIXEL * len(pictures) * pictures[0][..., 0].size
    while True:
        if weight > limit:
            pictures = _smaller(pictures, 0.97 * (max(0, limit) / weight) ** 0.5)
        data = _webm(pictures, fps)
        weight = len(data)
        if weight <= limit:
            return data


def _smaller(pictures: list[np.ndarray], factor: float) -> list[np.ndarray]:
    height, width = pictures[0].shape[:2]
    size = int(width * factor) // 2 * 2, int(height * factor) // 2 * 2
    if min(size) < 16:
        raise ValueError(f"{len(pictures)} images ne tiennent pas dans la page : montrez-en moins (start, stop).")
    return [cv2.resize(picture, size, interpolation=cv2.INTER_AREA) for picture in pictures]


def _without_flicker(pictures: list[np.ndarray]) -> Iterator[np.ndarray]:
    """Hold each pixel until it changes visibly: the noise of the camera is what weighs most in a video."""
    held = pictures[0]
    for picture in pictures:
        still = np.abs(picture.astype(np.int16) - held).max(axis=-1, keepdims=True) <= _STILL
        held = np.where(still, held, picture)
        yield held


def _webm(pictures: list[np.ndarray], fps: float) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clip.webm")
        _encode(path, iter(pictures), fps, CODECS[".webm"])
        return path.read_bytes()


def _poster(picture: np.ndarray) -> bytes:
    buffer = BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((320, 320))
    image.save(buffer, "JPEG", quality=75, optimize=True)
    return buffer.getvalue()
