"""Pooling as descriptions. Its numbers: `by_hand/test_convolution` and `oracle/test_convolution`."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError, ShapeError
from engines import put


@pytest.mark.parametrize("kind", [dr.MaxPool, dr.MeanPool, dr.L2Pool])
def test_descriptions(kind):
    assert kind(2) == kind((2, 2)) == kind([2, 2], (2, 2)) != kind(3)
    assert kind((2, 3)).stride == (2, 3)
    assert kind((2, 3)).label == f"{kind.__name__}(2x3)"
    assert kind(2).output_shape((5, 6, 3)) == (2, 3, 3)
    assert kind(2, padding="same").output_shape((5, 6, 3)) == (3, 3, 3)
    assert kind(3, 1).output_shape((5, 6, 3)) == (3, 4, 3)
    with pytest.raises(ConfigurationError, match=rf"{kind.__name__}: the window's size is 0"):
        kind(0)
    with pytest.raises(ConfigurationError, match=rf"{kind.__name__}: stride is \(1, 2, 3\)"):
        kind(2, (1, 2, 3))
    with pytest.raises(ConfigurationError, match=r"padding .*'none'"):
        kind(2, padding="none")
    with pytest.raises(ShapeError, match=rf"{kind.__name__}\(4x4\) needs .* 4x4 pixels"):
        kind(4).output_shape((3, 9, 1))


def test_different_kinds_differ():
    assert dr.MaxPool(2) != dr.MeanPool(2)
    assert len({dr.MaxPool(2), dr.MeanPool(2), dr.L2Pool(2)}) == 3


def test_the_mean_is_over_the_pixels_of_the_image(engine):
    image = put(engine, np.array([[1, 2, 3]], "float32")[..., None][None])
    assert dr.MeanPool((1, 2), padding="same").forward({}, image).a[0, 0, :, 0].tolist() == [1.5, 3]
