"""Measure the street world on one core: scenes per second at 128 and 640 pixels, sprites and video frames per second.

Run: ``python benchmarks/street_speed.py``. CPU time of the process is counted, truth included; each batch is repeated
and its best time kept, so that other programs disturb the measure less.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2

from course_utils.data import street


def best_rate(work: Callable[[int], int], batches: int, repeats: int) -> float:
    """Return items per second of CPU time: sum over batches of each batch's best time."""
    items, seconds = 0, 0.0
    for batch in range(batches):
        times = []
        for _ in range(repeats):
            start = time.process_time()
            count = work(batch)
            times.append(time.process_time() - start)
        items, seconds = items + count, seconds + min(times)
    return items / seconds


def scenes(size: int, per_batch: int) -> Callable[[int], int]:
    """Return a function that renders one batch of scenes."""

    def work(batch: int) -> int:
        for seed in range(batch * per_batch, (batch + 1) * per_batch):
            street.scene(seed, size)
        return per_batch

    return work


def sprites(size: int) -> Callable[[int], int]:
    """Return a function that renders one batch of sprites."""

    def work(batch: int) -> int:
        street.sprites(200, seed=batch, size=size)
        return 200

    return work


def video(batch: int) -> int:
    """Render one short video."""
    return len(street.video(batch, 24, size=(128, 192)).frames)


def main() -> None:
    """Print the table."""
    cv2.setNumThreads(1)
    for label, work, batches in (
        ("scènes 128 × 128", scenes(128, 10), 12),
        ("scènes 640 × 640", scenes(640, 2), 6),
        ("sprites 32 × 32", sprites(32), 4),
        ("sprites 64 × 64", sprites(64), 3),
        ("images de vidéo 128 × 192", video, 4),
    ):
        work(0)
        print(f"{label:28s} {best_rate(work, batches, 5):8.1f} par seconde")


if __name__ == "__main__":
    main()
