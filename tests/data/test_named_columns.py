import numpy as np
import pandas as pd
import pytest

from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.named_columns import encode_columns, find_columns
from deltarule.errors import DataError

FRAME = pd.DataFrame({"c": ["b", "a"], "other": [0, 0], "x": [1.0, 5.0]})


def test_columns_stand_side_by_side_in_the_order_asked_for():
    columns = (NumericColumn("x", 3.0, 2.0), CategoricalColumn("c", ("a", "b")))
    assert encode_columns(columns, FRAME, "the data").tolist() == [[-1, 0, 1], [1, 1, 0]]


def test_the_table_comes_back_as_it_is():
    assert find_columns(FRAME, ("x", "c"), "the data") is FRAME


@pytest.mark.parametrize(
    ("raw", "sentence"),
    [
        (np.zeros((2, 2)), "the data is a ndarray, but the model was trained on a table"),
        (FRAME[["x"]], "the data lacks the column 'c' that the model needs; its columns are 'x'"),
        (FRAME[["x", "c", "x"]], "the data has the column 'x' 2 times"),
    ],
)
def test_another_table_is_refused(raw, sentence):
    with pytest.raises(DataError, match=sentence):
        find_columns(raw, ("x", "c"), "the data")
