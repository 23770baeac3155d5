"""The participant's progress on this machine: which exercises were tried, which are solved.

One small JSON file in the course's cache. Nothing about it may ever stop a lesson: a damaged file is set aside, an
unwritable place means that progress is kept in memory, each with one visible line. Two notebooks may write at once:
each adds its own news to what the file holds, under a lock, and replaces the file in one step.

``COURSE_PROGRESS=0`` leaves the file alone (tests, continuous integration); so does a notebook of ``solutions/``, whose
answers are not the participant's.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from course_utils.exercises.verdict import Notice, show

FORMAT = "course-utils-progress"
VERSION = 1
_LOCK_WAIT = 2.0  # seconds before writing without the lock: losing a count is better than blocking a lesson
_LOCK_STALE = 10.0  # seconds after which a lock is taken to be that of a process that died


@dataclass
class Entry:
    """What is known of one exercise.

    Attributes
    ----------
    attempts : int
        Checked answers, right or wrong; an untouched stub does not count.
    solved : bool
        Whether one of them was right.
    """

    attempts: int = 0
    solved: bool = False

    def merged(self, other: Entry) -> Entry:
        """Return the sum of two entries of the same exercise."""
        return Entry(self.attempts + other.attempts, self.solved or other.solved)


class Damaged(ValueError):  # noqa: N818 - a state of the file
    """The file is not a progress record that this version can read."""


@dataclass
class Record:
    """Progress on disk, plus the news that could not be written yet.

    Parameters
    ----------
    path : callable
        Returns the path of the file; called at each use, since the cache may move between two tests.
    """

    path: Callable[[], Path]
    _pending: dict[str, Entry] = field(default_factory=dict)
    _said: set[str] = field(default_factory=set)

    def note(self, exercise_id: str, *, solved: bool) -> None:
        """Add one attempt. Never raises: what cannot be written stays in memory and is tried again next time."""
        self._pending = _merge(self._pending, {exercise_id: Entry(1, solved)})
        if not _enabled():
            return
        try:
            path = self.path()
            path.parent.mkdir(parents=True, exist_ok=True)
            with _lock(path):
                _write(path, _merge(self._read(path), self._pending))
            self._pending = {}
        except (OSError, RuntimeError) as error:  # RuntimeError: no home folder to be found
            self._say_once(
                "unwritable",
                f"elle ne peut être enregistrée ({_reason(error)}) et sera gardée le temps de "
                "cette séance. Pour choisir une autre place : la variable d'environnement `COURSE_CACHE`.",
            )

    def entries(self) -> dict[str, Entry]:
        """Return what is known of each exercise, by id. Never raises."""
        if not _enabled():
            return dict(self._pending)
        try:
            stored = self._read(self.path())
        except (OSError, RuntimeError) as error:
            self._say_once("unreadable", f"elle ne peut pas être lue ({_reason(error)}).")
            stored = {}
        return _merge(stored, self._pending)

    def _read(self, path: Path) -> dict[str, Entry]:
        """Return the entries of the file, none if there is no file; a damaged file is renamed first."""
        try:
            return _parse(path.read_bytes())
        except FileNotFoundError:
            return {}
        except (Damaged, IsADirectoryError) as error:
            aside = _free_name(path)
            os.replace(path, aside)
            self._say_once(
                f"damaged {aside}",
                f"son fichier était illisible ({error}) ; il est mis de côté sous le nom `{aside.name}`, "
                "et l'on repart de zéro.",
            )
            return {}

    def _say_once(self, key: str, message: str) -> None:
        if key not in self._said:
            self._said.add(key)
            show(Notice("Votre progression", message))


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or type(error).__name__


def _enabled() -> bool:
    if os.environ.get("COURSE_PROGRESS", "").strip().lower() in {"0", "no", "off", "false", "non"}:
        return False
    # Jupyter's server gives each kernel the path of its notebook in this variable.
    return "solutions" not in Path(os.environ.get("JPY_SESSION_NAME", "")).parts


def _merge(first: dict[str, Entry], second: dict[str, Entry]) -> dict[str, Entry]:
    return first | {key: first.get(key, Entry()).merged(entry) for key, entry in second.items()}


def _parse(content: bytes) -> dict[str, Entry]:
    try:
        payload = json.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise Damaged("ce n'est pas du JSON entier") from error
    if not isinstance(payload, dict) or payload.get("format") != FORMAT:
        raise Damaged("il vient d'ailleurs")
    if payload.get("version") != VERSION:
        raise Damaged(f"il est de la version {payload.get('version')}, celle-ci lit la version {VERSION}")
    exercises = payload.get("exercises")
    if not isinstance(exercises, dict) or not all(_is_entry(entry) for entry in exercises.values()):
        raise Damaged("son contenu est abîmé")
    return {key: Entry(entry["attempts"], entry["solved"]) for key, entry in exercises.items()}


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and type(entry.get("attempts")) is int
        and entry["attempts"] >= 0
        and isinstance(entry.get("solved"), bool)
    )


def _write(path: Path, entries: dict[str, Entry]) -> None:
    """Replace the file in one step, so that no reader and no power cut ever meets half of it."""
    exercises = {key: {"attempts": entries[key].attempts, "solved": entries[key].solved} for key in sorted(entries)}
    content = json.dumps({"format": FORMAT, "version": VERSION, "exercises": exercises}, indent=1)
    handle, temporary = tempfile.mkstemp(prefix=path.name, suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(content + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(temporary)
        raise


def _free_name(path: Path) -> Path:
    names = (path.with_name(f"{path.name}.damaged{suffix}") for suffix in ("", *map(str, range(2, 1000))))
    return next(name for name in names if not name.exists())


@contextmanager
def _lock(path: Path) -> Iterator[None]:
    """Hold the lock file beside `path`; after `_LOCK_WAIT` seconds, go on without it."""
    lock = path.with_name(f"{path.name}.lock")
    held = False
    deadline = time.monotonic() + _LOCK_WAIT
    while not held and time.monotonic() < deadline:
        try:
            os.close(os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
            held = True
        except FileExistsError:
            with suppress(OSError):
                if time.time() - lock.stat().st_mtime > _LOCK_STALE:
                    lock.unlink()
            time.sleep(0.01)
    try:
        yield
    finally:
        if held:
            with suppress(OSError):
                lock.unlink()


def _path() -> Path:
    from course_utils.paths import cache_dir

    return Path(cache_dir()) / "progress.json"


RECORD = Record(_path)
