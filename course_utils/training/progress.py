"""Progress bars and stopwatches that leave one tidy line."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from tqdm import tqdm

from course_utils.plots.display import in_notebook
from course_utils.plots.style import number

T = TypeVar("T")


class _Line:
    """A text stream whose last line replaces the previous one in the output of a Jupyter cell."""

    def __init__(self) -> None:
        self._handle: Any = None

    def write(self, text: str) -> int:
        line = text.replace("\r", "").strip()
        if line:
            self.show(line)
        return len(text)

    def flush(self) -> None:
        """Do nothing: each write is displayed at once (``tqdm`` calls this method)."""

    def show(self, line: str) -> None:
        from IPython.display import display

        if self._handle is None:
            self._handle = display({"text/plain": line}, raw=True, display_id=True)
        else:
            self._handle.update({"text/plain": line}, raw=True)


def progress(iterable: Iterable[T], label: str = "", *, total: int | None = None, unit: str = "") -> Iterator[T]:
    """Iterate with a progress bar, and leave « label : 200 sur 200 en 3,2 s » when done.

    Parameters
    ----------
    iterable : iterable
        What to go through.
    label : str, default ""
        What is being done.
    total : int, optional
        Number of items, when ``iterable`` has no length.
    unit : str, default ""
        Name of the items, in the plural: « images ».

    Yields
    ------
    object
        The items of ``iterable``.
    """
    notebook = in_notebook()
    line = _Line()
    before = f"{label}\u00a0: " if label else ""
    counted = total is not None or hasattr(iterable, "__len__")
    shown = "{percentage:3.0f} % |{bar:30}| {n} sur {total}, encore {remaining}" if counted else "{n}, {elapsed}"
    # Never on the standard error: Jupyter paints it red, like a fault.
    bar = tqdm(
        iterable,
        total=total,
        file=line if notebook else sys.stdout,
        ncols=78,
        mininterval=0.25,
        leave=False,
        bar_format=before + shown,
    )
    start = time.perf_counter()
    try:
        yield from bar
    finally:
        bar.close()
        done = f"{bar.n} sur {bar.total}" if bar.total is not None else f"{bar.n}"
        summary = before + f"{done} {unit}".rstrip() + f" en {_seconds(time.perf_counter() - start)}"
        if notebook:
            line.show(summary)
        else:
            print(summary)


@contextmanager
def timed(label: str) -> Iterator[None]:
    """Print how long the block took: « label : 3,2 s ».

    Parameters
    ----------
    label : str
        What is timed.

    Examples
    --------
    >>> with timed("entraînement"):  # doctest: +SKIP
    ...     model.fit(x, y)
    entraînement : 3,2 s
    """
    start = time.perf_counter()
    yield
    print(f"{label}\u00a0: {_seconds(time.perf_counter() - start)}")


def _seconds(duration: float) -> str:
    if duration < 1:
        return f"{number(1000 * duration, 0)}\u00a0ms"
    if duration < 60:
        return f"{number(duration, 1)}\u00a0s"
    return f"{int(duration // 60)}\u00a0min {int(duration % 60):02d}\u00a0s"
