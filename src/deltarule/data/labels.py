"""Class labels as one-hot rows, and network outputs as class labels and probabilities.

A label keeps the type it had in the source: text, whole number, number or boolean. A file read again later
may store the same label otherwise (3 as 3.0, because another row of the column is empty); `canonical` undoes
that.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.data.cells import listed, shown
from deltarule.errors import DataError

Label = str | int | float | bool


def canonical(value: Any, kind: type) -> Label | None:
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
    """Check that class labels are at least two, all different, of one type, and sorted.

    Raises:
        DataError: they are not.
    """
    kinds = {type(label) for label in classes}
    if len(kinds) != 1 or not kinds <= {str, int, float, bool} or len(set(classes)) != len(classes):
        raise DataError(
            f"the classes {listed(tuple(classes))} cannot be used: they must all be text, all numbers or all "
            "booleans, and none may occur twice"
        )
    if len(classes) < 2 or list(classes) != sorted(classes):
        raise DataError(f"the classes {listed(tuple(classes))} cannot be used: give at least two, sorted")


def one_hot(
    values: Sequence[Any], classes: Sequence[Label], origin: str, rows: Sequence[Any] | None = None
) -> np.ndarray:
    """Write N labels as one-hot rows: Y[i, j] = 1 where label i is class j, else 0.

    Args:
        values: N labels, None where one is missing.
        classes: the k known labels.
        origin: where the labels stand, the start of an error's sentence.
        rows: the number of each row in the source, by default 0 .. N-1.

    Returns:
        (N, k) float64.

    Raises:
        DataError: a label is missing or is no known class.
    """
    kind = type(classes[0])
    position = {label: j for j, label in enumerate(classes)}
    encoded = np.zeros((len(values), len(classes)))
    for i, value in enumerate(values):
        label = None if value is None else canonical(value, kind)
        j = None if label is None else position.get(label)
        if j is None:
            row = i if rows is None else rows[i]
            found = "is empty" if value is None else f"holds {shown(value)}"
            raise DataError(
                f"{origin}, data row {row} (counted from 0) {found}, which is none of the known classes "
                f"({listed(tuple(classes))}): correct the cell or remove the row"
            )
        encoded[i, j] = 1.0
    return encoded


def most_active(outputs: np.ndarray, classes: Sequence[Label]) -> np.ndarray:
    """Name the class of the most active output of each row: labels[i] = classes[argmax_j a_j^L].

    Args:
        outputs: a^L, (N, k).
        classes: the k labels.

    Returns:
        (N,) labels, in a NumPy array of their own type.
    """
    return np.array(classes)[np.argmax(outputs, axis=1)]


def probabilities(outputs: np.ndarray) -> np.ndarray:
    """Read outputs as probabilities of the classes: p_j = a_j^L / sum_i a_i^L.

    Softmax outputs stay as they are. Sigmoid outputs answer one question for each class and need not sum to one.

    Args:
        outputs: a^L, (N, k); what is not above 0 counts as the smallest number that is.

    Returns:
        (N, k) float64.
    """
    positive = np.maximum(np.asarray(outputs, np.float64), np.finfo(np.float64).tiny)
    return positive / positive.sum(axis=1, keepdims=True)
