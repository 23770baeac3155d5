"""Pedestrians, bicycles and motorcycles: bodies with joints, clothes, hair, bags; riders belong to what they ride.

Everyone looks towards positive x. ``draw(brush, travelled)`` takes the metres travelled, which move legs and wheels;
a standing pedestrian ignores it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import atan2, cos, pi, sin
from typing import ClassVar

import numpy as np

from course_utils.data.street.canvas import Brush, rounded
from course_utils.data.street.palette import (
    ACCENTS,
    CLOTHES,
    HAIRS,
    SKINS,
    TROUSERS,
    WHITE,
    Color,
    Dice,
    mix,
    scaled,
)
from course_utils.data.street.vehicles import HEADLIGHT, RUBBER, TAILLIGHT

Point = tuple[float, float]
STEEL, DARK = (176, 178, 184), (38, 38, 42)

# Outlines of heads, hair and hats, in units of the radius of the head, from its centre.
HEAD = rounded(
    ((-0.8, -0.6, 1), (-0.9, 1.1, 1), (0.85, 1.1, 1), (0.86, -0.1, 0.4), (0.62, -1.08, 0.6), (-0.15, -1.0, 0.5))
)
HAIR = rounded(
    (
        (-0.55, -0.75, 0.4),
        (-1.1, -0.1, 0.8),
        (-0.93, 1.23, 1),
        (0.6, 1.26, 0.7),
        (0.9, 0.62, 0.3),
        (0.15, 0.5, 0.5),
        (-0.15, -0.1, 0.3),
    )
)
CURLS = rounded(
    (
        (-0.55, -0.75, 0.4),
        (-1.28, -0.1, 0.8),
        (-1.09, 1.43, 1),
        (0.6, 1.47, 0.7),
        (0.9, 0.62, 0.3),
        (0.15, 0.5, 0.5),
        (-0.15, -0.1, 0.3),
    )
)
LONG_HAIR = rounded(((0.2, 1, 0.6), (-1.05, 0.8, 0.8), (-1.15, -1.9, 0.5), (-0.1, -1.6, 0.5)))
CAP = rounded(((-0.95, 0.42, 0.8), (-0.9, 1.25, 1), (0.85, 1.25, 1), (0.9, 0.45, 0.2)))
BEANIE = rounded(((-1.05, 0.25, 0.1), (-0.9, 1.5, 1), (0.8, 1.45, 1), (0.95, 0.35, 0.1)))
CROWN = rounded(((-0.85, 0.6, 0.1), (-0.7, 1.5, 0.5), (0.7, 1.45, 0.5), (0.85, 0.6, 0.1)))


def joint(a: Point, b: Point, first: float, second: float, bend: int) -> Point:
    """Return the knee or elbow of a limb from ``a`` to ``b`` with two segments; ``bend`` is its side (+1 or -1)."""
    dx, dy = b[0] - a[0], b[1] - a[1]
    distance = min(max((dx * dx + dy * dy) ** 0.5, 1e-6), 0.999 * (first + second))
    along = (first**2 - second**2 + distance**2) / (2 * distance)
    aside = max(first**2 - along**2, 0.0) ** 0.5 * bend
    ux, uy = dx / distance, dy / distance
    return (a[0] + along * ux - aside * uy, a[1] + along * uy + aside * ux)


def toward(a: Point, angle: float, length: float) -> Point:
    """Return the point ``length`` from ``a``; angle 0 points down, positive angles forward."""
    return (a[0] + length * sin(angle), a[1] - length * cos(angle))


@dataclass(frozen=True)
class Outfit:
    """What somebody wears and carries."""

    skin: Color
    hair: Color
    top: Color
    under: Color
    bottom: Color
    shoes: Color
    accent: Color
    hairstyle: str
    coat: float
    skirt: float
    hat: str
    bag: str
    build: float

    @classmethod
    def roll(cls, dice: Dice, *, rain: float = 0.0) -> Outfit:
        """Return an outfit; umbrellas come out with the rain."""
        umbrella = dice.chance(0.75 * rain)
        skirt = dice.chance(0.25)
        return cls(
            dice.color(SKINS, 5),
            dice.color(HAIRS, 6),
            dice.color(CLOTHES, 12),
            dice.color(CLOTHES, 12),
            dice.color(CLOTHES if skirt else TROUSERS, 10),
            dice.pick(((40, 34, 32), (90, 56, 40), (230, 228, 224), (60, 60, 68), (170, 40, 44))),
            dice.color(ACCENTS),
            dice.weighted(("short", "long", "bun", "tail", "curly", "bald"), (5, 3, 1.5, 1.5, 1.5, 0.8)),
            dice.weighted((0.02, 0.16, 0.34), (5, 2, 1.6)),
            dice.uniform(0.26, 0.5) if skirt else 0.0,
            dice.weighted(("", "cap", "beanie", "brim"), (7, 1, 1, 0.7)),
            "umbrella"
            if umbrella
            else dice.weighted(("", "backpack", "handbag", "shopping", "case"), (4, 2, 1.6, 1.6, 0.8)),
            dice.uniform(0.88, 1.16),
        )


@dataclass(frozen=True)
class Pedestrian:
    """Somebody on foot, walking (``stride`` > 0) or standing."""

    tall: float
    outfit: Outfit
    stride: float
    start: float
    pose: str
    text: str = ""
    kind: str = "pedestrian"
    length: ClassVar[float] = 1.0
    shadow: ClassVar[float] = 0.42

    @classmethod
    def roll(cls, dice: Dice, *, rain: float = 0.0) -> Pedestrian:
        """Return somebody unlike the others."""
        child = dice.chance(0.12)
        tall = dice.uniform(1.05, 1.4) if child else dice.uniform(1.6, 1.92)
        pose = dice.weighted(("walk", "stand", "phone", "wave"), (7, 2, 1.2, 0.25))
        return cls(
            tall, Outfit.roll(dice, rain=rain), 1.35 * tall / 1.75 if pose == "walk" else 0.0, dice.random(), pose
        )

    @property
    def height(self) -> float:
        """Height in metres, with hat or umbrella."""
        return self.tall + (0.42 if self.outfit.bag == "umbrella" else 0.12)

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the pedestrian."""
        t, o = self.tall, self.outfit
        phase = 2 * pi * (self.start + (travelled / self.stride if self.stride else 0.0))
        swing = 0.46 * sin(phase) if self.stride else 0.07
        bounce = 0.012 * t * abs(cos(phase)) if self.stride else 0.0
        hip, neck = (0.0, 0.5 * t + bounce), (0.035 * t, 0.835 * t + bounce)
        shoulder = (0.025 * t, 0.79 * t + bounce)
        brush.begin()
        self._arm(brush, shoulder, swing, scaled(o.top, 0.72), near=False)
        self._leg(brush, hip, -swing, -cos(phase), 0.74)
        self._leg(brush, hip, swing, cos(phase), 1.0)
        if o.bag == "backpack":
            brush.fill(
                rounded(
                    (
                        (-0.06 * t, 0.56 * t, 0.05),
                        (-0.16 * t, 0.58 * t, 0.06),
                        (-0.155 * t, 0.78 * t, 0.1),
                        (-0.05 * t, 0.8 * t, 0.05),
                    )
                ),
                o.accent,
            )
        self._torso(brush, bounce)
        self._head(brush, (neck[0] + 0.012 * t, 0.915 * t + bounce))
        if o.bag == "umbrella":
            self._umbrella(brush, shoulder)
        self._arm(brush, shoulder, -swing, o.top, near=True)
        side = 1.1 if not brush.flip else 0.86
        brush.shade((0.0, 0.3 * t, 0.75 * t, t), (0.84, 0.95, 1.02, 1.12), across=(side, 1.96 - side))

    def _leg(self, brush: Brush, hip: Point, swing: float, lift: float, gain: float) -> None:
        t, o = self.tall, self.outfit
        knee_bend = 0.1 + 0.55 * max(lift, 0.0) if self.stride else 0.03
        knee = toward(hip, swing + (0.1 if self.stride else 0.0), 0.245 * t)
        ankle = toward(knee, swing - knee_bend, 0.225 * t)
        bare = o.skirt > 0
        color = scaled(mix(o.skin, (90, 60, 50), 0.12) if bare else o.bottom, gain)
        wide = 0.098 * t * o.build if not bare else 0.075 * t
        brush.limb(hip, knee, wide, 0.74 * wide, color)
        brush.limb(knee, ankle, 0.74 * wide, 0.52 * wide, color)
        tilt = swing - knee_bend
        heel, toe = (
            toward(ankle, tilt, 0.018 * t),
            (ankle[0] + 0.085 * t * cos(tilt), ankle[1] - 0.022 * t + 0.085 * t * sin(tilt)),
        )
        brush.limb(heel, toe, 0.05 * t, 0.034 * t, scaled(o.shoes, gain))

    def _arm(self, brush: Brush, shoulder: Point, swing: float, color: Color, *, near: bool) -> None:
        t, o = self.tall, self.outfit
        elbow = toward(shoulder, 0.8 * swing - 0.06, 0.165 * t)
        hand = toward(elbow, 0.8 * swing + 0.28, 0.15 * t)
        if near and o.bag == "umbrella":
            elbow, hand = toward(shoulder, 0.25, 0.16 * t), (0.12 * t, 0.74 * t)
        elif near and self.pose == "phone":
            elbow, hand = toward(shoulder, 0.35, 0.165 * t), (0.12 * t, 0.86 * t)
        elif near and self.pose == "wave":
            elbow, hand = toward(shoulder, 1.9, 0.165 * t), (0.16 * t, 1.0 * t)
        wide = 0.062 * t * o.build
        brush.limb(shoulder, elbow, wide, 0.85 * wide, color)
        brush.limb(elbow, hand, 0.85 * wide, 0.66 * wide, color)
        brush.disc(*hand, 0.024 * t, scaled(o.skin, 1.0 if near else 0.8))
        if near:
            self._carried(brush, hand)

    def _carried(self, brush: Brush, hand: Point) -> None:
        t, o, (x, y) = self.tall, self.outfit, hand
        if o.bag == "handbag":
            brush.line(((x, y), (x - 0.03 * t, y - 0.06 * t)), 0.012, scaled(o.accent, 0.7))
            brush.fill(
                rounded(
                    (
                        (x - 0.08 * t, y - 0.15 * t, 0.02),
                        (x - 0.065 * t, y - 0.055 * t, 0.03),
                        (x + 0.045 * t, y - 0.055 * t, 0.03),
                        (x + 0.06 * t, y - 0.15 * t, 0.02),
                    )
                ),
                o.accent,
            )
        elif o.bag == "shopping":
            brush.box(x - 0.055 * t, y - 0.2 * t, x + 0.06 * t, y - 0.05 * t, mix(o.accent, WHITE, 0.35))
            brush.box(x - 0.02 * t, y - 0.15 * t, x + 0.03 * t, y - 0.1 * t, scaled(o.accent, 0.8))
        elif o.bag == "case":
            brush.fill(
                rounded(
                    (
                        (x - 0.1 * t, y - 0.15 * t, 0.02),
                        (x - 0.1 * t, y - 0.03 * t, 0.02),
                        (x + 0.1 * t, y - 0.03 * t, 0.02),
                        (x + 0.1 * t, y - 0.15 * t, 0.02),
                    )
                ),
                (72, 50, 36),
            )

    def _torso(self, brush: Brush, bounce: float) -> None:
        t, o = self.tall, self.outfit
        wide, hem = 0.082 * t * o.build, (0.47 - 0.5 * o.coat) * t + bounce
        if o.skirt:
            low = (0.5 - 0.55 * o.skirt) * t
            brush.fill(
                rounded(
                    ((-wide, 0.54 * t, 0.03), (-1.5 * wide, low, 0.03), (1.6 * wide, low, 0.03), (wide, 0.54 * t, 0.03))
                ),
                o.bottom,
            )
        flare = 1.0 + 0.7 * o.coat
        brush.fill(
            rounded(
                (
                    (-wide * flare, hem, 0.03),
                    (-1.02 * wide, 0.6 * t, 0.05),
                    (-0.98 * wide, 0.79 * t, 0.09 * t),
                    (0.0, 0.838 * t + bounce, 0.05),
                    (wide, 0.79 * t, 0.08 * t),
                    (1.08 * wide, 0.68 * t, 0.08),
                    (0.94 * wide * flare, hem, 0.03),
                )
            ),
            o.top,
        )
        if brush.shows(0.08, 3):
            brush.fill(
                ((0.035 * t, 0.83 * t + bounce), (0.066 * t, 0.8 * t), (0.07 * t, hem + 0.02), (0.05 * t, hem + 0.02)),
                o.under,
            )
        brush.limb(
            (0.02 * t, 0.82 * t + bounce), (0.042 * t, 0.88 * t + bounce), 0.055 * t, 0.05 * t, scaled(o.skin, 0.85)
        )

    def _head(self, brush: Brush, centre: Point) -> None:
        t, o, (x, y) = self.tall, self.outfit, centre
        r = 0.066 * max(t, 1.4)

        def part(outline: np.ndarray, color: Color) -> None:
            brush.fill(outline * r + centre, color)

        if o.hairstyle == "long":
            part(LONG_HAIR, o.hair)
        elif o.hairstyle == "tail":
            brush.limb((x - 0.8 * r, y + 0.3 * r), (x - 1.5 * r, y - 1.3 * r), 0.6 * r, 0.3 * r, o.hair)
        elif o.hairstyle == "bun":
            brush.disc(x - r, y + 0.65 * r, 0.48 * r, o.hair)
        part(HEAD, o.skin)
        if o.hairstyle != "bald":
            part(CURLS if o.hairstyle == "curly" else HAIR, o.hair)
        if brush.shows(r, 7):
            brush.disc(x + 0.5 * r, y + 0.08 * r, 0.09 * r, (40, 32, 30))
            brush.line(((x + 0.42 * r, y - 0.52 * r), (x + 0.72 * r, y - 0.5 * r)), 0.01, scaled(o.skin, 0.66))
        if o.hat == "cap":
            part(CAP, o.accent)
            brush.limb((x + 0.6 * r, y + 0.5 * r), (x + 1.6 * r, y + 0.4 * r), 0.2 * r, 0.14 * r, scaled(o.accent, 0.8))
        elif o.hat == "beanie":
            part(BEANIE, o.accent)
        elif o.hat == "brim":
            part(CROWN, scaled(o.accent, 0.75))
            brush.limb(
                (x - 1.4 * r, y + 0.55 * r), (x + 1.45 * r, y + 0.6 * r), 0.18 * r, 0.18 * r, scaled(o.accent, 0.6)
            )

    def _umbrella(self, brush: Brush, shoulder: Point) -> None:
        t, o = self.tall, self.outfit
        x, top = 0.12 * t, t + 0.38
        brush.line(((x, 0.72 * t), (x, top)), 0.022, DARK)
        angles = np.linspace(0, pi, 13)
        dome = np.stack([x + 0.55 * np.cos(angles), top - 0.34 + 0.34 * np.sin(angles)], 1)
        lobes = np.stack(
            [
                x - 0.55 + 1.1 * np.linspace(0, 1, 13)[1:-1],
                top - 0.34 + 0.05 * np.abs(np.sin(3 * pi * np.linspace(0, 1, 13)[1:-1])),
            ],
            1,
        )
        brush.fill(np.concatenate([dome, lobes]), o.accent)
        for left, right in ((-0.34, -0.12), (0.12, 0.34)):
            brush.fill(
                ((x + left, top - 0.31), (x + 0.35 * left, top), (x + 0.35 * right, top), (x + right, top - 0.31)),
                scaled(o.accent, 0.82),
            )


