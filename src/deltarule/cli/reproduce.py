"""`deltarule reproduce`: the textbooks' experiments, their numbers beside ours, and the figures."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from deltarule import data
from deltarule.cli.options import check_given, count, option
from deltarule.cli.reading import Folders, Screen, require_writable
from deltarule.cli.screen import command, emit_json, show_download, table_of, warnings_as_notes

if TYPE_CHECKING:
    from rich.table import Table

    from deltarule.experiments import Report

FULL, QUICK = Path("results"), Path("results/quick")


@dataclass(frozen=True, kw_only=True)
class Reproduction(Folders, Screen):
    """What is reproduced, and how."""

    name: str | None = option(
        "higham, 3b1b, perceptron, nielsen-1, -2, -3, -5, -6, mackey-glass, sunspots, narendra, memory, beyond, or "
        "all; none lists them.",
        "NAME",
        positional=True,
    )
    quick: bool = option("A small run in seconds, to see that all works; its numbers mean nothing.", default=False)
    seeds: int | None = option(
        "Runs that each number is the mean of.",
        otherwise="5; tiny networks 20; nielsen-6 1, and 5 that vote",
        check=count(),
    )
    out: Path | None = option("Where the results go.", "FOLDER", otherwise="results, or results/quick")
    checkpoints: Path | None = option("Keep the state of every training there, and go on from it.", "FOLDER")


def reproduce(asked: Reproduction) -> None:
    """Reproduce an experiment of the textbooks: the book's number beside ours, and the figures.

    Each writes a page in Markdown, its pictures and its numbers as JSON. All but nielsen-6 and beyond take about twenty
    minutes; those take hours and one hour, so give them --checkpoints. Ctrl-C ends it with the rows that are done.
    """
    from deltarule.cli.progress import ExperimentProgress
    from deltarule.data.optional import require
    from deltarule.experiments import EXPERIMENTS, Settings, choose, run, write

    if asked.name is None:
        listed = [{"name": name} | each._asdict() for name, each in EXPERIMENTS.items()]
        if asked.as_json:
            emit_json({"experiments": listed})
        for each in [] if asked.as_json else listed:
            asked.line(f"deltarule reproduce {each['name']:{max(map(len, EXPERIMENTS))}}   {each['source']}")
        return
    names = choose(asked.name)
    require("matplotlib", "an experiment", "plot")  # before the work, not after it
    check_given(asked)
    folder = asked.out or (QUICK if asked.quick else FULL)
    folder.mkdir(parents=True, exist_ok=True)  # before the work, not after it
    require_writable("--out", folder / "README.md")
    mnist: Any = None
    if any(EXPERIMENTS[each].needs_mnist for each in names):
        # Asked for before the work begins, so that its absence is known at once.
        mnist = data.load("mnist", data_dir=asked.folders, progress=show_download)
    options = (["--quick"] if asked.quick else []) + ([] if asked.seeds is None else ["--seeds", asked.seeds])
    records = []
    for each in names:
        started = time.perf_counter()
        with ExperimentProgress(each) as progress, warnings_as_notes():
            settings = Settings(asked.quick, asked.seeds, lambda: mnist, progress.tell, asked.checkpoints)
            report = run(each, settings)
        seconds = time.perf_counter() - started
        files = write(report, folder, command("reproduce", each, *options))
        asked.console.print(_table(report))
        asked.line(f"{seconds:.0f} s in all. The page, with the figures: {files[0]}")
        records.append(report.record() | {"seconds": seconds, "files": [str(path) for path in files]})
    # After a small run the whole one, after that the list of the others.
    asked.line(command("reproduce", *([asked.name] if asked.quick else [])), "bold")
    if asked.as_json:
        emit_json({"quick": asked.quick, "folder": str(folder), "experiments": records})


def _table(report: "Report") -> "Table":
    """The report's table for the screen."""
    head, *rows = report.table()
    table = table_of(*head, left=head[:1], title=f"{report.name}: {report.title}")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
