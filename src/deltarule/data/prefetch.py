"""Chunks of a stream, each a buffer of rows from many blocks, read ahead of the one who uses them."""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

import numpy as np

from deltarule.data.stream import Block, Piece, Stream

AHEAD = 2  # chunks that wait to be used
T = TypeVar("T")


def shuffled(blocks: tuple[Block, ...], seed: tuple[int, ...]) -> list[Block]:
    """The blocks in a random order that the seed names."""
    return [blocks[i] for i in np.random.default_rng(seed).permutation(len(blocks))]


def chunks(stream: Stream, order: Iterable[Block], rows: int, dtype: np.dtype) -> Iterator[Piece]:
    """The blocks' rows in this order, `rows` at a time, the last chunk shorter; every chunk is memory of its own.

    A chunk is a shuffle buffer: with blocks in random order it holds rows / (rows of a block) runs from random places,
    and what uses it mixes its rows uniformly. So two rows that lie in one block always train in the same chunk, and
    any two others with a probability of about rows / N; with every chunk all rows are seen once an epoch.
    """
    x, y, filled = None, None, 0
    for block in order:
        for px, py in stream.pieces(block):
            at = 0
            while at < len(px):
                if x is None or y is None:
                    x = np.empty((rows, *px.shape[1:]), dtype)
                    y = np.empty((rows, *py.shape[1:]), py.dtype if py.dtype.kind in "iub" else dtype)
                count = min(len(px) - at, rows - filled)
                x[filled : filled + count], y[filled : filled + count] = px[at : at + count], py[at : at + count]
                at, filled = at + count, filled + count
                if filled == rows:
                    yield x, y
                    x, y, filled = None, None, 0
    if x is not None and y is not None and filled:
        yield x[:filled], y[:filled]


class Prefetch(Generic[T]):
    """What an iterator gives, made ahead in a thread; `waited` sums the seconds that the user stood still for it.

    Args:
        items: the iterator.
        finish: applied to each item in the thread, such as copying it to a device.
    """

    def __init__(self, items: Iterable, finish: Callable[..., T]):
        self.waited = 0.0
        self._queue: queue.Queue = queue.Queue(AHEAD)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._fill, args=(items, finish), daemon=True)
        self._thread.start()

    def _fill(self, items: Iterable, finish: Callable[..., T]) -> None:
        try:
            for item in items:
                if not self._offer((finish(item), None)):
                    return
            self._offer((None, StopIteration()))
        except BaseException as error:  # it is raised where the items are used
            self._offer((None, error))

    def _offer(self, item: tuple) -> bool:
        while not self._ended.is_set():
            try:
                self._queue.put(item, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def __iter__(self) -> Iterator[T]:
        """Each item once; an error of the thread is raised here."""
        try:
            while True:
                began = time.perf_counter()
                item, error = self._queue.get()
                self.waited += time.perf_counter() - began
                if isinstance(error, StopIteration):
                    return
                if error is not None:
                    raise error
                yield item
        finally:
            self._ended.set()
