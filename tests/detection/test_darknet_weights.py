"""Darknet's ``.weights``: bytes, order of the numbers, files that are not what they should be."""

from __future__ import annotations

import struct
import tracemalloc

import numpy as np
import pytest
from darknet_twin import OFFICIAL, SMALL, official, plain, randomise
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils.data import CorruptFileError
from course_utils.detection import darknet


@pytest.fixture(scope="module")
def small():
    network = darknet.build(SMALL)
    randomise(network)
    return network


@pytest.fixture
def written(small, tmp_path):
    path = tmp_path / "small.weights"
    darknet.write_weights(small, path)
    return path


def test_order_of_the_numbers_by_hand(small, written):
    """Bias, scale, mean, variance, then the kernel as (out, in, height, width)."""
    values = np.frombuffer(written.read_bytes()[20:], "<f4")
    conv, norm = small.convolutions[0]
    gamma, beta, mean, variance = norm.get_weights()
    (kernel,) = conv.get_weights()
    for rank, vector in enumerate((beta, gamma, mean, variance)):
        np.testing.assert_array_equal(values[8 * rank : 8 * (rank + 1)], vector)
    flat = [kernel[i, j, c, f] for f in range(8) for c in range(3) for i in range(3) for j in range(3)]
    np.testing.assert_array_equal(values[32 : 32 + 216], flat)


def test_read_then_write_gives_the_same_bytes(small, written, tmp_path):
    other = darknet.build(SMALL)
    header = darknet.read_weights(other, written)
    darknet.write_weights(other, tmp_path / "again.weights", header=header)
    assert (tmp_path / "again.weights").read_bytes() == written.read_bytes()
    for mine, theirs in zip(small.model.get_weights(), other.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("name", ["yolo-fastest-1.1", "yolo-fastest-1.1-xl"])
def test_official_files_byte_for_byte(name, tmp_path):
    path = official(name).with_suffix(".weights")
    network = darknet.load(official(name), path)
    header = darknet.read_weights(network, path)
    darknet.write_weights(network, tmp_path / "copy.weights", header=header)
    assert (tmp_path / "copy.weights").read_bytes() == path.read_bytes()
    assert (header.major, header.minor, header.revision) == (0, 2, 5) and header.seen > 0


@settings(deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(0, 1000),
    st.integers(0, 2**31 - 1),
    st.integers(0, 2**32 - 1),
    st.binary(max_size=9),
)
def test_headers(major, minor, revision, seen, rest):
    header = darknet.Header(major, minor, revision, seen)
    assert darknet.Header.unpack(header.pack() + rest + bytes(20)) == header
    assert header.size == (20 if (major, minor) >= (0, 2) else 16)


def test_old_header_of_sixteen_bytes(small, written, tmp_path):
    old = tmp_path / "old.weights"
    old.write_bytes(struct.pack("<iiiI", 0, 1, 0, 7) + written.read_bytes()[20:])
    other = darknet.build(SMALL)
    assert darknet.read_weights(other, old) == darknet.Header(0, 1, 0, 7)
    np.testing.assert_array_equal(other.model.get_weights()[0], small.model.get_weights()[0])


FOREIGN = [
    (b"", "0 octets"),
    (b"\x00" * 12, "12 octets"),
    (b"\x89HDF\r\n\x1a\n" + bytes(100), "HDF5"),
    (b"PK\x03\x04" + bytes(100), "ZIP"),
    (b"\x80\x02ccollections" + bytes(100), "pickle"),
    (b"<!DOCTYPE html><html><head></head></html>", "page web"),
    (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
    (b"[net]\nwidth=416\nheight=416\n", "échangés"),
    (b"\x1f\x8b\x08\x00" + bytes(100), "gzip"),
    (b"\xff\xd8\xff\xe0" + bytes(range(100)), "on attendait 0.1 ou 0.2"),
]


@pytest.mark.parametrize(("content", "fragment"), FOREIGN, ids=[fragment for _, fragment in FOREIGN])
def test_foreign_files(small, tmp_path, content, fragment):
    path = tmp_path / "foreign.weights"
    path.write_bytes(content)
    for read in (
        lambda: darknet.check_weights(darknet.parse_cfg(SMALL), path),
        lambda: darknet.read_weights(small, path),
    ):
        with pytest.raises(CorruptFileError) as error:
            read()
        assert fragment in plain(error) and "foreign.weights" in plain(error)


def test_truncated_or_longer_files_change_nothing(small, written):
    whole, before = written.read_bytes(), small.model.get_weights()
    for content, fragment in (
        (whole[:-4], "Il en manque 4"),
        (whole[: len(whole) // 2], "téléchargement interrompu"),
        (whole[:-1], "nombre entier de float32"),
        (whole + bytes(8), "8 de trop"),
    ):
        written.write_bytes(content)
        with pytest.raises(CorruptFileError) as error:
            darknet.read_weights(small, written)
        assert fragment in plain(error)
        with pytest.raises(CorruptFileError):
            darknet.load(SMALL, written)
    for mine, theirs in zip(before, small.model.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, theirs)


def test_weights_of_another_class_count_are_recognised(written):
    config = darknet.parse_cfg(SMALL).with_classes(80)
    with pytest.raises(CorruptFileError, match="du même réseau à 2 classes"):
        darknet.check_weights(config, written)


def test_absent_file(small, tmp_path):
    with pytest.raises(FileNotFoundError, match="Pas de fichier"):
        darknet.read_weights(small, tmp_path / "absent.weights")


def test_the_check_comes_before_any_allocation(tmp_path):
    """A wrong file for the full YOLOv4 (258 MB of weights) is refused with next to no memory."""
    config = darknet.parse_cfg(official("yolov4"))
    path = tmp_path / "yolov4.weights"
    with path.open("wb") as file:
        file.write(darknet.Header().pack())
        file.truncate(OFFICIAL["yolov4"] - 4096)
    tracemalloc.start()
    with pytest.raises(CorruptFileError, match="Il en manque"):
        darknet.load(config, path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3_000_000


def test_an_interrupted_write_leaves_the_earlier_file(small, written, monkeypatch):
    whole = written.read_bytes()

    def broken(*_):
        raise OSError("disk full")

    monkeypatch.setattr(darknet.weights, "_arrays", broken)
    with pytest.raises(OSError, match="disk full"):
        darknet.write_weights(small, written)
    assert written.read_bytes() == whole
