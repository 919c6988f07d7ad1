"""Examples on JAX: padded to a few sizes so that compilation does not depend on N, summed in blocks, cut into batches.

Where the examples are divided among devices, every device keeps the part of an epoch's order that it holds. The batch
of step i is then a run of that part, about m/D examples long, and its gradient the sum over devices: one all-reduce of
the parameters' size. So the batches are the same whatever the number of devices, and the examples never travel.
"""

from collections.abc import Callable
from functools import partial
from math import ceil, sqrt
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from deltarule.engine.devices import AXIS, DIVIDED, WHOLE, replicate
from deltarule.engine.rows import Batches, EpochContext, Record, Rows, block_size, padded_size

Params = Any  # of a network: a list of dicts of arrays

# The examples of several small batches are gathered at once, at most so many bytes of them, which stay in a core's
# cache: on a CPU a step of 784-30-10 in batches of 10 takes 23 for 26 µs, of 784-100-10 58 for 68.
GATHERED_BYTES = 2**20
HALVED_FROM = 20  # images; in two halves these take 0.87 of the time on two cores, 50 take 0.75


def make_rows(x: Any, y: Any, weight: Any, rows: int | None = None) -> Rows:
    """The examples padded with zero rows, to `padded_size` or `rows`."""
    count = x.shape[0]
    missing = (padded_size(count) if rows is None else rows) - count

    def pad(array: Any) -> Array:
        widths = [(0, missing)] + [(0, 0)] * (array.ndim - 1)
        return jnp.asarray(np.pad(np.asarray(array), widths)) if missing else jnp.asarray(array)

    return Rows(pad(x), pad(y), None if weight is None else pad(weight), jnp.asarray(count, jnp.int32))


# Sums over blocks


