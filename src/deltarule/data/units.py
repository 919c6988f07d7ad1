"""The unit of a column, which many tables write in square brackets at the end of its name: "pressure [bar]"."""

import re


def unit_of(name: str) -> str | None:
    """What stands in the last square brackets of the name, if they end it and something stands before them.

    >>> unit_of("pressure [bar]"), unit_of("rate [1/min]"), unit_of("pressure"), unit_of("[bar]")
    ('bar', '1/min', None, None)
    """
    found = re.fullmatch(r".*\S\s*\[\s*([^\[\]]*[^\[\]\s])\s*\]\s*", name)
    return None if found is None else found[1]
