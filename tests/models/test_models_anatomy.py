"""What models are made of, against published figures, TensorFlow's profiler, and small nets counted by hand."""

from __future__ import annotations

import keras
import pytest
import tensorflow as tf
from keras import layers
from matplotlib.patches import FancyArrowPatch

from course_utils import models
from course_utils.models import anatomy

PUBLISHED = {
    "VGG16": ({}, 15_470, 0.001),  # Canziani et al., 2016; Simonyan and Zisserman, 2014
    "ResNet50": ({}, 3_858, 0.003),  # He et al., 2015: 3.8 × 10⁹
    "MobileNet": ({}, 569, 0.01),  # Howard et al., 2017
    "EfficientNetB0": ({}, 390, 0.02),  # Tan and Le, 2019
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_multiply_adds_are_those_of_the_papers(name):
    arguments, expected, tolerance = PUBLISHED[name]
    model = getattr(keras.applications, name)(weights=None, **arguments)
    assert models.mega_flops(model) == pytest.approx(expected, rel=tolerance)


def lenet():
    """LeNet-5 with average pooling and dense C5 (LeCun et al., 1998): 61,706 parameters."""
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Conv2D(16, 5, activation="tanh"),
            layers.AveragePooling2D(2),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10),
        ],
        name="lenet",
    )


def test_lenet_counted_by_hand():
    products = 28 * 28 * 25 * 6 + 10 * 10 * 25 * 6 * 16 + 400 * 120 + 120 * 84 + 84 * 10
    assert models.mega_flops(lenet()) == pytest.approx(products / 1e6)
    figures = models.table(lenet()).rows["lenet"]
    assert figures == anatomy.Anatomy(61_706, products / 1e6, 2, 5, (10,))


@pytest.mark.parametrize(
    ("shape", "layer", "products"),
    [
        ((20, 4), layers.Conv1D(8, 5, strides=2), 8 * 5 * 4 * 8),
        ((9, 9, 4), layers.Conv2D(6, 3, groups=2, padding="same"), 81 * 9 * 2 * 6),
        ((9, 9, 4), layers.Conv2D(6, 3, dilation_rate=2), 25 * 9 * 4 * 6),
        ((9, 9, 4), layers.DepthwiseConv2D(3, depth_multiplier=2), 49 * 9 * 8),
        ((9, 9, 4), layers.SeparableConv2D(6, 3), 49 * (9 * 4 + 4 * 6)),
        ((4, 4, 3), layers.Conv2DTranspose(5, 3, strides=2), 16 * 9 * 3 * 5),
        ((7, 12), layers.Dense(5), 7 * 12 * 5),
        ((9, 9, 4), layers.BatchNormalization(), 0),
    ],
)
def test_each_kind_of_layer(shape, layer, products):
    model = keras.Sequential([keras.Input(shape), layer])
    assert models.mega_flops(model) * 1e6 == pytest.approx(products)


def test_tensorflow_s_profiler_counts_twice_as_much():
    """A multiplication and an addition count for two; without biases the products are all there is."""
    inputs = keras.Input((12, 12, 3))
    x = layers.Conv2D(8, 3, use_bias=False)(inputs)
    x = layers.DepthwiseConv2D(3, use_bias=False)(x)
    outputs = layers.Dense(7, use_bias=False)(layers.Flatten()(x))
    model = keras.Model(inputs, outputs)
    graph = tf.function(model).get_concrete_function(tf.TensorSpec((1, 12, 12, 3))).graph
    options = tf.compat.v1.profiler.ProfileOptionBuilder.float_operation()
    options["output"] = "none"
    counted = tf.compat.v1.profiler.profile(graph, options=options).total_float_ops
    assert counted == pytest.approx(2e6 * models.mega_flops(model), rel=1e-6)


