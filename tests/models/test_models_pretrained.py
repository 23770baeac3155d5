"""Trained networks: what is written is read back, official files are found, checked, downloaded or replaced."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import layers

from course_utils import models
from course_utils.data import CorruptFileError, DataError, RequestError, fetch, transfer
from course_utils.data.errors import UnavailableError
from course_utils.models import inputs, official, pretrained
from course_utils.paths import course_data

CARD = {
    "title": "petit réseau d'essai",
    "input": {"shape": [8, 8, 3], "normalisation": "none"},
    "classes": ["a", "b", "c"],
    "training_data": "aucune",
    "licence": "MIT",
    "seed": 3,
    "score": {"accuracy": 0.5, "on": "rien"},
}


def small(input_shape=(8, 8, 3), filters=4):
    """Stand for a family of `course_utils.models`."""
    assert isinstance(input_shape, tuple)
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(filters, 3),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.GlobalAveragePooling2D(),
            layers.Dropout(0.5),
            layers.Dense(3),
        ]
    )


@pytest.fixture(autouse=True)
def room(monkeypatch, tmp_path):
    """An empty cache, no COURSE_DATA, no network, no shipped network but those of the test."""
    monkeypatch.setenv("COURSE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in ("COURSE_DATA", "COURSE_OFFLINE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(fetch, "_verified", set())
    monkeypatch.setattr(transfer, "_memory", {"network": False})
    monkeypatch.setattr(pretrained, "SHIPPED", tmp_path / "shipped")
    module = type(sys)("course_utils.models.essai")
    module.small = small
    monkeypatch.setitem(sys.modules, "course_utils.models.essai", module)
    return tmp_path


def trained(**options):
    model = small(**options)
    rng = np.random.default_rng(0)
    model.set_weights([np.abs(rng.normal(size=w.shape)).astype(np.float32) for w in model.get_weights()])
    return model


def ship(name="cifar10_resnet", **options):
    folder = pretrained.SHIPPED / name
    card = pretrained.save_network(
        trained(), folder, builder="essai.small", arguments={"input_shape": [8, 8, 3]}, card=CARD, **options
    )
    return folder, card


# The networks of the course.


def test_what_is_written_is_read_back(room):
    folder, card = ship("essai")
    network = models.load_pretrained("essai")
    assert (network.name, network.source, network.input_shape) == ("essai", "embedded", (8, 8, 3))
    assert network.class_names == ("a", "b", "c") and network.card == card
    images = np.random.default_rng(1).random((5, 8, 8, 3), np.float32)
    expected = trained().predict(images, verbose=0)
    np.testing.assert_allclose(network.model.predict(images, verbose=0), expected, rtol=5e-3)
    assert sorted(path.name for path in folder.iterdir()) == ["card.json", "weights.npz"]
    assert card["sha256"] == hashlib.sha256((folder / "weights.npz").read_bytes()).hexdigest()
    assert "essai" in repr(network) and "fournie" in repr(network)


def test_half_precision_except_for_moving_variances():
    folder, _ = ship("essai")
    with np.load(folder / "weights.npz", allow_pickle=False) as archive:
        kinds = [str(archive[name].dtype) for name in sorted(archive)]
    names = [weight.name for weight in trained().weights]
    assert kinds == ["float32" if name == "moving_variance" else "float16" for name in names]
    folder, _ = ship("whole", dtype="float32")
    for ours, theirs in zip(models.load_pretrained("whole").model.get_weights(), trained().get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"builder": "essai.absent"}, "essai.absent"),
        ({"card": {key: value for key, value in CARD.items() if key != "seed"}}, "seed"),
        ({"card": {**CARD, "input": {"shape": [8, 8, 3], "normalisation": "mean"}}}, "mean"),
        ({"card": {**CARD, "output": "scores"}}, "scores"),
        ({"arguments": {"filters": 5}}, "ne reconstruit pas"),
        ({"dtype": "int8"}, "int8"),
    ],
)
def test_a_network_that_could_not_be_read_back_is_not_written(room, options, said):
    with pytest.raises((ValueError, DataError), match=said):
        pretrained.save_network(
            trained(), room / "net", **{"builder": "essai.small", "arguments": {}, "card": CARD, **options}
        )
    assert not (room / "net").exists()


def test_a_weight_too_large_for_half_precision_is_refused(room):
    model = trained()
    model.layers[0].kernel.assign(model.layers[0].kernel * 1e6)
    with pytest.raises(ValueError, match="float16"):
        pretrained.save_network(model, room / "net", builder="essai.small", arguments={}, card=CARD)


@pytest.mark.parametrize("fault", ["flip", "cut", "empty", "absent"])
def test_damaged_weights_are_an_error(fault):
    folder, _ = ship("essai")
    path = folder / "weights.npz"
    whole = path.read_bytes()
    path.unlink()
    if fault != "absent":
        path.write_bytes({"flip": bytes([whole[0] ^ 1]) + whole[1:], "cut": whole[:-9], "empty": b""}[fault])
    with pytest.raises(CorruptFileError, match=r"weights\.npz"):
        models.load_pretrained("essai")


@pytest.mark.parametrize("content", ["{", "{}", None])
def test_a_damaged_card_is_an_error(content):
    folder, card = ship("essai")
    (folder / "card.json").write_text(content or json.dumps({**card, "arguments": {"filters": 5}}))
    with pytest.raises(CorruptFileError, match=r"card\.json|ne convient pas"):
        models.load_pretrained("essai")


def test_an_unknown_name_is_an_error_with_advice():
    with pytest.raises(RequestError, match="resnet50"):
        models.load_pretrained("resnet5O")


# Official networks, published by a server of the test's own.


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *args):
        pass

    def do_HEAD(self):
        self.send_response(200)
        self.end_headers()

    def do_GET(self):
        content = self.server.files.get(self.path.rsplit("/", 1)[-1])
        self.server.asked.append(self.path)
        if content is None:
            return self.send_error(404)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


@pytest.fixture
def server():
    serving = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    serving.files, serving.asked = {}, []
    thread = threading.Thread(target=serving.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    yield serving
    serving.shutdown()
    serving.server_close()


@pytest.fixture
def published(room, server, monkeypatch):
    """A small network and its three classes' names, published with an md5 as Keras does."""
    path = room / "small.weights.h5"
    trained().save_weights(path)
    index = json.dumps({str(k): [f"n{k}", f"class_{k}"] for k in range(3)}).encode()
    server.files |= {"small.weights.h5": path.read_bytes(), "index.json": index}
    monkeypatch.setattr(transfer, "_memory", {})
    mirror = f"http://127.0.0.1:{server.server_address[1]}/"
    common = {"title": "Petit", "licence": "MIT", "citation": "", "mirrors": [mirror]}

    def file(name):
        content = server.files[name]
        return {"name": name, "size": len(content), "md5": hashlib.md5(content).hexdigest()}

    tables = {
        "small": {
            **common,
            "builder": "essai.small",
            "arguments": {},
            "input": [8, 8, 3],
            "normalisation": "symmetric",
            "output": "probabilities",
            "file": file("small.weights.h5"),
        },
        official.CLASS_INDEX: {**common, "file": file("index.json")},
    }
    monkeypatch.setattr(official, "_tables", lambda: tables)
    entry = official._entry("small", tables["small"])
    entry.arguments.pop("weights")
    monkeypatch.setattr(official, "catalogue", lambda: {"small": entry})
    monkeypatch.setattr(official, "PRETRAINED", ("small",))
    return server


