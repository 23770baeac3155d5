"""Sets of examples: each format read from files written here, and the real ones."""

from __future__ import annotations

import json
import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from course_utils.data import street
from course_utils.detection.yolo import sets

real = pytest.mark.skipif("COURSE_DATA" not in os.environ, reason="needs the real data sets (COURSE_DATA)")

VOC_OBJECT = (
    "<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>{}</xmin><ymin>{}</ymin><xmax>{}</xmax>"
    "<ymax>{}</ymax></bndbox></object>"
)


def write_image(path: Path, height: int = 40, width: int = 80) -> None:
    """A black picture with one white rectangle, columns 20 to 39 and rows 10 to 29."""
    path.parent.mkdir(parents=True, exist_ok=True)
    image = np.zeros((height, width, 3), np.uint8)
    image[10:30, 20:40] = 255
    assert cv2.imwrite(str(path), image)


def write_voc(folder: Path, objects: str, name: str = "a") -> Path:
    write_image(folder / "JPEGImages" / f"{name}.png")
    for part, text in {"Annotations": f"<annotation>{objects}</annotation>", "ImageSets/Main": name}.items():
        (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / part / ("train.txt" if "Main" in part else f"{name}.xml")).write_text(text)
    return folder


def white_bounds(image: np.ndarray) -> list[int]:
    rows, columns = np.nonzero(image[..., 0] > 128 + 60)
    return [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]


# -- the street ---------------------------------------------------------------------------------------------------
def test_street_scenes_are_those_of_the_street():
    examples, scenes = sets.street(6, seed=4, size=64), street.dataset(6, seed=4, size=64, textures="train")
    assert examples.class_names == street.CLASS_NAMES and len(examples) == 6
    for k, scene in enumerate(scenes):
        np.testing.assert_array_equal(examples.images[k], np.rint(scene.image * 255))
        np.testing.assert_array_equal(examples.boxes[k], scene.boxes)
        np.testing.assert_array_equal(examples.classes[k], scene.classes)
    assert sum(examples.counts.values()) == len(examples.sizes) == sum(map(len, scenes.boxes))
    assert "6 images de 64 × 64 pixels" in repr(examples)


def test_street_groups_and_what_counts():
    groups = {"vélo": ("bicycle",), "auto": ("car", "taxi")}
    plain, grouped = sets.street(8, seed=5, size=96), sets.street(8, seed=5, size=96, groups=groups, smallest=12)
    for k, kinds in enumerate(plain.classes):
        names = [street.CLASSES[c] for c in kinds]
        kept = [i for i, name in enumerate(names) if name in ("bicycle", "car", "taxi")]
        np.testing.assert_array_equal(grouped.boxes[k], plain.boxes[k][kept])
        assert grouped.classes[k].tolist() == [0 if names[i] == "bicycle" else 1 for i in kept]
        sides = plain.boxes[k][kept][:, 2:] - plain.boxes[k][kept][:, :2]
        np.testing.assert_array_equal(grouped.ignored[k], sides.min(axis=1, initial=99) < 12)
    assert any(flags.any() for flags in grouped.ignored)
    hidden = sets.street(8, seed=5, size=96, hidden=0.3)
    truth = street.dataset(8, seed=5, size=96, textures="train").occlusion
    np.testing.assert_array_equal(np.concatenate(hidden.ignored), np.concatenate(truth) > 0.3)
    for wrong in ({"a": ("tram",)}, {"a": ("car",), "b": ("car",)}):
        with pytest.raises(ValueError, match="pas une classe de la rue ou est déjà"):
            sets.street(2, groups=wrong)


def test_examples_are_cut_like_arrays():
    examples = sets.street(5, seed=6, size=64)
    for part, rows in ((examples[1:3], [1, 2]), (examples[[4, 0]], [4, 0]), (examples[np.array([False] * 5)], [])):
        np.testing.assert_array_equal(part.images, examples.images[rows])
        assert (
            [len(b) for b in part.boxes] == [len(examples.boxes[k]) for k in rows] == [len(t[1]) for t in part.truths]
        )
    with pytest.raises(TypeError, match="tranche"):
        examples[3]
    with pytest.raises(ValueError, match="uint8"):
        sets.Examples(examples.images / 255.0, examples.boxes, examples.classes, examples.ignored, ("a",))
    with pytest.raises(ValueError, match="il en faut autant"):
        sets.Examples(examples.images, examples.boxes[:2], examples.classes, examples.ignored, ("a",))


