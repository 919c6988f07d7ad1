"""Class labels as one-hot rows, and network outputs as class labels and probabilities.

A label keeps the type it had in the source: text, whole number, number or boolean. A file read again later
may store the same label otherwise (3 as 3.0, because another row of the column is empty); `as_label` undoes
that.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.data.cells import EMPTY_ADVICE, format_value, format_values
from deltarule.errors import DataError

Label = str | int | float | bool


def as_label(value: Any, kind: type) -> Label | None:
    """Read `value` as a label of type `kind` (str, int, float or bool), or None where it is none."""
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
    """Refuse class labels that are not at least two, all different, of one type, and sorted."""
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
    """Write N labels as one-hot rows, (N, k): Y[i, j] = 1 where label i is the known label j, else 0.

    With `missing` a label may be None; one more column, the last, is 1 then. The other arguments are for the error of
    a label that is none of the known ones: where they stand, the numbers of the rows, what known ones are called.
    """
    kind: Any = type(known[0])
    place: dict[Any, int] = {label: j for j, label in enumerate(known)}
    if missing:
        place[None] = len(known)
    encoded = np.zeros((len(values), len(place)))
    for i, value in enumerate(values):
        label = value if value is None or type(value) is kind else as_label(value, kind)
        j = place.get(label, -1) if label is not None or value is None else -1
        if j < 0:
            row = i if rows is None else rows[i]
            found = "is empty" if value is None else f"holds {format_value(value)}"
            advice = EMPTY_ADVICE if value is None else "correct the cell, leave the row out, or train on rows with it"
            among = f"which is none of the known {what} ({format_values(tuple(known))})"
            raise DataError(f"{origin}, data row {row} (counted from 0) {found}, {among}: {advice}")
        encoded[i, j] = 1.0
    return encoded


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Read outputs as probabilities of the classes, (N, k) float64: p_j = a_j^L / sum_i a_i^L.

    Softmax outputs stay as they are. Sigmoid outputs answer one question for each class and need not sum to one. An
    output that is not above 0 counts as the smallest number that is.
    """
    positive = np.maximum(np.asarray(outputs, np.float64), np.finfo(np.float64).tiny)
    return positive / positive.sum(axis=1, keepdims=True)
