"""One training that is watched: forward by a batch or an epoch, with everything that happened kept to look back at."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from deltarule import engine, trees
from deltarule.checks import dtype_of
from deltarule.engine.randomness import as_path
from deltarule.engine.rows import EpochContext, Record, Rows, no_time_limit
from deltarule.network.backprop import Params
from deltarule.network.evaluation import evaluate
from deltarule.network.examples import checked_rows, require_finite, validation_rows
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.trainers.stopping import STOP_REASONS, stop_code, stop_sentence
from deltarule.training.loop import Course, is_sound, learning_speed
from deltarule.training.train import NO_RULES, check_together, starting_points

MOST_MOMENTS = 2000
MOST_BYTES = 2**26  # of all moments together
RECORDED = ("learning_speed", "training_score")
DIVERGED = stop_code("diverged")
STATES = ("gradient_norm", "lambda", "mu", "radius")  # of a trainer, which are drawn over the epochs


class Moment(NamedTuple):
    """Where the training stood: after so many epochs and so many batches of the next, and what the last one left."""

    epoch: int
    batch: int
    state: Any
    record: dict[str, Any]

    @property
    def params(self) -> Params:
        """The parameters."""
        return self.state.params


class Update(NamedTuple):
    """The last change of the parameters: those before it and the mean gradient that it followed."""

    before: Params
    gradient: Params
    after: Params


class Training:
    """What `deltarule.play.frames` shows: the latest moments of a course.

    Attributes:
        course: the network, the trainer and the examples.
        moments: what happened so far, or the latest moment alone.
        update: the last change, where it was made by a batch.
        thinned: how often moments were dropped: then what was told of them is no longer true.
    """

    course: Course
    moments: list[Moment]
    update: Update | None = None
    thinned = 0

    @property
    def trainer(self) -> Trainer:
        """The trainer."""
        return self.course.trainer

    @property
    def now(self) -> Moment:
        """The latest moment."""
        return self.moments[-1]

    @property
    def batches(self) -> int:
        """How many batches an epoch has; 1 where it is not stepped through."""
        return 1


class Learner(Training):
    """A training by one trainer; of a long one every second of the earlier moments is dropped.

    `examples` are X (N, n_1) and Y (N, k); `seed` is that of the initial parameters, unless they are given, and of the
    order of the examples.

    Raises:
        DeltaruleError: network, trainer and examples do not go together.
    """

    def __init__(
        self,
        net: Network,
        trainer: Trainer,
        examples: tuple[np.ndarray, np.ndarray],
        validation: tuple[np.ndarray, np.ndarray] | None,
        seed: int,
        params: Params | None = None,
    ):
        """Check everything as `deltarule.train` does."""
        E = engine.get("numpy")
        dtype = np.dtype("float64") if params is None else dtype_of(params)
        X = require_finite("X", examples[0], dtype)
        start = starting_points(E, net, trainer, params, seed, 1, X.shape[1:], dtype)[0]
        rows = checked_rows(net, start, "X", X, examples[1], None, None)
        check_together(net, trainer, NO_RULES, len(X), validated=False)
        held_out = None if trainer.selects_by is not None else validation
        scored = validation_rows(net, start, held_out, dtype)
        self.course = Course(net, trainer, rows, scored, as_path(seed), NO_RULES, "cost", RECORDED)
        self.carry = self.course.start(start)
        self.moments = []
        self._halfway: list[tuple[float, int]] = []  # cost and size of the batches of an epoch that is not over
        self._drawn: tuple[Course, int, np.ndarray | None] | None = None
        self._remember(0, self._scores(start))

    @property
    def batches(self) -> int:
        """How many batches an epoch has; 1 where every step takes all examples."""
        m = self.trainer.batch_size
        return 1 if m is None else -(-int(self.course.rows.count) // m)

    @property
    def ended(self) -> str | None:
        """Why it ended, in a sentence; None while it can go on."""
        reason = STOP_REASONS[int(self.carry.stop)]
        if reason == "running":
            return None
        return stop_sentence(reason, int(self.carry.epoch), NO_RULES, self.trainer, False)

    def costs(self, known: int) -> dict[str, Any]:
        """The course of the costs and of the trainer's `STATES`, by name, from moment number `known` on."""
        news = self.moments[known:]
        epochs = [one.epoch + one.batch / self.batches for one in news]
        return costs_of([one.record for one in news], self.now.record, epochs, "training_cost")

    def batch_rows(self) -> np.ndarray:
        """The numbers of the examples of the next batch, in its order."""
        N, order = int(self.course.rows.count), self._order()
        if order is None:
            return np.arange(N)
        m, i = self.trainer.batch_size or N, len(self._halfway)
        return order[i * m : min((i + 1) * m, N)]

    def batch(self) -> None:
        """One step: on the next batch where the trainer takes batches, else on all examples, which is an epoch."""
        if self.ended is not None:
            return
        index, before, rows = self.batch_rows(), self.carry.state.params, self.course.rows
        gradient = self.course.net.cost_and_gradient(before, rows.x[index], rows.y[index])[1]
        if self._order() is None:
            self.epoch()
        else:
            self._step(index)
        self.update = Update(before, gradient, self.now.params)

    def epoch(self, clock: Callable[[], None] = no_time_limit) -> None:
        """One epoch, or the rest of one that batches began."""
        if self.ended is not None:
            return
        self.update = None
        if self._halfway:
            try:
                while self._halfway:
                    clock()
                    self._step(self.batch_rows(), shown=False)
            finally:
                if self._halfway:  # the clock has ended it
                    self._remember(len(self._halfway), self._scores(self.carry.state.params))
            return
        after = self.course.advance(self.carry, int(self.carry.epoch) + 1, clock=clock)
        if after.records:
            self.carry = after.carry
            self._remember(0, {name: values[-1] for name, values in after.records.items()})

    def retrain(self, trainer: Trainer) -> None:
        """Go on with another trainer or with other numbers of it; its memory is kept where it is of the same kind."""
        check_together(self.course.net, trainer, NO_RULES, int(self.course.rows.count), validated=False)
        before, params = self.carry.state, self.carry.state.params
        state = trainer.init(self.course.net, params, self.course.rows)
        if type(before) is type(state) and _places(before) == _places(state):
            state = before
        self.course = replace(self.course, trainer=trainer)
        self.carry = self.carry._replace(state=state, stop=0)
        self._halfway = []

    def _order(self) -> np.ndarray | None:
        """The order of the examples in the epoch that stands next, drawn once."""
        course, epoch = self.course, int(self.carry.epoch)
        if self._drawn is None or self._drawn[0] is not course or self._drawn[1] != epoch:
            orders = course.orders(epoch, 1, 0)
            self._drawn = (course, epoch, None if orders is None else orders[0])
        return self._drawn[2]

    def _step(self, index: np.ndarray, shown: bool = True) -> None:
        """A step on these examples by the trainer's own full-batch step, whose penalty is scaled to the whole.

        Within an epoch it is a moment of its own only where it is `shown`: scoring all examples takes longer.
        """
        rows, trainer = self.course.rows, self.trainer
        share = len(index) / int(rows.count)
        scaled = {name: share * value for name in ("l2", "l1") if (value := getattr(trainer, name)) is not None}
        whole = replace(trainer, batch_size=None, **scaled)  # pyright: ignore[reportArgumentType, reportCallIssue]
        batch = Rows(rows.x[index], rows.y[index], None, len(index))
        with engine.of(rows.x).ignore_float_errors():
            state, record = whole.epoch(self.course.net, self.carry.state, batch, EpochContext(None, None))
        self._halfway.append((float(record["cost"]), len(index)))
        self.carry = self.carry._replace(state=state)
        if len(self._halfway) < self.batches:
            if shown:
                self._remember(len(self._halfway), self._scores(state.params))
            return
        cost = sum(cost * size for cost, size in self._halfway) / int(rows.count)
        self._halfway = []
        stop = 0 if is_sound(rows.x.dtype.type(cost), state.params, float(self.course.largest())) else DIVERGED
        self.carry = self.carry._replace(epoch=int(self.carry.epoch) + 1, stop=stop)
        self._remember(0, {"cost": cost} | self._scores(state.params))

    def _scores(self, params: Params) -> Record:
        """What a moment records besides what its trainer does."""
        net, record = self.course.net, scores(self.course.net, params, self.course.rows)
        if self.course.validation is not None:
            score = evaluate(net, params, self.course.validation)
            record |= {"validation_cost": score.cost, "validation_accuracy": score.accuracy}
        return record

    def _remember(self, batch: int, record: Record) -> None:
        """Keep where the training stands; of too many moments every second of the earlier ones is dropped."""
        self.moments.append(Moment(int(self.carry.epoch), batch, self.carry.state, record))
        size = sum(leaf.nbytes for leaf in trees.leaves(self.carry.state) if isinstance(leaf, np.ndarray))
        if len(self.moments) > max(8, min(MOST_MOMENTS, MOST_BYTES // max(1, size))):
            self.moments = [self.moments[0], *self.moments[2:-2:2], self.moments[-1]]
            self.thinned += 1


def scores(net: Network, params: Params, rows: Rows) -> Record:
    """What is shown of parameters on the training rows."""
    score = evaluate(net, params, rows)
    speed = learning_speed(net, params, rows)
    return {"learning_speed": speed, "training_cost": score.cost, "training_accuracy": score.accuracy}


def costs_of(news: list[dict[str, Any]], last: dict[str, Any], epochs: list[float], cost: str) -> dict[str, Any]:
    """The costs and the `STATES` of these records, those that the last record has; None where a state is not finite."""
    values = {name: [float(one.get(name, np.nan)) for one in news] for name in STATES if name in last}
    return {
        "states": {name: [v if np.isfinite(v) else None for v in column] for name, column in values.items()},
        "epochs": epochs,
        "costs": [float(one[cost]) for one in news],
        "validation": [float(one["validation_cost"]) for one in news] if "validation_cost" in last else None,
    }


def _places(state: Any) -> list[str]:
    """Where a state holds numbers: the same for trainers whose memories are alike."""
    return [place for place, _ in trees.named_leaves(state)]
