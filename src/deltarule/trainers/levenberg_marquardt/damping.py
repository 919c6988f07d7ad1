"""The control of Levenberg-Marquardt's damping lambda, in plain numbers."""

from math import isfinite, isnan, nan
from typing import NamedTuple

import numpy as np

from deltarule.trainers.stopping import stop_code

LARGEST_FALL = 1 / 5  # the smallest factor of lambda after an accepted trial


class Damping(NamedTuple):
    """lambda, the factor nu by which the next rejection multiplies it, and tr J^T J at the point of lambda."""

    lam: float
    nu: float
    trace: float


UNSET = Damping(-1.0, 2.0, 0.0)  # before J^T J is known


def start(lam: float, trace: float, dtype: np.dtype) -> Damping:
    """Return the damping of the first step, above 0."""
    return Damping(max(float(lam), tiny(dtype)), 2.0, max(float(trace), tiny(dtype)))


def tiny(dtype: np.dtype) -> float:
    """The smallest normal number of a dtype."""
    return float(np.finfo(dtype).tiny)


def rescale(damping: Damping, trace: float, dtype: np.dtype) -> Damping:
    """Scale lambda in proportion to the trace of J^T J at a new point.

    If outputs saturate, J^T J falls by e² a step, and an unscaled lambda would turn every further step into steepest
    descent; in smooth regression the trace hardly changes. lambda stays above 0 even if J = 0, because a rejection can
    only multiply it.
    """
    ratio = min(max(trace / damping.trace, 1e-3), 1e3) if isfinite(trace) and isfinite(damping.trace) else 1.0
    return Damping(max(damping.lam * ratio, tiny(dtype)), damping.nu, damping.trace * ratio)


def ceiling(largest: float, trace: float, gradient_norm: float, params_norm: float) -> float:
    """Return the largest lambda worth a trial: `largest` times the greater of tr J^T J and ‖g‖/max(1, ‖p‖).

    The second is the lambda at which a gradient step is as long as p. If outputs saturate, J^T J vanishes to rounding
    while the gradient does not, and only the second tells that the minimum is far. If J^T J or g is not finite, no
    damping is worth a trial and the ceiling is NaN.
    """
    if not (isfinite(trace) and isfinite(gradient_norm)):
        return nan
    return largest * max(trace, gradient_norm / max(1.0, params_norm))


def stop_at(ceiling: float) -> int:
    """Return the code of the stop at this ceiling of lambda: "mu_max", or "not_finite" for NaN."""
    return stop_code("not_finite" if isnan(ceiling) else "mu_max")


def cap(damping: Damping, ceiling: float) -> Damping:
    """Return the damping, reset to the ceiling if it is larger."""
    return Damping(ceiling, 2.0, damping.trace) if damping.lam > ceiling else damping


def update(damping: Damping, rho: float, accepted: bool) -> Damping:
    """Return the damping after a trial: smaller by the gain ratio rho if it was accepted, larger by nu if not.

    lambda is multiplied by max(1/5, 1 - (2 rho - 1)³): [JN]'s rule, which is smooth in rho, with 1/5 in place of 1/3.
    """
    if not accepted:
        return Damping(damping.lam * damping.nu, 2 * damping.nu, damping.trace)
    return Damping(damping.lam * max(LARGEST_FALL, 1 - (2 * min(rho, 1.0) - 1) ** 3), 2.0, damping.trace)
