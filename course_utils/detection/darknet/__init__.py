"""Darknet's own files: the ``.cfg`` that describes a network and the ``.weights`` that fills it.

- `config`: ``parse_cfg`` reads the text into a `Config`, which can be changed (classes, input size) and written back;
- `planning`: ``plan`` works out every shape and every count from that text, by arithmetic alone, and finds its faults;
- `weights`: ``read_weights`` and ``write_weights``, byte for byte, after ``check_weights``;
- `building`: ``build`` makes the Keras network, padded, activated and upsampled as Darknet does it; ``load`` does all
  of it at once, from two files to a `Network`.

Families read: YOLOv3 and YOLOv4, their tiny and CSP versions, Yolo-Fastest. Source: https://github.com/AlexeyAB/darknet
(``src/parser.c``), public domain. TensorFlow is imported by
`building` only.
"""

from __future__ import annotations

import importlib
from typing import Any

_TOOLS: dict[str, tuple[str, ...]] = {
    "config": ("Config", "ConfigError", "Section", "parse_cfg"),
    "planning": ("Layer", "Plan", "plan"),
    "weights": ("Header", "check_weights", "read_weights", "write_weights"),
    "building": ("build", "load"),
}

_HOMES = {name: module for module, names in _TOOLS.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a tool when it is first used (PEP 562)."""
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    if name in _TOOLS:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the modules and the tools, for completion in Jupyter."""
    return sorted({*_TOOLS, *_HOMES})
