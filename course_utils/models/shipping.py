"""Training of the networks that ship in ``data/weights``: augmentation, schedule, resumption, one card for each.

A training script says what is learnt and calls `train`; interrupted, it goes on from the last whole epoch, and gives
what an uninterrupted run would have given.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np

from course_utils import plots
from course_utils.models.pretrained import save_network
from course_utils.training import warmup_cosine


@dataclass(frozen=True)
class Augmentation:
    """Random changes made to each training image.

    Attributes
    ----------
    shift : int
        Largest translation, in pixels; the border is mirrored.
    flip : bool
        Whether half of the images are mirrored left to right.
    cutout : int
        Side of the square erased at a random place (DeVries & Taylor, 2017); 0 erases nothing.
    """

    shift: int = 0
    flip: bool = False
    cutout: int = 0

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return changed copies of ``images`` (N, H, W, C)."""
        n, height, width, _ = images.shape
        if self.shift:
            padding = ((0, 0), (self.shift, self.shift), (self.shift, self.shift), (0, 0))
            padded = np.pad(images, padding, mode="reflect")
            windows = np.lib.stride_tricks.sliding_window_view(padded, (height, width), (1, 2))
            top, left = rng.integers(0, 2 * self.shift + 1, (2, n))
            images = np.moveaxis(windows[np.arange(n), top, left], 1, -1)
        images = images.copy()
        if self.flip:
            mirrored = rng.random(n) < 0.5
            images[mirrored] = images[mirrored, :, ::-1]
        if self.cutout:
            rows = _span(rng.integers(0, height, (n,)), self.cutout, height)
            columns = _span(rng.integers(0, width, (n,)), self.cutout, width)
            images[rows[:, :, None] & columns[:, None, :]] = 0.5
        return images


def _span(centres: np.ndarray, length: int, size: int) -> np.ndarray:
    """For each centre, which of ``size`` positions lie within ``length`` / 2 of it; booleans (N, size)."""
    return np.abs(np.arange(size) - centres[:, None] + 0.5) <= length / 2


