"""Look for problems of a table: few rows, duplicates, constant columns, row numbers, leakage, codes of missing values,
and rows outside the range of the training rows, where a network extrapolates.
"""

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass

import numpy as np

from deltarule.data.dataset import DataSet
from deltarule.data.row_codes import row_codes
from deltarule.data.schema import Schema
from deltarule.errors import format_number, pluralized, shorten

FEW_ROWS = 30
TOO_FEW_ROWS = 10  # with fewer training rows the scores say nothing
ROWS_PER_INPUT = 5
FEW_NUMBERS = 50  # in so many rows whole numbers may all differ by chance
IDENTIFIER = r"(?i:(?:^|[^a-z])(?:id|no|nr|number|index|key|row|serial)(?![a-z]))|[a-z]I[Dd](?![a-z])"  # in a name
HELD_OUT = 20  # with fewer held-out rows a column may look like a leak by chance
ALMOST_EXACT = 0.999  # R² of one column alone
ALMOST_ALL = 0.99  # share of the majority class's mistakes that one column alone avoids


@dataclass(frozen=True)
class Leak:
    """A column that alone predicts a target almost exactly."""

    column: str
    target: str
    skill: float  # on held-out rows: R², or the share of the majority class's mistakes that it avoids


@dataclass(frozen=True, eq=False)
class DuplicateRows:
    """Rows of a table with the same inputs and targets as another row."""

    count: int  # rows of the table minus distinct rows
    rows: int  # of the whole table
    validation: np.ndarray  # whether each validation row equals a training row, (m,) bool
    test: np.ndarray  # the same for each test row


def find_duplicates(data: DataSet) -> DuplicateRows:
    """Find the duplicate rows of a table, and the held-out rows that equal a training row."""
    parts = (data.train, data.validation, data.test)
    train, validation, test = (row_codes(np.concatenate([part.X, part.Y], axis=1)) for part in parts)
    codes = np.concatenate([train, validation, test])
    count = len(codes) - len(np.unique(codes))
    return DuplicateRows(count, len(codes), np.isin(validation, train), np.isin(test, train))


def recommended_rows(data: DataSet) -> int | None:
    """The number of training rows there should be, `ROWS_PER_INPUT` per input and `FEW_ROWS`, or None if there are."""
    least = max(FEW_ROWS, ROWS_PER_INPUT * data.schema.input_width)
    return least if len(data.train) < least else None


def few_rows_note(count: int) -> tuple[str, ...]:
    """A note if there are so few training rows that the scores say nothing."""
    if count >= TOO_FEW_ROWS:
        return ()
    return (f"only {pluralized(count, 'row')} to train on: with so few neither scores nor error bars can be trusted",)


def constant_columns(data: DataSet) -> tuple[str, ...]:
    """The input columns with the same value in every training row."""
    columns = [(column.name, column.row_values(data.train.X[:, block])) for column, block in data.schema.column_slices]
    return tuple(name for name, values in columns if (values == values[0]).all())


def identifier_columns(data: DataSet) -> tuple[str, ...]:
    """The input columns that look like numbers of rows, orders or customers, if the table has several columns.

    Such a column holds a different whole number in each of more than `FEW_NUMBERS` rows, and either at least half of
    the numbers in its range occur or its name is an identifier's.
    """
    X = np.concatenate([part.X for part in (data.train, data.validation, data.test)])
    names = []
    for column, block in data.schema.column_slices:
        if not column.is_number or len(X) <= FEW_NUMBERS or len(data.schema.inputs) < 2:
            continue
        values = column.decode(X[:, block.start])
        whole = np.round(values)
        if np.abs(values - whole).max() > 1e-6 or len(np.unique(whole)) < len(whole):
            continue
        if np.ptp(whole) < 2 * len(whole) or re.search(IDENTIFIER, column.name):
            names.append(column.name)
    return tuple(names)


def find_leaks(data: DataSet, duplicates: DuplicateRows) -> tuple[Leak, ...]:
    """Find the columns that alone predict a target of the held-out rows almost exactly, the worst first.

    Each column predicts without the network: a number by linear interpolation between training rows (for classes, the
    nearest one), a category by the mean or the majority of its training rows. Held-out duplicates of training rows are
    left out, because every column of numbers predicts them. With a single input column, or fewer than `HELD_OUT`
    remaining rows, no column is suspected.
    """
    X = np.concatenate([data.validation.X[~duplicates.validation], data.test.X[~duplicates.test]])
    Y = np.concatenate([data.validation.Y[~duplicates.validation], data.test.Y[~duplicates.test]])
    if len(data.schema.inputs) < 2 or len(X) < HELD_OUT:
        return ()
    is_regression = data.schema.classes is None
    skill, least = (_explained_variance, ALMOST_EXACT) if is_regression else (_avoided_mistakes, ALMOST_ALL)
    leaks = []
    for column, block in data.schema.column_slices:
        x, new = column.row_values(data.train.X[:, block]), column.row_values(X[:, block])
        skills = skill(_predict_from_column(column.is_number, x, data.train.Y, new), Y, data.train.Y)
        by_target = zip(data.schema.target_names, skills, strict=True)
        leaks += [Leak(column.name, target, float(value)) for target, value in by_target if value >= least]
    return tuple(sorted(leaks, key=lambda leak: -leak.skill))


