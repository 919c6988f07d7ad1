"""Check the rows that an estimator is trained on or predicts for, as scikit-learn does.

A DataFrame may hold numbers, booleans, categories and texts, and is encoded as the command line encodes a table: a
column of numbers or booleans is one input, and categories are one-hot encoded. This gives unscaled numbers, by which
duplicate rows are found; `x_scaling_` then standardises the numeric columns and leaves the one-hot encoding unchanged.
"""

import sys
import warnings
from numbers import Number
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.utils import _safe_indexing, check_array, check_consistent_length, check_X_y
from sklearn.utils.validation import validate_data

from deltarule.data.cells import as_numbers, as_objects, kind_of
from deltarule.data.columns import CategoricalColumn, NumericColumn, encode_columns, require_columns
from deltarule.data.table_columns import choose_inputs
from deltarule.data.table_file import is_frame, with_default_index
from deltarule.errors import DataError
from deltarule.models.scaling import Scaling

Column = NumericColumn | CategoricalColumn


def check_inputs(estimator: Any, X: Any) -> np.ndarray:
    """X as (N, n_1) finite float64: a DataFrame encoded as in `fit`, or an array that `validate_data` checks.

    `validate_data` is skipped for an array that it would return unchanged without a warning: it takes 53 µs, and a
    prediction of one row 25 µs.

    Raises:
        ValueError: X is no such table, or its columns differ in number or name from those of `fit`.
    """
    if estimator._table is not None:
        return estimator._table.encode(X)
    if _needs_no_check(estimator, X):
        return X
    checked: Any = validate_data(estimator, X, dtype=np.float64, reset=False)
    return checked


def check_training_rows(
    estimator: Any, X: Any, y: Any, sample_weight: Any, first: bool, **targets: Any
) -> tuple[np.ndarray, Any, np.ndarray | None]:
    """X (N, n_1), y and the weights, checked as scikit-learn does.

    The columns of a DataFrame are found by name if they are not all numbers, or if `sample_weight` names one of them;
    then rows of weight 0 are dropped first, so that they add no category. The `first` fit defines the columns;
    `targets` are options of `check_X_y` about y.
    """
    by_name = isinstance(sample_weight, str)
    if by_name:
        column = require_columns(X, (sample_weight,), "X")[sample_weight]
        X, sample_weight = X.drop(columns=sample_weight), column
    is_table = by_name or _has_other_than_numbers(X) if first else estimator._table is not None
    if not is_table:
        estimator._table = None
        X, y = validate_data(estimator, X, y, dtype=np.float64, multi_output=True, reset=first, **targets)
        return X, y, check_weight(sample_weight, len(X))
    check_consistent_length(X, y)
    weight = check_weight(sample_weight, len(X))
    if weight is not None and not weight.all():
        positive = np.flatnonzero(weight)
        X, y, weight = _safe_indexing(X, positive), _safe_indexing(y, positive), weight[positive]
    if first:
        estimator._table = TableInputs.fit(X)
        validate_data(estimator, X, skip_check_array=True)  # sets n_features_in_ and feature_names_in_
    encoded: Any = check_inputs(estimator, X)
    X, y = check_X_y(encoded, y, dtype="float64", multi_output=True, estimator=estimator, **targets)
    return X, y, weight


def check_weight(sample_weight: Any, count: int) -> np.ndarray | None:
    """The weights as (N,) float64, or None: whole numbers are counts of copies, others are scaled to a mean of 1.

    So weights 1/sigma² in any unit sum to the number of rows, and penalties and the evidence count each row once.
    """
    if sample_weight is None:
        return None
    if isinstance(sample_weight, Number):
        sample_weight = np.full(count, sample_weight)
    weight = check_array(sample_weight, dtype="float64", ensure_2d=False, input_name="sample_weight")
    if weight.shape != (count,):
        raise DataError(
            f"sample_weight has shape {weight.shape}: give one weight for each of the {count} rows, ({count},)."
        )
    if weight.min() < 0:
        raise DataError(f"sample_weight holds {weight.min():g}: give weights of at least 0.")
    if not weight.any():
        raise DataError("sample_weight holds only zeros: give at least one weight above 0.")
    if (weight == np.round(weight)).all():
        return weight
    share = weight / weight.max()
    return share * (np.count_nonzero(share) / share.sum())


