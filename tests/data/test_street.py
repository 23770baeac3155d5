"""The street world: determinism, exact truth, controls, videos, sprites, cache, errors."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from course_utils.data import street
from course_utils.data.street import store, textures
from course_utils.data.street.world import MIN_VISIBLE

PLAIN = {"density": 0.6, "occlusion": 0.4, "blur": 0.0, "light": 0.5, "night": 0.0, "rain": 0.0}
sizes = st.one_of(st.integers(24, 160), st.tuples(st.integers(40, 130), st.integers(40, 160)))
share = st.one_of(st.none(), st.floats(0, 1, allow_nan=False))
controls_given = st.fixed_dictionaries({name: share for name in street.CONTROLS})


def fingerprint(scene: street.Scene) -> str:
    parts = (scene.image, scene.boxes, scene.classes, scene.masks, scene.depth, scene.occlusion, scene.track_ids)
    digest = hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts))
    digest.update(repr(scene.texts).encode())
    return digest.hexdigest()


def tight_box(mask: np.ndarray) -> list[int]:
    """Bounds of a mask by another road than the package's: the extreme coordinates of its pixels."""
    y, x = np.nonzero(mask)
    return [x.min(), y.min(), x.max() + 1, y.max() + 1]


# -- determinism --------------------------------------------------------------------------------------------------
def test_same_seed_same_scene_in_another_process_and_in_any_order():
    program = (
        "import hashlib, numpy as np\nfrom course_utils.data import street\n"
        "street.sprites(3); street.scene(5)\n"
        "s = street.scene(11, (96, 144)); v = street.video(2, 3); p, l = street.sprites(12, seed=4)\n"
        "arrays = (s.image, s.masks, v.frames, p, l)\n"
        "print(*(hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest() for a in arrays))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=120)
    scene, video, (images, labels) = street.scene(11, (96, 144)), street.video(2, 3), street.sprites(12, seed=4)
    arrays = (scene.image, scene.masks, video.frames, images, labels)
    here = [hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest() for array in arrays]
    assert done.stdout.split() == here


def test_other_seeds_give_other_scenes():
    assert len({fingerprint(street.scene(seed, 64)) for seed in range(12)}) == 12


def test_the_global_random_state_is_left_alone():
    np.random.seed(3)  # noqa: NPY002
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    street.scene(0, 48)
    street.sprites(4)
    assert np.array_equal(before, np.random.get_state()[1])  # noqa: NPY002


# -- truth --------------------------------------------------------------------------------------------------------
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(seed=st.integers(0, 2**31), size=sizes, controls=controls_given)
def test_truth_is_consistent(seed, size, controls):
    scene = street.scene(seed, size, **controls)
    height, width = (size, size) if isinstance(size, int) else size
    n = len(scene)
    assert scene.image.shape == (height, width, 3) and scene.image.dtype == np.float32
    assert scene.image.min() >= 0 and scene.image.max() <= 1
    assert scene.masks.shape == (n, height, width) and scene.masks.dtype == bool
    assert scene.boxes.shape == (n, 4) and scene.boxes.dtype == np.float32
    assert len(scene.texts) == n
    for values in (scene.classes, scene.depth, scene.occlusion, scene.track_ids):
        assert values.shape == (n,)
    assert (scene.masks.sum(0) <= 1).all()
    assert len(set(scene.track_ids.tolist())) == n
    assert ((scene.occlusion >= 0) & (scene.occlusion < 1)).all()
    assert ((scene.classes >= 0) & (scene.classes < len(street.CLASSES))).all()
    assert (np.diff(scene.depth) <= 0).all() and (scene.depth > 0).all()
    for mask, box in zip(scene.masks, scene.boxes, strict=True):
        assert mask.sum() >= MIN_VISIBLE
        assert box.tolist() == tight_box(mask)
    for name, value in controls.items():
        assert scene.controls[name] == value if value is not None else 0 <= scene.controls[name] <= 1


def test_masks_cover_the_pixels_that_each_object_changes():
    """Draw the same street with and without its objects: what changes outside the masks is shadow or a thin edge."""
    quiet = {**PLAIN, "occlusion": 0.0, "light": 0.5}
    inside, outside = [], []
    for seed in range(8):
        full, empty = street.scene(seed, 128, **quiet), street.scene(seed, 128, **{**quiet, "density": 0.0})
        if len(empty):
            continue
        change = np.abs(full.image - empty.image).max(2)
        covered = full.masks.any(0)
        inside.append((change[covered] > 0.05).mean())
        around = cv2.dilate(covered.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
        outside.append((change[~around] > 0.25).mean())
    assert np.mean(inside) > 0.85
    assert np.mean(outside) < 0.02


def test_the_nearer_object_hides_the_farther_one():
    """Where boxes of full vehicles overlap, the hidden one is never the nearer."""
    seen = 0
    for seed in range(40):
        scene = street.scene(seed, 96, density=1.0, occlusion=1.0, night=0.0)
        if len(scene) and scene.occlusion.max() > 0.3:
            k = int(scene.occlusion.argmax())
            assert scene.depth[k] >= scene.depth.min()
            seen += scene.depth[k] > np.median(scene.depth)
    assert seen > 10


def test_class_frequencies_are_uneven_and_every_class_appears():
    counts = np.bincount(np.concatenate([street.scene(seed, 96).classes for seed in range(150)]), minlength=10)
    assert (counts > 0).all()
    assert counts.max() > 4 * counts.min()
    assert street.CLASSES[counts.argmax()] in ("car", "pedestrian")


def test_texts_are_digits_on_what_bears_a_number():
    bearers = {"car": 4, "taxi": 3, "van": 3, "lorry": 2, "bus": 3, "motorcycle": 4}
    for seed in range(60):
        scene = street.scene(seed, 96)
        for k, text in zip(scene.classes, scene.texts, strict=True):
            kind = street.CLASSES[k]
            if kind in bearers:
                assert len(text) == bearers[kind] and text.isascii() and text.isdigit()
            elif kind == "sign":
                assert text in ("", "20", "30", "50", "70")
            else:
                assert text == ""


def test_class_names_are_french_and_match():
    assert len(street.CLASSES) == len(street.CLASS_NAMES) == 10
    assert dict(zip(street.CLASSES, street.CLASS_NAMES, strict=True))["pedestrian"] == "piéton"
    scene = street.scene(3)
    assert scene.names == tuple(street.CLASS_NAMES[k] for k in scene.classes)
    assert "objets" in repr(scene)


def test_a_poster_shows_the_same_street_as_a_small_scene_with_more_detail():
    small, large = street.scene(8, 128, **PLAIN), street.scene(8, 512, **PLAIN)
    assert set(small.track_ids) <= set(large.track_ids)
    common = np.isin(large.track_ids, small.track_ids)
    assert np.median(np.abs(large.boxes[common] / 4 - small.boxes)) < 1.5
    reduced = cv2.resize(large.image, (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(cv2.GaussianBlur(reduced, (0, 0), 4) - cv2.GaussianBlur(small.image, (0, 0), 4)).mean() < 0.04
    enlarged = cv2.resize(small.image, (512, 512), interpolation=cv2.INTER_CUBIC)
    assert sharpness(large.image) > 1.5 * sharpness(enlarged)


# -- controls -----------------------------------------------------------------------------------------------------
def sharpness(image: np.ndarray) -> float:
    grey = cv2.GaussianBlur(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), (0, 0), 0.8)
    return float(cv2.Laplacian(grey, cv2.CV_32F).var())


def average(measure, name: str, value: float, seeds=range(14), **others) -> float:
    return float(np.mean([measure(street.scene(seed, 96, **{**PLAIN, **others, name: value})) for seed in seeds]))


@pytest.mark.parametrize(
    ("name", "measure", "values", "grows"),
    [
        ("density", len, (0.0, 0.5, 1.0), True),
        ("light", lambda s: s.image.mean(), (0.0, 0.25, 0.5, 0.75, 1.0), True),
        ("night", lambda s: s.image.mean(), (0.0, 0.5, 0.75, 1.0), False),
        ("blur", lambda s: sharpness(s.image), (0.0, 0.3, 0.6, 1.0), False),
        ("occlusion", lambda s: s.occlusion.mean() if len(s) else 0.0, (0.0, 0.5, 1.0), True),
    ],
)
def test_controls_do_what_they_say(name, measure, values, grows):
    levels = [average(measure, name, value) for value in values]
    steps = np.diff(levels) if grows else -np.diff(levels)
    assert (steps > 0).all(), levels


def test_rain_greys_the_picture_and_mirrors_the_street_in_the_road():
    def saturation(scene):
        return (scene.image.max(2) - scene.image.min(2)).mean()

    def road_contrast(scene):
        return cv2.GaussianBlur(scene.image[72:], (0, 0), 2).std((0, 1)).mean()

    assert average(saturation, "rain", 1.0) < average(saturation, "rain", 0.0)
    assert average(road_contrast, "rain", 1.0, density=0.0, occlusion=0.0) != average(
        road_contrast, "rain", 0.0, density=0.0, occlusion=0.0
    )


def test_controls_do_not_move_the_street():
    """Light, blur and noise change the picture, never the truth."""
    plain, dark = street.scene(4, 96, **PLAIN), street.scene(4, 96, **{**PLAIN, "light": 0.1, "blur": 0.8})
    assert np.array_equal(plain.masks, dark.masks) and plain.texts == dark.texts
    assert not np.array_equal(plain.image, dark.image)


def test_texture_pools_are_disjoint():
    assert not set(textures.POSTERS["train"]) & set(textures.POSTERS["test"])
    whole = textures.pyramid("gravel", None)[0]
    for pool, half in (("train", slice(0, 256)), ("test", slice(256, 512))):
        tile = textures.pyramid("gravel", pool)[0]
        there = np.corrcoef(tile[:512, :256].ravel(), whole[:512, half].ravel())[0, 1]
        other = np.corrcoef(tile[:512, :256].ravel(), whole[:512, 256 - half.start : 512 - half.start].ravel())[0, 1]
        assert there > 0.95 > 0.2 > abs(other)
    train, test = street.scene(1, 96, textures="train"), street.scene(1, 96, textures="test")
    assert np.array_equal(train.masks, test.masks) and not np.array_equal(train.image, test.image)


# -- videos -------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def video() -> street.Video:
    return street.video(6, 36, (96, 160), 12, density=0.8, night=0.0, rain=0.0)


def test_video_keeps_identities(video):
    assert video.frames.shape == (36, 96, 160, 3) and len(video) == len(list(video)) == 36
    known: dict[int, tuple[int, str]] = {}
    for scene in video:
        for track, kind, text in zip(scene.track_ids.tolist(), scene.classes.tolist(), scene.texts, strict=True):
            assert known.setdefault(track, (kind, text)) == (kind, text)
    assert len(known) > 4
    assert np.shares_memory(video[3].image, video.frames)


def test_video_objects_move_steadily_enter_and_leave(video):
    tracks: dict[int, dict[int, float]] = {}
    for t, scene in enumerate(video):
        for track, box, kind in zip(scene.track_ids.tolist(), scene.boxes, scene.classes, strict=True):
            inside = box[0] > 2 and box[2] < 158
            if inside and street.CLASSES[kind] in ("car", "taxi", "van"):
                tracks.setdefault(track, {})[t] = float(box[0] + box[2]) / 2
    moving = {track: places for track, places in tracks.items() if len(places) >= 5}
    assert moving
    signs = set()
    for places in moving.values():
        steps = np.diff(list(places.values())) / np.diff(list(places))
        assert abs(np.median(steps)) > 0.5
        assert np.median(np.abs(steps - np.median(steps))) < 2
        signs.add(np.sign(np.median(steps)))
    present = [set(scene.track_ids.tolist()) for scene in video]
    assert set.union(*present) > present[0] and set.union(*present) > present[-1]


def test_video_traffic_goes_both_ways():
    ways = set()
    for seed in range(4):
        clip = street.video(seed, 8, (64, 128), 8, density=0.9, night=0.0)
        first, last = clip[0], clip[7]
        for track, box in zip(first.track_ids.tolist(), first.boxes, strict=True):
            where = np.flatnonzero(last.track_ids == track)
            if len(where) and abs(shift := float(last.boxes[where[0]][[0, 2]].mean() - box[[0, 2]].mean())) > 3:
                ways.add(np.sign(shift))
    assert ways == {-1.0, 1.0}


def test_video_backdrop_stands_still():
    clip = street.video(6, 10, (96, 160), 12, density=0.3, occlusion=0.0, night=0.0, rain=0.0, blur=0.0)
    still = ~np.any([scene.masks.any(0) for scene in clip], axis=0)
    still = cv2.erode(still.astype(np.uint8), np.ones((15, 15), np.uint8)) > 0
    assert clip.frames.std(0).mean(2)[still].mean() < 0.02


# -- sprites ------------------------------------------------------------------------------------------------------
def test_sprites_are_balanced_shuffled_and_in_range():
    images, labels = street.sprites(203, seed=2)
    assert images.shape == (203, 32, 32, 3) and images.dtype == np.float32 and labels.dtype == np.int64
    assert images.min() >= 0 and images.max() <= 1
    counts = np.bincount(labels, minlength=10)
    assert counts.max() - counts.min() <= 1
    assert not np.array_equal(labels, np.sort(labels))
    assert len({image.tobytes() for image in images}) == 203


def test_sprites_of_chosen_classes_and_size():
    images, labels = street.sprites(20, size=64, classes=("bus", "bicycle"), textures="test")
    assert images.shape == (20, 64, 64, 3) and np.bincount(labels).tolist() == [10, 10]
    assert street.sprites(0)[0].shape == (0, 32, 32, 3)


def test_sprites_ask_for_more_than_a_linear_classifier():
    from sklearn.linear_model import RidgeClassifier

    images, labels = street.sprites(1500, seed=1)
    flat = images.reshape(len(images), -1) - 0.5
    score = RidgeClassifier(alpha=300).fit(flat[:1200], labels[:1200]).score(flat[1200:], labels[1200:])
    assert 0.2 < score < 0.8


# -- data sets and their cache ------------------------------------------------------------------------------------
@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "street"


def assert_same(a: street.SceneDataset, b: street.SceneDataset) -> None:
    assert len(a) == len(b)
    assert [fingerprint(x) for x in a] == [fingerprint(y) for y in b]


def test_dataset_is_the_scenes_and_is_read_back_from_the_cache(cache, monkeypatch):
    fresh = street.dataset(4, size=(48, 64), night=0.0)
    assert [fingerprint(s) for s in fresh] == [fingerprint(street.scene(k, (48, 64), night=0.0)) for k in range(4)]
    monkeypatch.setattr(store, "scene", lambda *a, **k: pytest.fail("rendered again"))
    again = street.dataset(4, size=(48, 64), night=0.0)
    assert_same(fresh, again)
    assert not list(cache.glob("*.tmp"))
    assert again.images.shape == (4, 48, 64, 3) and len(again.boxes) == len(again.masks) == len(again.texts) == 4
    assert [len(c) for c in again.classes] == again.counts.tolist() == [len(s) for s in again]
    assert [fingerprint(s) for s in again[1:3]] == [fingerprint(again[1]), fingerprint(again[2])]
    with pytest.raises(IndexError):
        again[4]


def test_dataset_key_depends_on_every_argument(cache):
    for changed in ({"seed": 1}, {"size": 40}, {"rain": 0.5}, {"textures": "train"}, {"light": 0.2}):
        street.dataset(1, **{"size": 32, **changed})
    street.dataset(1, size=32)
    assert len(list(cache.glob("*.npz"))) == 6


@pytest.mark.parametrize("damage", [b"", b"not an archive", None])
def test_damaged_cache_is_rendered_again(cache, damage):
    fresh = street.dataset(2, size=40)
    (path,) = cache.glob("*.npz")
    path.write_bytes(path.read_bytes()[:-400] if damage is None else damage)
    assert_same(fresh, street.dataset(2, size=40))
    with np.load(path) as archive:
        assert archive["counts"].shape == (2,)


def test_cache_that_cannot_be_written_is_done_without(cache, monkeypatch):
    def full(*args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    assert len(street.dataset(1, size=32)) == 1
    assert not list(cache.glob("*"))


def test_cache_folder_that_cannot_exist_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "file"))
    assert len(street.dataset(1, size=32)) == 1


# -- errors and speed ---------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: street.scene(-1), "seed"),
        (lambda: street.scene(0.5), "seed"),
        (lambda: street.scene(0, 8), "size"),
        (lambda: street.scene(0, (64, 64, 3)), "size"),
        (lambda: street.scene(0, (64, 1000)), "size"),
        (lambda: street.scene(0, density=1.2), "density"),
        (lambda: street.scene(0, night="soir"), "night"),
        (lambda: street.scene(0, rain=float("nan")), "rain"),
        (lambda: street.scene(0, textures="val"), "textures"),
        (lambda: street.video(0, 0), "n_frames"),
        (lambda: street.video(0, 3, fps=0), "fps"),
        (lambda: street.sprites(-1), "n"),
        (lambda: street.sprites(2, classes=("car", "tram")), "classes"),
        (lambda: street.sprites(2, size=5), "size"),
        (lambda: street.dataset(2.5), "n"),
    ],
)
def test_bad_arguments_are_explained_in_french(call, words):
    with pytest.raises(ValueError, match=f"« {words} » vaut .* : donnez|« {words} » vaut .* : la largeur"):
        call()


def test_speed_keeps_a_loose_floor():
    """Each scene at its best of three: a busy neighbour slows some of them, never all."""
    street.scene(0)
    spent = np.empty((3, 30))
    for turn in range(3):
        for seed in range(30):
            start = time.process_time()
            street.scene(seed)
            spent[turn, seed] = time.process_time() - start
    assert spent.min(axis=0).mean() < 1 / 30
