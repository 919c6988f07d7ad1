"""Checks of the numbers that a user gives: each says the argument, the rule, the value found and what to do."""

import math
import numbers
from typing import Any

import numpy as np

from deltarule.engine.kind import is_jax, is_traced
from deltarule.errors import ConfigurationError


def require_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
) -> Any:
    """The value as a float, checked against `above` < value, `least` <= value and value < `below`.

    A value traced by JAX cannot be looked at and passes unchecked.

    Raises:
        ConfigurationError: not a number, not finite, or outside the range.
    """
    if is_traced(value):
        return value
    rule = "a finite number"
    if above is not None:
        rule += f" above {above:g}"
    if least is not None:
        rule += f" of at least {least:g}"
    if below is not None:
        rule += f" and below {below:g}"
    if (is_jax(value) or isinstance(value, np.ndarray)) and value.ndim == 0:
        value = value.item()
    number = float(value) if isinstance(value, numbers.Real) and not isinstance(value, bool) else math.nan
    if (
        not math.isfinite(number)
        or (above is not None and not number > above)
        or (least is not None and not number >= least)
        or (below is not None and not number < below)
    ):
        raise ConfigurationError(f"{name} must be {rule}, and is {value!r}: give such a value.")
    return number


def require_count(name: str, value: Any, least: int = 1, most: int | None = None) -> int:
    """The value as an int of at least `least` and at most `most`.

    Raises:
        ConfigurationError: not a whole number, too small, or too large.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or value < least:
        raise ConfigurationError(
            f"{name} must be a whole number of at least {least}, and is {value!r}: give such a value."
        )
    count = int(value)
    if most is not None and count > most:
        raise ConfigurationError(f"{name} must be at most {most}, and is {count}: give a smaller number.")
    return count


def require_choice(name: str, value: Any, choices: tuple[str, ...]) -> str:
    """The value, if it is one of the choices.

    Raises:
        ConfigurationError: it is not.
    """
    if value not in choices:
        raise ConfigurationError(f"{name} must be one of {', '.join(choices)}, and is {value!r}: choose one of them.")
    return value
