"""A classifier that has learnt nothing says so in the result that a user prints."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.data import load

NET = dr.Network([dr.Dense(30), dr.Dense(10)], "quadratic")


@pytest.fixture(scope="module")
def digits():
    return load("digits").train


def trained(data, eta, engine, scale=1.0, net=NET):
    trainer = dr.GradientDescent(eta=eta, batch_size=10)
    return dr.train(net, scale * data.X, data.Y, trainer=trainer, epochs=3, seed=1, engine=engine)


def test_a_learning_rate_of_100_is_named(digits, engine):
    result = trained(digits, 100.0, engine)
    assert result.stop_reason == "epochs"
    assert result.message == f"all 3 epochs were run. {result.remark}"
    assert "no more often than class " in result.remark
    assert "smaller eta than 100" in result.remark
    assert result.remark in repr(result)


def test_pixels_from_0_to_255_are_named(digits, engine):
    assert "scale the inputs" in trained(digits, 3.0, engine, scale=255).remark


def test_what_has_learnt_has_no_remark(digits, engine):
    result = trained(digits, 3.0, engine)
    assert result.remark == ""
    assert result.message == "all 3 epochs were run."


def test_class_numbers_and_a_single_output():
    """Five examples of class 1, three of class 0, all at one point: nothing can be learnt but that."""
    X, y = np.zeros((8, 2)), np.array([1, 1, 1, 1, 1, 0, 0, 0])
    for net, Y in (
        (dr.Network([dr.Dense(2, "softmax")], "log-likelihood"), y),
        (dr.Network([dr.Dense(1)], "cross-entropy"), y[:, None]),
    ):
        result = dr.train(net, X, Y, trainer=dr.LevenbergMarquardt(), epochs=20)
        assert "class 1 always would be (62.5 %)" in result.remark


def test_rare_classes_are_not_called_unlearnt():
    """1 of 10: the outputs rank the examples, which no threshold of a half shows."""
    X = np.arange(40.0)[:, None] / 40
    y = (np.arange(40) % 10 == 9).astype(int)
    net = dr.Network([dr.Dense(2, "softmax")], "log-likelihood")
    result = dr.train(net, X, y, trainer=dr.GradientDescent(eta=0.1), epochs=20)
    assert "class 0 always would be (90 %)" in result.remark


@pytest.mark.parametrize("Y", [np.full(6, 1), np.linspace(0, 1, 6)[:, None] * [1, 1], np.eye(2)[[0, 0, 0, 0, 0, 0]]])
def test_other_targets_have_no_remark(Y):
    """One class only, and numbers."""
    net = dr.Network([dr.Dense(2, "linear")], "quadratic")
    assert dr.train(net, np.zeros((6, 1)), Y, trainer=dr.GradientDescent(eta=0.1), epochs=1).remark == ""
