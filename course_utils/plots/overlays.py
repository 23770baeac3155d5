"""What lies over an image: heat maps, boxes, masks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.transforms import Bbox
from numpy.typing import ArrayLike, NDArray

from course_utils.plots.display import annotate
from course_utils.plots.images import SIGNED, as_image, colored, limits
from course_utils.plots.style import axes_for, color, figure_of, ink_on, number


def _picture(ax: Axes | None, image: NDArray[Any], title: str | None, bar: bool = False) -> Axes:
    """Show one image, with pixel coordinates, in axes of its own shape."""
    height, width = image.shape[:2]
    inches = min(7.5 if max(height, width) > 64 else 4.5, 6.0 * width / height)
    ax = axes_for(ax, inches + (1.2 if bar else 0.0), inches * height / width + (0.4 if title else 0.0))
    low, high = limits([image], None, None, False)
    ax.imshow(colored(image, low, high, "gray"), interpolation="nearest" if width <= 300 else "antialiased")
    ax.set_axis_off()
    if title:
        ax.set_title(title)
    return ax


def heatmap(
    image: ArrayLike | None,
    heat: ArrayLike,
    *,
    signed: bool = False,
    opacity: float = 0.75,
    label: str | None = None,
    title: str | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Lay a heat map over an image, with its colour bar.

    Parameters
    ----------
    image : image or None
        Background, shown in grey so that only the heat has colours; None shows the heat alone.
    heat : array (h, w)
        Values, stretched over the image if they are fewer. The weakest are transparent.
    signed : bool, default False
        Values of both signs: zero transparent, negative blue, positive red.
    opacity : float in (0, 1], default 0.75
        Opacity of the strongest values.
    label : str, optional
        Name of the quantity, beside the colour bar.
    title, ax, alt
        Title, axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If ``heat`` is not a finite two-dimensional array.
    """
    values = np.asarray(heat, float)
    if values.ndim == 3 and values.shape[2] == 1:
        values = values[:, :, 0]
    if values.ndim != 2 or values.size == 0 or not np.isfinite(values).all():
        raise ValueError(f"heat a la forme {values.shape} : on attend un tableau (h, w) de nombres finis, sans NaN.")
    low, high = limits([values], None, None, True) if signed else (float(values.min()), float(values.max()))
    scale = Normalize(low, high if high > low else low + 1)
    if image is None:
        ax = _picture(ax, np.ones(values.shape), title, bar=True)
        strength: Any = 1.0
        height, width = values.shape
    else:
        background = as_image(image)
        grey = background if background.ndim == 2 else background @ np.array([0.299, 0.587, 0.114])
        # Lightened under signed values, where black would swallow dark blue and dark red.
        ax = _picture(ax, 0.4 + 0.6 * grey if signed else grey, title, bar=True)
        strength = opacity * (np.abs(values) / high if signed else np.clip(1.6 * scale(values), 0, 1))
        height, width = grey.shape
    cmap = SIGNED if signed else "inferno"
    smooth = "bilinear" if image is not None else "nearest"
    ax.imshow(
        values,
        cmap=cmap,
        norm=scale,
        alpha=strength,
        interpolation=smooth,
        extent=(-0.5, width - 0.5, height - 0.5, -0.5),
    )
    bar = _color_bar(ax, scale, cmap)
    if label:
        bar.set_label(label)
    peak = np.unravel_index(np.argmax(np.abs(values)), values.shape)
    place = f"{_third(peak[0], values.shape[0], 'en haut', 'au milieu', 'en bas')}, " + _third(
        peak[1], values.shape[1], "à gauche", "au centre", "à droite"
    )
    default = (
        f"Carte de chaleur{f' ({label or title})' if label or title else ''}, de {number(low)} à {number(high)} ; "
    )
    return annotate(figure_of(ax), alt, default + f"la valeur la plus forte se trouve {place}.")


def _third(index: Any, size: int, first: str, middle: str, last: str) -> str:
    return (first, middle, last)[min(2, int(3 * (index + 0.5) / size))]


def _color_bar(ax: Axes, norm: Normalize, cmap: str) -> Any:
    """Add an opaque colour bar to ``ax``."""
    bar = figure_of(ax).colorbar(ScalarMappable(norm, cmap), ax=ax, fraction=0.05, pad=0.02)
    bar.outline.set_visible(False)
    return bar


