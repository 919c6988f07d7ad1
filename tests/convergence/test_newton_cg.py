"""Newton-CG on small problems from fixed seeds: to the last digit, and faster than linearly at the end."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from engines import off

pytestmark = pytest.mark.usefixtures("on_each_engine")

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


def smooth_regression(l2, **options):
    """sin(2 x), 1-6-1 tanh, with a little l2 so that the minimum is one point."""
    x = np.linspace(-1, 1, 40)[:, None]
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
    result = dr.train(net, x, np.sin(2 * x), trainer=dr.NewtonCG(l2=l2), epochs=400, **options)
    return result, np.asarray(net(result.params, x)) - np.sin(2 * x)


def test_a_smooth_regression_ends_at_a_minimum():
    """To rounding: the objective of 1.5e-4 no longer tells points apart where the gradient is under 1e-9 or so."""
    result, error = smooth_regression(1e-3, seed=0)
    assert result.stop_reason == "radius_min"
    assert result.history["gradient_norm"][-1] < 1e-7
    assert np.sqrt(np.mean(error**2)) < 1e-2


def test_the_end_is_faster_than_linear():
    """From five points a hundredth beside the minimum: five digits of ‖∇C‖ in a few steps, the last the best of them.

    The way to the minimum differs from machine to machine; the way from beside it does not, to many digits. A fixed
    tolerance of conjugate gradients makes each step as good as the one before (a factor of 0.01 to 0.1 at 0.1): here
    the tolerance falls with √‖∇C‖, and the last factor is a thousandth.
    """
    minimum = smooth_regression(0.1, seed=0)[0].params
    draw, last = np.random.default_rng(0), []
    for _ in range(5):
        beside = trees.map_leaves(lambda p: p + 0.01 * draw.normal(size=p.shape), off(minimum))
        norms = smooth_regression(0.1, params=beside)[0].history["gradient_norm"]
        there = int(np.argmax(norms < 1e-7))
        assert norms[0] > 5e-3
        assert 0 < there <= 7
        last.append(norms[there] / norms[there - 1])
    assert np.median(last) < 0.01


def test_classification():
    draw = np.random.default_rng(0)
    X = draw.normal(size=(120, 2))
    labels = (X[:, 0] * X[:, 1] > 0).astype(int)
    net = dr.Network([dr.Dense(8, "tanh"), dr.Dense(2, "softmax")], "log-likelihood")
    result = dr.train(net, X, labels, trainer=dr.NewtonCG(l2=0.05), epochs=150, seed=0)
    assert (np.asarray(net(result.params, X)).argmax(axis=1) == labels).mean() >= 0.98
