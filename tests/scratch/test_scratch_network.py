"""The NumPy network against its Keras twin, and what a participant may count on."""

from __future__ import annotations

import subprocess
import sys

import keras
import numpy as np
import pytest

from course_utils import scratch

# Constants that float32 holds exactly, as Keras rounds them so even when it computes in float64.
TWINS = {
    "plain": ("SGD", {"learning_rate": 2**-3}),
    "momentum": ("SGD", {"learning_rate": 2**-4, "momentum": 0.875}),
    "nesterov": ("SGD", {"learning_rate": 2**-4, "momentum": 0.875, "nesterov": True}),
    "rmsprop": ("RMSprop", {"learning_rate": 2**-9}),
    "adam": ("Adam", {"learning_rate": 2**-7, "beta_1": 0.875, "beta_2": 1 - 2**-8}),
}


def problem(n=330, seed=0):
    """Three noisy classes of images, 4 × 4."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 3, n)
    return rng.standard_normal((3, 4, 4, 1))[labels] + rng.standard_normal((n, 4, 4, 1)), labels


def stack(library, activation="relu"):
    """The same layers in either library: every kind, dropout silent."""
    layers = library.layers if library is keras else library
    regularizers = keras.regularizers if library is keras else scratch
    return [
        layers.Flatten(),
        layers.Dense(12, activation=activation, kernel_regularizer=regularizers.L2(2**-10)),
        layers.BatchNormalization(momentum=0.875, epsilon=2**-10),
        layers.Dropout(0.0),
        layers.Dense(8, activation="tanh", kernel_initializer="orthogonal", kernel_regularizer=regularizers.L1(2**-10)),
        layers.Dense(3),
    ]


def twins(dtype, optimizer, options, activation="relu"):
    """A NumPy network and a Keras one that start from the same weights."""
    theirs = keras.Sequential([keras.Input((4, 4, 1)), *stack(keras, activation)])
    theirs.compile(
        getattr(keras.optimizers, optimizer)(**options),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    ours = scratch.Sequential(stack(scratch, activation), dtype=dtype)
    ours.compile(getattr(scratch, optimizer)(**options), "softmax_crossentropy", metrics=["accuracy"])
    ours.build((None, 4, 4, 1))
    ours.set_weights(theirs.get_weights())
    return ours, theirs


@pytest.mark.parametrize("name", TWINS)
def test_fifty_steps_equal_keras(name, dtype):
    ours, theirs = twins(dtype, *TWINS[name], activation="elu")
    x, y = problem()
    x = x.astype(dtype)
    losses = []
    for step in range(50):
        rows = np.arange(step * 16, step * 16 + 16) % len(x)
        theirs.reset_metrics()
        losses.append((ours.train_on_batch(x[rows], y[rows])[0], float(theirs.train_on_batch(x[rows], y[rows])[0])))
    ours_losses, keras_losses = np.array(losses).T
    exact = dtype == "float64"
    np.testing.assert_allclose(ours_losses, keras_losses, rtol=1e-9 if exact else 1e-4)
    assert ours_losses[-5:].mean() < 0.8 * ours_losses[:5].mean()
    for w, v in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(w, v, rtol=0, atol=1e-8 if exact else 1e-3)
    np.testing.assert_allclose(ours.predict(x), theirs.predict(x, verbose=0), rtol=0, atol=1e-7 if exact else 1e-2)


def test_history_and_evaluation_equal_keras(float64):
    ours, theirs = twins(float64, *TWINS["adam"])
    x, y = problem()
    options = {"epochs": 3, "batch_size": 32, "validation_data": (x[250:], y[250:]), "shuffle": False, "verbose": 0}
    history = ours.fit(x[:250], y[:250], **options)  # 250 = 7 × 32 + 26: a last batch that is smaller
    expected = theirs.fit(x[:250], y[:250], **options).history
    assert list(history) == ["loss", "accuracy", "val_loss", "val_accuracy"]
    assert set(history) == set(expected)
    for name, values in history.items():
        np.testing.assert_allclose(values, expected[name], rtol=1e-6, err_msg=name)
    np.testing.assert_allclose(ours.evaluate(x, y), theirs.evaluate(x, y, verbose=0), rtol=1e-6)


def test_summary_counts_like_keras(capsys):
    ours, theirs = twins("float32", "SGD", {})
    ours.summary()
    printed = capsys.readouterr().out
    assert f"{theirs.count_params()} paramètres" in printed
    assert f"dont {sum(np.prod(v.shape) for v in theirs.trainable_variables)} appris" in printed
    for layer, line in zip(theirs.layers, printed.splitlines()[2:], strict=False):
        assert str(layer.output.shape) in line and line.split()[-1] == str(layer.count_params())


def small_network(seed=0, **options):
    net = scratch.Sequential(
        [
            scratch.Flatten(),
            scratch.Dense(16, "relu"),
            scratch.Dropout(0.2),
            scratch.BatchNormalization(),
            scratch.Dense(3),
        ],
        seed=seed,
        **options,
    )
    net.compile(scratch.Adam(0.01), scratch.SoftmaxCrossEntropy(), metrics=("accuracy",))
    return net


def test_same_seed_same_result_to_the_bit():
    x, y = problem()
    first, second, other = small_network(1), small_network(1), small_network(2)
    histories = [net.fit(x, y, epochs=2, validation_data=(x, y)) for net in (first, second, other)]
    assert histories[0] == histories[1] != histories[2]
    for w, v in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(w, v)


def test_training_does_not_touch_the_global_state_of_numpy():
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    small_network().fit(*problem(), epochs=1)
    np.testing.assert_array_equal(state, np.random.get_state()[1])  # noqa: NPY002


class Witness(scratch.Layer):
    """Lets everything through and remembers what it saw in training."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x, training=False):
        if training:
            self.seen.append(x[:, 0].astype(int))
        return x

    def backward(self, grad):
        return grad


