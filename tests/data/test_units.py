import pandas as pd
import pytest

from deltarule.data.units import find_column, split_unit, suffixed, units_row, with_unit


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


def test_what_has_the_same_unit():
    assert suffixed("p (bar)", "std") == "p_std [bar]"
    assert suffixed("ratio [-]", "std") == "ratio [-]_std"


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
    assert units_row(frame(*rows)) == units
    assert units_row(frame(*rows).iloc[:0]) == {}
