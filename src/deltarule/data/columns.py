"""The kinds of column, numbers, categories and pixels, and how each becomes inputs of the network.

Each is a small frozen dataclass that encodes raw cells and writes itself as JSON. It checks its values when it is made,
so that a damaged model file is refused while it is read. Code that shows, exports or judges columns calls their methods
and never tests their class.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, ClassVar, Self

import numpy as np

from deltarule.data.cells import (
    as_numbers,
    as_objects,
    cell_location,
    first_bad_row,
    format_value,
    format_values,
    number_fault,
    refuse_other_unit,
)
from deltarule.data.labels import one_hot
from deltarule.data.moments import Moments
from deltarule.data.optional import Frame, Series
from deltarule.errors import ConfigurationError, DataError, format_number


@dataclass(frozen=True)
class RawColumn:
    """A raw column of an exported model: a number that becomes (x - mean) / std, or a category by its number from 0.

    An imputed column may be NaN: then its inputs are 0, and one more, its last, is 1.
    """

    name: str
    mean: float = 0.0
    std: float = 1.0
    categories: tuple[str, ...] | None = None
    imputed: bool = False

    @property
    def width(self) -> int:
        """The number of network inputs of this column."""
        return (1 if self.categories is None else len(self.categories)) + self.imputed


class Column:
    """The base of all kinds of column. Each kind is a frozen dataclass, whose fields are stored as JSON."""

    kind: ClassVar[str]
    is_number: ClassVar[bool] = False  # whether the first input is a standardised number
    low: float | None = None  # the range in the training rows, None if it is not known
    high: float | None = None
    imputed: bool = False  # whether cells may be missing: then one more input, the last, is 1 for a missing cell
    shape: Any = None  # of an image, a tuple

    @property
    def input_names(self) -> tuple[str, ...]:
        """The name of each network input of this column, (width,)."""
        raise NotImplementedError

    @property
    def missing_input(self) -> tuple[str, ...]:
        """The name of the last input of an imputed column, else ()."""
        this: Any = self
        return (f"{this.name} is missing",) if self.imputed else ()

    @property
    def width(self) -> int:
        """The number of network inputs of this column."""
        return len(self.input_names)

    @property
    def raw_columns(self) -> tuple[RawColumn, ...]:
        """The raw columns that exported code reads for this column.

        Raises:
            ConfigurationError: this kind of column cannot be exported.
        """
        raise ConfigurationError(f"exported code has no columns of the kind {self.kind!r}: predict with deltarule")

    def describe(self) -> str:
        """A few words about the column in the training rows, or ""."""
        return ""

    def rescale(self, mean: float, std: float, low: float, high: float) -> Self:
        """The same column with another scaling; columns that are no numbers do not change."""
        scaling: Any = {"mean": mean, "std": std, "low": low, "high": high} if self.is_number else {}
        return replace(self, **scaling)  # pyright: ignore[reportArgumentType]

    def to_json(self) -> dict[str, Any]:
        """Describe the column in JSON's types; `schema.column_from_json` reads it."""
        this: Any = self  # a dataclass
        values = {field.name: getattr(self, field.name) for field in fields(this)}
        values = {name: list(value) if isinstance(value, tuple) else value for name, value in values.items()}
        return {"kind": self.kind} | {name: v for name, v in values.items() if v is not None and v is not False}


