"""Lesson 2-9: the answers taught about PyTorch are PyTorch's own, and nothing there needs it without saying so."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest

from course_utils.exercises.notebooks import notebook_paths
from course_utils.paths import ROOT
from tests.exercises.bank_2_9 import combine, dense_to_pytorch, to_pytorch

LESSON = next(path for path in notebook_paths(ROOT / "notebooks") if path.name.startswith("2-9_"))


def code_cells() -> list[str]:
    cells = json.loads(LESSON.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]


def test_every_cell_that_uses_pytorch_says_so_first():
    setup, *cells = code_cells()
    assert "except ModuleNotFoundError" in setup and "def pytorch(line, cell)" in setup
    users = [cell for cell in cells if re.search(r"\btorch\.|\bnn\.|\bF\.", cell)]
    assert len(users) >= 6
    for cell in users:
        assert cell.startswith("%%pytorch\n"), cell


def test_the_cells_compared_in_ci_are_not_those_of_pytorch():
    for cell in json.loads(LESSON.read_text(encoding="utf-8"))["cells"]:
        if "nbval-check-output" in cell["metadata"].get("tags", []):
            assert not "".join(cell["source"]).startswith("%%pytorch")


def test_a_carried_kernel_gives_the_convolution_of_keras():
    torch = pytest.importorskip("torch", reason="PyTorch is an extra: pip install '.[pytorch]'")
    from keras import layers

    rng = np.random.default_rng(0)
    x = rng.normal(size=(2, 7, 9, 3)).astype(np.float32)
    conv = layers.Conv2D(5, (3, 2))
    ours = conv(x).numpy()
    kernel, bias = (torch.from_numpy(np.ascontiguousarray(to_pytorch(w.numpy()))) for w in conv.weights)
    theirs = torch.nn.functional.conv2d(torch.from_numpy(x.transpose(0, 3, 1, 2).copy()), kernel, bias)
    np.testing.assert_allclose(theirs.detach().numpy().transpose(0, 2, 3, 1), ours, atol=1e-5)


def test_a_carried_dense_layer_gives_the_answers_of_keras_after_flatten():
    torch = pytest.importorskip("torch", reason="PyTorch is an extra: pip install '.[pytorch]'")
    from keras import layers

    rng = np.random.default_rng(1)
    block = rng.normal(size=(4, 2, 3, 5)).astype(np.float32)
    dense = layers.Dense(6)
    ours = dense(layers.Flatten()(block)).numpy()
    kernel = torch.from_numpy(np.ascontiguousarray(dense_to_pytorch(dense.kernel.numpy(), 2, 3, 5)))
    theirs = torch.nn.functional.linear(torch.from_numpy(block.transpose(0, 3, 1, 2).copy()).flatten(1), kernel)
    np.testing.assert_allclose(theirs.numpy(), ours, atol=1e-5)


@pytest.mark.parametrize("replicas", [1, 2, 3, 4])
def test_the_combined_gradient_is_that_of_the_whole_batch(replicas):
    rng = np.random.default_rng(2)
    x, t, w, b = rng.normal(size=(10, 3)), rng.normal(size=10), rng.normal(size=3), 0.5

    def gradient(x, t):
        error = x @ w + b - t
        return [2 * x.T @ error / len(x), np.array(2 * error.mean())]

    shares = list(zip(np.array_split(x, replicas), np.array_split(t, replicas), strict=True))
    together = combine([gradient(*share) for share in shares], [len(t) for _, t in shares])
    for ours, whole in zip(together, gradient(x, t), strict=True):
        np.testing.assert_allclose(ours, whole, rtol=1e-12)
