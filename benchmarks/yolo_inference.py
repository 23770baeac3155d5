"""Time of one image through our YOLO networks, against OpenCV's DNN module on the same Darknet files.

``yolov4-tiny`` and ``yolov4`` at 416 × 416, batch of one, random weights (the time does not depend on them), raw heads
asked of both. Ours is what `Detector` runs: normalisations folded into the convolutions, compiled by ``tf.function``;
its outputs are checked against those of OpenCV first. The two are measured in turn in one process, several rounds, with
all the processors; the table gives the median of the ratios. Ends with an error if a target is missed.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SIDE = 416
TARGETS = {"yolov4_tiny": 1.2, "yolov4": 1.0}
"""Largest time wanted, as a share of OpenCV's."""
ROUNDS = {"yolov4_tiny": 41, "yolov4": 15}


def ours(network) -> Callable:
    """Return the compiled network: from one image (1, H, W, 3) to its raw heads."""
    import tensorflow as tf

    from course_utils.detection.yolo.folding import fold

    light = fold(network)
    signature = tf.TensorSpec((1, *network.input_shape), tf.float32)
    run = tf.function(lambda images: light.raw(images), input_signature=[signature])
    return lambda images: [head.numpy() for head in run(tf.constant(images))]


def opencv(config, weights: Path, folder: Path) -> Callable:
    """Return OpenCV's network for the same files."""
    import cv2

    from course_utils.detection import darknet

    cfg = folder / "network.cfg"
    cfg.write_text(config.text())
    network = cv2.dnn.readNetFromDarknet(str(cfg), str(weights))
    heads = [f"conv_{rank - 1}" for rank in darknet.plan(config).heads]

    def run(images):
        network.setInput(np.ascontiguousarray(images.transpose(0, 3, 1, 2)))
        return [head.transpose(0, 2, 3, 1) for head in network.forward(heads)]

    return run


def seconds(run: Callable, images) -> float:
    start = time.perf_counter()
    run(images)
    return time.perf_counter() - start


def randomise(network) -> None:
    """Give weights such that activations neither vanish nor explode."""
    rng = np.random.default_rng(0)
    for conv, norm in network.convolutions:
        kernel, *rest = conv.get_weights()
        kernel = rng.standard_normal(kernel.shape, np.float32) / np.float32(np.sqrt(np.prod(kernel.shape[:3])))
        conv.set_weights([kernel, *rest])
        if norm is not None:
            norm.set_weights([rng.uniform(0.5, 1.0, norm.gamma.shape).astype(np.float32) for _ in range(4)])


def compare(name: str, images, folder: Path) -> list[tuple[float, float]]:
    """Return the seconds of both, round after round."""
    from course_utils.detection import darknet, yolo

    cfg = Path(os.environ.get("COURSE_DATA", "absent")) / "yolov4" / f"{name.replace('_', '-')}.cfg"
    if not cfg.is_file():
        print(f"{cfg.name} manque : cette mesure demande COURSE_DATA ; elle est omise.")
        sys.exit(0)
    config = darknet.parse_cfg(cfg).with_input(SIDE, SIDE)
    network = getattr(yolo, name)(classes=80, input_shape=(SIDE, SIDE, 3), epsilon=1e-6)
    randomise(network)
    weights = folder / f"{name}.weights"
    darknet.write_weights(network, weights)
    mine, theirs = ours(network), opencv(config, weights, folder)
    for head, expected in zip(mine(images), theirs(images), strict=True):
        np.testing.assert_allclose(head, expected, rtol=0, atol=2e-3)
    for run in (mine, theirs):
        run(images)
    return [(seconds(mine, images), seconds(theirs, images)) for _ in range(ROUNDS[name])]


def main() -> None:
    """Print the table; exit 1 if a target is missed."""
    images = np.random.default_rng(1).random((1, SIDE, SIDE, 3), np.float32)
    print(f"Inférence, une image {SIDE} × {SIDE}, têtes brutes : médianes")
    missed = False
    for name, target in TARGETS.items():
        with tempfile.TemporaryDirectory() as folder:
            times = compare(name, images, Path(folder))
        ratio = statistics.median(a / b for a, b in times)
        missed |= ratio > target
        print(
            f"{name:12s} TensorFlow {1e3 * statistics.median(a for a, _ in times):7.1f} ms   "
            f"OpenCV {1e3 * statistics.median(b for _, b in times):7.1f} ms   "
            f"rapport {ratio:.2f}   (on vise au plus {target})"
        )
    sys.exit(missed)


if __name__ == "__main__":
    main()
