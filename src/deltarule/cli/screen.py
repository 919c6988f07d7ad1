"""Where the commands write: the console for people, the one JSON line for programs, and how numbers look."""

import json
import shlex
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from deltarule.cli.failures import as_typed
from deltarule.errors import CheckpointWarning, EngineWarning
from deltarule.models.formatting import to_json_types

SHOWN = 10  # rows of a table of predictions


def emit_json(record: dict[str, Any]) -> None:
    """Write the record as the one JSON line of standard output; a number that is not finite becomes null."""
    print(json.dumps(to_json_types(record), allow_nan=False, ensure_ascii=False))


def show_notes(notes: Iterable[str]) -> None:
    """Write what the user should know about the data to standard error, one line each."""
    for note in notes:
        print(f"Note: {as_typed(note)}", file=sys.stderr)


def show_download(address: str) -> Any:
    """Say what is being downloaded, and how far it is."""
    from deltarule.cli.progress import DownloadProgress

    print(f"Downloading {address}", file=sys.stderr)
    return DownloadProgress()


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Show what the library warns of as notes: that JAX is missed once, anything else as often as it comes."""
    missed = False

    def show(message: Warning | str, category: type[Warning], *place: Any, **more: Any) -> None:
        nonlocal missed
        if not (category is EngineWarning and missed):
            show_notes([str(message)])
        missed = missed or category is EngineWarning

    with warnings.catch_warnings():
        for category in (CheckpointWarning, EngineWarning):
            warnings.simplefilter("always", category)
        warnings.showwarning = show
        yield


def table_of(*columns: str, left: Sequence[str] = (), title: str | None = None) -> Table:
    """A table without rows yet; its columns are right-aligned but those named in `left`."""
    table = Table(title=title, title_justify="left")
    for name in columns:
        table.add_column(Text(name), justify="left" if name in left else "right", no_wrap=name not in left)
    return table


def table_of_rows(columns: Mapping[str, Any], most: int) -> Table:
    """The first rows of columns by name, (N,) each: numbers in six digits, whole ones and texts as they are."""
    table = table_of(*columns)
    for row in zip(*(column[:most].tolist() for column in columns.values()), strict=True):
        table.add_row(*(f"{cell:.6g}" if isinstance(cell, float) else str(cell) for cell in row))
    return table


def write_csv(path: Path, columns: Mapping[str, Any]) -> None:
    """Write columns by name as a table, whole or not at all, their numbers with every digit."""
    import pandas as pd

    from deltarule.files.whole_file import write_whole

    write_whole(path, pd.DataFrame(dict(columns)).to_csv(index=False, lineterminator="\r\n").encode())


def panel_of(title: str, rows: Iterable[tuple[str, str]], best: str = "") -> Panel:
    """Names and values in a frame; the value named `best` stands out, and so does what is a warning."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column()
    for name, value in rows:
        name_style = "bold yellow" if name == "warning" else ""
        value_style = "bold green" if name == best else ""
        table.add_row(Text(name, style=name_style), Text(value, style=value_style, overflow="fold"))
    return Panel(table, title=title, title_align="left", expand=False)


def command(*words: object) -> str:
    """A command line that can be pasted into a shell."""
    return shlex.join(["deltarule", *(str(word) for word in words)])


def duration(seconds: float) -> str:
    """A length of time in two digits, for an estimate.

    >>> duration(0.012), duration(3.14159), duration(110.0), duration(1100.0), duration(40_000.0)
    ('12 ms', '3.1 s', '110 s', '18 min', '11 h')
    """
    if seconds < 1:
        return f"{1e3 * seconds:.2g} ms"
    if seconds < 600:
        return f"{float(f'{seconds:.2g}'):g} s"
    return f"{seconds / 60:.0f} min" if seconds < 36_000 else f"{seconds / 3600:,.0f} h"