def sum_over_blocks(rows: Rows, block: int, part: Callable[[Array, Array, Array], Any]) -> Any:
    """The sum of part(x, y, weight) over blocks of `block` rows, each device's share on its own and then added once."""
    if rows.shards is None:
        return _sum_here(part, block, rows.x, rows.y, rows.mask)
    block = block_size(rows.x.shape[0] // rows.shards.devices, block)
    return rows.shards.sum(partial(_sum_here, part, block), rows.x, rows.y, rows.mask)


def _sum_here(part: Callable[[Array, Array, Array], Any], block: int, x: Array, y: Array, mask: Array) -> Any:
    """The sum over the rows of one device."""
    if block >= x.shape[0]:
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


# One batch at a time, for trainers whose epochs are Python's


def take_batch(rows: Rows, order: np.ndarray, i: int, m: int, drawn: int) -> Rows:
    """Batch i of an order of the examples, whose first `drawn` places count, padded to m rows."""
    index = np.zeros(m, np.int32)
    own = order[i * m : min((i + 1) * m, drawn)]
    index[: len(own)] = own
    return _take(rows, index, len(own))


@jax.jit
def _take(rows: Rows, index: Array, count: Array) -> Rows:
    place = index if rows.shards is None else rows.shards.places(index, rows.x.shape[0])
    weight = (jnp.arange(len(index)) < count).astype(rows.x.dtype)
    if rows.weight is not None:
        weight = weight * rows.weight[place]
    batch = Rows(rows.x[place], rows.y[place], weight, jnp.asarray(len(index), jnp.int32))
    return rows.replicate(batch)


# All batches of an epoch in one compiled loop

OneGradient = Callable[..., tuple[Array, Params]]  # (params, x, y, weight, key) ↦ sum_i w_i C_i and its gradient
Step = Callable[[Any, Array, Params, Array], Any]
Gradient = Callable[[Array, Params], tuple[Array, Params, Array]]


def each_batch(one: OneGradient, batches: Batches, step: Step, carry: Any) -> Any:
    """carry ← step(carry, C, ∇C, its share) for each of the batches; see `numpy_engine.each_batch`."""
    rows, context, m = batches.rows, batches.context, batches.m
    if rows.shards is not None:
        return _each_batch_on_devices(one, batches, step, carry)
    drawn, mean_weight = None if batches.replace else rows.count, batches.total / rows.count
    size = context.order.shape[0]
    some = _batches_at_once(rows, m, -(-size // m))
    order = jnp.pad(context.order, (0, -size % (some * m)))

    def gradient_from(first: Array) -> Gradient:
        """The gradients of the steps first .. first + some - 1, whose examples are gathered here."""
        index = lax.dynamic_slice(order, (first * m,), (some * m,))
        gathered = _gather(rows, index, first * m, drawn)

        def gradient(i: Array, params: Params) -> tuple[Array, Params, Array]:
            x, y, weight = (lax.dynamic_slice_in_dim(each, (i - first) * m, m) for each in gathered)
            share = (m if drawn is None else jnp.minimum(m, drawn - i * m)) * mean_weight
            key = jax.random.fold_in(context.key, i)
            cost, grads = _in_halves(one, params, x, y, weight / share, key)
            return cost, grads, share

        return gradient

    return _loop(batches.steps, some, gradient_from, step, carry)


def _loop(steps: Any, some: int, gradient_from: Callable[[Array], Gradient], step: Step, carry: Any) -> Any:
    """One step for each batch, along gradient(step, parameters), which gradient_from makes for `some` steps."""

    def some_steps(k: Array, carry: Any) -> Any:
        first = k * some
        gradient = gradient_from(first)

        def one_step(i: Array, carry: Any) -> Any:
            return step(carry, *gradient(i, carry[0].params))

        return lax.fori_loop(first, jnp.minimum(first + some, steps), one_step, carry)

    return lax.fori_loop(0, (steps + some - 1) // some, some_steps, carry)


def _batches_at_once(rows: Rows, m: int, steps: int) -> int:
    """How many of the `steps` batches of m examples are gathered together."""
    one = m * rows.x.dtype.itemsize * (rows.x.size + rows.y.size) // rows.x.shape[0]
    return max(1, min(GATHERED_BYTES // one, steps))


def _gather(rows: Rows, index: Array, position: Array, drawn: Array | None) -> tuple[Array, Array, Array]:
    """x, y and weights of the rows index[position : position + m]; places at or past `drawn` weigh nothing.

    So the last batch of an epoch is shorter when m does not divide N, and no example is dropped. None says that every
    place holds a draw; the weights are then known when the step is compiled.
    """
    weight = jnp.ones(index.shape[0], rows.x.dtype)
    if drawn is not None:
        weight = (position + jnp.arange(index.shape[0]) < drawn).astype(rows.x.dtype)
    if rows.weight is not None:
        weight = weight * rows.weight[index]
    return rows.x[index], rows.y[index], weight


def full_gradient(one: OneGradient, params: Params, rows: Rows, weight: Array, key: Any) -> tuple[Array, Params]:
    """one(params, x, y, weight, key) of all rows at once; rows divided among devices stay where they are."""
    if rows.shards is not None:
        return one(params, rows.x, rows.y, weight, key)
    return _in_halves(one, params, rows.x, rows.y, weight, key)


def _in_halves(one: OneGradient, params: Params, x: Array, y: Array, weight: Array, key: Any) -> tuple[Array, Params]:
    """one(params, x, y, weight, key) of a batch that lies on one device, faster on a CPU where it is one of images.

    Of its two halves neither waits for the other, and XLA runs them beside each other, where the pieces of a
    convolution and its pooling would each keep one core busy. The halves draw random numbers of their own.
    """
    half = len(x) // 2
    convolves = any(array.ndim > 2 for layer in params for array in layer.values())
    if not convolves or len(x) < HALVED_FROM or jax.default_backend() != "cpu":
        return one(params, x, y, weight, key)
    first, second = (
        one(params, x[part], y[part], weight[part], None if key is None else jax.random.fold_in(key, i))
        for i, part in enumerate((slice(half), slice(half, None)))
    )
    return jax.tree.map(jnp.add, first, second)


# Batches of examples that are divided among devices


class OwnOrder(NamedTuple):
    """The rows of one device in the order in which the epoch visits them; before step i it has visited begins[i]."""

    rows: Array
    begins: Array


def _each_batch_on_devices(one: OneGradient, batches: Batches, step: Step, carry: Any) -> Any:
    """`each_batch` as each device runs it on its own rows; the parameters stay the same on all."""
    rows, context, m, drawn = batches.rows, batches.context, batches.m, not batches.replace
    devices = rows.shards.devices

    def own(rows: Rows, firsts: Array, counts: Array, carry: Any, order: Array, key: Array, mean_weight: Array) -> Any:
        here = lax.axis_index(AXIS)
        held = rows.x.shape[0] if drawn else order.shape[0]
        mine = own_order(order, rows.count if drawn else None, firsts[here], counts[here], held, m)
        gradient = batch_gradient(one, rows, mine, block_of(m, devices), key, mean_weight)
        return _loop(batches.steps, order.shape[0] // m, lambda _: gradient, step, carry)

    return over_devices(rows, own, carry, context.order, context.key, batches.total / rows.count)


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
    """The part of a global order, (steps m,), that falls on the `count` examples from number `first` on. Places at or
    past `drawn` hold no example; at most `held` can fall on them; m are the places of a batch.
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
    one: OneGradient, rows: Rows, own: OwnOrder, block: int, step_key: Array, mean_weight: Array
) -> Gradient:
    """(step, parameters) ↦ the mean cost of the step's batch over all devices, its gradient and what they are means by.

    That is the number of examples times their mean weight, see `deltarule.trainers.base`.

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
            cost, grads = _in_halves(one, params, x, y, weight, own_key)
            return jax.tree.map(jnp.add, sums, (cost, grads))

        zero = jnp.zeros((), rows.x.dtype)
        none = (zero, jax.tree.map(jnp.zeros_like, params))
        blocks = (end - begin + block - 1) // block
        sums = lax.fori_loop(0, blocks, add, none)
        (cost, grads), examples = lax.psum((sums, end - begin), AXIS)
        total = examples * mean_weight
        return cost / total, jax.tree.map(partial(jnp.multiply, 1 / total), grads), total

    return gradient


def train_on_chunk(
    net: Any, trainer: Any, state: Any, rows: Rows, order: np.ndarray | None, key: Any
) -> tuple[Any, Record]:
    """One epoch of mini-batches over a chunk of a stream: the state after it and its record."""
    if order is not None:
        places = trainer.batch_size * -(-rows.x.shape[0] // trainer.batch_size)
        order = replicate(rows.mesh, np.pad(order, (0, max(0, places - len(order)))))
    return _train_on_chunk(net, trainer, state, rows, order, jax.random.key(0) if key is None else key)


@partial(jax.jit, static_argnames="net")
def _train_on_chunk(net: Any, trainer: Any, state: Any, rows: Rows, order: Array, key: Array) -> tuple[Any, Record]:
    return rows.replicate(trainer.epoch(net, state, rows, EpochContext(order, key)))
