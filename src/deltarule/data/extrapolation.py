"""Rows outside the range of the training rows, where a network has seen nothing and its answer is a guess."""

from dataclasses import dataclass

import numpy as np

from deltarule.data.schema import Schema

MARGIN = 0.1  # of a column's range: a row counts as outside only beyond it


@dataclass(frozen=True)
class Extrapolation:
    """Rows beyond the training range, and the cell that lies farthest out."""

    rows: tuple[int, ...]  # their places, ascending
    column: str  # the name of the column of the farthest cell
    place: int  # its row's place
    value: float  # what it holds, in the column's unit
    low: float  # the smallest value of the column among the training rows
    high: float  # the largest one


def has_ranges(schema: Schema) -> bool:
    """Whether the training range of a column is known."""
    return any(column.low is not None for column in schema.inputs)


def extrapolation(schema: Schema, X: np.ndarray) -> Extrapolation | None:
    """Which of the encoded rows X (N, n_1) lie outside the training range of a column by more than `MARGIN` of it.

    A column that was constant in training is outside wherever it differs. Columns whose range is not known, categories
    and pixels do not count. None if no row is outside.
    """
    ranged = [(column, X[:, block.start]) for column, block in schema.blocks if column.low is not None]
    if not ranged:
        return None
    excess = np.zeros((len(X), len(ranged)))
    for j, (column, scaled) in enumerate(ranged):
        # In scaled values, where the ranges of all columns are of the same size.
        low, high = ((end - column.mean) / column.std for end in (column.low, column.high))
        margin = MARGIN * (high - low) + 1e-9 * max(abs(low), abs(high))
        beyond = np.maximum(low - scaled, scaled - high)
        excess[:, j] = np.where(beyond > margin, beyond / max(high - low, 1e-9), 0)
    rows = np.flatnonzero(excess.any(axis=1))
    if not len(rows):
        return None
    place, j = (int(i) for i in np.unravel_index(np.argmax(excess), excess.shape))
    worst, scaled = ranged[j]
    value = float(worst.decode(scaled[place]))
    return Extrapolation(tuple(rows.tolist()), worst.name, place, value, worst.low, worst.high)
