"""The damped quadratic model of Levenberg-Marquardt: its primal and matrix-free forms, and the refit of the outputs.

With A the prior (l2 on weights, 0 on biases) and D = A + lambda I, every form solves

    (J^T J + D) s = -(J^T r + A p)                                                  (LM)

for the step s, and then, with the same factor, the geodesic correction [T&S]

    (J^T J + D) a = -(1/2) J^T d²r/dt²  along s.

The primal form, for n <= m k, factors J^T J + D (n x n), the dual form (`dual`) J D^-1 J^T + I (m k x m k), and the
matrix-free form, for matrices too large to factor, nothing. Each has a model of the objective at one point, computed
once, and from it a step for any damping.
"""

from collections.abc import Callable
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, linearize
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trees import add, dot, leaves, map_leaves, multiply, norm, ravel, scale, unravel

if TYPE_CHECKING:
    from deltarule.network.network import Network

Number = Any
LARGEST_CORRECTION = 0.375  # ‖a‖/‖s‖ of the geodesic correction: 2‖a‖/‖s‖ <= 0.75 in [T&S]


class Step(NamedTuple):
    """The step s + a with a clipped geodesic correction a, and the predicted fall (lambda ‖s‖² - g^T s)/2 for s."""

    corrected: Params
    predicted: Array


def correction_share(s_norm: Array, a_norm: Array) -> Array:
    """The factor by which the geodesic correction is clipped."""
    xp = a_norm.__array_namespace__()
    return xp.minimum(1, LARGEST_CORRECTION * s_norm / xp.maximum(a_norm, xp.finfo(a_norm.dtype).tiny))


def corrected_step(s: Params, a: Params, predicted: Array) -> Step:
    """Return the step s + a, with a clipped."""
    return Step(add(s, a, correction_share(norm(s), norm(a))), predicted)


def predicted_fall(gradient: Params, s: Params, lam: Array) -> Array:
    """(lambda ‖s‖² - g^T s)/2, the fall F(p) - model(p + s) of a solution of (LM)."""
    return 0.5 * (lam * dot(s, s) - dot(gradient, s))


class Primal(NamedTuple):
    """The objective at one point, its gradient g = J^T r + A p and ‖g‖, tr J^T J, and J^T J.

    linearization holds the passes of the examples and J^T, of each part, if they fit one block.
    """

    objective: Array
    gradient: Params
    gradient_norm: Array
    trace: Array
    hessian: Array
    linearization: Any


def primal_model(F: Objective, p: Params) -> Primal:
    """Compute J^T J and J^T r, with the prior."""
    linearization, equations = F.normal_equations(p)
    gradient = F.plus_prior(unravel(equations.gradient, p), p)
    trace = equations.hessian.__array_namespace__().trace(equations.hessian)
    return Primal(equations.cost + F.prior_energy(p), gradient, norm(gradient), trace, equations.hessian, linearization)


def primal_step(F: Objective, p: Params, at: Primal, lam: Array, *, accelerate: bool) -> Step:
    """s = -(J^T J + D)^-1 (J^T r + A p), and its correction."""
    E = engine.of(at.hessian)
    factor = E.factor(at.hessian, lam if F.l2 is None else ravel(F.prior(p)) + lam)
    s = unravel(-E.solve(factor, ravel(at.gradient)), p)
    predicted = predicted_fall(at.gradient, s, lam)
    if not accelerate:
        return Step(s, predicted)
    force = ravel(F.acceleration_force(p, s, at.linearization))
    return corrected_step(s, unravel(-0.5 * E.solve(factor, force), p), predicted)


class MatrixFree(NamedTuple):
    """As `Primal`, with only the diagonal of J^T J."""

    objective: Array
    gradient: Params
    gradient_norm: Array
    trace: Array
    diagonal: Params


