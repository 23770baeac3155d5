"""Is this machine ready for the course? Each question has an answer, and each fault a repair of one line."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

from course_utils.paths import ROOT, cache_dir, course_data

GIGA = 2**30


@dataclass(frozen=True)
class Finding:
    """The answer to one question.

    Attributes
    ----------
    question : str
        What was looked at, in French, as shown.
    state : {"ok", "info", "fault"}
        ``"info"`` is worth knowing and stops nothing; ``"fault"`` needs the repair.
    answer : str
        What was found.
    repair : str
        For a fault, the one line that mends it.
    """

    question: str
    state: str
    answer: str
    repair: str = ""

    def __str__(self) -> str:
        """Return the lines that the terminal shows."""
        mark = {"ok": "✓", "info": "·", "fault": "✗"}[self.state]
        line = f" {mark} {self.question:<22} {self.answer}"
        return f"{line}\n   → {self.repair}" if self.repair else line


def pinned_versions(constraints: Path = ROOT / "constraints.txt") -> dict[str, str]:
    """Return ``{package: version}`` from the constraints file."""
    lines = constraints.read_text(encoding="utf-8").splitlines()
    return {name.lower(): version for name, _, version in (line.partition("==") for line in lines) if version}


def check_python(version: tuple[int, int] = sys.version_info[:2]) -> Finding:
    """Is this a Python that the course supports?"""
    shown = ".".join(map(str, version))
    if (3, 11) <= version < (3, 14):
        return Finding("Python", "ok", platform.python_version() if version == sys.version_info[:2] else shown)
    return Finding("Python", "fault", f"{shown}, il faut 3.11 à 3.13", "make clean && make lab PYTHON=python3.12")


def check_packages(installed: Callable[[str], str] = importlib.metadata.version) -> Finding:
    """Are the packages of the course installed, at the versions it was tested with?"""
    wanted, missing, other = pinned_versions(), [], []
    for requirement in importlib.metadata.requires("course-utils") or []:
        name, _, marker = requirement.partition(";")
        if "extra ==" in marker or ("Darwin" in marker and ("==" in marker) != (platform.system() == "Darwin")):
            continue
        name = re.split(r"[<>=!~\s]", name.strip())[0]
        try:
            found = installed(name)
        except importlib.metadata.PackageNotFoundError:
            missing.append(name)
            continue
        if (version := wanted.get(name.lower())) and found != version:
            other.append(f"{name} {found} au lieu de {version}")
    repair = f'"{sys.executable}" -m pip install --constraint constraints.txt --editable ".[test,dev]"'
    if missing:
        return Finding("Bibliothèques", "fault", f"il manque {', '.join(missing)}", repair)
    if other:
        return Finding("Bibliothèques", "fault", "; ".join(other), repair)
    return Finding("Bibliothèques", "ok", "toutes présentes, aux versions testées")


def check_memory(available: int | None = None) -> Finding:
    """Is there enough free memory for the largest notebook (about 2 GB)?"""
    free = (psutil.virtual_memory().available if available is None else available) / GIGA
    if free >= 2:
        return Finding("Mémoire disponible", "ok", f"{free:.1f} Go".replace(".", ","))
    repair = "fermez des applications ou d'autres noyaux (JupyterLab : Kernel > Shut Down All Kernels)"
    return Finding("Mémoire disponible", "fault", f"{free:.1f} Go, il en faut 2".replace(".", ","), repair)


def check_cores(count: int | None = None) -> Finding:
    """How many cores are there? The durations given in the notebooks are for two."""
    cores = count or os.cpu_count() or 1
    if cores >= 2:
        return Finding("Processeurs", "ok", f"{cores} cœurs")
    return Finding("Processeurs", "info", "1 cœur : comptez le double des durées annoncées")


def check_cache(folder: Path | None = None) -> Finding:
    """Can the course write in its cache, and is there room?"""
    folder = folder or cache_dir()
    repair = "export COURSE_CACHE=un/dossier/où/vous/pouvez/écrire   (Windows : set COURSE_CACHE=…)"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder) as probe:
            probe.write(b"ok")
    except OSError as error:
        return Finding("Cache", "fault", f"{folder} : {error.strerror or error}", repair)
    free = shutil.disk_usage(folder).free / GIGA
    if free < 1:
        return Finding("Cache", "fault", f"{folder} : moins de 1 Go libre", repair)
    return Finding("Cache", "ok", f"{folder} ({free:.0f} Go libres)")


def check_data() -> Finding:
    """Where will real data come from?"""
    folder = course_data()
    if folder is None:
        return Finding("Données réelles", "info", "COURSE_DATA n'est pas définie : téléchargement, sinon doublures")
    if not folder.is_dir():
        repair = "corrigez COURSE_DATA, ou supprimez-la : unset COURSE_DATA"
        return Finding("Données réelles", "fault", f"COURSE_DATA désigne {folder}, qui n'existe pas", repair)
    names = sorted(path.name for path in folder.iterdir() if path.is_dir())
    return Finding("Données réelles", "ok", f"{len(names)} jeux dans {folder} : {', '.join(names[:4])}…")


def check_widgets() -> Finding:
    """Will the sliders move in JupyterLab?"""
    extension = Path(sys.prefix, "share", "jupyter", "labextensions", "@jupyter-widgets", "jupyterlab-manager")
    if extension.is_dir():
        return Finding("Curseurs", "ok", "extension ipywidgets trouvée")
    repair = f'"{sys.executable}" -m pip install --force-reinstall jupyterlab_widgets'
    return Finding("Curseurs", "fault", "l'extension de JupyterLab pour ipywidgets manque", repair)


def check_tensorflow() -> Finding:
    """Does TensorFlow start, and does it compute?"""
    repair = f'"{sys.executable}" -m pip install --force-reinstall --constraint constraints.txt tensorflow keras'
    try:
        import keras
        import tensorflow as tf

        total = float(tf.reduce_sum(tf.ones((2, 3))))
    except Exception as error:  # a broken binary package fails in many ways, and each deserves the same repair
        return Finding("TensorFlow", "fault", f"{type(error).__name__} : {error}", repair)
    if total != 6:
        return Finding("TensorFlow", "fault", f"six uns additionnés donnent {total}", repair)
    return Finding("TensorFlow", "ok", f"TensorFlow {tf.__version__}, Keras {keras.__version__}")


CHECKS: tuple[Callable[[], Finding], ...] = (
    check_python,
    check_packages,
    check_memory,
    check_cores,
    check_cache,
    check_data,
    check_widgets,
    check_tensorflow,
)


def diagnose() -> list[Finding]:
    """Ask every question, in the order of a fresh installation.

    Returns
    -------
    list of Finding
        One per question.
    """
    return [check() for check in CHECKS]


def report(findings: list[Finding]) -> str:
    """Return the report that a participant reads, in French."""
    faults = sum(finding.state == "fault" for finding in findings)
    verdict = {0: "Tout est prêt. Bon cours !", 1: "Un défaut à réparer : suivez la flèche."}
    lines = ["Vérification de l'installation", "", *map(str, findings), ""]
    return "\n".join([*lines, verdict.get(faults, f"{faults} défauts à réparer : suivez les flèches.")])
