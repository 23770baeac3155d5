"""What does not move: hour and weather, sky, skyline, façades, pavements, road; and the perspective of the street."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from course_utils.data.street import textures
from course_utils.data.street.canvas import ONE, SHIFT, Brush, Canvas, lay
from course_utils.data.street.facades import Building
from course_utils.data.street.palette import Color, Dice, clip_color, mix, scaled

# Skies by progress of the night: (progress, top, middle, horizon).
DAY_SKIES: tuple[tuple[Color, Color, Color], ...] = (
    ((74, 138, 206), (132, 182, 224), (206, 226, 236)),
    ((96, 158, 214), (160, 202, 228), (226, 234, 232)),
    ((58, 112, 186), (110, 164, 216), (190, 216, 232)),
    ((122, 164, 196), (176, 200, 212), (228, 228, 220)),
)
EVENING_SKIES: tuple[tuple[float, Color, Color, Color], ...] = (
    (0.30, (92, 128, 178), (214, 182, 150), (255, 216, 150)),
    (0.48, (62, 66, 118), (196, 110, 108), (255, 170, 96)),
    (0.66, (26, 36, 84), (66, 74, 134), (176, 128, 132)),
    (0.84, (10, 16, 44), (24, 32, 72), (62, 60, 92)),
    (1.00, (6, 9, 26), (14, 19, 44), (36, 38, 62)),
)
AMBIENTS = (
    (0.0, (1.0, 1.0, 1.0)),
    (0.30, (1.04, 0.88, 0.70)),
    (0.48, (0.82, 0.65, 0.61)),
    (0.66, (0.50, 0.49, 0.66)),
    (0.84, (0.35, 0.36, 0.53)),
    (1.0, (0.30, 0.31, 0.46)),
)
OVERCAST: tuple[Color, Color, Color] = ((128, 138, 150), (158, 166, 174), (190, 194, 196))


@dataclass(frozen=True)
class Weather:
    """Light of the scene.

    Attributes
    ----------
    night, rain : controls, in [0, 1]
    sky : three colours, from the zenith to the horizon
    ambient : gain of daylight on red, green and blue
    lamps : strength of lamps, 0 by day
    sun : sunshine, 0 when overcast or by night
    cloud : share of clouds
    """

    night: float
    rain: float
    sky: tuple[Color, Color, Color]
    ambient: tuple[float, float, float]
    lamps: float
    sun: float
    cloud: float

    @classmethod
    def at(cls, night: float, rain: float, dice: Dice) -> Weather:
        """Return the weather of an hour; the seed chooses among the skies of that hour."""
        day, cloud = dice.pick(DAY_SKIES), dice.random() ** 1.5
        stops = (0.0, *(stop[0] for stop in EVENING_SKIES))
        grey = max(0.85 * rain, 0.9 * max(cloud - 0.7, 0.0) / 0.3)
        sky: list[Color] = []
        for k in range(3):
            shades = np.array([day[k], *(stop[1 + k] for stop in EVENING_SKIES)], float)
            clear = clip_color(*(float(np.interp(night, stops, shades[:, c])) for c in range(3)))
            dull = scaled(OVERCAST[k], float(np.interp(night, (0, 0.35, 0.7, 1), (1.0, 0.8, 0.35, 0.16))))
            sky.append(mix(clear, dull, grey))
        table = np.array([gain for _, gain in AMBIENTS])
        ambient = np.array([np.interp(night, [n for n, _ in AMBIENTS], table[:, c]) for c in range(3)])
        ambient = ambient + (ambient.mean() - ambient) * 0.7 * grey * (night < 0.6)
        ambient *= 1 - 0.2 * grey
        lamps = float(np.clip((night - 0.36) / 0.3, 0, 1))
        sun = float((1 - grey) * np.clip(1 - (night - 0.3) / 0.25, 0, 1))
        return cls(
            night,
            rain,
            (sky[0], sky[1], sky[2]),
            (float(ambient[0]), float(ambient[1]), float(ambient[2])),
            lamps,
            sun,
            max(cloud, 0.9 * rain),
        )


@dataclass(frozen=True)
class Perspective:
    """Where things stand in the picture, in fractions of its height, and their size.

    A point on the ground at height ``y`` of the picture (0 top, 1 bottom) is ``(y - horizon) * zoom`` picture heights
    per metre; depth decreases from the façades (1) to the bottom of the picture (0).
    """

    wall: float
    kerb: float
    edge: float
    horizon: float
    zoom: float

    @classmethod
    def roll(cls, dice: Dice) -> Perspective:
        """Return a point of view."""
        wall = dice.uniform(0.535, 0.6)
        return cls(
            wall,
            wall + dice.uniform(0.06, 0.075),
            dice.uniform(0.925, 0.965),
            dice.uniform(0.05, 0.14),
            dice.uniform(0.128, 0.15),
        )

    def scale(self, y: float) -> float:
        """Return picture heights per metre for things standing at ``y``."""
        return (y - self.horizon) * self.zoom

    def depth(self, y: float) -> float:
        """Return 1 at the foot of the façades and 0 at the bottom of the picture (negative below it)."""
        return (1 - y) / (1 - self.wall)


class Backdrop:
    """The street without its objects, drawn once for a scene or a video."""

    def __init__(self, dice: Dice, view: Perspective, weather: Weather, pool: str | None) -> None:
        self.dice, self.view, self.weather, self.pool = dice, view, weather, pool

    def draw(self, height: int, width: int, step: int) -> Canvas:
        """Return a canvas of ``height`` × ``width`` drawing pixels."""
        canvas = Canvas.blank(height, width, self.weather.lamps, step)
        for paint, hand in zip(
            (self._sky, self._skyline, self._facades, self._ground, self._markings), self.dice.deal(5), strict=True
        ):
            paint(canvas, hand)
        self._wet(canvas)
        if canvas.lamps == 0:
            canvas.horizon = int(np.flatnonzero(canvas.light.any((1, 2))).max(initial=-1)) + 1
        return canvas

    # -- sky ------------------------------------------------------------------------------------------------------
    def _sky(self, canvas: Canvas, dice: Dice) -> None:
        """Paint the sky at a quarter of the size: it has no detail."""
        height, width = canvas.light.shape[:2]
        bottom, w = int(0.62 * height), self.weather
        rows, columns = max(bottom // 4, 2), max(width // 4, 2)
        shades = np.stack(
            [np.interp(np.linspace(0, 1, rows), (0, 0.42, 0.85), [c[k] for c in w.sky]) for k in range(3)], 1
        )
        sky = np.repeat(shades.astype(np.uint8)[:, None], columns, 1)
        x, y = dice.uniform(0.08, 0.92) * width, dice.uniform(0.06, 0.2) * height
        if w.night <= 0.62:
            y = float(np.interp(w.night, (0, 0.3, 0.5), (0.1, 0.3, 0.5))) * height
            self._sunlight(sky, x / 4, y / 4)
        field = textures.clouds()
        u, v = dice.integer(0, 300), dice.integer(0, 120)
        small = cv2.resize(
            field[v : v + 130, u : u + min(200, 110 * width // height)], (columns, rows), interpolation=cv2.INTER_LINEAR
        )
        cover = cv2.addWeighted(small, 2.6, small, 0, -2.6 * (170 - 96 * w.cloud))
        fade = np.repeat(np.linspace(235, 120, rows).astype(np.uint8)[:, None], columns, 1)
        bright = mix(mix(w.sky[2], (255, 255, 255), 0.6 * (1 - w.night)), w.sky[0], 0.35 * w.rain + 0.25 * w.night)
        lay(sky, np.full_like(sky, bright), cv2.multiply(cover, fade, scale=1 / 255))
        canvas.light[:bottom] = cv2.resize(sky, (width, bottom), interpolation=cv2.INTER_LINEAR)
        self._sun_or_moon(canvas.light[:bottom], (int(16 * x), int(16 * y)), dice)

    def _sunlight(self, sky: np.ndarray, x: float, y: float) -> None:
        """Brighten the sky around the sun."""
        (height, width), w = sky.shape[:2], self.weather
        for size, color, strength in ((2.1, (255, 196, 120), 0.55), (0.8, (255, 226, 170), 0.6)):
            scale = 95 / (size * height * (0.6 + w.night))
            matrix = np.array([[scale, 0, 47.5 - x * scale], [0, scale, 47.5 - y * scale]])
            spot = cv2.warpAffine(
                textures.blob(), matrix, (width, height), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            )
            warm = w.sun * strength * min(1.0, 0.35 + 2 * w.night)
            cv2.add(sky, cv2.merge([cv2.convertScaleAbs(spot, alpha=warm * c / 255) for c in color]), dst=sky)

    def _sun_or_moon(self, sky: np.ndarray, centre: tuple[int, int], dice: Dice) -> None:
        w, radius = self.weather, int(16 * 0.045 * sky.shape[0])
        if w.night > 0.62:
            self._stars(sky, dice)
            if w.rain < 0.4:
                cv2.circle(sky, centre, radius, (244, 240, 220), -1, cv2.LINE_AA, 4)
                if dice.chance(0.6):
                    cv2.circle(
                        sky,
                        (centre[0] - radius // 2, centre[1] - radius // 4),
                        int(0.9 * radius),
                        w.sky[0],
                        -1,
                        cv2.LINE_AA,
                        4,
                    )
        elif w.sun > 0.3:
            cv2.circle(sky, centre, radius, (255, 250, 226), -1, cv2.LINE_AA, 4)

    def _stars(self, sky: np.ndarray, dice: Dice) -> None:
        count = int(70 * (self.weather.night - 0.6) * (1 - self.weather.rain) / 0.4)
        where = dice.rng.random((count, 3))
        for u, v, bright in where:
            y, x = int(v**1.3 * sky.shape[0] * 0.9), int(u * (sky.shape[1] - 1))
            level = int(90 + 150 * bright)
            size = max(1, sky.shape[0] // 330)
            sky[y : y + size, x : x + size] = np.maximum(sky[y : y + size, x : x + size], level)

    def _skyline(self, canvas: Canvas, dice: Dice) -> None:
        """Draw distant roofs, pale in the haze, behind the gaps between façades."""
        height, width = canvas.light.shape[:2]
        x = -0.05 * width
        haze = mix(self.weather.sky[2], self.weather.sky[0], 0.45)
        outline = [(-9.0, float(height))]
        while x < 1.05 * width:
            top, wide = dice.uniform(0.30, 0.46) * height, dice.uniform(0.04, 0.13) * height
            outline += [(x, top), (x + wide, top)]
            if dice.chance(0.2):
                outline += [(x + wide, top), (x + 1.2 * wide, top - 0.1 * height), (x + 1.4 * wide, top)]
            x += wide * 1.4
        outline.append((width + 9.0, float(height)))
        cv2.fillPoly(canvas.light, [(np.array(outline) * 16).astype(np.int32)], scaled(haze, 0.86), cv2.LINE_AA, 4)

    # -- buildings ------------------------------------------------------------------------------------------------
    def _facades(self, canvas: Canvas, dice: Dice) -> None:
        height, width = canvas.light.shape[:2]
        scale = self.view.scale(self.view.wall) * height * 0.84
        x, half = -width / 2 / scale - dice.uniform(0, 4), width / 2 / scale
        for hand in dice.deal(int(2 * half / 4.6) + 3):
            if x > half:
                break
            wide = hand.uniform(4.6, 9.0)
            building = Building(hand, x, x + wide, self.pool)
            brush = Brush(
                canvas,
                width / 2,
                self.view.wall * height,
                scale,
                extent=(x - 0.3, x + wide + 0.3, building.top + 3.4, 0),
            )
            brush.begin()
            building.draw(brush)
            brush.shade((0.0, 1.2, building.ground, building.top), (0.8, 0.94, 1.0, 1.06))
            brush.finish()
            x += wide
            if hand.chance(0.16):
                x += hand.uniform(1.0, 3.0)

    # -- ground ---------------------------------------------------------------------------------------------------
    def _ground(self, canvas: Canvas, dice: Dice) -> None:
        height, width = canvas.light.shape[:2]
        view = self.view
        wall, kerb, edge = (int(v * height) for v in (view.wall, view.kerb, view.edge))
        tone = dice.color(((176, 172, 164), (160, 158, 154), (186, 176, 160), (150, 150, 152)))
        slab = (scaled(tone, 0.86), tone, scaled(tone, 1.1))
        asphalt = dice.color(((92, 92, 95), (78, 79, 84), (104, 101, 98), (70, 72, 78)), 6)
        bitumen = (scaled(asphalt, 0.82), asphalt, scaled(asphalt, 1.2))
        for top, bottom, colors, zoom in (
            (wall, kerb, slab, 4.0),
            (kerb, edge, bitumen, 3.0),
            (edge, height, slab, 2.0),
        ):
            if bottom <= top:
                continue
            grey = textures.grey_patch(
                "gravel", self.pool, ((bottom - top) * 2, width), dice, max(zoom * 400 / height, 2.9)
            )
            canvas.frame[top:bottom] = textures.tinted(grey[::2], colors)
            canvas.light[top:bottom] = 0
        rows = np.interp(
            np.arange(wall, height) / height,
            (view.wall, view.wall + 0.03, view.kerb + 0.02, view.edge, 1),
            (0.78, 1.0, 0.92, 1.08, 1.0),
        )
        ground = canvas.frame[wall:]
        levels = cv2.repeat((rows * 128).astype(np.uint8)[:, None], 1, width)
        ground[...] = cv2.multiply(ground, cv2.merge([levels] * 4), scale=1 / 128)
        self._joints(canvas, scaled(tone, 0.72))
        self._kerbs(canvas, scaled(tone, 1.12))

    def _joints(self, canvas: Canvas, color: Color) -> None:
        height, width = canvas.light.shape[:2]
        view, lines = self.view, []
        for top, bottom, pitch in ((view.wall, view.kerb, 1.5), (view.edge, 1.0, 1.5)):
            step = pitch * view.scale(bottom) * height
            for k in range(-int(width / step) - 1, int(width / step) + 2):
                low, ratio = k * step, view.scale(top) / view.scale(bottom)
                lines.append([(width / 2 + low * ratio, top * height), (width / 2 + low, bottom * height)])
        middle = (view.wall + 0.55 * (view.kerb - view.wall)) * height
        lines.append([(0.0, middle), (float(width), middle)])
        thickness = max(1, height // 420)
        cv2.polylines(
            canvas.frame, list((np.array(lines) * 16).astype(np.int32)), False, (*color, 0), thickness, cv2.LINE_AA, 4
        )

    def _kerbs(self, canvas: Canvas, stone: Color) -> None:
        height, width = canvas.light.shape[:2]
        for y, face, rise in ((self.view.kerb, 0.012, 0.007), (self.view.edge, 0.0, 0.012)):
            self._strip(canvas, y - rise, y, stone)
            self._strip(canvas, y, y + face, scaled(stone, 0.66))
            self._strip(canvas, y + face, y + face + 0.012, (58, 58, 60))

    def _strip(self, canvas: Canvas, top: float, bottom: float, color: Color) -> None:
        height, width = canvas.light.shape[:2]
        if bottom > top:
            _box(canvas, -1, top * height, width + 1, bottom * height, color)

    def _markings(self, canvas: Canvas, dice: Dice) -> None:
        height, width = canvas.light.shape[:2]
        view, white = self.view, (208, 206, 198)
        if dice.chance(0.3):
            self._crossing(canvas, dice.uniform(0.1, 0.9) * width, white)
        marks = [
            view.kerb + share * (view.edge - view.kerb) for share in ((0.5,) if dice.chance(0.6) else (0.36, 0.68))
        ]
        for y in marks:
            thick, scale = 0.006 + 0.006 * (y - view.kerb) / 0.4, view.scale(y) * height
            dash, gap, start = 1.6 * scale, 2.2 * scale, dice.uniform(-3, 0) * scale
            while start < width:
                first, last = (start, (y - thick) * height), (start + dash, (y + thick) * height)
                _box(canvas, *first, *last, white)
                start += dash + gap
        if dice.chance(0.5):
            y = view.kerb + dice.uniform(0.15, 0.85) * (view.edge - view.kerb)
            centre = (int(16 * dice.uniform(0, width)), int(16 * y * height))
            size = view.scale(y) * height * 16
            cv2.ellipse(
                canvas.frame,
                centre,
                (int(0.36 * size), int(0.13 * size)),
                0,
                0,
                360,
                (66, 64, 64, 0),
                -1,
                cv2.LINE_AA,
                4,
            )
            cv2.ellipse(
                canvas.frame,
                centre,
                (int(0.28 * size), int(0.09 * size)),
                0,
                0,
                360,
                (86, 84, 82, 0),
                -1,
                cv2.LINE_AA,
                4,
            )

    def _crossing(self, canvas: Canvas, x: float, white: Color) -> None:
        """Draw a zebra crossing: long bars, one behind the other, narrowing with distance."""
        height, width = canvas.light.shape[:2]
        view, bars, y = self.view, [], self.view.kerb + 0.022
        while y < view.edge - 0.02:
            thick = 0.016 + 0.05 * (y - view.kerb)
            quad = []
            for side, level in ((-1, y), (1, y), (1, y + thick), (-1, y + thick)):
                scale = view.scale(level) / view.scale(view.edge)
                quad.append(
                    (
                        width / 2 + ((x - width / 2) + side * 1.7 * view.scale(view.edge) * height) * scale,
                        level * height,
                    )
                )
            bars.append(quad)
            y += 2 * thick
        cv2.fillPoly(canvas.frame, list((np.array(bars) * 16).astype(np.int32)), (*white, 0), cv2.LINE_AA, 4)

    def _wet(self, canvas: Canvas) -> None:
        """Mirror façades and sky, blurred, in the wet road and pavements."""
        rain, height = self.weather.rain, canvas.light.shape[0]
        if rain <= 0.02:
            return
        wall = int(self.view.wall * height)
        rows = min(height - wall, wall)
        ripple = (1, max(3, height // 26 | 1))
        ground = canvas.frame[wall : wall + rows]
        mirror = cv2.blur(canvas.frame[wall - rows : wall][::-1].copy(), ripple)
        canvas.frame[wall : wall + rows] = cv2.addWeighted(
            ground, (1 - 0.38 * rain) * (1 - 0.35 * rain), mirror, 0.35 * rain, 0
        )
        lights = cv2.blur(canvas.light[wall - rows : wall][::-1].copy(), ripple)
        fade = np.linspace(0.75, 0.25, rows)[:, None, None] * rain
        canvas.light[wall : wall + rows] = np.maximum(
            canvas.light[wall : wall + rows], (lights * fade).astype(np.uint8)
        )


def _box(canvas: Canvas, x0: float, y0: float, x1: float, y1: float, color: Color) -> None:
    """Fill a rectangle given in drawing pixels."""
    first, last = (int((x0 - 0.5) * ONE), int((y0 - 0.5) * ONE)), (int((x1 - 0.5) * ONE), int((y1 - 0.5) * ONE))
    cv2.rectangle(canvas.frame, first, last, (*color, 0), -1, cv2.LINE_AA, SHIFT)
