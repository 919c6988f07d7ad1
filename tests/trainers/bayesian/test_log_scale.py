"""The logarithmic scale of a target: mean, quantiles, density, smearing, and the network that computes the mean."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import deltarule as dr
from deltarule.trainers.bayesian.log_scale import LogScale, prefers_log_scale

LOG = LogScale(shift=1.5, mean=0.2, std=0.7, smear=0.1)


def test_by_hand():
    # y = -0.5 stands 1 above its zero: ln 1 = 0, u = (0 - 0.2)/0.7.
    assert LOG.encode(np.array([-0.5]))[0] == pytest.approx(-0.2 / 0.7)
    assert LOG.quantile(np.array([-0.2 / 0.7]))[0] == pytest.approx(-0.5)
    # The mean around f = 1: e^(0.2 + 0.7 + 0.1) - 1.5.
    assert LOG.expected(np.array([1.0]))[0] == pytest.approx(math.e - 1.5)
    # A normal ln y of variance 0.49 has the coefficient of variation sqrt(e^0.49 - 1).
    assert LOG.deviation(np.array([1.0]), np.array([1.0]))[0] == pytest.approx(math.e * math.sqrt(math.expm1(0.49)))


def test_the_density_below_the_original_zero():
    assert LOG.encode(np.array([-1.5, -2.0])).tolist() == [-math.inf, -math.inf]
    assert LOG.log_slope(np.array([-1.5, -2.0])).tolist() == [-math.inf, -math.inf]


def test_the_slope_of_u():
    y, h = np.array([-1.0, 0.0, 3.0]), 1e-6
    slope = (LOG.encode(y + h) - LOG.encode(y - h)) / (2 * h)
    np.testing.assert_allclose(np.exp(LOG.log_slope(y)), slope, rtol=1e-8)


def test_targets_for_which_it_is_tried():
    draw, zero = np.random.default_rng(0), np.array([-1.0])
    y, ones = np.exp(draw.normal(size=(200, 1))) - 1.0, np.ones(200)
    found = LogScale.of(y, zero, ones)
    assert found is not None
    u = found.encode(y)
    assert (float(u.mean()), float(u.std())) == pytest.approx((0, 1))
    assert LogScale.of(y - 0.2, zero, ones) is None  # some below zero
    assert LogScale.of(y + 9.0, zero, ones) is None  # all far above zero
    assert LogScale.of(-y + y.max() + 1e-3 - 1.0, zero, ones) is None  # the tail points down
    assert LogScale.of(np.hstack([y, y]), np.array([-1.0, -1.0]), ones) is None  # two targets
    assert LogScale.of(np.where(np.arange(200)[:, None] == 3, np.nan, y), zero, ones) is None


def test_smearing_corrects_the_mean():
    error = np.random.default_rng(0).normal(size=(100_000, 1))
    log = LOG.with_smearing(error, np.ones(len(error)))
    assert log.smear == pytest.approx(0.49 / 2, abs=0.02)  # of normal errors half of their variance
    assert log.expected(np.zeros(1))[0] == pytest.approx(log.quantile(error).mean(), abs=1e-3)


def test_an_outlier_does_not_raise_the_mean():
    error = 0.1 * np.random.default_rng(0).normal(size=(300, 1))
    clean = LOG.with_smearing(error, np.ones(300)).smear
    error[5] = 9.0
    assert LOG.with_smearing(error, np.ones(300)).smear == pytest.approx(clean, abs=2e-3)


def test_the_network_computes_the_mean():
    net = dr.Network([dr.Dense(3, "tanh"), dr.Dense(1, "linear")])
    params = net.init(0, input_shape=(2,), dtype="float64")
    X = np.random.default_rng(0).normal(size=(20, 2))
    whole, appended = LOG.append_to(net, params)
    np.testing.assert_allclose(whole(appended, X), LOG.expected(np.asarray(net(params, X))), rtol=1e-12)


def left_out(mean, density):
    return SimpleNamespace(left_out=SimpleNamespace(mean=mean), log_density=density)


def test_the_scale_must_be_better_in_error_and_density():
    u = np.random.default_rng(0).normal(size=(300, 1))
    y, v = LOG.quantile(u), np.ones(300)
    exact, density = left_out(u, np.full(300, 2.0)), LOG.log_slope(y)[:, 0]
    assert prefers_log_scale(y, left_out(0 * y, np.zeros(300) + density.mean()), exact, LOG, v)
    assert not prefers_log_scale(y, left_out(y, np.full(300, -9.0)), exact, LOG, v)  # smaller errors
    assert not prefers_log_scale(y, left_out(0 * y, np.full(300, 9.0)), exact, LOG, v)  # more likely
