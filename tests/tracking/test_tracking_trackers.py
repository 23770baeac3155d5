"""SORT against an independent writing of the paper; ByteTrack against SORT where objects hide one another."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from original import sort

from course_utils.data import street
from course_utils.detection.results import Detections
from course_utils.tracking import ByteTrack, HeightFilter, Sort, appearance, metrics, noise, run

MOT = Path(os.environ.get("COURSE_DATA", ""), "mot")
needs_mot = pytest.mark.skipif(
    not os.environ.get("COURSE_DATA") or not (MOT / "TUD-Campus.det.txt").exists(), reason="needs COURSE_DATA/mot"
)
LENGTHS = {"TUD-Campus": 71, "PETS09-S2L1": 795}


def mot_table(name, kind):
    """Read a MOTChallenge file with NumPy only: one (ids, boxes, scores) for each frame."""
    table = np.loadtxt(MOT / f"{name}.{kind}.txt", delimiter=",")
    frames = []
    for number in range(1, LENGTHS[name] + 1):
        rows = table[table[:, 0] == number]
        frames.append((rows[:, 1].astype(int), np.hstack([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]]), rows[:, 6]))
    return frames


def same_up_to_relabelling(tracks, answers):
    """Tell whether boxes are equal and identities correspond one to one through the whole video."""
    there, back = {}, {}
    for track, (ids, boxes) in zip(tracks, answers, strict=True):
        assert len(track) == len(ids)
        boxes = np.array(boxes).reshape(-1, 4)
        nearest = abs(track.boxes[:, None] - boxes[None]).max(-1)
        for row in range(len(track)):
            column = int(nearest[row].argmin())
            assert nearest[row, column] < 1e-6
            assert there.setdefault(int(track.ids[row]), ids[column]) == ids[column]
            assert back.setdefault(ids[column], int(track.ids[row])) == track.ids[row]
    return len(there)


@needs_mot
@pytest.mark.parametrize("settings_", [{}, {"max_age": 10, "min_hits": 1}])
@pytest.mark.parametrize("name", ["TUD-Campus", "PETS09-S2L1"])
def test_sort_gives_the_identities_of_the_paper_on_mot15(name, settings_):
    pytest.importorskip("filterpy")
    found = [boxes for _, boxes, _ in mot_table(name, "det")]
    if name == "PETS09-S2L1":
        found = found if not settings_ else found[:300]
    assert same_up_to_relabelling(run(Sort(**settings_), found), sort(found, **settings_)) > 8


@settings(deadline=None, max_examples=15)
@given(st.integers(0, 2**32 - 1), st.integers(0, 3), st.integers(0, 4))
def test_sort_gives_the_identities_of_the_paper_in_random_crowds(seed, max_age, min_hits):
    pytest.importorskip("filterpy")
    rng = np.random.default_rng(seed)
    place, pace = rng.uniform(0, 200, (6, 2)), rng.normal(0, 4, (6, 2))
    size = rng.uniform(20, 60, (6, 2))
    found = []
    for _ in range(25):
        place = place + pace
        there = rng.random(6) > 0.2
        boxes = np.hstack([place, place + size])[there] + rng.normal(0, 1, (int(there.sum()), 4))
        found.append(boxes)
    tracks = run(Sort(max_age=max_age, min_hits=min_hits), found)
    same_up_to_relabelling(tracks, sort(found, max_age=max_age, min_hits=min_hits))


@needs_mot
def test_sort_scores_on_tud_campus():
    found = [np.column_stack([boxes, scores]) for _, boxes, scores in mot_table("TUD-Campus", "det")]
    truth = [(ids, boxes) for ids, boxes, _ in mot_table("TUD-Campus", "gt")]
    as_published = metrics.evaluate(truth, run(Sort(), found))
    assert as_published.hota >= 0.45 and as_published.mota >= 0.62 and as_published.idf1 >= 0.60
    patient = metrics.evaluate(truth, run(Sort(max_age=10), found))
    assert patient.hota >= 0.48 and patient.mota >= 0.62 and patient.idf1 >= 0.65
    second_chance = metrics.evaluate(truth, run(ByteTrack(), found))
    assert second_chance.hota >= 0.51 and second_chance.mota >= 0.65 and second_chance.idf1 >= 0.72


@pytest.fixture(scope="module")
def crowded():
    weather = {"night": 0.0, "rain": 0.0, "blur": 0.0}
    return [
        street.video(seed, 60, (128, 192), 12.0, density=0.8, occlusion=0.9, textures="test", **weather)
        for seed in (100, 101, 103)
    ]


def test_bytetrack_beats_every_sort_where_objects_hide_one_another(crowded):
    names = {"sort": Sort(), "patient": Sort(max_age=30), "sure": Sort(max_age=30, min_score=0.6), "byte": ByteTrack()}
    scores = {name: [] for name in names}
    for video in crowded:
        truth = noise.truth(video)
        for seed in range(2):
            found = noise.detections(video, seed=seed)
            for name, tracker in names.items():
                scores[name].append(metrics.evaluate(truth, run(tracker, found)))
    mean = {n: np.mean([(s.hota, s.idf1, s.mota, -s.id_switches) for s in v], axis=0) for n, v in scores.items()}
    for rival in ("sort", "patient"):
        assert (mean["byte"] > mean[rival]).all(), rival
        assert mean["byte"][0] > mean[rival][0] + 0.06
    assert (mean["byte"][:3] > mean["sure"][:3] + 0.03).all()


def test_appearance_helps_when_frames_are_rare(crowded):
    scores = {"motion": [], "looks": []}
    for video in crowded:
        truth, found, frames = noise.truth(video)[::6], noise.detections(video)[::6], video.frames[::6]
        scores["motion"].append(metrics.evaluate(truth, run(ByteTrack(), found)))
        looking = ByteTrack(appearance=appearance.colours)
        scores["looks"].append(metrics.evaluate(truth, run(looking, found, images=frames)))
    means = {name: np.mean([s.hota for s in values]) for name, values in scores.items()}
    assert means["looks"] > means["motion"] + 0.03


def moving_box(step, left=10.0, pace=3.0):
    return [left + pace * step, 20.0, left + 40 + pace * step, 50.0]


@pytest.mark.parametrize("tracker", [Sort(), ByteTrack(), ByteTrack(motion=HeightFilter)])
def test_frames_without_detections_answer_empty_tracks(tracker):
    for nothing in (None, [], np.empty((0, 4)), np.empty((0, 5)), Detections.empty()):
        tracks = tracker.update(nothing)
        assert tracks.boxes.shape == (0, 4) and tracks.ids.shape == tracks.scores.shape == tracks.classes.shape == (0,)
    assert run(tracker, []) == []
    tracker.update([moving_box(0)])
    assert len(tracker.update(None)) == 0
    assert len(run(tracker, [None] * 40)) == 40


@pytest.mark.parametrize("tracker", [Sort(), ByteTrack()])
@pytest.mark.parametrize(
    ("found", "message"),
    [
        ([[0.0, 0.0, np.nan, 5.0]], "La détection 0 contient"),
        ([[0.0, 0.0, 5.0, 5.0], [0.0, 0.0, np.inf, 5.0]], "La détection 1 contient"),
        ([[9.0, 0.0, 5.0, 5.0]], "coins à l'envers"),
        (np.zeros((2, 3)), r"forme \(2, 3\)"),
        (np.zeros(4), r"forme \(4,\)"),
    ],
)
def test_faulty_boxes_are_refused_in_french(tracker, found, message):
    with pytest.raises(ValueError, match=message):
        tracker.update(found)


def test_a_box_without_area_is_left_out_and_ranks_are_kept():
    tracks = Sort().update([[5.0, 5.0, 5.0, 9.0], moving_box(0)])
    assert list(tracks.detections) == [1]


def test_an_identity_outlives_a_gap_only_if_the_tracker_is_patient():
    found = [[moving_box(k)] if k < 8 or k > 14 else [] for k in range(24)]
    ids = {
        name: {int(i) for t in run(tracker, found) for i in t.ids}
        for name, tracker in {"sort": Sort(), "patient": Sort(max_age=10), "byte": ByteTrack()}.items()
    }
    assert len(ids["sort"]) == 2
    assert len(ids["patient"]) == len(ids["byte"]) == 1


def test_second_chance_keeps_a_track_that_grows_unsure_and_starts_none():
    shy = [[*moving_box(k), 0.9 if k < 6 or k > 15 else 0.3] for k in range(22)]
    tracks = run(ByteTrack(), [[box] for box in shy])
    assert [list(t.ids) for t in tracks] == [[1]] * 22
    assert all(not len(t) for t in run(ByteTrack(), [[[*moving_box(k), 0.4]] for k in range(20)]))


def test_a_detection_seen_once_is_never_shown_by_bytetrack_after_the_first_frame():
    found = [[[*moving_box(k), 0.9]] for k in range(6)]
    found[3].append([200.0, 20.0, 240.0, 60.0, 0.95])
    assert {int(i) for t in run(ByteTrack(), found) for i in t.ids} == {1}


def test_classes_scores_and_ranks_are_those_of_the_detection():
    found = Detections(
        np.array([moving_box(0, 200), moving_box(0)], np.float32), np.array([0.9, 0.8], np.float32), np.array([4, 7])
    )
    for tracker in (Sort(), ByteTrack()):
        tracks = tracker.update(found)
        order = np.argsort(tracks.detections)
        np.testing.assert_allclose(tracks.scores[order], found.scores)
        assert list(tracks.classes[order]) == [4, 7]
        np.testing.assert_allclose(tracks.boxes[order], found.boxes, atol=1e-3)


def test_appearance_needs_the_frames_and_as_many_of_them():
    tracker = ByteTrack(appearance=appearance.colours)
    with pytest.raises(ValueError, match="donnez-lui l'image"):
        tracker.update([moving_box(0)])
    with pytest.raises(ValueError, match="même nombre d'images"):
        run(tracker, [None, None], images=np.zeros((1, 64, 96, 3)))


@pytest.mark.parametrize("bad", [{"max_age": -1}, {"iou_threshold": 2.0}])
def test_sort_refuses_impossible_settings(bad):
    with pytest.raises(ValueError, match="on attend"):
        Sort(**bad)


def test_bytetrack_refuses_thresholds_in_the_wrong_order():
    with pytest.raises(ValueError, match="low ≤ high"):
        ByteTrack(high=0.3, low=0.5)
