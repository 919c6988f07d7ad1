"""Numbers as people write them into tables: 1,5 and 5,094.60 and 1 234.5 and 1.0D+00 and 6.4% and 12 kg.

Which sign is the decimal one is a property of a whole table: "1,234" alone does not say.
"""

import re
from collections.abc import Iterable
from typing import Any, Literal, NamedTuple

import numpy as np

from deltarule.data.cells import as_objects
from deltarule.data.optional import Series

Decimal = Literal[".", ","]
_CURRENCY = "$€£¥"
_BLANK = " \u00a0\u2009\u202f'’"  # between groups of three digits
# What stands where a number is missing. pandas knows more of them (NA, NaN, null), which are missing cells already.
MISSING_MARKS = frozenset(
    (
        *("?", "-", "--", "---", ".", "..", "...", "…", "*", "na", "n/a", "n.a.", "nd", "n.d.", "k.a."),
        *("nil", "none", "null", "nan", "void", "missing", "unknown", "error", "inf", "-inf"),
        *("#div/0!", "#value!", "#ref!", "#name?", "#num!", "#null!", "#n/a"),
    )
)
_PATTERNS = {
    decimal: re.compile(
        rf"""\s*(?P<sign>[-+−]?)\s?(?P<currency>[{_CURRENCY}]?)\s?(?=[.,]?\d)
        (?P<digits>[1-9]\d{{0,2}}(?P<group>[{other}{_BLANK}])\d{{3}}(?:(?P=group)\d{{3}})*|\d*)
        (?:{re.escape(decimal)}(?P<fraction>\d*))?(?:[eEdD](?P<exponent>[-+−]?\d+))?
        \s*(?P<unit>(?:[^\W\d_]|[%‰°′″{_CURRENCY}Ω])(?:[^\s\d,;:]|\d(?!\w)){{0,11}})?\s*""",
        re.VERBOSE,
    )
    for decimal, other in (".,", ",.")
}


class WrittenNumbers(NamedTuple):
    """The cells of a column, read as numbers."""

    values: np.ndarray  # (N,) float64, NaN where a cell is missing or no number
    fits: np.ndarray  # where a cell is a number, (N,) bool
    units: tuple[str, ...]  # the different units behind the numbers, in their order; "" for cells without one


def written_numbers(column: Series, decimal: Decimal) -> WrittenNumbers:
    """Read every cell of a column, (N,), that holds a number, written with this decimal sign."""
    read = [_read(cell, decimal) for cell in as_objects(column)]
    values = np.array([np.nan if found is None else found[0] for found in read])
    return WrittenNumbers(values, ~np.isnan(values), tuple(dict.fromkeys(found[1] for found in read if found)))


def looks_like_number(cell: Any) -> bool:
    """Whether a cell holds a number, whatever its decimal sign and its unit."""
    return _read(cell, ".") is not None or _read(cell, ",") is not None


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
        signs = [{sign for sign in _PATTERNS if _read(cell, sign) is not None} for cell in cells]
        if 2 * sum(map(bool, signs)) >= len(cells):
            seen |= {next(iter(sign)) for sign in signs if len(sign) == 1}
    return seen.pop() if len(seen) == 1 else None


def _read(cell: Any, decimal: str) -> tuple[float, str] | None:
    """The number in a cell and its unit, "" for none."""
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return float(cell), ""
    found = _PATTERNS[decimal].fullmatch(cell) if isinstance(cell, str) else None
    if found is None or (found["currency"] and found["unit"]):
        return None
    digits = "".join(filter(str.isdecimal, found["digits"]))
    text = f"{found['sign']}{digits or '0'}.{found['fraction'] or '0'}e{found['exponent'] or '0'}".replace("−", "-")
    return float(text), found["currency"] or found["unit"] or ""
