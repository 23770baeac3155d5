"""Trained detectors, by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from course_utils.models.pretrained import STAND_IN_DETECTOR, load_pretrained

if TYPE_CHECKING:
    from course_utils.detection.yolo.detector import Detector


def load_detector(
    name: str, *, download: bool | None = None, fallback: str | None = STAND_IN_DETECTOR, **options: Any
) -> Detector:
    """Return a trained detector, ready for images of any size.

    Parameters
    ----------
    name : str
        ``"street_yolo"`` (ours), ``"yolo_fastest"``, ``"yolo_fastest_xl"``, ``"yolov4_tiny"`` or ``"yolov4"``.
    download, fallback
        See `course_utils.models.load_pretrained`.
    **options
        See `course_utils.detection.yolo.Detector`: ``confidence``, ``nms_threshold``…

    Returns
    -------
    Detector

    Raises
    ------
    ValueError
        If the name is unknown, or is not a detector's.
    """
    return load_pretrained(name, download=download, fallback=fallback).detector(**options)
