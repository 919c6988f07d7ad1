import time

import numpy as np
import pytest

import deltarule as dr
from deltarule.data.dataset import Examples
from deltarule.models.candidates import SearchResult
from deltarule.models.fitting import draw_rows, fit, run
from deltarule.models.planning import make_plan
from deltarule.models.recipe import Problem, Recipe
from deltarule.models.scaling import Scaling
from deltarule.models.weighted_rows import hold_out, merge_duplicates

NONE = SearchResult([], np.ones(0), -np.inf, [])


def planned(rows, **options):
    recipe = Recipe(hidden=(3,), trainer=dr.LevenbergMarquardt(l2=0.1), patience=3, **options)
    return make_plan(recipe, Problem("y", "regression", 2, 1, len(rows), rows.X, rows.Y, [1.0], shifted=False))


def test_validation_rows_stop_the_training_and_their_weights_count():
    random = np.random.default_rng(0)
    X = random.normal(size=(40, 2))
    rows = merge_duplicates(X, random.normal(size=(40, 1)), random.uniform(0.5, 2, 40))
    training, validation = (part.as_examples() for part in hold_out(rows, 0.3, 0))
    plan = planned(training, epochs=30, regularization="early-stopping")
    result = run(plan, training, validation, seed=0)
    assert result.stop_reason == "max_fail"
    best = np.asarray(plan.net(result.params, validation.X))[:, 0]
    cost = np.average(0.5 * (best - validation.Y[:, 0]) ** 2, weights=validation.weights)
    assert cost == pytest.approx(result.history["validation_cost"].min(), rel=1e-12)


def test_without_validation_rows_all_epochs_run_or_a_minimum_is_reached():
    random = np.random.default_rng(0)
    rows = merge_duplicates(random.normal(size=(40, 2)), random.normal(size=(40, 1)), None).as_examples()
    result = run(planned(rows, epochs=5, regularization=None), rows, None, seed=0)
    assert result.stop_reason == "epochs"
    assert "validation_cost" not in result.history


def test_an_interpolating_network_is_dropped_beside_others():
    """It has no error left, and none that (LOO) could see; the intervals of the others hold most new rows."""
    held = []
    for seed in range(3):
        random = np.random.default_rng(seed)
        X = random.uniform([8, 2], [16, 10], (210, 2))
        y = 0.042 * X[:, 0] ** 2 - 0.03 * X[:, 1] ** 2 + random.normal(0, 0.05, 210)
        low, high = dr.NetworkRegressor(random_state=0).fit(X[:10], y[:10]).predict_interval(X[10:], coverage=0.95)
        held.append(np.mean((low <= y[10:]) & (y[10:] <= high)))
    assert np.mean(held) > 0.8


@pytest.mark.parametrize("limit", [0.0, 1e-9])
def test_a_time_limit_of_zero_trains_one_epoch(limit):
    rows = merge_duplicates(np.linspace(-1, 1, 40)[:, None], np.linspace(-1, 1, 40)[:, None] ** 2, None)
    plan = make_plan(Recipe(), Problem("y", "regression", 1, 1, 40, rows.X, rows.Y, [1.0], shifted=False))
    assert plan.candidates
    outcome = fit(plan, rows.as_examples(), None, Scaling.fit(rows.Y, rows.weight), time_limit=limit, seed=0)
    assert (outcome.result.epochs, outcome.result.stop_reason) == (1, "time")
    assert outcome.result.message.startswith(f"the time limit of {limit} s ")


def test_the_seconds_are_those_of_all_candidates():
    X = np.linspace(-1, 1, 40)[:, None]
    rows = merge_duplicates(X, np.sin(3 * X) + np.random.default_rng(0).normal(0, 0.1, X.shape), None)
    plan = make_plan(Recipe(), Problem("y", "regression", 1, 1, 40, rows.X, rows.Y, [1.0], shifted=False))
    times = []
    callbacks = [lambda record: times.append(time.perf_counter())]
    scaling = Scaling.fit(rows.Y, rows.weight)
    outcome = fit(plan, rows.as_examples(), None, scaling, callbacks=callbacks, seed=0)
    assert len(plan.candidates) > 1
    assert outcome.result.seconds >= times[-1] - times[0]


@pytest.mark.parametrize("estimator", [dr.NetworkRegressor, dr.NetworkClassifier])
def test_after_an_interruption_in_the_first_epoch_the_start_is_kept(estimator, monkeypatch):
    """Interrupted in the first epoch: the network is the first candidate's, and predicts."""
    X = np.random.default_rng(0).normal(size=(60, 2))
    monkeypatch.setattr("deltarule.models.fitting.search", lambda candidates, fit, *_: (fit(candidates[0], 0), NONE)[1])
    model = estimator(random_state=0).fit(X, X[:, 0] > 0)
    assert np.isfinite(np.asarray(model.predict(X), float)).all()


def test_draw_rows_by_weight_with_rare_values():
    X = np.zeros((2_000, 2))
    X[:, 0] = np.arange(2_000)
    X[[3, 70], 1] = 1.0  # a category of two rows
    weights = np.ones(2_000)
    weights[-50:] = 1_000.0
    examples = Examples(X, X[:, :1], np.arange(2_000), weights)
    some = draw_rows(examples, 200, seed=0)
    assert 200 <= len(some) <= 202
    assert {3, 70} <= set(some.rows)
    assert set(range(1_950, 2_000)) <= set(some.rows)
    assert some.weights is not None
    assert (some.weights >= 1).all()
    assert some.weights[-1] == pytest.approx(1_000 * 200 / weights.sum())
    np.testing.assert_array_equal(some.rows, draw_rows(examples, 200, seed=0).rows)
    assert len(set(draw_rows(examples, 200, seed=1).rows) & set(some.rows)) < 200
