"""The examples as a user gives them, checked and laid out for a training."""

from typing import Any

import numpy as np

from deltarule import engine
from deltarule.checks import as_numbers
from deltarule.engine.rows import Rows
from deltarule.errors import ConfigurationError, DataError, ShapeError
from deltarule.network.backprop import Params
from deltarule.network.network import Network
from deltarule.network.sequences import is_ragged, padded, require_ends


def require_finite(name: str, values: Any, dtype: np.dtype) -> np.ndarray:
    """The values as a finite, non-empty array of this dtype, with one row for each example."""
    with np.errstate(over="ignore"):  # what overflows is reported below, as not finite
        array = as_numbers(name, values, dtype)
    if array.ndim == 0 or array.shape[0] == 0:
        raise DataError(f"{name} has no rows (shape {array.shape}): give at least one example.")
    if array.size == 0:
        raise DataError(f"{name} has no columns (shape {array.shape}): give at least one number for each example.")
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise DataError(
            f"{name} holds {array[where]} at index {where} and {int((~finite).sum())} value(s) in all that are not "
            f"finite: drop or fill those rows first, and keep values within the range of {dtype}."
        )
    return array


def require_inputs(net: Network, name: str, X: Any, dtype: np.dtype) -> np.ndarray:
    """Inputs as `require_finite` has them; sequences may be a list of arrays, and shorter ones end in NaN."""
    if not net.over_time:
        X = require_finite(name, X, dtype)
    else:
        X = padded(name, X, dtype) if is_ragged(X) else as_numbers(name, X, dtype)
        require_finite(name, require_ends(name, X) if X.ndim == 3 and X.size else X, dtype)
    if X.ndim < 2:
        raise ShapeError(
            f"{name} has shape {X.shape}: give one row for each example, (N, n_1); a single column is X[:, None]."
        )
    return X


def require_targets(net: Network, name: str, y: np.ndarray) -> None:
    """Raise a DataError unless the targets are finite, or missing where the cost allows it, and fit for the cost."""
    known = np.where(np.isnan(y), 0, y) if net.cost.ignores_missing else y
    require_finite(name, known, y.dtype)
    net.cost.check_targets(name, y if net.cost.ignores_missing else y.reshape(-1, y.shape[-1]))


def checked_rows(
    net: Network, params: Params, name: str, X: np.ndarray, Y: Any, weights: Any, mesh: Any = None
) -> Rows:
    """The examples checked and laid out for the engine of the parameters, divided among the devices of a mesh."""
    net.check(params, X.shape[1:])
    y = np.asarray(net.as_targets(Y, X))
    require_targets(net, name.replace("X", "Y"), y)
    if weights is not None:
        weights = require_finite("weights", weights, X.dtype)
        if weights.shape != (X.shape[0],) or weights.min() < 0 or weights.sum() == 0:
            raise DataError(
                f"weights has shape {weights.shape} and smallest value {weights.min():g}: "
                f"give one weight of at least 0 for each of the {X.shape[0]} examples, not all 0."
            )
    E = engine.of_params(params)
    return Rows(*E.laid_out(X, y, weights)) if mesh is None else E.divide_rows(mesh, X, y, weights)


def validation_parts(validation_data: Any) -> tuple[Any, Any, Any] | None:
    """`validation_data`, which is (Xv, Yv), (Xv, Yv, weights) or None, as three or as None.

    Raises:
        ConfigurationError: it is none of these.
    """
    if validation_data is None:
        return None
    if not isinstance(validation_data, tuple | list) or len(validation_data) not in (2, 3):
        length = f" of length {len(validation_data)}" if hasattr(validation_data, "__len__") else ""
        raise ConfigurationError(
            f"validation_data is a {type(validation_data).__name__}{length}: give (Xv, Yv) or (Xv, Yv, weights)."
        )
    X, Y, weights = (*validation_data, None)[:3]
    return X, Y, weights


def validation_rows(
    net: Network, params: Params, validation_data: Any, dtype: np.dtype, mesh: Any = None
) -> Rows | None:
    """`validation_data` as rows; it may be what `validation_parts` made of it."""
    parts = validation_parts(validation_data)
    if parts is None:
        return None
    X, Y, weights = parts
    return checked_rows(net, params, "validation X", require_inputs(net, "validation X", X, dtype), Y, weights, mesh)
