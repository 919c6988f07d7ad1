"""(LOO) and (ALO) against refits of models without a row, its copies or a part of it."""

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
from deltarule.trainers.bayesian.leave_one_out import leave_one_out, leave_one_out_logits
from deltarule.trainers.bayesian.posterior import (
    laplace_posterior,
    output_covariance,
    output_variance,
    parameter_covariance,
)

BETA, ALPHA, BIAS = 3.0, 0.7, 0.2


def refitted(X, Y, weight):
    """W, b and (beta X^T X + A)^-1 of the linear model with rows (N, n) and targets (N, k)."""
    B = np.column_stack([X, np.ones(len(X))])
    H = BETA * (B.T * weight) @ B + np.diag([ALPHA] * X.shape[1] + [BIAS])
    return np.linalg.solve(H, BETA * (B.T * weight) @ Y), np.linalg.inv(H)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("form", ["primal", "dual"])
@pytest.mark.parametrize("left", ["alone", "with copies", "a part"])
def test_leave_one_out_equals_a_refit(k, form, left):
    draw = np.random.default_rng(0)
    X, Y, weight = draw.normal(size=(12, 5)), draw.normal(size=(12, k)), np.array([1.0, 2.0, 0.5, 1.5] * 3)
    copies = np.arange(12)
    if left == "with copies":
        copies = np.array([0, 1, 1, 2, 3, 3, 3, 4, 5, 6, 7, 8])
        _, first = np.unique(copies, return_index=True)
        X, Y = X[first[copies]], Y[first[copies]]
    without = [np.where(copies == copies[i], 0.0 if left != "a part" else weight - 0.5, weight) for i in range(12)]
    theta, _ = refitted(X, Y, weight)
    net = dr.Network([dr.Dense(k, "linear")])
    params = [{"W": theta[:-1].T, "b": theta[-1]}]
    hyper = Hyperparameters([{"W": np.full(5, ALPHA), "b": np.array(BIAS)}], np.array(BETA))
    rows = Rows(X, Y, weight, 12)
    known = Objective(net, rows, 12).call(laplace_posterior, params, hyper, np.float64(3.0), form=form)
    found = leave_one_out(net, known, rows, np.array([(weight - kept).sum() for kept in without]))
    for i, kept in enumerate(without):
        theta, covariance = refitted(X, Y, kept)
        x = np.append(X[i], 1)
        np.testing.assert_allclose(found.mean[i], x @ theta, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.variance[i], x @ covariance @ x, rtol=1e-8)


def test_the_variance_is_larger_without_the_row():
    draw = np.random.default_rng(1)
    X = draw.uniform(-1, 1, (40, 2))
    Y = np.sin(2 * X[:, :1]) + 0.1 * draw.normal(size=(40, 1))
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
    result = dr.train(net, X, Y, trainer=dr.BayesianRegularization(), epochs=40, dtype="float64", engine="numpy")
    ensemble = dr.BayesianEnsemble.of(net, result, X, Y)
    found = leave_one_out(net, ensemble.members[0], Rows(X, Y, None, 40))
    assert np.all(found.variance > np.asarray(output_variance(ensemble.members[0], X, net=net)))
    fitted = np.asarray(net(result.params, X))
    assert np.all(np.abs(found.mean - Y) >= np.abs(fitted - Y))


DRAW = np.random.default_rng(11)
X = DRAW.normal(size=(30, 3))
LABELS = (X @ DRAW.normal(size=(3, 3)) + DRAW.gumbel(size=(30, 3))).argmax(axis=1)
WEIGHT = DRAW.integers(1, 3, 30).astype(float)


def posterior_at(net, params, Y, alpha, form, beta=1.0, x=X, weight=WEIGHT):
    rows = Rows(x, Y, weight, len(x))
    hyper = Hyperparameters(alpha, np.asarray(beta))
    return numpy_engine.call(
        laplace_posterior, Objective(net, rows, len(x)), params, hyper, np.asarray(3.0), form=form
    ), rows


