"""Chunks of a stream, each a buffer of rows from many blocks, read ahead of the one who uses them."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
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
    for px, py in (piece for block in order for piece in stream.pieces(block)):
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
    if x is not None and y is not None:
        yield x[:filled], y[:filled]


class Prefetch(Generic[T]):
    """The items of an iterator, made ahead in a thread; `waited` counts the seconds spent waiting for them.

    Args:
        items: the iterator.
        finish: applied to each item in the thread, such as copying it to a device.
    """

    def __init__(self, items: Iterable, finish: Callable[..., T]):
        self.waited, self._items, self._finish = 0.0, iter(items), finish

    def _next(self) -> tuple[T, ...]:
        """The next item alone, or nothing."""
        return tuple(map(self._finish, islice(self._items, 1)))

    def __iter__(self) -> Iterator[T]:
        """Each item once; an error of the thread is raised here."""
        thread = ThreadPoolExecutor(1)
        made = deque(thread.submit(self._next) for _ in range(AHEAD + 1))
        try:
            while True:
                began = time.perf_counter()
                item = made.popleft().result()
                self.waited += time.perf_counter() - began
                if not item:
                    return
                made.append(thread.submit(self._next))
                yield item[0]
        finally:
            thread.shutdown(wait=False, cancel_futures=True)
