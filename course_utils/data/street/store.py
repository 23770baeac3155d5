"""Data sets of scenes, kept on disk once rendered."""

from __future__ import annotations

import hashlib
import os
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from course_utils.data.street.world import (
    CONTROLS,
    Scene,
    Size,
    Textures,
    check_integer,
    check_share,
    check_size,
    check_textures,
    scene,
)

RENDERER = 1  # to be raised whenever the pictures or the truth change: older files are then ignored
SEEDS_PER_DATASET = 1_000_000
FIELDS = ("boxes", "classes", "depth", "occlusion", "track_ids", "texts")


@dataclass(frozen=True, eq=False)
class SceneDataset:
    """Scenes of one size and their truth.

    ``len(ds)``, iteration and ``ds[i]`` give ``Scene`` objects; ``ds[a:b]`` gives a smaller data set.

    Attributes
    ----------
    images : (n, H, W, 3) float32 in [0, 1]
    boxes, classes, masks, texts, depth, occlusion, track_ids : list of n arrays (tuples for ``texts``)
        As in ``Scene``.
    """

    pixels: np.ndarray = field(repr=False)
    labels_maps: np.ndarray = field(repr=False)
    counts: np.ndarray = field(repr=False)
    truth: dict[str, np.ndarray] = field(repr=False)
    controls: np.ndarray = field(repr=False)
    seeds: np.ndarray = field(repr=False)

    def __len__(self) -> int:
        return len(self.pixels)

    def __repr__(self) -> str:
        _, height, width, _ = self.pixels.shape
        return f"SceneDataset({len(self)} scènes de {width} × {height} pixels, {int(self.counts.sum())} objets)"

    def __iter__(self) -> Iterator[Scene]:
        return (self[index] for index in range(len(self)))

    def __getitem__(self, index: int | slice) -> Any:
        if isinstance(index, slice):
            chosen = range(len(self))[index]
            return _pack([self[k] for k in chosen], self.pixels.shape[1:3])
        k = range(len(self))[index]
        stop = int(self.counts[: k + 1].sum())
        rows = slice(stop - int(self.counts[k]), stop)
        values: dict[str, Any] = {name: self.truth[name][rows] for name in FIELDS}
        values["texts"] = tuple(str(text) for text in values["texts"])
        return Scene(
            image=self.pixels[k] * np.float32(1 / 255),
            labels_map=self.labels_maps[k],
            seed=int(self.seeds[k]),
            controls=dict(zip(CONTROLS, self.controls[k].tolist(), strict=True)),
            **values,
        )

    @property
    def images(self) -> np.ndarray:
        """All the pictures, (n, H, W, 3) float32 in [0, 1]."""
        return self.pixels * np.float32(1 / 255)

    @property
    def masks(self) -> list[np.ndarray]:
        """Visible pixels of the objects, one (n_objects, H, W) bool array per scene."""
        return [
            labels == np.arange(1, count + 1)[:, None, None]
            for labels, count in zip(self.labels_maps, self.counts, strict=True)
        ]

    def _split(self, name: str) -> list[np.ndarray]:
        return np.split(self.truth[name], np.cumsum(self.counts)[:-1]) if len(self) else []

    @property
    def boxes(self) -> list[np.ndarray]:
        """Boxes of the visible pixels, one (n_objects, 4) float32 array per scene."""
        return self._split("boxes")

    @property
    def classes(self) -> list[np.ndarray]:
        """Indices in ``CLASSES``, one (n_objects,) int64 array per scene."""
        return self._split("classes")

    @property
    def texts(self) -> list[tuple[str, ...]]:
        """Plates and fleet numbers, one tuple per scene."""
        return [tuple(str(text) for text in texts) for texts in self._split("texts")]

    @property
    def depth(self) -> list[np.ndarray]:
        """Relative distances, one (n_objects,) float32 array per scene."""
        return self._split("depth")

    @property
    def occlusion(self) -> list[np.ndarray]:
        """Hidden shares, one (n_objects,) float32 array per scene."""
        return self._split("occlusion")

    @property
    def track_ids(self) -> list[np.ndarray]:
        """Identities, one (n_objects,) int64 array per scene."""
        return self._split("track_ids")


