"""Street furniture and greenery: trees, lamps, bollards, bins, benches, bus shelters. They hide, but bear no label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from course_utils.data.street import textures
from course_utils.data.street.canvas import Brush, lay, rounded
from course_utils.data.street.palette import LEAVES, Color, Dice, scaled
from course_utils.data.street.vehicles import paste

LAMPLIGHT: Color = (255, 206, 132)


@dataclass(frozen=True)
class Tree:
    """A tree: a trunk and a crown of photographed leaves."""

    trunk: float
    spread: float
    crown: int
    leaves: tuple[Color, Color, Color]
    lean: float
    pool: str | None
    text: str = ""
    kind: str = ""
    shadow: ClassVar[float] = 0.7

    @classmethod
    def roll(cls, dice: Dice, pool: str | None = None, *, tall: bool = False) -> Tree:
        """Return a tree unlike the others; the crown of a ``tall`` one is above vehicles."""
        trunk = dice.uniform(3.5, 4.6) if tall else dice.uniform(2.0, 2.9)
        return cls(
            trunk,
            dice.uniform(2.6, 4.0),
            dice.integer(0, textures.TREES),
            dice.weighted(LEAVES, (4, 3, 3, 1, 3, 0.7)),
            dice.uniform(-0.25, 0.25),
            pool,
        )

    @property
    def length(self) -> float:
        """Width of the crown in metres."""
        return 1.1 * self.spread

    @property
    def height(self) -> float:
        """Height in metres."""
        return self.trunk + 0.95 * self.spread

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the tree."""
        bark, top = (92, 74, 60), self.trunk + 0.4 * self.spread
        brush.box(-0.45, -0.06, 0.45, 0.03, (84, 72, 62))
        brush.begin()
        brush.fill(
            ((-0.15, 0), (-0.1, 1.2), (self.lean - 0.08, top), (self.lean + 0.06, top), (0.1, 1.2), (0.16, 0)), bark
        )
        brush.fill(
            ((-0.15, 0), (-0.1, 1.2), (self.lean - 0.08, top), (self.lean - 0.03, top), (-0.03, 1.2), (-0.05, 0)),
            scaled(bark, 1.25),
        )
        for side in (-1, 1):
            brush.limb(
                (self.lean * 0.6, self.trunk + 0.1),
                (self.lean + side * 0.3 * self.spread, top + 0.1 * self.spread),
                0.1,
                0.05,
                bark,
            )
        self._crown(brush)

    def _crown(self, brush: Brush) -> None:
        side = max(int(1.18 * self.spread * brush.scale), 4)
        levels = textures.crown(self.crown, self.pool)
        both = next((level for level in reversed(levels) if level.shape[0] >= side), levels[0])
        x = brush.x + (-self.lean if brush.flip else self.lean) * brush.scale
        y = brush.y - (self.trunk + 0.42 * self.spread) * brush.scale
        left, top = int(x - side / 2), int(y - side / 2)
        frame = brush.canvas.frame
        x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + side, frame.shape[1]), min(top + side, frame.shape[0])
        if x0 >= x1 or y0 >= y1:
            return
        both = cv2.resize(both, (side, side), interpolation=cv2.INTER_LINEAR)[
            y0 - top : y1 - top, x0 - left : x1 - left
        ]
        shade, cover = cv2.split(both)
        lay(frame[y0:y1, x0:x1], textures.tinted(shade, self.leaves), cover)


