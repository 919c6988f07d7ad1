"""The distribution of the noise, fitted to errors drawn from a known one."""

import numpy as np
import pytest
from scipy import stats

from deltarule.trainers.bayesian.noise_law import fit_noise_law


def drawn(draw, freedom=None, slope=0.0, count=2000):
    """Inputs, means, and errors of scale e^(slope x_0 / 2), normal or of Student's t."""
    X, mean = draw.normal(size=(count, 2)), draw.normal(size=(count, 1))
    z = draw.normal(size=count) if freedom is None else draw.standard_t(freedom, count)
    return X, mean, (0.3 * z * np.exp(0.5 * slope * X[:, 0]))[:, None]


def law_of(X, mean, error):
    return fit_noise_law(X, mean, error, np.zeros_like(mean), np.array([0.09]), np.ones(len(X)))


@pytest.mark.parametrize(("freedom", "slope"), [(None, 0.0), (4.0, 0.0), (None, 1.0), (4.0, 1.0)])
def test_intervals_have_their_coverage(freedom, slope):
    law = law_of(*drawn(np.random.default_rng(0), freedom, slope))
    X, mean, error = drawn(np.random.default_rng(1), freedom, slope, 20_000)
    std = law.std(0.09 * law.factor(X, mean))
    for coverage in (0.5, 0.8, 0.95, 0.99):
        assert np.mean(np.abs(error) <= law.reach(coverage) * std) == pytest.approx(coverage, abs=0.015)
    large, small = X[:, 0] > 1, X[:, 0] < -1
    for some in (large, small):
        assert np.mean((np.abs(error) <= law.reach(0.95) * std)[some]) == pytest.approx(0.95, abs=0.03)


def test_outliers_are_found():
    assert law_of(*drawn(np.random.default_rng(0), 3.0)).freedom < 6
    assert law_of(*drawn(np.random.default_rng(0))).freedom > 12


def test_constant_noise_has_no_slope():
    found = [law_of(*drawn(np.random.default_rng(seed), count=300)).slopes.any() for seed in range(10)]
    assert sum(found) <= 3


def test_the_slope_is_that_of_the_noise():
    law = law_of(*drawn(np.random.default_rng(0), slope=1.0))
    np.testing.assert_allclose(law.slopes[0, 3:], [1.0, 0.0], atol=0.15)
    np.testing.assert_allclose(law.slopes[0, 1:3], 0, atol=0.15)


def test_its_density_is_that_of_student_s_t():
    law = law_of(*drawn(np.random.default_rng(0), 4.0))
    error, v = np.array([[0.1], [-2.0]]), np.array([[0.09], [0.2]])
    expected = stats.t.logpdf(error, law.freedom, scale=np.sqrt(law.scale * v))
    np.testing.assert_allclose(law.log_density(error, v), expected, rtol=1e-10)
    frozen = stats.t(law.freedom, scale=np.sqrt(law.scale * v))
    np.testing.assert_allclose(law.std(v), frozen.std(), rtol=1e-10)
    np.testing.assert_allclose(law.reach(0.9) * law.std(v), frozen.ppf(0.95), rtol=1e-8)


def test_missing_targets_count_for_nothing():
    X, mean, error = drawn(np.random.default_rng(0), count=400)
    two = np.concatenate([error, np.where(np.arange(400)[:, None] < 200, error, np.nan)], axis=1)
    means = np.where(np.isfinite(two), mean, np.nan)
    law = fit_noise_law(X, means, two, np.where(np.isfinite(two), 0.0, np.nan), np.full(2, 0.09), np.ones(400))
    assert all(np.isfinite(part).all() for part in law)
    half = fit_noise_law(X[:200], mean[:200], error[:200], np.zeros((200, 1)), np.array([0.09]), np.ones(200))
    np.testing.assert_allclose(law.scale[1], half.scale[0], rtol=0.15)
