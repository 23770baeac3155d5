"""YOLOv4, written to be read: a network is a backbone, a neck and heads, each made of short named functions.

- `heads`: `Head`, `Network`, ``decode``: from the numbers of a head to boxes in pixels;
- `blocks`: Mish, convolutions padded as Darknet pads them, residual, CSP, SPP, upsampling;
- `network`: ``yolov4`` and ``yolov4_tiny``, for any number of classes, width and input size;
- `folding`: batch normalisations folded into the convolutions, for speed;
- `letterboxing`: an image of any shape into the network's square, and boxes back;
- `detector`: `Detector`, boxes in the pixels of the participant's image;
- `targets`, `losses`, `mosaic`, `sets`, `training`: what training needs.

Every name is imported, and TensorFlow with it where it is needed, when it is first used.

References: YOLOv4 (Bochkovskiy, Wang and Liao, 2020, https://arxiv.org/abs/2004.10934); Scaled-YOLOv4 (Wang,
Bochkovskiy and Liao, 2021, https://arxiv.org/abs/2011.08036).
"""

from __future__ import annotations

import importlib
from typing import Any

_TOOLS: dict[str, tuple[str, ...]] = {
    "heads": ("Head", "Network", "decode", "decode_all"),
    "blocks": (),
    "network": ("yolov4", "yolov4_tiny"),
    "folding": ("fold",),
    "letterboxing": ("Letterbox", "letterbox"),
    "detector": ("Detector",),
    "targets": (),
    "losses": ("yolo_loss",),
    "mosaic": (),
    "sets": (),
    "training": ("fit",),
}

_HOMES = {name: module for module, names in _TOOLS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a module, a network or a tool when it is first used (PEP 562)."""
    if name in _TOOLS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the modules and the tools, for completion in Jupyter."""
    return sorted({*_TOOLS, *_HOMES})
