"""A row of units below the header of a table: t, p, T and under them s, bar, °C."""

from deltarule.data.cells import as_objects, kind_of
from deltarule.data.optional import Frame
from deltarule.data.units import NO_UNIT
from deltarule.data.written_numbers import is_missing_mark, looks_like_number

HEAD = 1000  # rows of a table that decide on its decimal sign and whether the first of them holds units
LONGEST_UNIT = 20  # characters


def units_row(head: Frame) -> dict[str, str]:
    """The unit of each column that the first row of a table names, {} if that row holds no units.

    It does if none of its cells is a number, at least half of the columns of numbers have a short text there, and no
    column of texts has one, but for a mark such as "-". Marks of missing values are no units.

    Args:
        head: the first rows of the table, as texts or as they are.
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
        unit = first.strip().removeprefix("[").removesuffix("]").removeprefix("(").removesuffix(")").strip()
        if numbers and unit not in NO_UNIT:
            if is_missing_mark(unit) or len(unit) > LONGEST_UNIT:
                return {}
            units[name] = unit
        elif not numbers and unit not in NO_UNIT and kind_of(head[name].iloc[1:]) not in ("date", "empty"):
            return {}
    return units if 2 * len(units) >= max(numeric, 1) else {}
