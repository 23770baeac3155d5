"""Figures that move: animations that play anywhere, and sliders that redraw a figure."""

from __future__ import annotations

import base64
import html
import inspect
from collections.abc import Callable, Mapping, Sequence
from io import BytesIO
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import ArrayLike
from PIL import Image

from course_utils.plots.display import alt_text, encode, in_notebook, mimebundle, release, render
from course_utils.plots.images import as_image
from course_utils.plots.style import number

MAX_ANIMATION_BYTES = 400_000
"""Weight that an animation does not exceed."""


class Animation:
    """A short loop of images, as an animated WebP: Jupyter and any HTML page play it without JavaScript.

    Attributes
    ----------
    data : bytes
        The WebP file.
    alt : str
        Alternative text.
    size : (int, int)
        Width and height in pixels.
    """

    def __init__(self, data: bytes, alt: str, size: tuple[int, int]) -> None:
        self.data, self.alt, self.size = data, alt, size

    def __repr__(self) -> str:
        """Return the alternative text."""
        return self.alt

    def _repr_html_(self) -> tuple[str, dict[str, str]]:
        source = base64.b64encode(self.data).decode("ascii")
        width, height = self.size
        attributes = f'width="{width}" height="{height}" alt="{html.escape(self.alt)}"'
        return f'<img src="data:image/webp;base64,{source}" {attributes}>', {"alt": self.alt}


def animation(
    frames: Sequence[ArrayLike | Figure] | Any,
    *,
    fps: float = 8,
    width: int | None = None,
    hold: float = 1.0,
    alt: str | None = None,
) -> Animation:
    """Make an animation of images or figures.

    Parameters
    ----------
    frames : array (T, H, W[, 1 or 3]), or sequence of images or of figures
        The successive images, all of the same size; figures must share their size in inches.
    fps : float, default 8
        Images per second.
    width : int, optional
        Width in pixels; by default that of the figures, or about 480 for images, whose pixels stay sharp when enlarged.
    hold : float, default 1.0
        Seconds during which the last image stays before the loop starts again.
    alt : str, optional
        Alternative text.

    Returns
    -------
    Animation
        To write on the last line of the cell. At most 400 kB: quality, then size, is lowered as needed.

    Raises
    ------
    ValueError
        If there is no frame, sizes differ, values leave [0, 1] or ``fps`` is not positive.
    """
    pictures = _pictures(frames, width)
    if fps <= 0 or hold < 0:
        raise ValueError(f"fps = {fps}, hold = {hold} : on attend fps > 0 et hold ≥ 0.")
    durations = [max(20, round(1000 / fps))] * len(pictures)
    durations[-1] += round(1000 * hold)
    data, size = _webp(pictures, durations)
    return Animation(data, alt or f"Animation de {len(pictures)} images.", size)


def _pictures(frames: Any, width: int | None) -> list[Image.Image]:
    count = len(frames)
    if not count:
        raise ValueError("animation a reçu 0 image : il en faut au moins une.")
    if isinstance(frames[0], Figure):
        # Not cropped: a crop that follows the content would make the animation tremble.
        pictures = [render(release(frame), crop=False) for frame in frames]
    else:
        arrays = [as_image(frame, f"image {index}") for index, frame in enumerate(frames)]
        low, high = min(float(a.min()) for a in arrays), max(float(a.max()) for a in arrays)
        if not (low >= -0.01 and high <= 1.01):
            raise ValueError(
                f"animation : les valeurs vont de {number(low)} à {number(high)}, on attend [0, 1] ou uint8."
            )
        pictures = [Image.fromarray((np.clip(a, 0, 1) * 255).round().astype(np.uint8)).convert("RGB") for a in arrays]
        width = width or pictures[0].width * max(1, round(480 / pictures[0].width))
    if len({picture.size for picture in pictures}) > 1:
        sizes = sorted({picture.size for picture in pictures})
        raise ValueError(f"animation : les images ont des tailles différentes, {sizes[0]} et {sizes[-1]} pixels.")
    if width is None or width == pictures[0].width:
        return pictures
    height = round(pictures[0].height * width / pictures[0].width)
    kind = Image.Resampling.NEAREST if width > pictures[0].width else Image.Resampling.LANCZOS
    return [picture.resize((width, height), kind) for picture in pictures]


