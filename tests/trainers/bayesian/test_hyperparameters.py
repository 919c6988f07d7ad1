"""The update of alpha and beta by hand, the bounds of a step, and what is fixed."""

import numpy as np
import pytest

from deltarule import engine as engines
from deltarule.trainers.bayesian import hyperparameters
from deltarule.trainers.bayesian.hyperparameters import Hyperparameters
from engines import off, on

# 2-2-1: W^1 has columns of squares 1 + 9 = 10 and 4 + 16 = 20, b^1 has 0.25 + 0.25 = 0.5.
PARAMS = [
    {"W": np.array([[1.0, 2.0], [3.0, 4.0]]), "b": np.array([0.5, -0.5])},
    {"W": np.array([[1.0, 1.0]]), "b": np.array([2.0])},
]
GAMMA = [{"W": np.array([1.9, 0.9]), "b": np.array(1.5)}, {"W": np.array([0.5, 0.5]), "b": np.array(0.7)}]


def precisions(first, second, bias):
    alpha = [{"W": np.asarray([first, second]), "b": np.asarray(bias)}]
    return [*alpha, {"W": np.asarray([0.5, 0.5]), "b": np.asarray(0.01)}]


def update(engine, now, params, gamma, residuals, square):
    """The update as the engine computes it, in NumPy's arrays."""
    with engines.get(engine).computing_in(np.dtype("float64")):
        arguments = on(engine, (now, params, gamma, np.asarray(residuals), np.asarray(square)))
        return off(engines.get(engine).call(hyperparameters.update, *arguments))


def test_the_update_by_hand(engine):
    now = Hyperparameters(precisions(0.2, 0.05, 1.0), np.asarray(2.0))
    new = update(engine, now, PARAMS, GAMMA, 36.0, 10.0)
    # Inputs: (gamma + 2·0.05) / (‖w‖² + 2·0.05/10): 2/10.01 and 1/20.01. Biases: (1.5 + 2·0.5) / (0.5 + 1).
    np.testing.assert_allclose(new.alpha[0]["W"], [2 / 10.01, 1 / 20.01], rtol=1e-14)
    assert float(new.alpha[0]["b"]) == pytest.approx(2.5 / 1.5, rel=1e-14)
    # gamma = 1.9 + 0.9 + 1.5 + 0.5 + 0.5 + 0.7 = 6, so beta = (36 - 6)/10.
    assert float(new.beta) == pytest.approx(3, rel=1e-14)
    assert float(hyperparameters.total(GAMMA)) == pytest.approx(6, rel=1e-14)


def test_the_output_layer_s_precisions_are_fixed(engine):
    now = Hyperparameters(precisions(1.0, 1.0, 1.0), np.asarray(1.0))
    new = update(engine, now, PARAMS, GAMMA, 36.0, 10.0)
    np.testing.assert_array_equal(new.alpha[1]["W"], [0.5, 0.5])
    assert float(new.alpha[1]["b"]) == 0.01


def test_a_step_is_of_limited_size(engine):
    """alpha at most doubles or halves, beta grows or falls at most tenfold."""
    now = Hyperparameters(precisions(100.0, 1e-5, 1000.0), np.asarray(1.0))
    new = update(engine, now, PARAMS, GAMMA, 36.0, 1e-9)
    np.testing.assert_allclose(new.alpha[0]["W"], [50, 2e-5], rtol=1e-14)
    assert float(new.alpha[0]["b"]) == 500
    assert float(new.beta) == 10
    new = update(engine, now, PARAMS, GAMMA, 36.0, 1e9)
    assert float(new.beta) == pytest.approx(0.1, rel=1e-14)


@pytest.mark.parametrize("square", [0.0, np.nan, np.inf])
def test_what_is_not_a_positive_number_changes_beta_within_bounds(engine, square):
    now = Hyperparameters(precisions(1.0, 1.0, 1.0), np.asarray(4.0))
    new = update(engine, now, PARAMS, GAMMA, 36.0, square)
    assert 0.4 <= float(new.beta) <= 40


