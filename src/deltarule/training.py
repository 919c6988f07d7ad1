"""The training loop: `train` runs a trainer epoch by epoch, watches validation, and stops for a stated reason.

Epochs run in compiled chunks: one call of `_advance` trains many epochs, scores each, keeps the best parameters and
stops by itself; Python only looks in between, for progress, callbacks, Ctrl-C and the clock. How long a chunk is
changes nothing in the numbers.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from deltarule.backprop import Params
from deltarule.domain import require_choice, require_count
from deltarule.errors import DataError
from deltarule.evaluation import evaluate
from deltarule.network import Network
from deltarule.precision import as_dtype, computing_in, dtype_of
from deltarule.rows import Rows, pad_rows
from deltarule.stopping import STOP_REASONS, Stopping, stop_code
from deltarule.trainers.base import Record, Trainer

CHUNK = 256  # the most epochs of one compiled call
CHUNK_SECONDS = 0.2  # what a chunk aims at, so that progress and Ctrl-C stay lively

Callback = Callable[[dict[str, Any]], bool | None]


@dataclass(frozen=True)
class TrainingResult:
    """What a training leaves.

    Attributes:
        params: with validation data the parameters of the best epoch on it, else those of the last good epoch.
        history: one array for each recorded quantity, one entry for each epoch: "epoch", "cost" (training cost with
            regularisation: of the batches as they came for mini-batches, at the start of the step for full batches)
            and whatever the trainer records; with validation data "validation_cost" and "validation_accuracy".
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


class Carry(NamedTuple):
    """What goes from epoch to epoch besides the records: all of it is needed to continue a training."""

    state: Any
    best: Params
    best_cost: Array
    best_accuracy: Array
    best_epoch: Array
    epoch: Array
    stop: Array


