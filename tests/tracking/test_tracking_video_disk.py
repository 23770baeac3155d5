"""A video that the disk has no room for: noticed, and nothing left behind."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator

import numpy as np
import pytest

from course_utils.tracking import video

resource = pytest.importorskip("resource", reason="limits on the size of files are those of POSIX systems")


@contextlib.contextmanager
def small_files() -> Iterator[None]:
    """Let no file grow above 20 kB, as a full disk would; for as short as can be, for pytest's own files too."""
    limits, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, handler)


@pytest.mark.parametrize("extension", list(video.CODECS))
def test_a_video_cut_by_a_full_disk_is_refused(tmp_path, extension):
    noise = np.random.default_rng(0).random((12, 96, 96, 3))
    with pytest.raises(OSError, match="images au lieu de 12 : reste-t-il de la place"), small_files():
        video.write(tmp_path / f"a{extension}", noise, 10)
    assert list(tmp_path.iterdir()) == []


def test_pictures_cut_by_a_full_disk_are_refused(tmp_path):
    with pytest.raises(OSError), small_files():
        video.write(tmp_path / "images", np.random.default_rng(0).random((3, 96, 96, 3)), 10)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_a_video_is_refused_before_the_disk(tmp_path):
    with pytest.raises(ValueError, match="au moins deux pixels de côté"):
        video.write(tmp_path / "a.webm", np.zeros((3, 1, 8)), 10)
    (tmp_path / "b.webm").mkdir()
    with pytest.raises(FileExistsError, match="existe déjà"):
        video.write(tmp_path / "b.webm", np.zeros((3, 8, 8)), 10)
    assert [path.name for path in tmp_path.iterdir()] == ["b.webm"]
