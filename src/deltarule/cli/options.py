"""The options that several commands share, and the checks that need no data."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

import typer


def real_number(text: str) -> float:
    """A number as typed; whether it lies in its domain is asked later.

    Raises:
        BadParameter: it is no number.
    """
    try:
        return float(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a number: give one, such as 0.5") from None


def whole_number(text: str) -> int:
    """A whole number as typed, like `real_number`.

    Raises:
        BadParameter: it is no whole number.
    """
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is not a whole number: give one, such as 10") from None


ModelFile = Annotated[Path, typer.Argument(metavar="MODEL", help="A file that `deltarule train` wrote.")]
TABLE_FILE = "a table (.csv, .tsv, .txt, .xlsx or .parquet)"
Source = Annotated[str, typer.Argument(metavar="SOURCE", help=f"digits, mnist, or {TABLE_FILE}.")]
DataDir = Annotated[
    Path | None,
    typer.Option(
        metavar="FOLDER", help="Where MNIST's four files lie.", show_default="$DELTARULE_DATA, else they are downloaded"
    ),
]
REAL: Any = {"parser": real_number, "metavar": "NUMBER"}
WHOLE: Any = {"parser": whole_number, "metavar": "NUMBER"}
DropMissing = Annotated[bool, typer.Option("--drop-missing", help="Leave out a table's rows with missing cells.")]
Sep = Annotated[
    str | None,
    typer.Option(
        metavar="CHARACTER",
        help="What stands between the cells of a text file: one character, tab or space.",
        show_default="found in the file",
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(metavar="SIGN", help="The decimal sign of a table: . or ,", show_default="found in the file"),
]
Na = Annotated[
    list[str] | None,
    typer.Option(
        metavar="TEXT",
        help="What stands for a missing value in a table, such as ? or -200; repeat the option for several.",
        show_default="an empty cell, NA, NaN, null, None, and what the model was trained with",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Write one JSON line to standard output instead.")]


def parse_hidden(text: str) -> tuple[int, ...]:
    """The sizes of the hidden layers in "30" or "30,20".

    Raises:
        ConfigurationError: a size is not a whole number of at least 1.
    """
    from deltarule.errors import ConfigurationError

    sizes = [size.strip() for size in text.split(",")]
    if not all(size.isascii() and size.isdecimal() and 0 < int(size) <= 1_000_000 for size in sizes):
        raise ConfigurationError(
            f"--hidden must be whole numbers of at least 1, and is {text!r}: give the sizes of the hidden layers, "
            "such as 30 or 30,20"
        )
    return tuple(int(size) for size in sizes)


def require_writable(option: str, path: Path) -> Path:
    """The path, if a file can be written there; asked before the work, not after it.

    Raises:
        ConfigurationError: it is a folder, or its folder is missing or cannot be written.
    """
    from deltarule.errors import ConfigurationError

    if path.is_dir():
        raise ConfigurationError(f"{option} is {str(path)!r}, which is a folder: give the name of a file in it")
    if not path.parent.is_dir():
        raise ConfigurationError(
            f"{option} is {str(path)!r}, but there is no folder {str(path.parent)!r}: "
            "make it first, or give another place"
        )
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise ConfigurationError(
            f"{option} is {str(path)!r}, but its folder cannot be written ({error.strerror}): give another place"
        ) from None
    return path


def data_folders(data_dir: Path | None) -> tuple[Path, ...]:
    """The folders to look for MNIST in, by --data-dir or $DELTARULE_DATA."""
    import os

    from deltarule.data import mnist_directories

    return mnist_directories(data_dir, os.environ)
