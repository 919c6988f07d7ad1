"""Where the commands write: the console for people, the one JSON line for programs, and how numbers look."""

import json
import shlex
import sys
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.text import Text

from deltarule.models.words import MOST_NAMES, finite, number, quoted, share

__all__ = ["MOST_NAMES", "finite", "number", "quoted", "share"]


def console_for(as_json: bool) -> Console:
    """Standard output, or standard error when standard output is kept for the JSON line."""
    return Console(stderr=as_json, highlight=False)


def emit_json(record: dict[str, Any]) -> None:
    """Write the record as the one JSON line of standard output; a number that is not finite becomes null."""
    print(json.dumps(finite(record), allow_nan=False, ensure_ascii=False))


def show_notes(notes: Iterable[str]) -> None:
    """Write what the user should know about the data to standard error, one line each."""
    from deltarule.cli.failures import as_typed

    for note in notes:
        print(f"Note: {as_typed(note)}", file=sys.stderr)


@contextmanager
def warnings_as_notes() -> Iterator[None]:
    """Show what the library warns of as notes: that JAX is missed once, anything else as often as it comes."""
    from deltarule.errors import CheckpointWarning, EngineWarning

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


def line(console: Console, text: str, style: str = "") -> None:
    """Write a line exactly as it is: no wrapping, no markup."""
    console.print(Text(text, style=style), soft_wrap=True)


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
