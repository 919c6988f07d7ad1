"""What the verdict says of regressions whose quality is known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.data.table import load_table
from deltarule.models.candidates import EFFORTS
from deltarule.models.judging import judge
from models.hand_set import known_noise, outcome_of, scores_of, slope


def test_a_good_regression(line):
    outcome = outcome_of(*slope(line), known_noise(2.0))
    verdict = judge(line, outcome, scores_of(line, outcome))
    assert "most of the variation of y (R² 0.9" in verdict.lines["quality"]
    assert verdict.lines["error"].endswith("the unit of y)")
    assert "nearly all noise" in verdict.lines["noise"]
    assert "95 % intervals hold 91.25 %" in verdict.lines["error bars"]
    assert verdict.lines["parameters"].startswith("the data use about 3 of the 40 ")
    assert verdict.lines["columns"].startswith("x 1")
    assert "no use seen: 'z'" in verdict.lines["columns"]
    assert verdict.warnings == []
    # In the unit of y: sqrt((2 · 10²) + 2²) - 2 with the column shuffled.
    assert verdict.importance["x"] == pytest.approx(np.sqrt(204) - 2, rel=0.1)
    assert verdict.importance["z"] == 0


def test_a_network_that_has_learnt_nothing(line):
    outcome = outcome_of(*slope(line, 0.0))
    verdict = judge(line, outcome, scores_of(line, outcome))
    assert "than the mean of y (R² -0.0" in verdict.lines["quality"]
    assert verdict.lines["columns"].startswith("none matters")
    assert "noise" not in verdict.lines


def test_an_error_far_above_the_noise(line):
    outcome = outcome_of(*slope(line, 0.5), known_noise(2.0))
    noise = judge(line, outcome, scores_of(line, outcome)).lines["noise"]
    assert noise.startswith("about 2 (")
    assert "test error is 2." in noise
    still = outcome_of(*slope(line), known_noise(1e-3))
    assert "next to none beside the 10" in judge(line, still, scores_of(line, still)).lines["noise"]


def test_overfitting_gives_a_warning(line):
    outcome = outcome_of(*slope(line))
    scores = scores_of(line, outcome)
    scores["training"] = {"rmse": 0.5, "r2": 0.99}
    (warning,) = judge(line, outcome, scores).warnings
    assert "times the fit error" in warning
    scores["training"] = {"rmse": 0.0, "r2": 1.0}
    (warning,) = judge(line, outcome, scores).warnings
    assert "exactly" in warning


def test_several_targets_have_a_line_each(tmp_path):
    random = np.random.default_rng(2)
    x = random.normal(size=200)
    path = tmp_path / "two.csv"
    pd.DataFrame({"x": x, "up": 5 * x + random.normal(size=200), "none": random.normal(size=200)}).to_csv(
        path, index=False
    )
    data = load_table(path, target="up,none")
    net = dr.Network([dr.Dense(2, "linear")])
    outcome = outcome_of(net, [{"W": np.array([[1.0], [0.0]]), "b": np.zeros(2)}], known_noise(1.0, 1.0))
    verdict = judge(data, outcome, scores_of(data, outcome))
    assert "variation of up" in verdict.lines["up: quality"]
    assert "than the mean of none" in verdict.lines["none: quality"]
    assert "in standard deviations" in verdict.lines["columns"]
    assert verdict.warnings == []
    scores = scores_of(data, outcome)
    scores["training"]["rmse_by_target"]["up"] /= 10
    (warning,) = judge(data, outcome_of(net, outcome.result.params), scores).warnings
    assert "error of up is 1" in warning


def test_the_unit_of_the_error(tmp_path):
    random = np.random.default_rng(0)
    x = random.normal(size=100)
    table = {"x": x, "z": x**2, "pressure [bar]": 10 * x + random.normal(size=100)}
    pd.DataFrame(table).to_csv(tmp_path / "p.csv", index=False)
    data = load_table(tmp_path / "p.csv", target="pressure [bar]")
    outcome = outcome_of(*slope(data))
    assert judge(data, outcome, scores_of(data, outcome)).lines["error"].endswith(", in bar)")


@pytest.mark.parametrize(("gamma", "more"), [(3.25, "will not"), (33.0, "may")])
def test_unused_parameters(line, gamma, more):
    outcome = outcome_of(*slope(line), replace(known_noise(2.0), gamma=gamma))
    words = judge(line, outcome, scores_of(line, outcome)).lines["parameters"]
    assert f"{gamma:.0f} of the 40 parameters" in words
    assert more in words


def changed(line, tmp_path, change):
    """`line` with other targets: y ↦ change(y, x)."""
    x, z = np.concatenate([part.X for part in (line.train, line.validation, line.test)]).T
    noise = 2 * np.random.default_rng(5).normal(size=400)
    path = tmp_path / "changed.csv"
    pd.DataFrame({"x": x, "z": z, "y": change(10 * x, noise)}).to_csv(path, index=False)
    return load_table(path, target="y")


def test_outliers_give_a_warning(line, tmp_path):
    def faults(y, noise):
        y = y + noise
        y[[5, 6]] = -9999, 4000
        return y

    data = changed(line, tmp_path, faults)
    net = dr.Network([dr.Dense(1, "linear")])
    x, y = data.schema.inputs[0], data.schema.targets[0]
    params = [{"W": np.array([[10 * x.std / y.std, 0.0]]), "b": np.array([(10 * x.mean - y.mean) / y.std])}]
    outcome = outcome_of(net, params, known_noise(500.0))
    verdict = judge(data, outcome, scores_of(data, outcome))
    (warning,) = (one for one in verdict.warnings if "usual error" in one)
    for words in (
        "2 rows (0.50 %) lie far",
        "100.00 % of the squared error",
        "row 5, where y is -9999 ",
        "quadratic cost",
    ):
        assert words in warning
    assert verdict.lines["noise"].startswith("about 500 ")
    assert float(verdict.lines["noise"].split()[-1]) == pytest.approx(2, rel=0.3)
    outcome = outcome_of(net, params, known_noise(1.0))  # of a noise with outliers, which does not grow by them
    noise = judge(data, outcome, scores_of(data, outcome)).lines["noise"]
    assert noise.startswith("about 1 ")
    assert "far rows" in noise


@pytest.mark.parametrize("offset", [0, 1000])
def test_unequal_errors_give_a_warning(line, tmp_path, offset):
    data = changed(line, tmp_path, lambda y, noise: offset + y + noise * np.where(y > 0, 1.5, 0.2))
    outcome = outcome_of(*slope(data), known_noise(2.0))
    (warning,) = (one for one in judge(data, outcome, scores_of(data, outcome)).warnings if "errors of y" in one)
    assert "are usually 0." in warning
    assert "too narrow for others" in warning
    assert ("its logarithm may be" in warning) == (offset > 0)


@pytest.mark.parametrize("share", [0.02, 0.1])
def test_shifted_rows_give_a_warning(share):
    random = np.random.default_rng(1)
    a, b = random.uniform(-2, 2, (2, 200))
    shifted = random.choice(200, int(200 * share), replace=False)
    y = np.sin(2 * a) + b / 2 + random.normal(0, 0.1, 200)
    y[shifted] += 5
    effort = replace(EFFORTS["default"], max_candidates=3)
    verdict = dr.fit_table(pd.DataFrame({"a": a, "b": b, "y": y}), "y", effort=effort).verdict
    (warning,) = (words for words in verdict.warnings if "far from the others" in words)
    assert len(shifted) <= int(warning.split()[0]) <= 1.5 * len(shifted)


def test_rows_with_imputed_cells_are_no_outliers():
    """Their errors are large because an input is unknown, not because they are faults."""
    rng = np.random.default_rng(0)
    x, z = rng.uniform(0, 10, (2, 300))
    y = 5 * x + z + 0.1 * rng.normal(size=300)
    table = pd.DataFrame({"x": np.where(np.arange(300) % 12, x, np.nan), "z": z, "y": y})
    with pytest.warns(UserWarning, match="imputed in 'x'"):
        verdict = dr.fit_table(table, "y", impute=True, epochs=30).verdict
    assert not any("far from the others" in words for words in verdict.warnings)


@pytest.mark.parametrize(("rows", "few"), [(12, True), (40, False)])
def test_a_handful_of_rows_says_nothing_of_noise_and_parameters(rows, few):
    x = np.arange(rows) % 9.0
    data = load_table(pd.DataFrame({"x": x, "y": 10.5 * x + np.arange(rows) % 4}), target="y")
    net = dr.Network([dr.Dense(1, "linear")])
    outcome = outcome_of(net, [{"W": np.ones((1, 1)), "b": np.zeros(1)}], known_noise(1e-82))
    lines = judge(data, outcome, scores_of(data, outcome)).lines
    too_few = f"{len(data.train)} training rows are too few to say anything of"
    for name in ("noise", "parameters"):
        assert lines[name].startswith(too_few) == few
    assert ("1e-82" in lines["noise"]) != few
