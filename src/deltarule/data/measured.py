"""What one pass over a stream finds out: the columns' scale, and whether the target is classes."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from deltarule.data.block_moments import BlockMoments
from deltarule.data.cells import listed
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
        self.x, self.y = BlockMoments(len(inputs)), BlockMoments(len(targets))
        self.most = MOST_CLASSES if task == "classification" else MOST_INTEGER_CLASSES
        self.values: dict[float, int] | None = {} if len(targets) == 1 and task != "regression" else None

    def add(self, path: Path, number: int, x: np.ndarray, y: np.ndarray, training: np.ndarray) -> None:
        """Measure the training rows of a piece of block `number` and look at the targets of all its rows."""
        for names, numbers in ((self.inputs, x), (self.targets, y)):
            bad = ~np.isfinite(numbers)
            if bad.any():
                name = names[int(np.argmax(bad.any(axis=0)))]
                raise DataError(
                    f"column {name!r} of {path} holds {numbers[bad][0]}: fill such cells, or remove their rows"
                )
        self.x.add(number, x[training])
        self.y.add(number, y[training])
        if self.values is not None:
            self._count(path, *np.unique(y, return_counts=True))

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it as arrays, for `join` in another process."""
        moments = {"x": self.x.arrays(), "y": self.y.arrays()}
        found = {f"{which}.{name}": array for which, arrays in moments.items() for name, array in arrays.items()}
        if self.values is not None:
            found |= {"values": np.array(list(self.values), float), "rows": np.array(list(self.values.values()), int)}
        return found

    def join(self, path: Path, arrays: Mapping[str, np.ndarray]) -> None:
        """Take in what another process found of the blocks that it read."""
        for which, moments in (("x", self.x), ("y", self.y)):
            prefix = f"{which}."
            own = {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
            moments.join(own)
        if "values" not in arrays:
            self.values = None
        elif self.values is not None:
            self._count(path, arrays["values"], arrays["rows"])

    def _count(self, path: Path, values: np.ndarray, counts: np.ndarray) -> None:
        """So many rows more have these targets; too many different ones are no classes."""
        assert self.values is not None
        for value, count in zip(values, counts, strict=True):
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
        targets = self.y.total()
        columns = self.x.total().columns(self.inputs)
        notes = tuple(
            f"column {column.name!r} holds {column.mean:g} in every training row; it is shifted, not scaled"
            for column in columns
            if column.low == column.high
        )
        if self.values is None:
            return Schema("table", "regression", columns, targets.columns(self.targets), None, self.targets), notes
        classes = tuple(int(value) for value in sorted(self.values))
        if len(classes) < 2:
            raise DataError(
                f"target {self.targets[0]!r} of {path} holds {targets.low[0]:g} in every row: choose another, or use "
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