@dataclass(frozen=True)
class Rider:
    """Somebody sitting astride, from the saddle to the handlebar."""

    outfit: Outfit
    helmet: Color | None

    def draw_leg(self, brush: Brush, hip: Point, foot: Point, gain: float) -> None:
        """Draw one leg from hip to foot."""
        o = self.outfit
        knee = joint(hip, foot, 0.46, 0.46, 1)
        trousers = scaled(o.bottom, gain)
        brush.limb(hip, knee, 0.17, 0.13, trousers)
        brush.limb(knee, foot, 0.13, 0.09, trousers)
        brush.limb((foot[0] - 0.05, foot[1]), (foot[0] + 0.15, foot[1] - 0.01), 0.09, 0.07, scaled(o.shoes, gain))

    def draw_body(self, brush: Brush, hip: Point, shoulder: Point, hand: Point) -> None:
        """Draw torso, head and arm."""
        o = self.outfit
        brush.limb(hip, shoulder, 0.27 * o.build, 0.25 * o.build, o.top)
        if o.bag == "backpack":
            angle = atan2(shoulder[1] - hip[1], shoulder[0] - hip[0]) + pi / 2
            back = (0.16 * cos(angle), 0.16 * sin(angle))
            brush.limb(
                (hip[0] * 0.5 + shoulder[0] * 0.5 + back[0], hip[1] * 0.55 + shoulder[1] * 0.45 + back[1]),
                (shoulder[0] + back[0], shoulder[1] + back[1] - 0.06),
                0.2,
                0.22,
                o.accent,
            )
        head = (shoulder[0] + 0.1, shoulder[1] + 0.25)
        brush.limb(shoulder, head, 0.11, 0.1, scaled(o.skin, 0.85))
        brush.fill(
            rounded(
                (
                    (head[0] - 0.1, head[1] - 0.09, 0.08),
                    (head[0] - 0.11, head[1] + 0.13, 0.12),
                    (head[0] + 0.11, head[1] + 0.13, 0.12),
                    (head[0] + 0.12, head[1] - 0.02, 0.05),
                    (head[0] + 0.08, head[1] - 0.13, 0.06),
                )
            ),
            o.skin,
        )
        self._cover_head(brush, head)
        elbow = joint(shoulder, hand, 0.3, 0.3, -1)
        brush.limb(shoulder, elbow, 0.12, 0.1, scaled(o.top, 0.9))
        brush.limb(elbow, hand, 0.1, 0.075, scaled(o.top, 0.9))
        brush.disc(*hand, 0.05, o.skin)

    def _cover_head(self, brush: Brush, head: Point) -> None:
        x, y = head
        color = self.helmet or self.outfit.hair
        brush.fill(
            rounded(
                (
                    (x - 0.13, y - 0.05, 0.06),
                    (x - 0.15, y + 0.17, 0.12),
                    (x + 0.1, y + 0.2, 0.12),
                    (x + 0.14, y + 0.05, 0.03),
                    (x - 0.02, y + 0.03, 0.05),
                )
            ),
            color,
        )


