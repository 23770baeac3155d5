"""Videos in and out: read, write, and show in a notebook, from a file or from a folder of frames.

- `reading`: ``read`` opens what OpenCV's FFmpeg reads, and gives its frames, one at a time;
- `writing`: ``write`` encodes VP9 in a ``.webm`` file, which every browser plays, and other kinds of files;
- `showing`: ``show`` embeds a video in an HTML5 ``<video>``, with its buttons, and the page needs no network.

Frames are float32 images in [0, 1].
"""

from __future__ import annotations

from course_utils.tracking.video.reading import PICTURES, Reader, read
from course_utils.tracking.video.showing import MAX_BYTES, Clip, show
from course_utils.tracking.video.writing import CODECS, write

__all__ = ["CODECS", "MAX_BYTES", "PICTURES", "Clip", "Reader", "read", "show", "write"]
