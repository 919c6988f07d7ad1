"""The training loop: `train` runs a trainer epoch by epoch, watches validation, and stops for a stated reason.

Epochs run in compiled chunks (`deltarule.loop`); Python only looks in between, for progress, callbacks, Ctrl-C and
the clock. How long a chunk is changes nothing in the numbers.
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
from deltarule.domain import require_choice, require_count
from deltarule.examples import checked_rows, require_finite
from deltarule.monitoring import check_record
from deltarule.network import Network
from deltarule.precision import as_dtype, computing_in, dtype_of
from deltarule.randomness import as_key
from deltarule.rows import Rows
from deltarule.stopping import STOP_REASONS, Stopping
from deltarule.trainers.base import Trainer

CHUNK_SECONDS = 0.2  # what a chunk aims at, so that progress and Ctrl-C stay lively
NO_RULES = Stopping()

Callback = Callable[[dict[str, Any]], bool | None]


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves.

    Attributes:
        params: with validation data the parameters of the best epoch on it, else those of the last good epoch.
        history: one array for each recorded quantity, one entry for each epoch: "epoch", "cost" (training cost with
            regularisation; gradient descent records that of the batches as they came, or at the start of a full-batch
            step, Levenberg-Marquardt that after the step) and whatever the trainer records; with validation data
            "validation_cost" and "validation_accuracy", scored after the epoch, the cost without regularisation; and
            what `record` asked for. Of several starts, the best one's.
        stop_reason: a name in `deltarule.stopping.STOP_REASONS`.
        message: the stop in one sentence.
        epochs: how many were run.
        best_epoch: the epoch, counted from 1, that params come from; 0 is the start.
        seconds: wall-clock time, compilation included.
    """

    params: Params
    history: dict[str, np.ndarray]
    stop_reason: str
    message: str
    epochs: int
    best_epoch: int
    seconds: float


def train(
    net: Network,
    X: Any,
    Y: Any,
    *,
    trainer: Trainer,
    epochs: int,
    validation_data: tuple[Any, Any] | tuple[Any, Any, Any] | None = None,
    seed: int = 0,
    params: Params | None = None,
    weights: Any = None,
    restarts: int = 1,
    stopping: Stopping = NO_RULES,
    monitor: str = "cost",
    record: Sequence[str] = (),
    dtype: Any = None,
    callbacks: Sequence[Callback] = (),
) -> TrainingResult:
    """Train the network on X, Y and return the best parameters with the history.

    Args:
        net: the network.
        X: inputs, (N, n_1), anything NumPy can read.
        Y: targets, (N, k); for k > 1 also (N,) whole numbers that name classes.
        trainer: `GradientDescent` or `LevenbergMarquardt`.
        epochs: at most this many; for a full-batch trainer an epoch is one step.
        validation_data: (Xv, Yv) or (Xv, Yv, weights), scored after every epoch; the result holds the best
            parameters on it.
        seed: of the initial parameters and of the order of the examples; the same seed gives the same network.
        params: where to start; None draws fresh parameters.
        weights: of the examples, (N,), at least 0; None weighs all by one.
        restarts: how many starts to train side by side, in one compiled call; the best of them is returned, judged on
            the validation data if there are any. The first start is `params` if given.
        stopping: goal, min_grad, max_fail, time_limit.
        monitor: what "best" means on the validation data: "cost", or "accuracy" (ties fall to the lower cost).
        record: what else the history keeps of every epoch, measured over all training examples at the price of one
            pass each. "learning_speed": history["learning_speed"] is (epochs, layers with biases), ‖dC/db^l‖ at the
            start of the epoch, input side first ([N] ch. 5). "training_score": history["training_cost"] and
            ["training_accuracy"] after the epoch, without regularisation and Dropout, as the validation data are
            scored.
        dtype: "float32" or "float64"; None is the dtype of `params` if given, else the trainer's choice.
        callbacks: each is called after every epoch with its record, a dict; one that returns True ends the training.

    Raises:
        DataError: X, Y or weights are empty, not numbers, not finite, or negative weights.
        ShapeError: they do not fit each other or the network.
        ConfigurationError: an option outside its range.
    """
    started = time.perf_counter()
    require_count("epochs", epochs)
    require_count("restarts", restarts)
    require_choice("monitor", monitor, ("cost", "accuracy"))
    recorded = check_record(record)
    dtype = as_dtype(dtype or (dtype_of(params) if params is not None else trainer.dtype))
    with computing_in(dtype):
        X = require_finite("X", X, dtype)
        init_key, run_key = jax.random.split(as_key(seed))
        given = [] if params is None else [jax.tree.map(lambda p: jnp.asarray(p, dtype), params)]
        keys = jax.random.split(init_key, restarts)[len(given) :]
        starts = given + [net.init(key, X.shape[1:], dtype, trainer.initializers) for key in keys]
        rows = checked_rows(net, starts[0], "X", X, Y, weights)
        trainer.check(net, X.shape[0])
        validation = None
        if validation_data is not None:
            Xv = require_finite("validation X", validation_data[0], dtype)
            held_weights = validation_data[2] if len(validation_data) > 2 else None
            validation = checked_rows(net, starts[0], "validation X", Xv, validation_data[1], held_weights)
        session = _Session(
            net, trainer, rows, validation, run_key, epochs, stopping, monitor, recorded, callbacks, started
        )
        with trainer.surroundings(net, starts[0], X.shape[0]):
            return session.run(starts)


