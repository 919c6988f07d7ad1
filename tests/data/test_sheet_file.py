"""Excel workbooks: titles, units, numbers kept as texts, several sheets."""

import datetime

import openpyxl
import pandas as pd
import pytest

from deltarule.data.cells import kind_of
from deltarule.data.table_columns import choose_inputs
from deltarule.data.table_file import read_table
from deltarule.errors import DataError


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
    with pytest.raises(DataError, match="no cells in its first sheet"):
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
    monkeypatch.setattr("deltarule.machine.free_memory", lambda: 1e4)
    with pytest.raises(DataError, match="the sheets of"):
        read_table(tmp_path / "t.xlsx")
