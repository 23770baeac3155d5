"""Where files come from, in which order, and every fault on the way: each is injected here."""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import socket
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import requests

from course_utils.data import CorruptFileError, DataError, RequestError, StorageError, fetch, load, readers, transfer
from course_utils.data.errors import storage

pytestmark = pytest.mark.usefixtures("room", "drawn")


def cached(room, name="train-images.gz") -> Path:
    return room / "cache" / "datasets" / "tiny" / name


def same(found, tiny, split="train"):
    np.testing.assert_allclose(found.images[..., 0], tiny.images[split] / 255, atol=1e-7)
    np.testing.assert_array_equal(found.labels, tiny.labels[split])


def leftovers(room) -> list[str]:
    """Names in the cache that are neither final files nor verdicts."""
    return [
        p.name for p in (room / "cache").rglob("*") if p.is_file() and p.suffix != ".gz" and p.parent.name == "tiny"
    ]


@pytest.fixture
def course_data(room, tiny, monkeypatch):
    folder = room / "sets"
    tiny.put(folder)
    monkeypatch.setenv("COURSE_DATA", str(folder))
    return folder / "tiny"


# The order: COURSE_DATA, cache, network, stand-in.


def test_course_data_comes_first_and_nothing_else_is_touched(course_data, tiny, server):
    found = load("tiny")
    assert found.source == "COURSE_DATA" and (found.licence, found.citation) == ("MIT", "Personne, 2024.")
    same(found, tiny)
    assert not server.requests


def test_what_course_data_lacks_is_downloaded_then_read_from_the_cache(course_data, tiny, server, room):
    (course_data / "train-labels.gz").unlink()
    found = load("tiny")
    assert found.source == "download"
    same(found, tiny)
    assert len(server.gets()) == 2, "the test split was not asked for"
    again = load("tiny")
    assert again.source == "cache" and len(server.gets()) == 2
    same(again, tiny)
    assert cached(room).read_bytes() == tiny.files["train-images.gz"] and not leftovers(room)


def test_all_is_train_then_test(tiny):
    whole = load("tiny", split="all")
    assert whole.split == "all" and len(whole) == 42
    same(whole[:30], tiny)
    same(whole[30:], tiny, "test")


def test_a_subset_of_all_holds_the_right_pixels(tiny):
    part = load("tiny", split="all", n=9, seed=3)
    pixels = np.concatenate([tiny.images["train"], tiny.images["test"]]) / 255
    labels = np.concatenate([tiny.labels["train"], tiny.labels["test"]])
    for image, label in part:
        (same_image,) = np.flatnonzero((abs(pixels - image[..., 0]) < 1e-6).all((1, 2)))
        assert labels[same_image] == label


def test_without_anything_the_stand_in_says_so(tiny, server, capsys, monkeypatch):
    server.files.clear()
    found = load("tiny", n=6)
    assert found.source == "stand-in" and found.images.shape == (6, 28, 28, 1) and found.name == "tiny"
    said = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    assert said.count("\n") == 1 and said.startswith("Minuscule introuvable (ni COURSE_DATA, ni cache ; ")
    assert "404" in said and "place à la doublure « handwriting », 6 chiffres dessinés par le programme." in said


def test_a_course_data_that_does_not_exist_is_named(tiny, server, room, capsys, monkeypatch):
    server.files.clear()
    monkeypatch.setenv("COURSE_DATA", str(room / "nowhere"))
    assert load("tiny", n=3).source == "stand-in"
    assert "nowhere, qui n'existe pas" in capsys.readouterr().out


def test_no_more_images_are_drawn_than_the_real_set_has(tiny, monkeypatch):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(RequestError, match="30"):
        load("tiny", n=31)


# Digests.


@pytest.mark.parametrize("change", ["flip", "cut", "empty"])
def test_a_corrupt_file_of_course_data_is_an_error_that_names_it(course_data, server, change):
    path = course_data / "train-images.gz"
    whole = path.read_bytes()
    path.write_bytes(
        {"flip": whole[:50] + bytes([whole[50] ^ 1]) + whole[51:], "cut": whole[:-9], "empty": b""}[change]
    )
    with pytest.raises(CorruptFileError) as caught:
        load("tiny")
    digests = [hashlib.sha256(content).hexdigest() for content in (whole, path.read_bytes())]
    for words in (str(path), *digests, "remplacez"):
        assert words in str(caught.value)
    assert not server.requests, "a corrupt file is never passed over in silence"


