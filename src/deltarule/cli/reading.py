"""The options and arguments of the commands that read rows: where they lie and how they are written."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from deltarule.cli.options import option

if TYPE_CHECKING:
    from deltarule.data import TableOptions

IN_MEMORY, TABLES = ("images", "table"), ("table",)


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
        import os

        from deltarule.data import mnist_directories

        return mnist_directories(self.data_dir, os.environ)


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
    def table_options(self) -> "TableOptions":
        """How a table is written."""
        from deltarule.data import TableOptions

        return TableOptions(sep=self.sep, decimal=self.decimal, na=self.na or ())
