"""Where the files of a set are: ``$COURSE_DATA``, the cache, or a download. Each file is checked by its digest."""

from __future__ import annotations

import contextlib
import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from course_utils.data.catalogue import Edition, File, Source
from course_utils.data.errors import CorruptFileError, DataError, UnavailableError, megabytes, storage
from course_utils.paths import cache_dir, course_data

LARGE = 50_000_000
"""Bytes above which a download waits to be asked for: a class shares one connection."""

_verified: set[str] = set()


@dataclass(frozen=True)
class Found:
    """The files of a set, checked and ready to be read.

    Attributes
    ----------
    edition : Edition
        How they are packed.
    folder : pathlib.Path
        Where they are.
    origin : {"COURSE_DATA", "cache", "download"}
        How they came there.
    """

    edition: Edition
    folder: Path
    origin: str

    def paths(self, split: str) -> list[Path]:
        """Return the paths of the files of a split, in the order that the reader expects."""
        return [self.folder / file.name for file in self.edition.files[split]]


def locate(source: Source, splits: tuple[str, ...], *, download: bool | None = None) -> Found:
    """Find the files of these splits, and download them if need be.

    Parameters
    ----------
    source : Source
        The set.
    splits : tuple of str
        Among ``"train"`` and ``"test"``; only their files are looked for.
    download : bool, optional
        None downloads up to ``LARGE`` bytes; True downloads any size, and asks a silent network again; False never.
        ``COURSE_OFFLINE=1`` in the environment is stronger.

    Returns
    -------
    Found
        Complete and checked.

    Raises
    ------
    CorruptFileError
        If a file of ``$COURSE_DATA`` has not the expected digest, or one of the cache that cannot be replaced, or if
        all servers send something else.
    StorageError
        If the cache cannot be written.
    UnavailableError
        If the set is nowhere to be had.
    """
    damaged = None
    for root, origin in ((course_data(), "COURSE_DATA"), (cache_dir() / "datasets", "cache")):
        for edition in source.editions if root else ():
            folder = Path(root or "") / (source.folder or source.name)
            files = edition.needed(splits)
            if not all(os.path.isfile(folder / file.name) for file in files):
                continue
            try:
                for file in files:
                    verify(folder / file.name, file)
                return Found(edition, folder, origin)
            except CorruptFileError as error:
                if origin == "COURSE_DATA":
                    raise
                damaged = error
    try:
        return _download(source, splits, download)
    except UnavailableError:
        if damaged:
            raise damaged from None
        raise


def verify(path: Path, file: File) -> None:
    """Check the digest of a file, once per machine: the verdict is kept in the cache under (path, size, date).

    Parameters
    ----------
    path : pathlib.Path
        The file as it is on this machine.
    file : File
        What it should be.

    Raises
    ------
    CorruptFileError
        If the digest is none of ``file.digests``.
    DataError
        If the file cannot be read.
    """
    try:
        status = path.stat()
        identity = f"{path.resolve()}|{status.st_size}|{status.st_mtime_ns}|{file.digests}"
        marker = cache_dir() / "verified" / hashlib.sha256(identity.encode()).hexdigest()[:40]
        if marker.name in _verified or os.path.isfile(marker):
            return
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, file.algorithm).hexdigest()
    except OSError as error:
        fault = f"Le fichier {path} est illisible ({error.strerror}). Vérifiez le disque et vos droits d'accès."
        raise DataError(fault) from error
    if found not in file.digests:
        kind = {"sha256": "SHA-256", "sha1": "SHA-1", "md5": "MD5"}[file.algorithm]
        raise CorruptFileError(
            f"Le fichier {path} est abîmé ou n'est pas le bon : son empreinte {kind} est {found}, on attendait "
            f"{' ou '.join(file.digests)} ; il fait {status.st_size} octets, l'original {file.size}. "
            "Supprimez-le ou remplacez-le par une copie intacte, puis relancez."
        )
    _verified.add(marker.name)
    with contextlib.suppress(OSError):  # a cache that cannot be written only costs the time of the next check
        marker.parent.mkdir(parents=True, exist_ok=True)
        marker.touch()


