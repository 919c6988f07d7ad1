"""Trainer x problem: each first-order rule solves a small problem from fixed seeds."""

import numpy as np
import pytest
from sklearn.datasets import load_digits

import deltarule as dr

pytestmark = pytest.mark.usefixtures("on_each_engine")

TRAINERS = {
    "full batch": (dr.GradientDescent(eta=0.1), 4000),
    "stochastic": (dr.GradientDescent(eta=0.03, batch_size=1), 400),
    "stochastic with replacement": (dr.GradientDescent(eta=0.03, batch_size=1, sampling="uniform"), 400),
    "mini-batch": (dr.GradientDescent(eta=0.1, batch_size=10), 800),
    "momentum": (dr.GradientDescent(eta=0.03, momentum=0.9), 2000),
    "nesterov": (dr.GradientDescent(eta=0.03, momentum=0.9, nesterov=True), 2000),
    "adam": (dr.GradientDescent(eta=0.01, rule="adam", batch_size=24), 1000),
}


@pytest.mark.parametrize("name", TRAINERS)
def test_regression(name):
    """sin(2 x) on [-1, 1], 48 points, 1-12-1 tanh: a root mean square error under 0.03."""
    x = np.linspace(-1, 1, 48)[:, None]
    y = np.sin(2 * x)
    net = dr.Network([dr.Dense(12, "tanh", "nguyen-widrow"), dr.Dense(1, "linear")])
    trainer, epochs = TRAINERS[name]
    result = dr.train(net, x, y, trainer=trainer, epochs=epochs, seed=1)
    assert np.sqrt(np.mean((np.asarray(net(result.params, x)) - y) ** 2)) < 0.03
    assert result.history["cost"][-1] < 0.01 * result.history["cost"][0]


@pytest.mark.parametrize(("output", "cost"), [("sigmoid", "cross-entropy"), ("softmax", "log-likelihood")])
def test_xor(output, cost):
    """Every answer right and sure: the mean cost under 0.02."""
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    y = np.array([0, 1, 1, 0])
    net = dr.Network([dr.Dense(6, "tanh"), dr.Dense(2 if output == "softmax" else 1, output)], cost)
    trainer = dr.GradientDescent(eta=0.5, momentum=0.9)
    result = dr.train(net, x, y, trainer=trainer, epochs=3000, seed=0, stopping=dr.Stopping(goal=0.02))
    assert result.stop_reason == "goal"
    outputs = np.asarray(net(result.params, x))
    answers = outputs.argmax(axis=1) if output == "softmax" else (outputs[:, 0] > 0.5).astype(int)
    assert answers.tolist() == y.tolist()


def test_linear_least_squares_is_solved_exactly():
    """A convex problem in float64: gradient descent reaches the normal equations' answer."""
    draw = np.random.default_rng(0)
    X = draw.normal(size=(40, 3))
    Y = X @ [[1.0], [-2.0], [0.5]] + 0.7 + 0.1 * draw.normal(size=(40, 1))
    net = dr.Network([dr.Dense(1, "linear")])
    stopping = dr.Stopping(min_grad=1e-13)
    result = dr.train(net, X, Y, trainer=dr.GradientDescent(eta=0.5), epochs=2000, stopping=stopping, dtype="float64")
    expected = np.linalg.lstsq(np.concatenate([X, np.ones((40, 1))], axis=1), Y, rcond=None)[0][:, 0]
    assert result.stop_reason == "min_grad"
    np.testing.assert_allclose(result.params[0]["W"][0], expected[:3], rtol=1e-11)
    np.testing.assert_allclose(result.params[0]["b"], expected[3:], rtol=1e-11)


def test_ridge_regression_is_solved_exactly():
    """L2 on weights alone: (X^T X + lambda I) w = X^T y with centred X and y, as (lambda/2N) sum w² promises."""
    draw = np.random.default_rng(1)
    X, Y = draw.normal(size=(30, 3)), draw.normal(size=(30, 1)) + 5
    net, lam = dr.Network([dr.Dense(1, "linear")]), 4.0
    result = dr.train(
        net,
        X,
        Y,
        trainer=dr.GradientDescent(eta=0.5, l2=lam),
        epochs=2000,
        dtype="float64",
        stopping=dr.Stopping(min_grad=1e-13),
    )
    centred = X - X.mean(axis=0)
    expected = np.linalg.solve(centred.T @ centred + lam * np.eye(3), centred.T @ (Y - Y.mean()))
    np.testing.assert_allclose(result.params[0]["W"][0], expected[:, 0], rtol=1e-11)


def test_digits():
    """1,000 handwritten digits, 64-30-10 in batches of 10: at least 93 % of 797 others right."""
    data = load_digits()
    X, y = data.data / 16, data.target
    net = dr.Network([dr.Dense(30, "sigmoid"), dr.Dense(10, "softmax")], "log-likelihood")
    trainer = dr.GradientDescent(eta=0.5, batch_size=10, l2=0.1)
    result = dr.train(net, X[:1000], y[:1000], trainer=trainer, epochs=25, validation_data=(X[1000:], y[1000:]), seed=0)
    assert result.history["validation_accuracy"].max() > 0.93
    outputs = np.asarray(net(result.params, X[1000:]))
    assert (outputs.argmax(axis=1) == y[1000:]).mean() > 0.93
