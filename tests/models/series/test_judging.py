"""The verdict: errors by horizon beside the linear model and persistence, coverage, and when it says so."""

from dataclasses import replace

import numpy as np
import pytest

import deltarule as dr

pytest.importorskip("sklearn")
from deltarule.models.series.judging import evaluate, verdict


def series(steps, nonlinear, seed=0):
    random = np.random.default_rng(seed)
    u, y = np.repeat(random.normal(size=steps // 4 + 1), 4)[:steps], np.zeros(steps)
    for t in range(1, steps):
        y[t] = 0.7 * y[t - 1] + (np.tanh(2 * u[t - 1]) ** 2 if nonlinear else u[t - 1]) + 0.05 * random.normal()
    return u, y


@pytest.mark.parametrize("nonlinear", [True, False])
def test_a_linear_system_gives_a_warning(nonlinear):
    u, y = series(600, nonlinear)
    options = {"input_lags": 1, "output_lags": 1, "hidden": (4,), "members": 2, "restarts": 1, "random_state": 0}
    model = dr.NARXRegressor(training="open-loop", **options).fit(u[:300], y[:300])
    found = evaluate(model, (u[:300], y[:300]), (u[299:], y[299:]), 5)
    assert found.model.shape == found.linear.shape == found.coverage.shape == (5, 1)
    assert (found.model < found.persistence).all()
    assert (np.diff(found.persistence[:, 0]) > 0).all()
    assert (found.linear[-1] > 2 * found.model[-1]) == nonlinear
    assert 0.85 < found.coverage.mean() <= 1
    lines, warnings = verdict(model, found, 0.05)
    linear_wins = any("a linear model " in words for words in warnings)
    assert linear_wins == bool(found.linear[-1] <= found.model[-1])
    assert lines["lags"] == "outputs 1; inputs 1 steps back"
    assert set(found.record()) >= {"test_rmse_model", "test_rmse_linear_arx", "test_rmse_persistence", "test_coverage"}


def test_persistence_wins_on_a_random_walk():
    y = np.random.default_rng(2).normal(size=900).cumsum()
    model = dr.NARXRegressor(output_lags=2, hidden=(2,), training="open-loop", members=2, random_state=0)
    model.fit(None, y[:300])
    found = evaluate(model, (None, y[:300]), (None, y[298:]), 1)
    if found.persistence[-1] <= found.model[-1]:
        assert any("last measured value" in words for words in verdict(model, found, 0.0)[1])
    assert found.model[-1] < 1.2 * found.persistence[-1]


def test_the_error_has_its_unit_and_narrow_bands_give_a_warning():
    u, y = series(300, nonlinear=False)
    model = dr.NARXRegressor(
        input_lags=1, output_lags=1, hidden=(2,), training="open-loop", members=1, restarts=1, random_state=0
    ).fit(u, y)
    model.names_ = ("u",), ("level [mm]",)
    rms, coverage = np.array([0.7406]), np.full((5, 1), 0.95)
    found = evaluate(model, (u, y), (u, y), 5)
    lines, warnings = verdict(model, replace(found, free_run=rms, coverage=coverage), 0.05)
    assert "0.7406 mm" in lines["free run"]
    assert not any("bands" in words for words in warnings)
    model.names_ = ("u",), ("level",)
    lines, warnings = verdict(model, replace(found, free_run=rms, coverage=coverage - 0.16), 0.05)
    assert "0.7406 in the unit of level" in lines["free run"]
    assert any("only 79 % of the test measurements" in words for words in warnings)
