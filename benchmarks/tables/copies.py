"""Which data sets are copies or parts of another: by what their rows hold, whatever their columns are called."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from pandas.api import types

from benchmarks.tables.cleaning import Table

COLUMNS = 4  # the columns of the smaller one that are compared, those with the most different values
SHARE = 0.9  # of its rows that the larger one has, in these columns


@dataclass(frozen=True)
class Column:
    """A column of numbers, to five digits, and how often each occurs."""

    values: np.ndarray
    counts: Counter


def numbers(table: Table) -> list[Column]:
    """The columns of numbers, the target included, those with the most different values first."""
    columns = [column.to_numpy(np.float64) for _, column in table.X.items() if types.is_numeric_dtype(column)]
    if table.kind == "regression":
        columns.append(table.y)
    rounded = [np.array([float(f"{value:.5g}") for value in column]) for column in columns]
    return sorted((Column(each, Counter(each.tolist())) for each in rounded), key=lambda column: -len(column.counts))


def is_copy(small: Table, large: Table) -> bool:
    """Whether both have the same targets, or `large` has all columns of `small`, by name, and its rows."""
    if small.kind == large.kind == "regression" and Counter(small.y.tolist()) == Counter(large.y.tolist()):
        return True
    if not set(small.X) <= set(large.X):
        return False
    own, other = (Counter(map(tuple, table.X[list(small.X)].astype(str).to_numpy())) for table in (small, large))
    return _share(own, other) > SHARE


def is_part(small: list[Column], large: list[Column]) -> bool:
    """Whether `large` has the rows of `small`, in those columns that both have, whatever they are called.

    Of the columns compared all but one must be found, and their values together must tell most rows apart.
    """
    compared = small[:COLUMNS]
    pairs = [(own, next((o for o in large if _share(own.counts, o.counts) > SHARE), None)) for own in compared]
    matched = [(own.values, other.values) for own, other in pairs if other is not None]
    if len(matched) < max(2, len(compared) - 1):
        return False
    own, other = (_rows(columns) for columns in zip(*matched, strict=True))
    return len(own) > own.total() / 2 and _share(own, other) > SHARE


def _rows(columns: Iterable[np.ndarray]) -> Counter:
    return Counter(map(tuple, np.column_stack(list(columns)).tolist()))


def _share(own: Counter, other: Counter) -> float:
    """The share of the values of `own` that `other` has, each counted as often as it occurs."""
    return sum(min(count, other[value]) for value, count in own.items()) / own.total()
