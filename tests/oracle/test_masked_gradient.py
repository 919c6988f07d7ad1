"""Dropout against automatic differentiation with the same masks, and its mean against the pass without it."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines_of
from deltarule.engine.randomness import NOISE
from deltarule.network import backprop
from engines import BOTH, on
from oracle.plain_network import COSTS, HIDDEN, activation, compiled, cost_of_output, jax, jnp, mostly_slow, problem

pytestmark = pytest.mark.usefixtures("float64")


def masks_of(engine, net, params, x, key):
    """mask / (1 - p) of every Dropout layer, as the forward pass drew them."""
    passes = backprop.forward(net, *on(engine, (params, x)), key)
    return [np.asarray(values.memory) for values in passes if values.memory is not None]


CASES = [(hidden, COSTS[0]) for hidden in HIDDEN] + [("sigmoid", cost) for cost in COSTS[1:]]


QUICK = {("sigmoid", COSTS[2]), ("sigmoid", COSTS[3]), ("tanh", COSTS[0]), ("relu", COSTS[0])}


@pytest.mark.parametrize(("hidden", "cost"), mostly_slow(CASES, QUICK), ids=str)
def test_the_gradient_with_the_masks_held(hidden, cost):
    plain, x, y = problem(HIDDEN.index(hidden), (4, 6, 5, 3), (hidden, "tanh", "softmax"), cost[0], 7)
    layers = [dr.Dropout(0.25), dr.Dense(6, hidden), dr.Dropout(0.5), dr.Dense(5, "tanh"), dr.Dropout(0.4)]
    net = dr.Network([*layers, dr.Dense(3, "softmax")], dr.Quadratic(cost[1]) if cost[0] == "quadratic" else cost[0])
    params = [{}, plain[0], {}, plain[1], {}, plain[2]]

    @compiled
    def derive(plain, masks):
        def mean_cost(plain):
            a = jnp.asarray(x)
            for p, name, mask in zip(plain, (hidden, "tanh", "softmax"), masks, strict=True):
                a = activation(jnp, name, (a * mask) @ p["W"].T + p["b"])
            return jnp.mean(cost_of_output(jnp, *cost, a, jnp.asarray(y)))

        return jax.value_and_grad(mean_cost)(plain)

    for engine in BOTH:
        # The seed's own stream, as `cost_and_gradient` takes it.
        masks = masks_of(engine, net, params, x, engines_of.get(engine).key((5, NOISE)))
        assert len(masks) == 3
        assert all(0 < np.mean(mask == 0) < 1 for mask in masks)
        expected_cost, expected = derive(plain, masks)
        found_cost, found = net.cost_and_gradient(on(engine, params), x, y, key=5)
        np.testing.assert_allclose(found_cost, expected_cost, rtol=1e-12)
        for layer, tensors in zip((layer for layer in found if layer), expected, strict=True):
            for name, tensor in tensors.items():
                np.testing.assert_allclose(layer[name], tensor, rtol=0, atol=1e-12 * np.abs(tensor).max())


def test_the_mean_output_is_the_pass_without_dropout(engine):
    """Where the output is linear in what is dropped, E[a^L] is exact: 20,000 masks, four standard errors."""
    draw = np.random.default_rng(3)
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dropout(0.5), dr.Dense(3, "linear")])
    params = net.init(1, (4,), "float64")
    x, E = draw.normal(size=(5, 4)), engines_of.get(engine)
    # 20,000 rows of masks for each of the five inputs, in one pass.
    repeated = np.repeat(x, 20_000, axis=0)
    passes = backprop.forward(net, *on(engine, (params, repeated)), E.key((0,)))
    found = np.asarray(passes[-1].a).reshape(5, 20_000, 3).swapaxes(0, 1)
    error = found.std(axis=0) / np.sqrt(len(found))
    assert error.min() > 0
    deviation = (found.mean(axis=0) - np.asarray(net(params, x))) / error
    assert np.abs(deviation).max() < 4
    # Without the scaling by 1 / (1 - p) the mean would be far outside: the test can fail.
    bias = np.asarray(params[2]["b"])
    assert np.abs((0.5 * (found.mean(axis=0) - bias) + bias - np.asarray(net(params, x))) / error).max() > 10
