"""Reshape and Flatten: the same numbers in another shape, forwards and backwards."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError, ShapeError
from engines import on, put

A = np.arange(24.0).reshape(2, 12)


def test_there_and_back(engine):
    a = put(engine, A)
    reshape, flatten = dr.Reshape((2, 3, 2)), dr.Flatten()
    images = reshape.forward({}, a).a
    assert images.shape == (2, 2, 3, 2)
    np.testing.assert_array_equal(flatten.forward({}, images).a, A)
    np.testing.assert_array_equal(reshape.propagate(reshape.forward({}, a), images), A)
    np.testing.assert_array_equal(flatten.propagate(flatten.forward({}, images), a), images)


def test_a_network_that_begins_with_it_takes_rows(engine):
    net = dr.Network([dr.Reshape((4, 3, 1)), dr.Convolution(2, 2), dr.Flatten(), dr.Dense(1)])
    params = on(engine, net.init(0, (12,)))
    assert net.input_shape(params) == (12,)
    assert net(params, A).shape == (2, 1)
    with pytest.raises(ShapeError, match=r"Reshape\(4x3x1\) .*12 .*\(5,\)"):
        net(params, A[:, :5])


@pytest.mark.parametrize("shape", [(), (0, 2), (2.5,), 7, "28x28", (2, None)])
def test_bad_shapes(shape):
    with pytest.raises(ConfigurationError, match="Reshape: shape is "):
        dr.Reshape(shape)