def _predict_from_column(is_number: bool, x: np.ndarray, Y: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Predict Y at the values `new` (m,) of a column from its training values `x` (N,) and Y (N, k): (m, k)."""
    values, group = np.unique(x, return_inverse=True)
    count = np.bincount(group)
    means = np.stack([np.bincount(group, y) / count for y in Y.T], axis=1)
    if is_number:
        return np.stack([np.interp(new, values, mean) for mean in means.T], axis=1)
    index = np.minimum(np.searchsorted(values, new), len(values) - 1)
    is_known = values[index] == new
    return np.where(is_known[:, None], means[index], Y.mean(axis=0))


def _explained_variance(predicted: np.ndarray, Y: np.ndarray, training: np.ndarray) -> np.ndarray:
    """R² of each target, (k,); 0 for a constant target."""
    spread = np.sum((Y - Y.mean(axis=0)) ** 2, axis=0)
    error = np.sum((predicted - Y) ** 2, axis=0)
    return np.where(spread > 0, 1 - error / np.where(spread > 0, spread, 1), 0)


def _avoided_mistakes(predicted: np.ndarray, Y: np.ndarray, training: np.ndarray) -> np.ndarray:
    """The share of the majority class's mistakes that the column avoids, (1,)."""
    classes = Y.argmax(axis=1)
    mistakes = np.mean(classes != training.sum(axis=0).argmax())
    wrong = np.mean(predicted.argmax(axis=1) != classes)
    return np.array([1 - wrong / mistakes if mistakes > 0 else 0.0])


LEAST_OTHERS = 5  # different values besides the codes
MOST_CODES = 2  # at one end of a column
OFTEN = 3  # a code is so many times as frequent as any other value
APART = 20  # and so many times as far away as neighbouring values usually are


def missing_code_notes(columns: Iterable[tuple[str, np.ndarray]], targets: Collection[str] = ()) -> tuple[str, ...]:
    """A note for each number that seems to code a missing value, such as -200 among measurements from 0 to 12.

    Each column is its name and its numbers, (N,) float64, NaN for missing cells. Those in `targets` are never imputed.
    """
    columns_by_code: dict[float, list[str]] = {}
    in_targets = set()
    for name, values in columns:
        rows = np.isfinite(values).sum()
        codes, others = find_missing_codes(values)
        for value, count in codes:
            column = f"{name!r} ({count:,} of {rows:,} rows; others: {others[0]:g} to {others[-1]:g})"
            columns_by_code.setdefault(value, []).append(column)
            in_targets |= {value} if name in targets else set()
    return tuple(
        f"{value:.15g} is far from all other values of {shorten(names, 3)}: if it stands for a missing value, train "
        f"again with --na {value:.15g} and --missing drop{' or --missing impute' * (value not in in_targets)}"
        for value, names in columns_by_code.items()
    )


def find_missing_codes(values: np.ndarray) -> tuple[list[tuple[float, int]], np.ndarray]:
    """The codes of missing values in a column, (N,), ascending, each with its number of rows; and the other values."""
    distinct, counts = np.unique(values[np.isfinite(values)], return_counts=True)
    codes = []
    while len(ends := _find_code_ends(distinct, counts)):
        codes += zip(distinct[ends].tolist(), counts[ends].tolist(), strict=True)
        distinct, counts = np.delete(distinct, ends), np.delete(counts, ends)
    return sorted(codes), distinct


def _find_code_ends(distinct: np.ndarray, counts: np.ndarray) -> np.ndarray:
    """The positions of codes among the sorted values of a column, at its ends; empty if there are none."""
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
    """Whether the lowest value is a whole negative number, far from the others, all positive, and more frequent."""
    if distinct[0] % 1 or not distinct[0] < 0 <= distinct[1]:
        return False
    gap, usual = distinct[1] - distinct[0], float(np.median(np.diff(distinct[1:])))
    return bool(counts[0] >= OFTEN * counts[1:].max() and gap > APART * usual)


MARGIN = 0.1  # of a column's range; rows beyond it count as extrapolated


def count_extrapolated(schema: Schema, X: np.ndarray, numbers: np.ndarray) -> tuple[int | None, tuple[str, ...]]:
    """Count the encoded rows X (N, n_1) outside the training range of a column by more than `MARGIN` of it; and a note.

    Any other value of a column that was constant in training is outside. Columns without a known range do not count,
    nor do categories and pixels; the count is None if there are no others. The note names the farthest cell.
    """
    ranged = [(column, X[:, block.start]) for column, block in schema.column_slices if column.low is not None]
    if not ranged:
        return None, ()
    excess = np.zeros((len(X), len(ranged)))
    for j, (column, scaled) in enumerate(ranged):
        # Standardised values make the ranges of columns comparable.
        low, high = ((end - column.mean) / column.std for end in (column.low, column.high))
        margin = MARGIN * (high - low) + 1e-9 * max(abs(low), abs(high))
        distance = np.maximum(low - scaled, scaled - high)
        excess[:, j] = np.where(distance > margin, distance / max(high - low, 1e-9), 0)
    count = int(np.count_nonzero(excess.any(axis=1)))
    row, j = np.unravel_index(np.argmax(excess), excess.shape)
    farthest, scaled = ranged[j]
    note = (
        f"{count:,} of {len(X):,} rows {'lies' if count == 1 else 'lie'} outside the range of the training rows by "
        f"more than {100 * MARGIN:.0f} % of it, where the predictions are guesses; the farthest is row "
        f"{numbers[row]}, with {format_number(farthest.decode(scaled[row]))} in {farthest.name!r}, which was trained "
        f"on from {format_number(farthest.low)} to {format_number(farthest.high)}"
    )
    return count, (note,) * (count > 0)
