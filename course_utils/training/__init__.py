"""What a training needs in a classroom: seeds, a live learning curve, a time budget, progress bars, a fast recipe.

The callbacks (``LiveCurve``, ``TimeBudget``) and the recipe (``fit_fast``, ``fast_cnn``…) need Keras: it is imported
only when one of them is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from course_utils.training.progress import progress, timed
from course_utils.training.seeds import set_seed
from course_utils.training.summary import compact

if TYPE_CHECKING:
    from course_utils.training.callbacks import LiveCurve, TimeBudget
    from course_utils.training.recipe import batches, conv_bn, fast_cnn, fit_fast, warmup_cosine

__all__ = [
    "LiveCurve",
    "TimeBudget",
    "batches",
    "compact",
    "conv_bn",
    "fast_cnn",
    "fit_fast",
    "progress",
    "set_seed",
    "timed",
    "warmup_cosine",
]

_CALLBACKS = {"LiveCurve", "TimeBudget"}
_RECIPE = {"batches", "conv_bn", "fast_cnn", "fit_fast", "warmup_cosine"}


def __getattr__(name: str) -> Any:
    """Import Keras, its callbacks and the recipe at their first use (PEP 562)."""
    if name in _CALLBACKS:
        from course_utils.training import callbacks

        return getattr(callbacks, name)
    if name in _RECIPE:
        from course_utils.training import recipe

        return getattr(recipe, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the callbacks and the recipe too, for completion in Jupyter."""
    return sorted(__all__)
