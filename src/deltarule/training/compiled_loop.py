"""The compiled loop over epochs: for trainers whose whole epoch JAX compiles, up to `LONGEST_CHUNK` epochs in one call.

Each epoch is `deltarule.training.loop.one_epoch`, scores, best parameters, stopping and records included. All state
passes from epoch to epoch in a `Carry`, so running the epochs in several calls changes no number.
"""

import time
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array, lax

from deltarule.engine.devices import replicate
from deltarule.engine.rows import EpochContext, Record, padded_size
from deltarule.training import loop

if TYPE_CHECKING:
    from deltarule.training.loop import Carry, Course

ORDER_NUMBERS = 2**20  # the most numbers of the orders that are passed to one call


@partial(jax.jit, static_argnames="net")
def _start(net: Any, trainer: Any, params: Any, rows: Any) -> Any:
    return trainer.init(net, params, rows)


def start(course: "Course", params: Any) -> "Carry":
    """The carry before the first epoch."""
    rows = course.rows
    infinity = jnp.asarray(jnp.inf, rows.x.dtype)
    zero = jnp.zeros((), jnp.int32)
    return loop.Carry(_start(course.net, course.trainer, params, rows), params, infinity, -infinity, zero, zero, zero)


def epochs_per_call(count: int) -> int:
    """The most epochs of one call, whose orders have so many entries each."""
    return max(1, min(loop.LONGEST_CHUNK, ORDER_NUMBERS // max(1, count)))


def many_epochs(course: "Course", carry: "Carry", until: int, start: int) -> tuple["Carry", dict[str, np.ndarray]]:
    """Train from epoch `carry.epoch` up to epoch `until` or a stop; return the carry and the records."""
    first = int(carry.epoch)
    function, arguments, static = call_of(course, carry, until, start)
    carry, records = function(*arguments, **static)
    _wait(carry)
    ran = int(carry.epoch) - first
    return carry, {name: np.asarray(values)[:ran] for name, values in records.items()}


def call_of(course: "Course", carry: "Carry", until: int, start: int) -> tuple[Any, tuple[Any, ...], dict[str, Any]]:
    """Return the compiled function that trains up to epoch `until`, its arguments and its static arguments."""
    first = int(carry.epoch)
    orders: Any = course.orders(first, 1, start)
    most = loop.LONGEST_CHUNK if orders is None else epochs_per_call(orders.shape[1])
    until = min(until, first + most)
    if orders is not None:
        orders = _padded(course.orders(first, until - first, start), most, course.trainer.batch_size)
    key = replicate(course.rows.mesh, course.noise_key(start))
    rules = replace(course.rules, time_limit=None)
    course = replace(course, path=(), rules=rules)  # so that another seed or time limit does not compile again
    return _advance, (course, carry, replicate(course.rows.mesh, orders), key, np.int32(until)), {"epochs": most}


def _padded(orders: Any, epochs: int, m: Any) -> np.ndarray:
    """Pad the orders, so that their shape depends neither on the number of epochs nor on N beyond its padding."""
    width = -(-padded_size(orders.shape[1]) // m) * m
    return np.pad(orders, ((0, epochs - orders.shape[0]), (0, width - orders.shape[1])))


@partial(jax.jit, static_argnames="epochs")
def _advance(
    course: "Course", carry: "Carry", orders: Array | None, key: Array, until: Array, *, epochs: int
) -> tuple["Carry", Record]:
    first, largest = carry.epoch, course.largest()

    def one_epoch(carry: "Carry") -> tuple["Carry", Record]:
        order = None if orders is None else orders[carry.epoch - first]
        after, record = loop.one_epoch(
            course, carry, EpochContext(order, jax.random.fold_in(key, carry.epoch)), largest
        )
        after = after._replace(stop=jnp.asarray(after.stop, jnp.int32))
        return course.rows.replicate((after, record))

    shapes = jax.eval_shape(one_epoch, carry)[1]
    buffers = {name: jnp.zeros((epochs, *entry.shape), entry.dtype) for name, entry in shapes.items()}

    def body(state: tuple["Carry", Record]) -> tuple["Carry", Record]:
        carry, buffers = state
        place = carry.epoch - first
        carry, record = one_epoch(carry)
        return carry, {name: buffers[name].at[place].set(record[name]) for name in buffers}

    return lax.while_loop(lambda state: (state[0].epoch < until) & (state[0].stop == 0), body, (carry, buffers))


def _wait(tree: Any) -> None:
    """Wait for a compiled call in sleeps of a fiftieth of the time so far, during which Ctrl-C works."""
    began = time.perf_counter()
    leaves = [leaf for leaf in jax.tree.leaves(tree) if hasattr(leaf, "is_ready")]
    while not all(leaf.is_ready() for leaf in leaves):
        time.sleep(min(max((time.perf_counter() - began) / 50, 1e-4), 0.02))
    jax.block_until_ready(tree)
