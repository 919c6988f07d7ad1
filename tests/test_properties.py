"""Properties of the whole: what must not matter does not, for networks and data that hypothesis draws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import deltarule as dr
from deltarule import engine as engines_of
from deltarule import trees
from deltarule.network import backprop
from engines import NAMES, assert_close, on

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

    trees.map_leaves(leaf, one, other)


@pytest.mark.parametrize("name", NAMES)
@given(problems())
def test_the_order_of_the_examples_does_not_matter(name, problem):
    net, params, X, Y, random = problem
    params, order = on(name, params), random.permutation(N)
    close(net.cost_and_gradient(params, X[order], Y[order]), net.cost_and_gradient(params, X, Y))


@pytest.mark.parametrize("name", NAMES)
@given(problems())
def test_the_same_data_twice_have_the_same_mean_cost(name, problem):
    net, params, X, Y, _ = problem
    params = on(name, params)
    close(net.cost_and_gradient(params, np.tile(X, (2, 1)), np.tile(Y, (2, 1))), net.cost_and_gradient(params, X, Y))


@pytest.mark.parametrize("name", NAMES)
@given(problems(), st.sampled_from([1e-6, 0.3, 7.0, 1e6]))
@settings(max_examples=10)
def test_scaling_the_cost_scales_the_gradient(name, problem, factor):
    """By the weights of the examples, where every cost enters (`backprop.cost_and_gradient`)."""
    net, params, X, Y, _ = problem
    with engines_of.get(name).computing_in(np.dtype("float64")):
        params, x, y, weight = on(name, (params, X, Y, np.full(N, 1 / N)))
        scaled = backprop.cost_and_gradient(net, params, x, y, factor * weight)
        close(scaled, backprop.cost_and_gradient(net, params, x, y, weight), factor)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(problem=problems())
def test_both_engines_compute_the_same(dtype, problem):
    """Whatever the problem: sums over examples may cancel. Of ordinary problems: `engine/test_agreement`."""
    pytest.importorskip("jax")
    net, params, X, Y, _ = problem
    params = trees.map_leaves(lambda p: p.astype(dtype), params)
    tolerance = 1e-11 if dtype == "float64" else 1e-5
    ours, theirs = ((net(p, X), net.cost_and_gradient(p, X, Y)) for p in (params, on("jax", params)))
    assert_close(ours, theirs, tolerance, floor=np.finfo(dtype).eps)


@pytest.mark.parametrize("name", NAMES)
@given(problem=problems(), dtype=st.sampled_from(["float32", "float64"]))
def test_predictions_after_saving_and_loading_are_bit_equal(tmp_path_factory, name, problem, dtype):
    net, params, X, _, _ = problem
    params = on(name, trees.map_leaves(lambda array: array.astype(dtype), params))
    path = tmp_path_factory.mktemp("models") / "m.safetensors"
    dr.save(path, net, params)
    again, loaded = dr.load(path)
    assert again == net
    np.testing.assert_array_equal(again(on(name, loaded), X), net(params, X))


def test_a_model_of_transposed_arrays_is_saved_by_value(tmp_path):
    """safetensors copies the memory behind an array; W here is a view of its transpose, backwards."""
    net = dr.Network([dr.Dense(3, "linear")])
    params = [{"W": np.arange(6.0).reshape(2, 3).T[::-1], "b": np.arange(6.0)[::2]}]
    dr.save(tmp_path / "m.safetensors", net, params)
    _, loaded = dr.load(tmp_path / "m.safetensors")
    for name in ("W", "b"):
        np.testing.assert_array_equal(loaded[0][name], params[0][name])


def test_starts_of_one_call_equal_each_alone(engine):
    """Levenberg-Marquardt on all examples draws nothing, so a start is its parameters, in whatever company."""
    net = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])
    X = np.random.default_rng(0).uniform(-1, 1, (16, 2))
    options = {"trainer": dr.LevenbergMarquardt(), "epochs": 6, "engine": engine}
    Y = X[:, :1] * X[:, 1:]
    together = dr.train(net, X, Y, restarts=3, seed=1, dtype="float64", **options)
    starts = net.starts(1, 3, (2,), "float64", dr.LevenbergMarquardt().initializers)
    for one, start in zip(together.starts, starts, strict=True):
        alone = dr.train(net, X, Y, params=start, **options)
        trees.map_leaves(np.testing.assert_array_equal, one.params, alone.params)


def test_starts_on_batches_see_the_examples_in_orders_of_their_own(engine):
    net = dr.Network([dr.Dense(1, "linear")])
    X = np.random.default_rng(0).uniform(-1, 1, (16, 2))
    start = net.init(0, (2,), "float64")
    options = {"trainer": dr.GradientDescent(eta=0.3, batch_size=5), "epochs": 2, "engine": engine, "dtype": "float64"}
    together = dr.train(net, X, X[:, :1], restarts=2, seed=1, params=start, **options)
    alone = dr.train(net, X, X[:, :1], seed=1, params=start, **options)
    trees.map_leaves(np.testing.assert_array_equal, together.starts[0].params, alone.params)
    again = dr.train(net, X, X[:, :1], seed=1, params=net.starts(1, 2, (2,), "float64")[1], **options)
    assert (np.asarray(together.starts[1].params[0]["W"]) != np.asarray(again.params[0]["W"])).any()
