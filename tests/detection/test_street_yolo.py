"""The street detector that ships: its card's score, measured again; scenes of any shape."""

from __future__ import annotations

import numpy as np
import pytest

from course_utils.data import street
from course_utils.detection import metrics
from course_utils.detection.yolo import sets
from course_utils.models import load_pretrained


@pytest.fixture(scope="module")
def pretrained():
    return load_pretrained("street_yolo")


def test_it_reaches_the_score_of_its_card_on_scenes_made_of_other_photographs(pretrained):
    test = sets.street(300, seed=26, size=pretrained.input_shape[0], textures="test")
    found = pretrained.detector(confidence=0.01).detect_batch(test.images)
    score = metrics.evaluate(found, test.truths, classes=test.class_names, thresholds="coco")
    assert score.map50 >= 0.85
    assert score.map50 == pytest.approx(pretrained.card["score"]["map50"], abs=0.005)
    assert score.map == pytest.approx(pretrained.card["score"]["map"], abs=0.005)


def test_its_classes_are_those_of_the_street_in_order(pretrained):
    assert pretrained.class_names == street.CLASS_NAMES


def test_boxes_come_back_in_the_pixels_of_a_wide_scene(pretrained):
    scene = street.scene(12, (240, 400), textures="test", night=0, rain=0)
    found = pretrained.detector().detect(scene.image)
    overlap = metrics.match(found.boxes, scene.boxes)
    assert len(found) >= 3 and np.mean(overlap >= 0) >= 0.6
