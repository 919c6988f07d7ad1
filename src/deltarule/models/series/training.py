"""Train one network with lags: in open loop by Bayesian regularisation, or in closed loop on its free runs.

Open loop: y_t is fitted to the table of lagged columns of measured values, and the evidence sets the penalties.

Closed loop: exact steps on the error of free runs. The first runs have 1 step, as in open loop, the next ones more and
more, up to whole segments; each stage starts from the parameters that did best on held-out segments in the stage
before. Then the L2 penalty is lowered as long as free runs of the held-out segments improve. Keeping the number of
neurons in use small by early stopping and a large penalty matters: on 700 steps of two tanks the free runs of training
segments keep improving long after those of held-out segments have become worse.

    F(p) = (1/2) sum_t ‖yhat_t(p) - y_t‖² + (l2/2) sum p²

over windows of a record, each of which runs freely from the measured outputs before it. J is `Unrolled.jacobian`, and
the step is the trainers' own primal step with this J.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.curvature.linearization import NormalEquations
from deltarule.data.lagged import Segment, Windows, lag_table, windows
from deltarule.engine import numpy_engine
from deltarule.engine.machine import threads_for_order
from deltarule.engine.rows import no_time_limit
from deltarule.models.series.feedback import Feedback
from deltarule.network.backprop import Params
from deltarule.objective import Objective
from deltarule.trainers.bayesian import BayesianRegularization
from deltarule.trainers.levenberg_marquardt import LevenbergMarquardt, damping
from deltarule.trainers.levenberg_marquardt.trainer import LevenbergMarquardtState
from deltarule.training.train import train

HORIZONS = (1, 60, 200)  # steps of the windows of the first stages; the last stage has the longest
STEPS = 10  # of Levenberg-Marquardt in each stage, and for each penalty
LONGEST_STEPS = 40  # in the last stage, with the first penalty
PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5)  # l2, for squared errors of standardised outputs
PATIENCE = 2  # the search ends after this many penalties without a better run
MIN_DECREASE = 1e-4  # the relative decrease of F in a step below which the next stage or penalty begins
INITIAL_DAMPING = 1e-2
EPOCHS = 100  # of Bayesian regularisation at most


class ClosedLoop(Objective):
    """The error of free runs of windows as a function of p, for the trainers' loop."""

    model: Feedback
    windows: Windows
    start: np.ndarray
    target: np.ndarray
    last: tuple[Any, Any]
    is_complete: bool

    fits_one_block = property(lambda self: True)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, model: Feedback, windows: Windows, l2: float):
        D = model.lags.max_lag
        vars(self).update(net=model.net, l2=l2, scale=1.0, model=model, windows=windows, last=(None, None))
        vars(self).update(
            start=windows.Y[:, :D],
            target=np.where(windows.measured > 0, windows.Y[:, D:], 0.0),
            is_complete=bool(windows.measured.all()),
        )

    def call(self, piece: Callable[..., Any], *arguments: Any, **static: Any) -> Any:
        return numpy_engine.call(piece, self, *arguments, **static)

    def prior(self, p: Params) -> Params:
        """l2 for weights and biases: without a penalty on biases neurons saturate outside the range of the runs."""
        return trees.map_leaves(lambda array: np.full_like(array, self.l2), p)

    def run(self, p: Params) -> np.ndarray:
        """The free runs, (K, D + H, k); the last are cached, because an accepted trial is linearised next."""
        before, run = self.last
        if before is not p:
            run = self.model.free_run(p, self.windows.U, self.start, near=run)
            vars(self)["last"] = p, run
        return run

    def residual(self, p: Params) -> np.ndarray:
        """yhat - y, 0 if y is not measured, (K, H, k)."""
        return self.windows.measured * (self.run(p)[:, self.model.lags.max_lag :] - self.target)

    def value(self, p: Params) -> float:
        r = self.residual(p).ravel()
        return 0.5 * float(r @ r) + self.prior_energy(p)

    def normal_equations(self, p: Params) -> tuple[Any, NormalEquations]:
        """J^T J and J^T r of the free runs, preceded by what `acceleration_force` needs.

        That is the runs unrolled, dy/dp of all steps, and J, its rows for measured outputs.
        """
        r = self.residual(p).ravel()
        unrolled = self.model.unroll(p, self.windows.U, self.run(p))
        slopes = unrolled.jacobian()
        J = slopes if self.is_complete else self.windows.measured.reshape(-1, 1) * slopes
        equations = NormalEquations(0.5 * (r @ r), r @ J, numpy_engine.symmetric_product(J.T))
        return (unrolled, slopes, J), equations

    def acceleration_force(self, p: Params, s: Params, kept: Any = None) -> Params:
        """J^T d²y/dt² along p + t s, from the first return value of `normal_equations`."""
        unrolled, slopes, J = kept
        return trees.unravel(unrolled.second_derivative(s, slopes @ trees.ravel(s)) @ J, p)


