import numpy as np
import pytest

from deltarule.errors import DataError
from deltarule.inspection import plots


def test_every_layer_has_its_line():
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
