import numpy as np
import pytest
from scipy.special import softmax

from deltarule.models.calibration import (
    SPREAD,
    calibrate,
    divide_logits,
    expected_calibration_error,
    temperature,
)


def drawn(T, rows, k=4, seed=0):
    """Scores z, and classes drawn from softmax(z / T, axis=1): T is the right temperature."""
    random = np.random.default_rng(seed)
    z = random.normal(0, 3, (rows, k))
    classes = (random.random((rows, 1)) > np.cumsum(softmax(z / T, axis=1), axis=1)).sum(axis=1)
    return z, classes


def test_the_error_by_hand():
    # two rows in the bin of 0.9, one right: |0.5 - 0.9| = 0.4; two in that of 0.6, both right: |1 - 0.6| = 0.4
    p = np.array([[0.9, 0.1], [0.9, 0.1], [0.6, 0.4], [0.4, 0.6]])
    assert expected_calibration_error(p, np.array([0, 1, 0, 1])) == pytest.approx(0.4)
    # with the wrong row weighing nothing: (1·0.1 + 2·0.4) / 3
    assert expected_calibration_error(p, np.array([0, 1, 0, 1]), np.array([1, 0, 1, 1])) == pytest.approx(0.3)


def test_confident_predictions_have_error_0_or_1():
    p = np.eye(3)
    assert expected_calibration_error(p, np.array([0, 1, 2])) == 0
    assert expected_calibration_error(p, np.array([1, 2, 0])) == 1


@pytest.mark.parametrize("T", [0.5, 1.0, 2.5])
def test_the_temperature_of_many_rows_is_found(T):
    z, classes = drawn(T, 20_000)
    assert temperature(z, classes, np.ones(len(z))) == pytest.approx(T, rel=0.05)


def test_the_temperature_minimises_the_penalised_likelihood():
    z, classes = drawn(2.0, 60)
    weight = np.random.default_rng(1).uniform(0, 2, 60)

    def objective(T):
        log_likelihood = np.log(softmax(z / T, axis=1)[np.arange(60), classes])
        return -np.sum(weight * log_likelihood) + np.log(T) ** 2 / (2 * SPREAD**2)

    T = temperature(z, classes, weight)
    assert objective(T) < min(objective(1.001 * T), objective(T / 1.001))


def test_few_rows_all_correct_give_a_moderate_temperature():
    z = 5 * np.eye(3)
    assert 0.3 < temperature(z, np.arange(3), np.ones(3)) < 1


def test_calibration_helps_an_overconfident_network():
    z, classes = drawn(3.0, 4000)
    done = calibrate(softmax(z, axis=1), classes, np.ones(4000))
    assert done.temperature > 2
    assert done.error_before > 0.1
    assert done.error_after < 0.03
    assert done.rows == 4000


def test_divided_logits():
    params = [{"W": np.ones((2, 2)), "b": np.ones(2)}, {"W": np.full((3, 2), 4.0), "b": np.full(3, 2.0)}]
    cool = divide_logits(params, 2.0)
    assert cool[0] is params[0]
    assert (cool[1]["W"] == 2).all()
    assert (cool[1]["b"] == 1).all()
