"""`train_stream`: training on examples that stay on disk, in memory that does not grow with them.

Mini-batch gradient descent takes its steps on one chunk of the stream after another, each an epoch of the compiled
trainer on its own; Levenberg-Marquardt in primal form sums over the chunks. Chunks are read ahead in a thread.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from deltarule.backprop import Params
from deltarule.data.prefetch import AHEAD, Prefetch, chunks, shuffled
from deltarule.data.stream import Stream
from deltarule.devices import agreed, divide_rows, everywhere, local, mesh_of, process_counts
from deltarule.domain import require_count, require_number
from deltarule.errors import ConfigurationError, DataError
from deltarule.evaluation import evaluate
from deltarule.examples import checked_rows, require_finite
from deltarule.network import Network
from deltarule.precision import as_dtype, computing_in, dtype_of
from deltarule.processes import together
from deltarule.randomness import as_key
from deltarule.rows import Rows, padded_size
from deltarule.session import Callback, TrainingResult
from deltarule.stopping import STOP_REASONS, Stopping, stop_code
from deltarule.trainers.gradient_descent import GradientDescent
from deltarule.trainers.levenberg_marquardt import LevenbergMarquardt, streamed

NO_RULES = Stopping()
BUFFERS = AHEAD + 3  # one being filled, one waiting for a place, those in the queue, and one in use
DEFAULT_MEMORY = 2**28


def train_stream(
    net: Network,
    stream: Stream,
    *,
    trainer: GradientDescent | LevenbergMarquardt,
    epochs: int,
    validation_data: tuple[Any, Any] | None = None,
    seed: int = 0,
    params: Params | None = None,
    stopping: Stopping = NO_RULES,
    dtype: Any = None,
    devices: Sequence[Any] | None = None,
    memory: float = DEFAULT_MEMORY,
    callbacks: Sequence[Callback] = (),
) -> TrainingResult:
    """Train the network on examples that are read from disk again every epoch.

    The history has "input_wait", the share of each epoch's time that the devices stood still because no chunk was
    read, besides what the trainer records.

    Args:
        net: the network.
        stream: an `ArrayStream` or `ParquetStream`. With several processes each one reads its own share of it.
        trainer: `GradientDescent` with a batch_size, on chunks of shuffled blocks, each mixed uniformly (see
            `deltarule.data.prefetch.chunks`); or `LevenbergMarquardt` in primal form on all examples.
        epochs: at most this many.
        validation_data: (Xv, Yv), in memory, scored after every epoch; the result holds the best parameters on it.
        seed: of the initial parameters and of the order of the examples.
        params: where to start; None draws fresh parameters.
        stopping: goal, max_fail, time_limit.
        dtype: as in `train`.
        devices: as in `train`.
        memory: bytes for the chunks of this process, all that wait to be used included.
        callbacks: as in `train`.

    Raises:
        ConfigurationError: an option outside its range, or a trainer that needs all examples in memory.
        DataError: the stream cannot be read, or holds values that are not finite.
        ShapeError: the examples do not fit the network.
        ProcessError: another process of the training was lost.
    """
    started = time.perf_counter()
    require_count("epochs", epochs)
    require_number("memory", memory, above=0)
    dtype = as_dtype(dtype or (dtype_of(params) if params is not None else trainer.dtype))
    with computing_in(dtype):
        mesh = mesh_of(devices)
        stream = stream if mesh is None else stream.share(jax.process_index(), jax.process_count())
        if not stream.blocks:
            raise DataError("this process's share of the stream has no rows: use fewer processes, or more files.")
        init_key, key = jax.random.split(as_key(seed))
        if params is None:
            params = net.init(jax.random.split(init_key, 1)[0], (stream.inputs,), dtype, trainer.initializers)
        start = jax.tree.map(lambda p: jnp.asarray(p, dtype), params)
        counts = process_counts(stream.rows)
        _check(net, trainer, start, int(counts.sum()), stopping, validation_data is not None)
        if isinstance(trainer, LevenbergMarquardt):
            trainer = replace(trainer, solver="primal")  # whatever the size of a chunk
        validation = None
        if validation_data is not None:
            Xv = require_finite("validation X", validation_data[0], dtype)
            validation = checked_rows(net, start, "validation X", Xv, validation_data[1], None, mesh)
        if mesh is not None:
            start, key = everywhere(mesh, (start, key))
        own = 1 if mesh is None else len(mesh.local_devices)
        size = chunk_rows(stream, trainer, dtype, memory, own)
        feed = Feed(net, stream, dtype, mesh, counts, size, seed)
        course = Course(net, trainer, feed, validation, key, epochs, stopping, callbacks, started)
        with together(), trainer.surroundings(net, start, int(counts.sum())):
            return course.run(start)


def chunk_rows(stream: Stream, trainer: Any, dtype: np.dtype, memory: float, devices: int = 1) -> int:
    """The rows of a chunk: as many as `BUFFERS` of them fit the memory, whole batches of them, and no more than N."""
    row = (stream.inputs + stream.targets) * dtype.itemsize
    most = max(1, min(int(memory / BUFFERS / row), stream.rows))
    m = trainer.batch_size
    if m is not None:
        return max(1, most // m) * m
    size = padded_size(most)  # so that blocks of a power of two divide it
    return size if size <= max(most, 8) or most == stream.rows else padded_size(max(1, int(most * 0.88)))


def _check(net: Network, trainer: Any, params: Params, count: int, stopping: Stopping, validated: bool) -> None:
    """Refuse what a stream cannot do, rather than do something else."""
    if isinstance(trainer, GradientDescent):
        if trainer.batch_size is None or trainer.steps is not None:
            raise ConfigurationError(
                "a stream trains by mini-batches that cover it: give GradientDescent a batch_size, and leave steps out."
            )
    elif not isinstance(trainer, LevenbergMarquardt) or trainer.batch_size is not None:
        raise ConfigurationError(
            f"{type(trainer).__name__} needs all examples in memory as it is set: stream with GradientDescent("
            "batch_size=...) or LevenbergMarquardt() on all examples."
        )
    elif trainer.form(net, params, count) != "primal":
        raise ConfigurationError(
            f"Levenberg-Marquardt would take its {trainer.form(net, params, count)} form on {count:,} examples, and a "
            "stream can only be summed into the primal one: train in memory, or give solver='primal'."
        )
    trainer.check(net, count)
    for name, rule, wanted in (("max_fail", stopping.max_fail, validated), ("min_grad", stopping.min_grad, False)):
        if rule is not None and not wanted:
            raise ConfigurationError(f"{name} is {rule}, and this stream has nothing to judge it by: leave it out.")


@dataclass(frozen=True)
class Feed:
    """The chunks of a stream as rows on the devices, every one of the same shape."""

    net: Network
    stream: Stream
    dtype: np.dtype
    mesh: Any
    counts: np.ndarray
    size: int
    seed: int

    @property
    def total(self) -> int:
        """N, over all processes."""
        return int(self.counts.sum())

    def epoch(self, number: int | None) -> Prefetch[Rows]:
        """The chunks of epoch `number` in its random order, or with None in the order on disk."""
        process = jax.process_index()
        blocks = self.stream.blocks
        order = blocks if number is None else shuffled(blocks, (self.seed, number, process))
        pieces = chunks(self.stream, order, self.size, self.dtype)
        return Prefetch(enumerate(self._as_many_as_others(pieces)), self._place)

    def _as_many_as_others(self, pieces: Iterator) -> Iterator:
        """The chunks, and empty ones where another process has more."""
        most = -(-int(self.counts.max()) // self.size)
        shape = (0, self.stream.inputs)
        for _ in range(most):
            yield next(pieces, (np.zeros(shape, self.dtype), np.zeros((0, self.net.outputs), self.dtype)))

    def _place(self, numbered: tuple[int, tuple[np.ndarray, np.ndarray]]) -> Rows:
        """A chunk on the devices; called in the thread that reads ahead, which has a precision of its own."""
        i, (x, y) = numbered
        with computing_in(self.dtype):
            if len(x):
                require_finite(f"X of chunk {i}", x, self.dtype)
                y = require_finite(f"Y of chunk {i}", self._targets(y), self.dtype)
                self.net.cost.check_targets(f"Y of chunk {i}", y)
            if self.mesh is None:
                missing = self.size - len(x)
                x, y = (np.pad(a, [(0, missing), (0, 0)]) if missing else a for a in (x, y))
                return Rows(jnp.asarray(x), jnp.asarray(y), None, jnp.asarray(self.size - missing, jnp.int32))
            here = np.clip(self.counts - i * self.size, 0, self.size)
            own = len(self.mesh.local_devices)
            return divide_rows(self.mesh, x, y, None, here, -(-self.size // own))

    def _targets(self, y: np.ndarray) -> np.ndarray:
        """(rows, k) in the dtype: whole numbers of one column name classes if k > 1."""
        k = self.net.outputs
        if y.ndim == 1:
            y = y[:, None]
        if k > 1 and y.shape[1] == 1:
            classes = y[:, 0].astype(np.int64)
            if len(y) and ((classes != y[:, 0]).any() or classes.min() < 0 or classes.max() >= k):
                raise DataError(f"the targets of the stream do not number {k} classes from 0: check the column.")
            return np.eye(k, dtype=self.dtype)[classes]
        if y.shape[1] != k:
            raise DataError(f"the stream has {y.shape[1]} targets, and the network {k} outputs: they must agree.")
        return y.astype(self.dtype, copy=False)


@partial(jax.jit, static_argnums=0)
def _descend(net: Network, trainer: GradientDescent, state: Any, rows: Rows, key: Array) -> tuple[Any, Any]:
    return rows.everywhere(trainer.epoch(net, state, rows, key))


@partial(jax.jit, static_argnums=(0, 1))
def _added(net: Network, part: Callable[..., Any], trainer: Any, so_far: Any, rows: Rows, *arguments: Any) -> Any:
    return rows.everywhere(jax.tree.map(jnp.add, so_far, part(net, trainer, rows, *arguments)))


_evaluate = jax.jit(evaluate, static_argnums=0)


@dataclass
class Course:
    """One call of `train_stream`, everything checked."""

    net: Network
    trainer: Any
    feed: Feed
    validation: Rows | None
    key: Array
    epochs: int
    stopping: Stopping
    callbacks: Sequence[Callback]
    started: float
    waited: float = 0.0

    def run(self, start: Params) -> TrainingResult:
        """Epoch after epoch until one of the reasons to stop."""
        state = self._first(start)
        best, best_cost, best_epoch, history, reason = start, np.inf, 0, [], None
        try:
            for epoch in range(1, self.epochs + 1):
                began, self.waited = time.perf_counter(), 0.0
                state, record = self._epoch(state, epoch)
                stop = int(record.pop("stop", 0))
                cost = float(record["cost"])
                if self.validation is not None:
                    score = _evaluate(self.net, state.params, self.validation)
                    cost = float(score.cost)
                    record |= {"validation_cost": cost, "validation_accuracy": float(score.accuracy)}
                record |= {"epoch": epoch, "input_wait": self.waited / (time.perf_counter() - began)}
                history.append({name: np.asarray(value) for name, value in record.items()})
                if cost < best_cost:
                    best, best_cost, best_epoch = state.params, cost, epoch
                if isinstance(self.trainer, GradientDescent):
                    state, ended = self.trainer.heed(state, jnp.asarray(best_epoch == epoch))
                    stop = stop or int(ended)
                reason = self._reason(stop, history[-1], epoch - best_epoch)
                if reason is not None:
                    break
        except KeyboardInterrupt:
            reason = "interrupted"
        keep_best = self.validation is not None or reason == "diverged"
        kept = local(best if keep_best else state.params)
        done = len(history)
        reason = reason or "epochs"
        return TrainingResult(
            params=kept,
            history={name: np.stack([record[name] for record in history]) for name in history[0]} if history else {},
            stop_reason=reason,
            message=f"{reason.replace('_', ' ')}, after {done} epochs of {self.feed.total:,} streamed examples.",
            epochs=done,
            best_epoch=best_epoch if keep_best else done,
            seconds=time.perf_counter() - self.started,
        )

    def _first(self, start: Params) -> Any:
        if isinstance(self.trainer, LevenbergMarquardt):
            return streamed.first_state(self.net, self.trainer, start, self._over)
        none = Rows(jnp.zeros((1, 1), jax.tree.leaves(start)[0].dtype), jnp.zeros((1, 1)), None, jnp.asarray(0))
        return self.trainer.init(self.net, start, none)

    def _epoch(self, state: Any, epoch: int) -> tuple[Any, dict[str, Any]]:
        if isinstance(self.trainer, LevenbergMarquardt):
            return streamed.step(self.net, self.trainer, state, self.feed.total, self._over)
        key, cost, record = jax.random.fold_in(self.key, epoch), 0.0, {}
        feed = self.feed.epoch(epoch)
        for i, rows in enumerate(feed):
            count = int(rows.count)
            state, record = _descend(self.net, self._for_chunk(count), state, rows, jax.random.fold_in(key, i))
            jax.block_until_ready(state)  # so that what is waited for below, the devices wait for
            cost += count * float(record["cost"])
        self.waited += feed.waited
        return state, record | {"cost": cost / self.feed.total}

    def _for_chunk(self, count: int) -> GradientDescent:
        """The trainer whose penalties, which it divides by the chunk's rows, are those of all N."""
        share = count / self.feed.total
        given = {name: getattr(self.trainer, name) for name in ("l2", "l1")}
        return replace(self.trainer, **{name: value * share for name, value in given.items() if value is not None})

    def _over(self, part: Callable[..., Any], *arguments: Any) -> Any:
        """part(rows, *arguments) summed over the stream in the order on disk."""
        net, trainer = part.args  # type: ignore[attr-defined]
        so_far, feed = None, self.feed.epoch(None)
        for rows in feed:
            if so_far is None:
                shapes = jax.eval_shape(part, rows, *arguments)
                so_far = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
            so_far = jax.block_until_ready(_added(net, part.func, trainer, so_far, rows, *arguments))  # type: ignore[attr-defined]
        self.waited += feed.waited
        return so_far

    def _reason(self, stop: int, record: dict[str, np.ndarray], since_best: int) -> str | None:
        """Why to stop here, None to go on; process 0's clock and callbacks speak for all."""
        stopping = self.stopping
        if not np.isfinite(record["cost"]):
            stop = stop_code("diverged")
        elif stop == 0 and stopping.goal is not None and record["cost"] <= stopping.goal:
            stop = stop_code("goal")
        elif stop == 0 and stopping.max_fail is not None and since_best >= stopping.max_fail:
            stop = stop_code("max_fail")
        answers = [callback(dict(record)) for callback in self.callbacks]
        if stop == 0:
            late = stopping.time_limit is not None and time.perf_counter() - self.started >= stopping.time_limit
            stop = stop_code("callback") if any(answers) else stop_code("time") if late else 0
        stop = stop if self.feed.mesh is None else agreed(stop)[0]
        return STOP_REASONS[stop] if stop else None
