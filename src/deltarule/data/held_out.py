"""Which rows of a stream are held out for validation and test, and the stream of the others, encoded by a schema.

The rows of every block are drawn at random, so that the parts are alike whatever the order on disk, and by the block's
number, so that every pass and every process holds out the same ones.
"""

import copy
from collections.abc import Iterator
from typing import Self

import numpy as np

from deltarule.data.columns import standardise
from deltarule.data.schema import Schema
from deltarule.data.splitting import held_out_count, require_rows
from deltarule.data.stream import Block, Piece, Stream

TRAINING, VALIDATION, TEST = 0, 1, 2
MAX_PART_BYTES = 2**25  # that the validation part, and the test part, may take in memory as float64


class PartAssignment:
    """The part of every row of a stream of at least 3 rows, drawn by a seed when its block is read."""

    def __init__(self, stream: Stream, seed: int):
        N = len(stream)
        require_rows(N)
        self.seed, self.inputs = seed, stream.inputs
        self.drawn = self.held = max(1, min(held_out_count(N), _rows_that_fit(stream.inputs + stream.targets)))
        ends = np.cumsum([0, *(block.rows for block in stream.blocks)])
        # Before each block, how many rows are drawn in all: the same share of every block, as whole rows allow.
        self.before = [2 * self.drawn * int(end) // N for end in ends]

    def limited_to(self, outputs: int) -> "PartAssignment":
        """The same parts, or where a row with so many targets takes more memory as many of their rows as may stay."""
        parts = copy.copy(self)
        parts.held = max(1, min(self.held, _rows_that_fit(self.inputs + outputs)))
        return parts

    def count(self, number: int) -> int:
        """How many rows of this block are held out."""
        return len(self._held(number)[0])

    def of_block(self, number: int, rows: int) -> np.ndarray:
        """TRAINING, VALIDATION or TEST for each row of this block, (rows,)."""
        part = np.zeros(rows, np.uint8)
        places, draws = self._held(number)
        drawn = np.random.default_rng((self.seed, number)).permutation(rows)
        part[drawn[places]] = np.where(draws % 2 == 0, VALIDATION, TEST)
        return part

    def row_numbers(self, stream: Stream, which: int) -> np.ndarray:
        """The numbers of all rows of one part, ascending."""
        found, start = [], 0
        for number, block in enumerate(stream.blocks):
            found.append(start + np.flatnonzero(self.of_block(number, block.rows) == which))
            start += block.rows
        return np.concatenate(found)

    def _held(self, number: int) -> tuple[np.ndarray, np.ndarray]:
        """Of the rows drawn in this block those that stay: their places among them, and their numbers among all."""
        draws = np.arange(self.before[number], self.before[number + 1])
        pair = draws // 2  # one for validation and one for test, which stay or go together
        places = np.flatnonzero((pair + 1) * self.held // self.drawn > pair * self.held // self.drawn)
        return places, draws[places]


def _rows_that_fit(columns: int) -> int:
    """The rows of so many float64 that one part may have."""
    return MAX_PART_BYTES // (8 * columns)


def pieces_with_parts(
    stream: Stream, parts: PartAssignment, number: int, block: Block
) -> Iterator[tuple[Piece, np.ndarray]]:
    """The pieces of a block of the stream, each with the part that every row belongs to."""
    part, at = parts.of_block(number, block.rows), 0
    for x, y in stream.pieces(block):
        yield (x, y), part[at : at + len(x)]
        at += len(x)


class TrainingStream(Stream):
    """The rows of a stream that are not held out, standardised by a schema of numeric columns, classes from 0.

    `digest` is that of all rows of the stream, where a pass over them has taken it.
    """

    def __init__(self, stream: Stream, parts: PartAssignment, schema: Schema, digest: str | None = None):
        self.stream, self.parts, self.schema = stream, parts, schema
        split = f"{parts.held} and {parts.held} of {len(stream)} rows held out by seed {parts.seed}"
        self.digest = None if digest is None else f"{digest}, {split}"
        self.inputs, self.targets = stream.inputs, stream.targets
        kept = ((i, block.rows - parts.count(i), block) for i, block in enumerate(stream.blocks))
        self.blocks = tuple(Block(rows, (i, block)) for i, rows, block in kept if rows)

    def pieces(self, block: Block) -> Iterator[Piece]:
        """The rows of the block that train, encoded."""
        for (x, y), part in pieces_with_parts(self.stream, self.parts, *block.place):
            training = part == TRAINING
            yield standardise(self.schema.inputs, x[training]), encode_targets(self.schema, y[training])

    def shard(self, i: int, of: int) -> Self:
        """What is left of the blocks of that share of the stream."""
        mine = set(self.stream.shard(i, of).blocks)
        return self.with_blocks(block for block in self.blocks if block.place[1] in mine)


def encode_targets(schema: Schema, y: np.ndarray) -> np.ndarray:
    """Standardised targets, (rows, k) float64, or the numbers of the classes from 0, (rows, 1) int."""
    y = y.reshape(len(y), -1)
    return standardise(schema.targets, y) if schema.classes is None else np.searchsorted(np.array(schema.classes), y)
