"""Verdicts on networks whose quality is known, because their parameters are set by hand."""

import json
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.cli.metrics import measure
from deltarule.cli.outcome import Known, Outcome
from deltarule.cli.verdict import judge
from deltarule.data.table import load_table


def outcome_of(net, params, known=None) -> Any:
    return Outcome(SimpleNamespace(net=net), SimpleNamespace(params=params), known)  # pyright: ignore[reportArgumentType]


def scores_of(data, outcome):
    parts = {"training": data.train, "validation": data.validation, "test": data.test}
    net, params = outcome.plan.net, outcome.result.params
    return {part: measure(net, params, data.schema, one.X, one.Y) for part, one in parts.items()}


def known_noise(*std):
    ensemble: Any = SimpleNamespace(
        members=(None, None), weights=np.array([0.5, 0.5]), coverage=lambda X, Y: np.linspace(0.9125, 1, Y.shape[1])
    )
    return Known(ensemble, gamma=3.25, parameters=40, log_evidence=-12.5, noise_std=np.array(std))


@pytest.fixture(scope="module")
def line(tmp_path_factory):
    """y = 10 x + noise of 2; z says nothing."""
    random = np.random.default_rng(0)
    x, z = random.normal(size=(2, 400))
    path = tmp_path_factory.mktemp("verdict") / "line.csv"
    pd.DataFrame({"x": x, "z": z, "y": 10 * x + 2 * random.normal(size=400)}).to_csv(path, index=False)
    return load_table(path, target="y")


def slope(data, factor=1.0):
    """The line through the training rows, its slope times a factor."""
    W = np.linalg.lstsq(data.train.X, data.train.Y, rcond=None)[0].T * [[factor, 0.0]]
    return dr.Network([dr.Dense(1, "linear")]), [{"W": W, "b": np.zeros(1)}]


def test_a_good_regression(line):
    outcome = outcome_of(*slope(line), known_noise(2.0))
    verdict = judge(line, outcome, scores_of(line, outcome))
    assert "explains most of the variation of y (R² 0.9" in verdict.lines["quality"]
    assert verdict.lines["error"].endswith("(root mean square, in the unit of y)")
    assert "nearly all noise" in verdict.lines["noise"]
    assert verdict.lines["error bars"] == "95 % intervals hold 91.25 % of the validation and test rows"
    assert "3.2 of the 40 parameters of a start; the log evidence is -12.5" in verdict.lines["parameters"]
    assert verdict.lines["columns"].startswith("x 1")
    assert "no use seen: 'z'" in verdict.lines["columns"]
    assert verdict.warnings == []
    # In the unit of y: sqrt((2 · 10²) + 2²) - 2 with the column shuffled.
    assert verdict.importance["x"] == pytest.approx(np.sqrt(204) - 2, rel=0.1)
    assert verdict.importance["z"] == 0


def test_a_network_that_has_learnt_nothing(line):
    outcome = outcome_of(*slope(line, 0.0))
    verdict = judge(line, outcome, scores_of(line, outcome))
    assert "hardly better than the mean of y (R² -0.0" in verdict.lines["quality"]
    assert verdict.lines["columns"].startswith("none matters")
    assert "noise" not in verdict.lines


def test_an_error_far_above_the_noise(line):
    outcome = outcome_of(*slope(line, 0.5), known_noise(2.0))
    noise = judge(line, outcome, scores_of(line, outcome)).lines["noise"]
    assert noise.startswith("about 2 (standard deviation); the test error is 2.")
    still = outcome_of(*slope(line), known_noise(1e-3))
    assert "next to none beside the 10" in judge(line, still, scores_of(line, still)).lines["noise"]


def test_what_was_learnt_by_heart_is_a_warning(line):
    outcome = outcome_of(*slope(line))
    scores = scores_of(line, outcome)
    scores["training"] = {"rmse": 0.5, "r2": 0.99}
    (warning,) = judge(line, outcome, scores).warnings
    assert "times the fit error" in warning
    scores["training"] = {"rmse": 0.0, "r2": 1.0}
    assert judge(line, outcome, scores).warnings == ["the network fits its training rows exactly, and others not"]


def test_suspicious_tables(tmp_path):
    random = np.random.default_rng(1)
    y = random.normal(size=140)
    table = {f"x{i}": random.normal(size=140) for i in range(22)} | {"leak": 3 * y, "flat": np.full(140, 2.5), "y": y}
    pd.DataFrame(table).to_csv(tmp_path / "t.csv", index=False)
    data = load_table(tmp_path / "t.csv", target="y")
    net = dr.Network([dr.Dense(1, "linear")])
    outcome = outcome_of(net, [{"W": np.eye(24)[22:23], "b": np.zeros(1)}])
    few, flat, leak = judge(data, outcome, scores_of(data, outcome)).warnings
    assert "98 training rows are few for 24 inputs: at least 120" in few
    assert "'flat' holds one value in every training row" in flat
    assert "'leak' alone predicts 'y' almost exactly" in leak


def test_copies_of_training_rows_are_no_rows_it_has_not_seen(tmp_path):
    random = np.random.default_rng(3)
    x, y = random.normal(size=(2, 100))
    pd.DataFrame({"x": np.tile(x, 3), "z": np.tile(x * y, 3), "y": np.tile(y, 3)}).to_csv(
        tmp_path / "t.csv", index=False
    )
    data = load_table(tmp_path / "t.csv", target="y")
    outcome = outcome_of(*slope(data))
    verdict = judge(data, outcome, scores_of(data, outcome))
    assert verdict.lines["quality"].startswith("on the test rows, of which it has seen copies, the network is hardly")
    assert "200 of the 300 rows are copies of others, and 4" in verdict.warnings[0]
    assert "of the 45 test rows stand among the training rows too" in verdict.warnings[0]
    assert not any("almost exactly" in warning for warning in verdict.warnings)


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
    assert "explains most of the variation of up" in verdict.lines["up: quality"]
    assert "hardly better than the mean of none" in verdict.lines["none: quality"]
    assert "in standard deviations" in verdict.lines["columns"]
    assert verdict.warnings == []
    scores = scores_of(data, outcome)
    scores["training"]["rmse_by_target"]["up"] /= 10
    (warning,) = judge(data, outcome_of(net, outcome.result.params), scores).warnings
    assert warning.startswith("the test error of up is 1")


