"""Train the street detector: ``python data/weights/street_yolo/train.py`` (needs nothing else)."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np

from course_utils import plots
from course_utils.detection.yolo import sets
from course_utils.detection.yolo.losses import LossWeights
from course_utils.detection.yolo.mosaic import Augmentation
from course_utils.detection.yolo.network import yolov4_tiny
from course_utils.detection.yolo.training import Recipe, anchors_for, evaluate, fit
from course_utils.models.pretrained import save_network
from course_utils.paths import cache_dir

HERE = Path(__file__).parent
SIZE, WIDTH = 256, 0.375
RECIPE = Recipe(
    epochs=16,
    batch_size=16,
    peak=4e-3,
    augment=Augmentation(mosaic=0.2, flip=0.5, scale=0.15, shift=0.08, colour=0.2),
    loss=LossWeights(smoothing=0.02),
    seed=24,
)


def main() -> None:
    """Train, then write the weights, the curve and the card."""
    training = sets.street(3_000, seed=24, size=SIZE, textures="train")
    validation = sets.street(150, seed=25, size=SIZE, textures="test")
    test = sets.street(300, seed=26, size=SIZE, textures="test")
    keras.utils.set_random_seed(RECIPE.seed)
    arguments = {
        "classes": len(training.class_names),
        "input_shape": [SIZE, SIZE, 3],
        "width": WIDTH,
        "anchors": anchors_for(training).round(1).astype(float).round(1).tolist(),
    }
    network = yolov4_tiny(**{**arguments, "input_shape": (SIZE, SIZE, 3)})
    history = fit(
        network, training, RECIPE, validation=validation, every=2, mixed=True, folder=cache_dir() / HERE.name,
        callbacks=[Lines()],
    )  # fmt: skip
    for variable in network.model.weights:  # scored as it ships: in half precision
        if variable.name != "moving_variance":
            variable.assign(np.asarray(variable, np.float32).astype(np.float16))
    result = evaluate(network, test, thresholds="coco")
    at_50 = dict(zip(test.class_names, result.ap[0].round(3).tolist(), strict=True))
    curves = {key: history[key] for key in ("box", "objectness", "classes")}
    plots.curves(curves, ylabel="perte").savefig(HERE / "curve.png", dpi=80)
    save_network(
        network.model,
        HERE,
        builder="detection.yolo.network.yolov4_tiny",
        arguments=arguments,
        card={
            "title": f"YOLOv4-tiny étroit, dix classes de la rue, {SIZE} × {SIZE} pixels",
            "output": "detections",
            "classes": list(test.class_names),
            "input": {"shape": [SIZE, SIZE, 3], "normalisation": "none"},
            "training_data": f"{len(training)} scènes de rue, dessinées par le cours (graine 24), de jour et de nuit",
            "licence": "MIT, comme le code du cours",
            "seed": RECIPE.seed,
            "recipe": asdict(RECIPE),
            "score": {
                "map50": round(result.map50, 4),
                "map": round(result.map, 4),
                "map50_per_class": at_50,
                "on": "300 scènes d'une autre graine (26), faites d'autres photographies",
            },
            "epochs": {key: [round(value, 4) for value in values] for key, values in history.items()},
        },
    )
    print(f"mAP50 {result.map50:.3f}, mAP {result.map:.3f}", at_50)


class Lines(keras.callbacks.Callback):
    """One line for each epoch."""

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        """Print the logs."""
        print(f"epoch {epoch + 1}/{RECIPE.epochs}", {k: round(v, 3) for k, v in (logs or {}).items()}, flush=True)


if __name__ == "__main__":
    main()
