"""The house: what an installation promises."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest
import yaml

from course_utils.paths import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def normal(requirement: str) -> str:
    return re.split(r"[\s\[;<>=!~]", requirement)[0].lower().replace("_", "-")


def pinned() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict((normal(line), line.split("==")[1]) for line in lines if not line.startswith("#"))


def test_every_dependency_is_pinned():
    extras = [x for group in PROJECT["optional-dependencies"].values() for x in group]
    assert {normal(x) for x in PROJECT["dependencies"] + extras} <= set(pinned())


def test_constraints_hold_names_and_versions_only():
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines():
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.!]+", line), line


def test_environment_installs_what_pyproject_says():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    conda = [x for x in environment["dependencies"] if isinstance(x, str)]
    pip = next(x["pip"] for x in environment["dependencies"] if isinstance(x, dict))
    python = next(x.split("=")[1] for x in conda if x.startswith("python="))
    assert f">={python}" in PROJECT["requires-python"]
    assert pip == ["--constraint constraints.txt", "--editable .[test]"], "the package itself brings its dependencies"


def test_the_package_is_imported_in_less_than_three_tenths_of_a_second_and_without_tensorflow():
    program = (
        "import sys, time; start = time.process_time(); import course_utils; spent = time.process_time() - start;"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules; print(spent)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.3


@pytest.mark.parametrize(
    "room",
    ["data", "plots", "training", "exercises", "scratch", "models", "detection.boxes", "detection.nms"]
    + ["detection.metrics", "tracking.bytetrack", "tracking.metrics", "tracking.video"],
)
def test_rooms_leave_tensorflow_alone_until_it_is_used(room):
    program = f"import sys; import course_utils.{room}; sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_readme_leads_somewhere():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", text):
        assert (ROOT / target).exists(), target
    for command in re.findall(r"^make (\w+)", text, flags=re.MULTILINE):
        assert re.search(rf"^{command}:", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE), command
