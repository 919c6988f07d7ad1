"""The dual form of the LM step, for m k < n, by Woodbury's identity: factor J D^-1 J^T + I, m k x m k, without J."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import cho_factor, cho_solve

from deltarule.backprop import Params
from deltarule.curvature import (
    gram,
    jacobian_product,
    linearize,
    residual_acceleration,
    residual_errors,
    transpose_product_by_errors,
)
from deltarule.rows import Rows
from deltarule.trainers.levenberg_marquardt.model import (
    Number,
    QuadraticModel,
    Step,
    plus,
    prior,
    prior_energy,
    scaled,
    times,
)

if TYPE_CHECKING:
    from deltarule.network import Network


def dual_model(net: "Network", params: Params, rows: Rows, l2: Number | None, accelerate: bool) -> QuadraticModel:
    """J J^T once, by (GRAM), for weights and biases apart; then for any damping, with D = A + lambda I,

    s = -D^-1 (A p + J^T u),  (J D^-1 J^T + I) u = r - J D^-1 A p.

    Multiplying both sides of (LM) out shows that it is the same step as the primal one. D is constant on weights and
    on biases, so J D^-1 J^T is a sum of two matrices computed once.
    """
    lin = linearize(net, params, rows.x, rows.y, rows.mask)
    errors = residual_errors(net, params, lin)
    K = gram(net, params, lin, lin, errors=errors, group=lambda layer, name: name if l2 is not None else "all")
    A = prior(params, l2)
    strength = {"W": 0.0 if l2 is None else l2}
    gradient = plus(transpose_product_by_errors(net, lin, errors, lin.r), times(A, params))

    def solve(lam: Array) -> Step:
        D_inverse = jax.tree.map(lambda alpha: 1 / (alpha + lam), A)
        M = sum(part / (strength.get(name, 0.0) + lam) for name, part in K.items()) + jnp.eye(lin.r.size)
        factor = cho_factor(M, lower=True)

        def pull(u: Array) -> Params:
            """D^-1 J^T (J D^-1 J^T + I)^-1 u, which is (J^T J + D)^-1 J^T u."""
            u = cho_solve(factor, u.reshape(-1)).reshape(lin.r.shape)
            return times(D_inverse, transpose_product_by_errors(net, lin, errors, u))

        if l2 is None:
            s = scaled(pull(lin.r), -1.0)
        else:
            shrink = times(D_inverse, times(A, params))
            s = scaled(plus(shrink, pull(lin.r - jacobian_product(net, params, lin, shrink))), -1.0)
        if not accelerate:
            return Step(s, scaled(s, 0.0))
        bent = residual_acceleration(net, params, lin, rows.mask, s)
        return Step(s, scaled(pull(bent), -0.5))

    trace = jnp.sum(jnp.stack([jnp.trace(part) for part in K.values()]))
    return QuadraticModel(lin.cost + prior_energy(params, l2), gradient, trace, solve)
