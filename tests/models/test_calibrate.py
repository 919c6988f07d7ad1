"""`Model.calibrate`: error bars for a network that came without."""

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.errors import ConfigurationError, DataError
from imports.gen_function import NETS, write

RANDOM = np.random.default_rng(5)
NOISE = 2.5


@pytest.fixture
def model(tmp_path):
    return dr.from_matlab(write(NETS["two_hidden"], "net", tmp_path), targets=["u", "v"])


def measured(model, count):
    rows = pd.DataFrame(RANDOM.uniform(-1, 1, (count, 3)) * [1, 2, 3], columns=["x1", "x2", "x3"])
    rows[["u", "v"]] = model.predict(rows) + RANDOM.normal(0, NOISE, (count, 2))
    return rows


def test_intervals_contain_their_share_of_rows(model, tmp_path):
    rows, new = measured(model, 300), measured(model, 2000)
    known = model.calibrate(rows)
    np.testing.assert_array_equal(known.predict(new), model.predict(new))
    for coverage in (0.5, 0.95):
        low, high = known.predict_interval(new, coverage)
        inside = ((new[["u", "v"]] > low) & (new[["u", "v"]] < high)).to_numpy().mean()
        assert inside == pytest.approx(coverage, abs=0.03)
    known.save(tmp_path / "net.safetensors")
    again = dr.load_model(tmp_path / "net.safetensors")
    np.testing.assert_array_equal(again.predict_interval(new)[0], known.predict_interval(new)[0])


def test_targets_may_be_a_separate_argument(model):
    rows = measured(model, 100)
    X, Y = rows[["x1", "x2", "x3"]].to_numpy(), rows[["u", "v"]].to_numpy()
    wanted = model.calibrate(rows).predict_interval(X)[1]
    np.testing.assert_array_equal(model.calibrate(X, Y).predict_interval(X)[1], wanted)


def test_models_without_error_bars_are_refused(model, tmp_path):
    with pytest.raises(ConfigurationError, match="no error bars"):
        model.predict_interval([[0.0, 0.0, 0.0]])
    with pytest.raises(DataError, match="holds no targets"):
        model.calibrate([[0.0, 0.0, 0.0]])
    classes = dr.from_matlab(write(NETS["patternnet"], "classes", tmp_path))
    with pytest.raises(ConfigurationError, match="not a regression"):
        classes.calibrate([[0.0, 0.0, 0.0, 0.0]], [1])


def test_an_average_with_step_features_keeps_its_error_bars():
    draw = np.random.default_rng(0)
    person = np.repeat(np.arange(30.0), 8)
    table = pd.DataFrame({"person": person, "x": draw.normal(size=240)})
    table["y"] = draw.normal(size=30)[person.astype(int)] + 0.05 * draw.normal(size=240)
    averaged = dr.fit_table(table, target="y", seed=0)
    assert "with steps" in str(averaged.training["networks"])
    with pytest.raises(ConfigurationError, match="no error bars"):
        averaged.calibrate(table)
    assert np.isfinite(averaged.predict_interval(table)).all()
