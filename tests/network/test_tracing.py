"""The trace is the same arithmetic as cost_and_gradient, kept: (2), (3), BP1-BP4 hold between its numbers."""

import numpy as np
import pytest

import deltarule as dr
from engines import on

PAIRS = [("sigmoid", "quadratic"), ("sigmoid", "cross-entropy"), ("softmax", "log-likelihood"), ("linear", "quadratic")]


@pytest.fixture(params=PAIRS, ids=str)
def traced(request, engine):
    output, cost = request.param
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, "softplus"), dr.Dense(2, output)], cost)
    params = on(engine, net.init(5, (3,), "float64"))
    x, y = np.array([0.5, -1.0, 2.0]), np.array([0.25, 0.75])
    return net, params, x, y, net.trace(params, x, y)


def test_it_agrees_with_the_gradient(traced):
    net, params, x, y, trace = traced
    cost, grads = net.cost_and_gradient(params, x[None], y[None])
    np.testing.assert_allclose(trace.cost, cost, rtol=1e-14)
    for layer, expected in zip(trace.layers, grads, strict=True):
        np.testing.assert_allclose(layer.dW, expected["W"], rtol=1e-12)
        np.testing.assert_allclose(layer.db, expected["b"], rtol=1e-12)
    np.testing.assert_allclose(trace.layers[-1].a, net(params, x[None])[0], rtol=1e-14)


def test_the_equations_hold_between_its_numbers(traced):
    net, params, x, y, trace = traced
    a_prev = trace.x
    np.testing.assert_array_equal(a_prev, x)  # (1)
    np.testing.assert_array_equal(trace.y, y)
    for i, layer in enumerate(trace.layers):
        W, b = np.asarray(params[i]["W"]), np.asarray(params[i]["b"])
        np.testing.assert_allclose(layer.z, W @ a_prev + b, rtol=1e-13)  # (2)
        if net.layers[i].activation != "softmax":
            np.testing.assert_allclose(layer.delta, layer.dC_da * layer.slope, rtol=1e-11)  # BP1, BP2
        if i + 1 < len(trace.layers):
            above = trace.layers[i + 1]
            np.testing.assert_allclose(layer.dC_da, np.asarray(params[i + 1]["W"]).T @ above.delta, rtol=1e-12)  # BP2'
        np.testing.assert_allclose(layer.db, layer.delta, rtol=1e-14)  # BP3
        np.testing.assert_allclose(layer.dW, np.outer(layer.delta, a_prev), rtol=1e-14)  # BP4
        a_prev = layer.a


def test_everything_is_numpy_and_of_one_example(traced):
    *_, trace = traced
    assert isinstance(trace.cost, float)
    assert [layer.z.shape for layer in trace.layers] == [(4,), (3,), (2,)]
    for layer in trace.layers:
        values = (layer.z, layer.a, layer.slope, layer.delta, layer.dC_da, *layer.gradients.values())
        assert {type(value) for value in values} == {np.ndarray}


def test_a_class_number_is_a_target(engine):
    net = dr.Network([dr.Dense(3, "softmax")], "log-likelihood")
    trace = net.trace(on(engine, net.init(0, (2,))), [1, 2], 2)
    assert trace.y.tolist() == [0, 0, 1]


def test_a_single_output_takes_a_number(engine):
    net = dr.Network([dr.Dense(1)])
    assert net.trace(on(engine, net.init(0, (2,))), [1, 2], 0.5).y.tolist() == [0.5]
