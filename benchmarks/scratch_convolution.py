"""Time of the NumPy convolution, forward and backward, against the four loops of the lesson and against TensorFlow.

Batch of 32 images 32 × 32 × 16, 32 filters 3 × 3, padding "same", float32: output, kernel gradient and input gradient.
Each ratio is taken between neighbouring runs of one process, and the table gives the median. The NumPy convolution and
the loops compute on one core, as ``scratch.Sequential.fit`` does; TensorFlow takes all those that it finds.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable

import numpy as np
from threadpoolctl import threadpool_limits

from course_utils import scratch

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

BATCH, SIDE, CHANNELS, FILTERS, F = 32, 32, 16, 32, 3


def four_loops(x, kernel, grad):
    """Convolve and differentiate, image by image, filter by filter, pixel by pixel: the version of the lesson."""
    n, height, width, _ = x.shape
    p = F // 2
    padded = np.pad(x, ((0, 0), (p, p), (p, p), (0, 0)))
    y = np.zeros((n, height, width, kernel.shape[-1]), x.dtype)
    padded_gradient, kernel_gradient = np.zeros_like(padded), np.zeros_like(kernel)
    for image in range(n):
        for k in range(kernel.shape[-1]):
            for i in range(height):
                for j in range(width):
                    window = padded[image, i : i + F, j : j + F]
                    y[image, i, j, k] = np.sum(window * kernel[..., k])
                    kernel_gradient[..., k] += grad[image, i, j, k] * window
                    padded_gradient[image, i : i + F, j : j + F] += grad[image, i, j, k] * kernel[..., k]
    return y, kernel_gradient, padded_gradient[:, p:-p, p:-p]


def ours(x, kernel, grad):
    """Convolve and differentiate with the layer of the course."""
    layer = scratch.Conv2D(FILTERS, F, padding="same", use_bias=False)
    layer.build(x.shape)
    layer.params["kernel"] = kernel
    y = layer.forward(x, training=True)
    input_gradient = layer.backward(grad)
    return y, layer.grads["kernel"], input_gradient


def tensorflow_step() -> Callable:
    """Return the same in TensorFlow, compiled."""
    import tensorflow as tf

    @tf.function
    def step(x, kernel, grad):
        with tf.GradientTape() as tape:
            tape.watch([x, kernel])
            y = tf.nn.conv2d(x, kernel, strides=1, padding="SAME")
        return y, *tape.gradient(y, [kernel, x], output_gradients=grad)

    return lambda *arrays: [tensor.numpy() for tensor in step(*map(tf.constant, arrays))]


def seconds(step, *arrays) -> float:
    start = time.perf_counter()
    step(*arrays)
    return time.perf_counter() - start


def main() -> None:
    """Print the table."""
    rng = np.random.default_rng(0)
    shapes = (BATCH, SIDE, SIDE, CHANNELS), (F, F, CHANNELS, FILTERS), (BATCH, SIDE, SIDE, FILTERS)
    arrays = [rng.standard_normal(shape).astype(np.float32) for shape in shapes]
    theirs = tensorflow_step()
    with threadpool_limits(1, user_api="blas"):
        for result, expected in zip(ours(*arrays), theirs(*arrays), strict=True):
            np.testing.assert_allclose(result, expected, rtol=0, atol=1e-5 * np.abs(expected).max())
        fast = [(seconds(ours, *arrays), seconds(theirs, *arrays)) for _ in range(41)]
        slow = [(seconds(ours, *arrays), seconds(four_loops, *arrays)) for _ in range(3)]
    print(f"Convolution aller et retour, {BATCH} images {SIDE} × {SIDE} × {CHANNELS}, {FILTERS} filtres {F} × {F}")
    median = statistics.median
    print(f"{'scratch':28s} {1e3 * median(a for a, _ in fast):10.1f} ms")
    print(f"{'TensorFlow':28s} {1e3 * median(b for _, b in fast):10.1f} ms")
    print(f"{'quatre boucles':28s} {1e3 * median(b for _, b in slow):10.1f} ms")
    print(f"{'quatre boucles / scratch':28s} {median(b / a for a, b in slow):10.0f}   (on vise au moins 200)")
    print(f"{'scratch / TensorFlow':28s} {median(a / b for a, b in fast):10.2f}   (on vise au plus 4)")


if __name__ == "__main__":
    main()
