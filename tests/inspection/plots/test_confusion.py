import pytest

from deltarule.errors import ShapeError
from deltarule.inspection import plots


def test_the_counts_stand_at_actual_and_predicted():
    figure = plots.confusion_matrix([0, 1, 1, 2, 1], [0, 1, 2, 2, 2], names=["a", "b", "c"])
    (axes,) = figure.axes
    # rows are actual, columns predicted: text stands at x = predicted, y = actual
    assert {(*text.get_position(), text.get_text()) for text in axes.texts} == {
        (0, 0, "1"), (1, 1, "1"), (1, 2, "2"), (2, 2, "1"),
    }  # fmt: skip
    assert [label.get_text() for label in axes.get_xticklabels()] == ["a", "b", "c"]
    shaded = axes.images[0].get_array()
    assert shaded is not None
    assert shaded.tolist() == [[0, 0, 0], [0, 0, 0], [0, 2, 0]]  # mistakes alone


def test_lengths_must_agree():
    with pytest.raises(ShapeError, match=r"predicted has shape \(2,\) and actual \(3,\)"):
        plots.confusion_matrix([0, 1], [0, 1, 2])
