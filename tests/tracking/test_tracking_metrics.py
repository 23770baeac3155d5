"""Scores of tracking against py-motmetrics and TrackEval, and MOTChallenge files."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.tracking import metrics

MOT = Path(os.environ.get("COURSE_DATA", "nowhere")) / "mot"
real = pytest.mark.skipif(not MOT.is_dir(), reason="COURSE_DATA does not hold mot")
Frames = list[tuple[np.ndarray, np.ndarray]]


def random_scene(seed: int, *, n_frames: int = 25, n_objects: int = 6) -> tuple[Frames, Frames]:
    """Objects that drift in a small room, and tracks with misses, false alarms, switches and imprecise boxes."""
    rng = np.random.default_rng(seed)
    corner, speed, size = rng.uniform(0, 60, (n_objects, 2)), rng.normal(0, 2, (n_objects, 2)), rng.uniform(15, 35, 2)
    names = rng.permutation(100)[:n_objects] * 7
    track_of = dict(zip(names.tolist(), range(n_objects), strict=True))
    truth, predicted = [], []
    for _ in range(n_frames):
        corner = corner + speed
        present = rng.random(n_objects) < 0.85
        boxes = np.concatenate([corner, corner + size], axis=1)
        truth.append((names[present], boxes[present]))
        if rng.random() < 0.2:
            a, b = rng.choice(names, 2, replace=False).tolist()
            track_of[a], track_of[b] = track_of[b], track_of[a]
        if rng.random() < 0.1:
            track_of[int(rng.choice(names))] = 1000 + len(truth)
        seen = present & (rng.random(n_objects) < 0.8)
        ids = [track_of[name] for name in names[seen].tolist()]
        found = boxes[seen] + rng.normal(0, 2.5, (seen.sum(), 4))
        alarms = rng.integers(0, 3)
        left = rng.uniform(0, 60, (alarms, 2))
        predicted.append(
            (np.array([*ids, *range(500, 500 + alarms)], int), np.concatenate([found, np.hstack([left, left + size])]))
        )
    order = rng.permutation(n_frames)[: n_frames // 10]
    for index in order:  # frames without any track, and without any truth
        side = truth if rng.random() < 0.5 else predicted
        side[index] = (np.empty(0, int), np.empty((0, 4)))
    return truth, predicted


def by_motmetrics(truth: Frames, predicted: Frames, threshold: float = 0.5) -> dict[str, float]:
    mm = pytest.importorskip("motmetrics")
    accumulator = mm.MOTAccumulator(auto_id=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "asfarray", lambda a: np.asarray(a, float), raising=False)  # gone with NumPy 2
        for (ids, boxes), (track_ids, track_boxes) in zip(truth, predicted, strict=True):
            sizes = [np.hstack([b[:, :2], b[:, 2:] - b[:, :2]]) for b in (boxes, track_boxes)]
            overlaps = mm.distances.iou_matrix(*sizes, max_iou=1 - threshold)
            accumulator.update(list(ids), list(track_ids), overlaps)
    row = mm.metrics.create().compute(accumulator, metrics=mm.metrics.motchallenge_metrics).iloc[0]
    return row.to_dict()


def by_trackeval(truth: Frames, predicted: Frames) -> dict[str, dict]:
    trackeval = pytest.importorskip("trackeval")
    data: dict = {"num_timesteps": len(truth)}
    for side, name in ((truth, "gt"), (predicted, "tracker")):
        known = np.unique(np.concatenate([ids for ids, _ in side]))
        data[f"{name}_ids"] = [np.searchsorted(known, ids) for ids, _ in side]
        data[f"num_{name}_ids"], data[f"num_{name}_dets"] = len(known), sum(len(ids) for ids, _ in side)
    base = trackeval.datasets._base_dataset._BaseDataset
    data["similarity_scores"] = [
        base._calculate_box_ious(boxes, tracks, box_format="x0y0x1y1")
        for (_, boxes), (_, tracks) in zip(truth, predicted, strict=True)
    ]
    quiet = {"PRINT_CONFIG": False}
    family = trackeval.metrics
    with contextlib.redirect_stdout(io.StringIO()):
        return {
            metric.get_name(): metric.eval_sequence(data)
            for metric in (family.HOTA(), family.CLEAR(quiet), family.Identity(quiet))
        }


def agrees_with_motmetrics(ours: metrics.Scores, theirs: dict[str, float]) -> None:
    rates = (ours.mota, 1 - ours.motp, ours.idf1, ours.idp, ours.idr)
    np.testing.assert_allclose(rates, [theirs[k] for k in ("mota", "motp", "idf1", "idp", "idr")], atol=1e-9)
    counted = (ours.id_switches, ours.fragmentations, ours.fp, ours.fn)
    names = ("num_switches", "num_fragmentations", "num_false_positives", "num_misses")
    assert counted == tuple(theirs[k] for k in names)
    lives = (ours.mostly_tracked, ours.partly_tracked, ours.mostly_lost, ours.n_objects)
    names = ("mostly_tracked", "partially_tracked", "mostly_lost", "num_unique_objects")
    assert lives == tuple(theirs[k] for k in names)


@pytest.mark.parametrize("seed", range(12))
def test_clear_and_identity_are_those_of_motmetrics(seed):
    truth, predicted = random_scene(seed)
    agrees_with_motmetrics(metrics.evaluate(truth, predicted), by_motmetrics(truth, predicted))


@pytest.mark.parametrize("threshold", [0.3, 0.7])
def test_another_threshold(threshold):
    truth, predicted = random_scene(50)
    ours = metrics.evaluate(truth, predicted, threshold=threshold)
    agrees_with_motmetrics(ours, by_motmetrics(truth, predicted, threshold))


@pytest.mark.parametrize("seed", range(12))
def test_hota_is_that_of_trackeval_for_every_overlap(seed):
    truth, predicted = random_scene(seed)
    ours, theirs = metrics.hota(metrics.align(truth, predicted)), by_trackeval(truth, predicted)
    for name, curve in ours.items():
        reference = theirs["HOTA"][{"hota": "HOTA", "det_a": "DetA", "ass_a": "AssA", "loc_a": "LocA"}[name]]
        np.testing.assert_allclose(curve, reference, atol=1e-9, err_msg=name)
    scores = metrics.evaluate(truth, predicted)
    assert scores.hota == pytest.approx(theirs["HOTA"]["HOTA"].mean(), abs=1e-9)
    assert scores.idf1 == pytest.approx(theirs["Identity"]["IDF1"], abs=1e-9)


@real
def test_a_real_tracker_on_tud_campus():
    truth = metrics.read_mot(MOT / "TUD-Campus.gt.txt")
    predicted = metrics.read_mot(MOT / "TUD-Campus.tracker_example.txt", n_frames=len(truth))
    ours = metrics.evaluate(truth, predicted)
    pairs = [[(frame.ids, frame.boxes) for frame in side] for side in (truth, predicted)]
    agrees_with_motmetrics(ours, by_motmetrics(*pairs))
    theirs = by_trackeval(*pairs)["HOTA"]
    four = [theirs[k].mean() for k in ("HOTA", "DetA", "AssA", "LocA")]
    np.testing.assert_allclose([ours.hota, ours.det_a, ours.ass_a, ours.loc_a], four, atol=1e-9)
    # The figures that py-motmetrics publishes for this pair of files.
    assert (ours.n_frames, ours.n_boxes, ours.n_objects) == (71, 359, 8)
    assert ours.mota == pytest.approx(0.526, abs=5e-4) and ours.idf1 == pytest.approx(0.558, abs=5e-4)
    assert (ours.id_switches, ours.fragmentations, ours.fp, ours.fn) == (7, 7, 13, 150)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6))
def test_scores_stay_in_their_range_and_do_not_depend_on_names(seed):
    truth, predicted = random_scene(seed, n_frames=8, n_objects=4)
    scores = metrics.evaluate(truth, predicted)
    for name in ("motp", "idf1", "idp", "idr", "hota", "det_a", "ass_a", "loc_a"):
        assert 0 <= getattr(scores, name) <= 1, name
    assert scores.mota <= 1
    renamed = [(5000 - ids, boxes) for ids, boxes in predicted]
    assert metrics.evaluate(truth, renamed).id_switches == scores.id_switches


def test_perfect_tracking_is_perfect():
    truth, _ = random_scene(3)
    scores = metrics.evaluate(truth, truth)
    assert scores.mota == scores.motp == scores.idf1 == scores.idp == scores.idr == 1
    np.testing.assert_allclose([scores.hota, scores.det_a, scores.ass_a, scores.loc_a], 1)
    assert (scores.id_switches, scores.fp, scores.fn, scores.mostly_lost) == (0, 0, 0, 0)


def test_by_hand_one_switch_and_one_hole():
    box = np.array([[0.0, 0, 10, 10]])
    nothing = (np.empty(0, int), np.empty((0, 4)))
    truth = [([7], box)] * 6
    predicted = [([1], box), ([1], box), nothing, ([1], box), ([2], box), ([2], box)]
    scores = metrics.evaluate(truth, predicted)
    assert (scores.id_switches, scores.fragmentations, scores.fn, scores.fp) == (1, 1, 1, 0)
    assert scores.mota == pytest.approx(1 - 2 / 6)
    assert scores.idf1 == pytest.approx(2 * 3 / (6 + 5))
    # Track 1 shares 3 boxes of a union of 6; track 2 shares 2 of 6: AssA = (3·3/6 + 2·2/6) / 5.
    assert scores.ass_a == pytest.approx((3 * 3 / 6 + 2 * 2 / 6) / 5)
    assert scores.det_a == pytest.approx(5 / 6)
    assert (scores.mostly_tracked, scores.partly_tracked, scores.mostly_lost) == (1, 0, 0)


@pytest.mark.parametrize(
    ("truth", "predicted", "expected"),
    [
        ([], [], {"mota": 0, "fn": 0, "n_frames": 0}),
        ([([], [])] * 3, [([], [])] * 3, {"mota": 0, "idf1": 0, "hota": 0, "loc_a": 1, "n_frames": 3}),
        ([([1], [[0, 0, 5, 5]])], [([], [])], {"mota": 0, "fn": 1, "idr": 0, "mostly_lost": 1, "motp": 0}),
        ([([], [])], [([1], [[0, 0, 5, 5]])], {"mota": -1, "fp": 1, "idp": 0, "hota": 0, "n_tracks": 1}),
        ([([1], [[0, 0, 0, 0]])], [([1], [[0, 0, 0, 0]])], {"mota": -1, "fp": 1, "fn": 1, "hota": 0}),
    ],
)
def test_nothing_to_see_has_scores(truth, predicted, expected):
    scores = metrics.evaluate(truth, predicted)
    assert {name: getattr(scores, name) for name in expected} == expected
    assert all(np.isfinite(value) for value in vars(scores).values())


def test_street_scenes_and_tracks_are_read_as_they_are():
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10]], np.float32)
    scene = SimpleNamespace(boxes=boxes, track_ids=np.array([4, 9]))
    track = SimpleNamespace(boxes=boxes, ids=np.array([1, 2]), scores=np.ones(2), classes=np.zeros(2, int))
    assert metrics.evaluate([scene], [track]).mota == 1


def test_print_is_french():
    text = str(metrics.evaluate(*random_scene(1)))
    assert text.startswith("MOTA ") and "," in text and "changements d'identité" in text
    alone = metrics.evaluate([([1], [[0, 0, 5, 5]])], [([], [])])
    assert str(alone).endswith("1 boîte vraie, 1 manquée, 0 fausse alerte, 0 changement d'identité, 0 interruption")


@pytest.mark.parametrize(
    ("truth", "predicted", "threshold", "message"),
    [
        ([([], [])], [], 0.5, "La vérité compte 1 image\\(s\\), le suivi 0"),
        ([([1], [[0, 0, 1]])], [([], [])], 0.5, r"image 0 \(vérité\).*boîtes \(1, 3\)"),
        ([([], [])], [([2, 2], np.zeros((2, 4)))], 0.5, r"image 0 \(suivi\).*l'identité 2 apparaît plusieurs fois"),
        ([([], [])], [([-1, -1], np.zeros((2, 4)))], 0.5, "suivez-les d'abord"),
        ([3], [([], [])], 0.5, r"un couple \(ids, boxes\), pas int"),
        ([], [], 0, "threshold = 0"),
        ([], [], 50, "threshold = 50"),
    ],
)
def test_bad_input_is_explained(truth, predicted, threshold, message):
    with pytest.raises(ValueError, match=message):
        metrics.evaluate(truth, predicted, threshold=threshold)


def test_reads_a_mot_file(tmp_path):
    path = tmp_path / "gt.txt"
    path.write_text("1,3,10,20,5,6,1,-1,-1,-1\r\n\r\n3, 3, 11.5, 20, 5, 6, 0.25\n3,4,0,0,2,2\n", encoding="utf-8-sig")
    frames = metrics.read_mot(path)
    assert [frame.ids.tolist() for frame in frames] == [[3], [], [3, 4]]
    np.testing.assert_array_equal(frames[0].boxes, [[10, 20, 15, 26]])
    assert frames[1].boxes.shape == (0, 4)
    assert frames[2].scores.tolist() == [0.25, 1]
    assert len(metrics.read_mot(path, n_frames=10)) == 10
    assert [len(frame.ids) for frame in metrics.read_mot(path, min_score=1)] == [1, 0, 1]


def test_an_empty_mot_file_is_an_empty_video(tmp_path):
    (tmp_path / "det.txt").write_text("\n", encoding="utf-8")
    assert metrics.read_mot(tmp_path / "det.txt") == []
    assert [len(frame.ids) for frame in metrics.read_mot(tmp_path / "det.txt", n_frames=2)] == [0, 0]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("1,2,3,4,5", "ligne 2 .* a 5 nombres"),
        ("1,2,trois,4,5,6", "ligne 2 .* des nombres séparés par des virgules"),
        ("1 2 3 4 5 6", "a 1 nombres"),
        ("0,2,3,4,5,6", "à partir de 1"),
        ("1.5,2,3,4,5,6", "entiers"),
        ("1,2,3,4,-5,6", "la largeur et la hauteur"),
        ("1,2,nan,4,5,6", "n'est pas fini"),
        ("9,2,3,4,5,6", "image 9, et n_frames = 3"),
    ],
)
def test_a_bad_line_is_named(tmp_path, line, message):
    path = tmp_path / "gt.txt"
    path.write_text(f"1,1,0,0,5,5\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=message):
        metrics.read_mot(path, n_frames=3)


def test_a_missing_or_binary_file_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match="n'existe pas"):
        metrics.read_mot(tmp_path / "gt.txt")
    (tmp_path / "gt.txt").write_bytes(b"\xff\xfe\x00\x81")
    with pytest.raises(ValueError, match="pas un fichier texte"):
        metrics.read_mot(tmp_path / "gt.txt")
