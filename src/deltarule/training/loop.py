"""The training loop: run an epoch, score it, keep the best parameters, and stop for the first reason that applies.

All state that passes from epoch to epoch is in a `Carry`, so running the epochs in several calls changes no number.
The loop is plain Python; for trainers whose whole epoch is worth compiling, JAX compiles a loop around `one_epoch`.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from deltarule import engine, trees
from deltarule.arrays import Array
from deltarule.checks import require_choice
from deltarule.engine.randomness import NOISE, ORDER, Path
from deltarule.engine.rows import EpochContext, Record, Rows, TimeLimitReached, no_time_limit
from deltarule.errors import ConfigurationError
from deltarule.network import backprop
from deltarule.network.backprop import Params
from deltarule.network.evaluation import Score, evaluate, evaluation_block
from deltarule.network.network import Network, Sizes
from deltarule.trainers.base import Trainer
from deltarule.trainers.stopping import Stopping, interruption, stop_code
from deltarule.trees import register

if TYPE_CHECKING:
    from deltarule.network.network import Network, Sizes

CHUNK = 256  # the most epochs between two checks of the time limit
DRAWN = 2**16  # numbers of the orders of examples that are drawn together
RECORDED = ("learning_speed", "training_score")  # what `record=` may name
Records = dict[str, np.ndarray]


class Carry(NamedTuple):
    """The whole state that passes from one epoch to the next, without the records; `state` is the trainer's."""

    state: Any
    best: Params
    best_cost: Any
    best_accuracy: Any
    best_epoch: Any
    epoch: Any
    stop: Any


class Progress(NamedTuple):
    """The carry of every start, and the records of every start so far, as a list of consecutive pieces."""

    carries: list[Carry]
    parts: list[list[Records]]

    @property
    def epoch(self) -> int:
        """The number of epochs run, by the start that is furthest."""
        return max(int(carry.epoch) for carry in self.carries)


class Advance(NamedTuple):
    """The carry after some epochs, their records, and what interrupted them: "time", "interrupted" or None."""

    carry: Carry
    records: Records
    outside: str | None


