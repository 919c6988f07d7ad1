"""How the commands write: panels and tables for people, one JSON line for programs, notes on standard error."""

import json
import shlex
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deltarule.cli.failures import with_flags
from deltarule.errors import CheckpointWarning, EngineWarning
from deltarule.models.formatting import to_json_types

if TYPE_CHECKING:
    from deltarule.cli.shared_options import OutputOptions

ROWS_SHOWN = 10  # rows of a table of predictions


def print_json(record: dict[str, Any]) -> None:
    """Print the record as one JSON line; a number that is not finite becomes null."""
    print(json.dumps(to_json_types(record), allow_nan=False, ensure_ascii=False))


def show_notes(notes: Iterable[str]) -> None:
    """Print notes to standard error, one line each."""
    for note in notes:
        print(f"Note: {with_flags(note)}", file=sys.stderr)


def show_download(address: str) -> Any:
    """Print the address of a download, and return its progress bar."""
    from deltarule.cli.progress import DownloadProgress

    print(f"Downloading {address}", file=sys.stderr)
    return DownloadProgress()


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Show the library's warnings as notes; the warning that JAX is not installed is shown once."""
    engine_shown = False

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        nonlocal engine_shown
        if not (category is EngineWarning and engine_shown):
            show_notes([str(message)])
        engine_shown = engine_shown or category is EngineWarning

    with warnings.catch_warnings():
        for category in (CheckpointWarning, EngineWarning):
            warnings.simplefilter("always", category)
        warnings.showwarning = show
        yield


def make_table(*columns: str, left: Sequence[str] = (), title: str | None = None) -> Table:
    """A table without rows yet; its columns are right-aligned except those named in `left`."""
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(Text(name), justify="left" if name in left else "right", no_wrap=name not in left)
    return table


def make_rows_table(columns: Mapping[str, Any], most: int) -> Table:
    """A table of the first rows of columns by name, (N,) each; floats have six digits."""
    table = make_table(*columns)
    for row in zip(*(column[:most].tolist() for column in columns.values()), strict=True):
        table.add_row(*(f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row))
    return table


def fits(console: Any, table: Table) -> bool:
    """Whether the console shows the table without cutting anything."""
    return console.measure(table, options=console.options.update(width=10_000)).maximum <= console.width


def make_panel(title: str, rows: Iterable[tuple[str, str]], best: str = "") -> Panel:
    """Names and values in a frame; the value named `best` and the names of warnings stand out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in rows:
        name_style = "bold yellow" if name == "warning" else ""
        value_style = "bold green" if name == best else ""
        table.add_row(Text(name, style=name_style), Text(value, style=value_style, overflow="fold"))
    return Panel(table, title=title, title_align="left", expand=False)


def suggest(output: "OutputOptions", *arguments: object, before: str = "Next:") -> None:
    """Suggest a `deltarule` command: print a sentence, and the command with these arguments."""
    output.print_line(before)
    output.print_line(command_line(*arguments), "bold")


def command_line(*words: object) -> str:
    """A `deltarule` command with these arguments, quoted for a shell."""
    return shlex.join(["deltarule", *(str(word) for word in words)])


def format_duration(seconds: float) -> str:
    """A length of time to two digits.

    >>> [format_duration(seconds) for seconds in (0.012, 0.9, 3.14159, 110.0, 1100.0, 40_000.0)]
    ['12 ms', '900 ms', '3.1 s', '110 s', '18 min', '11 h']
    """
    if seconds < 600:
        value, unit = (1e3 * seconds, "ms") if seconds < 1 else (seconds, "s")
        return f"{float(f'{value:.2g}'):g} {unit}"
    return f"{seconds / 60:.0f} min" if seconds < 36_000 else f"{seconds / 3600:,.0f} h"
