"""The rows that an estimator is asked about, and those that it is trained on, checked as scikit-learn does."""

import sys
from numbers import Number
from typing import Any

import numpy as np
from sklearn.utils import _safe_indexing, check_array, check_consistent_length, check_X_y
from sklearn.utils.validation import validate_data

from deltarule.errors import DataError


def inputs_of(estimator: Any, X: Any) -> np.ndarray:
    """X as (N, n_1) finite float64, as `validate_data` returns it, or as the columns of the table of `fit` become it.

    An array that `validate_data` would return as it is, without a warning, goes without it: it takes 53 µs, a
    prediction of one row 25.

    Raises:
        ValueError: X is no such table, or has another number or other names of columns than those of `fit`.
    """
    if estimator._table is not None:
        return estimator._table.encode(X)
    if _is_right(estimator, X):
        return X
    checked: Any = validate_data(estimator, X, dtype=np.float64, reset=False)
    return checked


def validated(
    estimator: Any, X: Any, y: Any, sample_weight: Any, first: bool, **targets: Any
) -> tuple[np.ndarray, Any, np.ndarray | None]:
    """X (N, n_1), y and the weights, checked as scikit-learn does.

    A DataFrame with other columns than numbers, or with one that weighs the rows, is taken by the names of its
    columns; rows of weight 0 are left out, so that they declare no category.
    """
    by_name = isinstance(sample_weight, str)
    if by_name:
        from deltarule.models.table_inputs import without_column

        X, sample_weight = without_column(X, sample_weight)
    is_table = by_name or _is_mixed(X) if first else estimator._table is not None
    if not is_table:
        estimator._table = None
        X, y = validate_data(estimator, X, y, dtype=np.float64, multi_output=True, reset=first, **targets)
        return X, y, checked_weight(sample_weight, len(X))
    check_consistent_length(X, y)
    weight = checked_weight(sample_weight, len(X))
    if weight is not None and not weight.all():
        kept = np.flatnonzero(weight)
        X, y, weight = _safe_indexing(X, kept), _safe_indexing(y, kept), weight[kept]
    if first:
        from deltarule.models.table_inputs import TableInputs

        estimator._table = TableInputs.chosen(X)
        validate_data(estimator, X, skip_check_array=True)  # which counts and names the columns
    plain: Any = inputs_of(estimator, X)
    X, y = check_X_y(plain, y, dtype="float64", multi_output=True, estimator=estimator, **targets)
    return X, y, weight


def checked_weight(sample_weight: Any, count: int) -> np.ndarray | None:
    """The weights as (N,) float64, or None: whole numbers are copies, others are scaled to a mean of 1.

    So 1/sigma² in any unit leaves as many measurements as there are rows, which is what penalties and the evidence
    count.
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
        raise DataError("sample_weight holds only zeros: at least one weight must not be zero.")
    if (weight == np.round(weight)).all():
        return weight
    share = weight / weight.max()
    return share * (np.count_nonzero(share) / share.sum())


def target_names(y: Any) -> tuple[str, ...] | None:
    """What a table calls its target columns."""
    if hasattr(y, "columns"):
        return tuple(str(name) for name in y.columns)
    name = getattr(y, "name", None)
    return (name,) if isinstance(name, str) else None


def _is_mixed(X: Any) -> bool:
    """Whether X is a DataFrame with a column that pandas does not know to be numbers."""
    pandas: Any = sys.modules.get("pandas")
    if pandas is None or not isinstance(X, pandas.DataFrame):
        return False
    return not all(map(pandas.api.types.is_numeric_dtype, X.dtypes))


def _is_right(estimator: Any, X: Any) -> bool:
    """Whether X is a plain array of finite float64 rows, and the columns of `fit` had no names to miss."""
    if type(X) is not np.ndarray or X.dtype != np.float64 or X.ndim != 2 or len(X) == 0:
        return False
    same_columns = X.shape[1] == estimator.n_features_in_ and not hasattr(estimator, "feature_names_in_")
    return same_columns and bool(np.isfinite(X).all())
