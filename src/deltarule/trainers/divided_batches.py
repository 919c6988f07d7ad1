"""Mini-batches of examples that are divided among devices: the gradients are added, the examples stay where they are.

Every device draws the same global order of the examples as one device alone would, and keeps the part of it that it
holds. The batch of step i is then a run of that part, about m/D examples long, and its gradient the sum over devices:
one all-reduce of the parameters' size. So the batches are the same whatever the number of devices.
"""

from collections.abc import Callable
from functools import partial
from math import ceil, sqrt
from typing import TYPE_CHECKING, Any, NamedTuple

import jax
import jax.numpy as jnp
from jax import Array, lax

from deltarule import backprop
from deltarule.backprop import Params
from deltarule.rows import Rows
from deltarule.sharding import AXIS, DIVIDED, WHOLE

if TYPE_CHECKING:
    from deltarule.network import Network

Gradient = Callable[[Array, Params], tuple[Array, Params, Array]]


class OwnOrder(NamedTuple):
    """The rows of one device in the order in which the epoch visits them; before step i it has visited begins[i]."""

    rows: Array
    begins: Array


def over_devices(rows: Rows, epoch: Callable[..., Any], *whole: Any) -> Any:
    """epoch(a device's rows, *whole) on every device, where `whole` and what is returned are the same on all."""
    assert rows.shards is not None
    firsts, counts, mesh = rows.shards.firsts, rows.shards.counts, rows.shards.mesh

    def own(x: Array, y: Array, weight: Array | None, count: Array, firsts: Array, counts: Array, *whole: Any) -> Any:
        return epoch(Rows(x, y, weight, count), firsts, counts, *whole)

    divided = (rows.x, rows.y, rows.weight)
    same = (rows.count, firsts, counts, *whole)
    specs = (*(DIVIDED for _ in divided), *(WHOLE for _ in same))
    return jax.shard_map(own, mesh=mesh, in_specs=specs, out_specs=WHOLE, check_vma=False)(*divided, *same)


def own_order(order: Array, drawn: Array | None, first: Array, count: Array, held: int, m: int) -> OwnOrder:
    """The part of a global order that falls on the `count` examples from number `first` on.

    Args:
        order: the example of each place of the epoch, (steps m,).
        drawn: places at or past it hold no example; None says that all do.
        first: the number of this device's first example.
        count: how many it holds.
        held: the most places that can fall on them.
        m: the places of a batch.
    """
    places = order.shape[0]
    mine = (order >= first) & (order < first + count)
    if drawn is not None:
        mine = mine & (jnp.arange(places) < drawn)
    before = jnp.cumsum(mine, dtype=jnp.int32)
    to = jnp.where(mine, before - 1, held)
    rows = jnp.zeros(held, jnp.int32).at[to].set(order - first, mode="drop")
    return OwnOrder(rows, jnp.concatenate([jnp.zeros(1, jnp.int32), before[m - 1 :: m]]))


def block_of(m: int, devices: int) -> int:
    """The examples that a device takes at once: its mean share of a batch, and twice its standard deviation."""
    return min(m, ceil(m / devices + 2 * sqrt(m * (devices - 1)) / devices))


def batch_gradient(
    net: "Network", rows: Rows, own: OwnOrder, block: int, step_key: Array, mean_weight: Array
) -> Gradient:
    """(step, parameters) ↦ the mean cost of the step's batch over all devices, its gradient and what they are means by.

    That is the number of examples times their mean weight, see `sampling.examples_in_batch`.

    A device whose part of the batch is longer than a block takes several; it waits for no other before the sum.
    """
    padded = jnp.pad(own.rows, (0, block))  # so that the last block can be cut out where it begins

    def gradient(i: Array, params: Params) -> tuple[Array, Params, Array]:
        begin, end = own.begins[i], own.begins[i + 1]
        key = jax.random.fold_in(jax.random.fold_in(step_key, i), lax.axis_index(AXIS))

        def add(j: Array, sums: tuple[Array, Params]) -> tuple[Array, Params]:
            at = begin + j * block
            index = lax.dynamic_slice(padded, (at,), (block,))
            weight = (at + jnp.arange(block) < end).astype(rows.x.dtype)
            if rows.weight is not None:
                weight = weight * rows.weight[index]
            x, y, own_key = rows.x[index], rows.y[index], jax.random.fold_in(key, j)
            cost, grads = backprop.cost_and_gradient_in_halves(net, params, x, y, weight, own_key)
            return jax.tree.map(jnp.add, sums, (cost, grads))

        zero = jnp.zeros((), rows.x.dtype)
        none = (zero, jax.tree.map(jnp.zeros_like, params))
        blocks = (end - begin + block - 1) // block
        sums = lax.fori_loop(0, blocks, add, none)
        (cost, grads), examples = lax.psum((sums, end - begin), AXIS)
        total = examples * mean_weight
        return cost / total, jax.tree.map(partial(jnp.multiply, 1 / total), grads), total

    return gradient
