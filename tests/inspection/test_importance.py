import numpy as np

import deltarule as dr
from deltarule.data import CategoricalColumn, NumericColumn, Pixels, Schema
from deltarule.inspection.importance import ROWS, column_blocks, permutation_importance, sample_rows
from engines import on

INPUTS = (NumericColumn("x", 0.0, 1.0), CategoricalColumn("kind", ("a", "b")), NumericColumn("idle", 0.0, 1.0))
SCHEMA = Schema("table", "regression", INPUTS, (NumericColumn("y", 0.0, 1.0),), None, ("y",))


def test_a_linear_column_costs_what_its_weight_says(engine):
    random = np.random.default_rng(0)
    kind = random.integers(0, 2, 4000)
    X = np.stack([random.normal(size=4000), kind == 0, kind == 1, random.normal(size=4000)], axis=1).astype(float)
    params = [{"W": np.array([[3.0, -0.5, 0.5, 0.0]]), "b": np.zeros(1)}]
    Y = X @ params[0]["W"].T
    found = permutation_importance(dr.Network([dr.Dense(1, "linear")]), on(engine, params), SCHEMA, X, Y)
    assert list(found) == ["x", "kind", "idle"]
    np.testing.assert_allclose(found["x"], np.sqrt(2) * 3, rtol=0.03)  # the difference of two draws of 3 x
    np.testing.assert_allclose(found["kind"], np.sqrt(0.5), rtol=0.03)  # half of the rows move by 1
    assert abs(found["idle"]) < 1e-9


def test_a_column_of_a_rare_class_costs_log_loss_though_no_row_changes_its_class(engine):
    """p = 0.02 or 0.2 by x, so that every row is given the frequent class; shuffling x mixes the two."""
    x = np.repeat([0.0, 1.0], 2000)
    rare = np.concatenate([np.arange(2000) % 50 == 0, np.arange(2000) % 5 == 0])
    columns = (NumericColumn("x", 0.0, 1.0), NumericColumn("idle", 0.0, 1.0))
    schema = Schema("table", "classification", columns, (), ("no", "yes"), ("churn",))
    logits = np.log([0.02 / 0.98, 0.2 / 0.8])
    params = [{"W": np.array([[0, 0], [logits[1] - logits[0], 0]]), "b": np.array([0, logits[0]])}]
    net = dr.Network([dr.Dense(2, "softmax")], "log-likelihood")
    X = np.stack([x, np.arange(4000.0) % 7], axis=1)
    found = permutation_importance(net, on(engine, params), schema, X, np.eye(2)[rare.astype(int)])
    # with x shuffled, rows of true p are scored by 0.02 and 0.2 in equal shares
    right = np.mean([-p * np.log(p) - (1 - p) * np.log(1 - p) for p in (0.02, 0.2)])
    mixed = np.mean([-p * np.log(q) - (1 - p) * np.log(1 - q) for p in (0.02, 0.2) for q in (0.02, 0.2)])
    np.testing.assert_allclose(found["x"], mixed - right, rtol=0.15)
    assert found["idle"] == 0


def test_columns_know_their_inputs():
    assert {name: block for name, (_, block) in column_blocks(SCHEMA).items()} == {
        "x": slice(0, 1), "kind": slice(1, 3), "idle": slice(3, 4)
    }  # fmt: skip
    digits = Schema("digits", "classification", (Pixels(4, 16.0, (2, 2)),), (), (0, 1), ("digit",))
    assert column_blocks(digits) == {}


def test_the_same_rows_are_chosen_each_time():
    assert len(sample_rows(5000)) == ROWS
    assert (sample_rows(5000) == sample_rows(5000)).all()
    assert sorted(sample_rows(7)) == list(range(7))