# -- files --------------------------------------------------------------------------------------------------------
def test_voc_boxes_fall_on_their_pixels(tmp_path, capsys):
    objects = VOC_OBJECT.format("b", 0, 21, 11, 40, 30) + VOC_OBJECT.format("a", 1, 1, 1, 80, 40)
    examples = sets.voc(write_voc(tmp_path, objects), "train", size=160)
    assert examples.class_names == ("a", "b") and examples.images.shape == (1, 160, 160, 3)
    np.testing.assert_array_equal(examples.boxes[0], [[40, 60, 80, 100], [0, 40, 160, 120]])
    np.testing.assert_allclose(white_bounds(examples.images[0]), [40, 60, 80, 100], atol=1)
    assert examples.classes[0].tolist() == [1, 0] and examples.ignored[0].tolist() == [False, True]
    assert (examples.images[0, :38] == 128).all() and capsys.readouterr().out == ""


def test_voc_photographs_may_end_in_capitals(tmp_path):
    folder = write_voc(tmp_path / "camera", VOC_OBJECT.format("a", 0, 1, 1, 9, 9))
    (folder / "JPEGImages" / "a.png").rename(folder / "JPEGImages" / "a.PNG")
    assert len(sets.voc(folder, size=64)) == 1


def test_boxes_without_area_are_left_out_aloud(tmp_path, capsys):
    objects = VOC_OBJECT.format("a", 0, 21, 11, 40, 30) + VOC_OBJECT.format("a", 0, 5, 5, 5, 9)
    examples = sets.voc(write_voc(tmp_path, objects, "image7"), "train", size=80)
    assert len(examples.boxes[0]) == len(examples.classes[0]) == len(examples.ignored[0]) == 1
    assert "boîtes sans surface laissées de côté dans image7" in capsys.readouterr().out


def test_voc_refusals(tmp_path):
    folder = write_voc(tmp_path / "sound", VOC_OBJECT.format("a", 0, 1, 1, 9, 9))
    with pytest.raises(FileNotFoundError, match="Parties présentes : train"):
        sets.voc(folder, "validation")
    with pytest.raises(ValueError, match="classe « a » inconnue ; on attend chat, chien"):
        sets.voc(folder, class_names=("chat", "chien"))
    with pytest.raises(ValueError, match="boîte complète"):
        sets.voc(write_voc(tmp_path / "no_box", "<object><name>a</name></object>"))
    nameless = VOC_OBJECT.format("", 0, 1, 1, 9, 9) + VOC_OBJECT.format("a", 0, 1, 1, 9, 9)
    with pytest.raises(ValueError, match="classe «  » inconnue ; on attend a"):
        sets.voc(write_voc(tmp_path / "nameless", nameless))
    with pytest.raises(ValueError, match="n'est pas un XML lisible"):
        sets.voc(write_voc(tmp_path / "broken", "<object><name>a"))
    (folder / "JPEGImages" / "a.png").write_bytes(b"\x89PNG")
    with pytest.raises(ValueError, match="pas une image lisible"):
        sets.voc(folder)
    (folder / "JPEGImages" / "a.png").unlink()
    with pytest.raises(FileNotFoundError, match="Image introuvable"):
        sets.voc(folder)
    (folder / "Annotations" / "a.xml").unlink()
    with pytest.raises(FileNotFoundError, match="Annotation introuvable"):
        sets.voc(folder)


