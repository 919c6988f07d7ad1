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

from deltarule.data.lagged import Windows
from deltarule.models.series.committee import Committee


class Noise(NamedTuple):
    """Variances in scaled units, (k,) each: of shocks, and of errors of measurement."""

    shocks: np.ndarray
    measurement: np.ndarray


class Sensitivity(NamedTuple):
    """The variance of each step's error by unit variances: (K, H, k, k), the last axis the output of the noise."""

    shocks: np.ndarray
    measurement: np.ndarray

    def variance(self, noise: Noise) -> np.ndarray:
        """Of a new measurement at each step, (K, H, k)."""
        return self.shocks @ noise.shocks + self.measurement @ noise.measurement


def sensitivity(committee: Committee, U: np.ndarray, runs: np.ndarray) -> Sensitivity:
    """Those of free runs of the members, (K, D + H, M k)."""
    k, D, M = committee.outputs, committee.lags.longest, len(committee.weights)
    (K, T), H = runs.shape[:2], runs.shape[1] - committee.lags.longest
    shocks, measurement = np.empty((K, H, k, k)), np.empty((K, H, k, k))
    same = np.kron(np.eye(H), np.tile(np.eye(k), (M, 1)))  # a shock enters every member, (H M k, H k)
    for w in range(K):  # one at a time: Psi is (H M k, H k)
        unrolled = committee.model.unrolled(committee.params, U[w : w + 1], runs[w : w + 1])
        start = unrolled.start()[0].reshape(H * M * k, D, M, k).sum(axis=2).reshape(-1, D * k)
        moved = unrolled.spread(np.concatenate([same, start], axis=1)).reshape(H, M * k, H * k + D * k)
        response = committee.mean(moved.swapaxes(1, 2)).swapaxes(1, 2).reshape(H, k, H + D, k) ** 2
        shocks[w] = response[:, :, :H].sum(axis=2)
        measurement[w] = response[:, :, H:].sum(axis=2) + np.eye(k)
    return Sensitivity(shocks, measurement)


def measured_noise(committee: Committee, pieces: Windows) -> Noise:
    """q and r of the record that the windows are pieces of."""
    k, D, known = committee.outputs, committee.lags.longest, pieces.known
    found = sensitivity(committee, pieces.U, committee.free_run(pieces.U, pieces.Y[:, :D]))
    count = np.maximum(known.sum(axis=0), 1)  # (H, k)
    error = (committee.errors(pieces) ** 2).sum(axis=0) / count
    parts = [(known[..., None] * of).sum(axis=0) / count[..., None] for of in found]  # (H, k, k) each
    used = (known.sum(axis=0) > 0) & (error > 0)
    if not used.any():
        return Noise(np.zeros(k), np.zeros(k))
    solution = nnls(np.concatenate(parts, axis=2)[used] / error[used][:, None], np.ones(int(used.sum())))[0]
    return Noise(solution[:k], solution[k:])
