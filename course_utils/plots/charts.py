"""Charts of numbers: lines, bars, distributions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.display import annotate
from course_utils.plots.style import CHARCOAL, axes_for, color, figure_of, number


def lines(
    x: ArrayLike | None,
    ys: Mapping[str, ArrayLike] | ArrayLike,
    *,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
    logx: bool = False,
    logy: bool = False,
    xlim: tuple[float, float] | None = None,
    ylim: tuple[float, float] | None = None,
    marker: str | None = None,
    dashed: Sequence[str] = (),
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw curves against one abscissa.

    Parameters
    ----------
    x : array (n,) or None
        Abscissa; None counts from 0.
    ys : dict {name: array (n,)} or array (n,)
        Curves; NaN leaves a hole.
    xlabel, ylabel, title : str, optional
        Labels.
    logx, logy : bool, default False
        Logarithmic axes.
    xlim, ylim : (float, float), optional
        Limits of the axes.
    marker : str, optional
        Matplotlib marker of each measured point, for instance ``"o"``.
    dashed : sequence of str, default ()
        Names of the curves to draw dashed.
    ax, alt
        Axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a curve and the abscissa have different lengths, or there is no curve.
    """
    series = dict(ys) if isinstance(ys, Mapping) else {"": ys}
    if not series:
        raise ValueError("lines a reçu un dictionnaire vide : donnez au moins une courbe, {nom : valeurs}.")
    ax = axes_for(ax, 7.5, 4.4)
    for index, (name, values) in enumerate(series.items()):
        y = np.asarray(values, float)
        abscissa = np.arange(y.size) if x is None else np.asarray(x)
        if y.ndim != 1 or abscissa.shape != y.shape:
            raise ValueError(
                f"La courbe « {name} » a la forme {y.shape} et x la forme {abscissa.shape} : "
                "on attend deux tableaux de même longueur."
            )
        ax.plot(
            abscissa,
            y,
            color=color(index),
            label=name or None,
            marker=marker,
            linestyle="--" if name in dashed else "-",
        )
    if logx:
        ax.set_xscale("log")
    if logy:
        ax.set_yscale("log")
    label_axes(ax, xlabel, ylabel, title)
    if xlim is not None:
        ax.set_xlim(xlim)
    if ylim is not None:
        ax.set_ylim(ylim)
    if any(series):
        ax.legend()
    names = ", ".join(filter(None, series))
    default = f"{title + '. ' if title else ''}Courbe{'s' if len(series) > 1 else ''} : {ylabel or 'valeur'}"
    default += f" selon {xlabel or 'le rang'}" + (f" ({names})" if names else "")
    return annotate(figure_of(ax), alt, default + ".")


def label_axes(ax: Axes, xlabel: str | None, ylabel: str | None, title: str | None) -> None:
    """Set the labels that are given."""
    if xlabel:
        ax.set_xlabel(xlabel)
    if ylabel:
        ax.set_ylabel(ylabel)
    if title:
        ax.set_title(title)


