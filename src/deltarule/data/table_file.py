"""Reading a .csv or .parquet file into a DataFrame, or saying in one sentence why it cannot be read."""

import csv
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import TextIO

import numpy as np

from deltarule.data.cells import as_objects, listed, shown
from deltarule.data.optional import Frame, Series, require
from deltarule.errors import DataError, DeltaruleError
from deltarule.machine import require_room

LONGEST_LINE = 2**25  # characters of a physical line
_NAMELESS = "\0column "  # stands for an empty name, which several columns of a file may have


def read_table(path: Path, text_columns: Collection[str] = ()) -> tuple[Frame, tuple[str, ...]]:
    """Read a table whose first line, for .csv, names the columns.

    A .csv file is UTF-8 with commas; an empty cell, NA, NaN, null or None is a missing cell. Columns without
    a name (such as the row numbers that DataFrame.to_csv writes) are left out, with a note. Blanks around a text do
    not count, so that "red " is no other category than "red"; but a missing cell has none after it.

    Args:
        path: the file; its extension, .csv or .parquet, says how to read it.
        text_columns: columns of a .csv file to read as text even if every cell looks like a number.

    Returns:
        The table, its index the data rows 0 .. N-1, and notes.

    Raises:
        DataError: the file is missing, a directory, empty, not UTF-8, ragged, not Parquet, has a column name
            twice, or has no data rows.
    """
    path = Path(path)
    extension = path.suffix.lower()
    try:
        _check_file(path, extension)
        frame = _read_csv(path, text_columns) if extension == ".csv" else _read_parquet(path)
    except OSError as error:
        raise DataError(
            f"{path} cannot be read ({error.strerror or error}): check the file and its permissions"
        ) from None
    nameless = [name for name in frame.columns if name.startswith(_NAMELESS)]
    notes = tuple(
        f"column {name.removeprefix(_NAMELESS)} of {path.name} has no name and is ignored" for name in nameless
    )
    frame = frame.drop(columns=nameless)
    if not len(frame):
        raise DataError(f"{path} has a header but no data rows: add rows below it")
    for name in frame.columns:
        if not isinstance(frame[name].dtype, np.dtype) or frame[name].dtype.kind == "O":
            frame[name] = _stripped(frame[name])
    return frame, notes


def _stripped(column: Series) -> Series:
    """The column without blanks around its texts; the very column if there are none."""
    cells = as_objects(column)
    stripped = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    if stripped == cells:
        return column
    kind = "category" if isinstance(column.dtype, require("pandas", "a table").CategoricalDtype) else column.dtype
    return type(column)(stripped, index=column.index, name=column.name, dtype=object).astype(kind)


def _check_file(path: Path, extension: str) -> None:
    if path.is_dir():
        raise DataError(f"{path} is a directory, which only training reads: give a .csv or .parquet file in it")
    if extension not in (".csv", ".parquet"):
        raise DataError(f"{path} has the extension {extension!r}: give digits, mnist, or a .csv or .parquet file")
    if not path.is_file():
        raise DataError(f"there is no file {path}: check the name and the folder")
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty: give a table with a header and rows")


def _read_csv(path: Path, text_columns: Collection[str]) -> Frame:
    pd = require("pandas", "a table")
    try:
        names = _checked_header(path)
        return pd.read_csv(
            path,
            names=names,
            header=0,
            index_col=False,
            dtype={name: str for name in names if name in text_columns},
            encoding="utf-8-sig",
            skipinitialspace=True,
            low_memory=False,
        )
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise DataError(f"{path} is not UTF-8 (byte 0x{byte:02x}): save it again with the encoding UTF-8") from None
    except DataError:  # a ValueError too, but already said well
        raise
    except (csv.Error, ValueError) as error:  # pandas' ParserError is a ValueError
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{path} is not a table of comma-separated values ({reason}): correct the file") from None


def _checked_header(path: Path) -> list[str]:
    """Read the column names, checking that they differ and that every row has as many cells."""
    names: list[str] = []
    row = -1
    with path.open(encoding="utf-8-sig", newline="") as stream:
        for cells in csv.reader(_lines(path, stream), skipinitialspace=True):
            if not cells or (len(cells) == 1 and not cells[0].strip() and len(names) != 1):
                continue  # pandas skips blank lines too
            row += 1
            if not names:
                row, names = -1, [cell.strip() or f"{_NAMELESS}{i}" for i, cell in enumerate(cells)]
            elif len(cells) != len(names):
                _refuse_other_separators(path, names)
                found = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
                raise DataError(
                    f"{path}: data row {row} (counted from 0) has {found}, "
                    f"but the header {len(names)}: correct the row, and put quotes around a cell that holds a comma"
                )
    if not names:
        raise DataError(f"{path} is empty: give a table with a header and rows")
    _refuse_duplicates(path, names)
    return names


def _refuse_other_separators(path: Path, names: list[str]) -> None:
    """Say so where the header has more semicolons or tabs than commas: the commas are within numbers."""
    for separator, words in ((";", "semicolons"), ("\t", "tabs")):
        if sum(name.count(separator) for name in names) >= len(names):
            raise DataError(
                f"{path} has {words} between its cells, and a table has commas: convert it, with pandas for example by "
                f"read_csv(FILE, sep={separator!r}, decimal=',').to_csv(NEW, index=False)"
            )


def _lines(path: Path, stream: TextIO) -> Iterator[str]:
    """The lines of a text file, none of them longer than memory should hold."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise DataError(
                f"{path} has a line of {LONGEST_LINE:,} characters or more, which is no row of a table: check the file"
            )
        yield line


def _read_parquet(path: Path) -> Frame:
    require("pandas", "a table")
    arrow = require("pyarrow", "a .parquet file")
    parquet = require("pyarrow.parquet", "a .parquet file")
    try:
        with parquet.ParquetFile(path) as file:
            names = [str(name) for name in file.schema_arrow.names]
            _refuse_duplicates(path, names)
            # A kilobyte of Parquet can claim billions of equal rows.
            size = 16.0 * file.metadata.num_rows * max(file.metadata.num_columns, 1)
            require_room(f"the columns of {path}", size, "give a smaller file")
            # Without pandas' metadata every reader sees the same plain columns, whoever wrote the file.
            frame = file.read().to_pandas(ignore_metadata=True)
    except DeltaruleError:
        raise
    except (arrow.ArrowException, ValueError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{path} cannot be read as Parquet ({reason}): write it with DataFrame.to_parquet") from None
    return frame.drop(columns=[name for name in frame.columns if str(name).startswith("__index_level_")])


def _refuse_duplicates(path: Path, names: list[str]) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{path} has more than one column named {shown(twice[0])} (its columns: {listed(names)}): "
            "rename or remove one"
        )