def test_download_then_cache(published):
    first = models.load_pretrained("small")
    assert first.source == "download" and first.class_names == ("class 0", "class 1", "class 2")
    again = models.load_pretrained("small")
    assert again.source == "cache" and len(published.asked) == 2
    for ours, theirs in zip(again.model.get_weights(), trained().get_weights(), strict=True):
        np.testing.assert_array_equal(ours, theirs)


def test_course_data_comes_first(published, room, monkeypatch):
    (room / "sets" / "weights").mkdir(parents=True)
    for name, content in published.files.items():
        (room / "sets" / "weights" / name).write_bytes(content)
    monkeypatch.setenv("COURSE_DATA", str(room / "sets"))
    assert models.load_pretrained("small").source == "COURSE_DATA" and not published.asked
    (room / "sets" / "weights" / "small.weights.h5").write_bytes(b"damaged")
    with pytest.raises(CorruptFileError, match="MD5"):
        models.load_pretrained("small")


def test_wrong_bytes_on_the_network_are_an_error(published):
    content = published.files["small.weights.h5"]
    published.files["small.weights.h5"] = bytes([content[0] ^ 1]) + content[1:]
    with pytest.raises(CorruptFileError, match="empreinte"):
        models.load_pretrained("small")


@pytest.mark.parametrize("reason", ["offline", "large", "refused"])
def test_the_network_of_the_course_takes_the_place_and_says_so(published, capsys, monkeypatch, reason):
    ship()
    if reason == "offline":
        monkeypatch.setenv("COURSE_OFFLINE", "1")
    elif reason == "large":
        monkeypatch.setattr(fetch, "LARGE", 100)
    else:
        published.files.clear()
    found = models.load_pretrained("small")
    assert (found.source, found.name) == ("stand-in", "cifar10_resnet")
    said = capsys.readouterr().out.replace("\N{NO-BREAK SPACE}", " ")
    assert said.count("\n") == 1 and said.startswith("Petit introuvable") and "« cifar10_resnet »" in said
    words = {"offline": "COURSE_OFFLINE", "large": 'load_pretrained("small", download=True)', "refused": "404"}
    assert words[reason] in said
    with pytest.raises(UnavailableError, match="Petit introuvable"):
        models.load_pretrained("small", fallback=None)
    if reason == "large":
        assert models.load_pretrained("small", download=True).source == "download"


