"""The dual form of the LM step, for m k < n, by Woodbury's identity: factor J D^-1 J^T + I, m k x m k, without J."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array
from jax.scipy.linalg import cho_factor, cho_solve

from deltarule import backprop
from deltarule.backprop import Direction, Params
from deltarule.curvature import (
    errors_along,
    gram,
    jacobian_product,
    linearize,
    residual_acceleration,
    residual_errors,
)
from deltarule.rows import Rows
from deltarule.trainers.levenberg_marquardt.model import (
    Number,
    QuadraticModel,
    Step,
    bent,
    correction_share,
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


def dual_model(net: "Network", params: Params, rows: Rows, l2: Number | None, accelerate: bool) -> QuadraticModel:
    """J J^T once, by (GRAM), for weights and biases apart; then for any damping, with D = A + lambda I,

    s = -D^-1 (A p + J^T u),  (J D^-1 J^T + I) u = r - J D^-1 A p.

    Multiplying both sides of (LM) out shows that it is the same step as the primal one. D is constant on weights and
    on biases, so J D^-1 J^T is a sum of two matrices computed once.
    """
    lin = linearize(net, params, rows.x, rows.y, rows.mask)
    errors = residual_errors(net, params, lin)
    K = gram(net, params, lin, lin, errors=errors, group=lambda layer, name: name if l2 is not None else "all")
    trace = jnp.sum(jnp.stack([jnp.trace(part) for part in K.values()]))

    def along(u: Array) -> Direction:
        return errors_along(errors, u)

    def pull(u: Array) -> Params:
        """J^T u, written out."""
        return backprop.gradients(net, lin.x, lin.passes, errors_along(errors, u))

    def bend(v: Direction) -> Array:
        """d²r/dt² along v, for the geodesic correction."""
        return residual_acceleration(net, params, lin, rows.mask, v)

    if l2 is None:
        solve = _plain_solver(lin.r, K["all"], along, pull, bend if accelerate else None)
        r = lin.r.reshape(-1)
        return QuadraticModel(lin.cost, pull(lin.r), jnp.sqrt(jnp.vdot(r, K["all"] @ r)), trace, solve)
    A = prior(params, l2)
    gradient = plus(pull(lin.r), times(A, params))
    shrunk = partial(jacobian_product, net, params, lin)
    solve = _solver_with_prior(lin.r, K, l2, A, params, gradient, shrunk, pull, bend if accelerate else None)
    return QuadraticModel(lin.cost + prior_energy(params, l2), gradient, norm(gradient), trace, solve)


def _plain_solver(
    r: Array,
    K: Array,
    along: Callable[[Array], Direction],
    pull: Callable[[Array], Params],
    bend: Callable[[Direction], Array] | None,
) -> Callable[[Array], Step]:
    """Without a prior every direction is J^T u: it is kept as u, (m, k), and only the step taken is written out.

    Inner products are K's: ⟨J^T u, J^T v⟩ = u^T K v.
    """

    def inner(u: Array, v: Array) -> Array:
        return jnp.vdot(u, K @ v.reshape(-1))

    def solve(lam: Array) -> Step:
        factor = cho_factor(K / lam + jnp.eye(r.size), lower=True)

        def solved(r: Array) -> Array:
            """u with J^T u = (J^T J + lambda I)^-1 J^T r."""
            return cho_solve(factor, r.reshape(-1)).reshape(r.shape) / lam

        u = -solved(r)
        predicted = 0.5 * (lam * inner(u, u) - inner(r, u))
        if bend is None:
            return Step(pull(u), pull(0 * u), pull(u), predicted)
        v = -0.5 * solved(bend(along(u)))
        share = correction_share(jnp.sqrt(inner(u, u)), jnp.sqrt(inner(v, v)))
        return Step(pull(u), pull(v), pull(u + share * v), predicted)

    return solve


def _solver_with_prior(
    r: Array,
    K: dict[str, Array],
    l2: Number,
    A: Params,
    params: Params,
    gradient: Params,
    product: Callable[[Params], Array],
    pull: Callable[[Array], Params],
    bend: Callable[[Direction], Array] | None,
) -> Callable[[Array], Step]:
    """With a prior the step has a part of its own along A p, so it is written out before its curve is followed."""

    def solve(lam: Array) -> Step:
        D_inverse = jax.tree.map(lambda alpha: 1 / (alpha + lam), A)
        factor = cho_factor(K["W"] / (l2 + lam) + K["b"] / lam + jnp.eye(r.size), lower=True)

        def solved(r: Array) -> Params:
            """(J^T J + D)^-1 J^T r = D^-1 J^T (J D^-1 J^T + I)^-1 r."""
            return times(D_inverse, pull(cho_solve(factor, r.reshape(-1)).reshape(r.shape)))

        shrink = times(D_inverse, times(A, params))
        s = scaled(plus(shrink, solved(r - product(shrink))), -1.0)
        predicted = predicted_fall(gradient, s, lam)
        if bend is None:
            return Step(s, scaled(s, 0.0), s, predicted)
        return bent(s, scaled(solved(bend(s)), -0.5), predicted)

    return solve
