import numpy as np

import deltarule as dr
from deltarule.data import CategoricalColumn, NumericColumn, Pixels, Schema
from deltarule.inspection.importance import ROWS, chosen_rows, column_blocks, permutation_importance

INPUTS = (NumericColumn("x", 0.0, 1.0), CategoricalColumn("kind", ("a", "b")), NumericColumn("idle", 0.0, 1.0))
SCHEMA = Schema("table", "regression", INPUTS, (NumericColumn("y", 0.0, 1.0),), None, ("y",))


def test_a_linear_column_costs_what_its_weight_says():
    random = np.random.default_rng(0)
    kind = random.integers(0, 2, 4000)
    X = np.stack([random.normal(size=4000), kind == 0, kind == 1, random.normal(size=4000)], axis=1).astype(float)
    params = [{"W": np.array([[3.0, -0.5, 0.5, 0.0]]), "b": np.zeros(1)}]
    Y = X @ params[0]["W"].T
    found = permutation_importance(dr.Network([dr.Dense(1, "linear")]), params, SCHEMA, X, Y)
    assert list(found) == ["x", "kind", "idle"]
    np.testing.assert_allclose(found["x"], np.sqrt(2) * 3, rtol=0.03)  # the difference of two draws of 3 x
    np.testing.assert_allclose(found["kind"], np.sqrt(0.5), rtol=0.03)  # half of the rows move by 1
    assert abs(found["idle"]) < 1e-9


def test_columns_know_their_inputs():
    assert {name: block for name, (_, block) in column_blocks(SCHEMA).items()} == {
        "x": slice(0, 1), "kind": slice(1, 3), "idle": slice(3, 4)
    }  # fmt: skip
    digits = Schema("digits", "classification", (Pixels(4, 16.0, (2, 2)),), (), (0, 1), ("digit",))
    assert column_blocks(digits) == {}


def test_the_same_rows_are_chosen_each_time():
    assert len(chosen_rows(5000)) == ROWS
    assert (chosen_rows(5000) == chosen_rows(5000)).all()
    assert sorted(chosen_rows(7)) == list(range(7))
