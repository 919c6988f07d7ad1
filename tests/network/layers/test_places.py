"""Weights that places share, against the sums written out."""

import numpy as np
import pytest

from deltarule.network.layers import places
from engines import on

pytestmark = pytest.mark.usefixtures("float64")


def drawn(P, n_in=3, n=4):
    draw = np.random.default_rng(P)
    return [draw.normal(size=(m, P, n_in)) for m in (2, 5)], [draw.normal(size=(m, 2, P, n)) for m in (2, 5)]


def rows_of(a, delta):
    """dW of every residual, (m k, n n_in), one place after the other."""
    m, k, P, _ = delta.shape
    found = []
    for i in range(m):
        for o in range(k):
            found.append(sum(np.outer(delta[i, o, p], a[i, p]) for p in range(P)).ravel())
    return np.array(found)


@pytest.mark.parametrize("P", [1, 2, 7])
def test_rows_of_the_jacobian_and_their_squares(P, engine):
    a, delta = drawn(P)
    expected = rows_of(a[0], delta[0])
    ours = on(engine, (a[0], delta[0]))
    np.testing.assert_allclose(places.jacobian_rows(*ours), expected.T, rtol=1e-12)
    np.testing.assert_allclose(np.ravel(places.squares(*ours)), (expected**2).sum(axis=0), rtol=1e-12)
    db = delta[0].sum(axis=2).reshape(-1, 4)
    np.testing.assert_allclose(places.bias_rows(ours[1]), db.T, rtol=1e-12)
    np.testing.assert_allclose(places.bias_squares(ours[1]), (db**2).sum(axis=0), rtol=1e-12)


@pytest.mark.parametrize(("P", "n_in", "n"), [(1, 3, 4), (2, 30, 20), (7, 3, 4)])
def test_the_gram_in_both_forms(P, n_in, n, engine):
    """Of one place and of 2 of 20 x 30 weights it is taken over pairs of places, of 7 neuron by neuron."""
    a, delta = drawn(P, n_in, n)
    rows = [rows_of(*each) for each in zip(a, delta, strict=True)]
    expected = (rows[0] @ rows[1].T).reshape(2, 2, 5, 2)
    a, delta = on(engine, (a, delta))
    np.testing.assert_allclose(places.gram(a, delta), expected, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(places._over_pairs(a, delta), expected, rtol=1e-10, atol=1e-12)


def test_the_products_at_places_are_those_of_rows(engine):
    (a, _), _ = drawn(5)
    W, delta = np.random.default_rng(1).normal(size=(4, 3)), np.random.default_rng(2).normal(size=(2, 5, 4))
    ours = on(engine, (W, a, delta))
    np.testing.assert_allclose(places.product(*ours[:2]), np.einsum("jk,mpk->mpj", W, a), rtol=1e-12)
    np.testing.assert_allclose(places.transposed(ours[0], ours[2]), np.einsum("jk,mpj->mpk", W, delta), rtol=1e-12)
    np.testing.assert_allclose(places.outer(ours[1], ours[2]), np.einsum("mpj,mpk->jk", delta, a), rtol=1e-12)


def test_unit_tangents_by_hand(engine):
    a, e = on(engine, (np.array([[[2.0, 3.0]]]), np.eye(2)))  # one example, one place, two inputs, two neurons
    # z_j = sum_k W_jk a_k: the weight (0, 0) moves z by (2, 0), (0, 1) by (3, 0), (1, 0) by (0, 2), (1, 1) by (0, 3)
    found = places.units(a, e)
    assert np.asarray(found)[:, 0, 0].tolist() == [[2, 0], [3, 0], [0, 2], [0, 3]]
