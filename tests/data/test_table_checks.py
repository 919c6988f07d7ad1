import numpy as np
import pandas as pd
import pytest

from deltarule.data import CategoricalColumn, NumericColumn, Schema
from deltarule.data.table import load_table
from deltarule.data.table_checks import (
    constant_columns,
    count_extrapolated,
    few_rows_note,
    find_duplicates,
    find_leaks,
    find_missing_codes,
    identifier_columns,
    missing_code_notes,
    recommended_rows,
)


@pytest.fixture
def loaded(tmp_path):
    def loaded(target="y", count=200, **columns):
        path = tmp_path / "table.csv"
        pd.DataFrame({name: np.asarray(values)[:count] for name, values in columns.items()}).to_csv(path, index=False)
        return load_table(path, target=target)

    return loaded


@pytest.fixture
def draw():
    return np.random.default_rng(0)


def suspects(data):
    return find_leaks(data, find_duplicates(data))


def test_few_rows_are_counted_against_the_inputs(loaded, draw):
    columns = {f"x{i}": draw.normal(size=200) for i in range(10)} | {"y": draw.normal(size=200)}
    assert recommended_rows(loaded(**columns)) is None
    assert recommended_rows(loaded(count=60, **columns)) == 50
    assert recommended_rows(loaded(count=30, x0=columns["x0"], y=columns["y"])) == 30


def test_constant_columns_are_named(loaded, draw):
    data = loaded(x=draw.normal(size=200), flat=np.full(200, 3.5), y=draw.normal(size=200))
    assert constant_columns(data) == ("flat",)


@pytest.mark.parametrize(
    ("name", "values", "named"),
    [
        ("order", 5000 + np.random.default_rng(0).permutation(200), True),
        ("row", np.arange(200), True),
        ("customer_id", 977 * np.arange(200) + 13, True),
        ("PassengerId", 977 * np.arange(200) + 13, True),
        ("idle", 977 * np.arange(200) + 13, False),  # whole, and all different: perhaps populations
        ("order", np.arange(200) / 8, False),
        ("order", np.arange(200) // 2, False),
    ],
)
def test_different_whole_numbers_are_identifiers(loaded, draw, name, values, named):
    data = loaded(**{name: values}, x=draw.normal(size=200), y=draw.normal(size=200))
    assert identifier_columns(data) == ((name,) if named else ())
    assert (
        identifier_columns(loaded(**{name: values}, y=draw.normal(size=200))) == ()
    )  # the only input is meant to be one
    assert (
        identifier_columns(loaded(count=50, **{name: values}, x=draw.normal(size=200), y=draw.normal(size=200))) == ()
    )


def test_a_number_that_determines_the_target_is_a_leak(loaded, draw):
    y = draw.normal(size=200)
    data = loaded(x=y + draw.normal(size=200), fahrenheit=1.8 * y + 32, y=y)
    assert [leak.column for leak in suspects(data)] == ["fahrenheit"]
    near = loaded(x=draw.normal(size=200), rough=y + 0.1 * draw.normal(size=200), y=y)
    assert suspects(near) == ()


def test_a_category_that_determines_the_target_is_a_leak(loaded, draw):
    kind = np.array(["a", "b", "c"])[draw.integers(0, 3, 200)]
    values = {"a": 0.5, "b": 7.25, "c": -3.125}
    data = loaded(
        x=draw.normal(size=200), kind=kind, y=np.array([values[k] for k in kind]) + 1e-3 * draw.normal(size=200)
    )
    assert [leak.column for leak in suspects(data)] == ["kind"]


def test_a_column_that_determines_the_class_is_a_leak(loaded, draw):
    label = draw.integers(0, 2, 200)
    words = np.array(["no", "yes"])[label]
    data = loaded("label", x=draw.normal(size=200) + label, code=np.array(["n", "j"])[label], label=words)
    assert [(leak.column, leak.target) for leak in suspects(data)] == [("code", "label")]
    rare = np.where(np.arange(200) % 50 == 0, "yes", "no")  # the majority alone is right in 98 %
    assert suspects(loaded("label", x=draw.normal(size=200), z=draw.normal(size=200), label=rare)) == ()


def test_one_input_column_or_few_rows_give_no_leak(loaded, draw):
    x = draw.normal(size=200)
    assert suspects(loaded(x=x, y=2 * x)) == ()
    assert suspects(loaded(count=40, x=x, z=draw.normal(size=200), y=2 * x)) == ()


def test_duplicates_are_counted_and_are_no_leak(loaded, draw):
    x, z, noise = draw.normal(size=(3, 40))
    data = loaded(x=np.tile(x, 5), z=np.tile(z, 5), y=np.tile(x + noise, 5))
    found = find_duplicates(data)
    assert (found.count, found.rows) == (160, 200)
    assert found.test.mean() > 0.9
    trained = set(data.train.X[:, 0])
    assert found.validation.tolist() == [value in trained for value in data.validation.X[:, 0]]
    assert find_leaks(data, found) == ()


def test_equal_inputs_with_different_targets_are_no_duplicates(loaded, draw):
    data = loaded(x=np.zeros(100), z=np.tile([0.0, -0.0], 50), y=draw.normal(size=100))
    assert find_duplicates(data).count == 0
    assert find_duplicates(loaded(x=[0.0, -0.0, 0.0, 1.0, 2.0], y=[1.5, 1.5, 1.5, 2.5, 3.5])).count == 2


def test_a_note_about_very_few_rows(loaded, draw):
    data = loaded(x=draw.normal(size=12), y=draw.normal(size=12))
    assert f"only {len(data.train)} rows to train on" in " ".join(data.notes)
    assert few_rows_note(9)
    assert not few_rows_note(10)
    assert not any("to train on" in note for note in loaded(x=draw.normal(size=40), y=draw.normal(size=40)).notes)


RANDOM = np.random.default_rng(0)
CARBON = np.round(RANDOM.uniform(0.1, 11.9, 820), 1)
WIDE = np.round(RANDOM.gamma(2, 200, 820)) + 2


def with_codes(values, *codes):
    return np.concatenate([values, *(np.full(count, value) for value, count in codes)])


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        (with_codes(CARBON, (-200, 180)), [(-200, 180)]),
        (with_codes(CARBON, (-999.25, 2)), [(-999.25, 2)]),
        (with_codes(CARBON, (-999, 5), (-888, 3)), [(-999, 5), (-888, 3)]),
        (with_codes(CARBON, (-999, 5), (9999, 3)), [(-999, 5), (9999, 3)]),
        (with_codes(WIDE, (-200, 180)), [(-200, 180)]),  # near the others for their range, but the only ones below 0
        (with_codes(np.tile(np.arange(1, 6), 20), (99, 7)), [(99, 7)]),
    ],
)
def test_codes(values, codes):
    assert find_missing_codes(np.append(values, np.nan))[0] == codes


