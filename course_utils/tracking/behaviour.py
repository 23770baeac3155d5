"""Behaviour read from trajectories: who crossed the line, how fast, which way, who stopped, who is in the zone.

An object stands where its box touches the ground, in the middle of the lower side: that is the point followed here.
Lengths are in pixels, or in metres with `scale`: metres per pixel, a number or a function of the points (n, 2), since
in perspective a pixel is worth more far away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Scale = float | Callable[[np.ndarray], ArrayLike]
"""Metres per pixel: a number, or a function of the points (n, 2)."""

HEADINGS: tuple[str, ...] = (
    "droite",
    "haut à droite",
    "haut",
    "haut à gauche",
    "gauche",
    "bas à gauche",
    "bas",
    "bas à droite",
)
"""French names of the directions 0°, 45°, … 315° of `direction`."""


@dataclass(frozen=True, eq=False)
class Trajectory:
    """The path of one object.

    Attributes
    ----------
    id : int
        Its identity.
    frames : (n,) int64
        Frames where it was seen, from 0, increasing; some may be missing.
    boxes : (n, 4) float64
        Its boxes in these frames.
    label : int
        Its class: the most frequent of its detections.
    """

    id: int
    frames: np.ndarray
    boxes: np.ndarray
    label: int = 0

    @property
    def points(self) -> np.ndarray:
        """Where it stands, (n, 2): the middle of the lower side of each box."""
        return np.column_stack([0.5 * (self.boxes[:, 0] + self.boxes[:, 2]), self.boxes[:, 3]])

    def __len__(self) -> int:
        return len(self.frames)

    def __repr__(self) -> str:
        return f"Trajectory({self.id} : {len(self)} positions, images {self.frames[0]} à {self.frames[-1]})"


@dataclass(frozen=True)
class Crossing:
    """A passage over a line.

    Attributes
    ----------
    id : int
        Who.
    frame : float
        When, in frames, between two positions.
    direction : int
        +1 from the left hand to the right hand of someone who walks from the first end of the line to the second, as
        seen on the screen; −1 the other way.
    point : (float, float)
        Where.
    """

    id: int
    frame: float
    direction: int
    point: tuple[float, float]


def trajectories(tracks: Iterable[Any], *, min_length: int = 1) -> dict[int, Trajectory]:
    """Gather, object by object, what a tracker answered frame by frame.

    Parameters
    ----------
    tracks : iterable of Tracks, or of (ids, boxes)
        One for each frame.
    min_length : int, default 1
        Objects seen in fewer frames are left out.

    Returns
    -------
    dict of int to Trajectory
        By increasing identity.
    """
    seen: dict[int, list[tuple[int, np.ndarray, int]]] = {}
    for frame, found in enumerate(tracks):
        ids, boxes = (found.ids, found.boxes) if hasattr(found, "ids") else found
        labels = getattr(found, "classes", np.zeros(len(ids), np.int64))
        for who, box, label in zip(ids, boxes, labels, strict=True):
            seen.setdefault(int(who), []).append((frame, box, int(label)))
    paths = {}
    for who in sorted(seen):
        if len(seen[who]) >= min_length:
            frames, boxes, labels = zip(*seen[who], strict=True)
            label = int(np.bincount(labels).argmax())
            paths[who] = Trajectory(who, np.array(frames), np.array(boxes, np.float64).reshape(-1, 4), label)
    return paths


def count_crossings(
    paths: Trajectory | Iterable[Trajectory] | Mapping[int, Trajectory], line: ArrayLike
) -> list[Crossing]:
    """List the passages of objects over a segment.

    A point exactly on the line counts as on its right: who touches the line and goes back has passed twice, once each
    way, or not at all; never once.

    Parameters
    ----------
    paths : Trajectory, or several
    line : ((x1, y1), (x2, y2))
        The two ends, in pixels.

    Returns
    -------
    list of Crossing
        In order of time. ``sum(c.direction > 0 for c in …)`` counts one way.

    Raises
    ------
    ValueError
        In French, when the ends are one point or are not finite.
    """
    ends = np.asarray(line, np.float64)
    if ends.shape != (2, 2) or not np.isfinite(ends).all() or (ends[0] == ends[1]).all():
        raise ValueError(
            f"La ligne {ends.tolist()} n'en est pas une : on attend deux points distincts ((x1, y1), (x2, y2))."
        )
    found: list[Crossing] = []
    for path in _several(paths):
        points = path.points
        side = _cross(ends[1] - ends[0], points - ends[0])
        steps = np.diff(points, axis=0)
        beyond = [_cross(steps, end - points[:-1]) for end in ends]
        passed = ((side[1:] >= 0) != (side[:-1] >= 0)) & (beyond[0] * beyond[1] <= 0)
        for k in np.flatnonzero(passed):
            share = side[k] / (side[k] - side[k + 1])
            x, y = points[k] + share * steps[k]
            frame = path.frames[k] + share * (path.frames[k + 1] - path.frames[k])
            found.append(Crossing(path.id, float(frame), 1 if side[k + 1] >= 0 else -1, (float(x), float(y))))
    return sorted(found, key=lambda crossing: crossing.frame)


def velocity(path: Trajectory, *, fps: float, scale: Scale = 1.0, window: int = 5) -> np.ndarray:
    """Estimate the velocity at each position: the slope of the line that fits the neighbouring positions best.

    Boxes tremble by a pixel or two: a difference of two positions would make that noise a speed.

    Parameters
    ----------
    path : Trajectory
    fps : float
        Frames per second.
    scale : float or callable, default 1
        Metres per pixel; with 1, the speed is in pixels per second.
    window : int, default 5
        Positions used before and after each.

    Returns
    -------
    (n, 2) float64
        Per second, x to the right and y downwards; NaN when the object was seen only once.

    Raises
    ------
    ValueError
        In French, when `fps`, `window` or `scale` is not positive.
    """
    if not fps > 0 or window < 1:
        raise ValueError(f"fps = {fps}, window = {window} : on attend fps > 0 et window ≥ 1.")
    points, times = path.points, path.frames / fps
    slopes = np.full(points.shape, np.nan)
    for k in range(len(points) if len(points) > 1 else 0):
        near = slice(max(k - window, 0), k + window + 1)
        time = times[near] - times[near].mean()
        slopes[k] = time @ points[near] / (time @ time)
    return slopes * _metres(points, scale)[:, None]


def speed(path: Trajectory, *, fps: float, scale: Scale = 1.0, window: int = 5) -> np.ndarray:
    """Estimate the speed at each position, (n,), in metres per second (pixels when `scale` is 1); see `velocity`."""
    return np.hypot(*velocity(path, fps=fps, scale=scale, window=window).T)


def direction(path: Trajectory, *, min_move: float = 0.0) -> float:
    """Return the heading of the whole path, from its first position to its last.

    Parameters
    ----------
    path : Trajectory
    min_move : float, default 0
        Displacement, in pixels, up to which the object is said to be still.

    Returns
    -------
    float
        Degrees in [0, 360): 0 to the right of the picture, 90 upwards. NaN when it did not move.
    """
    dx, dy = path.points[-1] - path.points[0]
    if np.hypot(dx, dy) <= min_move:
        return float("nan")
    return float(np.degrees(np.arctan2(-dy, dx)) % 360.0) % 360.0


def heading(angle: float) -> str:
    """Name a direction in French: "droite", "haut à gauche"…, "immobile" for NaN."""
    return "immobile" if np.isnan(angle) else HEADINGS[round(angle / 45.0) % 8]


def stops(
    path: Trajectory, *, fps: float, within: float, min_duration: float = 1.0, scale: Scale = 1.0
) -> list[tuple[int, int]]:
    """List the moments when an object stays in place.

    A stop is a stretch of positions whose extent (the diagonal of the rectangle that holds them all) is at most
    `within`, as long as can be, and of at least `min_duration`. Trembling boxes do not end it, as a threshold on speed
    would; an object that moves faster than ``within / min_duration`` is never said to stop.

    Parameters
    ----------
    path : Trajectory
    fps : float
        Frames per second.
    within : float
        Extent allowed, in metres (pixels when `scale` is 1).
    min_duration : float, default 1
        Seconds.
    scale : float or callable, default 1
        Metres per pixel.

    Returns
    -------
    list of (int, int)
        First and last frame of each stop.

    Raises
    ------
    ValueError
        In French, when a parameter is not positive.
    """
    if not (fps > 0 and within >= 0 and min_duration > 0):
        raise ValueError(
            f"fps = {fps}, within = {within}, min_duration = {min_duration} : on attend fps > 0, within ≥ 0 et "
            "min_duration > 0."
        )
    points, frames = path.points, path.frames
    metres = _metres(points, scale)
    found, first = [], 0
    while first < len(points):
        low, high = np.minimum.accumulate(points[first:]), np.maximum.accumulate(points[first:])
        outside = np.hypot(*(high - low).T) * metres[first] > within
        last = first + (int(outside.argmax()) if outside.any() else len(outside)) - 1
        if (frames[last] - frames[first]) / fps >= min_duration:
            found.append((int(frames[first]), int(frames[last])))
            first = last
        first += 1
    return found


def in_zone(points: Trajectory | ArrayLike, polygon: ArrayLike) -> np.ndarray:
    """Tell which positions are in a polygon, its border included (even-odd rule).

    Parameters
    ----------
    points : Trajectory or (n, 2) array
    polygon : (k, 2) array
        At least three corners, in pixels, in order; the last is joined to the first.

    Returns
    -------
    (n,) bool

    Raises
    ------
    ValueError
        In French, when the polygon has fewer than three corners.
    """
    corners = np.asarray(polygon, np.float64)
    if corners.ndim != 2 or corners.shape[1] != 2 or len(corners) < 3:
        raise ValueError(f"Une zone est un polygone de trois coins au moins, (k, 2) ; reçu une forme {corners.shape}.")
    where = points.points if isinstance(points, Trajectory) else np.asarray(points, np.float64).reshape(-1, 2)
    where = where[:, None]
    start, end = corners, np.roll(corners, -1, axis=0)
    cross = _cross(end - start, where - start)
    between = ((where >= np.minimum(start, end)) & (where <= np.maximum(start, end))).all(-1)
    border = ((cross == 0) & between).any(1)
    upward = end[:, 1] > start[:, 1]
    straddled = (start[:, 1] > where[..., 1]) != (end[:, 1] > where[..., 1])
    to_the_right = np.where(upward, cross > 0, cross < 0)
    return border | ((straddled & to_the_right).sum(1) % 2 == 1)


def visits(path: Trajectory, polygon: ArrayLike) -> list[tuple[int, int]]:
    """List the stays of an object in a polygon: first and last frame of each, as it was seen."""
    inside = np.concatenate([[False], in_zone(path, polygon), [False]]).astype(np.int8)
    entries, exits = np.flatnonzero(np.diff(inside) == 1), np.flatnonzero(np.diff(inside) == -1) - 1
    return [(int(path.frames[a]), int(path.frames[b])) for a, b in zip(entries, exits, strict=True)]


def _several(paths: Trajectory | Iterable[Trajectory] | Mapping[int, Trajectory]) -> list[Trajectory]:
    if isinstance(paths, Trajectory):
        return [paths]
    return list(paths.values() if isinstance(paths, Mapping) else paths)


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cross product of plane vectors; positive when `b` is to the right of `a` on the screen (y downwards)."""
    return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]


def _metres(points: np.ndarray, scale: Scale) -> np.ndarray:
    values = np.broadcast_to(np.asarray(scale(points) if callable(scale) else scale, np.float64), len(points))
    if not (np.isfinite(values).all() and (values > 0).all()):
        raise ValueError("« scale » doit donner des mètres par pixel, strictement positifs.")
    return values
