"""What the cells of one table column hold, and those cells as numbers or as text.

pandas has many ways to store one thing: object, str, nullable Int64, categorical, Arrow decimals. The rest of
the package sees six kinds of column and two conversions.
"""

import re
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from deltarule.data.optional import Series, require
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


def shown(value: object) -> str:
    """Write a cell's value for an error: its repr without NumPy's type name, at most 40 characters."""
    plain = value.item() if isinstance(value, np.generic) else value
    text = repr(plain)
    return text if len(text) <= 40 else f"{text[:37]}..."


def listed(values: Sequence[Any], limit: int = 10) -> str:
    """Write at most `limit` values separated by commas, and how many more there are."""
    return shorten([shown(value) for value in values], limit)


def place(origin: str, name: str, row: object) -> str:
    """Write where a cell stands: the table, the column and the data row."""
    return f"{origin}: column {name!r}, data row {row} (counted from 0)"


def holds(column: Series, row: int, origin: str) -> str:
    """Write where the cell in this row of a column stands, and what it holds."""
    return f"{place(origin, str(column.name), column.index[row])} holds {shown(column.iloc[row])}"


def refuse(column: Series, bad: np.ndarray, origin: str, fault: str) -> None:
    """Name the first cell of a column that is bad, (N,) bool, in a DataError; none may be."""
    if bad.any():
        raise DataError(f"{holds(column, int(np.argmax(bad)), origin)}{fault}")