def _webp(pictures: list[Image.Image], durations: list[int]) -> tuple[bytes, tuple[int, int]]:
    """Encode below the limit, lossless if possible, and return the file with the size to display."""
    size = pictures[0].size
    for options in ({"lossless": True}, {"quality": 85}, {"quality": 65}, {"quality": 45}):
        data = _encoded(pictures, durations, **options)
        if len(data) <= MAX_ANIMATION_BYTES:
            return data, size
    scale = 0.95 * (MAX_ANIMATION_BYTES / len(data)) ** 0.5
    smaller = (max(16, int(size[0] * scale)), max(16, int(size[1] * scale)))
    if smaller == size:
        raise ValueError(
            f"animation : {len(pictures)} images ne tiennent pas dans 400 ko ; gardez-en moins (frames[::2])."
        )
    return _webp([picture.resize(smaller, Image.Resampling.LANCZOS) for picture in pictures], durations)[0], size


def _encoded(pictures: list[Image.Image], durations: list[int], **options: Any) -> bytes:
    buffer = BytesIO()
    pictures[0].save(
        buffer, "WEBP", save_all=True, append_images=pictures[1:], duration=durations, loop=0, method=2, **options
    )
    return buffer.getvalue()


class Explorer:
    """Sliders and the figure that they redraw; made by :func:`explore`."""

    def __init__(
        self,
        draw: Callable[..., Any],
        sliders: Mapping[str, Any],
        labels: Mapping[str, str],
        alt: str | None,
        slow: bool,
    ) -> None:
        self._draw, self._alt = draw, alt
        self._names = {name: labels.get(name, name.replace("_", " ")) for name in sliders}
        defaults = {name: p.default for name, p in inspect.signature(draw).parameters.items()}
        look = {"description_width": f"{0.58 * max(map(len, self._names.values()), default=0) + 1:.1f}em"}
        self.controls = {
            name: _control(name, choice, self._names[name], defaults.get(name), look, slow)
            for name, choice in sliders.items()
        }
        self.bundle, self.metadata = self._picture()
        self._handle: Any = None

    @property
    def values(self) -> dict[str, Any]:
        """Present value of each slider."""
        return {name: control.value for name, control in self.controls.items()}

    def _picture(self) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
        fig = _drawn(self._draw(**self.values))
        if isinstance(fig, Figure):
            bundle, metadata = mimebundle(fig)
            alt = self._alt or alt_text(fig)
        else:
            mime, data = encode(fig)
            alt = self._alt or "Image."
            bundle = {mime: base64.b64encode(data).decode("ascii")}
            metadata = {mime: {}}
        return {**bundle, "text/plain": alt}, {mime: {"alt": alt} for mime in metadata}

    def update(self, change: Any = None) -> None:
        """Redraw the figure with the present values of the sliders."""
        try:
            self.bundle, self.metadata = self._picture()
            bundle, metadata = self.bundle, self.metadata
        except Exception as error:  # shown in place of the picture: a callback has no cell where to raise
            bundle, metadata = {"text/plain": f"{type(error).__name__} : {error}"}, {}
        if self._handle is not None:
            self._handle.update(bundle, metadata=metadata, raw=True)

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if self.controls and in_notebook():
            from ipywidgets import VBox

            panel = VBox(list(self.controls.values()))
            for control in self.controls.values():
                control.observe(self.update, names="value")
            names = ", ".join(self._names.values())
            widget = {
                "application/vnd.jupyter.widget-view+json": {
                    "version_major": 2,
                    "version_minor": 0,
                    "model_id": panel.model_id,
                }
            }
            display({**widget, "text/plain": f"Curseurs ({names}) : exécutez la cellule pour les déplacer."}, raw=True)
        self._handle = display(self.bundle, metadata=self.metadata, raw=True, display_id=True)


def explore(
    draw: Callable[..., Any],
    *,
    labels: Mapping[str, str] | None = None,
    slow: bool = False,
    alt: str | None = None,
    **sliders: Any,
) -> Explorer:
    """Draw a figure with sliders that change it in place.

    The picture is an ordinary output of the cell: a page without a kernel shows it as it was last drawn.

    Parameters
    ----------
    draw : callable
        ``draw(**values)`` returns a figure, or an image. The defaults of its parameters are where the sliders start.
    labels : dict {parameter: str}, optional
        French name of each slider.
    slow : bool, default False
        Redraw only when the slider is released: for drawings of more than about half a second.
    alt : str, optional
        Alternative text; by default that of each figure drawn.
    **sliders
        For each parameter of ``draw``: ``(low, high)`` or ``(low, high, step)``, a list of values, or True or False for
        a box to tick.

    Returns
    -------
    Explorer
        To write on the last line of the cell.

    Raises
    ------
    TypeError
        If ``draw`` lacks a parameter of that name, or returns neither a figure nor an image.
    ValueError
        If a range is empty.

    Examples
    --------
    >>> def draw(a=1.0):
    ...     x = np.linspace(-3, 3)
    ...     return plots.lines(x, a * x**2, ylim=(-9, 9))
    >>> plots.explore(draw, a=(-2.0, 2.0), labels={"a": "courbure"})  # doctest: +SKIP
    """
    parameters = inspect.signature(draw).parameters
    accepts_any = any(p.kind is p.VAR_KEYWORD for p in parameters.values())
    unknown = [name for name in sliders if name not in parameters and not accepts_any]
    if unknown:
        raise TypeError(f"draw n’a pas de paramètre « {unknown[0]} » ; elle accepte : {', '.join(parameters)}.")
    return Explorer(draw, sliders, labels or {}, alt, slow)


