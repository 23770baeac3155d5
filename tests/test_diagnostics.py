"""``python -m course_utils`` sees each fault and says how to mend it."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
import tempfile

import pytest

from course_utils import diagnostics
from course_utils.diagnostics import GIGA, Finding


def test_this_installation_is_sound():
    done = subprocess.run([sys.executable, "-m", "course_utils"], capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tout est prêt" in done.stdout


@pytest.mark.parametrize("version", [(3, 10), (3, 14)])
def test_a_foreign_python_is_seen(version):
    finding = diagnostics.check_python(version)
    assert finding.state == "fault"
    assert "PYTHON=" in finding.repair


def test_a_missing_package_is_named():
    def installed(name: str) -> str:
        if name == "scipy":
            raise importlib.metadata.PackageNotFoundError(name)
        return diagnostics.pinned_versions()[name.lower()]

    finding = diagnostics.check_packages(installed)
    assert finding.state == "fault"
    assert "scipy" in finding.answer
    assert "pip install" in finding.repair


def test_another_version_is_named():
    finding = diagnostics.check_packages(
        lambda name: "0.0.1" if name == "keras" else diagnostics.pinned_versions()[name.lower()]
    )
    assert finding.state == "fault"
    assert "keras 0.0.1 au lieu de" in finding.answer


def test_little_memory_is_seen():
    assert diagnostics.check_memory(1 * GIGA).state == "fault"
    assert diagnostics.check_memory(4 * GIGA).state == "ok"


def test_a_single_core_is_worth_knowing():
    assert diagnostics.check_cores(1).state == "info"


def test_a_cache_that_cannot_be_written_is_seen(tmp_path):
    in_the_way = tmp_path / "file"
    in_the_way.write_text("")
    finding = diagnostics.check_cache(in_the_way / "cache")
    assert finding.state == "fault"
    assert "COURSE_CACHE" in finding.repair


def test_a_read_only_cache_is_seen(tmp_path, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    assert diagnostics.check_cache(tmp_path).state == "fault"


def test_a_data_folder_that_does_not_exist_is_seen(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path / "nowhere"))
    assert diagnostics.check_data().state == "fault"
    monkeypatch.delenv("COURSE_DATA")
    assert diagnostics.check_data().state == "info"


def test_missing_widgets_are_seen(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert diagnostics.check_widgets().state == "fault"


def test_a_broken_tensorflow_is_seen(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    finding = diagnostics.check_tensorflow()
    assert finding.state == "fault"
    assert "force-reinstall" in finding.repair


def test_report_counts_the_faults():
    fault = Finding("Cache", "fault", "pleine", "faites de la place")
    assert "Un défaut à réparer" in diagnostics.report([fault])
    assert "2 défauts" in diagnostics.report([fault, fault])
    assert "→ faites de la place" in diagnostics.report([fault])
