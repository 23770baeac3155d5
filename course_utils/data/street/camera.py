"""From the canvas to the picture: daylight and lamps, rain, blur, exposure, vignetting, noise."""

from __future__ import annotations

from functools import lru_cache

import cv2
import numpy as np

from course_utils.data.street import textures
from course_utils.data.street.backdrop import Weather
from course_utils.data.street.canvas import Canvas
from course_utils.data.street.palette import Dice


def develop(
    canvas: Canvas, weather: Weather, shape: tuple[int, int], dice: Dice, *, blur: float, light: float
) -> np.ndarray:
    """Return the picture, (H, W, 3) uint8.

    Parameters
    ----------
    canvas : Canvas
        What was drawn, at ``canvas.step`` times the size of the picture.
    weather : Weather
    shape : (H, W)
    dice : Dice
        Draws the noise and the streaks of rain.
    blur : float
        Focus error in [0, 1]: the standard deviation of the blur is 2 % of the shorter side at 1.
    light : float
        Exposure in [0, 1]: 0.5 is right, 0 gives two stops less, 1 about one more.
    """
    height, width = shape
    surfaces = cv2.cvtColor(_reduce(canvas.frame, shape), cv2.COLOR_RGBA2RGB)
    picture = cv2.add(_illuminate(surfaces, canvas, weather), _reduce(canvas.light, shape))
    if weather.rain > 0.02:
        picture = _rain(picture, weather, dice)
    if blur > 0:
        sigma = 0.02 * blur * min(shape)
        if sigma > 0.12:
            picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    picture = cv2.LUT(picture, _exposure(light, weather.sun * min(1.0, 3 * weather.night)))
    picture = cv2.multiply(picture, _vignette(height, width), scale=1 / 255)
    noise = 0.04 + 0.08 * (1 - light) * (0.3 + 0.7 * weather.night) + 0.02 * weather.night
    return cv2.addWeighted(picture, 1.0, _grain(shape, dice), noise, -128 * noise)


def _reduce(image: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if image.shape[:2] == shape:
        return image
    return cv2.resize(image, shape[::-1], interpolation=cv2.INTER_AREA)


def _illuminate(surfaces: np.ndarray, canvas: Canvas, weather: Weather) -> np.ndarray:
    """Multiply surfaces by daylight and by the light of lamps."""
    if weather.lamps <= 0:
        table = np.clip(np.arange(256)[:, None] * np.array(weather.ambient), 0, 255).astype(np.uint8)
        return cv2.LUT(surfaces, table.reshape(1, 256, 3))
    received = np.clip((canvas.pools + np.array(weather.ambient, np.float32)) * 128, 0, 255).astype(np.uint8)
    gain = cv2.resize(received, surfaces.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.multiply(surfaces, gain, scale=1 / 128)


def _rain(picture: np.ndarray, weather: Weather, dice: Dice) -> np.ndarray:
    """Lay mist and slanted streaks over the picture."""
    height, width = picture.shape[:2]
    mist = tuple(0.5 * c + 30 * (1 - weather.night) for c in weather.sky[1])
    veil = 0.16 * weather.rain
    picture = cv2.addWeighted(picture, 1 - veil, np.full_like(picture, mist), veil, 0)
    count = int(150 * weather.rain * (width / height) ** 0.5)
    start = dice.rng.random((count, 2)) * (1.2 * width, 1.2 * height) - (0.1 * width, 0.2 * height)
    length = (0.03 + 0.07 * dice.rng.random((count, 1))) * height
    drops = np.stack([start, start + length * (-0.18, 1.0)], 1)
    streaks = np.zeros((height, width), np.uint8)
    thickness = max(1, height // 360)
    cv2.polylines(streaks, list((drops * 16).astype(np.int32)), False, 255, thickness, cv2.LINE_AA, 4)
    level = (66 - 34 * weather.night) * min(1.0, height / 140)
    return cv2.add(picture, cv2.merge([cv2.convertScaleAbs(streaks, alpha=level / 255)] * 3))


@lru_cache(maxsize=256)
def _exposure_table(light: int, warm: int) -> np.ndarray:
    gain = 2.0 ** np.interp(light / 200, (0, 0.5, 1), (-1.8, 0.12, 0.95))
    x = np.arange(256)[:, None] / 255 * gain * (1 + warm / 100 * np.array([0.04, 0.0, -0.06]))
    shoulder = np.where(x < 0.75, x, 0.75 + 0.25 * np.tanh((x - 0.75) / 0.25))
    curve = shoulder + 0.10 * np.sin(2 * np.pi * (shoulder - 0.5)) / np.pi
    return (255 * np.clip(curve, 0, 1)).astype(np.uint8).reshape(1, 256, 3)


def _exposure(light: float, warm: float) -> np.ndarray:
    """Return the tone curve: exposure, soft shoulder in the lights, a little contrast."""
    return _exposure_table(round(200 * light), round(100 * warm))


@lru_cache(maxsize=8)
def _vignette(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j]
    fall = 1 - 0.13 * np.clip((x**2 + y**2) / 2, 0, 1) ** 1.5
    return np.repeat((255 * fall).astype(np.uint8)[..., None], 3, 2)


def _grain(shape: tuple[int, int], dice: Dice) -> np.ndarray:
    grain = textures.grain()
    repeats = -(-shape[0] // 384), -(-shape[1] // 384)
    if repeats != (1, 1):
        grain = np.tile(grain, (*repeats, 1))
    y, x = dice.integer(0, grain.shape[0] - shape[0]), dice.integer(0, grain.shape[1] - shape[1])
    return grain[y : y + shape[0], x : x + shape[1]]
