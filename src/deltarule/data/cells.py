"""Read the cells of a table: the kind of a column, its cells as numbers or as text, and numbers and units as written.

pandas stores the same cells in many ways: object, str, nullable Int64, categorical, Arrow decimals. The rest of the
package knows six kinds of column. Numbers are written as 1,5 or 5,094.60 or 1 234.5 or 1.0D+00 or 6.4% or 12 kg; the
decimal sign is a property of the whole table, because "1,234" alone could be either. Units stand in column names,
"pressure [bar]", or in a row below the header: t, p, and s, bar.
"""

import re
import shlex
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from deltarule.data.optional import Frame, Series, require
from deltarule.errors import DataError, shorten

Kind = Literal["numeric", "boolean", "text", "date", "empty", "other"]

EMPTY_ADVICE = "fill the cell, or leave such rows out with drop_missing=True (--drop-missing)"
_KINDS: dict[str, Any] = {  # by the result of pandas.api.types.infer_dtype
    **dict.fromkeys(("integer", "integer-na", "floating", "mixed-integer-float", "decimal"), "numeric"),
    **dict.fromkeys(("boolean",), "boolean"),
    **dict.fromkeys(("string", "mixed-integer"), "text"),
    **dict.fromkeys(("datetime64", "datetime", "date", "time", "timedelta64", "timedelta", "period"), "date"),
}
DATE = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}([./])\d{1,2}\1\d{4})(?:[ T]\d{1,2}:\d{2}.*)?"


def kind_of(column: Series) -> Kind:
    """The kind of a column, (N,), whatever its dtype; missing cells do not count.

    "text" includes texts among numbers. "date" means dates and times, also as texts if all of them are written like
    2024-01-31, 31.1.2024 or 1/31/2024, with or without a time. "empty" means that every cell is missing. "other" is
    the rest: bytes, lists, complex numbers.
    """
    pd = require("pandas")
    present = column.dropna()
    if present.empty:
        return "empty"
    if isinstance(present.dtype, pd.CategoricalDtype):
        present = present.astype(object)
    kind = _KINDS.get(pd.api.types.infer_dtype(present, skipna=True), "other")
    if kind == "other" and all(isinstance(cell, str | int | float) for cell in present):
        return "text"  # numbers of a sheet with a stray text among them
    if kind == "text" and re.fullmatch(DATE, str(present.iloc[0])):
        return "date" if present.astype(str).str.fullmatch(DATE).all() else kind
    return kind


