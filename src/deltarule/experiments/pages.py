"""The results on disk: for each experiment a page in Markdown, its figures and its numbers, and one index of all."""

import json
import os
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import deltarule
from deltarule.experiments import EXPERIMENTS
from deltarule.experiments.report import Report
from deltarule.inspection import plots


def write(report: Report, folder: Path, command: str) -> list[Path]:
    """Write NAME.md, NAME.json and NAME-FIGURE.png into the folder, and the index anew.

    Args:
        report: what was found.
        folder: where; it is made if need be.
        command: the command line that made it, for the page.

    Returns:
        The files, the page first.
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
    return [page, *pictures.values(), numbers, write_index(folder)]


def write_index(folder: Path) -> Path:
    """Write README.md from the numbers of every experiment that lies in the folder."""
    rest = ""
    if (folder / "tables.md").is_file():
        rest = (
            ", but for [tables.md](tables.md), the estimators beside their peers on 35 tables, which "
            "`python -m benchmarks.tables --page` writes"
        )
    parts = [
        "# Results",
        f"What `deltarule reproduce` found, beside the books' own numbers. Every file here is its work{rest}.",
    ]
    for name in EXPERIMENTS:
        numbers = folder / f"{name}.json"
        if numbers.is_file():
            record = json.loads(numbers.read_text(encoding="utf-8"))
            parts.append(f"## [{name}]({record['page']}): {record['title']}")
            parts.append(markdown_table(record["table"]))
    index = folder / "README.md"
    index.write_text("\n\n".join(parts) + "\n", encoding="utf-8")
    return index


def markdown_table(cells: Iterable[list[str]]) -> str:
    """The table in Markdown, its head first."""
    head, *rows = ([cell.replace("|", "\\|") for cell in row] for row in cells)
    lines = [head, ["---"] + ["---:"] * (len(head) - 1), *rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in lines)
