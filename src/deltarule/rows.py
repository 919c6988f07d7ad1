"""The examples of a training on the device, padded to a few sizes so that compilation does not depend on N."""

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from deltarule.sharding import Shards


class Rows(NamedTuple):
    """Inputs, targets and weights of `count` examples, followed by padding rows that weigh nothing.

    x is (rows, ...), y is (rows, k), weight is (rows,) or None when every example weighs one; count is a traced
    whole number, so a table that grew by a row compiles nothing new. With `shards` the rows are divided among devices,
    and each device's share ends with its own padding.
    """

    x: Array
    y: Array
    weight: Array | None
    count: Array  # pyright: ignore[reportIncompatibleMethodOverride]
    shards: Shards | None = None

    @property
    def mask(self) -> Array:
        """The weight of every row, zero for padding: (rows,)."""
        size = self.x.shape[0]
        real = jnp.arange(size) < self.count if self.shards is None else self.shards.real(size)
        real = real.astype(self.x.dtype)
        return real if self.weight is None else real * self.weight

    def everywhere(self, tree: Any) -> Any:
        """The tree, whole on every device that the rows are divided among; as it is where they are not."""
        return tree if self.shards is None else self.shards.everywhere(tree)


def padded_size(count: int) -> int:
    """The smallest allowed number of rows that holds `count`: a multiple of 8, later of an eighth of the size.

    >>> [padded_size(n) for n in (1, 10, 1000, 1001, 50_000)]
    [8, 16, 1024, 1024, 53248]
    """
    unit = max(8, 2 ** ((count - 1).bit_length() - 4)) if count > 1 else 8
    return -(-count // unit) * unit


def pad_rows(x: Array | np.ndarray, y: Array | np.ndarray, weight: Array | np.ndarray | None = None) -> Rows:
    """The examples padded with zero rows to `padded_size`."""
    count = x.shape[0]
    missing = padded_size(count) - count

    def pad(array: Array | np.ndarray) -> Array:
        widths = [(0, missing)] + [(0, 0)] * (array.ndim - 1)
        return jnp.asarray(np.pad(np.asarray(array), widths)) if missing else jnp.asarray(array)

    return Rows(pad(x), pad(y), None if weight is None else pad(weight), jnp.asarray(count, jnp.int32))


def block_size(rows: int, largest: int) -> int:
    """All the rows if `largest` holds them, else the largest power of two up to it that divides their number.

    Padded sizes are eight to sixteen times a power of two, so that is never small beside `largest`. Of other sizes,
    such as that of a mini-batch, it may be: those are cut evenly, and the last block is padded.

    >>> [block_size(n, 1000) for n in (500, 4096, 13 * 256, 2500, 2501)]
    [500, 512, 256, 834, 834]
    """
    if rows <= largest:
        return rows
    dividing = min(2 ** (largest.bit_length() - 1), rows & -rows)
    return dividing if 16 * dividing >= largest else -(-rows // -(-rows // largest))


def sum_over_blocks(rows: Rows, block: int, part: Callable[[Array, Array, Array], Any]) -> Any:
    """The sum of part(x, y, weight) over blocks of `block` rows: memory is one block's, whatever the number of rows.

    Rows divided among devices are summed on each, in blocks of at most `block`, and the sums added once.
    """
    if rows.shards is None:
        return _sum_here(part, block, rows.x, rows.y, rows.mask)
    block = block_size(rows.x.shape[0] // rows.shards.devices, block)
    return rows.shards.sum(partial(_sum_here, part, block), rows.x, rows.y, rows.mask)


def _sum_here(part: Callable[[Array, Array, Array], Any], block: int, x: Array, y: Array, mask: Array) -> Any:
    """The sum over the rows of one device."""
    if block == x.shape[0]:
        return part(x, y, mask)
    missing = -x.shape[0] % block

    def cut(array: Array) -> Array:
        array = jnp.pad(array, [(0, missing), *[(0, 0)] * (array.ndim - 1)]) if missing else array
        return array.reshape(-1, block, *array.shape[1:])

    blocks = jax.tree.map(cut, (x, y, mask))

    def add(total: Any, piece: tuple[Array, Array, Array]) -> tuple[Any, None]:
        return jax.tree.map(jnp.add, total, part(*piece)), None

    shapes = jax.eval_shape(part, *(array[0] for array in blocks))
    zero = jax.tree.map(lambda s: jnp.zeros(s.shape, s.dtype), shapes)
    return lax.scan(add, zero, blocks)[0]
