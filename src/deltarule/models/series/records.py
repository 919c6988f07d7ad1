"""Check the records of a time-series model, one or several, with inputs or without, and bring them into one form."""

from typing import Any

import numpy as np

from deltarule.checks import as_numbers
from deltarule.data.lagged import Lags, Segment
from deltarule.errors import DataError, ShapeError


def records_of(U: Any, y: Any) -> list[Segment]:
    """The records in U and y: arrays, or lists with an array for each record; U may be None."""
    outputs = list(y) if has_several(y) else [y]
    inputs = list(U) if has_several(y) and U is not None else [U] * len(outputs)
    if len(inputs) != len(outputs):
        raise DataError(f"U holds {len(inputs)} records and y holds {len(outputs)}: give one of each for each record.")
    records = []
    for u, output in zip(inputs, outputs, strict=True):
        Y = _as_matrix("y", output, "(T,) or (T, outputs)")
        records.append(Segment(_inputs(u, len(Y)), Y))
        if len(records[-1].U) != len(Y):
            raise ShapeError(f"U has {len(records[-1].U)} steps and y has {len(Y)}: give a row of U for each of y.")
    for name, parts in zip("Uy", zip(*records, strict=True), strict=True):
        widths = [part.shape[1] for part in parts]
        if len(set(widths)) > 1:
            raise ShapeError(f"the records of {name} have {widths} columns: give the same columns in each.")
    return records


def has_several(values: Any) -> bool:
    """Whether `values` has several records: it is a list or tuple of arrays, not of numbers."""
    is_sequence = isinstance(values, list | tuple) and len(values) > 0
    return is_sequence and all(hasattr(value, "shape") and np.ndim(value) > 0 for value in values)


def pair_records(U: Any, y: Any) -> list[tuple[Any, Any]]:
    """U and y of each record; None if no record has any."""
    count = len(U if has_several(U) else y)
    lists = [[None] * count if values is None else values for values in (U, y)]
    if not all(values is None or has_several(values) for values in (U, y)) or len(lists[0]) != len(lists[1]):
        counts = " and ".join(str(len(values)) for values in lists)
        raise DataError(
            f"U and y_start must both be lists with one array for each record, or both be arrays, and have {counts} "
            "entries: give as many of each."
        )
    return list(zip(*lists, strict=True))


def check_inputs(U: Any, steps: int, columns: int) -> np.ndarray:
    """Inputs (T, m) for a model of m inputs; without inputs `steps` empty rows."""
    inputs = _inputs(U, steps)
    if inputs.shape[1] != columns:
        found = "is None" if U is None else f"has {inputs.shape[1]} columns"
        raise ShapeError(f"U {found}, and the model has {columns} inputs: give their values, (T, {columns}).")
    return inputs


def column_names(U: Any, y: Any, m: int, k: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of the m inputs and of the k outputs; if they have none, u0, u1, .. and y."""
    first, target = (values[0] if has_several(values) else values for values in (U, y))
    inputs = tuple(str(name) for name in getattr(first, "columns", [f"u{i}" for i in range(m)]))
    outputs = getattr(
        target, "columns", [getattr(target, "name", None) or "y"] if k == 1 else [f"y{j}" for j in range(k)]
    )
    return inputs if len(inputs) == m else tuple(f"u{i}" for i in range(m)), tuple(str(name) for name in outputs)


def check_start(y: Any, outputs: int, lags: Lags) -> np.ndarray:
    """The outputs (D + .., k) that start a run; NaN if the model needs none and y has none."""
    start, D = np.empty((0, outputs)) if y is None else records_of(None, y)[0].Y, lags.max_lag
    if start.shape[1] != outputs:
        raise ShapeError(
            f"y_start has {start.shape[1]} columns, and the model has {outputs} outputs: give one of each."
        )
    if len(start) < D and lags.outputs:
        found = "is None" if y is None else f"has {len(start)} steps"
        raise DataError(f"y_start {found}: give the outputs of the first {D} steps.")
    return np.concatenate([start, np.full((max(D - len(start), 0), outputs), np.nan)])


def require_known(U: np.ndarray, start: np.ndarray, lags: Lags) -> None:
    """Raise a DataError if a run with inputs U (T, m) from `start` (D, k) needs a missing value."""
    unneeded = lags.max_lag - lags.max_output_lag
    for name, values, first in (("U", U, 0), ("y_start", start[unneeded:], unneeded)):
        if not np.isfinite(values).all():
            step = first + int(np.argwhere(~np.isfinite(values))[0][0])
            raise DataError(f"{name} lacks a value in step {step}: fill it in.")


def find_tail(record: Segment, lags: Lags) -> Segment | None:
    """The end of a record, from the last place at which a free run can begin; None if there is no such place.

    The run needs every input from there to the end. Missing values that it does not need are replaced by 0.
    """
    D = lags.max_lag
    before = max(lags.inputs, default=0)  # the steps before the first one of the run whose inputs it needs

    def is_known(at: int) -> bool:
        outputs, inputs = record.Y[at + D - lags.max_output_lag : at + D], record.U[at + D - before :]
        return bool(np.isfinite(outputs).all() and np.isfinite(inputs).all())

    at = next((at for at in range(len(record.Y) - D, -1, -1) if is_known(at)), None)
    return None if at is None else Segment(np.nan_to_num(record.U[at:]), np.nan_to_num(record.Y[at : at + D]))


def require_tail(tail: Segment | None, lags: Lags) -> Segment:
    """The tail that `find_tail` found; a DataError if it found none."""
    if tail is None:
        raise DataError(
            f"The record has missing values near its end, and a forecast starts from {lags.max_lag} known steps in a "
            "row, with known inputs after them: fill them in, or give a record that ends with known values (in Python "
            "to model.follow)."
        )
    return tail


def _inputs(U: Any, steps: int) -> np.ndarray:
    return np.empty((steps, 0)) if U is None else _as_matrix("U", U, "(T, inputs)")


def _as_matrix(name: str, values: Any, shape: str) -> np.ndarray:
    """(T,) or (T, n) as (T, n) float64; NaN is a missing value."""
    array = as_numbers(name, values, np.dtype("float64"), shape)
    if array.ndim not in (1, 2):
        raise ShapeError(f"{name} has shape {array.shape}: give {shape}.")
    if np.isinf(array).any():
        raise DataError(
            f"{name} holds an infinite value in step {int(np.argwhere(np.isinf(array))[0][0])}: correct it."
        )
    return array[:, None] if array.ndim == 1 else array
