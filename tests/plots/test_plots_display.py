from __future__ import annotations

import base64
import gc
import io
import json

import matplotlib.pyplot as plt
import nbformat
import numpy as np
import pytest
import skimage
from nbclient import NotebookClient
from nbconvert import HTMLExporter
from PIL import Image

from course_utils import plots
from course_utils.plots import display


def opened(bundle: dict[str, str]) -> Image.Image:
    mime = next(key for key in bundle if key.startswith("image/"))
    return Image.open(io.BytesIO(base64.b64decode(bundle[mime])))


def test_bundle_holds_one_image_and_its_alternative_text() -> None:
    bundle, metadata = display.mimebundle(plots.lines(None, {"a": [1, 2]}, alt="Une ligne qui monte."))
    assert set(bundle) == {"image/png", "text/plain"}
    assert metadata == {"image/png": {"alt": "Une ligne qui monte."}}
    assert bundle["text/plain"] == "Une ligne qui monte."
    assert opened(bundle).width > 500


def test_photograph_becomes_a_light_jpeg() -> None:
    noise = np.random.default_rng(0).random((6, 100, 100, 3))
    bundle, metadata = display.mimebundle(plots.grid(noise, alt="Du bruit."))
    assert metadata == {"image/jpeg": {"alt": "Du bruit."}}
    assert len(bundle["image/jpeg"]) <= 100_100
    assert opened(bundle).format == "JPEG"


def test_few_colours_are_kept_exactly() -> None:
    image = Image.fromarray(np.random.default_rng(0).choice([0, 90, 255], (40, 60, 3)).astype(np.uint8))
    mime, data = display.encode(image)
    assert mime == "image/png"
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(data)).convert("RGB")), np.asarray(image))


def test_reduced_palette_keeps_rare_colours() -> None:
    # A map of blues with a yellow star of a few pixels: a median cut would paint the star otherwise.
    ramp = np.linspace(0, 1, 300)[None, :, None] * np.ones((200, 1, 3)) * [60, 120, 255]
    ramp = ramp + np.linspace(0, 40, 200)[:, None, None]
    pixels = np.clip(ramp, 0, 255).astype(np.uint8)
    pixels[100:104, 150:154] = (240, 228, 66)
    mime, data = display.encode(Image.fromarray(pixels))
    decoded = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), int)
    assert mime == "image/png"
    assert np.abs(decoded - pixels).max() <= 16


def test_greys_beside_a_colour_picture_take_no_tint() -> None:
    photo = skimage.data.astronaut()[330:480, 80:260]
    exact = display.render(plots.grid([photo, photo.mean(axis=-1) / 255], size=1.2))
    pixels = np.asarray(exact, int)
    greys = (np.ptp(pixels, axis=-1) == 0) & (pixels[..., 0] < 255)
    shown = np.asarray(Image.open(io.BytesIO(display.encode(exact)[1])).convert("RGB"), int)
    assert np.ptp(shown[greys], axis=-1).mean() <= 2


def test_limit_is_respected_by_shrinking_if_needed() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (900, 1200, 3), dtype=np.uint8))
    _, data = display.encode(noise, limit=30_000)
    assert len(data) <= 30_000


def test_describe_closes_the_figure_in_pyplot() -> None:
    fig, _ = plt.subplots()
    assert plots.describe(fig, "Un repère vide.") is fig
    assert not plt.fignum_exists(getattr(fig, "number", -1))
    assert plots.alt_text(fig) == "Un repère vide."


@pytest.mark.parametrize(
    ("fig", "alt", "error"), [("ax", "texte", TypeError), ("fig", "  ", ValueError), ("fig", None, ValueError)]
)
def test_describe_refuses_what_it_cannot_describe(fig: str, alt: str, error: type[Exception]) -> None:
    figure, ax = plt.subplots()
    with pytest.raises(error, match="describe attend"):
        plots.describe(ax if fig == "ax" else figure, alt)  # type: ignore[arg-type]
    plt.close(figure)


