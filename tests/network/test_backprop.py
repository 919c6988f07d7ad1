"""Backpropagation through a stack: what the gradient of a batch is made of. Its numbers: `by_hand` and `oracle`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import deltarule as dr
from deltarule import trees
from deltarule.network import backprop
from engines import NAMES, on

NET = dr.Network([dr.Dense(5, "tanh"), dr.Dense(4, "relu"), dr.Dense(2, "sigmoid")], "cross-entropy")
PARAMS = NET.init(3, (3,), "float64")
DRAW = np.random.default_rng(0)
X, Y = DRAW.normal(size=(6, 3)), DRAW.uniform(size=(6, 2))


@pytest.fixture
def params(engine):
    return on(engine, PARAMS)


def assert_same(found, expected, rtol=1e-13):
    """Equal up to the order of summation, relative to the largest entry of each tensor."""

    def compare(a, b):
        np.testing.assert_allclose(a, b, rtol=0, atol=rtol * np.abs(b).max())

    trees.map_leaves(compare, found, expected)


@pytest.mark.parametrize("name", NAMES)
@given(order=st.permutations(range(6)))
def test_the_order_of_the_examples_does_not_matter(order, name):
    params = on(name, PARAMS)
    cost, grads = NET.cost_and_gradient(params, X, Y)
    again, grads_again = NET.cost_and_gradient(params, X[order], Y[order])
    np.testing.assert_allclose(again, cost, rtol=1e-14)
    assert_same(grads_again, grads)


def test_doubling_the_data_leaves_the_mean(params):
    cost, grads = NET.cost_and_gradient(params, X, Y)
    twice = NET.cost_and_gradient(params, np.concatenate([X, X]), np.concatenate([Y, Y]))
    np.testing.assert_allclose(twice[0], cost, rtol=1e-14)
    assert_same(twice[1], grads)


def test_the_gradient_of_a_batch_is_the_mean_of_its_examples(params):
    cost, grads = NET.cost_and_gradient(params, X, Y)
    single = [NET.cost_and_gradient(params, X[i : i + 1], Y[i : i + 1]) for i in range(6)]
    np.testing.assert_allclose(np.mean([c for c, _ in single]), cost, rtol=1e-14)
    assert_same(trees.map_leaves(lambda *parts: np.mean(parts, axis=0), *[g for _, g in single]), grads)


@pytest.mark.usefixtures("float64")
def test_weights_are_linear(engine, params):
    """A weight of 0 leaves an example out, a weight of 2 takes it twice."""
    weight = np.array([0, 1, 2, 0, 0, 1]) / 4
    found = backprop.cost_and_gradient(NET, params, *on(engine, (X, Y, weight)))
    kept = [1, 2, 2, 5]
    expected = NET.cost_and_gradient(params, X[kept], Y[kept])
    np.testing.assert_allclose(found[0], expected[0], rtol=1e-14)
    assert_same(found[1], expected[1])


def test_the_gradient_has_the_shape_of_the_parameters(params):
    _, grads = NET.cost_and_gradient(params, X, Y)
    found, expected = ([(place, array.shape) for place, array in trees.named_leaves(tree)] for tree in (grads, PARAMS))
    assert found == expected


@pytest.mark.usefixtures("float64")
def test_the_pieces_line_up(engine, params):
    """The lists of inputs, errors and gradients run over net.layers, input side first."""
    x, y = on(engine, (X, Y))
    passes = backprop.forward(NET, params, x)
    inputs = [values.a_prev for values in passes]
    assert [a.shape for a in inputs] == [(6, 3), (6, 5), (6, 4)]
    assert inputs[1] is passes[0].a
    delta = NET.cost.output_error(NET.output_activation, passes[-1].z, passes[-1].a, y)
    deltas = backprop.errors(NET, passes, delta)
    assert [d.shape for d in deltas] == [(6, 5), (6, 4), (6, 2)]
    assert deltas[-1] is delta
    # BP4 is summed, not averaged: dW = delta^T A.
    grads = backprop.gradients(NET, passes, deltas)
    np.testing.assert_allclose(grads[1]["W"], np.asarray(deltas[1]).T @ np.asarray(inputs[1]), rtol=1e-13)
    assert backprop.output_cost(NET, passes[-1], y).shape == (6,)


@pytest.mark.parametrize("depth", [1, 3])
def test_a_linear_network_is_one_matrix(depth, engine):
    """Without sigma the network is W = W^L...W^2, and dC/dx by BP2' is W^T (a - y)."""
    net = dr.Network([dr.Dense(3, "linear")] * depth)
    params = on(engine, net.init(1, (3,), "float64"))
    product = np.linalg.multi_dot([np.eye(3), *[np.asarray(p["W"]) for p in reversed(params)], np.eye(3)])
    x, y = X[:1], X[1:2]
    a = np.asarray(net(params, x))
    np.testing.assert_allclose(a[0], product @ x[0], rtol=1e-13)
    trace = net.trace(params, x[0], y[0])
    dC_dx = np.asarray(params[0]["W"]).T @ trace.layers[0].delta
    np.testing.assert_allclose(dC_dx, product.T @ (a - y)[0], rtol=1e-12)
