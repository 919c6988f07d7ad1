import numpy as np
import pytest

from deltarule.errors import DataError
from deltarule.inspection import plots
from deltarule.inspection.plots.curves import _apart

HISTORY = {
    "epoch": np.array([1, 2, 3]),
    "cost": np.array([3.0, 2.0, 1.0]),
    "validation_cost": np.array([3.5, 2.5, 2.0]),
    "validation_accuracy": np.array([0.5, 0.75, 0.875]),
}


def lines_of(figure):
    return {line.get_label(): line.get_xydata() for line in figure.axes[0].lines}


def names_of(figure):
    return [text.get_text() for text in figure.axes[0].texts]


def test_a_line_holds_its_values():
    figure = plots.curves({"a": [4, 5, 6]}, xlabel="step", ylabel="height", title="a title")
    np.testing.assert_array_equal(lines_of(figure)["a"], [[1, 4], [2, 5], [3, 6]])
    (axes,) = figure.axes
    assert (axes.get_xlabel(), axes.get_ylabel(), axes.get_title("left")) == ("step", "height", "a title")
    assert names_of(figure) == []  # one line needs no name


def test_several_runs_are_drawn_under_their_mean():
    figure = plots.curves({"a": [[1, 2], [3, 6]], "b": [0, 0]}, x=[10, 20])
    assert len(figure.axes[0].lines) == 4
    np.testing.assert_array_equal(lines_of(figure)["a"], [[10, 2], [20, 4]])
    assert names_of(figure) == ["a", "b"]


def test_on_a_logarithmic_scale_the_mean_is_the_geometric_one():
    figure = plots.curves({"a": [[1, 1], [100, 100]]}, log=True)
    np.testing.assert_allclose(lines_of(figure)["a"], [[1, 10], [2, 10]])
    assert figure.axes[0].get_yscale() == "log"


def test_cost_curves():
    lines = lines_of(plots.cost_curves(HISTORY))
    np.testing.assert_array_equal(lines["training batches"][:, 1], HISTORY["cost"])
    np.testing.assert_array_equal(lines["validation data"][:, 1], HISTORY["validation_cost"])


def test_accuracy_curves_are_in_percent():
    lines = lines_of(plots.accuracy_curves(HISTORY))
    np.testing.assert_array_equal(lines["validation data"], [[1, 50], [2, 75], [3, 87.5]])


def test_a_history_without_accuracy_is_refused():
    with pytest.raises(DataError, match="no accuracy: train with validation_data"):
        plots.accuracy_curves({"cost": [1.0]})


@pytest.mark.parametrize(
    ("lines", "x", "message"),
    [({}, None, "lines is empty"), ({"a": []}, None, "'a' has values of shape"), ({"a": [1, 2]}, [1], "x has 1")],
)
def test_lines_that_cannot_be_drawn(lines, x, message):
    with pytest.raises(DataError, match=message):
        plots.curves(lines, x=x)


def test_names_keep_their_order_and_their_distance():
    np.testing.assert_allclose(_apart(np.array([0.5, 0.1, 0.5]), 0.1), [0.45, 0.1, 0.55])
    # Three that push each other into a fourth.
    np.testing.assert_allclose(_apart(np.array([0.5, 0.5, 0.5, 0.62]), 0.1), [0.38, 0.48, 0.58, 0.68])


def test_curves_are_drawn_where_they_are_asked_for():
    figure, axes = plots.panels(1, 2)
    assert plots.curves({"a": [1, 2]}, axes=axes[1]) is figure
    assert not axes[0].lines
    assert len(axes[1].lines) == 1


def test_a_line_that_ends_early_has_its_name_at_its_last_value():
    figure = plots.curves({"short": [1, 2, np.nan, np.nan], "long": [9, 9, 9, 9], "none": [0, 0, 0, 0]})
    heights = {text.get_text(): text.get_position()[1] for text in figure.axes[0].texts}
    # 2 of 0..9, drawn with margins of a twentieth: (2 + 0.45) / 9.9
    assert heights["short"] == pytest.approx(2.45 / 9.9, abs=1e-6)


def test_every_layer_has_its_line_of_learning_speeds():
    speeds = np.array([[0.01, 0.1, 1.0], [0.02, 0.2, 2.0]])
    figure = plots.learning_speeds(speeds, title="three layers")
    (axes,) = figure.axes
    assert [line.get_label() for line in axes.lines] == ["hidden 1", "hidden 2", "output"]
    np.testing.assert_array_equal([line.get_ydata() for line in axes.lines], speeds.T)
    assert axes.get_yscale() == "log"


@pytest.mark.parametrize("speeds", [np.ones(3), np.zeros((2, 2)), np.ones((0, 2))])
def test_other_shapes_and_speeds_of_nothing_are_refused(speeds):
    with pytest.raises(DataError, match="give \\(epochs, layers\\), all above 0"):
        plots.learning_speeds(speeds)
