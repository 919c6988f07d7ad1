"""Read a text file with pandas, after finding its encoding, its layout and its decimal sign.

The layout is the separator of the cells, the lines with comments, and the line on which the rows begin.
"""

import csv
import io
import re
from array import array
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TextIO

from deltarule.data.cells import (
    SAMPLED_ROWS,
    as_objects,
    decimal_sign,
    find_column,
    looks_like_number,
    read_units_row,
    with_unit,
)
from deltarule.data.optional import Frame, reading, require
from deltarule.data.table_options import NAMELESS, RawTable, TableOptions, refuse_duplicates
from deltarule.errors import DataError, pluralized

LONGEST_LINE = 2**25  # characters
LEAST_ALIKE = 0.5  # with the right separator more than this share of the rows has as many cells as the header
LEAST_LINES = 3  # of a table below a preamble
SAMPLED_LINES = 100  # the first lines of a table, which decide on the separator
SEPARATORS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars", " ": "blanks"}
_COMMENT = ("#", "%", "//")
_SEPARATOR_LINE = re.compile(r'"?sep=(\\t|.)"?\s*', re.IGNORECASE)


class TextLayout(NamedTuple):
    """Where the cells of a text file stand; lines are counted from 0."""

    separator: str  # one character; a blank means any run of blanks
    names: list[str]  # of the columns; a column without a name has `NAMELESS` and its number
    first: int  # the line after the header
    second: int  # the line after the first data row
    comments: int  # the number of comment lines
    comments_below: frozenset[int]  # the comment lines below the header
    lines: Sequence[int] = ()  # the line on which each data row begins, counted from 1 as editors do
    above: int = 0  # the number of lines of a preamble above the header, such as titles and settings


def find_layout(path: Path, encoding: str, separator: str | None = None) -> TextLayout:
    """Find the layout of a text file, and check that every row has as many cells as the header."""
    with path.open(encoding=encoding, newline="") as stream:
        head = list(islice(read_lines(path, stream), 2 * SAMPLED_LINES))
    if any("\0" in line for line in head):
        raise DataError(f"{path} holds bytes that are no text: give a table of text, or an .xlsx or .parquet file")
    start = 0
    if head and (separator_line := _SEPARATOR_LINE.fullmatch(head[0])):
        start, separator = 1, separator or separator_line[1].replace("\\t", "\t")
    begin = start
    while begin < len(head) and (not head[begin].strip() or _is_comment(head[begin])):
        begin += 1
    header_line, header_separator = _find_header(head, begin, separator)
    sample = [line for line in head[header_line:] if line.strip()][:SAMPLED_LINES]
    separator = header_separator or separator or _find_separator(sample)
    if header_line > begin:
        above = header_line - start - sum(not line.strip() for line in head[begin:header_line])
        return _scan_rows(path, encoding, separator, header_line, [], 0)._replace(above=above)
    comments = [i for i in range(start, begin) if head[i].strip()]
    header = _header_in_comment(head[comments[-1]], sample, separator) if comments else []
    return _scan_rows(path, encoding, separator, begin, header, len(comments) - bool(header))


def split_cells(lines: Iterator[str], separator: str) -> Iterator[tuple[list[str], int]]:
    """Yield the cells of each row, and the number of lines read so far."""
    if separator == " ":
        for i, line in enumerate(lines):
            yield re.findall(r'"[^"]*"|\S+', line), i + 1
        return
    reader = csv.reader(lines, delimiter=separator, skipinitialspace=True)
    for cells in reader:
        yield cells, reader.line_num


def read_lines(path: Path, stream: TextIO) -> Iterator[str]:
    """Yield the lines of a text file; a DataError if one has `LONGEST_LINE` characters."""
    while line := stream.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE:
            raise DataError(
                f"{path} has a line of {LONGEST_LINE:,} characters or more, and is no table: check the file"
            )
        yield line


def _is_comment(line: str) -> bool:
    return line.lstrip().startswith(_COMMENT)


def _split_rows(lines: Sequence[str], separator: str) -> list[list[str]]:
    return [cells for cells, _ in split_cells(iter(lines), separator) if cells]


