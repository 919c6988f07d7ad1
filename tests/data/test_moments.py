"""Moments of columns that come in pieces are those of the whole."""

import numpy as np
import pytest

from deltarule.data import NumericColumn
from deltarule.data.moments import Moments


@pytest.mark.parametrize("cuts", [[], [1], [7, 8, 500], [0, 999]])
def test_pieces_measure_what_the_whole_does(cuts):
    x = np.random.default_rng(0).normal([0, 1e9, -3], [1, 1, 1e-6], (1000, 3))
    moments = Moments(3)
    for piece in np.split(x, cuts):
        moments.add(piece)
    for j, column in enumerate(moments.columns(("a", "b", "c"))):
        whole = NumericColumn.measured(column.name, x[:, j])
        assert (column.low, column.high) == (whole.low, whole.high)
        np.testing.assert_allclose((column.mean, column.std), (whole.mean, whole.std), rtol=1e-7)


def test_a_constant_column_is_shifted_not_scaled():
    moments = Moments(1)
    for _ in range(3):
        moments.add(np.full((5, 1), 0.1))
    assert moments.columns(("a",)) == (NumericColumn("a", 0.1, 1.0, 0.1, 0.1),)


def test_a_spread_of_rounding_is_not_scaled_up():
    moments = Moments(1)
    for value in (0.1 + 0.2, 0.3):
        moments.add(np.full((5, 1), value))
    assert moments.columns(("a",)) == (NumericColumn("a", 0.3, 1.0, 0.3, 0.1 + 0.2),)


@pytest.mark.parametrize("size", [1e200, 1e-200, 1e308, 1e-308, 1e-310])
def test_the_squares_of_large_and_small_numbers_stay_within_float64(size):
    x = size * np.random.default_rng(0).uniform(-1, 1, (300, 1))
    x[200:] *= 1e-30  # a later piece in another unit
    for order in (slice(None), slice(None, None, -1)):
        moments = Moments(1)
        for piece in np.split(x[order], [1, 100, 250]):
            moments.add(piece)
        (column,) = moments.columns(("a",))
        whole = NumericColumn.measured("a", x[:, 0])
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
    (column,) = moments.columns(("a",))
    np.testing.assert_allclose((column.mean, column.std), (np.mean(x, dtype=float), np.std(x, dtype=float)), rtol=1e-12)


def test_zeros_before_and_after_numbers_count():
    x = np.concatenate([np.zeros(5), [3e-5, -7e-5], np.zeros(4)])[:, None]
    moments = Moments(1)
    for piece in np.split(x, [5, 7]):
        moments.add(piece)
    (column,) = moments.columns(("a",))
    np.testing.assert_allclose((column.mean, column.std), (x.mean(), x.std()), rtol=1e-12)
