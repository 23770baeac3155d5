"""Sets of images with boxes, in one form: `Examples`, whatever they come from.

- `street`: scenes drawn by the course, with their exact truth;
- `voc`, and `bccd` (blood cells): a Pascal VOC folder, one XML for each image;
- `coco`: a JSON file in COCO's style; `coco128`: the 128 + 128 photographs of `COURSE_DATA`;
- `yolo_folder`: a text file for each image, one line for each box, in Darknet's style.

Images are letterboxed to one size when they are read, as bytes: a thousand images of 192 pixels weigh 110 MB.
"""

from __future__ import annotations

from course_utils.detection.yolo.sets.coco_style import coco, coco128
from course_utils.detection.yolo.sets.darknet_style import yolo_folder
from course_utils.detection.yolo.sets.examples import Examples
from course_utils.detection.yolo.sets.gathering import Record, gathered, read_image
from course_utils.detection.yolo.sets.pascal_voc import bccd, voc
from course_utils.detection.yolo.sets.street_scenes import VEHICLES, street

__all__ = [
    "VEHICLES",
    "Examples",
    "Record",
    "bccd",
    "coco",
    "coco128",
    "gathered",
    "read_image",
    "street",
    "voc",
    "yolo_folder",
]
