"""How good is a tracking? Three families of scores, each looking at another way of being wrong.

- CLEAR MOT (Bernardin and Stiefelhagen, 2008) follows each object frame by frame and counts the accidents: misses,
  false alarms, identity switches. ``MOTA`` adds them up; it is mostly a score of detection.
- Identity scores (Ristani et al., 2016) pair each object with one track for the whole video: ``IDF1`` says how long
  each object bears the same name.
- ``HOTA`` (Luiten et al., 2020) is the geometric mean of a score of detection, ``DetA``, and of a score of association,
  ``AssA``, averaged over 19 demands on the overlap.

`evaluate` gives them all; `align`, `clear`, `identity` and `hota` are its four steps. A quotient whose denominator is 0
is 0 (``LocA``: 1), as in TrackEval: a video without truth, or without track, has scores.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from course_utils.detection.boxes import iou
from course_utils.plots.style import number

ALPHAS = np.arange(0.05, 0.99, 0.05)
"""The 19 overlaps over which HOTA is averaged."""

_EPSILON = np.finfo(float).eps


class MotFrame(NamedTuple):
    """What a MOTChallenge file says of one frame.

    Attributes
    ----------
    ids : ndarray (n,) int64
        Identities; −1 in a file of detections.
    boxes : ndarray (n, 4) float64
        ``(x1, y1, x2, y2)`` in pixels.
    scores : ndarray (n,) float64
        Seventh column: confidence of a detection, 1 or 0 (to be ignored) in a truth; 1 when the file has six columns.
    """

    ids: np.ndarray
    boxes: np.ndarray
    scores: np.ndarray


@dataclass(frozen=True)
class Alignment:
    """Truth and tracks face to face, identities renumbered from 0.

    Attributes
    ----------
    frames : tuple of (truth, tracks, overlaps)
        For each frame: indices of the objects present (n,), of the tracks present (m,), and their IoU (n, m).
    n_objects, n_tracks : int
        Number of identities in the truth, and among the tracks.
    """

    frames: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...]
    n_objects: int
    n_tracks: int

    def lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the number of frames where each object, and each track, is present."""
        present = [np.concatenate([frame[side] for frame in self.frames] or [np.empty(0, int)]) for side in (0, 1)]
        objects, tracks = present
        return np.bincount(objects, minlength=self.n_objects), np.bincount(tracks, minlength=self.n_tracks)


@dataclass(frozen=True)
class Scores:
    """Scores of a tracking; ``print(scores)`` reads as a sentence.

    Attributes
    ----------
    mota : float
        1 − (misses + false alarms + switches) / objects; at most 1, negative when accidents outnumber objects.
    motp : float
        Mean IoU of the matched boxes, in [0, 1] (py-motmetrics gives 1 − this).
    idf1, idp, idr : float
        Identity F1, precision and recall, in [0, 1].
    hota, det_a, ass_a, loc_a : float
        HOTA, its detection, association and localisation parts, in [0, 1].
    id_switches, fragmentations : int
        Times an object changes track; times it is lost, and found again later.
    fp, fn : int
        Boxes of tracks without an object; objects without a track.
    mostly_tracked, partly_tracked, mostly_lost : int
        Objects followed during at least 80 % of their life, between 20 and 80 %, less than 20 %.
    n_boxes, n_objects, n_tracks, n_frames : int
        Boxes and identities of the truth, identities of the tracks, frames.
    """

    mota: float
    motp: float
    idf1: float
    idp: float
    idr: float
    hota: float
    det_a: float
    ass_a: float
    loc_a: float
    id_switches: int
    fragmentations: int
    fp: int
    fn: int
    mostly_tracked: int
    partly_tracked: int
    mostly_lost: int
    n_boxes: int
    n_objects: int
    n_tracks: int
    n_frames: int

    def __str__(self) -> str:
        """Return two lines in French."""
        rates = (("MOTA", self.mota), ("IDF1", self.idf1), ("HOTA", self.hota), ("MOTP", self.motp))
        counts = (
            (self.n_boxes, "boîte{s} vraie{s}"),
            (self.fn, "manquée{s}"),
            (self.fp, "fausse{s} alerte{s}"),
            (self.id_switches, "changement{s} d'identité"),
            (self.fragmentations, "interruption{s}"),
        )
        return "\n".join(
            [
                "  ".join(f"{name} {number(value, 3)}" for name, value in rates),
                ", ".join(f"{number(count)} {words.format(s='s' * (count > 1))}" for count, words in counts),
            ]
        )


