"""In the plane: clouds of points, and the surface that an optimizer descends."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.charts import label_axes
from course_utils.plots.display import annotate
from course_utils.plots.style import CHARCOAL, GREY, MARKERS, YELLOW, axes_for, color, figure_of, number


def scatter(
    points: ArrayLike,
    labels: ArrayLike | None = None,
    *,
    class_names: Sequence[str] | None = None,
    centers: ArrayLike | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
    size: float | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw a cloud of points in the plane, a colour and a marker for each class.

    Parameters
    ----------
    points : array (N, 2)
        Coordinates.
    labels : int or str array (N,), optional
        Class or cluster of each point; -1 is drawn in grey, as « sans groupe ».
    class_names : sequence of str, optional
        Names of the classes 0, 1, …
    centers : array (K, 2), optional
        Centres of the classes, drawn as large crosses.
    xlabel, ylabel, title : str, optional
        Labels.
    size : float, optional
        Area of the points (points squared), chosen from N by default.
    ax, alt
        Axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If ``points`` is not (N, 2), N is 0, or the labels are not N.
    """
    array, classes = check_points(points, labels)
    ax = axes_for(ax, 6.8, 5.2)
    draw_points(ax, array, classes, class_names, size)
    if centers is not None:
        x, y = check_points(centers, None)[0].T
        ax.scatter(
            x,
            y,
            s=220,
            marker="X",
            color="white",
            edgecolors=CHARCOAL,
            linewidths=2,
            label="centres",
            zorder=4,
        )
    label_axes(ax, xlabel, ylabel, title)
    kinds = len(np.unique(classes))
    if labels is not None or centers is not None:
        class_legend(ax, kinds)
    default = f"Nuage de {len(array)} points{f' ({title})' if title else ''}"
    return annotate(figure_of(ax), alt, default + (f", {kinds} classes." if labels is not None else "."))


def draw_points(
    ax: Axes,
    points: NDArray[Any],
    classes: NDArray[Any],
    class_names: Sequence[str] | None = None,
    size: float | None = None,
) -> None:
    """Draw checked points in ``ax``, a colour, a marker and a legend entry for each class."""
    largest = int(classes.max()) if np.issubdtype(classes.dtype, np.integer) else 0
    if class_names is not None and largest >= len(class_names):
        raise ValueError(f"Une étiquette vaut {largest} pour {len(class_names)} noms de classes : donnez-les tous.")
    area = size or float(np.clip(16000 / len(points), 14, 60))
    for rank, kind in enumerate(np.unique(classes)):
        numbered = isinstance(kind, np.integer)
        index = int(kind) if numbered else rank
        if numbered and index < 0:
            name, ink = "sans groupe", GREY
        else:
            name = str(class_names[index]) if class_names is not None and numbered else str(kind)
            ink = color(index)
        x, y = points[classes == kind].T
        ax.scatter(
            x,
            y,
            s=area,
            color=ink,
            marker=MARKERS[index % len(MARKERS)],
            linewidths=0.5,
            label=name,
        )


def class_legend(ax: Axes, kinds: int) -> None:
    """Add the legend of :func:`draw_points`: beside the axes when there are many classes, its markers always large."""
    legend = ax.legend(**({"loc": "center left", "bbox_to_anchor": (1, 0.5)} if kinds > 5 else {}))
    for handle in legend.legend_handles:
        if isinstance(handle, PathCollection):
            handle.set_sizes([70])


