"""A table's file: `TableOptions` are what the user says about it, a `RawTable` is what was read from it."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from deltarule.checks import require_choice
from deltarule.data.cells import Decimal, format_values
from deltarule.data.optional import Frame
from deltarule.errors import ConfigurationError, DataError

SEPARATORS = {"tab": "\t", "\\t": "\t", "space": " ", "comma": ",", "semicolon": ";", "bar": "|"}


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """How to read a table and what some of its columns are for; options that are left out are found in the file.

    Args:
        sep: the separator of a text file: one character, "tab", or "space" for any run of blanks.
        decimal: the decimal sign, "." or ","; the other one then separates thousands.
        na: marks of missing values besides empty cells, NA, NaN, null and None: texts or numbers, such as "?" or
            "-200". A number may have the table's decimal sign, "99,9", or a point.
        drop: columns to leave out.
        category: columns of numbers to read as categories.
        weights: the column with the weights of the examples, or None.
        impute: accept missing cells in inputs. A missing number becomes the mean of the training rows and a missing
            category no category; one more network input, 1 where the cell is missing, says so.

    Raises:
        ConfigurationError: `sep` is not one character, or `decimal` is neither "." nor ",".
    """

    sep: str | None = None
    decimal: str | None = None
    na: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    category: tuple[str, ...] = ()
    weights: str | None = None
    impute: bool = False

    def __post_init__(self):
        if self.decimal is not None:
            require_choice("decimal", self.decimal, (".", ","))
        separator = self.separator
        if separator is not None and (len(separator) != 1 or separator in '"\r\n'):
            raise ConfigurationError(f"sep is {self.sep!r}: give one character, tab or space")

    @property
    def separator(self) -> str | None:
        """The separator as one character, or None; a blank stands for any run of blanks."""
        return None if self.sep is None else SEPARATORS.get(self.sep.lower(), self.sep)


DEFAULT_OPTIONS = TableOptions()

NAMELESS = "\0column "  # followed by its number, the name of a column without a name


class TextFormat(NamedTuple):
    """How the cells of a text file are written."""

    separator: str = ","  # one character; a blank means any run of blanks
    decimal: Decimal = "."


@dataclass
class RawTable:
    """A table before its cells are parsed, and how its file was read."""

    frame: Frame
    decimal: Decimal | None = None  # the decimal sign of its texts; None where they leave it open
    remarks: tuple[str, ...] = ()  # what is unusual about the file, in a few words each; empty ones are ignored
    units: dict[str, str] = field(default_factory=dict)  # the unit of each column that has one in a row of units
    lines: Sequence[int] | None = None  # the line of the file on which each data row begins, from 1; None without lines
    separator: str = ","  # of a text file
    typed: bool = False  # whether the file itself declares which columns are text

    @property
    def text_format(self) -> TextFormat:
        """How its cells were written, or would be in a text file."""
        return TextFormat(self.separator, self.decimal or ".")

    def notes(self, name: str) -> list[str]:
        """One note with all that is unusual about the file, or none."""
        commas = "decimal commas" * (self.decimal == ",")
        units = f"the row below the header as units ({', '.join(self.units.values())})" * bool(self.units)
        remarks = [remark for remark in (*self.remarks, commas, units) if remark]
        return [f"{name} is read with {', '.join(remarks)}"] if remarks else []


def refuse_duplicates(origin: str | Path, names: Collection[str]) -> None:
    """Raise a DataError if two columns have the same name."""
    duplicates = [name for name, count in Counter(names).items() if count > 1]
    if duplicates:
        columns = f"(its columns: {format_values(tuple(names))})"
        raise DataError(f"{origin} has more than one column named {duplicates[0]!r} {columns}: rename or remove one")
