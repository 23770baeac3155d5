"""Identity scores: one track for each object, for the whole video (Ristani et al., 2016)."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.optimize import linear_sum_assignment

from course_utils.tracking.metrics.alignment import Alignment, check_threshold, ratio


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
    check_threshold(threshold)
    together = np.zeros((scene.n_objects, scene.n_tracks), int)
    for objects, tracks, similarity in scene.frames:
        together[np.ix_(objects, tracks)] += similarity >= threshold
    agreeing = together[linear_sum_assignment(together, maximize=True)].sum()
    of_objects, of_tracks = (lengths.sum() for lengths in scene.lengths())
    return {
        "idf1": ratio(2 * agreeing, of_objects + of_tracks),
        "idp": ratio(agreeing, of_tracks),
        "idr": ratio(agreeing, of_objects),
    }
