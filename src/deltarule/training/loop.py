"""The training loop: run an epoch, score it, keep the best parameters, and stop at the first reason to.

A `Carry` holds everything that one epoch passes to the next, so that a training may be cut into any number of calls
without changing a number. The loop is written in Python; for trainers whose epochs are worth compiling, the JAX engine
has a compiled loop around the same `one_epoch`.
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
from deltarule.trainers.stopping import Stopping, interruption_of, stop_code
from deltarule.trees import register

if TYPE_CHECKING:
    from deltarule.network.network import Network, Sizes

LONGEST_CHUNK = 256  # epochs between two looks at the clock, at most
DRAWN = 2**16  # examples that are shuffled in one call of the generator, over several epochs
RECORDED = ("learning_speed", "training_score")  # what `record=` may name
Records = dict[str, np.ndarray]


class Carry(NamedTuple):
    """The state that one epoch passes to the next, and all that is needed to resume a training."""

    state: Any
    best: Params
    best_cost: Any
    best_accuracy: Any
    best_epoch: Any
    epoch: Any
    stop: Any


class Progress(NamedTuple):
    """The carry of every start, and its records so far, one dict for each chunk of epochs."""

    carries: list[Carry]
    parts: list[list[Records]]

    @property
    def epoch(self) -> int:
        """The number of epochs that were run, by the start that is furthest."""
        return max(int(carry.epoch) for carry in self.carries)


class Advance(NamedTuple):
    """The carry after some epochs, their records, and what interrupted them: "time", "interrupted" or None."""

    carry: Carry
    records: Records
    interruption: str | None


@dataclass(frozen=True)
class Course:
    """The settings and data of a training, which stay the same from epoch to epoch.

    Args:
        net: the network.
        trainer: the trainer.
        rows: the examples in memory; a `StreamedCourse` has the feed of its chunks here.
        validation: the examples that score each epoch, if any.
        path: the path of the training's random numbers, see `deltarule.engine.randomness`.
        rules: goal, min_grad and max_fail; the session applies the time limit.
        monitor: "cost" or "accuracy", by which the best epoch is chosen on the validation data.
        recorded: names of `RECORDED`, which are recorded besides what the trainer records.
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
    def longest_chunk(self) -> int:
        """The largest number of epochs between two looks at the clock and two calls of the callbacks."""
        return LONGEST_CHUNK

    @cached_property
    def sizes(self) -> Sizes:
        """The sizes of the network for these examples."""
        return self.net.sizes(self.rows.x.shape[1:])

    def thread_limits(self) -> AbstractContextManager:
        """The limit on BLAS's threads during the training."""
        return self.trainer.thread_limits(self.sizes, int(self.rows.count))

    def orders(self, first: int, epochs: int, start: int) -> np.ndarray | None:
        """The order of the examples in each of `epochs` epochs from epoch `first` on, for a start by its number."""
        return self.trainer.orders((*self.path, ORDER, start), first, epochs, int(self.rows.count))

    def noise_key(self, start: int) -> Any:
        """The random key of the layers that draw numbers, such as Dropout, for a start by its number."""
        return self.engine.key((*self.path, NOISE, start))

    def start(self, params: Params) -> Carry:
        """The carry before the first epoch."""
        if self.compiled:
            return _compiled_loop().start(self, params)
        infinity = self.rows.x.dtype.type(np.inf)
        return Carry(self.trainer.init(self.net, params, self.rows), params, infinity, -infinity, 0, 0, 0)

    def largest(self) -> Any:
        """The size from which a parameter counts as diverged: steps of ordinary size are lost in its rounding."""
        xp = self.rows.y.__array_namespace__()
        return xp.maximum(1, xp.nanmax(xp.abs(self.rows.y))) / np.finfo(self.rows.x.dtype).eps

    def kept(self, score: Any) -> Any:
        """Convert a score to the form in which it is compared and stored in checkpoints."""
        return score

    def score(self, params: Params) -> Score:
        """The cost and the accuracy on the validation data."""
        assert self.validation is not None
        return evaluate(self.net, params, self.validation)

    def contexts(self, first: int, until: int, start: int, clock: Callable[[], None]) -> Iterator[EpochContext]:
        """The order, the random key and the clock of each epoch from `first` to before `until`."""
        E, together = self.engine, max(1, DRAWN // max(1, int(self.rows.count)))
        key = self.noise_key(start) if any(layer.is_random for layer in self.net.layers) else None
        for begin in range(first, until, together):
            count = min(together, until - begin)
            orders = self.orders(begin, count, start)
            for epoch in range(begin, begin + count):
                order = None if orders is None else orders[epoch - begin]
                key_of_epoch = None if key is None else E.fold_in(key, epoch)
                yield EpochContext(order, key_of_epoch, self.clock_of(epoch, clock))

    def clock_of(self, epoch: int, clock: Callable[[], None]) -> Callable[[], None]:
        """The clock of an epoch, counted from 0. The first one runs whole, unless the trainer keeps cut epochs."""
        return clock if epoch or self.trainer.keeps_partial_epochs else no_time_limit

    def epoch(self, carry: Carry, context: EpochContext) -> tuple[Any, Record]:
        """Run one epoch of the trainer; return its state and its record."""
        return self.trainer.epoch(self.net, carry.state, self.rows, context)

    def advance(self, carry: Carry, until: int, start: int = 0, clock: Callable[[], None] = no_time_limit) -> Advance:
        """Train from epoch `carry.epoch` towards epoch `until`, or to a stop; it may take several calls to get there.

        The clock is called between epochs and within them, and raises `TimeLimitReached` after the time limit.
        """
        if self.compiled:
            carry, recorded = _compiled_loop().many_epochs(self, carry, until, start)
            return Advance(carry, recorded, None)
        records, interruption, began, largest = [], None, int(carry.epoch), float(self.largest())
        turns = self.contexts(began, until, start, clock)
        try:
            with self.engine.ignore_float_errors():
                while carry.epoch < until and carry.stop == 0:
                    after, record = one_epoch(self, carry, next(turns), largest)
                    records.append(record)
                    interruption = interruption_of(int(after.stop))
                    carry = after if interruption is None else after._replace(stop=0)
                    if interruption is not None:
                        break
        except TimeLimitReached:
            interruption = "time"
        except KeyboardInterrupt:
            interruption = "interrupted"
        records = records[: int(carry.epoch) - began]  # Ctrl-C may come between a record and its carry
        names = records[0] if records else ()
        return Advance(carry, {name: np.stack([np.asarray(r[name]) for r in records]) for name in names}, interruption)


register(Course, leaves=("trainer", "rows", "validation", "rules"))


def _compiled_loop() -> Any:
    """The module of the compiled loop, which imports JAX."""
    return import_module("deltarule.training.compiled_loop")


def one_epoch(course: Course, carry: Carry, context: EpochContext, largest: Any) -> tuple[Carry, Record]:
    """Run one epoch, score it, and return the carry after it and its record."""
    net, trainer, validation, recorded = course.net, course.trainer, course.validation, course.recorded
    state, record = course.epoch(carry, context)
    stop = record.pop("stop", 0)
    if "learning_speed" in recorded:  # measured at the parameters before the epoch
        record["learning_speed"] = learning_speed(net, carry.state.params, course.rows)
    if "training_score" in recorded:  # measured at those after it, as the validation score is
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
    """Whether the cost is finite and no parameter is as large as `largest`."""
    E = engine.of(trees.leaves(params)[0])
    return E.xp.isfinite(cost) & (E.call(trees.max_abs, params) < largest)


def judge(
    course: Course, carry: Carry, state: Any, score: tuple[Any, Any], sound: Any, stop: Any, record: Record
) -> Carry:
    """The carry after an epoch: update the best parameters so far, and find the first reason to stop.

    Args:
        course: the training.
        carry: before the epoch.
        state: of the trainer after it.
        score: the cost and the accuracy by which epochs are compared.
        sound: whether cost and parameters are finite and in range, see `is_sound`.
        stop: the code of the trainer's own reason to stop, 0 for none.
        record: of the epoch.
    """
    E, (cost, accuracy), epoch, trainer = engine.of(score[0]), score, carry.epoch + 1, course.trainer
    before = course.validation is None and trainer.cost_before_step  # whether the score is of the parameters before
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
    """The code of the first rule that ends the training, 0 if none does; divergence comes before all others."""
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
    """Return the names to record, each once, in the order of `RECORDED`; a ConfigurationError if one is unknown."""
    try:
        names = (record,) if isinstance(record, str) else tuple(record)
    except TypeError:
        raise ConfigurationError(f"record is {record!r}: give a list of names, such as ['learning_speed'].") from None
    for name in names:
        require_choice("record", name, RECORDED)
    return tuple(name for name in RECORDED if name in names)
