"""What each mini-batch's sums are divided by: its share of the weight of all examples."""

import pytest

from deltarule.trainers.base import batch_shares


@pytest.mark.parametrize(
    ("count", "m", "total", "expected"),
    [
        (6, 2, 6.0, [2, 2, 2]),
        (7, 3, 7.0, [3, 3, 1]),  # the last one is shorter
        (7, 3, 14.0, [6, 6, 2]),  # a mean weight of 2
        (3, 3, 1.5, [1.5]),
        (4, 1, 4.0, [1, 1, 1, 1]),
    ],
)
def test_shares_by_hand(count, m, total, expected):
    assert batch_shares(count, m, total) == expected
    assert sum(batch_shares(count, m, total)) == total
