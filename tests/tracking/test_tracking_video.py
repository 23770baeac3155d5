"""Videos written, read back, damaged on purpose, and shown in a page."""

from __future__ import annotations

import base64
import contextlib
import http.server
import os
import queue
import re
import shutil
import subprocess
import threading
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from course_utils.plots.motion import Animation
from course_utils.tracking import video

PETS = Path(os.environ.get("COURSE_DATA", "nowhere")) / "mot" / "vtest_480x360.avi"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")


def moving_square(n: int = 20, height: int = 64, width: int = 96) -> np.ndarray:
    """Smooth frames whose red square moves by four pixels: codecs keep them well."""
    frames = np.full((n, height, width, 3), (0.2, 0.4, 0.6), np.float32)
    for index, frame in enumerate(frames):
        left = 4 * index % (width - 16)
        frame[20:36, left : left + 16] = (0.9, 0.1, 0.1)
    return frames


def square_left(frame: np.ndarray) -> int:
    """Return the first column of the red square."""
    return int(np.flatnonzero(frame[28, :, 0] > 0.55)[0])


@pytest.fixture(scope="module")
def webm(tmp_path_factory) -> Path:
    return video.write(tmp_path_factory.mktemp("videos") / "carré.webm", moving_square(), 10)


@pytest.mark.parametrize("extension", [".webm", ".mkv", ".mp4", ".avi"])
def test_what_is_written_is_read_back(tmp_path, extension):
    path = video.write(tmp_path / f"été à Besançon{extension}", moving_square(), 12)
    reader = video.read(path)
    assert (reader.size, reader.length) == ((64, 96), 20)
    assert reader.fps == pytest.approx(12)
    frames = list(reader)
    assert len(frames) == 20 and frames[0].dtype == np.float32 and frames[0].shape == (64, 96, 3)
    assert [abs(square_left(frame) - 4 * index % 80) <= 1 for index, frame in enumerate(frames)] == [True] * 20
    assert np.abs(frames[5] - moving_square()[5]).mean() < 0.02
    assert len(list(reader)) == 20, "a second pass starts again"


def test_a_folder_of_frames_loses_nothing(tmp_path):
    frames = (moving_square(12) * 255).round().astype(np.uint8)
    folder = video.write(tmp_path / "images", iter(frames), 25)
    reader = video.read(folder, fps=8)
    assert (reader.length, reader.fps, reader.size) == (12, 8, (64, 96))
    np.testing.assert_array_equal(np.stack(list(reader)), frames.astype(np.float32) / 255)


def test_frames_of_a_folder_follow_their_numbers(tmp_path):
    for number in (10, 9, 1, 100):
        Image.new("RGB", (8, 8), (number, 0, 0)).save(tmp_path / f"frame{number}.png")
    (tmp_path / "notes.txt").write_text("rien", encoding="utf-8")
    assert [round(float(frame[0, 0, 0] * 255)) for frame in video.read(tmp_path)] == [1, 9, 10, 100]


@pytest.mark.parametrize("shape", [(16, 24), (16, 24, 1), (16, 24, 3)])
def test_grey_frames_and_bytes_are_taken(tmp_path, shape):
    frames = np.full((3, *shape), 128, np.uint8)
    (first, *_) = video.read(video.write(tmp_path / "gris.avi", frames, 5))
    np.testing.assert_allclose(first, 128 / 255, atol=0.02)


def test_odd_sides_lose_one_line(tmp_path):
    assert video.read(video.write(tmp_path / "a.webm", moving_square(3, 65, 97), 5)).size == (64, 96)


def test_progress_bars(tmp_path, capsys, webm):
    video.write(tmp_path / "b.avi", video.read(webm, label="lecture"), 5, label="écriture")
    shown = capsys.readouterr().out
    assert "lecture" in shown and "écriture" in shown and "20 sur 20 images" in shown


@pytest.mark.parametrize(
    ("frames", "fps", "name", "message"),
    [
        ([], 10, "a.webm", "aucune image"),
        ([], 10, "images", "aucune image"),
        (np.zeros((2, 8, 8)), 0, "a.webm", "fps = 0"),
        (np.zeros((2, 8, 8)), float("nan"), "a.webm", "fps = nan"),
        (np.zeros((2, 8, 8)), 10, "a.gif", r"on sait écrire \.webm"),
        ([np.zeros((16, 16)), np.zeros((16, 18))], 10, "a.webm", "18 × 16 pixels, les précédentes 16 × 16"),
        ([np.zeros((16, 16)), np.full((16, 16), 200.0)], 10, "a.webm", r"image 1 .*\[0, 1\]"),
        ([np.full((16, 16), np.nan)], 10, "a.webm", r"\[0, 1\]"),
        ([np.zeros((4, 4, 4))], 10, "a.webm", "image 0"),
    ],
)
def test_nothing_half_written_is_left(tmp_path, frames, fps, name, message):
    with pytest.raises(ValueError, match=message):
        video.write(tmp_path / name, frames, fps)
    assert list(tmp_path.iterdir()) == []


