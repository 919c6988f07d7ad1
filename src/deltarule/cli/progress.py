"""The progress of a training, an experiment and a download, on standard error."""

import sys
import time
from typing import Any, Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, TextColumn, TimeRemainingColumn

QUIET_SECONDS = 2.0  # between two lines where standard error is not a terminal


class _Progress:
    """A progress bar on a terminal, which disappears at the end; elsewhere subclasses may print lines instead."""

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


class TrainingProgress(_Progress):
    """The epochs of a training, at most `epochs`; its method `epoch` is a callback of `deltarule.train`.

    `monitor` is the validation score to show, "accuracy" or "cost".
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
        # The first epoch may include compilation, so speed is measured from its end; each restart begins at epoch 1.
        if self.first is None or epoch <= self.first[0]:
            self.first = epoch, now
        rate = (epoch - self.first[0]) * self.examples / max(now - self.first[1], 1e-9)
        numbers = describe(record, self.monitor) + (f"  {rate:,.0f} examples/s" if rate > 0 else "")
        self.bar.update(self.task, completed=epoch, numbers=numbers)
        if not self.console.is_terminal and (now - self.written > QUIET_SECONDS or epoch == self.epochs):
            self.written = now
            print(f"epoch {epoch}/{self.epochs}  {numbers}", file=sys.stderr)


# Numbers of a trainer's own that the progress line shows: name in the record, name on the line, digits. Bayesian
# regularisation has the first, trainers that try steps the second.
BAYESIAN = (("log_evidence", "evidence", 6), ("gamma", "gamma", 4))
STEPS = (
    ("gradient_norm", "gradient", 3),
    ("batch_gradient_norm", "gradient", 3),
    ("lambda", "lambda", 3),
    ("radius", "radius", 3),
)


def describe(record: dict[str, Any], monitor: str) -> str:
    """An epoch in a line: the training cost, the trainer's own numbers, and the validation score."""
    words = [f"cost {record['cost']:.4g}"]
    of_trainer = BAYESIAN if "log_evidence" in record else STEPS if "accepted" in record or "radius" in record else ()
    words += [f"{name} {record[entry]:.{digits}g}" for entry, name, digits in of_trainer if entry in record]
    if of_trainer is STEPS and "accepted" in record:
        words.append(f"accepted {int(record['accepted'])} rejected {int(record['rejected'])}")
    if monitor == "accuracy" and "validation_accuracy" in record:
        words.append(f"validation {100 * record['validation_accuracy']:.2f} %")
    elif "validation_cost" in record:
        words.append(f"validation cost {record['validation_cost']:.4g}")
    return "  ".join(words)


class ExperimentProgress(_Progress):
    """A bar for each stage of an experiment, or a line where there is no terminal."""

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
        self.stage: str | None = None

    def show(self, stage: str, share: float) -> None:
        """Show the stage and the share of it that is done."""
        if stage != self.stage:
            self.stage = stage
            self.bar.reset(self.task, description=f"{self.experiment}: {stage}", total=1.0)
            if not self.console.is_terminal:
                print(f"{self.experiment}: {stage}", file=sys.stderr)
        self.bar.update(self.task, completed=share)


class DownloadProgress(_Progress):
    """The bytes of a download, with the four methods of a tqdm bar that pooch calls."""

    def __init__(self):
        super().__init__(TextColumn("downloading"), BarColumn(), DownloadColumn(), description="", total=None)
        self.total = 0

    def update(self, count: int) -> None:
        """Add `count` bytes; the bar appears with the first call."""
        self.bar.start()
        self.bar.update(self.task, total=self.total or None, advance=count)

    def reset(self) -> None:
        """Start over: pooch counts the whole file once more at the end."""
        self.bar.reset(self.task, total=self.total or None)

    def close(self) -> None:
        """Remove the bar."""
        self.__exit__()
