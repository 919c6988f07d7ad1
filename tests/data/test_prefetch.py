"""Chunks of shuffled blocks, read ahead: no row is lost, errors arrive, and a reader that stops ends the thread."""

import threading
import time

import numpy as np
import pytest

from deltarule.data import ArrayStream
from deltarule.data.prefetch import AHEAD, Prefetch, chunks, shuffled

X = np.arange(100.0)[:, None]
STREAM = ArrayStream(X, X, block_rows=7)


def test_chunks_are_whole_but_the_last_and_lose_no_row():
    found = [x[:, 0] for x, _ in chunks(STREAM, shuffled(STREAM.blocks, (0, 1, 0)), 30, np.dtype("float32"))]
    assert [len(x) for x in found] == [30, 30, 30, 10]
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), X[:, 0])


def test_the_order_of_blocks_is_the_seeds():
    orders = [[block.place for block in shuffled(STREAM.blocks, seed)] for seed in ((0, 1), (0, 1), (0, 2))]
    assert orders[0] == orders[1] != orders[2]
    assert sorted(orders[2]) == [block.place for block in STREAM.blocks]


def test_no_more_is_made_than_fits_the_queue():
    made = []
    ahead = Prefetch(range(100), lambda i: made.append(i) or i)
    items = iter(ahead)
    assert [next(items) for _ in range(3)] == [0, 1, 2]
    assert len(made) <= 3 + AHEAD + 1
    before = threading.active_count()
    items.close()
    while threading.active_count() == before:  # the thread ends with the item that it makes
        time.sleep(0.001)


def test_an_error_of_the_thread_is_raised_where_the_items_are_used():
    def finish(i):
        if i == 2:
            raise ValueError("the disk is gone")
        return i

    with pytest.raises(ValueError, match="the disk is gone"):
        list(Prefetch(range(9), finish))
    assert threading.active_count() < 50