def bars(
    values: Mapping[str, Any],
    *,
    errors: Mapping[str, float] | None = None,
    xlabel: str | None = None,
    ylabel: str | None = None,
    title: str | None = None,
    decimals: int | None = None,
    highlight: Sequence[str] | str = (),
    ylim: tuple[float, float] | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Compare quantities with bars, each value written at the end of its bar.

    Parameters
    ----------
    values : dict {name: number} or {group: {name: number}}
        Quantities; with groups, bars of one name have one colour. Long names turn the chart on its side.
    errors : dict {name: number}, optional
        Half-length of the error bar of each quantity (no groups).
    xlabel, ylabel, title : str, optional
        ``xlabel`` names what is compared, ``ylabel`` the quantity.
    decimals : int, optional
        Digits after the comma of the values written; by default as many as the most precise one needs, at most three.
    highlight : str or sequence of str, default ()
        Names drawn in the accent colour (no groups).
    ylim : (float, float), optional
        Limits of the axis of the quantity, which starts at 0 by default.
    ax, alt
        Axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is nothing to compare, the groups do not hold the same names, or they come with ``errors`` or
        ``highlight``.
    """
    if not values:
        raise ValueError("bars a reçu un dictionnaire vide : donnez {nom : valeur}.")
    grouped = isinstance(next(iter(values.values())), Mapping)
    if grouped and (errors or highlight):
        raise ValueError("bars : errors et highlight ne valent que sans groupes, pour {nom : valeur}.")
    groups: dict[str, dict[str, float]] = (
        {str(g): {str(k): float(v) for k, v in table.items()} for g, table in values.items()}
        if grouped
        else {"": {str(k): float(v) for k, v in values.items()}}
    )
    names = list(next(iter(groups.values())))
    if any(list(table) != names for table in groups.values()):
        raise ValueError(f"bars : chaque groupe doit contenir les mêmes noms, dans le même ordre ({', '.join(names)}).")
    ticks = list(groups) if grouped else names
    flat = max(map(len, ticks)) * len(ticks) > 66
    count = len(names) * len(groups)
    ax = axes_for(ax, 8.0, 0.9 + 0.42 * count + 0.1 * len(groups) if flat else 4.4)
    if decimals is None:
        decimals = max(_decimals(v) for table in groups.values() for v in table.values())
    accents = {highlight} if isinstance(highlight, str) else set(highlight)
    _draw_bars(ax, groups, names, errors or {}, accents, decimals, flat)
    set_ticks, set_limits = (ax.set_yticks, ax.set_xlim) if flat else (ax.set_xticks, ax.set_ylim)
    set_ticks(range(len(ticks)), labels=ticks)
    if flat:
        ax.invert_yaxis()
    if ylim is not None:
        set_limits(ylim)
    ax.grid(False, axis="y" if flat else "x")
    label_axes(ax, ylabel if flat else xlabel, xlabel if flat else ylabel, title)
    if grouped:
        ax.legend()
    said = " ; ".join(
        f"{g + ' : ' if g else ''}" + ", ".join(f"{k} {number(v, decimals)}" for k, v in t.items())
        for g, t in groups.items()
    )
    return annotate(
        figure_of(ax), alt, f"Diagramme en barres{f' ({title or ylabel})' if title or ylabel else ''} : {said}."
    )


def _decimals(value: float) -> int:
    """Return how many digits after the comma show three significant digits of ``value``, at most three."""
    return next((d for d in range(3) if abs(round(value, d) - value) <= 5e-4 * abs(value)), 3)


def _draw_bars(
    ax: Axes,
    groups: dict[str, dict[str, float]],
    names: list[str],
    errors: Mapping[str, float],
    accents: set[str],
    decimals: int,
    flat: bool,
) -> None:
    grouped = groups.keys() != {""}
    thickness = 0.8 / len(names) if grouped else 0.68
    for rank, name in enumerate(names):
        heights = [table[name] for table in groups.values()]
        places = (
            [g + (rank - (len(names) - 1) / 2) * thickness for g in range(len(groups))] if grouped else [float(rank)]
        )
        ink = color(rank) if grouped else color(1) if name in accents else color(0)
        error = [errors[name]] if name in errors else None
        draw = ax.barh if flat else ax.bar
        whiskers: dict[str, Any] = (
            {"xerr" if flat else "yerr": error, "capsize": 5, "ecolor": CHARCOAL} if error else {}
        )
        drawn = draw(places, heights, thickness * 0.94, color=ink, label=name if grouped else None, **whiskers)
        ax.bar_label(drawn, [number(h, decimals) for h in heights], fontsize=11, padding=3)
    ax.margins(x=0.12 if flat else 0.03, y=0.03 if flat else 0.12)


def distribution(
    samples: Mapping[str, ArrayLike] | ArrayLike,
    *,
    bins: int = 40,
    xlabel: str | None = None,
    ylabel: str = "densité",
    title: str | None = None,
    curve: Callable[[NDArray[Any]], ArrayLike] | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw how numbers are distributed, as histograms of area 1 on the same bins.

    Parameters
    ----------
    samples : dict {name: array} or array
        Samples to compare, of any shape.
    bins : int, default 40
        Number of bins.
    xlabel, ylabel, title : str, optional
        Labels.
    curve : callable, optional
        Theoretical density, called on an array of abscissas.
    ax, alt
        Axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If a sample is empty or holds NaN or infinities.
    """
    series = dict(samples) if isinstance(samples, Mapping) else {"": samples}
    arrays = {name: np.asarray(values, float).ravel() for name, values in series.items()}
    for name, values in arrays.items():
        if not values.size or not np.isfinite(values).all():
            raise ValueError(f"distribution : l’échantillon « {name} » est vide ou contient des NaN ou des infinis.")
    if not arrays:
        raise ValueError("distribution a reçu un dictionnaire vide : donnez {nom : valeurs}.")
    ax = axes_for(ax, 7.5, 4.2)
    edges = np.histogram_bin_edges(np.concatenate(list(arrays.values())), bins).tolist()
    for index, (name, values) in enumerate(arrays.items()):
        ax.hist(
            values, edges, density=True, color=color(index), alpha=0.35 if len(arrays) > 1 else 0.7, edgecolor="none"
        )
        ax.hist(values, edges, density=True, histtype="step", color=color(index), linewidth=1.8, label=name or None)
    if curve is not None:
        grid = np.linspace(edges[0], edges[-1], 400)
        ax.plot(grid, np.asarray(curve(grid), float), color=CHARCOAL, label="théorie")
    label_axes(ax, xlabel, ylabel, title)
    if curve is not None or any(arrays):
        ax.legend()
    said = ", ".join(
        f"{name} (moyenne {number(float(v.mean()))}, écart-type {number(float(v.std()))})".strip()
        for name, v in arrays.items()
    )
    return annotate(figure_of(ax), alt, f"Histogramme. {f'{xlabel} : ' if xlabel else ''}{said}.")
