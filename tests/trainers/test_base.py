"""The batches of a second-order epoch and their shares of the total weight."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.engine.rows import EpochContext, make_rows
from deltarule.trainers.base import batches


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
def test_shares_and_penalties_by_hand(count, m, total, expected):
    rows = make_rows(np.arange(count)[:, None], np.zeros((count, 1)), None)
    looks = []
    context = EpochContext(np.arange(count)[::-1], None, lambda: looks.append(1))
    found = list(batches(dr.NewtonCG(batch_size=m, l2=0.5), rows, context, total))
    assert [share for _, share, _ in found] == expected
    assert [l2 for _, _, l2 in found] == [0.5 * share / total for share in expected]
    assert np.concatenate([batch.x[:, 0] for batch, _, _ in found]).tolist() == list(range(count))[::-1]
    assert len(looks) == len(expected)  # the clock is looked at before each
