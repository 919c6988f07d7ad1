from dataclasses import replace

import numpy as np
import pytest
from sklearn.base import clone

import deltarule as dr
from deltarule.errors import ConfigurationError, DataError, ShapeError
from deltarule.models.candidates import EFFORTS


def test_two_warm_fits_equal_one_training(regression):
    X, y = regression
    settings = {"hidden": (5,), "trainer": "gd", "regularization": None, "random_state": 0}
    whole = dr.NetworkRegressor(**settings, epochs=60).fit(X, y)
    parts = dr.NetworkRegressor(**settings, epochs=30, warm_start=True).fit(X, y)
    assert parts.fit(X, y).n_iter_ == 30
    error = np.abs(parts.predict(X) - whole.predict(X)).max() / y.std()
    assert error < 1e-5  # float32
    assert parts.loss_curve_ == pytest.approx(whole.loss_curve_[30:], rel=1e-5)


def test_without_warm_start_a_fit_starts_again(regression):
    model = dr.NetworkRegressor(hidden=(3,), epochs=5, random_state=0).fit(*regression)
    first = model.predict(regression[0])
    np.testing.assert_array_equal(model.fit(*regression).predict(regression[0]), first)


def test_the_scaling_stays_that_of_the_first_fit(regression):
    X, y = regression
    model = dr.NetworkRegressor(hidden=(3,), regularization="l2", epochs=5, warm_start=True, random_state=0)
    first = model.fit(X, y).x_scaling_
    moved = X + np.array([500, 0])
    second = model.fit(moved, y).x_scaling_
    assert (second.mean == first.mean).all()
    assert (second.std == first.std).all()
    assert second.high[0] == first.high[0] + 500
    assert clone(model).fit(moved, y).x_scaling_.mean[0] == pytest.approx(first.mean[0] + 500)


def test_an_average_continues_from_its_heaviest_member(regression):
    X, y = regression
    model = dr.NetworkRegressor(hidden=(4,), epochs=30, warm_start=True, random_state=0).fit(X, y)
    before = model.log_evidence_
    model.fit(X, y)
    assert model.regularization_ == "bayesian"
    assert model.ensemble_.log_evidence.max() >= before - 1e-6
    model.set_params(trainer="adam").fit(X, y)  # which has no ensemble
    assert model.net_.layers[0].n == 4
    assert model.score(X, y) > 0.95


def test_a_candidate_without_step_features_continues(regression):
    X, y = regression
    model = dr.NetworkRegressor(random_state=0).fit(X, y)
    model.set_params(warm_start=True, epochs=3).fit(X, y)
    assert model.score(X, y) > 0.95


def test_a_classifier_continues(classification):
    X, y = classification
    model = dr.NetworkClassifier(hidden=(4,), epochs=3, warm_start=True, random_state=0)
    scores = [model.fit(X, y).loss_curve_[-1] for _ in range(15)]
    assert scores[-1] < 0.5 * scores[0]
    with pytest.raises(DataError, match="'elm'"):
        model.fit(X, np.where(y == "oak", "elm", y))


def test_another_network_is_refused(regression):
    model = dr.NetworkRegressor(hidden=(3,), regularization="l2", epochs=3, warm_start=True).fit(*regression)
    with pytest.raises(ShapeError):
        model.set_params(hidden=(4,)).fit(*regression)


def test_one_of_several_classifiers_continues(classification):
    """Of the default's average, which may hold deep networks and some with steps, the best that has none."""
    X, y = classification
    model = dr.NetworkClassifier(effort=replace(EFFORTS["default"], max_candidates=5), random_state=0).fit(X, y)
    sizes = [len(p["b"]) for p in model._warm[1]]
    model.set_params(warm_start=True, epochs=3).fit(X, y)
    assert model.params_[0]["W"].shape[1] == 2
    assert [layer.n for layer in model._warm[0].layers] == sizes
    assert model.score(X, y) > 0.9


def test_partial_fit_and_fit_continue_from_an_average(classification):
    X, y = classification
    model = dr.NetworkClassifier(effort="quick", epochs=20, random_state=0).fit(X, y).set_params(trainer="adam")
    sizes = [len(p["b"]) for p in model.partial_fit(X, y).params_]
    model.set_params(warm_start=True, epochs=2).fit(X, y)
    assert [len(p["b"]) for p in model.params_] == sizes


def test_effort_is_checked_with_warm_start(regression):
    with pytest.raises(ConfigurationError, match="effort"):
        dr.NetworkRegressor(effort="nonsense", warm_start=True).fit(*regression)
