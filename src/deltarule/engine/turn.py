"""What an epoch of training is given besides its state, and what it records."""

from collections.abc import Callable
from typing import Any, NamedTuple

from deltarule.arrays import Array

Record = dict[str, Array]


class TimeIsUp(Exception):
    """The time limit passed within an epoch."""


def no_clock() -> None:
    """Nobody waits."""


class Turn(NamedTuple):
    """What an epoch is given besides the state: its number decides it, and nothing else that went before.

    order holds the example at every place of the epoch, (places,) int32, None where the trainer asks for none; key is
    for layers that draw random numbers; clock is called between the pieces of an epoch and raises where time is up.
    """

    order: Array | None
    key: Any
    clock: Callable[[], None] = no_clock


class Batches(NamedTuple):
    """The mini-batches of an epoch.

    Attributes:
        rows: the examples.
        turn: their order in this epoch, the key of what layers draw, and the clock.
        m: the examples of a batch; the last one may be shorter.
        steps: how many batches.
        replace: whether the order holds draws with replacement, so that every place counts.
        total: the weight of all examples.
    """

    rows: Any
    turn: Any
    m: int
    steps: Any
    replace: bool
    total: Any
