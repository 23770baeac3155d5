"""Images on screen: grids, and pixel values in figures.

Everywhere an image is an array (H, W), (H, W, 1) or (H, W, 3): float in [0, 1], uint8 in [0, 255] or bool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray

from course_utils.plots import style
from course_utils.plots.display import annotate
from course_utils.plots.style import RIGHT, WRONG, figure_of, ink_on, number

SIGNED = "RdBu_r"
"""Diverging colour map of signed quantities: blue below zero, white at zero, red above."""

_WIDTH, _HEIGHT = 10.0, 6.2  # inches that a grid may fill
_SMALLEST = 0.42  # side of the smallest image of a grid, in inches
_GAP = 0.08
_LINE = 0.23  # height of a line of title, in inches
_LETTER = 0.105  # mean width of a letter of title, in inches


def as_image(image: ArrayLike, name: str = "image") -> NDArray[Any]:
    """Return an image as (H, W) or (H, W, 3); uint8 and bool become floats in [0, 1].

    Raises
    ------
    ValueError
        If the shape is not that of one image.
    """
    array = np.asarray(image)
    if array.dtype == object or array.size == 0:
        raise ValueError(
            f"{name} : forme {array.shape}, aucun pixel. On attend une image (H, W), (H, W, 1) ou (H, W, 3)."
        )
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    if array.ndim not in (2, 3) or (array.ndim == 3 and array.shape[2] != 3):
        advice = "Pour plusieurs images, utilisez plots.grid." if array.ndim == 4 else "Vérifiez image.shape."
        if array.ndim == 1:
            side = int(array.size**0.5)
            advice = f"C’est une image aplatie ? image.reshape({side}, {array.size // max(side, 1)}) lui rend sa forme."
        raise ValueError(f"{name} : forme {array.shape}, on attend (H, W), (H, W, 1) ou (H, W, 3). {advice}")
    if array.dtype == np.uint8:
        return array.astype(np.float32) / 255
    return array.astype(np.float32) if array.dtype == bool else array


def limits(arrays: Sequence[NDArray[Any]], vmin: float | None, vmax: float | None, signed: bool) -> tuple[float, float]:
    """Return the values shown as black and white; refuse to guess when the images leave [0, 1]."""
    low, high = min(float(a.min()) for a in arrays), max(float(a.max()) for a in arrays)
    if not np.isfinite([low, high]).all():
        raise ValueError("L’image contient des valeurs NaN ou infinies : cherchez-les avec np.isfinite(image).all().")
    if signed:
        bound = max(abs(low), abs(high)) if vmax is None else float(vmax)
        return -(bound or 1.0), bound or 1.0
    if vmin is None and vmax is None and (low < -0.01 or high > 1.01):
        raise ValueError(
            f"Les valeurs vont de {number(low)} à {number(high)}, on attend [0, 1] (ou des entiers uint8). "
            "Divisez l’image par son maximum, ou dites comment l’afficher : vmin=…, vmax=…, "
            "ou signed=True pour des valeurs positives et négatives."
        )
    return (0.0 if vmin is None else float(vmin)), (1.0 if vmax is None else float(vmax))


def colored(array: NDArray[Any], low: float, high: float, cmap: str) -> NDArray[Any]:
    """Return (H, W, 3) sRGB floats in [0, 1]: grey images through ``cmap``, colour images rescaled."""
    scaled = np.clip((array - low) / ((high - low) or 1.0), 0, 1)
    return scaled if array.ndim == 3 else colormaps[cmap](scaled)[:, :, :3]


def _show(ax: Axes, rgb: NDArray[Any], extent: tuple[float, float, float, float], inches: float) -> None:
    """Draw an image: sharp pixels when it is enlarged, smooth when it is reduced."""
    enlarged = rgb.shape[1] <= inches * figure_of(ax).dpi
    ax.imshow(rgb, extent=extent, interpolation="nearest" if enlarged else "antialiased", aspect="auto")


def grid(
    images: ArrayLike | Sequence[ArrayLike],
    *,
    titles: Sequence[Any] | None = None,
    right: ArrayLike | None = None,
    colors: Sequence[str] | None = None,
    row_titles: Sequence[str] | None = None,
    cols: int | None = None,
    size: float | None = None,
    cmap: str = "gray",
    vmin: float | None = None,
    vmax: float | None = None,
    signed: bool = False,
    suptitle: str | None = None,
    alt: str | None = None,
) -> Figure:
    """Show several images side by side.

    Parameters
    ----------
    images : array (N, H, W), (N, H, W, 1) or (N, H, W, 3), or sequence of images
        Images to show; in a sequence their sizes may differ, and the longest sides are drawn with one length.
    titles : sequence of str, optional
        One title above each image; an empty string leaves none. A line of images without title takes no extra room.
    right : sequence of bool, optional
        Whether each image was classified correctly: the title becomes green with ✓ or vermillion with ✗.
    colors : sequence of str, optional
        Colour of each title.
    row_titles : sequence of str, optional
        Name of each line of the grid, on its left (give ``cols`` too).
    cols : int, optional
        Images per line; chosen to fill the width by default.
    size : float, optional
        Side of the largest image, in inches; chosen from the number of images by default.
    cmap : str, default "gray"
        Matplotlib colour map of the single-channel images.
    vmin, vmax : float, optional
        Values shown as the two ends of the colour map, 0 and 1 by default.
    signed : bool, default False
        Show values of both signs (weights, differences): zero white, negative blue, positive red.
    suptitle : str, optional
        Title of the whole.
    alt : str, optional
        Alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If there is no image, a shape is wrong, the values leave [0, 1] without ``vmin``, ``vmax`` or ``signed``, or the
        numbers of images and titles differ.
    """
    arrays = _as_images(images)
    texts = _titles(len(arrays), titles, right)
    inks = _title_colors(len(arrays), right, colors)
    low, high = limits(arrays, vmin, vmax, signed)
    widest = max((len(line) for text in texts for line in text.split("\n")), default=0) * _LETTER
    cols, side = _layout(arrays, min(cols, len(arrays)) if cols is not None else None, size, texts, widest)
    rows = -(-len(arrays) // cols)
    if row_titles is not None and len(row_titles) != rows:
        raise ValueError(
            f"row_titles contient {len(row_titles)} noms pour {rows} lignes d’images : donnez-en un par ligne."
        )

    wide, tall = _proportions(arrays)
    cell_w, cell_h = max(wide * side, widest), tall * side
    heads = [
        _LINE * max((t.count("\n") + 1 if t else 0) for t in texts[r * cols : (r + 1) * cols]) for r in range(rows)
    ]
    left = 0.15 + _LETTER * max((len(str(t)) for t in row_titles), default=0) if row_titles is not None else 0.0
    top = 0.4 if suptitle else 0.0
    width, height = left + cols * (cell_w + _GAP), top + sum(heads) + rows * (cell_h + _GAP)

    fig = Figure(figsize=(max(width, 2.0), height))
    fig.set_layout_engine("none")  # the grid is laid out by hand
    ax = _canvas(fig)
    if suptitle:
        ax.text(0, 0.12, suptitle, fontsize=13.5, fontweight="bold", va="center")
    y = top
    for index, (array, text, ink) in enumerate(zip(arrays, texts, inks, strict=True)):
        row, column = divmod(index, cols)
        if column == 0:
            y += heads[row] + (cell_h + _GAP if row else 0)
            if row_titles is not None:
                ax.text(left - 0.15, y + cell_h / 2, str(row_titles[row]), fontsize=12, ha="right", va="center")
        w, h = (side * n / max(array.shape[:2]) for n in (array.shape[1], array.shape[0]))
        x = left + column * (cell_w + _GAP) + (cell_w - w) / 2
        y0 = y + (cell_h - h) / 2
        _show(ax, colored(array, low, high, SIGNED if signed else cmap), (x, x + w, y0 + h, y0), w)
        if text:
            ax.text(x + w / 2, y - 0.04, text, fontsize=11.5, ha="center", va="bottom", color=ink)
    ax.set(xlim=(0, max(width, 2.0)), ylim=(height, 0))
    names = ", ".join(text.replace("\n", " ") for text in texts if text)
    default = f"Grille de {len(arrays)} image{'s' if len(arrays) > 1 else ''} sur {rows} ligne{'s' if rows > 1 else ''}"
    default += (f" ({suptitle})" if suptitle else "") + (f" : {names[:300]}" if names else "")
    return annotate(fig, alt, default + ".")


def _as_images(images: Any) -> list[NDArray[Any]]:
    if isinstance(images, np.ndarray) and images.ndim == 2:
        raise ValueError(
            f"grid attend plusieurs images, on lui donne un tableau de forme {images.shape}. "
            "Pour une seule image : plots.grid([image])."
        )
    try:
        count = len(images)
    except TypeError:
        raise TypeError(
            f"grid attend un tableau ou une liste d’images, pas un objet {type(images).__name__}."
        ) from None
    if count == 0:
        raise ValueError("grid a reçu 0 image : il en faut au moins une.")
    if isinstance(images, np.ndarray) and images.ndim == 3 and images.shape[2] == 3 and images.shape[0] > 3:
        raise ValueError(
            f"Un tableau de forme {images.shape} est une seule image en couleurs : plots.grid([image]) l’affiche."
        )
    return [as_image(image, f"image {index}") for index, image in enumerate(images)]


def _titles(count: int, titles: Sequence[Any] | None, right: ArrayLike | None) -> list[str]:
    texts = [""] * count if titles is None else [str(title) for title in titles]
    if len(texts) != count:
        raise ValueError(f"titles contient {len(texts)} titres pour {count} images : donnez-en un par image.")
    if right is None:
        return texts
    marks = np.asarray(right)
    if marks.shape != (count,):
        raise ValueError(f"right a la forme {marks.shape}, on attend ({count},) : un booléen par image.")
    return [f"{'✓' if mark else '✗'} {text}".strip() for mark, text in zip(marks, texts, strict=True)]


def _title_colors(count: int, right: ArrayLike | None, colors: Sequence[str] | None) -> list[str]:
    if colors is not None:
        if len(colors) != count:
            raise ValueError(f"colors contient {len(colors)} couleurs pour {count} images : donnez-en une par image.")
        return list(colors)
    return ["#2B2B2B"] * count if right is None else [RIGHT if mark else WRONG for mark in np.asarray(right)]


def _proportions(arrays: list[NDArray[Any]]) -> tuple[float, float]:
    """Return the width and the height of the cell that holds every image once its longest side is 1."""
    sides = np.array([np.array([a.shape[1], a.shape[0]]) / max(a.shape[:2]) for a in arrays])
    return float(sides[:, 0].max()), float(sides[:, 1].max())


def _layout(
    arrays: list[NDArray[Any]], cols: int | None, size: float | None, texts: list[str], widest: float
) -> tuple[int, float]:
    """Return the number of columns and the side of the images (inches): as large as the page allows."""
    count = len(arrays)
    wide, tall = _proportions(arrays)
    if cols is not None and cols < 1:
        raise ValueError(f"cols = {cols} : il faut au moins une colonne.")
    if size is not None:
        fitting = max(1, int((_WIDTH + 0.5) / (max(wide * size, widest) + _GAP)))
        return cols or _balanced(count, min(count, fitting)), size
    head = _LINE * max((t.count("\n") + 1 if t else 0) for t in texts)
    largest = 4.5 if count == 1 else 3.2 if count <= 3 else 2.0 if count <= 8 else 1.5
    sides = {}
    for columns in range(1, count + 1) if cols is None else (cols,):
        room = _WIDTH / columns - _GAP
        height = (_HEIGHT if cols is None else 2 * _HEIGHT) / -(-count // columns) - head - _GAP
        readable = room >= widest or columns == 1 or cols is not None
        sides[columns] = min(room / wide, height / tall, largest) if readable else 0.0
    best = max(sides.values())
    if best < _SMALLEST:
        raise ValueError(
            f"{count} images ne tiennent pas lisiblement dans une figure : affichez-en moins, par exemple images[:60]."
        )
    full = [c for c, side in sides.items() if count % c == 0 and side >= 0.87 * best]
    columns = max(full) if full else _balanced(count, max(c for c, side in sides.items() if side >= best - 1e-9))
    return columns, sides[columns]


def _balanced(count: int, columns: int) -> int:
    """Return the fewest columns that need no more lines than ``columns``: the last line is then the fullest."""
    return -(-count // -(-count // columns))


def _canvas(fig: Figure) -> Axes:
    """Return axes that cover the whole figure, in inches from its top left corner."""
    ax = fig.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.axis("off")
    return ax


def numbers(
    array: ArrayLike,
    *,
    decimals: int | None = None,
    cmap: str = "gray",
    vmin: float | None = None,
    vmax: float | None = None,
    signed: bool = False,
    title: str | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Show an image as it is stored: each pixel with its value written in it.

    Parameters
    ----------
    array : array (H, W), (H, W, 1) or (H, W, 3)
        Image or any table of numbers; the three channels of a colour image are shown side by side.
    decimals : int, optional
        Digits after the comma; chosen from the values and the room by default.
    cmap, vmin, vmax, signed
        As for :func:`grid`; the limits are by default [0, 1] or [0, 255] when the values lie there, else their own.
    title : str, optional
        Title (not for a colour image, whose channels have theirs).
    ax : matplotlib.axes.Axes, optional
        Axes to draw in (single channel only).
    alt : str, optional
        Alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the array is not two-dimensional, or too large for its values to be read.
    """
    values = np.asarray(array)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    planes = [values[:, :, c] for c in range(3)] if values.ndim == 3 and values.shape[2] == 3 else [values]
    if values.size == 0 or planes[0].ndim != 2:
        raise ValueError(f"numbers : forme {values.shape}, on attend un tableau (H, W), (H, W, 1) ou (H, W, 3).")
    height, width = planes[0].shape
    texts, cell = _written(planes, decimals)
    if width * cell * len(planes) > 12.5 or height * min(cell, 0.42) > 9:
        raise ValueError(
            f"numbers : {height} × {width} nombres ne seraient pas lisibles. Montrez une partie de l’image, "
            "par exemple image[8:20, 8:20]."
        )
    low, high = _number_limits(values, vmin, vmax, signed)
    side = max(cell, 0.36)
    if ax is None:
        fig = style.new_figure(
            len(planes) * (width * side + 0.15), height * side + (0.45 if title or len(planes) > 1 else 0.1)
        )
        axes = list(np.atleast_1d(fig.subplots(1, len(planes))))
    elif len(planes) > 1:
        raise ValueError("numbers : une image en couleurs montre trois tableaux, elle ne tient pas dans un seul ax.")
    else:
        axes = [ax]
    names = [title] if len(planes) == 1 else ["Rouge", "Vert", "Bleu"]
    maps = [SIGNED if signed else cmap] if len(planes) == 1 else ["Reds_r", "Greens_r", "Blues_r"]
    for panel, plane, written, name, colors in zip(axes, planes, texts, names, maps, strict=True):
        _write_cells(panel, plane, written, (low, high), colors)
        if name:
            panel.set_title(name)
    default = f"Tableau de {height} × {width} valeurs" + (f", {title}" if title else "")
    default += f", de {number(float(values.min()))} à {number(float(values.max()))}, écrites dans leurs pixels."
    return annotate(figure_of(axes[0]), alt, default)


