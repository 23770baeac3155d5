"""The course's visual style: palette, figures that belong to no window, French numbers.

The first eight colours are those of Okabe and Ito (2008), black softened to charcoal: every two of them stay distinct
for the three kinds of colour blindness. The last two serve only where ten classes must be told apart, and there the
functions of this package change the marker too.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import matplotlib.style
import numpy as np
from matplotlib import colors as mcolors
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
PINK, SKY, CHARCOAL, YELLOW = "#CC79A7", "#56B4E9", "#3B3B3B", "#F0E442"
PLUM, GREY = "#7A2E5D", "#9C9C9C"

COLORS = (BLUE, VERMILLION, GREEN, ORANGE, PINK, SKY, CHARCOAL, YELLOW, PLUM, GREY)
"""The palette, in the order in which curves and classes take it (hexadecimal sRGB)."""

RIGHT, WRONG = GREEN, VERMILLION
"""Colours of a correct and of a wrong answer."""

MARKERS = ("o", "s", "^", "D", "v", "P", "X", "p", "<", ">")


_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def apply() -> None:
    """Apply the course's style to every figure made from now on."""
    matplotlib.style.use(Path(__file__).with_name("course.mplstyle"))


def color(index: int) -> str:
    """Return the colour of curve or class number ``index`` (the palette repeats after ten)."""
    return COLORS[index % len(COLORS)]


def ink_on(background: Any) -> str:
    """Return the text colour (near black or white) with the better contrast on ``background``.

    The choice follows the relative luminance of WCAG 2: the two contrasts are equal near 0.18.
    """
    rgb = np.asarray(mcolors.to_rgb(background))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return "#1A1A1A" if linear @ (0.2126, 0.7152, 0.0722) > 0.19 else "white"


def new_figure(width: float, height: float) -> Figure:
    """Return an empty figure, in inches, that pyplot does not know: Jupyter shows it only where it is returned."""
    return Figure(figsize=(width, height), layout="constrained")


def axes_for(ax: Axes | None, width: float, height: float) -> Axes:
    """Return ``ax``, or the single axes of a new figure of that size (inches)."""
    return new_figure(width, height).add_subplot() if ax is None else ax


def figure_of(ax: Axes) -> Figure:
    """Return the figure that holds ``ax``, also when ``ax`` lies in a sub-figure."""
    return ax.get_figure(root=True)  # type: ignore[return-value]


def number(value: float, decimals: int | None = None) -> str:
    """Write a number the French way.

    Parameters
    ----------
    value : float
        Number to write.
    decimals : int, optional
        Digits after the comma; by default three significant digits, and integers as they are.

    Returns
    -------
    str
        For example ``"0,95"``, ``"12 000"`` (no-break space), ``"−3"`` (minus sign), ``"4 × 10⁻⁵"``.
    """
    if isinstance(value, (int, np.integer)) and decimals is None:
        text = f"{value:,d}"
    elif decimals is None:
        text = f"{value:.3g}" if abs(value) < 1000 or not np.isfinite(value) else f"{value:,.0f}"
    else:
        text = f"{value:,.{decimals}f}"
    if not text.strip("-0.,"):
        text = text.lstrip("-")  # a rounded −0,00 is a zero
    mantissa, _, exponent = text.partition("e")
    french = mantissa.replace(",", "\u00a0").replace(".", ",").replace("-", "\u2212")
    return f"{french}\u00a0×\u00a010{str(int(exponent)).translate(_SUPERSCRIPT)}" if exponent else french


class FrenchFormatter(ScalarFormatter):
    """Matplotlib's usual tick labels, with a decimal comma."""

    def __call__(self, x: float, pos: int | None = None) -> str:
        """Return the label of tick ``x``."""
        return super().__call__(x, pos).replace(".", ",")


def french_ticks(fig: Figure) -> None:
    """Give a decimal comma to every axis of ``fig`` that still has Matplotlib's default labels."""
    for ax in fig.axes:
        for axis in (ax.xaxis, ax.yaxis):
            if type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(FrenchFormatter())
