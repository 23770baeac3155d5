"""Trained detectors by name: ours, those of Darknet, and what takes their place."""

from __future__ import annotations

import dataclasses
import hashlib
import subprocess
import sys

import cv2
import keras
import numpy as np
import pytest
from darknet_twin import OFFICIAL, official, randomise

from course_utils import models
from course_utils.data import CorruptFileError, fetch
from course_utils.data.catalogue import Edition, File
from course_utils.data.errors import UnavailableError
from course_utils.detection import coco, darknet, load_detector
from course_utils.detection.yolo import Detector, yolov4_tiny
from course_utils.models import official as shelf
from course_utils.models import pretrained
from course_utils.models.pretrained import load_pretrained, save_network

ARGUMENTS = {"classes": 2, "input_shape": [64, 64, 3], "width": 0.125}
CARD = {
    "title": "petit détecteur d'essai",
    "input": {"shape": [64, 64, 3], "normalisation": "none"},
    "classes": ["rond", "carré"],
    "training_data": "aucune",
    "licence": "MIT",
    "seed": 0,
    "score": {"map50": 0.0, "on": "rien"},
    "output": "detections",
}
DETECTORS = {
    "yolov4": "yolov4",
    "yolov4_tiny": "yolov4-tiny",
    "yolo_fastest": "yolo-fastest-1.1",
    "yolo_fastest_xl": "yolo-fastest-1.1-xl",
}


@pytest.fixture
def room(monkeypatch, tmp_path):
    """An empty cache, no COURSE_DATA, no download, no shipped network but those of the test."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    monkeypatch.delenv("COURSE_DATA", raising=False)
    monkeypatch.setattr(fetch, "_verified", set())
    monkeypatch.setattr(pretrained, "SHIPPED", tmp_path / "shipped")
    return tmp_path


def ship(name):
    network = yolov4_tiny(classes=2, input_shape=(64, 64, 3), width=0.125)
    randomise(network)
    save_network(
        network.model,
        pretrained.SHIPPED / name,
        builder="detection.yolo.network.yolov4_tiny",
        arguments=ARGUMENTS,
        card=CARD,
    )
    return network


def test_a_detector_is_written_and_read_back(room):
    network = ship("essai")
    found = load_pretrained("essai")
    assert (found.source, found.input_shape, found.class_names) == ("embedded", (64, 64, 3), ("rond", "carré"))
    images = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    for mine, theirs in zip(found.network.raw(images), network.raw(images), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=0.05)
    detector = load_detector("essai", confidence=0.1)
    assert isinstance(detector, Detector) and detector.confidence == 0.1
    assert detector.detect(images[0]).boxes.shape[1] == 4


def test_a_detector_does_not_classify_and_a_classifier_does_not_detect(room):
    ship("essai")
    with pytest.raises(ValueError, match="est un détecteur"):
        load_pretrained("essai").classify(np.zeros((1, 64, 64, 3), np.float32))
    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    classifier = pretrained.Pretrained(
        model, "essai", "embedded", (8, 8, 3), ("a", "b"), lambda x: x, {"title": "essai"}
    )
    with pytest.raises(ValueError, match="n'est pas un détecteur"):
        classifier.detector()


@pytest.mark.parametrize("name", DETECTORS)
def test_the_detector_of_the_course_takes_the_place_and_says_so(room, capsys, name):
    ship("street_yolo")
    found = load_pretrained(name, download=True)
    assert (found.name, found.source) == ("street_yolo", "stand-in")
    said = capsys.readouterr().out
    assert said.count("\n") == 1 and "COURSE_OFFLINE" in said and "street_yolo" in said
    with pytest.raises(UnavailableError):
        load_detector(name, fallback=None)


@pytest.mark.parametrize(("name", "stem"), DETECTORS.items())
def test_the_catalogue_knows_the_bytes_of_the_official_files(name, stem):
    assert name in models.PRETRAINED
    entry = shelf.catalogue()[name]
    *configs, weights = entry.source.editions[0].files["weights"]
    assert weights.name == f"{stem}.weights" and weights.size == OFFICIAL[stem]
    assert all(len(digest) == (40 if weights.algorithm == "sha1" else 64) for digest in weights.digests)
    assert bool(configs) == ("fastest" in name) and entry.card["output"] == "detections"
    (mirror,) = entry.source.editions[0].mirrors
    assert mirror.startswith("https://") and mirror.endswith("/")


def test_official_tiny_is_read_into_the_readable_network(room, monkeypatch):
    """With random numbers in place of the published ones, which are too heavy to be kept here."""
    network = yolov4_tiny(classes=80, input_shape=(416, 416, 3))
    randomise(network)
    folder = room / "sets" / "weights"
    folder.mkdir(parents=True)
    path = folder / "yolov4-tiny.weights"
    darknet.write_weights(network, path)
    assert path.stat().st_size == OFFICIAL["yolov4-tiny"]
    monkeypatch.setenv("COURSE_DATA", str(room / "sets"))
    with pytest.raises(CorruptFileError, match="SHA-1"):
        load_pretrained("yolov4_tiny")
    entry = shelf.catalogue()["yolov4_tiny"]
    file = File(path.name, path.stat().st_size, (), sha1=(hashlib.sha1(path.read_bytes()).hexdigest(),))
    source = dataclasses.replace(entry.source, editions=(Edition("weights", {"weights": (file,)}, ()),))
    monkeypatch.setattr(shelf, "catalogue", lambda: {"yolov4_tiny": dataclasses.replace(entry, source=source)})
    found = load_pretrained("yolov4_tiny")
    assert found.source == "COURSE_DATA" and found.class_names[16] == "chien"
    for mine, theirs in zip(found.model.get_weights(), network.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", ["yolo_fastest", "yolo_fastest_xl"])
def test_yolo_fastest_finds_the_dog(name):
    official(DETECTORS[name])
    pixels = cv2.imread(str(official("yolov4").with_name("dog.jpg")))[..., ::-1]
    found = load_pretrained(name)
    assert found.source == "COURSE_DATA"
    seen = found.detector().detect(np.ascontiguousarray(pixels))
    assert "chien" in [found.class_names[k] for k in seen.classes]


def test_names_of_coco():
    assert len(coco.CLASSES) == len(coco.CLASS_NAMES) == len(set(coco.CLASS_NAMES)) == 80
    names = official("yolov4").with_name("coco.names").read_text().split("\n")
    assert list(coco.CLASSES) == names[:80]


def test_names_are_known_without_tensorflow():
    program = (
        "import sys; from course_utils import detection; from course_utils.models import PRETRAINED;"
        "assert 'yolov4' in PRETRAINED and detection.load_detector;"
        "sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0
