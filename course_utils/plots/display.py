"""From a Matplotlib figure to a Jupyter output: one light image, with its alternative text.

Jupyter receives ``image/png``, or ``image/jpeg`` where a photograph would make the PNG heavy, with the output metadata
``{"image/png": {"alt": …}}`` (the key that nbconvert reads), and the alternative text again as ``text/plain``.
"""

from __future__ import annotations

import base64
import sys
from collections.abc import Iterator
from io import BytesIO
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from course_utils.plots import style

MAX_BYTES = 75_000
"""Weight that a displayed figure does not exceed: about 100 kB once written in base 64 in the notebook."""

_PHOTOGRAPHIC = 40_000  # distinct colours beyond which an image is taken for a photograph
_INVISIBLE = 14  # error of a channel, out of 255, that nobody sees on a screen
_TINT = 2  # mean gap between the channels, out of 255, above which greys look coloured

_ALT: WeakKeyDictionary[Figure, list[str]] = WeakKeyDictionary()


def describe(fig: Figure, alt: str) -> Figure:
    """Give a figure its alternative text, and take it out of pyplot so that it is displayed only once.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
        Figure made directly with Matplotlib, for instance by ``plt.subplots()``.
    alt : str
        What the figure shows, in one or two sentences, for someone who does not see it.

    Returns
    -------
    matplotlib.figure.Figure
        The same figure; write the call on the last line of the cell.

    Raises
    ------
    TypeError
        If ``fig`` is not a figure.
    ValueError
        If ``alt`` is empty.
    """
    if not isinstance(fig, Figure):
        raise TypeError(
            f"describe attend une figure Matplotlib, pas un objet {type(fig).__name__}. "
            "Avec « fig, ax = plt.subplots() », passez fig."
        )
    if not isinstance(alt, str) or not alt.strip():
        raise ValueError("describe attend un texte alternatif non vide : une phrase qui dit ce que montre la figure.")
    _ALT[fig] = [alt.strip()]
    return release(fig)


def annotate(fig: Figure, alt: str | None, default: str) -> Figure:
    """Set the alternative text ``alt``, or add the truthful ``default`` to those of the figure's other panels."""
    if alt is not None:
        return describe(fig, alt)
    _ALT.setdefault(fig, []).append(default)
    return release(fig)


def release(fig: Figure) -> Figure:
    """Make pyplot forget ``fig``, if it knows it: the inline backend then does not display it a second time."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    if pyplot is not None:
        pyplot.close(fig)
    return fig


def alt_text(fig: Figure) -> str:
    """Return the alternative text of ``fig``: the one given, else one composed from its titles and labels."""
    given = _ALT.get(fig)
    return " ".join(given) if given else _composed(fig)


def _composed(fig: Figure) -> str:
    title = fig.get_suptitle()
    parts = [f"Figure : {title}." if title else "Figure."]
    for ax in fig.axes:
        if ax.get_label() == "<colorbar>":
            continue
        title = ax.get_title("left") or ax.get_title()
        legend = ax.get_legend()
        names = [text.get_text() for text in legend.get_texts()] if legend is not None else []
        shown = f"{title} : " if title else ""
        if ax.get_xlabel() or ax.get_ylabel():
            shown += f"{ax.get_ylabel() or 'valeur'} selon {ax.get_xlabel() or 'l’abscisse'}"
        if names:
            shown += f" ({', '.join(names)})"
        if shown:
            parts.append(shown.rstrip("  :") + ".")
    return " ".join(parts)


def render(fig: Figure, *, crop: bool = True) -> Image.Image:
    """Draw a figure, cropped to its content unless told otherwise, and return it as an RGB Pillow image."""
    style.french_ticks(fig)
    buffer = BytesIO()
    fig.savefig(
        buffer,
        format="png",
        dpi=fig.dpi,
        bbox_inches="tight" if crop else None,
        pad_inches=0.08,
        facecolor="white",
        pil_kwargs={"compress_level": 1},
    )
    return Image.open(buffer).convert("RGB")


def encode(image: Image.Image, limit: int = MAX_BYTES) -> tuple[str, bytes]:
    """Compress an RGB image below ``limit`` bytes.

    A drawing becomes a PNG of 256 colours where none is visibly wrong, an exact PNG otherwise; a photograph becomes a
    JPEG of decreasing quality, then of decreasing size.

    Returns
    -------
    mime : str
        ``"image/png"`` or ``"image/jpeg"``.
    data : bytes
        The encoded image.
    """
    data = b""
    for mime, data in _candidates(image):
        if len(data) <= limit:
            return mime, data
    scale = 0.9 * (limit / len(data)) ** 0.5
    size = (max(1, int(image.width * scale)), max(1, int(image.height * scale)))
    return encode(image.resize(size, Image.Resampling.LANCZOS), limit)


def _candidates(image: Image.Image) -> Iterator[tuple[str, bytes]]:
    """Yield encodings of an image, the preferred one first."""
    if image.getcolors(256) is not None:
        yield "image/png", _bytes(image.quantize(256), "PNG", optimize=True)
    elif image.getcolors(_PHOTOGRAPHIC) is not None:
        # Maximum coverage keeps rare colours (a single yellow star) that a median cut would merge with others.
        reduced = image.quantize(256, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
        if _faithful(np.asarray(reduced.convert("RGB"), np.int16), np.asarray(image, np.int16)):
            yield "image/png", _bytes(reduced, "PNG", optimize=True)
        yield "image/png", _bytes(image, "PNG")
    for quality in (90, 84, 76, 68):
        yield "image/jpeg", _bytes(image, "JPEG", quality=quality, subsampling=0)


def _faithful(reduced: np.ndarray, exact: np.ndarray) -> bool:
    """Say whether nobody would see the difference; greys are watched more closely, for the eye sees any tint."""
    greys = (np.ptp(exact, axis=-1) == 0) & (exact[..., 0] < 255)
    tint = np.ptp(reduced[greys], axis=-1).mean() if greys.any() else 0
    return bool(np.abs(reduced - exact).max() <= _INVISIBLE and tint <= _TINT)


def _bytes(image: Image.Image, kind: str, **options: Any) -> bytes:
    buffer = BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def mimebundle(fig: Figure) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """Return what Jupyter displays for ``fig``: data and metadata by MIME type."""
    mime, data = encode(render(fig))
    alt = alt_text(fig)
    return {mime: base64.b64encode(data).decode("ascii"), "text/plain": alt}, {mime: {"alt": alt}}


def shell() -> Any:
    """Return the running IPython shell, or None; never imports IPython."""
    ipython = sys.modules.get("IPython")
    return ipython.get_ipython() if ipython is not None and hasattr(ipython, "get_ipython") else None


def in_notebook() -> bool:
    """Say whether the code runs in a Jupyter kernel."""
    return hasattr(shell(), "kernel")


def register() -> None:
    """Make IPython display every Matplotlib figure through this module (no effect outside Jupyter)."""
    if not in_notebook():
        return
    ipython = shell()
    import matplotlib.pyplot as plt

    # The inline backend registers its own image formatters when it is first used: let it do so now, before ours.
    plt.switch_backend(plt.get_backend())
    _take_over(ipython)
    # « %matplotlib inline » in a later cell registers them again.
    ipython.events.register("pre_run_cell", lambda info: _take_over(ipython))


def _take_over(ipython: Any) -> None:
    formatter = ipython.display_formatter
    for other in formatter.formatters.values():
        other.type_printers.pop(Figure, None)
    formatter.mimebundle_formatter.for_type(Figure, mimebundle)