def batches(layers, shuffle=True, seed=0, epochs=2):
    witness = Witness()
    net = scratch.Sequential([witness, *layers], seed=seed)
    net.compile("sgd", "mse")
    net.optimizer.learning_rate = 1e-9
    net.fit(np.arange(50.0)[:, None], np.zeros(50), epochs=epochs, batch_size=16, shuffle=shuffle)
    return witness.seen


def test_batches_cover_every_sample_once_an_epoch_and_the_last_one_is_kept():
    for shuffle in (True, False):
        seen = batches([scratch.Dense(1)], shuffle)
        assert [len(rows) for rows in seen] == [16, 16, 16, 2] * 2
        for epoch in (seen[:4], seen[4:]):
            assert sorted(np.concatenate(epoch)) == list(range(50))
    np.testing.assert_array_equal(np.concatenate(seen[:4]), np.arange(50))
    shuffled = batches([scratch.Dense(1)])
    assert (np.concatenate(shuffled[:4]) != np.concatenate(shuffled[4:])).any()


def test_networks_of_one_seed_see_the_same_batches_whatever_their_layers():
    one, other = batches([scratch.Dense(1)]), batches([scratch.Dense(7), scratch.Dropout(0.5), scratch.Dense(1)])
    np.testing.assert_array_equal(np.concatenate(one), np.concatenate(other))


def test_weights_survive_a_file_and_a_new_network(tmp_path):
    x, y = problem()
    net = small_network()
    net.fit(x, y)
    np.savez(tmp_path / "weights.npz", *net.get_weights())
    copy = small_network(seed=9)
    copy.build((None, 4, 4, 1))
    with np.load(tmp_path / "weights.npz") as file:
        copy.set_weights([file[name] for name in file.files])
    np.testing.assert_array_equal(net.predict(x), copy.predict(x))
    weights = net.get_weights()
    weights[0][...] = 0  # a copy: the network is not touched
    np.testing.assert_array_equal(net.predict(x), copy.predict(x))


