"""Four-wheeled vehicles: cars, taxis, vans, lorries and buses, each drawn from its own table of proportions.

Every class has ``roll(dice)`` (a vehicle unlike the others), ``draw(brush, travelled)`` (metres travelled turn the
wheels), and the attributes ``kind``, ``length``, ``height`` and ``text`` (number plate or fleet number). Vehicles look
towards positive x.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import ClassVar

import cv2
import numpy as np

from course_utils.data.street import textures
from course_utils.data.street.canvas import CIRCLE, Brush, arch, rectangles, rounded
from course_utils.data.street.palette import (
    ACCENTS,
    BUS_PAINTS,
    CLOTHES,
    FLEET_PAINTS,
    SKINS,
    TAXI_PAINTS,
    WHITE,
    Color,
    Dice,
    luma,
    mix,
    paint,
    readable,
    scaled,
)

Point = tuple[float, float]
GLASS, SKY_ON_GLASS, RUBBER, UNDERSIDE = (44, 56, 68), (150, 178, 200), (30, 30, 33), (20, 20, 23)
HEADLIGHT, TAILLIGHT, WARM = (255, 244, 214), (255, 44, 32), (255, 214, 140)
BRANDS = (
    "NORD",
    "FRAIS",
    "DÉMÉNAGE",
    "FLEURS",
    "EXPRESS",
    "BOIS",
    "PRIMEURS",
    "LOIRE",
    "TRANS",
    "ÉLEC",
    "VERRE",
    "PAIN",
)


@dataclass(frozen=True)
class CarBody:
    """Proportions of a car. Lengths in metres; places along the car as fractions of its length from the front."""

    length: float
    height: float
    cowl: float
    roof_front: float
    roof_rear: float
    rear_base: float
    boot: float
    belt: float
    wheel: float
    clearance: float
    axles: tuple[float, float]
    soft: float = 1.0


CAR_BODIES: dict[str, CarBody] = {
    "city": CarBody(3.65, 1.50, 0.215, 0.40, 0.86, 0.975, 0.98, 0.95, 0.300, 0.20, (0.175, 0.835)),
    "hatchback": CarBody(4.20, 1.47, 0.265, 0.43, 0.83, 0.965, 0.99, 0.94, 0.315, 0.19, (0.195, 0.815)),
    "saloon": CarBody(4.70, 1.44, 0.280, 0.43, 0.70, 0.850, 0.99, 0.92, 0.325, 0.18, (0.190, 0.790)),
    "estate": CarBody(4.70, 1.47, 0.275, 0.42, 0.90, 0.970, 0.99, 0.93, 0.320, 0.18, (0.190, 0.780)),
    "suv": CarBody(4.45, 1.68, 0.260, 0.40, 0.87, 0.965, 1.08, 1.08, 0.365, 0.27, (0.190, 0.800)),
    "coupe": CarBody(4.35, 1.30, 0.330, 0.50, 0.66, 0.900, 0.90, 0.85, 0.330, 0.15, (0.190, 0.790)),
    "vintage": CarBody(3.75, 1.52, 0.300, 0.40, 0.72, 0.950, 0.92, 0.98, 0.310, 0.22, (0.180, 0.800), 2.2),
}
BODY_WEIGHTS = (5, 6, 4, 3, 5, 1.5, 1)


def wheel(brush: Brush, x: float, radius: float, angle: float, rim: Color, spokes: int) -> None:
    """Draw a wheel standing on the ground at ``x``."""
    y = radius
    brush.disc(x, y, radius, RUBBER)
    if not brush.shows(radius, 10):
        brush.disc(x, y, 0.6 * radius, scaled(rim, 0.8))
        brush.disc(x, y, 0.24 * radius, scaled(rim, 0.45))
        return
    brush.disc(x, y, 0.68 * radius, scaled(rim, 0.62))
    brush.disc(x, y, 0.62 * radius, rim)
    gaps, near, far, half = [], 0.24 * radius, 0.55 * radius, 0.62 * pi / spokes
    for k in range(spokes):
        a = angle + 2 * pi * k / spokes
        gaps.append(
            [
                (x + near * cos(a), y + near * sin(a)),
                (x + far * cos(a - half), y + far * sin(a - half)),
                (x + far * cos(a + half), y + far * sin(a + half)),
            ]
        )
    brush.fills(np.array(gaps), scaled(rim, 0.36))
    brush.disc(x, y, 0.13 * radius, scaled(rim, 0.75))


def glass(
    brush: Brush, corners: tuple[Point, Point, Point, Point], *, streak: bool = True, tint: Color = GLASS
) -> None:
    """Draw a window given bottom front, top front, top rear, bottom rear: dark below, sky above, one reflection."""
    a, b, c, d = corners
    brush.fill(corners, tint)
    height = b[1] - a[1]
    if not brush.shows(height, 5):
        return
    brush.fill((_between(a, b, 0.55), b, c, _between(d, c, 0.55)), mix(tint, SKY_ON_GLASS, 0.22))
    brush.fill((_between(a, b, 0.82), b, c, _between(d, c, 0.82)), mix(tint, SKY_ON_GLASS, 0.42))
    if streak and brush.shows(height, 9):
        for left, right in ((0.16, 0.38), (0.46, 0.54)):
            top = _between(b, c, left), _between(b, c, right)
            bottom = _between(a, d, right + 0.12), _between(a, d, left + 0.12)
            brush.fill((*top, *bottom), mix(tint, SKY_ON_GLASS, 0.62))


def _between(a: Point, b: Point, t: float) -> Point:
    return (a[0] + (b[0] - a[0]) * t, a[1] + (b[1] - a[1]) * t)


def driver(brush: Brush, x: float, y: float, size: float, skin: Color, coat: Color) -> None:
    """Draw the head and shoulders of somebody behind a window."""
    if brush.shows(size, 3):
        brush.fill(
            (
                (x - 1.1 * size, y - 1.5 * size),
                (x - size, y - 0.9 * size),
                (x, y - 0.6 * size),
                (x + size, y - 0.9 * size),
                (x + 1.1 * size, y - 1.5 * size),
            ),
            scaled(coat, 0.55),
        )
        brush.disc(x, y, 0.72 * size, scaled(skin, 0.62))


def plate(brush: Brush, x: float, y: float, text: str, width: float = 0.56) -> None:
    """Draw a number plate centred on (x, y)."""
    half, tall = width / 2, 0.085
    brush.box(x - half, y - tall, x + half, y + tall, (244, 244, 238))
    if brush.shows(0.17, 4):
        side = -1 if brush.flip else 1
        brush.box(x - side * half, y - tall, x - side * (half - 0.06), y + tall, (36, 72, 160))
        brush.text(text, x + 0.02 * side, y, 0.115, (24, 24, 30), width=0.38 * width / 0.56)


def beams(brush: Brush, front: float, rear: float, y: float) -> None:
    """Light the road in front of a vehicle and, in red, behind it."""
    canvas, s, side = brush.canvas, brush.scale, -1 if brush.flip else 1
    brush.halo(front, y, 0.75, HEADLIGHT, 0.75)
    brush.halo(rear, y + 0.1, 0.5, TAILLIGHT, 0.6)
    canvas.pool(brush.x + side * (front + 2.1) * s, brush.y - 0.1 * s, 5.6 * s, 1.5 * s, HEADLIGHT, 1.1)
    canvas.pool(brush.x + side * (rear - 0.5) * s, brush.y, 2.4 * s, 1.0 * s, TAILLIGHT, 0.6)


@dataclass(frozen=True)
class Car:
    """A private car or, with ``kind == "taxi"``, a taxi."""

    body: CarBody
    color: Color
    accent: Color
    rim: Color
    spokes: int
    skin: Color
    coat: Color
    text: str
    rack: str
    stripe: str
    kind: str = "car"
    shadow: ClassVar[float] = 0.62

    @classmethod
    def roll(cls, dice: Dice, kind: str = "car") -> Car:
        """Return a car unlike the others."""
        weights = BODY_WEIGHTS if kind == "car" else (0, 1, 5, 4, 2, 0, 0.4)
        table = CAR_BODIES[dice.weighted(tuple(CAR_BODIES), weights)]
        body = CarBody(
            dice.near(table.length, 0.04),
            dice.near(table.height, 0.03),
            dice.near(table.cowl, 0.05),
            dice.near(table.roof_front, 0.03),
            dice.near(table.roof_rear, 0.02),
            dice.near(table.rear_base, 0.008),
            dice.near(table.boot, 0.02),
            dice.near(table.belt, 0.02),
            dice.near(table.wheel, 0.04),
            dice.near(table.clearance, 0.08),
            table.axles,
            dice.near(table.soft, 0.2),
        )
        color = paint(dice) if kind == "car" else dice.color(TAXI_PAINTS, 5)
        rack = dice.weighted(("", "bars", "box", "board"), (8, 2, 0.7, 0.6)) if kind == "car" else "sign"
        stripe = (
            dice.weighted(("", "race", "two-tone"), (12, 0.7, 1))
            if kind == "car"
            else dice.pick(("checks", "band", ""))
        )
        return cls(
            body,
            color,
            dice.color(ACCENTS),
            dice.pick(((196, 198, 202), (168, 170, 176), (90, 92, 98), (222, 222, 222))),
            dice.integer(4, 8),
            dice.pick(SKINS),
            dice.pick(CLOTHES),
            dice.digits(4 if kind == "car" else 3),
            rack,
            stripe,
            kind,
        )

    @property
    def length(self) -> float:
        """Length in metres."""
        return self.body.length

    @property
    def height(self) -> float:
        """Height in metres, with what the roof carries."""
        return self.body.height + {"": 0.0, "bars": 0.1, "box": 0.4, "board": 0.25, "sign": 0.24}[self.rack]

    def _at(self, fraction: float) -> float:
        return self.body.length * (0.5 - fraction)

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the car."""
        b, at = self.body, self._at
        brush.begin()
        self._roof_load(brush)
        brush.fill(self._outline(), self.color)
        if self.stripe == "two-tone":
            brush.fill(
                rounded(
                    (
                        (at(b.cowl), b.belt, 0.1),
                        (at(b.roof_front), b.height - 0.03, 0.3),
                        (at(b.roof_rear), b.height - 0.05, 0.3),
                        (at(b.rear_base), b.belt, 0.1),
                    )
                ),
                self.accent,
            )
        heights = (
            0.1,
            b.clearance + 0.12,
            0.52 * b.belt,
            b.belt - 0.2,
            b.belt - 0.04,
            b.belt,
            b.height - 0.12,
            b.height,
        )
        brush.shade(heights, (0.45, 0.62, 0.86, 1.0, 1.28, 1.02, 0.98, 1.3))
        self._sides(brush)
        self._windows(brush)
        self._lights(brush)
        for axle in b.axles:
            x = at(axle)
            brush.fill(arch(x, b.wheel, 1.2 * b.wheel, b.clearance + 0.03), UNDERSIDE)
            wheel(brush, x, b.wheel, -travelled / b.wheel, self.rim, self.spokes)
        if self.kind == "car":
            plate(brush, at(0.02) - 0.27, b.clearance + 0.2, self.text, 0.52)

    def _outline(self) -> np.ndarray:
        b, at, s = self.body, self._at, self.body.soft
        nose, middle = b.belt - 0.2, (b.roof_front + b.roof_rear) / 2
        return rounded(
            (
                (at(0.015), b.clearance, 0.07),
                (at(0.0), b.clearance + 0.2, 0.1),
                (at(0.006), 0.86 * nose, 0.12 * s),
                (at(0.05), nose, 0.16 * s),
                (at(b.cowl), b.belt, 0.3 * s),
                (at(b.roof_front), b.height - 0.05, 0.42 * s),
                (at(middle), b.height, 0.7),
                (at(b.roof_rear), b.height - 0.06, 0.34 * s),
                (at(b.rear_base), b.boot, 0.2 * s),
                (at(0.987), b.boot - 0.03, 0.1 * s),
                (at(1.0), 0.62 * b.belt, 0.14 * s),
                (at(0.988), b.clearance + 0.02, 0.08),
            )
        )

    def _sides(self, brush: Brush) -> None:
        b, at, dark = self.body, self._at, scaled(self.color, 0.55)
        shoulder = b.belt - 0.12
        light = mix(self.color, WHITE, 0.45 if luma(self.color) < 0.6 else 0.75)
        brush.line(
            ((at(0.06), shoulder - 0.1), (at(b.cowl), shoulder), (at(0.93), shoulder + 0.01)), 0.022, light, faint=True
        )
        brush.fill(
            (
                (at(0.03), b.clearance),
                (at(0.03), b.clearance + 0.07),
                (at(0.975), b.clearance + 0.07),
                (at(0.975), b.clearance),
            ),
            (38, 38, 42),
        )
        pillar = at(0.5 * (b.roof_front + b.roof_rear) + 0.02)
        for x in (at(b.cowl + 0.03), pillar, at(min(b.rear_base - 0.12, b.axles[1] - 0.01))):
            brush.line(((x, b.clearance + 0.1), (x, b.belt)), 0.018, dark, faint=True)
        if brush.shows(0.05, 2):
            for x in (pillar + 0.16, pillar - 0.62 * (b.length / 4)):
                brush.box(x - 0.09, b.belt - 0.17, x + 0.07, b.belt - 0.13, scaled(self.color, 0.7))
        if self.stripe == "race":
            brush.box(at(0.96), b.clearance + 0.16, at(0.03), b.clearance + 0.24, self.accent)
        if self.kind == "taxi":
            self._livery(brush, pillar)

    def _livery(self, brush: Brush, pillar: float) -> None:
        b, at, ink = self.body, self._at, (26, 26, 30) if luma(self.color) > 0.4 else (246, 214, 70)
        y = b.clearance + 0.2
        if self.stripe == "band":
            brush.box(at(b.axles[1] - 0.09), y - 0.06, at(b.axles[0] + 0.09), y + 0.06, ink)
        elif self.stripe == "checks":
            side, start, stop = 0.11, at(b.axles[1] - 0.09), at(b.axles[0] + 0.09)
            x = np.arange(start, stop - side, side)
            low = y - side * (np.arange(len(x)) % 2)
            brush.fills(rectangles(x, low, x + side, low + side), ink)
        brush.text(self.text, pillar + 0.5, b.belt - 0.27, 0.2, ink, width=0.6)

    def _windows(self, brush: Brush) -> None:
        b, at = self.body, self._at
        top = b.height - 0.13
        front = ((at(b.cowl + 0.055), b.belt + 0.01), (at(b.roof_front + 0.012), top))
        rear = ((at(b.rear_base - 0.065), b.belt + 0.03), (at(b.roof_rear - 0.012), top - 0.03))
        brush.fill(
            (
                (at(b.cowl + 0.008), b.belt + 0.01),
                (at(b.roof_front - 0.012), b.height - 0.075),
                (at(b.roof_front), b.height - 0.085),
                (at(b.cowl + 0.036), b.belt + 0.015),
            ),
            mix(GLASS, SKY_ON_GLASS, 0.5),
        )
        brush.fill(
            (
                (at(b.rear_base - 0.012), b.boot + 0.03),
                (at(b.roof_rear + 0.018), b.height - 0.085),
                (at(b.roof_rear + 0.004), b.height - 0.09),
                (at(b.rear_base - 0.035), b.boot + 0.04),
            ),
            mix(GLASS, SKY_ON_GLASS, 0.25),
        )
        splits = (0.0, 0.5, 1.0) if b.roof_rear < 0.78 else (0.0, 0.42, 0.78, 1.0)
        gap = 0.028
        for k, (start, stop) in enumerate(zip(splits, splits[1:], strict=False)):
            start, stop = start + (gap if k else 0), stop - (gap if k < len(splits) - 2 else 0)
            corners = (
                _between(front[0], rear[0], start),
                _between(front[1], rear[1], start),
                _between(front[1], rear[1], stop),
                _between(front[0], rear[0], stop),
            )
            glass(brush, corners, streak=k != 1)
            if k == 0:
                driver(brush, _between(front[0], rear[0], 0.34)[0], b.belt + 0.2, 0.15, self.skin, self.coat)
        if brush.shows(0.1, 2.4):
            brush.fill(
                rounded(
                    (
                        (at(b.cowl + 0.075), b.belt - 0.01, 0.03),
                        (at(b.cowl + 0.05), b.belt + 0.06, 0.04),
                        (at(b.cowl + 0.075) - 0.07, b.belt + 0.1, 0.04),
                        (at(b.cowl + 0.09), b.belt, 0.03),
                    )
                ),
                scaled(self.color, 0.8),
            )

    def _lights(self, brush: Brush) -> None:
        b, at = self.body, self._at
        nose = b.belt - 0.2
        brush.lamp(
            (
                (at(0.008), 0.8 * nose),
                (at(0.012), 0.92 * nose),
                (at(0.055), nose - 0.02),
                (at(0.085), nose - 0.03),
                (at(0.05), 0.83 * nose),
            ),
            HEADLIGHT,
        )
        brush.lamp(
            (
                (at(0.993), 0.66 * b.belt),
                (at(0.985), b.boot - 0.07),
                (at(0.955), b.boot - 0.07),
                (at(0.965), 0.68 * b.belt),
            ),
            (200, 28, 30),
            0.9,
        )
        if brush.shows(0.08):
            brush.box(at(0.075), b.clearance + 0.1, at(0.03), b.clearance + 0.15, (235, 190, 110))
        beams(brush, at(0.0), at(1.0), 0.85 * nose)

    def _roof_load(self, brush: Brush) -> None:
        b, x, y = self.body, self._at(0.5 * (self.body.roof_front + self.body.roof_rear)), self.body.height
        if self.rack == "sign":
            sign = rounded(
                (
                    (x - 0.24, y - 0.03, 0.02),
                    (x - 0.18, y + 0.2, 0.06),
                    (x + 0.18, y + 0.2, 0.06),
                    (x + 0.24, y - 0.03, 0.02),
                )
            )
            brush.lamp(sign, (250, 246, 226), 0.95)
            if brush.shows(0.2, 5):
                brush.text("TAXI", x, y + 0.095, 0.11, (190, 30, 30), width=0.34)
        elif self.rack:
            half = 0.16 * b.length
            brush.line(((x - half - 0.08, y + 0.05), (x + half + 0.08, y + 0.05)), 0.035, (60, 60, 64))
            brush.line(((x - half, y - 0.05), (x - half, y + 0.05)), 0.03, (60, 60, 64))
            brush.line(((x + half, y - 0.05), (x + half, y + 0.05)), 0.03, (60, 60, 64))
            if self.rack == "box":
                brush.fill(
                    rounded(
                        (
                            (x - half, y + 0.07, 0.05),
                            (x - half - 0.05, y + 0.32, 0.12),
                            (x + half - 0.1, y + 0.36, 0.2),
                            (x + half + 0.12, y + 0.12, 0.1),
                        )
                    ),
                    scaled(self.accent, 0.5),
                )
            elif self.rack == "board":
                brush.limb((x - half - 0.5, y + 0.12), (x + half + 0.5, y + 0.13), 0.08, 0.11, self.accent)


