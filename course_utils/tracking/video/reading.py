"""Frames out of a video file, or of a folder of pictures."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, UnidentifiedImageError

from course_utils.quiet import stderr_aside
from course_utils.training.progress import progress

# FFmpeg comments damaged files on the standard error, which Jupyter paints red; `read` says what matters.
os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
"""Files taken for frames in a folder."""


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
        check_fps(fps)
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


def frames_in(path: Path) -> int:
    """Count the frames that can be decoded from a file, whatever it announces; 0 when it is no video."""
    try:
        capture = _open(path)
    except (OSError, ValueError):
        return 0
    try:
        return sum(1 for _ in iter(capture.grab, False))
    finally:
        capture.release()


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


def check_fps(fps: float) -> None:
    """Raise ValueError, in French, unless the rate is one of a video."""
    if not 0 < fps <= 1000:
        raise ValueError(f"fps = {fps} : on attend un nombre d'images par seconde, plus de 0 et au plus 1000.")
