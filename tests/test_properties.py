"""Properties of the whole: what must not matter does not, for networks and data that hypothesis draws."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltarule as dr
from deltarule import backprop

PAIRS = [
    ("linear", "quadratic"),
    ("tanh", "quadratic"),
    ("sigmoid", "cross-entropy"),
    ("softmax", "log-likelihood"),
    ("softmax", "cross-entropy"),
    ("softplus", "log-likelihood"),
]
# Few shapes, because each compiles; values without end.
NETS = [
    dr.Network([dr.Dense(4, hidden), dr.Dense(3, output)], cost=cost)
    for (output, cost), hidden in zip(PAIRS, ["tanh", "sigmoid", "relu", "softplus", "tanh", "sigmoid"], strict=True)
]
N = 12


@st.composite
def problems(draw):
    """A network, parameters in float64, inputs and one-hot targets."""
    net = draw(st.sampled_from(NETS))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.sampled_from([1e-3, 1.0, 30.0]))
    params = net.init(int(random.integers(2**32)), (2,), "float64")
    X = size * random.normal(size=(N, 2))
    return net, params, X, np.eye(3)[random.integers(3, size=N)], random


def close(one, other, factor=1.0):
    def leaf(a, b):
        a, b = np.asarray(a), factor * np.asarray(b)
        np.testing.assert_allclose(a, b, rtol=0, atol=1e-11 * max(np.abs(b).max(), 1e-12 * factor))

    jax.tree.map(leaf, one, other)


@given(problems())
def test_the_order_of_the_examples_does_not_matter(problem):
    net, params, X, Y, random = problem
    order = random.permutation(N)
    close(net.cost_and_gradient(params, X[order], Y[order]), net.cost_and_gradient(params, X, Y))


@given(problems())
def test_the_same_data_twice_have_the_same_mean_cost(problem):
    net, params, X, Y, _ = problem
    close(net.cost_and_gradient(params, np.tile(X, (2, 1)), np.tile(Y, (2, 1))), net.cost_and_gradient(params, X, Y))


@given(problems(), st.sampled_from([1e-6, 0.3, 7.0, 1e6]))
@settings(max_examples=10)
def test_scaling_the_cost_scales_the_gradient(problem, factor):
    """By the weights of the examples, where every cost enters (`backprop.cost_and_gradient`)."""
    net, params, X, Y, _ = problem
    with jax.enable_x64(True):
        x, y, weight = jnp.asarray(X), jnp.asarray(Y), jnp.full(N, 1 / N)
        scaled = backprop.cost_and_gradient(net, params, x, y, factor * weight)
        close(scaled, backprop.cost_and_gradient(net, params, x, y, weight), factor)


@given(problem=problems(), dtype=st.sampled_from(["float32", "float64"]))
def test_predictions_after_saving_and_loading_are_bit_equal(tmp_path_factory, problem, dtype):
    net, params, X, _, _ = problem
    params = [{name: np.asarray(array, dtype) for name, array in layer.items()} for layer in params]
    path = tmp_path_factory.mktemp("models") / "m.safetensors"
    dr.save(path, net, params)
    again, loaded = dr.load(path)
    assert again == net
    np.testing.assert_array_equal(again(loaded, X), net(params, X))


def test_a_model_of_transposed_arrays_is_saved_by_value(tmp_path):
    """safetensors copies the memory behind an array; W here is a view of its transpose, backwards."""
    net = dr.Network([dr.Dense(3, "linear")])
    params = [{"W": np.arange(6.0).reshape(2, 3).T[::-1], "b": np.arange(6.0)[::2]}]
    dr.save(tmp_path / "m.safetensors", net, params)
    _, loaded = dr.load(tmp_path / "m.safetensors")
    for name in ("W", "b"):
        np.testing.assert_array_equal(loaded[0][name], params[0][name])


@pytest.mark.parametrize(
    "trainer", [dr.GradientDescent(eta=0.3, batch_size=5), dr.LevenbergMarquardt()], ids=["sgd", "lm"]
)
def test_starts_side_by_side_equal_a_loop(trainer):
    """The starts of one call under vmap, and each alone with its parameters: the same to rounding."""
    net = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])
    X = np.random.default_rng(0).uniform(-1, 1, (16, 2))
    Y = X[:, :1] * X[:, 1:]
    side_by_side = dr.train(net, X, Y, trainer=trainer, epochs=6, restarts=3, seed=1, dtype="float64")
    from deltarule import session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "SIDE_BY_SIDE", 0)
        loop = dr.train(net, X, Y, trainer=trainer, epochs=6, restarts=3, seed=1, dtype="float64")
    for one, other in zip(side_by_side.starts, loop.starts, strict=True):
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-7, atol=1e-10), one.params, other.params)
