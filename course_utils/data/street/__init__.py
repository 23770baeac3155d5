"""The street world: pictures of a street, drawn by a seeded renderer, with their exact truth.

- ``scene(seed, size, ...)``: one picture, with boxes, classes, masks, texts, depth, occlusion and identities;
- ``dataset(n, ...)``: many scenes, kept in the cache;
- ``video(seed, n_frames, ...)``: traffic and people in motion, identities kept;
- ``sprites(n, ...)``: one object per picture, for classification.

The street is seen from the opposite pavement. Lengths are in metres, so that one renderer serves a 32-pixel sprite, a
128-pixel scene and a 640-pixel poster. Surfaces come from scikit-image's photographs (brick, gravel, grass, moon).
"""

from course_utils.data.street.clip import Video, video
from course_utils.data.street.sprite import sprites
from course_utils.data.street.store import SceneDataset, dataset
from course_utils.data.street.world import CLASS_NAMES, CLASSES, CONTROLS, Scene, scene

__all__ = [
    "CLASSES",
    "CLASS_NAMES",
    "CONTROLS",
    "Scene",
    "SceneDataset",
    "Video",
    "dataset",
    "scene",
    "sprites",
    "video",
]
