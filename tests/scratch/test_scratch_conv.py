"""Convolutions against TensorFlow and PyTorch: outputs, input and weight gradients, over random geometries."""

from __future__ import annotations

import keras
import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st

from course_utils import data, scratch
from course_utils.scratch import conv

SEEDS = st.integers(0, 2**32 - 1)
DTYPES = st.sampled_from(["float32", "float64"])
TOLERANCES = {"float32": 1e-5, "float64": 1e-10}


def assert_same(ours, theirs, dtype):
    theirs = np.asarray(theirs)
    assert ours.dtype == dtype and ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCES[dtype] * max(1.0, np.abs(theirs).max(initial=0)))


@st.composite
def geometries(draw, rank, dilations=(1, 3)):
    """Sizes, kernel, strides, dilation, padding, groups that fit together."""
    several = lambda low, high: tuple(draw(st.integers(low, high)) for _ in range(rank))  # noqa: E731
    groups = draw(st.integers(1, 3))
    kernel, strides, dilation = several(1, 4), several(1, 3), several(*dilations)
    padding = draw(st.sampled_from(["valid", "same", several(0, 3)]))
    spans = [d * (f - 1) + 1 for f, d in zip(kernel, dilation, strict=True)]
    margins = [2 * p for p in padding] if isinstance(padding, tuple) else [0] * rank
    least = [1 if padding == "same" else max(1, span - m) for span, m in zip(spans, margins, strict=True)]
    size = tuple(n + draw(st.integers(0, 5)) for n in least)
    return {
        "shape": (draw(st.integers(1, 3)), *size, groups * draw(st.integers(1, 3))),
        "filters": groups * draw(st.integers(1, 3)),
        "options": {
            "kernel_size": kernel,
            "strides": strides,
            "padding": padding,
            "dilation_rate": dilation,
            "groups": groups,
        },
    }


def ours(layer, shape, dtype, seed):
    """Random input, kernel and upstream gradient, then output and gradients of a layer of the course."""
    rng = np.random.default_rng(seed)
    layer.build(shape, dtype=dtype)
    kernel = layer.params["kernel"] = rng.standard_normal(layer.params["kernel"].shape).astype(dtype)
    x = rng.standard_normal(shape).astype(dtype)
    y = layer.forward(x, training=True)
    assert y.shape == layer.output_shape(shape)
    upstream = rng.standard_normal(y.shape).astype(dtype)
    return (x, kernel, upstream), (y, layer.backward(upstream), layer.grads["kernel"])


