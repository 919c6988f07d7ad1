"""Levenberg-Marquardt: damped Gauss-Newton steps, exact, in the form that fits the problem."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule.backprop import Params
from deltarule.curvature import jacobian_diagonal, linearize
from deltarule.curvature.blocks import examples_at_once
from deltarule.domain import require_choice, require_count, require_number
from deltarule.errors import ConfigurationError
from deltarule.initializers import DEFAULT_INITIALIZERS
from deltarule.pytrees import register
from deltarule.rows import Rows, block_size, sum_over_blocks
from deltarule.threads import threads_for_order
from deltarule.trainers.base import Record, require_batch, require_derivatives
from deltarule.trainers.levenberg_marquardt import damping as control
from deltarule.trainers.levenberg_marquardt.conjugate import cg_model
from deltarule.trainers.levenberg_marquardt.damping import ACCEPTED, Damping
from deltarule.trainers.levenberg_marquardt.dual import dual_model
from deltarule.trainers.levenberg_marquardt.form import available_memory, choose_form, gram_width
from deltarule.trainers.levenberg_marquardt.model import Number, QuadraticModel, norm, objective, plus
from deltarule.trainers.levenberg_marquardt.primal import primal_model
from deltarule.trainers.levenberg_marquardt.refit import can_refit, refit_output_layer
from deltarule.trainers.sampling import examples_in_batch, permutation, take_batch

if TYPE_CHECKING:
    from deltarule.network import Network

TRIALS = 16  # the most dampings tried from one point: nu doubles each time, so lambda has grown by 2^136
FIRST_DAMPING, FIRST_DAMPING_SATURATING = 1e-2, 1e-1  # the larger one solves all of [HH]'s starts, the smaller 80 %


class LevenbergMarquardtState(NamedTuple):
    """The parameters and the damping."""

    params: Params
    damping: Damping


class Trial(NamedTuple):
    """One damping tried: where it leads and what came of it."""

    params: Params
    objective: Array
    gain: Array
    verdict: Array
    step_norm: Array


@dataclass(frozen=True)
class LevenbergMarquardt:
    """p ← p + s with (J^T J + A + lambda I) s = -(J^T r + A p), for the quadratic cost or any convex one.

    One epoch is one accepted step: lambda grows until a step lowers the objective, by up to 16 trials an epoch (so a
    first lambda many orders too small may take an epoch or two that accept nothing), and the history keeps every trial
    with its verdict ("trial_lambda", "trial_cost", "trial_gain", "trial_verdict", an index in
    `deltarule.trainers.levenberg_marquardt.VERDICTS`). A step never goes uphill. Where no damping up to `max_damping`
    leads down, training stops with "mu_max": to rounding, that is a minimum; where J^T J is not finite, with
    "not_finite".

    Args:
        solver: "auto", or the form of the step: "primal" (n x n), "dual" (m k x m k, Woodbury), "cg" (matrix-free).
        batch_size: None takes all examples in each step. A number m makes an epoch of ceil(N/m) steps on batches of a
            fresh permutation, each judged on its own batch; each batch gets one trial.
        l2: lambda of (lambda/2N) sum w², over weights only; None for none.
        damping: the first lambda, as a multiple of the largest diagonal entry of J^T J; None is 0.01 for a linear
            output layer and 0.1 for outputs that can saturate.
        max_damping: where to give up, as a multiple of the curvature: the greater of tr J^T J and ‖g‖/max(1, ‖p‖).
        acceleration: add the geodesic correction of [T&S], clipped: about half the iterations for one more solve.
        refit: refit a linear output layer at each trial point; None does it wherever it applies.
        cg_tolerance: the relative residual at which conjugate gradients stop.
        cg_iterations: the most products of one solve.
        memory: bytes that the matrices of a step may take; None is half of the machine's memory.

    Raises:
        ConfigurationError: a value outside its range.

    Source: [M], [JN], [H&M], [T&S]; docs/levenberg-marquardt.md derives it.
    """

    solver: str = "auto"
    batch_size: int | None = None
    l2: float | None = None
    damping: float | None = None
    max_damping: float = 1e10
    acceleration: bool = True
    refit: bool | None = None
    cg_tolerance: float = 1e-3
    cg_iterations: int = 200
    memory: float | None = None

    dtype: ClassVar[str] = "float64"
    initializers: ClassVar[dict[str, str]] = DEFAULT_INITIALIZERS | {"tanh": "nguyen-widrow"}
    learning_rate_name: ClassVar[str | None] = None
    cost_before_step: ClassVar[bool] = False
    judged_by: ClassVar[str | None] = None

    def __post_init__(self):
        """Check every number where it is given."""
        require_choice("solver", self.solver, ("auto", "primal", "dual", "cg"))
        for name in ("damping", "max_damping", "cg_tolerance", "memory"):
            if getattr(self, name) is not None:
                object.__setattr__(self, name, require_number(name, getattr(self, name), above=0))
        if self.l2 is not None:
            object.__setattr__(self, "l2", require_number("l2", self.l2, least=0))
        if self.batch_size is not None:
            object.__setattr__(self, "batch_size", require_count("batch_size", self.batch_size))
        object.__setattr__(self, "cg_iterations", require_count("cg_iterations", self.cg_iterations))

    def check(self, net: "Network", count: int) -> None:
        """A batch cannot be larger than the data; a step function has no gradient; a refit needs a linear output."""
        require_derivatives(net)
        require_batch(self.batch_size, count)
        if self.refit and not can_refit(net):
            raise ConfigurationError(
                "refit=True needs a linear output layer and the quadratic cost: leave refit out for this network."
            )

    def form(self, net: "Network", params: Params, examples: int) -> str:
        """Which form a step on that many examples takes: "primal", "dual" or "cg"."""
        if self.solver != "auto":
            return self.solver
        n = sum(p.size for p in jax.tree.leaves(params))
        memory = available_memory() if self.memory is None else self.memory
        return choose_form(n, examples, net.outputs, gram_width(params), memory)

    def surroundings(self, net: "Network", params: Params, count: int) -> AbstractContextManager:
        """One thread for LAPACK where the matrix to factor is small."""
        examples = count if self.batch_size is None else self.batch_size
        n = sum(p.size for p in jax.tree.leaves(params))
        order = {"primal": n, "dual": examples * net.outputs, "cg": 0}
        return threads_for_order(order[self.form(net, params, examples)])

    def init(self, net: "Network", params: Params, rows: Rows) -> LevenbergMarquardtState:
        """lambda_0 = damping · max diag(J^T J) ([JN])."""
        block = self.block(net, params, rows)

        def diagonal(x: Array, y: Array, weight: Array) -> Params:
            return jacobian_diagonal(net, params, linearize(net, params, x, y, weight))

        leaves = jax.tree.leaves(sum_over_blocks(rows, block, diagonal))
        share = 1 if self.batch_size is None else self.batch_size / rows.count
        largest = share * jnp.max(jnp.stack([jnp.max(d) for d in leaves]))
        trace = share * jnp.sum(jnp.stack([jnp.sum(d) for d in leaves]))
        first = self.damping
        if first is None:
            first = FIRST_DAMPING if can_refit(net) else FIRST_DAMPING_SATURATING
        return LevenbergMarquardtState(params, control.start(first * largest, trace))

    def epoch(
        self, net: "Network", state: LevenbergMarquardtState, rows: Rows, key: Array
    ) -> tuple[LevenbergMarquardtState, Record]:
        """One accepted step on all examples, or one pass of batches with one trial each."""
        if self.batch_size is None:
            return self._full_batch_epoch(net, state, rows)
        return self._mini_batch_epoch(net, state, rows, key)

    def _full_batch_epoch(
        self, net: "Network", state: LevenbergMarquardtState, rows: Rows
    ) -> tuple[LevenbergMarquardtState, Record]:
        total = jnp.sum(rows.mask)
        model = self._model(net, state.params, rows)
        start = control.follow(state.damping, model.trace)
        ceiling = self._ceiling(model, state.params)
        log = {
            "trial_lambda": jnp.full(TRIALS, jnp.nan, rows.x.dtype),
            "trial_cost": jnp.full(TRIALS, jnp.nan, rows.x.dtype),
            "trial_gain": jnp.full(TRIALS, jnp.nan, rows.x.dtype),
            "trial_verdict": jnp.zeros(TRIALS, jnp.int8),
        }

        def going(carry: tuple) -> Array:
            trial, damping, _, i = carry
            return (trial.verdict != ACCEPTED) & (i < TRIALS) & (damping.lam <= ceiling)

        def attempt(carry: tuple) -> tuple:
            _, damping, log, i = carry
            trial = self._trial(net, state.params, model, rows, damping.lam)
            log = {
                "trial_lambda": log["trial_lambda"].at[i].set(damping.lam),
                "trial_cost": log["trial_cost"].at[i].set(trial.objective / total),
                "trial_gain": log["trial_gain"].at[i].set(trial.gain),
                "trial_verdict": log["trial_verdict"].at[i].set(trial.verdict),
            }
            return trial, control.update(damping, trial.gain, trial.verdict == ACCEPTED), log, i + 1

        zero = jnp.zeros((), rows.x.dtype)
        none = Trial(state.params, model.objective, zero, jnp.zeros((), jnp.int8), zero)
        trial, damping, log, trials = lax.while_loop(going, attempt, (none, start, log, jnp.zeros((), jnp.int32)))
        accepted = trial.verdict == ACCEPTED
        params = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), trial.params, state.params)
        record = log | {
            "cost": jnp.where(accepted, trial.objective, model.objective) / total,
            "gradient_norm": model.gradient_norm / total,
            "lambda": damping.lam,
            "step_norm": jnp.where(accepted, trial.step_norm, 0),
            "accepted": accepted.astype(jnp.int32),
            "rejected": trials - accepted.astype(jnp.int32),
            "stop": jnp.where(accepted | (damping.lam <= ceiling), 0, control.reason(ceiling)).astype(jnp.int32),
        }
        return LevenbergMarquardtState(params, damping), record

    def _mini_batch_epoch(
        self, net: "Network", state: LevenbergMarquardtState, rows: Rows, key: Array
    ) -> tuple[LevenbergMarquardtState, Record]:
        m, size = self.batch_size, rows.x.shape[0]
        assert m is not None
        total = jnp.sum(rows.mask)
        steps = (rows.count + m - 1) // m
        order = jnp.pad(permutation(key, size, rows.count), (0, -size % m))

        def one_step(i: Array, carry: tuple) -> tuple:
            params, damping, cost, square, taken = carry
            index = lax.dynamic_slice(order, (i * m,), (m,))
            x, y, weight = take_batch(rows, index, i * m, rows.count)
            batch = Rows(x, y, weight, jnp.asarray(m, jnp.int32))
            batch_total = examples_in_batch(i, m, rows.count) * (total / rows.count)
            share = None if self.l2 is None else self.l2 * batch_total / total
            model = self._model(net, params, batch, share)
            damping = control.follow(damping, model.trace)
            trial = self._trial(net, params, model, batch, damping.lam, share)
            accepted = trial.verdict == ACCEPTED
            damping = control.hold(control.update(damping, trial.gain, accepted), self._ceiling(model, params))
            params = jax.tree.map(lambda new, old: jnp.where(accepted, new, old), trial.params, params)
            cost = cost + jnp.where(accepted, trial.objective, model.objective)
            square = square + (model.gradient_norm / batch_total) ** 2
            return params, damping, cost, square, taken + accepted

        zero, none = jnp.zeros((), rows.x.dtype), jnp.zeros((), jnp.int32)
        start = (state.params, state.damping, zero, zero, none)
        params, damping, cost, square, taken = lax.fori_loop(0, steps, one_step, start)
        record = {
            "cost": cost / total,
            "batch_gradient_norm": jnp.sqrt(square / steps),
            "lambda": damping.lam,
            "accepted": taken,
            "rejected": steps - taken,
        }
        return LevenbergMarquardtState(params, damping), record

    def _ceiling(self, model: QuadraticModel, params: Params) -> Array:
        """The largest lambda worth a trial."""
        return control.ceiling(self.max_damping, model.trace, model.gradient_norm, norm(params))

    def _trial(
        self, net: "Network", params: Params, model: QuadraticModel, rows: Rows, lam: Array, l2: Number | None = None
    ) -> Trial:
        """Solve for one damping, correct, refit, and judge the point it leads to."""
        l2 = self.l2 if l2 is None else l2
        block = self.block(net, params, rows)
        step = model.solve(lam)
        there = plus(params, step.bent)
        if can_refit(net) if self.refit is None else self.refit:
            there = refit_output_layer(net, there, rows, block, lam, l2)
        new = objective(net, there, rows, block, l2)
        gain, verdict = control.judge(model.objective, new, step.predicted)
        return Trial(there, new, gain, verdict, norm(plus(there, params, -1.0)))

    def _model(self, net: "Network", params: Params, rows: Rows, l2: Number | None = None) -> QuadraticModel:
        l2 = self.l2 if l2 is None else l2
        block = self.block(net, params, rows)
        form = self.form(net, params, rows.x.shape[0])
        if form == "primal":
            return primal_model(net, params, rows, block, l2, self.acceleration)
        if form == "dual":
            return dual_model(net, params, rows, l2, self.acceleration)
        return cg_model(net, params, rows, block, l2, self.acceleration, self.cg_tolerance, self.cg_iterations)

    def block(self, net: "Network", params: Params, rows: Rows) -> int:
        """How many examples are linearised at once: a block of their Jacobian (primal) or of their errors (cg)."""
        n = sum(p.size for p in jax.tree.leaves(params))
        neurons = 4 * net.neurons(rows.x.shape[1:])
        width = max(n, neurons) if self.form(net, params, rows.x.shape[0]) == "primal" else neurons
        return block_size(rows.x.shape[0], examples_at_once(width, net.outputs))


register(LevenbergMarquardt, leaves=("l2", "damping", "max_damping", "cg_tolerance", "cg_iterations"))
