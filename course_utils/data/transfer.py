"""Bytes over the network: is there one, and a downloader for pooch that continues where the last attempt stopped."""

from __future__ import annotations

import contextlib
import queue
import sys
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import requests
from tqdm import tqdm

PATIENCE = 4.0
"""Seconds granted to the network, once per process, to answer at all."""

TIMEOUT = (4.0, 30.0)
"""Seconds to connect, and between two packets, during a download."""

ABANDONED = 600.0
"""Seconds without a byte after which a partial file no longer belongs to anybody."""

CHUNK = 8192
"""Bytes written at a time; what a cut connection loses is less than that."""

_memory: dict[str, bool] = {}


def network_answers(urls: Sequence[str], *, again: bool = False) -> bool:
    """Tell whether at least one of these servers answers, whatever it says.

    The first verdict is remembered for the process, so that a notebook without network waits once. All servers are
    asked at the same time, in threads that are left behind after ``PATIENCE`` seconds: name resolution alone can
    hang for longer than any timeout given to `requests`.

    Parameters
    ----------
    urls : sequence of str
        Addresses on different servers.
    again : bool
        Ask again if the remembered verdict is no.

    Returns
    -------
    bool
        True if one answered.
    """
    known = _memory.get("network")
    if known or (known is not None and not again):
        return known
    answers: queue.Queue[bool] = queue.Queue()
    for url in urls:
        threading.Thread(target=lambda url=url: answers.put(_knock(url)), daemon=True).start()
    deadline = time.monotonic() + PATIENCE
    found = False
    with contextlib.suppress(queue.Empty):
        found = any(answers.get(timeout=max(0.0, deadline - time.monotonic())) for _ in urls)
    _memory["network"] = found
    return found


def _knock(url: str) -> bool:
    try:
        requests.head(url, timeout=PATIENCE, allow_redirects=False)
    except requests.RequestException:
        return False
    return True


def forget_network(*, answers: bool | None = None) -> None:
    """Replace the remembered verdict on the network by `answers`, or forget it."""
    _memory.clear()
    if answers is not None:
        _memory["network"] = answers


class WrongContentError(ValueError):
    """The server sends something else than the file (often the login page of a wifi network)."""


class ResumingDownloader:
    """Downloader for :func:`pooch.retrieve` that survives cuts.

    Bytes go to a partial file beside the target. When the connection is cut, it is continued with a ``Range`` request;
    when that fails too, the partial file stays, under a name that the next attempt (of any process) takes over
    atomically. Two notebooks that download at the same time thus never write in the same file.

    Parameters
    ----------
    size : int
        Bytes expected.
    label : str
        Text of the progress bar, shown above one megabyte.

    Attributes
    ----------
    resumed : bool
        True if the file handed to pooch began with bytes of an earlier attempt.
    """

    def __init__(self, size: int, label: str) -> None:
        self.size, self.label, self.resumed = size, label, False

    def __call__(self, url: str, output_file: str, pooch: Any, check_only: bool = False) -> None:
        """Download `url` to `output_file`, as pooch asks of a downloader.

        Raises
        ------
        requests.RequestException
            If the server cannot be reached, refuses, or keeps cutting without sending anything new.
        WrongContentError
            If what it sends has not the expected size.
        OSError
            If the bytes cannot be written.
        """
        target = Path(output_file)
        part = _take_over(target.parent, url.rsplit("/", 1)[-1])
        self.resumed = part.exists()
        try:
            self._complete(url, part)
            part.replace(target)
        except (requests.RequestException, KeyboardInterrupt):
            _leave(part, url.rsplit("/", 1)[-1])
            raise
        except BaseException:
            part.unlink(missing_ok=True)
            raise

    def _complete(self, url: str, part: Path) -> None:
        while (start := _length(part)) < self.size:
            try:
                self._stream(url, part, start)
            except requests.RequestException:
                if _length(part) <= start:
                    raise

    def _stream(self, url: str, part: Path, start: int) -> None:
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT) as response:
            response.raise_for_status()
            if response.status_code != 206:
                start = 0
            announced = response.headers.get("Content-Length")
            if announced is not None and start + int(announced) != self.size:
                raise WrongContentError(f"{start + int(announced)} octets au lieu de {self.size}")
            with part.open("ab" if start else "wb") as file, self._bar(start) as bar:
                for chunk in response.iter_content(CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
        if _length(part) != self.size:
            raise WrongContentError(f"{_length(part)} octets au lieu de {self.size}")

    def _bar(self, start: int) -> Any:
        return tqdm(
            total=self.size,
            initial=start,
            desc=self.label,
            unit="o",
            unit_scale=True,
            leave=False,
            file=sys.stdout,
            disable=self.size < 1_000_000,
        )


def _length(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _take_over(folder: Path, name: str) -> Path:
    """Return a partial file of our own, holding what an earlier attempt left, if any; the renaming has one winner."""
    mine = folder / f"{name}.{uuid.uuid4().hex[:12]}.part"
    for left in _left_behind(folder, name):
        with contextlib.suppress(OSError):
            left.replace(mine)
            break
    return mine


def _left_behind(folder: Path, name: str) -> Iterator[Path]:
    yield folder / f"{name}.part"
    for path in folder.glob(f"{name}.*.part"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > ABANDONED:
                yield path


def _leave(part: Path, name: str) -> None:
    with contextlib.suppress(OSError):
        part.replace(part.with_name(f"{name}.part"))
