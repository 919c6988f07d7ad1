"""What the worker runs: one epoch a lap; at the end it saves the parameters, and those after a single step."""

from importlib import import_module
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from benchmarks.descent.task import Start, read


class Descent(Protocol):
    """One library's training; made with (task, **options)."""

    steps: int  # of `epoch`

    def epoch(self) -> None:
        """Train `steps` steps and wait for the end of them."""
        ...

    def params(self) -> Start:
        """Return the current parameters, in the task's layout."""
        ...


class Measured:
    """Adapt a Descent to `benchmarks.turns`."""

    def __init__(self, folder: str, name: str, kind: str, options: dict[str, Any]):
        """`kind` is "module:class" in this package."""
        module, _, title = kind.partition(":")
        self.make = getattr(import_module(f"benchmarks.descent.{module}"), title)
        self.task, self.options = read(folder), options
        self.place = Path(folder) / name
        self.trained: Descent = self.make(self.task, **options)
        self.units, self.laps = self.trained.steps, 0

    def lap(self) -> None:
        """Run one epoch."""
        self.trained.epoch()
        self.laps += 1

    def finish(self) -> dict[str, float]:
        """Save the parameters after all laps and after one step for the referee; return how many steps were made."""
        save(self.trained.params(), self.place.with_suffix(".after.npz"))
        options = self.options | ({"steps": 1} if "steps" in self.options else {})
        one = self.make(self.task.first_batch(), **options)
        one.epoch()
        save(one.params(), self.place.with_suffix(".step.npz"))
        return {"steps": self.laps * self.units}


def save(params: Start, path: Path) -> None:
    """Save (W, b) pairs to one file."""
    np.savez(path, *[np.asarray(array) for pair in params for array in pair])


def build(folder: str, name: str, kind: str, options: dict[str, Any]) -> Measured:
    """Make the contestant for the worker."""
    return Measured(folder, name, kind, options)
