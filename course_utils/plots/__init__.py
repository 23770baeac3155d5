"""Figures of the course: one style, French labels, and an alternative text on each.

Importing the package applies its style and makes Jupyter display figures as light images with their alternative text.
Every function returns a figure that pyplot does not know: write the call on the last line of a cell, or give ``ax=`` to
draw several panels in a figure of your own, finished by ``plots.describe(fig, "…")``.
"""

from __future__ import annotations

from course_utils.plots import display, style
from course_utils.plots.charts import bars, distribution, lines
from course_utils.plots.classification import confusion, decision
from course_utils.plots.diagrams import network
from course_utils.plots.display import alt_text, describe
from course_utils.plots.graphs import graph
from course_utils.plots.images import grid, numbers
from course_utils.plots.learning import curves, metric_name
from course_utils.plots.motion import animation, explore
from course_utils.plots.overlays import boxes, heatmap, masks
from course_utils.plots.plane import scatter, surface
from course_utils.plots.sliding import sliding_window
from course_utils.plots.style import (
    BLUE,
    CHARCOAL,
    COLORS,
    GREEN,
    GREY,
    ORANGE,
    PINK,
    PLUM,
    RIGHT,
    SKY,
    VERMILLION,
    WRONG,
    YELLOW,
    number,
)

__all__ = [
    "BLUE",
    "CHARCOAL",
    "COLORS",
    "GREEN",
    "GREY",
    "ORANGE",
    "PINK",
    "PLUM",
    "RIGHT",
    "SKY",
    "VERMILLION",
    "WRONG",
    "YELLOW",
    "alt_text",
    "animation",
    "bars",
    "boxes",
    "confusion",
    "curves",
    "decision",
    "describe",
    "distribution",
    "explore",
    "graph",
    "grid",
    "heatmap",
    "lines",
    "masks",
    "metric_name",
    "network",
    "number",
    "numbers",
    "scatter",
    "sliding_window",
    "surface",
]

style.apply()
display.register()
