"""The formats: right files are read right, damaged ones are refused with their name, pickles are never opened."""

from __future__ import annotations

import gzip
import io
import pickle
import tarfile
import zipfile

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from tiny_set import idx, zipped

from course_utils.data import CorruptFileError, readers

same_folder = settings(deadline=None, max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def cube():
    return np.random.default_rng(0).integers(0, 256, (7, 5, 4), np.uint8)


def refused(read, path, *words):
    with pytest.raises(CorruptFileError) as caught:
        read(path)
    message = str(caught.value)
    assert str(path) in message and "Supprimez-le" in message
    assert any(word in message for word in words), message


@pytest.mark.parametrize("pack", [zipped, bytes, gzip.compress])
def test_idx_is_read(tmp_path, cube, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(idx(cube)))
    np.testing.assert_array_equal(readers.read_idx(path), cube)


@same_folder
@given(data=st.data(), compressed=st.booleans())
def test_an_idx_file_cut_anywhere_is_refused(tmp_path, cube, data, compressed):
    whole = zipped(idx(cube)) if compressed else idx(cube)
    path = tmp_path / "images"
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    refused(readers.read_idx, path, "tronquée", "idx")


@same_folder
@given(data=st.data())
def test_a_gzip_file_with_a_changed_bit_is_refused_or_read_right(tmp_path, cube, data):
    whole = bytearray(zipped(idx(cube)))
    bit = data.draw(st.integers(0, 8 * len(whole) - 1))
    whole[bit // 8] ^= 1 << bit % 8
    path = tmp_path / "images"
    path.write_bytes(whole)
    try:
        found = readers.read_idx(path)
    except CorruptFileError:
        return
    np.testing.assert_array_equal(found, cube)  # some bits of the gzip header (date, system) change nothing


def test_idx_of_another_type_is_refused(tmp_path, cube):
    path = tmp_path / "images"
    path.write_bytes(b"\0\0\x0d" + idx(cube)[3:])
    refused(readers.read_idx, path, "idx")


def test_images_and_labels_that_do_not_match_are_refused(tmp_path, cube):
    (tmp_path / "images").write_bytes(idx(cube))
    (tmp_path / "labels").write_bytes(idx(np.zeros(6, np.uint8)))
    with pytest.raises(CorruptFileError, match="étiquettes"):
        readers.open_idx([tmp_path / "images", tmp_path / "labels"], "train")


class Bomb:
    """Unpickling it is seen."""

    def __reduce__(self):
        return (pytest.fail, ("a pickle was opened",))


def test_npz_is_read(tmp_path, cube):
    path = tmp_path / "set.npz"
    np.savez_compressed(path, x_train=cube, y_train=np.arange(7))
    found = readers.read_npz(path)
    assert list(found) == ["x_train", "y_train"]
    np.testing.assert_array_equal(found["x_train"], cube)
    assert list(readers.read_npz(path, ["y_train"])) == ["y_train"]


def test_npz_of_python_objects_is_refused_unopened(tmp_path):
    path = tmp_path / "set.npz"
    np.savez(path, x=np.array([Bomb()], object))
    refused(readers.read_npz, path, "pickle")


def test_a_pickle_under_the_name_of_an_npz_is_refused_unopened(tmp_path):
    path = tmp_path / "set.npz"
    path.write_bytes(pickle.dumps(Bomb()))
    refused(readers.read_npz, path, "archive")
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", pickle.dumps(Bomb()))
    refused(readers.read_npz, path, "pas un tableau")


@same_folder
@given(data=st.data())
def test_an_npz_cut_anywhere_is_refused(tmp_path, cube, data):
    path = tmp_path / "set.npz"
    np.savez(path, x=cube)
    whole = path.read_bytes()
    path.write_bytes(whole[: data.draw(st.integers(0, len(whole) - 1))])
    refused(readers.read_npz, path, "tronquée", "abîmé")


def test_an_npz_with_a_changed_byte_is_refused(tmp_path, cube):
    path = tmp_path / "set.npz"
    np.savez(path, x=cube)
    whole = bytearray(path.read_bytes())
    at = whole.index(cube.tobytes()[:16])
    whole[at] ^= 1
    path.write_bytes(whole)
    refused(readers.read_npz, path, "abîmé")


def test_an_npz_without_the_array_wanted_is_refused(tmp_path, cube):
    path = tmp_path / "set.npz"
    np.savez(path, x=cube)
    refused(lambda p: readers.read_npz(p, ["x", "y_test"]), path, "y_test")


@pytest.fixture
def packed(tmp_path):
    """Six JPEG files end to end, written by Pillow."""
    ramp = np.linspace(0, 255, 32, dtype=np.uint8)
    files = []
    for k in range(6):
        picture = np.stack([np.tile(ramp, (32, 1)), np.tile(ramp[:, None], (1, 32)), np.full((32, 32), 40 * k)], 2)
        stream = io.BytesIO()
        Image.fromarray(picture.astype(np.uint8)).save(stream, "JPEG", quality=95)
        files.append(stream.getvalue())
    arrays = {
        "jpeg_test": np.frombuffer(b"".join(files), np.uint8),
        "offsets_test": np.cumsum([0, *map(len, files)]).astype(np.int32),
        "y_test": np.arange(6, dtype=np.uint8),
    }
    path = tmp_path / "packed.npz"
    np.savez(path, **arrays)
    return path, files, arrays


def test_packed_images_are_those_that_pillow_sees(packed):
    path, files, _ = packed
    opened = readers.open_packed([path], "test")
    assert opened.labels.dtype == np.int64 and opened.labels.tolist() == list(range(6))
    images = opened.decode(np.array([5, 0, 3]))
    for image, k in zip(images, (5, 0, 3), strict=True):
        expected = np.asarray(Image.open(io.BytesIO(files[k])))
        assert abs(image.astype(int) - expected).max() <= 2  # two JPEG decoders may differ by a level


def test_only_the_images_asked_for_are_decoded(packed, monkeypatch):
    decoded = []
    decode = cv2.imdecode
    monkeypatch.setattr(cv2, "imdecode", lambda *args: decoded.append(1) or decode(*args))
    opened = readers.open_packed([packed[0]], "test")
    assert not decoded
    opened.decode(np.array([1, 4]))
    assert len(decoded) == 2


@pytest.mark.parametrize("fault", ["short", "backwards", "labels"])
def test_packed_images_with_a_wrong_table_are_refused(packed, fault):
    path, _, arrays = packed
    if fault == "short":
        arrays["jpeg_test"] = arrays["jpeg_test"][:-10]
    elif fault == "backwards":
        arrays["offsets_test"][2:4] = arrays["offsets_test"][3:1:-1]
    else:
        arrays["y_test"] = arrays["y_test"][:-1]
    np.savez(path, **arrays)
    refused(lambda p: readers.open_packed([p], "test"), path, "table")


def test_an_unreadable_jpeg_is_refused_with_its_number(packed):
    path, _, arrays = packed
    jpeg = arrays["jpeg_test"].copy()
    jpeg[arrays["offsets_test"][4] : arrays["offsets_test"][5]] = 7
    np.savez(path, **{**arrays, "jpeg_test": jpeg})
    opened = readers.open_packed([path], "test")
    opened.decode(np.array([3]))
    refused(lambda p: opened.decode(np.array([3, 4])), path, "4")


def cifar_archive(path, *, per_batch=4, skip=(), extra=()):
    rng = np.random.default_rng(0)
    batches = {}
    with tarfile.open(path, "w:gz") as archive:
        for name in [f"data_batch_{i}.bin" for i in range(1, 6)] + ["test_batch.bin"]:
            labels = rng.integers(0, 10, per_batch, np.uint8)
            planes = rng.integers(0, 256, (per_batch, 3, 32, 32), np.uint8)
            batches[name] = labels, planes
            content = b"".join(bytes([label]) + plane.tobytes() for label, plane in zip(labels, planes, strict=True))
            if name not in skip:
                add(archive, f"cifar-10-batches-bin/{name}", content)
        for name in extra:
            add(archive, name, b"evil")
    return batches


def add(archive, name, content):
    member = tarfile.TarInfo(name)
    member.size = len(content)
    archive.addfile(member, io.BytesIO(content))


def test_the_binary_archive_of_cifar10_is_read_in_memory(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    batches = cifar_archive(path, extra=["../evil.txt", "/evil.txt"])
    train, test = (readers.open_cifar10([path], split) for split in ("train", "test"))
    assert len(train.labels) == 20 and len(test.labels) == 4
    np.testing.assert_array_equal(test.labels, batches["test_batch.bin"][0])
    labels, planes = batches["data_batch_2.bin"]
    assert train.labels[5] == labels[1]
    image = train.decode(np.array([5]))[0]
    assert image.shape == (32, 32, 3) and image[3, 17].tolist() == planes[1, :, 3, 17].tolist()
    assert list(tmp_path.iterdir()) == [path], "nothing is unpacked on the disk"


def test_a_missing_batch_is_named(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    cifar_archive(path, skip=["data_batch_3.bin"])
    refused(lambda p: readers.open_cifar10([p], "train"), path, "data_batch_3.bin")


def test_a_batch_of_half_an_image_is_refused(tmp_path):
    path = tmp_path / "cifar-10-binary.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        add(archive, "test_batch.bin", bytes(3073 + 100))
    refused(lambda p: readers.open_cifar10([p], "test"), path, "lots")


@same_folder
@given(share=st.floats(0, 0.999))
def test_an_archive_cut_anywhere_is_refused(tmp_path, share):
    path = tmp_path / "cifar-10-binary.tar.gz"
    if not (tmp_path / "whole").exists():
        cifar_archive(tmp_path / "whole", per_batch=1)
    whole = (tmp_path / "whole").read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    refused(lambda p: readers.open_cifar10([p], "train"), path, "tronquée", "manque")
