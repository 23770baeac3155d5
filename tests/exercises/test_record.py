"""The progress record: kept safely, never in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils.exercises import record as room
from course_utils.exercises.record import Entry, Record


@pytest.fixture(autouse=True)
def ordinary_place(monkeypatch):
    monkeypatch.delenv("COURSE_PROGRESS", raising=False)
    monkeypatch.delenv("JPY_SESSION_NAME", raising=False)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "cache" / "progress.json"


@pytest.fixture
def record(path):
    return Record(lambda: path)


def stored(path) -> dict:
    return json.loads(path.read_text(encoding="utf-8"))["exercises"]


def said(capsys) -> str:
    return capsys.readouterr().out.replace("\u00a0", " ")


def test_attempts_add_up_and_a_success_stays(record, path, capsys):
    record.note("1-5-a", solved=False)
    record.note("1-5-a", solved=True)
    record.note("1-5-a", solved=False)
    record.note("1-5-b", solved=False)
    assert record.entries() == {"1-5-a": Entry(3, True), "1-5-b": Entry(1, False)}
    assert stored(path) == {"1-5-a": {"attempts": 3, "solved": True}, "1-5-b": {"attempts": 1, "solved": False}}
    assert Record(lambda: path).entries() == record.entries()
    assert [file.name for file in path.parent.iterdir()] == ["progress.json"]
    assert not said(capsys)


def test_no_file_means_nothing_tried_and_creates_nothing(record, path):
    assert record.entries() == {}
    assert not path.parent.exists()


GOOD = {"format": room.FORMAT, "version": room.VERSION, "exercises": {"1-1-a": {"attempts": 1, "solved": True}}}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "JSON"),
        (json.dumps(GOOD).encode()[:40], "JSON"),
        (b"\xff\xfe\x00garbage", "JSON"),
        (b"[" * 100_000, "JSON"),
        (b"[1, 2]", "il vient d'ailleurs"),
        (b'{"exercises": {}}', "il vient d'ailleurs"),
        (json.dumps(GOOD | {"version": 99}).encode(), "il est de la version 99, celle-ci lit la version 1"),
        (json.dumps(GOOD | {"exercises": [1]}).encode(), "abîmé"),
        (json.dumps(GOOD | {"exercises": {"1-1-a": {"attempts": -1, "solved": True}}}).encode(), "abîmé"),
        (json.dumps(GOOD | {"exercises": {"1-1-a": {"attempts": True, "solved": True}}}).encode(), "abîmé"),
        (json.dumps(GOOD | {"exercises": {"1-1-a": {"attempts": 1, "solved": "oui"}}}).encode(), "abîmé"),
        (json.dumps(GOOD | {"exercises": {"1-1-a": 3}}).encode(), "abîmé"),
    ],
)
@pytest.mark.parametrize("first", ["note", "entries"])
def test_a_damaged_file_is_set_aside_with_one_line(record, path, capsys, content, reason, first):
    path.parent.mkdir()
    path.write_bytes(content)
    if first == "entries":
        assert record.entries() == {}
    record.note("1-1-b", solved=True)
    record.note("1-1-b", solved=False)
    assert stored(path) == {"1-1-b": {"attempts": 2, "solved": True}}
    assert path.with_name("progress.json.damaged").read_bytes() == content
    out = said(capsys)
    assert out.count("\n") == 1
    assert reason in out and "`progress.json.damaged`" in out


def test_a_second_damaged_file_does_not_erase_the_first(record, path, capsys):
    path.parent.mkdir()
    for content in (b"one", b"two"):
        path.write_bytes(content)
        record.note("1-1-a", solved=False)
    assert path.with_name("progress.json.damaged").read_bytes() == b"one"
    assert path.with_name("progress.json.damaged2").read_bytes() == b"two"
    assert said(capsys).count("\n") == 2


def test_a_folder_in_the_file_s_place_is_set_aside(record, path, capsys):
    path.mkdir(parents=True)
    record.note("1-1-a", solved=True)
    assert stored(path) == {"1-1-a": {"attempts": 1, "solved": True}}
    assert path.with_name("progress.json.damaged").is_dir()
    assert said(capsys).count("\n") == 1


def test_an_unwritable_place_keeps_progress_in_memory_with_one_line(tmp_path, capsys):
    obstacle = tmp_path / "cache"
    obstacle.write_text("a file where the folder should be")
    record = Record(lambda: obstacle / "progress.json")
    record.note("1-1-a", solved=False)
    record.note("1-1-a", solved=True)
    assert record.entries() == {"1-1-a": Entry(2, True)}
    out = said(capsys)
    assert out.count("elle ne peut être enregistrée") == 1
    assert "COURSE_CACHE" in out
    assert obstacle.read_text() == "a file where the folder should be"


@pytest.mark.parametrize("failing", ["mkstemp", "replace", "fsync"])
def test_a_disk_that_fails_leaves_the_file_whole_and_the_news_are_written_later(record, path, monkeypatch, failing):
    record.note("1-1-a", solved=True)
    before = path.read_bytes()
    module = room.tempfile if failing == "mkstemp" else room.os
    with monkeypatch.context() as patch:

        def full(*args, **named):
            raise OSError(28, "No space left on device")

        patch.setattr(module, failing, full)
        record.note("1-1-b", solved=True)
        assert record.entries()["1-1-b"] == Entry(1, True)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["progress.json"]
    record.note("1-1-c", solved=False)
    assert set(stored(path)) == {"1-1-a", "1-1-b", "1-1-c"}


def test_an_unreadable_file_is_told_once_and_kept(record, path, monkeypatch, capsys):
    record.note("1-1-a", solved=True)

    def forbidden(self):
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as patch:
        patch.setattr(Path, "read_bytes", forbidden)
        assert record.entries() == {}
        record.note("1-1-b", solved=True)
        assert record.entries() == {"1-1-b": Entry(1, True)}
    assert said(capsys).count("\n") == 2
    assert stored(path) == {"1-1-a": {"attempts": 1, "solved": True}}


def test_a_cache_that_cannot_be_found_does_not_stop_a_lesson(capsys):
    def nowhere():
        raise RuntimeError("Could not determine home directory.")

    record = Record(nowhere)
    record.note("1-1-a", solved=True)
    assert record.entries() == {"1-1-a": Entry(1, True)}
    assert "elle ne peut être enregistrée" in said(capsys)


@pytest.mark.parametrize("switch", ["0", "no", "OFF", "false"])
def test_the_switch_leaves_the_file_alone(record, path, monkeypatch, switch):
    monkeypatch.setenv("COURSE_PROGRESS", switch)
    record.note("1-1-a", solved=True)
    assert record.entries() == {"1-1-a": Entry(1, True)}
    assert not path.exists()


def test_the_solutions_notebooks_leave_the_file_alone(record, path, monkeypatch):
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/course/solutions/jour1/1-5_retropropagation.ipynb")
    record.note("1-1-a", solved=True)
    assert not path.exists()
    monkeypatch.setenv("JPY_SESSION_NAME", "/somewhere/course/notebooks/jour1/1-5_retropropagation.ipynb")
    record.note("1-1-b", solved=True)
    assert "1-1-b" in stored(path)


WRITER = """
import sys
from pathlib import Path
from course_utils.exercises.record import Record
record = Record(lambda: Path(sys.argv[1]))
for i in range(25):
    record.note("1-1-a", solved=False)
    record.note(sys.argv[2], solved=True)
