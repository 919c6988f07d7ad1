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
