"""The control of a damped step: which trials are accepted, and how the damping lambda moves."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

from deltarule.stopping import stop_code

VERDICTS = (
    "none",  # no such trial
    "accepted",
    "rejected: the objective did not fall",
    "rejected: not finite",  # the factorisation failed, or the trial overflowed
    "rejected: gain too low",  # it fell by less than a ten-thousandth of what the model promised
)
ACCEPTED, UPHILL, NOT_FINITE, LOW_GAIN = 1, 2, 3, 4
SMALLEST_GAIN = 1e-4
FASTEST_FALL = 1 / 5


class Damping(NamedTuple):
    """lambda, the factor nu by which the next rejection multiplies it, and tr J^T J where lambda was set."""

    lam: Array
    nu: Array
    trace: Array


def start(lam: Array, trace: Array) -> Damping:
    """The damping before the first step."""
    return Damping(lam, jnp.full_like(lam, 2.0), jnp.maximum(trace, jnp.finfo(trace.dtype).tiny))


def follow(damping: Damping, trace: Array) -> Damping:
    """lambda at a new point: it keeps its size beside J^T J, whose trace is now `trace`.

    Where outputs saturate, J^T J falls by e² a step and a lambda that fell by less would turn every further step into
    steepest descent; on smooth regression the trace hardly moves and this does nothing. lambda stays above 0, where
    J = 0 as well, because a rejection can only multiply it.
    """
    ratio = jnp.clip(trace / damping.trace, 1e-3, 1e3)
    ratio = jnp.where(jnp.isfinite(ratio), ratio, 1)
    lam = jnp.maximum(damping.lam * ratio, jnp.finfo(trace.dtype).tiny)
    return Damping(lam, damping.nu, damping.trace * ratio)


def ceiling(largest: Array | float, trace: Array, gradient_norm: Array, params_norm: Array) -> Array:
    """Where to give up: `largest` times the curvature, the greater of tr J^T J and ‖g‖/max(1, ‖p‖).

    The second is the lambda at which a step down the gradient is as long as p. Where outputs saturate, J^T J vanishes
    to rounding beside a gradient that does not, and only the second says that there is far to go. Where J^T J is not
    finite no damping is worth a trial, and the ceiling is not a number.
    """
    found = largest * jnp.maximum(trace, gradient_norm / jnp.maximum(1, params_norm))
    return jnp.where(jnp.isfinite(trace), found, jnp.nan)


def reason(ceiling: Array) -> Array:
    """The code of the stop where lambda is not below its ceiling: "mu_max", or "not_finite" if there is none."""
    return jnp.where(jnp.isnan(ceiling), stop_code("not_finite"), stop_code("mu_max"))


def hold(damping: Damping, ceiling: Array) -> Damping:
    """The damping, started afresh at the ceiling if it has grown past it."""
    past = damping.lam > ceiling
    return Damping(jnp.where(past, ceiling, damping.lam), jnp.where(past, 2.0, damping.nu), damping.trace)


def judge(old: Array, new: Array, predicted: Array) -> tuple[Array, Array]:
    """The gain ratio rho = (F_old - F_new) / predicted and the verdict on a trial, an index in `VERDICTS`."""
    rho = (old - new) / predicted
    verdict = jnp.where(rho > SMALLEST_GAIN, ACCEPTED, LOW_GAIN)
    verdict = jnp.where(new < old, verdict, UPHILL)
    verdict = jnp.where(jnp.isfinite(new) & jnp.isfinite(predicted), verdict, NOT_FINITE)
    return rho, verdict.astype(jnp.int8)


def update(damping: Damping, rho: Array, accepted: Array) -> Damping:
    """lambda after a trial: down by the gain ratio if it was accepted, up by the growing factor nu if not.

    lambda falls by max(1/5, 1 - (2 rho - 1)³): [JN]'s rule, which is smooth in rho, with 1/5 in place of 1/3.
    """
    falls = jnp.maximum(FASTEST_FALL, 1 - (2 * rho - 1) ** 3)
    lam = damping.lam * jnp.where(accepted, falls, damping.nu)
    return Damping(lam, jnp.where(accepted, 2.0, 2 * damping.nu), damping.trace)
