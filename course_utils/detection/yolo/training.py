"""Training of a YOLO: batches with their targets, one rise and fall of the rate, and a score.

``fit(network, examples)`` trains in place with the class recipe; every field of `Recipe` can be changed by name. With a
``folder`` the state is kept after each epoch: interrupted, the training goes on from there and gives what it would
have given.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from numpy.typing import NDArray

from course_utils.detection.anchors import kmeans_anchors
from course_utils.detection.metrics import Evaluation
from course_utils.detection.metrics import evaluate as score
from course_utils.detection.results import Detections
from course_utils.detection.yolo.detector import Detector
from course_utils.detection.yolo.heads import Head, Network
from course_utils.detection.yolo.losses import LossWeights, Terms, yolo_loss
from course_utils.detection.yolo.mosaic import Augmentation
from course_utils.detection.yolo.sets import Examples
from course_utils.detection.yolo.targets import FIELDS, assign
from course_utils.training import warmup_cosine

Batch = tuple[NDArray[np.uint8], tuple[NDArray[np.float32], ...], NDArray[np.float32]]


@dataclass(frozen=True)
class Recipe:
    """How a YOLO is trained: Adam, warm-up then cosine, clipped gradients.

    Attributes
    ----------
    epochs, batch_size : int
    peak : float
        Largest learning rate.
    warmup : float
        Share of the steps during which it rises.
    weight_decay : float
        Of the kernels, decoupled (Loshchilov and Hutter, 2019).
    clip : float
        Largest norm of the gradient of all the weights together.
    iou_threshold : float
        Who must answer for a box: see `course_utils.detection.yolo.targets.assign`.
    augment : Augmentation
    plain : float
        Share of the epochs, the last ones, without mosaic (YOLOX; Ge et al., 2021): the network ends on true images.
    loss : LossWeights
    seed : int
        Of the order and of the augmentation; the weights are those of the network given.
    """

    epochs: int = 13
    batch_size: int = 8
    peak: float = 5e-3
    warmup: float = 0.15
    weight_decay: float = 5e-4
    clip: float = 20.0
    iou_threshold: float = 0.4
    augment: Augmentation = Augmentation()
    plain: float = 0.3
    loss: LossWeights = LossWeights()
    seed: int = 0

    def rate(self, steps: int) -> keras.optimizers.schedules.LearningRateSchedule:
        """Learning rate for ``steps`` steps in all."""
        return warmup_cosine(self.peak, steps, warmup=self.warmup)


CLASS_RECIPE = Recipe()
"""Reaches its score within 90 s on two processor cores: see lesson 4-3."""


def anchors_for(examples: Examples, heads: int = 2, each: int = 3, *, seed: int = 0) -> NDArray[np.float32]:
    """Anchors of a set of examples, for the builders of networks.

    Returns
    -------
    ndarray (heads, each, 2) of float32
        The largest first, as ``yolov4_tiny`` wants them (strides 32 then 16); reverse it for ``yolov4``.
    """
    found = kmeans_anchors(examples.sizes, heads * each, seed=seed)
    return found.reshape(heads, each, 2)[::-1]


def fit(
    network: Network,
    examples: Examples,
    recipe: Recipe = CLASS_RECIPE,
    *,
    validation: Examples | None = None,
    every: int = 1,
    mixed: bool = False,
    folder: str | os.PathLike[str] | None = None,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    **changes: Any,
) -> dict[str, list[float]]:
    """Train a network in place.

    Parameters
    ----------
    network : Network
        From ``yolov4_tiny`` or ``yolov4``, for the classes and the size of the examples.
    examples : Examples
    recipe : Recipe
    validation : Examples, optional
        Scored every ``every`` epochs (and at the last): ``val_map50`` in the history.
    every : int, default 1
    mixed : bool
        Compute in bfloat16 and keep the weights in float32: faster where the processor knows how (AVX-512 BF16), much
        slower elsewhere.
    folder : path, optional
        Where the state is kept after each epoch, and found again.
    callbacks : sequence of keras.callbacks.Callback
        ``LiveCurve``, ``TimeBudget``…
    **changes
        Fields of the recipe: ``epochs=5, seed=3``.

    Returns
    -------
    dict of str to list of float
        For each epoch: ``loss`` and its parts ``box``, ``objectness``, ``classes``, and ``val_map50``.

    Raises
    ------
    ValueError
        If the examples are too few for a batch, or do not fit the network.
    """
    recipe = replace(recipe, **changes)
    _check(network, examples, recipe)
    steps = len(examples) // recipe.batch_size
    trainer = Trainer(network, recipe.loss)
    optimizer = keras.optimizers.AdamW(
        recipe.rate(recipe.epochs * steps), weight_decay=recipe.weight_decay, global_clipnorm=recipe.clip, epsilon=1e-6
    )
    optimizer.exclude_from_weight_decay(var_names=["gamma", "beta", "bias"])
    optimizer.build(trainer.trainable_variables)
    journal = Journal([*trainer.weights, *optimizer.variables], None if folder is None else Path(folder))
    done = journal.restore()
    if validation is not None:
        callbacks = [Scoring(network, validation, every), *callbacks]
    with _precision(network.model, "mixed_bfloat16" if mixed else "float32"):
        # Several steps in each call of the graph: an eighth of the time, and the same weights.
        trainer.compile(optimizer, steps_per_execution=math.gcd(steps, 10))
        trainer.fit(
            pipeline(network, examples, recipe, start=done),
            initial_epoch=done,
            epochs=recipe.epochs,
            steps_per_epoch=steps,
            callbacks=[*callbacks, journal],
            shuffle=False,  # the pipeline did it
            verbose=0,
        )
    return journal.history


class Trainer(keras.Model):
    """A network and its loss, for ``compile`` and ``fit``; the batches are those of `pipeline`."""

    def __init__(self, network: Network, weights: LossWeights) -> None:
        super().__init__()
        self.body, self.heads, self.weighting = network.model, network.heads, weights
        self.network = network
        self.means = [keras.metrics.Mean(name="loss" if name == "total" else name) for name in Terms._fields]
        self.built = True

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        """Means over the epoch, set back to zero by Keras."""
        return self.means

    def train_step(self, data: Batch) -> dict[str, Any]:
        """One step of gradient."""
        images, targets, truth = data
        images = tf.cast(images, tf.float32) / 255.0
        with tf.GradientTape() as tape:
            terms = yolo_loss(self.network.raw(images, training=True), targets, truth, self.heads, self.weighting)
        variables = self.body.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(terms.total, variables), variables, strict=True))
        for mean, term in zip(self.means, terms, strict=True):
            mean.update_state(term)
        return {mean.name: mean.result() for mean in self.means}


def pipeline(network: Network, examples: Examples, recipe: Recipe, *, start: int = 0) -> tf.data.Dataset:
    """Batches of all the epochs from ``start`` on, prepared while the network computes.

    Returns
    -------
    tf.data.Dataset
        Of (images uint8, targets of each head, boxes padded with zeros): the arguments of `yolo_loss`, all but raw.
    """
    height, width, channels = network.input_shape
    targets = tuple(
        tf.TensorSpec((None, height // h.stride, width // h.stride, len(h.anchors), FIELDS)) for h in network.heads
    )
    signature = (tf.TensorSpec((None, height, width, channels), tf.uint8), targets, tf.TensorSpec((None, None, 4)))
    return tf.data.Dataset.from_generator(
        lambda: (
            batch(network.heads, examples, recipe, epoch, index)
            for epoch in range(start, recipe.epochs)
            for index in range(len(examples) // recipe.batch_size)
        ),
        output_signature=signature,
    ).prefetch(2)


def batch(heads: Sequence[Head], examples: Examples, recipe: Recipe, epoch: int, index: int) -> Batch:
    """Batch of an epoch, always the same for the same recipe: images, targets of each head, padded boxes."""
    order = np.random.default_rng([recipe.seed, epoch]).permutation(len(examples))
    chosen = order[index * recipe.batch_size : (index + 1) * recipe.batch_size]
    augment = recipe.augment
    if epoch >= round((1 - recipe.plain) * recipe.epochs):
        augment = replace(augment, mosaic=0.0)
    rng = np.random.default_rng([recipe.seed, epoch, index])
    pictures = [augment(examples, int(k), rng) for k in chosen]
    images = np.stack([picture.image for picture in pictures])
    targets = assign(
        [picture.boxes[~picture.ignored] for picture in pictures],
        [picture.classes[~picture.ignored] for picture in pictures],
        heads,
        images.shape[1:],
        iou_threshold=recipe.iou_threshold,
    )
    truth = np.zeros((len(pictures), max(1, *(len(picture.boxes) for picture in pictures)), 4), np.float32)
    for row, picture in zip(truth, pictures, strict=True):
        row[: len(picture.boxes)] = picture.boxes
    return images, targets, truth


def predict(network: Network, examples: Examples, *, confidence: float = 0.01, nms: float = 0.45) -> list[Detections]:
    """What a network finds in each image, down to a low confidence, as `evaluate` needs."""
    detector = Detector(network, examples.class_names, confidence=confidence, nms_threshold=nms)
    return detector.detect_batch(examples.images)


def evaluate(network: Network, examples: Examples, **options: Any) -> Evaluation:
    """Score of a network on examples: see `course_utils.detection.metrics.evaluate`, whose options it takes.

    The precision-recall curve is integrated at all its points (``method="all"``), unless told otherwise.
    """
    settings = {"method": "all", "classes": examples.class_names, **options}
    return score(predict(network, examples), examples.truths, **settings)


class Scoring(keras.callbacks.Callback):
    """Add ``val_map50`` to the logs of some epochs."""

    def __init__(self, network: Network, examples: Examples, every: int) -> None:
        super().__init__()
        self.network, self.examples, self.every = network, examples, every

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Score, before the callbacks that follow read the logs."""
        last = epoch + 1 == (self.params or {}).get("epochs")
        if logs is not None and (last or (epoch + 1) % self.every == 0):
            logs["val_map50"] = evaluate(self.network, self.examples).map50


