"""Read a table's file, text, workbook or Parquet, into a DataFrame; clean its texts, parse its numbers and units."""

import re
import warnings
import zipfile
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.cells import (
    SAMPLED_ROWS,
    Decimal,
    as_numbers,
    as_objects,
    decimal_sign,
    find_column,
    kind_of,
    parse_numbers,
    read_units_row,
    split_unit,
    with_unit,
)
from deltarule.data.optional import Frame, Series, reading, require
from deltarule.data.table_options import (
    DEFAULT_OPTIONS,
    NAMELESS,
    RawTable,
    TableOptions,
    TextFormat,
    refuse_duplicates,
)
from deltarule.data.text_file import read_text_file
from deltarule.engine.machine import require_free_memory
from deltarule.errors import DataError, pluralized

_DATA_ROW = re.compile(r"data row (\d+)(?: \(counted from 0\))?")
TEXT_FILES = (".csv", ".tsv", ".tab", ".txt", ".dat")
SHEETS = (".xlsx", ".xlsm")
TABLE_FILES = (*TEXT_FILES, *SHEETS, ".parquet")


def read_table(
    path: Path | Frame, text_columns: Collection[str] = (), options: TableOptions = DEFAULT_OPTIONS
) -> tuple[Frame, tuple[str, ...]]:
    """Read a table whose first line, after comments, names the columns.

    The encoding, the separator, the decimal sign, comments and a row of units are found in the file, and one note says
    what is unusual. An empty cell, NA, NaN, null or None is a missing cell. Numbers with a unit, such as 6.4% and
    12 kg, are parsed, and the unit goes into the column's name. Columns without a name (such as the row numbers that
    DataFrame.to_csv writes) are left out, with a note. Blanks around a text are removed, so that "red " and "red" are
    the same category.

    Args:
        path: the file, whose extension is one of `TABLE_FILES`, or a DataFrame. Of a workbook the first sheet is read.
        text_columns: columns to read as text even if every cell looks like a number.
        options: the separator, the decimal sign and the marks of missing values, if they cannot be found in the file.

    Returns:
        The table, with the numbers of the data rows from 0 as its index, and notes.
    """
    return read_table_as_written(path, text_columns, options)[:2]


def read_table_as_written(
    path: Path | Frame, text_columns: Collection[str] = (), options: TableOptions = DEFAULT_OPTIONS
) -> tuple[Frame, tuple[str, ...], TextFormat]:
    """Read a table as `read_table` does; also return how its cells are written."""
    source, path = path, as_path(path)
    table = _as_raw_table(source, path.name) if is_frame(source) else _read_file(path, text_columns, options)
    notes = table.notes(path.name)
    nameless = [name for name in table.frame.columns if name.startswith(NAMELESS)]
    notes += [f"column {name.removeprefix(NAMELESS)} of {path.name} has no name and is ignored" for name in nameless]
    frame = table.frame = table.frame.drop(columns=nameless)
    is_empty = frame.isna().all(axis=1) if frame.shape[1] > 1 else np.zeros(len(frame), bool)
    if is_empty.any():
        frame = table.frame = frame[~is_empty]
        notes.append(f"{int(is_empty.sum())} rows of {path.name} without any value are left out")
    if not len(frame):
        raise DataError(f"{path} has a header but no data rows: add rows below it")
    return _clean_columns(path, table, text_columns, options, notes), tuple(notes), table.text_format


def _read_file(path: Path, text_columns: Collection[str], options: TableOptions) -> RawTable:
    extension = path.suffix.lower()
    try:
        if path.is_dir():
            fault = "is a directory, which only training reads: give a .csv or .parquet file in it"
        elif extension not in TABLE_FILES:
            known = ", ".join(TABLE_FILES)
            fault = f"has the extension {extension!r}: give digits, mnist, or a table with one of {known}"
        elif not path.is_file():
            fault = "is no file: check the name and the folder"
        elif path.stat().st_size == 0:
            fault = "is empty: give a table with a header and rows"
        elif extension in TEXT_FILES:
            return read_text_file(path, text_columns, options)
        else:
            return (read_sheet if extension in SHEETS else read_parquet)(path, options)
    except OSError as error:
        fault = f"cannot be read ({error.strerror or error}): check the file and its permissions"
    raise DataError(f"{path} {fault}")


