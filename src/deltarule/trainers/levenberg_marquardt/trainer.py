"""The Levenberg-Marquardt trainer."""

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
from deltarule.trainers.base import ACCEPTED, Trainer, Trial, batches, damped_step, judge
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

TRIALS = 16  # the most dampings tried from one point: nu doubles each time, so lambda grows by 2^136
FIRST_DAMPING, FIRST_DAMPING_SATURATING = 1e-2, 1e-1  # the larger solves [HH] from every start, the smaller from 80 %


class LevenbergMarquardtState(NamedTuple):
    """The parameters and the damping."""

    params: Params
    damping: Damping


class Form(NamedTuple):
    """The functions of a form: the model at a point, the step for one damping, the diagonal of J^T J."""

    model: Callable[..., Any]
    step: Callable[..., Any]
    diagonal: Callable[..., Any]


FORMS = {
    "primal": Form(primal_model, primal_step, lambda model: model.hessian.diagonal()),
    "dual": Form(dual.model, dual.step, dual.diagonal),
    "cg": Form(matrix_free_model, matrix_free_step, lambda model: model.diagonal),
}


class Point(NamedTuple):
    """The end of a trial step: the parameters, the objective there, its predicted fall, and the length of the step."""

    params: Params
    objective: Array
    predicted: Array
    step_norm: Array


def attempt(
    F: Objective, p: Params, model: Any, lam: Array, solver: tuple, *, form: str, accelerate: bool, refit: bool
) -> Point:
    """Solve for one damping, refit the output layer, and evaluate the objective there."""
    step = FORMS[form].step(F, p, model, lam, *solver, accelerate=accelerate)
    params = trees.add(p, step.corrected)
    if refit:
        params = refit_output_layer(F, params, lam)
    return Point(params, F.value(params), step.predicted, trees.norm(trees.add(params, p, -1.0)))


def largest_diagonal(F: Objective, model: Any, *, form: str) -> Array:
    """max diag(J^T J)."""
    return trees.max_abs(FORMS[form].diagonal(model))