class Journal(keras.callbacks.Callback):
    """History of a training and, with a folder, its state after each epoch: weights and optimizer."""

    def __init__(self, variables: list[Any], folder: Path | None) -> None:
        super().__init__()
        self.variables, self.folder = variables, folder
        self.history: dict[str, list[float]] = {}

    def restore(self) -> int:
        """Take up the state of the folder, if there is one; return the number of epochs already done."""
        if self.folder is None or not (self.folder / "state.npz").exists():
            return 0
        with np.load(self.folder / "state.npz", allow_pickle=False) as saved:
            if len(saved.files) != len(self.variables) + 1 or any(
                saved[f"{rank:04d}"].shape != tuple(variable.shape) for rank, variable in enumerate(self.variables)
            ):
                raise ValueError(f"L'état gardé dans {self.folder} est celui d'un autre réseau : changez de dossier.")
            for rank, variable in enumerate(self.variables):
                variable.assign(saved[f"{rank:04d}"])
            self.history = json.loads(str(saved["history"]))
        return len(self.history["loss"])

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Start the clock."""
        self._start = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Record the epoch; write the state beside the old one, then take its name."""
        for key, value in {**(logs or {}), "seconds": time.perf_counter() - self._start}.items():
            self.history.setdefault(key, []).append(float(value))
        if self.folder is None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        values = {f"{rank:04d}": keras.ops.convert_to_numpy(value) for rank, value in enumerate(self.variables)}
        partial = self.folder / "state-partial.npz"
        np.savez(partial, allow_pickle=False, history=np.array(json.dumps(self.history)), **values)
        os.replace(partial, self.folder / "state.npz")


@contextlib.contextmanager
def _precision(model: keras.Model, policy: str) -> Iterator[None]:
    """Let the layers of a model compute under another precision policy for a while; its weights stay in float32."""
    usual = [layer.dtype_policy for layer in model.layers]
    try:
        for layer in model.layers:
            layer.dtype_policy = policy
        yield
    finally:
        for layer, own in zip(model.layers, usual, strict=True):
            layer.dtype_policy = own


def _check(network: Network, examples: Examples, recipe: Recipe) -> None:
    if not 1 <= recipe.batch_size <= len(examples):
        raise ValueError(f"batch_size = {recipe.batch_size} pour {len(examples)} images : le lot doit être plus petit.")
    if examples.images.shape[1:] != network.input_shape:
        raise ValueError(
            f"Le réseau attend des images {network.input_shape}, les exemples sont en {examples.images.shape[1:]} : "
            "relisez-les à la taille du réseau (size=…), ou construisez le réseau à la leur (input_shape=…)."
        )
    if len(examples.class_names) != network.classes:
        raise ValueError(f"Le réseau a {network.classes} classes, les exemples {len(examples.class_names)}.")
