import numpy as np
import pytest

from deltarule.experiments.nielsen_3 import slowdown
from deltarule.experiments.report import Settings


@pytest.mark.parametrize("cost", ["quadratic", "cross-entropy"])
def test_the_outputs_are_those_of_a_plain_loop(cost):
    w, b = 2.0, 2.0
    expected = []
    for _ in range(slowdown.EPOCHS + 1):
        a = 1 / (1 + np.exp(-(w + b)))
        expected.append(a)
        delta = a * a * (1 - a) if cost == "quadratic" else a  # y = 0; BP1 with and without sigma'
        w, b = w - slowdown.ETA * delta, b - slowdown.ETA * delta
    np.testing.assert_allclose(slowdown.outputs(cost, 2.0, 2.0, Settings()), expected, rtol=1e-9)


def test_the_book_s_numbers():
    rows, figures, _ = slowdown.run(Settings())
    with_book = [row for row in rows if row.book is not None]
    assert [round(row.average, 2) for row in with_book] == [0.09, 0.20]
    assert len(figures["slowdown"][0].axes) == 2