class Batches(keras.utils.PyDataset):
    """One epoch of augmented, shuffled batches; the same for the same seed and epoch."""

    def __init__(
        self, images: np.ndarray, labels: np.ndarray, *, batch_size: int, augment: Augmentation, seed: list[int]
    ) -> None:
        super().__init__()
        self.images, self.labels, self.batch_size, self.augment, self.seed = images, labels, batch_size, augment, seed
        self.order = np.random.default_rng(seed).permutation(len(images))

    def __len__(self) -> int:
        return len(self.images) // self.batch_size

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        chosen = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.augment(self.images[chosen], np.random.default_rng([*self.seed, index])), self.labels[chosen]


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: stochastic gradient with Nesterov momentum, warm-up then cosine.

    Attributes
    ----------
    epochs, batch_size : int
    peak : float
        Largest learning rate.
    weight_decay : float
        Share of the weights taken away at each step, before multiplication by the learning rate.
    smoothing : float
        Label smoothing, from 0 to 1 (Szegedy et al., 2016).
    augment : Augmentation
    seed : int
    """

    epochs: int
    batch_size: int = 128
    peak: float = 0.1
    weight_decay: float = 5e-3
    smoothing: float = 0.1
    augment: Augmentation = Augmentation()
    seed: int = 0

    def compile(self, model: keras.Model, steps: int) -> None:
        """Give the model its loss and an optimizer for ``steps`` steps in all."""
        rate = warmup_cosine(self.peak, steps, warmup=0.2)
        optimizer = keras.optimizers.SGD(rate, momentum=0.9, nesterov=True, weight_decay=self.weight_decay)
        optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
        optimizer.build(model.trainable_variables)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=self.smoothing)
        model.compile(optimizer, loss, metrics=["accuracy"])


def train(
    build: Callable[[], keras.Model],
    training: tuple[np.ndarray, np.ndarray],
    validation: tuple[np.ndarray, np.ndarray],
    recipe: Recipe,
    *,
    folder: Path,
) -> tuple[keras.Model, dict[str, list[float]]]:
    """Train a network in bfloat16, resuming from ``folder`` if an earlier run was cut short.

    Parameters
    ----------
    build : callable
        Returns a new network giving logits.
    training, validation : pair of arrays
        Images (N, H, W, C) float32 in [0, 1] and integer labels (N,).
    recipe : Recipe
    folder : pathlib.Path
        Where the state is kept after each epoch.

    Returns
    -------
    model : keras.Model
        In float32.
    history : dict of str to list of float
        One value an epoch: loss, accuracy, val_loss, val_accuracy, seconds.
    """
    folder.mkdir(parents=True, exist_ok=True)
    state, log = folder / "state.npz", folder / "history.json"
    classes = int(training[1].max()) + 1
    targets = np.eye(classes, dtype=np.float32)[training[1]]
    judged = validation[0], np.eye(classes, dtype=np.float32)[validation[1]]
    history: dict[str, list[float]] = json.loads(log.read_text()) if log.exists() and state.exists() else {}
    done = len(history.get("loss", []))
    keras.utils.set_random_seed(recipe.seed)
    with _precision("mixed_bfloat16"):
        model = build()
    recipe.compile(model, recipe.epochs * (len(targets) // recipe.batch_size))
    variables = [*model.weights, *model.optimizer.variables]
    if done:
        with np.load(state, allow_pickle=False) as saved:
            for rank, variable in enumerate(variables):
                variable.assign(saved[f"{rank:04d}"])
    for epoch in range(done, recipe.epochs):
        start = time.perf_counter()
        batches = Batches(
            training[0], targets, batch_size=recipe.batch_size, augment=recipe.augment, seed=[recipe.seed, epoch]
        )
        logs = model.fit(batches, shuffle=False, validation_data=judged, validation_batch_size=500, verbose=0).history
        for key, (value,) in {**logs, "seconds": [time.perf_counter() - start]}.items():
            history.setdefault(key, []).append(float(value))
        _replace(state, functools.partial(_save, variables))
        _replace(log, lambda path: Path(path).write_text(json.dumps(history)))
        last = {key: round(values[-1], 4) for key, values in history.items()}
        print(f"epoch {epoch + 1}/{recipe.epochs}", last, flush=True)
    final = build()
    final.set_weights(model.get_weights())
    return final, history


def publish(
    model: keras.Model,
    history: dict[str, list[float]],
    recipe: Recipe,
    test: tuple[np.ndarray, np.ndarray],
    *,
    folder: Path,
    builder: str,
    arguments: dict[str, Any],
    card: dict[str, Any],
) -> dict[str, Any]:
    """Write the weights, the curve and the card of a trained network into ``folder``.

    The score is that of the network as it ships, its weights rounded to half precision.

    Parameters
    ----------
    model, history
        As `train` returns them.
    recipe : Recipe
    test : pair of arrays
        Images (N, H, W, C) and integer labels (N,) that judge the network.
    folder : pathlib.Path
        ``data/weights/<name>``.
    builder, arguments
        See `save_network`.
    card : dict
        ``title``, ``classes``, ``training_data``, ``licence``, and ``tested_on``, the set of the score in a few words.

    Returns
    -------
    dict
        The card as written.
    """
    for variable in model.weights:
        if variable.name != "moving_variance":
            variable.assign(np.asarray(variable, np.float32).astype(np.float16))
    predicted = model.predict(test[0], batch_size=500, verbose=0).argmax(axis=1)
    accuracy = round(float(np.mean(predicted == test[1])), 4)
    plots.curves({key: history[key] for key in ("loss", "val_loss", "accuracy", "val_accuracy")}).savefig(
        folder / "curve.png", dpi=80
    )
    return save_network(
        model,
        folder,
        builder=builder,
        arguments=arguments,
        card={
            **card,
            "input": {"shape": list(model.input_shape[1:]), "normalisation": "none"},
            "seed": recipe.seed,
            "recipe": asdict(recipe),
            "score": {"accuracy": accuracy, "on": card["tested_on"]},
            "epochs": [{key: round(values[k], 4) for key, values in history.items()} for k in range(recipe.epochs)],
        },
    )


@contextlib.contextmanager
def _precision(policy: str) -> Iterator[None]:
    """Build layers under another precision policy, then give the usual one back."""
    usual = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(usual)


def _save(variables: list[Any], path: Path) -> None:
    """Write the weights and the state of the optimizer, by rank."""
    np.savez(path, **{f"{rank:04d}": keras.ops.convert_to_numpy(value) for rank, value in enumerate(variables)})


def _replace(path: Path, write: Callable[[Path], Any]) -> None:
    """Write beside ``path``, then rename: a run cut short leaves the earlier file whole."""
    partial = path.with_stem(path.stem + "-partial")
    write(partial)
    os.replace(partial, path)
