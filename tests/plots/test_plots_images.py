from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.colors import to_hex

from course_utils import plots
from course_utils.plots import display
from course_utils.plots.images import as_image

RNG = np.random.default_rng(0)


def texts(fig: plt.Figure) -> list[str]:
    return [t.get_text() for ax in fig.axes for t in ax.texts if t.get_text()]


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 60), st.integers(4, 40), st.integers(4, 40), st.sampled_from([(), (1,), (3,)]))
def test_grid_shows_every_image_without_overlap(count: int, height: int, width: int, channels: tuple[int, ...]) -> None:
    fig = plots.grid(np.zeros((count, height, width, *channels)))
    boxes = np.array([image.get_extent() for image in fig.axes[0].images])
    assert len(boxes) == count
    x0, x1, y1, y0 = boxes.T
    assert np.allclose((x1 - x0) / (y1 - y0), width / height)
    for i in range(count):
        apart = (x0[i] >= x1 - 1e-9) | (x1[i] <= x0 + 1e-9) | (y0[i] >= y1 - 1e-9) | (y1[i] <= y0 + 1e-9)
        assert apart.sum() == count - 1
    assert fig.get_figwidth() <= 11
    assert fig.get_figheight() <= 7.5


def test_grid_shows_the_pixels_themselves() -> None:
    image = RNG.random((3, 5))
    fig = plots.grid([image])
    shown = fig.axes[0].images[0].get_array()
    assert np.allclose(shown[..., 0], image, atol=1 / 255)  # the grey colour map has 256 steps
    assert fig.axes[0].images[0].get_interpolation() == "nearest"


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, bool])
def test_grid_reads_every_usual_dtype(dtype: type) -> None:
    image = np.array([[0, 1], [1, 0]], dtype) * (255 if dtype is np.uint8 else 1)
    shown = plots.grid([image.astype(dtype)]).axes[0].images[0].get_array()
    assert np.allclose(shown[..., 0], [[0, 1], [1, 0]])


def test_grid_accepts_images_of_different_sizes() -> None:
    fig = plots.grid([np.zeros((4, 8)), np.zeros((8, 4, 3)), np.zeros((100, 100, 1))])
    sides = [max(abs(e[1] - e[0]), abs(e[3] - e[2])) for e in (i.get_extent() for i in fig.axes[0].images)]
    assert np.allclose(sides, sides[0])


def test_grid_marks_right_and_wrong_answers() -> None:
    fig = plots.grid(np.zeros((2, 4, 4)), titles=["bus", "vélo"], right=[True, False])
    assert texts(fig) == ["✓ bus", "✗ vélo"]
    colors = [to_hex(t.get_color()).upper() for t in fig.axes[0].texts]
    assert colors == [plots.RIGHT, plots.WRONG]
    assert "✗ vélo" in plots.alt_text(fig)


def test_grid_titles_do_not_overlap() -> None:
    fig = plots.grid(np.zeros((7, 8, 8)), titles=["camionnette de livraison"] * 7)
    fig.draw_without_rendering()
    extents = [t.get_window_extent() for t in fig.axes[0].texts]
    for i, a in enumerate(extents):
        assert a.x0 >= 0
        assert not any(a.overlaps(b) for b in extents[i + 1 :])


def test_signed_grid_is_white_at_zero_and_symmetric() -> None:
    fig = plots.grid([np.array([[-2.0, 0.0, 2.0]])], signed=True)
    left, middle, right = fig.axes[0].images[0].get_array()[0]
    assert middle.min() > 0.95
    assert left[2] > left[0]
    assert right[0] > right[2]


def test_row_titles_and_columns() -> None:
    fig = plots.grid(np.zeros((6, 4, 4)), cols=3, row_titles=["original", "flou"], titles=["a", "b", "c", "", "", ""])
    assert {"original", "flou", "a", "b", "c"} == set(texts(fig))
    tops = sorted({round(image.get_extent()[3], 3) for image in fig.axes[0].images})
    assert len(tops) == 2


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (np.zeros((0, 8, 8)), {}, "0 image"),
        ([], {}, "0 image"),
        (np.zeros((8, 8)), {}, r"plots\.grid\(\[image\]\)"),
        (np.zeros((32, 32, 3)), {}, "une seule image en couleurs"),
        (np.zeros((2, 64)), {}, r"plots\.grid\(\[image\]\)"),
        ([np.zeros(64)], {}, r"reshape\(8, 8\)"),
        (np.zeros((2, 8, 8, 4)), {}, r"\(8, 8, 4\)"),
        (np.full((2, 8, 8), 7.0), {}, "vmin"),
        (np.full((2, 8, 8), np.nan), {}, "NaN"),
        (np.zeros((2, 8, 8)), {"titles": ["a"]}, "1 titres pour 2 images"),
        (np.zeros((2, 8, 8)), {"right": [True]}, "un booléen par image"),
        (np.zeros((2, 8, 8)), {"colors": ["red"]}, "1 couleurs"),
        (np.zeros((2, 8, 8)), {"cols": 0}, "au moins une colonne"),
        (np.zeros((2, 8, 8)), {"row_titles": ["a", "b"], "cols": 2}, "pour 1 lignes"),
        (np.zeros((5000, 8, 8)), {}, "5000 images"),
    ],
)
def test_grid_explains_what_is_wrong(images: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.grid(images, **options)  # type: ignore[arg-type]


def test_grid_refuses_what_is_not_a_list() -> None:
    with pytest.raises(TypeError, match="int"):
        plots.grid(3)  # type: ignore[arg-type]


def test_grid_scales_when_told_how() -> None:
    shown = plots.grid([np.array([[0.0, 8.0, 16.0]])], vmin=0, vmax=16).axes[0].images[0].get_array()
    assert np.allclose(shown[0, :, 0], [0, 0.5, 1], atol=1 / 255)


@pytest.mark.parametrize("shape", [(4, 5), (4, 5, 1)])
def test_as_image_drops_the_single_channel(shape: tuple[int, ...]) -> None:
    assert as_image(np.zeros(shape)).shape == (4, 5)


def test_numbers_writes_each_value_in_its_pixel() -> None:
    array = RNG.integers(0, 256, (4, 6), dtype=np.uint8)
    fig = plots.numbers(array)
    written = {(round(t.get_position()[1]), round(t.get_position()[0])): t.get_text() for t in fig.axes[0].texts}
    assert written == {(i, j): str(array[i, j]) for i in range(4) for j in range(6)}


def test_numbers_of_a_colour_image_are_three_tables() -> None:
    fig = plots.numbers(RNG.integers(0, 256, (3, 3, 3), dtype=np.uint8))
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["Rouge", "Vert", "Bleu"]


def test_numbers_fit_in_their_cells() -> None:
    fig = plots.numbers(-RNG.random((6, 6)), signed=True)
    fig.draw_without_rendering()
    ax = fig.axes[0]
    cell = ax.get_window_extent().width / 6
    assert max(t.get_window_extent().width for t in ax.texts) <= cell


@pytest.mark.parametrize("shape", [(28, 28, 3), (60, 60), (5,), (0, 3), (2, 2, 2, 2)])
def test_numbers_refuses_what_cannot_be_read(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="numbers"):
        plots.numbers(np.zeros(shape))


def test_every_figure_is_readable_and_closed() -> None:
    for fig in (plots.grid(np.zeros((12, 8, 8))), plots.numbers(np.eye(4))):
        picture = display.render(fig)
        assert picture.width <= 1300
    assert plt.get_fignums() == []
