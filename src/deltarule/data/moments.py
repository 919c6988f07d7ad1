"""Mean, standard deviation and range of columns whose rows come in pieces, in one pass and in memory of one piece."""

import numpy as np

from deltarule.data.columns import NumericColumn
from deltarule.data.spread import varies

LEAST, MOST = -1022, 1023  # exponents of two whose power and its inverse are numbers of float64


class Moments:
    """Running moments of `width` columns; pieces are merged by the formulas of Chan, Golub and LeVeque (1979).

    Each piece is measured about its own mean, so a column of 1e9 plus noise of 1 keeps its noise; and in units of a
    power of two above the column's largest magnitude, so the squares of 1e200 and of 1e-200 stay within float64.
    """

    def __init__(self, width: int):
        """No rows yet."""
        self.count = 0
        self.exponent = np.full(width, LEAST)  # of the unit of `mean` and, squared, of `squares`
        self.mean, self.squares = np.zeros(width), np.zeros(width)
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)

    def add(self, piece: np.ndarray) -> None:
        """More rows, (rows, width), finite."""
        if not len(piece):
            return
        these = Moments(piece.shape[1])
        these.count, these.low, these.high = len(piece), piece.min(axis=0), piece.max(axis=0)
        these._raise_units()
        piece = piece / np.ldexp(1.0, these.exponent)
        these.mean = piece.mean(axis=0)
        these.squares = np.square(piece - these.mean).sum(axis=0)
        self.merge(these)

    def merge(self, other: "Moments") -> None:
        """The rows that another one measured."""
        if not other.count:
            return
        self.low, self.high = np.minimum(self.low, other.low), np.maximum(self.high, other.high)
        self._raise_units()
        raised = other.exponent - self.exponent
        total = self.count + other.count
        apart = np.ldexp(other.mean, raised) - self.mean
        self.squares += np.ldexp(other.squares, 2 * raised) + apart**2 * (self.count * other.count / total)
        self.mean += apart * (other.count / total)
        self.count = total

    def _raise_units(self) -> None:
        """Units of which no number so far is two or more; powers of two, so nothing is rounded."""
        largest = np.maximum(np.abs(self.low), np.abs(self.high))
        exponent = np.where(largest > 0, np.clip(np.frexp(largest)[1], LEAST, MOST), LEAST)
        self.mean = np.ldexp(self.mean, self.exponent - exponent)
        self.squares = np.ldexp(self.squares, 2 * (self.exponent - exponent))
        self.exponent = exponent

    def columns(self, names: tuple[str, ...]) -> tuple[NumericColumn, ...]:
        """What standardises each column, by the rules of `NumericColumn.measured`."""
        std = np.ldexp(np.sqrt(self.squares / self.count), self.exponent)
        scaled = varies(std, np.maximum(np.abs(self.low), np.abs(self.high)))
        mean = np.where(scaled, np.ldexp(self.mean, self.exponent), self.low)
        described = zip(names, mean, np.where(scaled, std, 1.0), self.low, self.high, strict=True)
        return tuple(
            NumericColumn(name, float(mean), float(std), float(low), float(high))
            for name, mean, std, low, high in described
        )
