"""Weights by stacking: EM reaches what a solver of convex problems finds."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import softmax

from deltarule.models.stacked_regressors import log_mixture, score, stacking_weights


def test_em_reaches_the_maximum():
    draw = np.random.default_rng(0)
    for weight in (None, draw.uniform(0.1, 3, 200)):
        L = draw.normal(size=(200, 4)) * [1, 1, 0.5, 2] - 0.3 * draw.uniform(size=4)
        w = stacking_weights(L, weight)
        found = minimize(lambda a, L=L, weight=weight: -score(L, softmax(a), weight), np.zeros(4), tol=1e-14)
        assert score(L, w, weight) >= -found.fun - 1e-7
        np.testing.assert_allclose(w, softmax(found.x), atol=2e-3)


def test_a_model_that_is_never_better_gets_no_weight():
    L = np.random.default_rng(0).normal(size=(50, 1))
    np.testing.assert_allclose(stacking_weights(np.concatenate([L, L - 1, L - 0.1], axis=1)), [1, 0, 0], atol=1e-6)


def test_a_weight_of_two_is_a_row_twice():
    L, weight = np.random.default_rng(1).normal(size=(30, 3)), np.tile([1.0, 2.0, 3.0], 10)
    np.testing.assert_allclose(
        stacking_weights(L, weight), stacking_weights(np.repeat(L, weight.astype(int), axis=0)), atol=1e-9
    )


def test_densities_far_below_what_a_float_holds():
    L = np.array([[-1000.0, -1001.0], [-900.0, -899.0]])
    np.testing.assert_allclose(log_mixture(L, np.array([0.5, 0.5])), np.log(0.5 * (1 + np.exp(-1))) - [1000, 899])


def test_a_row_predicted_by_a_dropped_model_alone():
    log_density = np.zeros((200, 2))
    log_density[:, 1] = -5
    log_density[0] = [-900, -3]
    w = stacking_weights(log_density, None, 0.5)
    assert w.tolist() == [1, 0]
    assert score(log_density, w) == pytest.approx(-900 / 200)
