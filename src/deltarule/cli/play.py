"""`deltarule play`: a page in the browser on which a network is watched and stepped, equation by equation."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import deltarule as dr
from deltarule.cli.options import check_values, count, option
from deltarule.cli.screen import show_notes
from deltarule.cli.shared_options import TABLE_FILE, ReadOptions

LONGEST_START = 10.0  # seconds to wait for the browser if the training ends before the page is open


@dataclass(frozen=True, kw_only=True)
class PlayOptions(ReadOptions):
    """The options of `deltarule play`."""

    source: str = option(
        f"higham, circles, spirals, xor, curve, digits, mnist, {TABLE_FILE}, a folder, or a model file.",
        "[SOURCE|MODEL]",
        default="higham",
        positional=True,
    )
    rows: str | None = option("With a model file: the source of its rows.", "[ROWS]", positional=True)
    target: tuple[str, ...] | None = option(
        "The target column of a table; for several, separate them by commas or repeat the option.",
        "COLUMN",
        default_text="the last one",
    )
    columns: int = option(
        "How many of a table's input columns to use, from the first; 0 uses all.", default=2, check=count(least=0)
    )
    port: int = option("The port on this machine; 0 uses any free one.", default=0, check=count(least=0, most=65535))
    no_browser: bool = option("Print the address, and open no browser.", default=False)


def play(options: PlayOptions) -> None:
    """Watch a network learn in the browser: every weight, every activation, every error, one equation at a time.

    The page is served on this machine only, to whoever has the printed address. Only SOURCE is read. Closing the page
    ends its training.
    """
    check_values(options)
    from deltarule.play.server import Playground
    from deltarule.play.sources import load_problem

    problem = load_problem(
        options.source,
        options.rows,
        target=options.target,
        columns=options.columns or None,
        data_dir=options.folders,
        drop_missing=options.drop_missing,
        options=options.table_options,
    )
    show_notes(problem.notes)
    server = Playground(problem, options.port)
    print(f"Playing {problem.title} at {server.address} (Ctrl-C ends it)", flush=True)
    if not options.no_browser:
        server.open_browser()
    with suppress(KeyboardInterrupt):
        server.run()


@contextmanager
def watched(enabled: bool, schema: Any, trainer: str) -> Iterator[list[Any]]:
    """Yield the callbacks that show a training in the browser, none unless enabled, and tell the page when it ends.

    The page takes the names of inputs and outputs from the schema.
    """
    if not enabled:
        yield []
        return
    from deltarule.play.watch import Names

    watch = dr.Watch()
    watch.names = Names(schema.input_names, schema.output_names, trainer)
    print(f"Watch the training at {watch.address}", file=sys.stderr, flush=True)
    try:
        yield [watch]
    finally:
        watch.close(wait=LONGEST_START)
