"""Diagrams of networks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.display import annotate
from course_utils.plots.style import BLUE, CHARCOAL, VERMILLION, axes_for, figure_of, ink_on, number

_SHOWN = 6  # neurons of a layer that are drawn; beyond, three dots stand for the others


def network(
    sizes: Sequence[int],
    *,
    names: Sequence[str] | None = None,
    values: Sequence[ArrayLike] | None = None,
    weights: Sequence[ArrayLike] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw a dense network: neurons in columns, connections between them.

    Parameters
    ----------
    sizes : sequence of int
        Number of neurons of each layer, input first: ``[2, 3, 1]``. Layers of more than 6 neurons are abridged.
    names : sequence of str, optional
        Name written under each layer, for instance ``["entrée", "ReLU", "sigmoïde"]``.
    values : sequence of arrays (n,), optional
        Activation of each neuron, layer by layer: written in the neuron, which it colours (blue below 0, red above).
    weights : sequence of arrays (n_in, n_out), optional
        Weights of each layer: width of the connections, blue below 0, red above; written when there are few.
    title, ax, alt
        Title, axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there are fewer than two layers, or names, values or weights do not fit ``sizes``.
    """
    sizes = [int(size) for size in sizes]
    tables = _check(sizes, names, values, weights)
    tallest = max(min(size, _SHOWN + 1) for size in sizes)
    ax = axes_for(ax, min(11.0, 2.0 + 2.1 * (len(sizes) - 1)), 1.0 + 0.62 * tallest)
    places = [_column(size, layer * 3.0) for layer, size in enumerate(sizes)]
    for layer, (left, right) in enumerate(zip(places[:-1], places[1:], strict=True)):
        _connect(ax, left, right, tables[layer] if tables else None)
    for layer, neurons in enumerate(places):
        activations = None if values is None else np.asarray(values[layer], float).ravel()
        _draw_layer(ax, neurons, sizes[layer], activations)
        text = f"{names[layer]}\n" if names is not None else ""
        bottom = -(tallest - 1) / 2 - 0.62
        ax.text(
            layer * 3.0,
            bottom,
            f"{text}{sizes[layer]} neurone{'s' if sizes[layer] > 1 else ''}"
            if layer
            else f"{text}{sizes[layer]} valeur{'s' if sizes[layer] > 1 else ''}",
            ha="center",
            va="top",
            fontsize=11.5,
        )
    ax.set(
        xlim=(-0.9, 3.0 * (len(sizes) - 1) + 0.9),
        ylim=(-(tallest - 1) / 2 - (1.5 if names is not None else 1.1), tallest / 2 + 0.1),
    )
    ax.set_aspect("equal")
    ax.axis("off")
    if title:
        ax.set_title(title)
    arrows = " → ".join(
        f"{size}{f' ({name})' if name else ''}" for size, name in zip(sizes, names or [""] * len(sizes), strict=True)
    )
    return annotate(
        figure_of(ax), alt, f"{title + '. ' if title else ''}Réseau dense de {len(sizes)} couches : {arrows}."
    )


def _check(
    sizes: list[int],
    names: Sequence[str] | None,
    values: Sequence[ArrayLike] | None,
    weights: Sequence[ArrayLike] | None,
) -> list[NDArray[Any]]:
    if len(sizes) < 2 or min(sizes) < 1:
        raise ValueError(
            f"sizes = {sizes} : on attend au moins deux couches d’au moins un neurone, par exemple [2, 3, 1]."
        )
    if names is not None and len(names) != len(sizes):
        raise ValueError(
            f"names contient {len(names)} noms pour {len(sizes)} couches : donnez-en un par couche, entrée comprise."
        )
    if values is not None and [np.size(v) for v in values] != sizes:
        raise ValueError(f"values contient {[np.size(v) for v in values]} valeurs, les couches ont {sizes} neurones.")
    tables = [np.asarray(w, float) for w in weights] if weights is not None else []
    expected = list(zip(sizes[:-1], sizes[1:], strict=True))
    if weights is not None and [table.shape for table in tables] != expected:
        raise ValueError(f"weights a les formes {[table.shape for table in tables]}, on attend {expected}.")
    return tables


def _column(size: int, x: float) -> dict[int, tuple[float, float]]:
    """Return the place of each drawn neuron of a layer, by index; the middle ones are skipped in a long layer."""
    if size <= _SHOWN:
        return {i: (x, (size - 1) / 2 - i) for i in range(size)}
    half = _SHOWN // 2
    shown = [*range(half), *range(size - half, size)]
    return {i: (x, _SHOWN / 2 - rank - (rank >= half)) for rank, i in enumerate(shown)}


def _connect(
    ax: Axes, left: dict[int, tuple[float, float]], right: dict[int, tuple[float, float]], table: NDArray[Any] | None
) -> None:
    largest = float(np.abs(table).max()) or 1.0 if table is not None else 1.0
    written = table is not None and len(left) * len(right) <= 8
    for rank, (i, (x0, y0)) in enumerate(left.items()):
        # The numbers of each neuron have an abscissa of their own, so that crossing connections keep theirs apart.
        share = 0.34 + 0.4 * rank / max(len(left) - 1, 1)
        for j, (x1, y1) in right.items():
            if table is None:
                ax.plot([x0, x1], [y0, y1], color="#B9C2CC", linewidth=1.2, zorder=1)
                continue
            weight = float(table[i, j])
            ink = VERMILLION if weight > 0 else BLUE
            ax.plot([x0, x1], [y0, y1], color=ink, linewidth=0.4 + 3.6 * abs(weight) / largest, alpha=0.75, zorder=1)
            if written:
                ax.text(
                    x0 + share * (x1 - x0),
                    y0 + share * (y1 - y0),
                    number(weight, 2),
                    fontsize=11,
                    ha="center",
                    va="center",
                    color=ink,
                    zorder=2,
                    bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.8},
                )


def _draw_layer(ax: Axes, neurons: dict[int, tuple[float, float]], size: int, values: NDArray[Any] | None) -> None:
    bound = float(np.abs(values).max()) or 1.0 if values is not None else 1.0
    for i, (x, y) in neurons.items():
        fill: Any = "#E8F1F8" if values is None else colormaps["RdBu_r"](0.5 + 0.36 * values[i] / bound)
        ax.add_patch(Circle((x, y), 0.4, facecolor=fill, edgecolor=CHARCOAL, linewidth=1.4, zorder=3))
        if values is not None:
            text = number(float(values[i]), 0 if abs(values[i]) >= 100 else 1 if abs(values[i]) >= 10 else 2)
            ax.text(x, y, text, ha="center", va="center", fontsize=11, color=ink_on(fill), zorder=4)
    if size > _SHOWN:
        x, y = next(iter(neurons.values()))[0], 0.0
        ax.plot([x] * 3, [y - 0.22, y, y + 0.22], "o", color=CHARCOAL, markersize=3.5, zorder=3)
