"""Mean, standard deviation and range of columns whose rows come in pieces, in one pass and with little memory."""

import numpy as np

LEAST, MOST = -1022, 1023  # exponents of two whose power and its inverse are float64 numbers
ROUNDING = 1e-14  # a standard deviation below this share of the largest magnitude is rounding


class Moments:
    """Running moments of `width` columns; pieces are merged by the formulas of Chan, Golub and LeVeque (1979).

    Each piece is measured about its own mean, so a column of 1e9 plus noise of 1 keeps its noise. Its unit is a power
    of two above the column's largest magnitude, so the squares of 1e200 and of 1e-200 stay within float64.
    """

    def __init__(self, width: int):
        self.count = 0.0  # the number of rows, or the sum of their weights
        self.exponent = np.full(width, LEAST)  # the unit of `mean` is 2**exponent, that of `squares` its square
        self.mean, self.squares = np.zeros(width), np.zeros(width)
        self.low, self.high = np.full(width, np.inf), np.full(width, -np.inf)

    def add(self, piece: np.ndarray, weight: np.ndarray | None = None) -> None:
        """Add rows, (rows, width), finite, with weights (rows,) above 0 or equal weights."""
        if not len(piece):
            return
        added = Moments(piece.shape[1])
        added.count = float(len(piece) if weight is None else weight.sum())
        added.low, added.high = piece.min(axis=0), piece.max(axis=0)
        added._raise_units()
        piece = piece / np.ldexp(1.0, added.exponent)
        added.mean = np.average(piece, axis=0, weights=weight)
        squares = np.square(piece - added.mean)
        added.squares = squares.sum(axis=0) if weight is None else weight @ squares
        self.merge(added)

    def merge(self, other: "Moments") -> None:
        """Add the rows that `other` has measured."""
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
        """Raise the units until every number is below two units; units are powers of two, so nothing is rounded."""
        largest = np.maximum(np.abs(self.low), np.abs(self.high))
        exponent = np.where(largest > 0, np.clip(np.frexp(largest)[1], LEAST, MOST), LEAST)
        self.mean = np.ldexp(self.mean, self.exponent - exponent)
        self.squares = np.ldexp(self.squares, 2 * (self.exponent - exponent))
        self.exponent = exponent

    def scales(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each column, (width,); for a constant column its value and 1."""
        std = np.ldexp(np.sqrt(self.squares / self.count), self.exponent)
        largest = np.maximum(np.abs(self.low), np.abs(self.high))
        scaled = (std > ROUNDING * largest) & (largest >= np.finfo(np.float64).tiny)
        return np.where(scaled, np.ldexp(self.mean, self.exponent), self.low), np.where(scaled, std, 1.0)


class BlockMoments:
    """Running moments of `width` columns whose rows come block by block, merged in a fixed tree order.

    The order depends on the blocks' numbers alone. So every process gets the same bits, in whatever order blocks are
    read, and rounding errors grow with the logarithm of the number of blocks. Node (level, i) of the tree has the
    moments of the 2^level blocks from i 2^level on. A node and its neighbour, i with its last bit flipped, are merged
    into a node of the next level as soon as both are there, so few nodes are in memory.
    """

    def __init__(self, width: int):
        self.width = width
        self.nodes: dict[tuple[int, int], Moments] = {}
        self._number, self._open = -1, Moments(width)

    def add(self, number: int, piece: np.ndarray) -> None:
        """Add rows of block `number`, (rows, width), finite; the pieces of a block come in a row, in their order."""
        if number != self._number:
            self.close()
            self._number = number
        self._open.add(piece)

    def total(self) -> Moments:
        """The moments of all rows so far."""
        self.close()
        total = Moments(self.width)
        for node in sorted(self.nodes, key=lambda node: node[1] << node[0]):
            total.merge(self.nodes[node])
        return total

    def join(self, other: "BlockMoments") -> None:
        """Add the blocks that another process has read; `other` must not be used afterwards."""
        self.close()
        other.close()
        for (level, i), moments in other.nodes.items():
            self._put(level, i, moments)

    def close(self) -> None:
        """Finish the block that is being read."""
        if self._number >= 0:
            self._put(0, self._number, self._open)
        self._number, self._open = -1, Moments(self.width)

    def _put(self, level: int, i: int, moments: Moments) -> None:
        while (neighbour := self.nodes.pop((level, i ^ 1), None)) is not None:
            first, second = (neighbour, moments) if i & 1 else (moments, neighbour)
            first.merge(second)
            level, i, moments = level + 1, i >> 1, first
        self.nodes[level, i] = moments
