"""The uncertainty of free runs: two kinds of noise, estimated from the errors at every horizon, and propagated.

Linearised around a run, with C the slopes by the outputs fed back and L = I - C as in (NARX), the error of step h is

    e = L^-1 (w + M v) + v_h

with shocks w_t, which change the state of the system (variance q), and measurement errors v (variance r): those of the
outputs that start the run, through M = dy/d(start), and that of the measurement that is compared. So

    Var e_h = sum_t q ‖Psi_ht‖² + r (‖Phi_h‖² + 1),   Psi = L^-1, Phi = L^-1 M.

q and r ≥ 0 are fitted to the mean squared errors of free runs of 1, 2, .. H steps from many places of the record, by
least squares on relative errors. Shocks make errors grow with the horizon, measurement errors do not.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from deltarule.data.lagged import Windows
from deltarule.models.series.committee import Committee


class Noise(NamedTuple):
    """Variances in scaled units, (k,) each: of shocks and of measurement errors."""

    shocks: np.ndarray
    measurement: np.ndarray


class Sensitivity(NamedTuple):
    """The variance of each step's error for noise of variance 1, (K, H, k, k), the last axis that of the noise."""

    shocks: np.ndarray
    measurement: np.ndarray

    def variance(self, noise: Noise) -> np.ndarray:
        """The variance of a new measurement at each step, (K, H, k)."""
        return self.shocks @ noise.shocks + self.measurement @ noise.measurement


def sensitivity(committee: Committee, U: np.ndarray, runs: np.ndarray) -> Sensitivity:
    """The sensitivity of the members' free runs, (K, D + H, M k)."""
    k, D, M = committee.outputs, committee.lags.max_lag, len(committee.weights)
    K, H = runs.shape[0], runs.shape[1] - D
    shocks, measurement = np.empty((K, H, k, k)), np.empty((K, H, k, k))
    unit_shocks = np.kron(np.eye(H), np.tile(np.eye(k), (M, 1)))  # a shock enters every member, (H M k, H k)
    for i in range(K):  # one run at a time: Psi is (H M k, H k)
        unrolled = committee.model.unroll(committee.params, U[i : i + 1], runs[i : i + 1])
        start = unrolled.start_jacobian()[0].reshape(H * M * k, D, M, k).sum(axis=2).reshape(-1, D * k)
        moved = unrolled.propagate(np.concatenate([unit_shocks, start], axis=1)).reshape(H, M * k, H * k + D * k)
        response = committee.mean(moved.swapaxes(1, 2)).swapaxes(1, 2).reshape(H, k, H + D, k) ** 2
        shocks[i] = response[:, :, :H].sum(axis=2)
        measurement[i] = response[:, :, H:].sum(axis=2) + np.eye(k)
    return Sensitivity(shocks, measurement)


def fit_noise(held_out: Sequence[tuple[Committee, Windows]]) -> Noise:
    """q and r, from networks and windows that they have not seen: on training windows errors are too small."""
    k, D = held_out[0][0].outputs, held_out[0][0].lags.max_lag
    H = max(windows.measured.shape[1] for _, windows in held_out)
    sums = np.zeros((H, k, 2 + 2 * k))  # of squared errors, of their variances for unit noise, and of measurements
    for committee, windows in held_out:
        runs, measured = committee.free_run(windows.U, windows.Y[:, :D]), windows.measured[..., None]
        if not committee.model.is_stable(runs).all():
            continue
        variances = [measured * of_noise for of_noise in sensitivity(committee, windows.U, runs)]
        parts = [committee.errors(windows)[..., None] ** 2, *variances, measured]
        sums[: measured.shape[1]] += np.concatenate(parts, axis=3).sum(axis=0)
    has_measurements = sums[..., -1] > 0
    if not has_measurements.any():
        return Noise(np.ones(k), np.zeros(k))  # every run is unstable: as uncertain as the outputs vary
    sums = sums[has_measurements & (sums[..., 0] > 0)]
    if not len(sums):
        return Noise(np.zeros(k), np.zeros(k))
    from scipy.optimize import nnls  # importing it takes a tenth of a second

    solution = nnls(sums[:, 1:-1] / sums[:, :1], np.ones(len(sums)))[0]
    return Noise(solution[:k], solution[k:])
