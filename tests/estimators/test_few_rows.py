"""The NumPy way of a few rows gives what the network gives, for every activation, and is taken where it can be."""

import jax
import numpy as np
import pytest

import deltarule as dr
from deltarule.activations import ACTIVATIONS
from deltarule.estimators import few_rows

X = np.random.default_rng(0).normal(0, 3, (5, 4))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_every_activation_as_the_network_has_it(activation, float64):
    hidden = "tanh" if activation == "softmax" else activation
    net = dr.Network([dr.Dense(6, hidden), dr.Dense(3, activation)])
    params = jax.tree.map(np.asarray, net.init(1, (4,), "float64"))
    np.testing.assert_allclose(few_rows.outputs(net, params, X), net(params, X), rtol=1e-13, atol=1e-15)


def test_far_from_zero_nothing_overflows():
    for name, sigma in few_rows.SIGMA.items():
        with np.errstate(all="raise", under="ignore"):
            assert np.isfinite(sigma(np.array([[-1e4, 0.0, 1e4]]))).all(), name


def test_which_rows_are_few():
    net = dr.Network([dr.Dense(2, "tanh"), dr.Dense(1, "linear")])
    assert few_rows.are_few(net, np.zeros((few_rows.FEW_ROWS, 4)))
    assert not few_rows.are_few(net, np.zeros((few_rows.FEW_ROWS + 1, 4)))
    assert not few_rows.are_few(dr.Network([dr.Dropout(0.5), dr.Dense(1, "linear")]), np.zeros((1, 4)))


@pytest.mark.parametrize("kind", [dr.NetworkRegressor, dr.NetworkClassifier])
def test_an_estimator_predicts_the_same_row_by_row(kind, monkeypatch):
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(200, 3))
    y = (rows[:, 0] * rows[:, 1] > 0).astype(int)
    model = kind(hidden=(5,), trainer="sgd", regularization=None, epochs=2, random_state=0).fit(rows, y)
    one_by_one = np.concatenate([model._outputs(row[None]) for row in rows[:10]])
    np.testing.assert_allclose(one_by_one, model._outputs(rows)[:10], rtol=1e-12, atol=1e-14)
    monkeypatch.setattr(few_rows, "outputs", lambda *_: pytest.fail("200 rows are not few"))
    model.predict(rows)