def test_the_digest_of_a_repacked_copy_is_accepted(course_data, tiny, room, monkeypatch):
    path = course_data / "train-images.gz"
    other = gzip.compress(gzip.decompress(path.read_bytes()), 1)
    assert other != path.read_bytes()
    path.write_bytes(other)
    with pytest.raises(CorruptFileError):
        load("tiny")
    toml = (room / "sources.toml").read_text(encoding="utf-8")
    digests = [hashlib.sha256(x).hexdigest() for x in (tiny.files["train-images.gz"], other)]
    extended = toml.replace(f'"{digests[0]}"', f'"{digests[0]}", repacked = ["{digests[1]}"]')
    (room / "sources.toml").write_text(extended, encoding="utf-8")
    same(load("tiny"), tiny)


def test_a_file_is_digested_once_and_again_when_it_changes(course_data, monkeypatch):
    digested = []
    digest = fetch.hashlib.file_digest
    monkeypatch.setattr(fetch.hashlib, "file_digest", lambda *a: digested.append(a[0].name) or digest(*a))
    load("tiny")
    assert len(digested) == 2
    monkeypatch.setattr(fetch, "_verified", set())  # another process, the same cache
    load("tiny")
    assert len(digested) == 2
    path = course_data / "train-images.gz"
    os.utime(path, ns=(1, 1))
    load("tiny")
    assert len(digested) == 3
    path.write_bytes(b"x" * path.stat().st_size)
    with pytest.raises(CorruptFileError):
        load("tiny")


def test_a_read_only_cache_does_not_stop_course_data(course_data, tiny, room, monkeypatch):
    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    monkeypatch.setattr(Path, "touch", refuse)
    same(load("tiny"), tiny)
    assert not (room / "cache").exists()


def test_an_unreadable_file_is_a_french_error(course_data, monkeypatch):
    def fail(*args):
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fetch.hashlib, "file_digest", fail)
    with pytest.raises(DataError, match="illisible"):
        load("tiny")


def test_a_corrupt_file_of_the_cache_is_downloaded_again(tiny, room, server):
    load("tiny")
    cached(room).write_bytes(b"damaged")
    found = load("tiny")
    assert found.source == "download"
    same(found, tiny)
    assert len(server.gets("train-images.gz")) == 2 and len(server.gets("train-labels.gz")) == 1


def test_a_corrupt_file_of_the_cache_is_an_error_when_there_is_no_network(tiny, room, monkeypatch):
    load("tiny")
    cached(room).write_bytes(b"damaged")
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    with pytest.raises(CorruptFileError, match=r"train-images\.gz"):
        load("tiny")


# The network.


def test_the_second_mirror_serves_when_the_first_refuses(tiny, server):
    server.faults["train-images.gz"] = ["refuse"]
    found = load("tiny")
    assert found.source == "download"
    same(found, tiny)
    paths = [path for verb, path, _ in server.requests if verb == "GET" and "images" in path]
    assert paths == ["/first/train-images.gz", "/second/train-images.gz"]


def test_the_second_mirror_serves_when_the_first_sends_wrong_bytes(tiny, server, room):
    server.faults["train-images.gz"] = ["flip"]
    same(load("tiny"), tiny)
    assert not leftovers(room)


@pytest.mark.parametrize("fault", ["flip", "portal"])
def test_wrong_bytes_everywhere_are_an_error_and_leave_nothing(tiny, server, room, fault):
    server.faults["train-images.gz"] = [fault] * 9
    with pytest.raises(CorruptFileError) as caught:
        load("tiny")
    for words in ("train-images.gz", "empreinte", "wifi", "COURSE_OFFLINE=1"):
        assert words in str(caught.value)
    assert not cached(room).exists() and not leftovers(room)


