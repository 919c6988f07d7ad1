"""A DataFrame of numbers, booleans, categories and texts as inputs, encoded as the command line encodes a table.

A column of numbers or booleans is one input, a column of categories one for each of them. Which column is what,
`deltarule.data.table_columns.choose_inputs` decides for both. Here the columns become plain numbers first, ones and
zeros for categories, so that rows are known by what they hold; `x_scaling_` then standardises the numbers and leaves
ones and zeros as they are.
"""

import warnings
from typing import Any, NamedTuple, Self

import numpy as np

from deltarule.data.cells import as_numbers, as_objects, kind_of
from deltarule.data.columns import CategoricalColumn, NumericColumn, encode_columns, find_columns
from deltarule.data.table_columns import choose_inputs
from deltarule.data.table_file import is_frame, numbered
from deltarule.errors import DataError
from deltarule.models.scaling import Scaling

Column = NumericColumn | CategoricalColumn


class TableInputs(NamedTuple):
    """The columns of a DataFrame that are inputs, in its order; their numbers have mean 0 and std 1, not yet scaled."""

    columns: tuple[Column, ...]

    @classmethod
    def chosen(cls, X: Any) -> Self:
        """By the columns of the training rows; a warning names those that cannot be inputs.

        Raises:
            DataError: a cell is missing, a text stands among numbers, or no column can be an input.
        """
        frame = numbered(X)
        find_columns(frame, tuple(frame.columns), "X")
        frame = frame.assign(**{name: as_numbers(frame[name]) for name in frame if _are_numbers(frame[name])})
        kinds, notes = choose_inputs(frame, "X")
        for note in notes:
            warnings.warn(f"{note}.", UserWarning, stacklevel=5)  # the line that calls fit
        _refuse_missing(frame[list(kinds)])
        return cls(tuple(_column(name, frame[name], kind) for name, kind in kinds.items()))

    def encode(self, X: Any) -> np.ndarray:
        """The columns of X, found by their names, as plain numbers, (N, n_1) float64.

        Raises:
            DataError: X is no DataFrame, lacks a column, or a cell is missing, no number or no known category.
        """
        frame, names = numbered(X) if is_frame(X) else X, [column.name for column in self.columns]
        _refuse_missing(find_columns(frame, tuple(names), "X")[names])
        return encode_columns(self.columns, frame, "X")

    def scaling(self, measured: Scaling) -> Scaling:
        """The scaling that was measured on the plain numbers, without that of categories."""
        number = np.concatenate([np.full(column.width, column.is_number) for column in self.columns])
        return measured._replace(mean=np.where(number, measured.mean, 0.0), std=np.where(number, measured.std, 1.0))

    def scaled(self, scaling: Scaling) -> tuple[Column, ...]:
        """The columns as a schema holds them."""
        firsts = np.cumsum([0, *(column.width for column in self.columns[:-1])])
        return tuple(
            column.rescaled(*(float(entry[first]) for entry in scaling))
            for column, first in zip(self.columns, firsts, strict=True)
        )


def without_column(X: Any, name: str) -> tuple[Any, Any]:
    """A DataFrame without the column of that name, and the column."""
    column = find_columns(X, (name,), "X")[name]
    return X.drop(columns=name), column


def _refuse_missing(frame: Any) -> None:
    missing = frame.isna().sum()
    if missing.any():
        counts = ", ".join(f"{name!r} has {count}" for name, count in missing[missing > 0].items())
        raise DataError(
            f"X has missing cells (column {counts}): fill them (X.fillna), or leave their rows out (X.dropna)."
        )


def _are_numbers(column: Any) -> bool:
    """Whether a column of texts holds numbers only, and one is more than digits, which may be codes."""
    if hasattr(column.dtype, "categories") or kind_of(column) != "text":
        return False
    return bool(np.isfinite(as_numbers(column)).all()) and not all(str(cell).isdecimal() for cell in column)


def _column(name: str, column: Any, kind: str) -> Column:
    """A column before its scaling is known; a category that is declared need not occur."""
    if kind == "numeric":
        return NumericColumn(name, 0.0, 1.0)
    cells = column.dtype.categories if hasattr(column.dtype, "categories") else as_objects(column)
    return CategoricalColumn(name, tuple(sorted({str(cell) for cell in cells})))
