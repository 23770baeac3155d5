"""What a classifier does: its confusion matrix, its decision regions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.display import annotate
from course_utils.plots.plane import check_points, class_legend, draw_points
from course_utils.plots.style import axes_for, color, figure_of, ink_on, number


def confusion(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    class_names: Sequence[str] | None = None,
    *,
    normalize: bool = False,
    title: str | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw a confusion matrix: true classes in lines, predicted classes in columns.

    Parameters
    ----------
    y_true, y_pred : int array (N,)
        True and predicted classes.
    class_names : sequence of str, optional
        Names of the classes 0, 1, …; the numbers themselves by default.
    normalize : bool, default False
        Write the percentage of the line instead of the number of images. The colour always follows the percentage, so
        that rare classes remain readable.
    title, ax, alt
        Title, axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the two arrays are empty, of different lengths, not integers, or exceed ``class_names``.
    """
    true, predicted = _classes(y_true, "y_true"), _classes(y_pred, "y_pred")
    if len(true) != len(predicted):
        raise ValueError(f"y_true contient {len(true)} classes et y_pred {len(predicted)} : il en faut autant.")
    size = len(class_names) if class_names is not None else int(max(true.max(), predicted.max())) + 1
    if max(true.max(), predicted.max()) >= size or min(true.min(), predicted.min()) < 0:
        raise ValueError(
            f"Une classe vaut {max(true.max(), predicted.max())} pour {size} noms : on attend 0 à {size - 1}."
        )
    names = [str(name) for name in (class_names if class_names is not None else range(size))]
    counts = np.zeros((size, size), int)
    np.add.at(counts, (true, predicted), 1)
    totals = counts.sum(axis=1, keepdims=True)
    rates = counts / np.maximum(totals, 1)
    ax = _draw_matrix(counts, rates, names, normalize, ax)
    if title:
        ax.set_title(title)
    return annotate(figure_of(ax), alt, _described(counts, rates, names))


def _classes(values: ArrayLike, name: str) -> NDArray[np.int64]:
    array = np.asarray(values)
    if array.ndim != 1 or not array.size:
        advice = (
            "Prenez d’abord la classe la plus probable : .argmax(axis=1)." if array.ndim == 2 else "Vérifiez sa forme."
        )
        raise ValueError(f"{name} a la forme {array.shape}, on attend (N,) avec N ≥ 1. {advice}")
    if not np.issubdtype(array.dtype, np.integer) and not (array.dtype != object and (array == np.round(array)).all()):
        raise ValueError(f"{name} contient des {array.dtype}, on attend des numéros de classes entiers.")
    return array.astype(np.int64)


def _draw_matrix(
    counts: NDArray[np.int64], rates: NDArray[Any], names: list[str], normalize: bool, ax: Axes | None
) -> Axes:
    size = len(names)
    longest = max(map(len, names))
    side = float(np.clip(5.6 / size, 0.5, 1.0))
    ax = axes_for(ax, size * side + 1.0 + 0.1 * longest, size * side + (1.0 if longest <= 6 else 0.6 + 0.08 * longest))
    rgb = colormaps["Blues"](0.95 * rates**0.6)[:, :, :3]
    ax.imshow(rgb)
    for i in range(size):
        for j in range(size):
            text = f"{number(100 * rates[i, j], 0)}" if normalize else f"{counts[i, j]:d}"
            ink = "#B0B0B0" if counts[i, j] == 0 else ink_on(rgb[i, j])
            ax.text(
                j,
                i,
                text,
                ha="center",
                va="center",
                fontsize=11.5,
                color=ink,
                fontweight="bold" if i == j else "normal",
            )
    slanted: dict[str, Any] = {"rotation": 40, "ha": "right", "rotation_mode": "anchor"} if longest > 6 else {}
    ax.set_xticks(range(size), labels=names, **slanted)
    ax.set_yticks(range(size), labels=names)
    ax.set(xlabel="classe prédite", ylabel="vraie classe" + (" (% de la ligne)" if normalize else ""))
    ax.tick_params(length=0)
    ax.grid(False)
    ax.spines[:].set_visible(False)
    return ax


def _described(counts: NDArray[np.int64], rates: NDArray[Any], names: list[str]) -> str:
    accuracy = np.trace(counts) / counts.sum()
    text = f"Matrice de confusion de {len(names)} classes sur {counts.sum()} exemples, "
    text += f"exactitude {number(100 * accuracy, 1)} %"
    errors = counts - np.diag(np.diag(counts))
    if not errors.any():
        return text + " : aucune erreur."
    i, j = np.unravel_index(np.argmax(errors), errors.shape)
    return text + f" ; confusion la plus fréquente : {names[i]} pris pour {names[j]} ({errors[i, j]} fois)."


