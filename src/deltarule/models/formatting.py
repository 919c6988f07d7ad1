"""How numbers, percentages and names are written in sentences, and how values become JSON's types."""

import math
from collections.abc import Sequence
from typing import Any

from deltarule.errors import shorten

MAX_NAMES = 6  # in a sentence


def format_percent(share: float | None) -> str:
    """The share as a percentage, or a dash for None.

    >>> format_percent(0.9814)
    '98.14 %'
    """
    return "-" if share is None else f"{100 * share:.2f} %"


def quote_names(names: Sequence[object]) -> str:
    """At most `MAX_NAMES` names in quotes, and how many more there are.

    >>> quote_names(["a", "b"])
    "'a', 'b'"
    """
    return shorten([repr(name) for name in names], MAX_NAMES)


def to_json_types(value: Any) -> Any:
    """The value in JSON's types: arrays become lists, NaN and infinity become None."""
    if isinstance(value, dict):
        return {str(key): to_json_types(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [to_json_types(entry) for entry in value]
    if hasattr(value, "tolist"):  # a NumPy or JAX array or scalar
        return to_json_types(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
