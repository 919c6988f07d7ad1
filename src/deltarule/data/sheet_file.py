"""Reading the first sheet of an Excel workbook."""

import warnings
import zipfile
from pathlib import Path
from typing import cast

import numpy as np

from deltarule.data.cells import as_objects, shown
from deltarule.data.optional import require
from deltarule.data.raw_table import RawTable, refuse_duplicates
from deltarule.data.table_options import TableOptions
from deltarule.data.text_layout import NAMELESS
from deltarule.data.units_row import HEAD, units_row
from deltarule.data.written_numbers import Decimal, decimal_sign
from deltarule.errors import DataError
from deltarule.machine import require_room


def read_sheet(path: Path, options: TableOptions) -> RawTable:
    """Read the first sheet of a workbook; titles above the header, which fill few cells, are left out.

    Raises:
        DataError: the file is no workbook, or its first sheet has no cells.
    """
    pd = require("pandas", "a table")
    require("openpyxl", "an Excel workbook")
    try:
        with zipfile.ZipFile(path) as archive:
            size = 20.0 * sum(entry.file_size for entry in archive.infolist())
        require_room(f"the sheets of {path}", size, "give a smaller file")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # openpyxl says of each style that it does not know
            with pd.ExcelFile(path, engine="openpyxl") as book:
                names = book.sheet_names
                sheet = pd.read_excel(book, header=None, dtype=object)
    except (DataError, OSError):
        raise
    except Exception as error:  # openpyxl lets whatever its parsers meet pass through
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{path} cannot be read as a workbook ({reason}): save it again as .xlsx") from None
    sheet = sheet.dropna(how="all").dropna(how="all", axis=1)
    filled = sheet.notna().sum(axis=1).to_numpy()
    if not len(filled):
        raise DataError(f"{path} has no cells in its first sheet {shown(names[0])}: give a header and rows there")
    above = int(np.argmax(2 * filled > filled.max()))  # titles and comments above the header fill few cells
    header = as_objects(sheet.iloc[above])
    columns = [f"{NAMELESS}{i}" if name is None else str(name).strip() for i, name in enumerate(header)]
    refuse_duplicates(path, columns)
    frame = sheet.iloc[above + 1 :].reset_index(drop=True)
    frame.columns = columns
    units = units_row(frame.iloc[:HEAD]) if len(frame) else {}
    frame = frame.iloc[1:].reset_index(drop=True) if units else frame
    frame = frame.infer_objects()
    decimal = cast(Decimal | None, options.decimal) or decimal_sign(frame[name] for name in frame.iloc[:HEAD])
    found = [
        f"the first of {len(names)} sheets, {names[0]}" * (len(names) > 1),
        f"{above} line{'s' * (above > 1)} above the header left out" * (above > 0),
        "decimal commas" * (decimal == ","),
        f"the row below the header as units ({', '.join(units.values())})" * bool(units),
    ]
    return RawTable(frame, decimal, [words for words in found if words], units)