def _find_header(head: Sequence[str], begin: int, separator: str | None) -> tuple[int, str | None]:
    """The line of the header below a preamble, as instruments write one, and its separator; else `begin` and None.

    A header below a preamble has names above numbers. All lines below it have as many cells, and all above have fewer,
    up to their last cell that is not empty: Excel ends titles with separators, until they have as many as the rows.
    """
    lines = [(i, line) for i, line in enumerate(head[begin:], begin) if line.strip()][:SAMPLED_LINES]
    for candidate in [separator] if separator else SEPARATORS:
        rows = [next(iter(_split_rows([line], candidate)), []) for _, line in lines]
        widths = [len(row) for row in rows]
        filled = [max((i + 1 for i, cell in enumerate(row) if cell.strip()), default=0) for row in rows]
        first = next((i for i in range(len(rows), 0, -1) if widths[i - 1] != widths[-1]), 0)
        width = max(filled[first:], default=0)
        for header in (filled.index(width, first) if rows else 0, first):
            if not 0 < header <= len(rows) - LEAST_LINES or max(filled[:header]) >= width:
                continue
            # A row of units may stand between the names and the numbers.
            has_number = [any(map(looks_like_number, row)) for row in rows[header : header + LEAST_LINES]]
            if not has_number[0] and any(has_number):
                return lines[header][0], candidate
    return begin, None


def _find_separator(sample: Sequence[str]) -> str:
    """The separator with which most rows have as many cells as the header, and most cells are numbers."""
    best, separator = (LEAST_ALIKE, 0.0), ""
    for candidate in SEPARATORS:
        try:
            header, *rows = _split_rows(sample, candidate)
        except (csv.Error, ValueError):
            continue
        cells = [cell for row in rows for cell in row]
        numbers = sum(map(looks_like_number, cells)) / max(len(cells), 1)
        # Blanks occur in names and texts too, so they separate only if nothing else does.
        if len(header) < 2 or (candidate == " " and (separator or not numbers)):
            continue
        alike = sum(len(row) == len(header) for row in rows) / len(rows) if rows else 1.0
        if (alike, numbers) > best:
            best, separator = (alike, numbers), candidate
    return separator or ","


def _header_in_comment(comment: str, sample: Sequence[str], separator: str) -> list[str]:
    """The names in the comment above the first row, as NumPy writes them; [] if the first row holds names itself."""
    names = _split_rows([re.sub(r"^\s*(#+|//+|%+(?=\s))\s*", "", comment)], separator)
    rows = _split_rows(sample[:2], separator)
    if not names or not rows or len(names[0]) != len(rows[0]):
        return []
    has_number = [any(map(looks_like_number, row)) for row in rows]
    return [] if not has_number[0] and any(has_number[1:]) else names[0]


def _scan_rows(path: Path, encoding: str, separator: str, begin: int, names: list[str], comments: int) -> TextLayout:
    """Read all rows from line `begin` on, and check that each has as many cells as the header."""
    names, first, second, last = _column_names(names), begin, begin, begin
    comments_below: set[int] = set()
    starts = array("q")
    with path.open(encoding=encoding, newline="") as stream:
        for _ in range(begin):
            stream.readline()
        for cells, count in split_cells(read_lines(path, stream), separator):
            before, last = last, begin + count
            if not cells or (len(cells) == 1 and not cells[0].strip() and len(names) != 1):
                continue  # pandas skips blank lines too
            if not names:
                names, first = _column_names(cells), last
                continue
            # "#DIV/0!" at the start of a row begins no comment.
            if _is_comment(cells[0]) and (len(cells) != len(names) or (comments and len(names) == 1)):
                comments_below |= set(range(before, last))
                continue
            starts.append(before + 1)
            if len(starts) == 1:
                second = last
                if len(cells) == len(names) + 1 and not cells[-1].strip():
                    names += _column_names([""], len(names))  # every row ends with a separator, but not the header
            if len(cells) != len(names):
                between = f"with {SEPARATORS.get(separator, repr(separator))} between them"
                found = f"{path}: line {before + 1} has {pluralized(len(cells), 'cell')}"
                raise DataError(
                    f"{found}, but the header {len(names)}, {between}: correct the row, put quotes around a cell that "
                    "contains a separator, or give the separator with --sep"
                )
    if not names:
        raise DataError(f"{path} is empty: give a table with a header and rows")
    comments += len(comments_below)
    return TextLayout(separator, names, first, second, comments, frozenset(comments_below), starts)


