"""What a training, an experiment and a download show while they run, on standard error."""

import sys
import time
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

QUIET_SECONDS = 2.0  # between two lines where standard error is not a terminal


class _Shown:
    """A bar on a terminal from `__enter__` on, which goes away in the end; elsewhere lines may be written instead."""

    def __init__(self, *columns: ProgressColumn, **task: Any):
        self.console = Console(stderr=True, highlight=False)
        hidden = not self.console.is_terminal
        self.bar = Progress(*columns, console=self.console, transient=True, disable=hidden, expand=True)
        self.task = self.bar.add_task(**task)

    def __enter__(self) -> Self:
        self.bar.start()
        return self

    def __exit__(self, *error: object) -> None:
        if self.bar.live.is_started:
            self.bar.stop()


class TrainingProgress(_Shown):
    """The epochs of a training, at most `epochs`; its `epoch` is a callback of `deltarule.train`.

    Of the validation part it shows "accuracy" or "cost", the `monitor`.
    """

    def __init__(self, epochs: int, examples: int, monitor: str):
        super().__init__(
            TextColumn("epoch {task.completed:.0f}/{task.total:.0f}"),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(compact=True),
            description="",
            total=epochs,
            numbers="first epoch",
        )
        self.epochs, self.examples, self.monitor = epochs, examples, monitor
        self.first: tuple[int, float] | None = None
        self.written = time.perf_counter()

    def epoch(self, record: dict[str, Any]) -> None:
        """Show the record of an epoch."""
        now, epoch = time.perf_counter(), int(record["epoch"])
        # The first epoch may come with compilation, so it says nothing about speed; another start begins at 1 again.
        if self.first is None or epoch <= self.first[0]:
            self.first = epoch, now
        rate = (epoch - self.first[0]) * self.examples / max(now - self.first[1], 1e-9)
        numbers = describe(record, self.monitor) + (f"  {rate:,.0f} examples/s" if rate > 0 else "")
        self.bar.update(self.task, completed=epoch, numbers=numbers)
        if not self.console.is_terminal and (now - self.written > QUIET_SECONDS or epoch == self.epochs):
            self.written = now
            print(f"epoch {epoch}/{self.epochs}  {numbers}", file=sys.stderr)


# What a trainer records, in the words of the progress line: the names of the record, and how many digits. Bayesian
# regularisation has an evidence; a trainer that tries steps the norm of the gradient, and lambda or the radius.
BAYESIAN = (("log_evidence", "evidence", 6), ("gamma", "gamma", 4))
STEPS = (
    ("gradient_norm", "gradient", 3),
    ("batch_gradient_norm", "gradient", 3),
    ("lambda", "lambda", 3),
    ("radius", "radius", 3),
)


def describe(record: dict[str, Any], monitor: str) -> str:
    """The numbers of an epoch in a few words: the training cost, the trainer's own, and the validation score."""
    words = [f"cost {record['cost']:.4g}"]
    own = BAYESIAN if "log_evidence" in record else STEPS if "accepted" in record or "radius" in record else ()
    words += [f"{name} {record[entry]:.{digits}g}" for entry, name, digits in own if entry in record]
    if own is STEPS and "accepted" in record:
        words.append(f"accepted {int(record['accepted'])} rejected {int(record['rejected'])}")
    if monitor == "accuracy" and "validation_accuracy" in record:
        words.append(f"validation {100 * record['validation_accuracy']:.2f} %")
    elif "validation_cost" in record:
        words.append(f"validation cost {record['validation_cost']:.4g}")
    return "  ".join(words)


class ExperimentProgress(_Shown):
    """A bar for each piece of work of an experiment, or a line for each; `tell` reports."""

    def __init__(self, experiment: str):
        super().__init__(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.percentage:.0f} %"),
            TimeRemainingColumn(compact=True),
            description=experiment,
            total=1.0,
        )
        self.experiment = experiment
        self.what: str | None = None

    def tell(self, what: str, share: float) -> None:
        """Show what is being done and the share of it that is done."""
        if what != self.what:
            self.what = what
            self.bar.reset(self.task, description=f"{self.experiment}: {what}", total=1.0)
            if not self.console.is_terminal:
                print(f"{self.experiment}: {what}", file=sys.stderr)
        self.bar.update(self.task, completed=share)


class DownloadProgress(_Shown):
    """The bytes of a download, with the four methods of a tqdm bar that pooch calls."""

    def __init__(self):
        super().__init__(TextColumn("downloading"), BarColumn(), DownloadColumn(), description="", total=None)
        self.total = 0

    def update(self, count: int) -> None:
        """Add `count` bytes; the bar appears with the first."""
        self.bar.start()
        self.bar.update(self.task, total=self.total or None, advance=count)

    def reset(self) -> None:
        """Start over: pooch counts the file once more when it is whole."""
        self.bar.reset(self.task, total=self.total or None)

    def close(self) -> None:
        """Take the bar away."""
        self.__exit__()