def matrix_free_model(F: Objective, p: Params) -> MatrixFree:
    """The cost, the gradient and the diagonal of J^T J, over blocks."""
    cost, gradient, diagonal = F.sum(_first_sums, p, prepare=linearize)
    gradient = F.plus_prior(gradient, p)
    trace = sum(d.sum() for d in leaves(diagonal))
    return MatrixFree(cost + F.prior_energy(p), gradient, norm(gradient), trace, diagonal)


def matrix_free_step(
    F: Objective, p: Params, at: MatrixFree, lam: Array, tolerance: Number, iterations: Number, *, accelerate: bool
) -> Step:
    """Solve (LM) by products J^T (J v) over blocks, preconditioned by the diagonal of J^T J + D."""
    D = map_leaves(lambda alpha: alpha + lam, F.prior(p))
    preconditioner = map_leaves(lambda h, d: 1 / (h + d), at.diagonal, D)

    def product(v: Params) -> Params:
        return add(F.sum(_gauss_newton_product, p, v, prepare=linearize), multiply(D, v))

    def solve(b: Params) -> Params:
        return conjugate_gradients(product, b, preconditioner, tolerance, iterations)

    s = scale(solve(at.gradient), -1.0)
    predicted = predicted_fall(at.gradient, s, lam)
    if not accelerate:
        return Step(s, predicted)
    return corrected_step(s, scale(solve(F.acceleration_force(p, s)), -0.5), predicted)


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
        x, r = add(x, d, t), add(r, Md, -t)
        z = multiply(preconditioner, r)
        rz_new = dot(r, z)
        return x, r, add(z, d, rz_new / rz), rz_new, i + 1

    z = multiply(preconditioner, b)
    return engine.of(bb).while_loop(going, advance, (scale(b, 0.0), b, z, dot(b, z), 0))[0]


def refit_output_layer(F: Objective, p: Params, lam: Array) -> Params:
    """Return the parameters with a linear output layer refitted to the quadratic cost.

    The outputs are linear in that layer, so after a step of the layers below its best change is the ridge regression
    on B = [a^{L-1}, 1]:

        (B^T B + D) dW^T = B^T (y - a^L) - A W^T.

    The damping of the step is kept: without it the output weights diverge when B loses rank.
    """
    W, b = p[-1]["W"], p[-1]["b"]
    E, xp, h = engine.of(W), W.__array_namespace__(), W.shape[1]
    if F.fits_one_block and prod(F.rows.y.shape[:-1]) <= h and F.l2 is None:  # the dual form is smaller
        B, error = _regression(F.net, p, F.rows.x, F.rows.y, F.scale * F.rows.mask)
        change = B.T @ E.solve(E.factor(E.symmetric_product(B), lam), error)
    else:
        BtB, force = F.sum(_regression_sums, p)
        damping = lam
        if F.l2 is not None:
            alpha = xp.concatenate([xp.full(h, F.scale * F.l2, dtype=W.dtype), xp.zeros(1, dtype=W.dtype)])
            force = force - alpha[:, None] * xp.concatenate([W, b[:, None]], axis=1).T
            damping = alpha + lam
        change = E.solve(E.factor(BtB, damping), force)
    return [*p[:-1], {"W": W + change[:h].T, "b": b + change[h]}]


def _regression_sums(net: "Network", p: Params, x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
    B, error = _regression(net, p, x, y, weight)
    return engine.of(B).symmetric_product(B.T), B.T @ error


def _regression(net: "Network", p: Params, x: Array, y: Array, weight: Array) -> tuple[Array, Array]:
    """B and y - a^L, each row scaled by the root of its weight."""
    out, xp = backprop.forward(net, p, x)[-1], x.__array_namespace__()
    below = out.a_prev
    root_weight = backprop.with_trailing_axes(xp.sqrt(weight), below)
    root, r = net.cost.residual(out.a, y)  # r = root (a - y), and root is one number
    B = (
        root_weight
        * root[..., :1]
        * xp.concatenate([below, xp.ones((*below.shape[:-1], 1), dtype=below.dtype)], axis=-1)
    )
    return B.reshape(-1, B.shape[-1]), (-root_weight * r).reshape(-1, r.shape[-1])
