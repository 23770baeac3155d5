"""A training in one line of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from course_utils.plots.learning import loss_first, metric_name
from course_utils.plots.style import number


def compact(history: Any, *, decimals: int = 3) -> str:
    """Summarise a training by its last epoch.

    Parameters
    ----------
    history : History or dict {metric: list}
        What ``fit`` returned, from Keras or ``scratch``.
    decimals : int, default 3
        Digits after the comma.

    Returns
    -------
    str
        For example ``"5 époques · coût 0,112 · exactitude 0,966 · validation : coût 0,131, exactitude 0,961"``.

    Raises
    ------
    ValueError
        If nothing was recorded.
    """
    table = getattr(history, "history", history)
    if not isinstance(table, Mapping) or not table or not all(len(values) for values in table.values()):
        raise ValueError("compact n’a reçu aucune époque : donnez ce que renvoie fit, après au moins une époque.")
    epochs = len(next(iter(table.values())))
    return f"{epochs} époque{'s' if epochs > 1 else ''} · {last_values(table, decimals)}"


def last_values(table: Mapping[str, Any], decimals: int = 3) -> str:
    """Return the last value of each metric of ``table``, those of the validation set at the end."""
    texts = {
        key: f"{metric_name(key.removeprefix('val_'))} {number(float(table[key][-1]), decimals)}"
        for key in loss_first(table)
    }
    trained = [text for key, text in texts.items() if not key.startswith("val_")]
    validated = [text for key, text in texts.items() if key.startswith("val_")]
    return " · ".join([*trained, *(["validation\u00a0: " + ", ".join(validated)] if validated else [])])
