"""The Kalman filter (Kalman, 1960): a prediction and a measurement, each weighted by how much it is worth.

`KalmanFilter` is general, for one system or for many that are advanced together. `BoxFilter` and `HeightFilter` follow
boxes in a video, all the boxes of a frame at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


class KalmanFilter:
    r"""A linear Gaussian system, or several that share F and H.

    The state is a Gaussian of mean ``x`` and covariance ``P``. It moves by :math:`x' = F x + w`, :math:`w \sim N(0, Q)`
    and is seen through :math:`z = H x + v`, :math:`v \sim N(0, R)`.

    Parameters
    ----------
    F : (d, d) array
        Transition from a state to the next.
    H : (m, d) array
        What is measured of a state.
    Q : (d, d) or (n, d, d) array
        Covariance of what the transition does not say.
    R : (m, m) or (n, m, m) array
        Covariance of the measurement's noise.
    x : (d,) or (n, d) array
        Initial mean; with (n, d), n systems are advanced together.
    P : (d, d) or (n, d, d) array
        Initial covariance.

    Attributes
    ----------
    F, H, Q, R, x, P : float64 arrays
        As above; `x` and `P` are replaced (never modified in place) by `predict` and `update`.
    innovation : (m,) or (k, m) array
        After `update`: what the measurement had that the prediction had not, z − H x.
    gain : (d, m) or (k, d, m) array
        After `update`: the Kalman gain K.

    Raises
    ------
    ValueError
        In French, when the shapes do not go together or a value is not finite.

    References
    ----------
    R. E. Kalman, "A New Approach to Linear Filtering and Prediction Problems", 1960.
    """

    def __init__(self, F: ArrayLike, H: ArrayLike, Q: ArrayLike, R: ArrayLike, x: ArrayLike, P: ArrayLike) -> None:
        self.F, self.H, self.Q, self.R = (_matrix(name, m) for name, m in (("F", F), ("H", H), ("Q", Q), ("R", R)))
        self.x = np.array(x, np.float64)
        states = self.x.shape[-1] if self.x.ndim else 0
        self.P = np.broadcast_to(_matrix("P", P), (*self.x.shape[:-1], states, states)).copy()
        measures = self.H.shape[-2]
        expected = {"F": (states, states), "H": (measures, states), "Q": (states, states), "R": (measures, measures)}
        for name, shape in expected.items():
            given = getattr(self, name).shape
            if given[-2:] != shape:
                raise ValueError(
                    f"« {name} » est de forme {given} : avec un état x de {states} nombres et {measures} mesures, "
                    f"on attend {shape}."
                )
        self.innovation = np.zeros(measures)
        self.gain = np.zeros((states, measures))

    def predict(self) -> np.ndarray:
        """Advance by one step without a measurement: x ← F x, P ← F P Fᵀ + Q. Return the new mean."""
        self.x = self.x @ self.F.T
        self.P = self.F @ self.P @ self.F.T + self.Q
        return self.x

    def update(self, z: ArrayLike, *, rows: ArrayLike | None = None) -> np.ndarray:
        """Correct the state by a measurement.

        The covariance follows Joseph's form, (I − K H) P (I − K H)ᵀ + K R Kᵀ, which stays symmetric and positive.

        Parameters
        ----------
        z : (m,) or (n, m) array
            The measurement of each system.
        rows : (k,) array of int, optional
            With several systems: those that are measured, `z` being (k, m). The others stay as predicted.

        Returns
        -------
        (d,) or (n, d) array
            The new mean of every system.
        """
        where = ... if rows is None else np.asarray(rows, np.intp)
        x, P, H, z = self.x[where], self.P[where], self.H, np.asarray(z, np.float64)
        if z.shape != (*x.shape[:-1], H.shape[-2]):
            raise ValueError(f"La mesure z est de forme {z.shape} : on attend {(*x.shape[:-1], H.shape[-2])}.")
        R = self.R[where] if self.R.ndim > 2 else self.R
        self.innovation = z - x @ H.T
        crossed = P @ H.T
        self.gain = crossed @ np.linalg.inv(H @ crossed + R)
        x = x + (self.gain @ self.innovation[..., None])[..., 0]
        kept = np.eye(P.shape[-1]) - self.gain @ H
        P = kept @ P @ kept.swapaxes(-1, -2) + self.gain @ R @ self.gain.swapaxes(-1, -2)
        if rows is None:
            self.x, self.P = x, P
        else:
            self.x, self.P = self.x.copy(), self.P.copy()
            self.x[where], self.P[where] = x, P
        return self.x


def _matrix(name: str, values: ArrayLike) -> np.ndarray:
    matrix = np.array(values, np.float64)
    if matrix.ndim < 2:
        raise ValueError(
            f"« {name} » est de forme {matrix.shape} : on attend une matrice, par exemple [[1, 1], [0, 1]]."
        )
    if not np.isfinite(matrix).all():
        raise ValueError(f"« {name} » contient une valeur qui n'est pas un nombre fini (NaN ou infini).")
    return matrix


class BoxFilter:
    """The filter of SORT: boxes that glide at constant velocity, one row for each box.

    The state is (cx, cy, s, r, vx, vy, vs): centre, area s = w h, aspect ratio r = w / h held constant, and the
    velocities of the first three, per frame. The covariances are those published with the paper; they are in pixels
    and suit pedestrians a hundred pixels high.

    Parameters
    ----------
    boxes : (n, 4) array, optional
        First boxes (x1, y1, x2, y2); see `add`.

    References
    ----------
    A. Bewley et al., "Simple Online and Realtime Tracking", 2016.
    """

    MOVING = 3
    """Number of values that have a velocity: the first ones of the state."""

    def __init__(self, boxes: ArrayLike | None = None) -> None:
        self._kalman = self._new(np.empty((0, 4)))
        if boxes is not None:
            self.add(boxes)

    @classmethod
    def measure(cls, boxes: np.ndarray) -> np.ndarray:
        """Turn boxes (n, 4) into what the filter measures: (cx, cy, s, r)."""
        size = boxes[:, 2:] - boxes[:, :2]
        centre = 0.5 * (boxes[:, :2] + boxes[:, 2:])
        return np.column_stack([centre, size[:, 0] * size[:, 1], size[:, 0] / size[:, 1]])

    @classmethod
    def unmeasure(cls, values: np.ndarray) -> np.ndarray:
        """Turn (cx, cy, s, r), (n, 4), back into boxes."""
        width = np.sqrt(values[:, 2] * values[:, 3])
        half = 0.5 * np.column_stack([width, values[:, 2] / width])
        return np.hstack([values[:, :2] - half, values[:, :2] + half])

    @classmethod
    def _new(cls, measures: np.ndarray) -> KalmanFilter:
        """Return the filter of boxes seen for the first time: velocities are unknown, so their variance is vast."""
        F = np.eye(7)
        F[[0, 1, 2], [4, 5, 6]] = 1.0
        x = np.hstack([measures, np.zeros((len(measures), 3))])
        P = np.diag([10.0, 10.0, 10.0, 10.0, 1e4, 1e4, 1e4])
        Q = np.diag([1.0, 1.0, 1.0, 1.0, 1e-2, 1e-2, 1e-4])
        return KalmanFilter(F, np.eye(4, 7), Q, np.diag([1.0, 1.0, 10.0, 10.0]), x, P)

    def _set_noise(self) -> None:
        """Give Q and R their values for the present boxes: here they never change."""

    def __len__(self) -> int:
        return len(self._kalman.x)

    @property
    def boxes(self) -> np.ndarray:
        """Present boxes, (n, 4) float64."""
        return self.unmeasure(self._kalman.x[:, :4])

    @property
    def states(self) -> np.ndarray:
        """Present states, (n, 7) float64."""
        return self._kalman.x

    @property
    def covariances(self) -> np.ndarray:
        """Present covariances, (n, 7, 7) float64."""
        return self._kalman.P

    def add(self, boxes: ArrayLike) -> None:
        """Append boxes (n, 4), seen for the first time; they must not be empty."""
        new = self._new(self.measure(np.asarray(boxes, np.float64).reshape(-1, 4)))
        self._kalman.x = np.vstack([self._kalman.x, new.x])
        self._kalman.P = np.concatenate([self._kalman.P, new.P])

    def keep(self, mask: np.ndarray) -> None:
        """Keep the rows where `mask`, (n,) bool, is true."""
        self._kalman.x, self._kalman.P = self._kalman.x[mask], self._kalman.P[mask]

    def predict(self, *, lost: ArrayLike | None = None) -> np.ndarray:
        """Advance every box by one frame and return the boxes; a size never shrinks to nothing.

        Parameters
        ----------
        lost : (n,) array of bool, optional
            Boxes that have been out of sight: their size is held still, since nothing says how it changes.
        """
        x = self._kalman.x.copy()
        still = x[:, 2] + x[:, 6] <= 0
        if lost is not None:
            still |= np.asarray(lost, bool)
        x[still, 6] = 0.0
        self._kalman.x = x
        self._set_noise()
        self._kalman.predict()
        return self.boxes

    def update(self, rows: ArrayLike, boxes: ArrayLike) -> None:
        """Correct the boxes of `rows`, (k,) int, by those that were seen, (k, 4)."""
        rows = np.asarray(rows, np.intp)
        if len(rows):
            self._set_noise()
            self._kalman.update(self.measure(np.asarray(boxes, np.float64)), rows=rows)


class HeightFilter(BoxFilter):
    """The filter of DeepSORT and ByteTrack: as `BoxFilter`, with noise proportional to the height of the box.

    The state is (cx, cy, a, h, vx, vy, va, vh): centre, aspect ratio a = w / h, height, and their velocities. Since its
    uncertainty follows the size of the box, it suits small pictures and large ones alike.

    References
    ----------
    N. Wojke et al., "Simple Online and Realtime Tracking with a Deep Association Metric", 2017.
    """

    MOVING = 4
    POSITION, VELOCITY = 1 / 20, 1 / 160
    """Standard deviations of the noise on positions and on velocities, as shares of the height."""

    @classmethod
    def measure(cls, boxes: np.ndarray) -> np.ndarray:
        """Turn boxes (n, 4) into what the filter measures: (cx, cy, a, h)."""
        size = boxes[:, 2:] - boxes[:, :2]
        centre = 0.5 * (boxes[:, :2] + boxes[:, 2:])
        return np.column_stack([centre, size[:, 0] / size[:, 1], size[:, 1]])

    @classmethod
    def unmeasure(cls, values: np.ndarray) -> np.ndarray:
        """Turn (cx, cy, a, h), (n, 4), back into boxes."""
        half = 0.5 * np.column_stack([values[:, 2] * values[:, 3], values[:, 3]])
        return np.hstack([values[:, :2] - half, values[:, :2] + half])

    @classmethod
    def _new(cls, measures: np.ndarray) -> KalmanFilter:
        F = np.eye(8)
        F[np.arange(4), np.arange(4, 8)] = 1.0
        x = np.hstack([measures, np.zeros((len(measures), 4))])
        p, v = 2 * cls.POSITION, 10 * cls.VELOCITY
        P = _diagonals(measures[:, 3], (p, p, 0.0, p, v, v, 0.0, v), (0, 0, 1e-2, 0, 0, 0, 1e-5, 0))
        return KalmanFilter(F, np.eye(4, 8), np.zeros((8, 8)), np.eye(4), x, P)

    def _set_noise(self) -> None:
        height, p, v = self._kalman.x[:, 3], self.POSITION, self.VELOCITY
        self._kalman.Q = _diagonals(height, (p, p, 0.0, p, v, v, 0.0, v), (0, 0, 1e-2, 0, 0, 0, 1e-5, 0))
        self._kalman.R = _diagonals(height, (p, p, 0.0, p), (0, 0, 1e-1, 0))

    def predict(self, *, lost: ArrayLike | None = None) -> np.ndarray:
        """Advance every box by one frame and return the boxes; see `BoxFilter.predict`."""
        x = self._kalman.x.copy()
        still = (x[:, 3] + x[:, 7] <= 0) | (x[:, 2] + x[:, 6] <= 0)
        x[still, 6] = 0.0
        if lost is not None:
            still |= np.asarray(lost, bool)
        x[still, 7] = 0.0
        self._kalman.x = x
        self._set_noise()
        self._kalman.predict()
        return self.boxes


def _diagonals(heights: np.ndarray, shares: tuple[float, ...], fixed: tuple[float, ...]) -> np.ndarray:
    """Return diagonal covariances (n, d, d), whose standard deviations are ``shares * height + fixed``."""
    deviations = heights[:, None] * np.array(shares) + np.array(fixed)
    return deviations[:, :, None] ** 2 * np.eye(len(shares))
