from __future__ import annotations

import io

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from course_utils import plots
from course_utils.plots.motion import MAX_ANIMATION_BYTES

RNG = np.random.default_rng(0)


def decoded(animation: object) -> list[np.ndarray]:
    with Image.open(io.BytesIO(animation.data)) as file:  # type: ignore[attr-defined]
        return [np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(file)]


@pytest.mark.parametrize("shape", [(5, 8, 8), (5, 8, 8, 1), (5, 8, 8, 3)])
def test_animation_decodes_to_its_frames(shape: tuple[int, ...]) -> None:
    frames = RNG.random(shape)
    animation = plots.animation(frames, alt="Du bruit.")
    pictures = decoded(animation)
    assert len(pictures) == 5
    factor = pictures[0].shape[0] // 8
    expected = (frames.reshape(5, 8, 8, -1) * 255).round() * np.ones(3)
    # Lossless: the middle of each enlarged pixel has exactly its value.
    for picture, frame in zip(pictures, expected, strict=True):
        assert np.array_equal(picture[factor // 2 :: factor, factor // 2 :: factor], frame)


def test_animation_lasts_what_was_asked() -> None:
    with Image.open(io.BytesIO(plots.animation(RNG.random((4, 8, 8)), fps=10, hold=2).data)) as file:
        durations = []
        for index in range(4):
            file.seek(index)
            file.load()
            durations.append(file.info["duration"])
    assert durations == [100, 100, 100, 2100]


def test_animation_of_figures_keeps_their_size() -> None:
    figures = [plots.lines(None, {"a": [0, k]}, ylim=(0, 3)) for k in range(3)]
    animation = plots.animation(figures, width=400)
    assert animation.size[0] == 400
    assert len(decoded(animation)) == 3


def test_animation_is_an_image_with_its_text() -> None:
    markup, metadata = plots.animation(RNG.random((2, 8, 8)), alt='Un "point" tourne.')._repr_html_()
    assert markup.startswith('<img src="data:image/webp;base64,')
    assert 'alt="Un &quot;point&quot; tourne."' in markup
    assert "<script" not in markup
    assert metadata == {"alt": 'Un "point" tourne.'}


def test_heavy_animation_is_lightened() -> None:
    animation = plots.animation(RNG.random((10, 160, 240, 3)))
    assert len(animation.data) <= MAX_ANIMATION_BYTES
    assert len(decoded(animation)) == 10


@pytest.mark.parametrize(
    ("frames", "options", "message"),
    [
        ([], {}, "0 image"),
        ([np.zeros((4, 4)), np.zeros((5, 4))], {}, "tailles différentes"),
        (np.full((2, 4, 4), 9.0), {}, r"\[0, 1\]"),
        (np.zeros((2, 4, 4)), {"fps": 0}, "fps > 0"),
        (np.zeros((2, 4)), {}, "image 0"),
    ],
)
def test_animation_explains_what_is_wrong(frames: object, options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.animation(frames, **options)  # type: ignore[arg-type]


def draw(lr: float = 0.1, n: int = 2, mode: str = "sin", grid: bool = True) -> Figure:
    return plots.lines(None, {mode: [lr, n]}, alt=f"{lr} {n} {mode} {grid}")


def test_sliders_start_at_the_defaults_of_the_function() -> None:
    explorer = plots.explore(draw, lr=(0.01, 1.0), n=(1, 5), mode=["cos", "sin"], grid=False, labels={"lr": "pas"})
    assert explorer.values == {"lr": 0.1, "n": 2, "mode": "sin", "grid": False}
    kinds = {name: type(control).__name__ for name, control in explorer.controls.items()}
    assert kinds == {"lr": "SelectionSlider", "n": "IntSlider", "mode": "Dropdown", "grid": "Checkbox"}
    assert explorer.controls["lr"].description == "pas"
    assert explorer.metadata == {"image/png": {"alt": "0.1 2 sin False"}}


def test_slider_values_are_round_and_written_the_french_way() -> None:
    options = dict(plots.explore(draw, lr=(0.01, 1.0)).controls["lr"].options)
    assert options["0,01"] == 0.01
    assert options["0,1"] == 0.1
    assert options["1"] == 1.0
    assert 40 <= len(options) <= 110


def test_explicit_step_and_list_of_numbers() -> None:
    explorer = plots.explore(draw, lr=(0.0, 0.5, 0.1), n=[1, 2, 8])
    assert [v for _, v in explorer.controls["lr"].options] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    assert type(explorer.controls["n"]).__name__ == "SelectionSlider"


def test_moving_a_slider_redraws() -> None:
    explorer = plots.explore(draw, n=(1, 5))
    before = explorer.bundle["image/png"]
    explorer.controls["n"].value = 5
    explorer.update()
    assert explorer.bundle["text/plain"] == "0.1 5 sin True"
    assert explorer.bundle["image/png"] != before


def test_function_may_return_an_image() -> None:
    explorer = plots.explore(lambda size=4: np.eye(size), size=(2, 8), alt="Une diagonale.")
    assert next(iter(explorer.metadata.values())) == {"alt": "Une diagonale."}


def test_slow_drawings_wait_for_the_release() -> None:
    assert plots.explore(draw, slow=True, n=(1, 5)).controls["n"].continuous_update is False


@pytest.mark.parametrize(
    ("function", "sliders", "error", "message"),
    [
        (draw, {"zoom": (0, 1)}, TypeError, "zoom"),
        (draw, {"lr": (1.0, 0.0)}, ValueError, "min < max"),
        (draw, {"lr": (0.0, 1.0, -0.1)}, ValueError, "pas > 0"),
        (draw, {"lr": (0.0, 1.0, 1e-6)}, ValueError, "positions"),
        (draw, {"lr": []}, ValueError, "liste de valeurs"),
        (draw, {"lr": "0.1"}, ValueError, "liste de valeurs"),
        (lambda n=1: None, {"n": (1, 2)}, TypeError, "return fig"),
    ],
)
def test_explore_explains_what_is_wrong(
    function: object, sliders: dict[str, object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        plots.explore(function, **sliders)  # type: ignore[arg-type]
