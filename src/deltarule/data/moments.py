"""Mean, standard deviation and range of columns whose rows come in pieces, in one pass and in memory of one piece."""

import numpy as np

from deltarule.data.columns import NumericColumn


class Moments:
    """Running moments of `width` columns; pieces are merged by the formulas of Chan, Golub and LeVeque (1979).

    Each piece is measured about its own mean, so a column of 1e9 plus noise of 1 keeps its noise.
    """

    def __init__(self, width: int):
        """No rows yet."""
        self.count = 0
        self.mean, self.squares = np.zeros(width), np.zeros(width)
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)

    def add(self, piece: np.ndarray) -> None:
        """More rows, (rows, width), finite."""
        if not len(piece):
            return
        mean = piece.mean(axis=0, dtype=np.float64)
        squares = np.square(piece - mean).sum(axis=0)
        total = self.count + len(piece)
        apart = mean - self.mean
        self.squares += squares + apart**2 * (self.count * len(piece) / total)
        self.mean += apart * (len(piece) / total)
        self.low, self.high = np.minimum(self.low, piece.min(axis=0)), np.maximum(self.high, piece.max(axis=0))
        self.count = total

    def columns(self, names: tuple[str, ...]) -> tuple[NumericColumn, ...]:
        """What standardises each column; a constant one is shifted, not scaled.

        Raises:
            DataError: a column reaches so far that its square is no finite number.
        """
        constant = self.low == self.high
        std = np.where(constant, 1.0, np.sqrt(self.squares / self.count))
        mean = np.where(constant, self.low, self.mean)
        described = zip(names, mean, np.where(std > 0, std, 1.0), self.low, self.high, strict=True)
        return tuple(NumericColumn(name, *map(float, numbers)) for name, *numbers in described)
