"""The rows that an estimator is asked about, checked as scikit-learn does."""

from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data


def inputs_of(estimator: BaseEstimator, X: Any) -> np.ndarray:
    """X as (N, n_1) finite float64, as `validate_data` returns it.

    An array that it would return as it is, without a warning, goes without it: it takes 53 µs, a prediction of one row
    25.

    Raises:
        ValueError: X is no such table, or has another number or other names of columns than those of `fit`.
    """
    if _is_right(estimator, X):
        return X
    checked: Any = validate_data(estimator, X, dtype=np.float64, reset=False)
    return checked


def _is_right(estimator: Any, X: Any) -> bool:
    """Whether X is a plain array of finite float64 rows, and the columns of `fit` had no names to miss."""
    if type(X) is not np.ndarray or X.dtype != np.float64 or X.ndim != 2 or len(X) == 0:
        return False
    same_columns = X.shape[1] == estimator.n_features_in_ and not hasattr(estimator, "feature_names_in_")
    return same_columns and bool(np.isfinite(X).all())
