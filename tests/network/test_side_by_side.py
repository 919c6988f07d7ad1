"""Networks side by side: one network outputs the weighted sum of the outputs of several, whatever their depths."""

import itertools

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.network.side_by_side import can_be_identity, side_by_side


def drawn(hidden, draw, activation="tanh"):
    sizes = [3, *hidden, 2]
    net = dr.Network([*(dr.Dense(n, activation) for n in hidden), dr.Dense(2, "linear")])
    return net, [{"W": draw.normal(size=(n, m)), "b": draw.normal(size=n)} for m, n in itertools.pairwise(sizes)]


@pytest.mark.parametrize("depths", [[(4,), (7,)], [(), (5,)], [(), (4,), (6, 3), (2, 3, 4)], [(), ()]])
def test_one_network_is_the_mixture_of_its_parts(depths):
    draw = np.random.default_rng(1)
    parts = [drawn(hidden, draw) for hidden in depths]
    weights, X = draw.uniform(size=len(parts)), draw.normal(size=(50, 3))
    net, params = side_by_side(parts, weights)
    expected = sum(w * np.asarray(one(p, X)) for w, (one, p) in zip(weights, parts, strict=True))
    np.testing.assert_allclose(np.asarray(net(params, X)), expected, rtol=1e-12, atol=1e-12)
    assert len(net.layers) == max(map(len, depths)) + 1


def test_one_part_of_weight_one_stays_as_it_is():
    part = drawn((4,), np.random.default_rng(0))
    assert side_by_side([part], [1.0]) == part


@pytest.mark.parametrize(
    ("activation", "passes"), [("tanh", True), ("linear", True), ("sigmoid", False), ("relu", False)]
)
def test_which_activations_let_a_value_pass(activation, passes):
    assert can_be_identity(activation) is passes


def test_different_depths_need_one_that_does():
    draw = np.random.default_rng(0)
    with pytest.raises(ConfigurationError, match="neuron of 'sigmoid'"):
        side_by_side([drawn((4,), draw, "sigmoid"), drawn((4, 4), draw, "sigmoid")], [0.5, 0.5])
