"""The network: layers in a row, and the loop that trains them."""

from __future__ import annotations

from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from course_utils.scratch.base import Layer, lookup
from course_utils.scratch.gradients import numerical_gradient, relative_error
from course_utils.scratch.losses import LOSSES, Loss
from course_utils.scratch.optimizers import OPTIMIZERS, Optimizer


class Sequential:
    """Layers applied one after the other; used like ``keras.Sequential``.

    Parameters
    ----------
    layers : list of Layer
    seed : int
        Decides everything that chance does. The batches have their own generator: two networks of the same seed see the
        same samples in the same order, whatever their layers.
    dtype : "float32" or "float64"
        The second is slower, and exact enough to check gradients.
    """

    def __init__(self, layers=(), *, seed=0, dtype="float32"):
        self.layers: list[Layer] = []
        self.rng, self.batch_rng = np.random.default_rng(seed).spawn(2)
        self.dtype = np.dtype(dtype)
        self.loss: Any = None
        self.metric_names: tuple[str, ...] = ("loss",)
        for layer in layers:
            self.add(layer)

    def add(self, layer) -> None:
        """Append a layer."""
        if not isinstance(layer, Layer):
            raise TypeError(f"Sequential attend des couches, par exemple Dense(10) ; vous donnez {layer!r}.")
        self.layers.append(layer)

    def build(self, input_shape) -> None:
        """Create the parameters for inputs of ``input_shape``, batch axis included: ``(None, 64)``."""
        shape = tuple(input_shape)
        for layer in self.layers:
            if not layer.built:
                layer.build(shape, seed=self.rng, dtype=self.dtype)
            shape = layer.output_shape(shape)

    def forward(self, x, training=False):
        """Return the output of the last layer for the batch ``x``."""
        x = np.asarray(x, self.dtype)
        if not all(layer.built for layer in self.layers):
            self.build((None, *x.shape[1:]))
        for layer in self.layers:
            x = layer.forward(x, training)
        return x

    def backward(self, grad):
        """Fill the ``grads`` of every layer from ∂L/∂output, last layer first; return ∂L/∂input."""
        for layer in reversed(self.layers):
            grad = layer.backward(grad)
        return grad

    @property
    def params(self) -> list[np.ndarray]:
        """Everything that gradient descent learns, from the first layer to the last."""
        return [w for layer in self.layers for w in layer.params.values()]

    @property
    def grads(self) -> list[np.ndarray]:
        """Gradients of the last batch, in the order of ``params``."""
        return [layer.grads[name] for layer in self.layers for name in layer.params]

    @property
    def weights(self) -> list[np.ndarray]:
        """Parameters and moving averages, in Keras' order."""
        return [w for layer in self.layers for w in (*layer.params.values(), *layer.state.values())]

    def get_weights(self) -> list[np.ndarray]:
        """Return copies of ``weights``."""
        return [w.copy() for w in self.weights]

    def set_weights(self, weights) -> None:
        """Copy arrays into ``weights``: those of ``get_weights``, or of the same network in Keras."""
        expected, given = [w.shape for w in self.weights], [np.shape(w) for w in weights]
        if expected != given:
            raise ValueError(
                f"Ce réseau attend des poids de formes {expected} ; vous donnez {given}. "
                "S'il n'a pas encore vu de données, appelez d'abord build((None, nombre d'entrées))."
            )
        for w, value in zip(self.weights, weights, strict=True):
            w[...] = value

    def compile(self, optimizer, loss, metrics=()) -> None:
        """Choose how to learn; ``metrics=("accuracy",)`` adds the accuracy to the loss in what is reported."""
        if set(metrics) - {"accuracy"}:
            raise ValueError(f"metrics vaut {metrics!r} ; la seule mesure possible s'écrit metrics=('accuracy',).")
        self.optimizer = lookup(optimizer, Optimizer, OPTIMIZERS)
        self.loss = lookup(loss, Loss, LOSSES)
        self.metric_names = ("loss", *metrics)

    def compute_gradients(self, x, y) -> list[float]:
        """Do one pass forward and one backward on a batch: fill ``grads``, return its loss and metrics."""
        y_pred = self.forward(x, training=True)
        scores = self.score(y, y_pred)
        self.backward(self.loss.gradient(y, y_pred))
        for layer in self.layers:
            for name, penalty in layer.regularizers.items():
                layer.grads[name] += penalty.gradient(layer.params[name])
        return scores

    def score(self, y, y_pred) -> list[float]:
        """Return the loss of predictions, penalties on the weights included, then the metrics."""
        if self.loss is None:
            raise RuntimeError("Le réseau ne sait pas encore comment apprendre : appelez d'abord compile(...).")
        penalties = (p(layer.params[name]) for layer in self.layers for name, p in layer.regularizers.items())
        scores = [self.loss(y, y_pred) + sum(penalties)]
        return scores + [self.loss.accuracy(y, y_pred) for _ in self.metric_names[1:]]

    def train_on_batch(self, x, y) -> list[float]:
        """Do one step of gradient descent; return the loss (and metrics) of the batch before the step."""
        scores = self.compute_gradients(x, np.asarray(y))
        self.optimizer.apply(self.grads, self.params)
        return scores

    def fit(self, x, y, *, epochs=1, batch_size=32, validation_data=None, shuffle=True, verbose=0) -> dict[str, list]:
        """Train; return the history: lists ``"loss"``, ``"accuracy"``, ``"val_loss"``... of one value an epoch.

        The last batch of an epoch may be smaller. As in Keras, the training scores are means over the batches while the
        network learns (dropout on); those of ``validation_data=(x, y)`` are taken after the epoch (dropout off).
        ``verbose=1`` prints a line an epoch.
        """
        if batch_size < 1 or epochs < 1:
            raise ValueError(f"epochs vaut {epochs} et batch_size {batch_size} ; donnez deux entiers d'au moins 1.")
        x, y = self.check_data(x, y)
        if validation_data is not None:
            x_val, y_val = self.check_data(*validation_data)
        history: dict[str, list] = {}
        for epoch in range(1, epochs + 1):
            # A learning rate that is too large ends in inf and nan: the history shows it, warnings would add nothing.
            # On matrices this small, threads wait for each other longer than they work as soon as the machine is busy.
            with np.errstate(over="ignore", invalid="ignore"), threadpool_limits(1, user_api="blas"):
                logs = dict(zip(self.metric_names, self.train_epoch(x, y, batch_size, shuffle), strict=True))
                if validation_data is not None:
                    scores = self.score(y_val, self.predict(x_val))
                    logs |= {f"val_{name}": value for name, value in zip(self.metric_names, scores, strict=True)}
            for name, value in logs.items():
                history.setdefault(name, []).append(value)
            if verbose:
                print(f"époque {epoch}/{epochs}", *(f"{name} {value:.4f}" for name, value in logs.items()), sep=" · ")
        return history

    def train_epoch(self, x, y, batch_size, shuffle) -> list[float]:
        """See every sample once; return the mean scores."""
        order = self.batch_rng.permutation(len(x)) if shuffle else np.arange(len(x))
        totals = np.zeros(len(self.metric_names))
        for start in range(0, len(x), batch_size):
            rows = order[start : start + batch_size]
            totals += len(rows) * np.array(self.train_on_batch(x[rows], y[rows]))
        return (totals / len(x)).tolist()

    def evaluate(self, x, y, batch_size=256) -> list[float] | float:
        """Return ``[loss, accuracy]``, or the loss alone when ``compile`` asked for no metric."""
        x, y = self.check_data(x, y)
        scores = self.score(y, self.predict(x, batch_size))
        return scores if len(scores) > 1 else scores[0]

    def predict(self, x, batch_size=256):
        """Return the outputs for all of ``x``, computed batch by batch without training."""
        return np.concatenate([self.forward(x[i : i + batch_size]) for i in range(0, len(x), batch_size)])

    def check_data(self, x, y):
        """Return ``x`` in the network's dtype and ``y`` as an array, or say what is wrong with them."""
        x, y = np.asarray(x, self.dtype), np.asarray(y)
        if len(x) != len(y) or not len(x):
            raise ValueError(f"x a {len(x)} exemples et y en a {len(y)} ; il en faut autant, et au moins un.")
        if not np.isfinite(x).all():
            raise ValueError("x contient des valeurs manquantes ou infinies (nan, inf) ; nettoyez d'abord les données.")
        return x, y

    def gradient_check(self, x, y, *, n=20, epsilon=1e-5, seed=0) -> dict[str, float]:
        """Compare back-propagation with finite differences, on ``n`` entries of each parameter drawn at random.

        Returns the relative error of each, ``{"layers[0].kernel": 1e-9, ...}``; gradients below 1e-4 are compared to
        1e-4, for finite differences leave some 1e-11 where the truth is 0. It needs ``dtype="float64"``; dropout draws
        the same masks at each measure, and everything is left as it was found.
        """
        if self.dtype != np.float64:
            raise ValueError("Il faut plus de précision pour vérifier : créez Sequential(..., dtype='float64').")
        self.forward(x)
        chance, weights, picker = self.rng.bit_generator.state, self.get_weights(), np.random.default_rng(seed)

        def loss(_):
            self.rng.bit_generator.state = chance
            return self.score(y, self.forward(x, training=True))[0]

        self.compute_gradients(x, y)
        errors = {}
        for index, layer in enumerate(self.layers):
            for name, w in layer.params.items():
                entries = picker.choice(w.size, min(n, w.size), replace=False)
                measured = numerical_gradient(loss, w, epsilon=epsilon, entries=entries).flat[entries]
                computed = layer.grads[name].flat[entries]
                errors[f"layers[{index}].{name}"] = relative_error(computed, measured, floor=1e-4)
        self.rng.bit_generator.state = chance
        self.set_weights(weights)
        return errors

    def summary(self) -> None:
        """Print the layers, their output shapes and their numbers of parameters."""
        if not self.layers or not all(layer.built for layer in self.layers):
            raise RuntimeError("Les tailles ne sont pas connues : appelez d'abord build((None, nombre d'entrées)).")
        shape = (None, *self.layers[0].input_shape[1:])
        print(f"{'Couche':<22}{'Sortie':<22}{'Paramètres':>10}\n" + "─" * 54)
        for layer in self.layers:
            shape = layer.output_shape(shape)
            count = sum(w.size for w in (*layer.params.values(), *layer.state.values()))
            print(f"{type(layer).__name__:<22}{shape!s:<22}{count:>10}")
        learnt, total = (sum(w.size for w in arrays) for arrays in (self.params, self.weights))
        print("─" * 54 + f"\n{total} paramètres, dont {learnt} appris par descente de gradient")
