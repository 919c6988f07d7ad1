"""Which derivatives by input are carried through a network: the components of a jet, c in {∅, i, ij}."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from deltarule.arrays import Array

Key = tuple[int, ...]  # (), (i,) or (i, j) with i <= j


@dataclass(frozen=True)
class Components:
    """The components of a jet, in the order of its axis: the value, first derivatives, second derivatives.

    Args:
        first: the inputs i by which u_i is carried, rising.
        second: the pairs (i, j), i <= j, whose u_ij is carried; i and j are in `first`, because (JET) needs both.

    >>> Components.covering([(0,), (1, 0)]).keys
    ((), (0,), (1,), (0, 1))
    """

    first: tuple[int, ...]
    second: tuple[tuple[int, int], ...]

    @classmethod
    def covering(cls, keys: Iterable[Key]) -> "Components":
        """The fewest components with which these derivatives can be computed."""
        keys = [tuple(sorted(key)) for key in keys]
        first = sorted({i for key in keys for i in key})
        return cls(tuple(first), tuple(sorted({key for key in keys if len(key) == 2})))  # pyright: ignore[reportArgumentType]

    @property
    def keys(self) -> tuple[Key, ...]:
        """The index of every component."""
        return ((), *((i,) for i in self.first), *self.second)

    def place(self, key: Key) -> int | None:
        """Where a component stands on the axis, None if it is not carried."""
        key = tuple(sorted(key))
        return self.keys.index(key) if key in self.keys else None

    @property
    def bends(self) -> list[tuple[int, int, int]]:
        """Of every second derivative its own place and those of u_i and u_j."""
        begin = 1 + len(self.first)
        at = {i: 1 + place for place, i in enumerate(self.first)}
        return [(begin + place, at[i], at[j]) for place, (i, j) in enumerate(self.second)]

    def seed(self, x: Array, centre: Array, half: Array) -> Array:
        """The jet of the inputs themselves, (m, C, d): a_∅ = (x - centre)/half, a_i = e_i/half_i, a_ij = 0.

        In memory one component lies behind the other, as in every jet, so that each is a matrix without gaps.
        """
        xp, scale = x.__array_namespace__(), np.diag(1 / np.asarray(half))
        slopes = [xp.broadcast_to(xp.asarray(scale[i], dtype=x.dtype), x.shape) for i in self.first]
        return stacked([(x - centre) / half, *slopes, *[xp.zeros_like(x)] * len(self.second)])


def stacked(parts: list[Any]) -> Any:
    """The components (m, n) as one jet (m, C, n), one behind the other in memory."""
    return parts[0].__array_namespace__().stack(parts).swapaxes(0, 1)
