"""Checks of the examples that a user gives, and their conversion for a training."""

from typing import TYPE_CHECKING, Any

import numpy as np

from deltarule import engine
from deltarule.arrays import Array, is_traced
from deltarule.checks import as_array, as_numbers
from deltarule.engine.rows import Rows
from deltarule.errors import ConfigurationError, DataError, ShapeError
from deltarule.network.backprop import Params
from deltarule.network.sequences import is_ragged, mark_ended_steps, pad_sequences, require_trailing_nan

if TYPE_CHECKING:
    from deltarule.network.network import Network


def require_finite(name: str, values: Any, dtype: np.dtype) -> np.ndarray:
    """The values as a non-empty array of this dtype without NaN or infinity, with one row for each example."""
    with np.errstate(over="ignore"):  # overflow is reported below, as not finite
        return _finite(name, as_numbers(name, values, dtype))


def _finite(name: str, array: np.ndarray) -> np.ndarray:
    if array.ndim == 0 or array.shape[0] == 0:
        raise DataError(f"{name} has no rows (shape {array.shape}): give at least one example.")
    if array.size == 0:
        raise DataError(f"{name} has no columns (shape {array.shape}): give at least one number for each example.")
    finite = np.isfinite(array)
    if not finite.all():
        where = tuple(int(i) for i in np.argwhere(~finite)[0])
        raise DataError(
            f"{name} holds {array[where]} at index {where} and {int((~finite).sum())} value(s) in all that are not "
            f"finite: drop or fill those rows first, and keep values within the range of {array.dtype}."
        )
    return array


def require_inputs(net: "Network", name: str, X: Any, dtype: np.dtype) -> np.ndarray:
    """Inputs checked as by `require_finite`; sequences may be a list of arrays, and shorter ones end in NaN."""
    if not net.is_recurrent:
        X = require_finite(name, X, dtype)
    else:
        X = pad_sequences(name, X, dtype) if is_ragged(X) else as_numbers(name, X, dtype)
        require_finite(name, require_trailing_nan(name, X) if X.ndim == 3 and X.size else X, dtype)
    if X.ndim < 2:
        raise ShapeError(
            f"{name} has shape {X.shape}: give one row for each example, (N, n_1); a single column is X[:, None]."
        )
    return X


def as_inputs(net: "Network", params: Params, X: Any, dtype: np.dtype) -> Array:
    """X as an array of this dtype, (N, ...), checked against the first layer; a list of sequences becomes (N, T, ...).

    A NumPy array stays one on JAX too: a compiled call converts it ten times as fast as jnp.asarray.
    """
    if net.is_recurrent and is_ragged(X):
        X = pad_sequences("X", X, dtype)
    X = as_array("X", X, dtype, "(N, n_1)")
    if X.ndim < 2:
        raise ShapeError(f"X has shape {X.shape}: give one row for each example, (N, n_1); one example is X[None].")
    net.check(params, X.shape[1:])
    X = engine.of_params(params).prepare_inputs(X, params)
    return X if X.dtype == dtype else X.astype(dtype)


def as_targets(net: "Network", Y: Any, x: Array) -> Array:
    """Y as (N, k) in the dtype of x. Whole numbers in a flat Y are classes and become one-hot rows if k > 1.

    For outputs at every step it is (N, T, k), with NaN where a sequence has ended, and Y has one axis more or is a list
    of sequences.
    """
    k, N = net.outputs, x.shape[0]
    shape = (N, k) if x.ndim == 2 and not net.is_recurrent else (N, *net.shapes(x.shape[1:])[-1])
    if len(shape) > 2 and is_ragged(Y):
        lengths = None if x.ndim != 3 else (~np.isnan(np.asarray(x)).all(axis=-1)).sum(axis=1)
        Y = pad_sequences("Y", [_in_rows(as_numbers("Y", y), k, 2, x.dtype) for y in Y], x.dtype, shape[1], lengths)
    Y = as_array("Y", Y, None, f"(N, {k})")
    Y = _in_rows(Y, k, len(shape), x.dtype)
    if Y.shape != shape:
        raise ShapeError(f"Y has shape {Y.shape}, and {N} rows of X with {k} outputs need {shape}.")
    Y = Y if Y.dtype == x.dtype else Y.astype(x.dtype)
    return mark_ended_steps(x, Y) if len(shape) > 2 else Y


def _in_rows(Y: Array, k: int, axes: int, dtype: Any) -> Array:
    """Targets with `axes` axes, the last one of length k; whole numbers are classes and become one-hot."""
    if Y.ndim != axes - 1 or (k > 1 and Y.dtype.kind not in "iu"):
        return Y
    if k == 1:
        return Y[..., None]
    if not is_traced(Y) and Y.size and not 0 <= int(Y.min()) <= int(Y.max()) < k:
        raise DataError(
            f"Y names classes {int(Y.min())}..{int(Y.max())}, and the network has {k} outputs: "
            f"number the classes from 0 to {k - 1}."
        )
    return (Y[..., None] == np.arange(k)).astype(dtype)


def require_targets(net: "Network", name: str, y: np.ndarray) -> None:
    """Raise a DataError unless the targets are finite, or missing if the cost allows it, and the cost accepts them."""
    _finite(name, np.where(np.isnan(y), 0, y) if net.cost.ignores_missing else y)
    net.cost.check_targets(name, y if net.cost.ignores_missing else y.reshape(-1, y.shape[-1]))


def checked_rows(
    net: "Network", params: Params, name: str, X: np.ndarray, Y: Any, weights: Any, mesh: Any = None
) -> Rows:
    """Check the examples and convert them for the engine of the parameters, sharded over the devices of a mesh."""
    net.check(params, X.shape[1:])
    y = np.asarray(as_targets(net, Y, X))
    require_targets(net, name.replace("X", "Y"), y)
    if weights is not None:
        weights = require_finite("weights", weights, X.dtype)
        if weights.shape != (X.shape[0],) or weights.min() < 0 or weights.sum() == 0:
            raise DataError(
                f"weights has shape {weights.shape} and smallest value {weights.min():g}: "
                f"give one weight of at least 0 for each of the {X.shape[0]} examples, not all 0."
            )
    E = engine.of_params(params)
    return E.make_rows(X, y, weights) if mesh is None else E.shard_rows(mesh, X, y, weights)


def validation_parts(validation_data: Any) -> tuple[Any, Any, Any] | None:
    """`validation_data` as (X, Y, weights), weights None if there are none; a ConfigurationError for other values."""
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
    net: "Network", params: Params, validation_data: Any, dtype: np.dtype, mesh: Any = None
) -> Rows | None:
    """`validation_data`, or what `validation_parts` made of it, as checked rows."""
    parts = validation_parts(validation_data)
    if parts is None:
        return None
    X, Y, weights = parts
    return checked_rows(net, params, "validation X", require_inputs(net, "validation X", X, dtype), Y, weights, mesh)
