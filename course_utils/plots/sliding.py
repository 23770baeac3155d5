"""A kernel that slides over an image, position after position."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, Rectangle
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.display import annotate
from course_utils.plots.images import SIGNED, colored
from course_utils.plots.motion import Explorer, explore
from course_utils.plots.style import BLUE, CHARCOAL, VERMILLION, ink_on, number

_WRITTEN = 9  # side of the largest input, margins included, whose numbers are written
_LARGE = 6  # side beyond which cells are smaller and numbers shorter
_CELL = 0.52  # side of a cell whose number is written, in inches
_TALL = 0.72  # height of a cell of the products
_PICTURE = 3.4  # side of a picture without numbers, in inches
_GAP, _TITLE, _FOOT = 0.62, 0.42, 0.5
_EMPTY, _MARGIN, _LINE = "#F4F4F4", "#DCE6EE", "#B0B0B0"


@dataclass(frozen=True)
class _Slide:
    """A convolution, ready to be drawn: padded input, kernel, output, margin and stride."""

    padded: NDArray[Any]
    kernel: NDArray[Any]
    output: NDArray[Any]
    padding: int
    stride: int

    @property
    def written(self) -> bool:
        """Whether the numbers are written."""
        return max(self.padded.shape) <= _WRITTEN

    def corner(self, index: int) -> tuple[int, int]:
        """Row and column of the window number ``index`` in the padded input."""
        row, column = divmod(index, self.output.shape[1])
        return row * self.stride, column * self.stride

    def window(self, index: int) -> NDArray[Any]:
        """Return the pixels under the kernel."""
        row, column = self.corner(index)
        return self.padded[row : row + self.kernel.shape[0], column : column + self.kernel.shape[1]]


def sliding_window(
    image: ArrayLike, kernel: ArrayLike, *, stride: int = 1, padding: int = 0, alt: str | None = None
) -> Explorer:
    """Show a kernel that slides over an image, with a slider for its position.

    On the left the image, its window outlined; in the middle the products of the window by the kernel, and their sum;
    on the right the output filled so far. Up to 9 × 9 the numbers are written; beyond, values become shades.

    Parameters
    ----------
    image : array (H, W) or (H, W, 1)
        Numbers of any range, integers or not.
    kernel : array (F, F)
        Need not be square.
    stride : int, default 1
        Step between two positions.
    padding : int, default 0
        Zeros added on each side.
    alt : str, optional
        Alternative text; by default each position describes itself.

    Returns
    -------
    Explorer
        To write on the last line of the cell. Without a kernel it remains a picture: the position in the middle.

    Raises
    ------
    ValueError
        If the image or the kernel is not a table of numbers, or the kernel does not fit in the image.
    """
    slide = _prepared(image, kernel, stride, padding)
    count, (rows, columns) = slide.output.size, slide.output.shape

    def draw(position: int = rows // 2 * columns + columns // 2 + 1) -> Figure:
        return _draw(slide, position - 1)

    if count == 1:
        return explore(lambda: draw(1), alt=alt)
    return explore(draw, position=(1, count), labels={"position": "position de la fenêtre"}, alt=alt)


def _prepared(image: ArrayLike, kernel: ArrayLike, stride: int, padding: int) -> _Slide:
    pixels, weights = (a if (a := np.asarray(v)).dtype.kind == "f" else a.astype(int) for v in (image, kernel))
    if pixels.ndim == 3 and pixels.shape[2] == 1:
        pixels = pixels[:, :, 0]
    for name, table in (("image", pixels), ("kernel", weights)):
        if table.ndim != 2 or not table.size:
            advice = "Montrez un seul canal, par exemple image[:, :, 0]." if table.ndim == 3 else ""
            raise ValueError(f"{name} : forme {table.shape}, on attend un tableau (lignes, colonnes). {advice}".strip())
    if int(stride) != stride or stride < 1 or int(padding) != padding or padding < 0:
        raise ValueError(f"stride = {stride}, padding = {padding} : on attend deux entiers, stride ≥ 1 et padding ≥ 0.")
    padded = np.pad(pixels, padding)
    if weights.shape[0] > padded.shape[0] or weights.shape[1] > padded.shape[1]:
        raise ValueError(
            f"Le noyau {weights.shape[0]} × {weights.shape[1]} ne tient pas dans l’image "
            f"{padded.shape[0]} × {padded.shape[1]}, marges comprises. Prenez un noyau plus petit ou ajoutez "
            "des marges : padding=…"
        )
    windows = sliding_window_view(padded, weights.shape)[::stride, ::stride]
    return _Slide(padded, weights, np.einsum("ijkl,kl->ij", windows, weights), int(padding), int(stride))


def _draw(slide: _Slide, index: int) -> Figure:
    """Draw one position, in inches from the top left corner."""
    terms = _terms(slide, index)
    side = _side(slide)
    wide = _width(slide)
    rows, columns = slide.kernel.shape
    middle = (columns * wide, rows * _TALL) if slide.written else (1.5, 1.5 * rows / columns * 2 + 0.55)
    left_w, left_h = side * slide.padded.shape[1], side * slide.padded.shape[0]
    right_w, right_h = side * slide.output.shape[1], side * slide.output.shape[0]
    tall = max(left_h, middle[1], right_h)
    width = left_w + middle[0] + right_w + 2 * _GAP
    top = [(tall - h) / 2 for h in (left_h, middle[1], right_h)]
    bottom = max(tall, top[1] + middle[1] + _FOOT) + 0.05
    fig = Figure(figsize=(width + 0.1, _TITLE + bottom))
    fig.set_layout_engine("none")  # laid out by hand, so that nothing moves from one position to the next
    ax = fig.add_axes((0.0, 0.0, 1.0, 1.0))
    ax.axis("off")
    ax.set(xlim=(-0.05, width + 0.05), ylim=(bottom, -_TITLE))
    starts = [0.0, left_w + _GAP, left_w + middle[0] + 2 * _GAP]
    _input(ax, slide, index, starts[0], top[0], side)
    if slide.written:
        _products(ax, slide, terms, starts[1], top[1], wide)
    else:
        _pictures(ax, slide, index, starts[1], top[1], middle[0])
    _output(ax, slide, index, starts[2], top[2], side)
    for start in starts[1:]:
        _arrow(ax, start - _GAP + 0.13, start - 0.13, tall / 2)
    total = slide.output.flat[index]
    text = f"somme = {_text(total, _decimals(slide))}"
    middle_x, under = starts[1] + middle[0] / 2, top[1] + middle[1] + 0.1
    ax.text(middle_x, under, text, size=16, weight="bold", color=VERMILLION, ha="center", va="top")
    row, column = (int(k) + 1 for k in np.unravel_index(index, slide.output.shape))
    default = (
        f"Position {index + 1} sur {slide.output.size} : la fenêtre {rows} × {columns} multipliée par le noyau donne "
        f"{_text(total, _decimals(slide))}, écrit à la ligne {row}, colonne {column} de la sortie "
        f"{slide.output.shape[0]} × {slide.output.shape[1]}."
    )
    return annotate(fig, None, default)


def _side(slide: _Slide) -> float:
    """Return the side of a cell of the input and of the output, in inches."""
    if not slide.written:
        return _PICTURE / max(slide.padded.shape)
    texts = [text for table in (slide.padded, slide.output) for text in _texts(slide, table).flat]
    return max(_CELL if max(slide.padded.shape) <= _LARGE else 0.46, 0.105 * max(map(len, texts)) + 0.14)


def _width(slide: _Slide) -> float:
    """Return the width of a cell of the products, the same at each position, in inches."""
    values = (v for table in (slide.padded, slide.kernel) for v in table.flat)
    return max(1.02, 0.2 * max(len(_text(v, _decimals(slide))) for v in values) + 0.4)


def _decimals(slide: _Slide, *, table: bool = False) -> int:
    """Return 1 when that shows every number, otherwise 2; always 1 in a large ``table``, to be read from afar."""
    values = np.concatenate([slide.padded.ravel(), slide.kernel.ravel(), slide.output.ravel()])
    tenths = np.allclose(values, np.round(values, 1), atol=1e-6)
    return 1 if tenths or (table and max(slide.padded.shape) > _LARGE) else 2


def _text(value: float, decimals: int) -> str:
    """Write a number, without decimals when it is whole."""
    return number(float(value), 0 if abs(value - round(value)) < 1e-6 else decimals)


def _texts(slide: _Slide, table: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers of a table as they are written."""
    decimals = _decimals(slide, table=True)
    return np.array([[_text(v, decimals) for v in row] for row in table], object)


