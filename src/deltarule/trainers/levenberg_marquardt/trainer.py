"""Levenberg-Marquardt: damped Gauss-Newton steps, exact, in the form that fits the problem."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.arrays import Array
from deltarule.checks import check_fields, require_choice
from deltarule.engine.rows import EpochContext, Record, Rows, linearization_block
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.network import Sizes
from deltarule.objective import Objective
from deltarule.trainers.base import ACCEPTED, Trainer, batches, damped_step, judge
from deltarule.trainers.form import choose_form, form_costs
from deltarule.trainers.levenberg_marquardt import damping as control
from deltarule.trainers.levenberg_marquardt import dual
from deltarule.trainers.levenberg_marquardt.damping import Damping
from deltarule.trainers.levenberg_marquardt.model import (
    matrix_free_model,
    matrix_free_step,
    primal_model,
    primal_step,
    refit_output_layer,
)
from deltarule.trees import register

if TYPE_CHECKING:
    from deltarule.network.network import Network

TRIALS = 16  # the most dampings tried from one point: nu doubles each time, so lambda has grown by 2^136
FIRST_DAMPING, FIRST_DAMPING_SATURATING = 1e-2, 1e-1  # the larger one solves all of [HH]'s starts, the smaller 80 %


class LevenbergMarquardtState(NamedTuple):
    """The parameters and the damping."""

    params: Params
    damping: Damping


class Form(NamedTuple):
    """The model at a point, a step for one damping, and the diagonal of J^T J."""

    model: Callable[..., Any]
    step: Callable[..., Any]
    diagonal: Callable[..., Any]


FORMS = {
    "primal": Form(primal_model, primal_step, lambda model: model.hessian.diagonal()),
    "dual": Form(dual.model, dual.step, dual.diagonal),
    "cg": Form(matrix_free_model, matrix_free_step, lambda model: model.diagonal),
}


class Point(NamedTuple):
    """Where a trial leads: the parameters, the objective there, the fall that was promised, and how far it is."""

    params: Params
    objective: Array
    predicted: Array
    step_norm: Array


class Trial(NamedTuple):
    """One damping tried: where it leads, in Python's numbers, and what came of it."""

    lam: float
    to: Point
    gain: float
    verdict: int

    @property
    def accepted(self) -> bool:
        return self.verdict == ACCEPTED


def attempt(
    F: Objective, p: Params, model: Any, lam: Array, solver: tuple, *, form: str, accelerate: bool, refit: bool
) -> Point:
    """Solve for one damping, correct, refit, and measure the objective where that leads."""
    step = FORMS[form].step(F, p, model, lam, *solver, accelerate=accelerate)
    there = trees.add(p, step.bent)
    if refit:
        there = refit_output_layer(F, there, lam)
    return Point(there, F.value(there), step.predicted, trees.norm(trees.add(there, p, -1.0)))


def largest_diagonal(F: Objective, model: Any, *, form: str) -> Array:
    """max diag(J^T J)."""
    return trees.max_abs(FORMS[form].diagonal(model))


