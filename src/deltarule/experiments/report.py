"""`Settings` for an experiment, and its result: a `Report` with the rows of a table, figures and notes."""

import re
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deltarule import data

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from deltarule.data import DataSet


@dataclass(frozen=True)
class Settings:
    """The settings of an experiment.

    Args:
        quick: a much smaller run, which shows that everything works and reproduces no number.
        seeds: the number of runs of which each number is the mean; None takes the experiment's default.
        mnist: loads MNIST.
        checkpoints: a folder for the checkpoints of every training, which resumes from those there; None saves none.
        report_progress: is called with a description of the current work, and the share of it that is done, 0 to 1.
    """

    quick: bool = False
    seeds: int | None = None
    mnist: Callable[[], "DataSet"] = lambda: data.load("mnist")
    report_progress: Callable[[str, float], None] = lambda label, share: None
    checkpoints: Path | None = None

    def runs(self, count: int = 5, quick: int = 2) -> range:
        """The seeds of the runs; `count` and `quick` are the experiment's defaults."""
        return range(self.seeds or (quick if self.quick else count))

    def checkpoint_options(self, label: str) -> dict[str, Any]:
        """The arguments of `deltarule.train` for the checkpoints of this training."""
        if self.checkpoints is None:
            return {}
        name = re.sub(r"[^a-z0-9.]+", "-", label.lower()).strip("-")
        folder = self.checkpoints / f"{name}-quick" if self.quick else self.checkpoints / name
        return {"checkpoint": folder, "resume": folder, "checkpoint_every": 1}

    def progress_callback(self, label: str, epochs: int) -> Callable[[dict[str, Any]], None]:
        """A callback of `deltarule.train` that reports its progress."""
        self.report_progress(label, 0.0)
        return lambda record: self.report_progress(label, int(record["epoch"]) / epochs)


@dataclass(frozen=True)
class Row:
    """One number of the book beside ours.

    Args:
        label: what the number measures.
        book: the book's number, or None if it gives none.
        ours: our number in each run.
        more: further numbers of ours by column, such as "last epoch".
        seconds: of each run, or ().
        template: how a number is written.
        median: whether to show the median and the range of the runs instead of mean and standard deviation.
    """

    label: str
    book: float | str | None
    ours: Sequence[float]
    more: Mapping[str, Sequence[float]] = field(default_factory=dict)
    seconds: Sequence[float] = ()
    template: str = "{:.2f} %"
    median: bool = False

    @property
    def average(self) -> float:
        """The mean of the runs, or their median."""
        return statistics.median(self.ours) if self.median else statistics.fmean(self.ours)

    @property
    def deviation(self) -> float | None:
        """The standard deviation of the runs, with n - 1; None for a single run."""
        return statistics.stdev(self.ours) if len(self.ours) > 1 else None

    def cells(self, extra: Sequence[str]) -> list[str]:
        """The row as text: label, book, ours, the extra columns, seconds per run."""
        book = self.book if isinstance(self.book, str) else "" if self.book is None else self.template.format(self.book)
        median = statistics.median(self.seconds) if self.seconds else None
        seconds = "" if median is None else f"{median:.2g}" if median < 99.5 else f"{median:,.0f}"
        return [
            self.label,
            book,
            self.summary(self.ours),
            *(self.summary(self.more.get(c, ())) for c in extra),
            seconds,
        ]

    def summary(self, values: Sequence[float]) -> str:
        """Several runs in a few characters: mean ± standard deviation, or median and range."""
        if not values:
            return ""
        if len(values) == 1:
            return self.template.format(values[0])
        if self.median:
            low, middle, high = (self.template.format(f(values)) for f in (min, statistics.median, max))
            return f"{middle} ({low} to {high})"
        return f"{self.template.format(statistics.fmean(values))} ± {statistics.stdev(values):.2g}"


@dataclass(frozen=True)
class Report:
    """The result of an experiment.

    Args:
        name: as in EXPERIMENTS.
        title: one line.
        rows: the numbers.
        figures: by name, each with its caption.
        notes: paragraphs about the setting and the results.
        reference: the head of the column that holds the book's numbers.
    """

    name: str
    title: str
    rows: Sequence[Row]
    figures: Mapping[str, tuple["Figure", str]]
    notes: Sequence[str]
    reference: str = "book"

    def without_reference(self) -> "Report":
        """The report of a quick run, without the book's numbers, which are not comparable."""
        rows = [replace(row, book=None) for row in self.rows]
        return replace(self, title=f"{self.title}; a quick run, whose numbers mean nothing", rows=rows)

    def table(self) -> list[list[str]]:
        """The table as text, its head first, without empty columns."""
        extra = list(dict.fromkeys(name for row in self.rows for name in row.more))
        cells = [["", self.reference, "deltarule", *extra, "seconds a run"], *(row.cells(extra) for row in self.rows)]
        filled = [True, any(row.book is not None for row in self.rows), True, *(True for _ in extra)]
        filled.append(any(row.seconds for row in self.rows))
        return [list(compress(row, filled)) for row in cells]

    def record(self) -> dict[str, Any]:
        """The report as plain values, for JSON."""
        rows = [
            {
                "what": row.label,
                "book": row.book,
                "ours": row.average,
                "deviation": row.deviation,
                "runs": list(row.ours),
                **{name: list(values) for name, values in row.more.items()},
                "seconds": statistics.median(row.seconds) if row.seconds else None,
            }
            for row in self.rows
        ]
        return {"name": self.name, "title": self.title, "rows": rows, "notes": list(self.notes)}
