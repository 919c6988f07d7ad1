"""L2 and L1: the penalty by hand, its gradient against automatic differentiation, biases left alone."""

import numpy as np
import pytest

import deltarule as dr
from deltarule import trees
from deltarule.network.regularization import add_penalty_gradient, limit_norms, penalty
from engines import on, put

pytestmark = pytest.mark.usefixtures("float64")

LAYERS = [dr.Dense(1), dr.Flatten(), dr.Dense(1)]
PARAMS = [
    {"W": np.array([[1.0, -2.0]]), "b": np.array([5.0])},
    {},
    {"W": np.array([[3.0]]), "b": np.array([7.0])},
]


@pytest.fixture
def params(engine):
    return on(engine, PARAMS)


@pytest.mark.parametrize(
    ("l2", "l1", "expected"),
    [
        (None, None, 0),
        # (lambda/2N) sum w² = 0.8/8 (1 + 4 + 9)
        (0.8, None, 1.4),
        # (lambda/N) sum |w| = 0.8/4 (1 + 2 + 3)
        (None, 0.8, 1.2),
        (0.8, 0.8, 2.6),
        (0.0, 0.0, 0),
    ],
)
def test_the_penalty(params, l2, l1, expected):
    assert float(penalty(LAYERS, params, l2, l1, 4)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(("l2", "l1"), [(0.8, None), (None, 0.8), (0.3, 0.8)])
def test_the_gradient_is_the_derivative_of_the_penalty(engine, params, l2, l1):
    jax = pytest.importorskip("jax")
    zero = on(engine, trees.map_leaves(np.zeros_like, PARAMS))
    found = add_penalty_gradient(LAYERS, zero, params, l2, l1, 4)
    expected = jax.grad(lambda p: penalty(LAYERS, p, l2, l1, 4))(PARAMS)
    trees.map_leaves(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), found, expected)
    assert not np.asarray(found[0]["b"]).any()


def test_it_is_added(params):
    found = add_penalty_gradient(LAYERS, params, params, 4.0, None, 4)
    np.testing.assert_allclose(found[0]["W"], [[2, -4]])
    np.testing.assert_allclose(found[0]["b"], [5])


def test_no_strength_costs_nothing():
    assert add_penalty_gradient(LAYERS, PARAMS, PARAMS, None, None, 4) is PARAMS


def test_l1_leaves_a_weight_of_zero(engine):
    zero = on(engine, [{"W": np.zeros((1, 1)), "b": np.zeros(1)}])
    assert add_penalty_gradient(LAYERS[:1], zero, zero, None, 1.0, 1)[0]["W"].item() == 0


def test_max_norm_scales_long_rows_back(engine):
    W = put(engine, [[3.0, 4.0], [0.6, 0.8], [0.0, 0.0], [-6.0, 8.0]])
    found = limit_norms([dr.Dense(4), dr.Flatten()], [{"W": W, "b": put(engine, [9.0, 9.0, 9.0, 9.0])}, {}], 2.0)
    # Norms 5, 1, 0 and 10: the first and the last are cut to 2.
    np.testing.assert_allclose(found[0]["W"], [[1.2, 1.6], [0.6, 0.8], [0, 0], [-1.2, 1.6]], rtol=1e-6)
    np.testing.assert_array_equal(found[0]["b"], 9)
    assert found[1] == {}


def test_max_norm_of_a_filter_is_over_all_that_enters_it(engine):
    W = put(engine, np.ones((2, 3, 3, 1)))
    found = np.asarray(limit_norms([dr.Convolution(2, 3)], [{"W": W}], 1.5)[0]["W"])
    np.testing.assert_allclose(np.sqrt((found**2).sum(axis=(1, 2, 3))), 1.5, rtol=1e-6)


def test_no_limit_costs_nothing():
    assert limit_norms(LAYERS, PARAMS, None) is PARAMS
