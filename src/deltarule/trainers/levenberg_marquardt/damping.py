"""The control of a damped step: which trials are accepted, and how the damping lambda moves."""

from typing import NamedTuple

import jax.numpy as jnp
from jax import Array

VERDICTS = (
    "none",  # no such trial
    "accepted",
    "rejected: the objective did not fall",
    "rejected: not finite",  # the factorisation failed, or the trial overflowed
    "rejected: gain too low",  # it fell by less than a ten-thousandth of what the model promised
)
ACCEPTED, UPHILL, NOT_FINITE, LOW_GAIN = 1, 2, 3, 4
SMALLEST_GAIN = 1e-4


class Damping(NamedTuple):
    """lambda and the factor nu by which the next rejection multiplies it."""

    lam: Array
    nu: Array


def start(lam: Array) -> Damping:
    """The damping before the first step."""
    return Damping(lam, jnp.full_like(lam, 2.0))


def judge(old: Array, new: Array, predicted: Array) -> tuple[Array, Array]:
    """The gain ratio rho = (F_old - F_new) / predicted and the verdict on a trial, an index in `VERDICTS`."""
    rho = (old - new) / predicted
    verdict = jnp.where(rho > SMALLEST_GAIN, ACCEPTED, LOW_GAIN)
    verdict = jnp.where(new < old, verdict, UPHILL)
    verdict = jnp.where(jnp.isfinite(new) & jnp.isfinite(predicted), verdict, NOT_FINITE)
    return rho, verdict.astype(jnp.int8)


def update(damping: Damping, rho: Array, accepted: Array) -> Damping:
    """lambda after a trial: by the gain ratio if it was accepted, up by the growing factor nu if not.

    The farther the true decrease falls short of the model's, the less lambda falls; it doubles where the model was
    off by four.
    """
    falls = jnp.where(rho > 0.75, 1 / 3, jnp.where(rho > 0.25, 1 / 2, 2.0))
    lam = damping.lam * jnp.where(accepted, falls, damping.nu)
    return Damping(lam, jnp.where(accepted, 2.0, 2 * damping.nu))
