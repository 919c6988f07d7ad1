import numpy as np
import pytest

from deltarule.models.scaling import Scaling


def test_mean_and_standard_deviation_by_hand():
    # weights 1, 1, 2: mean (0 + 4 + 2·8)/4 = 5; variance (25 + 1 + 2·9)/4 = 11
    scaling = Scaling.fit(np.array([[0.0], [4.0], [8.0]]), np.array([1.0, 1.0, 2.0]))
    np.testing.assert_allclose([scaling.mean[0], scaling.std[0]], [5, np.sqrt(11)], rtol=1e-15)


def test_decode_inverts_encode():
    values = np.random.default_rng(0).normal(5, [1, 100, 1e-6], size=(50, 3))
    scaling = Scaling.fit(values, np.ones(50))
    scaled = scaling.encode(values)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-9)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-9)
    np.testing.assert_allclose(scaling.decode(scaled), values, rtol=1e-14)


@pytest.mark.parametrize("value", [0.0, 7.0, 0.1, -1e300, 5e-324])
def test_a_constant_column_is_shifted_and_not_scaled(value):
    scaling = Scaling.fit(np.full((9, 1), value), np.ones(9))
    assert (scaling.mean[0], scaling.std[0]) == (value, 1.0)


def test_a_spread_of_rounding_is_not_scaled_up():
    assert Scaling.fit(np.array([[0.3], [0.1 + 0.2]]), np.ones(2)).std[0] == 1


@pytest.mark.parametrize("unit", [1e-200, 1e-30, 1e200])
def test_a_unit_of_any_size(unit):
    scaling = Scaling.fit(unit * np.array([[1.0], [3.0]]), np.ones(2))
    np.testing.assert_allclose([scaling.mean[0], scaling.std[0]], [2 * unit, unit], rtol=1e-14)


def test_the_range_is_measured_and_grows():
    scaling = Scaling.fit(np.array([[1.0, 5.0], [3.0, 5.0]]), np.ones(2))
    assert (scaling.low.tolist(), scaling.high.tolist()) == ([1, 5], [3, 5])
    wider = scaling.extend_range(np.array([[2.0, 7.0], [-4.0, 5.0]]))
    assert (wider.low.tolist(), wider.high.tolist()) == ([-4, 5], [3, 7])
    assert (wider.mean.tolist(), wider.std.tolist()) == (scaling.mean.tolist(), scaling.std.tolist())


def test_fit_by_mean_keeps_zero():
    # weights 1, 1, 2: the mean of (0, 2, 5) is 12/4
    scaling = Scaling.fit_by_mean(np.array([[0.0], [2.0], [5.0]]), np.array([1.0, 1.0, 2.0]))
    assert [float(part[0]) for part in scaling] == [0, 3, 0, 5]
    assert scaling.encode(np.array([[0.0], [6.0]])).tolist() == [[0], [2]]
    assert Scaling.fit_by_mean(np.zeros((2, 1)), np.ones(2)).std.tolist() == [1]
