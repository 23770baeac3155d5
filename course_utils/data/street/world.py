"""Scenes: what stands where, and the picture with its exact truth."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

import cv2
import numpy as np
from scipy.ndimage import find_objects

from course_utils.data.street.backdrop import Backdrop, Perspective, Weather
from course_utils.data.street.camera import develop
from course_utils.data.street.canvas import Brush, Canvas
from course_utils.data.street.furniture import Fixture, Lamp, Tree
from course_utils.data.street.palette import Dice
from course_utils.data.street.people import Bicycle, Motorcycle, Pedestrian
from course_utils.data.street.signs import Sign, TrafficLight
from course_utils.data.street.vehicles import Bus, Car, Lorry, Van

CLASSES: tuple[str, ...] = (
    "car",
    "taxi",
    "van",
    "lorry",
    "bus",
    "bicycle",
    "motorcycle",
    "pedestrian",
    "sign",
    "traffic_light",
)
CLASS_NAMES: tuple[str, ...] = (
    "voiture",
    "taxi",
    "camionnette",
    "camion",
    "bus",
    "vélo",
    "moto",
    "piéton",
    "panneau",
    "feu",
)
FREQUENCIES: tuple[float, ...] = (0.33, 0.08, 0.07, 0.05, 0.055, 0.06, 0.05, 0.20, 0.06, 0.045)
TEXTURES: tuple[str | None, ...] = ("train", "test", None)
CONTROLS: tuple[str, ...] = ("density", "occlusion", "blur", "light", "night", "rain")

VEHICLE_SPEED = 6.0  # typical speeds, in m/s, which tell how many of each kind a video needs
SPEEDS = {"sign": 0.0, "traffic_light": 0.0, "pedestrian": 0.8, "bicycle": 3.3}

MIN_VISIBLE = 12  # visible pixels under which an object is left out of the truth
MIN_IN_VIEW = 0.2  # share of the object's length within the picture under which it is left out
SEEN = 96  # coverage, out of 255, from which a pixel belongs to an object
MAX_PIXELS = 4096

Size = int | tuple[int, int]
Textures = Literal["train", "test"] | None


class Thing(Protocol):
    """What can be placed in the street."""

    @property
    def kind(self) -> str:
        """Class identifier, "" for what bears no label."""

    @property
    def text(self) -> str:
        """Number shown, or ""."""

    @property
    def length(self) -> float:
        """Width along the street, in metres."""

    @property
    def height(self) -> float:
        """Height in metres."""

    @property
    def shadow(self) -> float:
        """Width of the shadow on the ground, in metres."""

    def draw(self, brush: Brush, travelled: float = 0.0) -> None:
        """Draw the thing, ``travelled`` metres after its start."""


MAKERS: dict[str, Callable[[Dice, float, Textures], Thing]] = {
    "car": lambda dice, rain, pool: Car.roll(dice),
    "taxi": lambda dice, rain, pool: Car.roll(dice, "taxi"),
    "van": lambda dice, rain, pool: Van.roll(dice),
    "lorry": lambda dice, rain, pool: Lorry.roll(dice),
    "bus": lambda dice, rain, pool: Bus.roll(dice, pool),
    "bicycle": lambda dice, rain, pool: Bicycle.roll(dice),
    "motorcycle": lambda dice, rain, pool: Motorcycle.roll(dice),
    "pedestrian": lambda dice, rain, pool: Pedestrian.roll(dice, rain=rain),
    "sign": lambda dice, rain, pool: Sign.roll(dice),
    "traffic_light": lambda dice, rain, pool: TrafficLight.roll(dice),
}


@dataclass(frozen=True)
class Controls:
    """Difficulty of a scene; every control is in [0, 1]."""

    density: float
    occlusion: float
    blur: float
    light: float
    night: float
    rain: float

    @classmethod
    def resolve(cls, dice: Dice, **given: float | None) -> Controls:
        """Check the controls given, and draw those left to the seed (None)."""
        hour = dice.random()
        night = (
            dice.uniform(0, 0.12) if hour < 0.55 else dice.uniform(0.2, 0.5) if hour < 0.76 else dice.uniform(0.5, 1.0)
        )
        drawn = {
            "density": dice.uniform(0.3, 0.9),
            "occlusion": dice.uniform(0.15, 0.75),
            "blur": 0.2 * dice.random() ** 2,
            "light": dice.uniform(0.42, 0.62),
            "night": night,
            "rain": dice.uniform(0.35, 1.0) if dice.chance(0.16) else 0.0,
        }
        return cls(
            **{name: drawn[name] if given.get(name) is None else check_share(name, given[name]) for name in CONTROLS}
        )


@dataclass(frozen=True, eq=False)
class Scene:
    """A picture of the street and the exact truth about it.

    Objects are listed from the farthest to the nearest. An object is left out of the truth when fewer than 12 of its
    pixels are visible, or when less than a fifth of its length is within the picture.

    Attributes
    ----------
    image : (H, W, 3) float32 in [0, 1]
    boxes : (n, 4) float32
        Tight bounds (x1, y1, x2, y2), in pixels, of the *visible* pixels of each object (x2 and y2 excluded).
    classes : (n,) int64
        Indices in ``CLASSES``.
    masks : (n, H, W) bool
        Visible pixels of each object; the masks are disjoint. For classification, the mask is the evidence.
    texts : tuple of str
        Number plate, fleet number or speed limit of each object, "" when it has none (legible or not).
    depth : (n,) float32
        Distance relative to that of the façades (1); the smaller hides the larger.
    occlusion : (n,) float32 in [0, 1]
        Share of the object's pixels within the picture that something nearer hides.
    track_ids : (n,) int64
        Identity of each object, constant through a video.
    controls : dict
        The six difficulty controls, as given or as drawn by the seed.
    seed : int
    """

    image: np.ndarray
    boxes: np.ndarray
    classes: np.ndarray
    labels_map: np.ndarray = field(repr=False)
    texts: tuple[str, ...]
    depth: np.ndarray
    occlusion: np.ndarray
    track_ids: np.ndarray
    controls: dict[str, float]
    seed: int

    def __len__(self) -> int:
        return len(self.classes)

    @property
    def masks(self) -> np.ndarray:
        """Visible pixels of each object, (n, H, W) bool."""
        return self.labels_map == np.arange(1, len(self) + 1, dtype=self.labels_map.dtype)[:, None, None]

    @property
    def names(self) -> tuple[str, ...]:
        """French names of the objects' classes."""
        return tuple(CLASS_NAMES[k] for k in self.classes)

    def __repr__(self) -> str:
        height, width = self.image.shape[:2]
        return f"Scene(graine={self.seed}, {width} × {height} pixels, {len(self)} objets)"


