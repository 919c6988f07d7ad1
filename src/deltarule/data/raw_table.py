"""A table as its file holds it, before its cells are made numbers."""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from deltarule.data.cells import listed, shown
from deltarule.data.optional import Frame
from deltarule.data.written_numbers import Decimal
from deltarule.errors import DataError, DeltaruleError


@dataclass
class RawTable:
    """A table as its file holds it, and how it was read."""

    frame: Frame
    decimal: Decimal | None = None  # the decimal sign of its texts, None where they do not say
    unusual: tuple[str, ...] = ()  # what else is unusual about the file, a few words each; empty texts do not count
    units: dict[str, str] = field(default_factory=dict)  # of the columns, from a row below the header
    lines: Sequence[int] | None = None  # of the file, counted from 1, on which the data rows begin; None if it has none
    typed: bool = False  # whether the file says itself which columns are text

    def notes(self, name: str) -> list[str]:
        """A note of all that is unusual, if anything is."""
        commas = "decimal commas" * (self.decimal == ",")
        units = f"the row below the header as units ({', '.join(self.units.values())})" * bool(self.units)
        found = [words for words in (*self.unusual, commas, units) if words]
        return [f"{name} is read with {', '.join(found)}"] if found else []


def refuse_duplicates(origin: str | Path, names: Collection[str]) -> None:
    """Refuse names that two columns have."""
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        columns = f"(its columns: {listed(tuple(names))})"
        raise DataError(f"{origin} has more than one column named {shown(twice[0])} {columns}: rename or remove one")


@contextmanager
def reading(what: object, kind: str, advice: str, *faults: type[Exception]) -> Iterator[None]:
    """Turn a library's exception about a damaged file, raised inside, into a DataError."""
    try:
        yield
    except faults as error:
        if isinstance(error, DeltaruleError) or (isinstance(error, OSError) and OSError not in faults):
            raise
        reason = " ".join(str(error).split()).rstrip(".")
        raise DataError(f"{what} cannot be read as {kind} ({reason}): {advice}") from None
