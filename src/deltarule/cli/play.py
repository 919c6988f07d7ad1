"""`deltarule play`: a page in the browser on which a network is watched and stepped, equation by equation."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import deltarule as dr
from deltarule.cli.options import check_given, count, option
from deltarule.cli.reading import TABLE_FILE, Reading
from deltarule.cli.screen import show_notes

LONGEST_START = 10.0  # seconds that a browser may take to begin, where a training is over before it


@dataclass(frozen=True, kw_only=True)
class Playing(Reading):
    """What is played, and where."""

    source: str = option(
        f"higham, circles, spirals, xor, curve, digits, mnist, {TABLE_FILE}, a folder, or a model file.",
        "[SOURCE|MODEL]",
        default="higham",
        positional=True,
    )
    rows: str | None = option("For a model file: the source of its rows.", "[ROWS]", positional=True)
    target: tuple[str, ...] | None = option(
        "The target column of a table; several with commas between, or repeat the option.",
        "COLUMN",
        otherwise="the last one",
    )
    columns: int = option(
        "How many of a table's inputs to take, the first ones; 0 takes all.", default=2, check=count(least=0)
    )
    port: int = option("The port on this machine; 0 takes any free one.", default=0, check=count(least=0, most=65535))
    no_browser: bool = option("Only print the address.", default=False)


def play(playing: Playing) -> None:
    """Watch a network learn in the browser: every weight, every activation, every error, one equation at a time.

    The page is served on this machine alone, to whoever has the printed address. Nothing but SOURCE is read, and a
    closed page ends its training.
    """
    check_given(playing)
    from deltarule.play.server import Playground
    from deltarule.play.sources import problem_of

    problem = problem_of(
        playing.source,
        playing.rows,
        target=playing.target,
        columns=playing.columns or None,
        data_dir=playing.folders,
        drop_missing=playing.drop_missing,
        options=playing.table_options,
    )
    show_notes(problem.notes)
    server = Playground(problem, playing.port)
    print(f"Playing {problem.title} at {server.address}", flush=True)
    if not playing.no_browser:
        server.open_browser()
    with suppress(KeyboardInterrupt):
        server.run()


@contextmanager
def watched(asked: bool) -> Iterator[list[Any]]:
    """The callbacks by which `deltarule train --watch` is seen in the browser; the page is told of the end."""
    if not asked:
        yield []
        return
    watch = dr.Watch()
    print(f"Watch it at {watch.address}", file=sys.stderr, flush=True)
    try:
        yield [watch]
    finally:
        watch.close(wait=LONGEST_START)
