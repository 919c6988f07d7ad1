"""The two kinds of column in a table, numbers and categories, and how each becomes inputs of the network.

Both are small frozen descriptions that encode raw cells and write themselves as JSON. A column checks itself
when it is made, so one read from a damaged model file is refused as it is read.
"""

import math
import shlex
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from deltarule.data.cells import as_numbers, as_objects, kind_of, listed, place, shown
from deltarule.data.optional import Series
from deltarule.data.spread import varies
from deltarule.data.written_numbers import is_missing_mark, looks_like_number
from deltarule.errors import DataError

EMPTY_ADVICE = "fill the cell, or leave such rows out with drop_missing=True (--drop-missing)"


@dataclass(frozen=True)
class NumericColumn:
    """A column of numbers (or of booleans, as 0 and 1), standardised: x ↦ (x - mean) / std.

    Args:
        name: the column's name in the table.
        mean: the mean over the training rows, in the column's unit.
        std: the standard deviation over the training rows, > 0; 1 for a column that is constant to rounding.
        low: the smallest value among the training rows, None where it was not kept.
        high: the largest one.
        imputed: a cell may be missing: then the mean stands for it, and one more network input is 1, else 0.

    Raises:
        DataError: a number is not finite, std is not positive, or low is above high.
    """

    name: str
    mean: float
    std: float
    low: float | None = None
    high: float | None = None
    imputed: bool = False

    def __post_init__(self):
        """Check the domain of the numbers."""
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            raise DataError(
                f"column {self.name!r} of the schema has mean {self.mean} and std {self.std}: the mean must "
                "be finite, the std finite and positive"
            )
        if self.low is None and self.high is None:
            return
        if self.low is None or self.high is None or not -math.inf < self.low <= self.high < math.inf:
            raise DataError(
                f"column {self.name!r} of the schema ranges from {self.low} to {self.high}: both must be finite, the "
                "first at most the second"
            )

    @classmethod
    def measured(cls, name: str, values: np.ndarray, imputed: bool = False) -> "NumericColumn":
        """Measure mean, std and range on the training rows' values, (N,) float64, finite, or NaN where imputed."""
        values = values[~np.isnan(values)] if imputed else values
        if not len(values):
            return cls(name, 0.0, 1.0, imputed=imputed)
        # Dividing by the largest magnitude first keeps the squares of 1e200 and of 1e-200 within float64.
        largest = float(np.abs(values).max())
        scale = max(largest, np.finfo(np.float64).tiny)
        low, high = float(values.min()), float(values.max())
        mean, std = scale * float(np.mean(values / scale)), scale * float(np.std(values / scale))
        mean, std = (mean, std) if varies(std, largest) else (low, 1.0)
        return cls(name, mean, std, low, high, imputed)

    def by_mean(self, mean: float) -> "NumericColumn":
        """The same column of counts or rates with that mean, scaled by it and not shifted: 0 stays 0.

        Raises:
            DataError: a value is below 0.
        """
        if self.low is not None and self.low < 0:
            raise DataError(
                f"target {self.name!r} holds {self.low:g}, and the Poisson cost needs counts or rates of at least 0: "
                "correct the cell, or choose another cost"
            )
        return replace(self, mean=0.0, std=mean if mean > 0 else 1.0)

    @property
    def width(self) -> int:
        """The number of network inputs this column becomes: 1, or 2 where missing cells are imputed."""
        return 1 + self.imputed

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of each network input, (width,)."""
        return (self.name, *_missing_name(self))

    def encode(self, column: Series, origin: str) -> np.ndarray:
        """Standardise the cells of `column`, (N,), to (N, width) float64.

        Raises:
            DataError: a cell is missing, infinite or no number, or lies too far from the mean for float64.
        """
        values = as_numbers(column)
        missing = column.isna().to_numpy(dtype=bool) if self.imputed else np.zeros(len(column), bool)
        values = np.where(missing, self.mean, values)
        bad = ~np.isfinite(values)
        if bad.any():
            row = int(np.argmax(bad))
            raise DataError(f"{place(origin, self.name, column.index[row])} {_number_fault(column, row)}")
        with np.errstate(over="ignore"):
            scaled = (values - self.mean) / self.std
        if not np.isfinite(scaled).all():
            row = int(np.argmin(np.isfinite(scaled)))
            raise DataError(
                f"{place(origin, self.name, column.index[row])} holds {values[row]:g}, too far from the "
                f"training mean {self.mean:g} to be standardised: correct the cell"
            )
        return np.stack([scaled, missing], axis=1) if self.imputed else scaled[:, None]

    def decode(self, scaled: np.ndarray) -> np.ndarray:
        """Bring standardised values back into the column's unit: x = mean + std * scaled."""
        return self.mean + self.std * scaled

    def in_words(self) -> str:
        """What the training rows were like."""
        span = "" if self.low is None else f", from {self.low:.4g} to {self.high:.4g}"
        if self.mean == 0 and self.low is not None and self.low >= 0 and self.high != 0:  # scaled by its mean alone
            return f"mean {self.std:.4g}{span}"
        missing = "; missing cells are imputed" if self.imputed else ""
        return f"mean {self.mean:.4g}, standard deviation {self.std:.4g}{span}{missing}"

    def to_json(self) -> dict[str, Any]:
        """Describe the column in JSON's types."""
        numbers = {"kind": "numeric", "name": self.name, "mean": self.mean, "std": self.std}
        numbers |= {} if self.low is None else {"low": self.low, "high": self.high}
        return numbers | {"imputed": True} if self.imputed else numbers


