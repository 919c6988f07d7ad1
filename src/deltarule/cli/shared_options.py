"""The options that several commands share: a model file, its rows, where they lie and how they are written."""

import os
import tempfile
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from deltarule import data
from deltarule.cli.options import given_options, option, to_arguments
from deltarule.errors import ConfigurationError

IN_MEMORY, TABLES = ("images", "table"), ("table",)
TABLE_FILE = "a table (.csv, .tsv, .txt, .xlsx or .parquet)"


@dataclass(frozen=True, kw_only=True)
class OutputOptions:
    """Whether a command writes for people or for programs."""

    as_json: bool = option("Write one JSON line to standard output instead of text.", name="json", default=False)

    @property
    def console(self) -> Console:
        """Standard output, or standard error when standard output is kept for the JSON line."""
        return Console(stderr=self.as_json, highlight=False)

    def print_line(self, text: str, style: str = "") -> None:
        """Print a line exactly as it is: no wrapping, no markup."""
        self.console.print(Text(text, style=style), soft_wrap=True)


@dataclass(frozen=True, kw_only=True)
class DataFolderOptions:
    """Where image data sets are stored."""

    data_dir: Path | None = option(
        "The folder with the four files of MNIST.",
        "FOLDER",
        default_text="$DELTARULE_DATA; if it is not set, they are downloaded",
        sources=IN_MEMORY,
    )

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders in which to look for MNIST: --data-dir or $DELTARULE_DATA."""
        return data.mnist_directories(self.data_dir, os.environ)


@dataclass(frozen=True, kw_only=True)
class ReadOptions(DataFolderOptions):
    """How the rows of a source are read."""

    drop_missing: bool = option("Leave out the rows of a table with empty cells.", default=False, sources=IN_MEMORY)
    sep: str | None = option(
        "The separator of the cells: one character, tab or space.", "CHARACTER", default_text="detected", sources=TABLES
    )
    decimal: str | None = option("The decimal sign of a table: . or ,", "SIGN", default_text="detected", sources=TABLES)
    na: tuple[str, ...] | None = option(
        "A text that stands for a missing value in a table, such as ? or -200; repeat the option for several.",
        "TEXT",
        default_text="an empty cell, NA, NaN, null, None, and the marks with which the model was trained",
        sources=TABLES,
    )

    @property
    def table_options(self) -> "data.TableOptions":
        """The format of a table file."""
        return data.TableOptions(sep=self.sep, decimal=self.decimal, na=self.na or ())

    def arguments(self, *more: str) -> list[str]:
        """The arguments with which another command reads the same rows, and the fields `more` of this command."""
        names = {*more, *(one.name for one in fields(ReadOptions))}
        return to_arguments(type(self), {name: value for name, _, value in given_options(self) if name in names})


@dataclass(frozen=True, kw_only=True)
class ModelOptions(OutputOptions):
    """A model file."""

    model: Path = option("A file that `deltarule train` wrote.", "MODEL", default=MISSING, positional=True)


@dataclass(frozen=True, kw_only=True)
class RowsOptions(ModelOptions, ReadOptions):
    """A model file and a source of rows for it."""

    source: str = option(f"digits, mnist, or {TABLE_FILE}.", "SOURCE", default=MISSING, positional=True)

    def arguments(self, *more: str) -> list[str]:
        """The arguments with which another command takes the same model and rows."""
        return [str(self.model), self.source, *super().arguments(*more)]

    @property
    def json_fields(self) -> dict[str, Any]:
        """The fields with which every JSON line begins."""
        return {"model": str(self.model), "source": self.source}


def parse_hidden(name: str, text: str) -> tuple[int, ...]:
    """Parse the sizes of the hidden layers, "30" or "30,20"."""
    return _counts(name, text, "whole numbers of at least 1", 1_000_000, "30 or 30,20")


def parse_lags(name: str, text: str) -> int | list[int] | str:
    """Parse lags: "8", which means 1 to 8, "1,2,7" or "auto"."""
    if text.strip() == "auto":
        return "auto"
    lags = _counts(name, text, "a number of steps, a list of them or auto", 10_000, "8 or 1,2,7")
    return lags[0] if len(lags) == 1 else list(lags)


def parse_devices(name: str, text: str) -> tuple[int, ...]:
    """Parse numbers of devices, "1,2,4"."""
    return _counts(name, text, "whole numbers of at least 1", 2**20, "1,8,64")


def _counts(name: str, text: str, rule: str, most: int, example: str) -> tuple[int, ...]:
    words = [word.strip() for word in text.split(",")]
    if not all(word.isascii() and word.isdecimal() and 0 < int(word) <= most for word in words):
        raise ConfigurationError(f"{name} must be {rule}, and is {text!r}: give, for example, {example}")
    return tuple(map(int, words))


def require_writable(name: str, path: Path, *inputs: Path | str | None) -> Path:
    """Return `path` if a file can be written there and it is none of the command's inputs; call it before the work."""
    cure = "give another place"
    if any(other is not None and path.resolve() == Path(other).resolve() for other in inputs):
        reason, cure = "which this command also reads", "give another name"
    elif path.is_dir():
        reason, cure = "which is a folder", "give the name of a file in it"
    elif not path.parent.is_dir():
        reason, cure = f"but there is no folder {str(path.parent)!r}", "make it first, or give another place"
    else:
        try:
            with tempfile.TemporaryFile(dir=path.parent):
                return path
        except OSError as error:
            reason = f"but its folder is not writable ({error.strerror})"
    raise ConfigurationError(f"{name} is {str(path)!r}, {reason}: {cure}")
