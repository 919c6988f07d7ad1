"""What the cells of one table column hold, and those cells as numbers or as text.

pandas has many ways to store one thing: object, str, nullable Int64, categorical, Arrow decimals. The rest of
the package sees six kinds of column and two conversions.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import numpy as np

from deltarule.data.optional import Frame, Series, require
from deltarule.errors import DataError, shorten

Kind = Literal["numeric", "boolean", "text", "date", "empty", "other"]

EMPTY_ADVICE = "fill the cell, or leave such rows out with drop_missing=True (--drop-missing)"
_KINDS: dict[str, Any] = {  # by the names of pandas.api.types.infer_dtype
    **dict.fromkeys(("integer", "integer-na", "floating", "mixed-integer-float", "decimal"), "numeric"),
    **dict.fromkeys(("boolean",), "boolean"),
    **dict.fromkeys(("string", "mixed-integer"), "text"),
    **dict.fromkeys(("datetime64", "datetime", "date", "time", "timedelta64", "timedelta", "period"), "date"),
}
_DATE = r"(?:\d{4}-\d{2}-\d{2}|\d{1,2}([./])\d{1,2}\1\d{4})(?:[ T]\d{1,2}:\d{2}.*)?"


def kind_of(column: Series) -> Kind:
    """Say what a column, (N,), holds, whatever its dtype; missing cells do not count.

    "text" also where texts stand among numbers; "date" for dates and times, also as text if all of it is such as
    2024-01-31, 31.1.2024 or 1/31/2024, with or without a time; "empty" when every cell is missing; "other" for the
    rest: bytes, lists, complex numbers.
    """
    pd = require("pandas")
    present = column.dropna()
    if present.empty:
        return "empty"
    if isinstance(present.dtype, pd.CategoricalDtype):
        present = present.astype(object)
    kind = _KINDS.get(pd.api.types.infer_dtype(present, skipna=True), "other")
    if kind == "other" and all(isinstance(cell, str | int | float) for cell in present):
        return "text"  # what a sheet holds whose numbers have a stray text among them
    if kind == "text" and re.fullmatch(_DATE, str(present.iloc[0])):
        return "date" if present.astype(str).str.fullmatch(_DATE).all() else kind
    return kind


def as_numbers(column: Series) -> np.ndarray:
    """Read a column as float64, (N,): booleans as 0 and 1, and NaN where a cell is missing or no number."""
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
    """Read a column as a list of N Python values, with None where a cell is missing."""
    return column.astype(object).where(column.notna(), None).tolist()


def format_value(value: object) -> str:
    """Write a cell's value for an error: its repr without NumPy's type name, at most 40 characters."""
    plain = value.item() if isinstance(value, np.generic) else value
    text = repr(plain)
    return text if len(text) <= 40 else f"{text[:37]}..."


def format_values(values: Sequence[Any], limit: int = 10) -> str:
    """Write at most `limit` values separated by commas, and how many more there are."""
    return shorten([format_value(value) for value in values], limit)


def cell_location(origin: str, name: str, row: object) -> str:
    """Write where a cell stands: the table, the column and the data row."""
    return f"{origin}: column {name!r}, data row {row} (counted from 0)"


def describe_cell(column: Series, row: int, origin: str) -> str:
    """Write where the cell in this row of a column stands, and what it holds."""
    return f"{cell_location(origin, str(column.name), column.index[row])} holds {format_value(column.iloc[row])}"


def refuse_cells(column: Series, bad: np.ndarray, origin: str, fault: str) -> None:
    """Name the first cell of a column that is bad, (N,) bool, in a DataError; none may be."""
    if bad.any():
        raise DataError(f"{describe_cell(column, int(np.argmax(bad)), origin)}{fault}")


SAMPLED_ROWS = 1000  # rows of a table that decide on its decimal sign and whether the first of them holds units
LONGEST_UNIT = 20  # characters
NO_UNIT = ("", "-", "1")  # what stands in the brackets of a column without a dimension
_NAME_WITH_UNIT = re.compile(r"(?P<bare>.*?\S)(?:\s*\[(?P<square>[^\[\]]*)\]|\s+\((?P<round>[^()]*)\))\s*", re.DOTALL)


class NameAndUnit(NamedTuple):
    """A column's name without its unit, and the unit, None where the name has none."""

    name: str
    unit: str | None


def split_unit(name: str) -> NameAndUnit:
    """Take the unit from the end of a column's name: in square brackets or, after a blank, in round ones.

    >>> split_unit("pressure [bar]"), split_unit("age (years)"), split_unit("log(x)")
    (Named(bare='pressure', unit='bar'), Named(bare='age', unit='years'), Named(bare='log(x)', unit=None))
    """
    found = _NAME_WITH_UNIT.fullmatch(name)
    if found is None:
        return NameAndUnit(name, None)
    unit = (found["square"] if found["square"] is not None else found["round"]).strip()
    return NameAndUnit(found["bare"], None if unit in NO_UNIT else unit)


