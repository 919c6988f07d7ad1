"""Error bars (BR5) in both forms, held against NumPy on J by complex steps."""

import numpy as np
import pytest

from trainers.bayesian.conftest import gammas

FORMS = ("primal", "dual")


@pytest.mark.parametrize("form", FORMS)
def test_the_covariance_of_the_parameters(small, form):
    expected = np.linalg.inv(small.H)
    np.testing.assert_allclose(small.found[form]["covariance"], expected, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_the_variance_of_every_output_at_new_inputs(small, form):
    """J* (beta J^T J + A)^-1 J*^T, output by output."""
    expected = np.einsum("iok,kl,iol->io", small.J_new, np.linalg.inv(small.H), small.J_new)
    np.testing.assert_allclose(small.found[form]["variance"], expected, rtol=1e-9)


@pytest.mark.parametrize("form", FORMS)
def test_the_noise_of_every_output(small, form):
    """‖r_o‖² / (m - gamma/k), with m the sum of the weights."""
    squares = np.sum(small.r.reshape(-1, small.net.outputs) ** 2, axis=0)
    m = small.residuals / small.net.outputs
    gamma = gammas(small.found[form]["evidence"].gamma).sum() / small.net.outputs
    assert gamma < 0.98 * m  # below what is allowed, so that it enters as it is
    np.testing.assert_allclose(small.found[form]["noise"], squares / (m - gamma), rtol=1e-11)


def test_linear_regression_is_bayesian_ridge(at_the_mode):
    """At the mode: p = (beta X^T X + A)^-1 beta X^T y, the covariance its inverse, the variance x* of it x*^T."""
    count, Y = at_the_mode.weight, at_the_mode.y
    X = np.c_[at_the_mode.x, np.ones(len(count))]
    W, b = (np.asarray(at_the_mode.params[0][name]) for name in ("W", "b"))
    alpha = np.r_[np.asarray(at_the_mode.hyper.alpha[0]["W"]), float(at_the_mode.hyper.alpha[0]["b"])]
    M = np.linalg.inv(at_the_mode.beta * X.T * count @ X + np.diag(alpha))
    np.testing.assert_allclose(np.c_[W, b].T, M @ (at_the_mode.beta * X.T * count @ Y), rtol=1e-10, atol=1e-12)
    new = np.c_[at_the_mode.new, np.ones(len(at_the_mode.new))]
    expected = np.sum(new @ M * new, axis=1)
    for form in FORMS:
        found = at_the_mode.found[form]["variance"]
        np.testing.assert_allclose(found, np.repeat(expected[:, None], 3, axis=1), rtol=1e-10)


def test_data_only_narrow_the_error_bars(small, one_precision):
    """All variances are positive and below the prior's, J* A^-1 J*^T."""
    for problem in (small, one_precision):
        prior = np.einsum("iok,k,iok->io", problem.J_new, 1 / problem.A, problem.J_new)
        for form in FORMS:
            variance = problem.found[form]["variance"]
            assert np.all((variance > 0) & (variance < prior))
