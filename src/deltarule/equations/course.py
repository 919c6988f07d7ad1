"""One solution in progress: epoch after epoch of a second-order or first-order trainer on the residuals' objective."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.arrays import Array
from deltarule.curvature import jacobian_diagonal, linearize
from deltarule.engine.randomness import POINTS, Path, generator
from deltarule.engine.rows import Rows
from deltarule.engine.turn import Record, no_clock
from deltarule.equations.problem import Problem
from deltarule.network.backprop import Params
from deltarule.objective import JointObjective, Objective
from deltarule.trainers.stopping import Stopping
from deltarule.training.loop import Advance, Carry, TimeIsUp, is_sound, judge

LARGEST_BALANCE = 1e6  # of a balanced weight beside the user's, either way


class State(NamedTuple):
    """The parameters of the lifted network, the trainer's own state, and the weights of equations and data."""

    params: Params
    trained: Any
    weights: tuple[float, ...]
    rate: None = None  # that of a no-improvement rule, which is for examples


@dataclass(frozen=True, eq=False)
class EquationCourse:
    """What stays the same from epoch to epoch; the counterpart of `deltarule.training.loop.Course`.

    Args:
        problem: what is solved.
        trainer: one with `first_state` and `step`.
        form: of the step, for Levenberg-Marquardt.
        path: of the random numbers.
        rules: goal, min_grad, max_fail.
        resample_every: epochs between two draws of the points; None for never.
        balance_every: epochs between two balances of the weights; None for never.
        validation: F over points that are not fitted, with the user's weights; None where there are none.
    """

    problem: Problem
    trainer: Any
    form: str
    path: Path
    rules: Stopping
    resample_every: int | None
    balance_every: int | None
    validation: JointObjective | None
    monitor: str = "cost"
    recorded: tuple[str, ...] = ()
    drawn: dict[int, list[Objective]] = field(default_factory=dict)

    @property
    def engine(self) -> Any:
        """What computes."""
        return self.problem.engine

    @property
    def rows(self) -> Rows:
        """Those of the first equation: they are on one device."""
        return self.parts(0)[0].rows

    def parts(self, epoch: int) -> list[Objective]:
        """The parts of F with weight 1, at the points of this epoch (from 0)."""
        number = 0 if self.resample_every is None else epoch // self.resample_every
        if number not in self.drawn:
            self.drawn.clear()
            equations = self.problem.equations
            points = [e.at(generator(*self.path, POINTS, i, number)) for i, e in enumerate(equations)]
            self.drawn[number] = self.problem.parts(points)
        return self.drawn[number]

    def start(self, params: Params) -> Carry:
        """The carry before the first epoch."""
        weights = self._balanced(params, 0) if self.balance_every is not None else self.problem.weights()
        F = self.problem.joint(self.parts(0), weights, self.trainer.l2)
        state = State(params, self.trainer.first_state(F, params, self.problem.dtype), weights)
        infinity = self.problem.dtype.type(np.inf)
        return Carry(state, params, infinity, -infinity, 0, 0, 0)

    def advance(self, carry: Carry, until: int, lane: int = 0, clock: Callable[[], None] = no_clock) -> Advance:
        """Train towards epoch `until`, or to a stop; see `deltarule.training.loop.Course.advance`."""
        records: list[Record] = []
        began, outside = int(carry.epoch), None
        try:
            with self.engine.quiet():
                while carry.epoch < until and not int(carry.stop):
                    carry, record = self._epoch(carry, clock if carry.epoch else no_clock)
                    records.append(record)
        except TimeIsUp:
            outside = "time"
        except KeyboardInterrupt:
            outside = "interrupted"
        records = records[: int(carry.epoch) - began]
        names = records[0] if records else ()
        return Advance(carry, {name: np.stack([np.asarray(r[name]) for r in records]) for name in names}, outside)

    def _epoch(self, carry: Carry, clock: Callable[[], None]) -> tuple[Carry, Record]:
        """One epoch, its score, and what follows from that."""
        epoch, state = int(carry.epoch), carry.state
        weights = state.weights
        if self.balance_every is not None and epoch and epoch % self.balance_every == 0:
            weights = self._balanced(state.params, epoch)
        F = self.problem.joint(self.parts(epoch), weights, self.trainer.l2)
        trained, record = self.trainer.step(F, self.form, state.trained, 1.0, self.problem.dtype, clock)
        stop = int(record.pop("stop", 0))
        if stop and self.resample_every is not None:  # the next points may lead on
            trained, stop = self.trainer.first_state(F, trained.params, self.problem.dtype), 0
        after = State(trained.params, trained, weights)
        if self.balance_every is not None:
            record["weights"] = np.array(weights)
        cost = record["cost"]
        if self.validation is not None:
            cost = self.problem.dtype.type(self.validation.call(value, after.params))
            record["validation_cost"] = cost
        before = self.validation is None and self.trainer.cost_before_step
        sound = is_sound(record["cost"], after.params, 1 / np.finfo(self.problem.dtype).eps)
        validated = self.validation is not None
        score = (cost, 0 * cost)
        return judge(
            self.trainer, self.rules, self.monitor, carry, after, score, before, sound, stop, record, validated
        ), record

    def _balanced(self, params: Params, epoch: int) -> tuple[float, ...]:
        """The user's weights times w_e = mean_f(t_f) / t_e, with t_e = tr(J_e J_e^T) / N_e.

        Every equation then has the same share of the trace of the Gram, so that none is learnt much sooner than others
        (Wang, Yu & Perdikaris 2022, who call J J^T the neural tangent kernel).
        """
        traces = [float(part.call(_trace, params)) for part in self.parts(epoch)]
        mean = float(np.mean(traces))
        least = mean / LARGEST_BALANCE
        return tuple(
            w * min(mean / max(t, least), LARGEST_BALANCE) for w, t in zip(self.problem.weights(), traces, strict=True)
        )


def value(F: Objective, p: Params) -> Array:
    """F(p), as a piece."""
    return F.value(p)


def _trace(F: Objective, p: Params) -> Array:
    """tr(J J^T)."""
    return sum(d.sum() for d in trees.leaves(F.sum(_diagonal, p)))


def _diagonal(net: Any, p: Params, x: Array, y: Array, weight: Array) -> Params:
    return jacobian_diagonal(net, p, linearize(net, p, x, y, weight))