def _terms(slide: _Slide, index: int) -> list[tuple[str, str, str]]:
    """Return pixel, weight and product of each cell of the window, as they are written."""
    decimals, window = _decimals(slide), slide.window(index)
    return [
        (_text(p, decimals), _text(w, decimals), _text(p * w, decimals))
        for p, w in zip(window.flat, slide.kernel.flat, strict=True)
    ]


def _cells(ax: Axes, rgb: NDArray[Any], x: float, y: float, side: float, texts: Any = None) -> None:
    """Draw a table of coloured cells, with a number in each when ``texts`` are given."""
    height, width = rgb.shape[:2]
    ax.imshow(rgb, extent=(x, x + width * side, y + height * side, y), interpolation="nearest", aspect="auto")
    if texts is None:
        ax.add_patch(Rectangle((x, y), width * side, height * side, fill=False, edgecolor=_LINE, linewidth=0.8))
        return
    for k in range(height + 1):
        ax.plot([x, x + width * side], [y + k * side] * 2, color=_LINE, linewidth=0.8)
    for k in range(width + 1):
        ax.plot([x + k * side] * 2, [y, y + height * side], color=_LINE, linewidth=0.8)
    for (i, j), text in np.ndenumerate(texts):
        place = (x + (j + 0.5) * side, y + (i + 0.5) * side)
        ax.text(*place, text, size=13.5, ha="center", va="center", color=ink_on(rgb[i, j]))