@dataclass(frozen=True)
class Bicycle:
    """A bicycle and its rider."""

    color: Color
    rider: Rider
    style: str
    basket: bool
    text: str = ""
    kind: str = "bicycle"
    length: ClassVar[float] = 1.8
    height: ClassVar[float] = 1.9
    shadow: ClassVar[float] = 0.36

    @classmethod
    def roll(cls, dice: Dice) -> Bicycle:
        """Return a bicycle unlike the others."""
        helmet = dice.color(ACCENTS) if dice.chance(0.5) else None
        return cls(dice.color(ACCENTS), Rider(Outfit.roll(dice), helmet), dice.pick(("city", "race")), dice.chance(0.3))

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the bicycle and its rider."""
        r, rear, front, crank = 0.35, (-0.53, 0.35), (0.53, 0.35), (-0.06, 0.29)
        race = self.style == "race"
        hip, shoulder, hand = (
            ((-0.2, 1.0), (0.2, 1.4), (0.5, 0.98)) if race else ((-0.22, 0.98), (0.0, 1.47), (0.36, 1.06))
        )
        saddle, head, bars = (hip[0], 0.88), (0.36, 0.82), hand
        turn = -travelled / r * 0.5
        pedals = [(crank[0] + 0.17 * cos(turn + a), crank[1] + 0.17 * sin(turn + a)) for a in (0.0, pi)]
        brush.begin()
        self.rider.draw_leg(brush, hip, (pedals[1][0], pedals[1][1] + 0.04), 0.7)
        for x, _ in (rear, front):
            self._wheel(brush, x, r, -travelled / r)
        for path in ((rear, crank, head), (rear, saddle, crank), (saddle, (0.34, 0.76) if race else (0.37, 0.68))):
            brush.line(path, 0.05, self.color)
        brush.line((front, head, (0.34, 0.93), bars), 0.045, scaled(self.color, 0.8))
        brush.limb((hip[0] - 0.13, 0.92), (hip[0] + 0.12, 0.91), 0.09, 0.05, DARK)
        brush.ring(*crank, 0.09, 0.04, (90, 92, 96))
        brush.line((pedals[0], pedals[1]), 0.035, (70, 72, 76), faint=True)
        if self.basket:
            brush.fill(((0.42, 0.78), (0.38, 1.0), (0.76, 1.0), (0.7, 0.78)), (156, 120, 76))
        self.rider.draw_leg(brush, hip, (pedals[0][0], pedals[0][1] + 0.04), 1.0)
        self.rider.draw_body(brush, hip, shoulder, bars)
        brush.shade((0.0, 0.8, 1.75), (0.9, 0.98, 1.1))
        brush.lamp(((0.46, 0.8), (0.46, 0.9), (0.56, 0.92), (0.56, 0.78)), HEADLIGHT)
        brush.lamp(((-0.46, 0.66), (-0.46, 0.74), (-0.54, 0.74), (-0.54, 0.66)), (220, 30, 30))
        brush.halo(0.55, 0.85, 0.45, HEADLIGHT, 0.6)
        brush.halo(-0.52, 0.7, 0.3, TAILLIGHT, 0.5)

    def _wheel(self, brush: Brush, x: float, r: float, angle: float) -> None:
        if brush.shows(r, 14):
            for k in range(8):
                a = angle + k * pi / 8
                brush.line(((x - r * cos(a), r - r * sin(a)), (x + r * cos(a), r + r * sin(a))), 0.008, (150, 152, 156))
        brush.ring(x, r, r - 0.03, 0.055, RUBBER)
        if brush.shows(r, 9):
            brush.ring(x, r, r - 0.065, 0.015, STEEL)
        brush.disc(x, r, 0.045, (110, 112, 116))


@dataclass(frozen=True)
class Motorcycle:
    """A motorcycle or a scooter, and its rider."""

    color: Color
    rider: Rider
    scooter: bool
    trunk: bool
    text: str
    kind: str = "motorcycle"
    length: ClassVar[float] = 2.15
    height: ClassVar[float] = 1.72
    shadow: ClassVar[float] = 0.45

    @classmethod
    def roll(cls, dice: Dice) -> Motorcycle:
        """Return a motorcycle unlike the others."""
        outfit = Outfit.roll(dice)
        return cls(
            dice.color(ACCENTS),
            Rider(outfit, dice.color((*ACCENTS, (230, 230, 230), (40, 40, 44)))),
            dice.chance(0.42),
            dice.chance(0.4),
            dice.digits(4),
        )

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the machine and its rider."""
        r, x = (0.25, 0.62) if self.scooter else (0.32, 0.72)
        brush.begin()
        for side in (-x, x):
            brush.disc(side, r, r, RUBBER)
            brush.disc(side, r, 0.62 * r, (120, 122, 126))
            brush.disc(side, r, 0.48 * r, (64, 66, 70))
            if brush.shows(r, 7):
                for k in range(5):
                    a = -travelled / r + 2 * pi * k / 5
                    brush.line(((side, r), (side + 0.55 * r * cos(a), r + 0.55 * r * sin(a))), 0.035, (190, 192, 196))
        if self.scooter:
            self._scooter(brush)
            hip, shoulder, hand, foot = (-0.3, 0.86), (-0.12, 1.34), (0.4, 1.02), (0.28, 0.34)
        else:
            self._motorcycle(brush)
            hip, shoulder, hand, foot = (-0.3, 0.88), (0.02, 1.32), (0.46, 1.02), (-0.08, 0.36)
        if self.trunk:
            brush.fill(
                rounded(((-0.92, 0.9, 0.06), (-0.96, 1.2, 0.1), (-0.56, 1.22, 0.1), (-0.56, 0.9, 0.05))),
                scaled(self.color, 0.6),
            )
        self.rider.draw_leg(brush, hip, foot, 0.9)
        self.rider.draw_body(brush, hip, shoulder, hand)
        head = (shoulder[0] + 0.1, shoulder[1] + 0.25)
        self._helmet(brush, head)
        brush.shade((0.0, 0.3, 0.9, 1.7), (0.7, 0.9, 1.0, 1.14))
        nose = 0.52 if self.scooter else 0.62
        brush.lamp(
            rounded(
                (
                    (nose - 0.06, 0.76, 0.03),
                    (nose - 0.05, 0.94, 0.05),
                    (nose + 0.06, 0.9, 0.05),
                    (nose + 0.06, 0.78, 0.05),
                )
            ),
            HEADLIGHT,
        )
        brush.lamp(((-0.8, 0.66), (-0.8, 0.76), (-0.9, 0.78), (-0.9, 0.68)), (220, 30, 30))
        brush.halo(nose, 0.85, 0.6, HEADLIGHT, 0.7)
        brush.halo(-0.86, 0.72, 0.36, TAILLIGHT, 0.5)
        if brush.shows(0.1, 2):
            plate(brush, -0.86, 0.52, self.text)

    def _motorcycle(self, brush: Brush) -> None:
        c = self.color
        brush.line(((0.72, 0.32), (0.5, 0.86), (0.42, 1.04)), 0.07, STEEL)
        brush.limb((-0.72, 0.32), (-0.1, 0.4), 0.1, 0.12, (70, 72, 76))
        brush.fill(
            rounded(((-0.25, 0.24, 0.06), (-0.3, 0.62, 0.1), (0.32, 0.66, 0.1), (0.38, 0.28, 0.1))), (58, 60, 64)
        )
        brush.limb((0.2, 0.28), (-0.95, 0.36), 0.07, 0.12, (178, 180, 184))
        brush.fill(
            rounded(
                (
                    (-0.98, 0.82, 0.03),
                    (-0.9, 0.9, 0.05),
                    (-0.36, 0.8, 0.1),
                    (-0.06, 0.84, 0.1),
                    (0.02, 0.66, 0.08),
                    (-0.5, 0.6, 0.1),
                )
            ),
            scaled(c, 0.85),
        )
        brush.limb((-0.62, 0.86), (-0.1, 0.82), 0.12, 0.13, DARK)
        brush.fill(
            rounded(((-0.12, 0.66, 0.08), (-0.08, 0.9, 0.12), (0.24, 1.0, 0.16), (0.42, 0.88, 0.1), (0.32, 0.66, 0.1))),
            c,
        )
        brush.fill(
            rounded(((0.36, 0.62, 0.08), (0.34, 0.9, 0.08), (0.5, 1.12, 0.08), (0.66, 0.9, 0.08), (0.66, 0.76, 0.08))),
            mix(c, (20, 20, 24), 0.2),
        )
        brush.limb((0.5, 0.62), (0.98, 0.6), 0.06, 0.03, c)

    def _scooter(self, brush: Brush) -> None:
        c = self.color
        brush.line(((0.62, 0.25), (0.5, 0.7), (0.4, 1.04)), 0.08, STEEL)
        brush.fill(
            rounded(
                (
                    (-0.85, 0.42, 0.1),
                    (-0.86, 0.72, 0.16),
                    (-0.4, 0.8, 0.1),
                    (-0.02, 0.76, 0.1),
                    (0.0, 0.34, 0.1),
                    (-0.45, 0.3, 0.1),
                )
            ),
            c,
        )
        brush.box(-0.1, 0.25, 0.4, 0.36, scaled(c, 0.7))
        brush.fill(
            rounded(((0.28, 0.26, 0.06), (0.3, 0.9, 0.1), (0.46, 1.04, 0.08), (0.58, 0.86, 0.1), (0.46, 0.34, 0.1))), c
        )
        brush.limb((0.44, 0.54), (0.86, 0.5), 0.08, 0.05, scaled(c, 0.9))
        brush.limb((-0.78, 0.8), (-0.08, 0.8), 0.13, 0.12, (60, 44, 38))

    def _helmet(self, brush: Brush, head: Point) -> None:
        x, y = head
        color = self.rider.helmet or DARK
        brush.disc(x, y + 0.02, 0.175, color)
        brush.fill(
            rounded(
                (
                    (x + 0.02, y - 0.03, 0.03),
                    (x + 0.04, y + 0.09, 0.04),
                    (x + 0.17, y + 0.07, 0.04),
                    (x + 0.18, y - 0.02, 0.04),
                )
            ),
            (40, 50, 62),
        )


def plate(brush: Brush, x: float, y: float, text: str) -> None:
    """Draw the small plate of a motorcycle."""
    brush.box(x - 0.16, y - 0.09, x + 0.16, y + 0.09, (244, 244, 238))
    brush.text(text, x, y, 0.1, (24, 24, 30), width=0.27)
