"""The search space: for each hyper-parameter a list of values or a range of numbers."""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, floor, prod
from typing import Any

import numpy as np

from deltarule.checks import require_count, require_number
from deltarule.errors import ConfigurationError

Values = dict[str, Any]


@dataclass(frozen=True)
class Range:
    """The numbers from `low` to `high`, drawn uniformly or log-uniformly.

    Args:
        low: the smallest number.
        high: the largest number, above `low`.
        log: draw log-uniformly: 0.01 to 0.1 is as likely as 1 to 10. Then low must be above 0.
        whole: whole numbers only; there must be one between low and high.

    Raises:
        ConfigurationError: there is no such number between low and high.
    """

    low: float
    high: float
    log: bool = True
    whole: bool = False

    def __post_init__(self):
        low = require_number("the low end of a Range", self.low, above=0 if self.log else None)
        high = require_number("the high end of a Range", self.high, above=low)
        vars(self).update(low=low, high=high)
        if self.whole and ceil(low) > floor(high):
            raise ConfigurationError(f"there is no whole number from {low:g} to {high:g}: give a Range that has one.")

    def at(self, share: float) -> float:
        """Return the number at a share of the way from `low` (0) to `high` (1), rounded to six digits.

        >>> Range(0.01, 100).at(0.5), Range(0, 10, log=False).at(0.3)
        (1.0, 3.0)
        """
        if self.log:
            value = np.exp(np.log(self.low) + share * (np.log(self.high) - np.log(self.low)))
        else:
            value = self.low + share * (self.high - self.low)
        value = min(max(float(f"{value:.6g}"), self.low), self.high)
        return min(max(round(value), ceil(self.low)), floor(self.high)) if self.whole else value


Space = Mapping[str, Sequence[Any] | Range]


def check_space(space: Space) -> None:
    """Raise a ConfigurationError unless every hyper-parameter has something to choose from."""
    if not space:
        raise ConfigurationError("the space of a search is empty: name something to vary, such as eta=Range(0.01, 10)")
    for name, entry in space.items():
        if isinstance(entry, Range):
            continue
        if isinstance(entry, str) or not isinstance(entry, Sequence) or not entry:
            raise ConfigurationError(
                f"{name} of the space is {entry!r}: give a list of values with at least one in it, or a Range"
            )


def sample(space: Space, count: int, seed: int) -> list[Values]:
    """Draw `count` choices from the space; a larger count only appends to the choices of a smaller one.

    If the space has lists only, no combination is drawn twice, and there are at most as many draws as combinations.
    """
    check_space(space)
    require_count("trials", count)
    generator = np.random.default_rng(seed)
    finite = not any(isinstance(entry, Range) for entry in space.values())
    if finite:
        count = min(count, prod(len(entry) for entry in space.values()))  # pyright: ignore[reportArgumentType]
    choices: dict[Any, Values] = {}
    while len(choices) < count:
        drawn = [
            entry.at(generator.random()) if isinstance(entry, Range) else int(generator.integers(len(entry)))
            for entry in space.values()
        ]
        values = (
            n if isinstance(entry, Range) else entry[int(n)] for entry, n in zip(space.values(), drawn, strict=True)
        )
        choices.setdefault(tuple(drawn) if finite else len(choices), dict(zip(space, values, strict=True)))
    return list(choices.values())


def grid(space: Space, points: int = 5) -> list[Values]:
    """Return every combination; a range contributes `points` numbers from end to end, evenly or log-evenly spaced.

    >>> grid({"eta": Range(0.1, 10), "m": [10]}, points=3)
    [{'eta': 0.1, 'm': 10}, {'eta': 1.0, 'm': 10}, {'eta': 10.0, 'm': 10}]
    """
    check_space(space)
    require_count("points", points, least=2)
    axes = [
        list(dict.fromkeys(entry.at(i / (points - 1)) for i in range(points))) if isinstance(entry, Range) else entry
        for entry in space.values()
    ]
    return [dict(zip(space, values, strict=True)) for values in itertools.product(*axes)]
