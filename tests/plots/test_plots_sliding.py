from __future__ import annotations

import numpy as np
import pytest
from scipy.signal import correlate2d

from course_utils import plots
from course_utils.plots import sliding
from course_utils.plots.display import MAX_BYTES, alt_text

IMAGE = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
KERNEL = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]


def figure(index: int, *args: object, stride: int = 1, padding: int = 0):  # type: ignore[no-untyped-def]
    return sliding._draw(sliding._prepared(*args, stride, padding), index)  # type: ignore[arg-type]


def words(fig) -> list[str]:  # type: ignore[no-untyped-def]
    return [text.get_text() for text in fig.axes[0].texts if text.get_text()]


def test_slider_visits_every_position_and_starts_in_the_middle() -> None:
    explorer = plots.sliding_window(IMAGE, KERNEL)
    slider = explorer.controls["position"]
    assert (slider.min, slider.max, slider.value) == (1, 9, 5)
    assert "Position 5 sur 9" in explorer.bundle["text/plain"] and "donne 4," in explorer.bundle["text/plain"]
    before = explorer.bundle["image/png"]
    slider.value = 9
    explorer.update()
    assert explorer.bundle["image/png"] != before
    assert "ligne 3, colonne 3 de la sortie 3 × 3" in explorer.bundle["text/plain"]


def test_output_fills_as_the_window_slides() -> None:
    cells = "434243234"
    for index in range(9):
        shown = words(figure(index, IMAGE, KERNEL))
        assert f"somme = {cells[index]}" in shown
        start = shown.index("noyau") + 1  # then the cells of the output
        assert "".join(shown[start : start + index + 2]) == cells[: index + 1] + "sortie 3 × 3"


def test_products_are_written_pixel_by_weight() -> None:
    shown = words(figure(0, [[2, 3], [4, 5]], [[1, -1], [0, 10]]))
    at = shown.index("×")
    assert shown[at - 1 : at + 15] == [*"2×1", "2", *"3×", "−1", "−3", *"4×0", "0", *"5×", "10", "50"]
    assert "somme = 49" in shown


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (1, 1), (3, 2)])
def test_sums_are_those_of_scipy(stride: int, padding: int) -> None:
    rng = np.random.default_rng(0)
    image, kernel = rng.integers(-4, 5, (6, 7)), rng.integers(-2, 3, (3, 2))
    expected = correlate2d(np.pad(image, padding), kernel, "valid")[::stride, ::stride]
    slide = sliding._prepared(image, kernel, stride, padding)
    np.testing.assert_array_equal(slide.output, expected)
    for index in (0, expected.size - 1):
        np.testing.assert_array_equal((slide.window(index) * kernel).sum(), expected.flat[index])


def test_whole_numbers_have_no_decimals_and_others_a_comma() -> None:
    shown = words(figure(0, [[0.0, 0.5], [1.0, 0.25]], [[1.0]]))
    assert {"0", "0,50", "1", "0,25"} <= set(shown)


@pytest.mark.parametrize(
    ("image", "kernel", "options"),
    [
        (np.random.default_rng(0).random((7, 7)), np.full((3, 3), 1 / 9), {"padding": 1}),
        (np.random.default_rng(0).random((60, 80, 1)), [[-1, 0, 1]], {"stride": 2}),
        (np.random.default_rng(0).random((40, 40)), np.random.default_rng(1).random((7, 7)), {}),
        (np.eye(28, dtype=bool), np.ones((5, 5)), {"padding": 2}),
    ],
)
def test_figures_are_light_and_readable(image: np.ndarray, kernel: object, options: dict[str, int]) -> None:
    explorer = plots.sliding_window(image, kernel, **options)  # type: ignore[arg-type]
    data = next(v for k, v in explorer.bundle.items() if k.startswith("image/"))
    assert len(data) <= MAX_BYTES * 4 / 3 + 4
    fig = figure(0, image, kernel, **options)
    assert fig.get_size_inches()[0] <= 13.5
    assert all(text.get_fontsize() >= 11 for text in fig.axes[0].texts)


def test_large_images_are_shown_without_their_numbers() -> None:
    shown = words(figure(3, np.arange(400.0).reshape(20, 20), np.ones((4, 4))))
    assert len(shown) == 5  # three titles, the product sign, the sum


def test_a_single_position_needs_no_slider() -> None:
    explorer = plots.sliding_window([[1, 2]], [[3, 4]], alt="Une seule position.")
    assert not explorer.controls and explorer.bundle["text/plain"] == "Une seule position."
    assert "donne 11" in alt_text(figure(0, [[1, 2]], [[3, 4]]))


@pytest.mark.parametrize(
    ("image", "kernel", "options", "message"),
    [
        (np.zeros((4, 4, 3)), [[1]], {}, r"image : forme \(4, 4, 3\).*image\[:, :, 0\]"),
        (np.zeros(4), [[1]], {}, r"image : forme \(4,\)"),
        (np.zeros((4, 4)), [1, 2], {}, r"kernel : forme \(2,\)"),
        (np.zeros((4, 4)), np.ones((5, 5)), {}, "5 × 5 ne tient pas dans l’image 4 × 4.*padding"),
        (np.zeros((4, 4)), [[1]], {"stride": 0}, "stride = 0"),
        (np.zeros((4, 4)), [[1]], {"padding": -1}, "padding = -1"),
    ],
)
def test_bad_input_says_what_to_do(image: object, kernel: object, options: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.sliding_window(image, kernel, **options)  # type: ignore[arg-type]
