"""Learning curves, and the French names of what a training records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from course_utils.plots.display import annotate
from course_utils.plots.style import CHARCOAL, color, new_figure, number

METRICS = {
    "loss": "coût",
    "accuracy": "exactitude",
    "acc": "exactitude",
    "binary_accuracy": "exactitude",
    "categorical_accuracy": "exactitude",
    "sparse_categorical_accuracy": "exactitude",
    "precision": "précision",
    "recall": "rappel",
    "auc": "aire sous la courbe",
    "mae": "erreur absolue moyenne",
    "mean_absolute_error": "erreur absolue moyenne",
    "mse": "erreur quadratique moyenne",
    "mean_squared_error": "erreur quadratique moyenne",
    "learning_rate": "pas d’apprentissage",
}
"""French names of the metrics that Keras and ``scratch`` record."""


def metric_name(key: str) -> str:
    """Return the French name of a recorded metric; « (validation) » follows the ``val_`` ones."""
    if key.startswith("val_"):
        return f"{metric_name(key[4:])} (validation)"
    return METRICS.get(key, key.replace("_", " "))


def loss_first(table: Mapping[str, Any]) -> list[str]:
    """Return the recorded metrics in a stable order: the losses, then the others (Keras sorts them by name)."""
    return sorted(map(str, table), key=lambda name: name.removeprefix("val_") != "loss")


def curves(
    histories: Any,
    *,
    metrics: Sequence[str] | None = None,
    xlabel: str = "époque",
    ylabel: str | None = None,
    title: str | None = None,
    logy: bool = False,
    alt: str | None = None,
) -> Figure:
    """Draw learning curves, one panel for each metric: training solid, validation dashed, same colour.

    Parameters
    ----------
    histories : History, dict or dict of these
        What ``fit`` returned (Keras' ``History``, its ``.history``, or the dictionary of ``scratch``); or several runs
        to compare, ``{"SGD": history, "Adam": history}``; or one list for each, ``{"SGD": [0.9, 0.5], "Adam": [0.8]}``.
    metrics : sequence of str, optional
        Metrics to draw, for instance ``("loss",)``; all by default.
    xlabel, ylabel, title : str, optional
        Labels; the name of the metric in French is the default ``ylabel``.
    logy : bool, default False
        Logarithmic vertical axis.
    alt : str, optional
        Alternative text; by default the last value of each curve.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no curve, or a requested metric was not recorded.
    """
    runs = _runs(histories)
    recorded = loss_first({key.removeprefix("val_"): key for run in runs.values() for key in run})
    chosen = list(metrics) if metrics is not None else recorded
    missing = [metric for metric in chosen if metric not in recorded]
    if missing or not chosen:
        raise ValueError(
            f"Mesure inconnue : {', '.join(missing) or 'aucune demandée'}. Enregistrées : {', '.join(recorded)}."
        )
    fig = new_figure(6.6 if len(chosen) == 1 else min(11.0, 5.2 * len(chosen)), 4.2)
    said = []
    for index, (ax, metric) in enumerate(zip(np.atleast_1d(fig.subplots(1, len(chosen))), chosen, strict=True)):
        name = ylabel or (metric_name(metric) if metric else "valeur")
        said.append(f"{name} : {_draw_runs(ax, runs, metric)}")
        ax.set(xlabel=xlabel, ylabel=name, yscale="log" if logy else "linear")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        handles = _run_legend(runs, metric)
        if handles and (index == 0 or len(runs) == 1):
            ax.legend(handles=handles)
    if title:
        fig.suptitle(title, x=0.01, ha="left")
    return annotate(fig, alt, f"{title or 'Courbes d’apprentissage'}. " + ". ".join(said) + ".")


def _runs(histories: Any) -> dict[str, dict[str, NDArray[Any]]]:
    """Return {run: {metric: values}} from any of the accepted forms."""
    histories = getattr(histories, "history", histories)
    if not isinstance(histories, Mapping) or not histories:
        given = "un dictionnaire vide" if isinstance(histories, Mapping) else f"un objet {type(histories).__name__}"
        raise ValueError(f"curves a reçu {given} : donnez ce que renvoie fit, ou un dictionnaire {{nom : historique}}.")
    values: list[Any] = [getattr(value, "history", value) for value in histories.values()]
    runs: dict[str, Mapping[str, Any]]
    if all(isinstance(value, Mapping) for value in values):
        runs = dict(zip(map(str, histories), values, strict=True))
    elif any(isinstance(value, Mapping) for value in values):
        raise ValueError(
            "curves a reçu un mélange d’historiques et de listes : donnez l’un ou l’autre pour chaque nom."
        )
    elif any(key.removeprefix("val_") in METRICS for key in map(str, histories)):
        runs = {"": dict(histories)}
    else:
        runs = {str(name): {"": value} for name, value in histories.items()}
    arrays = {run: {str(key): np.asarray(v, float) for key, v in table.items()} for run, table in runs.items()}
    for run, table in arrays.items():
        for key, array in table.items():
            if array.ndim != 1 or not array.size:
                name = " ".join(filter(None, (run, key)))
                raise ValueError(f"« {name} » a la forme {array.shape} : on attend une valeur par époque.")
    return arrays


def _draw_runs(ax: Axes, runs: dict[str, dict[str, NDArray[Any]]], metric: str) -> str:
    """Draw one metric of every run, and return its last values in words."""
    said = []
    for index, (run, table) in enumerate(runs.items()):
        for key, dashes in ((metric, "-"), (f"val_{metric}", (0, (4, 2)))):
            if key not in table or (not metric and key != metric):
                continue
            values = table[key]
            epochs = np.arange(1, len(values) + 1)
            ax.plot(epochs, values, color=color(index), linestyle=dashes, marker="o", markevery=[-1])
            kind = " (validation)" if key.startswith("val_") else ""
            said.append(f"{run}{kind} {number(float(values[-1]))}".strip())
    return "dernière valeur " + ", ".join(said)


def _run_legend(runs: dict[str, dict[str, NDArray[Any]]], metric: str) -> list[Line2D]:
    validated = any(f"val_{metric}" in table for table in runs.values()) and bool(metric)
    handles = [Line2D([], [], color=color(i), label=run) for i, run in enumerate(runs) if run]
    if validated:
        ink = color(0) if len(runs) == 1 else CHARCOAL
        handles.append(Line2D([], [], color=ink, label="entraînement"))
        handles.append(Line2D([], [], color=ink, linestyle=(0, (4, 2)), label="validation"))
    return handles
