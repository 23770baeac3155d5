"""Antialiased drawing in metres: a canvas of light and colour, and the brush that draws one object on it.

The frame has four channels: red, green, blue and the coverage of the object being drawn. One call of OpenCV draws
colour and coverage together, so the truth (which pixels belong to the object) is exact by construction.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import cv2
import numpy as np

from course_utils.data.street import textures
from course_utils.data.street.palette import Color

SHIFT = 4
ONE = 1 << SHIFT
POOL = 8  # side, in pixels, of a cell of the map of lamp light
SHADED = 1200  # drawing pixels under which an object is not shaded
CIRCLE = np.stack([np.cos(np.linspace(0, 2 * np.pi, 33)[:-1]), np.sin(np.linspace(0, 2 * np.pi, 33)[:-1])], 1)

Points = Sequence[tuple[float, float]] | np.ndarray
Region = tuple[slice, slice]


@dataclass
class Canvas:
    """What is drawn: surfaces (``frame``), light emitted (``light``) and lamp light received (``pools``).

    Attributes
    ----------
    frame : (H, W, 4) uint8
        Colour of surfaces under white light, and the coverage of the current object.
    light : (H, W, 3) uint8
        Light added to the picture whatever the hour: sky, lamps, lit windows.
    pools : (H / 8, W / 8, 3) float32
        Lamp light falling on surfaces, added to daylight.
    lamps : float
        Strength of lamps, 0 by day and 1 by night.
    step : int
        Drawing pixels per pixel of the final picture; regions are aligned on it.
    horizon : int
        Row from which ``light`` is known to be black.
    """

    frame: np.ndarray
    light: np.ndarray
    pools: np.ndarray
    lamps: float
    step: int
    horizon: int = 1 << 30

    @classmethod
    def blank(cls, height: int, width: int, lamps: float, step: int) -> Canvas:
        """Return a black canvas of ``height`` × ``width`` drawing pixels."""
        cells = (-(-height // POOL), -(-width // POOL), 3)
        return cls(
            np.zeros((height, width, 4), np.uint8),
            np.zeros((height, width, 3), np.uint8),
            np.zeros(cells, np.float32),
            lamps,
            step,
        )

    def copy(self) -> Canvas:
        """Return an independent copy."""
        return replace(self, frame=self.frame.copy(), light=self.light.copy(), pools=self.pools.copy())

    def region(self, x0: float, y0: float, x1: float, y1: float) -> Region:
        """Return the slices of a rectangle, clipped to the canvas and aligned on ``step``."""
        step, (height, width) = self.step, self.frame.shape[:2]
        top, left = max(int(y0) // step * step, 0), max(int(x0) // step * step, 0)
        bottom, right = min(-(-int(y1 + 1) // step) * step, height), min(-(-int(x1 + 1) // step) * step, width)
        return slice(top, max(bottom, top)), slice(left, max(right, left))

    def darken(self, x: float, y: float, width: float, height: float, strength: float) -> None:
        """Multiply the frame by a soft shadow centred on (x, y), in pixels."""
        region = self.region(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        patch = self.frame[region]
        if patch.size == 0:
            return
        shadow = _window(textures.soft_box(), region, x, y, width, height)
        gain = cv2.merge([255 - cv2.convertScaleAbs(shadow, alpha=strength)] * 4)
        cv2.multiply(patch, gain, dst=patch, scale=1 / 255)

    def glow(self, x: float, y: float, width: float, height: float, color: Color, strength: float) -> None:
        """Add a soft spot of light centred on (x, y), in pixels, in proportion to ``lamps``."""
        strength *= self.lamps
        region = self.region(x - width / 2, y - height / 2, x + width / 2, y + height / 2)
        patch = self.light[region]
        if patch.size == 0 or strength <= 0:
            return
        spot = _window(textures.blob(), region, x, y, width, height)
        cv2.add(patch, cv2.merge([cv2.convertScaleAbs(spot, alpha=strength * c / 255) for c in color]), dst=patch)

    def pool(self, x: float, y: float, width: float, height: float, color: Color, strength: float) -> None:
        """Light the surfaces around (x, y), in pixels, in proportion to ``lamps``."""
        strength *= self.lamps
        rows, columns = self.pools.shape[:2]
        top, left = max(int((y - height / 2) / POOL), 0), max(int((x - width / 2) / POOL), 0)
        bottom, right = min(int((y + height / 2) / POOL) + 1, rows), min(int((x + width / 2) / POOL) + 1, columns)
        if top >= bottom or left >= right or strength <= 0:
            return
        region = slice(top, bottom), slice(left, right)
        spot = _window(textures.dome(), region, x / POOL, y / POOL, width / POOL, height / POOL)
        here = spot[..., None] * (np.array(color, np.float32) * (strength / 255**2))
        np.maximum(self.pools[region], here, out=self.pools[region])


def _window(stamp: np.ndarray, region: Region, x: float, y: float, width: float, height: float) -> np.ndarray:
    """Return the part of ``stamp``, stretched to ``width`` × ``height`` around (x, y), that falls in ``region``."""
    rows, columns = region
    sx, sy = (stamp.shape[1] - 1) / max(width, 1), (stamp.shape[0] - 1) / max(height, 1)
    matrix = np.array([[sx, 0, (columns.start - x + width / 2) * sx], [0, sy, (rows.start - y + height / 2) * sy]])
    size = (columns.stop - columns.start, rows.stop - rows.start)
    return cv2.warpAffine(stamp, matrix, size, flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)


class Brush:
    """Draws one object; coordinates are in metres from the point where it touches the ground, y upwards.

    Parameters
    ----------
    canvas : Canvas
    x, y : float
        Position of the origin, in drawing pixels.
    scale : float
        Drawing pixels per metre.
    flip : bool
        Mirror the object (texts stay readable).
    extent : (left, right, top, bottom)
        Bounds of the object, in metres, before mirroring; drawing outside is not seen in the truth.
    """

    def __init__(
        self,
        canvas: Canvas,
        x: float,
        y: float,
        scale: float,
        *,
        flip: bool = False,
        extent: tuple[float, float, float, float] = (-6, 6, 5, -0.4),
    ) -> None:
        self.canvas, self.scale, self.flip, self.x, self.y = canvas, scale, flip, x, y
        self._gain = np.array([-scale if flip else scale, -scale]) * ONE
        self._left, self._top = (x - 0.5) * ONE + 0.5, (y - 0.5) * ONE + 0.5
        self._origin = np.array([self._left, self._top])
        left, right, top, bottom = extent
        if flip:
            left, right = -right, -left
        self.region = canvas.region(
            x + left * scale - 2, y - top * scale - 2, x + right * scale + 2, y - bottom * scale + 2
        )
        self.patch = canvas.frame[self.region]
        self._lamps: list[tuple[list[np.ndarray], Color, float]] = []
        self._halos: list[tuple[float, float, float, Color, float]] = []

    # -- shapes ---------------------------------------------------------------------------------------------------
    def shows(self, size: float, pixels: float = 1.0) -> bool:
        """Tell whether a detail of ``size`` metres covers at least ``pixels`` drawing pixels."""
        return size * self.scale >= pixels

    def pixels(self, points: Points | Sequence[Points]) -> np.ndarray:
        """Return points as the fixed-point pixel coordinates OpenCV draws with."""
        return (np.asarray(points, np.float64) * self._gain + self._origin).astype(np.int32)

    def fill(self, points: Points, color: Color) -> None:
        """Fill a polygon."""
        cv2.fillPoly(self.canvas.frame, [self.pixels(points)], (*color, 255), cv2.LINE_AA, SHIFT)

    def fills(self, polygons: Sequence[Points] | np.ndarray, color: Color) -> None:
        """Fill several polygons that do not overlap and have the same number of points."""
        if len(polygons):
            cv2.fillPoly(self.canvas.frame, list(self.pixels(polygons)), (*color, 255), cv2.LINE_AA, SHIFT)

    def _pixel(self, x: float, y: float) -> tuple[int, int]:
        scale = self.scale * ONE
        return int(self._left + (-x if self.flip else x) * scale), int(self._top - y * scale)

    def box(self, x0: float, y0: float, x1: float, y1: float, color: Color) -> None:
        """Fill a rectangle."""
        cv2.rectangle(
            self.canvas.frame, self._pixel(x0, y0), self._pixel(x1, y1), (*color, 255), -1, cv2.LINE_AA, SHIFT
        )

    def line(self, points: Points, width: float, color: Color, *, faint: bool = False) -> None:
        """Draw a broken line ``width`` metres thick; a ``faint`` one is left out when thinner than half a pixel."""
        thickness = width * self.scale
        if faint and thickness < 0.5:
            return
        wide, ink = max(1, round(thickness)), (*color, 255)
        if len(points) == 2:
            cv2.line(self.canvas.frame, self._pixel(*points[0]), self._pixel(*points[1]), ink, wide, cv2.LINE_AA, SHIFT)
        else:
            cv2.polylines(self.canvas.frame, [self.pixels(points)], False, ink, wide, cv2.LINE_AA, SHIFT)

    def disc(self, x: float, y: float, radius: float, color: Color) -> None:
        """Fill a disc."""
        cv2.circle(
            self.canvas.frame, self._pixel(x, y), int(radius * self.scale * ONE), (*color, 255), -1, cv2.LINE_AA, SHIFT
        )

    def ring(self, x: float, y: float, radius: float, width: float, color: Color) -> None:
        """Draw a circle ``width`` metres thick."""
        thickness = max(1, round(width * self.scale))
        cv2.circle(
            self.canvas.frame,
            self._pixel(x, y),
            int(radius * self.scale * ONE),
            (*color, 255),
            thickness,
            cv2.LINE_AA,
            SHIFT,
        )

    def limb(
        self, a: tuple[float, float], b: tuple[float, float], width_a: float, width_b: float, color: Color
    ) -> None:
        """Draw a tapered limb with round ends, ``width_a`` metres wide at ``a``, ``width_b`` at ``b``."""
        if max(width_a, width_b) * self.scale < 2.6:
            self.line((a, b), 0.5 * (width_a + width_b), color)
        else:
            self.fill(limb_outline(a, b, width_a, width_b), color)

    def text(
        self,
        text: str,
        x: float,
        y: float,
        height: float,
        color: Color,
        *,
        width: float | None = None,
        style: str = "Sans",
    ) -> None:
        """Write a line of text centred on (x, y), ``height`` metres high, at most ``width`` metres wide."""
        rows = height * self.scale
        if rows < 2.5:
            return
        ink = textures.glyphs(text, style)
        columns = rows * ink.shape[1] / ink.shape[0]
        if width is not None:
            columns = min(columns, width * self.scale)
        centre_x, centre_y = self.x + (-x if self.flip else x) * self.scale, self.y - y * self.scale
        self.stamp(ink, centre_x, centre_y, columns, rows, color)

    def stamp(self, ink: np.ndarray, x: float, y: float, width: float, height: float, color: Color) -> None:
        """Blend a coverage map of the given size around (x, y), all in pixels."""
        w, h = max(round(width), 1), max(round(height), 1)
        left, top = round(x - w / 2), round(y - h / 2)
        frame = self.canvas.frame
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, frame.shape[1]), min(top + h, frame.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        cover = cv2.resize(ink, (w, h), interpolation=cv2.INTER_AREA)[y0 - top : y1 - top, x0 - left : x1 - left]
        patch = frame[y0:y1, x0:x1]
        lay(patch, np.full_like(patch, (*color, 255)), cover)

    # -- light ----------------------------------------------------------------------------------------------------
    def begin(self) -> None:
        """Forget the coverage drawn so far: the object begins here."""
        self.patch[..., 3] = 0

    def shade(
        self,
        heights: Sequence[float],
        gains: Sequence[float],
        *,
        across: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        """Multiply what is drawn of the object by a gain that depends on height (and, a little, on x).

        Nothing is done to an object too small for its shading to be seen.

        Parameters
        ----------
        heights : increasing heights, in metres.
        gains : gain at these heights, in [0, 2).
        across : gain at the left and the right of the region.
        """
        rows, columns = self.region
        if self.patch.shape[0] * self.patch.shape[1] < SHADED:
            return
        metres = (self.y - 0.5 - np.arange(rows.start, rows.stop)) / self.scale
        gain = np.full((len(metres), 2, 4), 128.0, np.float32)
        gain[..., :3] *= np.interp(metres, heights, gains)[:, None, None] * np.array(across)[:, None]
        levels = cv2.resize(
            gain.astype(np.uint8), (columns.stop - columns.start, len(metres)), interpolation=cv2.INTER_LINEAR
        )
        shaded = cv2.multiply(self.patch, levels, scale=1 / 128)
        cv2.copyTo(shaded, cv2.extractChannel(self.patch, 3), self.patch)

    def lamp(self, points: Points, color: Color, strength: float = 1.0) -> None:
        """Fill a polygon that shines by night."""
        self.fill(points, color)
        self.shine(points, color, strength)

    def shine(self, points: Points, color: Color, strength: float = 1.0) -> None:
        """Make one polygon (k, 2) or several (n, k, 2), already drawn, shine by night."""
        if self.canvas.lamps > 0:
            pixels = self.pixels(points)
            self._lamps.append(([pixels] if pixels.ndim == 2 else list(pixels), color, strength))

    def halo(self, x: float, y: float, radius: float, color: Color, strength: float) -> None:
        """Add a halo around a lamp, by night."""
        if self.canvas.lamps > 0:
            x = -x if self.flip else x
            self._halos.append(
                (self.x + x * self.scale, self.y - y * self.scale, 2 * radius * self.scale, color, strength)
            )

    def finish(self) -> np.ndarray:
        """Hide the lights behind the object, light its own, and return its coverage over ``region`` (uint8)."""
        cover = cv2.extractChannel(self.patch, 3)
        rows, columns = self.region
        light = self.canvas.light[rows.start : min(rows.stop, self.canvas.horizon), columns]
        if light.size:
            hidden = cv2.bitwise_not(cover[: len(light)])
            cv2.multiply(light, cv2.merge([hidden, hidden, hidden]), dst=light, scale=1 / 255)
        for pixels, color, strength in self._lamps:
            level = strength * self.canvas.lamps
            cv2.fillPoly(self.canvas.light, pixels, tuple(level * c for c in color), cv2.LINE_AA, SHIFT)
        for x, y, size, color, strength in self._halos:
            self.canvas.glow(x, y, size, size, color, strength)
        return cover


def lay(below: np.ndarray, above: np.ndarray, cover: np.ndarray) -> None:
    """Blend ``above`` into ``below``, in place: (h, w, c) uint8, where ``cover`` (h, w) uint8 is high."""
    cover = cv2.merge([cover] * below.shape[2])
    kept = cv2.multiply(below, cv2.bitwise_not(cover), scale=1 / 255)
    cv2.add(kept, cv2.multiply(above, cover, scale=1 / 255), dst=below)


def limb_outline(
    a: tuple[float, float],
    b: tuple[float, float],
    width_a: float,
    width_b: float,
) -> list[tuple[float, float]]:
    """Return the outline of a tapered capsule from ``a`` to ``b``."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    length = max((dx * dx + dy * dy) ** 0.5, 1e-6)
    ux, uy = dx / length, dy / length
    outline = []
    for (x, y), radius, ends in (
        (a, width_a / 2, ((0, 1), (-0.7, 0.7), (-1, 0), (-0.7, -0.7), (0, -1))),
        (b, width_b / 2, ((0, -1), (0.7, -0.7), (1, 0), (0.7, 0.7), (0, 1))),
    ):
        for along, side in ends:
            outline.append((x + radius * (along * ux - side * uy), y + radius * (along * uy + side * ux)))
    return outline


