"""Correlations of errors, against numpy.corrcoef and by chance."""

import numpy as np

from deltarule.inspection.correlations import correlations


def test_white_errors_stay_in_the_band_and_an_overlooked_lag_does_not():
    random = np.random.default_rng(0)
    u, e = random.normal(size=(2, 2000))
    white = correlations(e, u[:, None])
    assert white.outside < 0.1
    assert white.autocorrelation[0] == 1
    overlooked = e.copy()
    overlooked[3:] += 0.5 * u[:-3]
    found = correlations(overlooked, u[:, None])
    assert found.input_lags[np.abs(found.input_error[0]).argmax()] == 3
    expected = np.corrcoef(u[:-3], overlooked[3:])[0, 1]
    np.testing.assert_allclose(found.input_error[0].max(), expected, atol=2e-3)


def test_missing_errors_are_left_out():
    random = np.random.default_rng(1)
    e = np.convolve(random.normal(size=3001), [1, 0.8])[1:-1]
    whole = correlations(e, np.empty((len(e), 0)))
    e[::7] = np.nan
    some = correlations(e, np.empty((len(e), 0)))
    # corr of e_t = w_t + 0.8 w_{t-1}: 0.8 / 1.64 at lag 1
    np.testing.assert_allclose(whole.autocorrelation[1], 0.8 / 1.64, atol=0.04)
    np.testing.assert_allclose(some.autocorrelation[1], 0.8 / 1.64, atol=0.06)
    assert some.input_error.shape == (0, 41)
