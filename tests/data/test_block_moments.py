"""Moments of blocks: the same bits whoever read which block in what order."""

import numpy as np
import pytest

from deltarule.data.block_moments import PARTS, BlockMoments
from deltarule.data.moments import Moments

X = np.random.default_rng(0).normal([0, 1e6, 3e-9], [1, 1e-3, 1e-9], (1000, 3))
X[400:500] *= 1e30  # blocks in other units
BLOCKS = np.split(X, np.arange(37, 1000, 37))


def measured(numbers):
    moments = BlockMoments(3)
    for number in numbers:
        for piece in np.array_split(BLOCKS[number], 3):
            moments.add(number, piece)
    return moments


def assert_the_same(one, other):
    assert one.count == other.count
    for name in PARTS:
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_total_is_that_of_the_whole():
    whole = Moments(3)
    whole.add(X)
    total = measured(range(len(BLOCKS))).total()
    assert total.count == 1000
    for one, other in zip(total.columns(("a", "b", "c")), whole.columns(("a", "b", "c")), strict=True):
        np.testing.assert_allclose((one.mean, one.std), (other.mean, other.std), rtol=1e-9)
        assert (one.low, one.high) == (other.low, other.high)


@pytest.mark.parametrize("order", [slice(None, None, -1), np.random.default_rng(1).permutation(len(BLOCKS))])
def test_the_order_of_reading_changes_no_bit(order):
    assert_the_same(measured(np.arange(len(BLOCKS))[order]).total(), measured(range(len(BLOCKS))).total())


@pytest.mark.parametrize("of", [2, 3, 28, 40])
@pytest.mark.parametrize("shares", ["runs", "every so many-th"])
def test_processes_that_join_have_the_bits_of_one(of, shares):
    """With 40 of them some read nothing."""
    numbers = np.arange(len(BLOCKS))
    parts = np.array_split(numbers, of) if shares == "runs" else [numbers[i::of] for i in range(of)]
    alone = measured(numbers).total()
    for mine in (0, of - 1):
        together = measured(parts[mine])
        for other in np.random.default_rng(2).permutation([i for i in range(of) if i != mine]):
            together.join(measured(parts[other]).arrays())
        assert_the_same(together.total(), alone)


def test_few_nodes_are_held_and_told():
    """1024 blocks in order are one node; a run of them, at most two of each level."""
    moments = BlockMoments(1)
    for number in range(1024):
        moments.add(number, np.ones((2, 1)))
    assert moments.arrays()["places"].tolist() == [[10, 0]]
    part = BlockMoments(1)
    for number in range(3, 1021):
        part.add(number, np.ones((2, 1)))
    assert len(part.arrays()["places"]) <= 2 * 10


def test_blocks_without_a_row_change_nothing():
    moments = measured(range(len(BLOCKS)))
    moments.add(len(BLOCKS), X[:0])
    assert_the_same(moments.total(), measured(range(len(BLOCKS))).total())
    assert BlockMoments(2).total().count == 0