@dataclass(frozen=True)
class Course:
    """The parts of a training that stay the same from epoch to epoch.

    Args:
        net: the network.
        trainer: the trainer.
        rows: the examples, in memory; of a `StreamedCourse` the feed of its chunks.
        validation: the examples that score each epoch, or None.
        path: the seed of the training's random numbers, see `deltarule.engine.randomness`.
        rules: goal, min_grad, max_fail, and the time limit, which the session checks.
        monitor: the validation score that selects the best epoch, "cost" or "accuracy".
        recorded: further quantities to record, names in `RECORDED`.
    """

    net: Network
    trainer: Trainer
    rows: Any
    validation: Rows | None
    path: Path
    rules: Stopping
    monitor: str
    recorded: tuple[str, ...]

    @cached_property
    def engine(self) -> Any:
        """The engine that holds the examples."""
        return engine.of(self.rows.x)

    @property
    def compiled(self) -> bool:
        """Whether one compiled call runs many epochs."""
        return self.engine.name == "jax" and self.trainer.compiles_epochs

    @property
    def divided(self) -> bool:
        """Whether the examples are divided among devices, perhaps of several processes."""
        return self.rows.shards is not None

    @property
    def at_once(self) -> int:
        """The most epochs between two checks of callbacks and time limit."""
        return CHUNK

    @cached_property
    def sizes(self) -> Sizes:
        """The sizes of the network for these inputs."""
        return self.net.sizes(self.rows.x.shape[1:])

    def thread_limits(self) -> AbstractContextManager:
        """Limit the threads of BLAS while training, if its products are small."""
        return self.trainer.thread_limits(self.sizes, int(self.rows.count))

    def orders(self, first: int, epochs: int, lane: int) -> np.ndarray | None:
        """The orders of the examples in `epochs` epochs from number `first` on, for start number `lane`."""
        return self.trainer.orders((*self.path, ORDER, lane), first, epochs, int(self.rows.count))

    def noise_key(self, lane: int) -> Any:
        """The random key for the layers of start number `lane`."""
        return self.engine.key((*self.path, NOISE, lane))

    def start(self, params: Params) -> Carry:
        """The carry before the first epoch."""
        if self.compiled:
            return _compiled_loop().start(self, params)
        infinity = self.rows.x.dtype.type(np.inf)
        return Carry(self.trainer.init(self.net, params, self.rows), params, infinity, -infinity, 0, 0, 0)

    def largest(self) -> Any:
        """The parameter size beyond which training has diverged: there rounding swallows a step of ordinary size."""
        xp = self.rows.y.__array_namespace__()
        return xp.maximum(1, xp.nanmax(xp.abs(self.rows.y))) / np.finfo(self.rows.x.dtype).eps

    def kept(self, score: Any) -> Any:
        """Convert a score to the type that the carry holds."""
        return score

    def score(self, params: Params) -> Score:
        """The score on the validation data."""
        assert self.validation is not None
        return evaluate(self.net, params, self.validation)

    def contexts(self, first: int, until: int, lane: int, clock: Callable[[], None]) -> Iterator[EpochContext]:
        """Yield the order of the examples, the random key and the clock of each epoch from number `first` on."""
        E, together = self.engine, max(1, DRAWN // max(1, int(self.rows.count)))
        key = self.noise_key(lane) if any(layer.is_random for layer in self.net.layers) else None
        for start in range(first, until, together):
            count = min(together, until - start)
            orders = self.orders(start, count, lane)
            for epoch in range(start, start + count):
                order = None if orders is None else orders[epoch - start]
                key_of_epoch = None if key is None else E.fold_in(key, epoch)
                yield EpochContext(order, key_of_epoch, self.clock_of(epoch, clock))

    def clock_of(self, epoch: int, clock: Callable[[], None]) -> Callable[[], None]:
        """The clock of an epoch (from 0): the first one must be completed, unless the trainer keeps partial epochs."""
        return clock if epoch or self.trainer.keeps_partial_epochs else no_time_limit

    def epoch(self, carry: Carry, context: EpochContext) -> tuple[Any, Record]:
        """Run one epoch of the trainer; return its new state and its record."""
        return self.trainer.epoch(self.net, carry.state, self.rows, context)

    def advance(self, carry: Carry, until: int, lane: int = 0, clock: Callable[[], None] = no_time_limit) -> Advance:
        """Train from epoch `carry.epoch` up to epoch `until` or a stop; one call may return before it reaches either.

        The clock is called between the steps of an epoch as well, and raises `TimeLimitReached` to end it.
        """
        if self.compiled:
            carry, found = _compiled_loop().many_epochs(self, carry, until, lane)
            return Advance(carry, found, None)
        records, outside, began, largest = [], None, int(carry.epoch), float(self.largest())
        turns = self.contexts(began, until, lane, clock)
        try:
            with self.engine.ignore_float_errors():
                while carry.epoch < until and carry.stop == 0:
                    after, record = one_epoch(self, carry, next(turns), largest)
                    records.append(record)
                    outside = interruption(int(after.stop))
                    carry = after if outside is None else after._replace(stop=0)
                    if outside is not None:
                        break
        except TimeLimitReached:
            outside = "time"
        except KeyboardInterrupt:
            outside = "interrupted"
        records = records[: int(carry.epoch) - began]  # Ctrl-C may fall between a record and its carry
        names = records[0] if records else ()
        return Advance(carry, {name: np.stack([np.asarray(r[name]) for r in records]) for name in names}, outside)


register(Course, leaves=("trainer", "rows", "validation", "rules"))


def _compiled_loop() -> Any:
    return import_module("deltarule.training.compiled_loop")


def one_epoch(course: Course, carry: Carry, context: EpochContext, largest: Any) -> tuple[Carry, Record]:
    """Run an epoch, score it, and update the best parameters and the reason to stop."""
    net, trainer, validation, recorded = course.net, course.trainer, course.validation, course.recorded
    state, record = course.epoch(carry, context)
    stop = record.pop("stop", 0)
    if "learning_speed" in recorded:  # at the parameters before the epoch
        record["learning_speed"] = learning_speed(net, carry.state.params, course.rows)
    if "training_score" in recorded:  # at the parameters after the epoch
        score = evaluate(net, state.params, course.rows)
        record |= {"training_cost": score.cost, "training_accuracy": score.accuracy}
    if validation is not None:
        cost, accuracy = score = course.score(state.params)
        record |= {"validation_cost": score.cost, "validation_accuracy": score.accuracy}
    else:
        cost = record["cost"] if trainer.selects_by is None else -record[trainer.selects_by]
        accuracy = 0 * cost
    sound = is_sound(record["cost"], state.params, largest)
    return judge(course, carry, state, (course.kept(cost), course.kept(accuracy)), sound, stop, record), record


def is_sound(cost: Any, params: Params, largest: Any) -> Any:
    """Whether the cost is finite and every parameter smaller than `largest`."""
    E = engine.of(trees.leaves(params)[0])
    return E.xp.isfinite(cost) & (E.call(trees.max_abs, params) < largest)


def judge(
    course: Course, carry: Carry, state: Any, score: tuple[Any, Any], sound: Any, stop: Any, record: Record
) -> Carry:
    """Return the carry after an epoch, with the best parameters so far and the first reason to stop.

    `score` is (cost, accuracy), `sound` the answer of `is_sound`, `stop` the code of the trainer's stop, 0 for none.
    """
    E, (cost, accuracy), epoch, trainer = engine.of(score[0]), score, carry.epoch + 1, course.trainer
    before = course.validation is None and trainer.cost_before_step  # the score is of the old state
    scored, scored_epoch = (carry.state.params, carry.epoch) if before else (state.params, epoch)
    better = improved = cost < carry.best_cost
    if course.monitor == "accuracy":
        improved = accuracy > carry.best_accuracy
        better = improved | ((accuracy == carry.best_accuracy) & better)
    state, ended = trainer.after_score(state, improved)
    stop = E.select(stop == 0, ended, stop)
    better = better if before else better & sound
    old = (carry.best, carry.best_cost, carry.best_accuracy, carry.best_epoch)
    best: Any = E.select(better, (scored, cost, accuracy, scored_epoch), old)
    stop = _first_reason(course, E, stop, record, sound, epoch - best[3])
    return Carry(state, *best, epoch=epoch, stop=stop)


def _first_reason(course: Course, E: Any, stop: Any, record: Record, sound: Any, since_best: Any) -> Any:
    """Return the code of the first rule that ends the training, 0 if none does; divergence outranks the others."""
    rules, stopping = [], course.rules
    if stopping.goal is not None:
        rules.append((record["cost"] <= stopping.goal, "goal"))
    if stopping.min_grad is not None and "gradient_norm" in record:
        rules.append((record["gradient_norm"] <= stopping.min_grad, "min_grad"))
    if stopping.max_fail is not None and course.validation is not None:
        rules.append((since_best >= stopping.max_fail, "max_fail"))
    for holds, reason in reversed(rules):
        stop = E.select(holds, stop_code(reason), stop)
    return E.select(sound, stop, stop_code("diverged"))


def learning_speed(net: Network, params: Params, rows: Rows) -> Array:
    """‖dC/db^l‖ of every layer that has biases, input side first: how fast layer l learns ([N] ch. 5).

    dC/db^l is the mean of delta^l over the examples (BP3): the norm of the mean, not the mean of the norms. Dropout is
    off, and biases are not regularised.
    """
    return engine.of(rows.x).call(_learning_speed, params, rows, net=net)


def _learning_speed(params: Params, rows: Rows, *, net: Network) -> Array:

    def bias_gradients(x: Array, y: Array, weight: Array) -> list[Array]:
        _, grads = backprop.cost_and_gradient(net, params, x, y, weight)
        pairs = zip(net.layers, grads, strict=True)
        return [dp[name] for layer, dp in pairs for name in dp if layer.role(name) == "bias"]

    sums = engine.of(rows.x).sum_over_blocks(rows, evaluation_block(net, rows), bias_gradients)
    xp = rows.x.__array_namespace__()
    return xp.stack([xp.linalg.norm(db) for db in sums]) / rows.mask.sum()


def check_record(record: Iterable[str]) -> tuple[str, ...]:
    """Return the names in `record`, each once, in the order of `RECORDED`; an unknown one is a ConfigurationError."""
    try:
        names = (record,) if isinstance(record, str) else tuple(record)
    except TypeError:
        raise ConfigurationError(f"record is {record!r}: give a list of names, such as ['learning_speed'].") from None
    for name in names:
        require_choice("record", name, RECORDED)
    return tuple(name for name in RECORDED if name in names)