def _download(source: Source, splits: tuple[str, ...], download: bool | None) -> Found:
    """Download what is missing of the first published edition, unless the rules or the network forbid it."""
    from course_utils.data.transfer import network_answers

    edition = next((edition for edition in source.editions if edition.mirrors), None)
    if edition is None:
        raise UnavailableError(_absence(source, " ; il n'est pas à télécharger"))
    if os.environ.get("COURSE_OFFLINE", "0") not in ("", "0"):
        raise UnavailableError(_absence(source, " ; COURSE_OFFLINE interdit le téléchargement"))
    folder = cache_dir() / "datasets" / (source.folder or source.name)
    size = sum(file.size for file in edition.needed(splits))
    if download is False or (download is None and size > LARGE):
        asked = (
            f' ; {megabytes(size)} à télécharger seulement sur demande, {source.loader}("{source.name}", download=True)'
        )
        raise UnavailableError(_absence(source, asked))
    if not network_answers(edition.mirrors, again=bool(download)):
        raise UnavailableError(_absence(source, ", ni réseau"))
    for file in edition.needed(splits):
        _download_file(source, file, edition.mirrors, folder)
    return Found(edition, folder, "download")


def _absence(source: Source, why: str) -> str:
    folder = course_data()
    absent = folder is not None and not folder.is_dir()
    given = f"COURSE_DATA désigne {folder}, qui n'existe pas ;" if absent else "ni COURSE_DATA,"
    return f"{source.card.title} introuvable ({given} ni cache{why})"


def _download_file(source: Source, file: File, mirrors: tuple[str, ...], folder: Path) -> None:
    """Download one file from the first mirror that gives the right bytes; it appears complete or not at all."""
    import requests

    from course_utils.data.transfer import forget_network

    refusals, silent, wrong = [], 0, False
    for mirror in mirrors:
        host = urlsplit(mirror).netloc
        try:
            return _retrieve(f"{mirror}{file.name}", file, folder, label=f"{source.card.title}, {file.name}")
        except requests.HTTPError as error:
            refusals.append(f"{host} répond {getattr(error.response, 'status_code', 'par une erreur')}")
        except requests.RequestException:
            refusals.append(f"{host} ne répond plus")
            silent += 1
        except ValueError:
            refusals.append(f"{host} envoie autre chose que le fichier attendu")
            wrong = True
        except OSError as error:
            raise storage(folder, error) from error
    if wrong:
        raise CorruptFileError(
            f"{source.card.title} : {file.name} n'a pas l'empreinte attendue ({', '.join(refusals)}). Un wifi qui "
            "demande une connexion, ou un filtre, répond parfois à la place du serveur : ouvrez une page web pour vous "
            "connecter, puis relancez. Pour continuer sans réseau, avec la doublure : COURSE_OFFLINE=1."
        )
    if silent == len(mirrors):
        forget_network(answers=False)
    raise UnavailableError(_absence(source, f" ; {', '.join(refusals)}"))


def _retrieve(url: str, file: File, folder: Path, *, label: str) -> None:
    """Let pooch download a file, check it and give it its name; what an earlier attempt began has a second chance."""
    import pooch

    from course_utils.data.transfer import ResumingDownloader

    path = folder / file.name
    if path.is_file():
        try:
            return verify(path, file)
        except CorruptFileError:
            path.unlink()
    pooch.get_logger().setLevel("WARNING")  # the progress bar and the Dataset already say what happens
    downloader = ResumingDownloader(file.size, label)
    known_hash = f"{file.algorithm}:{file.digests[0]}"
    try:
        pooch.retrieve(url, known_hash=known_hash, fname=file.name, path=folder, downloader=downloader)
    except ValueError:
        if not downloader.resumed:
            raise
        pooch.retrieve(url, known_hash=known_hash, fname=file.name, path=folder, downloader=downloader)