def test_a_classifier(tmp_path):
    """x tells the classes a and c apart; b is always taken for c."""
    random = np.random.default_rng(3)
    label = np.repeat(["a", "b", "c"], [200, 60, 140])
    x = np.where(label == "a", -1.0, 1.0) + 0.1 * random.normal(size=400)
    path = tmp_path / "letters.csv"
    pd.DataFrame({"x": x, "z": random.normal(size=400), "label": label}).to_csv(path, index=False)
    data = load_table(path, target="label")
    net = dr.Network([dr.Dense(3, "softmax")], "log-likelihood")
    params = [{"W": np.array([[-5.0, 0.0], [0.0, 0.0], [5.0, 0.0]]), "b": np.array([0.0, -9.0, 0.0])}]
    outcome = outcome_of(net, params)
    verdict = judge(data, outcome, scores_of(data, outcome))
    assert verdict.lines["accuracy"].startswith("fit 85.")
    assert verdict.lines["baseline"] == "always answering 'a' is right in 50.00 % of the test rows"
    assert verdict.lines["confused"].startswith("'b' is taken for 'c' in 18 of its 18 rows")
    assert verdict.lines["columns"].startswith("x 4")
    assert "no use seen: 'z'" in verdict.lines["columns"]
    always_a = outcome_of(net, [{"W": np.zeros((3, 2)), "b": np.array([1.0, 0.0, 0.0])}])
    verdict = judge(data, always_a, scores_of(data, always_a))
    assert "no better than answering the most frequent class always" in verdict.warnings[0]


def test_classes_without_a_test_row_are_named(tmp_path):
    random = np.random.default_rng(3)
    label = np.repeat(["a", "b", "c", "d"], [30, 2, 30, 1])
    path = tmp_path / "letters.csv"
    pd.DataFrame({"x": random.normal(size=63), "label": label}).to_csv(path, index=False)
    data = load_table(path, target="label")
    outcome = outcome_of(dr.Network([dr.Dense(4, "softmax")], "log-likelihood"), [{"W": np.eye(4, 1), "b": np.ones(4)}])
    warnings = judge(data, outcome, scores_of(data, outcome)).warnings
    assert "no test row is of 'b', 'd': the scores say nothing of them" in warnings


def test_the_panel_shows_every_line_and_warning(line, capsys):
    from rich.console import Console

    outcome = outcome_of(*slope(line))
    scores = scores_of(line, outcome)
    scores["training"] = {"rmse": 0.5, "r2": 0.99}
    verdict = judge(line, outcome, scores)
    Console(width=100).print(verdict.panel())
    shown = capsys.readouterr().out
    assert all(name in shown for name in (*verdict.lines, "warning"))
    assert set(verdict.record()) == {"verdict", "warnings", "importance"}


def changed(line, tmp_path, change):
    """`line` with other targets: y ↦ change(y, x)."""
    x, z = np.concatenate([part.X for part in (line.train, line.validation, line.test)]).T
    noise = 2 * np.random.default_rng(5).normal(size=400)
    path = tmp_path / "changed.csv"
    pd.DataFrame({"x": x, "z": z, "y": change(10 * x, noise)}).to_csv(path, index=False)
    return load_table(path, target="y")


def test_rows_far_off(line, tmp_path):
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
        "2 rows",
        "(0.50 %)",
        "100.00 % of the squared error",
        "data row 5, where y is -9999 ",
        "quadratic cost",
    ):
        assert words in warning
    assert verdict.lines["noise"].startswith("about 500 ")
    assert float(verdict.lines["noise"].split()[-1]) == pytest.approx(2, rel=0.3)


@pytest.mark.parametrize("share", [0.02, 0.05, 0.1])
def test_shifted_rows_are_warned_of_whatever_their_share(run, tmp_path, share):
    random = np.random.default_rng(1)
    a, b = random.uniform(-2, 2, (2, 200))
    shifted = random.choice(200, int(200 * share), replace=False)
    y = np.sin(2 * a) + b / 2 + random.normal(0, 0.1, 200)
    y[shifted] += 5
    pd.DataFrame({"a": a, "b": b, "y": y}).to_csv(tmp_path / "t.csv", index=False)
    record = json.loads(run("train", "t.csv", "--target", "y", "--json").out)
    (warning,) = (words for words in record["warnings"] if "far from the others" in words)
    assert len(shifted) <= int(warning.split()[0]) <= 1.5 * len(shifted)


@pytest.mark.parametrize("offset", [0, 1000])
def test_errors_that_grow(line, tmp_path, offset):
    data = changed(line, tmp_path, lambda y, noise: offset + y + noise * np.where(y > 0, 1.5, 0.2))
    outcome = outcome_of(*slope(data), known_noise(2.0))
    (warning,) = (one for one in judge(data, outcome, scores_of(data, outcome)).warnings if "errors of y" in one)
    assert "are usually 0." in warning
    assert "too wide for the ones and too narrow for the others" in warning
    assert ("its logarithm may be the better target" in warning) == (offset > 0)
