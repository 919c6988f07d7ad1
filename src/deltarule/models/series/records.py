"""The records that a time-series model is given: one or several, with inputs or none, checked and in one form."""

from typing import Any

import numpy as np

from deltarule.checks import as_numbers
from deltarule.data.lagged import Lags, Segment
from deltarule.errors import DataError, ShapeError


def records_of(U: Any, y: Any) -> list[Segment]:
    """The records that U and y hold: arrays, or lists with an array for each record; U may be None."""
    outputs = list(y) if is_list(y) else [y]
    inputs = list(U) if is_list(y) and U is not None else [U] * len(outputs)
    if len(inputs) != len(outputs):
        raise DataError(f"U holds {len(inputs)} records and y holds {len(outputs)}: give one of each for each record.")
    records = []
    for u, one in zip(inputs, outputs, strict=True):
        Y = _matrix("y", one, "(T,) or (T, outputs)")
        records.append(Segment(_inputs(u, len(Y)), Y))
        if len(records[-1].U) != len(Y):
            raise ShapeError(f"U has {len(records[-1].U)} steps and y has {len(Y)}: give a row of U for each of y.")
    for name, parts in zip("Uy", zip(*records, strict=True), strict=True):
        widths = [part.shape[1] for part in parts]
        if len(set(widths)) > 1:
            raise ShapeError(f"the records of {name} have {widths} columns: give the same columns in each.")
    return records


def is_list(values: Any) -> bool:
    """Whether these are several records: a list or tuple of arrays, not one of numbers."""
    is_sequence = isinstance(values, list | tuple) and len(values) > 0
    return is_sequence and all(hasattr(one, "shape") and np.ndim(one) > 0 for one in values)


def each_record(U: Any, y: Any) -> list[tuple[Any, Any]]:
    """U and the outputs of one record after the other, None for what none of them has."""
    count = len(U if is_list(U) else y)
    lists = [[None] * count if values is None else values for values in (U, y)]
    if not all(values is None or is_list(values) for values in (U, y)) or len(lists[0]) != len(lists[1]):
        raise DataError("U and y_start have to be lists, with one array for each record, or one array each.")
    return list(zip(*lists, strict=True))


def inputs_of(U: Any, steps: int, columns: int) -> np.ndarray:
    """Inputs (T, m) for a model of m inputs; without inputs `steps` empty rows."""
    given = _inputs(U, steps)
    if given.shape[1] != columns:
        found = "is None" if U is None else f"has {given.shape[1]} columns"
        raise ShapeError(f"U {found}, and the model has {columns} inputs: give their values, (T, {columns}).")
    return given


def names_of(U: Any, y: Any, m: int, k: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the m inputs and of the k outputs, u0, u1, .. and y where they have none."""
    first, target = (one[0] if is_list(one) else one for one in (U, y))
    inputs = tuple(str(name) for name in getattr(first, "columns", [f"u{i}" for i in range(m)]))
    own = getattr(target, "columns", [getattr(target, "name", None) or "y"] if k == 1 else [f"y{j}" for j in range(k)])
    return inputs if len(inputs) == m else tuple(f"u{i}" for i in range(m)), tuple(str(name) for name in own)


def start_of(y: Any, outputs: int, lags: Lags) -> np.ndarray:
    """The outputs (D + .., k) that a run begins with; NaN where the model needs none and none are given."""
    start, D = np.empty((0, outputs)) if y is None else records_of(None, y)[0].Y, lags.max_lag
    if start.shape[1] != outputs:
        raise ShapeError(f"y_start has {start.shape[1]} columns, and the model has {outputs} outputs.")
    if len(start) < D and lags.outputs:
        given = "is None" if y is None else f"has {len(start)} steps"
        raise DataError(f"y_start {given}: give the outputs of the first {D} steps.")
    return np.concatenate([start, np.full((max(D - len(start), 0), outputs), np.nan)])


def require_known(U: np.ndarray, start: np.ndarray, lags: Lags) -> None:
    """Raise a DataError if a run with inputs U (T, m) from `start` (D, k) lacks a value that it needs."""
    unneeded = lags.max_lag - lags.max_output_lag
    for name, values, first in (("U", U, 0), ("y_start", start[unneeded:], unneeded)):
        if not np.isfinite(values).all():
            step = first + int(np.argwhere(~np.isfinite(values))[0][0])
            raise DataError(f"{name} lacks a value in step {step}: fill it in.")


def tail_of(record: Segment, lags: Lags) -> Segment | None:
    """The end of a record from the last place on where a free run can begin; None where there is none.

    Outputs that such a run does not need may be missing, and are 0.
    """
    D = lags.max_lag
    places = range(len(record.Y) - D, -1, -1)
    at = next((at for at in places if np.isfinite(record.Y[at + D - lags.max_output_lag : at + D]).all()), None)
    return None if at is None else Segment(record.U[at:], np.nan_to_num(record.Y[at : at + D]))


def _inputs(U: Any, steps: int) -> np.ndarray:
    return np.empty((steps, 0)) if U is None else _matrix("U", U, "(T, inputs)")


def _matrix(name: str, values: Any, shape: str) -> np.ndarray:
    """(T,) or (T, n) as (T, n) float64; NaN is a missing value."""
    array = as_numbers(name, values, np.dtype("float64"), shape)
    if array.ndim not in (1, 2):
        raise ShapeError(f"{name} has shape {array.shape}: give {shape}.")
    if np.isinf(array).any():
        raise DataError(
            f"{name} holds an infinite value in step {int(np.argwhere(np.isinf(array))[0][0])}: correct it."
        )
    return array[:, None] if array.ndim == 1 else array
