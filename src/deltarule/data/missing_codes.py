"""Numbers that stand for missing values, such as -200 or -999 among measurements from 0 to 12."""

from collections.abc import Iterable

import numpy as np

from deltarule.errors import some

LEAST_OTHERS = 5  # different values besides the code
MOST_CODES = 2  # at one end of a column
OFTEN = 3  # times the count of any other value
APART = 20  # times the usual distance between neighbouring values


def code_notes(columns: Iterable[tuple[str, np.ndarray]]) -> tuple[str, ...]:
    """A sentence for each number that is a code, with the columns in which it stands.

    Args:
        columns: name and numbers, (N,) float64 with NaN where a cell is missing.
    """
    where: dict[float, list[str]] = {}
    for name, values in columns:
        rows = np.isfinite(values).sum()
        codes, others = missing_codes(values)
        for value, times in codes:
            words = f"{name!r} ({times:,} of {rows:,} rows; others: {others[0]:g} to {others[-1]:g})"
            where.setdefault(value, []).append(words)
    notes = []
    for value, found in where.items():
        notes.append(
            f"{value:.15g} stands far from all other values of {some(found, 3)}: if it stands for a missing "
            f"value, train again with --na {value:.15g} and --missing drop or --missing impute"
        )
    return tuple(notes)


def missing_codes(values: np.ndarray) -> tuple[list[tuple[float, int]], np.ndarray]:
    """The codes in a column of numbers, (N,), ascending, each with the rows that hold it; and its other values."""
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    found = []
    while len(ends := _far_ends(distinct, counts)):
        found += zip(distinct[ends].tolist(), counts[ends].tolist(), strict=True)
        distinct, counts = np.delete(distinct, ends), np.delete(counts, ends)
    return sorted(found), distinct


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
