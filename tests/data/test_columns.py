"""Columns standardise, write one-hot rows, and name the first bad cell."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deltarule.data import CategoricalColumn, NumericColumn, Pixels
from deltarule.data.columns import encode_columns, require_columns
from deltarule.errors import DataError


def test_standardising_by_hand():
    # mean (1 + 3) / 2 = 2; std sqrt(((1-2)^2 + (3-2)^2) / 2) = 1
    column = NumericColumn.from_values("a", np.array([1.0, 3.0]))
    assert (column.mean, column.std) == (2.0, 1.0)
    assert column.encode(pd.Series([1, 3, 5]), "t").tolist() == [[-1.0], [1.0], [3.0]]


@given(st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=20))
def test_any_finite_column_can_be_measured_encoded_and_decoded(values):
    array = np.array(values)
    column = NumericColumn.from_values("a", array)
    scaled = column.encode(pd.Series(array), "t")[:, 0]
    assert np.isfinite(scaled).all()
    assert column.decode(scaled) == pytest.approx(array, rel=1e-9, abs=1e-9 * np.abs(array).max())


def test_a_constant_column_is_only_shifted():
    assert NumericColumn.from_values("a", np.array([7.0, 7.0])) == NumericColumn("a", 7.0, 1.0, 7.0, 7.0)


def test_rounding_errors_are_not_scaled_up():
    """0.1 + 0.2 is the number after 0.3; a relative spread of 1e-12 is data."""
    column = NumericColumn.from_values("a", np.array([0.1 + 0.2, 0.3]))
    assert column == NumericColumn("a", 0.3, 1.0, 0.3, 0.1 + 0.2)
    assert NumericColumn.from_values("a", np.array([1.0, 1.0 + 2e-12])).std == pytest.approx(1e-12, rel=1e-3)


def test_the_range_is_that_of_the_training_rows():
    column = NumericColumn.from_values("a", np.array([3.0, -1.0, 2.0]))
    assert (column.low, column.high) == (-1.0, 3.0)
    with pytest.raises(DataError, match=r"ranges from 2\.0 to 1\.0"):
        NumericColumn("a", 0.0, 1.0, 2.0, 1.0)
    with pytest.raises(DataError, match=r"ranges from None to 1\.0"):
        NumericColumn("a", 0.0, 1.0, None, 1.0)


@pytest.mark.parametrize(
    "cells",
    [
        pd.Series([0, 1, 1]),
        pd.Series([False, True, True]),
        pd.Series([0, 1, 1], dtype="Int64"),
        pd.Series([0, 1, 1], dtype="Float64"),
        pd.Series([False, True, True], dtype="boolean"),
        pd.Series([0, 1, 1], dtype="category"),
        pd.Series([0, 1, 1], dtype=object),
        pd.Series(["0", "1", "1"]),
    ],
    ids=lambda cells: str(cells.dtype),
)
def test_every_way_to_store_numbers_reads_alike(cells):
    assert NumericColumn("a", 0.0, 1.0).encode(cells, "t")[:, 0].tolist() == [0, 1, 1]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (pd.Series([1.0, np.nan]), "column 'a', data row 1 .* is empty"),
        (pd.Series([1, None], dtype="Int64"), "data row 1 .* is empty"),
        (pd.Series(["1", None]), "data row 1 .* is empty"),
        (pd.Series([1.0, -np.inf]), "data row 1 .* holds -inf: replace"),
        (pd.Series(["1", "inf"]), "data row 1 .* holds 'inf': replace"),
        (pd.Series(["1", "1,5"]), "data row 1 .* holds '1,5'.* --decimal"),
        (pd.Series(["1", "2 kg"]), "data row 1 .* holds '2 kg'.* unit"),
        (pd.Series(["1", "?"]), r"data row 1 .* holds '\?': .* --na '\?'"),
        (pd.Series(["1", "x", "y"]), "data row 1 .* holds 'x'"),
        (pd.Series(pd.to_datetime(["2020-01-01"])), "data row 0 "),
        (pd.Series([[1]]), r"data row 0 .* holds \[1\]"),
        (pd.Series([1.0, 2.0, np.nan], index=[10, 20, 30]), "data row 30"),
        (pd.Series([1, 10**400], dtype=object), "data row 1 .* finite"),
    ],
)
def test_the_first_bad_number_is_named(cells, message):
    with pytest.raises(DataError, match=f"t.csv: .*{message}"):
        NumericColumn("a", 0.0, 1.0).encode(cells, "t.csv")


def test_a_number_beyond_float64_once_scaled_is_refused():
    with pytest.raises(DataError, match=r"row 0 .* holds 1e\+300, too far"):
        NumericColumn("a", 0.0, 1e-100).encode(pd.Series([1e300]), "t")


def test_one_hot_by_hand():
    column = CategoricalColumn("colour", ("blue", "red"))
    assert column.encode(pd.Series(["red", "blue"]), "t").tolist() == [[0, 1], [1, 0]]
    assert column.input_names == ("colour=blue", "colour=red")


def test_a_category_written_as_a_number_is_matched_as_text():
    assert CategoricalColumn("c", ("1", "A")).encode(pd.Series([1, 1]), "t").tolist() == [[1, 0], [1, 0]]


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        (["red", "green"], "row 1 .* holds 'green'.*'blue', 'red'"),
        (["red", None], "row 1 .* is empty"),
    ],
)
def test_the_first_bad_category_is_named(cells, message):
    with pytest.raises(DataError, match=f"column 'colour', data {message}"):
        CategoricalColumn("colour", ("blue", "red")).encode(pd.Series(cells), "t")


@pytest.mark.parametrize(("mean", "std"), [(np.nan, 1.0), (0.0, 0.0), (0.0, -1.0), (0.0, np.inf)])
def test_statistics_outside_their_domain_are_refused(mean, std):
    with pytest.raises(DataError, match="the std above 0"):
        NumericColumn("a", mean, std)


@pytest.mark.parametrize("categories", [(), ("a", "a")])
def test_categories_must_differ(categories):
    with pytest.raises(DataError, match="none twice"):
        CategoricalColumn("a", categories)


def test_a_missing_number_is_the_mean_and_has_an_input_of_its_own():
    column = NumericColumn.from_values("a", np.array([1.0, np.nan, 3.0, np.nan]), imputed=True)
    assert (column.mean, column.std, column.low, column.high) == (2, 1, 1, 3)
    assert column.input_names == ("a", "a is missing")
    encoded = column.encode(pd.Series([3.0, np.nan, 1.0]), "t")
    assert encoded.tolist() == [[1, 0], [0, 1], [-1, 0]]
    assert column.encode(pd.Series([None, None], dtype=object), "t").tolist() == [[0, 1], [0, 1]]
    for cell in ("x", np.inf):
        with pytest.raises(DataError, match="data row 1"):
            column.encode(pd.Series([1, cell], dtype=object), "t")


def test_a_column_without_any_training_value_can_be_imputed():
    column = NumericColumn.from_values("a", np.array([np.nan, np.nan]), imputed=True)
    assert (column.mean, column.std, column.low) == (0, 1, None)


def test_a_missing_category_is_an_input_of_its_own():
    column = CategoricalColumn("a", ("blue", "red"), imputed=True)
    assert column.input_names == ("a=blue", "a=red", "a is missing")
    assert column.encode(pd.Series(["red", None]), "t").tolist() == [[0, 1, 0], [0, 0, 1]]
    with pytest.raises(DataError, match="'green'"):
        column.encode(pd.Series(["red", "green"]), "t")


def test_counts_are_divided_by_their_mean():
    column = NumericColumn.from_values("bikes", np.array([0.0, 2.0, 4.0])).scaled_by_mean(2.0)
    assert (column.mean, column.std, column.low, column.high) == (0, 2, 0, 4)
    assert column.decode(np.array([0.0, 1.5])).tolist() == [0, 3]
    assert NumericColumn.from_values("none", np.zeros(3)).scaled_by_mean(0.0).std == 1
    with pytest.raises(DataError, match="target 'bikes' holds -1"):
        NumericColumn.from_values("bikes", np.array([-1.0, 2.0])).scaled_by_mean(0.5)


def test_a_column_describes_the_training_rows():
    assert NumericColumn("x", 1.5, 2.0, -1.0, 4.25).describe() == "mean 1.5, standard deviation 2, from -1 to 4.25"
    assert NumericColumn("x", 1.5, 2.0, imputed=True).describe().endswith("missing cells are imputed")
    counts = NumericColumn("n", 3.0, 1.0, 0.0, 9.0).scaled_by_mean(3.0)
    assert counts.describe() == "mean 3, from 0 to 9"
    assert NumericColumn("x", 0.0, 1.0, -1.0, 2.0).describe().endswith(", from -1 to 2")
    assert CategoricalColumn("kind", ("a", "b")).describe() == "one of a, b"


FRAME = pd.DataFrame({"c": ["b", "a"], "other": [0, 0], "x": [1.0, 5.0]})


def test_columns_stand_side_by_side_in_the_order_asked_for():
    columns = (NumericColumn("x", 3.0, 2.0), CategoricalColumn("c", ("a", "b")))
    assert encode_columns(columns, FRAME, "the data").tolist() == [[-1, 0, 1], [1, 1, 0]]


def test_the_table_comes_back_as_it_is():
    assert require_columns(FRAME, ("x", "c"), "the data") is FRAME


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (np.zeros((2, 2)), "the data is a ndarray"),
        (FRAME[["x"]], "the data lacks .*'c'.* 'x'"),
        (FRAME[["x", "c", "x"]], "the data has .*'x' 2 times"),
    ],
)
def test_another_table_is_refused(raw, sentence):
    with pytest.raises(DataError, match=sentence):
        require_columns(raw, ("x", "c"), "the data")


def test_a_column_in_another_unit_must_be_converted():
    other = pd.DataFrame({"Druck [kPa]": [1.0], "x": [1.0]})
    with pytest.raises(DataError, match=r"'Druck \[kPa\]'.* on 'Druck \[bar\]': convert its numbers to bar"):
        require_columns(other, ("x", "Druck [bar]"), "t.csv")
    with pytest.raises(DataError, match=r"lacks the column 'p \[bar\]'"):
        require_columns(other, ("x", "p [bar]"), "t.csv")


def test_the_word_among_decimal_commas_is_to_blame():
    cells = pd.Series(["50,95", "abc", "1,5"], name="x")
    with pytest.raises(DataError, match=r"data row 1 .* holds 'abc', which is not a number"):
        NumericColumn("x", 0.0, 1.0).encode(cells, "t.csv")


PIXELS = Pixels(6, 255.0, (2, 3), "float32")


@pytest.mark.parametrize("shape", [(2, 6), (2, 2, 3)])
def test_pixels_are_scaled_to_one(shape):
    raw = np.array([0, 51, 255, 0, 0, 0] * 2, dtype=np.uint8).reshape(shape)
    encoded = PIXELS.encode(raw, "images")
    assert encoded.dtype == np.float32
    assert encoded.shape == (2, 6)
    assert encoded[0, :3] == pytest.approx([0, 0.2, 1])  # 51 / 255 = 0.2
    assert raw.max() == 255  # the raw array is untouched


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (np.zeros((2, 5)), r"shape \(2, 5\).*6 pixels"),
        (np.zeros(6), r"shape \(6,\)"),
        (np.array([["a"] * 6]), "numeric array"),
        (np.array([[0.0] * 6, [0, 0, 256, 0, 0, 0]]), "image 1, pixel 2 holds 256"),
        (np.array([[0, np.nan, 0, 0, 0, 0]]), "image 0, pixel 1 holds nan"),
    ],
)
def test_other_arrays_are_refused(raw, message):
    with pytest.raises(DataError, match=message):
        PIXELS.encode(raw, "images")


@pytest.mark.parametrize(
    "arguments", [(5, 255.0, (2, 3)), (6, 0.0, (2, 3)), (1, 1.0, ()), (6, 1.0, (2, 3), "int8"), (6, 1.0, (-2, -3))]
)
def test_a_description_that_contradicts_itself_is_refused(arguments):
    with pytest.raises(DataError, match="product of the shape"):
        Pixels(*arguments)


def test_each_input_has_a_name():
    assert PIXELS.input_names[4] == "pixel 1,1"
    assert len(PIXELS.input_names) == PIXELS.width == 6
