"""What loading gives: a data set in three parts for training, or raw rows for a model that is already
trained.
"""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from deltarule.data.optional import Frame
from deltarule.data.schema import Schema, Task
from deltarule.data.stream import Stream


@dataclass(frozen=True, eq=False)
class Examples:
    """One part of a data set, ready for a network.

    Y holds one-hot rows for classification and standardised columns for regression; in training rows NaN where one of
    several targets is missing.
    """

    X: np.ndarray  # inputs, (N, n_1) float64 (float32 for MNIST)
    Y: np.ndarray  # targets, (N, k) float64
    rows: np.ndarray  # the number of each row in the source, (N,) int, counted from 0 after a table's header
    weights: np.ndarray | None = None  # how much each counts, (N,) float64, at least 0; None where all count alike

    def __len__(self) -> int:
        """N, the number of examples."""
        return len(self.X)

    @property
    def each_weight(self) -> np.ndarray:
        """The weight of every example, (N,), ones where all count alike."""
        return np.ones(len(self)) if self.weights is None else np.asarray(self.weights, np.float64)

    def select(self, which: Any) -> "Examples":
        """Some of them: a boolean for each, or their places."""
        weights = None if self.weights is None else self.weights[which]
        return Examples(self.X[which], self.Y[which], self.rows[which], weights)


@dataclass(frozen=True, eq=False)
class Loaded:
    """Training, validation and test examples, and the schema that encoded them."""

    streamed: ClassVar[bool]  # whether the training part stays on disk
    name: str  # "digits", "mnist", or that of the file or folder
    schema: Schema  # measured on the training part
    train: Any
    validation: Examples  # choose the best epoch
    test: Examples  # are looked at once, at the end
    notes: tuple[str, ...] = ()  # what the user should know: rows dropped, columns ignored

    @property
    def parts(self) -> dict[str, Examples]:
        """The parts that are in memory, by name."""
        training = {} if self.streamed else {"training": self.train}
        return training | {"validation": self.validation, "test": self.test}

    @property
    def task(self) -> Task:
        """The kind of problem: "classification" or "regression"."""
        return self.schema.task


@dataclass(frozen=True, eq=False)
class DataSet(Loaded):
    """A data set in memory."""

    train: Examples
    streamed: ClassVar[bool] = False

    def with_complete_targets(self) -> "DataSet":
        """The same without training rows that lack some of several targets, for whoever scores them."""
        kept = ~np.isnan(self.train.Y).any(axis=1)
        return self if kept.all() else replace(self, train=self.train.select(kept))


@dataclass(frozen=True, eq=False)
class StreamedData(Loaded):
    """A data set whose training part stays on disk."""

    train: Stream
    streamed: ClassVar[bool] = True


LoadedData = DataSet | StreamedData


@dataclass(frozen=True, eq=False)
class RawRows:
    """Rows of a source, encoded by the schema of a model that is already trained."""

    name: str
    X: np.ndarray  # inputs, (N, n_1)
    Y: np.ndarray | None  # targets, (N, k), None where the source holds none
    targets: np.ndarray | None  # as they stand in the source, (N,) class labels or (N, k) float64; None like Y
    rows: np.ndarray  # the number of each row in the source, (N,) int
    test_rows: np.ndarray | None = None  # of images the rows that training held out, ascending
    frame: Frame | None = None  # the table itself, its index the row numbers
    notes: tuple[str, ...] = ()
