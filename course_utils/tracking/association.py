"""Assignment: which detection continues which track."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import linear_sum_assignment


def assign(
    similarity: ArrayLike, threshold: float = 0.0, *, gate: bool = False
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Pair rows and columns so that the total similarity is the greatest (Kuhn's Hungarian algorithm, 1955).

    Parameters
    ----------
    similarity : (n, m) array
        Finite numbers; the greater, the better the pair. For a cost, give its opposite.
    threshold : float, default 0
        A pair whose similarity is lower is refused.
    gate : bool, default False
        False: the assignment is solved on everything, then bad pairs are refused (SORT). True: bad pairs are
        forbidden beforehand, so that they cannot deprive a good pair of its partner (ByteTrack).

    Returns
    -------
    pairs : (k, 2) int64
        Row and column of each pair, by row.
    rows, columns : int64 arrays
        Those left alone.

    Raises
    ------
    ValueError
        In French, when `similarity` is not a matrix of finite numbers.
    """
    scores = np.asarray(similarity, np.float64)
    if scores.ndim != 2 or not np.isfinite(scores).all():
        raise ValueError(
            f"assign attend une matrice de nombres finis, une ligne par piste et une colonne par détection ; reçu une "
            f"forme {scores.shape}{'' if np.isfinite(scores).all() else ', avec des NaN ou des infinis'}."
        )
    if gate:
        row, column = linear_sum_assignment(np.maximum(scores - threshold, 0.0), maximize=True)
    else:
        row, column = linear_sum_assignment(scores, maximize=True)
    good = scores[row, column] >= threshold
    row, column = row[good], column[good]
    alone = [np.ones(count, bool) for count in scores.shape]
    alone[0][row], alone[1][column] = False, False
    return np.column_stack([row, column]), np.flatnonzero(alone[0]), np.flatnonzero(alone[1])
