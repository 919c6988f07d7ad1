"""Rows given to a trained model: arrays and DataFrames are read alike, and what cannot be read is named."""

import numpy as np
import pandas as pd
import pytest

import deltarule as dr
from deltarule.data.given_rows import encode_rows
from deltarule.errors import DataError


@pytest.fixture(scope="module")
def schema():
    draw = np.random.default_rng(0)
    table = pd.DataFrame({"a": draw.normal(3, 2, 40), "b": draw.normal(size=40)})
    table["y"] = table.a - table.b
    return dr.fit_table(table, target="y", hidden=(), epochs=2).schema


def test_an_array_is_standardised_in_the_order_of_the_columns(schema):
    rows = np.array([[3.0, 0.5], [1.0, -0.5]])
    a, b = schema.inputs
    expected = (rows - [a.mean, b.mean]) / [a.std, b.std]
    np.testing.assert_allclose(encode_rows(schema, rows), expected, rtol=1e-14)


def test_a_data_frame_is_read_by_its_names_whatever_their_order(schema):
    frame = pd.DataFrame({"other": ["x", "y"], "b": [0.5, -0.5], "a": [3.0, 1.0]})
    np.testing.assert_allclose(
        encode_rows(schema, frame), encode_rows(schema, frame[["a", "b"]].to_numpy()), rtol=1e-14
    )


def test_an_array_of_another_width_is_refused_with_the_columns(schema):
    with pytest.raises(DataError, match=r"\(2, 3\).*2 columns.*'a'.*'b'"):
        encode_rows(schema, np.zeros((2, 3)))
