"""The matrix-free form of the LM step, for networks and data too large to factor either way: conjugate gradients."""

from collections.abc import Callable
from typing import Any, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, linearize
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.model import Step, bent, predicted_fall
from deltarule.trees import dot, leaves, mapped, norm, plus, scaled, times

Number = Any


class MatrixFree(NamedTuple):
    """As `Primal`, with the diagonal of J^T J alone."""

    objective: Array
    gradient: Params
    gradient_norm: Array
    trace: Array
    diagonal: Params


def model(F: Objective, p: Params) -> MatrixFree:
    """The cost, the gradient and the diagonal of J^T J, over blocks."""
    cost, gradient, diagonal = F.sum(_first_sums, p, at=linearize)
    gradient = plus(gradient, times(F.prior(p), p))
    trace = sum(d.sum() for d in leaves(diagonal))
    return MatrixFree(cost + F.prior_energy(p), gradient, norm(gradient), trace, diagonal)


def step(
    F: Objective, p: Params, at: MatrixFree, lam: Array, tolerance: Number, iterations: Number, *, accelerate: bool
) -> Step:
    """Solve (LM) by products J^T (J v) over blocks, preconditioned by the diagonal of J^T J + D."""
    D = mapped(lambda alpha: alpha + lam, F.prior(p))
    preconditioner = mapped(lambda h, d: 1 / (h + d), at.diagonal, D)

    def product(v: Params) -> Params:
        return plus(F.sum(_gauss_newton_product, p, v, at=linearize), times(D, v))

    def solve(b: Params) -> Params:
        return conjugate_gradients(product, b, preconditioner, tolerance, iterations)

    s = scaled(solve(at.gradient), -1.0)
    predicted = predicted_fall(at.gradient, s, lam)
    if not accelerate:
        return Step(s, predicted)
    return bent(s, scaled(solve(F.acceleration_force(p, s)), -0.5), predicted)


def _first_sums(lin: Linearization) -> tuple[Array, Params, Params]:
    return lin.cost, lin.transpose_product(lin.r), lin.squared_jacobian()


def _gauss_newton_product(lin: Linearization, v: Params) -> Params:
    return lin.transpose_product(lin.product(v))


def conjugate_gradients(
    product: Callable[[Params], Params], b: Params, preconditioner: Params, tolerance: Number, iterations: Number
) -> Params:
    """x with ‖b - M x‖ <= tolerance ‖b‖ for a positive definite M, or after `iterations` products.

    Hestenes & Stiefel 1952 with a diagonal preconditioner P: z = P r, and the search directions are M-conjugate.
    """
    bb = dot(b, b)
    target = tolerance * tolerance * bb

    def going(carry: tuple) -> Array:
        _, r, _, _, i = carry
        return (dot(r, r) > target) & (i < iterations)

    def advance(carry: tuple) -> tuple:
        x, r, d, rz, i = carry
        Md = product(d)
        t = rz / dot(d, Md)
        x, r = plus(x, d, t), plus(r, Md, -t)
        z = times(preconditioner, r)
        rz_new = dot(r, z)
        return x, r, plus(z, d, rz_new / rz), rz_new, i + 1

    z = times(preconditioner, b)
    return engine.of(bb).while_loop(going, advance, (scaled(b, 0.0), b, z, dot(b, z), 0))[0]
