import numpy as np
import pytest

from deltarule.errors import ConfigurationError
from deltarule.play.problems import GENERATED, points_problem


@pytest.mark.parametrize("name", GENERATED)
def test_generated_problems_are_whole_and_always_the_same(name):
    one, other = GENERATED[name](), GENERATED[name]()
    assert one.name == name
    np.testing.assert_array_equal(one.X, other.X)
    assert one.X.shape == (len(one.rows), len(one.inputs))
    assert one.Y.shape == (len(one.rows), len(one.outputs))
    assert np.isfinite(one.X).all()
    assert one.view == ("line" if name == "curve" else "plane")
    assert set(one.labels) == ({0} if one.classes is None else {0, 1})


def test_the_two_classes_of_xor_are_opposite_quarters():
    problem = GENERATED["xor"]()
    np.testing.assert_array_equal(problem.labels == 1, problem.X[:, 0] * problem.X[:, 1] > 0)


def test_points_set_with_the_mouse():
    problem = points_problem([[0.5, -0.25, 1], [-0.5, 0.25, 0]])
    np.testing.assert_array_equal(problem.X, [[0.5, -0.25], [-0.5, 0.25]])
    np.testing.assert_array_equal(problem.Y, [[1], [0]])


@pytest.mark.parametrize(
    "points",
    [
        None,
        [],
        "abc",
        [[0, 0]],
        [[0, 0, 2]],
        [[9, 0, 1]],
        [[0, True, 1]],
        [["0", 0, 1]],
        [[0, 0, 1]] * 501,
        [[float("nan"), 0, 1]],
    ],
)
def test_points_that_are_refused(points):
    with pytest.raises(ConfigurationError, match="triples"):
        points_problem(points)