def test_a_note_about_a_code_has_its_count_and_the_range_of_other_values():
    columns = (("CO", with_codes(CARBON, (-200, 180))), ("NO", with_codes(CARBON, (-200, 5))), ("H", CARBON))
    (note,) = missing_code_notes(columns)
    others = f"others: {CARBON.min():g} to {CARBON.max():g}"
    for words in ("'CO' (180 of 1,000", others, "'NO' (5 of 825", "--na -200 and --missing drop"):
        assert words in note


@pytest.mark.parametrize(
    "values",
    [
        CARBON,
        WIDE,
        RANDOM.normal(size=500),
        RANDOM.standard_cauchy(size=500),  # far values, each once
        np.round(RANDOM.exponential(3, 500), 1),
        with_codes(RANDOM.uniform(500, 600, 100), (0, 50)),  # a machine that stands still
        RANDOM.integers(0, 2, 100).astype(float),
        RANDOM.choice([-1.0, 1.0], 100),
        RANDOM.choice([-40.0, 20.0, 25.0], 100),
        RANDOM.poisson(2, 500).astype(float),
        with_codes(CARBON, (-200, 1)),  # one value is an outlier
        np.full(50, np.nan),
    ],
)
def test_columns_without_codes(values):
    assert find_missing_codes(values)[0] == []
    assert missing_code_notes([("a", values)]) == ()


INPUTS = (
    NumericColumn("heat", 50.0, 25.0, 0.0, 100.0),
    CategoricalColumn("kind", ("a", "b")),
    NumericColumn("flat", 3.0, 1.0, 3.0, 3.0),
    NumericColumn("unknown", 0.0, 1.0),
)
SCHEMA = Schema("table", "regression", INPUTS, (NumericColumn("y", 0.0, 1.0),), None, ("y",))


def encoded(heat, flat=3.0, unknown=0.0):
    return [(heat - 50) / 25, 1.0, 0.0, flat - 3, unknown]


def outside(*rows, schema=SCHEMA):
    return count_extrapolated(schema, np.array(rows), 10 + np.arange(len(rows)))


def test_rows_within_the_range_and_its_margin_are_inside():
    assert outside(encoded(0), encoded(100), encoded(109.9), encoded(-9.9)) == (0, ())
    assert outside(encoded(50, unknown=1e9)) == (0, ())


def test_the_farthest_cell_is_named_in_its_unit():
    count, (note,) = outside(encoded(50), encoded(111), encoded(-150), encoded(10))
    assert count == 2
    for words in ("2 of 4 rows lie", "row 12", "-150 in 'heat'", "from 0 to 100"):
        assert words in note


def test_any_other_value_of_a_constant_column_is_extrapolated():
    count, (note,) = outside(encoded(50), encoded(50, flat=3.01))
    assert count == 1
    assert "row 11, with 3.01 in 'flat'" in note


def test_without_a_range_extrapolation_is_unknown():
    schema = Schema("table", "regression", INPUTS[1:2] + INPUTS[3:], SCHEMA.targets, None, ("y",))
    assert outside(np.zeros(schema.input_width), schema=schema) == (None, ())


def test_a_code_in_a_target_is_never_imputed():
    coded = with_codes(CARBON, (-200, 180))
    (note,) = missing_code_notes([("CO", coded), ("NO", coded)], targets=["NO"])
    assert "--na -200 and --missing drop" in note
    assert "impute" not in note
    assert "impute" in missing_code_notes([("CO", coded)], targets=["NO"])[0]
