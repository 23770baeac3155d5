"""Behaviour on synthetic paths whose exact answers are known."""

from __future__ import annotations

from fractions import Fraction

import cv2
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from course_utils.tracking import behaviour
from course_utils.tracking.behaviour import Trajectory
from course_utils.tracking.tracks import Tracks

WHOLE = st.integers(-20, 20)
POINT = st.tuples(WHOLE, WHOLE)


def walk(points, frames=None, who=1):
    """Return the trajectory of boxes 4 × 6 that stand on the points."""
    points = np.asarray(points, float)
    frames = np.arange(len(points)) if frames is None else np.asarray(frames)
    return Trajectory(who, frames, np.hstack([points - [2, 6], points + [2, 0]]))


def test_trajectories_gather_frames_boxes_and_the_most_frequent_class():
    box = np.array([[0.0, 0.0, 4.0, 6.0]])
    one = np.array([1])

    def frame(ids, shift, label):
        n = len(ids)
        return Tracks(np.repeat(box + shift, n, 0), np.array(ids, int), np.ones(n), np.full(n, label), np.arange(n))

    tracks = [frame([3], 0, 5), frame([3, 8], 1, 2), Tracks.empty(), frame([3], 3, 5)]
    paths = behaviour.trajectories(tracks)
    assert list(paths) == [3, 8]
    assert list(paths[3].frames) == [0, 1, 3] and paths[3].label == 5
    np.testing.assert_allclose(paths[3].points, [[2, 6], [3, 7], [5, 9]])
    assert list(behaviour.trajectories(tracks, min_length=2)) == [3]
    assert behaviour.trajectories([]) == {}
    assert behaviour.trajectories([(one, box), (one, box)])[1].frames.tolist() == [0, 1]


def exact_crossings(points, a, b):
    """Decide with fractions, step by step: side of the infinite line, then place of the meeting on the segment."""
    found = []
    right = [(b[0] - a[0]) * (y - a[1]) - (b[1] - a[1]) * (x - a[0]) for x, y in points]
    for k in range(len(points) - 1):
        if (right[k] >= 0) == (right[k + 1] >= 0):
            continue
        share = Fraction(right[k], right[k] - right[k + 1])
        meeting = [p + share * (q - p) for p, q in zip(points[k], points[k + 1], strict=True)]
        axis = 0 if a[0] != b[0] else 1
        along = (meeting[axis] - a[axis]) / Fraction(b[axis] - a[axis])
        if 0 <= along <= 1:
            found.append((float(k + share), 1 if right[k + 1] >= 0 else -1))
    return found


@settings(deadline=None, max_examples=200)
@given(st.lists(POINT, min_size=1, max_size=8), POINT, POINT)
def test_crossings_are_those_of_exact_geometry(points, a, b):
    assume(a != b)
    found = behaviour.count_crossings(walk(points), (a, b))
    expected = exact_crossings(points, a, b)
    assert [c.direction for c in found] == [direction for _, direction in expected]
    np.testing.assert_allclose([c.frame for c in found], [frame for frame, _ in expected], atol=1e-9)


def test_crossings_of_several_objects_come_in_order_of_time():
    right, left = walk([(0, 5), (10, 5), (20, 5)], who=1), walk([(11, 5), (1, 5)], who=2)
    line = ((5, 0), (5, 10))
    found = behaviour.count_crossings({1: right, 2: left}, line)
    assert [(c.id, c.direction) for c in found] == [(1, -1), (2, 1)]
    assert found[0].frame == pytest.approx(0.5) and found[0].point == (5.0, 5.0)
    assert behaviour.count_crossings([], line) == []


def test_a_gap_is_crossed_on_the_straight_way():
    path = walk([(0, 5), (10, 5)], frames=[4, 14])
    assert behaviour.count_crossings(path, ((3, 0), (3, 9)))[0].frame == pytest.approx(7.0)


@pytest.mark.parametrize("line", [((1, 1), (1, 1)), ((0, 0), (np.nan, 1)), (1, 2)])
def test_a_line_that_is_none_is_refused(line):
    with pytest.raises(ValueError, match="deux points distincts"):
        behaviour.count_crossings(walk([(0, 0)]), line)


@settings(deadline=None, max_examples=60)
@given(
    st.floats(-30, 30),
    st.floats(-30, 30),
    st.integers(2, 20),
    st.floats(1, 60),
    st.floats(0.01, 1.0),
    st.integers(1, 6),
    st.booleans(),
)
def test_the_speed_of_a_steady_walk_is_exact(vx, vy, count, fps, scale, window, gaps):
    frames = np.cumsum(1 + (np.arange(count) % 3 if gaps else np.zeros(count, int)))
    path = walk(np.outer(frames / fps, [vx, vy]), frames)
    expected = scale * np.hypot(vx, vy)
    kwargs = {"fps": fps, "window": window}
    np.testing.assert_allclose(behaviour.speed(path, scale=scale, **kwargs), expected, atol=1e-8, rtol=1e-8)
    np.testing.assert_allclose(
        behaviour.speed(path, scale=lambda points: np.full(len(points), scale), **kwargs),
        expected,
        atol=1e-8,
        rtol=1e-8,
    )
    velocity = behaviour.velocity(path, **kwargs)
    np.testing.assert_allclose(velocity, np.broadcast_to([vx, vy], (count, 2)), atol=1e-8, rtol=1e-8)