"""


def test_two_notebooks_that_write_at_once_lose_nothing(path):
    environment = os.environ | {"COURSE_PROGRESS": ""}
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(path), name], env=environment, stdout=subprocess.PIPE)
        for name in ("1-2-a", "1-3-a")
    ]
    for writer in writers:
        out, _ = writer.communicate(timeout=120)
        assert writer.returncode == 0 and out == b""
    assert Record(lambda: path).entries() == {
        "1-1-a": Entry(50, False), "1-2-a": Entry(25, True), "1-3-a": Entry(25, True),
    }  # fmt: skip


def test_the_lock_of_a_dead_process_is_taken_over(record, path, monkeypatch):
    path.parent.mkdir()
    lock = path.with_name("progress.json.lock")
    lock.touch()
    os.utime(lock, (0, 0))
    record.note("1-1-a", solved=True)
    assert not lock.exists()
    assert "1-1-a" in stored(path)


def test_a_lock_held_by_another_delays_but_does_not_block(record, path, monkeypatch):
    monkeypatch.setattr(room, "_LOCK_WAIT", 0.05)
    path.parent.mkdir()
    lock = path.with_name("progress.json.lock")
    lock.touch()
    record.note("1-1-a", solved=True)
    assert "1-1-a" in stored(path)
    assert lock.exists()


KEYS = ["format", "version", "exercises", "x"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner),
    max_leaves=6,
).map(lambda value: json.dumps(value).encode()))  # fmt: skip
def test_whatever_the_file_holds_a_note_is_kept(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "progress.json"
    path.write_bytes(content)
    Record(lambda: path).note("1-1-a", solved=True)
    assert stored(path)["1-1-a"] == {"attempts": 1, "solved": True}
