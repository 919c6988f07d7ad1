"""Columns of a table found by their names, and encoded side by side."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from deltarule.data.cells import listed
from deltarule.data.columns import CategoricalColumn, NumericColumn
from deltarule.data.optional import Frame
from deltarule.errors import DataError


def find_columns(raw: Any, names: tuple[str, ...], origin: str) -> Frame:
    """The table, after a check that it is one and has each of `names` exactly once.

    Raises:
        DataError: it is no DataFrame, or a column is missing or there twice.
    """
    if not hasattr(raw, "columns"):
        raise DataError(
            f"{origin} is a {type(raw).__name__}, but the model was trained on a table: give a table "
            f"with the columns {listed(names)}"
        )
    present = Counter(raw.columns)
    missing = [name for name in names if name not in present]
    if missing:
        raise DataError(
            f"{origin} lacks the column {missing[0]!r} that the model needs; its columns are "
            f"{listed(list(present))}: add the column or rename the one that holds it"
        )
    twice = [name for name in names if present[name] > 1]
    if twice:
        raise DataError(f"{origin} has the column {twice[0]!r} {present[twice[0]]} times: keep one of them")
    return raw


def encode_columns(columns: Sequence[NumericColumn | CategoricalColumn], raw: Any, origin: str) -> np.ndarray:
    """The columns of a table as the inputs that they become, side by side, (N, sum of their widths) float64.

    Raises:
        DataError: as `find_columns` and the columns' own `encode`.
    """
    frame = find_columns(raw, tuple(column.name for column in columns), origin)
    return np.concatenate([column.encode(frame[column.name], origin) for column in columns], axis=1)
