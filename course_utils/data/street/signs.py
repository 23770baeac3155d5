"""Traffic signs and traffic lights. The labelled object is the face; its pole is street furniture."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, pi, sin
from typing import ClassVar

import numpy as np

from course_utils.data.street.canvas import CIRCLE, Brush, rounded
from course_utils.data.street.palette import Color, Dice, mix

RED, BLUE, YELLOW, PAPER, INK = (196, 30, 38), (24, 84, 168), (246, 196, 40), (246, 246, 242), (26, 26, 30)
METAL: Color = (126, 130, 136)
SIGN_KINDS = (
    "stop",
    "yield",
    "no_entry",
    "speed",
    "crossing",
    "parking",
    "priority",
    "danger",
    "one_way",
    "no_parking",
)
SIGN_WEIGHTS = (3, 2, 2, 3, 3, 2, 1.4, 2, 1.4, 1.6)
ROUND_SQUARE = rounded(((-1, -1, 0.2), (-1, 1, 0.2), (1, 1, 0.2), (1, -1, 0.2)))
PICTOGRAM = (
    (-0.05, 0.24),
    (0.04, 0.12),
    (0.2, 0.02),
    (0.06, -0.02),
    (0.16, -0.3),
    (0.06, -0.3),
    (-0.03, -0.1),
    (-0.16, -0.3),
    (-0.26, -0.28),
    (-0.1, 0.0),
    (-0.22, 0.06),
)


def _polygon(sides: int, radius: float, turn: float) -> np.ndarray:
    angles = turn + 2 * pi * np.arange(sides) / sides
    return np.stack([radius * np.cos(angles), radius * np.sin(angles)], 1)


@dataclass(frozen=True)
class Sign:
    """A traffic sign of one of ``SIGN_KINDS``; the text of a speed limit is its number."""

    model: str
    radius: float
    centre: float
    text: str
    kind: str = "sign"
    shadow: ClassVar[float] = 0.0

    @classmethod
    def roll(cls, dice: Dice) -> Sign:
        """Return a sign."""
        model = dice.weighted(SIGN_KINDS, SIGN_WEIGHTS)
        text = dice.pick(("20", "30", "30", "50", "70")) if model == "speed" else ""
        return cls(model, dice.uniform(0.44, 0.52), dice.uniform(2.35, 2.75), text)

    @property
    def length(self) -> float:
        """Width of the face in metres."""
        return 2 * self.radius

    @property
    def height(self) -> float:
        """Height of the top of the face in metres."""
        return self.centre + 1.15 * self.radius

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the pole, then the face."""
        brush.box(-0.05, 0.0, 0.05, self.centre, METAL)
        brush.box(-0.05, 0.0, -0.01, self.centre, (156, 160, 166))
        brush.begin()
        getattr(self, f"_{self.model}")(brush, self.radius)
        brush.shade((self.centre - self.radius, self.centre + self.radius), (0.92, 1.08))

    def _shape(self, brush: Brush, outline: np.ndarray, color: Color) -> None:
        brush.fill(outline + (0.0, self.centre), color)

    def _stop(self, brush: Brush, r: float) -> None:
        self._shape(brush, _polygon(8, 1.06 * r, pi / 8), PAPER)
        self._shape(brush, _polygon(8, 0.96 * r, pi / 8), RED)
        brush.text("STOP", 0, self.centre, 0.62 * r, PAPER, width=1.5 * r)

    def _yield(self, brush: Brush, r: float) -> None:
        self._shape(brush, _polygon(3, 1.25 * r, -pi / 2), RED)
        self._shape(brush, _polygon(3, 0.78 * r, -pi / 2), PAPER)

    def _danger(self, brush: Brush, r: float) -> None:
        self._shape(brush, _polygon(3, 1.25 * r, pi / 2), RED)
        self._shape(brush, _polygon(3, 0.82 * r, pi / 2), PAPER)
        y = self.centre
        brush.fill(
            ((-0.08 * r, y + 0.42 * r), (0.08 * r, y + 0.42 * r), (0.04 * r, y - 0.08 * r), (-0.04 * r, y - 0.08 * r)),
            INK,
        )
        brush.disc(0, y - 0.22 * r, 0.08 * r, INK)

    def _no_entry(self, brush: Brush, r: float) -> None:
        self._shape(brush, CIRCLE * r, PAPER)
        self._shape(brush, CIRCLE * 0.94 * r, RED)
        brush.box(-0.66 * r, self.centre - 0.17 * r, 0.66 * r, self.centre + 0.17 * r, PAPER)

    def _speed(self, brush: Brush, r: float) -> None:
        self._shape(brush, CIRCLE * r, RED)
        self._shape(brush, CIRCLE * 0.76 * r, PAPER)
        brush.text(self.text, 0, self.centre, 0.72 * r, INK, width=1.1 * r)

    def _square(self, brush: Brush, r: float) -> None:
        for size, color in ((0.98 * r, PAPER), (0.9 * r, BLUE)):
            self._shape(brush, ROUND_SQUARE * size, color)

    def _crossing(self, brush: Brush, r: float) -> None:
        self._square(brush, r)
        self._shape(brush, _polygon(3, 0.86 * r, pi / 2) + (0, -0.14 * r), PAPER)
        figure = np.array(PICTOGRAM) * 1.1 * r
        self._shape(brush, figure + (0, -0.12 * r), INK)
        brush.disc(0.0, self.centre + 0.26 * r, 0.09 * r, INK)

    def _parking(self, brush: Brush, r: float) -> None:
        self._square(brush, r)
        brush.text("P", 0, self.centre, 1.15 * r, PAPER)

    def _one_way(self, brush: Brush, r: float) -> None:
        self._square(brush, r)
        arrow = np.array(
            [(-0.62, -0.16), (-0.62, 0.16), (0.1, 0.16), (0.1, 0.44), (0.68, 0), (0.1, -0.44), (0.1, -0.16)]
        )
        self._shape(brush, arrow * r, PAPER)

    def _priority(self, brush: Brush, r: float) -> None:
        self._shape(brush, _polygon(4, 1.18 * r, 0.0), PAPER)
        self._shape(brush, _polygon(4, 1.1 * r, 0.0), (60, 60, 60))
        self._shape(brush, _polygon(4, 1.05 * r, 0.0), PAPER)
        self._shape(brush, _polygon(4, 0.78 * r, 0.0), YELLOW)

    def _no_parking(self, brush: Brush, r: float) -> None:
        self._shape(brush, CIRCLE * r, RED)
        self._shape(brush, CIRCLE * 0.76 * r, BLUE)
        bar = np.array([(-0.62, 0.5), (-0.5, 0.62), (0.62, -0.5), (0.5, -0.62)]) * r
        self._shape(brush, bar, RED)