def test_prediction_does_not_depend_on_the_batch_size_and_dropout_rests():
    x, y = problem()
    net = small_network()
    net.fit(x, y)
    np.testing.assert_allclose(net.predict(x, batch_size=7), net.predict(x), rtol=1e-5, atol=1e-6)
    assert net.predict(x).dtype == np.float32


def test_gradient_check_accepts_right_gradients_and_leaves_no_trace():
    x, y = problem(40)
    net = small_network(dtype="float64")
    net.layers[1].regularizers["kernel"] = scratch.L1L2(0.01, 0.02)
    net.build((None, 4, 4, 1))
    before, chance = net.get_weights(), net.rng.bit_generator.state
    errors = net.gradient_check(x, y)
    assert list(errors)[:2] == ["layers[1].kernel", "layers[1].bias"] and "layers[3].gamma" in errors
    assert max(errors.values()) < 1e-6
    assert net.rng.bit_generator.state == chance
    for w, v in zip(net.get_weights(), before, strict=True):
        np.testing.assert_array_equal(w, v)


def test_gradient_check_is_not_fooled_by_gradients_that_are_zero():
    # Batch normalisation subtracts the mean: the bias before it changes nothing, and its gradient is 0.
    net = scratch.Sequential([scratch.Dense(5), scratch.BatchNormalization(), scratch.Dense(3)], dtype="float64")
    net.compile("sgd", "softmax_crossentropy")
    x, y = problem(40)
    assert max(net.gradient_check(x.reshape(40, -1), y).values()) < 1e-6
    np.testing.assert_allclose(net.layers[0].grads["bias"], 0, atol=1e-12)


def test_gradient_check_refuses_wrong_gradients(monkeypatch):
    monkeypatch.setattr(scratch.Tanh, "slope", lambda self, y: 1 - y)  # a forgotten square
    net = scratch.Sequential([scratch.Dense(5, "tanh"), scratch.Dense(3)], dtype="float64")
    net.compile("sgd", "softmax_crossentropy")
    x, y = problem(40)
    errors = net.gradient_check(x.reshape(40, -1), y)
    assert errors["layers[0].kernel"] > 1e-2
    assert errors["layers[1].kernel"] < 1e-6


def test_numerical_gradient_of_known_functions():
    rng = np.random.default_rng(0)
    a, x = rng.standard_normal((4, 4)), rng.standard_normal(4)
    start = x.copy()
    np.testing.assert_allclose(scratch.numerical_gradient(lambda v: v @ a @ v, x), (a + a.T) @ x, rtol=1e-7)
    np.testing.assert_array_equal(x, start)
    partial = scratch.numerical_gradient(lambda v: (v**2).sum(), x, entries=[1, 3])
    np.testing.assert_allclose(partial, [0, 2 * x[1], 0, 2 * x[3]], atol=1e-9)
    assert scratch.relative_error([1.0, 2.0], [1.0, 2.0]) == 0 == scratch.relative_error([0.0], [0.0])
    assert scratch.relative_error([1.0], [-1.0]) == pytest.approx(1)
    for bad, message in ((np.ones(2, np.float32), "float32"), ([1.0], "list")):
        with pytest.raises(TypeError, match=message):
            scratch.numerical_gradient(lambda v: v.sum(), bad)


def test_fit_learns_a_function_and_a_yes_or_no_question():
    x = np.linspace(-3, 3, 200)[:, None]
    net = scratch.Sequential([scratch.Dense(32, "tanh"), scratch.Dense(1)])
    net.compile(scratch.Adam(0.02), "mse")
    history = net.fit(x, np.sin(x[:, 0]), epochs=60)
    assert history["loss"][-1] < 0.01 < 0.1 < history["loss"][0]
    assert isinstance(net.evaluate(x, np.sin(x)), float)
    net = scratch.Sequential([scratch.Dense(16, "relu"), scratch.Dense(1, "sigmoid")])
    net.compile(scratch.Adam(0.02), "binary_crossentropy", metrics=["accuracy"])
    assert net.fit(x, (np.abs(x[:, 0]) > 1).astype(int), epochs=60)["accuracy"][-1] > 0.95


