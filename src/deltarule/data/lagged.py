"""Time series as inputs of a NARX network: the lags, segments without a gap, and the table of lagged columns.

    y_t = f(y_{t-1}, .., y_{t-a}, u_{t-1}, .., u_{t-b})                             (NARX)

A row of the table is x_t: the outputs at each lag, smallest lag first, then the inputs at each lag.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class Lags:
    """The lags of the outputs, each at least 1, and of the inputs, each at least 0, both rising."""

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]

    @property
    def max_lag(self) -> int:
        """The largest lag, D: the first step that can be predicted."""
        return max((*self.outputs, *self.inputs), default=0)

    @property
    def max_output_lag(self) -> int:
        """The largest lag of an output; 0 for a time-delay network."""
        return max(self.outputs, default=0)


class Segment(NamedTuple):
    """Consecutive steps without a missing input: U (T, m), and Y (T, k), where NaN is a missing output.

    The `Lags.max_output_lag` outputs before the first predicted step are measured, so that a free run can begin there.
    """

    U: np.ndarray
    Y: np.ndarray


def find_segments(U: np.ndarray, Y: np.ndarray, lags: Lags) -> list[Segment]:
    """The segments of a record U (T, m), Y (T, k) that are long enough for one prediction; a missing input ends one."""
    is_complete = np.isfinite(U).all(axis=1)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], is_complete, [False]]).astype(int))).reshape(-1, 2)
    segments = []
    for first, last in ends:
        start = first + first_known(Y[first:last], lags)
        if start + lags.max_lag < last:
            segments.append(Segment(U[start:last], Y[start:last]))
    return segments


def first_known(Y: np.ndarray, lags: Lags) -> int:
    """The first step of Y (T, k) from which a free run can begin D steps later with measured outputs; T if none can."""
    D, T, needed = lags.max_lag, len(Y), lags.max_output_lag
    missing = np.concatenate([[0], np.cumsum(np.isnan(Y).any(axis=1))])
    starts = np.flatnonzero(missing[D:] == missing[D - needed : T + 1 - needed]) if D <= T else []
    return int(starts[0]) if len(starts) else T


def lagged(U: np.ndarray, Y: np.ndarray, lags: Lags) -> np.ndarray:
    """The rows x_t from step D on, the largest lag, (..., T - D, n_1), of U (..., T, m) and Y (..., T, k)."""
    D, T = lags.max_lag, Y.shape[-2]
    columns = [Y[..., D - j : T - j, :] for j in lags.outputs] + [U[..., D - j : T - j, :] for j in lags.inputs]
    return np.concatenate(columns, axis=-1)


def lag_table(parts: Sequence[Segment], lags: Lags) -> tuple[np.ndarray, np.ndarray]:
    """The rows x_t with their targets y_t, (N, n_1) and (N, k), of all steps without a missing value."""
    X = np.concatenate([lagged(part.U, part.Y, lags) for part in parts])
    Y = np.concatenate([part.Y[lags.max_lag :] for part in parts])
    is_complete = np.isfinite(X).all(axis=1) & np.isfinite(Y).all(axis=1)
    return X[is_complete], Y[is_complete]


class Windows(NamedTuple):
    """K pieces of segments of equal length: U (K, D + H, m), Y (K, D + H, k). A free run begins after D steps;
    `measured` (K, H, k) is 1 for each of its outputs that is measured, else 0.
    """

    U: np.ndarray
    Y: np.ndarray
    measured: np.ndarray


def windows(parts: Sequence[Segment], lags: Lags, steps: int | None, every: int | None = None) -> Windows:
    """Cut segments into pieces of D + `steps` steps, D the largest lag, that begin every steps / 2 or `every` steps.

    A shorter segment is one piece; without `steps` every segment is. A piece begins later if outputs are missing that
    its free run needs. Beyond the end of a segment its last inputs are repeated, and outputs count as not measured.
    """
    D = lags.max_lag
    H = max(len(part.Y) for part in parts) - D
    H = H if steps is None else min(steps, H)
    pieces = []
    for part in parts:
        last = max(len(part.Y) - D - H, 0)
        spacing = max(H // 2, 1) if every is None else every
        starts = {min(start, last) for start in (range(0, last + spacing, spacing) if last else (0,))}
        starts = {start + first_known(part.Y[start:], lags) for start in starts}
        pieces += [(part, start) for start in sorted(starts) if start + D < len(part.Y)]
    U = np.stack([_padded(part.U, start, D + H, "edge") for part, start in pieces])
    Y = np.stack([_padded(part.Y, start, D + H, "constant", constant_values=np.nan) for part, start in pieces])
    return Windows(U, Y, np.isfinite(Y[:, D:]).astype(float))


def spaced_windows(parts: Sequence[Segment], lags: Lags, steps: int, count: int) -> Windows:
    """About `count` windows of `steps` steps, at most, spread evenly over the segments."""
    return windows(parts, lags, steps, every=max(1, sum(len(part.Y) for part in parts) // count))


def _padded(array: np.ndarray, first: int, length: int, mode: Any, **values: float) -> np.ndarray:
    piece = array[first : first + length]
    if len(piece) == length:
        return piece
    return np.pad(piece, ((0, length - len(piece)), (0, 0)), mode=mode, **values)
