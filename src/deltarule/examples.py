"""The examples as a user gives them, checked and laid out for a training."""

from typing import Any

import numpy as np
from jax.sharding import Mesh

from deltarule.backprop import Params
from deltarule.devices import divide_rows
from deltarule.errors import DataError
from deltarule.network import Network
from deltarule.rows import Rows, pad_rows


def require_finite(name: str, values: Any, dtype: np.dtype) -> np.ndarray:
    """The values as a finite, non-empty array of this dtype, with one row for each example."""
    try:
        with np.errstate(over="ignore"):  # what overflows is reported below, as not finite
            array = np.asarray(values, dtype)
    except (TypeError, ValueError) as error:
        raise DataError(f"{name} cannot be read as numbers ({error}): give an array of shape (N, n).") from None
    if array.ndim == 0 or array.shape[0] == 0:
        raise DataError(f"{name} has no rows (shape {array.shape}): give at least one example.")
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise DataError(
            f"{name} holds {array[where]} at index {where} and {int((~finite).sum())} value(s) in all that are not "
            f"finite: drop or fill those rows first, and keep values within the range of {dtype}."
        )
    return array


def checked_rows(
    net: Network, params: Params, name: str, X: np.ndarray, Y: Any, weights: Any, mesh: Mesh | None = None
) -> Rows:
    """The examples checked and padded, on the default device or divided among those of a mesh."""
    x = net.as_inputs(params, X)
    y = np.asarray(net.as_targets(Y, x))
    require_finite(name.replace("X", "Y"), y, y.dtype)
    net.cost.check_targets(name.replace("X", "Y"), y)
    if weights is not None:
        weights = require_finite("weights", weights, X.dtype)
        if weights.shape != (X.shape[0],) or weights.min() < 0 or weights.sum() == 0:
            raise DataError(
                f"weights has shape {weights.shape} and smallest value {weights.min():g}: "
                f"give one weight of at least 0 for each of the {X.shape[0]} examples, not all 0."
            )
    return pad_rows(X, y, weights) if mesh is None else divide_rows(mesh, X, y, weights)
