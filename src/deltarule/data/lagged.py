"""Time series as a NARX network reads them: which lags, stretches without a gap, and the table of lagged columns.

    y_t = f(y_{t-1}, .., y_{t-a}, u_{t-1}, .., u_{t-b})                             (NARX)

A row of the table is x_t: the outputs of each lag, smallest lag first, then the inputs of each lag likewise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np


@dataclass(frozen=True)
class Lags:
    """How far back the network looks: `outputs` each at least 1, `inputs` at least 0, both rising."""

    outputs: tuple[int, ...]
    inputs: tuple[int, ...]

    @property
    def max_lag(self) -> int:
        """The steps before the first one that can be predicted."""
        return max((*self.outputs, *self.inputs), default=0)

    @property
    def max_output_lag(self) -> int:
        """How many outputs before a run have to be known; none for a time-delay network."""
        return max(self.outputs, default=0)


class Segment(NamedTuple):
    """Consecutive steps without a missing input: U (T, m), and Y (T, k), where NaN is a missing output.

    The `Lags.max_output_lag` outputs before the first predicted step are measured, so that a free run can begin there.
    """

    U: np.ndarray
    Y: np.ndarray


def find_segments(U: np.ndarray, Y: np.ndarray, lags: Lags) -> list[Segment]:
    """The stretches of a record U (T, m), Y (T, k), long enough for one prediction; a missing input ends one."""
    given = np.isfinite(U).all(axis=1)
    ends = np.flatnonzero(np.diff(np.concatenate([[False], given, [False]]).astype(int))).reshape(-1, 2)
    found = []
    for first, last in ends:
        start = first + first_known(Y[first:last], lags)
        if start + lags.max_lag < last:
            found.append(Segment(U[start:last], Y[start:last]))
    return found


def first_known(Y: np.ndarray, lags: Lags) -> int:
    """The first step at which a piece of Y (T, k) can begin, whose first run then has its outputs; T if none can."""
    D, T = lags.max_lag, len(Y)
    missing = np.concatenate([[0], np.cumsum(np.isnan(Y).any(axis=1))])
    free = (
        np.flatnonzero(missing[D:] == missing[D - lags.max_output_lag : T + 1 - lags.max_output_lag]) if D <= T else []
    )
    return int(free[0]) if len(free) else T


def lagged(U: np.ndarray, Y: np.ndarray, lags: Lags) -> np.ndarray:
    """The rows x_t from the longest lag D on, (..., T - D, n_1), of U (..., T, m) and Y (..., T, k)."""
    D, T = lags.max_lag, Y.shape[-2]
    columns = [Y[..., D - j : T - j, :] for j in lags.outputs] + [U[..., D - j : T - j, :] for j in lags.inputs]
    return np.concatenate(columns, axis=-1)


def lag_table(parts: Sequence[Segment], lags: Lags) -> tuple[np.ndarray, np.ndarray]:
    """The rows x_t with their targets y_t, (N, n_1) and (N, k), of all steps at which both are known."""
    X = np.concatenate([lagged(part.U, part.Y, lags) for part in parts])
    Y = np.concatenate([part.Y[lags.max_lag :] for part in parts])
    known = np.isfinite(X).all(axis=1) & np.isfinite(Y).all(axis=1)
    return X[known], Y[known]


class Windows(NamedTuple):
    """Equally long pieces of stretches: U (K, D + H, m), Y (K, D + H, k), a run of which can begin after D steps, and
    which of the H outputs there are measured, (K, H, k) of ones and zeros.
    """

    U: np.ndarray
    Y: np.ndarray
    measured: np.ndarray


def windows(parts: Sequence[Segment], lags: Lags, steps: int | None, every: int | None = None) -> Windows:
    """Pieces of D + `steps` steps that begin every steps / 2, or `every`, D the longest lag; a shorter stretch is one.

    Without `steps` every stretch is one piece.

    A piece whose run would lack an output before it begins where none is missing. What lies beyond the
    end of a stretch repeats its last inputs and counts as not measured.
    """
    longest = lags.max_lag
    H = max(len(part.Y) for part in parts) - longest
    H = H if steps is None else min(steps, H)
    pieces = []
    for part in parts:
        last = max(len(part.Y) - longest - H, 0)
        apart = max(H // 2, 1) if every is None else every
        wanted = range(0, last + apart, apart) if last else (0,)
        starts = {min(at, last) for at in wanted}
        starts = {at + first_known(part.Y[at:], lags) for at in starts}
        pieces += [(part, at) for at in sorted(starts) if at + longest < len(part.Y)]
    U = np.stack([_padded(part.U, at, longest + H, "edge") for part, at in pieces])
    Y = np.stack([_padded(part.Y, at, longest + H, "constant", constant_values=np.nan) for part, at in pieces])
    return Windows(U, Y, np.isfinite(Y[:, longest:]).astype(float))


def spaced_windows(parts: Sequence[Segment], lags: Lags, steps: int, places: int) -> Windows:
    """Windows of `steps` that begin at no more than about `places` places, evenly over the stretches."""
    return windows(parts, lags, steps, every=max(1, sum(len(part.Y) for part in parts) // places))


def _padded(array: np.ndarray, first: int, length: int, mode: Any, **values: float) -> np.ndarray:
    piece = array[first : first + length]
    if len(piece) == length:
        return piece
    return np.pad(piece, ((0, length - len(piece)), (0, 0)), mode=mode, **values)
