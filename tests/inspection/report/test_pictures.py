import numpy as np
import pytest
from scipy.stats import t as student

from deltarule.inspection.report import pictures
from deltarule.inspection.report.evidence import Dependence


def test_the_curves_of_many_classes_all_look_different():
    classes = np.arange(40) % 20
    lines = pictures.roc(np.eye(20)[classes], classes, range(20)).axes[0].get_lines()[1:]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 20


def test_the_cost_of_every_epoch_is_drawn_and_the_kept_one_marked():
    figure = pictures.performance({"cost": [3.0, 2.0, 1.0], "validation_cost": [3.0, 2.5, 2.7], "epoch": [1, 2, 3]}, 2)
    lines = figure.axes[0].get_lines()
    assert lines[0].get_ydata().tolist() == [3, 2, 1]
    assert list(lines[2].get_xdata()) == [2, 2]


def test_what_a_logarithm_cannot_take_is_left_out():
    line = (
        pictures.training_state({"lambda": [1.0, None, 0.0], "epoch": [1, 2, 3]}, "lambda", "lambda")
        .axes[0]
        .get_lines()[0]
    )
    assert np.isnan(line.get_ydata()).tolist() == [False, True, True]


def test_the_errors_are_counted():
    bars = pictures.error_histogram(np.random.default_rng(0).normal(size=300), "y").axes[0].patches
    assert sum(bar.get_height() for bar in bars) == 300


def test_reliability_by_hand():
    # three rows at 0.9, two of them right; one at 0.6, right
    p = np.array([[0.92, 0.08], [0.92, 0.08], [0.92, 0.08], [0.38, 0.62]])
    points = pictures.reliability(p, np.array([0, 0, 1, 1])).axes[0].collections[0].get_offsets()
    np.testing.assert_allclose(points, [[0.62, 1], [0.92, 2 / 3]])


def test_the_most_important_column_is_on_top():
    axes = pictures.importances({"a": 0.1, "b": 0.5}, "").axes[0]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["b", "a"]
    assert axes.yaxis_inverted()


def test_of_many_classes_those_that_move_are_drawn():
    curve = Dependence("x", [0.0, 1.0], np.array([np.zeros(9), np.arange(9) / 10]))
    assert len(pictures.dependence(curve, list("abcdefghi"), "").axes[0].get_lines()) == 6


@pytest.mark.parametrize("values", [[0.0, 1.0], ["a", "b"]])
def test_columns_are_compared_on_one_scale(values):
    curve = Dependence("x", values, np.array([[0.0], [0.1]]))
    assert pictures.dependence(curve, ["y"], "", (-1.0, 2.0)).axes[0].get_ylim() == (-1, 2)


def test_the_coverage_of_true_error_bars_is_the_nominal_one():
    # The errors are the quantiles of Student's distribution themselves, each in its own unit.
    std = np.geomspace(0.1, 10, 1000)
    errors = std * student.ppf((np.arange(1000) + 0.5) / 1000, 7)
    nominal, found = pictures.coverage_curve(errors, std, 7)
    np.testing.assert_allclose(found, nominal, atol=2e-3)
    short = pictures.coverage_curve(errors, std / 2, 7)[1]
    assert np.all(short[1:-1] < nominal[1:-1])


def test_a_residual_is_drawn_over_one_input_or_two():
    sizes = np.array([1.0, 1e-2, 0.0])
    line = pictures.residual_map(np.array([[0.0], [1.0], [2.0]]), sizes, ["time"]).axes[0]
    assert line.collections[0].get_offsets().tolist() == [[0, 0], [1, -2], [2, -6]]
    assert line.get_xlabel() == "time"
    plane, bar = pictures.residual_map(np.eye(3), sizes, ["place", "time", "more"]).axes
    assert plane.collections[0].get_array().tolist() == [0, -2, -6]
    assert (plane.get_ylabel(), bar.get_ylabel()) == ("time", "log10 of the residual")
