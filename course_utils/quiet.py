"""Load TensorFlow without its start-up log, which would land in the first cell of every notebook.

``TF_CPP_MIN_LOG_LEVEL`` silences most of that log, but TensorFlow 2.21 writes a few lines while its library is being
loaded, before it reads any setting, straight to file descriptor 2, which Jupyter shows in the notebook. The finder
below sets these lines aside while TensorFlow is imported, whoever imports it, and gives them back if the import fails.
"""

from __future__ import annotations

import importlib.util
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


@contextmanager
def stderr_aside() -> Iterator[None]:
    """Keep what is written to file descriptor 2 out of sight, unless the block raises: then give it back.

    Raises
    ------
    BaseException
        Whatever the block raises, after the text that was set aside has been written to the real descriptor.
    """
    saved = os.dup(2)
    with tempfile.TemporaryFile() as log:
        os.dup2(log.fileno(), 2)
        try:
            yield
        except BaseException:
            log.seek(0)
            os.write(saved, log.read())
            raise
        finally:
            os.dup2(saved, 2)
            os.close(saved)


class QuietTensorFlow(MetaPathFinder):
    """Import finder that wraps the first import of TensorFlow in `stderr_aside`, then withdraws."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return TensorFlow's own spec, made quiet; None for any other module."""
        if fullname != "tensorflow":
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec("tensorflow")
        if spec is None or spec.loader is None:
            return spec
        execute = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            with stderr_aside():
                execute(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


def install() -> None:
    """Make the first import of TensorFlow quiet, if it has not happened yet."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    if "tensorflow" not in sys.modules:
        sys.meta_path.insert(0, QuietTensorFlow())
