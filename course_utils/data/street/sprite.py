"""Sprites: one object per picture, in the street, for classification."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import cv2
import numpy as np

from course_utils.data.street.backdrop import Weather
from course_utils.data.street.camera import develop
from course_utils.data.street.canvas import POOL, Brush, Canvas
from course_utils.data.street.furniture import Lamp, Tree
from course_utils.data.street.palette import Dice
from course_utils.data.street.vehicles import Car
from course_utils.data.street.world import (
    CLASSES,
    MAKERS,
    Controls,
    Textures,
    Thing,
    World,
    check_integer,
    check_textures,
)

PLATES = 28  # streets whose pieces serve as backgrounds
PLATE_SHAPE = (224, 448)
BLOCK = 256


@lru_cache(maxsize=PLATES * 3)
def plate(index: int, pool: Textures) -> tuple[Canvas, Weather, float]:
    """Return an empty street, its weather and the height of its kerb (a share of the picture's height)."""
    dice = Dice(4242, index)
    night = dice.uniform(0, 0.16) if index % 4 else dice.uniform(0.25, 0.85)
    controls = Controls(0.0, 0.0, 0.0, 0.5, night, dice.uniform(0.4, 1.0) if index % 9 == 5 else 0.0)
    world = World(9000 + index, PLATE_SHAPE[1] / PLATE_SHAPE[0], controls, pool)
    painter = world.backdrop(PLATE_SHAPE)
    for actor in world.actors:
        if actor.track < 0:
            world.draw_actor(actor, painter, 0.0)
    height, width = PLATE_SHAPE
    small = Canvas(
        cv2.resize(painter.frame, (width, height), interpolation=cv2.INTER_AREA),
        cv2.resize(painter.light, (width, height), interpolation=cv2.INTER_AREA),
        painter.pools,
        painter.lamps,
        1,
    )
    return small, world.weather, world.view.kerb


def sprites(
    n: int,
    *,
    seed: int = 0,
    size: int = 32,
    classes: Sequence[str] | None = None,
    textures: Textures = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Return pictures of one object each, for classification.

    The object fills most of the picture; its place, size, direction, colours, light and weather vary, and in one
    picture out of four something hides a part of it. Classes are balanced (to one unit) and shuffled.

    Parameters
    ----------
    n : int
        Number of pictures.
    seed : int
    size : int
        Side in pixels, from 16 to 512.
    classes : sequence of str, optional
        Which of ``CLASSES``, in the order of the labels; all ten when None.
    textures : "train", "test" or None
        Photographs behind.

    Returns
    -------
    images : (n, size, size, 3) float32 in [0, 1]
    labels : (n,) int64
        Indices in ``classes`` (in ``CLASSES`` when None).

    Raises
    ------
    ValueError
        In French, when an argument is out of range.
    """
    n, seed, size = check_integer("n", n, 0), check_integer("seed", seed, 0), check_integer("size", size, 16, 512)
    kinds, pool = _check_classes(classes), check_textures(textures)
    dice = Dice(seed, 7)
    labels = dice.rng.permutation(np.arange(n) % len(kinds)).astype(np.int64)
    images = np.empty((n, size, size, 3), np.float32)
    for start in range(0, n, BLOCK):
        hands = dice.deal(min(BLOCK, n - start))
        for index, hand in enumerate(hands, start):
            np.multiply(_sprite(kinds[labels[index]], hand, size, pool), np.float32(1 / 255), out=images[index])
    return images, labels


def _check_classes(classes: Sequence[str] | None) -> tuple[str, ...]:
    if classes is None:
        return CLASSES
    kinds = (classes,) if isinstance(classes, str) else tuple(classes)
    unknown = [kind for kind in kinds if kind not in CLASSES]
    if unknown or not kinds or len(set(kinds)) < len(kinds):
        raise ValueError(f"« classes » vaut {classes!r} : donnez des noms différents parmi {', '.join(CLASSES)}.")
    return kinds


def _sprite(kind: str, dice: Dice, size: int, pool: Textures) -> np.ndarray:
    """Return one sprite, (size, size, 3) uint8."""
    step = 2 if size <= 160 else 1
    thing = MAKERS[kind](dice, 0.0, pool)
    street, weather, kerb = plate(dice.integer(0, PLATES), pool)
    canvas, scale, x, y = _framing(thing, street, kerb, dice, size * step, step)
    if dice.chance(0.35) and thing.kind not in ("sign", "traffic_light"):
        _draw(Car.roll(dice), canvas, x + dice.uniform(-6, 6) * scale, y - 0.12 * size * step, 0.8 * scale, dice)
    _draw(thing, canvas, x, y, scale, dice)
    if dice.chance(0.26):
        _obstacle(canvas, thing, x, y, scale, dice, pool)
    blur = 0.7 * dice.random() ** 3
    return develop(canvas, weather, (size, size), dice, blur=blur, light=dice.uniform(0.3, 0.75))


def _framing(
    thing: Thing,
    street: Canvas,
    kerb: float,
    dice: Dice,
    side: int,
    step: int,
) -> tuple[Canvas, float, float, float]:
    """Cut a background and choose the scale and the place of the object on it."""
    face = thing.kind in ("sign", "traffic_light")
    wide, tall = thing.length, thing.height if not face else (1.0 if thing.kind == "sign" else 1.35)
    scale = (
        side
        * min(0.94 / wide if wide < 6 else 1.15 / wide, 0.9 / tall)
        * (dice.uniform(0.68, 1.06) if tall > 0.4 * wide else dice.uniform(0.8, 1.24))
    )
    x = side * (0.5 + dice.uniform(-0.13, 0.13))
    if face:
        middle = thing.height - 0.5 * tall
        y = side * (0.5 + dice.uniform(-0.1, 0.1)) + middle * scale
    else:
        slack = side - tall * scale
        y = side - slack * dice.uniform(0.12, 0.75)
    height, width = street.frame.shape[:2]
    cut = int(height * dice.uniform(0.34, 0.6) if not face else height * dice.uniform(0.25, 0.5))
    ground = height * (kerb + dice.uniform(0.08, 0.38)) if not face else height * dice.uniform(0.5, 0.75)
    top = int(min(max(ground - cut * min(y / side, 1.0), 0), height - cut))
    left = dice.integer(0, width - cut)
    frame, light = (_cut(image, top, left, cut, side) for image in (street.frame, street.light))
    cells, unit = -(-side // POOL), street.pools.shape[0] / height
    pools = _cut(street.pools, int(top * unit), int(left * unit), max(int(cut * unit), 1), cells)
    return Canvas(frame, light, pools, street.lamps, step), scale, x, y


def _cut(image: np.ndarray, top: int, left: int, cut: int, side: int) -> np.ndarray:
    return cv2.resize(image[top : top + cut, left : left + cut], (side, side), interpolation=cv2.INTER_LINEAR)


def _draw(thing: Thing, canvas: Canvas, x: float, y: float, scale: float, dice: Dice) -> None:
    reach = 0.5 * thing.length + 0.5
    if thing.shadow:
        canvas.darken(x, y, (1.0 if thing.kind else 0.4) * thing.length * scale, 0.8 * thing.shadow * scale, 0.6)
    brush = Brush(canvas, x, y, scale, flip=dice.chance(0.5), extent=(-reach, reach, thing.height + 0.35, -0.1))
    if brush.patch.size:
        thing.draw(brush, dice.uniform(0, 3))
        brush.finish()


def _obstacle(canvas: Canvas, thing: Thing, x: float, y: float, scale: float, dice: Dice, pool: Textures) -> None:
    """Draw something in front of the object, hiding up to a third of it."""
    side = canvas.frame.shape[0]
    if thing.kind in ("sign", "traffic_light"):
        _draw(
            Tree.roll(dice, pool),
            canvas,
            x + dice.uniform(-1, 1) * 0.6 * side,
            side * dice.uniform(1.5, 2.2),
            side * 0.22,
            dice,
        )
    elif thing.length > 1.5 and dice.chance(0.5):
        ahead = 1 if dice.chance(0.5) else -1
        where = x + ahead * side * dice.uniform(0.5, 0.75)
        _draw(Car.roll(dice), canvas, where, y + 0.1 * side, min(scale * 1.1, side / 3.2), dice)
    else:
        pole: Thing = Lamp.roll(dice) if dice.chance(0.6) else Tree.roll(dice, pool, tall=True)
        _draw(pole, canvas, x + dice.uniform(-0.35, 0.35) * side, y + 0.06 * side, max(scale, side / 4.5), dice)