def as_numbers(column: Series) -> np.ndarray:
    """The cells of a column as float64, (N,): booleans become 0 and 1, missing cells and texts without a number NaN."""
    pd = require("pandas")
    if isinstance(column.dtype, np.dtype) and column.dtype.kind in "buif":
        return column.to_numpy(dtype=np.float64)
    kind = kind_of(column)
    if kind in ("numeric", "boolean"):
        return np.array([_as_float(cell) for cell in as_objects(column)], dtype=np.float64)
    if kind == "text":
        return pd.to_numeric(column.astype(object), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.full(len(column), np.nan)


def _as_float(cell: Any) -> float:
    try:
        return np.nan if cell is None else float(cell)
    except OverflowError:  # an integer of more than 308 digits
        return np.inf


def as_objects(column: Series) -> list[Any]:
    """The cells of a column as N Python values, None for a missing cell."""
    return column.astype(object).where(column.notna(), None).tolist()


def format_value(value: object) -> str:
    """A value for a message: its repr without NumPy's type name, at most 40 characters."""
    plain = value.item() if isinstance(value, np.generic) else value
    text = repr(plain)
    return text if len(text) <= 40 else f"{text[:37]}..."


def format_values(values: Sequence[Any], limit: int = 10) -> str:
    """At most `limit` values for a message, separated by commas, and the number of the others."""
    return shorten([format_value(value) for value in values], limit)


def cell_location(origin: str, name: str, row: object) -> str:
    """Where a cell stands, for a message: the table, the column and the data row."""
    return f"{origin}: column {name!r}, data row {row} (counted from 0)"


def describe_cell(column: Series, row: int, origin: str) -> str:
    """Where the cell in this row of a column stands and what it holds, for a message."""
    return f"{cell_location(origin, str(column.name), column.index[row])} holds {format_value(column.iloc[row])}"


def first_bad_row(column: Series, bad: np.ndarray) -> int:
    """The first row of a column that is `bad`, (N,) bool; rather a cell without a number than one such as "1,5".

    One word among decimal commas makes all cells of its column texts, and the word is to be corrected.
    """
    rows = np.flatnonzero(bad).tolist()
    return next((row for row in rows if not looks_like_number(column.iloc[row])), rows[0])


def refuse_cells(column: Series, bad: np.ndarray, origin: str, fault: str) -> None:
    """Raise a DataError about the first cell of a column that is `bad`, (N,) bool; `fault` ends its sentence."""
    if bad.any():
        raise DataError(f"{describe_cell(column, first_bad_row(column, bad), origin)}{fault}")


SAMPLED_ROWS = 1000  # the first rows of a table, which decide on its decimal sign and on a row of units
LONGEST_UNIT = 20  # characters
NO_UNIT = ("", "-", "1")  # in the brackets of a column without a dimension
_NAME_WITH_UNIT = re.compile(r"(?P<name>.*?\S)(?:\s*\[(?P<square>[^\[\]]*)\]|\s+\((?P<round>[^()]*)\))\s*", re.DOTALL)


class NameAndUnit(NamedTuple):
    """A column's name without its unit, and the unit or None."""

    name: str
    unit: str | None


def split_unit(name: str) -> NameAndUnit:
    """Split off the unit at the end of a column's name: in square brackets or, after a blank, in round ones.

    >>> split_unit("pressure [bar]"), split_unit("log(x)")
    (NameAndUnit(name='pressure', unit='bar'), NameAndUnit(name='log(x)', unit=None))
    """
    match = _NAME_WITH_UNIT.fullmatch(name)
    if match is None:
        return NameAndUnit(name, None)
    unit = (match["square"] if match["square"] is not None else match["round"]).strip()
    return NameAndUnit(match["name"], None if unit in NO_UNIT else unit)


def with_unit(name: str, unit: str) -> str:
    """Add a unit to a column's name, unless it has one.

    >>> with_unit("pressure", "bar"), with_unit("pressure [kPa]", "bar")
    ('pressure [bar]', 'pressure [kPa]')
    """
    named = split_unit(name)
    return name if named.unit is not None or unit in NO_UNIT else f"{named.name} [{unit}]"


def with_suffix(name: str, suffix: str) -> str:
    """Add a suffix to a column's name, before its unit.

    >>> with_suffix("pressure [bar]", "std"), with_suffix("y", "std")
    ('pressure_std [bar]', 'y_std')
    """
    bare, unit = split_unit(name)
    return f"{name}_{suffix}" if unit is None else with_unit(f"{bare}_{suffix}", unit)


def find_column(name: str, columns: Iterable[str]) -> str | None:
    """The column with this name, or None.

    If no column has exactly this name, the only one that differs by a unit in one of the two names is meant. A column
    in kPa never stands for one in bar.
    """
    columns = list(columns)
    if name in columns:
        return name
    bare, unit = split_unit(name)
    candidates = [column for column in columns if split_unit(column).name == bare]
    return candidates[0] if len(candidates) == 1 and None in (unit, split_unit(candidates[0]).unit) else None


def refuse_other_unit(name: str, columns: Iterable[str], origin: str) -> None:
    """Raise a DataError if a table lacks the column `name` of a model and has it in another unit."""
    columns, (bare, unit) = list(columns), split_unit(name)
    for other in () if unit is None or name in columns else columns:
        split = split_unit(str(other))
        if split.name == bare and split.unit is not None:
            found = f"{origin} has the column {other!r}, and the model was trained on {name!r}"
            raise DataError(f"{found}: convert its numbers to {unit}, and name it {name!r}")


def read_units_row(head: Frame) -> dict[str, str]:
    """The units of columns if the first row of a table holds units, else {}; `head` are the first rows.

    A row holds units if none of its cells is a number, at least half of the columns of numbers have a short text there,
    and columns of texts have none, except marks such as "-". Marks of missing values are no units.
    """
    if not len(head):
        return {}
    units, numeric = {}, 0
    for name in head:
        first, *others = as_objects(head[name])
        present = [cell for cell in others if cell is not None]
        is_numeric = 2 * sum(map(looks_like_number, present)) > len(present)
        numeric += is_numeric
        if first is None:
            continue
        if not isinstance(first, str) or looks_like_number(first):
            return {}
        unit = re.sub(r"^[\[(]|[\])]$", "", first.strip()).strip()
        if is_numeric and unit not in NO_UNIT:
            if is_missing_mark(unit) or len(unit) > LONGEST_UNIT:
                return {}
            units[name] = unit
        elif not is_numeric and unit not in NO_UNIT and kind_of(head[name].iloc[1:]) not in ("date", "empty"):
            return {}
    return units if 2 * len(units) >= max(numeric, 1) else {}


Decimal = Literal[".", ","]
_CURRENCY = "$€£¥"
_GROUP_SEPARATORS = " \u00a0\u2009\u202f'’"  # between groups of three digits
# Texts for a missing number, in lower case. pandas reads some others (NA, NaN, null) as missing cells itself.
MISSING_MARKS = frozenset(
    (
        *("?", "-", "--", "---", ".", "..", "...", "…", "*", "na", "n/a", "n.a.", "nd", "n.d.", "k.a."),
        *("nil", "none", "null", "nan", "void", "missing", "unknown", "error", "inf", "-inf"),
        *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "#n/a"),
    )
)
_NUMBERS = {
    decimal: re.compile(
        rf"""\s*(?P<sign>[-+−]?)\s?(?P<currency>[{_CURRENCY}]?)\s?(?=[.,]?\d)
        (?P<digits>[1-9]\d{{0,2}}(?P<group>[{other}{_GROUP_SEPARATORS}])\d{{3}}(?:(?P=group)\d{{3}})*|\d*)
        (?:{re.escape(decimal)}(?P<fraction>\d*))?(?:[eEdD](?P<exponent>[-+−]?\d+))?
        \s*(?P<unit>(?:[^\W\d_]|[%‰°′″{_CURRENCY}Ω])(?:[^\s\d,;:]|\d(?!\w)){{0,11}})?\s*""",
        re.VERBOSE,
    )
    for decimal, other in (".,", ",.")
}


