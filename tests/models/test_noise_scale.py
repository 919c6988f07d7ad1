"""The noise of targets is measured whatever the function is, and with a tenth of the rows spoilt."""

import numpy as np
import pytest

from deltarule.models.noise_scale import MIN_SCALE, huber_of, noise_scale, penalty_of
from deltarule.network.costs import EFFICIENT, Huber, Poisson, Quadratic

FUNCTIONS = {
    "a line": lambda X: X @ [1.0, 2.0, -1.0],
    "a wave": lambda X: np.sin(2 * X[:, 0]) + X[:, 1] * X[:, 2],
    "a constant": lambda X: 0 * X[:, 0],
}


def rows(function, noise, outliers, seed=1):
    """Standardised inputs and targets, and the standard deviation of the noise in their unit."""
    random = np.random.default_rng(seed)
    X = random.uniform(-2, 2, (400, 3))
    y = function(X) + noise * random.normal(size=400)
    y[random.permutation(400)[:outliers]] += 5
    spread = y.std()
    return (X - X.mean(0)) / X.std(0), ((y - y.mean()) / spread)[:, None], noise / spread


@pytest.mark.parametrize("outliers", [0, 40])
@pytest.mark.parametrize("noise", [0.1, 0.5])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_scale(name, noise, outliers):
    X, Y, expected = rows(FUNCTIONS[name], noise, outliers)
    assert 0.75 * expected < noise_scale(X, Y) < 1.5 * expected
    assert huber_of(X, Y).delta == EFFICIENT * noise_scale(X, Y)


def test_without_noise_the_scale_has_a_minimum():
    X, Y, _ = rows(FUNCTIONS["a line"], 0.0, 0)
    assert noise_scale(X, Y) == pytest.approx(MIN_SCALE)
    assert noise_scale(X[:1], Y[:1]) > 0
    assert noise_scale(X, np.zeros((400, 1))) == MIN_SCALE


def test_duplicates_do_not_lower_the_noise():
    X, Y, expected = rows(FUNCTIONS["a wave"], 0.5, 0)
    assert noise_scale(np.tile(X, (3, 1)), np.tile(Y, (3, 1))) > 0.75 * expected


def test_several_targets_have_their_mean():
    (X, first, small), (_, second, large) = (rows(FUNCTIONS["a line"], noise, 0) for noise in (0.1, 0.5))
    assert noise_scale(X, np.hstack([first, second])) == pytest.approx((small + large) / 2, rel=0.25)


def test_the_penalty_is_five_variances_of_the_noise():
    Y = np.linspace(-1, 1, 101)[:, None]
    assert penalty_of(Huber(2 * EFFICIENT), [3.0], Y) == pytest.approx(20)
    # counts / 8 have the variance 8/8² where 8 are expected
    assert penalty_of(Poisson(), [8.0], Y) == pytest.approx(5 / 8)
    assert penalty_of(Quadratic(), [3.0], Y) is None


def test_outliers_raise_the_penalty():
    Y = np.random.default_rng(0).normal(size=(1000, 1))
    spoilt = Y.copy()
    spoilt[::20] += 20
    ratio = penalty_of(Huber(), [1.0], spoilt) / penalty_of(Huber(), [1.0], Y)
    assert ratio == pytest.approx(np.std(spoilt), rel=0.15)
    missing = np.where(np.arange(1000)[:, None] % 7 == 0, np.nan, spoilt)
    assert penalty_of(Huber(), [1.0], missing) == pytest.approx(penalty_of(Huber(), [1.0], spoilt), rel=0.15)
    assert penalty_of(Huber(EFFICIENT), [1.0], np.repeat([[0.0], [1.0]], [99, 1], axis=0)) == pytest.approx(5)
