"""How one network with lags is trained: in open loop by Bayesian regularisation, or in closed loop on its free runs.

Open loop: the table of lagged columns, y_t from measured outputs, and the evidence chooses the penalties.

Closed loop: exact steps on the error of free runs of 1 step, which is the open loop again, then of longer and longer
windows, whose runs cannot stray far, up to whole stretches, each from where the one before did best on what is held
out; then the L2 penalty is lowered as long as the free runs of what is held out gain by it. The few neurons that an
early stop and a large penalty leave in use matter: on 700 steps of two tanks the runs of what a training has seen go on
improving long after those of the rest have become worse.

    F(p) = (1/2) sum_t ‖yhat_t(p) - y_t‖² + (l2/2) sum p²

over windows of a record, each of which runs freely from the measured outputs before it. J is `Unrolled.jacobian`, so
the step is the trainers' primal one on another J.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.curvature.linearization import NormalEquations
from deltarule.data.lagged import Stretch, Windows, table, windows
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

HORIZONS = (1, 60, 200)  # steps of the windows that closed-loop training begins with; then the longest
STEPS = 10  # of Levenberg-Marquardt on each of them, and on each penalty
LONGEST_STEPS = 40  # on the longest windows under the first penalty
PENALTIES = (1.0, 0.3, 0.1, 0.03, 0.01, 1e-3, 1e-4, 1e-5)  # l2, beside squared errors of standardised outputs
PATIENCE = 2  # penalties without a better run before the search ends
STALLED = 1e-4  # the share by which F has to fall in a step, or the next horizon or penalty begins
FIRST_DAMPING = 1e-2
EPOCHS = 100  # of Bayesian regularisation at most


class ClosedLoop(Objective):
    """The error of free runs of windows as a function of p, for the trainers' loop."""

    model: Feedback
    pieces: Windows
    start: np.ndarray
    target: np.ndarray
    last: tuple[Any, Any]
    all_known: bool

    fits_one_block = property(lambda self: True)  # pyright: ignore[reportIncompatibleMethodOverride]

    def __init__(self, model: Feedback, pieces: Windows, l2: float):
        longest = model.lags.longest
        vars(self).update(net=model.net, l2=l2, scale=1.0, model=model, pieces=pieces, last=(None, None))
        vars(self).update(
            start=pieces.Y[:, :longest],
            target=np.where(pieces.known > 0, pieces.Y[:, longest:], 0.0),
            all_known=bool(pieces.known.all()),
        )

    def call(self, piece: Callable[..., Any], *arguments: Any, **static: Any) -> Any:
        return numpy_engine.call(piece, self, *arguments, **static)

    def prior(self, p: Params) -> Params:
        """l2 for weights and biases: a free bias lets a neuron saturate where no run has been yet."""
        return trees.map_leaves(lambda array: np.full_like(array, self.l2), p)

    def run(self, p: Params) -> np.ndarray:
        """The free runs, (K, D + H, k); the last ones are kept, because a trial that is taken is linearised next."""
        before, run = self.last
        if before is not p:
            run = self.model.free_run(p, self.pieces.U, self.start, near=run)
            vars(self)["last"] = p, run
        return run

    def residual(self, p: Params) -> np.ndarray:
        """yhat - y where it is measured, (K, H, k)."""
        return self.pieces.known * (self.run(p)[:, self.model.lags.longest :] - self.target)

    def value(self, p: Params) -> float:
        r = self.residual(p).ravel()
        return 0.5 * float(r @ r) + self.prior_energy(p)

    def normal_equations(self, p: Params) -> tuple[Any, NormalEquations]:
        """J^T J and J^T r of the free runs; what is kept is those unrolled, dy/dp of all steps, and J of the known."""
        r = self.residual(p).ravel()
        unrolled = self.model.unrolled(p, self.pieces.U, self.run(p))
        whole = unrolled.jacobian()
        J = whole if self.all_known else self.pieces.known.reshape(-1, 1) * whole
        equations = NormalEquations(0.5 * (r @ r), r @ J, numpy_engine.symmetric_product(J.T))
        return (unrolled, whole, J), equations

    def acceleration_force(self, p: Params, s: Params, kept: Any = None) -> Params:
        """J^T d²y/dt² along p + t s, from what `normal_equations` kept."""
        unrolled, whole, J = kept
        return trees.unravel(unrolled.bend(s, whole @ trees.ravel(s)) @ J, p)


def begin(F: ClosedLoop, p: Params) -> LevenbergMarquardtState:
    """The state before the first step, lambda_0 = 0.01 max diag(J^T J).

    A smaller one moves far at once, where long runs bend most: on the two tanks such runs were no better on what had
    trained and worse on the rest.
    """
    hessian = F.call(ClosedLoop.normal_equations, p)[1].hessian
    first = FIRST_DAMPING * float(np.diag(hessian).max())
    return LevenbergMarquardtState(p, damping.start(first, float(np.trace(hessian)), hessian.dtype))


