"""Tables as text files, workbooks and Parquet files; every way such a file can be unreadable is one sentence."""

import datetime

import numpy as np
import openpyxl
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from deltarule.data.cells import kind_of
from deltarule.data.table_columns import choose_inputs
from deltarule.data.table_file import read_table
from deltarule.data.table_options import TableOptions
from deltarule.errors import DataError, TooLargeError


def test_a_csv_file(csv):
    frame, notes = read_table(csv("a,b,c\n1,x,true\n2,y,false"))
    assert frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"], "c": [True, False]}
    assert notes == ()


def test_blank_lines_spaces_quotes_and_a_byte_order_mark(tmp_path):
    path = tmp_path / "t.CSV"
    path.write_bytes('\ufeff\n a , "b"\n\n1, "x, y"\n   \n2, z\n'.encode())
    frame, _ = read_table(path)
    assert frame.to_dict("list") == {"a": [1, 2], "b": ["x, y", "z"]}


def test_missing_cells_are_missing(csv):
    frame, _ = read_table(csv("a,b\n1,NA\n,x"))
    assert frame.isna().to_numpy().tolist() == [[False, True], [True, False]]


def test_columns_without_a_name_are_ignored(csv):
    frame, notes = read_table(csv(",a,\n0,5,\n1,6,"))
    assert list(frame) == ["a"]
    assert [note.startswith(f"column {i} of table.csv") for i, note in zip((0, 2), notes, strict=True)] == [True, True]


