"""What loading gives: a data set in three parts for training, or raw rows for a model that is already
trained.
"""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np

from deltarule.data.optional import Frame
from deltarule.data.schema import Schema, Task


@dataclass(frozen=True, eq=False)
class Examples:
    """One part of a data set, ready for a network.

    Args:
        X: inputs, (N, n_1) float64 (float32 for MNIST).
        Y: targets, (N, k) float64: one-hot rows for classification, standardised columns for regression; in training
            rows NaN where one of several targets is missing.
        rows: the number of each row in the source, (N,) int, counted from 0 after a table's header.
        weights: how much each example counts, (N,) float64, at least 0; None where all count alike.
    """

    X: np.ndarray
    Y: np.ndarray
    rows: np.ndarray
    weights: np.ndarray | None = None

    def __len__(self) -> int:
        """N, the number of examples."""
        return len(self.X)


@dataclass(frozen=True, eq=False)
class DataSet:
    """Training, validation and test examples, and the schema that encoded them.

    Args:
        name: "digits", "mnist" or the file's name.
        schema: what encodes and decodes rows, measured on the training part.
        train: the examples that train.
        validation: the examples that choose.
        test: the examples that are looked at once, at the end.
        notes: what the user should know: rows dropped, columns ignored, constant columns.
    """

    name: str
    schema: Schema
    train: Examples
    validation: Examples
    test: Examples
    notes: tuple[str, ...] = ()
    streamed: ClassVar[bool] = False  # whether the training part stays on disk

    def with_all_targets(self) -> "DataSet":
        """The same without training rows that lack some of several targets, for whoever scores them."""
        kept = ~np.isnan(self.train.Y).any(axis=1)
        if kept.all():
            return self
        weights = None if self.train.weights is None else self.train.weights[kept]
        train = Examples(self.train.X[kept], self.train.Y[kept], self.train.rows[kept], weights)
        return replace(self, train=train)

    @property
    def task(self) -> Task:
        """The kind of problem: "classification" or "regression"."""
        return "classification" if self.schema.classes is not None else "regression"


@dataclass(frozen=True, eq=False)
class RawRows:
    """Rows of a source, encoded by the schema of a model that is already trained.

    Args:
        name: "digits", "mnist" or the file's name.
        X: inputs, (N, n_1).
        Y: targets, (N, k), or None where the source holds no targets.
        targets: the targets as they stand in the source, (N,) class labels or (N, k) float64; None like Y.
        rows: the number of each row in the source, (N,) int.
        test_rows: for digits and MNIST the rows that training held out, ascending; None for a table.
        frame: the table itself, its index the row numbers; None for images.
        notes: what the user should know, such as the rows dropped.
    """

    name: str
    X: np.ndarray
    Y: np.ndarray | None
    targets: np.ndarray | None
    rows: np.ndarray
    test_rows: np.ndarray | None = None
    frame: Frame | None = None
    notes: tuple[str, ...] = ()
