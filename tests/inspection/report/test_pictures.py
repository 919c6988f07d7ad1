import numpy as np
import pytest
from scipy.stats import t as student

from deltarule.inspection.report import pictures
from deltarule.inspection.report.chart import Band, Bars, Line, Points, Rule
from deltarule.inspection.report.evidence import PartialDependence


def marks(chart, kind):
    return [mark for mark in chart.marks if isinstance(mark, kind)]


def named(chart):
    return {mark.name: mark for mark in chart.marks if getattr(mark, "name", "")}


def test_the_curves_of_many_classes_all_look_different():
    classes = np.arange(40) % 20
    lines = named(pictures.roc(np.eye(20)[classes], classes, range(20))).values()
    assert len({(line.colour, line.dash) for line in lines}) == 20


def test_the_area_stands_behind_each_class():
    lines = named(pictures.roc(np.array([[0.9, 0.1], [0.2, 0.8]]), np.array([0, 1]), ["no", "yes"]))
    (line,) = lines.values()
    assert line.name == "yes: 1.000"
    np.testing.assert_array_equal(line.y, [0, 1, 1])


def test_the_cost_of_every_epoch_is_drawn_and_the_kept_one_marked():
    costs = {"training": [3.0, 2.0, 1.0], "validation": [3.0, 2.5, 2.7]}
    chart = pictures.over_epochs(costs, {"epoch": [1, 2, 3]}, "mean cost", 2)
    lines = named(chart)
    assert lines["training"].y.tolist() == [3, 2, 1]
    assert lines["validation"].y.tolist() == [3, 2.5, 2.7]
    assert marks(chart, Rule)[0].x == 2
    assert chart.up.log


def test_what_a_logarithm_cannot_take_is_left_out():
    svg = pictures.over_epochs({"lambda": [1.0, None, 0.0]}, {"epoch": [1, 2, 3]}, "lambda").svg("")
    assert svg.count("<title>lambda at") == 2  # the missing one has no place
    assert "nan" not in svg


def test_the_errors_are_counted_by_part():
    errors = np.random.default_rng(0).normal(size=300)
    parts = {"training": np.arange(200), "test": np.arange(200, 300)}
    training, test = marks(pictures.error_histogram(errors, "y", parts), Bars)
    assert (training.y1 - training.y0).sum() == 200
    assert (test.y1 - test.y0).sum() == 100
    np.testing.assert_array_equal(test.y0, training.y1)  # on top of each other
    (alone,) = marks(pictures.error_histogram(errors, "y"), Bars)
    np.testing.assert_array_equal(alone.y1, test.y1)
    assert alone.titles[0] == f"{int(alone.y1[0])} rows from {alone.x0[0]:.4g} to {alone.x1[0]:.4g}"


def test_reliability_by_hand():
    # three rows at 0.92, two of them right; one at 0.62, right
    p = np.array([[0.92, 0.08], [0.92, 0.08], [0.92, 0.08], [0.38, 0.62]])
    (points,) = marks(pictures.reliability(p, np.array([0, 0, 1, 1])), Points)
    np.testing.assert_allclose(np.column_stack([points.x, points.y]), [[0.62, 1], [0.92, 2 / 3]])
    assert points.titles[1] == "3 rows: mean probability 92.0 %, right 66.7 %"


def test_the_most_important_column_is_on_top():
    chart = pictures.importances({"a": 0.1, "b": 0.5}, "")
    (bars,) = marks(chart, Bars)
    assert list(chart.up.names) == ["b", "a"]
    assert bars.x1.tolist() == [0.5, 0.1]
    assert chart.up.limits[0] > chart.up.limits[1]  # from the top down


def test_of_many_classes_those_that_move_are_drawn():
    curve = PartialDependence("x", [0.0, 1.0], np.array([np.zeros(9), np.arange(9) / 10]))
    assert set(named(pictures.dependence(curve, list("abcdefghi"), ""))) == set("defghi")


@pytest.mark.parametrize("values", [[0.0, 1.0], ["a", "b"]])
def test_columns_are_compared_on_one_scale_with_their_band(values):
    band = np.array([[[-2.0], [-3.9]], [[2.0], [4.1]]])
    chart = pictures.dependence(PartialDependence("x", values, np.array([[0.0], [0.1]]), band), ["y"], "", (-5.0, 5.0))
    assert chart.up.limits == (-5, 5)
    bands = marks(chart, Band)
    assert [low for band in bands for low in dict.fromkeys(band.low.tolist())] == [-2, -3.9]
    assert [high for band in bands for high in dict.fromkeys(band.high.tolist())] == [2, 4.1]


def test_the_line_of_a_regression_is_the_fitted_one():
    actual = np.array([0.0, 1.0, 2.0, 3.0])
    chart = pictures.regression(0.5 * actual + 1, actual, "y", ["a", "b", "c", "d"])
    equal, fit = marks(chart, Line)
    np.testing.assert_array_equal(equal.x, equal.y)
    np.testing.assert_allclose(fit.y, [1, 2.5])
    (points,) = marks(chart, Points)
    order = np.argsort(points.x)
    np.testing.assert_allclose(points.y[order], [1, 1.5, 2, 2.5])
    assert pictures.fitted_line(actual, np.ones(4)) is None


def test_a_run_has_its_band_and_what_was_measured():
    at, run = np.arange(3.0), np.array([1.0, 2.0, 4.0])
    chart = pictures.run_with_band(at, run, np.full(3, 0.5), run + 1, "y")
    (band,) = marks(chart, Band)
    np.testing.assert_array_equal(band.low, run - 0.5)
    assert named(chart)["measured"].y.tolist() == [2, 3, 5]
    stems = pictures.correlogram(np.array([-1, 0, 1]), np.array([0.1, 0.9, -0.2]), 0.3, "with u")
    assert marks(stems, Bars)[0].y1.tolist() == [0.1, 0.9, -0.2]


def test_the_coverage_of_true_error_bars_is_the_nominal_one():
    # The measurements are the quantiles of what was predicted for them.
    below = (np.arange(1000) + 0.5) / 1000
    nominal, found = pictures.coverage_curve(below)
    np.testing.assert_allclose(found, nominal, atol=2e-3)
    short = pictures.coverage_curve(student.cdf(2 * student.ppf(below, 7), 7))[1]  # twice as far in half the error bars
    assert np.all(short[1:-1] < nominal[1:-1])


def test_a_residual_is_drawn_over_one_input_or_two():
    sizes = np.array([1.0, 1e-2, 0.0])
    line = pictures.residual_map(np.array([[0.0], [1.0], [2.0]]), sizes, ["time"])
    np.testing.assert_allclose(marks(line, Points)[0].y, [1, 1e-2, 1e-4])
    assert line.up.log
    assert ">time<" in line.svg("")
    plane = pictures.residual_map(np.eye(3), sizes, ["place", "time", "more"])
    dots = marks(plane, Points)[0]
    assert dots.radii[0] > dots.radii[1] > dots.radii[2] > 0
    assert dots.titles[1] == "place 0, time 1, more 0: residual 0.01"
    assert ">time<" in plane.svg("")