def test_beta_and_alpha_have_bounds():
    now = Hyperparameters(precisions(1e8, 1e-8, 1.0), np.asarray(1e10))
    zero, huge = np.zeros((2, 2)), 1e9 * PARAMS[0]["W"]
    none = [{"W": np.zeros(2), "b": np.asarray(0.0)}] * 2
    residuals, square = np.asarray(36.0), np.asarray(1e-30)
    small = hyperparameters.update(now, [{"W": zero, "b": zero[0]}, PARAMS[1]], none, residuals, square)
    large = hyperparameters.update(now, [{"W": huge, "b": huge[0]}, PARAMS[1]], none, residuals, square)
    assert float(small.beta) == 1e10
    assert np.all(np.asarray(small.alpha[0]["W"]) <= 1e8)
    assert np.all(np.asarray(large.alpha[0]["W"]) >= 1e-8)


def test_gamma_is_less_than_the_residuals(engine):
    """6 effective parameters on 5 residuals: beta = 0.02·5/‖r‖², not below 0."""
    now = Hyperparameters(precisions(1.0, 1.0, 1.0), np.asarray(1.0))
    new = update(engine, now, PARAMS, GAMMA, 5.0, 0.25)
    assert float(new.beta) == pytest.approx(0.4, rel=1e-12)


def test_alpha_of_a_useless_input_is_the_mean_of_the_hyper_prior(engine):
    """gamma = 0 and w = 0 leave (2a)/(2a/mean) = mean; the update stays there."""
    now = Hyperparameters(precisions(10.0, 10.0, 1.0), np.asarray(1.0))
    params = [{"W": np.zeros((2, 2)), "b": np.zeros(2)}, PARAMS[1]]
    none = [{"W": np.zeros(2), "b": np.asarray(0.0)}, GAMMA[1]]
    new = update(engine, now, params, none, 36.0, 30.0)
    np.testing.assert_allclose(new.alpha[0]["W"], 10, rtol=1e-14)
    assert float(new.alpha[0]["b"]) == pytest.approx(1, rel=1e-14)


def test_the_first_precisions():
    """1 / mean w² of the first layer, 30/4; n/4 for the weights of the output."""
    first = hyperparameters.initial(PARAMS)
    np.testing.assert_allclose(first.alpha[0]["W"], 4 / 30, rtol=1e-14)
    np.testing.assert_allclose(first.alpha[1]["W"], 2 / 4, rtol=1e-14)
    assert [float(layer["b"]) for layer in first.alpha] == [1, 0.01]
    assert float(first.beta) == 1
    deep = hyperparameters.initial([PARAMS[0], PARAMS[0], PARAMS[1]])
    np.testing.assert_allclose(deep.alpha[1]["W"], 2, rtol=1e-14)


def test_the_hyper_prior_has_its_maximum_at_its_mean():
    best = float(hyperparameters.log_hyper_prior(precisions(10.0, 10.0, 1.0)))
    assert best == pytest.approx(2 * 0.05 * (np.log(10) - 1) + 0.5 * (0 - 1), rel=1e-14)
    for other in ((9.0, 10.0, 1.0), (10.0, 11.0, 1.0), (10.0, 10.0, 0.9), (10.0, 10.0, 1.1)):
        assert float(hyperparameters.log_hyper_prior(precisions(*other))) < best


def test_flatten_and_unflatten():
    alpha = precisions(3.0, 4.0, 5.0)
    groups = hyperparameters.flatten(alpha)
    assert groups.tolist() == [3, 4, 5, 0.5, 0.01]
    again = hyperparameters.unflatten(groups, PARAMS)
    for one, other in zip(again, alpha, strict=True):
        assert {name: value.tolist() for name, value in one.items()} == {name: v.tolist() for name, v in other.items()}


def test_alpha_is_broadcast_to_the_weights():
    A = hyperparameters.broadcast_alpha(precisions(3.0, 4.0, 5.0), PARAMS)
    assert A[0]["W"].tolist() == [[3, 4], [3, 4]]
    assert A[0]["b"].tolist() == [5, 5]
