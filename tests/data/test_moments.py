"""Moments of columns that come in pieces are those of the whole."""

import numpy as np
import pytest

from deltarule.data import NumericColumn
from deltarule.data.moments import BlockMoments, Moments


@pytest.mark.parametrize("cuts", [[], [1], [7, 8, 500], [0, 999]])
def test_pieces_measure_what_the_whole_does(cuts):
    x = np.random.default_rng(0).normal([0, 1e9, -3], [1, 1, 1e-6], (1000, 3))
    moments = Moments(3)
    for piece in np.split(x, cuts):
        moments.add(piece)
    for j, column in enumerate(NumericColumn.from_moments(("a", "b", "c"), moments)):
        whole = NumericColumn.from_values(column.name, x[:, j])
        assert (column.low, column.high) == (whole.low, whole.high)
        np.testing.assert_allclose((column.mean, column.std), (whole.mean, whole.std), rtol=1e-7)


def test_a_constant_column_is_shifted_not_scaled():
    moments = Moments(1)
    for _ in range(3):
        moments.add(np.full((5, 1), 0.1))
    assert NumericColumn.from_moments(("a",), moments) == (NumericColumn("a", 0.1, 1.0, 0.1, 0.1),)


def test_rounding_errors_are_not_scaled_up():
    moments = Moments(1)
    for value in (0.1 + 0.2, 0.3):
        moments.add(np.full((5, 1), value))
    assert NumericColumn.from_moments(("a",), moments) == (NumericColumn("a", 0.3, 1.0, 0.3, 0.1 + 0.2),)


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e308, 1e-308, 1e-310])
def test_the_squares_of_large_and_small_numbers_stay_within_float64(size):
    x = size * np.random.default_rng(0).uniform(-1, 1, (300, 1))
    x[200:] *= 1e-30  # a later piece in another unit
    for order in (slice(None), slice(None, None, -1)):
        moments = Moments(1)
        for piece in np.split(x[order], [1, 100, 250]):
            moments.add(piece)
        (column,) = NumericColumn.from_moments(("a",), moments)
        whole = NumericColumn.from_values("a", x[:, 0])
        assert (column.low, column.high) == (whole.low, whole.high)
        if size >= 1e-300:
            np.testing.assert_allclose((column.mean, column.std), (whole.mean, whole.std), rtol=1e-10)
        else:  # numbers that float64 rounds to a few digits
            assert np.isfinite(column.mean)
            np.testing.assert_allclose(column.std, whole.std, rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.bool_, np.uint8, np.int64, np.float16, np.float32])
def test_pieces_of_any_numbers_are_measured_in_float64(dtype):
    x = np.random.default_rng(0).integers(0, 2, (4000, 1)).astype(dtype)
    moments = Moments(1)
    for piece in np.split(x, 4):
        moments.add(piece)
    (column,) = NumericColumn.from_moments(("a",), moments)
    np.testing.assert_allclose((column.mean, column.std), (np.mean(x, dtype=float), np.std(x, dtype=float)), rtol=1e-12)


def test_zeros_before_and_after_numbers_count():
    x = np.concatenate([np.zeros(5), [3e-5, -7e-5], np.zeros(4)])[:, None]
    moments = Moments(1)
    for piece in np.split(x, [5, 7]):
        moments.add(piece)
    (column,) = NumericColumn.from_moments(("a",), moments)
    np.testing.assert_allclose((column.mean, column.std), (x.mean(), x.std()), rtol=1e-12)


# Moments of blocks: the same bits whoever read which block in what order.

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
    for name in ("exponent", "mean", "squares", "low", "high"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_the_total_is_that_of_the_whole():
    whole = Moments(3)
    whole.add(X)
    total = measured(range(len(BLOCKS))).total()
    assert total.count == 1000
    columns = (NumericColumn.from_moments("abc", moments) for moments in (total, whole))
    for one, other in zip(*columns, strict=True):
        np.testing.assert_allclose((one.mean, one.std), (other.mean, other.std), rtol=1e-9)
        assert (one.low, one.high) == (other.low, other.high)


@pytest.mark.parametrize("order", [slice(None, None, -1), np.random.default_rng(1).permutation(len(BLOCKS))])
def test_the_order_of_reading_changes_no_bit(order):
    assert_the_same(measured(np.arange(len(BLOCKS))[order]).total(), measured(range(len(BLOCKS))).total())


@pytest.mark.parametrize("of", [2, 3, 28, 40])
@pytest.mark.parametrize("shares", ["runs", "every so many-th"])
def test_joined_processes_have_the_bits_of_one(of, shares):
    """With 40 of them some read nothing."""
    numbers = np.arange(len(BLOCKS))
    parts = np.array_split(numbers, of) if shares == "runs" else [numbers[i::of] for i in range(of)]
    alone = measured(numbers).total()
    for mine in (0, of - 1):
        together = measured(parts[mine])
        for other in np.random.default_rng(2).permutation([i for i in range(of) if i != mine]):
            together.join(measured(parts[other]))
        assert_the_same(together.total(), alone)


def test_few_nodes_are_kept():
    """1024 blocks in order are one node; a run of them, at most two of each level."""
    moments = BlockMoments(1)
    for number in range(1024):
        moments.add(number, np.ones((2, 1)))
    moments.close()
    assert list(moments.nodes) == [(10, 0)]
    part = BlockMoments(1)
    for number in range(3, 1021):
        part.add(number, np.ones((2, 1)))
    part.close()
    assert len(part.nodes) <= 2 * 10


def test_blocks_without_a_row_change_nothing():
    moments = measured(range(len(BLOCKS)))
    moments.add(len(BLOCKS), X[:0])
    assert_the_same(moments.total(), measured(range(len(BLOCKS))).total())
    assert BlockMoments(2).total().count == 0
