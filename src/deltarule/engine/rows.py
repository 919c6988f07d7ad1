"""The examples of a training, laid out for the engine that computes with them."""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

from deltarule import engine
from deltarule.arrays import Array

# How many examples are linearised at once: their rows of the Jacobian, or their errors, are one block of work.
# A block that stays in the caches is faster: on two cores a primal step of 8-20-1 with 500,000 examples takes 555 ms
# in blocks of 2^24 bytes and 703 in blocks of 2^27, one of 4-10-1 with 100,000 takes 37 and 103. But every block is
# added to an n x n matrix, which must stay the smaller part of the work.
BLOCK_BYTES, LARGEST_BLOCK_BYTES = 2**24, 2**27
BLOCK_ROWS = 1024  # at least, as far as the largest block holds them


class Rows(NamedTuple):
    """Inputs, targets and weights of `count` examples; on JAX followed by padding rows that weigh nothing.

    x is (rows, ...), y is (rows, k), weight is (rows,) or None when every example weighs one. On JAX count is a traced
    whole number, so a table that grew by a row compiles nothing new; with `shards` the rows are divided among devices,
    and each device's share ends with its own padding.
    """

    x: Array
    y: Array
    weight: Array | None
    count: Array  # pyright: ignore[reportIncompatibleMethodOverride]
    shards: Any = None

    @property
    def mask(self) -> Array:
        """The weight of every row, zero for padding: (rows,)."""
        real = engine.of(self.x).real(self)
        return real if self.weight is None else real * self.weight

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Of one example's inputs."""
        return self.x.shape[1:]

    @property
    def outputs(self) -> int:
        """How many rows of outputs there are: one for each row, or one for each of its steps."""
        return prod(self.y.shape[:-1])

    def everywhere(self, tree: Any) -> Any:
        """The tree, whole on every device that the rows are divided among; as it is where they are not."""
        return tree if self.shards is None else self.shards.everywhere(tree)


def padded_size(count: int) -> int:
    """The smallest number of rows that JAX lays out for `count`: a multiple of 8, later of an eighth of the size.

    >>> [padded_size(n) for n in (1, 10, 1000, 1001, 50_000)]
    [8, 16, 1024, 1024, 53248]
    """
    unit = max(8, 2 ** ((count - 1).bit_length() - 4)) if count > 1 else 8
    return -(-count // unit) * unit


def block_size(rows: int, largest: int) -> int:
    """All the rows if `largest` holds them, else the largest power of two up to it that divides their number.

    Padded sizes are eight to sixteen times a power of two, so that is never small beside `largest`. Of other sizes,
    such as that of a mini-batch, it may be: those are cut evenly, and the last block is shorter, or padded on JAX.

    >>> [block_size(n, 1000) for n in (500, 4096, 13 * 256, 2500, 2501)]
    [500, 512, 256, 834, 834]
    """
    if rows <= largest:
        return rows
    dividing = min(2 ** (largest.bit_length() - 1), rows & -rows)
    return dividing if 16 * dividing >= largest else -(-rows // -(-rows // largest))


def block_bytes(width: int, itemsize: int = 8) -> int:
    """The bytes of a block of rows of `width` numbers."""
    return min(max(BLOCK_BYTES, BLOCK_ROWS * width * itemsize), LARGEST_BLOCK_BYTES)


def examples_at_once(width: int, outputs: int, itemsize: int = 8) -> int:
    """The examples of a block, at least one, where each has `outputs` rows of `width` numbers."""
    return max(1, block_bytes(width, itemsize) // (itemsize * outputs * width))


def linearized_at_once(rows: int, width: int, outputs: int) -> int:
    """Of so many rows those of a block, where each example has `outputs` rows of `width` numbers."""
    return block_size(rows, examples_at_once(width, outputs))


def sum_over_blocks(rows: Rows, block: int, part: Callable[[Array, Array, Array], Any]) -> Any:
    """The sum of part(x, y, weight) over blocks of `block` rows: memory is one block's, whatever the number of rows.

    Rows divided among devices are summed on each, in blocks of at most `block`, and the sums added once.
    """
    return engine.of(rows.x).sum_over_blocks(rows, block, part)
