"""The results of loading: a data set in three parts for training, or raw rows for a trained model."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from deltarule.data.optional import Frame
from deltarule.data.schema import Schema, Task
from deltarule.data.stream import Stream


@dataclass(frozen=True, eq=False)
class Examples:
    """One part of a data set, encoded for a network.

    Y holds one-hot rows for classification and standardised columns for regression. Training rows may lack some of
    several targets, which are NaN.
    """

    X: np.ndarray  # inputs, (N, n_1) float64 (float32 for MNIST)
    Y: np.ndarray  # targets, (N, k) float64
    rows: np.ndarray  # the number of each row in the source, (N,) int, counted from 0 after a table's header
    weights: np.ndarray | None = None  # the weight of each example, (N,) float64, at least 0; None for equal weights

    def __len__(self) -> int:
        """N, the number of examples."""
        return len(self.X)

    @property
    def each_weight(self) -> np.ndarray:
        """The weight of every example, (N,), ones for equal weights."""
        return np.ones(len(self)) if self.weights is None else np.asarray(self.weights, np.float64)

    def select(self, index: Any) -> "Examples":
        """The examples at these positions, or where `index` (N,) is true."""
        weights = None if self.weights is None else self.weights[index]
        return Examples(self.X[index], self.Y[index], self.rows[index], weights)


@dataclass(frozen=True, eq=False)
class Loaded:
    """Training, validation and test examples, and the schema that encoded them."""

    streamed: ClassVar[bool]  # whether the training part stays on disk
    name: str  # "digits", "mnist", or that of the file or folder
    schema: Schema  # measured on the training part
    train: Any
    validation: Examples  # for the choice of the best epoch
    test: Examples  # for one score at the end
    notes: tuple[str, ...] = ()  # for the user: dropped rows, ignored columns

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
        """The data set without training rows that lack some of several targets, which cannot be scored."""
        complete = ~np.isnan(self.train.Y).any(axis=1)
        return self if complete.all() else replace(self, train=self.train.select(complete))


@dataclass(frozen=True, eq=False)
class StreamedData(Loaded):
    """A data set whose training part stays on disk."""

    train: Stream
    streamed: ClassVar[bool] = True


LoadedData = DataSet | StreamedData


@dataclass(frozen=True, eq=False)
class RawRows:
    """Rows of a source, encoded by the schema of a trained model."""

    name: str
    X: np.ndarray  # inputs, (N, n_1)
    Y: np.ndarray | None  # targets, (N, k); None if the source has none
    targets: np.ndarray | None  # the raw targets, (N,) class labels or (N, k) float64; None like Y
    rows: np.ndarray  # the number of each row in the source, (N,) int
    test_rows: np.ndarray | None = None  # for images, the rows that training held out for the test, ascending
    frame: Frame | None = None  # the table, with the row numbers as its index
    notes: tuple[str, ...] = ()
