"""How numbers, shares and names are written in sentences, and values in JSON's own types."""

import math
from collections.abc import Sequence
from typing import Any

from deltarule.errors import shorten

MOST_NAMES = 6  # in a sentence


def number(value: float | None, digits: int = 4) -> str:
    """A number for a table: `digits` significant digits, a dash for none.

    >>> number(0.0123456), number(12345.6), number(None)
    ('0.01235', '1.235e+04', '-')
    """
    return "-" if value is None else f"{value + 0.0:.{digits}g}"  # + 0.0 turns -0.0 into 0.0


def share(value: float | None) -> str:
    """A share as a percentage.

    >>> share(0.9814)
    '98.14 %'
    """
    return "-" if value is None else f"{100 * value:.2f} %"


def quoted(names: Sequence[object]) -> str:
    """At most `MOST_NAMES` names in quotes, and how many more there are.

    >>> quoted(["a", "b"])
    "'a', 'b'"
    """
    return shorten([repr(name) for name in names], MOST_NAMES)


def finite(value: Any) -> Any:
    """The value in JSON's own types: arrays as lists, NaN and infinity as None."""
    if isinstance(value, dict):
        return {str(key): finite(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [finite(entry) for entry in value]
    if hasattr(value, "tolist"):  # a NumPy or JAX array or scalar
        return finite(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
