import numpy as np
import pytest

from deltarule.errors import ShapeError
from deltarule.inspection import plots

POINTS = np.array([[0.0, 0.0], [1.0, 1.0], [0.2, 0.1]])


def shading(figure):
    return np.asarray(figure.axes[0].images[0].get_array())


def test_the_plane_is_shaded_by_the_largest_output():
    figure = plots.decision_regions(lambda X: X, POINTS, [0, 1, 0], limits=(0, 1, 0, 1), title="x1 > x2")
    shades = shading(figure)
    assert (shades[0, -1] != shades[-1, 0]).any()  # below and above the diagonal
    np.testing.assert_array_equal(shades[0, -1], shades[50, 150])
    np.testing.assert_array_equal(shades[-1, 0], shades[150, 50])
    assert figure.axes[0].get_title("left") == "x1 > x2"


def test_one_output_is_split_at_a_half():
    shades = shading(plots.decision_regions(lambda X: X[:, :1], POINTS, [0, 1, 0], limits=(0, 1, 0, 1)))
    assert (shades[:, 99] == shades[:, 0]).all()
    assert (shades[:, 100] == shades[:, -1]).all()
    assert (shades[0, 99] != shades[0, 100]).any()


def test_the_border_is_where_the_outputs_are_level():
    """x1 = x2 to rounding, between the points of the grid as well, where squares of the grid would make steps."""
    axes = plots.decision_regions(lambda X: X @ [[1, 0], [0, 0.7]], POINTS, [0, 1, 0], limits=(0, 1, 0, 1)).axes[0]
    border = np.concatenate([path.vertices for path in axes.collections[0].get_paths()])
    assert len(border) > 50
    np.testing.assert_allclose(border[:, 0], 0.7 * border[:, 1], atol=1e-12)


def test_the_points_stand_on_it_class_by_class():
    first, second = plots.decision_regions(lambda X: X, POINTS, [0, 1, 0]).axes[0].collections[-2:]
    np.testing.assert_array_equal(first.get_offsets(), POINTS[[0, 2]])
    np.testing.assert_array_equal(second.get_offsets(), POINTS[[1]])


def test_points_outside_the_plane_are_refused():
    with pytest.raises(ShapeError, match=r"X has shape \(3, 3\)"):
        plots.decision_regions(lambda X: X, np.ones((3, 3)), [0, 1, 0])