def _written(planes: list[NDArray[Any]], decimals: int | None) -> tuple[list[list[list[str]]], float]:
    """Return the text of each cell and the width (inches) that the longest one needs at 11 points."""
    stack = np.stack(planes)
    if decimals is None:
        whole = stack.dtype == bool or np.issubdtype(stack.dtype, np.integer) or bool((stack == np.round(stack)).all())
        decimals = 0 if whole else 2 if stack.shape[0] * stack.shape[2] <= 18 else 1
    texts = [[[number(float(v), decimals) for v in row] for row in plane] for plane in planes]
    longest = max(len(t) for plane in texts for row in plane for t in row)
    return texts, 0.098 * longest + 0.08


def _number_limits(values: NDArray[Any], vmin: float | None, vmax: float | None, signed: bool) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if signed or (vmin is not None and vmax is not None):
        return limits([values], vmin, vmax, signed)
    if low >= 0 and (high <= 1 or values.dtype == np.uint8):
        low, high = 0.0, 1.0 if high <= 1 else 255.0
    return (low if vmin is None else vmin), (high if vmax is None else vmax)


def _write_cells(ax: Axes, plane: NDArray[Any], texts: list[list[str]], limits: tuple[float, float], cmap: str) -> None:
    height, width = plane.shape
    rgb = colored(plane.astype(float), *limits, cmap)
    ax.imshow(rgb, interpolation="nearest")
    for i in range(height):
        for j in range(width):
            ax.text(j, i, texts[i][j], ha="center", va="center", fontsize=11, color=ink_on(rgb[i, j]))
    ax.set_xticks(np.arange(width + 1) - 0.5, labels=[])
    ax.set_yticks(np.arange(height + 1) - 0.5, labels=[])
    ax.tick_params(length=0)
    ax.grid(color="#B0B0B0", linewidth=0.6)
    ax.set_axisbelow(False)
