"""All the scores of a tracking, together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from course_utils.plots.style import number
from course_utils.tracking.metrics.alignment import align
from course_utils.tracking.metrics.clear_mot import clear
from course_utils.tracking.metrics.hota_curves import hota
from course_utils.tracking.metrics.identity_f1 import identity


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
