"""One training epoch by epoch: each scored, the best parameters kept, the first reason to stop obeyed.

Everything that goes on from epoch to epoch is in a `Carry`, so cutting a training into calls changes no number. The
loop is Python's; for trainers whose whole epoch is worth compiling, the JAX engine has a compiled one around the same
`one_epoch`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

from deltarule import engine, trees
from deltarule.engine.randomness import NOISE, ORDER, Path
from deltarule.engine.rows import Rows
from deltarule.engine.turn import Record, Turn, no_clock
from deltarule.network.backprop import Params
from deltarule.network.evaluation import evaluate
from deltarule.network.network import Network
from deltarule.trainers.base import Trainer
from deltarule.trainers.stopping import Stopping, stop_code
from deltarule.training.monitoring import AT_THE_END, AT_THE_START, observe

CHUNK = 256  # the most epochs between two looks at the clock
Records = dict[str, np.ndarray]


class TimeIsUp(Exception):
    """The time limit passed within an epoch."""


class Carry(NamedTuple):
    """What goes from epoch to epoch besides the records: all of it is needed to continue a training."""

    state: Any
    best: Params
    best_cost: Any
    best_accuracy: Any
    best_epoch: Any
    epoch: Any
    stop: Any


class Advance(NamedTuple):
    """Where some epochs led, their records, and what ended them from outside: "time", "interrupted" or None."""

    carry: Carry
    records: Records
    outside: str | None


@dataclass(frozen=True)
class Course:
    """What stays the same from epoch to epoch of a training on examples in memory.

    Args:
        net: the network.
        trainer: the trainer.
        rows: the examples.
        validation: those that score each epoch, if there are any.
        path: of the training's random numbers, see `deltarule.engine.randomness`.
        rules: goal, min_grad, max_fail; the clock is not looked at here.
        monitor: what "best" means on the validation data.
        recorded: what is observed besides what the trainer records, see `deltarule.training.monitoring`.
    """

    net: Network
    trainer: Trainer
    rows: Rows
    validation: Rows | None
    path: Path
    rules: Stopping
    monitor: str
    recorded: tuple[str, ...]

    @property
    def engine(self) -> Any:
        """The engine of the examples."""
        return engine.of(self.rows.x)

    @property
    def compiled(self) -> bool:
        """Whether many epochs are one compiled call."""
        return self.engine.name == "jax" and self.trainer.compiles_whole

    def orders(self, first: int, epochs: int, lane: int) -> np.ndarray | None:
        """The order of the examples in the epochs from number `first` on, of start number `lane`."""
        return self.trainer.orders((*self.path, ORDER, lane), first, epochs, int(self.rows.count))

    def noise_key(self, lane: int) -> Any:
        """The key of what layers draw, of start number `lane`."""
        return self.engine.key((*self.path, NOISE, lane))

    def start(self, params: Params) -> Carry:
        """The carry before the first epoch of one training."""
        if self.compiled:
            return _compiled_loop().start(self, params)
        infinity = self.rows.x.dtype.type(np.inf)
        return Carry(self.trainer.init(self.net, params, self.rows), params, infinity, -infinity, 0, 0, 0)

    def advance(self, carry: Carry, until: int, lane: int = 0, clock: Callable[[], None] = no_clock) -> Advance:
        """Train from epoch `carry.epoch` towards epoch `until`, or to a stop.

        Args:
            carry: where the training stands.
            until: the last epoch; of many it may take several calls to get there.
            lane: the number of the start.
            clock: called between pieces, also within an epoch; it raises `TimeIsUp`.
        """
        if self.compiled:
            return Advance(*_compiled_loop().many_epochs(self, carry, until, lane), None)
        E, records, outside = self.engine, [], None
        key = self.noise_key(lane) if any(layer.draws for layer in self.net.layers) else None
        largest = float(largest_parameter(self.rows))
        orders, began = None, int(carry.epoch)
        first = began
        try:
            with E.quiet():
                while carry.epoch < until and carry.stop == 0:
                    place = int(carry.epoch) - first
                    if orders is None or place >= len(orders):
                        first, place = int(carry.epoch), 0
                        orders = self.orders(first, self._drawn_at_once(until - first), lane)
                    order = None if orders is None else orders[place]
                    drawn = None if key is None else E.fold_in(key, int(carry.epoch))
                    turn = Turn(order, drawn, clock if carry.epoch else no_clock)
                    after, record = one_epoch(
                        self.net, self.trainer, self.rules, self.monitor, self.recorded, self.rows, self.validation,
                        largest, carry, turn,
                    )  # fmt: skip
                    records.append(record)
                    carry = after
        except TimeIsUp:
            outside = "time"
        except KeyboardInterrupt:
            outside = "interrupted"
        records = records[: int(carry.epoch) - began]  # Ctrl-C may come between a record and its carry
        names = records[0] if records else ()
        return Advance(carry, {name: np.stack([np.asarray(r[name]) for r in records]) for name in names}, outside)

    def _drawn_at_once(self, epochs: int) -> int:
        """Of how many epochs the orders are drawn together."""
        return max(1, min(epochs, DRAWN // max(1, int(self.rows.count))))


def _compiled_loop() -> Any:
    """The same loop, compiled; it imports JAX."""
    return import_module("deltarule.training.compiled_loop")


DRAWN = 2**16  # examples whose place in an epoch is drawn at once


def largest_parameter(rows: Rows) -> Any:
    """A parameter so large that a step of ordinary size is lost in its rounding will not come back."""
    xp = rows.y.__array_namespace__()
    return xp.maximum(1, xp.nanmax(xp.abs(rows.y))) / np.finfo(rows.x.dtype).eps


def one_epoch(
    net: Network,
    trainer: Trainer,
    stopping: Stopping,
    monitor: str,
    recorded: tuple[str, ...],
    rows: Rows,
    validation: Rows | None,
    largest: Any,
    carry: Carry,
    turn: Turn,
) -> tuple[Carry, Record]:
    """One epoch, its score, and what follows from that."""
    state, record = trainer.epoch(net, carry.state, rows, turn)
    stop = record.pop("stop", 0)
    record |= observe(AT_THE_START, recorded, net, carry.state.params, rows)
    record |= observe(AT_THE_END, recorded, net, state.params, rows)
    if validation is not None:
        score = evaluate(net, state.params, validation)
        record |= {"validation_cost": score.cost, "validation_accuracy": score.accuracy}
        cost, accuracy = score.cost, score.accuracy
    else:
        cost = record["cost"] if trainer.judged_by is None else -record[trainer.judged_by]
        accuracy = 0 * cost
    before = validation is None and trainer.cost_before_step  # then the cost is that of the state before the step
    sound = is_sound(record["cost"], state.params, largest)
    validated = validation is not None
    return judge(
        trainer, stopping, monitor, carry, state, (cost, accuracy), before, sound, stop, record, validated
    ), record


def is_sound(cost: Any, params: Params, largest: Any) -> Any:
    """Whether the cost is a number and no parameter has left the range in which steps still count."""
    E = engine.of(trees.leaves(params)[0])
    return E.xp.isfinite(cost) & (E.call(trees.largest, params) < largest)


def judge(
    trainer: Trainer,
    stopping: Stopping,
    monitor: str,
    carry: Carry,
    state: Any,
    score: tuple[Any, Any],
    before: bool,
    sound: Any,
    stop: Any,
    record: Record,
    validated: bool,
) -> Carry:
    """The carry after an epoch: the best parameters so far, and the first reason to stop.

    Args:
        trainer: whose state it is.
        stopping: the rules.
        monitor: "cost" or "accuracy".
        carry: before the epoch.
        state: after it.
        score: the cost and the accuracy that count.
        before: whether they are those of the parameters before the epoch.
        sound: whether cost and parameters are numbers of a size that can be trained on.
        stop: the trainer's own reason to stop, 0 for none.
        record: of the epoch.
        validated: whether the score is of validation data.
    """
    E, (cost, accuracy), epoch = engine.of(score[0]), score, carry.epoch + 1
    scored, scored_epoch = (carry.state.params, carry.epoch) if before else (state.params, epoch)
    better = improved = cost < carry.best_cost
    if monitor == "accuracy":
        improved = accuracy > carry.best_accuracy
        better = improved | ((accuracy == carry.best_accuracy) & better)
    state, ended = trainer.after_score(state, improved)
    stop = E.select(stop == 0, ended, stop)
    better = better if before else better & sound
    best = (scored, cost, accuracy, scored_epoch)
    best = E.select(better, best, (carry.best, carry.best_cost, carry.best_accuracy, carry.best_epoch))
    stop = _first_reason(E, stop, record, stopping, sound, epoch - best[3], validated)
    return Carry(state, *best, epoch, stop)


def _first_reason(
    E: Any, stop: Any, record: Record, stopping: Stopping, sound: Any, since_best: Any, validated: bool
) -> Any:
    """The code of the first rule that ends the training here, 0 if none does; divergence outranks the rest."""
    rules = []
    if stopping.goal is not None:
        rules.append((record["cost"] <= stopping.goal, "goal"))
    if stopping.min_grad is not None and "gradient_norm" in record:
        rules.append((record["gradient_norm"] <= stopping.min_grad, "min_grad"))
    if stopping.max_fail is not None and validated:
        rules.append((since_best >= stopping.max_fail, "max_fail"))
    for holds, reason in reversed(rules):
        stop = E.select(holds, stop_code(reason), stop)
    return E.select(sound, stop, stop_code("diverged"))
