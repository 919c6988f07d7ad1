"""Sensitivities: by hand, against differences, and what has none."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from engines import on


def test_one_neuron_by_hand():
    # u = 2 tanh(3 x - y) at (1/3, 1): z = 0, tanh' = 1, tanh'' = 0, so du = (6, -2) and d2u = 0
    net = dr.Network([dr.Dense(1, "tanh"), dr.Dense(1, "linear")])
    params = [
        {"W": np.array([[3.0, -1.0]]), "b": np.zeros(1)},
        {"W": np.array([[2.0]]), "b": np.zeros(1)},
    ]
    found = net.derivatives(params, [[1 / 3, 1.0]])
    np.testing.assert_allclose(found.u, [[0]], atol=1e-15)
    np.testing.assert_allclose(found.du, [[[6, -2]]])
    np.testing.assert_allclose(found.d2u, np.zeros((1, 1, 2, 2)), atol=1e-14)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus", "exponential"])
def test_against_differences(name, engine):
    net = dr.Network([dr.Dense(5, name), dr.Dense(4, name), dr.Dense(2, "linear")])
    params = net.init(0, (3,), "float64")
    X = np.random.default_rng(1).normal(size=(4, 3)) / 2
    found = net.derivatives(on(engine, params), X)
    assert (found.u.shape, found.du.shape, found.d2u.shape) == ((4, 2), (4, 2, 3), (4, 2, 3, 3))
    np.testing.assert_allclose(found.u, net(params, X), rtol=1e-12, atol=1e-14)
    h = 1e-5
    for i, e in enumerate(np.eye(3) * h):
        np.testing.assert_allclose(found.du[..., i], (net(params, X + e) - net(params, X - e)) / (2 * h), atol=1e-8)
        slopes = [net.derivatives(params, X + sign * e).du for sign in (1, -1)]
        np.testing.assert_allclose(found.d2u[..., i], (slopes[0] - slopes[1]) / (2 * h), atol=1e-8)


@pytest.mark.parametrize("layer", [dr.Dense(3, "relu"), dr.Dense(3, "step"), dr.Flatten()])
def test_what_is_not_smooth_is_refused(layer):
    net = dr.Network([layer, dr.Dense(1, "linear")])
    with pytest.raises(ConfigurationError, match="layer 0"):
        net.derivatives(net.init(0, (2,), "float64"), np.zeros((1, 2)))