def _drawn(result: Any) -> Figure | Image.Image:
    if isinstance(result, Figure):
        return release(result)
    if result is None or isinstance(result, str):
        raise TypeError(f"draw renvoie {result!r}, on attend une figure : terminez-la par « return fig ».")
    array = np.clip(as_image(result), 0, 1)
    picture = Image.fromarray((array * 255).round().astype(np.uint8)).convert("RGB")
    factor = max(1, round(400 / max(picture.size)))
    return picture.resize((picture.width * factor, picture.height * factor), Image.Resampling.NEAREST)


def _control(name: str, choice: Any, label: str, default: Any, look: Mapping[str, Any], slow: bool) -> Any:
    """Return the widget of one parameter."""
    import ipywidgets as widgets

    common = {"description": label, "style": dict(look)}
    wide = {**common, "layout": widgets.Layout(width="560px"), "continuous_update": not slow}
    if isinstance(choice, bool):
        return widgets.Checkbox(value=choice, **common)
    if isinstance(choice, tuple):
        values = _steps(name, choice)
        if all(isinstance(v, int) for v in values) and (not isinstance(default, (int, float)) or default in values):
            value = default if default in values else values[len(values) // 2]
            return widgets.IntSlider(value=value, min=values[0], max=values[-1], step=values[1] - values[0], **wide)
        if isinstance(default, (int, float)) and choice[0] <= default <= choice[1]:
            values = sorted({*values, default})
        value = default if default in values else values[len(values) // 2]
        # A slider of ready-made values, not a FloatSlider: its readout can be written the French way.
        return widgets.SelectionSlider(options=[(number(v), v) for v in values], value=value, **wide)
    if not isinstance(choice, (list, range, np.ndarray)) or not len(choice):
        raise ValueError(
            f"Le curseur « {name} » vaut {choice!r} : on attend (min, max), (min, max, pas), "
            "une liste de valeurs, True ou False."
        )
    listed = list(choice)
    value = default if default in listed else listed[0]
    if all(_is_number(v) for v in listed) and all(a < b for a, b in pairwise(listed)) and len(listed) > 1:
        return widgets.SelectionSlider(options=[(number(v), v) for v in listed], value=value, **wide)
    return widgets.Dropdown(options=[(str(v), v) for v in listed], value=value, **common)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float, np.number)) and not isinstance(value, bool)


def _steps(name: str, choice: tuple[Any, ...]) -> list[Any]:
    """Return the values of a slider (min, max[, step]); the default step is a round number, about a fiftieth."""
    if (
        len(choice) not in (2, 3)
        or not all(map(_is_number, choice))
        or not choice[0] < choice[1]
        or choice[2:]
        and choice[2] <= 0
    ):
        raise ValueError(
            f"Le curseur « {name} » vaut {choice} : on attend (min, max) ou (min, max, pas), avec min < max et pas > 0."
        )
    low, high = choice[0], choice[1]
    if all(isinstance(v, (int, np.integer)) for v in choice):
        return [int(v) for v in range(low, high + 1, choice[2] if len(choice) == 3 else 1)]
    if len(choice) == 3:
        step, start = float(choice[2]), low
    else:
        power = 10.0 ** np.floor(np.log10((high - low) / 40))
        step = max(m * power for m in (1, 2, 5) if m * power <= (high - low) / 40 * 1.0000001)
        start = step * np.ceil(low / step - 1e-9)  # round values, between the two ends
    count = int((high - low) / step + 1e-6) + 1
    if count > 1000:
        raise ValueError(
            f"Le curseur « {name} » a {count} positions : choisissez un pas plus grand que {number(step)}."
        )
    inner = (float(f"{start + step * i:.10g}") for i in range(count))
    return sorted({float(low), *(v for v in inner if v <= high), *([float(high)] if len(choice) == 2 else [])})