class Found(NamedTuple):
    """Parameters, and the root mean square error of the free runs held out, in scaled units; inf where unstable."""

    params: Params
    error: float
    l2: float | None = None


def simulated_error(free: ClosedLoop, params: Params) -> float:
    """The root mean square error of the free runs of windows; inf where one leaves everything that was measured."""
    with np.errstate(all="ignore"):
        run = free.run(params)
    if not free.model.within(run).all():
        return np.inf
    return float(np.sqrt((free.residual(params) ** 2).sum() / max(free.pieces.known.sum(), 1.0)))


def open_loop(model: Feedback, parts: Sequence[Stretch], seed: int) -> Params:
    """Parameters of the largest evidence for y_t given measured outputs.

    What the line leaves of y_t is scaled to a variance of 1 for the training, as Bayesian regularisation takes it.
    """
    X, Y = table(parts, model.lags)
    rest = Y - X @ model.line.T
    scale = np.where(rest.std(axis=0) > 0, rest.std(axis=0), 1.0)
    how = {"epochs": EPOCHS, "seed": seed, "dtype": "float64", "engine": "numpy", "restarts": 2}
    found = train(model.net, X, rest / scale, trainer=BayesianRegularization(), **how)
    *below, last = trees.map_leaves(np.asarray, found.params)
    return [*below, {"W": scale[:, None] * last["W"], "b": scale * last["b"]}]


def closed_loop(courses: Sequence["Course"], seed: int, l2: float | None) -> list[Found]:
    """Of each course the parameters of the smallest error of the free runs that it holds out.

    The penalty is one for all courses, the one with which they do best together: on its own each would be lucky with
    another. It is `l2`; several are tried where that is None.
    """
    penalties = PENALTIES if l2 is None else (l2,)
    begun = [course.begin(seed, penalties[0]) for course in courses]
    best, since = [found for _, found in begun], 0
    params = [last for last, _ in begun]
    for penalty in penalties[1:]:
        moved = [course.descend(p, course.longest, penalty, STEPS) for course, p in zip(courses, params, strict=True)]
        params, found = [last for last, _ in moved], [found for _, found in moved]
        if rms(found) < rms(best):
            best, since = found, 0
        elif (since := since + 1) == PATIENCE:
            break
    return best


def rms(found: Sequence[Found]) -> float:
    """The root mean square of what several hold out, taken as equally many steps."""
    return float(np.sqrt(np.mean([one.error**2 for one in found])))


@dataclass(frozen=True)
class Course:
    """Training in closed loop on `parts`, in runs of at most `longest` steps, watched on the free runs `held`."""

    model: Feedback
    parts: Sequence[Stretch]
    held: ClosedLoop
    longest: int

    @classmethod
    def of(cls, model: Feedback, parts: Sequence[Stretch], held: Sequence[Stretch], horizon: int | None) -> "Course":
        """With free runs of at most `horizon` steps; None runs whole stretches."""
        longest = max(len(part.Y) for part in parts) if horizon is None else horizon
        return cls(model, parts, ClosedLoop(model, windows(held, model.lags, horizon), 0.0), longest)

    def begin(self, seed: int, l2: float) -> tuple[Params, Found]:
        """From fresh weights over longer and longer windows to the longest."""
        params = self.model.net.init(seed, (self.model.width,), "float64")
        best = Found(self.descend(params, HORIZONS[0], l2, STEPS)[0], np.inf)
        for steps in HORIZONS[1:]:
            if steps < self.longest / 2:
                best = self.descend(best.params, steps, l2, STEPS)[1]
        return self.descend(best.params, self.longest, l2, LONGEST_STEPS)

    def descend(self, params: Params, steps: int, l2: float, most: int) -> tuple[Params, Found]:
        """At most so many steps on windows of `steps`; the last parameters, and those best on what is held out."""
        F = ClosedLoop(self.model, windows(self.parts, self.model.lags, steps), l2)
        trainer = LevenbergMarquardt(l2=l2, refit=False)
        state, cost = begin(F, params), np.inf
        best = Found(params, simulated_error(self.held, params), l2)
        with threads_for_order(trees.size(params)):
            for _ in range(most):
                state, record = trainer.step(F, "primal", state, 1.0, np.dtype("float64"), no_time_limit)
                if not record["accepted"]:
                    break
                error = simulated_error(self.held, state.params)
                best = Found(state.params, error, l2) if error < best.error else best
                if cost - record["cost"] < STALLED * record["cost"]:
                    break
                cost = record["cost"]
        return state.params, best
