"""GUIDE.md says what the notebooks' metadata say."""

from __future__ import annotations

import json
import re

import pytest

from course_utils.guide import Lesson, compose, lessons, programme, read_lesson
from course_utils.paths import ROOT


def toy(**changes) -> Lesson:
    fields = {
        "path": "notebooks/jour1/1-1_essai.ipynb",
        "id": "1-1",
        "title": "Essai",
        "day": 1,
        "order": 1,
        "minutes": 50,
        "practical_minutes": 30,
        "objectives": ("comprendre", "faire"),
        "syllabus": (1, 3),
        "instructor": "Parlez lentement.",
        "exercises": ("1-1-a", "1-1-b"),
    }
    return Lesson(**{**fields, **changes})


def test_the_guide_on_disk_is_current():
    assert (ROOT / "GUIDE.md").read_text(encoding="utf-8") == compose(lessons(), programme()), "run « make guide »"


def test_timetable_adds_up():
    text = compose([toy(), toy(id="1-2", order=2, minutes=40, practical_minutes=20, exercises=())], programme())
    assert "1 h 30, dont 50 min de pratique" in text
    assert "| **Total** | **90** | **50** | **2** | |" in text


def test_every_row_is_taught_or_announced_as_coming():
    text = compose([toy()], programme())
    assert re.search(r"^\| 3 \| .* \| \[1·1 — Essai\]", text, flags=re.MULTILINE)
    assert re.search(r"^\| 37 \| Contre-mesures \| \*à venir\* \|", text, flags=re.MULTILINE)


def test_programme_has_43_rows_and_five_itineraries_of_known_rows():
    course = programme()
    assert list(course["rows"]) == [str(row) for row in range(1, 44)]
    assert len(course["itineraries"]) == 5
    for itinerary in course["itineraries"]:
        for step in itinerary["lines"]:
            assert set(map(str, step["rows"])) <= set(course["rows"])


def test_links_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / "GUIDE.md").read_text(encoding="utf-8")):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize(
    "metadata, message", [({}, "no « course » metadata"), ({"course": {"id": "1-1"}}, "lacks title")]
)
def test_a_notebook_without_its_metadata_is_named(tmp_path, metadata, message):
    path = tmp_path / "1-1_essai.ipynb"
    path.write_text(json.dumps({"metadata": metadata, "cells": []}), encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        read_lesson(path)
