"""Object detection, each idea in a file that can be read: boxes, suppression, scores, Darknet, YOLOv4.

Boxes are everywhere ``(x1, y1, x2, y2)`` in pixels. Rooms:

- `boxes`: formats, IoU, GIoU, DIoU, CIoU with NumPy; `boxes_tf`: the same with gradients, for losses;
- `nms`: non-maximum suppression, greedy, DIoU, soft; `nms_tf`: the same inside a ``tf.function``;
- `metrics`: precision and recall, average precision, mAP as PASCAL VOC and COCO define it;
- `anchors`: reference boxes found by k-means;
- `results`: what a detector gives back (``Detections``);
- `coco`: the eighty classes of COCO;
- `darknet`: the official ``.cfg`` and ``.weights`` files, read and written;
- `yolo`: YOLOv4 and YOLOv4-tiny, from the blocks to the training;
- `loading`: ``load_detector(name)``, trained detectors.

A room is imported when it is first used; TensorFlow comes with those that need it.
"""

from __future__ import annotations

import importlib
from typing import Any

ROOMS = ("anchors", "boxes", "boxes_tf", "coco", "darknet", "loading", "metrics", "nms", "nms_tf", "results", "yolo")
"""Modules and packages of this folder."""

_HOMES = {"Detections": "results", "load_detector": "loading"}


def __getattr__(name: str) -> Any:
    """Import a room when it is first used (PEP 562)."""
    if name in ROOMS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the rooms, for completion in Jupyter."""
    return sorted({"ROOMS", *ROOMS, *_HOMES})
