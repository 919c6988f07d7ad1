"""Sequences of different lengths: lists, NaN at the end, and what is refused."""

import numpy as np
import pytest

import deltarule as dr
from deltarule.errors import DataError, ShapeError
from deltarule.network.examples import as_inputs, as_targets
from deltarule.network.sequences import is_ragged, lengths_differ, pad_sequences, require_trailing_nan, split_ends

NAN = np.nan
X = [np.arange(6.0).reshape(3, 2), np.ones((1, 2))]
TOGETHER = np.array([[[0, 1], [2, 3], [4, 5]], [[1, 1], [NAN, NAN], [NAN, NAN]]])
EVERY = dr.Network([dr.Recurrent(3), dr.Dense(2, "linear")])
LAST = dr.Network([dr.LSTM(3), dr.GRU(3, sequences=False), dr.Dense(2, "linear")])
CLASSES = dr.Network([dr.GRU(3), dr.Dense(3, "softmax")], "log-likelihood")


@pytest.fixture
def params():
    return EVERY.init(0, (3, 2), "float64")


def test_a_list_becomes_one_array_that_ends_in_nan():
    assert is_ragged(X)
    assert not is_ragged([X[0], X[0]])
    np.testing.assert_array_equal(pad_sequences("X", X, "float64"), TOGETHER)
    np.testing.assert_array_equal(pad_sequences("X", [[1, 2], [3]], "float64"), [[[1], [2]], [[3], [NAN]]])
    with pytest.raises(ShapeError, match=r"X holds .*\(3, 2\), \(1, 4\)"):
        pad_sequences("X", [X[0], np.ones((1, 4))], "float64")
    with pytest.raises(DataError, match=r"X\[1\] has 0 steps"):
        pad_sequences("X", [X[0], np.ones((0, 2))], "float64")


def test_zeros_stand_in_a_network_where_a_sequence_has_ended():
    clean, ends = split_ends(TOGETHER)
    np.testing.assert_array_equal(clean, np.nan_to_num(TOGETHER))
    assert ends.tolist() == [2, 0]
    whole = TOGETHER[:1]
    assert split_ends(whole) == (whole, None) or split_ends(whole)[1] is None
    assert lengths_differ(X)
    assert lengths_differ(TOGETHER)
    assert not lengths_differ(whole)


def test_nan_before_a_step_is_refused():
    np.testing.assert_array_equal(require_trailing_nan("X", TOGETHER), np.nan_to_num(TOGETHER))
    gap = TOGETHER.copy()
    gap[1, 2] = 7
    with pytest.raises(DataError, match=r"X\[1\] has NaN at step 1 "):
        require_trailing_nan("X", gap)
    with pytest.raises(DataError, match=r"X\[0\] has no step at all"):
        require_trailing_nan("X", np.full((1, 3, 2), NAN))
    partly = TOGETHER.copy()
    partly[0, 1, 0] = NAN
    with pytest.raises(DataError, match=r"X holds nan at index \(0, 1, 0\)"):
        dr.train(EVERY, partly, np.ones((2, 3, 2)), trainer=dr.LevenbergMarquardt(), epochs=1)


@pytest.mark.parametrize("net", [EVERY, LAST])
def test_a_sequence_gives_the_same_outputs_alone_and_with_longer_ones(net):
    params = net.init(0, (3, 2), "float64")
    together = net(params, X)
    np.testing.assert_array_equal(net(params, TOGETHER), together)
    for one, outputs in zip(X, together, strict=True):
        alone = net(params, one[None])[0]
        np.testing.assert_allclose(outputs[: len(one)] if outputs.ndim == 2 else outputs, alone, rtol=1e-12)
    if net is EVERY:
        assert np.isnan(together[1, 1:]).all()


