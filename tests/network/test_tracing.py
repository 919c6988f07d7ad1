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


def test_a_printed_trace_shows_each_equation_above_its_numbers():
    net = dr.Network([dr.Dense(2, "sigmoid"), dr.Dense(1, "linear")])
    params = [
        {"W": np.array([[0.1, 0.2], [0.3, 0.4]]), "b": np.zeros(2)},
        {"W": np.array([[0.5, 0.6]]), "b": np.zeros(1)},
    ]
    lines = [line.strip() for line in str(net.trace(params, [1.0, 2.0], 1.0)).splitlines()]

    def below(words, count=1):
        at = next(n for n, line in enumerate(lines) if line.startswith(words))
        return [[float(v) for v in line.strip("[] ").split()] for line in lines[at + 1 : at + 1 + count]]

    assert below("a^1 = x") == [[1, 2]]
    assert below("z^2 = W^2 a^1 + b^2") == [[0.5, 1.1]]  # 0.1·1 + 0.2·2 and 0.3·1 + 0.4·2
    assert below("a^2 = sigma(z^2)") == [[0.622459, 0.75026]]  # with six digits
    assert below("sigma'(z^2)") == [[0.235004, 0.18737]]  # a (1 - a)
    assert below("a^3 = sigma(z^3)") == [[0.761386]]
    assert "C_x = 0.0284684" in lines  # ½ (0.761386 - 1)²
    assert below("delta^3 =") == [[-0.238614]]
    assert below("dC/dW^3") == [[-0.148528, -0.179023]]  # delta^3 a^2
    assert below("delta^2 =") == [[-0.0280376, -0.0268255]]  # 0.5 and 0.6 times delta^3 sigma'(z^2)
    assert below("dC/dW^2", 2) == [[-0.0280376, -0.0560752], [-0.0268255, -0.053651]]
    assert below("dC/db^2") == [[-0.0280376, -0.0268255]]


@pytest.mark.parametrize("layer", [dr.Recurrent(2), dr.LSTM(2)], ids=["recurrent", "lstm"])
def test_the_trace_of_a_sequence_is_printed_too(layer):
    net = dr.Network([layer, dr.Dense(1, "linear")])
    x = np.array([[1.0], [0.5], [-1.0]])
    text = str(net.trace(net.init(0, (3, 1), "float64"), x, np.array([[1.0], [np.nan], [2.0]])))
    assert "W^2 a^1" in text
    assert "V^2" in text
