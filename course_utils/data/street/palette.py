"""Colours of the street world: paints, clothes, walls, skies, and the few operations on them.

A colour is a tuple of three integers (red, green, blue) in [0, 255].
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TypeVar

import numpy as np

Color = tuple[int, int, int]
T = TypeVar("T")

WHITE: Color = (246, 246, 243)

# Weights of the dark, middle and light colours of a texture for each grey level (40 dark, 128 middle, 216 light).
RAMP = np.stack([np.interp(np.arange(256), (40, 128, 216), row) for row in np.eye(3)], 1).astype(np.float32)

# Paints in the proportions of a French car park: whites and greys first, then blue, red and the vivid few.
PAINTS: tuple[tuple[float, tuple[Color, ...]], ...] = (
    (0.22, ((240, 240, 236), (228, 226, 218), (236, 238, 242))),
    (0.24, ((150, 154, 160), (108, 113, 120), (184, 187, 190), (86, 88, 92))),
    (0.12, ((36, 37, 42), (48, 46, 52), (30, 36, 46))),
    (0.15, ((38, 72, 140), (60, 110, 170), (30, 50, 92), (92, 140, 176))),
    (0.12, ((176, 28, 34), (140, 24, 40), (206, 48, 40))),
    (
        0.15,
        (
            (214, 116, 36),
            (52, 112, 76),
            (226, 190, 60),
            (120, 72, 52),
            (130, 168, 130),
            (196, 176, 140),
            (92, 58, 110),
            (72, 156, 160),
            (232, 150, 150),
        ),
    ),
)
TAXI_PAINTS: tuple[Color, ...] = (
    (248, 196, 28),
    (250, 206, 46),
    (244, 186, 20),
    (240, 232, 206),
    (34, 34, 40),
    (242, 240, 234),
)
FLEET_PAINTS: tuple[Color, ...] = (
    (242, 241, 236),
    (236, 234, 226),
    (238, 238, 240),
    (250, 210, 70),
    (48, 92, 150),
    (190, 52, 44),
    (70, 120, 84),
    (214, 132, 52),
    (92, 100, 112),
    (110, 164, 190),
)
BUS_PAINTS: tuple[Color, ...] = (
    (28, 110, 92),
    (32, 92, 156),
    (196, 44, 42),
    (236, 236, 230),
    (224, 140, 40),
    (86, 140, 62),
    (112, 60, 116),
    (46, 140, 160),
    (230, 196, 66),
)
ACCENTS: tuple[Color, ...] = (
    (206, 52, 44),
    (36, 88, 150),
    (240, 180, 44),
    (44, 128, 92),
    (236, 120, 50),
    (32, 40, 58),
    (240, 238, 230),
    (120, 170, 196),
    (150, 60, 90),
)
CLOTHES: tuple[Color, ...] = (
    (40, 52, 84),
    (172, 48, 50),
    (220, 178, 82),
    (86, 112, 92),
    (232, 226, 212),
    (62, 62, 68),
    (130, 86, 62),
    (198, 120, 96),
    (100, 136, 172),
    (150, 74, 104),
    (214, 140, 60),
    (56, 96, 104),
    (186, 176, 160),
    (116, 92, 140),
)
TROUSERS: tuple[Color, ...] = (
    (46, 56, 84),
    (40, 42, 50),
    (88, 96, 116),
    (150, 132, 104),
    (72, 62, 56),
    (58, 74, 104),
    (110, 104, 96),
)
SKINS: tuple[Color, ...] = (
    (246, 212, 186),
    (232, 188, 156),
    (206, 156, 120),
    (160, 110, 78),
    (110, 74, 54),
    (82, 56, 44),
)
HAIRS: tuple[Color, ...] = (
    (36, 28, 26),
    (66, 44, 32),
    (110, 74, 44),
    (190, 148, 86),
    (150, 66, 36),
    (170, 168, 166),
    (224, 220, 214),
)

# Walls: (dark, middle, light) of a photographic texture.
BRICKS: tuple[tuple[Color, Color, Color], ...] = (
    ((132, 62, 48), (158, 82, 62), (206, 178, 158)),
    ((108, 56, 50), (134, 74, 66), (176, 150, 138)),
    ((150, 96, 62), (184, 124, 84), (220, 196, 166)),
    ((176, 150, 116), (206, 182, 146), (232, 220, 198)),
    ((104, 84, 80), (128, 108, 102), (168, 156, 150)),
    ((140, 74, 44), (170, 98, 60), (196, 164, 140)),
)
STONES: tuple[Color, ...] = ((226, 212, 184), (216, 204, 182), (232, 222, 200), (206, 196, 180), (222, 202, 168))
PLASTERS: tuple[Color, ...] = (
    (232, 186, 126),
    (226, 158, 128),
    (240, 214, 164),
    (206, 128, 100),
    (218, 196, 190),
    (176, 196, 200),
    (238, 226, 206),
    (190, 204, 176),
    (236, 200, 110),
    (214, 150, 150),
    (164, 178, 196),
)
CONCRETES: tuple[Color, ...] = ((186, 190, 192), (206, 206, 202), (160, 168, 174), (214, 208, 198), (140, 150, 160))
SHUTTERS: tuple[Color, ...] = (
    (70, 104, 112),
    (92, 126, 92),
    (120, 70, 56),
    (60, 80, 120),
    (150, 164, 160),
    (84, 60, 54),
    (176, 190, 196),
)
ROOF_TILES: tuple[Color, ...] = ((156, 84, 60), (136, 70, 54), (172, 104, 74), (120, 78, 66))
ZINCS: tuple[Color, ...] = ((98, 108, 122), (84, 92, 106), (112, 118, 126), (72, 80, 92))
AWNINGS: tuple[Color, ...] = (
    (178, 44, 44),
    (30, 92, 72),
    (36, 66, 120),
    (216, 150, 50),
    (120, 40, 64),
    (64, 110, 130),
    (226, 214, 190),
    (220, 104, 70),
)
SHOPFRONTS: tuple[Color, ...] = (
    (36, 62, 58),
    (44, 40, 46),
    (112, 34, 40),
    (40, 58, 96),
    (150, 106, 62),
    (86, 98, 84),
    (196, 180, 150),
    (60, 90, 110),
)
LEAVES: tuple[tuple[Color, Color, Color], ...] = (
    ((30, 58, 26), (74, 116, 48), (156, 186, 92)),
    ((26, 54, 34), (60, 104, 60), (132, 172, 106)),
    ((44, 64, 24), (104, 132, 46), (188, 200, 104)),
    ((96, 54, 22), (186, 112, 38), (240, 188, 90)),
    ((24, 48, 30), (50, 88, 48), (112, 148, 80)),
    ((110, 62, 74), (206, 140, 156), (250, 216, 220)),
)


class Dice:
    """Fast scalar draws from one NumPy generator (floats are drawn in blocks).

    Parameters
    ----------
    *seed : int
        Words of the seed, passed to ``np.random.default_rng``.
    floats : sequence of float
        Draws made in advance, used first.
    """

    def __init__(self, *seed: int, floats: Sequence[float] = ()) -> None:
        self._seed, self._floats = seed, list(floats)

    @cached_property
    def rng(self) -> np.random.Generator:
        """The generator, made when it is first needed: that takes longer than a hundred draws."""
        return np.random.default_rng(self._seed)

    def deal(self, count: int) -> list[Dice]:
        """Return ``count`` independent dice; the first ones do not depend on how many are asked for."""
        return [Dice(int(row[0] * 2**53), floats=row[1:]) for row in self.rng.random((count, 129)).tolist()]

    def random(self) -> float:
        """Return a float in [0, 1)."""
        if not self._floats:
            self._floats = self.rng.random(128).tolist()
        return self._floats.pop()

    def uniform(self, low: float, high: float) -> float:
        """Return a float in [low, high)."""
        return low + (high - low) * self.random()

    def near(self, value: float, spread: float) -> float:
        """Return ``value`` multiplied by a factor drawn in [1 - spread, 1 + spread]."""
        return value * (1 + spread * (2 * self.random() - 1))

    def chance(self, probability: float) -> bool:
        """Return True with the given probability."""
        return self.random() < probability

    def integer(self, low: int, high: int) -> int:
        """Return an integer in [low, high)."""
        return low + int((high - low) * self.random())

    def pick(self, items: Sequence[T]) -> T:
        """Return one item, all equally likely."""
        return items[int(len(items) * self.random())]

    def weighted(self, items: Sequence[T], weights: Sequence[float]) -> T:
        """Return one item with probability proportional to its weight."""
        left = self.random() * sum(weights)
        for item, weight in zip(items, weights, strict=True):
            left -= weight
            if left < 0:
                return item
        return items[-1]

    def color(self, items: Sequence[Color], spread: int = 8) -> Color:
        """Return a colour of the list, slightly changed so that no two objects share it."""
        shift, (r, g, b) = self.uniform(-spread, spread), self.pick(items)
        return clip_color(
            r + shift + self.uniform(-4, 4), g + shift + self.uniform(-4, 4), b + shift + self.uniform(-4, 4)
        )

    def digits(self, count: int) -> str:
        """Return a number of ``count`` digits that does not begin with 0."""
        return str(self.integer(10 ** (count - 1), 10**count))


def clip_color(r: float, g: float, b: float) -> Color:
    """Round and clip three levels into a colour."""
    return (min(max(int(r), 0), 255), min(max(int(g), 0), 255), min(max(int(b), 0), 255))


def mix(a: Color, b: Color, t: float) -> Color:
    """Return the colour at ``t`` in [0, 1] between ``a`` and ``b``."""
    s = 1 - t
    return (int(a[0] * s + b[0] * t), int(a[1] * s + b[1] * t), int(a[2] * s + b[2] * t))


def scaled(color: Color, gain: float) -> Color:
    """Return the colour made darker (gain < 1) or lighter (gain > 1)."""
    return clip_color(color[0] * gain, color[1] * gain, color[2] * gain)


def luma(color: Color) -> float:
    """Return the luminance of a colour in [0, 1] (ITU-R BT.601)."""
    return (0.299 * color[0] + 0.587 * color[1] + 0.114 * color[2]) / 255


def ramp(dark: Color, middle: Color, light: Color) -> np.ndarray:
    """Return the (1, 256, 4) uint8 table, for ``cv2.LUT``, that maps grey levels to three colours of full coverage."""
    table = RAMP @ np.array((dark, middle, light), np.float32)
    return np.concatenate([table, np.full((256, 1), 255, np.float32)], 1).astype(np.uint8)[None]


def paint(dice: Dice) -> Color:
    """Return the paint of a private car."""
    family = dice.weighted([colors for _, colors in PAINTS], [weight for weight, _ in PAINTS])
    return dice.color(family, 10)


def readable(ink: Color, ground: Color) -> Color:
    """Return ``ink``, or white or near black when it would not stand out on ``ground``."""
    if abs(luma(ink) - luma(ground)) > 0.3:
        return ink
    return WHITE if luma(ground) < 0.55 else (34, 36, 44)
