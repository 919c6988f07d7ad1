"""One Levenberg-Marquardt step in primal form on examples that come in chunks: the same step, by passes over a stream.

`trainer.LevenbergMarquardt` sums over blocks inside one compiled call; here each sum is a pass over the stream, a
compiled call for each chunk. A step takes one pass for J^T J and J^T r, and each damping tried one for the geodesic
correction, one for the refit of a linear output layer and one for the objective. Memory is n² and the chunks.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import cho_factor, cho_solve

from deltarule.backprop import Params
from deltarule.curvature import NormalEquations, jacobian_diagonal, linearize, normal_equations
from deltarule.rows import Rows, sum_over_blocks
from deltarule.trainers.base import Record
from deltarule.trainers.levenberg_marquardt import damping as control
from deltarule.trainers.levenberg_marquardt.damping import ACCEPTED, Damping
from deltarule.trainers.levenberg_marquardt.model import (
    Step,
    acceleration_force,
    bent,
    norm,
    objective,
    plus,
    predicted_fall,
    prior,
    prior_energy,
    scaled,
    times,
)
from deltarule.trainers.levenberg_marquardt.refit import can_refit, refitted, regression_sums
from deltarule.trainers.levenberg_marquardt.trainer import (
    FIRST_DAMPING,
    FIRST_DAMPING_SATURATING,
    TRIALS,
    LevenbergMarquardt,
    LevenbergMarquardtState,
)

if TYPE_CHECKING:
    from deltarule.network import Network

# part(rows, *arguments) summed over every chunk of the stream
Pass = Callable[..., Any]


def first_state(net: "Network", trainer: LevenbergMarquardt, params: Params, over: Pass) -> LevenbergMarquardtState:
    """lambda_0 = damping · max diag(J^T J) ([JN]), by one pass."""
    return state_from(net, trainer, params, over(partial(_diagonal, net, trainer), params))


def state_from(
    net: "Network", trainer: LevenbergMarquardt, params: Params, diagonal: Params
) -> LevenbergMarquardtState:
    """The state before the first step, from the diagonal of J^T J in the shape of the parameters."""
    leaves = jax.tree.leaves(diagonal)
    first = trainer.damping
    if first is None:
        first = FIRST_DAMPING if can_refit(net) else FIRST_DAMPING_SATURATING
    largest = first * jnp.max(jnp.stack([jnp.max(d) for d in leaves]))
    trace = jnp.sum(jnp.stack([jnp.sum(d) for d in leaves]))
    return LevenbergMarquardtState(params, control.start(largest, trace))


def step(
    net: "Network", trainer: LevenbergMarquardt, state: LevenbergMarquardtState, total: float, over: Pass
) -> tuple[LevenbergMarquardtState, Record]:
    """One accepted step, or none if no damping leads down; the record of `LevenbergMarquardt` without its trials."""
    l2, refit = trainer.l2, can_refit(net) if trainer.refit is None else trainer.refit
    equations = over(partial(_equations, net, trainer), state.params)
    here, gradient, size, damping, ceiling = _begin(trainer, state, equations)
    trials, taken = 0, None
    while trials < TRIALS and taken is None and damping.lam <= ceiling:
        trials += 1
        plain, factor = _solve(l2, state.params, equations.hessian, gradient, damping.lam)
        if trainer.acceleration:
            plain = _bend(plain, factor, over(partial(_force, net, trainer), state.params, plain.s))
        there = plus(state.params, plain.bent)
        if refit:
            there = _refit(there, *over(partial(_regression, net, trainer), there), damping.lam, l2)
        new = over(partial(_cost, net, trainer), there) + prior_energy(there, l2)
        gain, verdict = control.judge(here, new, plain.predicted)
        accepted = verdict == ACCEPTED
        damping = control.update(damping, gain, accepted)
        if bool(accepted):
            taken = there, new
    params, cost = taken or (state.params, here)
    record = {
        "cost": cost / total,
        "gradient_norm": size / total,
        "lambda": damping.lam,
        "step_norm": norm(plus(params, state.params, -1.0)),
        "accepted": np.int32(taken is not None),
        "rejected": np.int32(trials - (taken is not None)),
        "stop": np.int32(0 if taken is not None or damping.lam <= ceiling else control.reason(ceiling)),
    }
    return LevenbergMarquardtState(params, damping), record


def _diagonal(net: "Network", trainer: LevenbergMarquardt, rows: Rows, params: Params) -> Params:
    def part(x: Array, y: Array, weight: Array) -> Params:
        return jacobian_diagonal(net, params, linearize(net, params, x, y, weight))

    return sum_over_blocks(rows, trainer.block(net, params, rows), part)


def _equations(net: "Network", trainer: LevenbergMarquardt, rows: Rows, params: Params) -> NormalEquations:
    return normal_equations(net, params, rows, trainer.block(net, params, rows))


def _force(net: "Network", trainer: LevenbergMarquardt, rows: Rows, params: Params, s: Params) -> Params:
    return acceleration_force(net, params, rows, trainer.block(net, params, rows), s)


def _regression(net: "Network", trainer: LevenbergMarquardt, rows: Rows, params: Params) -> tuple[Array, Array]:
    return regression_sums(net, params, rows, trainer.block(net, params, rows))


def _cost(net: "Network", trainer: LevenbergMarquardt, rows: Rows, params: Params) -> Array:
    return objective(net, params, rows, trainer.block(net, params, rows), None)


@jax.jit
def _begin(
    trainer: LevenbergMarquardt, state: LevenbergMarquardtState, equations: NormalEquations
) -> tuple[Array, Params, Array, Damping, Array]:
    """The objective, its gradient and the norm of that, the damping here, and where to give up."""
    unravel = ravel_pytree(state.params)[1]
    gradient = plus(unravel(equations.gradient), times(prior(state.params, trainer.l2), state.params))
    size, trace = norm(gradient), jnp.trace(equations.hessian)
    ceiling = control.ceiling(trainer.max_damping, trace, size, norm(state.params))
    here = equations.cost + prior_energy(state.params, trainer.l2)
    return here, gradient, size, control.follow(state.damping, trace), ceiling


@jax.jit
def _solve(l2: Any, params: Params, hessian: Array, gradient: Params, lam: Array) -> tuple[Step, Array]:
    """The step for one damping and the factor of J^T J + D."""
    g, unravel = ravel_pytree(gradient)
    diagonal = ravel_pytree(prior(params, l2))[0]
    factor = cho_factor(hessian + jnp.diag(diagonal + lam), lower=True)[0]
    s = unravel(-cho_solve((factor, True), g))
    return Step(s, scaled(s, 0.0), s, predicted_fall(gradient, s, lam)), factor


@jax.jit
def _bend(plain: Step, factor: Array, force: Params) -> Step:
    """The step with its geodesic correction."""
    f, unravel = ravel_pytree(force)
    return bent(plain.s, unravel(-0.5 * cho_solve((factor, True), f)), plain.predicted)


_refit = jax.jit(refitted)
