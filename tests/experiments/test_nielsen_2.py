import pytest

from deltarule.experiments import nielsen_2
from deltarule.experiments.report import Settings


def test_a_quick_run():
    report = nielsen_2.run(Settings(quick=True))
    assert [row.book for row in report.rows] == [2, 806, 2, 2396]
    assert all(row.average > 0 for row in report.rows)
    (axes,) = report.figures["time"][0].axes
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    assert [line.get_label() for line in axes.lines] == ["differences", "backpropagation", "one forward pass"]
    assert axes.lines[0].get_xdata().tolist() == [805, 2395]


def test_both_gradients_are_the_same():
    found = nielsen_2.measure(2, repeats=1)
    assert found["weights"] == 784 * 2 + 2 + 2 * 10 + 10
    assert found["gap"] < 1e-6  # the difference's own error, h/2 C''
    assert found["differences"] > found["forward"]


@pytest.mark.parametrize("hidden", nielsen_2.HIDDEN)
def test_the_number_of_weights(hidden):
    params = nielsen_2.network(hidden).init(0, (784,))
    assert sum(p.size for layer in params for p in layer.values()) == 795 * hidden + 10
