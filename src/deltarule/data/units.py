"""Units in the names of columns, "pressure [bar]", and in a row below the header of a table: t, p, and s, bar."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from deltarule.data.cells import as_objects, kind_of
from deltarule.data.optional import Frame
from deltarule.data.written_numbers import is_missing_mark, looks_like_number

HEAD = 1000  # rows of a table that decide on its decimal sign and whether the first of them holds units
LONGEST_UNIT = 20  # characters
NO_UNIT = ("", "-", "1")  # what stands in the brackets of a column without a dimension
_NAMED = re.compile(r"(?P<bare>.*?\S)(?:\s*\[(?P<square>[^\[\]]*)\]|\s+\((?P<round>[^()]*)\))\s*", re.DOTALL)


class Named(NamedTuple):
    """A column's name without its unit, and the unit, None where the name has none."""

    bare: str
    unit: str | None


def split_unit(name: str) -> Named:
    """Take the unit from the end of a column's name: in square brackets or, after a blank, in round ones.

    >>> split_unit("pressure [bar]"), split_unit("age (years)"), split_unit("log(x)")
    (Named(bare='pressure', unit='bar'), Named(bare='age', unit='years'), Named(bare='log(x)', unit=None))
    """
    found = _NAMED.fullmatch(name)
    if found is None:
        return Named(name, None)
    unit = (found["square"] if found["square"] is not None else found["round"]).strip()
    return Named(found["bare"], None if unit in NO_UNIT else unit)


def with_unit(name: str, unit: str) -> str:
    """Write a unit into a column's name, unless it has one.

    >>> with_unit("pressure", "bar"), with_unit("pressure [kPa]", "bar")
    ('pressure [bar]', 'pressure [kPa]')
    """
    named = split_unit(name)
    return name if named.unit is not None or unit in NO_UNIT else f"{named.bare} [{unit}]"


def suffixed(name: str, suffix: str) -> str:
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
    near = [column for column in columns if split_unit(column).bare == bare]
    return near[0] if len(near) == 1 and (unit is None or split_unit(near[0]).unit is None) else None


def units_row(head: Frame) -> dict[str, str]:
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
