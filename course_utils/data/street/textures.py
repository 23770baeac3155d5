"""Photographic textures, prepared once and kept in memory: walls, gravel, leaves, posters, clouds, glyphs.

The grey photographs come with scikit-image (brick, gravel, grass, moon). Each is flattened, made periodic by
mirroring and kept at several scales. The ``pool`` argument holds photographs apart: "train" uses the left half of
each photograph and some posters, "test" the right half and the other posters, None everything.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from course_utils.data.street.palette import Color, Dice, ramp

POSTERS: dict[str | None, tuple[str, ...]] = {
    "train": ("coffee.png", "chelsea.png"),
    "test": ("rocket.jpg", "astronaut.png"),
    None: ("coffee.png", "chelsea.png", "rocket.jpg", "astronaut.png"),
}
LEVELS = 4
TREES = 9


def _photograph(name: str) -> np.ndarray:
    """Return one of scikit-image's photographs as (H, W, 3) uint8."""
    import skimage

    path = Path(skimage.__file__).parent / "data" / name
    image = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_COLOR_RGB)
    if image is None:
        raise OSError(f"La photographie {path.name} de scikit-image est illisible : réinstallez scikit-image.")
    return image


def _flatten(grey: np.ndarray) -> np.ndarray:
    """Remove slow variations of light, centre on 128, contrast 40."""
    levels = grey.astype(np.float32)
    levels -= cv2.GaussianBlur(levels, (0, 0), 40)
    return np.clip(128 + 40 * levels / levels.std(), 0, 255).astype(np.uint8)


def _upright_bricks(grey: np.ndarray) -> np.ndarray:
    """Undo the perspective of the brick photograph and lay its courses level."""
    corners = np.array([[90, 0], [400, 0], [487, 511], [35, 511]], np.float32)
    square = np.array([[0, 0], [512, 0], [512, 512], [0, 512]], np.float32)
    flat = cv2.warpPerspective(grey, cv2.getPerspectiveTransform(corners, square), (512, 512))
    return cv2.rotate(flat, cv2.ROTATE_90_CLOCKWISE)


@lru_cache(maxsize=32)
def pyramid(name: str, pool: str | None) -> tuple[np.ndarray, ...]:
    """Return a grey texture at ``LEVELS`` scales (1, 1/2, 1/4…), periodic, uint8."""
    grey = _photograph(f"{name}.png")[..., 1]
    if name == "brick":
        grey = _upright_bricks(grey)
    if pool is not None:
        grey = grey[:, :256] if pool == "train" else grey[:, 256:]
    tile = _flatten(grey)
    tile = np.hstack([tile, tile[:, ::-1]])
    tile = np.vstack([tile, tile[::-1]])
    return tuple(cv2.resize(tile, None, fx=0.5**k, fy=0.5**k, interpolation=cv2.INTER_AREA) for k in range(LEVELS))