def evaluate(truth: Sequence[Any], predicted: Sequence[Any], *, threshold: float = 0.5) -> Scores:
    """Score a tracking against the truth.

    Parameters
    ----------
    truth, predicted : sequence, one item per frame
        An item is ``(ids, boxes)``, or an object with ``boxes`` and ``ids`` (or ``track_ids``: a street scene).
    threshold : float, default 0.5
        IoU from which a box may be matched, for CLEAR MOT and identity scores; HOTA has its own.

    Returns
    -------
    Scores

    Raises
    ------
    ValueError
        In French: different numbers of frames, an identity twice in a frame, boxes of another shape, threshold outside
        (0, 1].
    """
    scene = align(truth, predicted)
    curves: dict[str, Any] = {name: float(curve.mean()) for name, curve in hota(scene).items()}
    return Scores(
        **clear(scene, threshold=threshold),
        **identity(scene, threshold=threshold),
        **curves,
        n_boxes=int(scene.lengths()[0].sum()),
        n_objects=scene.n_objects,
        n_tracks=scene.n_tracks,
        n_frames=len(scene.frames),
    )


# --- Truth and tracks face to face --------------------------------------------------------------------------------


def align(truth: Sequence[Any], predicted: Sequence[Any]) -> Alignment:
    """Put truth and tracks face to face: identities renumbered from 0, overlaps of every pair of boxes.

    Parameters and errors as for `evaluate`.
    """
    if len(truth) != len(predicted):
        raise ValueError(
            f"La vérité compte {len(truth)} image(s), le suivi {len(predicted)} : donnez une entrée par image, "
            "([], []) pour une image vide."
        )
    objects = [_read(frame, "vérité", index) for index, frame in enumerate(truth)]
    tracks = [_read(frame, "suivi", index) for index, frame in enumerate(predicted)]
    object_ids, track_ids = _identities(objects), _identities(tracks)
    frames = tuple(
        (np.searchsorted(object_ids, here[0]), np.searchsorted(track_ids, there[0]), iou(here[1], there[1]))
        for here, there in zip(objects, tracks, strict=True)
    )
    return Alignment(frames, len(object_ids), len(track_ids))