def read_sheet(path: Path, options: TableOptions) -> RawTable:
    """Read the first sheet of a workbook; titles above the header, which fill few cells, are left out."""
    pd = require("pandas")
    require("openpyxl", "an Excel workbook")
    # openpyxl raises the exceptions of its parsers, of any kind, and warns about each style that it does not know.
    with reading(path, "a workbook", "save it again as .xlsx", Exception), warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        with zipfile.ZipFile(path) as archive:
            size = 20.0 * sum(entry.file_size for entry in archive.infolist())
        require_free_memory(f"the sheets of {path}", size, "give a smaller file")
        with pd.ExcelFile(path, engine="openpyxl") as book:
            names = book.sheet_names
            sheet = pd.read_excel(book, header=None, dtype=object)
    sheet = sheet.dropna(how="all").dropna(how="all", axis=1)
    filled = sheet.notna().sum(axis=1).to_numpy()
    if not len(filled):
        raise DataError(f"{path} has no cells in its first sheet {names[0]!r}: give a header and rows there")
    above = int(np.argmax(2 * filled > filled.max()))  # titles and comments above the header fill few cells
    header = as_objects(sheet.iloc[above])
    columns = [f"{NAMELESS}{i}" if name is None else str(name).strip() for i, name in enumerate(header)]
    refuse_duplicates(path, columns)
    frame = sheet.iloc[above + 1 :].set_axis(columns, axis=1)
    units = read_units_row(frame.iloc[:SAMPLED_ROWS])
    frame = frame.iloc[int(bool(units)) :]
    lines = (frame.index + 1).tolist()
    frame = frame.reset_index(drop=True).infer_objects()
    decimal: Any = options.decimal or decimal_sign(frame[name] for name in frame.iloc[:SAMPLED_ROWS])
    remarks = (
        f"the first of {len(names)} sheets, {names[0]}" * (len(names) > 1),
        f"{pluralized(above, 'line')} above the header left out" * (above > 0),
    )
    return RawTable(frame, decimal, remarks, units, lines)


def read_parquet(path: Path, options: TableOptions) -> RawTable:
    """Read a Parquet file."""
    require("pandas")
    arrow, parquet = (require(module, "a .parquet file") for module in ("pyarrow", "pyarrow.parquet"))
    exceptions = arrow.ArrowException, ValueError
    with reading(path, "Parquet", "write it with DataFrame.to_parquet", *exceptions), parquet.ParquetFile(path) as file:
        refuse_duplicates(path, [str(name) for name in file.schema_arrow.names])
        # A kilobyte of Parquet can claim billions of equal rows.
        size = 16.0 * file.metadata.num_rows * max(file.metadata.num_columns, 1)
        require_free_memory(f"the columns of {path}", size, "give a smaller file")
        # Without pandas' metadata every reader sees the same plain columns, whoever wrote the file.
        frame = file.read().to_pandas(ignore_metadata=True)
    frame = frame.drop(columns=[name for name in frame.columns if str(name).startswith("__index_level_")])
    texts = [frame[name] for name in frame if kind_of(frame[name]) == "text"]
    decimal: Any = options.decimal or decimal_sign(texts)
    return RawTable(frame, decimal, typed=True)


@contextmanager
def report_file_lines(path: Any, options: TableOptions = DEFAULT_OPTIONS) -> Iterator[None]:
    """In a DataError about data rows, raised in the `with` block, name lines of the text file or sheet instead."""
    try:
        yield
    except DataError as error:
        message = str(error)
        if is_frame(path) or not _DATA_ROW.search(message):
            raise
        lines = _read_file(Path(path), (), options).lines
        if lines is None:
            raise
        message = _DATA_ROW.sub(lambda match: f"line {lines[int(match[1])]}", message)
        raise DataError(message.replace("; rows counted from 0)", ")")) from None


def is_frame(source: Any) -> bool:
    """Whether a source is a DataFrame and not the path of a file."""
    return hasattr(source, "columns")


def as_path(source: Any) -> Path:
    """The path of a file, or the name "DataFrame" for messages."""
    return Path("DataFrame" if is_frame(source) else source)


def with_default_index(frame: Frame) -> Frame:
    """Number the rows from 0 and turn the columns' names into texts, as in a file."""
    return frame.set_axis([str(name) for name in frame.columns], axis=1).reset_index(drop=True)


def _as_raw_table(frame: Frame, origin: str) -> RawTable:
    """A DataFrame as a raw table; a DataError if two columns have the same name."""
    frame = with_default_index(frame)
    refuse_duplicates(origin, frame.columns)
    return RawTable(frame, typed=True)


