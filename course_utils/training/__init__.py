"""What a training needs in a classroom: seeds, a live learning curve, a time budget, progress bars.

``LiveCurve`` and ``TimeBudget`` are Keras callbacks: Keras is imported only when one of them is first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from course_utils.training.progress import progress, timed
from course_utils.training.seeds import set_seed
from course_utils.training.summary import compact

if TYPE_CHECKING:
    from course_utils.training.callbacks import LiveCurve, TimeBudget

__all__ = ["LiveCurve", "TimeBudget", "compact", "progress", "set_seed", "timed"]

_CALLBACKS = {"LiveCurve", "TimeBudget"}


def __getattr__(name: str) -> Any:
    """Import Keras and its callbacks at their first use (PEP 562)."""
    if name in _CALLBACKS:
        from course_utils.training import callbacks

        return getattr(callbacks, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """List the callbacks too, for completion in Jupyter."""
    return sorted(__all__)
