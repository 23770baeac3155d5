"""The famous convolutional networks, each written to be read: one file for each family, a block for each function.

``models.vgg16(input_shape=…, classes=…, activation=None)`` gives a Keras model (logits by default), and
``models.vgg`` is the file that holds it, with its blocks. Where a family bears the name of its network (`alexnet`,
`nin`, `efficientnet`), the file has the name: write ``models.alexnet.alexnet(…)``.

- `lenet`: ``lenet5`` (LeCun et al., 1998);
- `alexnet`: ``alexnet``, ``alexnet_small`` (Krizhevsky et al., 2012);
- `vgg`: ``vgg16``, ``vgg19``, ``vgg_small`` (Simonyan and Zisserman, 2014);
- `nin`: ``nin``, ``nin_small`` (Lin et al., 2013);
- `inception`: ``googlenet``, ``inception_v2``, ``inception_v3``, ``googlenet_small`` (Szegedy et al., 2014, 2015);
- `resnet`: ``resnet18``, ``resnet34``, ``resnet50``, ``resnet_cifar``, ``resnet_small`` (He et al., 2015);
- `resnet9`: ``resnet9`` (Page, 2018), in the file of its name;
- `densenet`: ``densenet121``, ``densenet_cifar``, ``densenet_small`` (Huang et al., 2016);
- `efficientnet`: ``efficientnet_b0`` … ``efficientnet_b7``, ``efficientnet``, ``efficientnet_small`` (Tan and
  Le, 2019).

``load_pretrained(name)`` gives a trained network, `PRETRAINED` the names, ``save_network`` writes one; ``table``,
``mega_flops`` and ``diagram`` look inside any Keras model. TensorFlow is imported when one of these is first used.
"""

from __future__ import annotations

import importlib
from typing import Any

FAMILIES: dict[str, tuple[str, ...]] = {
    "lenet": ("lenet5",),
    "alexnet": ("alexnet", "alexnet_small"),
    "vgg": ("vgg16", "vgg19", "vgg_small"),
    "nin": ("nin", "nin_small"),
    "inception": ("googlenet", "inception_v2", "inception_v3", "googlenet_small"),
    "resnet": ("resnet18", "resnet34", "resnet50", "resnet_cifar", "resnet_small"),
    "resnet9": ("resnet9",),
    "densenet": ("densenet121", "densenet_cifar", "densenet_small"),
    "efficientnet": (*(f"efficientnet_b{i}" for i in range(8)), "efficientnet", "efficientnet_small"),
}
"""Networks of each family; the family is the name of its module."""

_TOOLS = {
    "anatomy": ("diagram", "mega_flops", "table"),
    "pretrained": ("Pretrained", "load_pretrained", "save_network"),
    "official": ("PRETRAINED",),
}

_HOMES = {name: module for module, names in {**FAMILIES, **_TOOLS}.items() for name in names if name not in {*FAMILIES}}


def __getattr__(name: str) -> Any:
    """Import a family, a network or a tool when it is first used (PEP 562)."""
    if name in FAMILIES or name in _TOOLS:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the families, the networks and the tools, for completion in Jupyter."""
    return sorted({"FAMILIES", *FAMILIES, *_TOOLS, *_HOMES})
