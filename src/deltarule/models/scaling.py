"""Standardising columns: x ↦ (x - mean) / std, with weights, and back."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from deltarule.data.moments import Moments

if TYPE_CHECKING:
    from deltarule.data.columns import NumericColumn


class Scaling(NamedTuple):
    """The mean, the standard deviation and the range of each column, (c,); std is 1 for a column that does not vary."""

    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray

    @classmethod
    def measured(cls, values: np.ndarray, weight: np.ndarray) -> "Scaling":
        """Measure the columns of `values`, (N, c) float64, with weights (N,) above 0; NaN is a missing target."""
        if np.isnan(values).any():
            known = ~np.isnan(values)
            columns = [cls.measured(values[k, j : j + 1], weight[k]) for j, k in enumerate(known.T)]
            return cls(*(np.concatenate(entries) for entries in zip(*columns, strict=True)))
        moments = Moments(values.shape[1])
        moments.add(values, weight)
        return cls(*moments.scales(), moments.low, moments.high)

    @classmethod
    def by_mean(cls, values: np.ndarray, weight: np.ndarray) -> "Scaling":
        """That of counts and rates, (N, c) of at least 0, where 0 has to stay 0: x ↦ x / mean.

        For exponential outputs it is an offset of ln(mean) in z.
        """
        measured, known = cls.measured(values, weight), ~np.isnan(values)
        mean = (weight @ np.where(known, values, 0)) / (weight @ known)
        return measured._replace(mean=np.zeros_like(mean), std=np.where(mean > 0, mean, 1.0))

    @classmethod
    def of_columns(cls, columns: "Iterable[NumericColumn]") -> "Scaling":
        """That of the columns of a schema."""
        return cls(*np.array([(c.mean, c.std, c.low, c.high) for c in columns], float).reshape(-1, 4).T)

    def columns(self, names: Sequence[str]) -> "tuple[NumericColumn, ...]":
        """The columns of a schema with these names."""
        from deltarule.data.columns import NumericColumn

        numbers = zip(names, *(entry.tolist() for entry in self), strict=True)
        return tuple(NumericColumn(*column) for column in numbers)

    def stressed(self, weight: np.ndarray) -> "Scaling":
        """The same with scaled columns √weight times as large, so that their squared errors count as `weight`, (c,)."""
        return self._replace(std=self.std / np.sqrt(weight))

    def widened(self, values: np.ndarray) -> "Scaling":
        """The same scaling, its range grown to hold the columns of `values` too, (N, c)."""
        low, high = np.fmin(self.low, np.fmin.reduce(values)), np.fmax(self.high, np.fmax.reduce(values))
        return self._replace(low=low, high=high)

    def encode(self, values: np.ndarray) -> np.ndarray:
        """Standardise, (N, c)."""
        return (values - self.mean) / self.std

    def decode(self, scaled: np.ndarray) -> np.ndarray:
        """Back into the columns' own units, (N, c)."""
        return self.mean + self.std * scaled
