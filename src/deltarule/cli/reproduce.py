"""`deltarule reproduce`: the textbooks' experiments, their numbers beside ours, and the figures."""

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer
from rich.text import Text

from deltarule.cli.options import WHOLE, AsJson, require_writable
from deltarule.cli.reading import Folders
from deltarule.cli.screen import command, console_for, emit_json, line, table_of, warnings_as_notes

if TYPE_CHECKING:
    from rich.table import Table

    from deltarule.data import DataSet
    from deltarule.experiments import Report, Settings

FULL, QUICK = Path("results"), Path("results/quick")


def reproduce(
    places: Folders,
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="NAME",
            help="higham, 3b1b, perceptron, nielsen-1, -2, -3, -5, -6, beyond, or all; none lists them.",
            show_default=False,
        ),
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small run in seconds, to see that all works; its numbers mean nothing.")
    ] = False,
    seeds: Annotated[
        int | None,
        typer.Option(
            **WHOLE,
            help="Runs that each number is the mean of.",
            show_default="5; tiny networks 20; nielsen-6 1, and 5 that vote",
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the results go.", show_default="results, or results/quick"),
    ] = None,
    checkpoints: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Keep the state of every training there, and go on from it."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Reproduce an experiment of the textbooks: the book's number beside ours, and the figures.

    Each writes a page in Markdown, its pictures and its numbers as JSON. All but nielsen-6 and beyond take about twenty
    minutes; those take hours and one hour, so give them --checkpoints. Ctrl-C ends it with the rows that are done.
    """
    from deltarule.checks import require_count
    from deltarule.experiments import EXPERIMENTS, Settings, choose, pages
    from deltarule.inspection.plots.style import required

    if name is None:
        _list(as_json)
        return
    names = choose(name)
    required("matplotlib")  # before the work, not after it
    if seeds is not None:
        require_count("--seeds", seeds)
    folder = out or (QUICK if quick else FULL)
    _require_folder(folder)
    mnist = _mnist(places) if any(EXPERIMENTS[each].needs_mnist for each in names) else None
    words = ["reproduce", *([] if not quick else ["--quick"]), *([] if seeds is None else ["--seeds", seeds])]
    records, console = [], console_for(as_json)
    for each in names:
        started = time.perf_counter()
        report = _run(each, Settings(quick, seeds, mnist=lambda: cast("DataSet", mnist), checkpoints=checkpoints))
        seconds = time.perf_counter() - started
        files = pages.write(report, folder, command(*words[:1], each, *words[1:]))
        console.print(_table(report))
        line(console, f"{seconds:.0f} s in all. The page, with the figures: {files[0]}")
        records.append(report.record() | {"seconds": seconds, "files": [str(path) for path in files]})
    if as_json:
        emit_json({"quick": quick, "folder": str(folder), "experiments": records})


def _run(name: str, settings: "Settings") -> "Report":
    """One experiment, with its progress on standard error."""
    from deltarule.cli.progress import ExperimentProgress
    from deltarule.experiments import run

    with ExperimentProgress(name) as progress, warnings_as_notes():
        return run(name, replace(settings, tell=progress.tell))


def _mnist(places: Folders) -> "DataSet":
    """MNIST; asked for before the work begins, so that its absence is known at once."""
    from deltarule import data
    from deltarule.cli.progress import DownloadProgress

    with DownloadProgress() as progress:
        return data.load("mnist", data_dir=places.folders, progress=progress)


def _require_folder(folder: Path) -> None:
    """Make the folder and see that files can be written there; asked before the work, not after it.

    Raises:
        ConfigurationError: it is a file, or cannot be made or written.
    """
    from deltarule.errors import ConfigurationError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"--out is {str(folder)!r}, which cannot be made a folder ({error.strerror}): give another place"
        ) from None
    require_writable("--out", folder / "README.md")


def _list(as_json: bool) -> None:
    """The experiments, each with what it reproduces."""
    from deltarule.experiments import EXPERIMENTS

    if as_json:
        emit_json({"experiments": [{"name": name} | each._asdict() for name, each in EXPERIMENTS.items()]})
        return
    console, width = console_for(as_json), max(map(len, EXPERIMENTS))
    for name, each in EXPERIMENTS.items():
        line(console, f"deltarule reproduce {name:{width}}   {each.source}")


def _table(report: "Report") -> "Table":
    """The report's table for the screen."""
    head, *rows = report.table()
    table = table_of(*head, left=head[:1], title=f"{report.name}: {report.title}")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