def test_speed_in_perspective_uses_the_scale_of_each_place():
    path = walk([(0, 10), (2, 10), (4, 10)])
    far = walk([(0, 5), (1, 5), (2, 5)])

    def scale(points):
        return 1.0 / points[:, 1]

    np.testing.assert_allclose(behaviour.speed(path, fps=10, scale=scale), behaviour.speed(far, fps=10, scale=scale))


def test_a_single_position_has_no_speed():
    assert np.isnan(behaviour.speed(walk([(3, 4)]), fps=10)).all()


@pytest.mark.parametrize("bad", [{"fps": 0}, {"fps": 10, "window": 0}, {"fps": 10, "scale": -1.0}])
def test_impossible_units_are_refused(bad):
    with pytest.raises(ValueError, match="attend|strictement positifs"):
        behaviour.speed(walk([(0, 0), (1, 1)]), **bad)


@pytest.mark.parametrize(
    ("move", "angle", "name"),
    [
        ((5, 0), 0, "droite"),
        ((5, -5), 45, "haut à droite"),
        ((0, -2), 90, "haut"),
        ((-3, 0), 180, "gauche"),
        ((0, 9), 270, "bas"),
        ((7, 7), 315, "bas à droite"),
    ],
)
def test_directions_are_those_of_the_screen(move, angle, name):
    path = walk([(10, 10), (10 + move[0], 10 + move[1])])
    assert behaviour.direction(path) == pytest.approx(angle)
    assert behaviour.heading(behaviour.direction(path)) == name


def test_who_does_not_move_has_no_direction():
    still = walk([(1, 1), (2, 1), (1.5, 1)])
    assert np.isnan(behaviour.direction(still, min_move=1.0))
    assert behaviour.heading(behaviour.direction(still, min_move=1.0)) == "immobile"
    assert behaviour.heading(355.0) == "droite"


@settings(deadline=None, max_examples=60)
@given(st.integers(3, 10), st.integers(5, 30), st.integers(3, 10), st.integers(0, 2**32 - 1))
def test_a_stop_is_found_with_its_exact_frames(before, still, after, seed):
    rng = np.random.default_rng(seed)
    x = np.concatenate([np.arange(-before, 0), np.zeros(still), np.arange(1, after + 1)]) * 10.0
    shake = rng.uniform(-0.5, 0.5, (len(x), 2))
    path = walk(np.column_stack([x, np.full(len(x), 20.0)]) + shake)
    found = behaviour.stops(path, fps=4.0, within=2.0, min_duration=(still - 1) / 4)
    assert found == [(before, before + still - 1)]
    assert behaviour.stops(path, fps=4.0, within=1.0, scale=0.5, min_duration=(still - 1) / 4) == found
    assert behaviour.stops(path, fps=4.0, within=2.0, min_duration=still / 4) == []


@settings(deadline=None, max_examples=80)
@given(st.lists(st.integers(-3, 3), min_size=1, max_size=25), st.integers(0, 6), st.integers(1, 6))
def test_stops_are_the_first_longest_stretches_of_small_extent(moves, within, duration):
    x = np.cumsum(moves)
    found = behaviour.stops(walk(np.column_stack([x, 0 * x])), fps=1.0, within=within, min_duration=duration)
    expected, first = [], 0
    while first < len(x):
        last = max(j for j in range(first, len(x)) if np.ptp(x[first : j + 1]) <= within)
        if last - first >= duration:
            expected.append((first, last))
            first = last
        first += 1
    assert found == expected


@settings(deadline=None, max_examples=150)
@given(st.lists(POINT, min_size=3, max_size=7), st.lists(POINT, min_size=1, max_size=10))
def test_in_zone_agrees_with_opencv(polygon, points):
    corners = np.array(polygon, np.int32)
    expected = [cv2.pointPolygonTest(corners, (float(x), float(y)), False) >= 0 for x, y in points]
    assert behaviour.in_zone(points, polygon).tolist() == expected


def test_visits_give_each_stay():
    path = walk([(0, 5), (5, 5), (6, 5), (20, 5), (5, 5)], frames=[0, 1, 2, 5, 9])
    zone = [(4, 0), (10, 0), (10, 10), (4, 10)]
    assert behaviour.in_zone(path, zone).tolist() == [False, True, True, False, True]
    assert behaviour.visits(path, zone) == [(1, 2), (9, 9)]
    assert behaviour.visits(walk([(0, 0)]), zone) == []
    with pytest.raises(ValueError, match="trois coins"):
        behaviour.in_zone(path, [(0, 0), (1, 1)])