def clean_frame(
    frame: Frame, text_columns: Collection[str] = (), options: TableOptions = DEFAULT_OPTIONS, origin: str = "DataFrame"
) -> Frame:
    """Clean a DataFrame as `read_table` does, with every row: strip texts, parse numbers, move units to the names."""
    return _clean_columns(Path(origin), _as_raw_table(frame, origin), text_columns, options, [])


def _clean_columns(
    path: Path, table: RawTable, text_columns: Collection[str], options: TableOptions, notes: list[str]
) -> Frame:
    """Strip texts, replace marks by missing cells, parse numbers, and move units to the names; adds to the notes."""
    names, columns, parsed_units = [], [], []
    for name in table.frame.columns:
        column, unit = table.frame[name], table.units.get(name, "")
        if not isinstance(column.dtype, np.dtype) or column.dtype.kind == "O":
            column = _strip_texts(column)
        is_text = find_column(with_unit(name, unit), text_columns) is not None
        if options.na:
            column = _mask_missing(
                column, options.na, None if is_text or hasattr(column.dtype, "categories") else table.decimal or "."
            )
        if is_text:
            column = _as_texts(column)
        elif kind_of(column) == "text" and not hasattr(column.dtype, "categories"):
            column, cell_unit = _parse_texts(column, table, split_unit(name).unit or unit)
            if cell_unit:
                parsed_units.append(f"{name!r} in {cell_unit}")
            unit = unit or cell_unit
        names.append(with_unit(name, unit))
        columns.append(column)
    if parsed_units:
        notes.append(f"the numbers of these columns of {path.name} have a unit behind them: {', '.join(parsed_units)}")
    refuse_duplicates(path, names)
    return require("pandas").DataFrame(dict(zip(names, columns, strict=True)), index=table.frame.index)


def _strip_texts(column: Series) -> Series:
    """Remove blanks around the texts of a column."""
    cells = as_objects(column)
    stripped = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    if stripped == cells:
        return column
    kind = "category" if hasattr(column.dtype, "categories") else column.dtype
    return type(column)(stripped, index=column.index, name=column.name, dtype=object).astype(kind)


def _mask_missing(column: Series, marks: Collection[str], decimal: Decimal | None) -> Series:
    """Replace the cells that hold one of these texts or numbers by missing cells.

    A mark is a number as Python writes it, 99.9, or as the table does, 99,9. Without `decimal` texts are no numbers.
    """
    texts, kind = type(column)(list(marks), dtype=object), kind_of(column)
    is_missing = column.isin(list(marks)).to_numpy()
    if kind == "numeric" or (kind == "text" and decimal):
        values = np.concatenate([as_numbers(texts), parse_numbers(texts, decimal or ".").values])
        cells = as_numbers(column) if kind == "numeric" else parse_numbers(column, decimal or ".").values
        is_missing = is_missing | np.isin(cells, values[~np.isnan(values)])
    return column.mask(is_missing)


def _as_texts(column: Series) -> Series:
    """Turn numbers or booleans into texts as in a .csv file: 1.0 becomes "1", also if another cell is missing."""
    if kind_of(column) not in ("numeric", "boolean") or hasattr(column.dtype, "categories"):
        return column
    cells = as_objects(column)
    texts = [str(int(c)) if isinstance(c, float) and c.is_integer() else None if c is None else str(c) for c in cells]
    return type(column)(texts, index=column.index, name=column.name, dtype=object)


def _parse_texts(column: Series, table: RawTable, unit: str) -> tuple[Series, str]:
    """Parse a column of texts if all are numbers of one unit, `unit` if given; returns column and unit or ""."""
    parsed = parse_numbers(column, table.decimal or ".")
    cells = [cell for cell in as_objects(column) if isinstance(cell, str)]
    if (parsed.is_number != column.notna().to_numpy()).any() or len(parsed.units) != 1:
        return column, ""
    is_other_unit = unit and parsed.units[0] not in ("", unit)
    is_code = table.typed and all(cell.isdecimal() for cell in cells)  # the file declares these digits as text
    is_ambiguous = table.decimal is None and any("," in cell for cell in cells)  # 1,234 may be 1.234 or 1234
    if is_other_unit or is_code or is_ambiguous:
        return column, ""
    return type(column)(parsed.values, index=column.index, name=column.name), parsed.units[0]
