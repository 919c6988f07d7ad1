"""The examples of a training as an engine stores them, and the batches and blocks of the NumPy engine.

`jax_batches` has the same functions for JAX's arrays.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deltarule import trees
from deltarule.arrays import Array

# The size of a block of examples that are linearised together, by the bytes of their rows of the Jacobian or of their
# errors. A block that stays in the caches is faster: on two cores a primal step of 8-20-1 with 500,000 examples takes
# 555 ms in blocks of 2^24 bytes and 703 in blocks of 2^27, one of 4-10-1 with 100,000 takes 37 and 103. But every block
# is added to an n x n matrix, which must stay the smaller part of the work.
BLOCK_BYTES, LARGEST_BLOCK_BYTES = 2**24, 2**27
BLOCK_ROWS = 1024  # a block has at least so many rows, if the largest block holds them


class Rows(NamedTuple):
    """Inputs, targets and weights of `count` examples; on JAX followed by padding rows of weight 0.

    x is (rows, ...), y is (rows, k), weight is (rows,) or None if all weights are 1. On JAX count is a traced whole
    number, so a table with one row more compiles nothing new; with `shards` the rows are divided among devices, and
    each device's share ends with its own padding.
    """

    x: Array
    y: Array
    weight: Array | None
    count: Array  # pyright: ignore[reportIncompatibleMethodOverride]
    shards: Any = None

    @property
    def mask(self) -> Array:
        """The weight of every row, zero for padding: (rows,)."""
        xp, size = self.x.__array_namespace__(), self.x.shape[0]
        real = xp.arange(size) < self.count if self.shards is None else self.shards.real(size)
        real = real.astype(self.x.dtype)
        return real if self.weight is None else real * self.weight

    @property
    def mesh(self) -> Any:
        """The mesh of the devices among which the rows are divided, or None."""
        return None if self.shards is None else self.shards.mesh

    def replicate(self, tree: Any) -> Any:
        """Inside compiled code, the tree with a whole copy on every device of the rows."""
        return tree if self.shards is None else self.shards.replicate(tree)


def padded_size(count: int) -> int:
    """The number of rows that JAX stores for `count` examples: the next multiple of 8, later of a larger unit.

    >>> [padded_size(n) for n in (1, 10, 1000, 1001, 50_000)]
    [8, 16, 1024, 1024, 53248]
    """
    unit = max(8, 2 ** ((count - 1).bit_length() - 4)) if count > 1 else 8
    return -(-count // unit) * unit


def block_size(rows: int, largest: int) -> int:
    """How many rows a block has: all if there are at most `largest`, else a power of two that divides their number.

    Padded sizes are eight to sixteen times a power of two, so this is never much below `largest`. For other sizes, such
    as that of a mini-batch, it can be: they are cut evenly, and the last block is shorter, or padded on JAX.

    >>> [block_size(n, 1000) for n in (500, 4096, 13 * 256, 2500, 2501)]
    [500, 512, 256, 834, 834]
    """
    if rows <= largest:
        return rows
    dividing = min(2 ** (largest.bit_length() - 1), rows & -rows)
    return dividing if 16 * dividing >= largest else -(-rows // -(-rows // largest))


def block_bytes(width: int, itemsize: int = 8) -> int:
    """The bytes of a block whose rows have `width` numbers."""
    return min(max(BLOCK_BYTES, BLOCK_ROWS * width * itemsize), LARGEST_BLOCK_BYTES)


def examples_per_block(width: int, outputs: int, itemsize: int = 8) -> int:
    """How many examples a block has, at least one, if each has `outputs` rows of `width` numbers."""
    return max(1, block_bytes(width, itemsize) // (itemsize * outputs * width))


def linearization_block(rows: int, width: int, outputs: int) -> int:
    """How many of `rows` examples are linearised together, if each has `outputs` rows of `width` numbers."""
    return block_size(rows, examples_per_block(width, outputs))


Record = dict[str, Array]


class TimeLimitReached(Exception):
    """The time limit passed within an epoch."""


def no_time_limit() -> None:
    """Check nothing: there is no time limit."""


class EpochContext(NamedTuple):
    """The arguments of an epoch besides the state; they depend on the number of the epoch alone.

    order has the number of the example at every place of the epoch, (places,) int32, or is None if the trainer needs no
    order. key is for layers that draw random numbers. check_time is called between the pieces of an epoch and raises
    `TimeLimitReached`.
    """

    order: Array | None
    key: Any
    check_time: Callable[[], None] = no_time_limit


class Batches(NamedTuple):
    """The mini-batches of an epoch: `steps` batches of m examples in the order of the context; the last may be shorter.

    `replace` says that the order was drawn with replacement; `total` is the weight of all examples.
    """

    rows: Any
    context: Any
    m: int
    steps: Any
    replace: bool
    total: Any


GATHERED_ROWS = 512  # how many examples of several small batches are gathered together


# The NumPy engine's functions


def make_rows(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, rows: int | None = None) -> Rows:
    """The examples as `Rows`; JAX pads them to `rows` rows, NumPy does not."""
    return Rows(x, y, weight, len(x))


def take_batch(rows: Any, order: np.ndarray, i: int, m: int, drawn: int) -> Any:
    """Batch i of an order: m examples of its first `drawn` places; the last batch may be shorter."""
    index = order[i * m : min((i + 1) * m, drawn)]
    weight = None if rows.weight is None else rows.weight[index]
    return rows._replace(x=rows.x[index], y=rows.y[index], weight=weight, count=len(index))


def full_gradient(gradient: Callable[..., Any], params: Any, rows: Any, weight: np.ndarray, key: Any) -> Any:
    """gradient(params, x, y, weight, key) of all rows at once."""
    return gradient(params, rows.x, rows.y, weight, key)


def train_on_chunk(
    net: Any, trainer: Any, state: Any, rows: Any, order: np.ndarray | None, key: Any
) -> tuple[Any, Any]:
    """Train on a chunk of a stream for one epoch of mini-batches; return the new state and the record."""
    return trainer.epoch(net, state, rows, EpochContext(order, key))


def each_batch(gradient: Callable[..., Any], batches: Batches, step: Callable[..., Any], carry: Any) -> Any:
    """carry ← step(carry, C, ∇C, share) for each of the batches.

    `gradient` is (params, x, y, weight, key) ↦ sum_i w_i C_i and its gradient. `step` takes the mean cost of a batch at
    carry[0].params, its gradient, and the share by which they are means: the number of its examples times the mean
    weight of all examples, see `deltarule.trainers.base.batches`.
    """
    rows, context, m = batches.rows, batches.context, batches.m
    mean_weight = batches.total / len(rows.x)
    places = min(batches.steps * m, len(context.order))
    gathered = m * max(1, GATHERED_ROWS // m)
    dtype, full_weight = rows.x.dtype, np.full(m, 1 / (m * mean_weight), rows.x.dtype)
    for begin in range(0, places, gathered):
        index = context.order[begin : begin + gathered]
        x, y = rows.x[index], rows.y[index]
        weights = None if rows.weight is None else rows.weight[index]
        for first in range(0, len(index), m):
            context.check_time()
            batch = slice(first, first + m)
            share = len(x[batch]) * mean_weight
            weight = full_weight if len(x[batch]) == m else np.full(len(x[batch]), 1 / share, dtype)
            if weights is not None:
                weight = weight * weights[batch]
            key = None if context.key is None else (*context.key, (begin + first) // m)
            cost, grads = gradient(carry[0].params, x[batch], y[batch], weight, key)
            carry = step(carry, cost, grads, share)
    return carry


def sum_over_blocks(rows: Any, block: int, part: Callable[[np.ndarray, np.ndarray, np.ndarray], Any]) -> Any:
    """The sum of part(x, y, weight) over blocks of `block` rows."""
    mask = rows.mask
    total = part(rows.x[:block], rows.y[:block], mask[:block])
    for first in range(block, len(rows.x), block):
        last = first + block
        added = part(rows.x[first:last], rows.y[first:last], mask[first:last])
        # The first result of `part` may be an array that others use; the sums after it are added in place.
        total = trees.map_leaves(np.add if first == block else _add_into, total, added)
    return total


def _add_into(total: Any, added: Any) -> Any:
    """total + added, in the memory of total if it is an array."""
    return np.add(total, added, out=total) if isinstance(total, np.ndarray) else total + added