def test_composed_text_names_the_axes_and_curves() -> None:
    fig, ax = plt.subplots()
    ax.plot([1, 2], label="train")
    ax.set(xlabel="temps", ylabel="vitesse")
    ax.set_title("Chute")
    ax.legend()
    text = plots.alt_text(fig)
    plt.close(fig)
    for word in ("Chute", "vitesse", "temps", "train"):
        assert word in text


def test_panels_gather_the_texts_of_their_functions() -> None:
    fig, axes = plt.subplots(1, 2)
    plots.lines(None, {"a": [1, 2]}, ax=axes[0], alt=None)
    plots.bars({"b": 3}, ax=axes[1])
    assert "Courbe" in plots.alt_text(fig)
    assert "barres" in plots.alt_text(fig)
    assert plt.get_fignums() == []


def test_registry_does_not_keep_figures_alive() -> None:
    before = len(display._ALT)
    for _ in range(3):
        plots.lines(None, {"a": [1, 2]}, alt="x")
    gc.collect()
    assert len(display._ALT) <= before


CELLS = [
    "import numpy as np\nfrom course_utils import plots",
    "plots.lines(None, {'a': [1, 2]}, alt='Une ligne.')",
    "import matplotlib.pyplot as plt\nfig, ax = plt.subplots()\nax.plot([1, 2])\nplots.describe(fig, 'À la main.')",
    "fig, ax = plt.subplots()\nax.plot([1, 2]); ax.set_title('Sans describe');",
    "fig, ax = plt.subplots()\nax.plot([1, 2]); ax.set_title('Avec show'); plt.show()",
    "%matplotlib inline\nplots.bars({'a': 1}, alt='Après la commande magique.')",
    "plots.grid(np.random.default_rng(0).random((4, 150, 150, 3)), alt='Du bruit.')",
    "def draw(a=1.0):\n    return plots.lines(None, {'a': [0, a]}, alt=f'a = {a}')\n"
    "explorer = plots.explore(draw, a=(0.0, 2.0))\nexplorer",
    "explorer.controls['a'].value = 1.5",
    "plots.animation(np.random.default_rng(0).random((3, 8, 8)), alt='Trois images.')",
]


@pytest.fixture(scope="module")
def notebook() -> nbformat.NotebookNode:
    node = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(node, timeout=120, kernel_name="python3").execute()
    return node


def images(cell: nbformat.NotebookNode) -> list[tuple[str, str]]:
    return [
        (mime, output.metadata.get(mime, {}).get("alt", ""))
        for output in cell.outputs
        for mime in output.get("data", {})
        if mime.startswith("image/")
    ]


def test_kernel_shows_each_figure_once_with_its_text(notebook: nbformat.NotebookNode) -> None:
    expected = [
        [],
        [("image/png", "Une ligne.")],
        [("image/png", "À la main.")],
        [("image/png", "Figure. Sans describe.")],
        [("image/png", "Figure. Avec show.")],
        [("image/png", "Après la commande magique.")],
        [("image/jpeg", "Du bruit.")],
    ]
    assert [images(cell) for cell in notebook.cells[:7]] == expected
    assert not any(
        output.output_type == "error" or output.get("name") == "stderr" for c in notebook.cells for output in c.outputs
    )


def test_explorer_leaves_a_picture_that_its_sliders_update(notebook: nbformat.NotebookNode) -> None:
    outputs = notebook.cells[7].outputs
    assert "application/vnd.jupyter.widget-view+json" in outputs[0].data
    assert "exécutez la cellule" in outputs[0].data["text/plain"]
    # The next cell moved the slider: the output of this one was replaced, not repeated.
    assert images(notebook.cells[7]) == [("image/png", "a = 1.5")]
    assert notebook.cells[8].outputs == []


def test_html_page_carries_texts_and_pictures(notebook: nbformat.NotebookNode) -> None:
    page, _ = HTMLExporter(template_name="classic").from_notebook_node(notebook)
    for text in ("Une ligne.", "À la main.", "Du bruit.", "a = 1.5", "Trois images."):
        assert f'alt="{text}"' in page
    assert page.count("data:image/webp;base64") == 1


def test_outputs_stay_light(notebook: nbformat.NotebookNode) -> None:
    for cell in notebook.cells[:9]:
        for output in cell.outputs:
            assert len(json.dumps(output.get("data", {}))) <= 100_500
