"""A video in the page of a notebook, with its buttons, light enough to be saved there."""

from __future__ import annotations

import base64
import html
import itertools
import os
import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from PIL import Image

from course_utils.plots import animation
from course_utils.plots.motion import Animation
from course_utils.tracking.video.reading import Reader, check_fps, read
from course_utils.tracking.video.writing import CODECS, checked, encode, length
from course_utils.training.progress import progress

MAX_BYTES = 300_000
"""Weight in the notebook, poster included, that `show` does not exceed unless told to."""

_STILL = 6  # out of 255: a change that nobody sees from one frame to the next
_BYTES_PER_PIXEL = 0.06  # of the lightest videos, once encoded by OpenCV


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
        Bytes in the notebook, for a `Clip`; an animation has its own limit.
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
    check_fps(rate)
    if start < 0 or (stop is not None and stop <= start):
        raise ValueError(f"start = {start}, stop = {stop} : on attend 0 ≤ start < stop.")
    if width is not None and width < 16:
        raise ValueError(f"width = {width} : on attend une largeur d'au moins 16 pixels.")
    chosen: Iterable[Any] = itertools.islice(frames, start, stop)
    if label is not None:
        whole = length(frames)
        total = None if whole is None else len(range(whole)[start:stop])
        chosen = progress(chosen, label, total=total, unit="images")
    pictures = list(checked(chosen))
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
        encode(path, iter(pictures), fps, CODECS[".webm"])
        return path.read_bytes()


def _poster(picture: np.ndarray) -> bytes:
    buffer = BytesIO()
    image = Image.fromarray(np.ascontiguousarray(picture))
    image.thumbnail((320, 320))
    image.save(buffer, "JPEG", quality=75, optimize=True)
    return buffer.getvalue()
