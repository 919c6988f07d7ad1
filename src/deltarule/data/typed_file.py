"""Reading files whose cells have types: the first sheet of an Excel workbook, and Parquet."""

import warnings
import zipfile
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.cells import as_objects, kind_of, shown
from deltarule.data.optional import require
from deltarule.data.raw_table import RawTable, reading, refuse_duplicates
from deltarule.data.table_options import TableOptions
from deltarule.data.text_layout import NAMELESS
from deltarule.data.units import HEAD, units_row
from deltarule.data.written_numbers import decimal_sign
from deltarule.engine.machine import require_room
from deltarule.errors import DataError, counted


def read_sheet(path: Path, options: TableOptions) -> RawTable:
    """Read the first sheet of a workbook; titles above the header, which fill few cells, are left out.

    Raises:
        DataError: the file is no workbook, or its first sheet has no cells.
    """
    pd = require("pandas")
    require("openpyxl", "an Excel workbook")
    # openpyxl lets whatever its parsers meet pass through, and warns of each style that it does not know.
    with reading(path, "a workbook", "save it again as .xlsx", Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(path) as archive:
            size = 20.0 * sum(entry.file_size for entry in archive.infolist())
        require_room(f"the sheets of {path}", size, "give a smaller file")
        with pd.ExcelFile(path, engine="openpyxl") as book:
            names = book.sheet_names
            sheet = pd.read_excel(book, header=None, dtype=object)
    sheet = sheet.dropna(how="all").dropna(how="all", axis=1)
    filled = sheet.notna().sum(axis=1).to_numpy()
    if not len(filled):
        raise DataError(f"{path} has no cells in its first sheet {shown(names[0])}: give a header and rows there")
    above = int(np.argmax(2 * filled > filled.max()))  # titles and comments above the header fill few cells
    header = as_objects(sheet.iloc[above])
    columns = [f"{NAMELESS}{i}" if name is None else str(name).strip() for i, name in enumerate(header)]
    refuse_duplicates(path, columns)
    frame = sheet.iloc[above + 1 :].set_axis(columns, axis=1)
    units = units_row(frame.iloc[:HEAD])
    frame = frame.iloc[int(bool(units)) :]
    lines = (frame.index + 1).tolist()
    frame = frame.reset_index(drop=True).infer_objects()
    decimal: Any = options.decimal or decimal_sign(frame[name] for name in frame.iloc[:HEAD])
    unusual = (
        f"the first of {len(names)} sheets, {names[0]}" * (len(names) > 1),
        f"{counted(above, 'line')} above the header left out" * (above > 0),
    )
    return RawTable(frame, decimal, unusual, units, lines)


def read_parquet(path: Path, options: TableOptions) -> RawTable:
    """Read a Parquet file.

    Raises:
        DataError: the file is not Parquet, or has a column name twice.
    """
    require("pandas")
    arrow, parquet = (require(module, "a .parquet file") for module in ("pyarrow", "pyarrow.parquet"))
    faults = arrow.ArrowException, ValueError
    with reading(path, "Parquet", "write it with DataFrame.to_parquet", *faults), parquet.ParquetFile(path) as file:
        refuse_duplicates(path, [str(name) for name in file.schema_arrow.names])
        # A kilobyte of Parquet can claim billions of equal rows.
        size = 16.0 * file.metadata.num_rows * max(file.metadata.num_columns, 1)
        require_room(f"the columns of {path}", size, "give a smaller file")
        # Without pandas' metadata every reader sees the same plain columns, whoever wrote the file.
        frame = file.read().to_pandas(ignore_metadata=True)
    frame = frame.drop(columns=[name for name in frame.columns if str(name).startswith("__index_level_")])
    texts = [frame[name] for name in frame if kind_of(frame[name]) == "text"]
    decimal: Any = options.decimal or decimal_sign(texts)
    return RawTable(frame, decimal, typed=True)