def _column_names(cells: Sequence[str], start: int = 0) -> list[str]:
    return [cell.strip().strip('"') or f"{NAMELESS}{start + i}" for i, cell in enumerate(cells)]


_BYTE_ORDER_MARKS = {b"\xff\xfe\0\0": "utf-32", b"\0\0\xfe\xff": "utf-32", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}


def read_text_file(path: Path, text_columns: Collection[str], options: TableOptions) -> RawTable:
    """Read a text file; `text_columns` are read as text even if every cell looks like a number."""
    # pandas' ParserError is a ValueError
    with reading(path, "a table of separated values", "correct the file", csv.Error, ValueError):
        for encoding in _encodings(path):
            with suppress(UnicodeError):
                return _read_encoded(encoding, path, text_columns, options)
    raise DataError(f"{path} is no text in any encoding that fits its first bytes: save it again as UTF-8")


def _encodings(path: Path) -> tuple[str, ...]:
    """The encodings to try, from the first bytes of the file."""
    with path.open("rb") as stream:
        start = stream.read(1000)
    for mark, encoding in _BYTE_ORDER_MARKS.items():
        if start.startswith(mark):
            return (encoding,)
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):  # every second byte of common letters is zero
        if len(start) >= 4 and start[offset::2].count(0) > 0.8 * len(start[offset::2]):
            return (encoding,)
    return "utf-8-sig", "cp1252", "latin-1"


def _read_encoded(encoding: str, path: Path, text_columns: Collection[str], options: TableOptions) -> RawTable:
    layout = find_layout(path, encoding, options.separator)
    refuse_duplicates(path, layout.names)
    # Both reads begin below the header, so pandas never sees it.
    head = _read_csv(path, encoding, layout, layout.first, dict.fromkeys(layout.names, str), nrows=SAMPLED_ROWS)
    units = read_units_row(head)
    rows = [head[name].iloc[int(bool(units)) :] for name in head]
    decimal: Any = options.decimal or decimal_sign(rows)
    cells = (cell for column in rows for cell in as_objects(column) if isinstance(cell, str) and "," in cell)
    if decimal is None and layout.separator == ";" and any(map(looks_like_number, cells)):
        decimal = ","  # a comma for decimals is why semicolons separate the cells
    texts = {name: str for name in layout.names if find_column(with_unit(name, units.get(name, "")), text_columns)}
    frame = _read_csv(path, encoding, layout, layout.second if units else layout.first, texts, decimal=decimal or ".")
    remarks = (
        f"{SEPARATORS.get(layout.separator, repr(layout.separator))} between the cells" * (layout.separator != ","),
        f"the encoding {encoding}" * (encoding != "utf-8-sig"),
        f"{pluralized(layout.comments, 'comment line')} left out" * (layout.comments > 0),
        f"{pluralized(layout.above, 'line')} above the header left out" * (layout.above > 0),
    )
    return RawTable(frame, decimal, remarks, units, layout.lines[int(bool(units)) :], layout.separator)


def _read_csv(path: Path, encoding: str, layout: TextLayout, start: int, dtype: Any, **options: Any) -> Frame:
    """Read the file with pandas from line `start` on."""
    with path.open(encoding=encoding, newline="") as stream:
        for _ in range(start):
            stream.readline()
        text: Any = stream
        if layout.comments_below:
            lines = enumerate(read_lines(path, stream), start)
            text = io.StringIO("".join(line for i, line in lines if i not in layout.comments_below), newline="")
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
                **options,
            )
        except require("pandas.errors").EmptyDataError:
            return require("pandas").DataFrame(columns=layout.names)
