import numpy as np
import pytest

from deltarule.experiments import higham
from deltarule.experiments.report import Settings


def test_the_ten_points():
    assert higham.X.shape == (10, 2)
    np.testing.assert_array_equal(higham.X[:, 0], [0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7])
    np.testing.assert_array_equal(higham.X[:, 1], [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6])
    np.testing.assert_array_equal(higham.Y[:, 0], 5 * [1] + 5 * [0])
    np.testing.assert_array_equal(higham.Y.sum(axis=1), 1)


def test_the_paper_s_cost_is_the_sum_over_the_points():
    result = higham.descend(0, 3000, Settings())
    a = np.asarray(higham.NET(result.params, higham.X))  # the best of three epochs
    best = result.history["validation_cost"].min()
    assert higham.PAPER * best == pytest.approx(np.sum((higham.Y - a) ** 2), rel=1e-5)


def test_the_starts_are_half_a_standard_normal():
    values = np.concatenate([np.ravel(p) for s in range(100) for layer in higham.start(s) for p in layer.values()])
    assert values.size == 2300
    assert values.std() == pytest.approx(0.5, abs=0.03)  # four standard errors of 0.5 / √4600
    assert abs(values.mean()) < 0.04


def test_a_quick_run():
    report = higham.run(Settings(quick=True))
    assert [len(row.ours) for row in report.rows] == [3, 3, 3]
    assert 0 < report.rows[0].average < 10
    assert set(report.figures) == {"cost", "regions"}
    lines = report.figures["cost"][0].axes[0].lines
    assert len(lines) == 3
    assert lines[0].get_xdata()[-1] == 20
    assert lines[1].get_ydata()[-1] == report.rows[0].ours[1]


@pytest.mark.slow
def test_a_million_steps_end_under_a_thousandth():
    report = higham.run(Settings(seeds=5))
    assert report.rows[0].average <= 1e-3
