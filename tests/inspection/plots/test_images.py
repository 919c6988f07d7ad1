import numpy as np
import pytest

from deltarule.errors import ShapeError
from deltarule.inspection import plots


def test_weights_share_one_scale_about_zero():
    W = np.arange(-4.0, 8.0).reshape(2, 6)
    figure = plots.weights_as_images(W, (2, 3), columns=2, title="two neurons")
    pictures = [ax.images[0] for ax in figure.axes[:2]]
    np.testing.assert_array_equal([picture.get_array() for picture in pictures], W.reshape(2, 2, 3))
    assert all(picture.get_clim() == (-7.0, 7.0) for picture in pictures)


def test_weights_of_another_shape_are_refused():
    with pytest.raises(ShapeError, match=r"W has shape \(2, 6\), and images of \(2, 2\)"):
        plots.weights_as_images(np.ones((2, 6)), (2, 2))


def test_the_misread_images_are_shown_with_both_names():
    images = np.arange(16.0).reshape(4, 4)
    figure = plots.misclassified(images, [1, 2, 3, 4], [1, 0, 3, 9], shape=(2, 2))
    shown = [ax for ax in figure.axes if ax.images]
    assert [ax.get_title() for ax in shown] == ["0 → 2", "9 → 4"]
    np.testing.assert_array_equal([ax.images[0].get_array() for ax in shown], images[[1, 3]].reshape(2, 2, 2))
    assert "2 of 4 misread" in figure.get_suptitle()


def test_no_more_than_asked_for_and_none_at_all():
    figure = plots.misclassified(np.ones((9, 2, 2)), np.zeros(9), np.ones(9), most=3)
    assert sum(bool(ax.images) for ax in figure.axes) == 3
    assert "0 of 9 misread" in plots.misclassified(np.ones((9, 2, 2)), np.ones(9), np.ones(9)).get_suptitle()


def test_images_and_classes_must_fit():
    with pytest.raises(ShapeError, match=r"give \(N, h, w\), \(N,\), \(N,\)"):
        plots.misclassified(np.ones((3, 4)), [1, 2, 3], [1, 2, 3])
