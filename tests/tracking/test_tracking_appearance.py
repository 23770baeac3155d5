"""Descriptors of appearance, and the simulated detector."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils.data import street
from course_utils.tracking import appearance, noise


def patches():
    image = np.zeros((60, 120, 3), np.float32)
    image[:, :40] = [0.8, 0.1, 0.1]
    image[:, 40:80] = [0.1, 0.1, 0.8]
    image[:, 80:] = [0.75, 0.13, 0.1]
    return image, np.array([[2, 2, 38, 58], [42, 2, 78, 58], [82, 2, 118, 58]], float)


def test_descriptions_are_unit_vectors_that_know_colours():
    looks = appearance.colours(*patches())
    assert looks.shape == (3, 140)
    np.testing.assert_allclose(np.linalg.norm(looks, axis=1), 1, rtol=1e-9)
    alike = looks @ looks.T
    assert alike[0, 2] > 0.95 > 0.3 > alike[0, 1]


def test_bytes_and_floats_are_described_alike():
    image, boxes = patches()
    scaled = np.rint(image * 255).astype(np.uint8)
    np.testing.assert_allclose(appearance.colours(scaled, boxes), appearance.colours(image, boxes), atol=0.02)


@pytest.mark.parametrize("box", [[-50, -50, -40, -40], [500, 500, 600, 600], [10, 10, 10, 10], [-5, -5, 500, 500]])
def test_boxes_anywhere_are_described(box):
    assert np.isfinite(appearance.colours(patches()[0], [box])).all()


def test_no_box_gives_no_description():
    assert appearance.colours(patches()[0], np.empty((0, 4))).shape == (0, 140)


def test_an_image_without_colours_is_refused():
    with pytest.raises(ValueError, match="hauteur, largeur, 3"):
        appearance.colours(np.zeros((5, 5)), [[0, 0, 2, 2]])


def test_the_same_vehicle_resembles_itself_more_than_its_neighbours():
    video = street.video(101, 13, density=0.8, textures="test", night=0.0, rain=0.0)
    first, last = (
        dict(zip(ids, appearance.colours(frame, boxes), strict=True))
        for (ids, boxes), frame in zip([noise.truth(video)[k] for k in (0, 12)], video.frames[[0, 12]], strict=True)
    )
    common = sorted(first.keys() & last.keys())
    alike = np.array([[first[a] @ last[b] for b in common] for a in common])
    assert len(common) >= 5
    assert (alike.argmax(1) == np.arange(len(common))).mean() > 0.7


def test_a_network_describes_boxes():
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.layers.Input((16, 16, 3)), keras.layers.Conv2D(5, 3)])
    describe = appearance.Network(model)
    image, boxes = patches()
    looks = describe(image, boxes)
    assert looks.shape == (3, 5)
    np.testing.assert_allclose(np.linalg.norm(looks, axis=1), 1, rtol=1e-6)
    assert describe(image, np.empty((0, 4))).shape == (0, 5)
    with pytest.raises(ValueError, match="toutes les tailles"):
        appearance.Network(keras.Sequential([keras.layers.Input((None, None, 3)), keras.layers.Conv2D(5, 3)]))


@pytest.fixture(scope="module")
def video():
    return street.video(100, 24, density=0.8, occlusion=0.9)


def test_a_perfect_detector_gives_the_truth_back(video):
    found = noise.detections(video, jitter=0, misses=0, false_alarms=0)
    for detections, (_, boxes) in zip(found, noise.truth(video), strict=True):
        rows = {tuple(box) for box in np.round(boxes, 3)}
        assert {tuple(box) for box in np.round(detections.boxes, 3)} <= rows
        assert len(detections) >= 0.6 * len(boxes)
        assert (np.diff(detections.scores) <= 0).all()


def test_hidden_objects_are_less_sure_and_less_often_found():
    video = street.video(101, 40, density=1.0, occlusion=1.0)
    hidden = np.concatenate([s.occlusion[s.classes < 8] for s in video])
    found = noise.detections(video, jitter=0, misses=0.0, false_alarms=0.0)
    scores = np.concatenate([d.scores for d in found])
    assert len(scores) < len(hidden)
    assert abs(len(scores) - (1 - hidden**3).sum()) < 4 * np.sqrt(len(hidden))
    assert scores.min() < 0.6 < 0.9 < scores.max()


def test_false_alarms_and_misses_have_the_rates_asked(video):
    alarms = noise.detections(video.scenes * 20, misses=1.0, false_alarms=1.5, seed=3)
    assert np.mean([len(d) for d in alarms]) == pytest.approx(1.5, abs=0.2)
    assert np.concatenate([d.scores for d in alarms]).mean() == pytest.approx(1 / 3, abs=0.03)


def test_the_same_seed_gives_the_same_detections(video):
    first, second, other = (noise.detections(video, seed=s) for s in (4, 4, 5))
    assert all((a.boxes == b.boxes).all() for a, b in zip(first, second, strict=True) if len(a) == len(b))
    assert [len(a) for a in first] == [len(b) for b in second] != [len(c) for c in other]


@pytest.mark.parametrize("bad", [{"misses": 2.0}, {"jitter": -0.1}, {"classes": ("voiture",)}])
def test_impossible_detectors_are_refused(video, bad):
    with pytest.raises(ValueError, match="on attend|Classe inconnue"):
        noise.detections(video, **bad)
