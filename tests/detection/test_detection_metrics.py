"""Average precision: pycocotools on random scenes, independent VOC references, cases worked by hand."""

from __future__ import annotations

import contextlib
import io
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.detection import metrics
from course_utils.detection.metrics import average_precision, evaluate, match, precision_recall


def scenes(seed: int, *, images: int = 6, classes: int = 3, crowds: bool = True, whole: bool = False):
    """Random truths and detections: good, shifted, repeated, wrong classes, empty images, groups, all sizes."""
    rng = np.random.default_rng(seed)
    predictions, truths = [], []
    for _ in range(images):
        count = int(rng.integers(0, 9))
        size = np.exp(rng.uniform(np.log(8), np.log(200), (count, 2)))
        corner = rng.uniform(0, 300, (count, 2))
        boxes = np.concatenate([corner, corner + size], axis=1)
        boxes = boxes.round() if whole else boxes
        kinds = rng.integers(0, classes, count)
        crowd = rng.random(count) < (0.25 if crowds else 0)
        truths.append((boxes, kinds, crowd))
        picks = rng.integers(0, count, int(rng.integers(0, 3 * count + 1))) if count else np.zeros(0, int)
        side = (boxes[picks, 2:] - boxes[picks, :2]).repeat(2, 0).reshape(-1, 4)
        noise = rng.normal(0, rng.choice([0.01, 0.08, 0.25], (len(picks), 1)), (len(picks), 4))
        moved = boxes[picks] + noise * side
        moved = moved.round() if whole else moved
        moved[:, 2:] = np.maximum(moved[:, 2:], moved[:, :2] + 1)
        labels = np.where(rng.random(len(picks)) < 0.9, kinds[picks], rng.integers(0, classes, len(picks)))
        scores = rng.random(len(picks)).round(1 if whole else 6)
        predictions.append((moved, scores, labels))
    return predictions, truths


def coco(predictions, truths, classes: int, *, areas=None):
    """The official evaluation, on the same scenes."""
    api = pytest.importorskip("pycocotools.coco")
    evaluation = pytest.importorskip("pycocotools.cocoeval")
    annotations, detections = [], []
    for k, (boxes, kinds, crowd) in enumerate(truths):
        for j, (box, kind, group) in enumerate(zip(boxes, kinds, crowd, strict=True)):
            x1, y1, x2, y2 = map(float, box)
            surface = (x2 - x1) * (y2 - y1) if areas is None else float(areas[k][j])
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": k,
                    "category_id": int(kind),
                    "bbox": [x1, y1, x2 - x1, y2 - y1],
                    "area": surface,
                    "iscrowd": int(group),
                }
            )
    for k, (boxes, scores, kinds) in enumerate(predictions):
        for box, score, kind in zip(boxes, scores, kinds, strict=True):
            x1, y1, x2, y2 = map(float, box)
            detections.append(
                {"image_id": k, "category_id": int(kind), "bbox": [x1, y1, x2 - x1, y2 - y1], "score": float(score)}
            )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = api.COCO()
        truth.dataset = {
            "info": {},
            "images": [{"id": k} for k in range(len(truths))],
            "categories": [{"id": c, "name": str(c)} for c in range(classes)],
            "annotations": annotations,
        }
        truth.createIndex()
        judge = evaluation.COCOeval(truth, truth.loadRes(detections), "bbox")
        judge.evaluate()
        judge.accumulate()
        judge.summarize()
    return judge


def without_absent(values: np.ndarray) -> np.ndarray:
    """Our NaN is their −1."""
    return np.where(np.isnan(values), -1, values)


@pytest.mark.parametrize("seed", range(12))
def test_equals_pycocotools(seed):
    predictions, truths = scenes(seed, whole=seed % 2 == 1)
    judge = coco(predictions, truths, 3)
    ours = evaluate(predictions, truths, classes=range(3), thresholds="coco", sizes=metrics.COCO_SIZES)
    parts = [ours, *(ours.by_size[name] for name in ("small", "medium", "large"))]
    for column, part in enumerate(parts):
        theirs = judge.eval["precision"][:, :, :, column, -1].mean(axis=1)
        np.testing.assert_allclose(without_absent(part.ap), theirs, rtol=0, atol=1e-6)
        np.testing.assert_allclose(without_absent(part.recall), judge.eval["recall"][:, :, column, -1], atol=1e-6)
    summary = [ours.map, ours.map50, ours.map75, *(part.map for part in parts[1:])]
    np.testing.assert_allclose(without_absent(np.array(summary)), judge.stats[:6], rtol=0, atol=1e-6)


def test_equals_pycocotools_beyond_a_hundred_detections():
    rng = np.random.default_rng(0)
    corner = rng.uniform(0, 500, (180, 2))
    boxes = np.concatenate([corner, corner + 30], axis=1)
    truths = [(boxes[:120], np.zeros(120, int), np.zeros(120, bool))]
    predictions = [(boxes + rng.normal(0, 2, boxes.shape), rng.random(180), np.zeros(180, int))]
    judge = coco(predictions, truths, 1)
    ours = evaluate(predictions, truths, thresholds="coco")
    assert ours.recall[0, 0] <= 100 / 120
    assert ours.map == pytest.approx(judge.stats[0], abs=1e-6)


def test_areas_of_the_annotations_replace_those_of_the_boxes():
    predictions, truths = scenes(3)
    areas = [0.5 * (b[:, 2] - b[:, 0]) * (b[:, 3] - b[:, 1]) for b, _, _ in truths]
    judge = coco(predictions, truths, 3, areas=areas)
    with_areas = [(*truth, a) for truth, a in zip(truths, areas, strict=True)]
    ours = evaluate(predictions, with_areas, classes=range(3), thresholds="coco", sizes=metrics.COCO_SIZES)
    for k, name in enumerate(("small", "medium", "large")):
        assert without_absent(np.array(ours.by_size[name].map)) == pytest.approx(judge.stats[3 + k], abs=1e-6)


