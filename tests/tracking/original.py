"""SORT once more, from the paper alone (Bewley et al., 2016): one filterpy filter a track, loops, no vectorisation."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment


def overlap(a, b):
    width = min(a[2], b[2]) - max(a[0], b[0])
    height = min(a[3], b[3]) - max(a[1], b[1])
    if width <= 0 or height <= 0:
        return 0.0
    shared = width * height
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


class Target:
    """A target: its filter and its counters."""

    def __init__(self, box, identity):
        from filterpy.kalman import KalmanFilter

        self.filter = KalmanFilter(dim_x=7, dim_z=4)
        for k in range(3):
            self.filter.F[k, k + 4] = 1
        self.filter.H = np.eye(4, 7)
        self.filter.R = np.diag([1.0, 1, 10, 10])
        self.filter.P = np.diag([10.0, 10, 10, 10, 10000, 10000, 10000])
        self.filter.Q = np.diag([1.0, 1, 1, 1, 0.01, 0.01, 0.0001])
        self.filter.x[:4, 0] = self.observation(box)
        self.identity, self.unseen, self.consecutive = identity, 0, 0

    @staticmethod
    def observation(box):
        width, height = box[2] - box[0], box[3] - box[1]
        return np.array([box[0] + width / 2, box[1] + height / 2, width * height, width / height])

    def box(self):
        u, v, area, ratio = self.filter.x[:4, 0]
        width = np.sqrt(area * ratio)
        height = area / width
        return np.array([u - width / 2, v - height / 2, u + width / 2, v + height / 2])

    def predict(self):
        if self.filter.x[6, 0] + self.filter.x[2, 0] <= 0:
            self.filter.x[6, 0] = 0.0
        self.filter.predict()
        if self.unseen:
            self.consecutive = 0
        self.unseen += 1
        return self.box()


def sort(frames, max_age=1, min_hits=3, threshold=0.3):
    """Return (ids, boxes) for each frame of detections (n, 4)."""
    targets, identity, answers = [], 0, []
    for number, found in enumerate(frames, 1):
        expected = [target.predict() for target in targets]
        similarity = np.array([[overlap(p, d) for d in found] for p in expected]).reshape(len(expected), len(found))
        taken = set()
        for i, j in zip(*linear_sum_assignment(-similarity), strict=True):
            if similarity[i, j] >= threshold:
                taken.add(j)
                targets[i].filter.update(Target.observation(found[j]))
                targets[i].unseen = 0
                targets[i].consecutive += 1
        for j in range(len(found)):
            if j not in taken:
                identity += 1
                targets.append(Target(found[j], identity))
        targets = [target for target in targets if target.unseen <= max_age]
        shown = [t for t in targets if not t.unseen and (t.consecutive >= min_hits or number <= min_hits)]
        answers.append(([t.identity for t in shown], [t.box() for t in shown]))
    return answers
