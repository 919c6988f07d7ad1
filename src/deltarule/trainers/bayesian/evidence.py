"""The model of S around one point in whitened parameters, and the evidence of the hyper-parameters there.

With S(p) = (beta/2) ‖r‖² + (1/2) p^T A p and u = A^(1/2) p, the Gauss-Newton Hessian of S in u is

    H~ = I + J~^T J~,  J~ = sqrt(beta) J A^(-1/2),                                             (BR1)

whose eigenvalues are at least 1, so that its factorisation cannot fail. The evidence of alpha and beta is [MK]

    ln p(Y | alpha, beta) = -S - (1/2) ln |H~| + (m k / 2) ln(beta / 2 pi)                      (BR2)

and the effective number of parameters of group g is gamma_g = n_g - tr_g H~^-1 (BR3). A damped step solves

    (H~ + mu I) du = -∇_u S,  which is  (beta J^T J + (1 + mu) A) s = -(beta J^T r + A p).      (BR4)

The primal form factors H~, n x n. The dual form, for m k < n, factors I + K~, m k x m k, with K~ = J~ J~^T by (GRAM),
each input of a layer scaled by 1/sqrt(alpha): ln |H~| = ln |I + K~|, and gamma_g is the trace of (I + K~)^-1 K~_g.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import cho_factor, cho_solve, solve_triangular

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.curvature import (
    errors_along,
    gram,
    gram_traces,
    jacobian_product,
    linearize,
    normal_equations,
    residual_acceleration,
    residual_errors,
)
from deltarule.rows import Rows, sum_over_blocks
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters, Precisions, log_hyper_prior, spread
from deltarule.trainers.levenberg_marquardt.model import (
    Step,
    acceleration_force,
    bent,
    dot,
    plus,
    scaled,
    times,
)

if TYPE_CHECKING:
    from deltarule.network import Network


class Evidence(NamedTuple):
    """What one point says about the hyper-parameters, and the damped step from there.

    objective is S, log_evidence (BR2) with the hyper-prior of alpha, gamma (BR3) in the shape of alpha, gradient_norm
    ‖∇_u S‖, and solve takes mu to the step (BR4) with its geodesic correction.
    """

    objective: Array
    log_evidence: Array
    gamma: Precisions
    gradient_norm: Array
    solve: Callable[[Array], Step]


class Point(NamedTuple):
    """A point in parameter space: ‖r‖² there, and the evidence of any hyper-parameters."""

    square: Array
    at: Callable[[Hyperparameters], Evidence]


def square_error(net: "Network", params: Params, rows: Rows, block: int) -> Array:
    """‖r‖² = sum_i w_i ‖r_i‖², twice the cost."""

    def part(x: Array, y: Array, weight: Array) -> Array:
        return 2 * jnp.sum(weight * backprop.output_cost(net, backprop.forward(net, params, x)[-1], y))

    return sum_over_blocks(rows, block, part)


def objective(params: Params, hyper: Hyperparameters, square: Array) -> Array:
    """S = (beta/2) ‖r‖² + (1/2) p^T A p."""
    return 0.5 * hyper.beta * square + 0.5 * dot(params, times(spread(hyper.alpha, params), params))


def primal_point(net: "Network", params: Params, rows: Rows, block: int) -> Point:
    """For n <= m k: J^T J once, over blocks; then H~ for any hyper-parameters."""
    equations = normal_equations(net, params, rows, block)
    p, unravel = ravel_pytree(params)
    identity = jnp.eye(p.size, dtype=p.dtype)
    square = 2 * equations.cost

    def at(hyper: Hyperparameters) -> Evidence:
        d = ravel_pytree(spread(hyper.alpha, params))[0] ** -0.5
        JtJ = hyper.beta * equations.hessian * d[:, None] * d
        g = hyper.beta * d * equations.gradient + p / d
        L = jnp.linalg.cholesky(JtJ + identity)
        inverse = solve_triangular(L, identity, lower=True)
        used = unravel(1 - jnp.sum(inverse * inverse, axis=0))  # 1 - (H~^-1)_ii of each parameter
        gamma = [{name: jnp.sum(entry, axis=0) for name, entry in layer.items()} for layer in used]

        def solve(mu: Array) -> Step:
            factor = cho_factor(JtJ + (1 + mu) * identity, lower=True)
            du = -cho_solve(factor, g)
            s = unravel(d * du)
            force = hyper.beta * d * ravel_pytree(acceleration_force(net, params, rows, block, s))[0]
            predicted = 0.5 * (mu * jnp.vdot(du, du) - jnp.vdot(g, du))
            return bent(s, unravel(-0.5 * d * cho_solve(factor, force)), predicted)

        S = objective(params, hyper, square)
        return Evidence(S, _log_evidence(net, S, L, rows, hyper), gamma, jnp.linalg.norm(g), solve)

    return Point(square, at)


def dual_point(net: "Network", params: Params, rows: Rows) -> Point:
    """For m k < n: the errors of every residual once; then K~ by (GRAM) for any hyper-parameters."""
    lin = linearize(net, params, rows.x, rows.y, rows.mask)
    errors = residual_errors(net, params, lin)
    identity = jnp.eye(lin.r.size, dtype=lin.r.dtype)
    square = 2 * lin.cost

    def pull(u: Array) -> Params:
        """J^T u."""
        return backprop.gradients(net, lin.x, lin.passes, errors_along(errors, u))

    def at(hyper: Hyperparameters) -> Evidence:
        covariance = jax.tree.map(lambda alpha: hyper.beta / alpha, hyper.alpha)
        K = gram(net, params, lin, lin, errors=errors, covariance=covariance)["all"]
        A = spread(hyper.alpha, params)
        L = jnp.linalg.cholesky(K + identity)
        traces = gram_traces(net, lin, errors, cho_solve((L, True), identity))
        gamma = jax.tree.map(jnp.multiply, covariance, traces)
        gradient = plus(scaled(pull(lin.r), hyper.beta), times(A, params))

        def solve(mu: Array) -> Step:
            factor = cho_factor(K / (1 + mu) + identity, lower=True)

            def solved(r: Array) -> Params:
                """(beta J^T J + (1 + mu) A)^-1 beta J^T r, by Woodbury's identity."""
                u = cho_solve(factor, r.reshape(-1)).reshape(r.shape) * (hyper.beta / (1 + mu))
                return jax.tree.map(jnp.divide, pull(u), A)

            shrink = scaled(params, 1 / (1 + mu))
            s = scaled(plus(shrink, solved(lin.r - jacobian_product(net, params, lin, shrink))), -1.0)
            predicted = 0.5 * (mu * dot(s, times(A, s)) - dot(gradient, s))
            force = residual_acceleration(net, params, lin, rows.mask, s)
            return bent(s, scaled(solved(force), -0.5), predicted)

        S = objective(params, hyper, square)
        norm = jnp.sqrt(dot(gradient, jax.tree.map(jnp.divide, gradient, A)))
        return Evidence(S, _log_evidence(net, S, L, rows, hyper), gamma, norm, solve)

    return Point(square, at)


def _log_evidence(net: "Network", S: Array, L: Array, rows: Rows, hyper: Hyperparameters) -> Array:
    """(BR2) and the hyper-prior; L is the factor of H~ or of I + K~."""
    residuals = net.outputs * jnp.sum(rows.mask)
    half_log_determinant = jnp.sum(jnp.log(jnp.diag(L)))
    likelihood = 0.5 * residuals * jnp.log(hyper.beta / (2 * jnp.pi))
    return likelihood - S - half_log_determinant + log_hyper_prior(hyper.alpha)
