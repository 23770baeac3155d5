"""AlexNet (Krizhevsky, Sutskever & Hinton, 2012): the network that won ImageNet and convinced the field.

Its ideas: rectified linear units, a first layer of large strided filters, overlapping pooling (3×3 every 2 pixels),
dropout in the dense layers, and a local response normalisation that batch normalisation has since replaced. The paper
cut the network in two halves, one on each graphics card; the single tower given here is the form used since.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers, ops

from course_utils.models.shapes import check_input


@keras.saving.register_keras_serializable(package="course_utils")
class LocalResponseNormalization(layers.Layer):
    """Divide each activation by the energy of its neighbours in the channels: x / (k + α Σ x²)^β.

    The sum runs over the `size` channels centred on each one, fewer at both ends. The layer has no weight.
    Krizhevsky et al. (2012), section 3.3, whose constants are the defaults.

    Parameters
    ----------
    size : int
        Number of neighbouring channels (odd).
    k, alpha, beta : float
        Constants of the formula.

    Raises
    ------
    ValueError
        If `size` is not a positive odd number (message in French).
    """

    def __init__(self, size: int = 5, k: float = 2.0, alpha: float = 1e-4, beta: float = 0.75, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if size < 1 or size % 2 == 0:
            raise ValueError(f"size vaut {size} : on attend un nombre impair de canaux voisins, par exemple 5.")
        self.size, self.k, self.alpha, self.beta = size, k, alpha, beta

    def call(self, inputs: Any) -> Any:
        """Normalise ``(N, H, W, C)``; the shape does not change."""
        reach, channels = self.size // 2, inputs.shape[-1]
        energy = ops.pad(ops.square(inputs), [[0, 0], [0, 0], [0, 0], [reach, reach]])
        total = sum(energy[..., shift : shift + channels] for shift in range(self.size))
        return inputs * ops.power(self.k + self.alpha * total, -self.beta)

    def compute_output_shape(self, input_shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Return the shape unchanged."""
        return input_shape

    def get_config(self) -> dict[str, Any]:
        """Return what rebuilds the layer when a model is loaded."""
        return {**super().get_config(), "size": self.size, "k": self.k, "alpha": self.alpha, "beta": self.beta}


def conv_stage(
    x: Any, filters: int, kernel: int, *, strides: int = 1, padding: str = "same", norm: str | None = None, name: str
) -> Any:
    """Apply convolution, rectified linear unit, the normalisation asked for, then the overlapping pooling.

    Parameters
    ----------
    x : KerasTensor
        ``(N, H, W, C)``.
    filters, kernel, strides, padding
        Of the convolution.
    norm : {"local", "batch", None}
        "local": local response normalisation after the activation, as in 2012; "batch": batch normalisation before it.
    name : str
        Prefix of the layers' names.

    Returns
    -------
    KerasTensor
        ``(N, H', W', filters)``: 3×3 maxima taken every 2 pixels.
    """
    x = layers.Conv2D(filters, kernel, strides=strides, padding=padding, name=name)(x)
    if norm == "batch":
        # Keras' momentum of 0.99 needs far more steps than a training in class has.
        x = layers.BatchNormalization(momentum=0.9, name=f"{name}_bn")(x)
    x = layers.Activation("relu", name=f"{name}_relu")(x)
    if norm == "local":
        x = LocalResponseNormalization(name=f"{name}_norm")(x)
    return layers.MaxPooling2D(3, strides=2, name=f"{name}_pool")(x)


def alexnet(
    input_shape: tuple[int, int, int] = (227, 227, 3),
    classes: int = 1000,
    activation: str | None = None,
    *,
    local_normalization: bool = True,
) -> keras.Model:
    """Build AlexNet in one tower: 62,378,344 parameters at 227×227×3 and 1000 classes.

    The paper says 224×224, but its first maps, 55×55, need 227 pixels; its two towers had about 61 million
    parameters.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 67×67.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.
    local_normalization : bool
        Whether the local response normalisation of 2012, which has no weight, follows the first two convolutions.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("alexnet", input_shape, classes, minimum=67)
    norm = "local" if local_normalization else None
    inputs = keras.Input(input_shape)
    x = conv_stage(inputs, 96, 11, strides=4, padding="valid", norm=norm, name="conv1")
    x = conv_stage(x, 256, 5, norm=norm, name="conv2")
    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.Conv2D(384, 3, padding="same", activation="relu", name="conv4")(x)
    x = conv_stage(x, 256, 3, name="conv5")
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(4096, activation="relu", name=f"fc{number}")(x)
        x = layers.Dropout(0.5, name=f"dropout{number}")(x)
    outputs = layers.Dense(classes, activation=activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name="alexnet")


def alexnet_small(
    input_shape: tuple[int, int, int] = (32, 32, 3), classes: int = 10, activation: str | None = None
) -> keras.Model:
    """Build an AlexNet for the classroom: same plan, narrower, on 32×32 images.

    Five convolutions of which the first has large filters (5×5), overlapping pooling, two dense layers with dropout.
    Two liberties: the first stride is 1, because 32 pixels are few, and batch normalisation (2015) takes the place of
    the local one so that a few epochs are enough.

    Parameters
    ----------
    input_shape : tuple
        ``(height, width, channels)``, at least 15×15.
    classes : int
        Number of outputs.
    activation : str or None
        Activation of the outputs; None gives logits.

    Returns
    -------
    keras.Model
        From ``(N, height, width, channels)`` to ``(N, classes)``.

    Raises
    ------
    ValueError
        If the images are too small (message in French).
    """
    check_input("alexnet_small", input_shape, classes, minimum=15)
    inputs = keras.Input(input_shape)
    x = conv_stage(inputs, 24, 5, norm="batch", name="conv1")
    x = conv_stage(x, 32, 5, norm="batch", name="conv2")
    x = layers.Conv2D(48, 3, padding="same", activation="relu", name="conv3")(x)
    x = layers.Conv2D(48, 3, padding="same", activation="relu", name="conv4")(x)
    x = conv_stage(x, 48, 3, norm="batch", name="conv5")
    x = layers.Flatten(name="flatten")(x)
    for number in (6, 7):
        x = layers.Dense(128, activation="relu", name=f"fc{number}")(x)
        x = layers.Dropout(0.3, name=f"dropout{number}")(x)
    outputs = layers.Dense(classes, activation=activation, name="predictions")(x)
    return keras.Model(inputs, outputs, name="alexnet_small")
