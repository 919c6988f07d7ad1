"""The weights of logits against SciPy's search, on one candidate, and on candidates of which one is noise."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, logsumexp

import deltarule as dr
from deltarule.models.stacked_classifiers import STRENGTH, mean_cost, stacking_weights

CLASSES = dr.Network([dr.Dense(3, "softmax")], "log-likelihood")
LABELS = dr.Network([dr.Dense(3, "sigmoid")], "cross-entropy")


def candidates(seed, N, noise):
    """Logits of candidates with noise of these sizes around the true ones, and classes drawn from the true ones."""
    draw = np.random.default_rng(seed)
    true = 2 * draw.normal(size=(N, 3))
    Y = np.eye(3)[(true + draw.gumbel(size=(N, 3))).argmax(axis=1)]
    return np.stack([true + size * draw.normal(size=(N, 3)) for size in noise]), Y, draw.integers(1, 3, N).astype(float)


@pytest.mark.parametrize("net", [CLASSES, LABELS])
def test_the_weights_equal_those_of_a_numerical_search(net):
    Z, Y, weight = candidates(1, 80, (0.5, 1.0, 4.0))

    def whole(w):
        z = np.tensordot(w, Z, 1)
        each = -Y * log_softmax(z, axis=1) if net is CLASSES else np.logaddexp(0, z) - Y * z
        cost = each.sum(axis=1)
        return weight @ cost + 0.5 * STRENGTH * 3 * ((w - 1 / 3) ** 2).sum()

    best = minimize(whole, np.full(3, 1 / 3), bounds=[(0, None)] * 3, options={"ftol": 1e-15, "gtol": 1e-9})
    found = stacking_weights(net, Z, Y, weight)
    assert whole(found) <= best.fun + 1e-8
    np.testing.assert_allclose(found, best.x, atol=1e-4)


def test_the_better_candidate_weighs_more_and_a_useless_one_next_to_nothing():
    Z, Y, weight = candidates(2, 2000, (0.2, 1.5, 1.5))
    Z[2] = np.random.default_rng(0).normal(size=Z[2].shape)
    w = stacking_weights(CLASSES, Z, Y, weight)
    assert w[0] > 2 * w[1]
    assert w[2] < 0.05
    assert mean_cost(CLASSES, Z, Y, weight, w) < min(mean_cost(CLASSES, Z, Y, weight, e) for e in np.eye(3))


def test_one_candidate_gets_the_inverse_of_its_temperature():
    """Logits three times too large; with 4,000 rows the prior says little."""
    Z, Y, weight = candidates(3, 4000, (0.0,))
    assert stacking_weights(CLASSES, 3 * Z, Y, weight)[0] == pytest.approx(1 / 3, rel=0.06)
    assert stacking_weights(CLASSES, Z, Y, weight)[0] == pytest.approx(1, rel=0.06)


def test_rows_all_correct_give_finite_weights():
    Y = np.eye(3)[np.arange(12) % 3]
    w = stacking_weights(CLASSES, 5 * Y[None], Y, np.ones(12))
    assert 1 <= w[0] < 1.2
    np.testing.assert_allclose(
        logsumexp(5 * w[0] * Y[0]) - 5 * w[0], mean_cost(CLASSES, 5 * Y[None], Y, np.ones(12), w)
    )


def test_useless_candidates_get_the_smallest_weights():
    """Classes opposite to what every candidate says: the best weights are 0, and the answer is next to uniform."""
    Z, Y, _ = candidates(4, 300, (0.5, 0.5))
    w = stacking_weights(CLASSES, -5 * Z, Y, np.ones(300))
    np.testing.assert_allclose(w, 5e-4)
    assert mean_cost(CLASSES, -5 * Z, Y, np.ones(300), w) == pytest.approx(np.log(3), abs=0.02)
