"""Tracks drawn on the frames of a video: a colour and a number for each identity, a trail behind each object."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import ArrayLike

from course_utils.plots import COLORS

INK = tuple(tuple(int(colour[k : k + 2], 16) for k in (1, 3, 5)) for colour in COLORS)
"""Colours of the identities, red, green, blue, in turn."""


def colour_of(identity: int) -> tuple[int, ...]:
    """Return the colour, (red, green, blue) from 0 to 255, of an identity."""
    return INK[identity % len(INK)]


def draw_tracks(
    frames: Iterable[ArrayLike],
    tracks: Iterable[Any],
    *,
    zoom: int = 1,
    trail: int = 24,
    line: ArrayLike | None = None,
    zone: ArrayLike | None = None,
) -> Iterator[np.ndarray]:
    """Draw, frame by frame, the boxes, the identities and the trails of what is followed.

    Parameters
    ----------
    frames : iterable of (H, W, 3) images
        float in [0, 1] or uint8.
    tracks : iterable of Tracks, or of (ids, boxes)
        One for each frame.
    zoom : int, default 1
        Enlargement of the pictures.
    trail : int, default 24
        Frames during which the path of an object stays on the picture.
    line : ((x1, y1), (x2, y2)), optional
        A counting line to show.
    zone : (k, 2) array, optional
        A zone to show.

    Yields
    ------
    (H * zoom, W * zoom, 3) uint8

    Raises
    ------
    ValueError
        In French, when there are not as many frames as tracks.
    """
    paths: dict[int, list[tuple[int, np.ndarray]]] = {}
    pairs = zip(frames, tracks, strict=True)
    number = 0
    while True:
        try:
            frame, found = next(pairs)
        except StopIteration:
            return
        except ValueError as error:
            raise ValueError(
                f"La vidéo et le suivi n'ont pas le même nombre d'images ; {number} vont ensemble."
            ) from error
        picture = _enlarged(frame, zoom)
        _places(picture, line, zone, zoom)
        ids, boxes = (found.ids, found.boxes) if hasattr(found, "ids") else found
        for who, box in zip(ids, np.asarray(boxes, np.float64).reshape(-1, 4), strict=True):
            foot = np.array([0.5 * (box[0] + box[2]), box[3]])
            paths.setdefault(int(who), []).append((number, zoom * foot))
        for who, path in paths.items():
            _trail(picture, [point for when, point in path if when > number - trail], colour_of(who))
        for who, box in zip(ids, np.asarray(boxes, np.float64).reshape(-1, 4), strict=True):
            _label(picture, zoom * box, int(who))
        number += 1
        yield picture


def _enlarged(frame: ArrayLike, zoom: int) -> np.ndarray:
    picture = np.asarray(frame)
    if picture.dtype != np.uint8:
        picture = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    if zoom == 1:
        return picture.copy()
    return cv2.resize(picture, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_CUBIC)


def _places(picture: np.ndarray, line: ArrayLike | None, zone: ArrayLike | None, zoom: int) -> None:
    if zone is not None:
        corners = [_whole(zoom * np.asarray(zone, np.float64))]
        veil = picture.copy()
        cv2.fillPoly(veil, corners, (255, 255, 255))
        cv2.addWeighted(veil, 0.25, picture, 0.75, 0, dst=picture)
        cv2.polylines(picture, corners, True, (255, 255, 255), 1, cv2.LINE_AA)
    if line is not None:
        ends = _whole(zoom * np.asarray(line, np.float64)).tolist()
        cv2.line(picture, ends[0], ends[1], (0, 0, 0), 5, cv2.LINE_AA)
        cv2.line(picture, ends[0], ends[1], (255, 235, 60), 3, cv2.LINE_AA)


def _trail(picture: np.ndarray, points: Sequence[np.ndarray], colour: tuple[int, ...]) -> None:
    if len(points) > 1:
        cv2.polylines(picture, [_whole(np.array(points))], False, colour, 2, cv2.LINE_AA)


def _label(picture: np.ndarray, box: np.ndarray, who: int) -> None:
    """Draw a box and its identity, white on its colour, above the box or inside it at the top of the picture."""
    left, top, right, bottom = _whole(box).tolist()
    colour = colour_of(who)
    # In a small picture, a tab of the usual size would hide a vehicle.
    size, margin, line = (0.35, 4, 1) if len(picture) < 240 else (0.5, 6, 2)
    cv2.rectangle(picture, (left, top), (right, bottom), colour, line)
    (width, height), _ = cv2.getTextSize(str(who), cv2.FONT_HERSHEY_SIMPLEX, size, 1)
    foot = top if top > height + margin else top + height + margin
    left = min(max(left, 0), picture.shape[1] - width - 4)
    cv2.rectangle(picture, (left, foot - height - margin), (left + width + 3, foot), colour, -1)
    ink = (255, 255, 255) if sum(colour) < 430 else (0, 0, 0)
    corner = (left + 2, foot - 1 - margin // 2)
    cv2.putText(picture, str(who), corner, cv2.FONT_HERSHEY_SIMPLEX, size, ink, 1, cv2.LINE_AA)


def _whole(points: np.ndarray) -> np.ndarray:
    return np.rint(points).astype(np.int32)