def dataset(
    n: int,
    *,
    seed: int = 0,
    size: Size = 128,
    density: float | None = None,
    occlusion: float | None = None,
    blur: float | None = None,
    light: float | None = None,
    night: float | None = None,
    rain: float | None = None,
    textures: Textures = None,
) -> SceneDataset:
    """Return ``n`` scenes, rendered once and then read from the cache.

    Scene ``i`` is ``scene(1_000_000 * seed + i, size, ...)``: two seeds share no scene, and a longer data set begins
    with the shorter one. A cache that is damaged, full or read-only costs the time of rendering again, nothing else.

    Parameters
    ----------
    n : int
        Number of scenes, from 0 to 1 000 000.
    seed : int
    size : int or (height, width)
    density, occlusion, blur, light, night, rain, textures
        As for ``scene``.

    Raises
    ------
    ValueError
        In French, when an argument is out of range.
    """
    n, seed, shape = check_integer("n", n, 0, SEEDS_PER_DATASET), check_integer("seed", seed, 0), check_size(size)
    given = {"density": density, "occlusion": occlusion, "blur": blur, "light": light, "night": night, "rain": rain}
    controls = {name: None if value is None else check_share(name, value) for name, value in given.items()}
    pool = check_textures(textures)
    path = _cache_file(repr((RENDERER, n, seed, shape, sorted(controls.items()), pool)))
    stored = _read(path, n, shape)
    if stored is None:
        stored = _pack(
            [scene(SEEDS_PER_DATASET * seed + index, shape, textures=pool, **controls) for index in range(n)], shape
        )
        _write(path, stored)
    return stored


def _pack(scenes: list[Scene], shape: tuple[int, ...]) -> SceneDataset:
    empty: dict[str, np.ndarray] = {
        "boxes": np.zeros((0, 4), np.float32),
        "classes": np.zeros(0, np.int64),
        "depth": np.zeros(0, np.float32),
        "occlusion": np.zeros(0, np.float32),
        "track_ids": np.zeros(0, np.int64),
        "texts": np.zeros(0, "<U4"),
    }
    pixels = np.empty((len(scenes), *shape, 3), np.uint8)
    maps = np.empty((len(scenes), *shape), np.uint8)
    for k, shot in enumerate(scenes):
        np.rint(shot.image * 255, out=pixels[k], casting="unsafe")
        maps[k] = shot.labels_map
    truth = {
        name: np.concatenate([none, *(np.asarray(getattr(shot, name), none.dtype) for shot in scenes)])
        for name, none in empty.items()
    }
    return SceneDataset(
        pixels,
        maps,
        np.array([len(shot) for shot in scenes], np.int64),
        truth,
        np.array([[shot.controls[name] for name in CONTROLS] for shot in scenes], np.float64).reshape(
            -1, len(CONTROLS)
        ),
        np.array([shot.seed for shot in scenes], np.int64),
    )


def _cache_file(key: str) -> Path | None:
    from course_utils.paths import cache_dir

    try:
        return Path(cache_dir()) / "street" / f"{hashlib.sha256(key.encode()).hexdigest()[:24]}.npz"
    except OSError:
        return None


def _read(path: Path | None, n: int, shape: tuple[int, int]) -> SceneDataset | None:
    """Return the data set of a cache file, or None when it is absent or damaged."""
    if path is None or not path.is_file():
        return None
    try:
        with np.load(path, allow_pickle=False) as archive:
            content = {name: archive[name] for name in archive.files}
        counts = content["counts"]
        stored = SceneDataset(
            content["pixels"],
            content["labels_maps"],
            counts,
            {name: content[name] for name in FIELDS},
            content["controls"],
            content["seeds"],
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    sound = stored.pixels.shape == (n, *shape, 3) and stored.labels_maps.shape == (n, *shape) and counts.shape == (n,)
    return stored if sound and all(len(stored.truth[name]) == counts.sum() for name in FIELDS) else None


def _write(path: Path | None, stored: SceneDataset) -> None:
    """Keep a data set in the cache if it can be; a half-written file never bears the final name."""
    if path is None:
        return
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".tmp", delete=False) as file:
            temporary = Path(file.name)
            np.savez(
                file,
                pixels=stored.pixels,
                labels_maps=stored.labels_maps,
                counts=stored.counts,
                controls=stored.controls,
                seeds=stored.seeds,
                **stored.truth,  # type: ignore[arg-type]
            )
        os.replace(temporary, path)
    except OSError:
        if temporary is not None:
            with suppress(OSError):
                temporary.unlink(missing_ok=True)
