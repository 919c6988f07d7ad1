"""The primal form of the LM step, for n <= m k: factor J^T J + D, n x n."""

from typing import NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.curvature import (
    Linearization,
    NormalEquations,
    equations_at,
    linearize,
    normal_equations,
    residual_acceleration,
)
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.model import Step, acceleration_force, bent, predicted_fall
from deltarule.trees import norm, plus, ravel, times, unravel


class Primal(NamedTuple):
    """The objective at one point, its gradient g = J^T r + A p and ‖g‖, tr J^T J, and J^T J.

    kept holds what the examples left in the network and J^T, of each part, where they go through it together.
    """

    objective: Array
    gradient: Params
    gradient_norm: Array
    trace: Array
    hessian: Array
    kept: list[tuple[Linearization, Array]] | None


def model(F: Objective, p: Params) -> Primal:
    """J^T J and J^T r, over blocks."""
    kept = None
    if F.in_one_block:
        lins = [linearize(part.net, p, part.rows.x, part.rows.y, part.scale * part.rows.mask) for part in F.parts]
        found = [equations_at(part.net, p, lin) for part, lin in zip(F.parts, lins, strict=True)]
        kept = [(lin, J) for lin, (_, J) in zip(lins, found, strict=True)]
        equations = NormalEquations(*map(sum, zip(*(equations for equations, _ in found), strict=True)))
    else:
        equations = F.sum(normal_equations, p)
    gradient = unravel(equations.gradient, p)
    if F.l2 is not None:
        gradient = plus(gradient, times(F.prior(p), p))
    trace = equations.hessian.__array_namespace__().trace(equations.hessian)
    return Primal(equations.cost + F.prior_energy(p), gradient, norm(gradient), trace, equations.hessian, kept)


def step(F: Objective, p: Params, at: Primal, lam: Array, *, accelerate: bool) -> Step:
    """s = -(J^T J + D)^-1 (J^T r + A p), and its correction."""
    E = engine.of(at.hessian)
    factor = E.factor(at.hessian, lam if F.l2 is None else ravel(F.prior(p)) + lam)
    s = unravel(-E.solve(factor, ravel(at.gradient)), p)
    predicted = predicted_fall(at.gradient, s, lam)
    if not accelerate:
        return Step(s, predicted)
    force = ravel(acceleration_force(F, p, s)) if at.kept is None else _force(F, p, s, at.kept)
    return bent(s, unravel(-0.5 * E.solve(factor, force), p), predicted)


def _force(F: Objective, p: Params, s: Params, kept: list[tuple[Linearization, Array]]) -> Array:
    """J^T d²r/dt² along s, (n,)."""
    parts = zip(F.parts, kept, strict=True)
    return sum(
        J @ residual_acceleration(part.net, p, lin, part.scale * part.rows.mask, s).reshape(-1)
        for part, (lin, J) in parts
    )