@dataclass(frozen=True)
class NumericColumn(Column):
    """A column of numbers (or of booleans, as 0 and 1), standardised: x ↦ (x - mean) / std."""

    kind = "numeric"
    is_number = True
    name: str  # in the table
    mean: float  # over the training rows, in the column's unit
    std: float  # likewise, > 0; 1 for a column that is constant to rounding
    low: float | None = None  # the smallest value in the training rows, None if it is not known
    high: float | None = None  # the largest one
    imputed: bool = False  # a missing cell becomes the mean, and one more input is 1 for it, else 0

    def __post_init__(self):
        column = f"column {self.name!r} of the schema"
        if not (math.isfinite(self.mean) and math.isfinite(self.std) and self.std > 0):
            raise DataError(f"{column} has mean {self.mean} and std {self.std}: both must be finite, the std above 0")
        low, high = (math.nan if end is None else end for end in (self.low, self.high))
        if not (self.low is self.high is None or -math.inf < low <= high < math.inf):
            raise DataError(f"{column} ranges from {self.low} to {self.high}: the ends must be finite and in order")

    @classmethod
    def from_moments(cls, names: Sequence[str], moments: Moments) -> tuple[Self, ...]:
        """Columns with these names and moments."""
        scalings = zip(*(array.tolist() for array in (*moments.scales(), moments.low, moments.high)), strict=True)
        return tuple(cls(name, *scaling) for name, scaling in zip(names, scalings, strict=True))

    @classmethod
    def from_values(cls, name: str, values: np.ndarray, imputed: bool = False) -> Self:
        """Measure mean, std and range on the values of the training rows, (N,) float64, finite or NaN for missing."""
        values = values[~np.isnan(values)]
        if not len(values):
            return cls(name, 0.0, 1.0, imputed=imputed)
        moments = Moments(1)
        moments.add(values[:, None])
        return replace(cls.from_moments((name,), moments)[0], imputed=imputed)

    def scaled_by_mean(self, mean: float) -> Self:
        """The column divided by `mean` instead of standardised, for counts and rates: 0 stays 0.

        Raises:
            DataError: the column holds a negative number.
        """
        if self.low is not None and self.low < 0:
            fault = f"target {self.name!r} holds {self.low:g}, and the Poisson cost needs counts or rates of at least 0"
            raise DataError(f"{fault}: correct the cell, or choose another cost")
        return replace(self, mean=0.0, std=mean if mean > 0 else 1.0)

    @property
    def input_names(self) -> tuple[str, ...]:
        return (self.name, *self.missing_input)

    @property
    def raw_columns(self) -> tuple[RawColumn, ...]:
        return (RawColumn(self.name, self.mean, self.std, imputed=self.imputed),)

    def encode(self, column: Series, origin: str) -> np.ndarray:
        """Standardise the cells of `column`, (N,), to (N, width) float64; a DataError names the first bad cell."""
        values = as_numbers(column)
        missing = column.isna().to_numpy(dtype=bool) if self.imputed else np.zeros(len(column), bool)
        values = np.where(missing, self.mean, values)
        bad = ~np.isfinite(values)
        if bad.any():
            row = first_bad_row(column, bad)
            raise DataError(f"{cell_location(origin, self.name, column.index[row])} {number_fault(column, row)}")
        scaled = standardise((self,), values[:, None], lambda name, row: cell_location(origin, name, column.index[row]))
        return np.stack([scaled[:, 0], missing], axis=1) if self.imputed else scaled

    def decode(self, scaled: np.ndarray) -> np.ndarray:
        """Convert standardised values back into the column's unit: x = mean + std * scaled."""
        return self.mean + self.std * scaled

    def describe(self) -> str:
        span = "" if self.low is None else f", from {format_number(self.low)} to {format_number(self.high)}"
        if self.mean == 0 and self.std == 1:
            return f"taken as it is{span}"
        if self.mean == 0 and self.low is not None and self.low >= 0 and self.high != 0:  # scaled by its mean alone
            return f"mean {format_number(self.std)}{span}"
        missing = "; missing cells are imputed" if self.imputed else ""
        return f"mean {format_number(self.mean)}, standard deviation {format_number(self.std)}{span}{missing}"

    def row_values(self, block: np.ndarray) -> np.ndarray:
        """One number for each row of the column's inputs (N, width), different for different cells, (N,)."""
        return block[:, 0]

    def sweep(self, block: np.ndarray, count: int) -> tuple[list[Any], np.ndarray]:
        """`count` values from the 2nd to the 98th percentile of the inputs (N, width), and the inputs of each value."""
        inputs = np.zeros((count, self.width))  # an imputed column's second input is 0: the cell is not missing
        low, high = np.quantile(block[:, 0], [0.02, 0.98])
        inputs[:, 0] = np.linspace(low, high, count)
        return self.decode(inputs[:, 0]).tolist(), inputs


@dataclass(frozen=True)
class CategoricalColumn(Column):
    """A column of categories, one-hot: one network input per category, 1 for the row's category, 0 for the others."""

    kind = "categorical"
    name: str  # in the table
    categories: tuple[str, ...]  # at least one, none twice; in the order of the inputs
    imputed: bool = False  # one more network input, the last, is 1 for a missing cell

    def __post_init__(self):
        if not self.categories or len(set(self.categories)) != len(self.categories):
            categories = f"column {self.name!r} of the schema has the categories {list(self.categories)}"
            raise DataError(f"{categories}: there must be at least one, and none twice")

    @property
    def input_names(self) -> tuple[str, ...]:
        return (*(f"{self.name}={category}" for category in self.categories), *self.missing_input)

    @property
    def raw_columns(self) -> tuple[RawColumn, ...]:
        return (RawColumn(self.name, categories=self.categories, imputed=self.imputed),)

    def encode(self, column: Series, origin: str) -> np.ndarray:
        """Encode the cells of `column`, (N,), as one-hot rows, (N, width) float64; a DataError names an unknown one."""
        where = f"{origin}: column {self.name!r}"
        return one_hot(as_objects(column), self.categories, where, column.index, "categories", self.imputed)

    def describe(self) -> str:
        return f"one of {', '.join(map(str, self.categories))}" + ("; or missing" if self.imputed else "")

    def row_values(self, block: np.ndarray) -> np.ndarray:
        """The number of each row's category, (N,), from the inputs (N, width)."""
        return block.argmax(axis=1)

    def sweep(self, block: np.ndarray, count: int) -> tuple[list[Any], np.ndarray]:
        """Every category, and its inputs."""
        return [*self.categories, *(["missing"] if self.imputed else [])], np.eye(self.width)


