import numpy as np
import pytest

from deltarule.data.row_codes import mix_bits, row_codes, rows_checksum

ROWS = np.random.default_rng(0).normal(size=(50, 4))


def test_equal_rows_have_equal_codes_and_others_do_not():
    rows = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [1.0, np.nextafter(2.0, 3.0)], [3.0, 0.0], [0.0, 3.0]])
    codes = row_codes(rows)
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 5


def test_zero_and_minus_zero_are_equal():
    assert len(np.unique(row_codes(np.array([[0.0, 1.0], [-0.0, 1.0]])))) == 1


def test_many_rows_have_different_codes_over_the_whole_range():
    codes = row_codes(np.random.default_rng(0).integers(0, 1000, (100_000, 3)).astype(float))
    rows = np.unique(np.random.default_rng(0).integers(0, 1000, (100_000, 3)), axis=0)
    assert len(np.unique(codes)) == len(rows)
    share = np.bincount((codes >> np.uint64(60)).astype(int), minlength=16) / len(codes)
    np.testing.assert_allclose(share, 1 / 16, rtol=0.05)


def test_mixing_bits_is_one_to_one():
    numbers = np.arange(100_000, dtype=np.uint64)
    assert len(np.unique(mix_bits(numbers))) == len(numbers)


@pytest.mark.parametrize("cut", [0, 1, 17, 50])
def test_parts_add_up_to_the_whole(cut):
    assert (rows_checksum(0, ROWS[:cut]) + rows_checksum(cut, ROWS[cut:])) % 2**64 == rows_checksum(0, ROWS)


def test_the_checksum_depends_on_every_bit_and_its_place():
    found = {
        rows_checksum(0, ROWS),
        rows_checksum(1, ROWS),
        rows_checksum(0, ROWS[::-1]),
        rows_checksum(0, ROWS[:, ::-1]),
    }
    for row, column, bit in ((0, 0, 0), (49, 3, 63), (20, 1, 52)):
        other = ROWS.copy()
        other.view(np.uint64)[row, column] ^= np.uint64(1 << bit)
        found.add(rows_checksum(0, other))
    assert len(found) == 7


@pytest.mark.parametrize("dtype", [bool, np.uint8, np.float16, np.float32, np.int64])
def test_numbers_of_every_size_and_layout(dtype):
    rows = (ROWS > 0).astype(dtype)
    assert rows_checksum(0, rows) == rows_checksum(0, np.asfortranarray(rows))
    assert rows_checksum(0, rows) != rows_checksum(0, ~(ROWS > 0) * np.ones((), dtype))
    assert rows_checksum(3, rows[:, 0]) == rows_checksum(3, rows[:, :1])
