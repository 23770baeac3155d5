"""The Kalman filter against filterpy, and the box filters against filterpy with the settings of their papers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.tracking.kalman import BoxFilter, HeightFilter, KalmanFilter

SEEDS = st.integers(0, 2**32 - 1)


def covariance(rng, size):
    root = rng.normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


def system(rng, states, measures):
    F = np.eye(states) + 0.3 * rng.normal(size=(states, states))
    F /= max(1.0, abs(np.linalg.eigvals(F)).max())
    return {
        "F": F,
        "H": rng.normal(size=(measures, states)),
        "Q": covariance(rng, states),
        "R": covariance(rng, measures),
        "x": rng.normal(size=states),
        "P": covariance(rng, states),
    }


def twin(filterpy_kalman, F, H, Q, R, x, P):
    other = filterpy_kalman.KalmanFilter(dim_x=len(x), dim_z=len(R))
    other.x, other.P, other.F, other.H, other.Q, other.R = np.array(x)[:, None], P, F, H, Q, R
    return other


@settings(deadline=None, max_examples=40)
@given(SEEDS, st.integers(1, 8), st.integers(1, 4))
def test_any_system_is_filtered_as_by_filterpy(seed, states, measures):
    reference = pytest.importorskip("filterpy.kalman")
    rng = np.random.default_rng(seed)
    parts = system(rng, states, min(states, measures))
    ours, theirs = KalmanFilter(**parts), twin(reference, **parts)
    for step in range(30):
        ours.predict()
        theirs.predict()
        np.testing.assert_allclose(ours.P, theirs.P, rtol=1e-8, atol=1e-8)
        if step % 5 != 3:
            z = rng.normal(size=len(parts["R"]))
            ours.update(z)
            theirs.update(z[:, None])
            np.testing.assert_allclose(ours.gain, theirs.K, rtol=1e-8, atol=1e-8)
            np.testing.assert_allclose(ours.innovation, theirs.y[:, 0], rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.x, theirs.x[:, 0], rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.P, theirs.P, rtol=1e-8, atol=1e-8)


def test_many_systems_advance_as_each_alone():
    rng = np.random.default_rng(3)
    parts = system(rng, 4, 2)
    starts = rng.normal(size=(5, 4))
    together = KalmanFilter(**{**parts, "x": starts})
    alone = [KalmanFilter(**{**parts, "x": x}) for x in starts]
    for step in range(6):
        together.predict()
        rows = [0, 3] if step % 2 else [1, 2, 4]
        z = rng.normal(size=(len(rows), 2))
        together.update(z, rows=rows)
        for one in alone:
            one.predict()
        for row, value in zip(rows, z, strict=True):
            alone[row].update(value)
    np.testing.assert_allclose(together.x, [one.x for one in alone], rtol=1e-12)
    np.testing.assert_allclose(together.P, [one.P for one in alone], rtol=1e-12)


def test_one_dimension_is_the_mean_weighted_by_inverse_variances():
    one = KalmanFilter([[1.0]], [[1.0]], [[0.0]], [[4.0]], [10.0], [[1.0]])
    one.update([15.0])
    assert one.x[0] == pytest.approx((10 / 1 + 15 / 4) / (1 / 1 + 1 / 4))
    assert one.P[0, 0] == pytest.approx(1 / (1 / 1 + 1 / 4))


def sort_settings():
    F = np.eye(7) + np.diag(np.ones(3), 4)
    R = np.diag([1.0, 1.0, 10.0, 10.0])
    P = np.diag([10.0] * 4 + [10000.0] * 3)
    Q = np.diag([1.0, 1.0, 1.0, 1.0, 0.01, 0.01, 0.0001])
    return F, R, P, Q


def test_box_filter_is_sort_seven_states():
    reference = pytest.importorskip("filterpy.kalman")
    rng = np.random.default_rng(0)
    F, R, P, Q = sort_settings()
    box = np.array([100.0, 50.0, 140.0, 170.0])
    ours = BoxFilter(box[None])
    theirs = twin(reference, F, np.eye(4, 7), Q, R, [120.0, 110.0, 4800.0, 1 / 3, 0, 0, 0], P)
    for step in range(40):
        predicted = ours.predict()
        theirs.predict()
        box = box + [2, 1, 2.2, 1.3] + rng.normal(0, 1.5, 4)
        if step % 7 != 4:
            ours.update([0], box[None])
            width, height = box[2] - box[0], box[3] - box[1]
            theirs.update([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, width * height, width / height])
        np.testing.assert_allclose(ours.states[0], theirs.x[:, 0], rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.covariances[0], theirs.P, rtol=1e-8, atol=1e-8)
        assert predicted.shape == (1, 4)


def test_height_filter_follows_deepsort_noise():
    reference = pytest.importorskip("filterpy.kalman")
    rng = np.random.default_rng(1)
    box = np.array([20.0, 30.0, 60.0, 130.0])
    ours = HeightFilter(box[None])
    F = np.eye(8) + np.diag(np.ones(4), 4)

    def noise(height, position, velocity, ratio, ratio_velocity):
        p, v = position * height / 20, velocity * height / 160
        return np.diag(np.square([p, p, ratio, p, v, v, ratio_velocity, v]))

    theirs = twin(
        reference,
        F,
        np.eye(4, 8),
        np.eye(8),
        np.eye(4),
        [40.0, 80, 0.4, 100, 0, 0, 0, 0],
        noise(100, 2, 10, 0.01, 1e-5),
    )
    for _ in range(30):
        theirs.Q = noise(theirs.x[3, 0], 1, 1, 0.01, 1e-5)
        theirs.predict()
        ours.predict()
        box = box + [2, 1, 2.2, 1.3] + rng.normal(0, 1.5, 4)
        h = theirs.x[3, 0]
        theirs.R = np.diag(np.square([h / 20, h / 20, 0.1, h / 20]))
        theirs.update(
            [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2, (box[2] - box[0]) / (box[3] - box[1]), box[3] - box[1]]
        )
        ours.update([0], box[None])
        np.testing.assert_allclose(ours.states[0], theirs.x[:, 0], rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(ours.covariances[0], theirs.P, rtol=1e-8, atol=1e-8)


@pytest.mark.parametrize("kind", [BoxFilter, HeightFilter])
def test_boxes_come_back_as_they_were_given(kind):
    boxes = np.array([[1.0, 2.0, 30.0, 90.0], [5.0, 5.0, 6.0, 6.5]])
    np.testing.assert_allclose(kind(boxes).boxes, boxes, rtol=1e-12)
    assert kind().predict().shape == (0, 4)


@pytest.mark.parametrize("kind", [BoxFilter, HeightFilter])
def test_a_box_that_shrinks_then_vanishes_keeps_a_size(kind):
    tracked = kind([[0.0, 0.0, 40.0, 40.0]])
    for size in (30.0, 20.0, 10.0, 4.0):
        tracked.predict()
        tracked.update([0], [[0.0, 0.0, size, size]])
    for _ in range(50):
        boxes = tracked.predict()
        assert np.isfinite(boxes).all() and (boxes[:, 2:] > boxes[:, :2]).all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"F": np.eye(3)}, "« F » est de forme"),
        ({"R": np.eye(2)}, "« R » est de forme"),
        ({"Q": [1.0, 2.0]}, "attend une matrice"),
        ({"P": [[np.nan, 0.0], [0.0, 1.0]]}, "nombre fini"),
    ],
)
def test_faulty_matrices_are_named(change, message):
    parts = {"F": np.eye(2), "H": [[1.0, 0.0]], "Q": np.eye(2), "R": [[1.0]], "x": [0.0, 0.0], "P": np.eye(2)}
    with pytest.raises(ValueError, match=message):
        KalmanFilter(**{**parts, **change})


def test_a_measurement_of_the_wrong_shape_is_refused():
    one = KalmanFilter(np.eye(2), [[1.0, 0.0]], np.eye(2), [[1.0]], [0.0, 0.0], np.eye(2))
    with pytest.raises(ValueError, match=r"on attend \(1,\)"):
        one.update([1.0, 2.0])
