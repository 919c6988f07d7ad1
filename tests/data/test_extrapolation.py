import numpy as np

from deltarule.data import CategoricalColumn, NumericColumn, Schema
from deltarule.data.extrapolation import extrapolation, has_ranges

INPUTS = (
    NumericColumn("heat", 50.0, 25.0, 0.0, 100.0),
    CategoricalColumn("kind", ("a", "b")),
    NumericColumn("flat", 3.0, 1.0, 3.0, 3.0),
    NumericColumn("unknown", 0.0, 1.0),
)
SCHEMA = Schema("table", "regression", INPUTS, (NumericColumn("y", 0.0, 1.0),), None, ("y",))


def encoded(heat, flat=3.0, unknown=0.0):
    return [(heat - 50) / 25, 1.0, 0.0, flat - 3, unknown]


def test_rows_within_the_range_and_its_margin_are_inside():
    assert extrapolation(SCHEMA, np.array([encoded(0), encoded(100), encoded(109.9), encoded(-9.9)])) is None
    assert extrapolation(SCHEMA, np.array([encoded(50, unknown=1e9)])) is None


def test_the_farthest_cell_is_named_in_its_unit():
    found = extrapolation(SCHEMA, np.array([encoded(50), encoded(111), encoded(-150), encoded(10)]))
    assert found is not None
    assert found.rows == (1, 2)
    assert (found.column, found.place, found.low, found.high) == ("heat", 2, 0.0, 100.0)
    np.testing.assert_allclose(found.value, -150)


def test_a_constant_column_is_left_by_any_other_value():
    found = extrapolation(SCHEMA, np.array([encoded(50), encoded(50, flat=3.01)]))
    assert found is not None
    assert (found.rows, found.column) == ((1,), "flat")


def test_without_a_range_nothing_is_known():
    assert has_ranges(SCHEMA)
    assert not has_ranges(Schema("table", "regression", INPUTS[1:2] + INPUTS[3:], SCHEMA.targets, None, ("y",)))
