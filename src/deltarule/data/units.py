"""Units in the names of columns: "pressure [bar]" is the column pressure, measured in bar."""

import re
from typing import NamedTuple

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