@dataclass(frozen=True)
class Van:
    """A delivery van or a minibus."""

    length: float
    body_height: float
    color: Color
    accent: Color
    rim: Color
    livery: str
    brand: str
    glazed: bool
    ladder: bool
    skin: Color
    coat: Color
    text: str
    kind: str = "van"
    shadow: ClassVar[float] = 0.66

    @classmethod
    def roll(cls, dice: Dice) -> Van:
        """Return a van unlike the others."""
        return cls(
            dice.uniform(4.8, 5.8),
            dice.uniform(2.05, 2.5),
            dice.color(FLEET_PAINTS),
            dice.color(ACCENTS),
            dice.pick(((150, 152, 156), (190, 190, 192), (80, 80, 84))),
            dice.pick(("band", "wave", "logo", "plain")),
            dice.pick(BRANDS),
            dice.chance(0.25),
            dice.chance(0.25),
            dice.pick(SKINS),
            dice.pick(CLOTHES),
            dice.digits(3),
        )

    @property
    def height(self) -> float:
        """Height in metres, with the ladder."""
        return self.body_height + 0.22 * self.ladder

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the van."""
        front, rear, top = self.length / 2, -self.length / 2, self.body_height
        brush.begin()
        if self.ladder:
            for y in (top + 0.06, top + 0.18):
                brush.line(((rear + 0.5, y), (front - 1.9, y)), 0.035, (150, 150, 152))
            for x in np.arange(rear + 0.6, front - 1.9, 0.36):
                brush.line(((x, top - 0.02), (x, top + 0.18)), 0.03, (150, 150, 152))
        outline = rounded(
            (
                (front - 0.03, 0.27, 0.06),
                (front, 0.5, 0.12),
                (front - 0.05, 0.86, 0.14),
                (front - 0.3, 1.06, 0.2),
                (front - 0.95, 1.26, 0.2),
                (front - 1.6, top - 0.06, 0.4),
                (front - 2.0, top, 0.5),
                (rear + 0.06, top, 0.16),
                (rear, 1.2, 0.3),
                (rear + 0.02, 0.32, 0.06),
            )
        )
        brush.fill(outline, self.color)
        self._decoration(brush, front, rear, top)
        brush.shade((0.1, 0.4, 0.8, 1.15, 1.2, top - 0.15, top), (0.5, 0.66, 0.88, 1.12, 1.0, 1.0, 1.26))
        self._details(brush, front, rear, top)
        beams(brush, front, rear, 0.84)
        for x in (front - 0.92, rear + 0.95):
            brush.fill(arch(x, 0.36, 0.44, 0.3), UNDERSIDE)
            wheel(brush, x, 0.36, -travelled / 0.36, self.rim, 6)

    def _decoration(self, brush: Brush, front: float, rear: float, top: float) -> None:
        if self.livery == "band":
            brush.box(rear + 0.02, 0.92, front - 0.16, 1.12, self.accent)
        elif self.livery == "wave":
            brush.fill(
                rounded(
                    (
                        (rear + 0.02, 0.4, 0.02),
                        (rear + 0.02, 1.5, 0.05),
                        (rear + 1.2, 1.25, 0.7),
                        (rear + 2.6, 0.75, 0.8),
                        (front - 0.6, 0.62, 0.3),
                        (front - 0.6, 0.4, 0.02),
                    )
                ),
                self.accent,
            )
        elif self.livery == "logo":
            brush.disc(rear + 1.0, 1.45, 0.34, self.accent)
        centre = (rear + front - 1.7) / 2 + 0.2
        if not self.glazed and self.livery != "plain":
            ink = readable(self.accent, self.color)
            brush.text(self.brand, centre + 0.15 * (self.livery == "logo"), top - 0.5, 0.26, ink, width=1.9)

    def _details(self, brush: Brush, front: float, rear: float, top: float) -> None:
        dark = scaled(self.color, 0.6)
        brush.box(rear + 0.02, 0.27, front - 0.02, 0.4, (48, 48, 52))
        for x in (front - 0.98, front - 2.0, (rear + front - 2.0) / 2):
            brush.line(((x, 0.42), (x, top - 0.2)), 0.02, dark, faint=True)
        brush.line(((rear + 0.1, 1.17), (front - 2.0, 1.17)), 0.02, dark, faint=True)
        roof = top - 0.28
        lean = (roof - 1.26) / (top - 1.32)
        glass(
            brush, ((front - 1.1, 1.28), (front - 1.1 - 0.6 * lean, roof), (front - 1.93, roof), (front - 1.93, 1.24))
        )
        driver(brush, front - 1.52, 1.47, 0.16, self.skin, self.coat)
        brush.fill(
            ((front - 0.97, 1.28), (front - 1.57, top - 0.12), (front - 1.65, top - 0.16), (front - 1.06, 1.28)),
            mix(GLASS, SKY_ON_GLASS, 0.5),
        )
        if self.glazed:
            for x in np.arange(front - 2.1, rear + 0.9, -0.98):
                glass(brush, ((x, 1.26), (x, roof), (x - 0.88, roof), (x - 0.88, 1.26)))
        brush.lamp(((front - 0.02, 0.72), (front - 0.06, 0.88), (front - 0.32, 1.0), (front - 0.26, 0.82)), HEADLIGHT)
        brush.lamp(
            ((rear + 0.01, 0.75), (rear + 0.01, 1.15), (rear + 0.1, 1.15), (rear + 0.1, 0.75)), (200, 28, 30), 0.9
        )
        if brush.shows(0.16, 2):
            brush.fill(
                rounded(
                    (
                        (front - 1.02, 1.2, 0.04),
                        (front - 0.98, 1.5, 0.06),
                        (front - 1.13, 1.5, 0.06),
                        (front - 1.13, 1.2, 0.04),
                    )
                ),
                (40, 40, 44),
            )
        brush.text(self.text, front - 1.76, 0.84, 0.24, readable((40, 44, 60), self.color), width=0.7)


@dataclass(frozen=True)
class Lorry:
    """A lorry: a cab and what it carries (closed body, curtain, tank, tipper or stakes)."""

    length: float
    height: float
    load: str
    color: Color
    body_color: Color
    accent: Color
    brand: str
    cargo: tuple[Color, ...]
    skin: Color
    text: str
    kind: str = "lorry"
    shadow: ClassVar[float] = 0.7

    @classmethod
    def roll(cls, dice: Dice) -> Lorry:
        """Return a lorry unlike the others."""
        load = dice.weighted(("box", "curtain", "tank", "tipper", "stakes"), (4, 3, 2, 2, 1.4))
        height = dice.uniform(3.0, 3.4) if load in ("box", "curtain") else dice.uniform(2.75, 3.0)
        cargo = tuple(dice.color(((168, 120, 72), (150, 98, 60), (186, 150, 100), (120, 88, 60)), 20) for _ in range(6))
        return cls(
            dice.uniform(6.4, 8.0),
            height,
            load,
            dice.color(ACCENTS + FLEET_PAINTS),
            dice.color(FLEET_PAINTS + ACCENTS[:4]),
            dice.color(ACCENTS),
            dice.pick(BRANDS),
            cargo,
            dice.pick(SKINS),
            dice.digits(2),
        )

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the lorry."""
        front, rear = self.length / 2, -self.length / 2
        brush.begin()
        brush.box(rear + 0.15, 0.55, front - 0.3, 0.85, (46, 46, 50))
        getattr(self, f"_{self.load}")(brush, rear, front - 1.95)
        brush.shade((0.4, 0.85, 1.0, 1.8, self.height - 0.2, self.height), (0.6, 0.74, 0.88, 1.0, 1.05, 1.25))
        self._cab(brush, front)
        brush.box(rear + 1.9, 0.45, front - 2.3, 0.62, (120, 122, 126))
        brush.box(rear, 0.5, rear + 0.2, 0.66, (206, 60, 40))
        brush.lamp(((rear, 0.68), (rear, 0.84), (rear + 0.12, 0.84), (rear + 0.12, 0.68)), (200, 28, 30), 0.9)
        beams(brush, front, rear, 0.75)
        axles = [front - 0.95, rear + 0.95] + ([rear + 1.95] if self.length > 7.2 else [])
        for x in axles:
            brush.fill(arch(x, 0.46, 0.54, 0.46), UNDERSIDE)
            wheel(brush, x, 0.46, -travelled / 0.46, (176, 178, 182), 8)

    def _cab(self, brush: Brush, front: float) -> None:
        top = min(self.height - 0.15, 2.75)
        brush.fill(
            rounded(
                (
                    (front - 0.02, 0.42, 0.06),
                    (front, 1.2, 0.2),
                    (front - 0.14, 1.5, 0.2),
                    (front - 0.36, top - 0.1, 0.25),
                    (front - 0.7, top, 0.2),
                    (front - 1.82, top, 0.12),
                    (front - 1.85, 0.5, 0.05),
                )
            ),
            self.color,
        )
        if self.load in ("box", "curtain"):
            high, low = self.height - 0.02, top - 0.02
            fairing = ((front - 0.75, low), (front - 1.5, high), (front - 1.8, high), (front - 1.8, low))
            brush.fill(fairing, scaled(self.color, 0.85))
        brush.box(front - 1.78, 1.06, front - 0.06, 1.16, mix(self.color, self.accent, 0.7))
        glass(brush, ((front - 0.42, 1.52), (front - 0.56, top - 0.34), (front - 1.5, top - 0.34), (front - 1.5, 1.45)))
        driver(brush, front - 0.98, 1.78, 0.18, self.skin, (70, 80, 100))
        brush.fill(
            ((front - 0.16, 1.52), (front - 0.36, top - 0.2), (front - 0.44, top - 0.26), (front - 0.27, 1.5)),
            mix(GLASS, SKY_ON_GLASS, 0.55),
        )
        brush.line(((front - 1.58, 0.7), (front - 1.58, top - 0.25)), 0.025, scaled(self.color, 0.6), faint=True)
        brush.line(((front - 0.36, 0.95), (front - 0.36, 1.5)), 0.025, scaled(self.color, 0.6), faint=True)
        brush.box(front - 1.85, 0.4, front - 0.02, 0.6, (52, 52, 56))
        brush.lamp(((front - 0.01, 0.66), (front - 0.01, 0.86), (front - 0.3, 0.88), (front - 0.24, 0.66)), HEADLIGHT)
        brush.fill(
            rounded(
                (
                    (front - 0.3, 1.55, 0.04),
                    (front - 0.3, 2.0, 0.05),
                    (front - 0.42, 2.0, 0.05),
                    (front - 0.42, 1.55, 0.04),
                )
            ),
            (40, 40, 44),
        )

    def _number(self, brush: Brush, x: float, y: float, color: Color) -> None:
        brush.text(self.text, x, y, 0.5, color, width=0.9)

    def _box(self, brush: Brush, rear: float, front: float) -> None:
        brush.box(rear, 0.85, front, self.height, self.body_color)
        ink = readable(self.accent, self.body_color)
        brush.box(rear, 0.95, front, 1.14, self.accent)
        brush.text(self.brand, rear + 1.9, self.height - 0.85, 0.46, ink, width=2.6)
        self._number(brush, front - 0.65, 1.62, ink)
        for x in np.arange(rear + 0.8, front, 0.8):
            brush.line(((x, 0.9), (x, self.height)), 0.02, scaled(self.body_color, 0.86), faint=True)

    def _curtain(self, brush: Brush, rear: float, front: float) -> None:
        brush.box(rear, 0.95, front, self.height, self.accent)
        folds = np.arange(rear + 0.12, front, 0.3)
        brush.fills(rectangles(folds, 1.0, folds + 0.1, self.height - 0.14), scaled(self.accent, 0.88))
        brush.box(rear, 0.85, front, 1.0, (150, 152, 156))
        brush.box(rear, self.height - 0.14, front, self.height, (176, 178, 182))
        brush.text(self.brand, rear + 2.0, 2.15, 0.55, readable(WHITE, self.accent), width=2.8)
        self._number(brush, front - 0.6, 1.5, readable(WHITE, self.accent))

    def _tank(self, brush: Brush, rear: float, front: float) -> None:
        low, high = 0.98, self.height - 0.1
        steel = mix(self.body_color, (214, 216, 220), 0.6)
        brush.box(rear + 0.5, 0.8, front - 0.5, 1.1, (60, 60, 64))
        brush.fill(rounded(((rear, low, 0.5), (rear, high, 0.5), (front, high, 0.5), (front, low, 0.5)), 6), steel)
        brush.box(rear + 0.02, (low + high) / 2 - 0.24, front - 0.02, (low + high) / 2 - 0.04, self.accent)
        brush.shade(
            (low, low + 0.25, (low + high) / 2, high - 0.42, high - 0.25, high), (0.5, 0.72, 1.0, 1.3, 1.4, 0.95)
        )
        for x in (rear + 0.5, (rear + front) / 2, front - 0.5):
            brush.line(((x, low + 0.03), (x, high - 0.03)), 0.04, scaled(steel, 0.7), faint=True)
        brush.box((rear + front) / 2 - 0.9, high - 0.02, (rear + front) / 2 + 0.9, high + 0.1, (90, 92, 96))
        self._number(brush, rear + 1.1, (low + high) / 2 + 0.32, (40, 40, 48))

    def _tipper(self, brush: Brush, rear: float, front: float) -> None:
        x = np.linspace(rear + 0.3, front - 0.3, 9)
        heap = self.height - 0.62 + 0.5 * np.sin(np.linspace(0.15, pi - 0.1, 9)) + 0.05 * np.cos(9 * x)
        brush.fill(np.concatenate([np.stack([x, heap], 1), [(front - 0.3, 1.2), (rear + 0.3, 1.2)]]), self.cargo[0])
        brush.fill(
            (
                (rear - 0.02, 1.0),
                (rear + 0.12, self.height - 0.5),
                (front, self.height - 0.5),
                (front, 0.86),
                (rear + 0.3, 0.86),
            ),
            self.accent,
        )
        for x0 in np.arange(rear + 0.55, front, 0.7):
            brush.box(x0, 0.95, x0 + 0.12, self.height - 0.5, scaled(self.accent, 0.76))
        brush.box(rear + 0.1, self.height - 0.6, front, self.height - 0.5, scaled(self.accent, 1.18))
        self._number(brush, front - 0.85, 1.55, readable(WHITE, self.accent))

    def _stakes(self, brush: Brush, rear: float, front: float) -> None:
        brush.box(rear, 0.82, front, 1.0, (96, 74, 56))
        width, x = (front - rear) / 3, rear + 0.1
        for k, color in enumerate(self.cargo[:3]):
            low, high = 1.0, 1.0 + (0.95, 0.7, 1.2)[k]
            brush.box(x, low, x + width - 0.16, high, color)
            brush.box(x, (low + high) / 2, x + width - 0.16, (low + high) / 2 + 0.07, scaled(color, 0.75))
            brush.box(x + width / 2 - 0.12, low, x + width / 2 - 0.04, high, scaled(color, 0.75))
            x += width
        brush.box(front - 0.1, 1.0, front, 2.3, (70, 72, 78))
        for k in range(3):
            brush.box(rear, 1.0 + 0.2 * k, front - 0.1, 1.09 + 0.2 * k, self.body_color)
        brush.box(rear + 0.4, 1.02, rear + 1.5, 1.6, self.body_color)
        self._number(brush, rear + 0.95, 1.3, readable(self.accent, self.body_color))


