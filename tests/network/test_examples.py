"""Examples as a user gives them: what is refused, and that the message names the value."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import DataError, ShapeError

NET = dr.Network([dr.Dense(2, "sigmoid")])
X, Y = np.ones((5, 3)), np.ones((5, 2))
SGD = dr.GradientDescent(eta=0.1)


def changed(array, index, value):
    array = np.array(array, float)
    array[index] = value
    return array


@pytest.mark.parametrize(
    ("X", "Y", "error", "message"),
    [
        (np.ones((0, 3)), np.ones((0, 2)), DataError, r"X has no rows \(shape \(0, 3\)"),
        (1.0, Y, DataError, r"X has no rows \(shape \(\)\)"),
        (np.ones(5), Y, ShapeError, "flat input|one row .*each"),
        (np.ones((5, 2, 2)), Y, ShapeError, r"Dense\(2\) takes .*\(2, 2\)"),
        ([["a"] * 3] * 5, Y, DataError, r"X cannot .*\(N, n\)"),
        ([[1, 2, 3], [1]], Y, DataError, "X cannot be read as numbers"),
        (
            changed(X, (3, 1), np.nan),
            Y,
            DataError,
            r"X holds nan .*\(3, 1\) and 1 value",
        ),
        (changed(X, (0, 2), np.inf), Y, DataError, r"X holds inf at index \(0, 2\)"),
        (
            changed(X, (0, 2), 1e300),
            Y,
            DataError,
            r"X holds inf .*\(0, 2\).* float32",
        ),
        (X, changed(Y, (4, 0), np.inf), DataError, r"Y holds inf at index \(4, 0\)"),
        (X, changed(changed(Y, (4, 0), np.nan), (4, 1), np.nan), DataError, "Y row 4 "),
        (X, np.ones((4, 2)), ShapeError, r"Y has shape \(4, 2\).* need \(5, 2\)"),
        (
            X,
            [0, 1, 2, 0, 1],
            DataError,
            "Y names classes 0..2.* 2 outputs",
        ),
        (X, [["a", "b"]] * 5, DataError, "Y cannot be read as numbers"),
    ],
)
def test_data_that_cannot_be_used(X, Y, error, message):
    with pytest.raises(error, match=message):
        dr.train(NET, X, Y, trainer=SGD, epochs=1)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ((changed(X, (1, 0), np.nan), Y), r"validation X holds nan at index \(1, 0\)"),
        ((X, changed(Y, (2, 1), np.inf)), r"validation Y holds inf at index \(2, 1\)"),
        ((np.ones((0, 3)), np.ones((0, 2))), "validation X has no rows"),
    ],
)
def test_validation_data_is_named(validation, message):
    with pytest.raises(DataError, match=message):
        dr.train(NET, X, Y, trainer=SGD, epochs=1, validation_data=validation)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (
            [1, 1, -1, 1, 1],
            r"weights has shape \(5,\) .*-1",
        ),
        ([0] * 5, "not all 0"),
        ([1, 1], r"weights has shape \(2,\)"),
        ([1, 1, np.nan, 1, 1], r"weights holds nan at index \(2,\)"),
    ],
)
def test_weights_that_weigh_nothing_sensible(weights, message):
    with pytest.raises(DataError, match=message):
        dr.train(NET, X, Y, trainer=SGD, epochs=1, weights=weights)


@pytest.mark.parametrize(
    ("output", "cost", "target", "message"),
    [
        # Outside [0, 1] the cross-entropy has no minimum; unless a row sums to one, a - y is not the gradient.
        ("sigmoid", "cross-entropy", [2.0, 0.0], r"Y holds 2.* cross-entropy .*\[0, 1\]"),
        ("sigmoid", "cross-entropy", [-1.0, 0.0], r"Y holds -1.* cross-entropy .*\[0, 1\]"),
        ("softmax", "log-likelihood", [1.0, 1.0], r"Y .*sums? to 2.* log-likelihood .*one"),
        ("softmax", "log-likelihood", [0.0, 0.0], r"Y .*sums? to 0.* log-likelihood .*one"),
    ],
)
def test_targets_that_the_cost_does_not_take(output, cost, target, message):
    net = dr.Network([dr.Dense(2, output)], cost)
    with pytest.raises(DataError, match=message):
        dr.train(net, X, [[1.0, 0.0]] * 4 + [target], trainer=SGD, epochs=1)
