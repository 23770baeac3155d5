from __future__ import annotations

import numpy as np
import pytest
from matplotlib.colors import to_hex

from course_utils import plots
from course_utils.plots import display

IMAGE = np.full((60, 90, 3), 0.5)


def test_boxes_are_drawn_where_they_are() -> None:
    corners = np.array([[5, 10, 30, 40], [40, 20, 80, 55]], float)
    ax = plots.boxes(IMAGE, corners, labels=["bus", "vélo"]).axes[0]
    drawn = {
        (line.get_xdata().min(), line.get_ydata().min(), line.get_xdata().max(), line.get_ydata().max())
        for line in ax.lines
    }
    assert drawn == {tuple(c) for c in corners}


def test_tabs_carry_names_scores_and_the_colour_of_their_class() -> None:
    fig = plots.boxes(
        IMAGE, [[5, 10, 30, 40], [40, 20, 80, 55]], labels=[1, 0], class_names=["bus", "vélo"], scores=[0.9, 0.456]
    )
    assert {t.get_text() for t in fig.axes[0].texts} == {"vélo 0,90", "bus 0,46"}
    patches = {t.get_text().split()[0]: to_hex(t.get_bbox_patch().get_facecolor()).upper() for t in fig.axes[0].texts}
    assert patches == {"vélo": plots.COLORS[1], "bus": plots.COLORS[0]}
    assert plots.alt_text(fig) == "Image avec 2 boîtes\u00a0: vélo (1), bus (1)."


def test_tabs_of_crowded_boxes_stay_apart_and_inside() -> None:
    rng = np.random.default_rng(3)
    start = rng.uniform(0, 1, (6, 2)) * [300, 200]
    corners = np.concatenate([start, start + rng.uniform(60, 120, (6, 2))], axis=1)
    fig = plots.boxes(np.zeros((320, 420, 3)), corners, labels=["piéton"] * 6)
    fig.draw_without_rendering()
    frame = fig.axes[0].get_window_extent()
    extents = [t.get_window_extent() for t in fig.axes[0].texts]
    for i, a in enumerate(extents):
        assert frame.x0 - 3 <= a.x0
        assert a.x1 <= frame.x1 + 3
        assert not any(a.overlaps(b) for b in extents[i + 1 :])


def test_no_box_is_a_valid_answer() -> None:
    fig = plots.boxes(IMAGE, [], labels=[])
    assert plots.alt_text(fig) == "Image avec aucune boîte."


@pytest.mark.parametrize(
    ("boxes", "options", "message"),
    [
        ([[5, 10, 30]], {}, r"\(n, 4\)"),
        ([[30, 10, 5, 40]], {}, "largeur"),
        ([[5, 10, 30, 40]], {"labels": []}, "0 noms pour 1"),
        ([[5, 10, 30, 40]], {"labels": [3], "class_names": ["bus"]}, "1 noms de classes"),
        ([[5, 10, 30, 40]], {"scores": [0.1, 0.2]}, r"\(1,\)"),
    ],
)
def test_boxes_explains_what_is_wrong(boxes: object, options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        plots.boxes(IMAGE, boxes, **options)  # type: ignore[arg-type]


def test_masks_tint_exactly_their_pixels() -> None:
    mask = np.zeros((60, 90), bool)
    mask[10:30, 20:50] = True
    ax = plots.masks(IMAGE, [mask], labels=["bus"], opacity=0.5).axes[0]
    changed = (np.abs(ax.images[0].get_array() - IMAGE) > 0.01).any(axis=2)
    assert np.array_equal(changed, mask)


def test_label_map_makes_one_mask_for_each_value() -> None:
    labels = np.zeros((60, 90), int)
    labels[:20] = 2
    labels[40:] = 5
    fig = plots.masks(IMAGE, labels, labels=["ciel", "route"])
    assert plots.alt_text(fig) == "Image avec 2 masques\u00a0: ciel (1), route (1)."


@pytest.mark.parametrize("masks", [np.ones((3, 10, 10), bool), np.ones((60,), bool)])
def test_masks_of_another_size_are_refused(masks: np.ndarray) -> None:
    with pytest.raises(ValueError, match=r"\(n, 60, 90\)"):
        plots.masks(IMAGE, masks)


def test_no_mask_is_a_valid_answer() -> None:
    assert "aucun masque" in plots.alt_text(plots.masks(IMAGE, np.zeros((0, 60, 90), bool)))


def test_heat_covers_the_whole_image_with_a_colour_bar() -> None:
    heat = np.zeros((6, 9))
    heat[0, 8] = 1
    fig = plots.heatmap(IMAGE, heat, label="importance")
    overlay = fig.axes[0].images[-1]
    assert tuple(overlay.get_extent()) == (-0.5, 89.5, 59.5, -0.5)
    assert np.array_equal(overlay.get_array(), heat)
    assert overlay.get_alpha()[0, 0] == 0
    assert len(fig.axes) == 2
    assert "en haut, à droite" in plots.alt_text(fig)


def test_signed_heat_is_centred_on_zero() -> None:
    fig = plots.heatmap(np.zeros((4, 4)), np.array([[-1.0, 0.0], [0.0, 3.0]]), signed=True)
    overlay = fig.axes[0].images[-1]
    assert (overlay.norm.vmin, overlay.norm.vmax) == (-3, 3)
    assert overlay.get_alpha()[0, 1] == 0


@pytest.mark.parametrize("heat", [np.zeros(4), np.full((2, 2), np.nan), np.zeros((0, 2))])
def test_bad_heat_is_refused(heat: np.ndarray) -> None:
    with pytest.raises(ValueError, match="heat"):
        plots.heatmap(IMAGE, heat)


def test_constant_heat_can_be_drawn() -> None:
    display.render(plots.heatmap(None, np.zeros((3, 3))))