@dataclass(frozen=True)
class LevenbergMarquardt(Trainer):
    """p ← p + s with (J^T J + A + lambda I) s = -(J^T r + A p), for the quadratic cost or any convex one.

    One epoch is one accepted step: lambda grows until a step lowers the objective, in up to 16 trials (an epoch without
    an accepted trial changes only lambda). The history keeps every trial with its verdict ("trial_lambda",
    "trial_cost", "trial_gain", "trial_verdict", an index in `deltarule.trainers.levenberg_marquardt.VERDICTS`). If no
    damping up to `max_damping` lowers the objective, training stops with "mu_max" (to rounding, this is a minimum), or
    with "not_finite" if J^T J is not finite.

    Args:
        solver: "auto", or the form of the step: "primal" (n x n), "dual" (m k x m k, Woodbury), "cg" (matrix-free).
        batch_size: None takes all examples in each step. With a number m an epoch is ceil(N/m) steps on batches of a
            fresh permutation, with one trial on each batch.
        l2: lambda of (lambda/2N) sum w², over weights only; None for none.
        damping: the first lambda, as a multiple of the largest diagonal entry of the first J^T J ([JN]); None is 0.01
            for a linear output layer and 0.1 for outputs that can saturate.
        max_damping: the largest lambda, as a multiple of the greater of tr J^T J and ‖g‖/max(1, ‖p‖).
        acceleration: add the geodesic correction of [T&S], clipped: about half the iterations for one more solve.
        refit: refit a linear output layer at each trial point; None does so wherever possible.
        cg_tolerance: the relative residual at which conjugate gradients stop.
        cg_iterations: the most products of one solve.
        memory: the most bytes for the matrices of a step; None is half of the machine's memory.

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

    minimises_objectives: ClassVar[bool] = True
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
        if self.batch_size is not None:
            super().check_stream(sizes, count)
        form = self.form(sizes, count)
        if form != "primal":
            raise ConfigurationError(
                f"Levenberg-Marquardt chooses its {form} form for {count:,} examples, and a stream needs the primal "
                "one: train in memory, or give solver='primal'."
            )

    def form(self, sizes: Sizes, examples: int) -> str:
        return choose_form(sizes, examples, self.memory) if self.solver == "auto" else self.solver

    def epoch_flops(self, sizes: Sizes, count: int) -> float:
        m = min(self.batch_size or count, count)
        return -(-count // m) * form_costs(sizes, m)[self.form(sizes, m)].flops

    def plan(self, net: "Network", rows: Rows) -> tuple[str, int]:
        """Return the form of a step on these rows, and how many of them are linearised together."""
        sizes, count = net.sizes(rows.x.shape[1:]), rows.x.shape[0]
        form = self.form(sizes, count)
        return form, self.block(sizes, count, form)

    def block(self, sizes: Sizes, examples: int, form: str) -> int:
        """Return how many examples are linearised together: a block of the Jacobian (primal) or of the errors."""
        width = max(sizes.parameters, 4 * sizes.neurons) if form == "primal" else 4 * sizes.neurons
        return linearization_block(examples, width, sizes.outputs)

    def first_state(self, params: Params) -> LevenbergMarquardtState:
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
        """Try dampings until one lowers the objective; return the state after it and the record."""
        model, first, ceiling, attempt = self._begin(F, form, state, dtype)
        damping, trials = damped_step(attempt, first, lambda damping: not damping.lam <= ceiling, TRIALS, clock)
        accepted = bool(trials) and trials[-1].accepted
        point = trials[-1].point if accepted else Point(state.params, model.objective, 0, 0)
        log = np.full((3, TRIALS), np.nan, dtype)
        verdicts = np.zeros(TRIALS, np.int8)
        for i, trial in enumerate(trials):
            log[:, i], verdicts[i] = (trial.control, trial.point.objective / total, trial.gain), trial.verdict
        record = {
            "trial_lambda": log[0],
            "trial_cost": log[1],
            "trial_gain": log[2],
            "trial_verdict": verdicts,
            "cost": dtype.type(point.objective / total),
            "gradient_norm": dtype.type(model.gradient_norm / total),
            "lambda": dtype.type(damping.lam),
            "step_norm": dtype.type(point.step_norm),
            "accepted": np.int32(accepted),
            "rejected": np.int32(len(trials) - accepted),
            "stop": 0 if accepted or damping.lam <= ceiling else control.stop_at(ceiling),
        }
        return LevenbergMarquardtState(point.params, damping), record

    def _mini_batch_epoch(
        self, net: "Network", state: LevenbergMarquardtState, rows: Rows, context: EpochContext
    ) -> tuple[LevenbergMarquardtState, Record]:
        dtype, total, cost, squares, accepted = rows.x.dtype, float(rows.mask.sum()), 0.0, [], 0
        for batch, share, l2 in batches(self, rows, context, total):
            form, block = self.plan(net, batch)
            model, damping, ceiling, attempt = self._begin(Objective(net, batch, block, l2), form, state, dtype)
            trial, damping = attempt(damping)
            params, objective = trial.point[:2] if trial.accepted else (state.params, model.objective)
            state = LevenbergMarquardtState(params, control.cap(damping, ceiling))
            cost += objective
            squares.append((model.gradient_norm / share) ** 2)
            accepted += trial.accepted
        record = {
            "cost": dtype.type(cost / total),
            "batch_gradient_norm": dtype.type(np.mean(squares) ** 0.5),
            "lambda": dtype.type(state.damping.lam),
            "accepted": np.int32(accepted),
            "rejected": np.int32(len(squares) - accepted),
        }
        return state, record

    def _begin(
        self, F: Objective, form: str, state: LevenbergMarquardtState, dtype: np.dtype
    ) -> tuple[Any, Damping, float, Callable[[Damping], tuple[Trial, Damping]]]:
        """Return the model at a point, the first damping, the largest one, and the function that tries a damping."""
        p = state.params
        arrays = F.call(FORMS[form].model, p)
        numbers = {name: float(getattr(arrays, name)) for name in ("objective", "gradient_norm", "trace")}
        model = arrays._replace(**numbers)
        refit = F.net.can_refit if self.refit is None else self.refit
        solver = (self.cg_tolerance, self.cg_iterations) if form == "cg" else ()

        def try_damping(damping: Damping) -> tuple[Trial, Damping]:
            options = {"form": form, "accelerate": self.acceleration, "refit": refit}
            params, *numbers = F.call(attempt, p, arrays, damping.lam, solver, **options)
            point: Any = Point(params, *map(float, numbers))
            gain, verdict = judge(model.objective, point.objective, point.predicted)
            return Trial(damping.lam, point, gain, verdict), control.update(damping, gain, verdict == ACCEPTED)

        if state.damping == control.UNSET:
            first = self.damping or (FIRST_DAMPING if F.net.can_refit else FIRST_DAMPING_SATURATING)
            damping = control.start(first * float(F.call(largest_diagonal, arrays, form=form)), model.trace, dtype)
        else:
            damping = control.rescale(state.damping, model.trace, dtype)
        ceiling = control.ceiling(self.max_damping, model.trace, model.gradient_norm, float(trees.norm(p)))
        return model, damping, ceiling, try_damping


register(LevenbergMarquardt, leaves=("l2", "damping", "max_damping", "cg_tolerance", "cg_iterations"))