def train(
    net: Network,
    X: Any,
    Y: Any,
    *,
    trainer: Trainer,
    epochs: int,
    validation_data: tuple[Any, Any] | None = None,
    seed: int = 0,
    params: Params | None = None,
    weights: Any = None,
    stopping: Stopping = Stopping(),
    monitor: str = "cost",
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
        validation_data: (Xv, Yv), scored after every epoch; the result holds the best parameters on it.
        seed: of the initial parameters and of the order of the examples; the same seed gives the same network.
        params: where to start; None draws fresh parameters.
        weights: of the examples, (N,), at least 0; None weighs all by one.
        stopping: goal, min_grad, max_fail, time_limit.
        monitor: what "best" means on the validation data: "cost", or "accuracy" (ties fall to the lower cost).
        dtype: "float32" or "float64"; None is the dtype of `params` if given, else the trainer's choice.
        callbacks: each is called after every epoch with its record, a dict; one that returns True ends the training.

    Raises:
        DataError: X, Y or weights are empty, not numbers, not finite, or negative weights.
        ShapeError: they do not fit each other or the network.
        ConfigurationError: an option outside its range.
    """
    started = time.perf_counter()
    require_count("epochs", epochs)
    require_choice("monitor", monitor, ("cost", "accuracy"))
    dtype = as_dtype(dtype or (dtype_of(params) if params is not None else trainer.dtype))
    with computing_in(dtype):
        X = _numbers("X", X, dtype)
        init_key, run_key = jax.random.split(jax.random.key(seed))
        if params is None:
            params = net.init(init_key, X.shape[1:], dtype, trainer.initializers)
        params = jax.tree.map(lambda p: jnp.asarray(p, dtype), params)
        rows = _rows(net, params, "X", X, Y, weights)
        trainer.check(net, X.shape[0])
        validation = None
        if validation_data is not None:
            Xv = _numbers("validation X", validation_data[0], dtype)
            validation = _rows(net, params, "validation X", Xv, validation_data[1], None)
        return _run(net, trainer, params, rows, validation, run_key, epochs, stopping, monitor, callbacks, started)


def _run(
    net: Network,
    trainer: Trainer,
    params: Params,
    rows: Rows,
    validation: Rows | None,
    key: Array,
    epochs: int,
    stopping: Stopping,
    monitor: str,
    callbacks: Sequence[Callback],
    started: float,
) -> TrainingResult:
    """Call `_advance` until it stops, looking at the clock, the keyboard and the callbacks in between."""
    carry = _start(net, trainer, params, rows)
    history: list[dict[str, np.ndarray]] = []
    reason, chunk = "running", 1
    try:
        while reason == "running":
            done, chunk_started = int(carry.epoch), time.perf_counter()
            until = jnp.asarray(min(epochs, done + chunk), jnp.int32)
            advanced, records = _advance(net, trainer, stopping, monitor, carry, rows, validation, key, until)
            _wait(advanced)
            carry = advanced
            length = int(carry.epoch) - done
            new = {name: np.asarray(values)[:length] for name, values in records.items()}
            new["epoch"] = np.arange(done + 1, done + length + 1)
            history.append(new)
            reason = STOP_REASONS[int(carry.stop)]
            elapsed = time.perf_counter() - started
            if reason == "running" and int(carry.epoch) >= epochs:
                reason = "epochs"
            if reason == "running" and stopping.time_limit is not None and elapsed >= stopping.time_limit:
                reason = "time"
            for i in range(length):
                record = {name: values[i] for name, values in new.items()}
                if any([callback(record) for callback in callbacks]) and reason == "running":
                    reason = "callback"
            if done > 0:  # the first call also compiles
                rate = (time.perf_counter() - chunk_started) / max(length, 1)
                chunk = int(np.clip(CHUNK_SECONDS / rate, 1, min(CHUNK, 4 * chunk)))
    except KeyboardInterrupt:
        reason = "interrupted"
    gathered = {name: np.concatenate([part[name] for part in history]) for name in history[0]} if history else {}
    keep_best = validation is not None or reason == "diverged"
    return TrainingResult(
        params=carry.best if keep_best else carry.state.params,
        history=gathered,
        stop_reason=reason,
        message=_message(reason, trainer, stopping, int(carry.epoch)),
        epochs=int(carry.epoch),
        best_epoch=int(carry.best_epoch if keep_best else carry.epoch),
        seconds=time.perf_counter() - started,
    )


@partial(jax.jit, static_argnums=0)
def _start(net: Network, trainer: Trainer, params: Params, rows: Rows) -> Carry:
    infinity = jnp.asarray(jnp.inf, rows.x.dtype)
    zero = jnp.zeros((), jnp.int32)
    return Carry(trainer.init(net, params, rows), params, infinity, -infinity, zero, zero, zero)


@partial(jax.jit, static_argnums=(0, 3))
def _advance(
    net: Network,
    trainer: Trainer,
    stopping: Stopping,
    monitor: str,
    carry: Carry,
    rows: Rows,
    validation: Rows | None,
    key: Array,
    until: Array,
) -> tuple[Carry, Record]:
    """Train from epoch `carry.epoch` up to epoch `until`, or to a stop; the records of up to CHUNK epochs."""
    # A parameter so large that a step of ordinary size is lost in its rounding will not come back.
    largest = jnp.maximum(1, jnp.max(jnp.abs(rows.y))) / jnp.finfo(rows.x.dtype).eps

    def one_epoch(carry: Carry) -> tuple[Carry, Record]:
        state, record = trainer.epoch(net, carry.state, rows, jax.random.fold_in(key, carry.epoch))
        stop = record.pop("stop", jnp.zeros((), jnp.int32))
        epoch = carry.epoch + 1
        if validation is not None:
            score = evaluate(net, state.params, validation)
            record |= {"validation_cost": score.cost, "validation_accuracy": score.accuracy}
            cost, accuracy = score.cost, score.accuracy
        else:
            cost, accuracy = record["cost"], jnp.zeros_like(record["cost"])
        better = cost < carry.best_cost
        if monitor == "accuracy":
            better = (accuracy > carry.best_accuracy) | ((accuracy == carry.best_accuracy) & better)
        spread = jnp.stack([jnp.max(jnp.abs(p)) for p in jax.tree.leaves(state.params)])
        diverged = ~(jnp.isfinite(record["cost"]) & jnp.all(spread < largest))
        better = better & ~diverged
        best, best_cost, best_accuracy, best_epoch = jax.tree.map(
            partial(jnp.where, better),
            (state.params, cost, accuracy, epoch),
            (carry.best, carry.best_cost, carry.best_accuracy, carry.best_epoch),
        )
        stop = _first_reason(stop, record, stopping, diverged, epoch - best_epoch, validation is not None)
        return Carry(state, best, best_cost, best_accuracy, best_epoch, epoch, stop), record

    shapes = jax.eval_shape(one_epoch, carry)[1]
    buffers = {name: jnp.zeros((CHUNK, *entry.shape), entry.dtype) for name, entry in shapes.items()}
    first = carry.epoch

    def body(loop: tuple[Carry, Record]) -> tuple[Carry, Record]:
        carry, buffers = loop
        place = carry.epoch - first
        carry, record = one_epoch(carry)
        return carry, {name: buffers[name].at[place].set(record[name]) for name in buffers}

    return lax.while_loop(lambda loop: (loop[0].epoch < until) & (loop[0].stop == 0), body, (carry, buffers))


def _first_reason(
    stop: Array, record: Record, stopping: Stopping, diverged: Array, since_best: Array, validated: bool
) -> Array:
    """The code of the first rule that ends the training here, 0 if none does; divergence outranks the rest."""
    rules = []
    if stopping.goal is not None:
        rules.append((record["cost"] <= stopping.goal, "goal"))
    if stopping.min_grad is not None and "gradient_norm" in record:
        rules.append((record["gradient_norm"] <= stopping.min_grad, "min_grad"))
    if stopping.max_fail is not None and validated:
        rules.append((since_best >= stopping.max_fail, "max_fail"))
    for holds, reason in reversed(rules):
        stop = jnp.where(holds, jnp.asarray(stop_code(reason), jnp.int32), stop)
    return jnp.where(diverged, jnp.asarray(stop_code("diverged"), jnp.int32), stop)


def _wait(tree: Any) -> None:
    """Wait for a compiled call in small sleeps, so that Ctrl-C is heard while it runs."""
    pause = 1e-4
    leaves = jax.tree.leaves(tree)
    while not all(leaf.is_ready() for leaf in leaves):
        time.sleep(pause)
        pause = min(2 * pause, 0.02)
    jax.block_until_ready(tree)


def _numbers(name: str, values: Any, dtype: np.dtype) -> np.ndarray:
    """The values as a finite, non-empty array of this dtype, with one row for each example."""
    try:
        array = np.asarray(values, dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} cannot be read as numbers ({error}): give an array of shape (N, n).") from None
    if array.ndim == 0 or array.shape[0] == 0:
        raise DataError(f"{name} has no rows (shape {array.shape}): give at least one example.")
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise DataError(
            f"{name} holds {array[where]} at index {where}, and {int((~finite).sum())} value(s) that are not finite in all: "
            f"drop or fill those rows first, and keep values within the range of {dtype}."
        )
    return array


def _rows(net: Network, params: Params, name: str, X: np.ndarray, Y: Any, weights: Any) -> Rows:
    """The examples checked and padded."""
    x = net.as_inputs(params, X)
    y = np.asarray(net.as_targets(Y, x))
    _numbers(name.replace("X", "Y"), y, y.dtype)
    if weights is not None:
        weights = _numbers("weights", weights, X.dtype)
        if weights.shape != (X.shape[0],) or weights.min() < 0 or weights.sum() == 0:
            raise DataError(
                f"weights has shape {weights.shape} and smallest value {weights.min():g}: "
                f"give one weight of at least 0 for each of the {X.shape[0]} examples, not all 0."
            )
    return pad_rows(X, y, weights)


def _message(reason: str, trainer: Trainer, stopping: Stopping, epochs: int) -> str:
    """The stop in one sentence."""
    name = trainer.learning_rate_name
    value = getattr(trainer, name)
    return {
        "goal": f"the training cost reached the goal of {stopping.goal} after {epochs} epochs.",
        "min_grad": f"the norm of the gradient fell to {stopping.min_grad} after {epochs} epochs.",
        "mu_max": f"no step downhill was left at the largest damping after {epochs} epochs: this is a minimum to rounding.",
        "max_fail": f"no better validation score for {stopping.max_fail} epochs, after {epochs}.",
        "diverged": f"training diverged in epoch {epochs} with {name} = {value:g}: the best parameters before it are kept; "
        f"use a smaller {name}.",
        "epochs": f"all {epochs} epochs were run.",
        "time": f"the time limit of {stopping.time_limit} s passed after {epochs} epochs.",
        "interrupted": f"interrupted after {epochs} epochs: the best parameters so far are kept.",
        "callback": f"a callback ended the training after {epochs} epochs.",
    }[reason]
