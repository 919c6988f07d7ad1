"""How thoroughly a benchmark is run."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Settings:
    """What the command line chose.

    Attributes:
        repeats: the laps of each contestant.
        seconds: the budget of the benchmark; no round begins after it.
        full: the longer form of those that have one.
    """

    repeats: int
    seconds: float
    full: bool = False
