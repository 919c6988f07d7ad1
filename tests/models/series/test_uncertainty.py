"""Bands: noise of a linear system is found again, and its variances are those of the formula."""

import numpy as np
import pytest

from deltarule.data.lagged import Lags, Segment, windows
from deltarule.models.series.committee import Committee
from deltarule.models.series.feedback import Feedback
from deltarule.models.series.uncertainty import Noise, fit_noise, sensitivity
from deltarule.network.layers import Dense
from deltarule.network.network import Network

C = 0.8  # y_t = C y_{t-1}


def first_order(members=1):
    model = Feedback(Network([Dense(1, "linear")]), Lags((1,), ()), 0, np.zeros((1, 1)))
    return Committee.of(model, [[{"W": np.array([[C]]), "b": np.zeros(1)}]] * members, [1.0] * members)


@pytest.mark.parametrize("members", [1, 3])
def test_variances_of_a_first_order_system(members):
    """Shocks: 1 + C² + .. + C^(2h-2). Measurement: of the start C^(2h), and 1 of the measurement that is predicted."""
    committee, U = first_order(members), np.empty((1, 6, 0))
    found = sensitivity(committee, U, committee.free_run(U, np.ones((1, 1, 1))))
    h = np.arange(1, 6)
    np.testing.assert_allclose(found.shocks.ravel(), (1 - C ** (2 * h)) / (1 - C**2))
    np.testing.assert_allclose(found.measurement.ravel(), C ** (2 * h) + 1)
    both = found.variance(Noise(np.array([2.0]), np.array([3.0])))
    np.testing.assert_allclose(both, 2 * found.shocks[..., 0] + 3 * found.measurement[..., 0])


@pytest.mark.parametrize(("shock", "noise"), [(0.5, 0.0), (0.0, 0.5), (0.4, 0.3)])
def test_both_kinds_of_noise_are_estimated(shock, noise):
    random, x = np.random.default_rng(0), np.zeros(8000)
    for t in range(1, len(x)):
        x[t] = C * x[t - 1] + shock * random.normal()
    y = (x + noise * random.normal(size=len(x)))[:, None]
    pieces = windows([Segment(np.empty((len(y), 0)), y)], Lags((1,), ()), 10, every=20)
    found = fit_noise([(first_order(), pieces)])
    np.testing.assert_allclose(found.shocks, shock**2, atol=0.03)
    np.testing.assert_allclose(found.measurement, noise**2, atol=0.03)
