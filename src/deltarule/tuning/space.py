"""What a search varies: for each hyper-parameter a list of values or a range of numbers."""

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
    """The numbers from `low` to `high`, drawn uniformly, or uniformly in their logarithm.

    Args:
        low: the smallest.
        high: the largest, above `low`.
        log: every factor is alike: 0.01 to 0.1 is as likely as 1 to 10. Then low must be above 0.
        whole: whole numbers only, of which there must be one between the two.

    Raises:
        ConfigurationError: the two contradict each other.
    """

    low: float
    high: float
    log: bool = True
    whole: bool = False

    def __post_init__(self):
        """Check the numbers where they are given."""
        low = require_number("the low end of a Range", self.low, above=0 if self.log else None)
        high = require_number("the high end of a Range", self.high, above=low)
        vars(self).update(low=low, high=high)
        if self.whole and ceil(low) > floor(high):
            raise ConfigurationError(f"there is no whole number from {low:g} to {high:g}: give a Range that has one.")

    def at(self, share: float) -> float:
        """The number a share of the way up, from 0 at `low` to 1 at `high`, to six digits, so that it can be typed.

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
    """`count` draws from the space; the first of more draws are those of fewer.

    Draws of ranges are independent. Of lists alone no combination is drawn twice, because it would be the same
    training again, and there are fewer draws where there are fewer combinations.
    """
    check_space(space)
    require_count("trials", count)
    generator = np.random.default_rng(seed)
    finite = not any(isinstance(entry, Range) for entry in space.values())
    if finite:
        count = min(count, prod(len(entry) for entry in space.values()))  # pyright: ignore[reportArgumentType]
    found: dict[Any, Values] = {}
    while len(found) < count:
        drawn = [
            entry.at(generator.random()) if isinstance(entry, Range) else int(generator.integers(len(entry)))
            for entry in space.values()
        ]
        values = (one if isinstance(e, Range) else e[int(one)] for e, one in zip(space.values(), drawn, strict=True))
        found.setdefault(tuple(drawn) if finite else len(found), dict(zip(space, values, strict=True)))
    return list(found.values())


def grid(space: Space, points: int = 5) -> list[Values]:
    """Every combination; a range stands for `points` numbers evenly spaced from end to end, in its logarithm or not.

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