def check_points(points: ArrayLike, labels: ArrayLike | None) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return checked points (N, 2) and labels (N,), zeros where there are none."""
    array = np.asarray(points, float)
    if array.ndim != 2 or array.shape[1] != 2 or not len(array):
        raise ValueError(
            f"Les points ont la forme {array.shape}, on attend (N, 2) avec N ≥ 1. "
            "Des données à plus de deux dimensions se projettent d’abord, par exemple par une ACP."
        )
    classes = np.zeros(len(array), int) if labels is None else np.asarray(labels)
    if classes.shape != (len(array),):
        raise ValueError(f"Les étiquettes ont la forme {classes.shape}, on attend ({len(array)},) : une par point.")
    if np.issubdtype(classes.dtype, np.floating) and (classes == np.round(classes)).all():
        classes = classes.astype(int)
    return array, classes


def surface(
    f: Callable[[NDArray[Any], NDArray[Any]], ArrayLike],
    xlim: tuple[float, float],
    ylim: tuple[float, float],
    *,
    paths: Mapping[str, ArrayLike] | None = None,
    minimum: tuple[float, float] | None = None,
    log: bool = False,
    levels: int = 18,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
    label: str = "coût",
    resolution: int = 160,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw the contour map of a function of two variables, and the paths of optimizers on it.

    Parameters
    ----------
    f : callable
        ``f(x, y)`` on two arrays of one shape, returns an array of that shape.
    xlim, ylim : (float, float)
        Ranges of the two variables.
    paths : dict {name: array (n, 2)}, optional
        Successive positions of each optimizer; a circle marks the start, a disc the end.
    minimum : (float, float), optional
        Place of a star.
    log : bool, default False
        Logarithmic levels, for a narrow valley; ``f`` must then be ≥ 0.
    levels : int, default 18
        Number of levels.
    xlabel, ylabel, title, label : str, optional
        Labels; ``label`` names the quantity beside the colour bar.
    resolution : int, default 160
        Points by side where ``f`` is computed.
    ax, alt
        Axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If ``f`` does not return an array of the shape of its arguments, or a path is not (n, 2).
    """
    x, y = np.meshgrid(np.linspace(*xlim, resolution), np.linspace(*ylim, resolution))
    z = np.asarray(f(x, y), float)
    if z.shape != x.shape:
        raise ValueError(
            f"f(x, y) renvoie la forme {z.shape} pour deux tableaux {x.shape} : elle doit calculer case par case. "
            "np.vectorize(f) convertit une fonction de deux nombres."
        )
    ax = axes_for(ax, 7.6, 5.2)
    norm, steps = _levels(z, levels, log)
    shown = ax.contourf(x, y, z, steps, norm=norm, cmap="Blues_r", extend="max" if not log else "both")
    ax.contour(x, y, z, steps, colors="white", linewidths=0.5, alpha=0.6)
    bar = figure_of(ax).colorbar(shown, ax=ax, fraction=0.05, pad=0.02, label=label)
    if log:
        powers = range(int(np.ceil(np.log10(steps[0]))), int(np.floor(np.log10(steps[-1]))) + 1)
        bar.set_ticks([10.0**k for k in powers])
    else:
        bar.locator = MaxNLocator(6)
    for index, (name, points) in enumerate((paths or {}).items()):
        path = np.asarray(points, float)
        if path.ndim != 2 or path.shape[1] != 2 or not len(path):
            raise ValueError(
                f"La trajectoire « {name} » a la forme {path.shape}, on attend (n, 2) : une position par pas."
            )
        _draw_path(ax, path, name, index)
    if minimum is not None:
        ax.plot(
            *minimum,
            marker="*",
            markersize=18,
            color=YELLOW,
            markeredgecolor=CHARCOAL,
            linestyle="none",
            label="minimum",
            zorder=5,
        )
    ax.set(xlim=xlim, ylim=ylim)
    ax.grid(False)
    label_axes(ax, xlabel, ylabel, title)
    if paths or minimum is not None:
        ax.legend(loc="best")
    default = f"{title or 'Lignes de niveau'} ({label} de {number(float(z.min()))} à {number(float(z.max()))})."
    for name, points in (paths or {}).items():
        path = np.asarray(points, float)
        end = f"({number(float(path[-1, 0]))} ; {number(float(path[-1, 1]))})"
        default += f" Trajectoire {name} : {len(path) - 1} pas, arrivée en {end}."
    return annotate(figure_of(ax), alt, default)


def _levels(z: NDArray[Any], count: int, log: bool) -> tuple[Normalize, NDArray[Any]]:
    finite = z[np.isfinite(z)]
    low, high = float(finite.min()), float(finite.max())
    if not log:
        return Normalize(low, high), np.linspace(low, high if high > low else low + 1, count + 1)
    if low < 0:
        raise ValueError(f"log=True demande une fonction positive, or elle descend à {number(low)}.")
    bottom = max(low, float(np.percentile(finite, 1)), high * 1e-6)
    return LogNorm(bottom, high), np.geomspace(bottom, high, count + 1)


def _draw_path(ax: Axes, path: NDArray[Any], name: str, index: int) -> None:
    # Blue is the map's own colour: paths start at the second colour of the palette.
    ink = color((1, 3, 6, 4, 2, 7)[index % 6])
    ax.plot(*path.T, color="white", linewidth=4.2, alpha=0.8)
    ax.plot(*path.T, color=ink, linewidth=2, marker="o", markersize=3.5, label=name)
    ax.plot(*path[0], marker="o", markersize=9, color="white", markeredgecolor=ink, markeredgewidth=2)
    ax.plot(*path[-1], marker="o", markersize=9, color=ink, markeredgecolor="white")
