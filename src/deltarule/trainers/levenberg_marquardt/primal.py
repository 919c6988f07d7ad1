"""The primal form of the LM step, for n <= m k: factor J^T J + D, n x n."""

from typing import Any, NamedTuple

from deltarule import engine
from deltarule.arrays import Array
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.levenberg_marquardt.model import Step, bent, predicted_fall
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
    kept: Any


def model(F: Objective, p: Params) -> Primal:
    """J^T J and J^T r with the prior."""
    kept, equations = F.equations(p)
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
    force = ravel(F.acceleration_force(p, s, at.kept))
    return bent(s, unravel(-0.5 * E.solve(factor, force), p), predicted)
