"""A digest of rows to which several add what they hold."""

import numpy as np
import pytest

from deltarule.data.row_sums import row_sum

ROWS = np.random.default_rng(0).normal(size=(50, 4))


@pytest.mark.parametrize("cut", [0, 1, 17, 50])
def test_parts_add_up_to_the_whole(cut):
    assert (row_sum(0, ROWS[:cut]) + row_sum(cut, ROWS[cut:])) % 2**64 == row_sum(0, ROWS)


def test_it_sees_every_bit_and_every_place():
    found = {row_sum(0, ROWS), row_sum(1, ROWS), row_sum(0, ROWS[::-1]), row_sum(0, ROWS[:, ::-1])}
    for row, column, bit in ((0, 0, 0), (49, 3, 63), (20, 1, 52)):
        other = ROWS.copy()
        other.view(np.uint64)[row, column] ^= np.uint64(1 << bit)
        found.add(row_sum(0, other))
    assert len(found) == 7


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float16, np.float32, np.int64])
def test_numbers_of_every_size_and_layout(dtype):
    rows = (ROWS > 0).astype(dtype)
    assert row_sum(0, rows) == row_sum(0, np.asfortranarray(rows))
    assert row_sum(0, rows) != row_sum(0, ~(ROWS > 0) * np.ones((), dtype))
    assert row_sum(3, rows[:, 0]) == row_sum(3, rows[:, :1])
