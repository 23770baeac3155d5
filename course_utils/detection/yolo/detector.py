"""From an image to boxes in its own pixels: `Detector`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from course_utils.detection.nms import KINDS, nms, soft_nms
from course_utils.detection.results import Detections
from course_utils.detection.yolo.heads import Network, decode_all
from course_utils.detection.yolo.letterboxing import Letterbox, letterbox

BATCH = 16
"""Images that go through the network together, at most."""


class Detector:
    """A trained network, ready to find objects in images of any size.

    The network is compiled once, at the first image, its batch normalisations folded into its convolutions: weights
    that change afterwards need a new detector.

    Parameters
    ----------
    network : Network
        From `course_utils.detection.yolo` or `course_utils.detection.darknet`.
    class_names : sequence of str
        One name for each class.
    confidence : float
        Boxes whose score (objectness × probability of the class) is lower are dropped.
    nms_threshold : float
        Of two boxes of the same class that overlap more than this, only the surest is kept.
    nms_kind : str
        As for `course_utils.detection.nms.nms`; the soft kinds lower the scores of the boxes that overlap.
    keep_ratio : bool
        Whether images are letterboxed, or stretched over the network's input.
    multi_label : bool
        Darknet's way: a box may be given for several classes. By default, for its likeliest class only.

    Raises
    ------
    ValueError
        If there is not one name for each class, if a threshold is not in [0, 1], or if there is no such `nms_kind`.
    """

    def __init__(
        self,
        network: Network,
        class_names: Sequence[str],
        *,
        confidence: float = 0.25,
        nms_threshold: float = 0.45,
        nms_kind: str = "greedy",
        keep_ratio: bool = True,
        multi_label: bool = False,
    ) -> None:
        if len(class_names) != network.classes:
            raise ValueError(
                f"Le réseau a {network.classes} classe{'s' if network.classes > 1 else ''} ; class_names en nomme "
                f"{len(class_names)} : donnez un nom à chacune, dans l'ordre de l'entraînement."
            )
        self.network = network
        self.class_names = tuple(class_names)
        self.confidence = _fraction("confidence", confidence)
        self.nms_threshold = _fraction("nms_threshold", nms_threshold)
        if nms_kind not in KINDS:
            raise ValueError(f"nms_kind vaut l'un de {', '.join(KINDS)} ; reçu : {nms_kind!r}.")
        self.nms_kind = nms_kind
        self.keep_ratio = keep_ratio
        self.multi_label = multi_label
        self._compiled: Any = None

    def detect(
        self, image: NDArray[Any], *, confidence: float | None = None, nms_threshold: float | None = None
    ) -> Detections:
        """Find the objects of an image.

        Parameters
        ----------
        image : ndarray, shape (H, W, 3), (H, W, 1) or (H, W)
            RGB or grey, float in [0, 1] or uint8 from 0 to 255, of any size.
        confidence, nms_threshold : float, optional
            Instead of the detector's own, for this image.

        Returns
        -------
        Detections
            In the pixels of the image, inside it, the surest first; when nothing is found, boxes have the shape (0, 4).

        Raises
        ------
        ValueError
            If this is not an image, or is empty, or if its pixels are out of range.
        """
        return self.detect_batch([image], confidence=confidence, nms_threshold=nms_threshold)[0]

    def detect_batch(
        self,
        images: Iterable[NDArray[Any]],
        *,
        confidence: float | None = None,
        nms_threshold: float | None = None,
    ) -> list[Detections]:
        """Find the objects of several images, of the same size or not: see `detect`."""
        found: list[Detections] = []
        pending: list[tuple[NDArray[np.float32], Letterbox]] = []
        floor = self.confidence if confidence is None else _fraction("confidence", confidence)
        overlap = self.nms_threshold if nms_threshold is None else _fraction("nms_threshold", nms_threshold)
        for image in images:
            pending.append(self._prepare(image))
            if len(pending) == BATCH:
                found += self._flush(pending, floor, overlap)
                pending = []
        return found + self._flush(pending, floor, overlap)

    def scores(self, image: NDArray[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return every box of every cell, and its score for every class, before any threshold.

        Returns
        -------
        boxes : ndarray of float32, shape (n, 4)
            In the pixels of the image; they may stick out of it.
        scores : ndarray of float32, shape (n, classes)
        """
        canvas, place = self._prepare(image)
        boxes, scores = self._run(canvas[None])
        return place.to_image(boxes[0]), scores[0]

    def _prepare(self, image: NDArray[Any]) -> tuple[NDArray[np.float32], Letterbox]:
        height, width, channels = self.network.input_shape
        return letterbox(as_image(image, channels), (height, width), keep_ratio=self.keep_ratio)

    def _run(self, canvases: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        if self._compiled is None:
            self._compiled = compiled(self.network)
        boxes, scores = (tensor.numpy() for tensor in self._compiled(canvases))
        if not np.isfinite(scores).all():
            raise ValueError(
                "Le réseau a donné des scores qui ne sont pas des nombres finis : ses poids ont divergé pendant "
                "l'entraînement, ou le fichier de poids n'est pas le sien."
            )
        return boxes, scores

    def _flush(
        self, pending: list[tuple[NDArray[np.float32], Letterbox]], confidence: float, overlap: float
    ) -> list[Detections]:
        if not pending:
            return []
        boxes, scores = self._run(np.stack([canvas for canvas, _ in pending]))
        return [
            self._select(place, box, score, confidence, overlap)
            for (_, place), box, score in zip(pending, boxes, scores, strict=True)
        ]

    def _select(
        self,
        place: Letterbox,
        boxes: NDArray[np.float32],
        scores: NDArray[np.float32],
        confidence: float,
        overlap: float,
    ) -> Detections:
        """Keep the sure boxes, bring them to the image, cut what sticks out, suppress the duplicates."""
        if self.multi_label:
            rows, classes = np.nonzero(scores >= confidence)
        else:
            classes = scores.argmax(axis=1)
            rows = np.flatnonzero(scores[np.arange(len(scores)), classes] >= confidence)
            classes = classes[rows]
        height, width = place.image_size
        inside = np.clip(place.to_image(boxes[rows]), 0, np.array([width, height] * 2, np.float32))
        visible = np.all(inside[:, 2:] > inside[:, :2], axis=1)
        candidates = Detections(inside[visible], scores[rows, classes][visible], classes[visible])
        return suppressed(candidates, overlap, self.nms_kind)


def suppressed(found: Detections, threshold: float, kind: str) -> Detections:
    """Suppress, class by class, the boxes that repeat a surer one; with the soft kinds, lower their scores instead."""
    options: dict[str, Any] = {"threshold": threshold, "classes": found.classes, "kind": kind}
    if kind.startswith("soft"):
        kept, scores = soft_nms(found.boxes, found.scores, **options)
        return Detections(found.boxes[kept], scores, found.classes[kept])
    return found[nms(found.boxes, found.scores, **options)]


def compiled(network: Network) -> Any:
    """Return a function of images (N, H, W, C) that gives boxes (N, n, 4) and scores (N, n, classes), as a TF graph."""
    import tensorflow as tf

    from course_utils.detection.yolo.folding import fold

    light = fold(network)

    @tf.function(input_signature=[tf.TensorSpec((None, *network.input_shape), tf.float32)])
    def run(images: Any) -> tuple[Any, Any]:
        boxes, objectness, probabilities = decode_all(light.raw(images), light.heads)
        return boxes, objectness[..., None] * probabilities

    return run


def as_image(image: NDArray[Any], channels: int) -> NDArray[np.float32]:
    """Return an image (H, W, channels) of float32 in [0, 1], after checking what was given.

    Raises
    ------
    ValueError
        If it is not an image of numbers, is empty, or has its pixels out of range.
    """
    given = np.asarray(image)
    advice = "on attend (hauteur, largeur, 3), en RGB, ou une image grise (hauteur, largeur)"
    if given.dtype != np.uint8 and not np.issubdtype(given.dtype, np.floating):
        raise ValueError(f"Une image est faite de float de 0 à 1 ou de uint8 de 0 à 255 ; reçu : {given.dtype}.")
    if given.ndim == 2:
        given = given[..., None]
    if given.ndim != 3 or given.shape[2] not in (1, channels):
        more = " Pour un lot d'images, appelez detect_batch." if given.ndim == 4 else ""
        raise ValueError(f"Ce n'est pas une image : {advice} ; reçu : {np.shape(image)}.{more}")
    if 0 in given.shape:
        raise ValueError(f"Image vide, de forme {np.shape(image)} : le fichier a-t-il été lu ? {advice.capitalize()}.")
    if given.dtype == np.uint8:
        given = given.astype(np.float32) / np.float32(255)
    low, high = float(given.min()), float(given.max())
    if not (low >= -1e-3 and high <= 1 + 1e-3):
        raise ValueError(
            f"Les pixels doivent aller de 0 à 1 (ou être des uint8 de 0 à 255) ; reçu : de {low:g} à {high:g}."
        )
    given = given.astype(np.float32, copy=False)
    return np.repeat(given, channels, axis=2) if given.shape[2] != channels else given


def _fraction(name: str, value: float) -> float:
    if not 0 <= value <= 1:
        raise ValueError(f"{name} doit être entre 0 et 1 ; reçu : {value}.")
    return float(value)
