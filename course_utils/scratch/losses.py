"""Loss functions: one number that says how wrong the outputs are, and its gradient with respect to them.

``y_pred`` has the shape (N, ..., K). A loss is a mean over the samples: its scale does not depend on the batch size.
"""

from __future__ import annotations

import numpy as np

from course_utils.scratch.activations import Sigmoid, Softmax

# As Keras: probabilities stay this far from 0 and 1, where the logarithm is infinite.
EPSILON = 1e-7


class Loss:
    """Called with ``(y_true, y_pred)``, gives the mean loss; ``gradient`` gives an array of the shape of ``y_pred``."""

    example = "SoftmaxCrossEntropy()"
    # How accuracy reads the outputs: the largest one wins, or each alone says yes above the threshold.
    multi_label = False
    threshold = 0.5

    def __call__(self, y_true, y_pred) -> float:
        """Return the mean loss of the batch."""
        raise NotImplementedError

    def gradient(self, y_true, y_pred):
        """Return ∂L/∂y_pred."""
        raise NotImplementedError

    def accuracy(self, y_true, y_pred) -> float:
        """Return the share of samples whose largest output is right; of outputs on the right side for yes-or-no."""
        if self.multi_label or y_pred.shape[-1] == 1:
            return float(np.mean((y_pred > self.threshold) == (same_shape(y_true, y_pred) > 0.5)))
        return float(np.mean(y_pred.argmax(axis=-1) == one_hot(y_true, y_pred).argmax(axis=-1)))


class MeanSquaredError(Loss):
    """L = mean of (y_pred − y_true)², for regression."""

    def __call__(self, y_true, y_pred) -> float:
        """Return the mean over samples and outputs."""
        return float(np.mean(np.square(y_pred - same_shape(y_true, y_pred))))

    def gradient(self, y_true, y_pred):
        """Return 2 (y_pred − y_true) / number of values."""
        return 2 * (y_pred - same_shape(y_true, y_pred)) / y_pred.size


class BinaryCrossEntropy(Loss):
    """L = −mean of t log p + (1 − t) log(1 − p), for yes-or-no questions, one per output.

    With ``from_logits=True`` the outputs are z, p = sigmoid(z), and nothing overflows.
    """

    multi_label = True

    def __init__(self, from_logits=False):
        self.from_logits = from_logits
        self.threshold = 0.0 if from_logits else 0.5

    def __call__(self, y_true, y_pred) -> float:
        """Return the mean; on logits each term becomes max(z, 0) − t z + log(1 + exp(−|z|))."""
        t = same_shape(y_true, y_pred)
        if self.from_logits:
            return float(np.mean(np.maximum(y_pred, 0) - t * y_pred + np.log1p(np.exp(-np.abs(y_pred)))))
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        return float(-np.mean(t * np.log(p) + (1 - t) * np.log(1 - p)))

    def gradient(self, y_true, y_pred):
        """Return (p − t) / (p (1 − p)), or simply p − t on logits, over the number of values."""
        t = same_shape(y_true, y_pred)
        if self.from_logits:
            return (Sigmoid().function(y_pred) - t) / y_pred.size
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        return (p == y_pred) * (p - t) / (p * (1 - p)) / y_pred.size


class CategoricalCrossEntropy(Loss):
    """L = −mean of Σₖ tₖ log pₖ, where p are probabilities (after a softmax) and t labels, integer or one-hot.

    Keras first divides p by its sum: the loss is the same, and the constant that this adds to the gradient of a sample
    is one that a softmax erases.
    """

    def __call__(self, y_true, y_pred) -> float:
        """Return the mean over the samples."""
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        return float(-np.sum(one_hot(y_true, y_pred) * np.log(p)) / samples(y_pred))

    def gradient(self, y_true, y_pred):
        """Return −t / p over the number of samples; 0 where p is so near 0 or 1 that it was clipped."""
        p = np.clip(y_pred, EPSILON, 1 - EPSILON)
        return (p == y_pred) * -one_hot(y_true, y_pred) / p / samples(y_pred)


class SoftmaxCrossEntropy(Loss):
    """L = −mean of Σₖ tₖ log softmax(z)ₖ, on logits z: the one to prefer, as softmax and logarithm undo each other.

    log softmax(z)ₖ = zₖ − log Σⱼ exp(zⱼ) is computed after subtracting max z, so that no exponential overflows.
    """

    def __call__(self, y_true, y_pred) -> float:
        """Return the mean over the samples."""
        z = y_pred - y_pred.max(axis=-1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=-1, keepdims=True))
        return float(-np.sum(one_hot(y_true, y_pred) * log_p) / samples(y_pred))

    def gradient(self, y_true, y_pred):
        """Return softmax(z) − t over the number of samples: what was said minus what was right."""
        return (Softmax().function(y_pred) - one_hot(y_true, y_pred)) / samples(y_pred)


def samples(y_pred) -> int:
    """Return the number of predictions in an array (N, ..., K)."""
    return y_pred.size // y_pred.shape[-1]


def same_shape(y_true, y_pred):
    """Return ``y_true`` in the shape of ``y_pred``; (N,) may stand for (N, 1), and nothing else is stretched."""
    t = np.asarray(y_true, y_pred.dtype)
    if (*t.shape, 1) == y_pred.shape:
        t = t[..., None]
    if t.shape != y_pred.shape:
        raise ValueError(
            f"La cible a la forme {np.shape(y_true)} et la sortie du réseau la forme {y_pred.shape} : il faut la même. "
            "Vérifiez le nombre de neurones de la dernière couche ; pour des classes, codez la cible par np.eye(K)[y]."
        )
    return t


def one_hot(y_true, y_pred):
    """Return labels in the shape (N, ..., K) of ``y_pred``, from integers (N, ...) or (N, ..., 1), or as they are."""
    t = np.asarray(y_true)
    if t.shape == y_pred.shape:
        return t.astype(y_pred.dtype, copy=False)
    classes = y_pred.shape[-1]
    if t.shape not in (y_pred.shape[:-1], (*y_pred.shape[:-1], 1)):
        raise ValueError(
            f"Les étiquettes ont la forme {t.shape} et la sortie du réseau la forme {y_pred.shape} ; on attend des "
            f"entiers {y_pred.shape[:-1]} ou du one-hot {y_pred.shape}. Une couche Flatten() manque-t-elle au début ?"
        )
    if not np.issubdtype(t.dtype, np.integer):
        raise ValueError(f"Les étiquettes sont de type {t.dtype} ; il faut des entiers : essayez y.astype(int).")
    if t.min() < 0 or t.max() >= classes:
        raise ValueError(
            f"Les étiquettes vont de {t.min()} à {t.max()} et la sortie n'a que {classes} valeurs : on attend de 0 à "
            f"{classes - 1}. Corrigez-les, ou donnez à la dernière couche un neurone par classe."
        )
    hot = np.zeros_like(y_pred)
    np.put_along_axis(hot, t.reshape(*y_pred.shape[:-1], 1), 1, axis=-1)
    return hot


LOSSES = {
    "mean_squared_error": MeanSquaredError,
    "mse": MeanSquaredError,
    "binary_crossentropy": BinaryCrossEntropy,
    "categorical_crossentropy": CategoricalCrossEntropy,
    "sparse_categorical_crossentropy": CategoricalCrossEntropy,
    "softmax_crossentropy": SoftmaxCrossEntropy,
}
