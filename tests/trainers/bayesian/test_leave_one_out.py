"""(LOO) against refits: a linear model under the same alpha and beta, trained without a row or a group of them."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.engine.rows import Rows
from deltarule.objective import Objective
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from deltarule.trainers.bayesian.leave_one_out import leave_one_out
from deltarule.trainers.bayesian.posterior import output_variance, posterior

BETA, ALPHA, BIAS = 3.0, 0.7, 0.2


def refitted(X, Y, weight):
    """W, b and (beta X^T X + A)^-1 of the linear model with rows (N, n) and targets (N, k)."""
    B = np.column_stack([X, np.ones(len(X))])
    H = BETA * (B.T * weight) @ B + np.diag([ALPHA] * X.shape[1] + [BIAS])
    return np.linalg.solve(H, BETA * (B.T * weight) @ Y), np.linalg.inv(H)


@pytest.mark.parametrize("k", [1, 2])
@pytest.mark.parametrize("form", ["primal", "dual"])
@pytest.mark.parametrize("grouped", [False, True])
def test_rows_left_out_are_predicted_as_by_a_refit(k, form, grouped):
    draw = np.random.default_rng(0)
    X, Y, weight = draw.normal(size=(12, 5)), draw.normal(size=(12, k)), np.array([1.0, 2.0, 0.5, 1.5] * 3)
    groups = np.array([0, 1, 1, 2, 3, 3, 3, 4, 5, 6, 7, 0]) if grouped else np.arange(12)
    X[groups == 3], Y[groups == 3] = X[4], Y[4]  # copies of a row
    theta, _ = refitted(X, Y, weight)
    net = dr.Network([dr.Dense(k, "linear")])
    params = [{"W": theta[:-1].T, "b": theta[-1]}]
    hyper = Hyperparameters([{"W": np.full(5, ALPHA), "b": np.array(BIAS)}], np.array(BETA))
    rows = Rows(X, Y, weight, 12)
    known = Objective(net, rows, 12).call(posterior, params, hyper, np.float64(3.0), form=form)
    found = leave_one_out(net, known, rows, groups)
    for i in range(12):
        kept = groups != groups[i]
        theta, covariance = refitted(X[kept], Y[kept], weight[kept])
        x = np.append(X[i], 1)
        np.testing.assert_allclose(found.mean[i], x @ theta, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.variance[i], x @ covariance @ x, rtol=1e-8)


def test_a_row_left_out_leaves_more_open():
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
