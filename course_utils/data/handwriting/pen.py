"""From an allograph to the path of a pen: splines, and what changes from one hand to the next.

A path is linear in the points of the drawing (cubic splines at fixed knots), so that a whole batch of digits is one
matrix product. All that chance decides for a digit sits in one row of ``Chance``: the row depends on the seed and on
the rank of the digit only.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.interpolate import CubicSpline

from course_utils.data.handwriting.strokes import ALLOGRAPHS, Allograph

# How much hands differ. Lengths are in heights of a digit, angles in radians.
JITTER = 0.030  # of each point of the drawing
STROKE_SHIFT = 0.025  # of a stroke put down after a lift
SLANT = (0.16, 0.26)  # mean and deviation of the shear
STRETCH = 0.20  # deviation of the logarithm of width / height
ROTATION = 0.09
OVERSHOOT = 0.25  # of the ends, as a share of the last step
WARP = 0.030  # amplitude of each of the waves below
WARP_FREQUENCY = 0.55  # waves a height
TREMOR = 0.004
RADIUS = (1.00, 0.31)  # median in pixels of the 28 × 28 image, deviation of the logarithm
PRESSURE = 0.10  # deviation of the logarithm of the radius along a stroke
STEP = 0.035  # between two points of a path

N_WAVES = 3
N_PRESSURE = 5
N_TREMOR = 24
MAX_POINTS = max(family.corners.size for families in ALLOGRAPHS for family in families)
MAX_STROKES = max(len(family.strokes) for families in ALLOGRAPHS for family in families)
MAX_DRAWINGS = max(len(family.drawings) for families in ALLOGRAPHS for family in families)

NORMALS = {
    "jitter": (MAX_POINTS, 2),
    "shift": (MAX_STROKES, 2),
    "overshoot": (MAX_STROKES, 2),
    "slant": (),
    "stretch": (),
    "rotation": (),
    "radius": (),
    "waves": (N_WAVES, 2),
    "frequencies": (N_WAVES, 2),
    "pressure": (MAX_STROKES, N_PRESSURE),
    "tremor": (MAX_STROKES, N_TREMOR, 2),
}
UNIFORMS = {
    "allograph": (),
    "drawings": (MAX_DRAWINGS,),
    "phases": (N_WAVES,),
    "wildness": (),
    "roundness": (),
    "blur": (),
}


class Chance:
    """The random numbers behind a run of digits, one row each, drawn in order.

    Parameters
    ----------
    seed : int
        Seed of the run.

    Notes
    -----
    Each row takes the same amount of each stream, so that the first rows do not depend on how many follow.
    """

    def __init__(self, seed: int) -> None:
        normal, uniform = np.random.SeedSequence(seed).spawn(2)
        self._normal = np.random.default_rng(normal)
        self._uniform = np.random.default_rng(uniform)

    def rows(self, n: int) -> dict[str, np.ndarray]:
        """Draw the next `n` rows: arrays (n, ...) by name, shaped as in ``NORMALS`` and ``UNIFORMS``."""
        values = _split(self._normal.standard_normal((n, _width(NORMALS))), NORMALS)
        values.update(_split(self._uniform.random((n, _width(UNIFORMS))), UNIFORMS))
        return values


def _width(shapes: dict[str, tuple[int, ...]]) -> int:
    return sum(int(np.prod(shape)) for shape in shapes.values())


def _split(block: np.ndarray, shapes: dict[str, tuple[int, ...]]) -> dict[str, np.ndarray]:
    values, start = {}, 0
    for name, shape in shapes.items():
        size = int(np.prod(shape))
        values[name] = block[:, start : start + size].reshape(len(block), *shape)
        start += size
    return values


@dataclass(frozen=True)
class Paths:
    """The paths of m digits written with the same allograph.

    Attributes
    ----------
    points : (m, S, 2) float64 array
        Points x, y of the path, y downwards, in heights of a digit.
    pressure : (m, S) float64 array
        Radius of the ink at each point, relative to the pen's.
    strokes : tuple of slice
        Where each stroke lies in the path.
    """

    points: np.ndarray
    pressure: np.ndarray
    strokes: tuple[slice, ...]


def radius(chance: dict[str, np.ndarray]) -> np.ndarray:
    """Radii (m,) of the pens, in pixels of the 28 × 28 image."""
    return RADIUS[0] * np.exp(RADIUS[1] * chance["radius"])


def choose(digit: int, uniform: np.ndarray) -> np.ndarray:
    """Choose allographs of `digit` by their weights: uniform (m,) in [0, 1) → ranks (m,)."""
    weights = np.array([family.weight for family in ALLOGRAPHS[digit]])
    return np.searchsorted(np.cumsum(weights)[:-1] / weights.sum(), uniform, side="right")


def write(digit: int, rank: int, chance: dict[str, np.ndarray]) -> Paths:
    """Write m digits with one allograph.

    Parameters
    ----------
    digit, rank : int
        The digit, and the rank of its allograph in ``ALLOGRAPHS[digit]``.
    chance : dict of (m, ...) arrays
        The rows of ``Chance`` of these digits.
    """
    family = ALLOGRAPHS[digit][rank]
    pen = _pen(digit, rank)
    points = _drawing(family, chance)
    round_share = chance["roundness"][:, None, None] ** 2
    path = (1 - round_share) * (pen.sharp @ points) + round_share * (pen.smooth @ points)
    for number, part in enumerate(pen.strokes):
        path[:, part] += TREMOR * (pen.tremor[part] @ chance["tremor"][:, number])
    log_pressure = np.concatenate(
        [(pen.pressure[part] @ chance["pressure"][:, i, :, None])[..., 0] for i, part in enumerate(pen.strokes)], axis=1
    )
    return Paths(_hand(path, chance), np.exp(PRESSURE * log_pressure), pen.strokes)


def _drawing(family: Allograph, chance: dict[str, np.ndarray]) -> np.ndarray:
    """Mix the drawings of the allograph and move their points: (m, P, 2)."""
    n_drawings, n_points, _ = family.drawings.shape
    # A high power of exponential variables: mostly one drawing, with a touch of the others.
    shares = np.log1p(-chance["drawings"][:, :n_drawings]) ** 4
    shares /= shares.sum(axis=1, keepdims=True)
    points = (shares[:, None] @ family.drawings.reshape(n_drawings, -1)).reshape(-1, n_points, 2)
    wildness = (0.4 + 1.2 * chance["wildness"])[:, None, None]
    # Neighbouring points move together, or round shapes would become polygons.
    jitter = np.pad(chance["jitter"][:, :n_points], ((0, 0), (1, 1), (0, 0)))
    jitter = (jitter[:, :-2] / 2 + jitter[:, 1:-1] + jitter[:, 2:] / 2) / np.sqrt(1.5)
    points = points + JITTER * wildness * jitter
    for number, stroke in enumerate(family.strokes):
        if number:
            points[:, stroke] += STROKE_SHIFT * wildness * chance["shift"][:, number, None]
        first, last = stroke.start, stroke.stop - 1
        over = OVERSHOOT * chance["overshoot"][:, number, :, None]
        points[:, first] += over[:, 0] * (points[:, first] - points[:, first + 1])
        points[:, last] += over[:, 1] * (points[:, last] - points[:, last - 1])
    return points


def _hand(path: np.ndarray, chance: dict[str, np.ndarray]) -> np.ndarray:
    """Bend, turn, stretch and slant paths (m, S, 2)."""
    path = path - path.mean(axis=1, keepdims=True)
    turns = (WARP_FREQUENCY * chance["frequencies"][:, None] * path[:, :, None]).sum(axis=-1)
    phase = 2 * np.pi * (turns + chance["phases"][:, None])
    path = path + WARP * np.sin(phase) @ chance["waves"]
    stretch = np.exp(STRETCH * chance["stretch"])
    slant = SLANT[0] + SLANT[1] * chance["slant"]
    cos, sin = np.cos(ROTATION * chance["rotation"]), np.sin(ROTATION * chance["rotation"])
    x, y = path[..., 0] * stretch[:, None], path[..., 1]
    x = x - slant[:, None] * y
    return np.stack([cos[:, None] * x - sin[:, None] * y, sin[:, None] * x + cos[:, None] * y], axis=-1)


@dataclass(frozen=True)
class _Pen:
    """The matrices that take the numbers of an allograph to its path of S points."""

    sharp: np.ndarray  # (S, P): corners kept
    smooth: np.ndarray  # (S, P): corners rounded
    pressure: np.ndarray  # (S, N_PRESSURE)
    tremor: np.ndarray  # (S, N_TREMOR)
    strokes: tuple[slice, ...]


@cache
def _pen(digit: int, rank: int) -> _Pen:
    family = ALLOGRAPHS[digit][rank]
    mean = family.drawings.mean(axis=0)
    sharp, smooth, pressure, tremor, strokes = [], [], [], [], []
    start = 0
    for stroke in family.strokes:
        knots = np.concatenate([[0.0], np.cumsum(np.linalg.norm(np.diff(mean[stroke], axis=0), axis=1))])
        n_samples = max(6, round(knots[-1] / STEP))
        at = np.linspace(0, knots[-1], n_samples)
        columns = np.eye(len(mean))[stroke]
        sharp.append(_spline(knots, family.corners[stroke], at) @ columns)
        smooth.append(_spline(knots, np.zeros(len(knots), bool), at) @ columns)
        pressure.append(CubicSpline(np.linspace(0, knots[-1], N_PRESSURE), np.eye(N_PRESSURE))(at))
        tremor.append(CubicSpline(np.linspace(0, knots[-1], N_TREMOR), np.eye(N_TREMOR))(at))
        strokes.append(slice(start, start + n_samples))
        start += n_samples
    return _Pen(
        np.concatenate(sharp), np.concatenate(smooth), np.concatenate(pressure), np.concatenate(tremor), tuple(strokes)
    )


def _spline(knots: np.ndarray, corners: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Matrix (len(at), P) of the natural cubic spline through P points, broken at the corners."""
    matrix = np.zeros((len(at), len(knots)))
    breaks = [0, *np.flatnonzero(corners[1:-1]) + 1, len(knots) - 1]
    for first, last in zip(breaks[:-1], breaks[1:], strict=True):
        inside = (at >= knots[first]) & (at <= knots[last])
        piece = knots[first : last + 1]
        spline = CubicSpline(piece, np.eye(len(piece)), bc_type="natural")
        matrix[inside, first : last + 1] = spline(at[inside])
    return matrix