def test_classes_are_numbered_when_their_names_are_nowhere(published, capsys):
    published.files.pop("index.json")
    assert models.load_pretrained("small").class_names[7] == "classe 7"
    assert "numéros" in capsys.readouterr().out


def of_keras():
    return {name: entry for name, entry in official.catalogue().items() if entry.card["output"] != "detections"}


def test_the_catalogue_gives_the_digests_and_the_addresses_of_keras():
    """Every md5 and every address stands in the source code of keras.applications."""
    code = "".join(p.read_text() for p in (Path(keras.__file__).parent / "src" / "applications").glob("*.py"))
    code = code.replace('"\n        "', "")
    for name, entry in of_keras().items():
        (edition,) = entry.source.editions
        (file,) = edition.files["weights"]
        assert file.md5 is None or file.md5 in code, name
        assert all(mirror in code or mirror.rsplit("/", 2)[0] in code for mirror in edition.mirrors), name
        assert hasattr(keras.applications, entry.builder.removeprefix("applications.")), name
        assert entry.normalisation in inputs.NORMALISATIONS


# Images for a network.


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("symmetric", keras.applications.mobilenet),
        ("imagenet", keras.applications.densenet),
        ("caffe", keras.applications.resnet),
        ("levels", keras.applications.efficientnet),
    ],
)
def test_normalisations_are_those_of_keras(name, theirs):
    images = np.random.default_rng(0).random((2, 6, 5, 3), np.float32)
    expected = theirs.preprocess_input(255 * images)
    np.testing.assert_allclose(inputs.prepare(images, shape=(6, 5, 3), normalisation=name), expected, atol=1e-4)


