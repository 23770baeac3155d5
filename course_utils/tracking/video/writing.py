"""Frames into a video file, or into a folder of pictures: whole, or not at all."""

from __future__ import annotations

import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from course_utils.plots.images import as_image
from course_utils.quiet import stderr_aside
from course_utils.tracking.video.reading import Reader, check_fps, frames_in
from course_utils.training.progress import progress

CODECS = {".webm": "VP90", ".mkv": "VP90", ".mp4": "vp09", ".avi": "MJPG"}
"""Codec of each kind of file that `write` knows; browsers play ``.webm`` and ``.mp4``."""


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
        In French: no frame, frames of different sizes, outside [0, 1] or of one pixel, fps not positive, unknown
        extension.
    FileExistsError
        The folder to write exists already, or a folder has the name of the file.
    RuntimeError
        This OpenCV lacks the codec.
    OSError
        What was written cannot be read back whole: the disk is full.
    """
    path = Path(path).expanduser().resolve()
    check_fps(fps)
    if path.suffix.lower() not in {"", *CODECS}:
        raise ValueError(
            f"« {path.name} » : on sait écrire {', '.join(CODECS)}, ou un dossier d'images (un nom sans extension)."
        )
    if path.is_dir() or (not path.suffix and path.exists()):
        raise FileExistsError(f"« {path.name} » existe déjà : supprimez-le, ou choisissez un autre nom.")
    pictures = checked(frames)
    if label is not None:
        pictures = progress(pictures, label, total=length(frames), unit="images")
    path.parent.mkdir(parents=True, exist_ok=True)
    # In the same folder, so that the rename is a rename and not a copy.
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".video-") as folder:
        partial = Path(folder, f"video{path.suffix.lower()}")
        if path.suffix:
            encode(partial, pictures, fps, CODECS[path.suffix.lower()])
        else:
            _save_pictures(partial, pictures)
        os.replace(partial, path)
    return path


def length(frames: Any) -> int | None:
    """Return the number of frames, when it is known beforehand."""
    return frames.length if isinstance(frames, Reader) else len(frames) if hasattr(frames, "__len__") else None


def checked(frames: Iterable[Any]) -> Iterator[np.ndarray]:
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
        raise ValueError("La vidéo n'a aucune image : il en faut au moins une.")


def encode(path: Path, pictures: Iterator[np.ndarray], fps: float, codec: str) -> None:
    """Encode uint8 RGB images with OpenCV, and make sure that all of them can be read back."""
    first = next(pictures)
    height, width = (side // 2 * 2 for side in first.shape[:2])
    if not min(height, width):
        raise ValueError(f"Des images de forme {first.shape[:2]} : une vidéo a au moins deux pixels de côté.")
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
    # OpenCV's writer fails in silence, and what a cut WebM announces is right: only decoding tells.
    if (written := frames_in(path)) != count:
        raise OSError(f"La vidéo écrite a {written} images au lieu de {count} : reste-t-il de la place sur le disque ?")


def _save_pictures(folder: Path, pictures: Iterator[np.ndarray]) -> None:
    folder.mkdir()
    for index, picture in enumerate(pictures, start=1):
        Image.fromarray(np.ascontiguousarray(picture)).save(folder / f"{index:06d}.png", compress_level=3)