def target_names(y: Any) -> tuple[str, ...] | None:
    """The names of the target columns, if y is a DataFrame or a Series with a name."""
    if hasattr(y, "columns"):
        return tuple(str(name) for name in y.columns)
    name = getattr(y, "name", None)
    return (name,) if isinstance(name, str) else None


def _has_other_than_numbers(X: Any) -> bool:
    """Whether X is a DataFrame with a column that is not numeric for pandas."""
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, pandas.DataFrame):
        return False
    return not all(map(pandas.api.types.is_numeric_dtype, X.dtypes))


def _needs_no_check(estimator: Any, X: Any) -> bool:
    """Whether X is an array of finite float64 rows, and `fit` had columns without names."""
    if type(X) is not np.ndarray or X.dtype != np.float64 or X.ndim != 2 or len(X) == 0:
        return False
    same_columns = X.shape[1] == estimator.n_features_in_ and not hasattr(estimator, "feature_names_in_")
    return same_columns and bool(np.isfinite(X).all())


class TableInputs(NamedTuple):
    """The columns of a DataFrame that are inputs, in its order, unscaled: numeric columns have mean 0 and std 1."""

    columns: tuple[Column, ...]

    @classmethod
    def fit(cls, X: Any) -> Self:
        """Choose the inputs among the columns of the training rows; a warning names those that cannot be inputs.

        Raises:
            DataError: a cell is missing, a column mixes texts and numbers, or no column can be an input.
        """
        frame = with_default_index(X)
        require_columns(frame, tuple(frame.columns), "X")
        frame = frame.assign(**{name: as_numbers(frame[name]) for name in frame if _are_numbers(frame[name])})
        kinds, notes = choose_inputs(frame, "X")
        for note in notes:
            warnings.warn(f"{note}.", UserWarning, stacklevel=5)  # the line that calls fit
        _refuse_missing(frame[list(kinds)])
        return cls(tuple(_column(name, frame[name], kind) for name, kind in kinds.items()))

    def encode(self, X: Any) -> np.ndarray:
        """Encode the columns of X, found by name, as unscaled numbers, (N, n_1) float64.

        Raises:
            DataError: X is no DataFrame, lacks a column, or a cell is missing, not a number or an unknown category.
        """
        frame, names = with_default_index(X) if is_frame(X) else X, [column.name for column in self.columns]
        _refuse_missing(require_columns(frame, tuple(names), "X")[names])
        return encode_columns(self.columns, frame, "X")

    def scale_numbers_only(self, scaling: Scaling) -> Scaling:
        """The scaling for numeric columns, and none for the one-hot encoding of categories."""
        number = np.concatenate([np.full(column.width, column.is_number) for column in self.columns])
        return scaling._replace(mean=np.where(number, scaling.mean, 0.0), std=np.where(number, scaling.std, 1.0))

    def scaled_columns(self, scaling: Scaling) -> tuple[Column, ...]:
        """The columns with this scaling, for a schema."""
        firsts = np.cumsum([0, *(column.width for column in self.columns[:-1])])
        return tuple(
            column.rescale(*(float(entry[first]) for entry in scaling))
            for column, first in zip(self.columns, firsts, strict=True)
        )


def _refuse_missing(frame: Any) -> None:
    missing = frame.isna().sum()
    if missing.any():
        counts = ", ".join(f"{name!r} has {count}" for name, count in missing[missing > 0].items())
        raise DataError(
            f"X has missing cells (column {counts}): fill them (X.fillna), or leave their rows out (X.dropna)."
        )


def _are_numbers(column: Any) -> bool:
    """Whether a text column holds numbers only, and not all are digits alone, which may be codes."""
    if hasattr(column.dtype, "categories") or kind_of(column) != "text":
        return False
    return bool(np.isfinite(as_numbers(column)).all()) and not all(str(cell).isdecimal() for cell in column)


def _column(name: str, column: Any, kind: str) -> Column:
    """The unscaled column; a pandas category counts even if no row has it."""
    if kind == "numeric":
        return NumericColumn(name, 0.0, 1.0)
    cells = column.dtype.categories if hasattr(column.dtype, "categories") else as_objects(column)
    return CategoricalColumn(name, tuple(sorted({str(cell) for cell in cells})))
