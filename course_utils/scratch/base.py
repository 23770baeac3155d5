"""What every layer has in common, and how a string such as ``"relu"`` becomes an object."""

from __future__ import annotations

from typing import Any

import numpy as np


class Layer:
    """A differentiable step: ``forward`` computes it, ``backward`` sends the gradient of the loss back through it.

    To write one, define ``forward`` and ``backward``; ``create_params`` too if it learns, and ``output_shape`` if that
    is not the input's. Shapes start with the batch axis, whose size is ``None`` until data comes.

    Attributes
    ----------
    params : dict of str to ndarray
        What gradient descent learns.
    grads : dict of str to ndarray
        Gradient of the loss with respect to each parameter, written by ``backward``.
    state : dict of str to ndarray
        What is kept without gradient (the moving averages of batch normalisation).
    regularizers : dict of str to Regularizer
        Penalty that each named parameter adds to the loss.
    """

    def __init__(self) -> None:
        self.params: dict[str, np.ndarray] = {}
        self.grads: dict[str, np.ndarray] = {}
        self.state: dict[str, np.ndarray] = {}
        self.regularizers: dict[str, Any] = {}
        self.built = False

    def build(self, input_shape, *, seed=None, dtype="float32") -> Layer:
        """Create the parameters for inputs of shape (batch, ...); ``seed`` is an int or a Generator."""
        self.input_shape = tuple(input_shape)
        self.rng, self.dtype = np.random.default_rng(seed), np.dtype(dtype)
        self.create_params(self.input_shape)
        self.built = True
        return self

    def create_params(self, input_shape) -> None:
        """Fill ``params`` and ``state``; by default there is nothing to learn."""

    def prepare(self, x) -> None:
        """Build the layer at its first call, as Keras does, then refuse inputs of another number of features."""
        if not self.built:
            self.build(x.shape, dtype=np.result_type(x, np.float32))
        if x.shape[-1] != self.input_shape[-1]:
            raise ValueError(
                f"{type(self).__name__} a été construite pour {self.input_shape[-1]} valeurs sur le dernier axe ; vous "
                f"donnez un tableau de forme {x.shape}. Vérifiez la forme de vos données et l'ordre des couches."
            )

    def output_shape(self, input_shape):
        """Shape that ``forward`` gives to an input of ``input_shape``; by default the same."""
        return tuple(input_shape)

    def forward(self, x, training=False):
        """Output of the layer for the batch ``x``, keeping what ``backward`` will need."""
        raise NotImplementedError

    def backward(self, grad):
        """From the gradient with respect to the output: fill ``grads``, return the one with respect to the input."""
        raise NotImplementedError

    def __call__(self, x, training=False):
        """Call ``forward``, on anything that can become an array."""
        return self.forward(np.asarray(x), training)


def lookup(choice, kind, registry):
    """Return ``choice`` if it is a ``kind``, or the object that it names in ``registry``."""
    if isinstance(choice, kind):
        return choice
    if isinstance(choice, str) and choice in registry:
        return registry[choice]()
    raise ValueError(
        f"{kind.__name__} : {choice!r} n'est pas connu. "
        f"Donnez l'un de ces noms : {', '.join(registry)} ; ou un objet de ce type, par exemple {kind.example}."
    )
