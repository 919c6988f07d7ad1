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
