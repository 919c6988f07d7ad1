"""Reading a text file with pandas, by what is found of its encoding, its layout and its decimal sign."""

import csv
import io
from collections.abc import Collection
from contextlib import suppress
from pathlib import Path
from typing import Any

from deltarule.data.cells import as_objects
from deltarule.data.optional import Frame, require
from deltarule.data.raw_table import RawTable, reading, refuse_duplicates
from deltarule.data.table_options import TableOptions
from deltarule.data.text_layout import SEPARATORS, TextLayout, lines_of, text_layout
from deltarule.data.units import HEAD, find_column, units_row, with_unit
from deltarule.data.written_numbers import decimal_sign, looks_like_number
from deltarule.errors import DataError, counted

_BYTE_ORDER_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_text_file(path: Path, text_columns: Collection[str], options: TableOptions) -> RawTable:
    """Read a text file; `text_columns` are read as text even if every cell looks like a number."""
    # pandas' ParserError is a ValueError
    with reading(path, "a table of separated values", "correct the file", csv.Error, ValueError):
        for encoding in _encodings(path):
            with suppress(UnicodeError):
                return _read_text_in(encoding, path, text_columns, options)
    raise DataError(f"{path} is no text in any encoding that its first bytes allow: save it again as UTF-8")


def _encodings(path: Path) -> tuple[str, ...]:
    """The encodings to try, by the first bytes of the file."""
    with path.open("rb") as stream:
        start = stream.read(1000)
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return (encoding,)
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):  # every second byte of common letters is zero
        if len(start) >= 4 and start[offset::2].count(0) > 0.8 * len(start[offset::2]):
            return (encoding,)
    return "utf-8-sig", "cp1252", "latin-1"


def _read_text_in(encoding: str, path: Path, text_columns: Collection[str], options: TableOptions) -> RawTable:
    layout = text_layout(path, encoding, options.separator)
    refuse_duplicates(path, layout.names)
    # Both reads begin below the header, whose lines pandas never sees.
    head = _below(path, encoding, layout, layout.first, dict.fromkeys(layout.names, str), nrows=HEAD)
    units = units_row(head)
    rows = [head[name].iloc[int(bool(units)) :] for name in head]
    decimal: Any = options.decimal or decimal_sign(rows)
    cells = (cell for column in rows for cell in as_objects(column) if isinstance(cell, str) and "," in cell)
    if decimal is None and layout.separator == ";" and any(map(looks_like_number, cells)):
        decimal = ","  # which is why the cells are separated by something else
    texts = {name: str for name in layout.names if find_column(with_unit(name, units.get(name, "")), text_columns)}
    frame = _below(path, encoding, layout, layout.second if units else layout.first, texts, decimal=decimal or ".")
    unusual = (
        f"{SEPARATORS.get(layout.separator, repr(layout.separator))} between the cells" * (layout.separator != ","),
        f"the encoding {encoding}" * (encoding != "utf-8-sig"),
        f"{counted(layout.comments, 'comment line')} left out" * (layout.comments > 0),
        f"{counted(layout.above, 'line')} above the header left out" * (layout.above > 0),
    )
    return RawTable(frame, decimal, unusual, units, layout.lines[int(bool(units)) :])


def _below(path: Path, encoding: str, layout: TextLayout, start: int, dtype: Any, **more: Any) -> Frame:
    """What pandas reads from line `start` on."""
    with path.open(encoding=encoding, newline="") as stream:
        for _ in range(start):
            stream.readline()
        text: Any = stream
        if layout.among_rows:
            lines = enumerate(lines_of(path, stream), start)
            text = io.StringIO("".join(line for i, line in lines if i not in layout.among_rows), newline="")
        try:
            return require("pandas").read_csv(
                text,
                sep=r"\s+" if layout.separator == " " else layout.separator,
                names=layout.names,
                header=None,
                index_col=False,
                dtype=dtype,
                skipinitialspace=True,
                low_memory=False,
                **more,
            )
        except require("pandas.errors").EmptyDataError:
            return require("pandas").DataFrame(columns=layout.names)
