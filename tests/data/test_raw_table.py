import datetime

import openpyxl
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from deltarule.data.cells import kind_of
from deltarule.data.raw_table import refuse_duplicates
from deltarule.data.table_columns import choose_inputs
from deltarule.data.table_file import read_table
from deltarule.errors import DataError, TooLargeError


def test_a_name_that_two_columns_have_is_named(tmp_path):
    refuse_duplicates(tmp_path / "t.csv", ["a", "b"])
    with pytest.raises(DataError, match=r"t\.csv .*'b'"):
        refuse_duplicates(tmp_path / "t.csv", ["a", "b", "b"])


@pytest.fixture
def workbook(tmp_path):
    def workbook(*rows, more=()):
        book = openpyxl.Workbook()
        for row in rows:
            book.active.append(row)
        for name in more:
            book.create_sheet(name)
        book.save(tmp_path / "t.xlsx")
        return tmp_path / "t.xlsx"

    return workbook


def test_a_plain_sheet(workbook):
    day = datetime.datetime(2024, 1, 31)
    frame, notes = read_table(workbook(["a", "b", "on", "day"], [1.5, "x", True, day], [2, None, False, day]))
    assert frame["a"].tolist() == [1.5, 2]
    assert frame["a"].dtype == "float64"
    assert frame["b"].tolist()[0] == "x"
    assert frame["b"].isna().tolist() == [False, True]
    assert frame["on"].tolist() == [True, False]
    assert kind_of(frame["day"]) == "date"
    assert notes == ()


def test_a_title_units_empty_lines_and_numbers_kept_as_texts(workbook):
    rows = [["Series 5"], [], ["t", "p", "kind"], ["s", "bar", None], [1, "2,5", "red"], [], [3, "4,5", "blue"]]
    frame, notes = read_table(workbook(*rows, more=("other",)))
    assert frame.to_dict("list") == {"t [s]": [1, 3], "p [bar]": [2.5, 4.5], "kind": ["red", "blue"]}
    assert list(frame.index) == [0, 1]
    assert len(notes) == 1
    for words in ("2 sheets", "1 line above", "decimal commas", "(s, bar)"):
        assert words in notes[0]


def test_a_stray_text_among_numbers_is_refused_and_not_left_out(workbook):
    frame, _ = read_table(workbook(["a", "b"], [1.5, 1], ["?", 2], [2.5, 3]))
    with pytest.raises(DataError, match=r"column 'a', data row 1 .* holds '\?'"):
        choose_inputs(frame, "t.xlsx")


def test_what_is_no_sheet_of_cells(workbook, tmp_path):
    with pytest.raises(DataError, match=r"no cells .*first sheet"):
        read_table(workbook())
    with pytest.raises(DataError, match="no data rows"):
        read_table(workbook(["a", "b"]))
    with pytest.raises(DataError, match="more than one column named 'a'"):
        read_table(workbook(["a", "a"], [1, 2]))
    path = tmp_path / "t.xlsx"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.raises(DataError, match="cannot be read as a workbook"):
        read_table(path)


def test_a_workbook_that_claims_more_than_memory_holds(tmp_path, monkeypatch):
    pd.DataFrame({"a": range(1000)}).to_excel(tmp_path / "t.xlsx", index=False)
    monkeypatch.setattr("deltarule.engine.machine.free_memory", lambda: 1e4)
    with pytest.raises(TooLargeError, match="the sheets of"):
        read_table(tmp_path / "t.xlsx")


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