def margins_of(shape, options):
    """TensorFlow's rule for "same", written from its documentation."""
    n, f, s, d = shape[1:-1], options["kernel_size"], options["strides"], options["dilation_rate"]
    if options["padding"] == "valid":
        return [(0, 0)] * len(n)
    if options["padding"] != "same":
        return [(p, p) for p in options["padding"]]
    reach = [(f - 1) * d + 1 for f, d in zip(f, d, strict=True)]
    totals = [max(r - s, 0) if n % s == 0 else max(r - n % s, 0) for n, r, s in zip(n, reach, s, strict=True)]
    return [(t // 2, t - t // 2) for t in totals]


def torch_convolution(shape, options, arrays):
    """The same in PyTorch, margins added apart: it knows every combination of strides, dilations and groups."""
    torch = pytest.importorskip("torch")
    x, kernel, upstream = (torch.tensor(a) for a in arrays)
    x.requires_grad_(), kernel.requires_grad_()
    rank = len(shape) - 2
    margins = [m for pair in reversed(margins_of(shape, options)) for m in pair]
    padded = torch.nn.functional.pad(x.movedim(-1, 1), margins)
    function = getattr(torch.nn.functional, f"conv{rank}d")
    weight = kernel.permute(rank + 1, rank, *range(rank)).contiguous()
    y = function(padded, weight, None, options["strides"], 0, options["dilation_rate"], options["groups"])
    y = y.movedim(1, -1)
    y.backward(upstream)
    return y.detach().numpy(), x.grad.numpy(), kernel.grad.numpy()


def tensorflow_convolution(shape, options, arrays):
    """The same in TensorFlow, group by group, for it differentiates neither groups nor dilated strides on a CPU."""
    x, kernel, upstream = map(tf.constant, arrays)
    groups, padding = options["groups"], options["padding"]
    if isinstance(padding, tuple):
        padding = "valid"
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        padded = x if padding == "same" else tf.pad(x, [(0, 0), *margins_of(shape, options), (0, 0)])
        parts = zip(tf.split(padded, groups, -1), tf.split(kernel, groups, -1), strict=True)
        steps = {"strides": options["strides"], "dilations": options["dilation_rate"]}
        y = tf.concat([tf.nn.convolution(a, k, padding=padding.upper(), **steps) for a, k in parts], -1)
    return y, *tape.gradient(y, [x, kernel], output_gradients=upstream)


@settings(deadline=None, max_examples=100)
@given(case=st.one_of(geometries(1), geometries(2)), dtype=DTYPES, seed=SEEDS)
def test_convolution_equals_pytorch(case, dtype, seed):
    make = scratch.Conv1D if len(case["shape"]) == 3 else scratch.Conv2D
    arrays, results = ours(make(case["filters"], use_bias=False, **case["options"]), case["shape"], dtype, seed)
    for result, expected in zip(results, torch_convolution(case["shape"], case["options"], arrays), strict=True):
        assert_same(result, expected, dtype)


@settings(deadline=None, max_examples=100)
@given(case=st.one_of(geometries(1), geometries(2)), dilate=st.booleans(), dtype=DTYPES, seed=SEEDS)
def test_convolution_equals_tensorflow(case, dilate, dtype, seed):
    # TensorFlow refuses strides and dilation together, and 2-D dilations or strides that differ between the axes.
    options, rank = case["options"], len(case["shape"]) - 2
    for name in ("strides", "dilation_rate"):
        options[name] = (options[name][0] if (name == "strides") != dilate else 1,) * rank
    spans = [options["dilation_rate"][0] * (f - 1) + 1 for f in options["kernel_size"]]
    shape = (case["shape"][0], *map(max, case["shape"][1:-1], spans), case["shape"][-1])
    make = scratch.Conv1D if rank == 1 else scratch.Conv2D
    arrays, results = ours(make(case["filters"], use_bias=False, **options), shape, dtype, seed)
    for result, expected in zip(results, tensorflow_convolution(shape, options, arrays), strict=True):
        assert_same(result, expected, dtype)


@settings(deadline=None, max_examples=60)
@given(case=st.one_of(geometries(1, (1, 1)), geometries(2, (1, 1))), dtype=DTYPES, seed=SEEDS)
def test_transposed_convolution_equals_keras(case, dtype, seed):
    # Dilations are left to PyTorch: TensorFlow does not transpose them on a CPU.
    options, rank = case["options"], len(case["shape"]) - 2
    options["groups"] = 1
    options["padding"] = options["padding"] if isinstance(options["padding"], str) else "valid"
    name = f"Conv{rank}DTranspose"
    layer = getattr(scratch, name)(case["filters"], use_bias=False, **options)
    arrays, results = ours(layer, case["shape"], dtype, seed)
    options.pop("groups")
    theirs = getattr(keras.layers, name)(case["filters"], use_bias=False, dtype=dtype, **options)
    theirs.build(case["shape"])
    theirs.set_weights([arrays[1]])
    x = tf.constant(arrays[0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = theirs(x)
    gradients = tape.gradient(y, [x, theirs.kernel.value], output_gradients=tf.constant(arrays[2]))
    for result, expected in zip(results, (y, *gradients), strict=True):
        assert_same(result, expected, dtype)


@settings(deadline=None, max_examples=60)
@given(case=st.one_of(geometries(1), geometries(2)), dtype=DTYPES, seed=SEEDS)
def test_transposed_convolution_equals_pytorch(case, dtype, seed):
    torch = pytest.importorskip("torch")
    options, rank = case["options"], len(case["shape"]) - 2
    padding = options["padding"] = (0,) * rank if isinstance(options["padding"], str) else options["padding"]
    spans = [d * (f - 1) + 1 for f, d in zip(options["kernel_size"], options["dilation_rate"], strict=True)]
    # Large enough for something to be left once the margins are cut.
    shape = (case["shape"][0], *(n + 2 * p for n, p in zip(case["shape"][1:-1], padding, strict=True)))
    shape = (*shape, case["shape"][-1])
    layer = (scratch.Conv1DTranspose if rank == 1 else scratch.Conv2DTranspose)(
        case["filters"], use_bias=False, **options
    )
    if min((n - 1) * s + r - 2 * p for n, s, r, p in zip(shape[1:-1], options["strides"], spans, padding)) < 1:  # noqa: B905
        with pytest.raises(ValueError, match="il ne resterait rien"):
            layer.build(shape).output_shape(shape)
        return
    arrays, results = ours(layer, shape, dtype, seed)
    x, kernel, upstream = (torch.tensor(a) for a in arrays)
    x.requires_grad_(), kernel.requires_grad_()
    weight = kernel.permute(rank + 1, rank, *range(rank)).contiguous()
    y = getattr(torch.nn.functional, f"conv_transpose{rank}d")(
        x.movedim(-1, 1),
        weight,
        stride=options["strides"],
        padding=padding,
        groups=options["groups"],
        dilation=options["dilation_rate"],
    ).movedim(1, -1)
    y.backward(upstream)
    for result, expected in zip(results, (y.detach().numpy(), x.grad.numpy(), kernel.grad.numpy()), strict=True):
        assert_same(result, expected, dtype)


@settings(deadline=None, max_examples=30)
@given(
    name=st.sampled_from(["Conv1D", "Conv2D", "Conv1DTranspose", "Conv2DTranspose"]),
    activation=st.sampled_from([None, "relu", "tanh", "elu"]),
    use_bias=st.booleans(),
    seed=SEEDS,
)
def test_bias_and_activation_equal_keras(name, activation, use_bias, seed):
    rng = np.random.default_rng(seed)
    shape = (2, 7, 3) if "1D" in name else (2, 7, 6, 3)
    options = {"strides": 2, "padding": "same", "use_bias": use_bias, "activation": activation}
    layer = getattr(scratch, name)(4, 3, bias_initializer="random_normal", **options)
    layer.build(shape, seed=seed, dtype="float64")
    theirs = getattr(keras.layers, name)(4, 3, dtype="float64", **options)
    theirs.build(shape)
    theirs.set_weights(list(layer.params.values()))
    x = rng.standard_normal(shape)
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        y = theirs(variable)
    upstream = rng.standard_normal(y.shape)
    gradients = tape.gradient(y, [variable, *theirs.trainable_variables], output_gradients=tf.constant(upstream))
    assert_same(layer.forward(x), y, "float64")
    assert_same(layer.backward(upstream), gradients[0], "float64")
    for parameter, expected in zip(layer.params, gradients[1:], strict=True):
        assert_same(layer.grads[parameter], expected, "float64")


def test_large_batches_are_cut_without_changing_the_result(monkeypatch):
    rng = np.random.default_rng(0)
    x, upstream = rng.standard_normal((5, 8, 8, 4)), rng.standard_normal((5, 8, 8, 6))
    layer = scratch.Conv2D(6, 3, padding="same", groups=2).build(x.shape, seed=0, dtype="float64")
    whole = layer.forward(x), layer.backward(upstream), layer.grads["kernel"]
    for size in (1, 40_000):  # an image at a time; two
        monkeypatch.setattr(conv, "BLOCK_BYTES", size)
        pieces = layer.forward(x), layer.backward(upstream), layer.grads["kernel"]
        for a, b in zip(whole, pieces, strict=True):
            np.testing.assert_allclose(a, b, rtol=0, atol=1e-12)


# ---- figures of the lesson
def test_worked_image():
    image = [[1, 1, 1, 0, 0], [0, 1, 1, 1, 0], [0, 0, 1, 1, 1], [0, 0, 1, 1, 0], [0, 1, 1, 0, 0]]
    kernel = [[1, 0, 1], [0, 1, 0], [1, 0, 1]]
    result = scratch.conv2d(image, kernel)
    assert result.tolist() == [[4, 3, 4], [2, 4, 3], [2, 3, 4]]
    assert result.dtype == np.int64
    np.testing.assert_array_equal(scratch.conv2d(np.array(image, bool), np.array(kernel, np.uint8)), result)


def test_worked_sequence():
    assert scratch.conv1d([0, 1, 2, -1, 1, -3, 0], [1, 0, -1], stride=2).tolist() == [-2, 1, 1]


def test_worked_channels():
    # Three channels whose products with the filter are 30, 18 and 111.
    x = np.zeros((1, 3, 3, 3), int)
    x[0, :, :, 0], x[0, 1, 1, 1], x[0, ::2, ::2, 2] = [[1, 2, 3], [4, 0, 1], [2, 2, 2]], 9, [[100, 5], [4, 2]]
    kernel = np.zeros((3, 3, 3, 1), int)
    kernel[:, :, 0, 0], kernel[1, 1, 1, 0], kernel[:, :, 2, 0] = [[1, 1, 1], [4, 7, 0], [1, 2, 1]], 2, 1
    products = [int(scratch.conv2d(x[..., c : c + 1], kernel[:, :, c : c + 1]).item()) for c in range(3)]
    assert products == [30, 18, 111]
    assert scratch.conv2d(x, kernel).item() == 159


def test_worked_size():
    layer = scratch.Conv2D(10, 5, padding="same")
    assert layer(np.zeros((1, 32, 32, 3), np.float32)).shape == (1, 32, 32, 10)
    assert layer.output_shape((None, 32, 32, 3)) == (None, 32, 32, 10)
    assert sum(w.size for w in layer.params.values()) == 760


@settings(deadline=None, max_examples=60)
@given(n=st.integers(1, 40), f=st.integers(1, 6), p=st.integers(0, 4), s=st.integers(1, 4), d=st.integers(1, 3))
def test_output_size_counts_positions(n, f, p, s, d):
    positions = [i for i in range(0, n + 2 * p, s) if i + d * (f - 1) < n + 2 * p]
    if positions:
        assert scratch.output_size(n, f, p, s, d) == len(positions)
    else:
        with pytest.raises(ValueError, match="ne tient nulle part"):
            scratch.output_size(n, f, p, s, d)


@settings(deadline=None, max_examples=30)
@given(
    layers=st.lists(st.tuples(st.integers(1, 4), st.integers(1, 3), st.integers(1, 2)), min_size=1, max_size=4),
    seed=SEEDS,
)
def test_receptive_field_is_what_a_unit_depends_on(layers, seed):
    # The gradient of one unit with respect to the input is not zero on its receptive field, and there only.
    field = scratch.receptive_field(layers)
    size = field + int(np.random.default_rng(seed).integers(0, 5))
    net = scratch.Sequential(
        [scratch.Conv1D(1, f, strides=s, dilation_rate=d, use_bias=False) for f, s, d in layers], dtype="float64"
    )
    net.build((None, size, 1))
    net.set_weights([np.ones_like(w) for w in net.weights])
    upstream = np.zeros_like(net.forward(np.zeros((1, size, 1))))
    upstream[0, 0, 0] = 1
    touched = np.flatnonzero(net.backward(upstream))
    assert touched[-1] - touched[0] + 1 == field
    assert scratch.receptive_field([layer[:2] for layer in layers]) <= field


# ---- whole networks
def cnn(library):
    layers = library.layers if library is keras else library
    return [
        layers.Conv2D(6, 3, padding="same", activation="elu"),
        layers.MaxPooling2D(),
        layers.Conv2D(8, 3, strides=2, activation="tanh"),
        layers.BatchNormalization(momentum=0.875, epsilon=2**-10),
        layers.Flatten(),
        layers.Dense(5),
    ]


def problem(n=96, seed=0):
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 5, n)
    return rng.standard_normal((5, 10, 9, 2))[labels] + rng.standard_normal((n, 10, 9, 2)), labels


def test_training_a_cnn_equals_keras(dtype):
    x, y = problem()
    x = x.astype(dtype)
    theirs = keras.Sequential([keras.Input((10, 9, 2)), *cnn(keras)])
    theirs.compile(
        keras.optimizers.SGD(2**-4, momentum=0.875), keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    )
    net = scratch.Sequential(cnn(scratch), dtype=dtype)
    net.compile(scratch.SGD(2**-4, momentum=0.875), "softmax_crossentropy")
    net.build((None, 10, 9, 2))
    net.set_weights(theirs.get_weights())
    for step in range(20):
        rows = np.arange(16 * step, 16 * step + 16) % len(x)
        theirs.reset_metrics()
        loss, expected = net.train_on_batch(x[rows], y[rows])[0], theirs.train_on_batch(x[rows], y[rows])
        np.testing.assert_allclose(loss, expected, rtol=1e-9 if dtype == "float64" else 1e-3, atol=1e-4)
    exact = dtype == "float64"
    for w, v in zip(net.get_weights(), theirs.get_weights(), strict=True):
        assert w.dtype == dtype
        np.testing.assert_allclose(w, v, rtol=0, atol=1e-8 if exact else 2e-3)
    np.testing.assert_allclose(net.predict(x), theirs.predict(x, verbose=0), rtol=0, atol=1e-7 if exact else 2e-2)


def test_gradient_check_of_every_kind_of_layer():
    x, y = problem(12)
    net = scratch.Sequential(
        [
            scratch.Conv2D(4, 3, padding=1, groups=2, activation="tanh", kernel_regularizer="l2"),
            scratch.AveragePooling2D(2, padding="same"),
            scratch.Conv2D(4, (2, 3), padding="same", dilation_rate=2, activation="elu"),
            scratch.MaxPooling2D(2, 1),
            scratch.Conv2DTranspose(3, 3, strides=2, activation="tanh"),
            scratch.SumPooling2D(3, 2),
            scratch.BatchNormalization(),
            scratch.GlobalAveragePooling2D(),
            scratch.Dense(5),
        ],
        dtype="float64",
    )
    net.compile("sgd", "softmax_crossentropy")
    assert max(net.gradient_check(x, y).values()) < 1e-6


def test_a_cnn_learns_the_digits():
    train, test = data.load("digits"), data.load("digits", split="test")
    epochs = 10
    steps = epochs * -(-len(train) // 32)
    net = scratch.Sequential(
        [
            scratch.Conv2D(16, 3, padding="same", activation="relu"),
            scratch.BatchNormalization(momentum=0.9),
            scratch.Conv2D(32, 3, padding="same", activation="relu"),
            scratch.MaxPooling2D(),
            scratch.BatchNormalization(momentum=0.9),
            scratch.Flatten(),
            scratch.Dense(10),
        ]
    )
    net.compile(scratch.Adam(lambda step: 0.005 * (1 - step / steps)), "softmax_crossentropy", metrics=["accuracy"])
    net.fit(train.images, train.labels, epochs=epochs)
    assert net.evaluate(test.images, test.labels)[1] >= 0.97
    assert net.predict(test.images).dtype == np.float32


IMAGES = np.ones((2, 8, 8, 6))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: scratch.Conv2D(0, 3), "filters vaut 0"),
        (lambda: scratch.Conv2D(4, 0), "kernel_size vaut 0"),
        (lambda: scratch.Conv2D(4, (3, 3, 3)), r"kernel_size vaut \(3, 3, 3\).*2 \(un par axe\)"),
        (lambda: scratch.Conv2D(4, 3, strides=0), "strides vaut 0.*au moins 1"),
        (lambda: scratch.Conv2D(4, 3, strides=1.5), "strides vaut 1.5"),
        (lambda: scratch.Conv2D(4, 3, padding="full"), "padding vaut 'full'.*'valid'.*'same'"),
        (lambda: scratch.Conv2D(4, 3, padding=-1), "padding vaut -1.*au moins 0"),
        (lambda: scratch.Conv2D(4, 3, activation="reluu"), "'reluu' n'est pas connu"),
        (lambda: scratch.Conv2D(4, 3, groups=4)(IMAGES), r"groups vaut 4.*canaux de l'entrée \(6\)"),
        (lambda: scratch.Conv2D(4, 3, groups=3)(IMAGES), r"groups vaut 3.*filtres \(4\)"),
        (lambda: scratch.Conv2D(4, 9)(IMAGES), "couvre 9 cases.*n'en a que 8.*padding='same'"),
        (lambda: scratch.Conv2D(4, 3, dilation_rate=4)(IMAGES), "couvre 9 cases.*n'en a que 8"),
        (lambda: scratch.Conv2D(4, 3)(IMAGES[0]), r"lot d'images \(N, H, W, C\).*\(8, 8, 6\).*np.newaxis"),
        (lambda: scratch.Conv2D(4, 3)(IMAGES.reshape(2, -1)), r"\(2, 384\).*aplaties.*reshape"),
        (lambda: scratch.Conv1D(4, 3)(IMAGES), r"lot de séquences \(N, L, C\).*\(2, 8, 8, 6\)"),
        (lambda: scratch.Conv2D(4, 3).build((None, 8, 8, 3))(IMAGES), "construite pour 3 valeurs"),
        (lambda: scratch.Sequential([scratch.Conv2D(4, 9)]).predict(IMAGES), "couvre 9 cases"),
        (lambda: scratch.Sequential([scratch.Flatten(), scratch.Conv2D(4, 3)]).predict(IMAGES), "aplaties"),
        (lambda: scratch.Conv2DTranspose(4, 3, padding=9)(IMAGES), "padding vaut.*il ne resterait rien"),
        (lambda: scratch.conv2d(IMAGES, np.ones((3, 3, 5, 4))), r"6 canaux.*\(F, F, 6, K\).*\(3, 3, 5, 4\)"),
        (lambda: scratch.conv2d(IMAGES, np.ones((3, 3))), r"6 canaux.*\(3, 3\)"),
        (lambda: scratch.conv2d(IMAGES, np.ones((3, 3, 3, 5)), groups=2), r"groups vaut 2.*filtres \(5\)"),
        (lambda: scratch.conv2d(np.ones((4, 4)), np.ones((5, 5))), "couvre 5 cases.*que 4"),
        (lambda: scratch.conv1d([1, 2, 3], [1, 1], stride=0), "strides vaut 0"),
        (lambda: scratch.output_size(32, 5, s=0), "s vaut 0"),
        (lambda: scratch.output_size(3, 5), "couvre 5 cases"),
    ],
)
def test_bad_input_says_what_to_do(make, message):
    with pytest.raises(ValueError, match=message):
        make()