def _missing_name(column: "NumericColumn | CategoricalColumn") -> tuple[str, ...]:
    """The name of the input that is 1 where a cell is missing, if there is one."""
    return (f"{column.name} is missing",) if column.imputed else ()


def _number_fault(column: Series, row: int) -> str:
    """Say what keeps a cell from being a finite number, and what to do."""
    cell = column.iloc[row]
    if column.isna().iloc[row]:
        return f"is empty: {EMPTY_ADVICE}"
    if kind_of(column) == "numeric" or str(cell).strip().lower().lstrip("+-") in ("inf", "infinity"):
        return f"holds {shown(cell)}: replace it with a finite number or remove the row"
    if is_missing_mark(cell):
        return f"holds {shown(cell)}: if it stands for a missing value, read it as one with --na {shlex.quote(cell)}"
    if looks_like_number(cell):
        return (
            f"holds {shown(cell)}, a number with a comma or a unit that other cells lack: write all cells alike, and "
            "say with --decimal what the comma is"
        )
    return f"holds {shown(cell)}, which is not a number: correct the cell or remove the row"


@dataclass(frozen=True)
class CategoricalColumn:
    """A column of text, one network input per category: 1 for the row's own category, 0 for the others.

    Args:
        name: the column's name in the table.
        categories: the different texts, at least one, none twice; their order is the order of the inputs.
        imputed: a cell may be missing: one more network input, the last, is 1 then.

    Raises:
        DataError: there is no category, or one occurs twice.
    """

    name: str
    categories: tuple[str, ...]
    imputed: bool = False

    def __post_init__(self):
        """Check that there are categories, all different."""
        if not self.categories or len(set(self.categories)) != len(self.categories):
            raise DataError(
                f"column {self.name!r} of the schema has the categories {list(self.categories)}: there must "
                "be at least one, and none twice"
            )

    @property
    def width(self) -> int:
        """The number of network inputs this column becomes: one per category, one for missing cells if imputed."""
        return len(self.categories) + self.imputed

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of each network input, (width,), such as "colour=red"."""
        return (*(f"{self.name}={category}" for category in self.categories), *_missing_name(self))

    def encode(self, column: Series, origin: str) -> np.ndarray:
        """Write the cells of `column`, (N,), as one-hot rows, (N, width) float64.

        Raises:
            DataError: a cell is missing or holds a category that training did not see.
        """
        position = {category: i for i, category in enumerate(self.categories)}
        cells = as_objects(column)
        encoded = np.zeros((len(cells), self.width))
        for row, cell in enumerate(cells):
            i = position.get(str(cell)) if cell is not None else self.width - 1 if self.imputed else None
            if i is None:
                where = place(origin, self.name, column.index[row])
                if cell is None:
                    raise DataError(f"{where} is empty: {EMPTY_ADVICE}")
                raise DataError(
                    f"{where} holds {shown(cell)}, which is none of the known categories "
                    f"({listed(self.categories)}): correct the cell, or train on rows that have this category"
                )
            encoded[row, i] = 1.0
        return encoded

    def in_words(self) -> str:
        """What the training rows were like."""
        return f"one of {', '.join(map(str, self.categories))}" + ("; or missing" if self.imputed else "")

    def to_json(self) -> dict[str, Any]:
        """Describe the column in JSON's types."""
        description = {"kind": "categorical", "name": self.name, "categories": list(self.categories)}
        return description | {"imputed": True} if self.imputed else description
