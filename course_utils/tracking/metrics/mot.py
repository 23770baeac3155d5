"""The files of MOTChallenge: truth, detections or tracks, one box a line (Leal-Taixé et al., 2015)."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np


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