@dataclass(frozen=True)
class LevenbergMarquardt(Trainer):
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
        damping: the first lambda, as a multiple of the largest diagonal entry of the first J^T J ([JN]); None is 0.01
            for a linear output layer and 0.1 for outputs that can saturate.
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

    minimizes_objectives: ClassVar[bool] = True
    initializers: ClassVar[dict[str, str]] = {"tanh": "nguyen-widrow"}
    sums_over_stream: ClassVar[bool] = True

    def __post_init__(self):
        require_choice("solver", self.solver, ("auto", "primal", "dual", "cg"))
        positive = ("damping", "max_damping", "cg_tolerance", "memory")
        check_fields(self, above_0=positive, least_0=("l2",), counts=("batch_size", "cg_iterations"))

    def check(self, net: "Network", count: int) -> None:
        super().check(net, count)
        if self.refit and not net.can_refit:
            raise ConfigurationError(
                "refit=True needs a linear output layer and the quadratic cost: leave refit out for this network."
            )

    def check_stream(self, sizes: Sizes, count: int) -> None:
        """Steps on all examples, in the primal form."""
        if self.batch_size is not None:
            super().check_stream(sizes, count)
        form = self.form(sizes, count)
        if form != "primal":
            raise ConfigurationError(
                f"Levenberg-Marquardt would take its {form} form on {count:,} examples, and a stream can only be "
                "summed into the primal one: train in memory, or give solver='primal'."
            )

    def form(self, sizes: Sizes, examples: int) -> str:
        return choose_form(sizes, examples, self.memory) if self.solver == "auto" else self.solver

    def epoch_flops(self, sizes: Sizes, count: int) -> float:
        """The operations of an epoch whose first trials are accepted."""
        m = min(self.batch_size or count, count)
        return -(-count // m) * form_costs(sizes, m)[self.form(sizes, m)].flops

    def plan(self, net: "Network", rows: Rows) -> tuple[str, int]:
        """The form of a step on these rows, and how many of them are linearised at once."""
        sizes, count = net.sizes(rows.x.shape[1:]), rows.x.shape[0]
        form = self.form(sizes, count)
        return form, self.block(sizes, count, form)

    def block(self, sizes: Sizes, examples: int, form: str) -> int:
        """How many of so many examples are linearised at once: a block of the Jacobian (primal) or of the errors."""
        width = max(sizes.parameters, 4 * sizes.neurons) if form == "primal" else 4 * sizes.neurons
        return linearization_block(examples, width, sizes.outputs)

    def first_state(self, params: Params) -> LevenbergMarquardtState:
        """No damping: the first step has the J^T J that sets it."""
        return LevenbergMarquardtState(params, control.UNSET)

    def epoch(
        self, net: "Network", state: LevenbergMarquardtState, rows: Rows, context: EpochContext
    ) -> tuple[LevenbergMarquardtState, Record]:
        if self.batch_size is not None:
            return self._mini_batch_epoch(net, state, rows, context)
        form, block = self.plan(net, rows)
        F = Objective(net, rows, block, self.l2)
        return self.step(F, form, state, float(rows.mask.sum()), rows.x.dtype, context.check_time)

    def step(
        self,
        F: Objective,
        form: str,
        state: LevenbergMarquardtState,
        total: float,
        dtype: np.dtype,
        clock: Callable[[], None],
    ) -> tuple[LevenbergMarquardtState, Record]:
        """One accepted step, or none if no damping leads down, and its record."""
        here, start, ceiling, attempt = self._begin(F, form, state, dtype)
        damping, trials = damped_step(attempt, start, lambda damping: not damping.lam <= ceiling, TRIALS, clock)
        accepted = bool(trials) and trials[-1].accepted
        to = trials[-1].to if accepted else Point(state.params, here.objective, 0, 0)
        log = np.full((3, TRIALS), np.nan, dtype)
        verdicts = np.zeros(TRIALS, np.int8)
        for i, trial in enumerate(trials):
            log[:, i], verdicts[i] = (trial.lam, trial.to.objective / total, trial.gain), trial.verdict
        record = {
            "trial_lambda": log[0],
            "trial_cost": log[1],
            "trial_gain": log[2],
            "trial_verdict": verdicts,
            "cost": dtype.type(to.objective / total),
            "gradient_norm": dtype.type(here.gradient_norm / total),
            "lambda": dtype.type(damping.lam),
            "step_norm": dtype.type(to.step_norm),
            "accepted": np.int32(accepted),
            "rejected": np.int32(len(trials) - accepted),
            "stop": 0 if accepted or damping.lam <= ceiling else control.reason(ceiling),
        }
        return LevenbergMarquardtState(to.params, damping), record

    def _mini_batch_epoch(
        self, net: "Network", state: LevenbergMarquardtState, rows: Rows, context: EpochContext
    ) -> tuple[LevenbergMarquardtState, Record]:
        dtype, total, cost, squares, taken = rows.x.dtype, float(rows.mask.sum()), 0.0, [], 0
        for batch, share, l2 in batches(self, rows, context, total):
            form, block = self.plan(net, batch)
            here, damping, ceiling, attempt = self._begin(Objective(net, batch, block, l2), form, state, dtype)
            trial, damping = attempt(damping)
            params, objective = trial.to[:2] if trial.accepted else (state.params, here.objective)
            state = LevenbergMarquardtState(params, control.hold(damping, ceiling))
            cost += objective
            squares.append((here.gradient_norm / share) ** 2)
            taken += trial.accepted
        record = {
            "cost": dtype.type(cost / total),
            "batch_gradient_norm": dtype.type(np.mean(squares) ** 0.5),
            "lambda": dtype.type(state.damping.lam),
            "accepted": np.int32(taken),
            "rejected": np.int32(len(squares) - taken),
        }
        return state, record

    def _begin(
        self, F: Objective, form: str, state: LevenbergMarquardtState, dtype: np.dtype
    ) -> tuple[Any, Damping, float, Callable[[Damping], tuple[Trial, Damping]]]:
        """The model at a point, the first damping, the largest one worth a trial, and what tries one."""
        p = state.params
        found = F.call(FORMS[form].model, p)
        numbers = {name: float(getattr(found, name)) for name in ("objective", "gradient_norm", "trace")}
        model = found._replace(**numbers)
        refit = F.net.can_refit if self.refit is None else self.refit
        solver = (self.cg_tolerance, self.cg_iterations) if form == "cg" else ()

        def tried(damping: Damping) -> tuple[Trial, Damping]:
            there = F.call(attempt, p, found, damping.lam, solver, form=form, accelerate=self.acceleration, refit=refit)
            to = Point(there.params, *(float(number) for number in there[1:]))
            gain, verdict = judge(model.objective, to.objective, to.predicted)
            return Trial(damping.lam, to, gain, verdict), control.update(damping, gain, verdict == ACCEPTED)

        if state.damping == control.UNSET:
            first = self.damping or (FIRST_DAMPING if F.net.can_refit else FIRST_DAMPING_SATURATING)
            damping = control.start(first * float(F.call(largest_diagonal, found, form=form)), model.trace, dtype)
        else:
            damping = control.follow(state.damping, model.trace, dtype)
        ceiling = control.ceiling(self.max_damping, model.trace, model.gradient_norm, float(trees.norm(p)))
        return model, damping, ceiling, tried


register(LevenbergMarquardt, leaves=("l2", "damping", "max_damping", "cg_tolerance", "cg_iterations"))
