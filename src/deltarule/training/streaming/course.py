"""The epochs of a training over a stream: passes over chunks of one shape, which a thread reads ahead."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from deltarule.data.stream import AHEAD, Prefetch, Stream, chunks, shuffle_blocks
from deltarule.engine.randomness import NOISE, ORDER
from deltarule.engine.rows import EpochContext, Record, Rows, padded_size
from deltarule.network.backprop import Params
from deltarule.network.examples import as_targets, require_finite
from deltarule.network.network import Network, Sizes
from deltarule.objective import StreamedObjective
from deltarule.training.loop import Carry, Course

INPUT_WAIT = "input_wait"  # a fraction of the wall-clock time: the one record that differs from run to run
BUFFERS = AHEAD + 3  # chunks: one being filled, one waiting for the queue, those in it, and one in use


def chunk_rows(stream: Stream, trainer: Any, dtype: np.dtype, memory: float, rows: int) -> int:
    """Return the rows of a process's chunk: whole batches, so that `BUFFERS` chunks fit the memory (bytes).

    They are at most `rows`, the most that one process reads; all processes have chunks of the same size.
    """
    row = (stream.inputs + stream.targets) * dtype.itemsize
    most = max(1, min(int(memory / BUFFERS / row), rows))
    m = trainer.batch_size
    if m is not None:
        return max(1, most // m) * m
    size = padded_size(most)  # so that blocks of a power of two divide it
    return size if size <= max(most, 8) or most == rows else padded_size(max(1, int(most * 0.88)))


@dataclass(frozen=True)
class Feed:
    """The chunks of a stream as rows on the devices, all of the same shape."""

    engine: Any
    net: Network
    stream: Stream
    dtype: np.dtype
    mesh: Any
    counts: np.ndarray
    size: int
    seed: int

    @property
    def count(self) -> int:
        """N, the examples of all processes."""
        return int(self.counts.sum())

    def epoch(self, number: int | None) -> Prefetch:
        """The chunks of epoch `number` in its random order; with None in the order on disk."""
        process = self.engine.process_index()
        blocks = self.stream.blocks
        order = blocks if number is None else shuffle_blocks(blocks, (self.seed, number, process))
        pieces = chunks(self.stream, order, self.size, self.dtype)
        return Prefetch(enumerate(self._fill_up(pieces)), self._put)

    def _fill_up(self, pieces: Iterator) -> Iterator:
        """Yield the chunks, and then empty ones if another process has more."""
        empty = np.zeros((0, self.stream.inputs), self.dtype), np.zeros((0, self.net.outputs), self.dtype)
        for _ in range(-(-int(self.counts.max()) // self.size)):
            yield next(pieces, empty)

    def _put(self, numbered: tuple[int, tuple[np.ndarray, np.ndarray]]) -> Rows:
        """Put a chunk on the devices. The thread that reads ahead calls it, and has its own dtype context."""
        i, (x, y) = numbered
        with self.engine.computing_in(self.dtype):
            if len(x):
                require_finite(f"X of chunk {i}", x, self.dtype)
                y = require_finite(f"Y of chunk {i}", self._targets(x, y), self.dtype)
                self.net.cost.check_targets(f"Y of chunk {i}", y)
            if self.mesh is None:
                return self.engine.make_rows(x, y, None, self.size)
            counts = np.clip(self.counts - i * self.size, 0, self.size)
            return self.engine.shard_rows(self.mesh, x, y, None, counts, -(-self.size // len(self.mesh.local_devices)))

    def _targets(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """The targets, (rows, k); a column of whole numbers is class numbers if k > 1."""
        if self.net.outputs > 1 and y.size == len(y):
            y = y.reshape(-1)
            y = y if (y % 1).any() else y.astype(np.int64)
        return as_targets(self.net, y, x)


@dataclass(frozen=True)
class StreamedCourse(Course):
    """A `Course` whose examples are read again in every epoch."""

    trainer: Any
    rows: Feed

    @cached_property
    def engine(self) -> Any:
        return self.rows.engine

    @cached_property
    def sizes(self) -> Sizes:
        return self.net.sizes((self.rows.stream.inputs,))

    @property
    def compiled(self) -> bool:
        return False  # Python reads the chunks

    @property
    def divided(self) -> bool:
        return self.rows.mesh is not None

    @property
    def longest_chunk(self) -> int:
        return 1  # each epoch is a pass over the disk

    def start(self, params: Params) -> Carry:
        x = np.zeros((1, self.rows.stream.inputs), self.rows.dtype)
        row = self.engine.make_rows(x, np.zeros((1, self.net.outputs), x.dtype), None)
        return Carry(self.trainer.init(self.net, params, row), params, np.float64(np.inf), np.float64(-np.inf), 0, 0, 0)

    def kept(self, score: Any) -> Any:
        return np.float64(score)

    def largest(self) -> float:
        return np.inf  # the targets are not known beforehand

    def contexts(self, first: int, until: int, start: int, clock: Callable[[], None]) -> Iterator[EpochContext]:
        key = self.engine.key((*self.path, NOISE)) if any(layer.is_random for layer in self.net.layers) else None
        for epoch in range(first, until):
            drawn = None if key is None else self.engine.fold_in(key, epoch + 1)
            yield EpochContext(None, drawn, self.clock_of(epoch, clock))

    def epoch(self, carry: Carry, context: EpochContext) -> tuple[Any, Record]:
        began, waited = time.perf_counter(), []
        run = self._step if self.trainer.sums_over_stream else self._descend
        state, record = run(carry, context, waited)
        return state, record | {INPUT_WAIT: sum(waited) / (time.perf_counter() - began)}

    def _step(self, carry: Carry, context: EpochContext, waited: list[float]) -> tuple[Any, Record]:
        def passes() -> Iterator[Rows]:
            """Read the chunks in the order on disk, and record the seconds that the devices waited."""
            feed = self.rows.epoch(None)
            yield from feed
            waited.append(feed.waited)

        block = self.trainer.block(self.sizes, self.rows.size, "primal")
        F = StreamedObjective(self.net, passes, block, self.trainer.l2)
        return self.trainer.step(F, "primal", carry.state, float(self.rows.count), self.rows.dtype, context.check_time)

    def _descend(self, carry: Carry, context: EpochContext, waited: list[float]) -> tuple[Any, Record]:
        E, state, epoch, cost, record = self.engine, carry.state, carry.epoch + 1, 0.0, {}
        feed = self.rows.epoch(epoch)
        for i, rows in enumerate(feed):
            context.check_time()
            count = int(rows.count)
            order = self.trainer.orders((*self.path, ORDER, epoch), i, 1, count)
            key = None if context.key is None else E.fold_in(context.key, i)
            state, record = E.train_on_chunk(self.net, self._chunk_trainer(count), state, rows, order[0], key)
            cost += count * float(record["cost"])  # waits for the device
        waited.append(feed.waited)
        return state, record | {"cost": np.float64(cost / self.rows.count)}

    def _chunk_trainer(self, count: int) -> Any:
        """The trainer with penalties for one chunk: it divides them by the chunk's rows instead of by N."""
        share = count / self.rows.count
        penalties = {name: getattr(self.trainer, name) for name in ("l2", "l1")}
        return replace(self.trainer, **{name: value * share for name, value in penalties.items() if value is not None})
