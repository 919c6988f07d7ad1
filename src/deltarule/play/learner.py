"""A training on the page: it advances by a batch or an epoch, and keeps its earlier moments to look back at."""

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
STATES = ("gradient_norm", "lambda", "mu", "radius")  # of a trainer, drawn over the epochs


class Moment(NamedTuple):
    """The state of a training after `epoch` epochs and `batch` batches of the next one, and the last record."""

    epoch: int
    batch: int
    state: Any
    record: dict[str, Any]

    @property
    def params(self) -> Params:
        """The parameters."""
        return self.state.params


class Update(NamedTuple):
    """The last change of the parameters: before, the mean gradient, and after."""

    before: Params
    gradient: Params
    after: Params


class Training:
    """A training for `deltarule.play.frames`.

    Attributes:
        course: the network, the trainer and the examples.
        moments: the moments so far, or the latest one alone.
        update: the last change of the parameters, if a batch made it.
        thinned: how often moments were dropped, after which the page needs all of them again.
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
        """The number of batches of an epoch; 1 if it cannot be stepped through."""
        return 1


class Learner(Training):
    """A training by one trainer. In a long training every second of the earlier moments is dropped.

    `examples` are X (N, n_1) and Y (N, k); `seed` draws the initial parameters, unless they are given, and the order of
    the examples.

    Raises:
        DeltaruleError: network, trainer and examples do not fit together.
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
        self._batch_costs: list[tuple[float, int]] = []  # cost and size of the batches of an epoch that is not over
        self._epoch_order: tuple[Course, int, np.ndarray | None] | None = None
        self._add_moment(0, self._scores(start))

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

    def costs(self, first: int) -> dict[str, Any]:
        """The curves of the costs and of the trainer's `STATES` from moment number `first` on."""
        moments = self.moments[first:]
        epochs = [moment.epoch + moment.batch / self.batches for moment in moments]
        return cost_curves([moment.record for moment in moments], self.now.record, epochs, "training_cost")

    def next_batch(self) -> np.ndarray:
        """The positions of the examples of the next batch, in its order."""
        N, order = int(self.course.rows.count), self._order()
        if order is None:
            return np.arange(N)
        m, i = self.trainer.batch_size or N, len(self._batch_costs)
        return order[i * m : min((i + 1) * m, N)]

    def batch(self) -> None:
        """Make one step: on the next batch if the trainer takes batches, else on all examples, which is an epoch."""
        if self.ended is not None:
            return
        index, before, rows = self.next_batch(), self.carry.state.params, self.course.rows
        gradient = self.course.net.cost_and_gradient(before, rows.x[index], rows.y[index])[1]
        if self._order() is None:
            self.epoch()
        else:
            self._step(index)
        self.update = Update(before, gradient, self.now.params)

    def epoch(self, clock: Callable[[], None] = no_time_limit) -> None:
        """Train for one epoch, or for the rest of an epoch that `batch` began."""
        if self.ended is not None:
            return
        self.update = None
        if self._batch_costs:
            try:
                while self._batch_costs:
                    clock()
                    self._step(self.next_batch(), shown=False)
            finally:
                if self._batch_costs:  # the clock ended the epoch early
                    self._add_moment(len(self._batch_costs), self._scores(self.carry.state.params))
            return
        after = self.course.advance(self.carry, int(self.carry.epoch) + 1, clock=clock)
        if after.records:
            self.carry = after.carry
            self._add_moment(0, {name: values[-1] for name, values in after.records.items()})

    def retrain(self, trainer: Trainer) -> None:
        """Go on with another trainer or other settings; a state of the same kind, such as momentum, is kept."""
        check_together(self.course.net, trainer, NO_RULES, int(self.course.rows.count), validated=False)
        before, params = self.carry.state, self.carry.state.params
        state = trainer.init(self.course.net, params, self.course.rows)
        if type(before) is type(state) and _leaf_names(before) == _leaf_names(state):
            state = before
        self.course = replace(self.course, trainer=trainer)
        self.carry = self.carry._replace(state=state, stop=0)
        self._batch_costs = []

    def _order(self) -> np.ndarray | None:
        """The order of the examples in the next epoch, drawn once; None for a trainer without batches."""
        course, epoch = self.course, int(self.carry.epoch)
        if self._epoch_order is None or self._epoch_order[0] is not course or self._epoch_order[1] != epoch:
            orders = course.orders(epoch, 1, 0)
            self._epoch_order = (course, epoch, None if orders is None else orders[0])
        return self._epoch_order[2]

    def _step(self, index: np.ndarray, shown: bool = True) -> None:
        """Make the trainer's full-batch step on these examples, with its penalties scaled to the batch's share.

        Within an epoch only a step that is `shown` adds a moment, because scoring all examples takes longer.
        """
        rows, trainer = self.course.rows, self.trainer
        share = len(index) / int(rows.count)
        scaled = {name: share * value for name in ("l2", "l1") if (value := getattr(trainer, name)) is not None}
        whole = replace(trainer, batch_size=None, **scaled)  # pyright: ignore[reportArgumentType, reportCallIssue]
        batch = Rows(rows.x[index], rows.y[index], None, len(index))
        with engine.of(rows.x).ignore_float_errors():
            state, record = whole.epoch(self.course.net, self.carry.state, batch, EpochContext(None, None))
        self._batch_costs.append((float(record["cost"]), len(index)))
        self.carry = self.carry._replace(state=state)
        if len(self._batch_costs) < self.batches:
            if shown:
                self._add_moment(len(self._batch_costs), self._scores(state.params))
            return
        cost = sum(cost * size for cost, size in self._batch_costs) / int(rows.count)
        self._batch_costs = []
        stop = 0 if is_sound(rows.x.dtype.type(cost), state.params, float(self.course.largest())) else DIVERGED
        self.carry = self.carry._replace(epoch=int(self.carry.epoch) + 1, stop=stop)
        self._add_moment(0, {"cost": cost} | self._scores(state.params))

    def _scores(self, params: Params) -> Record:
        """The scores on the training and validation examples, which a moment records besides the trainer's record."""
        net, record = self.course.net, scores(self.course.net, params, self.course.rows)
        if self.course.validation is not None:
            score = evaluate(net, params, self.course.validation)
            record |= {"validation_cost": score.cost, "validation_accuracy": score.accuracy}
        return record

    def _add_moment(self, batch: int, record: Record) -> None:
        """Add the current moment; if there are too many, drop every second of the earlier ones."""
        self.moments.append(Moment(int(self.carry.epoch), batch, self.carry.state, record))
        size = sum(leaf.nbytes for leaf in trees.leaves(self.carry.state) if isinstance(leaf, np.ndarray))
        if len(self.moments) > max(8, min(MOST_MOMENTS, MOST_BYTES // max(1, size))):
            self.moments = [self.moments[0], *self.moments[2:-2:2], self.moments[-1]]
            self.thinned += 1


def scores(net: Network, params: Params, rows: Rows) -> Record:
    """Cost, accuracy and learning speeds of the parameters on the training rows."""
    score = evaluate(net, params, rows)
    speed = learning_speed(net, params, rows)
    return {"learning_speed": speed, "training_cost": score.cost, "training_accuracy": score.accuracy}


def cost_curves(records: list[dict[str, Any]], last: dict[str, Any], epochs: list[float], cost: str) -> dict[str, Any]:
    """The costs of these records, and the `STATES` that the last record has; None for a state that is not finite."""
    values = {name: [float(record.get(name, np.nan)) for record in records] for name in STATES if name in last}
    return {
        "states": {name: [v if np.isfinite(v) else None for v in column] for name, column in values.items()},
        "epochs": epochs,
        "costs": [float(record[cost]) for record in records],
        "validation": [float(record["validation_cost"]) for record in records] if "validation_cost" in last else None,
    }


def _leaf_names(state: Any) -> list[str]:
    """The names of a state's arrays, which are the same for trainers with the same kind of state."""
    return [name for name, _ in trees.named_leaves(state)]
