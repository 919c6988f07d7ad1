"""Tables as files: the format of the extension, the source's separator and decimal sign, and the names refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deltarule.data.table_file import read_table
from deltarule.data.table_options import TextFormat
from deltarule.errors import ConfigurationError, DataError
from deltarule.files import table_writing
from deltarule.files.table_writing import require_table_name, write_table

COLUMNS = {"t": ["a", "b c"], "x": np.array([1.25, np.nan]), "y": np.array([1e-7, -2.5e20]), "n": np.array([3, 4])}


@pytest.mark.parametrize(
    ("name", "source", "first"),
    [
        ("t.csv", TextFormat(";", ","), "a;1,25;1e-07;3"),
        ("t.csv", TextFormat("|", "."), "a|1.25|1e-07|3"),
        ("t.csv", TextFormat("\t", ","), "a;1,25;1e-07;3"),
        ("t.csv", TextFormat(" ", "."), "a,1.25,1e-07,3"),
        ("t.csv", TextFormat(",", ","), 'a,"1,25",1e-07,3'),
        ("t.tsv", TextFormat(";", ","), "a\t1,25\t1e-07\t3"),
        ("t.txt", TextFormat(" ", ","), "a 1,25 1e-07 3"),
        ("t.dat", TextFormat(":", ","), "a;1,25;1e-07;3"),
        ("t.csv", None, "a,1.25,1e-07,3"),
    ],
)
def test_a_text_file_is_written_like_its_source_and_reads_back(tmp_path, name, source, first):
    write_table(tmp_path / name, COLUMNS, source)
    assert (tmp_path / name).read_text(encoding="utf-8").splitlines()[1] == first
    frame, _ = read_table(tmp_path / name)
    assert list(frame) == list(COLUMNS)
    assert frame["t"].tolist() == COLUMNS["t"]
    for column in ("x", "y", "n"):
        np.testing.assert_allclose(frame[column].astype(float), COLUMNS[column], rtol=1e-15)


@pytest.mark.parametrize("name", ["t.xlsx", "t.parquet"])
def test_a_sheet_and_a_parquet_file_read_back(tmp_path, name):
    write_table(tmp_path / name, COLUMNS, TextFormat(";", ","))
    frame, _ = read_table(tmp_path / name)
    assert frame["t"].tolist() == COLUMNS["t"]
    np.testing.assert_allclose(frame["y"].astype(float), COLUMNS["y"], rtol=1e-15)
    assert frame["x"].isna().tolist() == [False, True]


def test_texts_that_a_sheet_would_compute_or_cannot_hold(tmp_path):
    write_table(tmp_path / "t.xlsx", {"t": ["=1+2", "b"], "n": [1, 2]})
    assert read_table(tmp_path / "t.xlsx")[0]["t"].tolist() == ["=1+2", "b"]
    with pytest.raises(DataError, match=r"t\.xlsx cannot hold .*control characters"):
        write_table(tmp_path / "t.xlsx", {"t": ["a\x01"]})


def test_more_rows_than_a_sheet_has_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(table_writing, "MOST_SHEET_ROWS", 1)
    with pytest.raises(DataError, match=r"t\.xlsx would have 2 rows"):
        write_table(tmp_path / "t.xlsx", COLUMNS)


def test_names_of_tables(tmp_path):
    for name in ("t.csv", "T.XLSX", "t.parquet", "/dev/null"):
        require_table_name("--out", Path(name))
    with pytest.raises(ConfigurationError, match=r"--out is .*t\.json', with the extension '\.json'.*\.xlsx"):
        require_table_name("--out", tmp_path / "t.json")


def test_cells_that_a_format_has_no_type_for_become_texts(tmp_path):
    write_table(tmp_path / "t.parquet", {"m": np.array([5, "abc", None], object)})
    frame, _ = read_table(tmp_path / "t.parquet")
    assert frame["m"].tolist()[:2] == ["5", "abc"]
    times = pd.date_range("2026-03-01", periods=2, freq="h", tz="Europe/Berlin")
    write_table(tmp_path / "t.xlsx", {"t": times, "x": [1.0, 2.0]})
    assert read_table(tmp_path / "t.xlsx")[0]["t"].tolist()[1] == "2026-03-01T01:00:00+01:00"
