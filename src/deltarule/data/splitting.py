"""Split rows into training, validation and test rows: those of a table, and those of a stream block by block.

The held-out rows of each block of a stream are drawn at random, seeded by the block's number. So the parts are alike
whatever the order on disk, and every pass and every process holds out the same rows.
"""

import copy
from collections.abc import Iterator, Sequence
from typing import Any, Self

import numpy as np

from deltarule.checks import require_count
from deltarule.data.columns import standardise
from deltarule.data.schema import Schema
from deltarule.data.stream import Block, Piece, Stream
from deltarule.errors import DataError

HELD_OUT = 0.15  # the share of the validation part, and of the test part
SPLITS = ("random", "blocks")


def split(
    count: int, seed: int = 0, labels: Sequence[Any] | np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split the rows 0 .. count-1 at random: 70% train, 15% validation, 15% test.

    With labels the split is stratified: every class of three rows or more is split 70/15/15, up to rounding, with at
    least one row in each part. Smaller classes only train. If all classes are smaller, the split is not stratified.

    Args:
        count: N, at least 3.
        seed: a whole number >= 0; the same seed gives the same split.
        labels: (N,) class labels or codes, or None.

    Returns:
        Three int64 arrays, disjoint, non-empty, together 0 .. N-1, each in random order.

    >>> [len(part) for part in split(100, seed=1)]
    [70, 15, 15]
    """
    require_rows(count)
    generator = np.random.default_rng(require_count("seed", seed, least=0))
    if labels is None:
        return _cut(generator.permutation(count))
    if len(labels) != count:
        raise DataError(f"there are {len(labels)} labels for {count} rows: give one label per row")
    codes = np.unique(np.asarray(labels), return_inverse=True)[1].reshape(-1)
    cuts = []
    for code in range(codes.max() + 1):
        members = generator.permutation(np.flatnonzero(codes == code))
        cuts.append(_cut(members) if len(members) >= 3 else (members, members[:0], members[:0]))
    train, validation, test = (generator.permutation(np.concatenate(part)) for part in zip(*cuts, strict=True))
    if not len(validation):  # every class has one or two rows
        return _cut(generator.permutation(count))
    return train, validation, test


def split_in_order(count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split rows in their order: the first 70% train, the next 15% validate, the last 15% test.

    For rows in the order of time, whose neighbours are alike: with a random split held-out rows lie between training
    rows, and their scores are too good.

    >>> blocks(7)
    (array([0, 1, 2, 3, 4]), array([5]), array([6]))
    """
    require_rows(count)
    held = held_out_count(count)
    train, validation, test = np.split(np.arange(count), [count - 2 * held, count - held])
    return train, validation, test


def require_rows(count: int) -> None:
    """Raise a DataError about fewer than three rows."""
    if count < 3:
        raise DataError(f"there are {count} rows, but training, validation and test need at least 3: add rows")


def held_out_count(count: int) -> int:
    """The number of validation rows, and of test rows, of `count` rows: 15%, at least one."""
    return max(1, round(HELD_OUT * count))


def _cut(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Split three or more shuffled rows 70/15/15, with at least one row in each part."""
    held = held_out_count(len(rows))
    return rows[2 * held :], rows[:held], rows[held : 2 * held]


TRAINING, VALIDATION, TEST = 0, 1, 2
MAX_PART_BYTES = 2**25  # of memory for the validation part, and for the test part, as float64


class PartAssignment:
    """Assigns each row of a stream to a part, block by block; validation and test keep `held` of `drawn` rows each."""

    def __init__(self, stream: Stream, seed: int):
        N = len(stream)
        require_rows(N)
        self.seed, self.inputs = seed, stream.inputs
        self.drawn = self.held = max(1, min(held_out_count(N), _rows_that_fit(stream.inputs + stream.targets)))
        ends = np.cumsum([0, *(block.rows for block in stream.blocks)])
        # The number of rows drawn before each block: the same share of every block, up to rounding.
        self.drawn_before = [2 * self.drawn * int(end) // N for end in ends]

    def limited_to(self, outputs: int) -> "PartAssignment":
        """The same assignment with fewer held-out rows, if rows with so many outputs need more memory."""
        limited = copy.copy(self)
        limited.held = max(1, min(self.held, _rows_that_fit(self.inputs + outputs)))
        return limited

    def count(self, number: int) -> int:
        """The number of held-out rows of this block."""
        return len(self._held_draws(number)[0])

    def of_block(self, number: int, rows: int) -> np.ndarray:
        """TRAINING, VALIDATION or TEST for each row of this block, (rows,)."""
        part = np.zeros(rows, np.uint8)
        positions, draws = self._held_draws(number)
        permutation = np.random.default_rng((self.seed, number)).permutation(rows)
        part[permutation[positions]] = np.where(draws % 2 == 0, VALIDATION, TEST)
        return part

    def row_numbers(self, stream: Stream, part: int) -> np.ndarray:
        """The numbers of all rows of one part, ascending."""
        rows, start = [], 0
        for number, block in enumerate(stream.blocks):
            rows.append(start + np.flatnonzero(self.of_block(number, block.rows) == part))
            start += block.rows
        return np.concatenate(rows)

    def _held_draws(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """The draws of this block that are held out: their positions in it, and their numbers among all draws."""
        draws = np.arange(self.drawn_before[number], self.drawn_before[number + 1])
        pair = draws // 2  # one draw for validation and one for test; both are held out, or neither
        positions = np.flatnonzero((pair + 1) * self.held // self.drawn > pair * self.held // self.drawn)
        return positions, draws[positions]


def _rows_that_fit(columns: int) -> int:
    """The rows of so many float64 that fit into `MAX_PART_BYTES`."""
    return MAX_PART_BYTES // (8 * columns)


def pieces_with_parts(
    stream: Stream, parts: PartAssignment, number: int, block: Block
) -> Iterator[tuple[Piece, np.ndarray]]:
    """The pieces of a block of the stream, each with the part that every row belongs to."""
    part, start = parts.of_block(number, block.rows), 0
    for x, y in stream.pieces(block):
        yield (x, y), part[start : start + len(x)]
        start += len(x)


class TrainingStream(Stream):
    """The training rows of a stream, standardised by a schema of numeric columns; classes are numbers from 0.

    `digest` is the digest of all rows of the stream, if a pass over them has computed it.
    """

    def __init__(self, stream: Stream, parts: PartAssignment, schema: Schema, digest: str | None = None):
        self.stream, self.parts, self.schema = stream, parts, schema
        split = f"{parts.held} and {parts.held} of {len(stream)} rows held out by seed {parts.seed}"
        self.digest = None if digest is None else f"{digest}, {split}"
        self.inputs, self.targets = stream.inputs, stream.targets
        training = ((i, block.rows - parts.count(i), block) for i, block in enumerate(stream.blocks))
        self.blocks = tuple(Block(rows, (i, block)) for i, rows, block in training if rows)

    def pieces(self, block: Block) -> Iterator[Piece]:
        """The training rows of the block, encoded."""
        for (x, y), part in pieces_with_parts(self.stream, self.parts, *block.place):
            training = part == TRAINING
            yield standardise(self.schema.inputs, x[training]), encode_targets(self.schema, y[training])

    def shard(self, index: int, count: int) -> Self:
        """The training rows in that shard of the stream."""
        shard = set(self.stream.shard(index, count).blocks)
        return self.with_blocks(block for block in self.blocks if block.place[1] in shard)


def encode_targets(schema: Schema, y: np.ndarray) -> np.ndarray:
    """The targets standardised, (rows, k) float64, or as numbers of classes from 0, (rows, 1) int."""
    y = y.reshape(len(y), -1)
    return standardise(schema.targets, y) if schema.classes is None else np.searchsorted(np.array(schema.classes), y)
