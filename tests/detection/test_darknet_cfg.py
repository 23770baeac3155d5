"""Darknet's ``.cfg``: what is read, the shapes worked out, the faults named before anything is allocated."""

from __future__ import annotations

import subprocess
import sys

import pytest
from darknet_twin import OFFICIAL, SMALL, official, plain

from course_utils.detection import darknet


def test_small_network_is_read():
    config = darknet.parse_cfg(SMALL)
    assert config.input_shape == (96, 64, 3) and config.classes == 2
    assert [section.kind for section in config.sections[:3]] == ["convolutional", "route", "convolutional"]
    assert config.sections[0].options["activation"] == "mish"
    assert config.sections[0].line == 1 + SMALL[: SMALL.index("[convolutional]")].count("\n")


def test_shapes_by_hand():
    shapes = [layer.shape for layer in darknet.plan(darknet.parse_cfg(SMALL)).layers]
    assert shapes[:6] == [(48, 32, 8), (48, 32, 4), (48, 32, 8), (24, 16, 8), (12, 8, 8), (12, 8, 8)]
    assert shapes[9] == (12, 8, 16) and shapes[12] == (6, 4, 21) and shapes[-1] == (12, 8, 14)


def test_parameters_by_hand():
    layers = darknet.plan(darknet.parse_cfg(SMALL)).layers
    assert layers[0].parameters == 8 * 3 * 3 * 3 + 4 * 8
    assert layers[2].parameters == 8 * (4 // 2) * 3 * 3 + 4 * 8  # two groups
    assert layers[4].parameters == 8 * 1 * 5 * 5 + 4 * 8  # one channel, one filter
    assert layers[6].parameters == 8 * 8 + 8  # no normalisation: a bias
    assert sum(layer.parameters for layer in layers if layer.kind != "convolutional") == 0


def test_text_is_read_back():
    config = darknet.parse_cfg(SMALL)
    again = darknet.parse_cfg(config.text())
    assert [(s.kind, s.options) for s in again.sections] == [(s.kind, s.options) for s in config.sections]
    assert again.net.options == config.net.options


def test_of_two_values_the_first_is_kept():
    text = SMALL.replace("filters=21", "filters=21\nfilters=99")
    assert darknet.plan(darknet.parse_cfg(text)).parameters == darknet.plan(darknet.parse_cfg(SMALL)).parameters


def test_other_classes_and_other_size():
    config = darknet.parse_cfg(SMALL).with_classes(5).with_input(192, 128)
    drawn = darknet.plan(config)
    assert config.classes == 5 and drawn.layers[12].shape == (12, 8, 30) and drawn.layers[-1].shape == (24, 16, 20)


@pytest.mark.parametrize(("name", "size"), OFFICIAL.items())
def test_bytes_of_the_official_weights(name, size):
    config = darknet.parse_cfg(official(name))
    assert darknet.Header().size + 4 * darknet.plan(config).parameters == size
    assert config.classes == 80


def test_layers_of_yolov4():
    drawn = darknet.plan(darknet.parse_cfg(official("yolov4")))
    assert drawn.heads == (139, 150, 161)
    assert [drawn.layers[rank].shape for rank in drawn.heads] == [(76, 76, 255), (38, 38, 255), (19, 19, 255)]


def test_planning_needs_no_tensorflow():
    program = (
        "import sys; from course_utils.detection import darknet;"
        f"darknet.plan(darknet.parse_cfg({SMALL!r})); sys.exit('tensorflow' in sys.modules or 'keras' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


FAULTS = [
    ("[net]", "[convolutional]", "commence par la section"),
    ("[maxpool]\nsize=2", "[maxpool\nsize=2", "n'est pas fermé"),
    ("filters=21", "filtres 21", "ni « clé = valeur »"),
    ("filters=21", "filters=beaucoup", "ce ne sont pas des nombres"),
    ("filters=21", "filters=1.5", "nombres entiers"),
    ("filters=21", "filters=0", "au moins 1"),
    ("filters=21", "filters=255", "3 ancres × (5 + 2 classes) font 21 canaux"),
    ("filters=21", "filters=999999999999", "démesuré"),
    ("width = 64", "width=0", "au moins 1"),
    ("width = 64\n", "", "au moins 1"),
    ("width = 64", "width=72", "multiples de 32"),
    ("height=96", "height=nan", "il manque un nombre"),
    ("[upsample]", "[lstm]", "n'est pas lue"),
    ("activation=relu", "activation=gelu", "« gelu » n'est pas lue"),
    ("layers=-3", "layers=-40", "n'est pas avant"),
    ("layers=-3", "layers=17", "n'est pas avant"),
    ("layers=-3", "layers=12", "une tête [yolo]"),
    ("layers=-3\n", "", "il manque « layers »"),
    ("layers=-1,5", "layers=-1,2", "n'ont pas la même taille"),
    ("group_id=1", "group_id=2", "la part 2 de 2"),
    ("groups=8", "groups=3", "3 groupes"),
    ("from=-2", "from=0", "même forme"),
    ("from=-2", "from=-2\nweights_type=per_feature", "pondérés"),
    ("mask=2,3,4", "mask=2,3,5", "indices de 0 à 4"),
    ("mask=2,3,4", "mask=2,3", "font 14 canaux"),
    ("num=5", "num=9", "annonce 18 nombres"),
    ("nms_kind=diounms", "nms_kind=magic", "est inconnu"),
    ("probability=.2", "probability=1", "1 exclu"),
    ("size=5\nstride=2", "size=5\nstride=2\ndilation=2", "dilatées"),
    ("size=5\nstride=2", "size=5\nstride=2\nantialiasing=1", "antialiasing"),
    ("classes=2\nscale_x_y=1.05", "classes=3\nscale_x_y=1.05", "nombres de classes différents"),
]


@pytest.mark.parametrize(("before", "after", "fragment"), FAULTS, ids=[f"{a!r}" for _, a, _ in FAULTS])
def test_faults_are_named(before, after, fragment):
    assert before in SMALL
    with pytest.raises(darknet.ConfigError) as error:
        darknet.plan(darknet.parse_cfg(SMALL.replace(before, after)))
    assert fragment in plain(error)


def test_a_fault_says_where_it_is():
    text = SMALL.replace("[upsample]\nstride=2", "[upsample]\nstride=0")
    with pytest.raises(darknet.ConfigError) as error:
        darknet.plan(darknet.parse_cfg(text))
    line = 1 + text[: text.index("[upsample]")].count("\n")
    assert plain(error) == f"Section [upsample], ligne {line} : « stride » vaut 0 ; il faut au moins 1."


@pytest.mark.parametrize(
    ("content", "fragment"),
    [
        (b"", "vide"),
        (b"\n\n# rien\n", "aucune section"),
        (b"[net]\nwidth=32\n", "aucune couche"),
        (b"<!DOCTYPE html>\n<html>", "page web"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "Git LFS"),
        (b"\x00\x00\x00\x00\x02\x00\x00\x00\x05\x00\x00\x00\xff\xfe", "échangés"),
        (b"[net]\nwidth=32\nheight=32\nchannels=3\n[convolutional]\nfilters=4\n", "aucune section [yolo]"),
    ],
)
def test_foreign_files(tmp_path, content, fragment):
    path = tmp_path / "net.cfg"
    path.write_bytes(content)
    with pytest.raises(darknet.ConfigError) as error:
        darknet.plan(darknet.parse_cfg(path))
    assert fragment in plain(error)


def test_absent_or_enormous_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="Pas de fichier"):
        darknet.parse_cfg(tmp_path / "absent.cfg")
    big = tmp_path / "big.cfg"
    with big.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(darknet.ConfigError, match="échangés"):
        darknet.parse_cfg(big)


def test_truncated_anywhere_gives_an_error_or_a_smaller_network():
    for end in range(0, len(SMALL), 7):
        try:
            drawn = darknet.plan(darknet.parse_cfg(SMALL[:end] + "\n"))
        except darknet.ConfigError:
            continue
        assert drawn.heads, end
