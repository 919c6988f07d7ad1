"""Sequences of different lengths: a list of arrays, or one array in which the shorter ones end in NaN.

Inputs are (N, T, features), T steps of the longest sequence. A step that does not exist is a row of NaN and comes
after all that do. Inside a network it is a row of zeros: what a layer computes there reaches no step before it, and its
target is missing, which counts for nothing (`missing_targets`). A layer that gives the last step alone is told which it
is.
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
    """Sequences (T_i, ·) of a list as one array (N, T, ·), the shorter ones ending in NaN; a sequence of one axis is
    one of single numbers. `steps` is T, None the longest; `lengths` those of the inputs, if they are known, (N,). A
    DataError where they are no numbers, or one has no steps, more than T, or another number than its inputs; a
    ShapeError where they have not the same features.
    """
    found = [as_numbers(f"{name}[{i}]", each, dtype, "(steps, features)") for i, each in enumerate(sequences)]
    found = [each[:, None] if each.ndim == 1 else each for each in found]
    widths = {each.shape[1:] for each in found}
    if len(widths) > 1 or any(each.ndim != 2 for each in found):
        shapes = ", ".join(str(each.shape) for each in found[:3])
        raise ShapeError(
            f"{name} holds sequences of shapes {shapes}: give arrays (steps, features), alike in features."
        )
    longest = max(map(len, found))
    for i, each in enumerate(found):
        if (
            not len(each)
            or (steps is not None and len(each) > steps)
            or (lengths is not None and len(each) != lengths[i])
        ):
            wanted = "as many as its inputs have" if lengths is None else f"{lengths[i]}, as its inputs have"
            raise DataError(f"{name}[{i}] has {len(each)} steps: give at least one, and {wanted}.")
    together = np.full((len(found), longest if steps is None else steps, *next(iter(widths))), np.nan, found[0].dtype)
    for into, each in zip(together, found, strict=True):
        into[: len(each)] = each
    return together


def require_trailing_nan(name: str, x: np.ndarray) -> np.ndarray:
    """The sequences (N, T, features) with zeros for the steps that do not exist; a DataError where NaN stands before a
    step.
    """
    ended = np.asarray(np.isnan(x).all(axis=2))
    if ended[:, 0].any():
        raise DataError(f"{name}[{int(ended[:, 0].argmax())}] has no step at all: leave such sequences out.")
    back = ended[:, :-1] & ~ended[:, 1:]
    if back.any():
        i, t = (int(n) for n in np.argwhere(back)[0])
        raise DataError(
            f"{name}[{i}] has NaN at step {t} and numbers after it, and NaN marks the end of a sequence: fill the gap, "
            "or cut the sequence in two."
        )
    return np.where(ended[..., None], 0, x)


def lengths_differ(X: Any) -> bool:
    """Whether sequences are of different lengths."""
    if is_traced(X) or is_ragged(X):
        return is_ragged(X)
    X = np.asarray(X)
    return X.ndim == 3 and X.dtype.kind == "f" and X.size > 0 and bool(np.isnan(X[:, -1, 0]).any())


def split_ends(x: Array) -> tuple[Array, Array | None]:
    """The sequences with zeros where they have ended, and the last step of each, (m,), or None if all are as long."""
    xp = x.__array_namespace__()
    if not is_traced(x) and not bool(xp.isnan(x[:, -1, 0]).any()):
        return x, None
    there = ~xp.isnan(x[..., 0])
    return xp.where(there[..., None], x, 0), there.sum(axis=1) - 1


def mark_ended_steps(x: Array, a: Array) -> Array:
    """Outputs (m, T, k) with NaN where the sequences x have ended."""
    xp = a.__array_namespace__()
    if a.ndim < 3 or x.ndim < 3 or (not is_traced(x) and not bool(xp.isnan(x[:, -1, 0]).any())):
        return a
    return xp.where(xp.isnan(x[..., :1]), xp.nan, a)
