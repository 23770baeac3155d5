"""Videos of the street: traffic in both directions, people walking, a fixed camera, identities kept."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from course_utils.data.street.palette import Dice
from course_utils.data.street.world import (
    Controls,
    Scene,
    Size,
    Textures,
    World,
    check_integer,
    check_size,
    check_textures,
)


@dataclass(frozen=True, eq=False)
class Video:
    """Successive pictures of one street, with their truth.

    Attributes
    ----------
    frames : (T, H, W, 3) float32 in [0, 1]
    scenes : tuple of Scene
        The truth frame by frame; ``scenes[t].image`` is ``frames[t]``. An object keeps its ``track_ids`` value.
    fps : float
        Frames per second.
    seed : int
    """

    frames: np.ndarray
    scenes: tuple[Scene, ...]
    fps: float
    seed: int

    def __len__(self) -> int:
        return len(self.scenes)

    def __getitem__(self, index: int) -> Scene:
        return self.scenes[index]

    def __iter__(self) -> Iterator[Scene]:
        return iter(self.scenes)

    def __repr__(self) -> str:
        _, height, width, _ = self.frames.shape
        tracks = len({int(track) for scene in self.scenes for track in scene.track_ids})
        pictures = f"{len(self)} images de {width} × {height} pixels à {self.fps:g} par seconde"
        return f"Video(graine={self.seed}, {pictures}, {tracks} objets suivis)"


def video(
    seed: int = 0,
    n_frames: int = 48,
    size: Size = (128, 192),
    fps: float = 12.0,
    *,
    density: float | None = None,
    occlusion: float | None = None,
    blur: float | None = None,
    light: float | None = None,
    night: float | None = None,
    rain: float | None = None,
    textures: Textures = None,
) -> Video:
    """Return a video of a street: the backdrop is drawn once, vehicles and people move along their lanes.

    Vehicles of one lane share its speed (4 to 8 m/s, bicycles 2.6 to 4,
                                          walkers 0.9 to 1.5), so they never run into each
    other; they enter and leave the picture, hide one another and pass behind trees.

    Parameters
    ----------
    seed : int
    n_frames : int
        From 1 to 2000.
    size : int or (height, width)
    fps : float
        Frames per second, more than 0 and at most 120.
    density, occlusion, blur, light, night, rain, textures
        As for ``scene``.

    Raises
    ------
    ValueError
        In French, when an argument is out of range.
    """
    seed, shape, count = check_integer("seed", seed, 0), check_size(size), check_integer("n_frames", n_frames, 1, 2000)
    if not 0 < fps <= 120:
        raise ValueError(f"« fps » vaut {fps!r} : donnez un nombre d'images par seconde entre 0 (exclu) et 120.")
    controls = Controls.resolve(
        Dice(seed, 6), density=density, occlusion=occlusion, blur=blur, light=light, night=night, rain=rain
    )
    world = World(seed, shape[1] / shape[0], controls, check_textures(textures), duration=(count - 1) / fps)
    backdrop = world.backdrop(shape)
    frames, scenes = np.empty((count, *shape, 3), np.float32), []
    for index in range(count):
        shot = world.render(shape, time=index / fps, frame=index, backdrop=backdrop)
        frames[index] = shot.image
        scenes.append(replace(shot, image=frames[index]))
    return Video(frames, tuple(scenes), float(fps), seed)
