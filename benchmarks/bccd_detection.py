"""Blood cells (BCCD, 205 training photographs): mAP50 of a narrow YOLOv4-tiny trained from scratch, longer recipe.

Needs ``COURSE_DATA``. About ten minutes on two cores; with ``--folder`` an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import os
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras

from course_utils.detection.yolo import sets, training
from course_utils.detection.yolo.losses import LossWeights
from course_utils.detection.yolo.mosaic import Augmentation
from course_utils.detection.yolo.network import yolov4_tiny

SIZE = 256
RECIPE = training.Recipe(
    epochs=60,
    batch_size=8,
    peak=4e-3,
    augment=Augmentation(mosaic=0.3, flip=0.5, scale=0.2, shift=0.1, colour=0.3),
    loss=LossWeights(smoothing=0.02),
)


class Lines(keras.callbacks.Callback):
    """One line for each score."""

    def on_epoch_end(self, epoch, logs=None):
        """Print the logs when there is a score."""
        if "val_map50" in (logs or {}):
            print(f"epoch {epoch + 1}", {key: round(value, 3) for key, value in logs.items()}, flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--epochs", type=int, default=RECIPE.epochs)
    parser.add_argument("--width", type=float, default=0.375)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--mixed", action="store_true", help="bfloat16, for processors that have it")
    parser.add_argument("--folder", help="where to keep the state")
    options = parser.parse_args()
    if not os.environ.get("COURSE_DATA"):
        print("BCCD needs COURSE_DATA: nothing measured.")
        return
    train, validation, test = (sets.bccd(split, size=SIZE) for split in ("train", "val", "test"))
    keras.utils.set_random_seed(options.seed)
    network = yolov4_tiny(3, (SIZE, SIZE, 3), width=options.width, anchors=training.anchors_for(train))
    start, clock = time.process_time(), time.perf_counter()
    training.fit(
        network, train, RECIPE, epochs=options.epochs, seed=options.seed, validation=validation, every=10,
        mixed=options.mixed, folder=options.folder, callbacks=[Lines()],
    )  # fmt: skip
    print(f"{time.process_time() - start:.0f} s of processor, {time.perf_counter() - clock:.0f} s")
    for name, examples in (("val", validation), ("test", test)):
        result = training.evaluate(network, examples)
        scores = {key: round(value, 3) for key, value in result.per_class.items()}
        print(f"{name}: mAP50 {result.map50:.3f} ({len(examples)} images)", scores)


if __name__ == "__main__":
    main()