@dataclass(frozen=True)
class Lamp:
    """A street lamp, old (a lantern) or modern (an arm)."""

    modern: bool
    height: float
    text: str = ""
    kind: str = ""
    length: ClassVar[float] = 1.6
    shadow: ClassVar[float] = 0.25

    @classmethod
    def roll(cls, dice: Dice) -> Lamp:
        """Return a street lamp."""
        modern = dice.chance(0.45)
        return cls(modern, dice.uniform(5.2, 6.2) if modern else dice.uniform(3.6, 4.2))

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the lamp, its halo and the light it sheds."""
        iron, h = (52, 58, 62), self.height
        brush.begin()
        brush.fill(
            (
                (-0.11, 0),
                (-0.09, 0.7),
                (-0.05, 0.8),
                (-0.04, h - 0.4),
                (0.04, h - 0.4),
                (0.05, 0.8),
                (0.09, 0.7),
                (0.11, 0),
            ),
            iron,
        )
        if self.modern:
            brush.line(((0, h - 0.45), (0.08, h - 0.12), (0.4, h), (0.75, h)), 0.07, iron)
            brush.fill(((0.55, h - 0.04), (0.62, h + 0.1), (1.05, h + 0.06), (1.1, h - 0.04)), scaled(iron, 1.2))
            brush.lamp(((0.58, h - 0.1), (0.58, h - 0.03), (1.06, h - 0.03), (1.06, h - 0.1)), LAMPLIGHT)
            x = 0.82
        else:
            brush.lamp(((-0.13, h - 0.42), (-0.22, h - 0.02), (0.22, h - 0.02), (0.13, h - 0.42)), (250, 236, 206))
            brush.fill(((-0.28, h - 0.03), (-0.1, h + 0.14), (0, h + 0.24), (0.1, h + 0.14), (0.28, h - 0.03)), iron)
            brush.line(((-0.3, h - 0.75), (0.3, h - 0.75)), 0.045, iron)
            x = 0.0
        brush.shade((0, h), (1.0, 1.0), across=(1.15, 0.85))
        brush.halo(x, h - 0.2, 1.5, LAMPLIGHT, 0.8)
        side = -1 if brush.flip else 1
        brush.canvas.pool(
            brush.x + side * x * brush.scale,
            brush.y - 0.55 * h * brush.scale,
            11.0 * brush.scale,
            2.6 * h * brush.scale,
            LAMPLIGHT,
            0.6,
        )


@dataclass(frozen=True)
class Fixture:
    """A small thing on the pavement: bollards, a bin, a bench, a post box, a flower tub or a bus shelter."""

    model: str
    color: Color
    poster: str
    text: str = ""
    kind: str = ""
    shadow: ClassVar[float] = 0.3

    @classmethod
    def roll(cls, dice: Dice, pool: str | None = None, *, tall: bool = False) -> Fixture:
        """Return a fixture; ``tall`` ones can hide vehicles."""
        model = (
            dice.pick(("shelter", "column", "tub"))
            if tall
            else dice.pick(("bollards", "bin", "bench", "post", "tub", "bollards"))
        )
        return cls(
            model,
            dice.color(((40, 84, 66), (60, 64, 70), (150, 40, 44), (36, 62, 96), (90, 76, 60))),
            dice.pick(textures.POSTERS[pool]),
        )

    @property
    def length(self) -> float:
        """Width in metres."""
        return {"shelter": 3.4, "column": 1.4, "bollards": 4.0, "bench": 1.8}.get(self.model, 0.9)

    @property
    def height(self) -> float:
        """Height in metres."""
        return {"shelter": 2.6, "column": 3.4, "tub": 1.6}.get(self.model, 1.3)

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the fixture."""
        brush.begin()
        getattr(self, f"_{self.model}")(brush)
        brush.shade((0, self.height), (0.85, 1.1), across=(1.08, 0.88))

    def _bollards(self, brush: Brush) -> None:
        for x in np.linspace(-1.8, 1.8, 4):
            brush.limb((x, 0.0), (x, 0.85), 0.14, 0.13, self.color)
            brush.box(x - 0.07, 0.62, x + 0.07, 0.7, (230, 228, 220))

    def _bin(self, brush: Brush) -> None:
        brush.fill(
            rounded(((-0.22, 0.05, 0.05), (-0.28, 0.9, 0.06), (0.28, 0.9, 0.06), (0.22, 0.05, 0.05))), self.color
        )
        brush.fill(
            rounded(((-0.3, 0.86, 0.05), (-0.24, 1.08, 0.1), (0.24, 1.08, 0.1), (0.3, 0.86, 0.05))),
            scaled(self.color, 0.7),
        )

    def _bench(self, brush: Brush) -> None:
        for x in (-0.7, 0.7):
            brush.box(x - 0.05, 0, x + 0.05, 0.8, (54, 56, 60))
        for y in (0.42, 0.6, 0.76):
            brush.box(-0.85, y - 0.06, 0.85, y + 0.05, (140, 98, 60))

    def _post(self, brush: Brush) -> None:
        brush.box(-0.06, 0, 0.06, 0.6, (60, 60, 64))
        brush.fill(
            rounded(((-0.26, 0.55, 0.04), (-0.26, 1.2, 0.08), (0.26, 1.2, 0.08), (0.26, 0.55, 0.04))), (244, 196, 40)
        )
        brush.box(-0.18, 1.0, 0.18, 1.06, (60, 50, 30))

    def _tub(self, brush: Brush) -> None:
        for k in range(14):
            angle, reach = 2.4 * k, 0.12 * k**0.5
            tone = ((62, 104, 58), (84, 132, 66), (48, 88, 52))[k % 3]
            brush.disc(reach * np.cos(angle), 1.0 + 0.9 * reach * np.sin(angle) + 0.1, 0.24, tone)
        for k in range(7):
            angle, reach = 1.9 * k + 0.4, 0.14 * k**0.5
            petal = ((226, 84, 110), (244, 196, 70), (240, 232, 236))[k % 3]
            brush.disc(reach * np.cos(angle), 1.14 + 0.8 * reach * np.sin(angle), 0.08, petal)
        brush.fill(((-0.34, 0), (-0.44, 0.72), (0.44, 0.72), (0.34, 0)), self.color)
        brush.box(-0.48, 0.64, 0.48, 0.78, scaled(self.color, 1.2))

    def _column(self, brush: Brush) -> None:
        brush.box(-0.5, 0, 0.5, 2.75, self.color)
        corners = brush.pixels(((-0.42, 0.5), (0.42, 2.4))) >> 4
        paste(brush, textures.poster(self.poster), min(corners[:, 0]), corners[1, 1], max(corners[:, 0]), corners[0, 1])
        brush.fill(
            rounded(((-0.66, 2.7, 0.05), (-0.5, 3.0, 0.3), (0.0, 3.4, 0.2), (0.5, 3.0, 0.3), (0.66, 2.7, 0.05))),
            scaled(self.color, 0.75),
        )
        brush.box(-0.58, 0, 0.58, 0.3, scaled(self.color, 0.8))

    def _shelter(self, brush: Brush) -> None:
        for x in (-1.55, 0.5, 1.5):
            brush.box(x - 0.05, 0, x + 0.05, 2.4, (70, 74, 80))
        brush.box(-1.7, 2.36, 1.7, 2.55, self.color)
        brush.box(0.55, 0.3, 1.45, 2.1, (235, 236, 236))
        corners = brush.pixels(((0.6, 0.36), (1.4, 2.04))) >> 4
        paste(brush, textures.poster(self.poster), min(corners[:, 0]), corners[1, 1], max(corners[:, 0]), corners[0, 1])
        brush.shine(((0.6, 0.36), (1.4, 0.36), (1.4, 2.04), (0.6, 2.04)), (120, 116, 108), 0.5)
        brush.box(-1.3, 0.42, 0.3, 0.52, (140, 98, 60))
