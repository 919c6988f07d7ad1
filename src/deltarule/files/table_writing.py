"""Write columns as a table, in the format of the file's extension, that `read_table` reads back as the same numbers."""

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.optional import require
from deltarule.data.table_options import TextFormat
from deltarule.errors import ConfigurationError, DataError
from deltarule.files.atomic_write import write_atomically

TEXTS, TABS = (".csv", ".txt", ".dat"), (".tsv", ".tab")
TYPED = (".xlsx", ".parquet")  # their cells are numbers or texts, whatever the decimal sign
MOST_SHEET_ROWS = 2**20 - 1  # below the header


def require_table_name(name: str, path: Path) -> None:
    """Raise a ConfigurationError if `write_table` knows no format for the extension of `path`, the option `name`."""
    known = (*TEXTS, *TABS, *TYPED)
    if path.suffix.lower() not in known and not _is_device(path):
        fault = f"{name} is {str(path)!r}, with the extension {path.suffix!r}"
        raise ConfigurationError(f"{fault}, and tables are written as {', '.join(known)}: give one of these")
    for module in {".xlsx": ("openpyxl",), ".parquet": ("pyarrow",)}.get(path.suffix.lower(), ()):
        require(module, f"a {path.suffix} file")


def is_typed(path: Path) -> bool:
    """Whether the cells of this file are numbers or texts by themselves, as in a sheet."""
    return path.suffix.lower() in TYPED


def write_table(path: Path, columns: Mapping[str, Any], source: TextFormat | None = None) -> None:
    """Write columns by name, (N,) each, whole or not at all, their numbers with every digit (16 in a sheet).

    Text files take the decimal sign and the separator of `source`, the table that they belong to. A .tsv file has tabs,
    and a .csv file no blanks or tabs; then commas separate, or semicolons beside decimal commas.
    """
    source, frame = source or TextFormat(), require("pandas").DataFrame(dict(columns))
    extension, stream = path.suffix.lower(), io.BytesIO()
    if extension == ".parquet":
        frame.apply(_as_one_kind).to_parquet(stream, index=False)
    elif extension == ".xlsx":
        if len(frame) > MOST_SHEET_ROWS:
            raise DataError(f"{path} would have {len(frame):,} rows, and a sheet has {MOST_SHEET_ROWS:,}: write a .csv")
        _write_sheet(path, frame, stream)
    else:
        usual = {".tsv": "\t", ".tab": "\t", ".csv": ",;|"}.get(extension, ",;|\t ")
        separator = ";" if source.decimal == "," else ","
        separator = source.separator if source.separator in usual else usual if usual == "\t" else separator
        if source.decimal == ",":
            frame = frame.apply(_with_commas)
        missing = "NA" if separator == " " else ""
        stream.write(frame.to_csv(sep=separator, index=False, lineterminator="\r\n", na_rep=missing).encode())
    write_atomically(path, stream.getvalue())


def _write_sheet(path: Path, frame: Any, stream: io.BytesIO) -> None:
    """Write a workbook with one sheet, in which a text that begins with "=" stays a text and is no formula."""
    refused = require("openpyxl.utils.exceptions").IllegalCharacterError
    try:
        with require("pandas").ExcelWriter(stream, engine="openpyxl") as book:
            frame.apply(_without_zone).to_excel(book, index=False)
            for cell in (cell for row in book.book.active.iter_rows() for cell in row if cell.data_type == "f"):
                cell.data_type = "s"
    except refused as error:
        raise DataError(f"{path} cannot hold a text with control characters ({str(error)!r}): write a .csv") from None


def _with_commas(column: Any) -> Any:
    """Numbers as texts with a decimal comma; other columns as they are."""
    if column.dtype.kind != "f":
        return column
    return column.map(lambda number: None if np.isnan(number) else repr(float(number)).replace(".", ",")).astype(object)


def _as_one_kind(column: Any) -> Any:
    """A column of numbers and texts as texts, because a Parquet column has one type; other columns as they are."""
    kinds = {type(cell) for cell in column.dropna()} if column.dtype == object else set()
    return column.map(str, na_action="ignore") if len(kinds) > 1 else column


def _without_zone(column: Any) -> Any:
    """Times with a time zone as texts, because a sheet knows no zones; other columns as they are."""
    return column.map(lambda time: time.isoformat(), na_action="ignore") if hasattr(column.dtype, "tz") else column


def _is_device(path: Path) -> bool:
    return path.exists() and not path.is_file()
