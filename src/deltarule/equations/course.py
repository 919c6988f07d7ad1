"""The epochs of a training on the residuals of equations."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.arrays import Array
from deltarule.curvature.linearization import Linearization, linearize
from deltarule.engine.randomness import POINTS, generator
from deltarule.engine.rows import EpochContext, Record
from deltarule.equations.problem import Problem
from deltarule.network.backprop import Params
from deltarule.network.evaluation import Score
from deltarule.objective import Objective
from deltarule.trainers.stopping import interruption_of
from deltarule.training.loop import Carry, Course

LARGEST_BALANCE = 1e6  # the largest factor by which balancing changes a weight


class EquationState(NamedTuple):
    """The parameters of the lifted network, the trainer's state, and the weights of equations and data."""

    params: Params
    trainer_state: Any
    weights: tuple[float, ...]
    rate: None = None  # a no-improvement rule needs examples


@dataclass(frozen=True, eq=False)
class EquationCourse(Course):
    """A `Course` whose examples are the points of equations; it has no rows of its own.

    Args:
        problem: the equations, data and unknowns.
        form: of the step, for Levenberg-Marquardt.
        resample_every: epochs between two draws of the points; None for never.
        balance_every: epochs between two balances of the weights; None for never.
        cache: the parts of F at the latest draw, by its number.
    """

    trainer: Any
    validation: Any  # F over the validation points, with the user's weights, or None
    problem: Problem
    form: str | None
    resample_every: int | None
    balance_every: int | None
    cache: dict[int, list[Objective]] = field(default_factory=dict)

    # residuals are Python functions
    compiled = divided = property(lambda self: False)  # pyright: ignore[reportIncompatibleMethodOverride]

    @cached_property
    def engine(self) -> Any:
        return self.problem.engine

    def draw(self, epoch: int) -> int:
        """The number of the draw of points in this epoch, counted from 0."""
        return 0 if self.resample_every is None else epoch // self.resample_every

    def parts(self, epoch: int) -> list[Objective]:
        """The parts of F with weight 1, at the points of this epoch."""
        number = self.draw(epoch)
        if number not in self.cache:
            self.cache.clear()
            self.cache[number] = self.problem.parts(self.points(epoch))
        return self.cache[number]

    def points(self, epoch: int) -> list[np.ndarray]:
        """The points of every equation in this epoch."""
        number = self.draw(epoch)
        return [e.at(generator(*self.path, POINTS, i, number)) for i, e in enumerate(self.problem.equations)]

    def start(self, params: Params) -> Carry:
        weights = self._balanced(params, 0) if self.balance_every is not None else self.problem.weights()
        state = EquationState(params, self.trainer.first_state(params), weights)
        infinity = self.problem.dtype.type(np.inf)
        return Carry(state, params, infinity, -infinity, 0, 0, 0)

    def largest(self) -> float:
        return 1 / float(np.finfo(self.problem.dtype).eps)

    def contexts(self, first: int, until: int, start: int, clock: Callable[[], None]) -> Iterator[EpochContext]:
        return (EpochContext(None, None, self.clock_of(epoch, clock)) for epoch in range(first, until))

    def score(self, params: Params) -> Score:
        """F over the validation points."""
        cost = self.problem.dtype.type(self.validation.call(Objective.value, params))
        return Score(cost, 0 * cost)

    def epoch(self, carry: Carry, context: EpochContext) -> tuple[EquationState, Record]:
        epoch, state = int(carry.epoch), carry.state
        weights = state.weights
        if self.balance_every is not None and epoch and epoch % self.balance_every == 0:
            weights = self._balanced(state.params, epoch)
        F = self.problem.joint(self.parts(epoch), weights, self.trainer.l2)
        clock, dtype = context.check_time, self.problem.dtype
        trainer_state, record = self.trainer.step(F, self.form, state.trainer_state, 1.0, dtype, clock)
        stops = record.get("stop") and interruption_of(record["stop"]) is None
        if stops and self.resample_every is not None:  # training may continue at the next points
            trainer_state, record["stop"] = self.trainer.first_state(trainer_state.params), 0
        if self.balance_every is not None:
            record["weights"] = np.array(weights)
        return EquationState(trainer_state.params, trainer_state, weights), record

    def _balanced(self, params: Params, epoch: int) -> tuple[float, ...]:
        """The user's weights times w_e = mean_f(t_f) / t_e, with t_e = tr(J_e J_e^T) / N_e.

        Every equation then has the same share of the trace of J J^T, the neural tangent kernel, so that none is learnt
        much sooner than the others (Wang, Yu & Perdikaris 2022).
        """
        traces = np.array([float(part.call(_trace, params)) for part in self.parts(epoch)])
        mean = traces.mean()
        return tuple((self.problem.weights() * (mean / np.maximum(traces, mean / LARGEST_BALANCE))).tolist())


def _trace(F: Objective, p: Params) -> Array:
    """tr(J J^T)."""
    return sum(d.sum() for d in trees.leaves(F.sum(Linearization.squared_jacobian, p, prepare=linearize)))
