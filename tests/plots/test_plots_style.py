from __future__ import annotations

import itertools

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage.color import deltaE_ciede2000, rgb2lab

from course_utils import plots
from course_utils.plots import display, style

# Machado, Oliveira and Fernandes (2009), severity 1.0, applied to linear RGB.
VISION = {
    "usual": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def seen_by(matrix: object, colors: tuple[str, ...]) -> np.ndarray:
    """Colours as CIE Lab, after a simulation of colour blindness."""
    rgb = np.array([mpl.colors.to_rgb(c) for c in colors])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ np.array(matrix).T
    linear = np.clip(linear, 0, 1)
    return rgb2lab(np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)[None])[0]


@pytest.mark.parametrize("vision", VISION)
@pytest.mark.parametrize(("count", "least"), [(8, 10.0), (10, 6.0)])
def test_palette_is_told_apart_by_colour_blind_readers(vision: str, count: int, least: float) -> None:
    lab = seen_by(VISION[vision], plots.COLORS[:count])
    differences = [float(deltaE_ciede2000(a, b)) for a, b in itertools.combinations(lab, 2)]
    assert min(differences) >= least  # 2.3 is a just noticeable difference


def test_style_file_and_palette_agree() -> None:
    cycle = [mpl.colors.to_hex(c).upper() for c in mpl.rcParams["axes.prop_cycle"].by_key()["color"]]
    assert cycle == [c.upper() for c in plots.COLORS]


def test_no_text_below_eleven_points() -> None:
    for key in (
        "font.size",
        "axes.titlesize",
        "axes.labelsize",
        "xtick.labelsize",
        "ytick.labelsize",
        "legend.fontsize",
    ):
        assert float(mpl.rcParams[key]) >= 11, key


@pytest.mark.parametrize("background", [*plots.COLORS, "white", "black", "#777777", "#1F77B4"])
def test_ink_has_the_better_contrast(background: str) -> None:
    def luminance(color: str) -> float:
        rgb = np.array(mpl.colors.to_rgb(color))
        return float(np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4) @ (0.2126, 0.7152, 0.0722))

    def contrast(ink: str) -> float:
        low, high = sorted([luminance(ink), luminance(background)])
        return (high + 0.05) / (low + 0.05)

    chosen = style.ink_on(background)
    other = "white" if chosen != "white" else "#1A1A1A"
    assert contrast(chosen) >= 0.9 * contrast(other)
    assert contrast(chosen) >= 3.8


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (0.953, None, "0,953"),
        (0.95349, None, "0,953"),
        (12000, None, "12\u00a0000"),
        (-3, None, "\u22123"),
        (-0.001, 2, "0,00"),
        (1234.5678, 2, "1\u00a0234,57"),
        (4e-5, None, "4\u00a0×\u00a010⁻⁵"),
        (np.int64(7), None, "7"),
        (np.float32(0.5), None, "0,5"),
        (float("nan"), None, "nan"),
    ],
)
def test_number_is_written_the_french_way(value: float, decimals: int | None, text: str) -> None:
    assert plots.number(value, decimals) == text


@settings(deadline=None)
@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_number_can_be_read_back(value: float, decimals: int) -> None:
    text = plots.number(value, decimals).replace("\u00a0", "").replace(",", ".").replace("\u2212", "-")
    assert float(text) == pytest.approx(round(value, decimals), abs=10.0**-decimals)


def test_ticks_have_a_decimal_comma_in_any_figure() -> None:
    fig, ax = plt.subplots()
    ax.plot([0.5, 1.5])
    display.render(plots.describe(fig, "Une droite."))
    labels = [tick.get_text() for tick in ax.get_yticklabels()]
    assert any("," in label for label in labels)
    assert not any("." in label for label in labels)


def test_chosen_formatters_are_respected() -> None:
    fig, ax = plt.subplots()
    ax.yaxis.set_major_formatter("{x:.1f} px")
    ax.plot([0.5, 1.5])
    display.render(plots.describe(fig, "Une droite."))
    assert any(tick.get_text().endswith(" px") for tick in ax.get_yticklabels())
