"""What a benchmark leaves: cases, an entry for each contestant, goals with what was found; as JSON and back."""

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any


@dataclass
class Entry:
    """One contestant in one case.

    Attributes:
        contestant: its name.
        laps: one measurement a lap, in the case's unit; empty where there is none.
        absent: why there are none: not installed, cannot do this, failed, or ran out of time.
        extra: further columns by their heading: what was reached, memory, seconds to get ready.
        agrees: whether it computes what the referee computes; None where nothing was to be compared.
    """

    contestant: str
    laps: list[float] = field(default_factory=list)
    absent: str = ""
    extra: dict[str, Any] = field(default_factory=dict)
    agrees: bool | None = None

    @property
    def median(self) -> float:
        """The median lap; nan without laps."""
        return statistics.median(self.laps) if self.laps else math.nan


@dataclass
class Case:
    """The same work for every contestant.

    Attributes:
        title: what the work is, such as "batches of 10".
        unit: of every lap, such as "µs a step".
        reference: the contestant that the ratios are taken against.
        entries: one for each contestant, the absent included.
        columns: the headings of `Entry.extra` that the table shows, in this order.
    """

    title: str
    unit: str
    reference: str
    entries: list[Entry]
    columns: list[str] = field(default_factory=list)

    def entry(self, contestant: str) -> Entry:
        """The entry of that contestant."""
        return next(entry for entry in self.entries if entry.contestant == contestant)

    def ratio(self, contestant: str, reference: str | None = None) -> float:
        """The ratio of medians against the case's reference, or another contestant; nan where one is absent."""
        names = {entry.contestant for entry in self.entries}
        reference = reference or self.reference
        if not {contestant, reference} <= names:
            return math.nan
        return self.entry(contestant).median / self.entry(reference).median


@dataclass
class Goal:
    """What was aimed at: `found` is to be at most `limit`, or at least, where `least` says so."""

    text: str
    limit: float
    found: float | None
    least: bool = False

    @property
    def met(self) -> bool | None:
        """Whether; None where it could not be measured."""
        if self.found is None or math.isnan(self.found):
            return None
        return self.found >= self.limit if self.least else self.found <= self.limit


@dataclass
class Result:
    """One benchmark, measured.

    Attributes:
        name: what `python -m benchmarks NAME` calls it.
        title: its heading.
        text: the work, and how it is measured.
        cases: the tables.
        goals: what was aimed at.
        notes: what a reader must know beside the numbers: the limits, by profile or by counting.
        machine: `benchmarks.machine.Machine` as a dict.
        date: the day, ISO.
        seconds: how long the benchmark took.
        repeats: the laps that were asked for.
        pictured: whether a chart says something that the tables do not.
    """

    name: str
    title: str
    text: str
    cases: list[Case]
    goals: list[Goal] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    machine: dict[str, Any] = field(default_factory=dict)
    date: str = ""
    seconds: float = 0.0
    repeats: int = 0
    pictured: bool = True


def write(result: Result, path: Path) -> None:
    """The result as JSON; what JSON cannot say is null. The file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_text(json.dumps(sayable(asdict(result)), indent=1) + "\n")
    beside.replace(path)


def read(path: Path) -> Result:
    """The result that `write` left."""
    values = json.loads(path.read_text())
    cases = [Case(**(case | {"entries": [Entry(**entry) for entry in case["entries"]]})) for case in values["cases"]]
    return Result(**(values | {"cases": cases, "goals": [Goal(**goal) for goal in values["goals"]]}))


def sayable(value: Any) -> Any:
    """`value` with four digits to a number, and None where JSON has no word for it."""
    if isinstance(value, dict):
        return {key: sayable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [sayable(item) for item in value]
    if isinstance(value, float):
        return float(f"{value:.4g}") if math.isfinite(value) else None
    return value
