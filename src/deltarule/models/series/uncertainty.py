"""How far a free run can be believed: two kinds of noise, measured by the errors at every horizon, and carried forward.

Linearised around a run, with C the slopes by the outputs fed back and L = I - C as in (NARX), the error of step h is

    e = L^-1 (w + M v) + v_h

of shocks w_t that move the system on (variance q) and of errors v of measurement (variance r): those of the outputs
that the run begins with, through M = dy/d(start), and that of the measurement it is held against. So

    Var e_h = sum_t q ‖Psi_ht‖² + r (‖Phi_h‖² + 1),   Psi = L^-1, Phi = L^-1 M.

q and r ≥ 0 are those that explain the mean squared errors of free runs of 1, 2, .. H steps from many places of the
record, by least squares on relative errors: shocks make errors grow with the horizon, errors of measurement do not.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import nnls

from deltarule.network.backprop import Params
from deltarule.data.lagged import Windows
from deltarule.models.series.feedback import Feedback


class Noise(NamedTuple):
    """Variances in scaled units, (k,) each: of shocks, and of errors of measurement."""

    shocks: np.ndarray
    measurement: np.ndarray


class Sensitivity(NamedTuple):
    """How the output of each step of K runs grows with unit variances: (K, H, k, k), the last axis the noise's output."""

    shocks: np.ndarray
    measurement: np.ndarray

    def variance(self, noise: Noise) -> np.ndarray:
        """Of a new measurement at each step, (K, H, k)."""
        return self.shocks @ noise.shocks + self.measurement @ noise.measurement


def sensitivity(model: Feedback, params: Params, U: np.ndarray, Y: np.ndarray) -> Sensitivity:
    """Those of free runs Y = model.free_run(params, U, ..), (K, D + H, k)."""
    k, D = model.net.outputs, model.lags.longest
    K, H = Y.shape[0], Y.shape[1] - D
    shocks = np.empty((K, H, k, k))
    measurement = np.empty((K, H, k, k))
    for w in range(K):  # one at a time: Psi is (H k, H k)
        unrolled = model.unrolled(params, U[w : w + 1], Y[w : w + 1])
        responses = unrolled.spread(np.concatenate([np.eye(H * k), unrolled.start()[0]], axis=1)) ** 2
        responses = responses.reshape(H, k, H + D, k)
        shocks[w] = responses[:, :, :H].sum(axis=2)
        measurement[w] = responses[:, :, H:].sum(axis=2) + np.eye(k)
    return Sensitivity(shocks, measurement)


def measured_noise(model: Feedback, params: Params, pieces: Windows) -> Noise:
    """q and r of the record that the windows are pieces of."""
    k, D = model.net.outputs, model.lags.longest
    runs = model.free_run(params, pieces.U, pieces.Y[:, :D])
    found = sensitivity(model, params, pieces.U, runs)
    known = pieces.known
    square = np.where(known > 0, (runs - pieces.Y)[:, D:], 0.0) ** 2
    count = np.maximum(known.sum(axis=0), 1)  # (H, k)
    error = square.sum(axis=0) / count
    parts = [(known[..., None] * of).sum(axis=0) / count[..., None] for of in found]  # (H, k, k) each
    used = (known.sum(axis=0) > 0) & (error > 0)
    A = np.concatenate(parts, axis=2)[used] / error[used][:, None]
    solution = nnls(A, np.ones(len(A)))[0] if len(A) else np.zeros(2 * k)
    return Noise(solution[:k], solution[k:])
