"""The primal form of the LM step, for n <= m k: factor J^T J + D, n x n."""

from typing import TYPE_CHECKING

import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import cho_factor, cho_solve

from deltarule.backprop import Params
from deltarule.curvature import normal_equations
from deltarule.rows import Rows
from deltarule.trainers.levenberg_marquardt.model import (
    Number,
    QuadraticModel,
    Step,
    acceleration_force,
    bent,
    norm,
    plus,
    predicted_fall,
    prior,
    prior_energy,
    scaled,
    times,
)

if TYPE_CHECKING:
    from deltarule.network import Network


def primal_model(
    net: "Network", params: Params, rows: Rows, block: int, l2: Number | None, accelerate: bool
) -> QuadraticModel:
    """J^T J and J^T r once, over blocks; then s = -(J^T J + D)^-1 (J^T r + A p) for any damping."""
    equations = normal_equations(net, params, rows, block)
    _, unravel = ravel_pytree(params)
    A = prior(params, l2)
    gradient = plus(unravel(equations.gradient), times(A, params))
    g, diagonal = ravel_pytree(gradient)[0], ravel_pytree(A)[0]

    def solve(lam: Array) -> Step:
        factor = cho_factor(equations.hessian + jnp.diag(diagonal + lam), lower=True)
        s = unravel(-cho_solve(factor, g))
        predicted = predicted_fall(gradient, s, lam)
        if not accelerate:
            return Step(s, scaled(s, 0.0), s, predicted)
        force = ravel_pytree(acceleration_force(net, params, rows, block, s))[0]
        return bent(s, unravel(-0.5 * cho_solve(factor, force)), predicted)

    objective = equations.cost + prior_energy(params, l2)
    return QuadraticModel(objective, gradient, norm(gradient), jnp.trace(equations.hessian), solve)