@dataclass(frozen=True)
class TrafficLight:
    """A traffic light; ``lit`` is 0 (red), 1 (amber) or 2 (green)."""

    lit: int
    centre: float
    size: float
    text: str = ""
    kind: str = "traffic_light"
    shadow: ClassVar[float] = 0.0

    @classmethod
    def roll(cls, dice: Dice) -> TrafficLight:
        """Return a traffic light."""
        return cls(dice.weighted((0, 1, 2), (4, 1.2, 4)), dice.uniform(2.55, 2.9), dice.uniform(0.9, 1.1))

    @property
    def length(self) -> float:
        """Width of the case in metres."""
        return 0.5 * self.size

    @property
    def height(self) -> float:
        """Height of the top of the case in metres."""
        return self.centre + 0.66 * self.size

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the pole, then the case."""
        s, y = self.size, self.centre
        brush.box(-0.07, 0.0, 0.07, y, (58, 62, 66))
        brush.box(-0.07, 0.0, -0.02, y, (84, 88, 92))
        brush.box(-0.12, 0.0, 0.12, 0.3, (50, 54, 58))
        brush.begin()
        w, h = 0.23 * s, 0.62 * s
        brush.fill(
            rounded(((-w, y - h, 0.1 * s), (-w, y + h, 0.1 * s), (w, y + h, 0.1 * s), (w, y - h, 0.1 * s))),
            (40, 42, 46),
        )
        brush.shade((y - h, y + h), (0.85, 1.2))
        for k, (color, dim) in enumerate(
            (((255, 52, 40), (84, 26, 26)), ((255, 190, 40), (88, 66, 24)), ((60, 232, 120), (20, 74, 46)))
        ):
            centre, radius = y + (1 - k) * 0.39 * s, 0.155 * s
            lamp = CIRCLE * radius + (0, centre)
            if k != self.lit:
                brush.fill(lamp, dim)
                continue
            brush.lamp(lamp, color)
            brush.disc(-0.03 * s, centre + 0.03 * s, 0.45 * radius, mix(color, (255, 255, 255), 0.4))
            brush.halo(0, centre, 0.85 * s, color, 0.8)
        if brush.shows(s, 24):
            for k in range(3):
                centre, radius = y + (1 - k) * 0.39 * s, 0.18 * s
                hood = [(radius * cos(a), centre + radius * sin(a)) for a in np.linspace(0.15, pi - 0.15, 9)]
                brush.line(hood, 0.04 * s, (24, 25, 28))
