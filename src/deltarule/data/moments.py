"""Mean, standard deviation and range of columns whose rows come in pieces, in one pass and in memory of one piece."""

import numpy as np

LEAST, MOST = -1022, 1023  # exponents of two whose power and its inverse are numbers of float64
ROUNDING = 1e-14  # a spread this small beside the largest magnitude is rounding


class Moments:
    """Running moments of `width` columns; pieces are merged by the formulas of Chan, Golub and LeVeque (1979).

    Each piece is measured about its own mean, so a column of 1e9 plus noise of 1 keeps its noise; and in units of a
    power of two above the column's largest magnitude, so the squares of 1e200 and of 1e-200 stay within float64.
    """

    def __init__(self, width: int):
        self.count = 0.0  # of rows, or the sum of their weights
        self.exponent = np.full(width, LEAST)  # of the unit of `mean` and, squared, of `squares`
        self.mean, self.squares = np.zeros(width), np.zeros(width)
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)

    def add(self, piece: np.ndarray, weight: np.ndarray | None = None) -> None:
        """More rows, (rows, width), finite, with weights (rows,) above 0; None weighs each by one."""
        if not len(piece):
            return
        these = Moments(piece.shape[1])
        these.count = float(len(piece) if weight is None else weight.sum())
        these.low, these.high = piece.min(axis=0), piece.max(axis=0)
        these._raise_units()
        piece = piece / np.ldexp(1.0, these.exponent)
        these.mean = np.average(piece, axis=0, weights=weight)
        squares = np.square(piece - these.mean)
        these.squares = squares.sum(axis=0) if weight is None else weight @ squares
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

    def scales(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each column, (width,); of one that does not vary its value, and 1."""
        std = np.ldexp(np.sqrt(self.squares / self.count), self.exponent)
        largest = np.maximum(np.abs(self.low), np.abs(self.high))
        scaled = (std > ROUNDING * largest) & (largest >= np.finfo(np.float64).tiny)
        return np.where(scaled, np.ldexp(self.mean, self.exponent), self.low), np.where(scaled, std, 1.0)


class BlockMoments:
    """Running moments of `width` columns, whose rows come block by block, blocks merged in pairs of neighbours.

    Which block is merged with which follows from their numbers alone. So the result is the same to the last bit whoever
    read the blocks, in whatever order; and errors of rounding grow with the logarithm of their number. A node
    (level, i) is what is known of blocks i · 2^level up to the next node's first. As soon as a node and its neighbour,
    i with its last bit turned, are there they become one of the next level, so few are held at a time.
    """

    def __init__(self, width: int):
        self.width = width
        self.nodes: dict[tuple[int, int], Moments] = {}
        self._number, self._open = -1, Moments(width)

    def add(self, number: int, piece: np.ndarray) -> None:
        """Rows of block `number`, (rows, width), finite; a block's pieces come one after another, in their order."""
        if number != self._number:
            self.close()
            self._number = number
        self._open.add(piece)

    def total(self) -> Moments:
        """The moments of all rows so far."""
        self.close()
        total = Moments(self.width)
        for place in sorted(self.nodes, key=lambda place: place[1] << place[0]):
            total.merge(self.nodes[place])
        return total

    def join(self, other: "BlockMoments") -> None:
        """Take in the blocks that another process read, which this one has to itself from now on."""
        self.close()
        other.close()
        for (level, i), moments in other.nodes.items():
            self._put(level, i, moments)

    def close(self) -> None:
        """The open block has no more pieces."""
        if self._number >= 0:
            self._put(0, self._number, self._open)
        self._number, self._open = -1, Moments(self.width)

    def _put(self, level: int, i: int, moments: Moments) -> None:
        while (neighbour := self.nodes.pop((level, i ^ 1), None)) is not None:
            first, second = (neighbour, moments) if i & 1 else (moments, neighbour)
            first.merge(second)
            level, i, moments = level + 1, i >> 1, first
        self.nodes[level, i] = moments
