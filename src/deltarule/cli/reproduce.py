"""`deltarule reproduce`: repeat the textbooks' experiments, and print their numbers beside ours."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.text import Text

from deltarule import data
from deltarule.cli.options import check_values, count, option
from deltarule.cli.screen import command_line, make_table, print_json, show_download, suggest, warnings_as_notes
from deltarule.cli.shared_options import DataFolderOptions, OutputOptions, require_writable

if TYPE_CHECKING:
    from rich.table import Table

    from deltarule.experiments import Report

REFERENCES = """
[HH] C. and D. Higham, Deep Learning: An Introduction for Applied Mathematicians
[3B1B] 3Blue1Brown, Backpropagation calculus
[N] M. Nielsen, Neural Networks and Deep Learning"""
FULL, QUICK = Path("results"), Path("results/quick")


@dataclass(frozen=True, kw_only=True)
class ReproduceOptions(DataFolderOptions, OutputOptions):
    """The options of `deltarule reproduce`."""

    name: str | None = option(
        "higham, 3b1b, perceptron, nielsen-1, nielsen-2, nielsen-3, nielsen-5, nielsen-6, mackey-glass, sunspots, "
        "narendra, memory, beyond, or all. Without a name the command lists them.",
        "NAME",
        positional=True,
    )
    quick: bool = option(
        "A small run of some seconds, to see that everything works; its numbers mean nothing.", default=False
    )
    seeds: int | None = option(
        "The number of runs over which each result is averaged.",
        default_text="5; 20 for tiny networks; for nielsen-6 one, and 5 networks that vote",
        check=count(),
    )
    out: Path | None = option("Where to write the results.", "FOLDER", default_text="results, or results/quick")
    checkpoints: Path | None = option("Save the state of every training here, and continue from it.", "FOLDER")


def reproduce(options: ReproduceOptions) -> None:
    """Repeat an experiment of a textbook or an article, and show the published numbers beside ours.

    It writes a page in Markdown with figures, and the numbers as JSON. Together the experiments take about twenty
    minutes, except beyond, which takes an hour, and nielsen-6, which takes hours: give these --checkpoints. Ctrl-C
    ends an experiment and keeps the rows that are complete.
    """
    from deltarule.cli.progress import ExperimentProgress
    from deltarule.data.optional import require
    from deltarule.experiments import EXPERIMENTS, Settings, choose, run, write

    if options.name is None:
        listed = [{"name": name} | each._asdict() for name, each in EXPERIMENTS.items()]
        if options.as_json:
            print_json({"experiments": listed})
            return
        width = max(map(len, EXPERIMENTS))
        lines = [f"deltarule reproduce {each['name']:{width}}   {each['source']}" for each in listed]
        options.print_line("\n".join([*lines, REFERENCES]))
        return
    names = choose(options.name)
    # What would fail after hours of work fails here: a missing package, a folder that cannot be written, no MNIST.
    require("matplotlib", "an experiment", "plot")
    check_values(options)
    folder = options.out or (QUICK if options.quick else FULL)
    folder.mkdir(parents=True, exist_ok=True)
    require_writable("--out", folder / "README.md")
    mnist: Any = None
    if any(EXPERIMENTS[each].needs_mnist for each in names):
        mnist = data.load("mnist", data_dir=options.folders, progress=show_download)
    flags = (["--quick"] if options.quick else []) + ([] if options.seeds is None else ["--seeds", options.seeds])
    records = []
    for each in names:
        started = time.perf_counter()
        with ExperimentProgress(each) as progress, warnings_as_notes():
            settings = Settings(options.quick, options.seeds, lambda: mnist, progress.show, options.checkpoints)
            report = run(each, settings)
        seconds = time.perf_counter() - started
        files = write(report, folder, command_line("reproduce", each, *flags))
        options.console.print(_table(report))
        options.print_line(f"{seconds:.0f} s. The page with the figures is {files[0]}")
        records.append(report.record() | {"seconds": seconds, "files": [str(path) for path in files]})
    # The next command: after a quick run the full one, after a full run the list of experiments.
    before = "The full experiment:" if options.quick else "All experiments:"
    suggest(options, "reproduce", *([options.name] if options.quick else []), before=before)
    if options.as_json:
        print_json({"quick": options.quick, "folder": str(folder), "experiments": records})


def _table(report: "Report") -> "Table":

    head, *rows = report.table()
    table = make_table(*head, left=head[:1], title=f"{report.name}: {report.title}")
    for row in rows:
        table.add_row(*map(Text, row))
    return table
