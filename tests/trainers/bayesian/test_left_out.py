"""(ALO): what a row's outputs would be without it, against trainings without it."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax

import deltarule as dr
from deltarule import trees
from deltarule.engine import numpy_engine
from deltarule.engine.rows import Rows
from deltarule.objective import Objective
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.bayesian.left_out import left_out
from deltarule.trainers.bayesian.posterior import output_covariance, output_variance, parameter_covariance, posterior

DRAW = np.random.default_rng(11)
X = DRAW.normal(size=(30, 3))
LABELS = (X @ DRAW.normal(size=(3, 3)) + DRAW.gumbel(size=(30, 3))).argmax(axis=1)
WEIGHT = DRAW.integers(1, 3, 30).astype(float)


def known_at(net, params, Y, alpha, form, beta=1.0, x=X, weight=WEIGHT):
    rows = Rows(x, Y, weight, len(x))
    hyper = Hyperparameters(alpha, np.asarray(beta))
    return numpy_engine.call(posterior, Objective(net, rows, len(x)), params, hyper, np.asarray(3.0), form=form), rows


@pytest.mark.parametrize("form", ["primal", "dual"])
def test_it_is_exact_where_the_model_is_linear(form):
    """Ridge regression of two outputs, each row refitted without it and its copies."""
    net, beta, alpha = dr.Network([dr.Dense(2, "linear")]), 2.5, np.array([0.5, 1.0, 2.0, 0.1])
    Y = DRAW.normal(size=(30, 2))
    B = np.c_[X, np.ones(30)]

    def fitted(weight):
        return np.linalg.solve(beta * B.T @ (weight[:, None] * B) + np.diag(alpha), beta * B.T @ (weight[:, None] * Y))

    coef = fitted(WEIGHT)
    params = [{"W": coef[:3].T, "b": coef[3]}]
    known, rows = known_at(net, params, Y, [{"W": alpha[:3], "b": alpha[3]}], form, beta)
    expected = np.stack([B[i] @ fitted(WEIGHT * (np.arange(30) != i)) for i in range(30)])
    np.testing.assert_allclose(left_out(net, known, rows), expected, rtol=1e-9)
    expected = np.stack([B[i] @ fitted(WEIGHT - (np.arange(30) == i)) for i in range(30)])
    np.testing.assert_allclose(left_out(net, known, rows, np.ones(30)), expected, rtol=1e-9)


@pytest.fixture(scope="module")
def logistic():
    """Softmax regression at its minimum, and z of every row from a fit without it."""
    Y, A = np.eye(3)[LABELS], np.r_[np.full(9, 0.7), np.full(3, 0.1)]

    def fitted(weight):
        def S(p):
            z = X @ p[:9].reshape(3, 3).T + p[9:]
            return -(weight[:, None] * Y * log_softmax(z, axis=1)).sum() + 0.5 * p @ (A * p)

        return minimize(S, np.zeros(12), options={"gtol": 1e-9}).x

    p = fitted(WEIGHT)
    without = [fitted(WEIGHT * (np.arange(30) != i)) for i in range(30)]
    refitted = np.stack([X[i] @ q[:9].reshape(3, 3).T + q[9:] for i, q in enumerate(without)])
    return Y, [{"W": p[:9].reshape(3, 3), "b": p[9:]}], refitted


@pytest.mark.parametrize("form", ["primal", "dual"])
def test_it_is_near_refits_of_a_logistic_regression(logistic, form):
    Y, params, refitted = logistic
    net = dr.Network([dr.Dense(3, "softmax")], "log-likelihood")
    known, rows = known_at(net, params, Y, [{"W": np.full(3, 0.7), "b": np.asarray(0.1)}], form)
    found, fit = left_out(net, known, rows), X @ params[0]["W"].T + params[0]["b"]
    each = np.arange(30)

    def lost(z):
        return -log_softmax(z, axis=1)[each, LABELS]

    assert np.abs(lost(found) - lost(refitted)).mean() < 0.2 * np.abs(lost(fit) - lost(refitted)).mean()
    assert lost(found).mean() == pytest.approx(lost(refitted).mean(), rel=0.05)
    assert lost(found).mean() > 1.05 * lost(fit).mean()


@pytest.mark.parametrize(("output", "cost"), [("softmax", "log-likelihood"), ("sigmoid", "cross-entropy")])
def test_both_forms_agree_and_know_the_covariance_of_z(output, cost):
    """A network of 37 parameters; V = G (J^T J + A)^-1 G^T, G by differences of z."""
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, output)], cost)
    params = net.init(3, (3,), "float64")
    alpha = [{"W": np.array([0.5, 1.0, 2.0]), "b": np.asarray(1.0)}, {"W": np.ones(4), "b": np.asarray(0.01)}]
    Y = np.eye(3)[LABELS]
    (one, rows), (other, _) = (known_at(net, params, Y, alpha, form) for form in ("primal", "dual"))
    np.testing.assert_allclose(left_out(net, one, rows), left_out(net, other, rows), rtol=1e-8, atol=1e-10)
    linear = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, "linear")])
    p = trees.ravel(params)
    z = [np.stack([linear(trees.unravel(p + s * e, params), X) for e in 1e-5 * np.eye(len(p))]) for s in (1, -1)]
    G = (z[0] - z[1]) / 2e-5
    expected = np.einsum("pmi,pq,qmj->mij", G, parameter_covariance(one, net=net), G)
    for known in (one, other):
        np.testing.assert_allclose(output_covariance(known, X, net=net), expected, rtol=1e-5, atol=1e-7)
        diagonal = np.diagonal(expected, axis1=1, axis2=2)
        np.testing.assert_allclose(output_variance(known, X, net=net), diagonal, rtol=1e-5, atol=1e-7)
