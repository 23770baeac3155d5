"""Train the street network on 64×64 sprites: ``python data/weights/street_sprites64/train.py`` (needs nothing else)."""

from __future__ import annotations

from pathlib import Path

from course_utils.data import street
from course_utils.models.resnet9 import resnet9
from course_utils.models.shipping import Augmentation, Recipe, publish, train
from course_utils.paths import cache_dir

HERE = Path(__file__).parent
ARGUMENTS = {"input_shape": (64, 64, 3), "widths": (16, 32, 64, 96)}
RECIPE = Recipe(epochs=6, peak=0.1, augment=Augmentation(shift=6, flip=True), seed=22)


def main() -> None:
    """Train, then write the weights, the curve and the card."""
    test = street.sprites(2_000, seed=2, size=64, textures="test")
    model, history = train(
        lambda: resnet9(**ARGUMENTS),
        street.sprites(12_000, seed=1, size=64, textures="train"),
        test,
        RECIPE,
        folder=cache_dir() / HERE.name,
    )
    publish(
        model,
        history,
        RECIPE,
        test,
        folder=HERE,
        builder="resnet9.resnet9",
        arguments=ARGUMENTS,
        card={
            "title": "ResNet-9 étroit, dix classes de la rue, 64 × 64 pixels",
            "classes": list(street.CLASS_NAMES),
            "training_data": "12 000 vignettes de la rue, dessinées par le cours (graine 1)",
            "licence": "MIT, comme le code du cours",
            "tested_on": "2 000 vignettes d'une autre graine (2), devant d'autres photographies",
        },
    )


if __name__ == "__main__":
    main()
