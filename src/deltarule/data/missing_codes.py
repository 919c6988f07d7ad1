"""Numbers that stand for missing values, such as -200 or -999 among measurements from 0 to 12."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np

LEAST_OTHERS = 5  # different values besides the code
MOST_CODES = 2  # at one end of a column
OFTEN = 3  # times the count of any other value
APART = 20  # times the usual distance between neighbouring values


class MissingCode(NamedTuple):
    """A number far from all other values of a column, in several rows.

    Args:
        column: its name.
        value: the number.
        times: how many rows hold it.
        rows: how many hold any number.
        low: the smallest of the other values.
        high: the largest of them.
    """

    column: str
    value: float
    times: int
    rows: int
    low: float
    high: float


def missing_codes(columns: Iterable[tuple[str, np.ndarray]]) -> tuple[MissingCode, ...]:
    """The codes in columns of numbers, (name, (N,) float64 with NaN where a cell is missing)."""
    return tuple(code for name, values in columns for code in _codes_of(name, values))


def code_notes(codes: Sequence[MissingCode]) -> tuple[str, ...]:
    """A sentence for each number, with the columns in which it stands."""
    notes = []
    for value in dict.fromkeys(code.value for code in codes):
        where = [code for code in codes if code.value == value]
        found = [f"{c.column!r} ({c.times:,} of {c.rows:,} rows; others: {c.low:g} to {c.high:g})" for c in where]
        more = f" and {len(found) - 3} more" if len(found) > 3 else ""
        notes.append(
            f"{value:.15g} stands far from all other values of {', '.join(found[:3])}{more}: if it stands for a "
            f"missing value, train again with --na {value:.15g} and --missing drop or --missing impute"
        )
    return tuple(notes)


def _codes_of(name: str, values: np.ndarray) -> list[MissingCode]:
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    rows, found = int(counts.sum()), []
    while len(ends := _far_ends(distinct, counts)):
        found += zip(distinct[ends].tolist(), counts[ends].tolist(), strict=True)
        distinct, counts = np.delete(distinct, ends), np.delete(counts, ends)
    if not found:
        return []
    low, high = float(distinct[0]), float(distinct[-1])
    return [MissingCode(name, value, times, rows, low, high) for value, times in sorted(found)]


def _far_ends(distinct: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """Where the values at the ends of a column stand that are codes; empty if there are none."""
    for below, above in sorted(np.ndindex(MOST_CODES + 1, MOST_CODES + 1), key=sum)[1:]:
        ends = np.r_[:below, len(distinct) - above : len(distinct)]
        others = np.delete(distinct, ends) if len(distinct) >= below + above else distinct[:0]
        if len(others) < LEAST_OTHERS or (counts[ends] < 2).any() or (distinct[ends] == 0).any():
            continue
        gaps = [others[0] - distinct[below - 1]] * (below > 0) + [distinct[-above] - others[-1]] * (above > 0)
        if min(gaps) > others[-1] - others[0] or ((below, above) == (1, 0) and _is_frequent(distinct, counts)):
            return ends
    return np.array([], int)


def _is_frequent(distinct: np.ndarray, counts: np.ndarray) -> bool:
    """Whether a whole negative number among positive ones is more frequent than any other, and apart from them."""
    if distinct[0] % 1 or not distinct[0] < 0 <= distinct[1]:
        return False
    gap, usual = distinct[1] - distinct[0], float(np.median(np.diff(distinct[1:])))
    return bool(counts[0] >= OFTEN * counts[1:].max() and gap > APART * usual)
