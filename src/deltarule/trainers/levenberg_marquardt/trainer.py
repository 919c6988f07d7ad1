"""Levenberg-Marquardt: damped Gauss-Newton steps, exact, in the form that fits the problem."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

import numpy as np

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.checks import check_fields, require_choice
from deltarule.curvature.linearization import Linearization, linearize
from deltarule.engine.blas_threads import threads_for_order
from deltarule.engine.pytrees import register
from deltarule.engine.rows import Rows, linearized_at_once
from deltarule.engine.turn import Record, Turn
from deltarule.errors import ConfigurationError
from deltarule.network.backprop import Params
from deltarule.network.sizes import Sizes
from deltarule.objective import Objective
from deltarule.trainers.base import Trainer, batch_shares, damped_step
from deltarule.trainers.form import choose_form, form_costs
from deltarule.trainers.levenberg_marquardt import conjugate, dual, primal
from deltarule.trainers.levenberg_marquardt import damping as control
from deltarule.trainers.levenberg_marquardt.damping import ACCEPTED, Damping
from deltarule.trainers.levenberg_marquardt.refit import can_refit, refit_output_layer

if TYPE_CHECKING:
    from deltarule.network.network import Network

TRIALS = 16  # the most dampings tried from one point: nu doubles each time, so lambda has grown by 2^136
FIRST_DAMPING, FIRST_DAMPING_SATURATING = 1e-2, 1e-1  # the larger one solves all of [HH]'s starts, the smaller 80 %


class LevenbergMarquardtState(NamedTuple):
    """The parameters and the damping."""

    params: Params
    damping: Damping


FORMS = {"primal": primal, "dual": dual, "cg": conjugate}


class Here(NamedTuple):
    """The objective at a point, the norm of its gradient, and tr J^T J."""

    objective: float
    gradient_norm: float
    trace: float


class Point(NamedTuple):
    """Where a trial leads: the parameters, the objective there, the fall that was promised, and how far it is."""

    params: Params
    objective: Array
    predicted: Array
    step_norm: Array


class Trial(NamedTuple):
    """One damping tried: where it leads and what came of it."""

    lam: float
    params: Params
    objective: float
    gain: float
    verdict: int
    step_norm: float

    @property
    def accepted(self) -> bool:
        """Whether the step is taken."""
        return self.verdict == ACCEPTED


def attempt(
    F: Objective, p: Params, model: Any, lam: Array, solver: tuple, *, form: str, accelerate: bool, refit: bool
) -> Point:
    """Solve for one damping, correct, refit, and measure the objective where that leads."""
    step = FORMS[form].step(F, p, model, lam, *solver, accelerate=accelerate)
    there = trees.plus(p, step.bent)
    if refit:
        there = refit_output_layer(F, there, lam)
    return Point(there, F.value(there), step.predicted, trees.norm(trees.plus(there, p, -1.0)))


def _diagonal_sums(F: Objective, p: Params) -> tuple[Array, Array]:
    """The largest entry of the diagonal of J^T J, and its sum."""
    leaves = trees.leaves(F.sum(Linearization.squared_jacobian, p, at=linearize))
    xp = leaves[0].__array_namespace__()
    return xp.max(xp.stack([d.max() for d in leaves])), sum(d.sum() for d in leaves)


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

    takes_objectives: ClassVar[bool] = True
    initializers: ClassVar[dict[str, str]] = {"tanh": "nguyen-widrow"}
    whole_stream: ClassVar[bool] = True

    def __post_init__(self):
        """Check every number where it is given."""
        require_choice("solver", self.solver, ("auto", "primal", "dual", "cg"))
        positive = ("damping", "max_damping", "cg_tolerance", "memory")
        check_fields(self, above_0=positive, least_0=("l2",), counts=("batch_size", "cg_iterations"))

    def check(self, net: "Network", count: int) -> None:
        """As any, and a refit needs a linear output."""
        super().check(net, count)
        if self.refit and not can_refit(net):
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
        """Which form a step on that many examples takes: "primal", "dual" or "cg"."""
        return choose_form(sizes, examples, self.memory) if self.solver == "auto" else self.solver

    def epoch_flops(self, sizes: Sizes, count: int) -> float:
        """The operations of an epoch whose first trials are accepted."""
        m = min(self.batch_size or count, count)
        return -(-count // m) * form_costs(sizes, m)[self.form(sizes, m)].flops

    def thread_limits(self, sizes: Sizes, count: int) -> AbstractContextManager:
        """One thread for LAPACK where the matrix to factor is small."""
        examples = self.batch_size or count
        order = {"primal": sizes.parameters, "dual": examples * sizes.outputs, "cg": 0}
        return threads_for_order(order[self.form(sizes, examples)])

    def plan(self, net: "Network", rows: Rows) -> tuple[str, int]:
        """The form of a step on these rows, and how many of them are linearised at once."""
        sizes, count = net.sizes(rows.input_shape), rows.x.shape[0]
        form = self.form(sizes, count)
        return form, self.block(sizes, count, form)

    def block(self, sizes: Sizes, examples: int, form: str) -> int:
        """How many of so many examples are linearised at once: a block of the Jacobian (primal) or of the errors."""
        width = max(sizes.parameters, 4 * sizes.neurons) if form == "primal" else 4 * sizes.neurons
        return linearized_at_once(examples, width, sizes.outputs)

    def init(self, net: "Network", params: Params, rows: Rows) -> LevenbergMarquardtState:
        """lambda_0 = damping · max diag(J^T J) ([JN])."""
        share = 1.0 if self.batch_size is None else self.batch_size / int(rows.count)
        return self.first_state(Objective(net, rows, self.plan(net, rows)[1]), params, rows.x.dtype, share)

    def first_state(self, F: Objective, params: Params, dtype: np.dtype, share: float = 1.0) -> LevenbergMarquardtState:
        """The state before the first step, of which each is on this share of the examples."""
        first = self.damping
        if first is None:
            first = FIRST_DAMPING if can_refit(F.net) else FIRST_DAMPING_SATURATING
        largest, trace = F.call(_diagonal_sums, params)
        return LevenbergMarquardtState(
            params, control.start(first * share * float(largest), share * float(trace), dtype)
        )

    def epoch(
        self, net: "Network", state: LevenbergMarquardtState, rows: Rows, turn: Turn
    ) -> tuple[LevenbergMarquardtState, Record]:
        """One accepted step on all examples, or one pass of batches with one trial each."""
        if self.batch_size is not None:
            return self._mini_batch_epoch(net, state, rows, turn)
        form, block = self.plan(net, rows)
        F = Objective(net, rows, block, self.l2)
        return self.step(F, form, state, float(rows.mask.sum()), rows.x.dtype, turn.clock)

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
        last = trials[-1] if trials and trials[-1].accepted else None
        log = np.full((3, TRIALS), np.nan, dtype)
        verdicts = np.zeros(TRIALS, np.int8)
        for i, trial in enumerate(trials):
            log[:, i], verdicts[i] = (trial.lam, trial.objective / total, trial.gain), trial.verdict
        record = {
            "trial_lambda": log[0],
            "trial_cost": log[1],
            "trial_gain": log[2],
            "trial_verdict": verdicts,
            "cost": dtype.type((here.objective if last is None else last.objective) / total),
            "gradient_norm": dtype.type(here.gradient_norm / total),
            "lambda": dtype.type(damping.lam),
            "step_norm": dtype.type(0 if last is None else last.step_norm),
            "accepted": np.int32(last is not None),
            "rejected": np.int32(len(trials) - (last is not None)),
            "stop": 0 if last is not None or damping.lam <= ceiling else control.reason(ceiling),
        }
        return LevenbergMarquardtState(state.params if last is None else last.params, damping), record

    def _mini_batch_epoch(
        self, net: "Network", state: LevenbergMarquardtState, rows: Rows, turn: Turn
    ) -> tuple[LevenbergMarquardtState, Record]:
        E, dtype, m = engine.of(rows.x), rows.x.dtype, self.batch_size
        assert m is not None
        total, cost, square, taken = float(rows.mask.sum()), 0.0, 0.0, 0
        shares = batch_shares(int(rows.count), m, total)
        for i, share in enumerate(shares):
            turn.clock()
            batch = E.take_batch(rows, turn.order, i, m, int(rows.count))
            l2 = None if self.l2 is None else self.l2 * share / total
            form, block = self.plan(net, batch)
            F = Objective(net, batch, block, l2)
            here, damping, ceiling, attempt = self._begin(F, form, state, dtype)
            trial, damping = attempt(damping)
            state = LevenbergMarquardtState(
                trial.params if trial.accepted else state.params, control.hold(damping, ceiling)
            )
            cost += trial.objective if trial.accepted else here.objective
            square += (here.gradient_norm / share) ** 2
            taken += trial.accepted
        record = {
            "cost": dtype.type(cost / total),
            "batch_gradient_norm": dtype.type((square / len(shares)) ** 0.5),
            "lambda": dtype.type(state.damping.lam),
            "accepted": np.int32(taken),
            "rejected": np.int32(len(shares) - taken),
        }
        return state, record

    def _begin(
        self, F: Objective, form: str, state: LevenbergMarquardtState, dtype: np.dtype
    ) -> tuple[Here, Damping, float, Callable[[Damping], tuple[Trial, Damping]]]:
        """The model at a point: its numbers, the first damping, the largest one worth a trial, and what tries one."""
        p = state.params
        model = F.call(FORMS[form].model, p)
        here = Here(*(float(number) for number in (model.objective, model.gradient_norm, model.trace)))
        refit = can_refit(F.net) if self.refit is None else self.refit
        solver = (self.cg_tolerance, self.cg_iterations) if form == "cg" else ()

        def tried(damping: Damping) -> tuple[Trial, Damping]:
            there = F.call(attempt, p, model, damping.lam, solver, form=form, accelerate=self.acceleration, refit=refit)
            objective, predicted = float(there.objective), float(there.predicted)
            gain, verdict = control.judge(here.objective, objective, predicted)
            trial = Trial(damping.lam, there.params, objective, gain, verdict, float(there.step_norm))
            return trial, control.update(damping, gain, trial.accepted)

        ceiling = control.ceiling(self.max_damping, here.trace, here.gradient_norm, float(trees.norm(p)))
        return here, control.follow(state.damping, here.trace, dtype), ceiling, tried


register(LevenbergMarquardt, leaves=("l2", "damping", "max_damping", "cg_tolerance", "cg_iterations"))
