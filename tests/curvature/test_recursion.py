"""Which way J is taken, and that both ways lead to the same step. J itself: `oracle/test_recurrent`."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.curvature import equations_at, linearize, recursion

NET = dr.Network([dr.Recurrent(2), dr.Dense(1, "linear")])  # 2 + 4 + 2 + 3 = 11 parameters


def at(net, steps, features=1):
    draw = np.random.default_rng(steps)
    X = draw.normal(size=(3, steps, features))
    params = net.init(0, (steps, features), "float64")
    Y = draw.normal(size=np.shape(net(params, X)))
    return params, linearize(net, params, X, Y, np.ones(3))


def test_the_recursion_is_taken_for_fewer_parameters_than_residuals():
    assert trees.size(NET.init(0, (3, 1))) == 11
    assert not recursion.is_cheaper(NET, *at(NET, 11))
    assert recursion.is_cheaper(NET, *at(NET, 12))
    last = dr.Network([dr.Recurrent(2, sequences=False), dr.Dense(1, "linear")])
    assert not recursion.is_cheaper(last, *at(last, 50))


@pytest.mark.parametrize("layer", [dr.Recurrent(2), dr.GRU(2), dr.LSTM(1)], ids=lambda layer: layer.label)
def test_both_ways_make_the_same_normal_equations(layer, monkeypatch):
    net = dr.Network([dr.Dense(2, "tanh"), layer, dr.Dropout(0.5), dr.Dense(2, "sigmoid")])
    params, lin = at(net, 40, 2)
    forward, _ = equations_at(net, params, lin)
    monkeypatch.setattr(recursion, "is_cheaper", lambda *_: False)
    backward, _ = equations_at(net, params, lin)
    for one, other in zip(forward, backward, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-12)
