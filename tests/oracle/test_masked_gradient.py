"""Dropout against automatic differentiation with the same masks, and its mean against the pass without it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import deltarule as dr
from deltarule import backprop
from oracle.plain_network import COSTS, HIDDEN, activation, compiled, cost_of_output, problem

pytestmark = pytest.mark.usefixtures("float64")


def masks_of(net, params, x, key):
    """mask / (1 - p) of every Dropout layer, as the forward pass drew them."""
    return [here.memory for here in backprop.forward(net, params, jnp.asarray(x), key) if here.memory is not None]


CASES = [(hidden, COSTS[0]) for hidden in HIDDEN] + [("sigmoid", cost) for cost in COSTS[1:]]


@pytest.mark.parametrize(("hidden", "cost"), CASES, ids=str)
def test_the_gradient_with_the_masks_held(hidden, cost):
    plain, x, y = problem(HIDDEN.index(hidden), (4, 6, 5, 3), (hidden, "tanh", "softmax"), cost[0], 7)
    layers = [dr.Dropout(0.25), dr.Dense(6, hidden), dr.Dropout(0.5), dr.Dense(5, "tanh"), dr.Dropout(0.4)]
    net = dr.Network([*layers, dr.Dense(3, "softmax")], dr.Quadratic(cost[1]) if cost[0] == "quadratic" else cost[0])
    params = [{}, plain[0], {}, plain[1], {}, plain[2]]
    key = jax.random.key(5)
    masks = masks_of(net, params, x, key)
    assert len(masks) == 3
    assert all(0 < np.mean(np.asarray(mask) == 0) < 1 for mask in masks)

    def mean_cost(plain):
        a = jnp.asarray(x)
        for p, name, mask in zip(plain, (hidden, "tanh", "softmax"), masks, strict=True):
            a = activation(jnp, name, (a * mask) @ p["W"].T + p["b"])
        return jnp.mean(cost_of_output(jnp, *cost, a, jnp.asarray(y)))

    expected_cost, expected = compiled(jax.value_and_grad(mean_cost))(plain)
    found_cost, found = net.cost_and_gradient(params, x, y, key=key)
    np.testing.assert_allclose(found_cost, expected_cost, rtol=1e-12)
    for layer, tensors in zip((layer for layer in found if layer), expected, strict=True):
        for name, tensor in tensors.items():
            np.testing.assert_allclose(layer[name], tensor, rtol=0, atol=1e-12 * np.abs(tensor).max())


def test_the_mean_output_is_the_pass_without_dropout():
    """Where the output is linear in what is dropped, E[a^L] is exact: 20,000 masks, four standard errors."""
    draw = np.random.default_rng(3)
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dropout(0.5), dr.Dense(3, "linear")])
    params = net.init(1, (4,), "float64")
    x = jnp.asarray(draw.normal(size=(5, 4)))

    @jax.jit
    def outputs(keys):
        return jax.lax.map(lambda key: backprop.forward(net, params, x, key)[-1].a, keys, batch_size=1000)

    found = np.asarray(outputs(jax.random.split(jax.random.key(0), 20_000)))
    error = found.std(axis=0) / np.sqrt(len(found))
    assert error.min() > 0
    deviation = (found.mean(axis=0) - np.asarray(net(params, x))) / error
    assert np.abs(deviation).max() < 4
    # Without the scaling by 1 / (1 - p) the mean would be far outside: the test can fail.
    bias = np.asarray(params[2]["b"])
    assert np.abs((0.5 * (found.mean(axis=0) - bias) + bias - np.asarray(net(params, x))) / error).max() > 10
