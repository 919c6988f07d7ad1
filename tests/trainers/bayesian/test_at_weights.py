"""The posterior around given weights, held against a Bayesian training and against a linear model's formula."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.at_weights import posterior_at


def problem(count, noise=0.1):
    random = np.random.default_rng(0)
    X = random.normal(size=(count, 2))
    return X, np.sin(X[:, :1]) + 0.3 * X[:, 1:] + noise * random.normal(size=(count, 1))


@pytest.mark.parametrize("count", [20, 200], ids=["dual", "primal"])
def test_around_a_trained_network_it_is_that_of_the_training(count):
    X, Y = problem(count)
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(1, "linear")])
    trainer = dr.BayesianRegularization(max_fail=100)
    result = dr.train(net, X, Y, trainer=trainer, epochs=200, seed=0)
    theirs = dr.BayesianEnsemble.of(net, result, X, Y)
    ours = posterior_at(net, result.params, X, Y)
    assert ours.members[0].rows is None if count > 25 else ours.members[0].rows is not None
    assert ours.gamma == pytest.approx(theirs.gamma, rel=0.02)
    assert ours.noise_std == pytest.approx(theirs.noise_std, rel=0.02)
    new = 2 * X[:10]
    np.testing.assert_allclose(ours.predict(new).std, theirs.predict(new).std, rtol=0.05)


def test_of_a_linear_model_it_is_the_formula():
    X, Y = problem(50)
    net = dr.Network([dr.Dense(1, "linear")])
    design = np.c_[X, np.ones(50)]
    W1, W2, b = np.linalg.lstsq(design, Y, rcond=None)[0][:, 0]
    params = [{"W": np.array([[W1, W2]]), "b": np.array([b])}]
    known = posterior_at(net, params, X, Y)
    member = known.members[0]
    A = np.diag(np.append(member.hyper.alpha[0]["W"], member.hyper.alpha[0]["b"]))
    covariance = np.linalg.inv(float(member.hyper.beta) * design.T @ design + A)
    np.testing.assert_allclose(known.covariance(0), covariance, rtol=1e-9)
    # the fixed point: beta = (m - gamma)/‖r‖², gamma = n - tr(A covariance)
    gamma = 3 - np.trace(A @ covariance)
    square = ((Y[:, 0] - design @ [W1, W2, b]) ** 2).sum()
    assert known.gamma[0] == pytest.approx(gamma, rel=1e-9)
    assert float(member.hyper.beta) == pytest.approx((50 - gamma) / square, rel=1e-3)
    assert hyperparameters.flatten(member.hyper.alpha).shape == (3,)


def test_weights_far_from_a_minimum_get_wide_error_bars():
    X, Y = problem(100)
    net = dr.Network([dr.Dense(5, "tanh"), dr.Dense(1, "linear")])
    good = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=30, seed=0).params
    poor = net.init(3, (2,), "float64")
    errors = [np.sqrt(np.mean((net(params, X) - Y) ** 2)) for params in (good, poor)]
    noise = [float(posterior_at(net, params, X, Y).noise_std[0]) for params in (good, poor)]
    assert noise[1] > 3 * noise[0]
    assert noise == pytest.approx(errors, rel=0.3)


def test_a_classifier_has_none():
    net = dr.Network([dr.Dense(2, "softmax")], cost="log-likelihood")
    with pytest.raises(ConfigurationError, match="softmax"):
        posterior_at(net, net.init(0, (2,)), np.zeros((4, 2)), np.eye(2)[[0, 1, 0, 1]])
