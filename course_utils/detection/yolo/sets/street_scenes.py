"""Scenes of the street world, whose truth is exact."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.detection.yolo.sets.examples import Examples

VEHICLES = {
    "voiture": ("car", "taxi"),
    "utilitaire": ("van", "lorry"),
    "bus": ("bus",),
    "deux-roues": ("bicycle", "motorcycle"),
}
"""Groups of `street` for a short training: what is large enough, in a small picture, to be learnt in a minute."""


def street(
    n: int,
    *,
    seed: int = 0,
    size: int = 160,
    textures: str | None = "train",
    groups: Mapping[str, Sequence[str]] | None = None,
    smallest: float = 0.0,
    hidden: float = 1.0,
    **controls: float | None,
) -> Examples:
    """Scenes of the street world.

    Parameters
    ----------
    n : int
        Number of scenes.
    seed : int
        Two seeds share no scene.
    size : int
        Side of the images, in pixels.
    textures : "train", "test" or None
        Pool of photographs from which surfaces are made; the two have none in common.
    groups : mapping of str to sequence of str, optional
        Names of the classes to learn, and the street's classes (identifiers of ``street.CLASSES``) that each gathers;
        objects of no group are left out of the truth. Default: the ten classes, under their French names.
    smallest : float
        Objects with a side below this, in pixels, are marked as ignored.
    hidden : float
        Objects of which more than this share is hidden are marked as ignored.
    **controls
        ``density``, ``occlusion``, ``night``, ``rain``… of `course_utils.data.street.dataset`.

    Raises
    ------
    ValueError
        If a group names a class that does not exist, or two groups the same.
    """
    from course_utils.data import street as world

    if groups is None:
        groups = dict(zip(world.CLASS_NAMES, ((kind,) for kind in world.CLASSES), strict=True))
    rank = _ranks(groups, world.CLASSES)
    scenes: Any = world.dataset(n, seed=seed, size=size, textures=textures, **controls)  # type: ignore[arg-type]
    boxes, classes, ignored = [], [], []
    for b, c, o in zip(scenes.boxes, scenes.classes, scenes.occlusion, strict=True):
        kept = rank[c] >= 0
        boxes.append(b[kept])
        classes.append(rank[c][kept])
        ignored.append((((b[:, 2:] - b[:, :2]).min(axis=1, initial=np.inf) < smallest) | (o > hidden))[kept])
    return Examples(scenes.pixels, tuple(boxes), tuple(classes), tuple(ignored), tuple(groups), f"rue, graine {seed}")


def _ranks(groups: Mapping[str, Sequence[str]], known: Sequence[str]) -> NDArray[np.int64]:
    """Number of the group of each of the street's classes, −1 for those of none."""
    rank = np.full(len(known), -1, np.int64)
    for k, (name, members) in enumerate(groups.items()):
        for member in members:
            if member not in known or rank[known.index(member)] >= 0:
                raise ValueError(
                    f"Groupe « {name} » : « {member} » n'est pas une classe de la rue ou est déjà ailleurs. "
                    f"Classes : {', '.join(known)}."
                )
            rank[known.index(member)] = k
    return rank
