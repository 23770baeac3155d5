"""Tracking: frames per second of the trackers alone, of the detector with a tracker, and what each tracker is worth.

Run: ``python benchmarks/tracking.py``. Speed is wall-clock time on street videos of 192 × 192 pixels, best of five
passes; trackers alone must follow 500 frames per second, the shipped detector with ByteTrack 15. Scores are measured
with the simulated detector of ``course_utils.tracking.noise``, on videos where objects hide one another (photographs of
the test pool, several seeds), and, where COURSE_DATA has them, on the MOT15 detections of TUD-Campus. Exit status 1 if
a target is missed, or when ByteTrack is not better than SORT.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.data import street
from course_utils.data.errors import DataError
from course_utils.tracking import ByteTrack, Sort, appearance, metrics, noise, run

TRACKERS_ALONE, WITH_DETECTOR = 500.0, 15.0
VIDEOS, NOISES = range(100, 106), range(3)
COLUMNS = ("hota", "idf1", "mota", "id_switches")


def trackers() -> dict[str, Any]:
    return {
        "SORT (max_age=1)": Sort(),
        "SORT (max_age=30)": Sort(max_age=30),
        "SORT (max_age=30, sûres)": Sort(max_age=30, min_score=0.6),
        "ByteTrack": ByteTrack(),
    }


def clip(seed: int, size: int | tuple[int, int], frames: int, fps: float = 12.0) -> street.Video:
    weather = {"night": 0.0, "rain": 0.0, "blur": 0.0}
    return street.video(seed, frames, size, fps, density=0.8, occlusion=0.9, textures="test", **weather)


def rate(work: Callable[[], Any], frames: int, passes: int = 8) -> float:
    """Return frames per second, wall clock, best of several passes."""
    times = []
    for _ in range(passes):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return frames / min(times)


def verdict(name: str, speed: float, target: float | None) -> bool:
    good = target is None or speed >= target
    asked = "" if target is None else f"   (demandé : {target:.0f}){'' if good else '   MANQUÉ'}"
    print(f"{name:42s}{speed:10.0f} images/s{asked}")
    return good


def speeds() -> bool:
    video = clip(101, 192, 96)
    found = noise.detections(video)
    print(f"\n{len(video)} images de 192 × 192, {np.mean([len(d) for d in found]):.1f} détections par image\n")
    good = all(
        [
            verdict(f"{name}, sans le détecteur", rate(lambda t=t: run(t, found), len(video)), TRACKERS_ALONE)  # type: ignore[misc]
            for name, t in trackers().items()
        ]
    )
    looking = ByteTrack(appearance=appearance.colours)
    verdict("ByteTrack et apparence", rate(lambda: run(looking, found, images=video.frames), len(video), 3), None)
    return with_detector(video) and good


def with_detector(video: street.Video) -> bool:
    from course_utils.models import load_pretrained

    try:
        detector = load_pretrained("street_yolo", fallback=None).detector(confidence=0.1)
    except DataError as error:
        print(f"Détecteur et ByteTrack : non mesuré. {error}")
        return False
    detector.detect(video.frames[0])
    tracker = ByteTrack()

    def follow() -> None:
        run(tracker, (detector.detect(frame) for frame in video.frames))

    return verdict("street_yolo et ByteTrack, image par image", rate(follow, len(video), 3), WITH_DETECTOR)


def table(title: str, scores: dict[str, list[metrics.Scores]]) -> None:
    print(f"\n{title}\n{'':28s}" + "".join(f"{name:>18s}" for name in COLUMNS))
    for name, values in scores.items():
        figures = np.array([[getattr(score, column) for column in COLUMNS] for score in values])
        cells = (f"{m:10.3f} ± {s:5.3f}" for m, s in zip(figures.mean(0), figures.std(0), strict=True))
        print(f"{name:28s}" + "".join(cells))


def worth() -> bool:
    scores: dict[str, list[metrics.Scores]] = {name: [] for name in trackers()}
    for seed in VIDEOS:
        video = clip(seed, (128, 192), 96)
        truth = noise.truth(video)
        for dice in NOISES:
            found = noise.detections(video, seed=dice)
            for name, tracker in trackers().items():
                scores[name].append(metrics.evaluate(truth, run(tracker, found)))
    table(f"Rue, {len(VIDEOS)} vidéos × {len(NOISES)} tirages du détecteur simulé (moyenne ± écart type)", scores)
    pairs = {name: np.mean([s.hota for s in values]) for name, values in scores.items()}
    return all(pairs["ByteTrack"] > value for name, value in pairs.items() if name != "ByteTrack")


def looks() -> None:
    """Show what colours add where boxes no longer overlap from one frame to the next, and where they do."""
    for fps, frames in ((2.0, 48), (12.0, 96)):
        scores: dict[str, list[metrics.Scores]] = {"ByteTrack": [], "ByteTrack et couleurs": []}
        for seed in VIDEOS:
            video = clip(seed, (128, 192), frames, fps)
            truth = noise.truth(video)
            for dice in NOISES:
                found = noise.detections(video, seed=dice)
                for name, tracker in zip(scores, (ByteTrack(), ByteTrack(appearance=appearance.colours)), strict=True):
                    scores[name].append(metrics.evaluate(truth, run(tracker, found, images=video.frames)))
        table(f"Rue à {fps:.0f} images par seconde", scores)


def real() -> None:
    folder = Path(os.environ.get("COURSE_DATA", ""), "mot")
    if not os.environ.get("COURSE_DATA") or not (folder / "TUD-Campus.det.txt").exists():
        return
    truth = metrics.read_mot(folder / "TUD-Campus.gt.txt", n_frames=71)
    found = metrics.read_mot(folder / "TUD-Campus.det.txt", n_frames=71)
    detections = [np.column_stack([frame.boxes, frame.scores]) for frame in found]
    rivals = {**trackers(), "SORT (max_age=10)": Sort(max_age=10)}
    table("TUD-Campus, 71 images", {n: [metrics.evaluate(truth, run(t, detections))] for n, t in rivals.items()})


def main() -> int:
    """Print the tables; return 1 when a target is missed."""
    good = [speeds(), worth()]
    looks()
    real()
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())
