"""The dual form of the LM step, for m k < n, by Woodbury's identity: factor J D^-1 J^T + I, m k x m k, without J."""

from typing import NamedTuple

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.curvature import (
    Linearization,
    errors_along,
    gram,
    jacobian_product,
    linearize,
    residual_acceleration,
    residual_errors,
)
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.model import Step, bent, correction_share, predicted_fall
from deltarule.trees import norm, plus, scaled, times


class Dual(NamedTuple):
    """As `Primal`, with the errors of every residual and J J^T, for weights and biases apart if there is a prior."""

    objective: Array
    gradient: Params
    gradient_norm: Array
    trace: Array
    lin: Linearization
    errors: list[Array]
    K: dict[str, Array]


def model(F: Objective, p: Params) -> Dual:
    """J J^T once, by (GRAM); then for any damping, with D = A + lambda I,

    s = -D^-1 (A p + J^T u),  (J D^-1 J^T + I) u = r - J D^-1 A p.

    Multiplying both sides of (LM) out shows that it is the same step as the primal one. D is constant on weights and
    on biases, so J D^-1 J^T is a sum of two matrices computed once.
    """
    lin = linearize(F.net, p, F.rows.x, F.rows.y, F.scale * F.rows.mask)
    errors = residual_errors(F.net, p, lin)
    layers = F.net.layers  # without a prior all parameters are damped alike
    K = gram(F.net, p, lin, lin, errors=errors, group=lambda i, name: "all" if F.l2 is None else layers[i].role(name))
    xp = lin.r.__array_namespace__()
    trace = sum(xp.trace(part) for part in K.values())
    gradient = _pull(F, lin, errors, lin.r)  # its norm is not taken by K: rounding may make r^T K r less than 0
    if F.l2 is not None:
        gradient = plus(gradient, times(F.prior(p), p))
    return Dual(lin.cost + F.prior_energy(p), gradient, norm(gradient), trace, lin, errors, K)


def step(F: Objective, p: Params, at: Dual, lam: Array, *, accelerate: bool) -> Step:
    """The step for one damping."""
    solve = _plain_step if F.l2 is None else _step_with_prior
    return solve(F, p, at, lam, accelerate)


def _pull(F: Objective, lin: Linearization, errors: list[Array], u: Array) -> Params:
    """J^T u, written out."""
    return backprop.gradients(F.net, lin.x, lin.passes, errors_along(errors, u))


def _bend(F: Objective, p: Params, at: Dual, v: backprop.Direction) -> Array:
    """d²r/dt² along v, for the geodesic correction."""
    return residual_acceleration(F.net, p, at.lin, F.scale * F.rows.mask, v)


def _plain_step(F: Objective, p: Params, at: Dual, lam: Array, accelerate: bool) -> Step:
    """Without a prior every direction is J^T u: it is kept as u, (m, k), and only the step taken is written out.

    Inner products are K's: ⟨J^T u, J^T v⟩ = u^T K v. Where K is singular, rounding may make a square less than 0, and
    then it counts as 0.
    """
    E, r, K = engine.of(at.lin.r), at.lin.r, at.K["all"]
    factor = E.factor(K / lam, 1.0)

    def inner(u: Array, v: Array) -> Array:
        return E.xp.vdot(u, K @ v.reshape(-1))

    def length(u: Array) -> Array:
        return E.xp.sqrt(E.xp.maximum(inner(u, u), 0))

    def solved(r: Array) -> Array:
        """u with J^T u = (J^T J + lambda I)^-1 J^T r."""
        return E.solve(factor, r.reshape(-1)).reshape(r.shape) / lam

    u = -solved(r)
    predicted = 0.5 * (lam * inner(u, u) - inner(r, u))
    if accelerate:
        v = -0.5 * solved(_bend(F, p, at, errors_along(at.errors, u)))
        u = u + correction_share(length(u), length(v)) * v
    return Step(_pull(F, at.lin, at.errors, u), predicted)


def _step_with_prior(F: Objective, p: Params, at: Dual, lam: Array, accelerate: bool) -> Step:
    """With a prior the step has a part of its own along A p, so it is written out before its curve is followed."""
    E, r, A, l2 = engine.of(at.lin.r), at.lin.r, F.prior(p), F.scale * F.l2
    D_inverse = trees.mapped(lambda alpha: 1 / (alpha + lam), A)
    factor = E.factor(at.K["weight"] / (l2 + lam) + at.K["bias"] / lam, 1.0)

    def solved(r: Array) -> Params:
        """(J^T J + D)^-1 J^T r = D^-1 J^T (J D^-1 J^T + I)^-1 r."""
        u = E.solve(factor, r.reshape(-1)).reshape(r.shape)
        return times(D_inverse, _pull(F, at.lin, at.errors, u))

    shrink = times(D_inverse, times(A, p))
    s = scaled(plus(shrink, solved(r - jacobian_product(F.net, p, at.lin, shrink))), -1.0)
    predicted = predicted_fall(at.gradient, s, lam)
    if not accelerate:
        return Step(s, predicted)
    return bent(s, scaled(solved(_bend(F, p, at, s)), -0.5), predicted)