@dataclass(frozen=True)
class _Session:
    """One call of `train`: the compiled loop, and what Python does in between."""

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

    def run(self, starts: list[Params]) -> TrainingResult:
        """Advance chunk by chunk until every start has stopped or something outside says so."""
        carries = [loop.start(self.net, self.trainer, params, self.rows) for params in starts]
        many = len(carries) > 1
        carry = jax.tree.map(lambda *leaves: jnp.stack(leaves), *carries) if many else carries[0]
        key = jax.random.split(self.key, len(carries)) if many else self.key
        parts: list[list[dict[str, np.ndarray]]] = [[] for _ in starts]
        outside, chunk, done = None, 1, 0
        try:
            while outside is None and done < self.epochs and np.any(np.asarray(carry.stop) == 0):
                chunk_started = time.perf_counter()
                before = carry
                carry, new = self._advance(before, key, min(self.epochs, done + chunk))
                for part, records in zip(parts, new, strict=True):
                    part.append(records)
                outside, last = self._look_outside(new[self._leader(carry)])
                if last is not None and last < np.max(carry.epoch):
                    # A callback ended the training inside the chunk: the same epochs again, up to that one.
                    carry, new = self._advance(before, key, last)
                    for part, records in zip(parts, new, strict=True):
                        part[-1] = records
                after = np.atleast_1d(carry.epoch)
                if done > 0:  # the first call also compiles
                    rate = (time.perf_counter() - chunk_started) / max(int(after.max()) - done, 1)
                    chunk = int(np.clip(CHUNK_SECONDS / rate, 1, min(loop.CHUNK, 4 * chunk)))
                done = int(after.max())
        except KeyboardInterrupt:
            outside = "interrupted"
        leader = self._leader(carry)
        best = jax.tree.map(lambda leaf: leaf[leader], carry) if many else carry
        reason = STOP_REASONS[int(best.stop)] if int(best.stop) else outside or "epochs"
        return self._result(best, parts[leader], reason)

    def _advance(self, before: loop.Carry, key: Array, until: int) -> tuple[loop.Carry, list[dict[str, np.ndarray]]]:
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

    def _leader(self, carry: loop.Carry) -> int:
        """The start with the best score so far."""
        cost, accuracy = np.atleast_1d(carry.best_cost), np.atleast_1d(carry.best_accuracy)
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

    def _result(self, carry: loop.Carry, parts: list[dict[str, np.ndarray]], reason: str) -> TrainingResult:
        keep_best = self.validation is not None or reason == "diverged"
        return TrainingResult(
            params=carry.best if keep_best else carry.state.params,
            history={name: np.concatenate([part[name] for part in parts]) for name in parts[0]} if parts else {},
            stop_reason=reason,
            message=self._message(reason, int(carry.epoch)),
            epochs=int(carry.epoch),
            best_epoch=int(carry.best_epoch if keep_best else carry.epoch),
            seconds=time.perf_counter() - self.started,
        )

    def _message(self, reason: str, epochs: int) -> str:
        """The stop in one sentence."""
        stopping, name = self.stopping, self.trainer.learning_rate_name
        value = getattr(self.trainer, name)
        return {
            "goal": f"the training cost reached the goal of {stopping.goal} after {epochs} epochs.",
            "min_grad": f"the norm of the gradient fell to {stopping.min_grad} after {epochs} epochs.",
            "mu_max": f"no damping gave a step downhill after {epochs} epochs: to rounding, this is a minimum.",
            "max_fail": f"no better validation score for {stopping.max_fail} epochs, after {epochs}.",
            "diverged": f"training diverged in epoch {epochs} with {name} = {value:g}: "
            f"the best parameters before it are kept; use a smaller {name}.",
            "epochs": f"all {epochs} epochs were run.",
            "time": f"the time limit of {stopping.time_limit} s passed after {epochs} epochs.",
            "interrupted": f"interrupted after {epochs} epochs: the best parameters so far are kept.",
            "callback": f"a callback ended the training after {epochs} epochs.",
        }[reason]


def _lane_records(records: dict[str, Array], lane: int | None, before: int, after: int) -> dict[str, np.ndarray]:
    """The records of the epochs before + 1 .. after of one start."""
    arrays = {name: np.asarray(values if lane is None else values[lane]) for name, values in records.items()}
    new = {name: values[: after - before] for name, values in arrays.items()}
    return new | {"epoch": np.arange(before + 1, after + 1)}


def _wait(tree: Any) -> None:
    """Wait for a compiled call in small sleeps, so that Ctrl-C is heard while it runs."""
    pause = 1e-4
    leaves = jax.tree.leaves(tree)
    while not all(leaf.is_ready() for leaf in leaves):
        time.sleep(pause)
        pause = min(2 * pause, 0.02)
    jax.block_until_ready(tree)