def _title(ax: Axes, x: float, y: float, text: str) -> None:
    ax.text(x, y - 0.1, text, size=13, color=CHARCOAL, ha="center", va="bottom")


def _frame(ax: Axes, x: float, y: float, width: float, height: float) -> None:
    """Outline the window, or the output cell that it gives."""
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor="white", linewidth=5, zorder=4))
    ax.add_patch(Rectangle((x, y), width, height, fill=False, edgecolor=VERMILLION, linewidth=3, zorder=5))


def _arrow(ax: Axes, start: float, end: float, y: float) -> None:
    ax.add_patch(FancyArrowPatch((start, y), (end, y), arrowstyle="-|>", mutation_scale=18, color=CHARCOAL, lw=1.8))


def _shades(table: NDArray[Any], like: NDArray[Any]) -> NDArray[Any]:
    """Return the colours of a table on the scale of ``like``: greys if nothing is negative, blue and red otherwise."""
    low, high = float(like.min()), float(like.max())
    if low < 0:
        bound = 1.4 * max(-low, high)  # paler at both ends: numbers stay readable
        return colored(table.astype(float), -bound, bound, SIGNED)
    return colored(table.astype(float), 0.0, high or 1.0, "gray")


def _input(ax: Axes, slide: _Slide, index: int, x: float, y: float, side: float) -> None:
    """Draw the padded image, margins tinted, and outline the window."""
    rgb, p = _shades(slide.padded, slide.padded), slide.padding
    if p:
        margin = np.ones(rgb.shape[:2], bool)
        margin[p:-p, p:-p] = False
        rgb[margin] = [int(_MARGIN[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    _cells(ax, rgb, x, y, side, _texts(slide, slide.padded) if slide.written else None)
    row, column = slide.corner(index)
    rows, columns = slide.kernel.shape
    _frame(ax, x + column * side, y + row * side, columns * side, rows * side)
    _title(ax, x + slide.padded.shape[1] * side / 2, y, "entrée et ses marges" if p else "entrée")


def _products(ax: Axes, slide: _Slide, terms: list[tuple[str, str, str]], x: float, y: float, wide: float) -> None:
    """Write pixel × weight, and the product below, in each cell of the window."""
    rows, columns = slide.kernel.shape
    for k, (pixel, weight, product) in enumerate(terms):
        i, j = divmod(k, columns)
        left, top = x + j * wide, y + i * _TALL
        ax.add_patch(Rectangle((left, top), wide, _TALL, facecolor="white", edgecolor=_LINE, linewidth=0.8))
        centre, upper = left + wide / 2, top + 0.23
        ax.text(centre - 0.14, upper, pixel, size=12.5, ha="right", va="center", color=CHARCOAL)
        ax.text(centre, upper, "×", size=12.5, ha="center", va="center", color=CHARCOAL)
        ax.text(centre + 0.14, upper, weight, size=12.5, weight="bold", ha="left", va="center", color=BLUE)
        ax.text(centre, top + 0.5, product, size=14, weight="bold", ha="center", va="center", color=CHARCOAL)
    _frame(ax, x, y, columns * wide, rows * _TALL)
    centre = x + columns * wide / 2
    ax.text(centre + 0.03, y - 0.1, "fenêtre ×", size=13, color=CHARCOAL, ha="right", va="bottom")
    ax.text(centre + 0.09, y - 0.1, "noyau", size=13, weight="bold", color=BLUE, ha="left", va="bottom")


def _pictures(ax: Axes, slide: _Slide, index: int, x: float, y: float, wide: float) -> None:
    """Draw the window, enlarged, above the kernel."""
    side = wide / slide.kernel.shape[1]
    window, tall = slide.window(index), side * slide.kernel.shape[0]
    _cells(ax, _shades(window, slide.padded), x, y, side)
    _frame(ax, x, y, wide, tall)
    _title(ax, x + wide / 2, y, "fenêtre")
    ax.text(x + wide / 2, y + tall + 0.27, "× noyau", size=13, weight="bold", color=BLUE, ha="center", va="center")
    texts = None
    if max(slide.kernel.shape) <= 3:
        texts = np.array([[number(float(v)) for v in row] for row in slide.kernel])
    bound = 2.0 * float(np.abs(slide.kernel).max()) or 1.0
    _cells(ax, colored(slide.kernel.astype(float), -bound, bound, SIGNED), x, y + tall + 0.55, side, texts)


def _output(ax: Axes, slide: _Slide, index: int, x: float, y: float, side: float) -> None:
    """Draw the output, filled up to the current cell, which is outlined."""
    height, width = slide.output.shape
    done = np.arange(slide.output.size).reshape(height, width) <= index
    rgb = _shades(slide.output, slide.output)
    rgb[~done] = [int(_EMPTY[k : k + 2], 16) / 255 for k in (1, 3, 5)]
    texts = None
    if slide.written:
        texts = _texts(slide, slide.output)
        texts[~done] = ""
    _cells(ax, rgb, x, y, side, texts)
    row, column = divmod(index, width)
    _frame(ax, x + column * side, y + row * side, side, side)
    _title(ax, x + width * side / 2, y, f"sortie {height} × {width}")
