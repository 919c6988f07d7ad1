"""What is suspicious about a table: few rows, copies, idle columns, row numbers, leaks, codes of missing values; and
rows outside the range of the training rows, where a network has seen nothing and its answer is a guess.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from deltarule.data.dataset import DataSet
from deltarule.data.row_codes import row_codes
from deltarule.data.schema import Schema
from deltarule.errors import pluralized, shorten

FEW_ROWS = 30
TOO_FEW_ROWS = 10  # that train, below which the scores say nothing
ROWS_PER_INPUT = 5
FEW_NUMBERS = 50  # rows in which whole numbers may all differ by chance
IDENTIFIER = r"(?i:(?:^|[^a-z])(?:id|no|nr|number|index|key|row|serial)(?![a-z]))|[a-z]I[Dd](?![a-z])"  # in a name
HELD_OUT = 20  # held-out rows below which one column's luck could look like a leak
ALMOST_EXACT = 0.999  # R² of one column alone
ALMOST_ALL = 0.99  # of the mistakes of the majority's class that one column alone avoids


@dataclass(frozen=True)
class Leak:
    """A column that predicts a target almost exactly, alone."""

    column: str
    target: str
    skill: float  # the share of the variance that it explains on held-out rows, or of the mistakes that it avoids


@dataclass(frozen=True, eq=False)
class DuplicateRows:
    """Rows of a table that hold the same inputs and targets as another one."""

    count: int  # how many rows equal one that is counted already: without them all rows would be distinct
    rows: int  # of the whole table
    validation: np.ndarray  # which validation rows equal a training row, (m,) bool
    test: np.ndarray  # which test rows do


def find_duplicates(data: DataSet) -> DuplicateRows:
    """Find the equal rows of a table, and those that the split has put on both sides."""
    parts = (data.train, data.validation, data.test)
    train, validation, test = (row_codes(np.concatenate([part.X, part.Y], axis=1)) for part in parts)
    every = np.concatenate([train, validation, test])
    count = len(every) - len(np.unique(every))
    return DuplicateRows(count, len(every), np.isin(validation, train), np.isin(test, train))


def recommended_rows(data: DataSet) -> int | None:
    """How many training rows there should at least be, if there are fewer: `ROWS_PER_INPUT` an input, or `FEW_ROWS`."""
    wanted = max(FEW_ROWS, ROWS_PER_INPUT * data.schema.input_width)
    return wanted if len(data.train) < wanted else None


def few_rows_note(count: int) -> tuple[str, ...]:
    """A note where so many rows train that nothing said of the network can be trusted."""
    if count >= TOO_FEW_ROWS:
        return ()
    return (f"only {pluralized(count, 'row')} to train on: with so few neither scores nor error bars can be trusted",)


def constant_columns(data: DataSet) -> tuple[str, ...]:
    """The input columns that hold one value in every training row."""
    numbered = [(column.name, column.row_values(data.train.X[:, block])) for column, block in data.schema.column_slices]
    return tuple(name for name, values in numbered if (values == values[0]).all())


def identifier_columns(data: DataSet) -> tuple[str, ...]:
    """The input columns that look like numbers of rows, orders or customers, of a table with several columns.

    Such a column holds another whole number in each of more than `FEW_NUMBERS` rows, and at least half of the numbers
    of its range occur, or its name says what it is.
    """
    X = np.concatenate([part.X for part in (data.train, data.validation, data.test)])
    found = []
    for column, block in data.schema.column_slices:
        if not column.is_number or len(X) <= FEW_NUMBERS or len(data.schema.inputs) < 2:
            continue
        values = column.decode(X[:, block.start])
        whole = np.round(values)
        if np.abs(values - whole).max() > 1e-6 or len(np.unique(whole)) < len(whole):
            continue
        if np.ptp(whole) < 2 * len(whole) or re.search(IDENTIFIER, column.name):
            found.append(column.name)
    return tuple(found)


def find_leaks(data: DataSet, copied: DuplicateRows) -> tuple[Leak, ...]:
    """Columns that alone predict a target of the held-out rows almost exactly, worst first.

    Each column is judged without the network: a number by a line from one training row to the next (for classes, the
    class of the nearest one), a category by the mean or the majority of its training rows. Held-out copies of training
    rows say nothing, for every column of numbers predicts them. A table with one input column has no suspects, nor has
    one with fewer than `HELD_OUT` other held-out rows.
    """
    held_X = np.concatenate([data.validation.X[~copied.validation], data.test.X[~copied.test]])
    held_Y = np.concatenate([data.validation.Y[~copied.validation], data.test.Y[~copied.test]])
    if len(data.schema.inputs) < 2 or len(held_X) < HELD_OUT:
        return ()
    skill, least = (
        (_explained_variance, ALMOST_EXACT) if data.schema.classes is None else (_avoided_mistakes, ALMOST_ALL)
    )
    found = []
    for column, block in data.schema.column_slices:
        known, asked = (column.row_values(X[:, block]) for X in (data.train.X, held_X))
        skills = skill(_predict_from_column(column.is_number, known, data.train.Y, asked), held_Y, data.train.Y)
        named = zip(data.schema.target_names, skills, strict=True)
        found += [Leak(column.name, name, float(value)) for name, value in named if value >= least]
    return tuple(sorted(found, key=lambda leak: -leak.skill))


def _predict_from_column(is_number: bool, known: np.ndarray, Y: np.ndarray, asked: np.ndarray) -> np.ndarray:
    """The mean of Y (N, k) at each value of a column, carried to other values of it, (m, k)."""
    values, group = np.unique(known, return_inverse=True)
    count = np.bincount(group)
    means = np.stack([np.bincount(group, y) / count for y in Y.T], axis=1)
    if is_number:
        return np.stack([np.interp(asked, values, mean) for mean in means.T], axis=1)
    place = np.minimum(np.searchsorted(values, asked), len(values) - 1)
    seen = values[place] == asked
    return np.where(seen[:, None], means[place], Y.mean(axis=0))


def _explained_variance(predicted: np.ndarray, Y: np.ndarray, training: np.ndarray) -> np.ndarray:
    """R² of each target, (k,); 0 where it does not vary."""
    spread = np.sum((Y - Y.mean(axis=0)) ** 2, axis=0)
    error = np.sum((predicted - Y) ** 2, axis=0)
    return np.where(spread > 0, 1 - error / np.where(spread > 0, spread, 1), 0)


def _avoided_mistakes(predicted: np.ndarray, Y: np.ndarray, training: np.ndarray) -> np.ndarray:
    """The share of the majority's mistakes that the column avoids, (1,)."""
    classes = Y.argmax(axis=1)
    mistakes = np.mean(classes != training.sum(axis=0).argmax())
    wrong = np.mean(predicted.argmax(axis=1) != classes)
    return np.array([1 - wrong / mistakes if mistakes > 0 else 0.0])