def test_a_failure_keeps_the_former_file(tmp_path):
    path = video.write(tmp_path / "a.avi", moving_square(3), 5)
    before = path.read_bytes()

    def failing():
        yield from moving_square(2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        video.write(path, failing(), 5)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]


def test_an_existing_folder_is_kept(tmp_path):
    with pytest.raises(FileExistsError, match="existe déjà"):
        video.write(tmp_path, moving_square(2), 5)


def test_a_codec_that_lacks_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(video.CODECS, ".webm", "ZZZZ")
    with pytest.raises(RuntimeError, match=r"n'écrit pas de vidéo \.webm"):
        video.write(tmp_path / "a.webm", moving_square(2), 5)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_noticed(tmp_path, monkeypatch):
    monkeypatch.setattr(video.writing, "frames_in", lambda path: 3)
    with pytest.raises(OSError, match="3 images au lieu de 20"):
        video.write(tmp_path / "a.webm", moving_square(), 5)


# --- Damaged files ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("extension", [".webm", ".avi"])
def test_a_truncated_video_gives_its_frames_and_a_line(tmp_path, capfd, extension):
    path = video.write(tmp_path / f"a{extension}", np.random.default_rng(0).random((30, 64, 64, 3)), 10)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    frames = list(video.read(path))
    shown = capfd.readouterr()
    assert 5 <= len(frames) < 29
    assert f"s'arrête trop tôt : {len(frames)} image(s) lue(s) sur 30 annoncées" in shown.out
    assert shown.err == ""


def test_a_whole_video_says_nothing(webm, capfd):
    list(video.read(webm))
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("name", "content"),
    [("vide.avi", b""), ("texte.mp4", b"bonjour " * 200), ("coupe.webm", None), ("coupe.mp4", None)],
)
def test_what_is_no_video_is_refused(tmp_path, capfd, name, content):
    path = tmp_path / name
    if content is None:
        video.write(path, moving_square(), 10)
        content = path.read_bytes()[:300]
    path.write_bytes(content)
    with pytest.raises(ValueError, match=rf"« {name} » .*n'est pas une vidéo"):
        video.read(path)
    assert capfd.readouterr().err == ""


def test_a_video_without_frames_is_refused(tmp_path):
    path = tmp_path / "zéro.avi"
    writer = cv2.VideoWriter(str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10, (32, 32))
    writer.release()
    with pytest.raises(ValueError, match="zéro.avi"):
        video.read(path)
    (tmp_path / "dossier").mkdir()
    with pytest.raises(ValueError, match=r"ne contient aucune image \(\.png"):
        video.read(tmp_path / "dossier")


def test_what_does_not_exist_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"rien\.avi.*n'existe pas"):
        video.read(tmp_path / "rien.avi")


def test_a_damaged_picture_of_a_folder_is_named(tmp_path):
    folder = video.write(tmp_path / "images", moving_square(3), 10)
    second = folder / "000002.png"
    second.write_bytes(second.read_bytes()[:60])
    with pytest.raises(ValueError, match=r"000002\.png.*ne se lit pas"):
        list(video.read(folder))
    Image.new("RGB", (10, 10)).save(second)
    with pytest.raises(ValueError, match=r"000002\.png.* 10 × 10 .*96 × 64"):
        list(video.read(folder))


@pytest.mark.skipif(not PETS.is_file(), reason="COURSE_DATA does not hold mot")
def test_the_pets_video_is_whole(capfd):
    reader = video.read(PETS)
    assert (reader.size, reader.fps, reader.length) == ((360, 480), 10, 795)
    assert sum(1 for _ in reader) == 795
    assert capfd.readouterr() == ("", "")


# --- In the page --------------------------------------------------------------------------------------------------


def parts(clip: video.Clip) -> tuple[str, bytes, bytes]:
    markup, metadata = clip._repr_html_()
    assert metadata == {"alt": clip.alt}
    poster, source = (
        base64.b64decode(re.search(pattern, markup)[1])
        for pattern in ('poster="data:image/jpeg;base64,([^"]+)"', 'src="data:video/webm;base64,([^"]+)"')
    )
    return markup, poster, source


def test_a_clip_holds_the_video_its_poster_and_its_text(tmp_path):
    clip = video.show(moving_square(), fps=10, alt='Un carré "rouge" avance.')
    markup, poster, source = parts(clip)
    assert 'aria-label="Un carré &quot;rouge&quot; avance."' in markup and "controls" in markup
    assert "http" not in markup and "<script" not in markup and "autoplay" not in markup
    with Image.open(BytesIO(poster)) as picture:
        assert picture.size == (96, 64)
    (tmp_path / "clip.webm").write_bytes(source)
    reader = video.read(tmp_path / "clip.webm")
    assert (reader.length, reader.fps, reader.size) == (20, 10, (64, 96))
    assert clip.size == (480, 320) and repr(clip) == 'Un carré "rouge" avance.'
    assert " autoplay" in video.show(moving_square(2), autoplay=True)._repr_html_()[0]


