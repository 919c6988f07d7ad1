"""Sequences of different lengths: a list of arrays, or one array in which the shorter ones end in NaN.

Inputs are (N, T, features) with the T steps of the longest sequence. Steps after the end of a shorter sequence are rows
of NaN. Inside a network they are rows of zeros: what a layer computes there affects no earlier step, and its target is
missing (`missing_targets`). A layer that gives only the last step gets the number of each sequence's last step.
"""

from typing import Any

import numpy as np

from deltarule.arrays import Array, is_traced
from deltarule.checks import as_numbers
from deltarule.errors import DataError, ShapeError


def is_ragged(values: Any) -> bool:
    """Whether this is a list of sequences of different lengths."""
    return isinstance(values, list | tuple) and len({len(each) if np.ndim(each) else 0 for each in values}) > 1


def pad_sequences(name: str, sequences: Any, dtype: Any, steps: int | None = None, lengths: Any = None) -> np.ndarray:
    """A list of sequences (T_i, features) or (T_i,) as one array (N, T, features), the shorter ones ending in NaN.

    `steps` is T, None for the longest; `lengths` are the lengths of the inputs, (N,), if the sequences are targets. A
    DataError if one is not numbers or has no steps, too many, or not as many as its inputs; a ShapeError if their
    features differ.
    """
    arrays = [as_numbers(f"{name}[{i}]", each, dtype, "(steps, features)") for i, each in enumerate(sequences)]
    arrays = [array[:, None] if array.ndim == 1 else array for array in arrays]
    widths = {array.shape[1:] for array in arrays}
    if len(widths) > 1 or any(array.ndim != 2 for array in arrays):
        shapes = ", ".join(str(array.shape) for array in arrays[:3])
        raise ShapeError(
            f"{name} holds sequences of shapes {shapes}: give arrays (steps, features) with the same features."
        )
    longest = max(map(len, arrays))
    for i, array in enumerate(arrays):
        n = len(array)
        if not n or (steps is not None and n > steps) or (lengths is not None and n != lengths[i]):
            rule = "at least one" if lengths is None else f"{lengths[i]}"
            raise DataError(f"{name}[{i}] has {n} steps: give {rule}, and as many as its inputs have.")
    padded = np.full((len(arrays), longest if steps is None else steps, *next(iter(widths))), np.nan, arrays[0].dtype)
    for row, array in zip(padded, arrays, strict=True):
        row[: len(array)] = array
    return padded


def require_trailing_nan(name: str, x: np.ndarray) -> np.ndarray:
    """The sequences (N, T, features) with zeros after their ends; a DataError if numbers follow a step of NaN."""
    ended = np.asarray(np.isnan(x).all(axis=2))
    if ended[:, 0].any():
        raise DataError(f"{name}[{int(ended[:, 0].argmax())}] has no step at all: leave such sequences out.")
    gaps = ended[:, :-1] & ~ended[:, 1:]
    if gaps.any():
        i, t = (int(n) for n in np.argwhere(gaps)[0])
        raise DataError(
            f"{name}[{i}] has NaN at step {t} and numbers after it, and NaN marks the end of a sequence: fill the gap, "
            "or cut the sequence in two."
        )
    return np.where(ended[..., None], 0, x)


def lengths_differ(X: Any) -> bool:
    """Whether the sequences, a list or an array with NaN, have different lengths."""
    if is_traced(X) or is_ragged(X):
        return is_ragged(X)
    X = np.asarray(X)
    return X.ndim == 3 and X.dtype.kind == "f" and X.size > 0 and bool(np.isnan(X[:, -1, 0]).any())


def split_ends(x: Array) -> tuple[Array, Array | None]:
    """The sequences with zeros after their ends, and the last step of each, (m,), or None if all have T steps."""
    xp = x.__array_namespace__()
    if not is_traced(x) and not bool(xp.isnan(x[:, -1, 0]).any()):
        return x, None
    exists = ~xp.isnan(x[..., 0])
    return xp.where(exists[..., None], x, 0), exists.sum(axis=1) - 1


def mark_ended_steps(x: Array, a: Array) -> Array:
    """The outputs (m, T, k) with NaN after the ends of the sequences x."""
    xp = a.__array_namespace__()
    if a.ndim < 3 or x.ndim < 3 or (not is_traced(x) and not bool(xp.isnan(x[:, -1, 0]).any())):
        return a
    return xp.where(xp.isnan(x[..., :1]), xp.nan, a)
