"""A table as its file holds it, before its cells are made numbers; workbooks and Parquet, whose cells have types."""

import warnings
import zipfile
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from deltarule.data.cells import as_objects, kind_of, listed, shown
from deltarule.data.optional import Frame, require
from deltarule.data.table_options import TableOptions
from deltarule.data.units import HEAD, Decimal, decimal_sign, units_row
from deltarule.engine.machine import require_free_memory
from deltarule.errors import DataError, DeltaruleError, pluralized

NAMELESS = "\0column "  # stands for an empty name, which several columns of a file may have


@dataclass
class RawTable:
    """A table as its file holds it, and how it was read."""

    frame: Frame
    decimal: Decimal | None = None  # the decimal sign of its texts, None where they do not say
    unusual: tuple[str, ...] = ()  # what else is unusual about the file, a few words each; empty texts do not count
    units: dict[str, str] = field(default_factory=dict)  # of the columns, from a row below the header
    lines: Sequence[int] | None = None  # of the file, counted from 1, on which the data rows begin; None if it has none
    typed: bool = False  # whether the file says itself which columns are text

    def notes(self, name: str) -> list[str]:
        """A note of all that is unusual, if anything is."""
        commas = "decimal commas" * (self.decimal == ",")
        units = f"the row below the header as units ({', '.join(self.units.values())})" * bool(self.units)
        found = [words for words in (*self.unusual, commas, units) if words]
        return [f"{name} is read with {', '.join(found)}"] if found else []


def refuse_duplicates(origin: str | Path, names: Collection[str]) -> None:
    """Refuse names that two columns have."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        columns = f"(its columns: {listed(tuple(names))})"
        raise DataError(f"{origin} has more than one column named {shown(twice[0])} {columns}: rename or remove one")


@contextmanager
def reading(what: object, kind: str, advice: str, *faults: type[Exception]) -> Iterator[None]:
    """Turn a library's exception about a damaged file, raised inside, into a DataError."""
    try:
        yield
    except faults as error:
        if isinstance(error, DeltaruleError) or (isinstance(error, OSError) and OSError not in faults):
            raise
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{what} cannot be read as {kind} ({reason}): {advice}") from None


def read_sheet(path: Path, options: TableOptions) -> RawTable:
    """Read the first sheet of a workbook; titles above the header, which fill few cells, are left out."""
    pd = require("pandas")
    require("openpyxl", "an Excel workbook")
    # openpyxl lets whatever its parsers meet pass through, and warns of each style that it does not know.
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
        f"{pluralized(above, 'line')} above the header left out" * (above > 0),
    )
    return RawTable(frame, decimal, unusual, units, lines)


def read_parquet(path: Path, options: TableOptions) -> RawTable:
    """Read a Parquet file."""
    require("pandas")
    arrow, parquet = (require(module, "a .parquet file") for module in ("pyarrow", "pyarrow.parquet"))
    faults = arrow.ArrowException, ValueError
    with reading(path, "Parquet", "write it with DataFrame.to_parquet", *faults), parquet.ParquetFile(path) as file:
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
