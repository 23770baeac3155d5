"""Tracks drawn on frames: where, in which colour, and what is left untouched."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils.tracking import drawing

FRAMES = np.full((3, 60, 80, 3), 0.5, np.float32)
BOX = np.array([[20.0, 25.0, 50.0, 45.0]])


def tracks(*identities):
    return [(np.array([k]), BOX) if k else (np.empty(0, int), np.empty((0, 4))) for k in identities]


def test_pictures_are_enlarged_bytes_and_frames_are_left_alone():
    before = FRAMES.copy()
    pictures = list(drawing.draw_tracks(FRAMES, tracks(1, 1, 0), zoom=2))
    assert [p.shape for p in pictures] == [(120, 160, 3)] * 3 and pictures[0].dtype == np.uint8
    np.testing.assert_array_equal(FRAMES, before)
    same = (np.full((60, 80, 3), 128, np.uint8),)
    np.testing.assert_array_equal(list(drawing.draw_tracks(same, tracks(0)))[0], same[0])


def test_a_box_has_the_colour_of_its_identity():
    first, second, _ = drawing.draw_tracks(FRAMES, tracks(1, 2, 0))
    assert tuple(first[45, 30]) == drawing.colour_of(1) != drawing.colour_of(2)
    assert tuple(second[45, 30]) == drawing.colour_of(2)


def test_the_trail_stays_then_goes():
    moving = [(np.array([1]), BOX), (np.array([1]), BOX + [20, 0, 20, 0]), *tracks(0, 0, 0)]
    pictures = list(drawing.draw_tracks(np.repeat(FRAMES[:1], 5, axis=0), moving, trail=3))
    assert tuple(pictures[2][45, 45]) == drawing.colour_of(1)
    assert tuple(pictures[4][45, 45]) == (128, 128, 128)


def test_line_and_zone_are_shown():
    picture = next(
        drawing.draw_tracks(FRAMES, tracks(0, 0, 0), line=((5, 5), (5, 50)), zone=[(60, 10), (75, 10), (75, 20)])
    )
    assert tuple(picture[30, 5]) == (255, 235, 60)
    assert picture[12, 72].min() > 140


def test_as_many_tracks_as_frames():
    with pytest.raises(ValueError, match="même nombre d'images ; 2 vont ensemble"):
        list(drawing.draw_tracks(FRAMES, tracks(1, 1)))