def initial_state(F: ClosedLoop, p: Params) -> LevenbergMarquardtState:
    """The state before the first step, lambda_0 = 0.01 max diag(J^T J).

    With less damping the first steps are long, where long runs are most non-linear: on the two tanks the runs were then
    no better on training segments and worse on held-out ones.
    """
    hessian = F.call(ClosedLoop.normal_equations, p)[1].hessian
    first = INITIAL_DAMPING * float(np.diag(hessian).max())
    return LevenbergMarquardtState(p, damping.start(first, float(np.trace(hessian)), hessian.dtype))


class Member(NamedTuple):
    """A network's parameters, its root mean square error on held-out free runs (inf if unstable), and its penalty."""

    params: Params
    error: float
    l2: float | None = None


def free_run_error(F: ClosedLoop, params: Params) -> float:
    """The root mean square error of the free runs; inf if one leaves the range of what was measured."""
    with np.errstate(all="ignore"):
        run = F.run(params)
    if not F.model.is_stable(run).all():
        return np.inf
    return float(np.sqrt((F.residual(params) ** 2).sum() / max(F.windows.measured.sum(), 1.0)))


def open_loop(model: Feedback, segments: Sequence[Segment], seed: int) -> Params:
    """The parameters of the largest evidence for y_t, given measured outputs.

    The residual of the fixed linear part is scaled to a variance of 1, as Bayesian regularisation expects.
    """
    X, Y = lag_table(segments, model.lags)
    residual = Y - X @ model.line.T
    scale = np.where(residual.std(axis=0) > 0, residual.std(axis=0), 1.0)
    options = {"epochs": EPOCHS, "seed": seed, "dtype": "float64", "engine": "numpy", "restarts": 2}
    result = train(model.net, X, residual / scale, trainer=BayesianRegularization(), **options)
    *below, last = trees.map_leaves(np.asarray, result.params)
    return [*below, {"W": scale[:, None] * last["W"], "b": scale * last["b"]}]


def closed_loop(trainings: Sequence["ClosedLoopTraining"], seed: int, l2: float | None) -> list[Member]:
    """For each training the network of the smallest error on its held-out free runs.

    All share one penalty, the one with which they do best together; each alone would choose a penalty by chance. It is
    `l2`, or one of several if that is None.
    """
    penalties = PENALTIES if l2 is None else (l2,)
    stages = [training.grow_horizon(seed, penalties[0]) for training in trainings]
    best, failures = [member for _, member in stages], 0
    params = [last for last, _ in stages]
    for penalty in penalties[1:]:
        stages = [each.descend(p, each.horizon, penalty, STEPS) for each, p in zip(trainings, params, strict=True)]
        params, members = [last for last, _ in stages], [member for _, member in stages]
        if mean_error(members) < mean_error(best):
            best, failures = members, 0
        elif (failures := failures + 1) == PATIENCE:
            break
    return best


def mean_error(members: Sequence[Member]) -> float:
    """The root mean square of the members' errors, as if all held out equally many steps."""
    return float(np.sqrt(np.mean([member.error**2 for member in members])))


@dataclass(frozen=True)
class ClosedLoopTraining:
    """Training in closed loop on `segments`, in runs of at most `horizon` steps, judged by the free runs `held_out`."""

    model: Feedback
    segments: Sequence[Segment]
    held_out: ClosedLoop
    horizon: int

    @classmethod
    def of(
        cls, model: Feedback, segments: Sequence[Segment], held: Sequence[Segment], horizon: int | None
    ) -> "ClosedLoopTraining":
        """With free runs of at most `horizon` steps; None runs whole segments."""
        longest = max(len(segment.Y) for segment in segments) if horizon is None else horizon
        return cls(model, segments, ClosedLoop(model, windows(held, model.lags, horizon), 0.0), longest)

    def grow_horizon(self, seed: int, l2: float) -> tuple[Params, Member]:
        """Train from fresh weights on longer and longer windows; the last parameters, and the best network."""
        params = self.model.net.init(seed, (self.model.width,), "float64")
        best = Member(self.descend(params, HORIZONS[0], l2, STEPS)[0], np.inf)
        for steps in HORIZONS[1:]:
            if steps < self.horizon / 2:
                best = self.descend(best.params, steps, l2, STEPS)[1]
        return self.descend(best.params, self.horizon, l2, LONGEST_STEPS)

    def descend(self, params: Params, steps: int, l2: float, most: int) -> tuple[Params, Member]:
        """Take at most `most` steps on windows of `steps`; the last parameters, and the best on held-out runs."""
        F = ClosedLoop(self.model, windows(self.segments, self.model.lags, steps), l2)
        trainer = LevenbergMarquardt(l2=l2, refit=False)
        state, cost = initial_state(F, params), np.inf
        best = Member(params, free_run_error(self.held_out, params), l2)
        with threads_for_order(trees.size(params)):
            for _ in range(most):
                state, record = trainer.step(F, "primal", state, 1.0, np.dtype("float64"), no_time_limit)
                if not record["accepted"]:
                    break
                error = free_run_error(self.held_out, state.params)
                best = Member(state.params, error, l2) if error < best.error else best
                if cost - record["cost"] < MIN_DECREASE * record["cost"]:
                    break
                cost = record["cost"]
        return state.params, best