def test_a_file_is_shown_in_part(webm, tmp_path):
    clip = video.show(webm, start=5, stop=11, width=192)
    (tmp_path / "clip.webm").write_bytes(clip.data)
    frames = list(video.read(tmp_path / "clip.webm"))
    assert len(frames) == 6 and abs(square_left(frames[0]) - 20) <= 1
    assert clip.size == (192, 128) and clip.alt == "Vidéo de 6 images, 0,6 s."


def test_a_street_clip_of_four_seconds_weighs_at_most_300_kilobytes():
    street = pytest.importorskip("course_utils.data.street")
    clip = video.show(street.video(3, 48, (192, 192), 12).frames, fps=12)
    assert len(clip._repr_html_()[0]) <= 300_000


def test_a_heavy_video_is_lightened():
    noise = np.random.default_rng(0).random((12, 160, 240, 3))
    clip = video.show(noise, limit=120_000)
    assert len(clip._repr_html_()[0]) <= 120_000
    with pytest.raises(ValueError, match="montrez-en moins"):
        video.show(noise, limit=8_000)


def test_without_webm_an_animation_takes_its_place_and_a_line_says_so(monkeypatch, capsys):
    monkeypatch.setitem(video.CODECS, ".webm", "ZZZZ")
    shown = video.show(moving_square(4), fps=5, alt="Un carré rouge avance.")
    assert isinstance(shown, Animation) and shown.alt == "Un carré rouge avance."
    assert "n'écrit pas de vidéo .webm" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [({"start": -1}, "start = -1"), ({"start": 3, "stop": 3}, "stop = 3"), ({"start": 50}, "aucune image"),
     ({"width": 2}, "width = 2"), ({"fps": 0}, "fps = 0")],
)  # fmt: skip
def test_bad_options_are_explained(options, message):
    with pytest.raises(ValueError, match=message):
        video.show(moving_square(5), **options)


PLAYER = """<script>
const player = document.querySelector("video");
const tell = found => fetch("/", {method: "POST", body: found});
async function look() {
  const canvas = document.createElement("canvas"), found = [];
  canvas.width = player.videoWidth; canvas.height = player.videoHeight;
  const pen = canvas.getContext("2d");
  for (const time of [0.05, 1.05]) {
    const there = new Promise(done => player.onseeked = done);
    player.currentTime = time;
    await there;
    let column, tries = 0;  // the frame may be presented a little after the browser says that it has moved
    do {
      await new Promise(done => setTimeout(done, 20));
      pen.drawImage(player, 0, 0);
      const row = pen.getImageData(0, 28, canvas.width, 1).data;
      column = [...Array(canvas.width).keys()].find(x => row[4 * x] > 140);
    } while (column === found.at(-1) && ++tries < 250);
    found.push(column);
  }
  tell([player.videoWidth, player.videoHeight, player.duration, ...found].join(" "));
}
player.onerror = () => tell("error " + player.error.message);
player.readyState >= 2 ? look() : player.onloadeddata = look;
</script>"""


@contextlib.contextmanager
def listening(page: str) -> Iterator[tuple[str, queue.Queue[str]]]:
    """Serve one page, and nothing else, on the loopback; give its address, and what it posts back."""
    posted: queue.Queue[str] = queue.Queue()

    class Handler(http.server.BaseHTTPRequestHandler):
        def answer(self, body: bytes, status: int = 200) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            self.answer(page.encode()) if self.path == "/" else self.answer(b"", 404)

        def do_POST(self) -> None:
            posted.put(self.rfile.read(int(self.headers["Content-Length"])).decode())
            self.answer(b"")

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", posted
        server.shutdown()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine")
def test_a_browser_plays_it_from_the_page_alone(tmp_path):
    clip = video.show(moving_square(), fps=10, alt="Un carré rouge avance.")
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with listening(f"{clip._repr_html_()[0]}{PLAYER}") as (address, posted):
        browser = subprocess.Popen(
            [CHROMIUM, *options, "--remote-debugging-port=0", f"--user-data-dir={tmp_path / 'profile'}", address],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            answer = posted.get(timeout=120)
        finally:
            browser.kill()
            browser.wait()
    width, height, duration, first, later = map(float, answer.split())
    assert (width, height) == (96, 64) and duration == pytest.approx(2, abs=0.1)
    assert abs(first - 0) <= 1 and abs(later - 40) <= 1, "frames 0 and 10 are where they were drawn"
