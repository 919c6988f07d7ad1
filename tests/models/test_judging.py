"""Verdicts on networks whose quality is known: what is said of the table, and how it is shown."""

import numpy as np
import pandas as pd

import deltarule as dr
from deltarule.data.table import load_table
from deltarule.models.judging import judge
from deltarule.models.verdict import Verdict
from models.hand_set import outcome_of, scores_of, slope


def test_suspicious_tables(tmp_path):
    random = np.random.default_rng(1)
    y = random.normal(size=140)
    table = {f"x{i}": random.normal(size=140) for i in range(22)} | {"leak": 3 * y, "flat": np.full(140, 2.5), "y": y}
    pd.DataFrame(table).to_csv(tmp_path / "t.csv", index=False)
    data = load_table(tmp_path / "t.csv", target="y")
    net = dr.Network([dr.Dense(1, "linear")])
    outcome = outcome_of(net, [{"W": np.eye(24)[22:23], "b": np.zeros(1)}])
    few, flat, leak = judge(data, outcome, scores_of(data, outcome)).warnings
    assert "98 training rows" in few
    assert "24 inputs" in few
    assert "120" in few
    assert "'flat' holds one value" in flat
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
    assert all(words in verdict.lines["quality"] for words in ("seen copies", "hardly better"))
    assert "200 of the 300 rows are copies" in verdict.warnings[0]
    assert "of the 45 test rows stand" in verdict.warnings[0]
    assert not any("almost exactly" in warning for warning in verdict.warnings)


def test_a_column_that_numbers_the_rows_is_named(tmp_path):
    random = np.random.default_rng(0)
    table = {"order": random.permutation(100) + 7000, "x": random.normal(size=100), "y": random.normal(size=100)}
    pd.DataFrame(table).to_csv(tmp_path / "orders.csv", index=False)
    data = load_table(tmp_path / "orders.csv", target="y")
    outcome = outcome_of(*slope(data))
    assert sum("'order'" in warning for warning in judge(data, outcome, scores_of(data, outcome)).warnings) == 1


def test_what_a_file_keeps_and_a_reader_sees(line):
    outcome = outcome_of(*slope(line))
    scores = scores_of(line, outcome)
    scores["training"] = {"rmse": 0.5, "r2": 0.99}
    verdict = judge(line, outcome, scores)
    assert Verdict.from_record(verdict.record()) == verdict
    assert Verdict.from_record({}) is None
    for shown in (str(verdict), verdict._repr_html_()):
        assert all(name in shown for name in (*verdict.lines, "warning"))
