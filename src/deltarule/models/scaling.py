"""`Scaling`: standardise columns, x ↦ (x - mean) / std, with weighted rows, and back."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deltarule.data.moments import Moments

if TYPE_CHECKING:
    from deltarule.data.columns import NumericColumn


class Scaling(NamedTuple):
    """The mean, the standard deviation and the range of each column, (c,); std is 1 for a constant column."""

    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def fit(cls, values: np.ndarray, weight: np.ndarray) -> "Scaling":
        """Measure the columns of `values`, (N, c) float64, with weights (N,) above 0; NaN is a missing value."""
        if np.isnan(values).any():
            known = ~np.isnan(values)
            columns = [cls.fit(values[k, j : j + 1], weight[k]) for j, k in enumerate(known.T)]
            return cls(*(np.concatenate(entries) for entries in zip(*columns, strict=True)))
        moments = Moments(values.shape[1])
        moments.add(values, weight)
        return cls(*moments.scales(), moments.low, moments.high)

    @classmethod
    def fit_by_mean(cls, values: np.ndarray, weight: np.ndarray) -> "Scaling":
        """Measure counts and rates, (N, c) of at least 0, for x ↦ x / mean, which keeps 0 at 0.

        For exponential outputs this is an offset of ln(mean) in z.
        """
        scaling, known = cls.fit(values, weight), ~np.isnan(values)
        mean = (weight @ np.where(known, values, 0)) / (weight @ known)
        return scaling._replace(mean=np.zeros_like(mean), std=np.where(mean > 0, mean, 1.0))

    @classmethod
    def from_columns(cls, columns: "Iterable[NumericColumn]") -> "Scaling":
        """The scaling in the columns of a schema."""
        return cls(*np.array([(c.mean, c.std, c.low, c.high) for c in columns], float).reshape(-1, 4).T)

    def to_columns(self, names: Sequence[str]) -> "tuple[NumericColumn, ...]":
        """The columns of a schema with this scaling and these names."""
        from deltarule.data.columns import NumericColumn

        numbers = zip(names, *(entry.tolist() for entry in self), strict=True)
        return tuple(NumericColumn(*column) for column in numbers)

    def weight_columns(self, weight: np.ndarray) -> "Scaling":
        """Make scaled columns √weight times as large, so that their squared errors count as much as `weight`, (c,)."""
        return self._replace(std=self.std / np.sqrt(weight))

    def extend_range(self, values: np.ndarray) -> "Scaling":
        """The same scaling with a range that contains the columns of `values` too, (N, c)."""
        low, high = np.fmin(self.low, np.fmin.reduce(values)), np.fmax(self.high, np.fmax.reduce(values))
        return self._replace(low=low, high=high)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Scale values, (N, c)."""
        return (values - self.mean) / self.std

    def decode(self, scaled: np.ndarray) -> np.ndarray:
        """Return scaled values to the columns' own units, (N, c)."""
        return self.mean + self.std * scaled