def standardise(
    columns: Sequence[NumericColumn],
    values: np.ndarray,
    where: Callable[[str, int], str] = lambda name, row: f"column {name!r}",
) -> np.ndarray:
    """(x - mean) / std of each column, (N, columns) float64; `where` writes a cell's location for an error."""
    mean, std = (np.array([getattr(column, name) for column in columns]) for name in ("mean", "std"))
    with np.errstate(over="ignore"):
        scaled = (values - mean) / std
    if not np.isfinite(scaled).all():
        row, j = np.argwhere(~np.isfinite(scaled))[0]
        fault = f"holds {values[row, j]:g}, too far from the training mean {mean[j]:g} to be standardised"
        raise DataError(f"{where(columns[j].name, row)} {fault}: correct the cell")
    return scaled


def require_columns(raw: Any, names: Sequence[str], origin: str) -> Frame:
    """Return the table if it is one and has each of the columns exactly once, else raise a DataError."""
    if not hasattr(raw, "columns"):
        found = f"{origin} is a {type(raw).__name__}, but the model was trained on a table"
        raise DataError(f"{found}: give a table with the columns {format_values(names)}")
    present = Counter(raw.columns)
    for name in names:
        if not present[name]:
            refuse_other_unit(name, present, origin)
            found = f"{origin} lacks the column {name!r} that the model needs"
            columns = f"its columns are {format_values(list(present))}"
            raise DataError(f"{found}; {columns}: add the column or rename the one that holds it")
        if present[name] > 1:
            raise DataError(f"{origin} has the column {name!r} {present[name]} times: keep one of them")
    return raw


def encode_columns(columns: Sequence[Any], raw: Any, origin: str) -> np.ndarray:
    """The network inputs of the columns of a table, side by side, (N, sum of the widths) float64."""
    frame = require_columns(raw, [column.name for column in columns], origin)
    return np.concatenate([column.encode(frame[column.name], origin) for column in columns], axis=1)


@dataclass(frozen=True)
class Pixels(Column):
    """An image as one flat row of pixels: x ↦ x / scale, from 0..scale to 0..1."""

    kind = "pixels"
    count: int  # pixels of an image, n_1
    scale: float  # the largest raw value, > 0 (255 for bytes)
    shape: tuple[int, ...]  # (h, w) or (h, w, c); its product is `count`
    dtype: str = "float64"  # or "float32": what the encoded pixels are stored in

    def __post_init__(self):
        sound = self.shape and min(self.shape) > 0 and math.prod(self.shape) == self.count
        if not (sound and math.isfinite(self.scale) and self.scale > 0 and self.dtype in ("float32", "float64")):
            rule = "the count must be the product of the shape, the scale above 0, the dtype float32 or float64"
            raise DataError(f"the schema holds {self}: {rule}")

    @property
    def width(self) -> int:
        return self.count

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple("pixel " + ",".join(map(str, index)) for index in np.ndindex(*self.shape))

    @property
    def raw_columns(self) -> tuple[RawColumn, ...]:
        return tuple(RawColumn(name, 0.0, self.scale) for name in self.input_names)

    def encode(self, images: np.ndarray, origin: str) -> np.ndarray:
        """Scale raw images, (N, count) or (N, *shape) in 0..scale, to (N, count) in 0..1; others are a DataError."""
        images = np.asarray(images)
        if images.shape[1:] not in ((self.count,), self.shape):
            wanted = f"the model reads images of {self.count} pixels {self.shape}: give it images of that size"
            raise DataError(f"{origin} has the shape {images.shape}, but {wanted}")
        if images.dtype.kind not in "buif":
            raise DataError(f"{origin} holds {images.dtype} cells, but pixels are numbers: give a numeric array")
        flat = images.reshape(len(images), self.count)
        inside = (flat >= 0) & (flat <= self.scale)  # NaN is outside as well
        if not inside.all():
            row, pixel = np.argwhere(~inside)[0]
            found = f"{origin}: image {row}, pixel {pixel} holds {format_value(flat[row, pixel])}"
            raise DataError(f"{found}, outside 0..{self.scale:g}: give the raw pixels, not scaled ones")
        encoded = flat.astype(self.dtype)
        encoded /= self.scale
        return encoded
