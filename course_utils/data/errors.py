"""What can go wrong in the data room: each fault has its class, and a French message that says what to do."""

from __future__ import annotations

import difflib
import errno
from collections.abc import Iterable
from pathlib import Path


class DataError(RuntimeError):
    """A data set cannot be given. The message, in French, says why and what to do."""


class RequestError(DataError, ValueError):
    """The call asks for what does not exist: unknown name, wrong split, more images than there are."""


class CorruptFileError(DataError):
    """A file is not what it should be: wrong digest, truncated, damaged, or made of Python objects (pickle)."""


class StorageError(DataError):
    """The cache cannot be written: read-only, full, or a file stands where a folder is needed."""


class UnavailableError(DataError):
    """The set is in none of the places where it was looked for; :func:`load` then turns to the stand-in."""


def number(count: int) -> str:
    """Write a whole number the French way, with no-break spaces: ``60 000``."""
    return f"{count:,}".replace(",", "\N{NO-BREAK SPACE}")


def megabytes(size: int) -> str:
    """Write a size in bytes as megabytes, in French: ``170 Mo``."""
    return f"{number(max(1, round(size / 1e6)))}\N{NO-BREAK SPACE}Mo"


def unknown(what: str, given: object, known: Iterable[str]) -> RequestError:
    """Return the error for a name that nobody knows, with the nearest known ones.

    Parameters
    ----------
    what : str
        What the name should have named, in French ("jeu de données").
    given : object
        What was given.
    known : iterable of str
        The names that exist.
    """
    known = list(known)
    wanted = str(given).lower().replace("-", "_").replace(" ", "_")
    near = difflib.get_close_matches(wanted, known, n=3, cutoff=0.5)
    advice = f" Vouliez-vous dire {' ou '.join(f'« {name} »' for name in near)} ?" if near else ""
    return RequestError(f"Il n'y a pas de {what} nommé « {given} ».{advice} Noms connus : {', '.join(known)}.")


def storage(folder: Path, error: OSError) -> StorageError:
    """Say in French why `folder` cannot be written, and what to do about it.

    Parameters
    ----------
    folder : pathlib.Path
        The folder of the cache in which something had to be written.
    error : OSError
        What the system answered.
    """
    elsewhere = "donnez un autre dossier au cache avec la variable d'environnement COURSE_CACHE, puis relancez."
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        fault = f"Le disque est plein : impossible d'écrire dans {folder}. Libérez de la place"
    elif isinstance(error, FileExistsError | NotADirectoryError):
        fault = f"Un fichier occupe la place du dossier {folder}, ou d'un de ceux qui y mènent. Renommez-le"
    elif isinstance(error, PermissionError) or error.errno == errno.EROFS:
        fault = f"Le cache {folder} est en lecture seule. Rendez-le accessible en écriture"
    else:
        fault = f"Impossible d'écrire dans le cache {folder} ({error.strerror or error}). Corrigez ce défaut"
    return StorageError(f"{fault}, ou {elsewhere}")