def voc_reference(scores, correct, positives: int, eleven: bool) -> float:
    """VOC's two definitions with plain loops: the best precision at each recall level, or at each new true box."""
    order = sorted(range(len(scores)), key=lambda k: -scores[k])
    points, found = [], 0
    for rank, k in enumerate(order, start=1):
        found += bool(correct[k])
        points.append((found, found / rank))  # recalls as whole numbers of boxes: no rounding
    if eleven:
        best = [max([p for n, p in points if 10 * n >= level * positives], default=0.0) for level in range(11)]
        return sum(best) / 11
    return (
        sum(max((p for n, p in points if n >= wanted), default=0.0) for wanted in range(1, positives + 1)) / positives
    )


@settings(max_examples=200, deadline=None)
@given(outcomes=st.lists(st.booleans(), max_size=40), missed=st.integers(0, 12), seed=st.integers(0, 2**16))
def test_voc_eleven_points_and_all_points(outcomes, missed, seed):
    positives = sum(outcomes) + missed
    if positives == 0:
        positives = 1
    scores = np.random.default_rng(seed).permutation(len(outcomes)) / 64
    recall, precision = precision_recall(scores, outcomes, positives)
    for method, eleven in (("voc11", True), ("all", False)):
        got = average_precision(recall, precision, method=method)
        assert got == pytest.approx(voc_reference(scores, outcomes, positives, eleven), abs=1e-12)


def test_three_definitions_by_hand():
    # Right, wrong, right; four true boxes: recall .25 .25 .5, precision 1, 1/2, 2/3.
    recall, precision = precision_recall([0.9, 0.8, 0.7], [True, False, True], 4)
    np.testing.assert_allclose(recall, [0.25, 0.25, 0.5])
    np.testing.assert_allclose(precision, [1, 0.5, 2 / 3])
    assert average_precision(recall, precision) == pytest.approx(0.25 * 1 + 0.25 * 2 / 3)
    # Recalls 0, .1, .2 have precision 1; .3, .4, .5 have 2/3; the five others 0.
    assert average_precision(recall, precision, method="voc11") == pytest.approx((3 + 3 * 2 / 3) / 11)
    # Recalls 0 to .25: 26 levels; .26 to .50: 25.
    assert average_precision(recall, precision, method="coco101") == pytest.approx((26 + 25 * 2 / 3) / 101)


def test_matching_takes_each_true_box_once():
    truth = [[0, 0, 10, 10], [20, 0, 30, 10]]
    detections = [[0, 0, 10, 10], [0, 0, 10, 9], [21, 0, 31, 10], [50, 50, 60, 60]]
    assert match(detections, truth).tolist() == [0, -1, 1, -1]
    assert match(detections, truth, threshold=0.9).tolist() == [0, -1, -1, -1]
    assert match(detections, truth, crowd=[True, False]).tolist() == [0, 0, 1, -1], "a group takes them all"
    assert match(detections, []).tolist() == [-1] * 4 and match([], truth).shape == (0,)


def test_perfect_useless_and_mute_detectors():
    truth = (np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]]), np.array([0, 1]))
    perfect = SimpleNamespace(boxes=truth[0], scores=np.ones(2), classes=truth[1])
    mute = SimpleNamespace(boxes=np.zeros((0, 4)), scores=np.zeros(0), classes=np.zeros(0, int))
    for method in ("all", "voc11", "coco101"):
        assert evaluate([perfect], [truth], thresholds="coco", method=method).map == pytest.approx(1)
        assert evaluate([mute], [truth], method=method).map50 == 0
    swapped = SimpleNamespace(boxes=truth[0], scores=np.ones(2), classes=truth[1][::-1])
    assert evaluate([swapped], [truth]).map50 == 0
    nothing = evaluate([perfect], [([], [])], classes=[0, 1])
    assert np.isnan(nothing.map) and nothing.truths.tolist() == [0, 0]


def test_names_curves_and_objects():
    truth = SimpleNamespace(boxes=np.array([[0.0, 0, 10, 10], [20, 0, 30, 10]]), classes=np.array([0, 1]))
    seen = (np.array([[0.0, 0, 10, 10], [50, 0, 60, 10]]), np.array([0.5, 0.75]), np.array([0, 1]))
    result = evaluate([seen], [truth], classes=("bus", "taxi"))
    assert result.per_class == {"bus": pytest.approx(1), "taxi": 0}
    recall, precision, scores = result.curves["taxi"]
    assert recall.tolist() == [0] and precision.tolist() == [0] and scores.tolist() == [0.75]
    assert result.truths.tolist() == [1, 1]


def test_refusals_say_what_to_do():
    with pytest.raises(ValueError, match="autant des deux"):
        evaluate([], [([], [])])
    with pytest.raises(ValueError, match="une valeur par boîte"):
        evaluate([([[0, 0, 1, 1]], [0.5, 0.4], [0])], [([], [])])
    with pytest.raises(ValueError, match="Image 0"):
        evaluate([([[0, 0, 1, 1]], [0.5])], [([], [])])
    with pytest.raises(ValueError, match="au moins une vraie boîte"):
        precision_recall([0.5], [True], 0)
    with pytest.raises(ValueError, match="voc11"):
        average_precision([0.5], [1.0], method="voc")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="thresholds='coco'"):
        _ = evaluate([([], [], [])], [([], [])]).map75
