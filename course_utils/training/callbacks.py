"""Keras callbacks for a class: a learning curve that grows, a training that stops in time."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import keras

from course_utils.plots.display import in_notebook, mimebundle
from course_utils.plots.learning import curves
from course_utils.plots.style import number
from course_utils.training.summary import last_values


class LiveCurve(keras.callbacks.Callback):
    """Learning curves drawn while the model learns: one figure, updated in place.

    Outside Jupyter, one line of text for each epoch. The saved notebook keeps a single figure. Use it with
    ``model.fit(…, verbose=0)``.

    Parameters
    ----------
    metrics : sequence of str, default ("loss", "accuracy")
        Metrics to draw, those that the model does not record being left out.
    every : int, default 1
        Epochs between two drawings.
    share : float, default 0.15
        Largest part of the time that drawing may take: with very short epochs, some drawings are skipped. The last
        epoch is always drawn.
    title : str, optional
        Title of the figure.
    """

    def __init__(
        self,
        metrics: Sequence[str] | None = ("loss", "accuracy"),
        *,
        every: int = 1,
        share: float = 0.15,
        title: str | None = None,
    ) -> None:
        super().__init__()
        if every < 1 or not 0 < share <= 1:
            raise ValueError(f"every = {every}, share = {share} : on attend every ≥ 1 et share entre 0 et 1.")
        self.metrics, self.every, self.share, self.title = metrics, every, share, title
        self.history: dict[str, list[float]] = {}
        self._handle: Any = None

    def on_train_begin(self, logs: Any = None) -> None:
        """Start a new figure."""
        self.history, self._handle = {}, None
        self._start, self._drawing, self._shown = time.perf_counter(), 0.0, 0

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Record the epoch, and draw if it is time."""
        for key, value in (logs or {}).items():
            if self.metrics is None or key.removeprefix("val_") in self.metrics:
                self.history.setdefault(key, []).append(float(value))
        if not self.history or (epoch + 1) % self.every:
            return
        if not in_notebook():
            self._print(epoch)
        elif self._shown == 0 or self._drawing <= self.share * (time.perf_counter() - self._start):
            self._draw()

    def on_train_end(self, logs: Any = None) -> None:
        """Draw the last state."""
        if self.history and in_notebook() and self._shown < self._recorded():
            self._draw()

    def _recorded(self) -> int:
        return max(map(len, self.history.values()))

    def _draw(self) -> None:
        from IPython.display import display

        start = time.perf_counter()
        bundle, metadata = mimebundle(curves(self.history, title=self.title))
        if self._handle is None:
            self._handle = display(bundle, metadata=metadata, raw=True, display_id=True)
        else:
            self._handle.update(bundle, metadata=metadata, raw=True)
        self._shown = self._recorded()
        self._drawing += time.perf_counter() - start

    def _print(self, epoch: int) -> None:
        total = (self.params or {}).get("epochs")
        print(f"époque {epoch + 1}{f'/{total}' if total else ''} · {last_values(self.history)}", flush=True)


class TimeBudget(keras.callbacks.Callback):
    """Stop a training, after the batch in progress, once its time is spent.

    The result then depends on the machine: assert it with a wide margin.

    Parameters
    ----------
    seconds : float
        Time allowed, validation included.
    quiet : bool, default False
        Do not print the line that announces the stop.
    clock : callable, default time.perf_counter
        Clock, in seconds.

    Attributes
    ----------
    stopped : bool
        Whether the last training was stopped.
    """

    def __init__(self, seconds: float, *, quiet: bool = False, clock: Callable[[], float] = time.perf_counter) -> None:
        super().__init__()
        if not seconds > 0:
            raise ValueError(f"seconds = {seconds} : on attend une durée positive, en secondes.")
        self.seconds, self.quiet, self.clock = float(seconds), quiet, clock
        self.stopped = False

    def on_train_begin(self, logs: Any = None) -> None:
        """Start the clock."""
        self.stopped, self._start, self._epoch = False, self.clock(), 0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Note the epoch, for the message."""
        self._epoch = epoch + 1

    def on_train_batch_end(self, batch: int, logs: Any = None) -> None:
        """Stop if the time is spent, unless this batch was the last of all."""
        params = self.params or {}
        if (self._epoch, batch + 1) != (params.get("epochs"), params.get("steps")):
            self._check(f"pendant l’époque {self._epoch}")

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Stop if the validation spent the rest of the time and epochs remain."""
        if epoch + 1 < ((self.params or {}).get("epochs") or 0):
            self._check(f"après l’époque {self._epoch}")

    def _check(self, when: str) -> None:
        if self.stopped or self.clock() - self._start < self.seconds:
            return
        self.stopped = self.model.stop_training = True
        if not self.quiet:
            print(f"Budget de {number(self.seconds)}\u00a0s atteint\u00a0: entraînement arrêté {when}.")