def with_unit(name: str, unit: str) -> str:
    """Write a unit into a column's name, unless it has one.

    >>> with_unit("pressure", "bar"), with_unit("pressure [kPa]", "bar")
    ('pressure [bar]', 'pressure [kPa]')
    """
    named = split_unit(name)
    return name if named.unit is not None or unit in NO_UNIT else f"{named.name} [{unit}]"


def with_suffix(name: str, suffix: str) -> str:
    """The name of what has the same unit as a column.

    >>> suffixed("pressure [bar]", "std"), suffixed("y", "std")
    ('pressure_std [bar]', 'y_std')
    """
    bare, unit = split_unit(name)
    return f"{name}_{suffix}" if unit is None else with_unit(f"{bare}_{suffix}", unit)


def find_column(name: str, columns: Iterable[str]) -> str | None:
    """The one of `columns` that `name` means, or None.

    That is the column of this very name; else, if there is only one such, the column that has this name but for a unit
    that only one of the two names has. A column in kPa is never taken for one in bar.
    """
    columns = list(columns)
    if name in columns:
        return name
    bare, unit = split_unit(name)
    near = [column for column in columns if split_unit(column).name == bare]
    return near[0] if len(near) == 1 and (unit is None or split_unit(near[0]).unit is None) else None


def read_units_row(head: Frame) -> dict[str, str]:
    """The unit of each column that the first row of a table, given its first rows, names; {} if that holds no units.

    It does if none of its cells is a number, at least half of the columns of numbers have a short text there, and no
    column of texts has one, but for a mark such as "-". Marks of missing values are no units.
    """
    if not len(head):
        return {}
    units, numeric = {}, 0
    for name in head:
        first, *others = as_objects(head[name])
        present = [cell for cell in others if cell is not None]
        numbers = 2 * sum(map(looks_like_number, present)) > len(present)
        numeric += numbers
        if first is None:
            continue
        if not isinstance(first, str) or looks_like_number(first):
            return {}
        unit = re.sub(r"^[\[(]|[\])]$", "", first.strip()).strip()
        if numbers and unit not in NO_UNIT:
            if is_missing_mark(unit) or len(unit) > LONGEST_UNIT:
                return {}
            units[name] = unit
        elif not numbers and unit not in NO_UNIT and kind_of(head[name].iloc[1:]) not in ("date", "empty"):
            return {}
    return units if 2 * len(units) >= max(numeric, 1) else {}


Decimal = Literal[".", ","]
_CURRENCY = "$€£¥"
_GROUP_SEPARATORS = " \u00a0\u2009\u202f'’"  # between groups of three digits
# What stands where a number is missing. pandas knows more of them (NA, NaN, null), which are missing cells already.
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
    """The cells of a column, read as numbers."""

    values: np.ndarray  # (N,) float64, NaN where a cell is missing or no number
    is_number: np.ndarray  # where a cell is a number, (N,) bool
    units: tuple[str, ...]  # the different units behind the numbers, in their order; "" for cells without one


def parse_numbers(column: Series, decimal: Decimal) -> ParsedNumbers:
    """Read every cell of a column, (N,), that holds a number, written with this decimal sign."""
    read = [_parse_number(cell, decimal) for cell in as_objects(column)]
    values = np.array([np.nan if found is None else found[0] for found in read])
    return ParsedNumbers(values, ~np.isnan(values), tuple(dict.fromkeys(found[1] for found in read if found)))


def looks_like_number(cell: Any) -> bool:
    """Whether a cell holds a number, whatever its decimal sign and its unit."""
    return _parse_number(cell, ".") is not None or _parse_number(cell, ",") is not None


def is_missing_mark(cell: Any) -> bool:
    """Whether a text is a usual mark of a missing value, such as "?", "-" or "#DIV/0!"."""
    return isinstance(cell, str) and cell.strip().lower() in MISSING_MARKS


def decimal_sign(columns: Iterable[Series]) -> Decimal | None:
    """The decimal sign of a table by its columns of numbers, None where they do not say.

    A column counts if at least half of its cells are numbers. "1,5" can only have a decimal comma and "1.5" only a
    decimal point; "1,234" could have either.
    """
    seen = set()
    for column in columns:
        cells = [cell for cell in as_objects(column) if isinstance(cell, str)]
        signs = [{sign for sign in _NUMBERS if _parse_number(cell, sign) is not None} for cell in cells]
        if 2 * sum(map(bool, signs)) >= len(cells):
            seen |= {next(iter(sign)) for sign in signs if len(sign) == 1}
    return seen.pop() if len(seen) == 1 else None


def _parse_number(cell: Any, decimal: str) -> tuple[float, str] | None:
    """The number in a cell and its unit, "" for none."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell), ""
    found = _NUMBERS[decimal].fullmatch(cell) if isinstance(cell, str) else None
    if found is None or (found["currency"] and found["unit"]):
        return None
    digits = "".join(filter(str.isdecimal, found["digits"]))
    text = f"{found['sign']}{digits or '0'}.{found['fraction'] or '0'}e{found['exponent'] or '0'}".replace("−", "-")
    return float(text), found["currency"] or found["unit"] or ""