def _read(frame: Any, side: str, index: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the identities (n,) and the boxes (n, 4) of one frame, checked."""
    where = f"image {index} ({side})"
    if hasattr(frame, "boxes"):
        ids, boxes = getattr(frame, "ids", getattr(frame, "track_ids", None)), frame.boxes
    elif isinstance(frame, (tuple, list)) and len(frame) >= 2:
        ids, boxes = frame[0], frame[1]
    else:
        raise ValueError(f"{where} : on attend un couple (ids, boxes), pas {type(frame).__name__}.")
    ids, boxes = np.asarray(ids).reshape(-1), np.asarray(boxes, np.float64)
    boxes = boxes.reshape(0, 4) if boxes.size == 0 else boxes
    if boxes.shape != (len(ids), 4):
        raise ValueError(f"{where} : {len(ids)} identités et des boîtes {boxes.shape}, on attend (n,) et (n, 4).")
    if len(np.unique(ids)) < len(ids):
        repeated = next(one for one in ids.tolist() if (ids == one).sum() > 1)
        advice = " : ce sont des détections, suivez-les d'abord" if repeated == -1 else ""
        raise ValueError(f"{where} : l'identité {repeated} apparaît plusieurs fois{advice}.")
    return ids, boxes


def _identities(frames: list[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:
    """Return the sorted identities of all frames."""
    return np.unique(np.concatenate([ids for ids, _ in frames if len(ids)] or [np.empty(0, int)]))


def _check(threshold: float) -> None:
    if not 0 < threshold <= 1:
        raise ValueError(f"threshold = {threshold} : on attend un recouvrement (IoU), plus de 0 et au plus 1.")


def _ratio(part: float, whole: float) -> float:
    """Divide, and give 0 when there is nothing to divide by."""
    return float(part / whole) if whole else 0.0


# --- CLEAR MOT ----------------------------------------------------------------------------------------------------


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
        ``mota, motp, id_switches, fragmentations, fp, fn, mostly_tracked, partly_tracked, mostly_lost``: see `Scores`.
    """
    _check(threshold)
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
        "motp": _ratio(overlaps, found),
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


# --- Identity -----------------------------------------------------------------------------------------------------


def identity(scene: Alignment, *, threshold: float = 0.5) -> dict[str, Any]:
    """Pair each object with one track for the whole video, and count the boxes that agree (Ristani et al., 2016).

    Parameters
    ----------
    scene : Alignment
    threshold : float, default 0.5
        IoU from which two boxes agree.

    Returns
    -------
    dict
        ``idf1, idp, idr``: 2·IDTP / (objects' boxes + tracks' boxes), IDTP / tracks' boxes, IDTP / objects' boxes.
    """
    _check(threshold)
    together = np.zeros((scene.n_objects, scene.n_tracks), int)
    for objects, tracks, similarity in scene.frames:
        together[np.ix_(objects, tracks)] += similarity >= threshold
    agreeing = together[linear_sum_assignment(together, maximize=True)].sum()
    of_objects, of_tracks = (lengths.sum() for lengths in scene.lengths())
    return {
        "idf1": _ratio(2 * agreeing, of_objects + of_tracks),
        "idp": _ratio(agreeing, of_tracks),
        "idr": _ratio(agreeing, of_objects),
    }


# --- HOTA ---------------------------------------------------------------------------------------------------------


def hota(scene: Alignment) -> dict[str, np.ndarray]:
    """Give HOTA and its parts for each of the 19 overlaps α of `ALPHAS` (Luiten et al., 2020).

    Parameters
    ----------
    scene : Alignment

    Returns
    -------
    dict of ndarray (19,) float64
        ``hota`` = √(det_a · ass_a); ``det_a`` = TP / (TP + FN + FP); ``ass_a``, mean over the TP of the same quotient
        between the two lives of the pair; ``loc_a``, mean IoU of the TP. The published figures are the means.
    """
    objects, tracks, overlaps = _hota_pairs(scene)
    of_objects, of_tracks = scene.lengths()
    curves: dict[str, list[float]] = {"hota": [], "det_a": [], "ass_a": [], "loc_a": []}
    for alpha in ALPHAS:
        kept = overlaps >= alpha - _EPSILON
        tp = int(kept.sum())
        det_a = _ratio(tp, int(of_objects.sum() + of_tracks.sum()) - tp)
        ass_a = _association(objects[kept], tracks[kept], of_objects, of_tracks)
        curves["det_a"].append(det_a)
        curves["ass_a"].append(ass_a)
        curves["hota"].append(math.sqrt(det_a * ass_a))
        curves["loc_a"].append(float(overlaps[kept].mean()) if tp else 1.0)
    return {name: np.array(values) for name, values in curves.items()}


def _hota_pairs(scene: Alignment) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair boxes frame by frame, favouring pairs that agree over the video: objects, tracks and IoU of all pairs."""
    alignment = _global_alignment(scene)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for objects, tracks, similarity in scene.frames:
        rows, columns = linear_sum_assignment(alignment[np.ix_(objects, tracks)] * similarity, maximize=True)
        found.append((objects[rows], tracks[columns], similarity[rows, columns]))
    if not found:
        return np.empty(0, int), np.empty(0, int), np.empty(0)
    objects, tracks, overlaps = (np.concatenate(part) for part in zip(*found, strict=True))
    return objects, tracks, overlaps


def _global_alignment(scene: Alignment) -> np.ndarray:
    """Return how much each object and each track agree over the whole video, in [0, 1] (a soft Jaccard index)."""
    shared = np.zeros((scene.n_objects, scene.n_tracks))
    for objects, tracks, similarity in scene.frames:
        rivals = similarity.sum(0)[None] + similarity.sum(1)[:, None] - similarity
        shared[np.ix_(objects, tracks)] += np.where(rivals > _EPSILON, similarity / np.maximum(rivals, _EPSILON), 0)
    of_objects, of_tracks = scene.lengths()
    return shared / (of_objects[:, None] + of_tracks - shared)


def _association(objects: np.ndarray, tracks: np.ndarray, of_objects: np.ndarray, of_tracks: np.ndarray) -> float:
    """Return the mean over the matches of TPA / (TPA + FNA + FPA)."""
    if not len(objects):
        return 0.0
    together = np.zeros((len(of_objects), len(of_tracks)))
    np.add.at(together, (objects, tracks), 1)
    jaccard = together / (of_objects[:, None] + of_tracks - together)
    return float((together * jaccard).sum() / len(objects))


# --- MOTChallenge files -------------------------------------------------------------------------------------------


def read_mot(
    path: str | os.PathLike[str], *, n_frames: int | None = None, min_score: float | None = None
) -> list[MotFrame]:
    """Read a MOTChallenge text file: truth, detections or tracks.

    A line is ``frame, id, left, top, width, height[, score, …]``, frames counted from 1; coordinates stay as written.

    Parameters
    ----------
    path : path
    n_frames : int, optional
        Length of the video; by default the last frame of the file.
    min_score : float, optional
        Leave out lines with a smaller seventh column: 1 for a truth that marks with 0 what is to be ignored.

    Returns
    -------
    list of MotFrame
        Item 0 is frame 1; a frame without a line is empty.

    Raises
    ------
    FileNotFoundError, ValueError
        In French, with the number of the line: a number that lacks or cannot be read, a box without area, a bad frame.
    """
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"Le fichier « {path} » n'existe pas : vérifiez son nom et son dossier.")
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"« {path.name} » n'est pas un fichier texte : on attend un fichier MOTChallenge.") from error
    rows = np.array(list(_mot_rows(text, path.name))).reshape(-1, 7)
    last = int(rows[:, 0].max()) if len(rows) else 0
    if n_frames is not None and last > n_frames:
        raise ValueError(f"« {path.name} » parle de l'image {last}, et n_frames = {n_frames}.")
    if min_score is not None:
        rows = rows[rows[:, 6] >= min_score]
    return [_mot_frame(rows[rows[:, 0] == frame]) for frame in range(1, (n_frames or last) + 1)]


def _mot_rows(text: str, name: str) -> Iterator[tuple[float, ...]]:
    """Yield (frame, id, left, top, width, height, score) for each line that is not empty."""
    for index, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        fields = [field.strip() for field in line.split(",")]
        where = f"« {name} », ligne {index} : « {line.strip()[:60]} »"
        if len(fields) < 6:
            raise ValueError(f"{where} a {len(fields)} nombres, on attend image, id, gauche, haut, largeur, hauteur.")
        try:
            values = [float(field) for field in (*fields[:6], fields[6] if len(fields) > 6 else "1")]
        except ValueError:
            raise ValueError(f"{where} : on attend des nombres séparés par des virgules.") from None
        if not all(map(math.isfinite, values)):
            raise ValueError(f"{where} : un nombre n'est pas fini.")
        if values[0] != int(values[0]) or values[0] < 1 or values[1] != int(values[1]):
            raise ValueError(f"{where} : l'image (à partir de 1) et l'identité sont des entiers.")
        if values[4] <= 0 or values[5] <= 0:
            raise ValueError(f"{where} : la largeur et la hauteur sont positives.")
        yield tuple(values)


def _mot_frame(rows: np.ndarray) -> MotFrame:
    corners = np.concatenate([rows[:, 2:4], rows[:, 2:4] + rows[:, 4:6]], axis=1)
    return MotFrame(rows[:, 1].astype(np.int64), corners, rows[:, 6].copy())