def decision(
    predict: Callable[[NDArray[np.float32]], ArrayLike],
    X: ArrayLike,
    y: ArrayLike,
    *,
    class_names: Sequence[str] | None = None,
    resolution: int = 160,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw the regions where a classifier of the plane answers each class, and the points it learned from.

    Parameters
    ----------
    predict : callable
        Takes points (M, 2) float32, returns class numbers (M,) int, or probabilities (M, K), or the probability of
        class 1, (M,) or (M, 1) float in [0, 1]. With probabilities the tint fades where the classifier hesitates.
    X : array (N, 2)
        Points.
    y : int array (N,)
        Their classes, from 0.
    class_names : sequence of str, optional
        Names of the classes.
    resolution : int, default 160
        Points by side where ``predict`` is computed, in a single call.
    xlabel, ylabel, title, ax, alt
        Labels, axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the shapes are wrong, or ``predict`` returns something else.
    """
    points, classes = check_points(X, y)
    margin = 0.08 * np.ptp(points, axis=0) + 1e-6
    (x0, y0), (x1, y1) = points.min(axis=0) - margin, points.max(axis=0) + margin
    grid_x, grid_y = np.meshgrid(np.linspace(x0, x1, resolution), np.linspace(y0, y1, resolution))
    labels, certainty = _answers(
        predict(np.stack([grid_x.ravel(), grid_y.ravel()], axis=1).astype(np.float32)), resolution**2
    )
    inks = np.array([to_rgb(color(k)) for k in range(int(labels.max()) + 1)])
    strength = (0.12 + 0.33 * certainty)[:, None]
    rgb = (1 - strength + strength * inks[labels]).reshape(resolution, resolution, 3)
    ax = axes_for(ax, 6.8, 5.2)
    ax.imshow(rgb, extent=(x0, x1, y0, y1), origin="lower", aspect="auto", interpolation="bilinear")
    regions = labels.reshape(resolution, resolution)
    for k in np.unique(labels)[1:] if len(np.unique(labels)) > 2 else np.unique(labels)[:1]:
        ax.contour(grid_x, grid_y, (regions == k).astype(float), [0.5], colors="#3B3B3B", linewidths=1)
    draw_points(ax, points, classes, class_names)
    class_legend(ax, len(np.unique(classes)))
    ax.set(xlim=(x0, x1), ylim=(y0, y1), xlabel=xlabel or "", ylabel=ylabel or "")
    ax.set_title(title or "")
    ax.grid(False)
    share = [
        f"{class_names[k] if class_names is not None else k} {number(100 * float((labels == k).mean()), 0)} %"
        for k in np.unique(labels)
    ]
    default = f"Régions de décision{f' ({title})' if title else ''} et {len(points)} points ; "
    return annotate(figure_of(ax), alt, f"{default}part du plan : {', '.join(share)}.")


def _answers(output: ArrayLike, count: int) -> tuple[NDArray[np.int64], NDArray[Any]]:
    """Return the class (count,) and the certainty (count,) in [0, 1] of each answer of ``predict``."""
    values = np.asarray(output)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.shape[:1] != (count,) or values.ndim > 2:
        raise ValueError(
            f"predict renvoie la forme {np.shape(output)} pour {count} points : on attend ({count},) ou ({count}, K)."
        )
    if not np.isfinite(values).all():
        raise ValueError("predict renvoie des NaN ou des infinis.")
    if values.ndim == 2:
        positive = values - np.minimum(values.min(axis=1, keepdims=True), 0)
        shares = positive / np.maximum(positive.sum(axis=1, keepdims=True), 1e-12)
        k = values.shape[1]
        return values.argmax(axis=1), np.clip((shares.max(axis=1) - 1 / k) / (1 - 1 / k), 0, 1)
    if (values == np.round(values)).all():
        return values.astype(np.int64), np.ones(count)
    if values.min() < 0 or values.max() > 1:
        raise ValueError(
            f"predict renvoie des nombres de {number(float(values.min()))} à {number(float(values.max()))} : "
            "on attend des numéros de classes entiers ou des probabilités dans [0, 1]."
        )
    return (values > 0.5).astype(np.int64), np.abs(2 * values - 1)
