"""Levenberg-Marquardt on the problems it is measured on: how far it gets from fixed starts, in how many epochs."""

import itertools
import zlib

import numpy as np
import pytest
from sklearn.datasets import load_digits

import deltarule as dr
from engines import WITHOUT_JAX

pytestmark = pytest.mark.usefixtures("on_each_engine")


def mean_squared_error(net, params, X, Y):
    return np.mean((np.asarray(net(params, X)) - Y) ** 2)


def train_to(level, net, X, Y, epochs, seed, **options):
    """The mean squared error reached; the goal is a cost, (scale · k) times it."""
    goal = dr.Stopping(goal=0.5 * Y.shape[1] * level)
    trainer = dr.LevenbergMarquardt(**options)
    result = dr.train(net, X, Y, trainer=trainer, epochs=epochs, seed=seed, stopping=goal)
    return mean_squared_error(net, result.params, X, Y)


def waves(m, seed=0):
    """y = sin(3 x1) cos(2 x2) on [-1, 1]²."""
    X = np.random.default_rng(seed).uniform(-1, 1, (m, 2))
    return X, np.sin(3 * X[:, :1]) * np.cos(2 * X[:, 1:])


def test_the_ten_points_of_higham_and_higham():
    """2-2-3-2, sigmoid throughout, from 0.5 randn: 20 starts of 20 to 1e-12, those of benchmarks/lm/problems.py."""
    X = np.array(
        [[0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7], [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6]]
    ).T
    Y = np.repeat([[1.0, 0.0], [0.0, 1.0]], 5, axis=0)
    net = dr.Network([dr.Dense(2), dr.Dense(3), dr.Dense(2)])
    level, reached = 1e-12, []
    for i in range(20):
        draw = np.random.default_rng([zlib.crc32(b"higham10"), i])
        start = [
            {"W": 0.5 * draw.standard_normal((n, n_in)), "b": 0.5 * draw.standard_normal(n)}
            for n_in, n in itertools.pairwise((2, 2, 3, 2))
        ]
        trainer, goal = dr.LevenbergMarquardt(), dr.Stopping(goal=level)  # C_x is the sum of two squares, halved
        result = dr.train(net, X, Y, trainer=trainer, epochs=3000, params=start, stopping=goal)
        reached.append(mean_squared_error(net, result.params, X, Y))
    assert np.sum(np.array(reached) < level * (1 + 1e-9)) == 20, reached


def test_sinc():
    """sin(10 x)/(10 x) on [-1, 1], 1,000 points, 1-20-1: three starts."""
    X = np.linspace(-1, 1, 1000)[:, None]
    net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
    reached = [train_to(1e-8, net, X, np.sinc(10 * X / np.pi), epochs=60, seed=seed) for seed in range(3)]
    assert max(reached) <= 1e-8, reached


def test_waves():
    """2-20-20-1, 1,000 points, 501 parameters, the primal form: two starts."""
    net = dr.Network([dr.Dense(20, "tanh"), dr.Dense(20, "tanh"), dr.Dense(1, "linear")])
    reached = [train_to(1e-8, net, *waves(1000), epochs=40, seed=seed) for seed in range(2)]
    assert max(reached) <= 1e-8, reached


def test_a_wide_network():
    """2-60-60-1, 500 points, 3,901 parameters: the dual form, and an exact fit."""
    X, Y = waves(500)
    net = dr.Network([dr.Dense(60, "tanh"), dr.Dense(60, "tanh"), dr.Dense(1, "linear")])
    assert dr.LevenbergMarquardt().form(net.sizes((2,)), 512) == "dual"
    assert train_to(1e-10, net, X, Y, epochs=30, seed=0) <= 1e-10


def test_parity():
    """The parity of six signs, 6-10-10-1, 64 points: three starts."""
    X = np.array(list(itertools.product((-1.0, 1.0), repeat=6)))
    Y = np.prod(X, axis=1, keepdims=True)
    net = dr.Network([dr.Dense(10, "tanh"), dr.Dense(10, "tanh"), dr.Dense(1, "linear")])
    reached = [train_to(1e-10, net, X, Y, epochs=200, seed=seed) for seed in range(3)]
    assert max(reached) <= 1e-10, reached


def test_noisy_data_with_l2_reach_a_stationary_point():
    """Where no perfect fit exists and l2 keeps the weights small: the gradient of the whole objective vanishes."""
    X, Y = waves(100)
    Y = Y + 0.2 * np.random.default_rng(1).normal(size=Y.shape)
    net, l2 = dr.Network([dr.Dense(8, "tanh"), dr.Dense(1, "linear")]), 0.1
    stopping = dr.Stopping(min_grad=1e-9)
    result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(l2=l2), epochs=500, seed=0, stopping=stopping)
    assert result.stop_reason == "min_grad"
    _, gradient = net.cost_and_gradient(result.params, X, Y)
    for dC, p in zip(gradient, result.params, strict=True):
        np.testing.assert_allclose(np.asarray(dC["W"]) + l2 / 100 * np.asarray(p["W"]), 0, atol=1e-8)
        np.testing.assert_allclose(dC["b"], 0, atol=1e-8)


def test_ten_outputs():
    """k = 10 sines of different pace, 1-12-10: 262 parameters, 400 residuals, and each output is fitted."""
    X = np.linspace(-1, 1, 40)[:, None]
    Y = np.sin(X * np.linspace(0.5, 4, 10) + np.arange(10))
    net = dr.Network([dr.Dense(12, "tanh"), dr.Dense(10, "linear")])
    result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=60, seed=0)
    assert np.mean((np.asarray(net(result.params, X)) - Y) ** 2, axis=0).max() < 1e-8


@pytest.mark.parametrize(
    ("engine", "output", "cost"),
    [
        ("numpy", "softmax", "log-likelihood"),
        ("numpy", "sigmoid", "cross-entropy"),
        pytest.param("jax", "softmax", "log-likelihood", marks=[WITHOUT_JAX, pytest.mark.slow]),
    ],
)
def test_digits(output, cost):
    """300 handwritten digits, 64-8-10, with l2: nearly all of them right, and most of 300 others."""
    digits = load_digits()
    X, y = digits.data[:600] / 16, digits.target[:600]
    net = dr.Network([dr.Dense(8, "tanh"), dr.Dense(10, output)], cost)
    trainer = dr.LevenbergMarquardt(l2=0.3)
    result = dr.train(net, X[:300], y[:300], trainer=trainer, epochs=20, seed=0)
    answers = np.asarray(net(result.params, X)).argmax(axis=1)
    assert np.all(np.diff(result.history["cost"]) <= 0)
    assert np.mean(answers[:300] == y[:300]) > 0.99
    assert np.mean(answers[300:] == y[300:]) > 0.8
