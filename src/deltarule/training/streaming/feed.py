"""The chunks of a stream as rows on the devices, every one of the same shape, read ahead in a thread."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.data.stream import AHEAD, Prefetch, Stream, chunks, shuffled
from deltarule.engine.rows import Rows, padded_size
from deltarule.network.examples import require_finite
from deltarule.network.network import Network

BUFFERS = AHEAD + 3  # one being filled, one waiting for a place, those in the queue, and one in use


def chunk_rows(stream: Stream, trainer: Any, dtype: np.dtype, memory: float, rows: int) -> int:
    """The rows of a process's chunk: as many as `BUFFERS` of them fit the memory (bytes), in whole batches.

    At most `rows`, which are those of the process that reads the most: all must have chunks of one size.
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
    """The chunks of a stream as rows on the devices, every one of the same shape."""

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
        """N, over all processes."""
        return int(self.counts.sum())

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example's inputs."""
        return (self.stream.inputs,)

    def epoch(self, number: int | None) -> Prefetch:
        """The chunks of epoch `number` in its random order, or with None in the order on disk."""
        process = self.engine.process_index()
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
        with self.engine.computing_in(self.dtype):
            if len(x):
                require_finite(f"X of chunk {i}", x, self.dtype)
                y = require_finite(f"Y of chunk {i}", self._targets(x, y), self.dtype)
                self.net.cost.check_targets(f"Y of chunk {i}", y)
            if self.mesh is None:
                return Rows(*self.engine.laid_out(x, y, None, self.size))
            here = np.clip(self.counts - i * self.size, 0, self.size)
            own = len(self.mesh.local_devices)
            return self.engine.divide_rows(self.mesh, x, y, None, here, -(-self.size // own))

    def _targets(self, x: np.ndarray, y: np.ndarray) -> np.ndarray:
        """(rows, k) in the dtype: whole numbers of one column name classes if k > 1."""
        if self.net.outputs > 1 and y.size == len(y):
            y = y.reshape(-1)
            y = y if (y % 1).any() else y.astype(np.int64)
        return self.net.as_targets(y, x)