def shared_and_nested():
    block = keras.Sequential([keras.Input((8, 8, 4)), layers.Conv2D(4, 3, padding="same"), layers.ReLU()], name="bloc")
    inputs = keras.Input((8, 8, 4))
    return keras.Model(inputs, block(block(inputs)))


def test_a_nested_block_used_twice_counts_twice():
    model = shared_and_nested()
    assert models.mega_flops(model) * 1e6 == pytest.approx(2 * 64 * 9 * 4 * 4)
    assert anatomy.depth(model) == 2
    assert [call.name for call in anatomy.calls(model)][1:] == ["bloc", "bloc (2)"]


def test_an_unknown_size_and_an_unknown_layer_are_said():
    free = keras.Sequential([keras.Input((None, None, 3)), layers.Conv2D(4, 3)])
    with pytest.raises(ValueError, match="taille d'entrée précise"):
        models.mega_flops(free)
    with pytest.raises(ValueError, match="LSTM"):
        models.mega_flops(keras.Sequential([keras.Input((5, 3)), layers.LSTM(4)]))
    with pytest.raises(ValueError, match="construit"):
        models.mega_flops(keras.Sequential([layers.Dense(3)]))


def test_the_table_writes_french_numbers():
    table = models.table({"LeNet-5": lenet(), "imbriqué": shared_and_nested()})
    for text in (repr(table), table._repr_html_()):
        assert "61\N{NO-BREAK SPACE}706" in text and "0,42" in text and "10 valeurs" in text.replace("\xa0", " ")
    assert table._repr_html_().count("<tr>") == 3


def residual():
    inputs = keras.Input((8, 8, 4), name="x")
    y = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False, name="conv1")(inputs)
    y = layers.ReLU()(layers.BatchNormalization()(y))
    y = layers.BatchNormalization()(layers.Conv2D(8, 3, padding="same", name="conv2")(y))
    shortcut = layers.Conv2D(8, 1, strides=2, name="projection")(inputs)
    return keras.Model(inputs, layers.ReLU(name="out")(layers.Add(name="add")([shortcut, y])))


def texts(fig):
    return [text.get_text() for text in fig.axes[0].texts]


def arrows(fig):
    return sum(isinstance(patch, FancyArrowPatch) for patch in fig.axes[0].patches)


def test_a_residual_block_in_boxes():
    fig = models.diagram(residual())
    assert texts(fig) == [
        *("Entrée", "8×8×4"),
        *("Conv 1×1, 8 /2", "4×4×8"),
        *("Conv 3×3, 8 /2", "BN · ReLU", "4×4×8"),
        *("Conv 3×3, 8", "BN", "4×4×8"),
        "+",
        *("ReLU", "4×4×8"),
    ]
    assert arrows(fig) == 6
    assert arrows(models.diagram(residual(), compact=False)) == 9


def test_only_what_lies_between_two_layers():
    fig = models.diagram(residual(), start="conv1", end="add")
    assert [t for t in texts(fig) if "Conv" in t] == ["Conv 3×3, 8 /2", "Conv 3×3, 8"] and "Entrée" not in texts(fig)
    with pytest.raises(ValueError, match="conv9"):
        models.diagram(residual(), start="conv9")
    with pytest.raises(ValueError, match="Aucun chemin"):
        models.diagram(residual(), start="conv2", end="projection")


def test_normalisation_before_the_convolution():
    inputs = keras.Input((8, 8, 4))
    x = inputs
    for filters in (16, 4):
        x = layers.Conv2D(filters, 1)(layers.Activation("relu")(layers.BatchNormalization()(x)))
    fig = models.diagram(keras.Model(inputs, layers.Concatenate()([inputs, x])))
    assert "BN · ReLU · Conv 1×1, 16" in texts(fig) and "BN · ReLU · Conv 1×1, 4" in texts(fig)
    assert "Concaténation" in texts(fig)


def test_a_nested_model_is_one_box():
    assert texts(models.diagram(shared_and_nested())).count("bloc") == 2
