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


def test_many_duplicates_change_the_verdict(tmp_path):
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
    assert "of the 45 test rows are among" in verdict.warnings[0]
    assert not any("almost exactly" in warning for warning in verdict.warnings)


def test_an_identifier_column_gives_a_warning(tmp_path):
    random = np.random.default_rng(0)
    table = {"order": random.permutation(100) + 7000, "x": random.normal(size=100), "y": random.normal(size=100)}
    pd.DataFrame(table).to_csv(tmp_path / "orders.csv", index=False)
    data = load_table(tmp_path / "orders.csv", target="y")
    outcome = outcome_of(*slope(data))
    assert sum("'order'" in warning for warning in judge(data, outcome, scores_of(data, outcome)).warnings) == 1


def test_record_of_the_verdict(line):
    outcome = outcome_of(*slope(line))
    scores = scores_of(line, outcome)
    scores["training"] = {"rmse": 0.5, "r2": 0.99}
    verdict = judge(line, outcome, scores)
    assert Verdict.from_record(verdict.record()) == verdict
    assert Verdict.from_record({}) is None
    for shown in (str(verdict), verdict._repr_html_()):
        assert all(name in shown for name in (*verdict.lines, "warning"))


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
    assert "'a' is right in 50.00 %" in verdict.lines["baseline"]
    assert verdict.lines["confused"].startswith("'b' is taken for 'c' in 18 of")
    assert verdict.lines["recall"].startswith("'b' 0.00 %, 'a' 100.00 %, 'c' 100.00 %")
    assert "'a' 1.000" in verdict.lines["AUC"]
    assert verdict.importance["x"] > 1  # nats
    assert verdict.importance["z"] == 0
    assert "no use seen: 'z'" in verdict.lines["columns"]
    always_a = outcome_of(net, [{"W": np.zeros((3, 2)), "b": np.array([1.0, 0.0, 0.0])}])
    verdict = judge(data, always_a, scores_of(data, always_a))
    assert "the most frequent class" in verdict.warnings[0]


def churn(path, rare):
    """60 rows of "yes" among 1,500, which x makes ten times as likely where it is 1."""
    x = np.arange(1500) % 2
    yes = np.where(x == 1, np.arange(1500) % 13 < 1, np.arange(1500) % 130 < 1)
    table = {"x": x, "z": np.random.default_rng(0).normal(size=1500), "churn": np.where(yes, "yes", "no")}
    pd.DataFrame(table if rare else table | {"churn": np.where(x == 1, "yes", "no")}).to_csv(path, index=False)
    return load_table(path, target="churn")


def judged(data, weight):
    """The verdict on p(yes) = sigmoid(2 weight x - 4), x standardised: above a half only for a large weight."""
    net = dr.Network([dr.Dense(2, "softmax")], "log-likelihood")
    outcome = outcome_of(net, [{"W": np.array([[0.0, 0.0], [weight, 0.0]]), "b": np.array([0.0, -4.0])}])
    return judge(data, outcome, scores_of(data, outcome))


def test_a_rare_class_that_is_never_predicted(tmp_path):
    data = churn(tmp_path / "churn.csv", rare=True)
    share = data.train.Y[:, 1].mean()
    verdict = judged(data, 1.0)
    assert verdict.lines["recall"].startswith("'yes' 0.00 %, 'no' 100.00 %")
    # All but every eleventh "yes" have x = 1, and half of the "no": P(higher) + P(equal) / 2 is about 0.71.
    assert 0.65 < float(verdict.lines["AUC"].split()[0]) < 0.8
    assert verdict.importance["x"] > 0.01
    assert verdict.importance["z"] == 0
    (warning,) = verdict.warnings
    for number in (f"{100 * share:.2f} %", "'yes'", "0.00 %", verdict.lines["AUC"].split()[0], f"{share:.2g}"):
        assert number in warning


def test_no_warning_without_a_rare_class(tmp_path):
    (warning,) = judged(churn(tmp_path / "even.csv", rare=False), 9.0).warnings
    assert "'x' alone predicts 'churn'" in warning


def test_classes_without_test_rows_give_a_warning(tmp_path):
    random = np.random.default_rng(3)
    label = np.repeat(["a", "b", "c", "d"], [30, 2, 30, 1])
    path = tmp_path / "letters.csv"
    pd.DataFrame({"x": random.normal(size=63), "label": label}).to_csv(path, index=False)
    data = load_table(path, target="label")
    outcome = outcome_of(dr.Network([dr.Dense(4, "softmax")], "log-likelihood"), [{"W": np.eye(4, 1), "b": np.ones(4)}])
    warnings = judge(data, outcome, scores_of(data, outcome)).warnings
    assert any("is of 'b', 'd'" in words for words in warnings)


def test_a_single_training_row_is_named_in_the_singular():
    data = load_table(pd.DataFrame({"x": [1.0, 2.0, 3.0], "y": [2.0, 4.1, 5.9]}), target="y")
    net = dr.Network([dr.Dense(1, "linear")])
    outcome = outcome_of(net, [{"W": np.ones((1, 1)), "b": np.zeros(1)}])
    (few, *_) = judge(data, outcome, scores_of(data, outcome)).warnings
    assert few.startswith("1 training row is few for 1 input:")