LEAST_OTHERS = 5  # different values besides the code
MOST_CODES = 2  # at one end of a column
OFTEN = 3  # times the count of any other value
APART = 20  # times the usual distance between neighbouring values


def missing_code_notes(columns: Iterable[tuple[str, np.ndarray]]) -> tuple[str, ...]:
    """A sentence for each number that stands for a missing value, such as -200 among measurements from 0 to 12.

    Each column is its name and its numbers, (N,) float64 with NaN where a cell is missing.
    """
    where: dict[float, list[str]] = {}
    for name, values in columns:
        rows = np.isfinite(values).sum()
        codes, others = find_missing_codes(values)
        for value, times in codes:
            words = f"{name!r} ({times:,} of {rows:,} rows; others: {others[0]:g} to {others[-1]:g})"
            where.setdefault(value, []).append(words)
    return tuple(
        f"{value:.15g} is far from all other values of {shorten(found, 3)}: if it stands for a missing value, train "
        f"again with --na {value:.15g} and --missing drop or --missing impute"
        for value, found in where.items()
    )


def find_missing_codes(values: np.ndarray) -> tuple[list[tuple[float, int]], np.ndarray]:
    """The codes in a column of numbers, (N,), ascending, each with the rows that hold it; and its other values."""
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    found = []
    while len(ends := _find_code_ends(distinct, counts)):
        found += zip(distinct[ends].tolist(), counts[ends].tolist(), strict=True)
        distinct, counts = np.delete(distinct, ends), np.delete(counts, ends)
    return sorted(found), distinct


def _find_code_ends(distinct: np.ndarray, counts: np.ndarray) -> np.ndarray:
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


MARGIN = 0.1  # of a column's range: a row counts as outside only beyond it


def count_extrapolated(schema: Schema, X: np.ndarray, numbers: np.ndarray) -> tuple[int | None, tuple[str, ...]]:
    """How many of the encoded rows X (N, n_1) lie outside the training range of a column by more than `MARGIN` of it.

    A column that was constant in training is outside wherever it differs. Columns whose range is not known, categories
    and pixels do not count; None if there are no others. And a note of the cell that lies farthest out.
    """
    ranged = [(column, X[:, block.start]) for column, block in schema.column_slices if column.low is not None]
    if not ranged:
        return None, ()
    excess = np.zeros((len(X), len(ranged)))
    for j, (column, scaled) in enumerate(ranged):
        # In scaled values, where the ranges of all columns are of the same size.
        low, high = ((end - column.mean) / column.std for end in (column.low, column.high))
        margin = MARGIN * (high - low) + 1e-9 * max(abs(low), abs(high))
        beyond = np.maximum(low - scaled, scaled - high)
        excess[:, j] = np.where(beyond > margin, beyond / max(high - low, 1e-9), 0)
    count = int(np.count_nonzero(excess.any(axis=1)))
    place, j = np.unravel_index(np.argmax(excess), excess.shape)
    worst, scaled = ranged[j]
    note = (
        f"{count:,} of {len(X):,} rows {'lies' if count == 1 else 'lie'} outside the range of the training rows by "
        f"more than {100 * MARGIN:.0f} % of it, where the predictions are guesses; the farthest is row "
        f"{numbers[place]}, with {worst.decode(scaled[place]):.4g} in {worst.name!r}, which was trained on from "
        f"{worst.low:.4g} to {worst.high:.4g}"
    )
    return count, (note,) * (count > 0)