def test_coco_style(tmp_path):
    write_image(tmp_path / "photo.png")
    content = {
        "images": [{"id": 7, "file_name": "photo.png"}],
        "categories": [{"id": 18, "name": "dog"}, {"id": 3, "name": "car"}],
        "annotations": [
            {"image_id": 7, "category_id": 18, "bbox": [20, 10, 20, 20], "iscrowd": 0},
            {"image_id": 7, "category_id": 3, "bbox": [60, 30, 40, 10], "iscrowd": 1},
        ],
    }
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(content))
    examples = sets.coco(tmp_path, path, size=160)
    assert examples.class_names == ("car", "dog")
    np.testing.assert_array_equal(examples.boxes[0], [[40, 60, 80, 100], [120, 100, 160, 120]])
    assert examples.classes[0].tolist() == [1, 0] and examples.ignored[0].tolist() == [False, True]
    assert len(sets.coco(tmp_path, path, size=64, n=0)) == 0
    short = {"image_id": 7, "category_id": 3, "bbox": [1, 2, 3]}
    wrong = [json.dumps({**content, "annotations": [one]}) for one in ({"image_id": 8}, short)]
    for broken in ("{", '{"images": []}', *wrong):
        path.write_text(broken)
        with pytest.raises(ValueError, match="pas un fichier d'annotations de COCO"):
            sets.coco(tmp_path, path)
    with pytest.raises(FileNotFoundError, match="annotations introuvable"):
        sets.coco(tmp_path, tmp_path / "absent.json")


def test_yolo_folder(tmp_path):
    write_image(tmp_path / "images" / "a.png")
    write_image(tmp_path / "images" / "b.png")
    labels = tmp_path / "labels"
    labels.mkdir()
    (labels / "a.txt").write_text("1 0.375 0.5 0.25 0.5\n\n0 0.5 0.5 1 1\n")
    examples = sets.yolo_folder(tmp_path / "images", labels, ("x", "y"), size=160)
    np.testing.assert_array_equal(examples.boxes[0], [[40, 60, 80, 100], [0, 40, 160, 120]])
    assert examples.classes[0].tolist() == [1, 0] and examples.boxes[1].shape == (0, 4)
    for line in ("1 0.5 0.5 0.2", "2 0.5 0.5 0.2 0.2", "0 40 30 10 10", "chat 0.5 0.5 0.1 0.1"):
        (labels / "a.txt").write_text(line)
        with pytest.raises(ValueError, match=r"a\.txt, ligne 1"):
            sets.yolo_folder(tmp_path / "images", labels, ("x", "y"))
    with pytest.raises(FileNotFoundError, match="dossier des annotations n'existe pas"):
        sets.yolo_folder(tmp_path / "images", tmp_path / "elsewhere", ("x", "y"))
    with pytest.raises(FileNotFoundError, match="Aucune image"):
        sets.yolo_folder(labels, labels, ("x",))


def test_real_sets_say_that_they_need_the_data(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(tmp_path))
    for read in (sets.bccd, sets.coco128):
        with pytest.raises(FileNotFoundError, match="ne contient pas ce jeu"):
            read()
    monkeypatch.delenv("COURSE_DATA", raising=False)
    for read in (sets.bccd, sets.coco128):
        with pytest.raises(FileNotFoundError, match="COURSE_DATA"):
            read()
    with pytest.raises(ValueError, match='"train" et "val"'):
        sets.coco128("test")


@real
def test_blood_cells(capsys):
    counts = {}
    for split, images in (("train", 205), ("val", 87), ("test", 72)):
        examples = sets.bccd(split, size=64)
        assert len(examples) == images
        for name, count in examples.counts.items():
            counts[name] = counts.get(name, 0) + count
        assert all((b[:, 2:] > b[:, :2]).all() and b.min() >= 0 and b.max() <= 64 for b in examples.boxes)
    out = capsys.readouterr().out
    assert "BloodImage_00338" in out and "BloodImage_00343" in out
    assert sum(counts.values()) == 4155 + 372 + 361 - 2 and counts["WBC"] == 372


@real
@pytest.mark.parametrize(("split", "boxes"), [("train", 929), ("val", 898)])
def test_coco128(split, boxes):
    examples = sets.coco128(split, size=64)
    assert len(examples) == 128 and len(examples.class_names) == 80 and sum(map(len, examples.boxes)) == boxes
