"""Read the dates of a column: 2026-03-01, 1.3.2026 with the day first, and 1/3/2026, where the column decides."""

import re
from typing import Any

import numpy as np

from deltarule.data.cells import DATE, describe_cell, format_value, refuse_cells
from deltarule.data.optional import Series, require
from deltarule.errors import DataError

EVEN = 0.01  # relative difference that steps may have
_ADVICE = "write dates like 2026-01-31 14:00"
_PARTS = r"(\d+)([-./])(\d+)[-./](\d+)(?:[ T](.*))?"


def read_dates(column: Series, origin: str) -> tuple[np.ndarray, tuple[str, ...]]:
    """Read a column of dates without missing cells.

    Dates with dots begin with the day. Dates with slashes begin with the day if a first number of the column is above
    12, and with the month if a second one is. If both are possible, the order is taken that makes the steps more even.

    Returns:
        The dates, (N,) datetime64[ns], in UTC where they have a time zone; and a note if both orders are possible.

    Raises:
        DataError: a cell is no date, or the order of day and month cannot be found.
    """
    are_texts = all(isinstance(cell, str) for cell in column)
    if are_texts:  # the usual case, in a few milliseconds
        options = {"format": "ISO8601", "errors": "coerce", "utc": True}
        times = require("pandas", "dates").to_datetime(column.astype(object), **options).dt.tz_localize(None)
        if times.notna().all():
            return _to_times(times, column, origin), ()
    is_date = np.array([not isinstance(cell, str) or bool(re.fullmatch(DATE, cell)) for cell in column], bool)
    refuse_cells(column, ~is_date, origin, f", which is no date: {_ADVICE}")
    if not are_texts:
        return _to_times(column, column, origin), ()
    parts = column.astype(object).str.extract(_PARTS)
    first, second, third = (parts[i].astype(np.int64).to_numpy() for i in (0, 2, 3))
    separator, clock = parts[1].to_numpy(), parts[4].fillna("")

    def read(is_day_first: bool) -> Any:
        """The dates as texts, year first; None for a day or month that does not exist."""
        swapped = (separator == ".") | ((separator == "/") & is_day_first)
        month, day = np.where(swapped, second, first), np.where(swapped, first, second)
        year = np.where(separator == "-", first, third)
        month, day = np.where(separator == "-", second, month), np.where(separator == "-", third, day)
        exists = (month > 0) & (month <= 12) & (day > 0) & (day <= 31)
        cells = zip(year, month, day, clock, exists, strict=True)
        texts = [f"{y:04}-{m:02}-{d:02} {c}".strip() if e else None for y, m, d, c, e in cells]
        return type(column)(texts, index=column.index, name=column.name, dtype=object)

    has_slash = separator == "/"
    day_first, month_first = (has_slash & (number > 12) for number in (first, second))
    if day_first.any() and month_first.any():
        found = describe_cell(column, int(np.argmax(month_first)), origin)
        other = format_value(column.iloc[int(np.argmax(day_first))])
        raise DataError(f"{found}, with the month first, and another cell {other}, with the day first: {_ADVICE}")
    is_day_first = bool(day_first.any())
    times = _to_times(read(is_day_first), column, origin)
    differs = has_slash & (first != second)
    if is_day_first or month_first.any() or not differs.any():
        return times, ()
    other = _to_times(read(True), column, origin)
    uneven, other_uneven = _unevenness(times), _unevenness(other)
    if uneven == other_uneven and uneven[0]:
        found = describe_cell(column, int(np.argmax(differs)), origin)
        raise DataError(f"{found}, and with neither the day nor the month first do the dates rise: {_ADVICE}")
    if other_uneven < uneven:
        times, is_day_first = other, True
    row = int(np.argmax(differs))
    order = f"the {'day' if is_day_first else 'month'} first"
    reason = "with which their steps are more even" if uneven != other_uneven else "but the day may stand first"
    return times, (
        f"the dates in column {str(column.name)!r} of {origin} are read with {order}, {reason}: "
        f"{column.iloc[row]!r} is {str(times[row])[:10]}; if that is wrong, {_ADVICE}",
    )


def _to_times(dates: Any, column: Series, origin: str) -> np.ndarray:
    """Dates that begin with the year as datetime64[ns], (N,); a DataError names the first cell that is none."""
    pd, bad = require("pandas", "dates"), np.ones(len(column), bool)
    try:
        texts = {"format": "mixed"} if any(isinstance(cell, str) for cell in dates) else {}
        times = pd.to_datetime(dates, errors="coerce", utc=True, **texts).dt.tz_localize(None)
        years = times.dt.year  # beyond these, nanoseconds in 64 bits overflow without an error
        bad = ~years.between(pd.Timestamp.min.year + 1, pd.Timestamp.max.year - 1).to_numpy()
        if not bad.any():
            return times.to_numpy(dtype="datetime64[ns]")
    except (ValueError, TypeError, OverflowError, AttributeError):
        pass
    refuse_cells(column, bad, origin, f", which is no date from 1678 to 2261: {_ADVICE}")
    raise AssertionError("unreachable")


def _unevenness(times: np.ndarray) -> tuple[int, int, int]:
    """How many steps fall, how many are missing between others, and how many are no multiple of the usual one."""
    steps = np.diff(times) / np.timedelta64(1, "s")
    rising = steps[steps > 0]
    if not len(rising):
        return int((steps < 0).sum()), 0, 0
    ratio = rising / np.median(rising)
    missing = np.maximum(np.rint(ratio) - 1, 0).sum()
    return int((steps < 0).sum()), int(missing), int((np.abs(ratio - np.rint(ratio)) > EVEN).sum())
