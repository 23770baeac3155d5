"""Augmentations move boxes with their pixels, as Keras' layers for boxes do; the mosaic, which Keras lacks, too."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from course_utils.detection.yolo import sets
from course_utils.detection.yolo.mosaic import Augmentation, Picture, coloured, cut, mirrored, mosaic, placed


def picture_with(box, height=64, width=96, level=255) -> Picture:
    image = np.zeros((height, width, 3), np.uint8)
    x1, y1, x2, y2 = box
    image[y1:y2, x1:x2] = level
    return Picture(image, np.float32([box]), np.array([1]), np.array([False]))


@pytest.mark.parametrize("seed", range(8))
def test_mirror_scale_and_shift_move_boxes_with_their_pixels(seed):
    rng = np.random.default_rng(seed)
    before = picture_with((40, 24, 60, 44))
    for after in (mirrored(before), placed(before, rng.uniform(0.7, 1.4), rng.uniform(-0.15, 0.15, 2))):
        rows, columns = np.nonzero(after.image[..., 0] > 192)
        found = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
        np.testing.assert_allclose(after.boxes[0], found, atol=1.0)
    assert np.array_equal(mirrored(mirrored(before)).image, before.image)
    same = placed(before, 1.0, (0.0, 0.0))
    np.testing.assert_array_equal(same.image, before.image)
    np.testing.assert_array_equal(same.boxes, before.boxes)


def test_what_leaves_the_picture_is_cut_and_dropped_when_too_little_is_left():
    boxes = np.float32([[-10, 5, 10, 25], [-30, 5, 5, 25], [90, 60, 120, 100], [10, 10, 20, 20]])
    picture = Picture(np.zeros((64, 96, 3), np.uint8), boxes, np.arange(4), np.array([False, False, False, True]))
    kept = cut(picture)
    np.testing.assert_array_equal(kept.boxes, [[0, 5, 10, 25], [10, 10, 20, 20]])
    assert kept.classes.tolist() == [0, 3] and kept.ignored.tolist() == [False, True]


@pytest.mark.parametrize("seed", range(6))
def test_mosaic_boxes_are_where_the_pixels_are(seed):
    rng = np.random.default_rng(seed)
    levels = (60, 110, 160, 210)
    pictures = [
        picture_with((int(x), int(y), int(x) + 24, int(y) + 18), level=level)
        for level, x, y in zip(levels, rng.integers(20, 50, 4), rng.integers(15, 35, 4), strict=True)
    ]
    for k, picture in enumerate(pictures):
        pictures[k] = picture._replace(classes=np.array([k]))
    joined = mosaic(pictures, rng=rng)
    assert joined.image.shape == (64, 96, 3) and len(joined.boxes) == len(joined.classes) == len(joined.ignored)
    for k, level in enumerate(levels):
        rows, columns = np.nonzero(joined.image[..., 0] == level)
        mine = joined.boxes[joined.classes == k]
        assert len(mine) <= 1
        if len(mine):
            bounds = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
            np.testing.assert_array_equal(mine[0], bounds)
        else:
            assert len(rows) < 0.26 * 24 * 18 or min(np.ptp(rows), np.ptp(columns)) < 2
    with pytest.raises(ValueError, match="quatre images"):
        mosaic(pictures[:3], rng=rng)


def test_colours_change_pixels_not_boxes_and_a_seed_repeats_all():
    examples = sets.street(6, seed=7, size=64)
    augment = Augmentation(mosaic=0.5, flip=0.5, scale=0.3, shift=0.1, colour=0.5)
    first, second = (augment(examples, 2, np.random.default_rng(3)) for _ in range(2))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)
    assert first.image.dtype == np.uint8 and first.boxes.dtype == np.float32
    grey = np.full((4, 4, 3), 128, np.uint8)
    image = coloured(examples.images[0], 0.6, np.random.default_rng(0))
    assert image.shape == (64, 64, 3) and not np.array_equal(image, examples.images[0])
    still = Augmentation(flip=0.0)(examples, 1, np.random.default_rng(0))
    np.testing.assert_array_equal(still.image, examples.images[1])
    assert np.ptp(coloured(grey, 0.6, np.random.default_rng(1))) == 0


# -- against Keras ------------------------------------------------------------------------------------------------
def smooth_picture(seed: int) -> Picture:
    """A picture of slow waves, which two interpolations render alike, with two boxes."""
    y, x = np.mgrid[:96, :128]
    waves = [np.sin(x / (7 + k + seed)) + np.cos(y / (9 - k)) for k in range(3)]
    image = np.uint8(np.round(127 + 60 * np.stack(waves, axis=-1)))
    return Picture(image, np.float32([[20, 30, 60, 70], [50, 10, 110, 40]]), np.array([0, 1]), np.zeros(2, bool))


def by_keras(layer, picture: Picture) -> tuple[np.ndarray, np.ndarray]:
    truth = {"boxes": picture.boxes[None], "labels": picture.classes[None].astype("float32")}
    given = {"images": picture.image[None].astype("float32"), "bounding_boxes": truth}
    found = layer(given, training=True)
    return np.array(found["images"])[0], np.array(found["bounding_boxes"]["boxes"])[0]


OUTSIDE = {"fill_mode": "constant", "fill_value": 128, "bounding_box_format": "xyxy"}


def test_the_mirror_is_that_of_keras():
    layer, flipped = keras.layers.RandomFlip("horizontal", seed=0, bounding_box_format="xyxy"), 0
    for seed in range(8):
        picture = smooth_picture(seed)
        image, boxes = by_keras(layer, picture)
        if not np.array_equal(image, picture.image):
            flipped += 1
            np.testing.assert_array_equal(image, mirrored(picture).image)
            np.testing.assert_allclose(boxes, mirrored(picture).boxes, atol=1e-4)
    assert flipped >= 2


@pytest.mark.parametrize("share", [(0.125, 0.0625), (-0.25, 0.125)])
def test_the_shift_is_that_of_keras(share):
    down, right = share
    layer = keras.layers.RandomTranslation((down, down), (right, right), **OUTSIDE)
    image, boxes = by_keras(layer, smooth_picture(0))
    ours = placed(smooth_picture(0), 1.0, (right, down))
    np.testing.assert_allclose(ours.image, image, atol=1)
    np.testing.assert_allclose(ours.boxes, boxes, atol=1e-3)


@pytest.mark.parametrize("zoom", [-0.2, -0.1, 0.25])
def test_the_scale_is_that_of_keras(zoom):
    """To a fraction of a pixel: Keras turns around the middle of the pixel centres, (W - 1) / 2, we around W / 2."""
    image, boxes = by_keras(keras.layers.RandomZoom((zoom, zoom), (zoom, zoom), **OUTSIDE), smooth_picture(1))
    factor = 1 / (1 + zoom)
    ours = placed(smooth_picture(1), factor, (0.0, 0.0))
    np.testing.assert_allclose(ours.boxes, boxes, atol=abs(factor - 1) / 2 + 0.01)
    inside = slice(12, -12)
    assert np.abs(ours.image - image)[inside, inside].mean() < 1
