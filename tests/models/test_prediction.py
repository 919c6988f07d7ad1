"""Estimators predict by the network itself: every activation, one row or many, in NumPy's arrays, on any engine."""

import sys

import numpy as np
import pytest

import deltarule as dr
from deltarule.network.activations import ACTIVATIONS
from engines import off, on

X = np.random.default_rng(0).normal(0, 3, (5, 4))


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.usefixtures("float64")
def test_one_row_equals_a_row_of_many(engine, activation):
    hidden = "tanh" if activation == "softmax" else activation
    net = dr.Network([dr.Dense(6, hidden), dr.Dense(3, activation)])
    params = net.init(1, (4,), "float64")
    many = net(params, X)
    for i, row in enumerate(X):
        found = off(net(on(engine, params), row[None]))
        np.testing.assert_allclose(found, many[i : i + 1], rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("activation", sorted(set(ACTIVATIONS) - {"exponential"}))
def test_far_from_zero_nothing_overflows(activation):
    """Also where NumPy would warn; e^z alone is infinite there by right."""
    net = dr.Network([dr.Dense(3, activation)])
    params = [{"W": np.eye(3), "b": np.zeros(3)}]
    with np.errstate(all="raise", under="ignore"):
        assert np.isfinite(net(params, np.array([[-1e4, 0.0, 1e4]]))).all()


@pytest.mark.parametrize("kind", [dr.NetworkRegressor, dr.NetworkClassifier])
def test_an_estimator_predicts_the_same_row_by_row(kind, engine):
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(200, 3))
    y = (rows[:, 0] * rows[:, 1] > 0).astype(int)
    model = kind(hidden=(5,), trainer="sgd", regularization=None, epochs=2, random_state=0, engine=engine).fit(rows, y)
    assert model.engine_ == engine
    assert all(isinstance(array, np.ndarray) for layer in model.params_ for array in layer.values())
    one_by_one = np.concatenate([model._outputs(row[None]) for row in rows[:10]])
    np.testing.assert_allclose(one_by_one, model._outputs(rows)[:10], rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("trainer", ["lm", "adam"])
def test_both_engines_fit_the_same(trainer):
    """To rounding: the same starts, the same rows held out, the same order."""
    pytest.importorskip("jax", reason="JAX is not installed")
    rng = np.random.default_rng(2)
    rows = rng.normal(size=(120, 2))
    y = np.sin(rows[:, 0]) + rows[:, 1]
    options = {"hidden": (5,), "trainer": trainer, "regularization": "l2", "epochs": 4, "random_state": 0}
    one, other = (dr.NetworkRegressor(**options, engine=engine).fit(rows, y) for engine in ("numpy", "jax"))
    np.testing.assert_allclose(one.predict(rows), other.predict(rows), rtol=1e-4 if trainer == "adam" else 1e-9)


def test_partial_fit_sets_the_engine(engine):
    rows = np.random.default_rng(2).normal(size=(60, 2))
    model = dr.NetworkRegressor(hidden=(3,), trainer="adam", random_state=0, engine=engine)
    for _ in range(3):
        model.partial_fit(rows, rows[:, 0])
    assert model.engine_ == engine
    assert len(model.loss_curve_) == 3
    assert "jax" in sys.modules or engine == "numpy"
