"""`deltarule play`: a page in the browser on which a network is watched and stepped, equation by equation."""

from contextlib import suppress
from typing import Annotated

import typer

from deltarule.cli.options import TABLE_FILE, WHOLE, DataDir


def play(
    source: Annotated[
        str,
        typer.Argument(
            metavar="[SOURCE|MODEL]",
            help=f"higham, circles, spirals, xor, curve, digits, mnist, {TABLE_FILE}, or a model file.",
        ),
    ] = "higham",
    rows: Annotated[
        str | None,
        typer.Argument(metavar="[ROWS]", help="For a model file: the source of its rows.", show_default=False),
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option(metavar="COLUMN", help="The target column of a table.", show_default="the last")
    ] = None,
    columns: Annotated[
        int | None, typer.Option(**WHOLE, help="How many of a table's inputs to take, the first ones; 0 takes all.")
    ] = 2,
    port: Annotated[int, typer.Option(**WHOLE, help="The port on this machine; 0 takes any free one.")] = 0,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Watch a network learn in the browser: every weight, every activation, every error, one equation at a time.

    The page is served on this machine alone, to whoever has the printed address. Nothing but SOURCE is read, and a
    closed page ends its training.
    """
    from deltarule.cli.options import data_folders
    from deltarule.play.server import Playground
    from deltarule.play.sources import problem_of

    problem = problem_of(source, rows, target=target, columns=columns or None, data_dir=data_folders(data_dir))
    server = Playground(problem, port)
    print(f"Playing {problem.title}: {server.address}\nCtrl-C ends it.", flush=True)
    if not no_browser:
        server.open_browser()
    with suppress(KeyboardInterrupt):
        server.run()
