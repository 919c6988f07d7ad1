"""The score of a network over rows: weighted means, whatever the blocks, padding left out."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.network import evaluation
from deltarule.network.evaluation import correct, evaluate
from engines import on, rows_on

NET = dr.Network([dr.Dense(4, "tanh"), dr.Dense(3, "softmax")], "log-likelihood")
PARAMS = NET.init(0, (2,))
DRAW = np.random.default_rng(0)
X = DRAW.normal(size=(50, 2)).astype("float32")
Y = np.eye(3, dtype="float32")[DRAW.integers(3, size=50)]


def test_by_hand(engine):
    # W = 0: every output is 1/2, which is not above 1/2, so the answer is "no"; targets yes, no, no: 2/3 right.
    # C = 1/2 (1/4) for each.
    net = dr.Network([dr.Dense(1, "sigmoid")])
    params = [{"W": np.zeros((1, 1), "float32"), "b": np.zeros(1, "float32")}]
    score = evaluate(
        net, on(engine, params), rows_on(engine, np.ones((3, 1), "float32"), np.array([[1], [0], [0]], "float32"))
    )
    assert float(score.cost) == pytest.approx(1 / 8)
    assert float(score.accuracy) == pytest.approx(2 / 3)


def test_it_is_the_mean_over_the_real_rows(engine):
    score = evaluate(NET, on(engine, PARAMS), rows_on(engine, X, Y))
    outputs = np.asarray(NET(on(engine, PARAMS), X))
    np.testing.assert_allclose(score.cost, NET.cost_and_gradient(on(engine, PARAMS), X, Y)[0], rtol=1e-6)
    np.testing.assert_allclose(score.cost, -np.log((outputs * Y).sum(axis=1)).mean(), rtol=1e-6)
    np.testing.assert_allclose(score.accuracy, (outputs.argmax(axis=1) == Y.argmax(axis=1)).mean(), rtol=1e-6)


def test_weights_are_repeated_rows(engine):
    counts = np.arange(50) % 4
    weighted = evaluate(NET, on(engine, PARAMS), rows_on(engine, X, Y, counts.astype("float32")))
    repeated = evaluate(
        NET, on(engine, PARAMS), rows_on(engine, np.repeat(X, counts, axis=0), np.repeat(Y, counts, axis=0))
    )
    np.testing.assert_allclose(weighted, repeated, rtol=1e-6)


def test_blocks_change_nothing(monkeypatch, engine):
    whole = evaluate(NET, on(engine, PARAMS), rows_on(engine, X, Y))
    monkeypatch.setattr(evaluation, "EVALUATION_ROWS", 16)
    np.testing.assert_allclose(evaluate(NET, on(engine, PARAMS), rows_on(engine, X, Y)), whole, rtol=1e-6)


@pytest.mark.usefixtures("float64")
def test_what_is_right(engine):
    a, y = on(engine, (np.array([[0.1, 0.7, 0.2], [0.4, 0.3, 0.3]]), np.array([[0, 1, 0], [0, 0, 1]])))
    assert correct(a, y).tolist() == [True, False]
    a, y = on(engine, (np.array([[0.6], [0.6], [0.4]]), np.array([[1], [0], [0]])))
    assert correct(a, y).tolist() == [True, False, True]
