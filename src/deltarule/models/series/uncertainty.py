"""How far a free run can be believed: two kinds of noise, measured by the errors at every horizon, and carried forward.

Linearised around a run, with C the slopes by the outputs fed back and L = I - C as in (NARX), the error of step h is

    e = L^-1 (w + M v) + v_h

of shocks w_t that move the system on (variance q) and of errors v of measurement (variance r): those of the outputs
that the run begins with, through M = dy/d(start), and that of the measurement it is held against. So

    Var e_h = sum_t q ‖Psi_ht‖² + r (‖Phi_h‖² + 1),   Psi = L^-1, Phi = L^-1 M.

q and r ≥ 0 are those that explain the mean squared errors of free runs of 1, 2, .. H steps from many places of the
record, by least squares on relative errors: shocks make errors grow with the horizon, errors of measurement do not.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

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
    k, D, M = committee.outputs, committee.lags.max_lag, len(committee.weights)
    K, H = runs.shape[0], runs.shape[1] - D
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


def measured_noise(unseen: Sequence[tuple[Committee, Windows]]) -> Noise:
    """q and r, from models and windows of what they have not seen: what a model has fitted looks better than it is."""
    k, D = unseen[0][0].outputs, unseen[0][0].lags.max_lag
    H = max(pieces.measured.shape[1] for _, pieces in unseen)
    sums = np.zeros((H, k, 2 + 2 * k))  # of squares, of what unit variances make of them, and of measurements
    for committee, pieces in unseen:
        runs, known = committee.free_run(pieces.U, pieces.Y[:, :D]), pieces.measured
        if not committee.model.within(runs).all():
            continue
        found = sensitivity(committee, pieces.U, runs)
        parts = [committee.errors(pieces)[..., None] ** 2, *(known[..., None] * of for of in found), known[..., None]]
        sums[: known.shape[1]] += np.concatenate(parts, axis=3).sum(axis=0)
    measured = sums[..., -1] > 0
    if not measured.any():
        return Noise(np.ones(k), np.zeros(k))  # every run is unstable: as uncertain as the outputs vary
    sums = sums[measured & (sums[..., 0] > 0)]
    if not len(sums):
        return Noise(np.zeros(k), np.zeros(k))
    from scipy.optimize import nnls  # which takes a tenth of a second to import

    solution = nnls(sums[:, 1:-1] / sums[:, :1], np.ones(len(sums)))[0]
    return Noise(solution[:k], solution[k:])
