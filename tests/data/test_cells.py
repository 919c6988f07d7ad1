"""One table column, however pandas stores it, is one of six kinds."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from deltarule.data.cells import (
    as_numbers,
    as_objects,
    decimal_sign,
    find_column,
    format_value,
    format_values,
    is_missing_mark,
    kind_of,
    looks_like_number,
    parse_numbers,
    read_units_row,
    split_unit,
    with_suffix,
    with_unit,
)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (pd.Series([1, 2]), "numeric"),
        (pd.Series([1.5, None]), "numeric"),
        (pd.Series([1, None], dtype="Int64"), "numeric"),
        (pd.Series([1, 2], dtype="category"), "numeric"),
        (pd.Series([decimal.Decimal("1.5"), None]), "numeric"),
        (pd.Series([True, False]), "boolean"),
        (pd.Series([True, None], dtype=object), "boolean"),
        (pd.Series([True, None], dtype="boolean"), "boolean"),
        (pd.Series(["a", None]), "text"),
        (pd.Series(["a", None], dtype=object), "text"),
        (pd.Series(["a", "b"], dtype="category"), "text"),
        (pd.Series(["2020-01-01", "b"]), "text"),
        (pd.Series(pd.to_datetime(["2020-01-01", None])), "date"),
        (pd.Series(["2020-01-01", "2021-12-31 10:00"]), "date"),
        (pd.Series(["31.1.2020", "01.02.2020"]), "date"),
        (pd.Series(["1/31/2020 9:30", "02/01/2020"]), "date"),
        (pd.Series(["1.2/2020", "1.2.2020"]), "text"),
        (pd.Series([1.5, "?", None], dtype=object), "text"),  # a sheet's numbers with a stray text among them
        (pd.Series([datetime.date(2020, 1, 1)]), "date"),
        (pd.Series([None, None]), "empty"),
        (pd.Series([], dtype=float), "empty"),
        (pd.Series([b"a"]), "other"),
        (pd.Series([1j]), "other"),
        (pd.Series([[1], [2]]), "other"),
    ],
)
def test_the_kind_of_a_column(cells, kind):
    assert kind_of(cells) == kind


def test_numbers_are_nan_for_missing_cells():
    assert np.array_equal(as_numbers(pd.Series(["1", "x", None])), [1, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(as_numbers(pd.Series([True, None], dtype="boolean")), [1, np.nan], equal_nan=True)
    assert as_numbers(pd.Series([decimal.Decimal("1.5")])).tolist() == [1.5]


def test_objects_are_none_for_missing_cells():
    assert as_objects(pd.Series([1, None], dtype="Int64")) == [1, None]
    assert as_objects(pd.Series(["a", np.nan])) == ["a", None]


def test_long_values_are_shortened():
    assert format_value(np.float64(1.5)) == "1.5"
    assert len(format_value("x" * 100)) == 40
    assert format_values(list("abc"), limit=2) == "'a', 'b' and 1 more"


@pytest.mark.parametrize(
    ("name", "bare", "unit"),
    [
        ("pressure [bar]", "pressure", "bar"),
        ("pressure[bar]", "pressure", "bar"),
        ("T (°C)", "T", "°C"),
        ("flow [m^3/s] ", "flow", "m^3/s"),
        ("Fx, N", "Fx, N", None),
        ("log(x)", "log(x)", None),
        ("ratio [-]", "ratio", None),
        ("a [b] c", "a [b] c", None),
        ("[bar]", "[bar]", None),
        ("mean (old) [K]", "mean (old)", "K"),
    ],
)
def test_a_name_and_its_unit(name, bare, unit):
    assert split_unit(name) == (bare, unit)


def test_a_unit_is_written_once():
    assert with_unit("p", "bar") == "p [bar]"
    assert with_unit("p [kPa]", "bar") == "p [kPa]"
    assert with_unit("p", "-") == with_unit("p", "") == "p"


def test_a_suffix_goes_before_the_unit():
    assert with_suffix("p (bar)", "std") == "p_std [bar]"
    assert with_suffix("ratio [-]", "std") == "ratio [-]_std"


def test_a_unit_may_be_left_out_but_not_be_another():
    assert find_column("p", ["p [bar]", "T"]) == "p [bar]"
    assert find_column("p [bar]", ["p", "T"]) == "p"
    assert find_column("p [bar]", ["p [kPa]"]) is None
    assert find_column("p", ["p [bar]", "p [kPa]"]) is None
    assert find_column("p", ["p", "p [kPa]"]) == "p"


def frame(*rows):
    return pd.DataFrame([row.split(",") for row in rows], columns=list("abc")[: rows[0].count(",") + 1]).replace(
        "", None
    )


@pytest.mark.parametrize(
    ("rows", "units"),
    [
        (("s,bar,°C", "1,2,3", "4,5,6"), {"a": "s", "b": "bar", "c": "°C"}),
        (("[s],(bar),-", "1,2,3", "4,5,6"), {"a": "s", "b": "bar"}),
        (("s,bar,-", "1,2,red", "4,5,blue"), {"a": "s", "b": "bar"}),
        ((",bar,°C", "1,2,3", "4,?,6", "7,8,9"), {"b": "bar", "c": "°C"}),
        (("yyyy-mm-dd,bar,K", "2024-01-31,2,3", "2024-02-01,2,3"), {"b": "bar", "c": "K"}),
        (("?,?,?", "1,2,3"), {}),
        (("oops,,", "1,2,3", "4,5,6"), {}),
        (("1,bar,K", "1,2,3"), {}),
        (("green,bar,K", "red,2,3", "blue,2,3"), {}),
        (("missing,K", "1,2"), {}),
        (("s,bar",), {}),
    ],
)
def test_units_below_a_header(rows, units):
    assert read_units_row(frame(*rows)) == units
    assert read_units_row(frame(*rows).iloc[:0]) == {}


@pytest.mark.parametrize(
    ("cell", "decimal", "value", "unit"),
    [
        ("50,946", ",", 50.946, ""),
        ("50,946", ".", 50946, ""),
        ("-0,5", ",", -0.5, ""),
        ("0,123", ",", 0.123, ""),
        ("1,5e-3", ",", 0.0015, ""),
        ("5,094.60", ".", 5094.6, ""),
        ("1.234,56", ",", 1234.56, ""),
        ("1 234.5", ".", 1234.5, ""),
        ("1\u202f234\u202f567", ".", 1234567, ""),
        ("1'234.5", ".", 1234.5, ""),
        ("1.0D+00", ".", 1.0, ""),
        ("2.5d-01", ".", 0.25, ""),
        ("−1.5", ".", -1.5, ""),
        (" 7 ", ".", 7, ""),
        ("6.4%", ".", 6.4, "%"),
        ("12 kg", ".", 12, "kg"),
        ("12kg", ".", 12, "kg"),
        ("3,5 m/s", ",", 3.5, "m/s"),
        ("20 °C", ".", 20, "°C"),
        ("$1,234.50", ".", 1234.5, "$"),
        ("-€ 5", ".", -5, "€"),
        (3, ",", 3, ""),
        (1.5, ",", 1.5, ""),
    ],
)
def test_a_number(cell, decimal, value, unit):
    found = parse_numbers(pd.Series([cell, None], dtype=object), decimal)
    assert found.values[0] == value
    assert found.units == (unit,)
    assert found.is_number.tolist() == [True, False]
    assert np.isnan(found.values[1])


@pytest.mark.parametrize(
    "cell",
    [
        "",
        "a,b",
        "1,2,3",
        "12,34,56",
        "12:30",
        "2024-01-31",
        "31.01.2024",
        "1.2.3",
        "0x1F",
        "12 kg CO2",
        "inf",
        True,
        None,
    ],
)
def test_cells_without_a_number(cell):
    assert not looks_like_number(cell)


def test_the_decimal_sign_is_that_of_the_whole_table():
    columns = {"a": ["1,234", "2,345"], "b": ["1,5", "2"], "c": ["1.5", "2"], "d": ["a,b", "c"]}
    series = {name: pd.Series(cells) for name, cells in columns.items()}
    assert decimal_sign([series["a"], series["d"]]) is None
    assert decimal_sign([series["a"], series["b"]]) == ","
    assert decimal_sign([series["a"], series["c"]]) == "."
    assert decimal_sign([series["b"], series["c"]]) is None


def test_marks_of_missing_values():
    assert all(map(is_missing_mark, ["?", "-", " n/a ", "#DIV/0!", "#VALUE!", "Missing"]))
    assert not any(map(is_missing_mark, ["0", "red", "", None, 1.5]))
