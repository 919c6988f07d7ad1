"""Examples on JAX: padded to a few sizes so that compilation does not depend on N, summed in blocks, cut into batches.

With several devices, every device takes from an epoch's order the examples that it holds. The batch of step i is then
about m/D consecutive examples on each device, and its gradient a sum over devices: one all-reduce of the parameters'
size. So the batches are the same for any number of devices, and examples never move to another device.
"""

from collections.abc import Callable
from functools import partial
from math import ceil, sqrt
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from deltarule.engine.devices import AXIS, REPLICATED, SHARDED, replicate
from deltarule.engine.rows import Batches, EpochContext, Record, Rows, block_size, padded_size

Params = Any

# The examples of several small batches are gathered together, up to so many bytes, which stay in a core's cache: on a
# CPU a step of 784-30-10 in batches of 10 takes 23 µs instead of 26, one of 784-100-10 58 instead of 68.
GATHERED_BYTES = 2**20
HALVED_FROM = 20  # images of a batch; two halves of 20 take 0.87 of the time on two cores, of 50 0.75


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
    """The sum of part(x, y, weight) over blocks of `block` rows; devices sum their own rows and then add up once."""
    if rows.shards is None:
        return _sum_on_device(part, block, rows.x, rows.y, rows.mask)
    block = block_size(rows.x.shape[0] // rows.shards.devices, block)
    return rows.shards.sum(partial(_sum_on_device, part, block), rows.x, rows.y, rows.mask)


def _sum_on_device(part: Callable[[Array, Array, Array], Any], block: int, x: Array, y: Array, mask: Array) -> Any:
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


# One batch at a time, for trainers whose epochs are Python loops


def take_batch(rows: Rows, order: np.ndarray, i: int, m: int, drawn: int) -> Rows:
    """Batch i of an order: m examples of its first `drawn` places, or fewer and padding rows."""
    index = np.zeros(m, np.int32)
    batch = order[i * m : min((i + 1) * m, drawn)]
    index[: len(batch)] = batch
    return _take(rows, index, len(batch))


@jax.jit
def _take(rows: Rows, index: Array, count: Array) -> Rows:
    place = index if rows.shards is None else rows.shards.places(index, rows.x.shape[0])
    weight = (jnp.arange(len(index)) < count).astype(rows.x.dtype)
    if rows.weight is not None:
        weight = weight * rows.weight[place]
    batch = Rows(rows.x[place], rows.y[place], weight, jnp.asarray(len(index), jnp.int32))
    return rows.replicate(batch)


# All batches of an epoch in one compiled loop

GradientFunction = Callable[..., tuple[Array, Params]]  # (params, x, y, weight, key) ↦ sum_i w_i C_i and its gradient
Step = Callable[[Any, Array, Params, Array], Any]
Gradient = Callable[[Array, Params], tuple[Array, Params, Array]]


def each_batch(gradient_of: GradientFunction, batches: Batches, step: Step, carry: Any) -> Any:
    """carry ← step(carry, C, ∇C, share) for each of the batches; see `deltarule.engine.rows.each_batch`."""
    rows, context, m = batches.rows, batches.context, batches.m
    if rows.shards is not None:
        return _each_batch_on_devices(gradient_of, batches, step, carry)
    drawn, mean_weight = None if batches.replace else rows.count, batches.total / rows.count
    size = context.order.shape[0]
    gathered = _gathered_batches(rows, m, -(-size // m))
    order = jnp.pad(context.order, (0, -size % (gathered * m)))

    def gradient_from(first: Array) -> Gradient:
        """The gradients of the next steps, whose examples are gathered together."""
        index = lax.dynamic_slice(order, (first * m,), (gathered * m,))
        examples = _gather(rows, index, first * m, drawn)

        def gradient(i: Array, params: Params) -> tuple[Array, Params, Array]:
            x, y, weight = (lax.dynamic_slice_in_dim(array, (i - first) * m, m) for array in examples)
            share = (m if drawn is None else jnp.minimum(m, drawn - i * m)) * mean_weight
            key = jax.random.fold_in(context.key, i)
            cost, grads = _in_halves(gradient_of, params, x, y, weight / share, key)
            return cost, grads, share

        return gradient

    return _loop(batches.steps, gathered, gradient_from, step, carry)


def _loop(steps: Any, count: int, gradient_from: Callable[[Array], Gradient], step: Step, carry: Any) -> Any:
    """One step for each batch; gradient_from(i) gives the gradient function of the `count` steps from number i on."""

    def steps_from(k: Array, carry: Any) -> Any:
        first = k * count
        gradient = gradient_from(first)

        def one_step(i: Array, carry: Any) -> Any:
            return step(carry, *gradient(i, carry[0].params))

        return lax.fori_loop(first, jnp.minimum(first + count, steps), one_step, carry)

    return lax.fori_loop(0, (steps + count - 1) // count, steps_from, carry)


def _gathered_batches(rows: Rows, m: int, steps: int) -> int:
    """How many of the `steps` batches of m examples are gathered together."""
    batch_bytes = m * rows.x.dtype.itemsize * (rows.x.size + rows.y.size) // rows.x.shape[0]
    return max(1, min(GATHERED_BYTES // batch_bytes, steps))


def _gather(rows: Rows, index: Array, position: Array, drawn: Array | None) -> tuple[Array, Array, Array]:
    """x, y and weights of the rows with these numbers; from place `drawn` on weights are 0, `position` being the first.

    So the last batch is shorter if m does not divide N, and no example is dropped. None says that all places count; the
    weights are then constants of the compiled step.
    """
    weight = jnp.ones(index.shape[0], rows.x.dtype)
    if drawn is not None:
        weight = (position + jnp.arange(index.shape[0]) < drawn).astype(rows.x.dtype)
    if rows.weight is not None:
        weight = weight * rows.weight[index]
    return rows.x[index], rows.y[index], weight


def full_gradient(
    gradient_of: GradientFunction, params: Params, rows: Rows, weight: Array, key: Any
) -> tuple[Array, Params]:
    """gradient_of(params, x, y, weight, key) of all rows at once; JAX divides sharded rows by itself."""
    if rows.shards is not None:
        return gradient_of(params, rows.x, rows.y, weight, key)
    return _in_halves(gradient_of, params, rows.x, rows.y, weight, key)


def _in_halves(
    gradient_of: GradientFunction, params: Params, x: Array, y: Array, weight: Array, key: Any
) -> tuple[Array, Params]:
    """gradient_of(params, x, y, weight, key) of a batch on one device; batches of images on a CPU in two halves.

    XLA computes the two halves at the same time, whereas the operations of a convolution and its pooling would each
    keep one core busy. Each half draws its own random numbers.
    """
    half = len(x) // 2
    convolves = any(array.ndim > 2 for layer in params for array in layer.values())
    if not convolves or len(x) < HALVED_FROM or jax.default_backend() != "cpu":
        return gradient_of(params, x, y, weight, key)
    first, second = (
        gradient_of(params, x[part], y[part], weight[part], None if key is None else jax.random.fold_in(key, i))
        for i, part in enumerate((slice(half), slice(half, None)))
    )
    return jax.tree.map(jnp.add, first, second)


# Batches of examples that are sharded over devices


class OwnOrder(NamedTuple):
    """The order in which the epoch visits one device's rows; rows[begins[i] : begins[i + 1]] is its part of batch i."""

    rows: Array
    begins: Array


def _each_batch_on_devices(gradient_of: GradientFunction, batches: Batches, step: Step, carry: Any) -> Any:
    """`each_batch` for sharded rows: every device runs the loop on its own rows with the same parameters."""
    rows, context, m, drawn = batches.rows, batches.context, batches.m, not batches.replace
    firsts, counts, mesh = rows.shards.firsts, rows.shards.counts, rows.shards.mesh

    def on_device(x: Array, y: Array, weight: Array | None, *replicated: Any) -> Any:
        count, firsts, counts, carry, order, key, mean_weight = replicated
        device, most = lax.axis_index(AXIS), x.shape[0] if drawn else order.shape[0]
        own = _own_order(order, count if drawn else None, firsts[device], counts[device], most, m)
        rows = Rows(x, y, weight, count)
        gradient = _batch_gradient(gradient_of, rows, own, _block(m, mesh.size), key, mean_weight)
        return _loop(batches.steps, order.shape[0] // m, lambda _: gradient, step, carry)

    sharded = (rows.x, rows.y, rows.weight)
    mean_weight = batches.total / rows.count
    replicated = (rows.count, firsts, counts, carry, context.order, context.key, mean_weight)
    specs = (*(SHARDED for _ in sharded), *(REPLICATED for _ in replicated))
    run = jax.shard_map(on_device, mesh=mesh, in_specs=specs, out_specs=REPLICATED, check_vma=False)
    return run(*sharded, *replicated)


def _own_order(order: Array, drawn: Array | None, first: Array, count: Array, most: int, m: int) -> OwnOrder:
    """The places of an order, (steps m,), that belong to the `count` examples from number `first` on, at most `most`.

    The places from `drawn` on have no example; m is the size of a batch.
    """
    own = (order >= first) & (order < first + count)
    if drawn is not None:
        own = own & (jnp.arange(order.shape[0]) < drawn)
    before = jnp.cumsum(own, dtype=jnp.int32)
    places = jnp.where(own, before - 1, most)
    rows = jnp.zeros(most, jnp.int32).at[places].set(order - first, mode="drop")
    return OwnOrder(rows, jnp.concatenate([jnp.zeros(1, jnp.int32), before[m - 1 :: m]]))


def _block(m: int, devices: int) -> int:
    """How many examples a device takes together: its mean share of a batch and twice its standard deviation."""
    return min(m, ceil(m / devices + 2 * sqrt(m * (devices - 1)) / devices))


def _batch_gradient(
    gradient_of: GradientFunction, rows: Rows, own: OwnOrder, block: int, step_key: Array, mean_weight: Array
) -> Gradient:
    """(step, parameters) ↦ the mean cost of the step's batch over all devices, its gradient, and the batch's share.

    A device whose part of the batch is longer than a block takes several blocks; the devices wait for each other only
    in the sum.
    """
    padded = jnp.pad(own.rows, (0, block))  # so that the last block has its whole length

    def gradient(i: Array, params: Params) -> tuple[Array, Params, Array]:
        begin, end = own.begins[i], own.begins[i + 1]
        key = jax.random.fold_in(jax.random.fold_in(step_key, i), lax.axis_index(AXIS))

        def add(j: Array, sums: tuple[Array, Params]) -> tuple[Array, Params]:
            place = begin + j * block
            index = lax.dynamic_slice(padded, (place,), (block,))
            weight = (place + jnp.arange(block) < end).astype(rows.x.dtype)
            if rows.weight is not None:
                weight = weight * rows.weight[index]
            x, y, block_key = rows.x[index], rows.y[index], jax.random.fold_in(key, j)
            return jax.tree.map(jnp.add, sums, _in_halves(gradient_of, params, x, y, weight, block_key))

        zeros = (jnp.zeros((), rows.x.dtype), jax.tree.map(jnp.zeros_like, params))
        sums = lax.fori_loop(0, (end - begin + block - 1) // block, add, zeros)
        (cost, grads), examples = lax.psum((sums, end - begin), AXIS)
        share = examples * mean_weight
        return cost / share, jax.tree.map(partial(jnp.multiply, 1 / share), grads), share

    return gradient


def train_on_chunk(
    net: Any, trainer: Any, state: Any, rows: Rows, order: np.ndarray | None, key: Any
) -> tuple[Any, Record]:
    """Train on a chunk of a stream for one epoch of mini-batches; return the new state and the record."""
    if order is not None:
        places = trainer.batch_size * -(-rows.x.shape[0] // trainer.batch_size)
        order = replicate(rows.mesh, np.pad(order, (0, max(0, places - len(order)))))
    return _train_on_chunk(net, trainer, state, rows, order, jax.random.key(0) if key is None else key)


@partial(jax.jit, static_argnames="net")
def _train_on_chunk(net: Any, trainer: Any, state: Any, rows: Rows, order: Array, key: Array) -> tuple[Any, Record]:
    return rows.replicate(trainer.epoch(net, state, rows, EpochContext(order, key)))