@dataclass(frozen=True)
class Bus:
    """A city bus, sometimes with two decks; its fleet number is on its side."""

    length: float
    height: float
    double: bool
    color: Color
    trim: Color
    livery: str
    passengers: tuple[float, ...]
    skins: tuple[Color, ...]
    line: str
    poster: str
    text: str
    kind: str = "bus"
    shadow: ClassVar[float] = 0.7

    @classmethod
    def roll(cls, dice: Dice, pool: str | None = None) -> Bus:
        """Return a bus unlike the others."""
        double = dice.chance(0.16)
        color = dice.color(BUS_PAINTS if not double else ((186, 30, 36), (170, 28, 40), (40, 96, 72)))
        trim = dice.color(((244, 242, 234), (240, 214, 120), (40, 46, 60), (230, 120, 60)))
        if abs(luma(color) - luma(trim)) < 0.2:
            trim = (40, 46, 60) if luma(color) > 0.5 else (244, 242, 234)
        return cls(
            dice.uniform(8.2, 10.2),
            4.1 if double else dice.uniform(2.85, 3.1),
            double,
            color,
            trim,
            dice.pick(("band", "skirt", "sweep", "roof")),
            tuple(dice.random() for _ in range(16)),
            tuple(dice.pick(SKINS) for _ in range(4)),
            str(dice.integer(1, 99)),
            dice.pick(textures.POSTERS[pool]) if dice.chance(0.3) else "",
            dice.digits(3),
        )

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the bus."""
        front, rear, top = self.length / 2, -self.length / 2, self.height
        brush.begin()
        brush.fill(
            rounded(
                (
                    (front - 0.02, 0.3, 0.1),
                    (front, 1.3, 0.6),
                    (front - 0.12, top - 0.06, 0.34),
                    (front - 0.5, top, 0.3),
                    (rear + 0.1, top, 0.22),
                    (rear, 1.0, 0.3),
                    (rear + 0.02, 0.3, 0.1),
                )
            ),
            self.color,
        )
        self._livery(brush, front, rear, top)
        brush.shade((0.2, 0.5, 0.95, 1.2, top - 0.25, top - 0.12, top), (0.55, 0.72, 0.95, 1.08, 1.0, 1.2, 1.3))
        self._saloon(brush, front, rear, 1.18, min(top - 0.32, 2.55), doors=True)
        if self.double:
            self._saloon(brush, front, rear, 2.85, top - 0.3, doors=False)
        brush.box(rear + 0.03, 0.3, front - 0.03, 0.42, (40, 40, 44))
        self._signs(brush, front, rear, top)
        beams(brush, front, rear, 0.7)
        for x in (front - 1.95, rear + 2.1):
            brush.fill(arch(x, 0.46, 0.57, 0.34), UNDERSIDE)
            wheel(brush, x, 0.46, -travelled / 0.46, (170, 172, 176), 8)

    def _livery(self, brush: Brush, front: float, rear: float, top: float) -> None:
        if self.livery == "band":
            brush.box(rear + 0.01, 0.92, front - 0.01, 1.1, self.trim)
        elif self.livery == "skirt":
            brush.box(rear + 0.02, 0.3, front - 0.02, 0.78, self.trim)
        elif self.livery == "sweep":
            brush.fill(
                rounded(
                    (
                        (rear + 0.02, 0.32, 0.02),
                        (rear + 0.03, top - 0.3, 0.2),
                        (rear + 1.4, top - 0.05, 0.4),
                        (rear + 3.4, 0.6, 0.9),
                        (rear + 4.6, 0.32, 0.3),
                    )
                ),
                self.trim,
            )
        else:
            brush.box(rear + 0.08, top - 0.28, front - 0.12, top - 0.02, self.trim)

    def _saloon(self, brush: Brush, front: float, rear: float, low: float, high: float, *, doors: bool) -> None:
        brush.fill(
            rounded(
                (
                    (rear + 0.2, low - 0.06, 0.08),
                    (rear + 0.2, high + 0.05, 0.1),
                    (front - 0.1, high + 0.05, 0.14),
                    (front - 0.03, low - 0.06, 0.1),
                )
            ),
            (34, 38, 44),
        )
        count = max(int((self.length - 2.2) / 1.15), 3)
        width = (self.length - 2.0) / count
        for k in range(count):
            x = front - 1.15 - k * width
            corners = ((x, low), (x, high), (x - width + 0.1, high), (x - width + 0.1, low))
            glass(brush, corners, streak=k % 2 == 0)
            seat = self.passengers[(k + 8 * (not doors)) % 16]
            brush.shine(corners, (236, 208, 150), 0.62)
            if seat < 0.62:
                place = (x - width * (0.3 + 0.5 * seat), low + 0.3)
                driver(brush, *place, 0.17, self.skins[k % 4], CLOTHES[int(seat * 97) % len(CLOTHES)])
                brush.shine(CIRCLE * 0.12 + place, self.skins[k % 4], 0.3)
        cabin = ((front - 0.12, low - 0.02), (front - 0.2, high), (front - 0.98, high), (front - 0.98, low - 0.02))
        glass(brush, cabin, streak=False)
        if doors:
            for x in (front - 0.98, rear + self.length * 0.52):
                brush.box(x - 0.86, 0.42, x, high + 0.02, scaled(self.color, 0.5))
                for left in (x - 0.82, x - 0.4):
                    glass(
                        brush,
                        ((left + 0.36, 0.55), (left + 0.36, high - 0.05), (left, high - 0.05), (left, 0.55)),
                        streak=False,
                    )
            driver(brush, front - 0.55, low + 0.4, 0.18, self.skins[0], (60, 70, 96))

    def _signs(self, brush: Brush, front: float, rear: float, top: float) -> None:
        if brush.shows(0.3, 3):
            side = front - 1.75
            brush.box(side - 0.7, min(top, 3.1) - 0.31, side + 0.7, min(top, 3.1) - 0.05, (24, 24, 28))
            brush.text(self.line, side, min(top, 3.1) - 0.18, 0.19, (255, 176, 40), width=1.2)
        x, under = rear + 0.95, self.trim if self.livery in ("sweep", "skirt") else self.color
        ink = readable(self.color if under is self.trim else self.trim, under)
        y = 0.6 if self.livery in ("skirt", "band") else 0.74
        brush.text(self.text, x - 0.02, y, 0.36, ink, width=1.0)
        if self.poster and brush.shows(0.6, 5):
            self._poster(brush, rear + 3.2, rear + self.length * 0.52 - 1.05)
        brush.lamp(((front - 0.01, 0.55), (front - 0.02, 0.78), (front - 0.3, 0.76), (front - 0.24, 0.55)), HEADLIGHT)
        brush.lamp(((rear + 0.01, 0.7), (rear + 0.01, 1.05), (rear + 0.1, 1.05), (rear + 0.1, 0.7)), (200, 28, 30), 0.9)

    def _poster(self, brush: Brush, left: float, right: float) -> None:
        low, high = 0.46, 1.08
        if right - left < 0.6:
            return
        brush.box(left, low, right, high, (240, 240, 236))
        corners = brush.pixels(((left + 0.04, low + 0.04), (right - 0.04, high - 0.04))) // 16
        (x0, y1), (x1, y0) = (
            corners if not brush.flip else ((corners[1, 0], corners[0, 1]), (corners[0, 0], corners[1, 1]))
        )
        paste(brush, textures.poster(self.poster), x0, y0, x1, y1)


def paste(brush: Brush, image: np.ndarray, x0: int, y0: int, x1: int, y1: int) -> None:
    """Stick the middle of a photograph on a rectangle given in drawing pixels."""
    frame, (w, h) = brush.canvas.frame, (x1 - x0, y1 - y0)
    if w < 2 or h < 2:
        return
    side = image.shape[0]
    rows, columns = (side, max(side * w // h, 1)) if w <= h else (max(side * h // w, 1), side)
    top, left = (side - rows) // 3, (side - columns) // 2
    small = cv2.resize(image[top : top + rows, left : left + columns], (w, h), interpolation=cv2.INTER_AREA)
    a, b, c, d = max(x0, 0), max(y0, 0), min(x1, frame.shape[1]), min(y1, frame.shape[0])
    if a < c and b < d:
        frame[b:d, a:c, :3] = small[b - y0 : d - y0, a - x0 : c - x0]
