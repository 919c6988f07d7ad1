"""Hessian-vector products against automatic differentiation of an independent forward pass, in float64."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import engine as engines_of
from deltarule import trees
from deltarule.curvature.hessian import backward_pass
from engines import BOTH, on
from oracle.plain_network import COSTS, HIDDEN, OUTPUTS, compiled, every_pair, jax, jnp, mean_cost, problem

pytestmark = pytest.mark.usefixtures("float64")


def network(activations, sizes, cost, scale):
    layers = [dr.Dense(n, name) for n, name in zip(sizes[1:], activations, strict=True)]
    return dr.Network(layers, dr.Quadratic(scale) if cost == "quadratic" else cost)


def product_of(engine, net, params, x, y, v):
    params, v, x, y, weight = on(engine, (params, v, x, y, np.full(len(x), 1 / len(x))))
    at = backward_pass(net, params, x, y, weight)
    return at, at.hessian_product(v)


def assert_product_is_the_second_derivative(activations, sizes, cost, seed):
    """H v to 1e-12 of its largest entry, and on the way the cost and the gradient; on both engines."""
    params, x, y = problem(seed, sizes, activations, cost[0], 6)
    draw = np.random.default_rng(seed)
    v = trees.map_leaves(lambda p: draw.normal(size=p.shape), params)

    def derive(p):
        return jax.grad(lambda p: mean_cost(jnp, activations, cost, p, x, y))(p)

    expected_gradient, expected = compiled(lambda p: jax.jvp(derive, (p,), (v,)))(params)
    net = network(activations, sizes, *cost)
    largest = max(float(jnp.abs(tensor).max()) for tensor in jax.tree.leaves(expected))
    for engine in BOTH:
        at, found = product_of(engine, net, params, x, y, v)
        trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=0, atol=1e-12 * largest), found, expected)
        np.testing.assert_allclose(at.cost, mean_cost(np, activations, cost, params, x, y), rtol=1e-13)
        trees.map_leaves(
            lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-13), at.gradient(), expected_gradient
        )


@every_pair()
def test_every_output_and_cost(output, cost):
    position = OUTPUTS.index(output) + COSTS.index(cost)
    activations = (HIDDEN[position % 5], HIDDEN[(position + 1) % 5], output)
    assert_product_is_the_second_derivative(activations, (3, 5, 4, 3), cost, seed=position)


@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_hidden_activation(hidden):
    assert_product_is_the_second_derivative((hidden, hidden, "sigmoid"), (2, 6, 5, 2), COSTS[2], seed=11)


def test_unit_vectors_give_the_whole_hessian(engine):
    """Symmetric, equal to jax.hessian, and here indefinite: no Gauss-Newton matrix could be."""
    activations, sizes, cost = ("tanh", "sigmoid"), (2, 3, 2), COSTS[0]
    params, x, y = problem(5, sizes, activations, cost[0], 6)
    flat = jnp.asarray(trees.ravel(params))
    expected = compiled(jax.hessian(lambda p: mean_cost(jnp, activations, cost, trees.unravel(p, params), x, y)))(flat)
    net = network(activations, sizes, *cost)
    p, x, y, weight, units = on(engine, (params, x, y, np.full(6, 1 / 6), np.eye(trees.size(params))))

    def columns(p, x, y, weight, units):
        at = backward_pass(net, p, x, y, weight)
        return [trees.ravel(at.hessian_product(trees.unravel(unit, p))) for unit in units]

    found = np.stack(engines_of.get(engine).call(columns, p, x, y, weight, units))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(found, found.T, rtol=1e-10, atol=1e-14)
    eigenvalues = np.linalg.eigvalsh(found)
    assert eigenvalues[0] < -1e-4 < 1e-4 < eigenvalues[-1]


def test_through_a_layer_without_parameters(engine):
    params, x, y = problem(3, (3, 5, 2), ("tanh", "softmax"), "log-likelihood", 6)
    v = trees.map_leaves(np.cos, params)
    plain = dr.Network([dr.Dense(5, "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
    layered = dr.Network([dr.Dropout(0.5), *plain.layers[:1], dr.Dropout(0.5), plain.layers[1]], "log-likelihood")
    _, expected = product_of(engine, plain, params, x, y, v)
    _, found = product_of(engine, layered, [{}, params[0], {}, params[1]], x, y, [{}, v[0], {}, v[1]])
    assert found[0] == found[2] == {}
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-13), [found[1], found[3]], expected)