def grey_patch(name: str, pool: str | None, shape: tuple[int, int], dice: Dice, zoom: float) -> np.ndarray:
    """Return a random (h, w) uint8 crop of a texture, ``zoom`` photograph pixels per pixel."""
    level = min(max(int(np.log2(max(zoom, 1e-3)) + 0.5), 0), LEVELS - 1)
    tile, (h, w) = pyramid(name, pool)[level], shape
    repeats = -(-h // tile.shape[0]), -(-w // tile.shape[1])
    if repeats != (1, 1):
        tile = np.tile(tile, repeats)
    y, x = dice.integer(0, tile.shape[0] - h + 1), dice.integer(0, tile.shape[1] - w + 1)
    return tile[y : y + h, x : x + w]


def surface(
    name: str, pool: str | None, shape: tuple[int, int], dice: Dice, zoom: float, colors: tuple[Color, Color, Color]
) -> np.ndarray:
    """Return a (h, w, 4) uint8 crop of a texture coloured from dark to light, of full coverage."""
    return tinted(grey_patch(name, pool, shape, dice, zoom), colors)


def tinted(grey: np.ndarray, colors: tuple[Color, Color, Color]) -> np.ndarray:
    """Return grey levels (h, w) as three colours, (h, w, 4) uint8, of full coverage."""
    return cv2.LUT(cv2.merge([grey] * 4), ramp(*colors))


@lru_cache(maxsize=8)
def poster(name: str) -> np.ndarray:
    """Return a photograph for a billboard, at most 320 pixels high."""
    image = _photograph(name)
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return cv2.resize(image[top : top + side, left : left + side], (320, 320), interpolation=cv2.INTER_AREA)


@lru_cache(maxsize=1)
def blob() -> np.ndarray:
    """Return a soft round spot, (96, 96) uint8, 255 at the centre and 0 at the rim."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    return (255 * np.clip(1 - np.hypot(x, y), 0, 1) ** 1.8).astype(np.uint8)


@lru_cache(maxsize=1)
def dome() -> np.ndarray:
    """Return the light that a lamp sheds on what is around it, (96, 96) uint8: flatter than ``blob``."""
    y, x = np.mgrid[-1:1:96j, -1:1:96j]
    return (255 * np.clip(1 - x**2 - y**2, 0, 1) ** 1.6).astype(np.uint8)


@lru_cache(maxsize=1)
def soft_box() -> np.ndarray:
    """Return a soft rectangle for the shadows on the ground, (32, 128) uint8."""
    y, x = np.mgrid[-1:1:32j, -1:1:128j]
    return (255 * np.clip(1.5 * (1 - x**6 - np.abs(y) ** 1.7), 0, 1)).astype(np.uint8)


@lru_cache(maxsize=2)
def clouds() -> np.ndarray:
    """Return a periodic field of clouds, (256, 512) uint8, from octaves of smoothed noise."""
    rng = np.random.default_rng(17)
    field = np.zeros((256, 512), np.float32)
    for octave in range(6):
        cells = rng.standard_normal((2 ** (octave + 1) + 1, 2 ** (octave + 2) + 1)).astype(np.float32)
        cells[:, -1] = cells[:, 0]
        field += cv2.resize(cells, (512, 256), interpolation=cv2.INTER_CUBIC) * 0.56**octave
    field = (field - field.mean()) / field.std()
    return np.clip(128 + 55 * field, 0, 255).astype(np.uint8)


@lru_cache(maxsize=4)
def grain() -> np.ndarray:
    """Return the camera's noise, (512, 512, 3) uint8 centred on 128, standard deviation 32."""
    rng = np.random.default_rng(5)
    grey, hue = rng.standard_normal((512, 512, 1)), rng.standard_normal((512, 512, 3))
    return np.clip(128 + 32 * (0.8 * grey + 0.6 * hue), 0, 255).astype(np.uint8)


@lru_cache(maxsize=64)
def crown(kind: int, pool: str | None) -> tuple[np.ndarray, ...]:
    """Return a tree crown as grey level and coverage, (s, s, 2) uint8, at sizes 512, 256, 128, 64, 32.

    Clumps of leaves are discs lit from the upper left; the grass photograph gives leaves and a ragged edge.
    """
    dice, side = Dice(911, kind), 512
    shade, cover = np.zeros((side, side), np.float32), np.zeros((side, side), np.float32)
    aspect = dice.uniform(0.8, 1.15)
    cv2.circle(cover, (256, 256), 130, 255, -1)
    cv2.circle(shade, (256, 256), 130, 70, -1)
    for turn in range(46):
        angle, radius = dice.uniform(0, 2 * np.pi), np.sqrt(dice.random()) * 165
        centre = (int(256 + radius * np.cos(angle) / aspect), int(262 + radius * np.sin(angle) * aspect))
        size = int(dice.uniform(34, 74))
        light = 74 - 0.26 * (centre[1] - 150) - 0.12 * (centre[0] - 256) + dice.uniform(-18, 18) + 0.5 * turn
        cv2.circle(shade, centre, size, light, -1, cv2.LINE_AA)
        cv2.circle(shade, (centre[0] - size // 5, centre[1] - size // 4), int(size * 0.62), light + 26, -1, cv2.LINE_AA)
        cv2.circle(cover, centre, size, 255, -1, cv2.LINE_AA)
    grass = pyramid("grass", pool)[1].astype(np.float32) - 128
    grass = np.pad(grass, (0, side), mode="wrap")
    leaves = np.zeros((side, side), np.float32)
    for _ in range(3):  # several crops, so that the mirror symmetry of the texture is not seen
        y, x = dice.integer(0, grass.shape[0] - side), dice.integer(0, grass.shape[1] - side)
        leaves += 0.6 * grass[y : y + side, x : x + side]
    shade = cv2.GaussianBlur(shade, (0, 0), 7) + 0.52 * leaves
    cover = np.clip((2 * cv2.GaussianBlur(cover, (0, 0), 9) - 256 + 2 * leaves) * 4 + 128, 0, 255)
    both = np.dstack([np.clip(shade + 32, 0, 255), cover]).astype(np.uint8)
    return tuple(cv2.resize(both, (side >> k, side >> k), interpolation=cv2.INTER_AREA) for k in range(5))


@lru_cache(maxsize=512)
def glyphs(text: str, style: str = "Sans") -> np.ndarray:
    """Return a line of text as coverage, (48, w) uint8, cropped to its ink; numbers are put together digit by digit."""
    if len(text) > 1 and text.isdigit():
        space = np.zeros((48, 5), np.uint8)
        return np.hstack([part for digit in text for part in (glyphs(digit, style), space)][:-1])
    from matplotlib import get_data_path
    from PIL import Image, ImageDraw, ImageFont

    font = ImageFont.truetype(str(Path(get_data_path()) / "fonts" / "ttf" / f"DejaVu{style}-Bold.ttf"), 60)
    left, top, right, bottom = font.getbbox(text)
    image = Image.new("L", (int(right - left) + 2, int(bottom - top) + 2))
    ImageDraw.Draw(image).text((1 - left, 1 - top), text, 255, font=font)
    ink = np.asarray(image)
    return cv2.resize(ink, (max(1, ink.shape[1] * 48 // ink.shape[0]), 48), interpolation=cv2.INTER_AREA)
