"""A regression whose target calls for its logarithm: chosen, and what every consumer then says."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError
from deltarule.models.candidates import EFFORTS

SOME = replace(EFFORTS["default"], max_candidates=4)


def rows(count, seed):
    draw = np.random.default_rng(seed)
    X = draw.normal(size=(count, 3))
    return X, 50 * np.exp(X[:, 0] + 0.5 * np.sin(2 * X[:, 1]) + 0.3 * draw.normal(size=count))


@pytest.fixture(scope="module")
def model():
    return dr.NetworkRegressor(effort=SOME, random_state=0).fit(*rows(250, 0))


def test_the_logarithm_is_chosen(model):
    assert model.ensemble_.log is not None
    assert "logarithm" in model.networks_


def test_the_logarithm_predicts_better(model):
    X, y = rows(500, 1)
    plain = dr.NetworkRegressor(effort=replace(SOME, tries_logarithm=False), random_state=0).fit(*rows(250, 0))
    assert plain.ensemble_.log is None
    own, other = (np.mean((one.predict(X) - y) ** 2) for one in (model, plain))
    assert own < other
    assert model.log_density(X, y).mean() > plain.log_density(X, y).mean() + 0.1


def test_intervals_are_asymmetric(model):
    X, y = rows(2000, 2)
    low, high = model.predict_interval(X)
    assert 0.92 < np.mean((low <= y) & (y <= high)) < 0.98
    assert low.min() > 0
    middle = np.sqrt(low * high)
    assert (high - middle > middle - low).all()
    mean, std = model.predict(X, return_std=True)
    np.testing.assert_allclose(mean, model.predict(X), rtol=1e-9)
    # ln y has a noise of 0.3, so y one of sqrt(e^0.09 - 1) = 0.307 of its mean.
    assert np.median(std / mean) == pytest.approx(0.31, abs=0.05)


def test_a_normal_target_is_not_transformed():
    draw = np.random.default_rng(5)
    X = draw.normal(size=(200, 2))
    assert (
        dr.NetworkRegressor(effort=SOME, random_state=0).fit(X, 100 + X[:, 0] + draw.normal(size=200)).ensemble_.log
        is None
    )


def test_a_model_file_gives_the_same_predictions(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    read, (X, _) = dr.load_model(tmp_path / "m.safetensors"), rows(30, 3)
    np.testing.assert_allclose(read.predict(X), model.predict(X), rtol=1e-12)
    for own, stored in zip(model.predict_interval(X, 0.8), read.predict_interval(X, 0.8), strict=True):
        np.testing.assert_allclose(stored, own, rtol=1e-12)


def test_exports_predict_the_same_without_error_bars(model, tmp_path):
    (X, _), path = rows(30, 3), tmp_path / "m.py"
    dr.export_model(model, path, "python")
    found = {}
    exec(path.read_text(), found)
    np.testing.assert_allclose(np.ravel(found["predict"](X)), model.predict(X), rtol=1e-10)
    with pytest.raises(ConfigurationError, match="logarithm"):
        dr.export_model(model, tmp_path / "m.c", "c", error_bars=True)


def test_a_second_fit_starts_again(model):
    again = dr.NetworkRegressor(warm_start=True, random_state=0).fit(*rows(250, 0))
    assert np.isfinite(again.fit(*rows(250, 1)).predict(rows(10, 2)[0])).all()


def table(count, seed):
    X, y = rows(count, seed)
    return pd.DataFrame(X, columns=["a", "b", "c"]).assign(y=y)


def test_the_verdict_has_relative_noise_and_outliers():
    plain = dr.fit_table(table(300, 0), target="y", effort=SOME, seed=0)
    noise = float(plain.verdict.lines["noise"].split("%")[0].split()[-1])
    assert noise == pytest.approx(31, abs=4)  # of the mean
    assert not any("far" in warning for warning in plain.verdict.warnings)
    faulty = table(300, 0)
    faulty.loc[7, "y"] *= 1000
    warnings = dr.fit_table(faulty, target="y", effort=SOME, seed=0).verdict.warnings
    assert any("far from the others" in words for words in warnings)


def test_calibration_of_the_intervals(model, tmp_path):
    model.save(tmp_path / "m.safetensors")
    X, y = rows(2000, 2)
    below = model.ensemble_.probability(model.x_scaling_.encode(X), model.y_scaling_.encode(y[:, None]))[:, 0]
    for share in (0.5, 0.95):
        low, high = model.predict_interval(X, share)
        assert np.mean(np.abs(2 * below - 1) <= share) == pytest.approx(np.mean((low <= y) & (y <= high)), abs=1e-9)
        assert np.mean(np.abs(2 * below - 1) <= share) == pytest.approx(share, abs=0.05)


def test_far_inputs_stay_finite(model):
    assert all(len(net.layers) > 1 for net in model.ensemble_.nets)  # no linear one, whose exponential has no bounds
    far = np.array([[30.0, 0.0, 0.0], [-1e6, 1e6, 0.0]])
    assert (model.predict(far) < 1e6).all()
    assert np.isfinite(model.predict_interval(far)).all()


def test_few_rows_are_not_transformed():
    assert dr.NetworkRegressor(random_state=0).fit(*rows(25, 0)).ensemble_.log is None


def test_partial_fit_after_fit():
    model = dr.NetworkRegressor(trainer="auto", effort=SOME, random_state=0).fit(*rows(250, 0))
    model.set_params(trainer="adam")
    for _ in range(3):
        model.partial_fit(*rows(250, 0))
    assert np.isfinite(model.predict(rows(10, 1)[0])).all()