def boxes(
    image: ArrayLike,
    boxes: ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    scores: ArrayLike | None = None,
    class_names: Sequence[str] | None = None,
    title: str | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Draw boxes on an image, each with its name on a tab of the same colour.

    Parameters
    ----------
    image : image
        Background.
    boxes : array (n, 4)
        Corners (x1, y1, x2, y2) in pixels; n may be 0.
    labels : sequence of n str or int, optional
        Name of each box, or its class number (with ``class_names``). The colour follows the name.
    scores : array (n,), optional
        Confidence of each box in [0, 1], written after its name.
    class_names : sequence of str, optional
        Names of the class numbers; with it the colours stay the same from one image to the next.
    title, ax, alt
        Title, axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the shapes disagree or a box has its corners in the wrong order.
    """
    picture = as_image(image)
    corners = _as_boxes(boxes)
    names, colors = _names(len(corners), labels, class_names, "boîtes")
    tabs = list(names)
    if scores is not None:
        confidences = np.asarray(scores, float)
        if confidences.shape != (len(corners),):
            raise ValueError(f"scores a la forme {confidences.shape}, on attend ({len(corners)},) : un par boîte.")
        tabs = [f"{n} {number(float(s), 2)}".strip() for n, s in zip(names, confidences, strict=True)]
    ax = _picture(ax, picture, title)
    for (x1, y1, x2, y2), ink in zip(corners, colors, strict=True):
        ax.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color="white", linewidth=4, alpha=0.6, clip_on=True)
        ax.plot([x1, x2, x2, x1, x1], [y1, y1, y2, y2, y1], color=ink, linewidth=2.4, clip_on=True)
    height, width = picture.shape[:2]
    ax.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
    _place_tabs(ax, corners, tabs, colors)
    return annotate(figure_of(ax), alt, _counted("boîte", names, title))


def _as_boxes(boxes: ArrayLike) -> NDArray[np.float64]:
    corners = np.asarray(boxes, float)
    if corners.size == 0:
        return np.zeros((0, 4))
    if corners.ndim != 2 or corners.shape[1] != 4:
        raise ValueError(f"boxes a la forme {corners.shape}, on attend (n, 4) : x1, y1, x2, y2 en pixels.")
    wrong = np.flatnonzero((corners[:, 2] < corners[:, 0]) | (corners[:, 3] < corners[:, 1]))
    if len(wrong):
        raise ValueError(
            f"La boîte {wrong[0]} vaut {corners[wrong[0]].tolist()} : on attend x1 ≤ x2 et y1 ≤ y2. "
            "Est-elle écrite (x, y, largeur, hauteur) ? Alors x2 = x + largeur et y2 = y + hauteur."
        )
    return corners


def _names(
    count: int, labels: Sequence[Any] | None, class_names: Sequence[str] | None, noun: str
) -> tuple[list[str], list[str]]:
    """Return the name and the colour of each object."""
    if labels is None:
        return [""] * count, [color(i) for i in range(count)]
    if len(labels) != count:
        raise ValueError(f"labels contient {len(labels)} noms pour {count} {noun} : donnez-en un par objet.")
    if class_names is not None:
        indices = [int(label) for label in labels]
        if indices and not 0 <= min(indices) <= max(indices) < len(class_names):
            raise ValueError(f"labels va de {min(indices)} à {max(indices)} pour {len(class_names)} noms de classes.")
        return [class_names[i] for i in indices], [color(i) for i in indices]
    names = [str(label) for label in labels]
    order = {name: i for i, name in enumerate(dict.fromkeys(names))}
    return names, [color(order[name]) for name in names]


def _place_tabs(ax: Axes, corners: NDArray[np.float64], tabs: list[str], colors: list[str]) -> None:
    """Write each name above its box, else inside, else below, wherever it covers no other name."""
    fig = figure_of(ax)
    fig.draw_without_rendering()
    frame = ax.get_window_extent()
    taken: list[Bbox] = []
    order = np.argsort(-corners[:, 3], kind="stable")  # the nearest objects, lowest in the image, choose first
    for index in order:
        if not tabs[index]:
            continue
        x1, y1, x2, y2 = corners[index]
        text = ax.text(
            x1,
            y1,
            tabs[index],
            fontsize=11,
            color=ink_on(colors[index]),
            va="bottom",
            ha="left",
            bbox={"facecolor": colors[index], "edgecolor": "none", "pad": 1.5},
            zorder=5,
        )
        places = [
            (x1, y1, "left", "bottom"),
            (x1, y1, "left", "top"),
            (x2, y1, "right", "bottom"),
            (x2, y1, "right", "top"),
            (x1, y2, "left", "top"),
            (x2, y2, "right", "top"),
        ]
        best = min(places, key=lambda place: _trouble(text, place, frame, taken))
        _trouble(text, best, frame, taken)
        taken.append(text.get_window_extent().padded(2))


def _trouble(text: Any, place: tuple[float, float, str, str], frame: Bbox, taken: list[Bbox]) -> float:
    """Move a name to ``place`` and return how many square pixels leave the image or cover another name."""
    x, y, horizontal, vertical = place
    text.set(x=x, y=y, ha=horizontal, va=vertical)
    extent = text.get_window_extent().padded(2)
    area = extent.width * extent.height
    inside = Bbox.intersection(extent, frame)
    out = area - (inside.width * inside.height if inside is not None else 0.0)
    overlaps = (Bbox.intersection(extent, other) for other in taken)
    return 2 * out + sum(o.width * o.height for o in overlaps if o is not None)


def _counted(noun: str, names: Sequence[str], title: str | None) -> str:
    """Return « Image avec 3 boîtes : voiture (2), bus (1). »."""
    counts: dict[str, int] = {}
    for name in names:
        counts[name] = counts.get(name, 0) + 1
    listed = ", ".join(f"{name} ({n})" for name, n in counts.items() if name)
    plural = "s" if len(names) > 1 else ""
    quantity = f"{len(names)} {noun}{plural}" if names else f"aucun{'e' if noun == 'boîte' else ''} {noun}"
    return f"{title + ' : i' if title else 'I'}mage avec {quantity}{' : ' + listed if listed else ''}."


def masks(
    image: ArrayLike,
    masks: ArrayLike,
    *,
    labels: Sequence[Any] | None = None,
    class_names: Sequence[str] | None = None,
    opacity: float = 0.45,
    title: str | None = None,
    ax: Axes | None = None,
    alt: str | None = None,
) -> Figure:
    """Lay masks over an image: a tint, a contour, a name.

    Parameters
    ----------
    image : image
        Background.
    masks : bool array (n, H, W), or int array (H, W)
        One mask for each object, or a map of labels where 0 is the background.
    labels : sequence of n str or int, optional
        Name of each mask, or its class number (with ``class_names``).
    class_names : sequence of str, optional
        Names of the class numbers.
    opacity : float in [0, 1], default 0.45
        Opacity of the tint.
    title, ax, alt
        Title, axes to draw in, alternative text.

    Returns
    -------
    matplotlib.figure.Figure

    Raises
    ------
    ValueError
        If the masks and the image have different sizes, or the numbers of masks and labels differ.
    """
    picture = as_image(image)
    layers = _as_masks(masks, picture.shape[:2])
    names, colors = _names(len(layers), labels, class_names, "masques")
    rgb = colored(picture, *limits([picture], None, None, False), "gray").astype(float)
    for layer, ink in zip(layers, colors, strict=True):
        tint = np.array([int(ink[i : i + 2], 16) / 255 for i in (1, 3, 5)])
        rgb[layer] = (1 - opacity) * rgb[layer] + opacity * tint
    ax = _picture(ax, rgb, title)
    for layer, ink, name in zip(layers, colors, names, strict=True):
        if not layer.any():
            continue
        # A border of zeros closes the contour of an object that touches the edge of the image.
        ax.contour(
            np.arange(-1, layer.shape[1] + 1),
            np.arange(-1, layer.shape[0] + 1),
            np.pad(layer, 1).astype(float),
            levels=[0.5],
            colors=[ink],
            linewidths=2,
        )
        if name:
            y, x = (np.median(where) for where in np.nonzero(layer))
            ax.text(
                x,
                y,
                name,
                fontsize=11,
                ha="center",
                va="center",
                color=ink_on(ink),
                clip_on=True,
                bbox={"facecolor": ink, "edgecolor": "none", "pad": 1.5, "alpha": 0.9},
            )
    ax.set(xlim=(-0.5, picture.shape[1] - 0.5), ylim=(picture.shape[0] - 0.5, -0.5))
    return annotate(figure_of(ax), alt, _counted("masque", names, title))


def _as_masks(masks: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    array = np.asarray(masks)
    if array.ndim == 2 and array.dtype != bool:
        array = np.stack([array == value for value in np.unique(array) if value != 0] or [np.zeros(array.shape, bool)])
    elif array.ndim == 2:
        array = array[None]
    if array.size == 0 and array.shape[:1] == (0,):
        return np.zeros((0, *shape), bool)
    if array.ndim != 3 or array.shape[1:] != shape:
        raise ValueError(
            f"masks a la forme {array.shape}, on attend (n, {shape[0]}, {shape[1]}) : un masque par objet, "
            "à la taille de l’image."
        )
    return array.astype(bool)
