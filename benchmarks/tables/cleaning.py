"""From a data set as its package gives it to predictors and a target: the mechanical part of the rule."""

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from pandas.api import types
from scipy.stats import rankdata

ROWS = (100, 20_000)
PREDICTORS, INPUTS = 3, 100  # at least; at most
LEVELS = 30  # more levels than these make a column of texts a column of names
NUMBERS = 20  # a regression has at least so many different values
CLASS_ROWS = 10
MISSING = 0.1
TIMES = re.compile(r"^(year|yr|years|date|quarter|month|week|time)$", re.IGNORECASE)


class Unfit(Exception):
    """Why the rule leaves a data set out."""


@dataclass(frozen=True)
class Table:
    """A table as the contestants get it.

    Attributes:
        X: numbers as float64, all else as categories; (N, columns).
        y: (N,), float64 or the names of the classes.
        kind: "regression" or "classification".
    """

    X: pd.DataFrame
    y: np.ndarray
    kind: str

    @property
    def inputs(self) -> int:
        """The columns once categories are columns of 0 and 1."""
        return sum(1 if types.is_numeric_dtype(c) else len(c.cat.categories) for _, c in self.X.items())


def cleaned(frame: pd.DataFrame, target: str) -> Table:
    """The table that the rule makes of `frame`.

    Raises:
        Unfit: the rule leaves it out.
    """
    frame = frame.loc[frame[target].notna()].reset_index(drop=True)
    if len(frame) < ROWS[0]:
        raise Unfit(f"{len(frame)} rows")
    y, kind = _response(frame[target])
    frame, y = frame.loc[y.index].drop(columns=target), y
    columns = {str(name): _column(column) for name, column in frame.items() if _is_predictor(column)}
    if any(_is_clock(name, column) for name, column in frame.items()):
        raise Unfit("a time series")
    X = pd.DataFrame(columns, index=frame.index)
    whole = X.notna().all(axis=1)
    X, y = X.loc[whole].reset_index(drop=True), y.loc[whole].reset_index(drop=True)
    if kind == "classification":
        frequent = y.map(y.value_counts()) >= CLASS_ROWS
        X, y = X.loc[frequent].reset_index(drop=True), y.loc[frequent].reset_index(drop=True)
    _require(ROWS[0] <= len(X) <= ROWS[1], f"{len(X)} rows")
    X = X.apply(lambda column: column if types.is_numeric_dtype(column) else column.cat.remove_unused_categories())
    X = X.loc[:, [X[name].nunique() > 1 and not _tells(X[name], y, kind) for name in X]]
    _require(y.nunique() >= (2 if kind == "classification" else NUMBERS), "too few different targets")
    table = Table(X, y.to_numpy(np.float64 if kind == "regression" else str), kind)
    _require(X.shape[1] >= PREDICTORS, f"{X.shape[1]} predictors")
    _require(table.inputs <= INPUTS, f"{table.inputs} inputs")
    _require(kind == "classification" or not _is_linear(table), "the target is a linear function of the others")
    return table


def _require(holds: bool, reason: str) -> None:
    if not holds:
        raise Unfit(reason)


def _response(column: pd.Series) -> tuple[pd.Series, str]:
    """The targets and their kind; rare classes are left out."""
    values = column.nunique()
    if types.is_numeric_dtype(column) and not types.is_bool_dtype(column) and values != 2:
        _require(values >= NUMBERS, f"a target of {values} numbers")
        return column.astype(np.float64), "regression"
    if types.is_datetime64_any_dtype(column):
        raise Unfit("the target is a date")
    texts = column.astype(str)
    return texts.loc[texts.map(texts.value_counts()) >= CLASS_ROWS], "classification"


def _is_number(column: pd.Series) -> bool:
    return types.is_numeric_dtype(column) and not types.is_bool_dtype(column)


def _column(column: pd.Series) -> pd.Series:
    """Return numbers as float64, everything else as categories."""
    if _is_number(column):
        return column.astype(np.float64)
    return column.astype(object).map(str, na_action="ignore").astype("category")


def _is_predictor(column: pd.Series) -> bool:
    """Whether the rule keeps a column that has no relation to the target."""
    if column.isna().mean() > MISSING or types.is_datetime64_any_dtype(column):
        return False
    present = column.dropna()
    if _is_number(column):
        steps = np.diff(present.to_numpy(np.float64))
        whole = (present == np.floor(present)).all()
        return not (whole and len(steps) and ((steps > 0).all() or (steps < 0).all()))
    return present.astype(str).nunique() <= LEVELS


def _is_clock(name: str, column: pd.Series) -> bool:
    """Whether a column orders the rows in time."""
    if not (types.is_datetime64_any_dtype(column) or TIMES.match(str(name))):
        return False
    goes_on = types.is_numeric_dtype(column) and bool((np.diff(column.dropna().to_numpy(np.float64)) >= 0).all())
    return goes_on or column.nunique() > len(column) / 5


def _tells(column: pd.Series, y: pd.Series, kind: str) -> bool:
    """Whether one predictor determines the target."""
    if kind == "regression":
        if not types.is_numeric_dtype(column):
            return False
        return abs(float(np.corrcoef(rankdata(column), rankdata(y))[0, 1])) > 0.995
    if types.is_numeric_dtype(column) and column.nunique() > NUMBERS:
        return False
    return bool((y.groupby(column.astype(str)).nunique() == 1).all())


def _is_linear(table: Table) -> bool:
    """Whether a linear function of the predictors equals the target."""
    A = pd.get_dummies(table.X).to_numpy(np.float64)
    A = (A - A.mean(axis=0)) / A.std(axis=0)
    y = table.y - table.y.mean()
    left = y - A @ np.linalg.lstsq(A, y, rcond=None)[0]
    return bool(left @ left < 1e-4 * (y @ y))