def rounded(corners: Sequence[tuple[float, float, float]], steps: int = 4) -> np.ndarray:
    """Return the outline of a polygon whose corners (x, y, radius) are rounded by quadratic Bézier arcs."""
    data = np.array(corners)
    points = data[:, :2]
    after = np.concatenate([points[1:], points[:1]]) - points
    length = np.sqrt((after * after).sum(1)) + 1e-6
    before = -np.concatenate([after[-1:], after[:-1]])
    share_after = np.minimum(0.48, data[:, 2] / length)
    share_before = np.minimum(0.48, data[:, 2] / np.concatenate([length[-1:], length[:-1]]))
    nodes = np.empty((len(points), 3, 2))
    nodes[:, 0] = points + before * share_before[:, None]
    nodes[:, 1] = points
    nodes[:, 2] = points + after * share_after[:, None]
    return (_bezier(steps) @ nodes).reshape(-1, 2)


@lru_cache(maxsize=8)
def _bezier(steps: int) -> np.ndarray:
    t = np.linspace(0, 1, steps)
    return np.stack([(1 - t) ** 2, 2 * t * (1 - t), t**2], 1)


def arch(x: float, y: float, radius: float, floor: float) -> np.ndarray:
    """Return the part above ``floor`` of a disc: a wheel arch."""
    circle = CIRCLE * radius + (x, y)
    circle[:, 1] = np.maximum(circle[:, 1], floor)
    return circle


def rectangles(x0: np.ndarray, y0: np.ndarray | float, x1: np.ndarray, y1: np.ndarray | float) -> np.ndarray:
    """Return the corners, (n, 4, 2), of rectangles given by their sides."""
    corners = np.empty((len(x0), 4, 2))
    corners[:, 0, 0] = corners[:, 3, 0] = x0
    corners[:, 1, 0] = corners[:, 2, 0] = x1
    corners[:, 0, 1] = corners[:, 1, 1] = y0
    corners[:, 2, 1] = corners[:, 3, 1] = y1
    return corners
