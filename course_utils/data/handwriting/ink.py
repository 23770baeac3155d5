"""From the path of a pen to a 28 × 28 image, with the conventions of MNIST.

LeCun, Bottou, Bengio and Haffner (1998), "Gradient-based learning applied to document recognition": the binary image
of a digit is scaled into a box of 20 × 20 pixels, keeping its proportions, with an anti-aliasing that leaves grey
levels; the centre of mass of its pixels is then brought to the centre of a 28 × 28 image.
"""

from __future__ import annotations

import cv2
import numpy as np

from course_utils.data.handwriting.pen import Paths

SIDE = 28
BOX = 20
OVERSAMPLING = 6
BLUR = 0.15  # largest share of ink that a pixel gives to each neighbour
GAIN = 1.35
_SHIFT = 4  # OpenCV takes coordinates in sixteenths of a pixel


def draw(paths: Paths, radius: np.ndarray) -> np.ndarray:
    """Ink m paths, each scaled to fill its box.

    Parameters
    ----------
    paths : Paths
        The paths.
    radius : (m,) float array
        Radius of each pen, in pixels of the final image.

    Returns
    -------
    (m, 20, 20) uint8 array
        Ink in levels of grey; it touches the first row and the first column, and two opposite sides at least.
    """
    # OpenCV draws lines of 2 k + 1 pixels when asked for 2 k.
    half = np.rint(paths.pressure * radius[:, None] * OVERSAMPLING - 0.5)
    points = _fit(paths.points, (half + 0.5) / OVERSAMPLING)
    # The centre of a pixel of the canvas is its origin for OpenCV.
    cells = np.rint((points * OVERSAMPLING - 0.5) * (1 << _SHIFT)).astype(np.int32)
    thickness = np.maximum(1, 2 * half).astype(np.int32)
    canvas = np.empty((BOX * OVERSAMPLING, BOX * OVERSAMPLING), np.uint8)
    images = np.empty((len(points), BOX, BOX), np.uint8)
    for image, path, widths in zip(images, cells, thickness, strict=True):
        canvas.fill(0)
        for part in paths.strokes:
            _stroke(canvas, path[part], widths[part])
        cv2.resize(canvas, (BOX, BOX), dst=image, interpolation=cv2.INTER_AREA)
    return images


def _fit(points: np.ndarray, reach: np.ndarray) -> np.ndarray:
    """Scale and move points (m, S, 2) so that the ink, `reach` (m, S) pixels around them, fills the box."""
    margin = 2 * reach.mean(axis=1)
    scale = (BOX - margin) / np.ptp(points, axis=1).max(axis=1)
    points = points * scale[:, None, None]
    low = (points - reach[..., None]).min(axis=1)
    return points - low[:, None]


def _stroke(canvas: np.ndarray, path: np.ndarray, thickness: np.ndarray) -> None:
    """Draw one stroke: a polyline for each run of equal thickness."""
    breaks = np.flatnonzero(np.diff(thickness)) + 1
    for first, last in zip([0, *breaks], [*breaks, len(path) - 1], strict=True):
        cv2.polylines(canvas, [path[first : last + 1]], False, 255, int(thickness[first]), cv2.LINE_8, _SHIFT)


def expose(images: np.ndarray, blur: np.ndarray) -> np.ndarray:
    """Make a photograph of the ink: a slight blur inside the box, and saturated strokes.

    Parameters
    ----------
    images : (m, 20, 20) uint8 array
        Ink.
    blur : (m,) float array
        Sharp (0) to soft (1).

    Returns
    -------
    (m, 20, 20) float32 array
        Images in [0, 1].
    """
    grey = np.pad(images.astype(np.float32) / 255, ((0, 0), (1, 1), (1, 1)))
    side = np.float32(BLUR) * blur.astype(np.float32)[:, None, None]
    for axis in (1, 2):
        grey = (1 - 2 * side) * grey + side * (np.roll(grey, 1, axis) + np.roll(grey, -1, axis))
    return np.minimum(1, np.float32(GAIN) * grey[:, 1:-1, 1:-1])


def centre(images: np.ndarray) -> np.ndarray:
    """Place boxes (m, 20, 20) in images (m, 28, 28), the centre of mass at pixel (14, 14), within half a pixel."""
    places = np.arange(BOX)
    mass = images.sum(axis=(1, 2))
    steps = []
    for axis in (2, 1):
        mean = (images.sum(axis=axis) * places).sum(axis=1) / mass
        steps.append(np.rint(SIDE / 2 - mean).astype(int))
    # The empty side of a narrow digit's box may leave the image.
    margin = BOX // 2
    wide = np.zeros((len(images), SIDE + 2 * margin, SIDE + 2 * margin), images.dtype)
    rows, cols = (margin + step[:, None] + places for step in steps)
    wide[np.arange(len(images))[:, None, None], rows[:, :, None], cols[:, None, :]] = images
    return wide[:, margin:-margin, margin:-margin]
