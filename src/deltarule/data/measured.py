"""What one pass over a stream finds out: the columns' scale, and whether the target is classes."""

from pathlib import Path

import numpy as np

from deltarule.data.cells import listed
from deltarule.data.moments import Moments
from deltarule.data.schema import Schema
from deltarule.data.table_columns import MOST_INTEGER_CLASSES
from deltarule.errors import DataError

MOST_CLASSES = 1000  # of a target that is to be read as classes


class Measured:
    """What one pass learns of the columns.

    Args:
        inputs: their names.
        targets: theirs.
        task: "classification", "regression", or None to decide by the targets.
    """

    def __init__(self, inputs: tuple[str, ...], targets: tuple[str, ...], task: str | None):
        """No rows yet; `values` are those of a target that may be classes, and how many rows have each."""
        self.inputs, self.targets, self.task = inputs, targets, task
        self.x, self.y = Moments(len(inputs)), Moments(len(targets))
        self.most = MOST_CLASSES if task == "classification" else MOST_INTEGER_CLASSES
        self.values: dict[float, int] | None = {} if len(targets) == 1 and task != "regression" else None

    def add(self, path: Path, x: np.ndarray, y: np.ndarray, training: np.ndarray) -> None:
        """Measure the training rows and look at the targets of all rows."""
        for names, numbers in ((self.inputs, x), (self.targets, y)):
            bad = ~np.isfinite(numbers)
            if bad.any():
                name = names[int(np.argmax(bad.any(axis=0)))]
                raise DataError(
                    f"column {name!r} of {path} holds {numbers[bad][0]}: fill such cells, or remove their rows"
                )
        self.x.add(x[training])
        self.y.add(y[training])
        if self.values is not None:
            for value, count in zip(*np.unique(y, return_counts=True), strict=True):
                self.values[float(value)] = self.values.get(float(value), 0) + int(count)
            if len(self.values) > self.most or any(value % 1 for value in self.values):
                if self.task == "classification":
                    raise DataError(
                        f"target {self.targets[0]!r} of {path} holds numbers that are not whole, or more than "
                        f"{self.most} different ones: number the classes, or use task regression."
                    )
                self.values = None

    def schema(self, path: Path) -> tuple[Schema, tuple[str, ...]]:
        """The schema, and notes of what could surprise."""
        columns = self.x.columns(self.inputs)
        notes = tuple(
            f"column {column.name!r} holds {column.mean:g} in every training row; it is shifted, not scaled"
            for column in columns
            if column.low == column.high
        )
        if self.values is None:
            return Schema("table", "regression", columns, self.y.columns(self.targets), None, self.targets), notes
        classes = tuple(int(value) for value in sorted(self.values))
        if len(classes) < 2:
            raise DataError(
                f"target {self.targets[0]!r} of {path} holds {self.y.low[0]:g} in every row: choose another, or use "
                "task regression."
            )
        if self.task is None:
            notes += (
                f"target {self.targets[0]!r} holds {len(classes)} different whole numbers and is read as classes; "
                "to fit them as numbers use task regression",
            )
        return Schema("table", "classification", columns, (), classes, self.targets), notes

    def untrained(self, held: np.ndarray) -> tuple[str, ...]:
        """A note of the classes of which no row trains, if the target is classes; held: the targets held out."""
        values = sorted((self.values or {}).items())
        missed = tuple(int(value) for value, count in values if count == np.count_nonzero(held == value))
        if not missed:
            return ()
        return (
            f"target {self.targets[0]!r} has so few rows of the classes {listed(missed)} that all are held out and "
            "none trains: add rows of them, or take another seed",
        )