def test_a_column_can_be_read_as_text(csv):
    frame, _ = read_table(csv("a,b\n01,1\nTRUE,2"), text_columns={"a"})
    assert frame["a"].tolist() == ["01", "TRUE"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("t.csv", b"", "t.csv is empty"),
        ("t.csv", b"\n  \n", "t.csv is empty"),
        ("t.csv", b"a,b\n", "t.csv .*no data rows"),
        ("t.csv", b"a,b\n1,2\n3,4,5\n", "line 3 has 3 cells, .* 2"),
        ("t.csv", b"a,b\n1,2,3\n", r"line 2 has 3 cells"),
        ("t.csv", b"a,b\n1\n", r"line 2 has 1 cell, but"),
        ("t.csv", b"a,b,a\n1,2,3\n", "t.csv .*'a'"),
        ("t.csv", b"a,b\n1\0,2\n", "t.csv .*no text"),
        ("t.csv", b"\xff\xfea", "t.csv is no text .*encoding"),
        ("t.csv", b"a,b\n1," + b"x" * 200_000, "a table of separated values"),
        ("t.csv", b'a,b\n1,"x\n', "a table of separated values"),
        ("t.parquet", b"", "t.parquet is empty"),
        ("t.parquet", b"a,b\n1,2\n" * 20, "t.parquet .*as Parquet"),
        ("t.xlsx", b"PK", "t.xlsx .*a workbook"),
        ("t.xls", b"PK", r"extension '\.xls': give .*\.csv, .*\.xlsx"),
        ("digit", b"a", "extension '': give digits"),
    ],
)
def test_a_file_that_is_no_table(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_table(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_directory(tmp_path):
    with pytest.raises(DataError, match=r"absent\.csv is no file"):
        read_table(tmp_path / "absent.csv")
    with pytest.raises(DataError, match=r"is a directory.*give a"):
        read_table(tmp_path)
    with pytest.raises(DataError, match="cannot be read"):
        read_table(tmp_path / f"{'x' * 300}.csv")


@pytest.mark.parametrize("dtype", [object, "str", "category"])
def test_blanks_around_a_text_do_not_count(tmp_path, dtype):
    cells = pd.Series(["red ", None, "red", "\tblue", "in  between"])
    path = tmp_path / "t.parquet"
    pd.DataFrame({"colour": cells.astype(dtype), "x": range(5)}).to_parquet(path)
    frame, _ = read_table(path)
    assert frame["colour"].dropna().tolist() == ["red", "red", "blue", "in  between"]
    assert frame["colour"].isna().tolist() == [False, True, False, False, False]
    assert frame["colour"].dtype == pd.read_parquet(path)["colour"].dtype or dtype == "category"
    assert frame["x"].dtype == "int64"


def test_blanks_around_the_texts_of_a_csv_file_do_not_count(csv):
    frame, _ = read_table(csv('name,x\nred ,1\n" red",2\n"red",3 \n'))
    assert frame["name"].tolist() == ["red"] * 3
    assert frame["x"].tolist() == [1, 2, 3]
    assert read_table(csv("name,x\n1 ,1\n2,2\n"), {"name"})[0]["name"].tolist() == ["1", "2"]


def test_rows_without_any_value_are_left_out(csv):
    frame, notes = read_table(csv("a;b;;\n1;x;;\n;;;\n2;y;;\n;;;"))
    assert frame.to_dict("list") == {"a": [1, 2], "b": ["x", "y"]}
    assert list(frame.index) == [0, 2]
    assert notes[-1].startswith("2 rows ")
    assert len(read_table(csv("a\n1\nNA\n2"))[0]) == 3


def test_marks_of_missing_values(csv):
    path = csv("a,b,c\n1,?,-200\n2,x,-200.0\n-,y,5.5")
    frame, _ = read_table(path, options=TableOptions(na=("?", "-200", "-")))
    assert frame["a"].tolist()[:2] == [1, 2]
    assert frame["a"].dtype == np.float64
    assert frame.isna().to_numpy().tolist() == [[False, True, True], [False, False, True], [True, False, False]]


def test_numbers_with_a_unit_are_numbers_and_the_unit_goes_into_the_name(csv):
    frame, notes = read_table(csv("a,b,c,d\n12 kg,6.4%,1.0D+00,1 234.5\n7 kg,7.1 %,2.5D-01,12"))
    assert frame.to_dict("list") == {
        "a [kg]": [12, 7],
        "b [%]": [6.4, 7.1],
        "c": [1.0, 0.25],
        "d": [1234.5, 12.0],
    }
    assert len(notes) == 1
    assert "'a' in kg" in notes[0]
    assert "'b' in %" in notes[0]


@pytest.mark.parametrize(
    "cells",
    [
        ("12 kg", "500 g"),  # two units
        ("12 kg", "500"),
        ("12 kg", "?"),
        ("Main St 5", "Hill Rd 7"),
    ],
)
def test_other_texts_stay_texts(csv, cells):
    frame, _ = read_table(csv("a,b\n" + "\n".join(f"{cell},1" for cell in cells)))
    assert frame["a"].tolist() == list(cells)


def test_a_unit_in_the_header_must_be_that_of_the_cells(csv):
    assert list(read_table(csv("a [kg],b\n12 kg,1\n7 kg,2"))[0]) == ["a [kg]", "b"]
    assert read_table(csv("a [kg],b\n12 g,1\n7 g,2"))[0]["a [kg]"].tolist() == ["12 g", "7 g"]


def test_categories_are_read_as_text(csv, tmp_path):
    assert read_table(csv("a,b\n012,1\n7,2"), {"a"})[0]["a"].tolist() == ["012", "7"]
    path = tmp_path / "t.parquet"
    pd.DataFrame({"a": [1.0, None, 2.0]}).to_parquet(path)
    assert read_table(path, {"a"})[0]["a"].tolist()[::2] == ["1", "2"]


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


def test_sheets_that_cannot_be_read(workbook, tmp_path):
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


@pytest.mark.parametrize("mark", ["99,9", "99.9", "99,90"])
def test_a_missing_number_is_written_as_in_the_table_or_with_a_point(csv, mark):
    frame, _ = read_table(csv("a;b\n99,9;1.099,9\n1,5;99,9\n2,5;99,9 kg"), options=TableOptions(na=(mark,)))
    assert frame["a"].tolist()[1:] == [1.5, 2.5]
    assert np.isnan(frame["a"][0])
    assert frame["b"].isna().tolist() == [False, True, True]


def test_a_missing_code_with_a_unit_or_with_thousands(csv):
    frame, _ = read_table(csv('a,b\n-999 kg,"-9,999.0"\n7 kg,"1,234.5"'), options=TableOptions(na=("-999", "-9999")))
    assert frame["a [kg]"].isna().tolist() == frame["b"].isna().tolist() == [True, False]
    texts, _ = read_table(csv("a,b\n07,1\n7,2"), {"a"}, options=TableOptions(na=("7",)))
    assert texts["a"].isna().tolist() == [False, True]  # of categories only the same text is a missing one
