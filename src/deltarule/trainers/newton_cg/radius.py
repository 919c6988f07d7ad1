"""The control of Newton-CG: which steps are taken, and how the trust region's radius follows the gain ratio.

rho = (F(p) - F(p + s)) / (m(0) - m(s)) compares what a step brought with what the quadratic model promised. A model
that promised four times too much shrinks the region to a quarter of the step; one that was right, while the region was
in its way, doubles it (Nocedal & Wright, algorithm 4.1).
"""

import jax.numpy as jnp
from jax import Array

from deltarule.trainers.newton_cg.steihaug import BOUNDARY

SMALLEST_GAIN = 1e-4


def judge(old: Array, new: Array, promised: Array) -> tuple[Array, Array]:
    """rho and whether the step is taken: it must go downhill, by more than a ten-thousandth of what was promised."""
    rho = (old - new) / promised
    return rho, (new < old) & (rho > SMALLEST_GAIN) & jnp.isfinite(promised)


def update(radius: Array, rho: Array, step_norm: Array, ending: Array, largest: Array | float) -> Array:
    """The radius after a trial."""
    shrunk = jnp.where(jnp.isfinite(step_norm), jnp.minimum(step_norm, radius), radius) / 4
    grown = jnp.where((rho > 3 / 4) & (ending >= BOUNDARY), jnp.minimum(2 * radius, largest), radius)
    return jnp.where(rho >= 1 / 4, grown, shrunk)
