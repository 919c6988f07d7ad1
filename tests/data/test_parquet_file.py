"""Parquet files: plain columns whoever wrote them, and damaged files refused."""

import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from deltarule.data.table_file import read_table
from deltarule.errors import DataError


def test_a_parquet_file_loses_its_index(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1, 2], "b": ["x", None]}, index=[10, 20]).to_parquet(path)
    frame, _ = read_table(path)
    assert list(frame) == ["a", "b"]
    assert list(frame.index) == [0, 1]


def test_a_parquet_file_with_a_name_twice(tmp_path):
    path = tmp_path / "t.parquet"
    pyarrow.parquet.write_table(pyarrow.table([[1], [2]], names=["a", "a"]), path)
    with pytest.raises(DataError, match="more than one column named 'a'"):
        read_table(path)


def test_a_truncated_parquet_file(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": range(1000)}).to_parquet(path)
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    with pytest.raises(DataError, match=r"t\.parquet"):
        read_table(path)


def test_a_parquet_file_without_rows(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": []}).to_parquet(path)
    with pytest.raises(DataError, match="no data rows"):
        read_table(path)


def test_codes_that_parquet_declares_as_texts_stay_texts(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"code": ["01", "02"], "mass": ["1.5 kg", "2.5 kg"]}).to_parquet(path)
    frame, _ = read_table(path)
    assert frame["code"].tolist() == ["01", "02"]
    assert frame["mass [kg]"].tolist() == [1.5, 2.5]


def test_texts_with_a_decimal_comma_are_numbers(tmp_path):
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": ["1,5", "2,25"], "b": [1.5, 2.5]}).to_parquet(path)
    frame, notes = read_table(path)
    assert frame["a"].tolist() == [1.5, 2.25]
    assert "decimal commas" in notes[0]
