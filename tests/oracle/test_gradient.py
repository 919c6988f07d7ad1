"""BP1-BP4 against automatic differentiation and central differences of an independent forward pass, in float64."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltarule as dr
from deltarule import trees
from engines import BOTH, on
from oracle.plain_network import COSTS, HIDDEN, OUTPUTS, compiled, every_pair, jax, jnp, mean_cost, problem

STEP = 6e-6  # of central differences: the cube root of the rounding of float64


def network(activations, sizes, cost, scale):
    layers = [dr.Dense(n, name) for n, name in zip(sizes[1:], activations, strict=True)]
    return dr.Network(layers, dr.Quadratic(scale) if cost == "quadratic" else cost)


def assert_gradient_is_the_derivative(activations, sizes, cost, m, seed):
    """Every tensor to 1e-12 of its largest entry; the cost itself to 1e-13; on both engines."""
    params, x, y = problem(seed, sizes, activations, cost[0], m)
    net = network(activations, sizes, *cost)
    with jax.enable_x64(True):
        derive = compiled(jax.value_and_grad(lambda p: mean_cost(jnp, activations, cost, p, x, y)))
        expected_cost, expected = derive(params)
    expected, gradients = jax.tree.map(np.asarray, expected), []
    for engine in BOTH:
        found_cost, found = net.cost_and_gradient(on(engine, params), x, y)
        gradients.append(trees.map_leaves(np.asarray, found))
        assert found_cost.dtype == np.float64
        np.testing.assert_allclose(found_cost, expected_cost, rtol=1e-13)
        for i, layer in enumerate(expected):
            for name, tensor in layer.items():
                allowed, place = 1e-12 * np.abs(tensor).max(), f"{engine}, layer {i}, {name}"
                np.testing.assert_allclose(found[i][name], tensor, rtol=0, atol=allowed, err_msg=place)
    return params, x, y, gradients


@every_pair()
def test_every_output_and_cost(output, cost):
    position = OUTPUTS.index(output) + COSTS.index(cost)
    activations = (HIDDEN[position % 5], HIDDEN[(position + 1) % 5], output)
    params, x, y, gradients = assert_gradient_is_the_derivative(activations, (3, 5, 4, 3), cost, 7, seed=position)
    # Central differences, one parameter at a time, without JAX: (C(p + h e) - C(p - h e)) / 2h.
    for i, layer in enumerate(params):
        for name, tensor in layer.items():
            for place in np.ndindex(tensor.shape):
                value = tensor[place]
                tensor[place] = value + STEP
                above = mean_cost(np, activations, cost, params, x, y)
                tensor[place] = value - STEP
                below = mean_cost(np, activations, cost, params, x, y)
                tensor[place] = value
                quotient = (above - below) / (2 * STEP)
                for found in gradients:
                    assert found[i][name][place] == pytest.approx(quotient, rel=1e-7, abs=1e-8), (i, name, place)


@pytest.mark.parametrize("cost", [COSTS[0], COSTS[2]], ids=str)
@pytest.mark.parametrize("hidden", HIDDEN)
def test_every_hidden_activation(hidden, cost):
    assert_gradient_is_the_derivative((hidden, hidden, "sigmoid"), (2, 6, 5, 2), cost, 5, seed=11)


@given(data=st.data())
@settings(max_examples=5)
def test_any_stack_of_layers(data):
    depth = data.draw(st.integers(1, 5), label="layers")
    activations = data.draw(st.tuples(*[st.sampled_from(HIDDEN)] * (depth - 1), st.sampled_from(OUTPUTS)))
    smallest = 2 if activations[-1] == "softmax" else 1
    sizes = data.draw(st.tuples(*[st.integers(1, 40)] * depth, st.integers(smallest, 40)), label="sizes")
    cost = data.draw(st.sampled_from(COSTS), label="cost")
    m = data.draw(st.integers(1, 33), label="batch")
    assert_gradient_is_the_derivative(activations, sizes, cost, m, seed=data.draw(st.integers(0, 10**6)))


@pytest.mark.parametrize(("l2", "l1"), [(0.7, None), (None, 0.4), (0.7, 0.4)])
def test_a_step_with_l2_and_l1(l2, l1):
    """p - eta ∇(C + (l2/2N) sum w² + (l1/N) sum |w|): weights are regularised, biases are not."""
    activations, cost, N, eta = ("tanh", "softmax"), COSTS[3], 8, 0.3
    params, x, y = problem(2, (3, 5, 4), activations, cost[0], N)

    def objective(p):
        weights = [layer["W"] for layer in p]
        added = (l2 or 0) / (2 * N) * sum(jnp.sum(W**2) for W in weights)
        added += (l1 or 0) / N * sum(jnp.sum(jnp.abs(W)) for W in weights)
        return mean_cost(jnp, activations, cost, p, x, y) + added

    with jax.enable_x64(True):
        value, grads = compiled(jax.value_and_grad(objective))(params)
        expected = jax.tree.map(lambda p, g: np.asarray(p - eta * g), params, grads)
    trainer = dr.GradientDescent(eta=eta, l2=l2, l1=l1)
    net = network(activations, (3, 5, 4), *cost)
    for engine in BOTH:
        result = dr.train(net, x, y, trainer=trainer, epochs=1, params=params, engine=engine)
        assert result.history["cost"][0] == pytest.approx(float(value), rel=1e-12)
        trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-14), result.params, expected)