def test_targets_as_lists_arrays_and_classes(params):
    x = as_inputs(EVERY, params, X, np.dtype("float64"))
    Y = [np.ones((3, 2)), np.zeros((1, 2))]
    expected = np.array([[[1, 1], [1, 1], [1, 1]], [[0, 0], [NAN, NAN], [NAN, NAN]]])
    np.testing.assert_array_equal(as_targets(EVERY, Y, x), expected)
    filled = np.nan_to_num(expected, nan=5.0)  # whatever stands behind the end
    np.testing.assert_array_equal(as_targets(EVERY, filled, x), expected)
    with pytest.raises(ShapeError, match=r"Y has shape \(2, 3\).* need \(2, 3, 2\)"):
        as_targets(EVERY, np.ones((2, 3)), x)
    labels = as_targets(CLASSES, [[0, 2, 1], [1]], x)
    np.testing.assert_array_equal(labels[0], [[1, 0, 0], [0, 0, 1], [0, 1, 0]])
    np.testing.assert_array_equal(labels[1], [[0, 1, 0], [NAN] * 3, [NAN] * 3])
    np.testing.assert_array_equal(as_targets(CLASSES, np.array([[0, 2, 1], [1, 0, 0]]), x), labels)
    with pytest.raises(DataError, match=r"Y names classes 0\.\.3.* 3 outputs"):
        as_targets(CLASSES, [[0, 3, 1], [1]], x)


def test_a_training_on_lists_and_on_the_array_is_the_same():
    Y = [np.sin(x) for x in X]
    options = {"trainer": dr.LevenbergMarquardt(), "epochs": 3, "validation_data": (X, Y)}
    one = dr.train(EVERY, X, Y, **options)
    targets = np.sin(TOGETHER)
    other = dr.train(EVERY, TOGETHER, targets, **options | {"validation_data": (TOGETHER, targets)})
    np.testing.assert_array_equal(one.history["validation_cost"], other.history["validation_cost"])
    cost = EVERY.cost_and_gradient(one.params, X, Y)[0]
    assert one.history["validation_cost"][-1] == pytest.approx(float(cost), rel=1e-12)


def test_steps_without_a_target_count_for_nothing():
    """A target in the middle may be missing: of classes all of a step's, of numbers any."""
    params = CLASSES.init(0, (3, 2), "float64")
    Y = np.eye(3)[[[0, 1, 2], [1, 0, 0]]]
    Y[0, 1] = NAN
    cost, _ = CLASSES.cost_and_gradient(params, X, Y)
    a = CLASSES(params, X)
    assert float(cost) == pytest.approx(-(np.log(a[0, 0, 0]) + np.log(a[0, 2, 2]) + np.log(a[1, 0, 1])) / 2)
    Y[0, 2, 1] = NAN
    with pytest.raises(DataError, match=r"validation Y lacks .*log-likelihood"):
        dr.train(
            CLASSES, X, [[0, 1, 2], [1]], trainer=dr.GradientDescent(eta=0.1), epochs=1, validation_data=(TOGETHER, Y)
        )


def test_accuracy_is_the_share_of_the_steps_that_there_are():
    params = CLASSES.init(0, (3, 2), "float64")
    right = CLASSES(params, X).argmax(axis=-1)
    labels = [right[0].copy(), right[1, :1]]
    labels[0][0] = (labels[0][0] + 1) % 3
    result = dr.train(
        CLASSES, X, labels, trainer=dr.GradientDescent(eta=1e-12), epochs=1, params=params, validation_data=(X, labels)
    )
    assert result.history["validation_accuracy"][0] == pytest.approx((2 / 3 + 1) / 2, rel=1e-6)


def test_a_search_takes_sequences_of_different_lengths():
    Y = [np.sin(x) for x in X]

    def build(values):
        return dr.Network([dr.GRU(values["n"]), dr.Dense(2, "linear")]), dr.LevenbergMarquardt()

    found = dr.search(build, {"n": [1, 2]}, X, Y, validation_data=(TOGETHER, np.sin(TOGETHER)), epochs=2, method="grid")
    assert len(found.trials) == 2
    assert all(np.isfinite(trial.cost) for trial in found.trials)


def test_bayesian_regularisation_refuses_a_memory_by_name():
    with pytest.raises(dr.ConfigurationError, match=r"layer 0 is Recurrent\(n=3"):
        dr.train(EVERY, TOGETHER[:1], np.ones((1, 3, 2)), trainer=dr.BayesianRegularization(), epochs=1)


@pytest.mark.parametrize("steps", [2, 8])
def test_targets_of_another_length_than_their_inputs_are_refused(steps):
    net = dr.Network([dr.GRU(2), dr.Dense(1, "linear")])
    X, Y = [np.ones((5, 3)), np.ones((9, 3))], [np.ones((steps, 1)), np.ones((9, 1))]
    with pytest.raises(DataError, match=rf"Y\[0\] has {steps} steps.*5"):
        dr.train(net, X, Y, trainer=dr.GradientDescent(eta=0.1), epochs=1)
