"""The dual form of the LM step, for m k < n, by Woodbury's identity: factor J D^-1 J^T + I, m k x m k, without J."""

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, errors_along, gram
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.model import Step, corrected_step, correction_share, predicted_fall
from deltarule.trees import add, multiply, norm, scale


class Dual(NamedTuple):
    """As `Primal`, with the errors of every residual and J J^T; with a prior J J^T is split into weights and biases.

    A joint objective has a linearization and errors for each of its parts; vectors over residuals, (R,), concatenate
    the parts.
    """

    objective: Array
    gradient: Params
    gradient_norm: Array
    trace: Array
    lins: list[Linearization]
    errors: list[list[Array]]
    K: dict[str, Array]

    @property
    def r(self) -> Array:
        return _concatenated([lin.r for lin in self.lins])


def _concatenated(parts: Sequence[Array]) -> Array:
    if len(parts) == 1:
        return parts[0].reshape(-1)
    return parts[0].__array_namespace__().concatenate([part.reshape(-1) for part in parts])


def model(F: Objective, p: Params) -> Dual:
    """Compute J J^T by (GRAM), from which the step follows for any damping: with D = A + lambda I,

    s = -D^-1 (A p + J^T u),  (J D^-1 J^T + I) u = r - J D^-1 A p.

    Inserting s into (LM) shows that it is the primal step. D has one value for all weights and one for all biases, so
    J D^-1 J^T is a weighted sum of two matrices computed once.
    """
    lins = F.linearized(p)
    errors = [lin.errors() for lin in lins]
    K = joint_gram(F, lins, errors)
    at = Dual(sum(lin.cost for lin in lins) + F.prior_energy(p), p, lins[0].cost, lins[0].cost, lins, errors, K)
    gradient = _transposed_product(at, at.r)  # its norm is not computed from K: rounding may make r^T K r negative
    gradient = F.plus_prior(gradient, p)
    xp = at.r.__array_namespace__()
    trace = sum(xp.trace(part) for part in K.values())
    return at._replace(gradient=gradient, gradient_norm=norm(gradient), trace=trace)


def joint_gram(F: Objective, lins: Sequence[Linearization], errors: Sequence[list[Array]]) -> dict[str, Array]:
    """J J^T over the residuals of all parts, (R, R): "all", or with a prior one for each parameter role."""

    def role(layer: int, name: str) -> str:
        return F.net.layers[layer].role(name)

    def block(e: int, f: int) -> dict[str, Array]:  # without a prior D is the same for all parameters
        return gram(lins[e], lins[f], None if F.l2 is None else role, (errors[e], errors[f]))

    if len(lins) == 1:
        return block(0, 0)
    upper = {(e, f): block(e, f) for f in range(len(lins)) for e in range(f + 1)}
    xp = lins[0].r.__array_namespace__()

    def whole(name: str) -> Array:
        rows = [
            [upper[e, f][name] if e <= f else upper[f, e][name].T for f in range(len(lins))] for e in range(len(lins))
        ]
        return xp.concatenate([xp.concatenate(row, axis=1) for row in rows])

    return {name: whole(name) for name in upper[0, 0]}


def diagonal(at: Dual) -> Params:
    """The diagonal of J^T J, in the shape of the parameters."""
    first, *others = (lin.squared_jacobian(errors) for lin, errors in zip(at.lins, at.errors, strict=True))
    return reduce(add, others, first)


def step(F: Objective, p: Params, at: Dual, lam: Array, *, accelerate: bool) -> Step:
    """Return the step for one damping."""
    return _plain_step(at, lam, accelerate) if F.l2 is None else _step_with_prior(F, p, at, lam, accelerate)


def _along(at: Dual, u: Array) -> list[list[Array]]:
    """The errors of each part along its entries of u, (R,)."""
    along, first = [], 0
    for lin, errors in zip(at.lins, at.errors, strict=True):
        along.append(errors_along(errors, u[first : first + lin.r.size].reshape(lin.r.shape)))
        first += lin.r.size
    return along


def _transposed_product(at: Dual, u: Array) -> Params:
    """J^T u."""
    parts = zip(at.lins, _along(at, u), strict=True)
    first, *others = (backprop.gradients(lin.net, lin.passes, along) for lin, along in parts)
    return reduce(add, others, first)


def _acceleration(at: Dual, v: backprop.Direction) -> Array:
    """d²r/dt² along v, for the geodesic correction."""
    return _concatenated([lin.acceleration(v) for lin in at.lins])


def _plain_step(at: Dual, lam: Array, accelerate: bool) -> Step:
    """Without a prior every direction is J^T u and is stored as u, (R,); only the step is multiplied out.

    Inner products are ⟨J^T u, J^T v⟩ = u^T K v; for a singular K rounding may make a square negative, then set to 0.
    """
    E, r, K = engine.of(at.r), at.r, at.K["all"]
    factor = E.factor(K / lam, 1.0)

    def inner(u: Array, v: Array) -> Array:
        return E.xp.vdot(u, K @ v)

    def length(u: Array) -> Array:
        return E.xp.sqrt(E.xp.maximum(inner(u, u), 0))

    def solve(r: Array) -> Array:
        """u with J^T u = (J^T J + lambda I)^-1 J^T r."""
        return E.solve(factor, r) / lam

    u = -solve(r)
    predicted = 0.5 * (lam * inner(u, u) - inner(r, u))
    if accelerate:
        direction = _along(at, u)[0] if len(at.lins) == 1 else _transposed_product(at, u)
        v = -0.5 * solve(_acceleration(at, direction))
        u = u + correction_share(length(u), length(v)) * v
    return Step(_transposed_product(at, u), predicted)


def _step_with_prior(F: Objective, p: Params, at: Dual, lam: Array, accelerate: bool) -> Step:
    """With a prior the step has a part along A p that is no J^T u, so it is multiplied out before it is corrected."""
    E, A, l2 = engine.of(at.r), F.prior(p), F.scale * F.l2
    D_inverse = trees.map_leaves(lambda alpha: 1 / (alpha + lam), A)
    factor = E.factor(at.K["weight"] / (l2 + lam) + at.K["bias"] / lam, 1.0)

    def solve(r: Array) -> Params:
        """(J^T J + D)^-1 J^T r = D^-1 J^T (J D^-1 J^T + I)^-1 r."""
        return multiply(D_inverse, _transposed_product(at, E.solve(factor, r)))

    shrinkage = multiply(D_inverse, multiply(A, p))
    change = _concatenated([lin.product(shrinkage) for lin in at.lins])
    s = scale(add(shrinkage, solve(at.r - change)), -1.0)
    predicted = predicted_fall(at.gradient, s, lam)
    if not accelerate:
        return Step(s, predicted)
    return corrected_step(s, scale(solve(_acceleration(at, s)), -0.5), predicted)