def test_each_official_network_has_the_normalisation_of_its_family():
    homes = {"MobileNet": "mobilenet", "MobileNetV2": "mobilenet_v2", "MobileNetV3Small": "mobilenet_v3"}
    homes |= {"VGG16": "vgg16", "VGG19": "vgg19", "ResNet50": "resnet50", "InceptionV3": "inception_v3"}
    homes |= {"DenseNet121": "densenet", "EfficientNetB0": "efficientnet"}
    image = np.random.default_rng(0).random((1, 4, 4, 3), np.float32)
    for entry in of_keras().values():
        theirs = getattr(keras.applications, homes[entry.builder.removeprefix("applications.")])
        ours = inputs.NORMALISATIONS[entry.normalisation](image)
        np.testing.assert_allclose(ours, theirs.preprocess_input(255 * image), atol=1e-4, err_msg=entry.name)


def test_images_are_resized_and_grey_is_repeated():
    grey = np.zeros((2, 4, 4, 1), np.float32)
    grey[:, :2] = 1
    small_images = inputs.prepare(grey, shape=(2, 2, 3))
    assert small_images.shape == (2, 2, 2, 3)
    np.testing.assert_allclose(small_images[0, :, 0], [[1, 1, 1], [0, 0, 0]], atol=1e-6)
    assert inputs.prepare(grey[:1], shape=(9, 7, 3)).shape == (1, 9, 7, 3)
    assert inputs.prepare(grey[:0], shape=(9, 7, 3)).shape == (0, 9, 7, 3)


@pytest.mark.parametrize(
    ("images", "said"),
    [
        (np.zeros((4, 4, 3)), "image"),
        (np.full((1, 4, 4, 3), 200.0), "0 à 1"),
        (np.zeros((1, 4, 4, 3), np.uint8), "uint8"),
        (np.zeros((1, 4, 4, 2)), "canaux"),
    ],
)
def test_wrong_images_are_said(images, said):
    with pytest.raises(ValueError, match=said):
        inputs.prepare(images, shape=(4, 4, 3))


def test_classify_and_features():
    ship("essai")
    network = models.load_pretrained("essai")
    images = np.random.default_rng(0).random((4, 12, 12, 3), np.float32)
    ranked = network.classify(images, top=2)
    scores = network.model.predict(network.preprocess(images), verbose=0)
    shares = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    for row, share in zip(ranked, shares, strict=True):
        assert [name for name, _ in row] == ["abc"[k] for k in np.argsort(-share)[:2]]
        np.testing.assert_allclose([p for _, p in row], np.sort(share)[:0:-1], rtol=1e-5)
    assert network.features().output_shape == (None, 4)


# The room.


def test_importing_the_room_loads_no_tensorflow():
    program = (
        "import sys; from course_utils import models; from course_utils.models import official; dir(models);"
        "assert 'vgg16' in dir(models) and models.PRETRAINED; sys.exit('tensorflow' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program]).returncode == 0


def test_every_network_is_where_the_room_says():
    for family, names in models.FAMILIES.items():
        for name in names:
            assert callable(getattr(getattr(models, family), name)), f"{family}.{name}"
    assert models.vgg16 is models.vgg.vgg16
    with pytest.raises(AttributeError):
        models.vgg17  # noqa: B018


@pytest.mark.skipif(
    course_data() is None or not (course_data() / "weights").is_dir(),
    reason="COURSE_DATA is not set, or has no weights",
)
class TestRealWeights:
    @pytest.fixture(autouse=True)
    def folder(self, monkeypatch):
        monkeypatch.setenv("COURSE_DATA", FOLDER)

    def test_mobilenet_recognises_a_dog_and_a_cat(self):
        from course_utils import data

        network = models.load_pretrained("mobilenet_v1_0.25")
        assert network.source == "COURSE_DATA" and len(network.class_names) == 1000
        assert network.class_names[207] == "golden retriever"
        ((best, share), *_), *_ = network.classify(data.photo("chelsea")[None])
        assert "cat" in best or best == "tabby", best
        assert share > 0.2

    def test_features_without_a_head(self):
        network = models.load_pretrained("mobilenet_v2_0.35_notop")
        assert network.class_names == () and network.features().output_shape == (None, 1280)
        with pytest.raises(ValueError, match="tête"):
            network.classify(np.zeros((1, 8, 8, 3)))


FOLDER = str(course_data())