@pytest.mark.parametrize("form", ["primal", "dual"])
def test_logits_are_exact_for_a_linear_model(form):
    """Ridge regression of two outputs, each row refitted without it and its copies."""
    net, beta, alpha = dr.Network([dr.Dense(2, "linear")]), 2.5, np.array([0.5, 1.0, 2.0, 0.1])
    Y = DRAW.normal(size=(30, 2))
    B = np.c_[X, np.ones(30)]

    def fitted(weight):
        return np.linalg.solve(beta * B.T @ (weight[:, None] * B) + np.diag(alpha), beta * B.T @ (weight[:, None] * Y))

    coef = fitted(WEIGHT)
    params = [{"W": coef[:3].T, "b": coef[3]}]
    known, rows = posterior_at(net, params, Y, [{"W": alpha[:3], "b": alpha[3]}], form, beta)
    expected = np.stack([B[i] @ fitted(WEIGHT * (np.arange(30) != i)) for i in range(30)])
    np.testing.assert_allclose(leave_one_out_logits(net, known, rows), expected, rtol=1e-9)
    expected = np.stack([B[i] @ fitted(WEIGHT - (np.arange(30) == i)) for i in range(30)])
    np.testing.assert_allclose(leave_one_out_logits(net, known, rows, np.ones(30)), expected, rtol=1e-9)


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
def test_logits_are_near_refits_of_a_logistic_regression(logistic, form):
    Y, params, refitted = logistic
    net = dr.Network([dr.Dense(3, "softmax")], "log-likelihood")
    known, rows = posterior_at(net, params, Y, [{"W": np.full(3, 0.7), "b": np.asarray(0.1)}], form)
    found, fit = leave_one_out_logits(net, known, rows), X @ params[0]["W"].T + params[0]["b"]
    each = np.arange(30)

    def loss(z):
        return -log_softmax(z, axis=1)[each, LABELS]

    assert np.abs(loss(found) - loss(refitted)).mean() < 0.2 * np.abs(loss(fit) - loss(refitted)).mean()
    assert loss(found).mean() == pytest.approx(loss(refitted).mean(), rel=0.05)
    assert loss(found).mean() > 1.05 * loss(fit).mean()


@pytest.mark.parametrize(("output", "cost"), [("softmax", "log-likelihood"), ("sigmoid", "cross-entropy")])
def test_both_forms_agree_and_give_the_covariance_of_z(output, cost):
    """A network of 37 parameters; V = G (J^T J + A)^-1 G^T, G by differences of z."""
    net = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, output)], cost)
    params = net.init(3, (3,), "float64")
    alpha = [{"W": np.array([0.5, 1.0, 2.0]), "b": np.asarray(1.0)}, {"W": np.ones(4), "b": np.asarray(0.01)}]
    Y = np.eye(3)[LABELS]
    (one, rows), (other, _) = (posterior_at(net, params, Y, alpha, form) for form in ("primal", "dual"))
    np.testing.assert_allclose(
        leave_one_out_logits(net, one, rows), leave_one_out_logits(net, other, rows), rtol=1e-8, atol=1e-10
    )
    linear = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, "linear")])
    p = trees.ravel(params)
    z = [np.stack([linear(trees.unravel(p + s * e, params), X) for e in 1e-5 * np.eye(len(p))]) for s in (1, -1)]
    G = (z[0] - z[1]) / 2e-5
    expected = np.einsum("pmi,pq,qmj->mij", G, parameter_covariance(one, net=net), G)
    for known in (one, other):
        np.testing.assert_allclose(output_covariance(known, X, net=net), expected, rtol=1e-5, atol=1e-7)
        diagonal = np.diagonal(expected, axis1=1, axis2=2)
        np.testing.assert_allclose(output_variance(known, X, net=net), diagonal, rtol=1e-5, atol=1e-7)
