"""The experiments that `deltarule reproduce` runs: those of the textbooks, with the books' numbers beside ours.

Each is a short module with a function `run(settings) -> Report` that uses deltarule by its public names. A new one is a
module and a row of EXPERIMENTS. `write` writes the report: a page in Markdown, figures, numbers, and an index of all.
"""

import json
import os
from collections.abc import Iterable
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

import deltarule
from deltarule.errors import ConfigurationError
from deltarule.experiments.report import Report, Row, Settings
from deltarule.inspection import plots

__all__ = ["EXPERIMENTS", "Experiment", "Report", "Row", "Settings", "choose", "run", "write"]


class Experiment(NamedTuple):
    """A row of the registry: "module", or "module.function" if the function is not `run`, and the source."""

    module: str
    source: str
    needs_mnist: bool


EXPERIMENTS: dict[str, Experiment] = {
    "higham": Experiment("higham", "[HH] section 6: ten points, a network of 23 parameters", False),
    "3b1b": Experiment("chain", "[3B1B]: every partial derivative of the lecture, by name", False),
    "perceptron": Experiment(
        "perceptron", "[N] ch. 1: NAND, the adder of two bits, sigmoid neurons that learn it", False
    ),
    "nielsen-1": Experiment("nielsen_1", "[N] ch. 1: handwritten digits with the quadratic cost", True),
    "nielsen-2": Experiment("nielsen_2", "[N] ch. 2: backpropagation against numerical differentiation, timed", False),
    "nielsen-3": Experiment("nielsen_3", "[N] ch. 3: cross-entropy, overfitting, regularisation, initialisation", True),
    "nielsen-5": Experiment("nielsen_5", "[N] ch. 5: deeper networks and the vanishing gradient", True),
    "nielsen-6": Experiment("nielsen_6", "[N] ch. 6: convolution, pooling, dropout and a vote of five", True),
    "mackey-glass": Experiment("series.mackey_glass", "a delay equation, 84 steps ahead in a free run", False),
    "sunspots": Experiment("series.sunspots", "the yearly sunspot numbers, one year ahead", False),
    "narendra": Experiment("series.narendra", "a nonlinear plant, learnt at random and tried on a sine", False),
    "memory": Experiment("memory", "past [N] ch. 6: recurrent networks, on a sine that needs a memory", False),
    "beyond": Experiment("beyond", "past [N] ch. 6: a recipe of our own for MNIST", True),
}


INDEX = """The experiments that `deltarule reproduce NAME` repeats, beside the sources' own numbers. [N] is Michael
Nielsen, [*Neural Networks and Deep Learning*](http://neuralnetworksanddeeplearning.com); [HH] Catherine and Desmond
Higham, [*Deep Learning: An Introduction for Applied Mathematicians*](https://arxiv.org/abs/1801.05894); [3B1B]
3Blue1Brown, [*Backpropagation calculus*](https://www.3blue1brown.com/lessons/backpropagation-calculus)."""


def choose(name: str) -> tuple[str, ...]:
    """The experiment of that name, or every one for "all".

    Raises:
        ConfigurationError: there is no such experiment.
    """
    if name == "all":
        return tuple(EXPERIMENTS)
    if name not in EXPERIMENTS:
        raise ConfigurationError(f"experiment {name!r} is not known: choose one of {', '.join(EXPERIMENTS)}, or all.")
    return (name,)


def run(name: str, settings: Settings) -> Report:
    """Run the experiment of that name; the report of a quick run has none of the book's numbers.

    Raises:
        ConfigurationError: there is no such experiment.
        DataError: it needs MNIST, which is not available.
    """
    (name,) = choose(name)
    module, _, function = EXPERIMENTS[name].module.partition(".")
    report = getattr(import_module(f"{__name__}.{module}"), function or "run")(settings)
    return report.without_reference() if settings.quick else report


def write(report: Report, folder: Path, command: str) -> list[Path]:
    """Write NAME.md, NAME.json, NAME-FIGURE.png and the index into the folder; return the files, the page first.

    `command` is the command line, for the page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    page, numbers = folder / f"{report.name}.md", folder / f"{report.name}.json"
    pictures = {
        name: plots.save(figure, folder / f"{report.name}-{name}.png") for name, (figure, _) in report.figures.items()
    }
    parts = [f"# {report.title}", EXPERIMENTS[report.name].source + ".", markdown_table(report.table()), *report.notes]
    for name, (_, caption) in report.figures.items():
        parts.append(f"![{caption}]({pictures[name].name})\n\n*{caption}*")
    parts.append(
        f"Made by `{command}` with deltarule {deltarule.__version__}, numpy {version('numpy')}, "
        f"on {os.cpu_count()} CPU cores; the seconds are of that machine with whatever else ran on it."
    )
    page.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    record = report.record() | {"command": command, "page": page.name, "table": report.table()}
    numbers.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    return [page, *pictures.values(), numbers, _write_index(folder)]


def _write_index(folder: Path) -> Path:
    """Write README.md, the list of the experiments whose pages are in the folder."""
    pages = [
        f"- [{name}]({name}.md): {EXPERIMENTS[name].source}"
        for name in EXPERIMENTS
        if (folder / f"{name}.md").is_file()
    ]
    parts = ["# Results", INDEX, "\n".join(pages)]
    if (folder / "tables.md").is_file():
        parts.append("[How well the defaults predict](tables.md): deltarule beside other estimators on 35 tables.")
    index = folder / "README.md"
    index.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return index


def markdown_table(cells: Iterable[list[str]]) -> str:
    """The table in Markdown, its head first."""
    head, *rows = ([cell.replace("|", "\\|") for cell in row] for row in cells)
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)
