"""Newton-CG on small problems from fixed seeds: to the last digit, and quadratically at the end."""

import numpy as np
import pytest

import deltarule as dr

X1 = [0.1, 0.3, 0.1, 0.6, 0.4, 0.6, 0.5, 0.9, 0.4, 0.7]
X2 = [0.1, 0.4, 0.5, 0.9, 0.2, 0.3, 0.6, 0.2, 0.4, 0.6]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_ten_points_of_higham_and_higham(seed):
    """2-2-3-2 sigmoid: the sum over the ten points of ‖y - a‖² under 1e-3, where 10^6 stochastic steps end."""
    Y = np.repeat([[1.0, 0.0], [0.0, 1.0]], 5, axis=0)
    net = dr.Network([dr.Dense(2), dr.Dense(3), dr.Dense(2)], dr.Quadratic(scale=1))
    stopping = dr.Stopping(goal=1e-4)
    result = dr.train(
        net, np.stack([X1, X2], axis=1), Y, trainer=dr.NewtonCG(), epochs=1000, seed=seed, restarts=5, stopping=stopping
    )
    assert result.stop_reason == "goal"
    assert (np.diff(result.history["cost"]) < 0).all()


def test_a_smooth_regression_ends_faster_than_linearly():
    """sin(2 x), 1-6-1 tanh with a little l2, so that the minimum is one point: seven digits in some steps."""
    x = np.linspace(-1, 1, 40)[:, None]
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
    trainer = dr.NewtonCG(l2=1e-3)
    result = dr.train(net, x, np.sin(2 * x), trainer=trainer, epochs=400, seed=0)
    assert result.stop_reason == "radius_min"
    norms = result.history["gradient_norm"]
    assert norms[-1] < 1e-9
    assert np.sqrt(np.mean((np.asarray(net(result.params, x)) - np.sin(2 * x)) ** 2)) < 1e-2
    near, there = (int(np.argmax(norms < size)) for size in (1e-4, 1e-11))
    assert there - near <= 15  # seven digits in some steps, where steepest descent takes thousands


def test_classification():
    draw = np.random.default_rng(0)
    X = draw.normal(size=(120, 2))
    labels = (X[:, 0] * X[:, 1] > 0).astype(int)
    net = dr.Network([dr.Dense(8, "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
    result = dr.train(net, X, labels, trainer=dr.NewtonCG(l2=0.05), epochs=150, seed=0)
    assert (np.asarray(net(result.params, X)).argmax(axis=1) == labels).mean() >= 0.98
