"""Class labels as one-hot rows, and network outputs as probabilities of the classes.

A label keeps its type in the source: text, whole number, number or boolean. Another file may store the same label
differently (3 as 3.0, if another cell of the column is empty); `as_label` converts it back.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.data.cells import EMPTY_ADVICE, format_value, format_values
from deltarule.errors import DataError

Label = str | int | float | bool


def as_label(value: Any, kind: type) -> Label | None:
    """Convert a cell to a label of the type `kind`, str, int, float or bool; None if that cannot be done exactly."""
    if kind is str:
        return str(value)
    if kind is int and isinstance(value, int):
        return int(value)  # exact, where a float would round a number beyond 2^53
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return {"true": True, "false": False}.get(str(value).strip().lower()) if kind is bool else None
    if not math.isfinite(number):
        return None
    if kind is float:
        return number
    if number != int(number) or (kind is bool and number not in (0, 1)):
        return None
    return kind(int(number))


def check_classes(classes: Sequence[Any]) -> None:
    """Raise a DataError unless there are at least two class labels, all different, of one type, and sorted."""
    kinds = {type(label) for label in classes}
    alike = len(kinds) == 1 and kinds <= {str, int, float, bool}
    if not alike or len(classes) < 2 or list(classes) != sorted(set(classes)):
        rule = "give at least two, all texts, all numbers or all booleans, sorted, none twice"
        raise DataError(f"the classes {format_values(tuple(classes))} cannot be used: {rule}")


def one_hot(
    values: Sequence[Any],
    known: Sequence[Label],
    origin: str,
    rows: Sequence[Any] | None = None,
    what: str = "classes",
    missing: bool = False,
) -> np.ndarray:
    """Encode N labels as one-hot rows, (N, k): Y[i, j] = 1 if label i is known label j, else 0.

    With `missing` a label may be None, for which one more column, the last, is 1. The error about an unknown label
    names its `origin`, the number of its row in `rows`, and `what` the known labels are.
    """
    kind: Any = type(known[0])
    column: dict[Any, int] = {label: j for j, label in enumerate(known)}
    if missing:
        column[None] = len(known)
    encoded = np.zeros((len(values), len(column)))
    for i, value in enumerate(values):
        label = value if value is None or type(value) is kind else as_label(value, kind)
        j = column.get(label, -1) if label is not None or value is None else -1
        if j < 0:
            row = i if rows is None else rows[i]
            found = "is empty" if value is None else f"holds {format_value(value)}"
            advice = EMPTY_ADVICE if value is None else "correct the cell, leave the row out, or train on rows with it"
            rule = f"which is none of the known {what} ({format_values(tuple(known))})"
            raise DataError(f"{origin}, data row {row} (counted from 0) {found}, {rule}: {advice}")
        encoded[i, j] = 1.0
    return encoded


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """The probabilities of the classes, (N, k) float64: p_j = a_j^L / sum_i a_i^L.

    Softmax outputs do not change; sigmoid outputs need not sum to one. An output of 0 or less counts as the smallest
    positive number.
    """
    positive = np.maximum(np.asarray(outputs, np.float64), np.finfo(np.float64).tiny)
    return positive / positive.sum(axis=1, keepdims=True)