def test_a_cut_connection_is_continued_where_it_stopped(tiny, server, room):
    server.faults["train-images.gz"] = [("cut", 9000), ("cut", 9000)]
    same(load("tiny"), tiny)
    assert server.gets("train-images.gz") == [None, "bytes=8192-", "bytes=16384-"]
    assert not leftovers(room)


def test_a_server_without_ranges_starts_again(tiny, server):
    server.faults["train-images.gz"] = [("cut", 9000), "no-range"]
    same(load("tiny"), tiny)


def test_what_a_failed_download_left_serves_the_next_one(tiny, server, room, capsys):
    server.faults["train-images.gz"] = [("cut", 9000), *["refuse"] * 3]
    assert load("tiny", n=3).source == "stand-in"
    assert leftovers(room) == ["train-images.gz.part"] and not cached(room).exists()
    same(load("tiny"), tiny)
    assert server.gets("train-images.gz")[-1] == "bytes=8192-" and not leftovers(room)


def test_a_bad_beginning_is_dropped_and_the_file_taken_from_its_start(tiny, server, room):
    cached(room).parent.mkdir(parents=True)
    cached(room, "train-images.gz.part").write_bytes(b"other bytes" * 100)
    same(load("tiny"), tiny)
    assert server.gets("train-images.gz") == ["bytes=1100-", None] and not leftovers(room)


def test_an_orphan_of_a_killed_process_is_taken_over_once_it_is_old(tiny, server, room):
    whole = tiny.files["train-images.gz"]
    cached(room).parent.mkdir(parents=True)
    young, old = (cached(room, f"train-images.gz.{name}.part") for name in ("young", "old"))
    young.write_bytes(whole[:100])
    old.write_bytes(whole[:8000])
    os.utime(old, (0, time.time() - 2 * transfer.ABANDONED))
    same(load("tiny"), tiny)
    assert server.gets("train-images.gz") == ["bytes=8000-"]
    assert leftovers(room) == [young.name], "it may belong to a download under way"


