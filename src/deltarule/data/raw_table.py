"""A table as its file holds it, before its cells are made numbers."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from deltarule.data.cells import listed, shown
from deltarule.data.optional import Frame
from deltarule.data.written_numbers import Decimal
from deltarule.errors import DataError


@dataclass
class RawTable:
    """A table as its file holds it, and how it was read.

    Args:
        frame: the table.
        decimal: the decimal sign of its texts, None where they do not say.
        found: what is unusual about the file, a few words each.
        units: of the columns, from a row below the header.
        typed: whether the file says itself which columns are text.
    """

    frame: Frame
    decimal: Decimal | None = None
    found: list[str] = field(default_factory=list)
    units: dict[str, str] = field(default_factory=dict)
    typed: bool = False


def refuse_duplicates(path: Path, names: Collection[str]) -> None:
    """Refuse names that two columns have.

    Raises:
        DataError: there are such.
    """
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(
            f"{path} has more than one column named {shown(twice[0])} (its columns: {listed(tuple(names))}): "
            "rename or remove one"
        )
