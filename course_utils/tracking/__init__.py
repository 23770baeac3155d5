"""Multi-object tracking: from the boxes of a detector to trajectories, and from trajectories to behaviour.

- ``kalman``: ``KalmanFilter``, for any linear system, or for many at once; ``BoxFilter``, the seven-state filter of
  SORT; ``HeightFilter``, the eight-state filter of DeepSORT and ByteTrack;
- ``association``: ``assign``, who goes with whom (Hungarian algorithm);
- ``sort``: ``Sort`` (Bewley et al., 2016); ``bytetrack``: ``ByteTrack`` (Zhang et al., 2022);
- ``tracks``: ``Tracks``, what a tracker answers for a frame; ``run`` follows a whole video;
- ``appearance``: descriptors that tell objects apart by their looks;
- ``noise``: a detector simulated from the truth, with its misses and false alarms;
- ``behaviour``: trajectories, counting lines, speed, direction, stops, zones;
- ``drawing``: tracks on the frames of a video;
- ``metrics``: MOTA, MOTP, IDF1, HOTA, identity switches; ``video``: reading, writing and showing videos.

``tracking.Sort``, ``tracking.ByteTrack``, ``tracking.Tracks``, ``tracking.run`` and the modules are imported when they
are first used; none but ``appearance.Network`` needs TensorFlow.
"""

from __future__ import annotations

import importlib
from typing import Any

MODULES: tuple[str, ...] = (
    "appearance",
    "association",
    "behaviour",
    "bytetrack",
    "drawing",
    "kalman",
    "metrics",
    "noise",
    "sort",
    "tracks",
    "video",
)
"""One module for each subject."""

_HOMES = {
    "BoxFilter": "kalman",
    "HeightFilter": "kalman",
    "KalmanFilter": "kalman",
    "assign": "association",
    "Sort": "sort",
    "ByteTrack": "bytetrack",
    "Tracks": "tracks",
    "run": "tracks",
    "trajectories": "behaviour",
    "draw_tracks": "drawing",
}


def __getattr__(name: str) -> Any:
    """Import a module, or a name of one of them, when it is first used (PEP 562)."""
    if name in MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the modules and the names, for completion in Jupyter."""
    return sorted({"MODULES", *MODULES, *_HOMES})