@dataclass
class Actor:
    """A thing at its place: ``x`` in metres from the middle of the picture at time 0, ``y`` in picture heights."""

    thing: Thing
    x: float
    y: float
    flip: bool
    speed: float
    track: int

    def at(self, time: float) -> float:
        """Return its abscissa, in metres, at a time in seconds."""
        return self.x + self.speed * time


@dataclass(frozen=True)
class Lane:
    """Where vehicles, or pedestrians, go in one direction at one depth."""

    y: float
    direction: int
    speed: float


class World:
    """Everything in a street: point of view, weather, backdrop and actors, decided from a seed.

    Parameters
    ----------
    seed : int
    aspect : float
        Width / height of the picture.
    controls : Controls
    textures : "train", "test" or None
    duration : float
        Seconds during which vehicles must keep coming (0 for a single picture).
    """

    def __init__(
        self, seed: int, aspect: float, controls: Controls, textures: Textures = None, duration: float = 0.0
    ) -> None:
        self.seed, self.aspect, self.controls, self.textures, self.duration = seed, aspect, controls, textures, duration
        dice = Dice(seed, 0)
        self.view, self.weather = Perspective.roll(dice), Weather.at(controls.night, controls.rain, dice)
        self.actors: list[Actor] = []
        self._taken: list[tuple[float, float, float, float]] = []
        self._plan(Dice(seed, 2))

    # -- planning -------------------------------------------------------------------------------------------------
    def _plan(self, dice: Dice) -> None:
        view = self.view
        road = view.edge - view.kerb
        count = dice.weighted((2, 3), (3, 2))
        shares = (0.42, 0.9) if count == 2 else (0.32, 0.6, 0.93)
        self.lanes = [
            Lane(view.kerb + share * road, -1 if k < (count + 1) // 2 else 1, dice.uniform(4.0, 8.0))
            for k, share in enumerate(shares)
        ]
        self.gutters = [
            Lane(view.kerb + 0.1 * road, -1, dice.uniform(2.6, 4.0)),
            Lane(view.edge + 0.004, 1, dice.uniform(2.6, 4.0)),
        ]
        self._scenery(dice)
        expected = 14.0 * self.controls.density * self.aspect**0.75
        crossings = self.duration * view.scale(0.75) / self.aspect  # times a thing at 1 m/s crosses the picture
        longest = 1 + VEHICLE_SPEED * crossings
        for k, hand in enumerate(Dice(self.seed, 3).deal(round(expected * longest + 0.98 * (dice.random() - 0.5)))):
            kind = hand.weighted(CLASSES, FREQUENCIES)
            if hand.chance((1 + SPEEDS.get(kind, VEHICLE_SPEED) * crossings) / longest):
                self._place(MAKERS[kind](hand, self.controls.rain, self.textures), dice, k)
        self.actors.sort(key=lambda actor: actor.y)

    def _scenery(self, dice: Dice) -> None:
        """Place trees, lamps and small furniture: behind the road always, in front of it as ``occlusion`` asks."""
        view, pool, scenery = self.view, self.textures, Dice(self.seed, 4)
        half = 0.5 * self.aspect / view.scale(view.kerb)
        far: list[Thing] = [Lamp.roll(scenery) for _ in range(1 + int(self.aspect * 0.9))]
        far += [Tree.roll(scenery, pool) for _ in range(int(scenery.uniform(0.2, 2.4) * self.aspect))]
        far += [
            Fixture.roll(scenery, pool, tall=scenery.chance(0.25))
            for _ in range(int(scenery.uniform(0.4, 2.8) * self.aspect))
        ]
        for k, thing in enumerate(far):
            slot = (k + scenery.uniform(0.1, 0.9)) / len(far)
            y = view.kerb - (0.012 if isinstance(thing, Fixture) else 0.02)
            self.actors.append(Actor(thing, (2 * ((slot * 7.3) % 1.0) - 1) * half, y, scenery.chance(0.5), 0.0, -1))
        half = 0.5 * self.aspect / view.scale(1.0)
        for _ in range(
            int(3.2 * self.controls.occlusion * self.aspect**0.7 + dice.random() * (self.controls.occlusion > 0.05))
        ):
            roll = scenery.random()
            near: Thing
            if roll < 0.34:
                near = Tree.roll(scenery, pool, tall=True)
            else:
                near = Lamp.roll(scenery) if roll < 0.62 else Fixture.roll(scenery, pool, tall=roll > 0.92)
            self.actors.append(
                Actor(
                    near,
                    scenery.uniform(-1, 1) * half,
                    view.edge + scenery.uniform(0.02, 0.05),
                    scenery.chance(0.5),
                    0.0,
                    -1,
                )
            )

    def _lane(self, kind: str, dice: Dice) -> Lane:
        view = self.view
        if kind == "pedestrian":
            near = dice.chance(0.3)
            y = dice.uniform(view.edge + 0.025, 1.05) if near else dice.uniform(view.wall + 0.012, view.kerb - 0.014)
            return Lane(y, 1 if dice.chance(0.5) else -1, dice.uniform(0.9, 1.5))
        if kind in ("sign", "traffic_light"):
            return Lane(view.edge + 0.014 if dice.chance(0.45) else view.kerb - 0.011, 1, 0.0)
        if kind == "bicycle":
            return dice.pick(self.gutters)
        weights = {"bus": (5, 2, 0.7), "lorry": (5, 2, 0.7), "van": (3, 3, 1.6)}.get(kind, (3, 3, 3))
        return dice.weighted(self.lanes, (weights[0], weights[2]) if len(self.lanes) == 2 else weights)

    def _place(self, thing: Thing, dice: Dice, track: int) -> None:
        """Find a place where the thing hides, and is hidden, no more than ``occlusion`` allows; else leave it out."""
        allowed = 0.04 + 0.8 * self.controls.occlusion
        for _ in range(5):
            lane = self._lane(thing.kind, dice)
            standing = getattr(thing, "pose", "walk") != "walk"
            speed = 0.0 if standing else lane.speed * lane.direction
            scale = self.view.scale(lane.y)
            half = 0.5 * self.aspect / scale
            low, high = -half - 0.32 * thing.length, half + 0.32 * thing.length
            if speed > 0:
                low -= speed * self.duration
            else:
                high -= speed * self.duration
            x = dice.uniform(low, high)
            if self._taken and dice.chance(0.6 * self.controls.occlusion):
                other = dice.pick(self._taken)
                x = (0.5 * (other[0] + other[2]) + dice.uniform(-0.5, 0.5) * (other[2] - other[0])) / scale
            if self._free(thing, x, lane, scale, allowed):
                self.actors.append(Actor(thing, x, lane.y, lane.direction < 0, speed, track))
                return

    def _free(self, thing: Thing, x: float, lane: Lane, scale: float, allowed: float) -> bool:
        low = 0.62 * thing.height if thing.kind in ("sign", "traffic_light") else 0.0
        box = (
            (x - thing.length / 2) * scale,
            lane.y - thing.height * scale,
            (x + thing.length / 2) * scale,
            lane.y - low * scale,
        )
        walkers = thing.kind == "pedestrian"
        for actor in self.actors:
            same_lane = actor.track >= 0 and abs(actor.y - lane.y) < 0.012 and actor.thing.kind != "pedestrian"
            if same_lane and not walkers and abs(actor.x - x) < 0.5 * (actor.thing.length + thing.length) + 0.7:
                return False
        area = (box[2] - box[0]) * (box[3] - box[1])
        for other in self._taken:
            shared = max(min(box[2], other[2]) - max(box[0], other[0]), 0.0) * max(
                min(box[3], other[3]) - max(box[1], other[1]), 0.0
            )
            smaller = min(area, (other[2] - other[0]) * (other[3] - other[1]))
            if shared > allowed * smaller:
                return False
        self._taken.append(box)
        return True

    # -- rendering ------------------------------------------------------------------------------------------------
    def backdrop(self, shape: tuple[int, int]) -> Canvas:
        """Return the empty street for pictures of (H, W) pixels."""
        step = 2 if min(shape) <= 320 else 1
        painter = Backdrop(Dice(self.seed, 1), self.view, self.weather, self.textures)
        return painter.draw(shape[0] * step, shape[1] * step, step)

    def render(
        self, shape: tuple[int, int], *, time: float = 0.0, frame: int = 0, backdrop: Canvas | None = None
    ) -> Scene:
        """Return the scene at a time in seconds; ``backdrop`` is copied when it is given."""
        canvas = self.backdrop(shape) if backdrop is None else backdrop.copy()
        visible = np.zeros(shape, np.int16)
        full: dict[int, int] = {}
        shown: list[Actor] = []
        for actor in self.actors:
            cover = self.draw_actor(actor, canvas, time)
            if cover is None:
                continue
            rows, columns = (slice(s.start // canvas.step, s.stop // canvas.step) for s in cover[1])
            mask = _shrink(cover[0], canvas.step) >= SEEN
            label = 0
            if actor.track >= 0:
                shown.append(actor)
                label = len(shown)
                full[label] = int(mask.sum())
            visible[rows, columns][mask] = label
        picture = develop(
            canvas, self.weather, shape, Dice(self.seed, 5, frame), blur=self.controls.blur, light=self.controls.light
        )
        return self._truth(picture, visible, shown, full, time)

    def draw_actor(self, actor: Actor, canvas: Canvas, time: float) -> tuple[np.ndarray, tuple[slice, slice]] | None:
        """Draw one actor with its shadow and its reflection; return its coverage, or None out of the picture."""
        height, width = canvas.frame.shape[:2]
        thing, scale = actor.thing, self.view.scale(actor.y) * height
        x, y = width / 2 + actor.at(time) * scale, actor.y * height
        half = 0.5 * thing.length * scale
        if x + 1.3 * half < 0 or x - 1.3 * half > width:
            return None
        reach = 0.5 * thing.length + (0.6 if thing.kind in ("pedestrian", "") else 0.25)
        self._cast_shadow(canvas, thing, x, y, scale)
        brush = Brush(canvas, x, y, scale, flip=actor.flip, extent=(-reach, reach, thing.height + 0.35, -0.1))
        if brush.patch.size == 0:
            return None
        thing.draw(brush, abs(actor.speed) * time)
        cover = brush.finish()
        if self.weather.rain > 0.02:
            self._reflect(canvas, brush, cover, y)
        return cover, brush.region

    def _cast_shadow(self, canvas: Canvas, thing: Thing, x: float, y: float, scale: float) -> None:
        if not thing.shadow:
            canvas.darken(x, y, 0.5 * scale, 0.16 * scale, 0.4)
            return
        contact = {"": 0.3, "pedestrian": 0.62}.get(thing.kind, 0.9)
        width = contact * min(thing.length, 12.0) * scale
        strength = (0.62 if contact > 0.8 else 0.42) - 0.25 * self.weather.rain
        canvas.darken(x, y - 0.03 * scale, 1.16 * width, thing.shadow * 0.85 * scale, strength)
        if self.weather.sun > 0.1 and thing.length > 1.5 and thing.kind:
            canvas.darken(
                x + (0.35 + 1.6 * self.weather.night) * scale,
                y + 0.04 * scale,
                1.1 * width,
                thing.shadow * 1.2 * scale,
                0.34 * self.weather.sun,
            )

    def _reflect(self, canvas: Canvas, brush: Brush, cover: np.ndarray, y: float) -> None:
        """Mirror the object in the wet ground below it."""
        rows, columns = brush.region
        ground = min(int(y), rows.stop)
        depth = min(ground - rows.start, canvas.frame.shape[0] - ground)
        if depth <= 2:
            return
        source = slice(ground - depth, ground)
        ripple = (1, max(3, depth // 9 | 1))
        veil = cv2.blur(np.ascontiguousarray(cover[: ground - rows.start][-depth:][::-1]), ripple).astype(np.float32)
        veil *= (np.linspace(0.6, 0.08, depth)[:, None] * self.weather.rain).astype(np.float32)
        below = canvas.frame[ground : ground + depth, columns, :3]
        mirror = cv2.blur(np.ascontiguousarray(canvas.frame[source, columns, :3][::-1]), ripple)
        mixed = below + (mirror.astype(np.float32) - below) * (veil[..., None] / 255)
        below[...] = mixed.astype(np.uint8)
        if canvas.lamps > 0:
            lights = cv2.blur(np.ascontiguousarray(canvas.light[source, columns][::-1]), ripple)
            spread = canvas.light[ground : ground + depth, columns]
            fade = np.linspace(0.7, 0.1, depth)[:, None, None] * self.weather.rain
            spread[...] = np.maximum(spread, (lights * fade).astype(np.uint8))

    # -- truth ----------------------------------------------------------------------------------------------------
    def _truth(
        self, picture: np.ndarray, visible: np.ndarray, shown: Sequence[Actor], full: dict[int, int], time: float
    ) -> Scene:
        counts = np.bincount(visible.ravel(), minlength=len(shown) + 1)
        order, boxes, hidden = np.zeros(len(shown) + 1, np.uint8), [], []
        kept: list[Actor] = []
        where = find_objects(visible, len(shown))
        for label, actor in enumerate(shown, 1):
            if counts[label] < MIN_VISIBLE or self._in_view(actor, time) < MIN_IN_VIEW:
                continue
            kept.append(actor)
            order[label] = len(kept)
            rows, columns = where[label - 1]
            boxes.append((columns.start, rows.start, columns.stop, rows.stop))
            hidden.append(1 - counts[label] / full[label])
        return Scene(
            image=picture.astype(np.float32) * np.float32(1 / 255),
            boxes=np.array(boxes, np.float32).reshape(-1, 4),
            classes=np.array([CLASSES.index(actor.thing.kind) for actor in kept], np.int64),
            labels_map=order[visible],
            texts=tuple(actor.thing.text for actor in kept),
            depth=np.array([self.view.scale(self.view.wall) / self.view.scale(actor.y) for actor in kept], np.float32),
            occlusion=np.array(hidden, np.float32),
            track_ids=np.array([actor.track for actor in kept], np.int64),
            controls={name: getattr(self.controls, name) for name in CONTROLS},
            seed=self.seed,
        )

    def _in_view(self, actor: Actor, time: float) -> float:
        half, middle = 0.5 * self.aspect / self.view.scale(actor.y), actor.at(time)
        reach = 0.5 * actor.thing.length
        return (min(middle + reach, half) - max(middle - reach, -half)) / (2 * reach)


def _shrink(cover: np.ndarray, step: int) -> np.ndarray:
    if step == 1:
        return cover
    return cv2.resize(cover, (cover.shape[1] // step, cover.shape[0] // step), interpolation=cv2.INTER_AREA)


# -- arguments ----------------------------------------------------------------------------------------------------
def check_share(name: str, value: Any) -> float:
    """Return a control as a float, or raise a ValueError in French."""
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = float("nan")
    if not 0 <= share <= 1:
        raise ValueError(
            f"« {name} » vaut {value!r} : donnez un nombre entre 0 et 1, ou None pour laisser la graine choisir."
        )
    return share


def check_integer(name: str, value: Any, low: int, high: int | None = None) -> int:
    """Return an integer argument, or raise a ValueError in French."""
    try:
        number = operator.index(value)
    except TypeError:
        number = low - 1
    if number < low or (high is not None and number > high):
        bounds = f"au moins égal à {low}" if high is None else f"compris entre {low} et {high}"
        raise ValueError(f"« {name} » vaut {value!r} : donnez un entier {bounds}.")
    return number


def check_size(size: Any) -> tuple[int, int]:
    """Return (height, width) from an int or a pair, or raise a ValueError in French."""
    pair = size if isinstance(size, tuple | list) else (size, size)
    if len(pair) != 2:
        raise ValueError(f"« size » vaut {size!r} : donnez un entier (image carrée) ou un couple (hauteur, largeur).")
    height, width = (check_integer("size", side, 16, MAX_PIXELS) for side in pair)
    if not 0.25 <= width / height <= 6:
        raise ValueError(f"« size » vaut {size!r} : la largeur doit rester entre le quart et six fois la hauteur.")
    return height, width


def check_textures(textures: Any) -> Textures:
    """Return the pool of textures, or raise a ValueError in French."""
    if textures not in TEXTURES:
        raise ValueError(f'« textures » vaut {textures!r} : donnez "train", "test" ou None (toutes les photographies).')
    return textures


def scene(
    seed: int = 0,
    size: Size = 128,
    *,
    density: float | None = None,
    occlusion: float | None = None,
    blur: float | None = None,
    light: float | None = None,
    night: float | None = None,
    rain: float | None = None,
    textures: Textures = None,
) -> Scene:
    """Return a street scene and the exact truth about it.

    The same arguments always give the same scene, in any process. Controls left to None are drawn by the seed: most
    scenes are by day, some at sunset or by night, a few in the rain.

    Parameters
    ----------
    seed : int
        Which street; at least 0.
    size : int or (height, width)
        Pixels; between 16 and 4096 a side. Details appear with size: 640 is not an enlarged 128.
    density : float in [0, 1]
        How many vehicles, people and signs; 0 leaves the street empty.
    occlusion : float in [0, 1]
        How much they hide one another, and how much stands in front of the road (trees, lamps, shelters).
    blur : float in [0, 1]
        Focus error of the camera: its standard deviation is 2 % of the shorter side at 1.
    light : float in [0, 1]
        Exposure: right at 0.5, nearly two stops less at 0, nearly one stop more at 1.
    night : float in [0, 1]
        0 is full day, 0.3 the golden hour, 0.5 sunset, 0.7 the blue hour, 1 night.
    rain : float in [0, 1]
        Clouds, streaks, mist, umbrellas and reflections in the wet road.
    textures : "train", "test" or None
        Photographs used for surfaces and posters; the two pools are disjoint.

    Raises
    ------
    ValueError
        In French, when an argument is out of range.
    """
    seed, shape = check_integer("seed", seed, 0), check_size(size)
    controls = Controls.resolve(
        Dice(seed, 6), density=density, occlusion=occlusion, blur=blur, light=light, night=night, rain=rain
    )
    return World(seed, shape[1] / shape[0], controls, check_textures(textures)).render(shape)
