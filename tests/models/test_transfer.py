"""Transfer learning on 300 photos of cats and dogs: features of ImageNet against a network trained from scratch."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras import layers
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from course_utils import data, models
from course_utils.models.inputs import resize
from course_utils.paths import course_data

MOBILENET = "mobilenet_v1_0.75_224_imagenet.weights.h5"


@pytest.fixture(scope="module")
def photos():
    folder = course_data()
    if folder is None or not (folder / "cats_dogs").is_dir() or not (folder / "weights" / MOBILENET).is_file():
        pytest.skip("COURSE_DATA lacks the photos of cats and dogs, or MobileNet's weights")
    return data.load("cats_dogs", split="train", n=300, size=192), data.load("cats_dogs", split="test", size=192)


def small_network() -> keras.Model:
    body = [keras.Input((64, 64, 3))]
    for filters in (16, 32, 64):
        body += [layers.Conv2D(filters, 3, padding="same", activation="relu"), layers.MaxPooling2D(2)]
    return keras.Sequential([*body, layers.GlobalAveragePooling2D(), layers.Dense(2)])


def test_features_of_mobilenet_beat_training_from_scratch_on_300_photos(photos):
    train, test = photos
    assert train.source == test.source == "COURSE_DATA"
    assert (len(train), len(test)) == (300, 500)
    expert = models.load_pretrained("mobilenet_v1_0.75", fallback=None)
    body = expert.features()
    features, test_features = (
        body.predict(expert.preprocess(part.images), batch_size=50, verbose=0) for part in (train, test)
    )
    probe = make_pipeline(StandardScaler(), LogisticRegression(C=0.1, max_iter=1000)).fit(features, train.labels)
    transfer = probe.score(test_features, test.labels)

    keras.utils.set_random_seed(0)
    scratch = small_network()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    scratch.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    scratch.fit(resize(train.images, 64, 64), train.labels, epochs=20, batch_size=20, verbose=0)
    answers = scratch.predict(resize(test.images, 64, 64), verbose=0).argmax(axis=1)
    from_scratch = float(np.mean(answers == test.labels))

    assert transfer >= 0.94
    assert from_scratch <= transfer - 0.15
