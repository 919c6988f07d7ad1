"""Numbers as people write them, and what only looks like them."""

import numpy as np
import pandas as pd
import pytest

from deltarule.data.written_numbers import decimal_sign, is_missing_mark, looks_like_number, written_numbers


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
    found = written_numbers(pd.Series([cell, None], dtype=object), decimal)
    assert found.values[0] == value
    assert found.units == (unit,)
    assert found.fits.tolist() == [True, False]
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
def test_no_number(cell):
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
