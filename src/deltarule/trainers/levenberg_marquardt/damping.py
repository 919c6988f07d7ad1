"""The control of Levenberg-Marquardt: how the damping lambda moves, and where it ends. Plain numbers."""

from math import isfinite, isnan, nan
from typing import NamedTuple

import numpy as np

from deltarule.trainers.stopping import stop_code

FASTEST_FALL = 1 / 5


class Damping(NamedTuple):
    """lambda, the factor nu by which the next rejection multiplies it, and tr J^T J where lambda was set."""

    lam: float
    nu: float
    trace: float


UNSET = Damping(-1.0, 2.0, 0.0)  # before the first J^T J


def start(lam: float, trace: float, dtype: np.dtype) -> Damping:
    """The damping of the first step, above 0."""
    return Damping(max(float(lam), tiny(dtype)), 2.0, max(float(trace), tiny(dtype)))


def tiny(dtype: np.dtype) -> float:
    """The smallest normal number of a dtype."""
    return float(np.finfo(dtype).tiny)


def follow(damping: Damping, trace: float, dtype: np.dtype) -> Damping:
    """lambda at a new point: it keeps its size beside J^T J, whose trace is now `trace`.

    Where outputs saturate, J^T J falls by e² a step and a lambda that fell by less would turn every further step into
    steepest descent; on smooth regression the trace hardly moves and this does nothing. lambda stays above 0, where
    J = 0 as well, because a rejection can only multiply it.
    """
    ratio = min(max(trace / damping.trace, 1e-3), 1e3) if isfinite(trace) and isfinite(damping.trace) else 1.0
    return Damping(max(damping.lam * ratio, tiny(dtype)), damping.nu, damping.trace * ratio)


def ceiling(largest: float, trace: float, gradient_norm: float, params_norm: float) -> float:
    """Where to give up: `largest` times the curvature, the greater of tr J^T J and ‖g‖/max(1, ‖p‖).

    The second is the lambda at which a step down the gradient is as long as p. Where outputs saturate, J^T J vanishes
    to rounding beside a gradient that does not, and only the second says that there is far to go. Where J^T J or g is
    not finite no damping is worth a trial, and the ceiling is not a number.
    """
    if not (isfinite(trace) and isfinite(gradient_norm)):
        return nan
    return largest * max(trace, gradient_norm / max(1.0, params_norm))


def reason(ceiling: float) -> int:
    """The code of the stop where lambda is not below its ceiling: "mu_max", or "not_finite" if there is none."""
    return stop_code("not_finite" if isnan(ceiling) else "mu_max")


def hold(damping: Damping, ceiling: float) -> Damping:
    """The damping, started afresh at the ceiling if it has grown past it."""
    return Damping(ceiling, 2.0, damping.trace) if damping.lam > ceiling else damping


def update(damping: Damping, rho: float, accepted: bool) -> Damping:
    """lambda after a trial: down by the gain ratio if it was accepted, up by the growing factor nu if not.

    lambda falls by max(1/5, 1 - (2 rho - 1)³): [JN]'s rule, which is smooth in rho, with 1/5 in place of 1/3.
    """
    if not accepted:
        return Damping(damping.lam * damping.nu, 2 * damping.nu, damping.trace)
    return Damping(damping.lam * max(FASTEST_FALL, 1 - (2 * min(rho, 1.0) - 1) ** 3), 2.0, damping.trace)
