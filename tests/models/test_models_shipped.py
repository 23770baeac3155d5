"""The networks that ship keep the promise of their cards."""

from __future__ import annotations

import json

import numpy as np
import pytest

from course_utils import data
from course_utils.data import handwriting, street
from course_utils.models.pretrained import SHIPPED, load_pretrained

CARDS = {path.parent.name: json.loads(path.read_text(encoding="utf-8")) for path in SHIPPED.glob("*/card.json")}
NAMES = sorted(CARDS)
CLASSIFIERS = [name for name in NAMES if CARDS[name]["output"] != "detections"]


def real(name: str) -> tuple[np.ndarray, np.ndarray]:
    test = data.load(name, split="test")
    if test.source == "stand-in":
        pytest.skip(f"the real {name} is needed: set COURSE_DATA")
    return test.images, test.labels


JUDGES = {
    "cifar10_resnet": lambda: real("cifar10"),
    "digits_cnn": lambda: real("mnist"),
    "street_sprites64": lambda: street.sprites(2_000, seed=2, size=64, textures="test"),
}
FLOORS = {"cifar10_resnet": 0.90, "digits_cnn": 0.99, "street_sprites64": 0.90}


def accuracy(network, images, labels) -> float:
    scores = network.model.predict(network.preprocess(images), batch_size=500, verbose=0)
    return float(np.mean(scores.argmax(axis=1) == labels))


def test_the_promised_networks_ship():
    assert set(CLASSIFIERS) == set(JUDGES)


@pytest.mark.parametrize("name", NAMES)
def test_weighs_little_and_comes_with_its_script_and_curve(name):
    assert (SHIPPED / name / "weights.npz").stat().st_size <= 2_000_000
    assert (SHIPPED / name / "curve.png").stat().st_size <= 100_000
    assert (SHIPPED / name / "train.py").exists()


@pytest.mark.parametrize("name", CLASSIFIERS)
def test_reaches_the_score_of_its_card(name):
    images, labels = JUDGES[name]()
    network = load_pretrained(name)
    promised = network.card["score"]["accuracy"]
    assert promised >= FLOORS[name]
    assert accuracy(network, images, labels) == pytest.approx(promised, abs=0.002)


def test_the_digits_network_reads_the_handwriting_of_the_course():
    images, labels = handwriting.digits(1_000, seed=99)
    assert accuracy(load_pretrained("digits_cnn"), images, labels) >= 0.98
