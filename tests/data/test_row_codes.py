import numpy as np

from deltarule.data.row_codes import row_codes, scattered


def test_equal_rows_have_equal_codes_and_others_do_not():
    rows = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, 2.0], [1.0, np.nextafter(2.0, 3.0)], [3.0, 0.0], [0.0, 3.0]])
    codes = row_codes(rows)
    assert codes[0] == codes[2]
    assert len(set(codes.tolist())) == 5


def test_zero_and_minus_zero_are_equal():
    assert len(np.unique(row_codes(np.array([[0.0, 1.0], [-0.0, 1.0]])))) == 1


def test_many_rows_have_codes_of_their_own_that_fill_their_range():
    codes = row_codes(np.random.default_rng(0).integers(0, 1000, (100_000, 3)).astype(float))
    rows = np.unique(np.random.default_rng(0).integers(0, 1000, (100_000, 3)), axis=0)
    assert len(np.unique(codes)) == len(rows)
    share = np.bincount((codes >> np.uint64(60)).astype(int), minlength=16) / len(codes)
    np.testing.assert_allclose(share, 1 / 16, rtol=0.05)


def test_scattering_is_one_to_one():
    numbers = np.arange(100_000, dtype=np.uint64)
    assert len(np.unique(scattered(numbers))) == len(numbers)
