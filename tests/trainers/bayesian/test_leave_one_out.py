"""(LOO) against refits: a linear model of the same alpha and beta without a row, its copies or a part of it."""

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
@pytest.mark.parametrize("left", ["alone", "with copies", "a part"])
def test_rows_left_out_are_predicted_as_by_a_refit(k, form, left):
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
    known = Objective(net, rows, 12).call(posterior, params, hyper, np.float64(3.0), form=form)
    found = leave_one_out(net, known, rows, np.array([(weight - kept).sum() for kept in without]))
    for i, kept in enumerate(without):
        theta, covariance = refitted(X, Y, kept)
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
