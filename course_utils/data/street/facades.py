"""Buildings: brick, stone, plaster, concrete, half-timber; roofs, windows, balconies, shutters, shops and doors."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from course_utils.data.street import textures
from course_utils.data.street.canvas import Brush, rectangles
from course_utils.data.street.palette import (
    AWNINGS,
    BRICKS,
    CONCRETES,
    PLASTERS,
    ROOF_TILES,
    SHOPFRONTS,
    SHUTTERS,
    STONES,
    WHITE,
    ZINCS,
    Color,
    Dice,
    luma,
    mix,
    scaled,
)

GLASS_TONES: tuple[Color, ...] = ((72, 88, 104), (92, 112, 130), (58, 70, 84), (124, 148, 166), (80, 84, 92))
LIT_TONES: tuple[Color, ...] = ((255, 206, 122), (255, 222, 160), (246, 186, 104), (206, 220, 240))
SHOP_NAMES = (
    "BOULANGERIE",
    "CAFÉ",
    "LIBRAIRIE",
    "FLEURS",
    "PHARMACIE",
    "ÉPICERIE",
    "PRIMEUR",
    "OPTIQUE",
    "COIFFEUR",
    "TABAC",
    "FROMAGERIE",
    "BISTROT",
    "PRESSE",
    "MUSIQUE",
    "CINÉMA",
    "VÉLOS",
    "PIZZA",
    "JOUETS",
    "BANQUE",
    "CHOCOLAT",
)


@dataclass(frozen=True)
class Style:
    """How a family of buildings is put together. Lengths in metres.

    Attributes
    ----------
    material : photograph of the wall
    floor, ground : heights of a floor and of the ground floor
    window : (width, height) of a window
    bay : distance between windows
    roof : "mansard", "tiles" or "flat"
    """

    material: str
    floor: float
    ground: float
    window: tuple[float, float]
    bay: float
    roof: str
    shutters: float = 0.0
    balconies: float = 0.0
    lintels: float = 0.0
    beams: float = 0.0


STYLES: dict[str, Style] = {
    "brick": Style("brick", 2.7, 3.0, (1.0, 1.55), 2.0, "tiles", lintels=1.0),
    "stone": Style("gravel", 2.9, 3.3, (0.95, 1.9), 1.9, "mansard", shutters=0.25, balconies=0.8, lintels=0.6),
    "plaster": Style("moon", 2.6, 2.9, (0.9, 1.4), 2.1, "tiles", shutters=0.85, balconies=0.15),
    "modern": Style("gravel", 2.6, 3.0, (1.9, 1.45), 2.3, "flat", balconies=0.35),
    "timber": Style("moon", 2.4, 2.8, (0.9, 1.2), 1.9, "tiles", shutters=0.35, beams=1.0),
}
STYLE_WEIGHTS = (3.2, 3.4, 3.0, 1.5, 0.8)


class Building:
    """One building between ``left`` and ``right`` metres; draws itself with a brush whose origin is on the ground."""

    def __init__(self, dice: Dice, left: float, right: float, pool: str | None) -> None:
        self.dice, self.left, self.right, self.pool = dice, left, right, pool
        self.family = dice.weighted(tuple(STYLES), STYLE_WEIGHTS)
        self.style = STYLES[self.family]
        self.floors = dice.weighted((1, 2, 3, 4), (2.0, 4.5, 3.0, 0.8))
        self.floor, self.ground = dice.near(self.style.floor, 0.06), dice.near(self.style.ground, 0.05)
        self.top = self.ground + self.floors * self.floor
        self.shop = dice.chance(0.66)
        self.wall = self._wall_colors()
        self.shutter = dice.color(SHUTTERS)

    def _wall_colors(self) -> tuple[Color, Color, Color]:
        dice, material = self.dice, self.style.material
        if material == "brick":
            dark, middle, light = dice.pick(BRICKS)
            shift = dice.uniform(0.9, 1.1)
            return scaled(dark, shift), scaled(middle, shift), scaled(light, shift)
        base = dice.color(
            {"stone": STONES, "plaster": PLASTERS, "timber": PLASTERS, "modern": CONCRETES}[self.family], 10
        )
        depth = 0.12 if material == "moon" else 0.1
        return scaled(base, 1 - depth), base, scaled(base, 1 + depth / 2)

    def draw(self, brush: Brush) -> None:
        """Draw the building."""
        self._texture(brush)
        self._roof(brush)
        self._mouldings(brush)
        if self.style.beams:
            self._beams(brush)
        self._windows(brush)
        (self._shop if self.shop else self._house)(brush)

    # -- walls ----------------------------------------------------------------------------------------------------
    def _texture(self, brush: Brush) -> None:
        corner = brush.pixels(((self.left, self.top), (self.right, 0.0))) >> 4
        height, width = brush.canvas.frame.shape[:2]
        (x0, y0), (x1, y1) = corner
        x0, y0, x1, y1 = max(int(x0), 0), max(int(y0), 0), min(int(x1) + 1, width), min(int(y1) + 1, height)
        if x0 >= x1 or y0 >= y1:
            return
        zoom = {"brick": 300.0, "gravel": 170.0, "moon": 70.0}[self.style.material] / brush.scale
        patch = textures.surface(self.style.material, self.pool, (y1 - y0, x1 - x0), self.dice, zoom, self.wall)
        brush.canvas.frame[y0:y1, x0:x1] = patch

    def _mouldings(self, brush: Brush) -> None:
        light, dark = mix(self.wall[1], WHITE, 0.42), scaled(self.wall[1], 0.72)
        above = range(1, self.floors) if self.style.lintels > 0.5 else ()
        levels = [self.ground, *(self.ground + k * self.floor for k in above)]
        for y in levels:
            brush.box(self.left, y - 0.2, self.right, y - 0.06, dark)
            brush.box(self.left, y - 0.12, self.right, y + 0.06, light)
        brush.box(self.left - 0.08, self.top - 0.32, self.right + 0.08, self.top - 0.2, dark)
        brush.box(self.left - 0.12, self.top - 0.22, self.right + 0.12, self.top + 0.02, light)
        brush.box(self.left, 0, self.left + 0.06, self.top, dark)
        if self.style.material == "gravel" and brush.shows(0.1, 1.5):
            for y in np.arange(0.5, self.ground - 0.2, 0.5):
                brush.line(((self.left, y), (self.right, y)), 0.03, scaled(self.wall[1], 0.86))

    def _beams(self, brush: Brush) -> None:
        wood = (88, 62, 48)
        for k in range(self.floors):
            low, high = self.ground + k * self.floor, self.ground + (k + 1) * self.floor - 0.25
            brush.box(self.left, low, self.right, low + 0.16, wood)
            for x in np.arange(self.left, self.right, self.style.bay / 2):
                brush.box(x - 0.06, low, x + 0.06, high, wood)
            for x in np.arange(self.left + self.style.bay / 2, self.right - 0.9, self.style.bay * 2):
                brush.line(((x, low), (x + 0.8, high)), 0.1, wood)

    # -- roofs ----------------------------------------------------------------------------------------------------
    def _roof(self, brush: Brush) -> None:
        self._chimneys(brush)
        if self.style.roof == "flat":
            brush.box(self.left, self.top - 0.1, self.right, self.top + 0.3, scaled(self.wall[1], 0.9))
            return
        mansard = self.style.roof == "mansard"
        color, rise, slope = (
            self.dice.color(ZINCS if mansard else ROOF_TILES),
            *((1.9, 0.42) if mansard else (1.35, 0.55)),
        )
        low, high, left, right = self.top - 0.05, self.top + rise, self.left - 0.1, self.right + 0.1
        brush.fill(((left, low), (left + slope, high), (right - slope, high), (right, low)), color)
        brush.fill(
            (
                (left, low),
                (left + 0.25 * slope, low + 0.25 * rise),
                (right - 0.25 * slope, low + 0.25 * rise),
                (right, low),
            ),
            scaled(color, 0.86),
        )
        brush.box(left + slope, high - 0.1, right - slope, high + 0.06, scaled(color, 1.25))
        if brush.shows(0.25, 2.2):
            for y in np.arange(low + 0.2, high - 0.1, 0.22 if not mansard else 0.6):
                inset = slope * (y - low) / rise
                brush.line(((left + inset, y), (right - inset, y)), 0.03, scaled(color, 0.84))
        if mansard:
            for x in self._bays(self.style.bay * 1.5):
                brush.box(x - 0.48, low + 0.3, x + 0.48, low + 1.45, mix(self.wall[1], WHITE, 0.3))
                brush.box(x - 0.34, low + 0.36, x + 0.34, low + 1.25, self.dice.pick(GLASS_TONES))
                brush.fill(((x - 0.6, low + 1.42), (x, low + 1.78), (x + 0.6, low + 1.42)), scaled(color, 0.72))

    def _chimneys(self, brush: Brush) -> None:
        rise = {"flat": 0.4, "mansard": 1.9, "tiles": 1.35}[self.style.roof]
        for _ in range(self.dice.integer(0, 3)):
            x, tall = self.dice.uniform(self.left + 0.8, self.right - 0.8), self.dice.uniform(0.6, 1.1)
            brush.box(x - 0.32, self.top, x + 0.32, self.top + rise + tall, self.dice.pick(BRICKS)[1])
            for pot in (-0.18, 0.12):
                brush.box(
                    x + pot - 0.08, self.top + rise + tall, x + pot + 0.1, self.top + rise + tall + 0.25, (168, 96, 70)
                )
        if self.dice.chance(0.35):
            x, tip = self.dice.uniform(self.left + 0.6, self.right - 0.6), self.top + rise + 1.4
            brush.line(((x, self.top), (x, tip)), 0.04, (70, 72, 76))
            brush.line(((x - 0.4, tip - 0.1), (x + 0.4, tip - 0.1)), 0.03, (70, 72, 76))

    # -- windows --------------------------------------------------------------------------------------------------
    def _bays(self, bay: float) -> np.ndarray:
        count = max(int((self.right - self.left - 0.5) / bay), 1)
        return self.left + (np.arange(count) + 0.5) * (self.right - self.left) / count

    def _windows(self, brush: Brush) -> None:
        style, dice = self.style, self.dice
        wide, tall = dice.near(style.window[0], 0.1), min(dice.near(style.window[1], 0.08), self.floor - 0.75)
        columns, floors = self._bays(style.bay), np.arange(self.floors)
        half, ceiling = brush.canvas.frame.shape[1] / 2 / brush.scale + 1, brush.y / brush.scale
        columns = columns[abs(columns) < half]
        levels = self.ground + floors * self.floor + 0.45
        levels = levels[levels < ceiling]
        x, y = np.tile(columns, len(levels)), np.repeat(levels, len(columns))
        left, right, top = x - wide / 2, x + wide / 2, y + tall
        if dice.chance(style.shutters):
            self._shutters(brush, left, right, y, top)
        frame = mix(self.wall[1], WHITE, 0.65) if style.material != "moon" else WHITE
        if style.lintels:
            brush.fills(rectangles(left - 0.14, top, right + 0.14, top + 0.2), mix(self.wall[1], WHITE, 0.5))
        brush.fills(rectangles(left - 0.08, y - 0.06, right + 0.08, top + 0.06), frame)
        panes = rectangles(left, y, right, top)
        tone = np.array([dice.chance(0.5) for _ in x], int)
        for k, color in enumerate((dice.pick(GLASS_TONES), dice.pick(GLASS_TONES))):
            brush.fills(panes[tone == k], color)
        self._light_windows(brush, panes)
        brush.fills(rectangles(left, top - 0.16, right, top), (44, 50, 58))
        if brush.shows(0.07, 0.9):
            self._details(brush, x, y, left, right, top, frame)
        brush.fills(rectangles(left - 0.16, y - 0.16, right + 0.16, y - 0.04), mix(self.wall[1], WHITE, 0.4))
        if dice.chance(style.balconies):
            self._balconies(brush, levels)

    def _light_windows(self, brush: Brush, panes: np.ndarray) -> None:
        share = self.dice.uniform(0.25, 0.6)
        lit = np.array([self.dice.chance(share) for _ in panes], bool)
        tone = np.array([self.dice.chance(0.5) for _ in panes], int)
        colors = self.dice.pick(LIT_TONES), self.dice.pick(LIT_TONES[:3])
        if brush.canvas.lamps <= 0:
            return
        for k, color in enumerate(colors):
            chosen = panes[lit & (tone == k)]
            if len(chosen) and brush.shows(0.07, 0.9):
                middle = chosen.mean(1, keepdims=True)[..., :1]
                for side in (-0.04, 0.04):
                    half = chosen.copy()
                    half[..., 0] = (
                        np.minimum(half[..., 0], middle[..., 0] + side)
                        if side < 0
                        else np.maximum(half[..., 0], middle[..., 0] + side)
                    )
                    brush.shine(half, color, 0.85 - 0.25 * k)
            elif len(chosen):
                brush.shine(chosen, color, 0.85 - 0.25 * k)

    def _details(
        self,
        brush: Brush,
        x: np.ndarray,
        y: np.ndarray,
        left: np.ndarray,
        right: np.ndarray,
        top: np.ndarray,
        frame: Color,
    ) -> None:
        curtain = np.array([self.dice.chance(0.35) for _ in x], bool)
        if curtain.any() and brush.canvas.lamps < 0.5 and brush.shows(0.07, 1.6):
            brush.fills(
                rectangles(left[curtain], y[curtain], left[curtain] + 0.22, top[curtain] - 0.1), (226, 222, 212)
            )
            brush.fills(
                rectangles(right[curtain] - 0.22, y[curtain], right[curtain], top[curtain] - 0.1), (226, 222, 212)
            )
        brush.fills(rectangles(x - 0.035, y, x + 0.035, top), frame)
        middle = y + 0.62 * (top - y)
        brush.fills(rectangles(left, middle - 0.03, right, middle + 0.03), frame)

    def _shutters(self, brush: Brush, left: np.ndarray, right: np.ndarray, low: np.ndarray, top: np.ndarray) -> None:
        wide = 0.42
        for a, b in ((left - wide - 0.08, left - 0.08), (right + 0.08, right + wide + 0.08)):
            brush.fills(rectangles(a, low - 0.05, b, top + 0.05), self.shutter)
            if brush.shows(0.08, 1.2):
                for y in np.linspace(0.12, 0.88, 7):
                    level = low + y * (top - low)
                    brush.fills(
                        rectangles(a + 0.05, level - 0.025, b - 0.05, level + 0.025), scaled(self.shutter, 0.82)
                    )

    def _balconies(self, brush: Brush, levels: np.ndarray) -> None:
        iron = (38, 40, 46)
        for y in levels[:: self.dice.integer(1, 3)]:
            a, b = self.left + 0.3, self.right - 0.3
            brush.box(a - 0.1, y - 0.22, b + 0.1, y - 0.08, mix(self.wall[1], WHITE, 0.3))
            brush.box(a, y - 0.34, b, y - 0.22, scaled(self.wall[1], 0.6))
            brush.line(((a, y + 0.62), (b, y + 0.62)), 0.07, iron)
            brush.line(((a, y), (b, y)), 0.05, iron)
            if brush.shows(0.22, 2.0):
                bars = np.arange(a, b, 0.22)
                brush.fills(rectangles(bars - 0.02, y - 0.08, bars + 0.02, y + 0.62), iron)
            if self.dice.chance(0.4):
                self._flowers(brush, self.dice.uniform(a + 0.5, b - 0.5), y + 0.5)

    def _flowers(self, brush: Brush, x: float, y: float) -> None:
        for k in range(5):
            brush.disc(
                x + 0.2 * k - 0.4,
                y + self.dice.uniform(-0.05, 0.1),
                0.14,
                self.dice.pick(((70, 120, 60), (88, 140, 70), (214, 70, 90), (236, 160, 190))),
            )

    # -- ground floor ---------------------------------------------------------------------------------------------
    def _shop(self, brush: Brush) -> None:
        dice, wood = self.dice, self.dice.color(SHOPFRONTS)
        left, right, high = self.left + 0.35, self.right - 0.35, self.ground - 0.28
        brush.box(left, 0, right, high, wood)
        door = dice.uniform(0.15, 0.75) * (right - left - 1.2) + left
        glass = dice.pick(GLASS_TONES)
        spans = [(a, b) for a, b in ((left + 0.18, door - 0.12), (door + 1.12, right - 0.18)) if b - a > 0.5]
        awning = dice.chance(0.6)
        for a, b in spans:
            self._display(brush, a, b, high - 0.75, high - 1.38 if awning else high - 0.75, glass)
        brush.box(door, 0, door + 1.0, high - 0.62, scaled(wood, 0.72))
        brush.box(door + 0.14, 0.55, door + 0.86, high - 0.76, glass)
        self._lit(brush, door + 0.14, 0.55, door + 0.86, high - (1.38 if awning else 0.76))
        name = dice.pick(SHOP_NAMES)
        ink = dice.pick(((244, 226, 176), (246, 246, 240), (240, 200, 110))) if luma(wood) < 0.5 else (44, 40, 44)
        brush.box(left, high - 0.58, right, high, scaled(wood, 0.86))
        style = dice.pick(("Sans", "Serif"))
        brush.text(name, (left + right) / 2, high - 0.29, 0.34, ink, width=0.8 * (right - left), style=style)
        if awning:
            self._awning(brush, left, right, high - 0.5)
        brush.canvas.pool(
            brush.x + (left + right) / 2 * brush.scale,
            brush.y,
            (right - left) * 1.3 * brush.scale,
            3.0 * brush.scale,
            (255, 206, 140),
            0.5,
        )

    def _display(self, brush: Brush, a: float, b: float, high: float, lit: float, tone: Color) -> None:
        brush.box(a, 0.5, b, high, tone)
        if brush.shows(0.2, 1.6):
            for x in np.arange(a + 0.2, b - 0.2, 0.34):
                tall = self.dice.uniform(0.12, 0.5)
                brush.box(x, 0.5, x + 0.24, 0.5 + tall, mix(self.dice.pick(AWNINGS), tone, 0.3))
        brush.fill(((a, high), (a + 0.25 * (b - a), high), (a, high - 0.6 * (high - 0.5))), mix(tone, WHITE, 0.16))
        self._lit(brush, a, 0.5, b, lit, 0.72)

    def _lit(self, brush: Brush, x0: float, y0: float, x1: float, y1: float, strength: float = 0.6) -> None:
        brush.shine(((x0, y0), (x1, y0), (x1, y1), (x0, y1)), (255, 208, 132), strength)

    def _awning(self, brush: Brush, left: float, right: float, high: float) -> None:
        color, drop, out = self.dice.color(AWNINGS), 0.72, 0.22
        brush.box(left - 0.1, high - drop - 0.35, right + 0.1, high - drop, scaled(self.dice.pick(SHOPFRONTS), 0.5))
        stripes = max(int((right - left) / 0.42), 3)
        edges = np.linspace(0, 1, stripes + 1)
        top, bottom = left + edges * (right - left), left - out + edges * (right - left + 2 * out)
        high_, low = np.full(stripes, high), np.full(stripes, high - drop)
        quads = np.stack(
            [
                np.stack([top[:-1], high_], 1),
                np.stack([top[1:], high_], 1),
                np.stack([bottom[1:], low], 1),
                np.stack([bottom[:-1], low], 1),
            ],
            1,
        )
        other = WHITE if self.dice.chance(0.7) else scaled(color, 0.86)
        brush.fills(quads[::2], color)
        brush.fills(quads[1::2], other)
        rim = rectangles(bottom[:-1], low - 0.16, bottom[1:], low)
        brush.fills(rim[::2], scaled(color, 0.78))
        brush.fills(rim[1::2], scaled(other, 0.8))

    def _house(self, brush: Brush) -> None:
        dice, door = self.dice, self.dice.pick(self._bays(self.style.bay).tolist())
        color = dice.color(SHUTTERS + SHOPFRONTS)
        for x in self._bays(self.style.bay):
            if abs(x - door) < 0.6:
                continue
            wide, high = 0.5 * self.style.window[0], self.ground - 0.75
            brush.box(x - wide - 0.09, 0.85, x + wide + 0.09, high + 0.08, mix(self.wall[1], WHITE, 0.6))
            brush.box(x - wide, 0.92, x + wide, high, dice.pick(GLASS_TONES))
            if dice.chance(0.5):
                self._lit(brush, x - wide, 0.92, x + wide, high)
            brush.box(x - 0.04, 0.92, x + 0.04, high, WHITE)
        brush.box(door - 0.68, 0, door + 0.68, 2.46, mix(self.wall[1], WHITE, 0.45))
        brush.box(door - 0.52, 0, door + 0.52, 2.3, color)
        brush.box(door - 0.4, 1.75, door + 0.4, 2.2, dice.pick(GLASS_TONES))
        brush.box(door - 0.38, 0.25, door - 0.06, 1.55, scaled(color, 0.8))
        brush.box(door + 0.06, 0.25, door + 0.38, 1.55, scaled(color, 0.8))