def test_an_interrupted_download_keeps_its_beginning(tiny, server, room, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    server.faults["train-images.gz"] = [("cut", 9000)]
    stream = transfer.ResumingDownloader._stream
    monkeypatch.setattr(transfer.ResumingDownloader, "_stream", lambda *a: interrupt() if a[3] else stream(*a))
    with pytest.raises(KeyboardInterrupt):
        load("tiny")
    assert leftovers(room) == ["train-images.gz.part"] and not cached(room).exists()


def test_offline_forbids_at_once(tiny, server, monkeypatch, capsys):
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert load("tiny", n=3, download=True).source == "stand-in"
    assert not server.requests and "COURSE_OFFLINE" in capsys.readouterr().out


def test_a_large_set_waits_to_be_asked_for(tiny, server, monkeypatch, capsys):
    monkeypatch.setattr(fetch, "LARGE", 1000)
    assert load("tiny", n=3).source == "stand-in"
    assert not server.requests and 'load("tiny", download=True)' in capsys.readouterr().out
    assert load("tiny", download=False, n=3).source == "stand-in"
    assert load("tiny", download=True).source == "download"
    assert load("tiny").source == "cache"


def test_no_network_is_found_out_once(tiny, server, monkeypatch, capsys):
    def refuse(*args, **kwargs):
        asked.append(args)
        raise requests.ConnectionError

    asked = []
    monkeypatch.setattr(requests, "head", refuse)
    assert load("tiny", n=3).source == "stand-in"
    assert "(ni COURSE_DATA, ni cache, ni réseau)" in capsys.readouterr().out
    assert load("tiny", split="test", n=3).source == "stand-in" and len(asked) == 2, "two mirrors, asked once each"


def test_asking_for_a_download_asks_the_network_again(tiny):
    transfer.forget_network(answers=False)
    assert load("tiny", n=3).source == "stand-in"
    assert load("tiny", n=3, download=True).source == "download"
    assert load("tiny", split="test").source == "download", "the network has come back"


def test_a_silent_network_costs_a_bounded_wait(tiny, monkeypatch, capsys):
    """Even the resolution of names may hang, for which no library has a timeout."""

    def hang(*args, **kwargs):
        time.sleep(4)
        raise socket.gaierror

    assert transfer.PATIENCE <= 5
    monkeypatch.setattr(transfer, "PATIENCE", 0.3)
    monkeypatch.setattr(socket, "getaddrinfo", hang)
    start = time.monotonic()
    assert load("tiny", n=3).source == "stand-in"
    assert load("tiny", split="test", n=3).source == "stand-in"
    assert time.monotonic() - start < 2


def test_a_network_lost_on_the_way_is_remembered(tiny, server, monkeypatch):
    transfer.forget_network(answers=True)
    asked = []

    def lost(*args, **kwargs):
        asked.append(args)
        raise requests.ConnectionError

    monkeypatch.setattr(requests, "get", lost)
    assert load("tiny", n=3).source == "stand-in" and len(asked) == 2
    assert load("tiny", n=3).source == "stand-in" and len(asked) == 2


def test_the_progress_bar_is_for_large_files_and_on_standard_output(tiny, capsys, monkeypatch):
    load("tiny", split="test")
    assert capsys.readouterr() == ("", "")
    bar = transfer.ResumingDownloader(2_000_000, "MNIST")._bar(0)
    bar.close()
    shown = capsys.readouterr()
    assert "MNIST" in shown.out and not shown.err


def test_notebooks_that_download_together_do_not_harm_each_other(tiny, server, room):
    server.faults["train-images.gz"] = [("cut", 9000)] * 3
    together = threading.Barrier(4)

    def notebook(_):
        together.wait()
        return load("tiny")

    with ThreadPoolExecutor(4) as pool:
        for found in pool.map(notebook, range(4)):
            assert found.source in ("download", "cache")
            same(found, tiny)
    assert not leftovers(room)


# The cache cannot be written.


def test_a_full_disk_is_said_and_leaves_nothing(tiny, room, monkeypatch):
    opened = Path.open

    class Full:
        def __init__(self, file):
            self.file = file

        def __enter__(self):
            return self

        def __exit__(self, *exception):
            self.file.close()

        def write(self, chunk):
            self.file.write(chunk[:100])
            raise OSError(errno.ENOSPC, "No space left on device")

    def open_on_a_full_disk(path, mode="r", *args, **kwargs):
        file = opened(path, mode, *args, **kwargs)
        return Full(file) if path.suffix == ".part" and mode != "r" else file

    monkeypatch.setattr(Path, "open", open_on_a_full_disk)
    with pytest.raises(StorageError, match="disque est plein.*COURSE_CACHE"):
        load("tiny")
    assert not cached(room).exists() and not leftovers(room)


@pytest.mark.parametrize("function", [(os, "makedirs"), (tempfile, "NamedTemporaryFile")])
def test_a_read_only_cache_is_said(tiny, room, monkeypatch, function):
    if function[1] == "NamedTemporaryFile":
        cached(room).parent.mkdir(parents=True)

    def refuse(*args, **kwargs):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(*function, refuse)
    with pytest.raises(StorageError, match="lecture seule.*COURSE_CACHE"):
        load("tiny")
    assert not cached(room).exists()


@pytest.mark.parametrize("place", ["", "datasets", "datasets/tiny"])
def test_a_file_in_the_place_of_the_cache_is_said(tiny, room, place):
    path = room / "cache" / place
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("I am not a folder")
    with pytest.raises(StorageError, match="fichier occupe la place.*COURSE_CACHE"):
        load("tiny")


def test_without_network_a_cache_that_cannot_be_written_does_not_stop_the_stand_in(tiny, room, monkeypatch):
    (room / "cache").write_text("I am not a folder")
    monkeypatch.setenv("COURSE_OFFLINE", "1")
    assert len(load("tiny")) == 30


def test_other_faults_of_the_disk_are_said(tmp_path):
    assert "Input/output" in str(storage(tmp_path, OSError(errno.EIO, "Input/output error")))
    assert "lecture seule" in str(storage(tmp_path, OSError(errno.EROFS, "Read-only file system")))


def test_no_reader_is_ever_given_an_unchecked_file(course_data, monkeypatch):
    (course_data / "train-labels.gz").write_bytes(b"")
    monkeypatch.setattr(readers, "read_idx", lambda path: pytest.fail("read before it was checked"))
    with pytest.raises(CorruptFileError):
        load("tiny")