class ParsedNumbers(NamedTuple):
    """The cells of a column, parsed as numbers."""

    values: np.ndarray  # (N,) float64, NaN where a cell is missing or no number
    is_number: np.ndarray  # (N,) bool
    units: tuple[str, ...]  # the different units behind the numbers, in order of appearance; "" is no unit


def parse_numbers(column: Series, decimal: Decimal) -> ParsedNumbers:
    """Parse every cell of a column, (N,), as a number with this decimal sign."""
    parsed = [_parse_number(cell, decimal) for cell in as_objects(column)]
    values = np.array([np.nan if number is None else number[0] for number in parsed])
    return ParsedNumbers(values, ~np.isnan(values), tuple(dict.fromkeys(number[1] for number in parsed if number)))


def looks_like_number(cell: Any) -> bool:
    """Whether a cell holds a number, whatever its decimal sign and its unit."""
    return _parse_number(cell, ".") is not None or _parse_number(cell, ",") is not None


def is_missing_mark(cell: Any) -> bool:
    """Whether a text is a usual mark of a missing value, such as "?", "-" or "#DIV/0!"."""
    return isinstance(cell, str) and cell.strip().lower() in MISSING_MARKS


def decimal_sign(columns: Iterable[Series]) -> Decimal | None:
    """The decimal sign of a table, from its columns of numbers; None if they leave it open.

    A column counts if at least half of its texts are numbers. "1,5" has a decimal comma and "1.5" a decimal point;
    "1,234" could have either.
    """
    seen = set()
    for column in columns:
        cells = [cell for cell in as_objects(column) if isinstance(cell, str)]
        signs = [{sign for sign in _NUMBERS if _parse_number(cell, sign) is not None} for cell in cells]
        if 2 * sum(map(bool, signs)) >= len(cells):
            seen |= {next(iter(sign)) for sign in signs if len(sign) == 1}
    return seen.pop() if len(seen) == 1 else None


def _parse_number(cell: Any, decimal: str) -> tuple[float, str] | None:
    """The number in a cell and its unit, "" for none; None if the cell is no number."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return _as_float(cell), ""
    match = _NUMBERS[decimal].fullmatch(cell) if isinstance(cell, str) else None
    if match is None or (match["currency"] and match["unit"]):
        return None
    digits = "".join(filter(str.isdecimal, match["digits"]))
    text = f"{match['sign']}{digits or '0'}.{match['fraction'] or '0'}e{match['exponent'] or '0'}".replace("−", "-")
    return float(text), match["currency"] or match["unit"] or ""


def number_fault(column: Series, row: int) -> str:
    """Say why a cell is no finite number, and what to do."""
    cell = column.iloc[row]
    if column.isna().iloc[row]:
        return f"is empty: {EMPTY_ADVICE}"
    fault, advice = ", which is not a number", "correct the cell or remove the row"
    if kind_of(column) == "numeric" or str(cell).strip().lower().lstrip("+-") in ("inf", "infinity"):
        fault, advice = "", "replace it with a finite number or remove the row"
    elif is_missing_mark(cell):
        fault, advice = "", f"if it stands for a missing value, read it as one with --na {shlex.quote(cell)}"
    elif looks_like_number(cell):
        fault = ", a number with a comma or a unit that other cells lack"
        advice = "write all cells alike, and say with --decimal what the comma is"
    return f"holds {format_value(cell)}{fault}: {advice}"
