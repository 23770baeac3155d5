"""A detector simulated from the truth: what a real one does wrong, with dice whose seed is known.

It serves to study trackers without a detector: every fault has its own knob. The model, object by object:

- an object hidden by a share o is found with probability ``(1 - misses) * (1 - o ** 3)``;
- its score is ``0.95 - 0.75 * o``, plus a noise of standard deviation 0.06, kept within [0.05, 0.99];
- each side of its box moves by a noise of standard deviation ``jitter`` times the width (or the height) of the box;
- `false_alarms` boxes a frame, on average (Poisson), have the size of a true one, any place, and a score drawn from a
  Beta(2, 4) law, of mean 1/3.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from course_utils.data.street.world import CLASSES, Scene
from course_utils.detection.results import Detections

MOVING: tuple[str, ...] = tuple(name for name in CLASSES if name not in ("sign", "traffic_light"))
"""Classes of the street that can move."""


def truth(scenes: Iterable[Scene], *, classes: Sequence[str] = MOVING) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the true identities (n,) and boxes (n, 4) of each frame, for the classes named.

    Parameters
    ----------
    scenes : street.Video or iterable of Scene
    classes : sequence of str
        Identifiers of ``street.CLASSES``; by default what can move.
    """
    numbers = _numbers(classes)
    kept = [(scene, np.isin(scene.classes, numbers)) for scene in scenes]
    return [(scene.track_ids[mask], scene.boxes[mask]) for scene, mask in kept]


def detections(
    scenes: Iterable[Scene],
    *,
    seed: int = 0,
    jitter: float = 0.04,
    misses: float = 0.05,
    false_alarms: float = 0.5,
    classes: Sequence[str] = MOVING,
) -> list[Detections]:
    """Return what the simulated detector finds in each frame; see the module for the model.

    Parameters
    ----------
    scenes : street.Video or iterable of Scene
    seed : int
    jitter : float, default 0.04
        Noise of the sides, as a share of the width or of the height.
    misses : float in [0, 1], default 0.05
        Share of the fully visible objects that are not found.
    false_alarms : float, default 0.5
        Mean number of boxes that are nothing, per frame.
    classes : sequence of str
        As in `truth`.

    Returns
    -------
    list of Detections
        The surest first.

    Raises
    ------
    ValueError
        In French, when a parameter is out of range or a class unknown.
    """
    if jitter < 0 or not 0 <= misses <= 1 or false_alarms < 0:
        raise ValueError(
            f"detections({jitter=}, {misses=}, {false_alarms=}) : on attend jitter ≥ 0, misses entre 0 et 1 et "
            "false_alarms ≥ 0."
        )
    numbers = _numbers(classes)
    rng = np.random.default_rng(seed)
    return [_frame(scene, numbers, rng, jitter, misses, false_alarms) for scene in scenes]


def _numbers(classes: Sequence[str]) -> list[int]:
    unknown = [name for name in classes if name not in CLASSES]
    if unknown:
        raise ValueError(f"Classe inconnue : {', '.join(unknown)}. La rue connaît {', '.join(CLASSES)}.")
    return [CLASSES.index(name) for name in classes]


def _frame(
    scene: Scene, numbers: list[int], rng: np.random.Generator, jitter: float, misses: float, false_alarms: float
) -> Detections:
    height, width = scene.image.shape[:2]
    there = np.flatnonzero(np.isin(scene.classes, numbers))
    hidden = scene.occlusion[there].astype(np.float64)
    found = rng.random(len(there)) < (1 - misses) * (1 - hidden**3)
    there, hidden = there[found], hidden[found]
    boxes = scene.boxes[there].astype(np.float64)
    sizes = boxes[:, 2:] - boxes[:, :2]
    boxes += rng.normal(0, jitter, boxes.shape) * np.tile(sizes, 2)
    scores = np.clip(0.95 - 0.75 * hidden + rng.normal(0, 0.06, len(there)), 0.05, 0.99)
    count = rng.poisson(false_alarms) if len(scene.boxes) else 0
    models = rng.integers(len(scene.boxes), size=count) if count else np.empty(0, np.intp)
    shape = scene.boxes[models, 2:] - scene.boxes[models, :2]
    corner = rng.random((count, 2)) * (np.array([width, height]) - shape)
    boxes = np.vstack([boxes, np.hstack([corner, corner + shape])])
    boxes = np.clip(boxes, 0, [width, height, width, height])
    scores = np.concatenate([scores, rng.beta(2, 4, count)])
    kinds = np.concatenate([scene.classes[there], scene.classes[models]])
    order = np.argsort(-scores, kind="stable")
    return Detections(boxes[order], scores[order], kinds[order])