def test_gradients_can_be_accumulated():
    x, y = problem(32)
    x = x.reshape(32, -1)
    nets = [scratch.Sequential([scratch.Dense(5, "tanh"), scratch.Dense(3)], dtype="float64") for _ in range(2)]
    for net in nets:
        net.compile(scratch.SGD(0.1), "softmax_crossentropy")
    nets[0].train_on_batch(x, y)
    total = 0.0
    for rows in (slice(0, 16), slice(16, 32)):
        nets[1].compute_gradients(x[rows], y[rows])
        total = [g / 2 + t for g, t in zip(nets[1].grads, total or [0.0] * 4, strict=True)]
    nets[1].optimizer.apply(total, nets[1].params)
    for w, v in zip(nets[0].params, nets[1].params, strict=True):
        np.testing.assert_allclose(w, v, rtol=1e-10, atol=1e-14)


def test_a_diverging_training_shows_in_the_history_without_warnings(recwarn):
    net = scratch.Sequential([scratch.Dense(8), scratch.Dense(1)])
    net.compile(scratch.SGD(50.0), "mse")
    x = np.random.default_rng(0).standard_normal((64, 3))
    history = net.fit(x, x[:, 0], epochs=20)
    assert not np.isfinite(history["loss"][-1])
    assert not recwarn.list


def test_verbose_prints_a_line_an_epoch(capsys):
    net = small_network()
    net.fit(*problem(), epochs=2)
    assert capsys.readouterr().out == ""
    net.fit(*problem(), epochs=2, verbose=1)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 and lines[1].startswith("époque 2/2 · loss 0.") and "accuracy 0." in lines[1]


def test_scratch_imports_neither_tensorflow_nor_keras():
    code = "import sys, course_utils.scratch as s; sys.exit(any(m in sys.modules for m in ('tensorflow', 'keras')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


X, Y = problem(20)


@pytest.mark.parametrize(
    ("act", "error", "message"),
    [
        (lambda net: net.fit(X, Y[:-1]), ValueError, "20 exemples et y en a 19"),
        (lambda net: net.fit(X[:0], Y[:0]), ValueError, "au moins un"),
        (lambda net: net.fit(np.where(X > 0, X, np.nan), Y), ValueError, "nan"),
        (lambda net: net.fit(X, Y, batch_size=0), ValueError, "batch_size 0"),
        (lambda net: net.fit(X, Y, validation_data=(X, Y[:3])), ValueError, "20 exemples et y en a 3"),
        (lambda net: net.fit(X, Y + 1), ValueError, "Les étiquettes vont de 1 à 3"),
        (lambda net: net.compile("adamm", "mse"), ValueError, "'adamm' n'est pas connu.*sgd, rmsprop, adam"),
        (lambda net: net.compile("adam", "mae"), ValueError, "'mae' n'est pas connu.*mse"),
        (lambda net: net.compile(scratch.Adam, "mse"), ValueError, "Adam.*n'est pas connu"),
        (lambda net: net.compile("adam", "mse", metrics=["auc"]), ValueError, "auc.*accuracy"),
        (lambda net: net.set_weights([np.zeros((2, 2))]), ValueError, "build"),
        (lambda net: net.summary(), RuntimeError, "build"),
        (lambda net: net.gradient_check(X, Y), ValueError, "float64"),
        (lambda net: net.add("dense"), TypeError, "'dense'"),
        (lambda net: net.add(scratch.Dense), TypeError, "Dense"),
        (lambda net: scratch.Sequential([scratch.Dense(3)]).fit(X, Y), RuntimeError, "compile"),
        (lambda net: net.fit(X, Y) and net.predict(np.ones((2, 5, 5, 1))), ValueError, r"16 valeurs.*\(2, 25\)"),
    ],
)
def test_bad_input_says_what_to_do(act, error, message):
    with pytest.raises(error, match=message):
        act(small_network())
