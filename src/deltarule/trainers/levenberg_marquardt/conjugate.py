"""The matrix-free form of the LM step, for networks and data too large to factor either way: conjugate gradients."""

from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule.backprop import Params
from deltarule.curvature import jacobian_diagonal, jacobian_product, linearize, transpose_product
from deltarule.rows import Rows, sum_over_blocks
from deltarule.trainers.levenberg_marquardt.model import (
    Number,
    QuadraticModel,
    Step,
    acceleration_force,
    bent,
    dot,
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


def cg_model(
    net: "Network",
    params: Params,
    rows: Rows,
    block: int,
    l2: Number | None,
    accelerate: bool,
    tolerance: Number,
    iterations: Number,
) -> QuadraticModel:
    """Solve (LM) by products J^T (J v) over blocks, preconditioned by the diagonal of J^T J + D."""
    A = prior(params, l2)

    def first_sums(x: Array, y: Array, weight: Array) -> tuple[Array, Params, Params]:
        lin = linearize(net, params, x, y, weight)
        return lin.cost, transpose_product(net, params, lin, lin.r), jacobian_diagonal(net, params, lin)

    cost, gradient, diagonal = sum_over_blocks(rows, block, first_sums)
    gradient = plus(gradient, times(A, params))

    def gauss_newton_product(v: Params) -> Params:
        def part(x: Array, y: Array, weight: Array) -> Params:
            lin = linearize(net, params, x, y, weight)
            return transpose_product(net, params, lin, jacobian_product(net, params, lin, v))

        return sum_over_blocks(rows, block, part)

    def solve(lam: Array) -> Step:
        D = jax.tree.map(lambda alpha: alpha + lam, A)
        preconditioner = jax.tree.map(lambda h, d: 1 / (h + d), diagonal, D)

        def solve_for(b: Params) -> Params:
            return conjugate_gradients(
                lambda v: plus(gauss_newton_product(v), times(D, v)), b, preconditioner, tolerance, iterations
            )

        s = scaled(solve_for(gradient), -1.0)
        predicted = predicted_fall(gradient, s, lam)
        if not accelerate:
            return Step(s, scaled(s, 0.0), s, predicted)
        force = acceleration_force(net, params, rows, block, s)
        return bent(s, scaled(solve_for(force), -0.5), predicted)

    trace = jnp.sum(jnp.stack([jnp.sum(d) for d in jax.tree.leaves(diagonal)]))
    return QuadraticModel(cost + prior_energy(params, l2), gradient, norm(gradient), trace, solve)


def conjugate_gradients(product, b: Params, preconditioner: Params, tolerance: Number, iterations: Number) -> Params:
    """x with ‖b - M x‖ <= tolerance ‖b‖ for a positive definite M, or after `iterations` products.

    Hestenes & Stiefel 1952 with a diagonal preconditioner P: z = P r, and the search directions are M-conjugate.
    """
    target = tolerance * tolerance * dot(b, b)

    def going(carry: tuple) -> Array:
        _, r, _, _, i = carry
        return (dot(r, r) > target) & (i < iterations)

    def step(carry: tuple) -> tuple:
        x, r, d, rz, i = carry
        Md = product(d)
        t = rz / dot(d, Md)
        x, r = plus(x, d, t), plus(r, Md, -t)
        z = times(preconditioner, r)
        rz_new = dot(r, z)
        return x, r, plus(z, d, rz_new / rz), rz_new, i + 1

    z = times(preconditioner, b)
    start = (scaled(b, 0.0), b, z, dot(b, z), jnp.zeros((), jnp.int32))
    return lax.while_loop(going, step, start)[0]
