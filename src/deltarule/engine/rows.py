"""The examples of a training as an engine lays them out, what an epoch is given, and batches and blocks of NumPy's.

The same functions for JAX's arrays are in `jax_batches`; both engines have them under these names.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from deltarule import trees
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
        xp, size = self.x.__array_namespace__(), self.x.shape[0]
        real = xp.arange(size) < self.count if self.shards is None else self.shards.real(size)
        real = real.astype(self.x.dtype)
        return real if self.weight is None else real * self.weight

    @property
    def mesh(self) -> Any:
        """The devices that the rows are divided among, or None."""
        return None if self.shards is None else self.shards.mesh

    def replicate(self, tree: Any) -> Any:
        """Inside compiled code, the tree with a whole copy on every device of the rows."""
        return tree if self.shards is None else self.shards.replicate(tree)


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


def examples_per_block(width: int, outputs: int, itemsize: int = 8) -> int:
    """The examples of a block, at least one, where each has `outputs` rows of `width` numbers."""
    return max(1, block_bytes(width, itemsize) // (itemsize * outputs * width))


def linearization_block(rows: int, width: int, outputs: int) -> int:
    """Of so many rows those of a block, where each example has `outputs` rows of `width` numbers."""
    return block_size(rows, examples_per_block(width, outputs))


Record = dict[str, Array]


class TimeLimitReached(Exception):
    """The time limit passed within an epoch."""


def no_time_limit() -> None:
    """Nobody waits."""


class EpochContext(NamedTuple):
    """What an epoch is given besides the state: its number decides it, and nothing else that went before.

    order holds the example at every place of the epoch, (places,) int32, None where the trainer asks for none; key is
    for layers that draw random numbers; clock is called between the pieces of an epoch and raises where time is up.
    """

    order: Array | None
    key: Any
    check_time: Callable[[], None] = no_time_limit


class Batches(NamedTuple):
    """The mini-batches of an epoch: `steps` of m examples each, of which the last one may be shorter, in the order of
    the turn. With `replace` the order holds draws with replacement, so that every place counts; `total` is the weight
    of all examples.
    """

    rows: Any
    context: Any
    m: int
    steps: Any
    replace: bool
    total: Any


GATHERED_ROWS = 512  # examples of several small batches that are gathered together


# NumPy's: nothing is padded


def make_rows(x: np.ndarray, y: np.ndarray, weight: np.ndarray | None, rows: int | None = None) -> Rows:
    """The examples as they are; JAX pads them to `rows` rows."""
    return Rows(x, y, weight, len(x))


def take_batch(rows: Any, order: np.ndarray, i: int, m: int, drawn: int) -> Any:
    """Batch i of an order of the examples, whose first `drawn` places count: m of them, the last one may be shorter."""
    index = order[i * m : min((i + 1) * m, drawn)]
    weight = None if rows.weight is None else rows.weight[index]
    return rows._replace(x=rows.x[index], y=rows.y[index], weight=weight, count=len(index))


def full_gradient(gradient: Callable[..., Any], params: Any, rows: Any, weight: np.ndarray, key: Any) -> Any:
    """gradient(params, x, y, weight, key) of all rows at once."""
    return gradient(params, rows.x, rows.y, weight, key)


def train_on_chunk(
    net: Any, trainer: Any, state: Any, rows: Any, order: np.ndarray | None, key: Any
) -> tuple[Any, Any]:
    """One epoch of mini-batches over a chunk of a stream: the state after it and its record."""
    return trainer.epoch(net, state, rows, EpochContext(order, key))


def each_batch(gradient: Callable[..., Any], batches: Batches, step: Callable[..., Any], carry: Any) -> Any:
    """carry ← step(carry, C, ∇C, its share) for each of the batches. `gradient` is (params, x, y, weight, key) ↦ sum_i
    w_i C_i and its gradient; `step` takes the mean cost of a batch at carry[0].params, its gradient, and what it is
    the mean by: the number of its examples times the mean weight of all, see `deltarule.trainers.base.batches`.
    """
    rows, context, m = batches.rows, batches.context, batches.m
    mean_weight = batches.total / len(rows.x)
    places = min(batches.steps * m, len(context.order))
    some = m * max(1, GATHERED_ROWS // m)
    dtype, whole = rows.x.dtype, np.full(m, 1 / (m * mean_weight), rows.x.dtype)
    for begin in range(0, places, some):
        index = context.order[begin : begin + some]
        x, y = rows.x[index], rows.y[index]
        weights = None if rows.weight is None else rows.weight[index]
        for first in range(0, len(index), m):
            context.check_time()
            batch = slice(first, first + m)
            share = len(x[batch]) * mean_weight
            weight = whole if len(x[batch]) == m else np.full(len(x[batch]), 1 / share, dtype)
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
        some = slice(first, first + block)
        more = part(rows.x[some], rows.y[some], mask[some])
        # What `part` returned first may be somebody's array; from the first sum on the total is written over.
        total = trees.map_leaves(np.add if first == block else _add_into, total, more)
    return total


def _add_into(total: Any, more: Any) -> Any:
    """total + more, in the memory of total where it is an array."""
    return np.add(total, more, out=total) if isinstance(total, np.ndarray) else total + more
