"""Moments of a stream's columns, its blocks merged in pairs of neighbours.

Which block is merged with which follows from their numbers alone. So the result is the same to the last bit whoever
read the blocks, in whatever order; and errors of rounding grow with the logarithm of their number.
"""

from collections.abc import Mapping

import numpy as np

from deltarule.data.moments import Moments

PARTS = ("exponent", "mean", "squares", "low", "high")  # of `Moments`, one number for each column


class BlockMoments:
    """Running moments of `width` columns, whose rows come block by block.

    A node (level, i) is what is known of blocks i · 2^level up to the next node's first. As soon as a node and its
    neighbour, i with its last bit turned, are there they become one of the next level, so few are held at a time.
    """

    def __init__(self, width: int):
        """No rows yet."""
        self.width = width
        self._nodes: dict[tuple[int, int], Moments] = {}
        self._number, self._open = -1, Moments(width)

    def add(self, number: int, piece: np.ndarray) -> None:
        """Rows of block `number`, (rows, width), finite; a block's pieces come one after another, in their order."""
        if number != self._number:
            self._close()
            self._number = number
        self._open.add(piece)

    def total(self) -> Moments:
        """The moments of all rows so far."""
        self._close()
        total = Moments(self.width)
        for place in sorted(self._nodes, key=lambda place: place[1] << place[0]):
            total.merge(self._nodes[place])
        return total

    def arrays(self) -> dict[str, np.ndarray]:
        """All of it as arrays, for `join` in another process."""
        self._close()
        held = list(self._nodes.values())
        found = {name: np.array([getattr(m, name) for m in held]).reshape(-1, self.width) for name in PARTS}
        places = np.array(list(self._nodes), np.int64).reshape(-1, 2)
        return found | {"places": places, "counts": np.array([m.count for m in held], np.int64)}

    def join(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take in the blocks that another process read."""
        self._close()
        for row, (level, i) in enumerate(arrays["places"].tolist()):
            moments = Moments(self.width)
            moments.count = int(arrays["counts"][row])
            for name in PARTS:
                setattr(moments, name, arrays[name][row].copy())
            self._put(level, i, moments)

    def _close(self) -> None:
        """The open block has no more pieces."""
        if self._number >= 0:
            self._put(0, self._number, self._open)
        self._number, self._open = -1, Moments(self.width)

    def _put(self, level: int, i: int, moments: Moments) -> None:
        while (neighbour := self._nodes.pop((level, i ^ 1), None)) is not None:
            first, second = (neighbour, moments) if i & 1 else (moments, neighbour)
            first.merge(second)
            level, i, moments = level + 1, i >> 1, first
        self._nodes[level, i] = moments
