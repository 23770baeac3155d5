"""The fast recipe of lesson 2-4: a narrow network that shrinks its images early, and one rise and fall of the rate.

Nothing in it is specific to a data set: ``fit_fast`` trains any Keras classifier that gives logits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import numpy.typing as npt

layers = keras.layers


def warmup_cosine(peak: float, steps: int, *, warmup: float = 0.1) -> keras.optimizers.schedules.LearningRateSchedule:
    """Learning rate that rises in a straight line to its peak, then falls to zero along half a cosine.

    Goyal et al., *Accurate, Large Minibatch SGD* (2017), for the rise; Loshchilov and Hutter, *SGDR* (2017), for the
    fall.

    Parameters
    ----------
    peak : float
        Highest learning rate.
    steps : int
        Steps of the whole training: epochs × batches of an epoch.
    warmup : float, default 0.1
        Share of the steps given to the rise, in [0, 1).

    Returns
    -------
    keras.optimizers.schedules.LearningRateSchedule
        To be given to an optimizer as its ``learning_rate``.

    Raises
    ------
    ValueError
        If a value is out of range.
    """
    if not peak > 0 or steps < 1 or not 0 <= warmup < 1:
        raise ValueError(
            f"peak = {peak}, steps = {steps}, warmup = {warmup} : on attend peak > 0, steps ≥ 1 et 0 ≤ warmup < 1."
        )
    rise = round(warmup * steps)
    if not rise:
        return keras.optimizers.schedules.CosineDecay(peak, steps)
    return keras.optimizers.schedules.CosineDecay(0.0, max(steps - rise, 1), warmup_target=peak, warmup_steps=rise)


def batches(
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    batch_size: int = 256,
    *,
    augment: Callable[..., Any] | None = None,
    seed: int | None = None,
) -> Any:
    """``tf.data`` pipeline of training batches: shuffled anew each epoch, prepared while the network computes.

    Parameters
    ----------
    x : array (N, …), uint8 in 0..255 or float in [0, 1]
        Images. Bytes are turned into float32 in [0, 1] batch by batch: four times less memory to shuffle.
    y : array (N, …)
        Labels.
    batch_size : int, default 256
        Images in a batch. The last batch of an epoch is dropped when it is not full.
    augment : callable, optional
        ``augment(images, labels)`` → ``(images, labels)``, written with TensorFlow operations and applied to whole
        batches, one after the other.
    seed : int, optional
        Seed of the order.

    Returns
    -------
    tf.data.Dataset
        Of pairs (images float32 in [0, 1], labels).

    Raises
    ------
    ValueError
        If the batch is larger than the data set, or if images and labels are not as many.
    """
    import tensorflow as tf

    if len(x) != len(y):
        raise ValueError(f"{len(x)} images et {len(y)} étiquettes : il en faut autant.")
    if not 1 <= batch_size <= len(x):
        raise ValueError(f"batch_size = {batch_size} pour {len(x)} images : on attend un lot entre 1 et {len(x)}.")
    dataset = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(len(x), seed=seed)
    dataset = dataset.batch(batch_size, drop_remainder=True)
    if x.dtype == np.uint8:
        dataset = dataset.map(lambda images, labels: (tf.cast(images, tf.float32) / 255.0, labels))
    if augment is not None:
        dataset = dataset.map(augment)  # one call at a time: in parallel, they would draw their numbers in any order
    return dataset.prefetch(tf.data.AUTOTUNE)


def conv_bn(filters: int, kernel_size: int = 3, *, strides: int = 1) -> list[keras.layers.Layer]:
    """Convolution, batch normalisation, ReLU.

    The convolution has no bias, as the normalisation that follows would cancel it. The running means move fast
    (momentum 0.9) because a fast training lasts a few hundred steps.

    Parameters
    ----------
    filters : int
        Output channels.
    kernel_size : int, default 3
        Side of the kernel.
    strides : int, default 1
        Step of the window.

    Returns
    -------
    list of keras.layers.Layer
        Three layers, for a ``Sequential``.
    """
    return [
        layers.Conv2D(
            filters, kernel_size, strides=strides, padding="same", use_bias=False, kernel_initializer="he_normal"
        ),
        layers.BatchNormalization(momentum=0.9),
        layers.ReLU(),
    ]


def fast_cnn(
    input_shape: Sequence[int] = (28, 28, 1), classes: int = 10, *, filters: Sequence[int] = (16, 32, 64)
) -> keras.Sequential:
    """Small convolutional network made for two processor cores: few channels where the image is large.

    Two convolutions of stride 2 divide the sides by four before the widest one; a pooling and one dense layer end it.

    Parameters
    ----------
    input_shape : (H, W, C), default (28, 28, 1)
        Images in [0, 1], sides of at least 8 pixels.
    classes : int, default 10
        Number of outputs.
    filters : three int, default (16, 32, 64)
        Channels of the three convolutions; multiples of 8 suit the processor.

    Returns
    -------
    keras.Sequential
        Gives logits.
    """
    first, second, third = filters
    return keras.Sequential(
        [
            keras.Input(tuple(input_shape)),
            *conv_bn(first, 5, strides=2),
            *conv_bn(second, strides=2),
            *conv_bn(third),
            layers.MaxPooling2D(padding="same"),
            layers.Flatten(),
            layers.Dense(classes),
        ]
    )


def fit_fast(
    model: keras.Model,
    x: npt.NDArray[Any],
    y: npt.NDArray[Any],
    *,
    epochs: int = 3,
    batch_size: int = 256,
    peak: float = 0.01,
    augment: Callable[..., Any] | None = None,
    loss: keras.losses.Loss | None = None,
    weight_decay: float | None = None,
    **options: Any,
) -> keras.callbacks.History:
    """Compile and train a classifier with Adam under :func:`warmup_cosine`, fitted to the number of steps.

    Parameters
    ----------
    model : keras.Model
        Gives logits.
    x : array (N, H, W, C), uint8 in 0..255 or float in [0, 1]
        Images.
    y : array (N,) of int, or (N, classes) with a loss that takes probabilities
        Labels.
    epochs, batch_size : int, default 3 and 256
        Length of the training and size of a batch.
    peak : float, default 0.01
        Highest learning rate.
    augment : callable, optional
        See :func:`batches`.
    loss : keras.losses.Loss, optional
        Cross-entropy of integer labels unless given.
    weight_decay : float, optional
        Decoupled weight decay: AdamW (Loshchilov and Hutter, 2019).
    **options
        For ``model.fit``: ``callbacks``, ``validation_data``… (``verbose`` is 0 unless given).

    Returns
    -------
    keras.callbacks.History
        As returned by ``fit``.
    """
    steps = epochs * (len(x) // batch_size)
    model.compile(
        keras.optimizers.Adam(warmup_cosine(peak, max(steps, 1)), weight_decay=weight_decay),
        loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    settings = {"verbose": 0, "shuffle": False, **options}  # the pipeline shuffles
    return model.fit(batches(x, y, batch_size, augment=augment), epochs=epochs, **settings)
