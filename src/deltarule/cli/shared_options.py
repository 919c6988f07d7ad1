"""The options that several commands share: a model file, its rows, where they lie and how they are written."""

import os
import tempfile
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from deltarule import data
from deltarule.cli.options import as_words, given, option
from deltarule.errors import ConfigurationError

IN_MEMORY, TABLES = ("images", "table"), ("table",)
TABLE_FILE = "a table (.csv, .tsv, .txt, .xlsx or .parquet)"


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Where a command writes its results."""

    as_json: bool = option("Write one JSON line to standard output instead.", name="json", default=False)

    @property
    def console(self) -> Console:
        """Standard output, or standard error when standard output is kept for the JSON line."""
        return Console(stderr=self.as_json, highlight=False)

    def line(self, text: str, style: str = "") -> None:
        """Write a line exactly as it is: no wrapping, no markup."""
        self.console.print(Text(text, style=style), soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class Folders:
    """Where the data lie that are not in a table."""

    data_dir: Path | None = option(
        "Where MNIST's four files lie.",
        "FOLDER",
        otherwise="$DELTARULE_DATA, else they are downloaded",
        sources=IN_MEMORY,
    )

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders to look for MNIST in, by --data-dir or $DELTARULE_DATA."""
        return data.mnist_directories(self.data_dir, os.environ)


@dataclass(frozen=True, kw_only=True)
class Reading(Folders):
    """How rows are read."""

    drop_missing: bool = option("Leave out a table's rows with missing cells.", default=False, sources=IN_MEMORY)
    sep: str | None = option(
        "What stands between the cells of a text file: one character, tab or space.",
        "CHARACTER",
        otherwise="found in the file",
        sources=TABLES,
    )
    decimal: str | None = option(
        "The decimal sign of a table: . or ,", "SIGN", otherwise="found in the file", sources=TABLES
    )
    na: tuple[str, ...] | None = option(
        "What stands for a missing value in a table, such as ? or -200; repeat the option for several.",
        "TEXT",
        otherwise="an empty cell, NA, NaN, null, None, and what the model was trained with",
        sources=TABLES,
    )

    @property
    def table_options(self) -> "data.TableOptions":
        """How a table is written."""
        return data.TableOptions(sep=self.sep, decimal=self.decimal, na=self.na or ())

    def words(self, *more: str) -> list[str]:
        """The options with which another command reads the same rows, and `more` of this one's."""
        names = {*more, *(one.name for one in fields(Reading))}
        return as_words(type(self), {name: value for name, _, value in given(self) if name in names})


@dataclass(frozen=True, kw_only=True)
class OfModel(Screen):
    """A model file."""

    model: Path = option("A file that `deltarule train` wrote.", "MODEL", default=MISSING, positional=True)


@dataclass(frozen=True, kw_only=True)
class Rows(OfModel, Reading):
    """A model file, and rows for it."""

    source: str = option(f"digits, mnist, or {TABLE_FILE}.", "SOURCE", default=MISSING, positional=True)

    def words(self, *more: str) -> list[str]:
        """The words with which another command takes the same model and rows."""
        return [str(self.model), self.source, *super().words(*more)]

    @property
    def facts(self) -> dict[str, Any]:
        """What every JSON line begins with."""
        return {"model": str(self.model), "source": self.source}


def parse_hidden(name: str, text: str) -> tuple[int, ...]:
    """The sizes of the hidden layers in "30" or "30,20"."""
    return _counts(name, text, "whole numbers of at least 1", 1_000_000, "30 or 30,20")


def parse_lags(name: str, text: str) -> int | list[int] | str:
    """The lags in "8", which means 1 to 8, in "1,2,7", or "auto"."""
    if text.strip() == "auto":
        return "auto"
    lags = _counts(name, text, "a number of steps, a list of them or auto", 10_000, "8 or 1,2,7")
    return lags[0] if len(lags) == 1 else list(lags)


def parse_devices(name: str, text: str) -> tuple[int, ...]:
    """The numbers of devices in "1,2,4"."""
    return _counts(name, text, "whole numbers of at least 1", 2**20, "1,8,64")


def _counts(name: str, text: str, rule: str, most: int, example: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdecimal() and 0 < int(word) <= most for word in words):
        raise ConfigurationError(f"{name} must be {rule}, and is {text!r}: give such as {example}")
    return tuple(map(int, words))


def require_writable(name: str, path: Path, *read: Path | str | None) -> Path:
    """The path, if a file can be written there that is none of those read; asked before the work, not after it."""
    reason, cure = None, "give another place"
    if any(other is not None and path.resolve() == Path(other).resolve() for other in read):
        reason, cure = "which is read here too", "give another name"
    elif path.is_dir():
        reason, cure = "which is a folder", "give the name of a file in it"
    elif not path.parent.is_dir():
        reason, cure = f"but there is no folder {str(path.parent)!r}", "make it first, or give another place"
    else:
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                return path
        except OSError as error:
            reason = f"but its folder cannot be written ({error.strerror})"
    raise ConfigurationError(f"{name} is {str(path)!r}, {reason}: {cure}")
