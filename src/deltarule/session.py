"""One training in progress: compiled chunks of epochs, and what Python does in between.

Epochs run in `deltarule.loop`; Python only looks in between, for progress, callbacks, Ctrl-C and the clock. How long a
chunk is changes nothing in the numbers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from deltarule import loop
from deltarule.backprop import Params
from deltarule.checkpoints.keeper import Keeper
from deltarule.checkpoints.progress import Progress
from deltarule.devices import agreed, everywhere, local
from deltarule.network import Network
from deltarule.rows import Rows
from deltarule.stopping import STOP_REASONS, Stopping, stop_sentence
from deltarule.trainers.base import Trainer

# Starts of at most so many examples x parameters train side by side, so that callbacks and the clock see them all at
# once. Above, one after another: on two CPU cores 500 x 241 took 0.7 to 1.0 of the time and 0.7 to 0.8 of the
# compilation, and one start's matrices are held at a time.
SIDE_BY_SIDE = 20_000
FROM_OUTSIDE = ("time", "interrupted", "callback")
NO_CHECKPOINTS = Keeper(None)
CHUNK_SECONDS = 0.5  # what a chunk aims at, so that progress and Ctrl-C stay lively

Callback = Callable[[dict[str, Any]], bool | None]


@dataclass(frozen=True, eq=False)
class TrainingResult:
    """What a training leaves.

    Attributes:
        params: with validation data the parameters of the best epoch on it, else those of the last good epoch, and
            where full-batch gradient descent reached the goal those that met it; with `BayesianRegularization` those
            of the largest evidence.
        history: one array for each recorded quantity, one entry for each epoch: "epoch", "cost" (training cost with
            regularisation; gradient descent records that of the batches as they came, or at the start of a full-batch
            step, Levenberg-Marquardt that after the step) and whatever the trainer records; with validation data
            "validation_cost" and "validation_accuracy", scored after the epoch, the cost without regularisation; and
            what `record` asked for. Of several starts, the best one's.
        stop_reason: a name in `deltarule.stopping.STOP_REASONS`.
        message: the stop in one sentence.
        epochs: how many were run.
        best_epoch: the epoch, counted from 1, that params come from; 0 is the start.
        seconds: wall-clock time, compilation included; of a resumed training also that of the calls
            before, each up to its last checkpoint.
        starts: of several starts, the result of each, this one among them.
    """

    params: Params
    history: dict[str, np.ndarray]
    stop_reason: str
    message: str
    epochs: int
    best_epoch: int
    seconds: float
    starts: tuple["TrainingResult", ...] = ()


@dataclass(frozen=True)
class Session:
    """One call of `train`, everything checked."""

    net: Network
    trainer: Trainer
    rows: Rows
    validation: Rows | None
    key: Array
    epochs: int
    stopping: Stopping
    monitor: str
    recorded: tuple[str, ...]
    callbacks: Sequence[Callback]
    started: float
    keeper: Keeper = NO_CHECKPOINTS

    def run(self, starts: list[Params]) -> TrainingResult:
        """Train from every start, small problems side by side, and return the best result."""
        many = len(starts) > 1
        keys = jax.random.split(self.key, len(starts)) if many else self.key[None]
        work = sum(p.size for p in jax.tree.leaves(starts[0])) * self.rows.x.shape[0]
        together = len(starts) if work <= SIDE_BY_SIDE else 1
        ended: list[tuple[loop.Carry, TrainingResult]] = []
        for group, first in enumerate(range(0, len(starts), together)):
            some = slice(first, first + together)
            ended += self._train_together(group, starts[some], keys[some])
            if ended[-1][1].stop_reason in FROM_OUTSIDE:
                break
        best = ended[self._leader([carry for carry, _ in ended])][1]
        return replace(best, starts=tuple(result for _, result in ended)) if many else best

    def _train_together(self, group: int, starts: list[Params], keys: Array) -> list[tuple[loop.Carry, TrainingResult]]:
        """Advance chunk by chunk until every start has stopped or something outside says so."""
        many = len(starts) > 1
        key = keys if many else keys[0]
        progress = self.keeper.begin(group, lambda: self._fresh(starts))
        if self.rows.shards is not None:
            progress = progress._replace(carry=everywhere(self.rows.shards.mesh, progress.carry))
        outside, chunk, first_chunk, rate = None, 1, True, 0.0
        try:
            while outside is None and progress.epoch < self.epochs and np.any(np.asarray(progress.carry.stop) == 0):
                chunk_started = time.perf_counter()
                before = progress
                planned = min(self.epochs, before.epoch + self._in_time(chunk, rate))
                until = self._agreed(self.keeper.limit(group, planned))[0]
                progress = self._go_on(before, key, until)
                new = [part[-1] for part in progress.parts]
                outside, last = self._look_outside(new[self._leader(_lanes(progress.carry))])
                outside, last = self._agreed(outside, last)
                if last is not None and last < progress.epoch:
                    # A callback ended the training inside the chunk: the same epochs again, up to that one.
                    progress = self._go_on(before, key, last)
                if not first_chunk:  # which also compiles
                    rate = (time.perf_counter() - chunk_started) / max(progress.epoch - before.epoch, 1)
                    chunk = int(np.clip(CHUNK_SECONDS / rate, 1, min(loop.CHUNK, 4 * chunk)))
                first_chunk = False
                self.keeper.offer(group, progress)
        except KeyboardInterrupt:
            outside = "interrupted"
        finally:
            self.keeper.write(group, progress)
        lanes = zip(_lanes(progress.carry), progress.parts, strict=True)
        return [(lane, self._ended(lane, part, outside)) for lane, part in lanes]

    def _in_time(self, chunk: int, rate: float) -> int:
        """The chunk, or as many epochs of `rate` seconds as the time limit leaves room for, at least one."""
        limit = self.stopping.time_limit
        if limit is None or rate == 0.0:
            return chunk
        left = limit - (time.perf_counter() - self.started)
        return int(np.clip(left / rate, 1, chunk))

    def _fresh(self, starts: list[Params]) -> loop.Carry:
        """The carry before the first epoch, with a leading axis for several starts."""
        carries = [loop.start(self.net, self.trainer, params, self.rows) for params in starts]
        return jax.tree.map(lambda *leaves: jnp.stack(leaves), *carries) if len(carries) > 1 else carries[0]

    def _go_on(self, before: Progress, key: Array, until: int) -> Progress:
        """The progress at epoch `until`, made whole before it takes the place of the one before."""
        carry, new = self.advance(before.carry, key, until)
        return Progress(carry, [[*part, records] for part, records in zip(before.parts, new, strict=True)])

    def _ended(self, carry: loop.Carry, parts: list[dict[str, np.ndarray]], outside: str | None) -> TrainingResult:
        """The result of one start: its own reason to stop, or what ended all of them."""
        return self.result(carry, parts, STOP_REASONS[int(carry.stop)] if int(carry.stop) else outside or "epochs")

    def advance(self, before: loop.Carry, key: Array, until: int) -> tuple[loop.Carry, list[dict[str, np.ndarray]]]:
        """The carry at epoch `until`, and the records of each start since `before`."""
        rules = replace(self.stopping, time_limit=None)  # the clock is Python's: another limit compiles nothing new
        carry, records = loop.advance(
            self.net,
            self.trainer,
            rules,
            self.monitor,
            before,
            self.rows,
            self.validation,
            key,
            jnp.asarray(until, jnp.int32),
            recorded=self.recorded,
        )
        _wait(carry)
        many = carry.epoch.ndim > 0
        epochs = zip(np.atleast_1d(before.epoch), np.atleast_1d(carry.epoch), strict=True)
        return carry, [
            _lane_records(records, lane if many else None, int(first), int(last))
            for lane, (first, last) in enumerate(epochs)
        ]

    def _leader(self, lanes: list[loop.Carry]) -> int:
        """The start with the best score so far."""
        cost, accuracy = (np.array([getattr(lane, name) for lane in lanes]) for name in ("best_cost", "best_accuracy"))
        order = np.lexsort((cost, -accuracy)) if self.monitor == "accuracy" else np.argsort(cost)
        return int(order[0])

    def _look_outside(self, records: dict[str, np.ndarray]) -> tuple[str | None, int | None]:
        """Hand the new records to the callbacks, look at the clock; why to stop, and the epoch a callback chose."""
        for i in range(len(records["epoch"])):
            record = {name: values[i] for name, values in records.items()}
            answers = [callback(record) for callback in self.callbacks]
            if any(answers):
                return "callback", int(record["epoch"])
        limit = self.stopping.time_limit
        if limit is not None and time.perf_counter() - self.started >= limit:
            return "time", None
        return None, None

    def _agreed(self, *values: Any) -> tuple[Any, ...]:
        """What process 0 says of numbers, of reasons from outside and of None, where several processes train."""
        if self.rows.shards is None:
            return values
        codes = [-1 if v is None else -2 - FROM_OUTSIDE.index(v) if isinstance(v, str) else v for v in values]
        return tuple(None if c == -1 else FROM_OUTSIDE[-2 - c] if c < -1 else c for c in agreed(*codes))

    def result(self, carry: loop.Carry, parts: list[dict[str, np.ndarray]], reason: str) -> TrainingResult:
        """What a training leaves that ended here, for this reason."""
        # A full-batch step whose cost was known before it: the parameters that met the goal are those before it.
        met_before = self.trainer.cost_before_step and getattr(self.trainer, "batch_size", None) is None
        keep_best = self.validation is not None or self.trainer.judged_by is not None or reason == "diverged"
        keep_best = keep_best or (reason == "goal" and met_before)
        seconds = self.keeper.earlier + time.perf_counter() - self.started
        ended = result_of(carry, parts, reason, self.stopping, self.trainer, keep_best, seconds)
        return ended if self.rows.shards is None else replace(ended, params=local(ended.params))


def result_of(
    carry: loop.Carry,
    parts: list[dict[str, np.ndarray]],
    reason: str,
    stopping: Stopping,
    trainer: Trainer,
    keep_best: bool,
    seconds: float,
) -> TrainingResult:
    """What a training leaves that ended with this carry and these records, for this reason."""
    epochs = int(carry.epoch)
    return TrainingResult(
        params=carry.best if keep_best else carry.state.params,
        history={name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {},
        stop_reason=reason,
        message=stop_sentence(reason, epochs, stopping, trainer, keep_best),
        epochs=epochs,
        best_epoch=int(carry.best_epoch) if keep_best else epochs,
        seconds=seconds,
    )


def _lanes(carry: loop.Carry) -> list[loop.Carry]:
    """The carry of each start."""
    if carry.epoch.ndim == 0:
        return [carry]
    return [jax.tree.map(lambda leaf, lane=lane: leaf[lane], carry) for lane in range(len(carry.epoch))]


def _lane_records(records: dict[str, Array], lane: int | None, before: int, after: int) -> dict[str, np.ndarray]:
    """The records of the epochs before + 1 .. after of one start."""
    arrays = {name: np.asarray(values if lane is None else values[lane]) for name, values in records.items()}
    new = {name: values[: after - before] for name, values in arrays.items()}
    return new | {"epoch": np.arange(before + 1, after + 1)}


def _wait(tree: Any) -> None:
    """Wait for a compiled call in sleeps of a fiftieth of the time so far, so that Ctrl-C is heard while it runs."""
    began = time.perf_counter()
    leaves = [leaf for leaf in jax.tree.leaves(tree) if hasattr(leaf, "is_ready")]  # a random key cannot be asked
    while not all(leaf.is_ready() for leaf in leaves):
        time.sleep(min(max((time.perf_counter() - began) / 50, 1e-4), 0.02))
    jax.block_until_ready(tree)
