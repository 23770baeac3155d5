"""CLEAR MOT: the accidents of a tracking, counted frame by frame (Bernardin and Stiefelhagen, 2008)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from course_utils.tracking.metrics.alignment import Alignment, check_threshold, ratio


def clear(scene: Alignment, *, threshold: float = 0.5) -> dict[str, Any]:
    """Count the accidents frame by frame (Bernardin and Stiefelhagen, 2008).

    An object keeps the track that it had as long as the two overlap enough; the others are paired so that matches are
    as many, then as tight, as possible. A switch is a match with another track than the last one.

    Parameters
    ----------
    scene : Alignment
    threshold : float, default 0.5
        IoU from which a pair may be matched.

    Returns
    -------
    dict
        ``mota, motp, id_switches, fragmentations, fp, fn, mostly_tracked, partly_tracked, mostly_lost``: see
        `course_utils.tracking.metrics.Scores`.
    """
    check_threshold(threshold)
    last: dict[int, int] = {}
    history: list[list[bool]] = [[] for _ in range(scene.n_objects)]
    overlaps, switches, boxes = 0.0, 0, 0
    for objects, tracks, similarity in scene.frames:
        pairs = _match(objects, tracks, similarity >= threshold, similarity, last)
        for row, column in pairs:
            object_, track = int(objects[row]), int(tracks[column])
            switches += last.get(object_, track) != track
            last[object_] = track
            overlaps += float(similarity[row, column])
        matched = {row for row, _ in pairs}
        for row, object_ in enumerate(objects):
            history[object_].append(row in matched)
        boxes += len(tracks)
    found, expected = sum(map(sum, history)), sum(map(len, history))
    fn, fp = expected - found, boxes - found
    return {
        "mota": 1 - (fn + fp + switches) / expected if expected else 0.0 - fp,
        "motp": ratio(overlaps, found),
        "id_switches": switches,
        "fragmentations": sum(map(_interruptions, history)),
        "fp": fp,
        "fn": fn,
        **_lives(history),
    }


def _match(
    objects: np.ndarray, tracks: np.ndarray, allowed: np.ndarray, similarity: np.ndarray, last: dict[int, int]
) -> list[tuple[int, int]]:
    """Return the (row, column) pairs of one frame: tracks that go on first, then the best pairing of the rest."""
    columns = {int(track): column for column, track in enumerate(tracks)}
    pairs: list[tuple[int, int]] = []
    for row, object_ in enumerate(objects):
        column = columns.get(last.get(int(object_), -1))
        if column is not None and allowed[row, column]:
            pairs.append((row, column))
            del columns[int(tracks[column])]
    kept = {row for row, _ in pairs}
    rows, free = [row for row in range(len(objects)) if row not in kept], list(columns.values())
    return pairs + _best_pairs(rows, free, allowed, similarity)


def _best_pairs(
    rows: list[int], columns: list[int], allowed: np.ndarray, similarity: np.ndarray
) -> list[tuple[int, int]]:
    """Pair rows with columns: as many allowed pairs as possible, and among these the largest sum of overlaps."""
    block = np.ix_(rows, columns)
    # One more match is worth more than all overlaps together, so their number comes first.
    worth = np.where(allowed[block], similarity[block] + 2 * min(len(rows), len(columns)) + 1, 0)
    chosen = zip(*linear_sum_assignment(worth, maximize=True), strict=True)
    return [(rows[i], columns[j]) for i, j in chosen if worth[i, j] > 0]


def _interruptions(followed: list[bool]) -> int:
    """Count the holes between the first and the last frame where an object is followed."""
    if True not in followed:
        return 0
    first, last = followed.index(True), len(followed) - followed[::-1].index(True)
    life = np.array(followed[first:last])
    return int((life[:-1] & ~life[1:]).sum())


def _lives(history: list[list[bool]]) -> dict[str, int]:
    """Sort the objects by the share of their life during which they are followed."""
    shares = np.array([sum(life) / len(life) for life in history])
    tracked, lost = int((shares >= 0.8).sum()), int((shares < 0.2).sum())
    return {"mostly_tracked": tracked, "partly_tracked": len(shares) - tracked - lost, "mostly_lost": lost}
