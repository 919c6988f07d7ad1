"""Hessian-vector products against automatic differentiation of an independent forward pass, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.flatten_util import ravel_pytree

import deltarule as dr
from deltarule.curvature.hessian import backward_pass, gradient, hessian_product
from oracle.plain_network import COSTS, HIDDEN, OUTPUTS, compiled, mean_cost, problem

pytestmark = pytest.mark.usefixtures("float64")


def network(activations, sizes, cost, scale):
    layers = [dr.Dense(n, name) for n, name in zip(sizes[1:], activations, strict=True)]
    return dr.Network(layers, dr.Quadratic(scale) if cost == "quadratic" else cost)


def product_of(net, params, x, y, v):
    params, v = jax.tree.map(jnp.asarray, (params, v))
    at = backward_pass(net, params, jnp.asarray(x), jnp.asarray(y), jnp.full(len(x), 1 / len(x)))
    return at, hessian_product(net, params, at, v)


def assert_product_is_the_second_derivative(activations, sizes, cost, seed):
    """H v to 1e-12 of its largest entry, and on the way the cost and the gradient."""
    params, x, y = problem(seed, sizes, activations, cost[0], 6)
    draw = np.random.default_rng(seed)
    v = jax.tree.map(lambda p: draw.normal(size=p.shape), params)

    def derive(p):
        return jax.grad(lambda p: mean_cost(jnp, activations, cost, p, x, y))(p)

    expected_gradient, expected = compiled(lambda p: jax.jvp(derive, (p,), (v,)))(params)
    net = network(activations, sizes, *cost)
    at, found = product_of(net, params, x, y, v)
    largest = max(float(jnp.abs(tensor).max()) for tensor in jax.tree.leaves(expected))
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * largest), found, expected)
    np.testing.assert_allclose(at.cost, mean_cost(np, activations, cost, params, x, y), rtol=1e-13)
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13), gradient(net, at), expected_gradient
    )


@pytest.mark.parametrize("cost", COSTS, ids=str)
@pytest.mark.parametrize("output", OUTPUTS)
def test_every_output_and_cost(output, cost):
    position = OUTPUTS.index(output) + COSTS.index(cost)
    activations = (HIDDEN[position % 5], HIDDEN[(position + 1) % 5], output)
    assert_product_is_the_second_derivative(activations, (3, 5, 4, 3), cost, seed=position)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_hidden_activation(hidden):
    assert_product_is_the_second_derivative((hidden, hidden, "sigmoid"), (2, 6, 5, 2), COSTS[2], seed=11)


def test_unit_vectors_give_the_whole_hessian():
    """Symmetric, equal to jax.hessian, and here indefinite: no Gauss-Newton matrix could be."""
    activations, sizes, cost = ("tanh", "sigmoid"), (2, 3, 2), COSTS[0]
    params, x, y = problem(5, sizes, activations, cost[0], 6)
    flat, unravel = ravel_pytree(jax.tree.map(jnp.asarray, params))
    expected = jax.hessian(lambda p: mean_cost(jnp, activations, cost, unravel(p), x, y))(flat)
    net = network(activations, sizes, *cost)
    at, _ = product_of(net, params, x, y, params)
    columns = jax.vmap(lambda e: ravel_pytree(hessian_product(net, unravel(flat), at, unravel(e)))[0])
    found = np.asarray(columns(jnp.eye(flat.size)))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found, found.T, rtol=1e-10, atol=1e-14)
    eigenvalues = np.linalg.eigvalsh(found)
    assert eigenvalues[0] < -1e-4 < 1e-4 < eigenvalues[-1]


def test_through_a_layer_without_parameters():
    params, x, y = problem(3, (3, 5, 2), ("tanh", "softmax"), "log-likelihood", 6)
    v = jax.tree.map(np.cos, params)
    plain = dr.Network([dr.Dense(5, "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
    layered = dr.Network([dr.Dropout(0.5), *plain.layers[:1], dr.Dropout(0.5), plain.layers[1]], "log-likelihood")
    _, expected = product_of(plain, params, x, y, v)
    _, found = product_of(layered, [{}, params[0], {}, params[1]], x, y, [{}, v[0], {}, v[1]])
    assert found[0] == found[2] == {}
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-13), [found[1], found[3]], expected)
