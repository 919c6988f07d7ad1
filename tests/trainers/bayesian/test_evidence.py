"""BR1-BR4 in both forms, held against NumPy on J by complex steps, and against exact probabilities."""

import numpy as np
import pytest
from scipy.stats import multivariate_normal

from trainers.bayesian.conftest import gammas

FORMS = ("primal", "dual")


def hyper_prior(problem):
    """sum a (ln alpha - alpha/mean) over the inputs and the biases of hidden layers, with the module's numbers."""
    alpha = problem.hyper.alpha
    W = np.asarray(alpha[0]["W"])
    biases = [float(layer["b"]) for layer in alpha[:-1]]
    return 0.05 * np.sum(np.log(W) - W / 10) + 0.5 * sum(np.log(b) - b for b in biases)


def by_definition(problem):
    """S, and (BR2) with the hyper-prior, from J."""
    S = 0.5 * problem.beta * problem.r @ problem.r + 0.5 * problem.p @ (problem.A * problem.p)
    determinant = np.linalg.slogdet(problem.H)[1] - np.log(problem.A).sum()
    likelihood = 0.5 * problem.residuals * np.log(problem.beta / (2 * np.pi))
    return S, likelihood - S - 0.5 * determinant + hyper_prior(problem)


@pytest.mark.parametrize("form", FORMS)
def test_the_objective_and_the_log_evidence(small, form):
    found = small.found[form]
    S, evidence = by_definition(small)
    assert found["square"] == pytest.approx(small.r @ small.r, rel=1e-13)
    assert found["evidence"].objective == pytest.approx(S, rel=1e-13)
    assert found["evidence"].log_evidence == pytest.approx(evidence, rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_gamma_of_every_group(small, form):
    """gamma_g = sum over the group of 1 - alpha (H^-1)_ii (BR3)."""
    used = 1 - small.A * np.diag(np.linalg.inv(small.H))
    expected = np.bincount(small.group, used)
    np.testing.assert_allclose(gammas(small.found[form]["evidence"].gamma), expected, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_the_gradient_in_whitened_parameters(small, form):
    gradient = small.beta * small.J.T @ small.r + small.A * small.p
    expected = np.linalg.norm(gradient / np.sqrt(small.A))
    assert small.found[form]["evidence"].gradient_norm == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("form", FORMS)
def test_the_damped_step_and_its_predicted_fall(small, form):
    """(BR4) with its clipped correction, and the fall of the damped model: -(g^T s + (1/2) s^T H s)."""
    g = small.beta * small.J.T @ small.r + small.A * small.p
    s, a = small.step()
    share = min(1.0, 0.375 * np.linalg.norm(s) / max(np.linalg.norm(a), 1e-300))
    np.testing.assert_allclose(small.found[form]["step"], s + share * a, rtol=1e-9, atol=1e-12)
    expected = -(g @ s + 0.5 * s @ small.H @ s)
    assert small.found[form]["predicted"] == pytest.approx(expected, rel=1e-11)


def test_primal_and_dual_agree_to_rounding(small):
    primal, dual = (small.found[form] for form in FORMS)
    for name in ("step", "predicted", "square"):
        np.testing.assert_allclose(dual[name], primal[name], rtol=1e-9, atol=1e-12)
    for one, other in zip(primal["evidence"], dual["evidence"], strict=True):
        if isinstance(one, list):
            one, other = gammas(one), gammas(other)
        np.testing.assert_allclose(other, one, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("form", FORMS)
def test_the_geodesic_correction(small, form):
    """A linear model has none."""
    size = np.abs(small.found[form]["step"] - small.step()[0]).max()
    assert (size < 1e-12) == (len(small.net.layers) == 1)


@pytest.mark.parametrize("form", FORMS)
def test_one_precision_counts_parameters_as_the_eigenvalues_do(one_precision, form):
    """gamma = n - alpha tr H^-1 = sum beta mu_i / (beta mu_i + alpha), mu_i the eigenvalues of J^T J."""
    alpha, beta, J = one_precision.A[0], one_precision.beta, one_precision.J
    eigenvalues = np.linalg.eigvalsh(J.T @ J)
    gamma = gammas(one_precision.found[form]["evidence"].gamma).sum()
    assert gamma == pytest.approx(np.sum(beta * eigenvalues / (beta * eigenvalues + alpha)), rel=1e-11)
    assert gamma == pytest.approx(len(one_precision.p) - alpha * np.trace(np.linalg.inv(one_precision.H)), rel=1e-11)


@pytest.mark.parametrize("form", FORMS)
def test_the_evidence_of_a_linear_model_is_a_probability(at_the_mode, form):
    """Integrating the parameters out of a linear model leaves N(0, 1/beta + X A^-1 X^T), whose density is exact.

    Rows of a whole weight count as copies, so the density is that of the repeated rows.
    """
    count = at_the_mode.weight.astype(int)
    each = at_the_mode.J.reshape(len(count), at_the_mode.net.outputs, -1) / np.sqrt(count)[:, None, None]
    J = np.repeat(each, count, axis=0).reshape(-1, len(at_the_mode.p))
    y = np.repeat(at_the_mode.y, count, axis=0).reshape(-1)
    covariance = np.eye(len(y)) / at_the_mode.beta + J / at_the_mode.A @ J.T
    exact = multivariate_normal(np.zeros(len(y)), covariance).logpdf(y)
    found = at_the_mode.found[form]["evidence"].log_evidence - hyper_prior(at_the_mode)
    assert found == pytest.approx(exact, rel=1e-11)
    assert at_the_mode.found[form]["evidence"].gradient_norm < 1e-11
