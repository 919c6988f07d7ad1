import pandas as pd
import pytest

from deltarule.data.units_row import units_row


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
