"""One table column, however pandas stores it, is one of six kinds."""

import datetime
import decimal

import numpy as np
import pandas as pd
import pytest

from deltarule.data.cells import as_numbers, as_objects, kind_of, listed, shown


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


def test_numbers_have_nan_where_there_is_none():
    assert np.array_equal(as_numbers(pd.Series(["1", "x", None])), [1, np.nan, np.nan], equal_nan=True)
    assert np.array_equal(as_numbers(pd.Series([True, None], dtype="boolean")), [1, np.nan], equal_nan=True)
    assert as_numbers(pd.Series([decimal.Decimal("1.5")])).tolist() == [1.5]


def test_objects_have_none_where_a_cell_is_missing():
    assert as_objects(pd.Series([1, None], dtype="Int64")) == [1, None]
    assert as_objects(pd.Series(["a", np.nan])) == ["a", None]


def test_values_are_shown_short():
    assert shown(np.float64(1.5)) == "1.5"
    assert len(shown("x" * 100)) == 40
    assert listed(list("abc"), limit=2) == "'a', 'b' and 1 more"
